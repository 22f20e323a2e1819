use super::*;
use proptest::prelude::*;

const CONTENT_TYPE: &str = "multipart/form-data; boundary=xYz";

/// A transcription as the Python SDK sends it: the file first, fields after it.
const UPLOAD: &[u8] = b"--xYz\r\n\
    Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\
    Content-Type: audio/mpeg\r\n\r\n\
    ID3\r\n--xY\r\n\0\xff\r\n\
    --xYz\r\n\
    content-disposition: form-data; name=model\r\n\r\n\
    whisper-1\r\n\
    --xYz\r\n\
    Content-Disposition: form-data; name=\"stream\"\r\n\r\n\
    \r\n\
    --xYz--\r\n";

const FILE: &[u8] = b"ID3\r\n--xY\r\n\0\xff";

fn boundary() -> Boundary {
    Boundary::of(CONTENT_TYPE).unwrap()
}

fn form(body: &[u8]) -> Result<Form, Error> {
    Form::read(&boundary(), body)
}

fn message(body: &[u8]) -> String {
    form(body).unwrap_err().message().to_owned()
}

/// A form of one field, with `disposition` behind `form-data; `.
fn one_field(disposition: &str) -> Vec<u8> {
    format!("--xYz\r\nContent-Disposition: form-data; {disposition}\r\n\r\nv\r\n--xYz--")
        .into_bytes()
}

#[test]
fn the_parts_of_an_upload_are_found_where_they_stand() {
    let form = form(UPLOAD).unwrap();
    assert!(form.complete);
    assert_eq!(form.in_file(), None);
    let names: Vec<&str> = form.fields.iter().map(|field| &*field.part.name).collect();
    assert_eq!(names, ["file", "model", "stream"]);
    let file = &form.fields[0];
    assert_eq!(file.part.filename.as_deref(), Some("a.mp3"));
    assert_eq!(file.part.content_type.as_deref(), Some("audio/mpeg"));
    assert_eq!(&UPLOAD[file.span.clone()], FILE);
    let (model, span) = form.value("model", UPLOAD).unwrap().unwrap();
    assert_eq!(model, "whisper-1");
    assert_eq!(&UPLOAD[span], b"whisper-1");
    assert_eq!(form.value("stream", UPLOAD).unwrap().unwrap().0, "");
    assert_eq!(form.value("prompt", UPLOAD).unwrap(), None);
}

#[test]
fn every_prefix_of_a_form_can_be_read_and_never_says_more_than_the_whole() {
    let whole = form(UPLOAD).unwrap();
    for end in 0..UPLOAD.len() {
        let part = form(&UPLOAD[..end]).unwrap();
        assert!(part.fields.len() <= whole.fields.len(), "{end}");
        for (seen, real) in part.fields.iter().zip(&whole.fields) {
            assert_eq!(seen.part, real.part);
            assert_eq!(seen.span.start, real.span.start);
            assert!(seen.span.end <= real.span.end, "{end}");
            assert!(!seen.complete || seen.span == real.span, "{end}");
        }
        let open = part.fields.iter().filter(|field| !field.complete).count();
        assert!(open <= 1, "{end}");
        let model = part.value("model", &UPLOAD[..end]).unwrap();
        assert!(model.is_none_or(|(model, _)| model == "whisper-1"));
    }
    let half = form(&UPLOAD[..110]).unwrap();
    assert_eq!(half.in_file().unwrap().part.name, "file");
    assert!(!half.complete);
}

#[test]
fn what_stands_before_and_behind_the_form_is_skipped() {
    let body = [b"hello\r\n", UPLOAD, b"--xYz\r\nbye"].concat();
    let form = form(&body).unwrap();
    assert_eq!(form.fields.len(), 3);
    assert_eq!(&body[form.fields[0].span.clone()], FILE);
    assert!(form.complete);
}

#[test]
fn a_form_that_two_parsers_may_read_in_two_ways_is_refused() {
    let field = "Content-Disposition: form-data; name=\"a\"\r\n\r\n";
    for body in [
        format!("--xYz\n{field}v\r\n--xYz--"),
        format!("--xYz \r\n{field}v\r\n--xYz--"),
        format!("--xYz\r\n{field}v\n--xYz--"),
        format!("--xYz\r\n{field}v\r\n--xYzzz\r\n--xYz--"),
        format!("--xYz\r\n{field}--xYz\r\n{field}v\r\n--xYz--"),
        format!("--xYz\r\n{field}v\r\n--xYz--x\r\n"),
        format!("x\n--xYz\r\n{field}v\r\n--xYz--"),
        format!("--xYz\r\n{field}v\r\n--xYz-x"),
        "--xYz\r\n\r\n\r\n--xYz--".to_owned(),
        "--xYz\r\nContent-Type: text/plain\r\n\r\nv\r\n--xYz--".to_owned(),
        "--xYz\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\nv\r\n--xYz--".to_owned(),
        "--xYz\r\nContent-Disposition: form-data;\n name=a\r\n\r\nv\r\n--xYz--".to_owned(),
        format!("--xYz\r\nContent-Disposition: form-data; name=b\r\n{field}v\r\n--xYz--"),
        format!("--xYz\r\nContent-Transfer-Encoding: base64\r\n{field}dg==\r\n--xYz--"),
        format!("--xYz\r\nfoo\r\n{field}v\r\n--xYz--"),
    ] {
        let error = form(body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), Kind::BadRequest, "{body}");
    }
}

#[test]
fn the_name_of_a_part_is_plain_and_stands_once() {
    let good = [
        ("name=\"a b\"", "a b", None),
        ("name=\"image[]\" ; filename=\"\"", "image[]", Some("")),
        ("filename=\"c:\\x.mp3\"; name=a", "a", Some("c:\\x.mp3")),
        (
            "NAME=a; filename*=utf-8''%c3%a4",
            "a",
            Some("utf-8''%c3%a4"),
        ),
    ];
    for (disposition, name, filename) in good {
        let form = form(&one_field(disposition)).unwrap();
        assert_eq!(form.fields[0].part.name, name);
        assert_eq!(form.fields[0].part.filename.as_deref(), filename);
    }
    let bad = [
        "name=\"mo\\del\"",
        "name=\"a\\\"\"; filename=\"b\"",
        "filename=\"a\\\"; name=\\\"b\"; name=\"c\"",
        "name=a; name=b",
        "name*=utf-8''model",
        "name*0=mo; name*1=del",
        "filename=a",
        "name",
        "name=\"a",
        "name=\"a\"b",
        "name=a\"b\"",
    ];
    for disposition in bad {
        let error = form(&one_field(disposition)).unwrap_err();
        assert_eq!(error.kind(), Kind::BadRequest, "{disposition}");
    }
}

#[test]
fn a_field_that_is_named_twice_or_is_a_file_has_no_value() {
    let twice = b"--xYz\r\nContent-Disposition: form-data; name=model\r\n\r\na\r\n\
        --xYz\r\nContent-Disposition: form-data; name=model\r\n\r\nb\r\n--xYz--";
    let error = form(twice).unwrap().value("model", twice).unwrap_err();
    assert_eq!(
        error.message(),
        "the form cannot be read: `model` is named twice"
    );
    let error = form(UPLOAD).unwrap().value("file", UPLOAD).unwrap_err();
    assert_eq!(error.kind(), Kind::BadRequest);
}

#[test]
fn a_form_is_bounded_in_parts_headers_and_fields_but_not_in_files() {
    let part = "--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
    let body = part.repeat(PARTS_MAX);
    assert_eq!(form(body.as_bytes()).unwrap().fields.len(), PARTS_MAX);
    let error = form(part.repeat(PARTS_MAX + 1).as_bytes()).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);

    let header = format!("--xYz\r\nx: {}", "x".repeat(HEADER_BYTES_MAX));
    assert_eq!(form(header.as_bytes()).unwrap_err().kind(), Kind::TooLarge);

    let large = "x".repeat(FIELD_BYTES_MAX + 1);
    let field = one_field(&format!("name=a\r\n\r\n{large}"));
    assert!(message(&field).contains("a field has more than"));
    let file = one_field(&format!("name=a; filename=b\r\n\r\n{large}"));
    assert_eq!(form(&file).unwrap().fields.len(), 1);
}

#[test]
fn the_boundary_is_read_from_the_content_type() {
    for (content_type, line) in [
        ("multipart/form-data; boundary=a-b", "\n--a-b"),
        (
            "Multipart/Form-Data;Boundary=\"a b\"; charset=utf-8",
            "\n--a b",
        ),
        (
            "multipart/form-data; charset=utf-8; boundary=----x",
            "\n------x",
        ),
    ] {
        assert_eq!(Boundary::of(content_type).unwrap().line(), line.as_bytes());
    }
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for content_type in [
        "application/json",
        "multipart/mixed; boundary=a",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"a \"",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=\"a\r\n\"",
        "multipart/form-data; boundary=é",
        &long,
    ] {
        assert!(Boundary::of(content_type).is_err(), "{content_type}");
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Begin(Part, usize),
    Data(usize, Vec<u8>),
    End,
}

/// The events of a body that comes in `chunks`, neighbouring data joined; and how it ended.
fn events(chunks: &[&[u8]]) -> (Vec<Seen>, Result<bool, String>) {
    let mut scanner = Scanner::new(&boundary());
    let mut seen = Vec::new();
    for chunk in chunks {
        let fed = scanner.feed(chunk, |event| match event {
            Event::Begin { part, at } => seen.push(Seen::Begin(part, at)),
            Event::End => seen.push(Seen::End),
            Event::Data { at, bytes } => match seen.last_mut() {
                Some(Seen::Data(from, data)) => {
                    assert_eq!(*from + data.len(), at, "pieces follow each other");
                    data.extend_from_slice(bytes);
                }
                _ => seen.push(Seen::Data(at, bytes.to_vec())),
            },
        });
        if let Err(error) = fed {
            return (seen, Err(error.message().to_owned()));
        }
        assert!(scanner.held.len() < HEADER_BYTES_MAX);
    }
    (seen, Ok(scanner.is_complete()))
}

fn cut<'b>(body: &'b [u8], cuts: &[usize]) -> Vec<&'b [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &body[pair[0]..pair[1]])
        .collect()
}

#[test]
fn a_body_that_comes_byte_by_byte_gives_the_same_events() {
    let single: Vec<&[u8]> = UPLOAD.chunks(1).collect();
    let (seen, end) = events(&single);
    assert_eq!((seen.clone(), end), events(&[UPLOAD]));
    let Seen::Data(at, data) = &seen[1] else {
        panic!("the file's content comes first: {seen:?}");
    };
    assert_eq!(data, FILE);
    assert_eq!(&UPLOAD[*at..*at + data.len()], FILE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Bodies made of the very pieces that delimiters are made of, well formed or not.
    #[test]
    fn any_chunking_of_any_body_gives_the_same_events(
        pieces in proptest::collection::vec(
            "\r|\n|-|--|--xYz|\r\n--xYz|\r\n--xYz\r\n|\r\n\r\n|a|x|--xYz--|\
             Content-Disposition: form-data; name=a\r\n\r\n|\
             Content-Disposition: form-data; name=f; filename=f\r\n\r\n",
            0..16,
        ),
        cuts in proptest::collection::vec(0_usize..1000, 0..12),
    ) {
        let body = pieces.concat().into_bytes();
        let (whole, end) = events(&[&body]);
        let (cut, cut_end) = events(&cut(&body, &cuts));
        prop_assert_eq!(&end, &cut_end);
        if end.is_ok() {
            prop_assert_eq!(whole, cut);
        }
    }

    #[test]
    fn what_was_put_into_a_form_comes_out_of_it(
        values in proptest::collection::vec("(\r|\n|-|--xY|\r\n--x|[a-y]){0,6}", 0..6),
        cuts in proptest::collection::vec(0_usize..1000, 0..12),
    ) {
        let mut body = String::new();
        for (index, value) in values.iter().enumerate() {
            let header = format!("Content-Disposition: form-data; name=\"n{index}\"");
            body += &["--xYz", &header, "", value, ""].join("\r\n");
        }
        body.push_str("--xYz--\r\n");
        let body = body.into_bytes();
        let mut reader = FormReader::new(&boundary());
        for chunk in cut(&body, &cuts) {
            reader.feed(chunk).unwrap();
        }
        let form = reader.into_form();
        prop_assert!(form.complete);
        for (index, value) in values.iter().enumerate() {
            let found = form.value(&format!("n{index}"), &body).unwrap().unwrap().0;
            prop_assert_eq!(found, value);
        }
    }
}
