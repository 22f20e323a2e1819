use super::*;
use proptest::prelude::*;

type Owned = (String, String);

fn events(chunks: &[&[u8]]) -> Vec<Owned> {
    let mut splitter = Splitter::default();
    let mut found = Vec::new();
    for chunk in chunks {
        splitter.feed(chunk, |event| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            found.push((text(event.name), text(&event.data)));
        });
    }
    found
}

fn event(name: &str, data: &str) -> Owned {
    (name.to_owned(), data.to_owned())
}

#[test]
fn lines_may_end_in_lf_crlf_or_cr() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = "event: a\ndata: 1\n\ndata:2\n\n".replace('\n', end);
        let expected = vec![event("a", "1"), event("", "2")];
        assert_eq!(events(&[stream.as_bytes()]), expected, "{end:?}");
    }
}

#[test]
fn comments_blank_lines_and_other_fields_are_no_events() {
    let stream = b"\n\n: ping\n\nid: 1\nretry: 5\n\ndatas: x\n\nevent: alone\n\ndata: 1\n\n";
    assert_eq!(events(&[stream]), vec![event("", "1")]);
}

#[test]
fn data_of_several_lines_is_joined_and_one_space_is_dropped() {
    let stream = b"data:  a\ndata\ndata:b\n\n";
    assert_eq!(events(&[stream]), vec![event("", " a\n\nb")]);
    assert_eq!(
        events(&["\u{feff}data: 1\n\n".as_bytes()]),
        vec![event("", "1")]
    );
}

#[test]
fn an_event_that_the_end_cuts_off_never_happened() {
    assert_eq!(events(&[b"data: 1\n\ndata: 2\n"]), vec![event("", "1")]);
}

#[test]
fn a_crlf_split_between_chunks_is_one_line_end() {
    let expected = vec![event("", "1"), event("", "2")];
    assert_eq!(
        events(&[b"data: 1\r", b"\n\r", b"\ndata: 2\r\n\r", b"\n"]),
        expected
    );
}

#[test]
fn the_place_of_single_line_data_is_known() {
    let raw = b"event: x\r\ndata: {}\r\n\r\n";
    let event = Event::parse(raw).unwrap();
    assert_eq!(event.data_at, Some(16));
    assert!(matches!(event.data, Cow::Borrowed(b"{}")));
    assert_eq!(Event::parse(b"data: 1\ndata: 2\n\n").unwrap().data_at, None);
}

#[test]
fn an_event_over_the_bound_is_left_out_and_the_next_is_read() {
    let mut splitter = Splitter::default();
    let mut found = Vec::new();
    let filler = vec![b'x'; 8 * 1024 * 1024];
    let mut chunks: Vec<&[u8]> = vec![b"data: "];
    chunks.extend([filler.as_slice(); 5]);
    chunks.push(b"\n\ndata: 2\n\n");
    for chunk in chunks {
        splitter.feed(chunk, |event| found.push(event.data.into_owned()));
        assert!(splitter.tail.len() <= EVENT_BYTES_MAX);
    }
    assert_eq!(found, vec![b"2".to_vec()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_chunking_gives_the_same_events(
        lines in proptest::collection::vec("(data|event|id|:)?[:]?[ ]?[a-zä]{0,4}", 0..20),
        ends in proptest::collection::vec("\n|\r|\r\n", 20),
        cuts in proptest::collection::vec(0_usize..200, 0..12),
    ) {
        let mut stream = Vec::new();
        for (line, end) in lines.iter().zip(&ends) {
            stream.extend_from_slice(line.as_bytes());
            stream.extend_from_slice(end.as_bytes());
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(events(&chunks), events(&[&stream]));
    }
}
