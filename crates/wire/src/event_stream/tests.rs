use super::*;
use frame::{assemble, push_header};
use proptest::prelude::*;

/// A stream of two events and an exception, as the service sends it.
const EXCEPTION: &[u8] = include_bytes!("../../fixtures/bedrock/converse_stream_exception.bin");

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    kind: Vec<u8>,
    payload: Vec<u8>,
}

fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Seen>, Splitter) {
    let mut splitter = Splitter::default();
    let mut seen = Vec::new();
    for chunk in chunks {
        splitter.feed(chunk, |frame| {
            let kind = match frame.message() {
                Message::Event(name) | Message::Exception(name) => name.to_vec(),
                Message::Error { code, message } => [code, b": ", message].concat(),
            };
            let payload = frame.payload().to_vec();
            seen.push(Seen { kind, payload });
        });
    }
    (seen, splitter)
}

fn kinds(seen: &[Seen]) -> Vec<&str> {
    seen.iter()
        .map(|seen| std::str::from_utf8(&seen.kind).unwrap())
        .collect()
}

#[test]
fn events_and_exceptions_are_known_by_their_headers() {
    let (seen, splitter) = split([EXCEPTION]);
    assert_eq!(
        kinds(&seen),
        ["messageStart", "contentBlockDelta", "throttlingException"]
    );
    assert!(splitter.is_between_frames());
}

#[test]
fn an_error_without_a_model_has_a_code_and_a_text() {
    let mut headers = Vec::new();
    push_header(&mut headers, ":message-type", "error");
    push_header(&mut headers, ":error-code", "InternalError");
    push_header(&mut headers, ":error-message", "try later");
    let (seen, _) = split([&assemble(&headers, b"")[..]]);
    assert_eq!(kinds(&seen), ["InternalError: try later"]);
}

#[test]
fn headers_of_other_types_are_stepped_over() {
    let mut headers = Vec::new();
    for (kind, value) in [
        (0, &b""[..]),
        (1, b""),
        (2, b"1"),
        (3, b"12"),
        (4, b"1234"),
        (5, b"12345678"),
        (6, b"\0\x03abc"),
        (8, b"12345678"),
        (9, b"1234567890123456"),
    ] {
        headers.extend_from_slice(&[1, b'x', kind]);
        headers.extend_from_slice(value);
    }
    push_header(&mut headers, ":event-type", "chunk");
    let raw = assemble(&headers, b"{}");
    let (seen, _) = split([&raw[..]]);
    assert_eq!(kinds(&seen), ["chunk"]);
    // Types of headers that are not known hide what follows them, and nothing else.
    let raw = assemble(&[&b"\x01x\x0a"[..], &headers].concat(), b"{}");
    let (seen, splitter) = split([&raw[..], &raw]);
    assert_eq!(kinds(&seen), ["", ""]);
    assert!(splitter.is_between_frames());
}

#[test]
fn an_exception_of_ours_is_the_services_own_byte_for_byte() {
    let native = include_bytes!("../../fixtures/errors/bedrock_stream_exception.bin");
    let ours = exception(
        "serviceUnavailableException",
        br#"{"message":"Spending limit reached."}"#,
    );
    assert_eq!(ours, native[..]);
}

#[test]
fn a_frame_keeps_its_headers_when_its_payload_is_replaced() {
    let frame = Frame::parse(&EXCEPTION[..raw_lengths()[0]]).unwrap();
    let other = frame.with_payload(b"{}");
    let other = Frame::parse(&other).unwrap();
    assert_eq!(other.message(), Message::Event(b"messageStart"));
    assert_eq!(
        other.header(":content-type"),
        Some(&b"application/json"[..])
    );
    assert_eq!(other.payload(), b"{}");
}

fn raw_lengths() -> Vec<usize> {
    let mut lengths = Vec::new();
    Splitter::default().feed(EXCEPTION, |frame| lengths.push(frame.raw().len()));
    lengths
}

#[test]
fn a_cut_is_seen_and_lengths_over_the_bounds_are_refused_before_they_are_waited_for() {
    let (seen, splitter) = split([&EXCEPTION[..EXCEPTION.len() - 1]]);
    assert_eq!(seen.len(), 2);
    assert!(!splitter.is_between_frames() && !splitter.is_damaged());
    let over = |total: usize, headers: usize| {
        let mut prelude = u32::try_from(total).unwrap().to_be_bytes().to_vec();
        prelude.extend_from_slice(&u32::try_from(headers).unwrap().to_be_bytes());
        prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
        split([&prelude[..]]).1.is_damaged()
    };
    let most = 16 + HEADERS_BYTES_MAX + PAYLOAD_BYTES_MAX;
    assert!(!over(most, HEADERS_BYTES_MAX));
    assert!(over(most + 1, HEADERS_BYTES_MAX));
    assert!(over(most, HEADERS_BYTES_MAX + 1));
    assert!(over(15, 0));
    assert!(over(20, 5));
}

#[test]
fn after_damage_nothing_is_read_and_what_came_is_given_back() {
    let good = exception("a", b"{}");
    let mut bad = good.to_vec();
    *bad.last_mut().unwrap() ^= 1;
    let stream = [&good[..], &bad, &good].concat();
    for size in [1, 7, stream.len()] {
        let (seen, mut splitter) = split(stream.chunks(size));
        assert_eq!(seen.len(), 1, "chunks of {size}");
        assert!(splitter.is_damaged() && !splitter.is_between_frames());
        assert!(splitter.take_rest().starts_with(&bad));
    }
}

prop_compose! {
    fn frames()(parts in prop::collection::vec(
        (prop::collection::vec(("[a-z:-]{1,9}", "[ -~]{0,40}"), 0..5), any::<Vec<u8>>()), 0..6,
    )) -> Vec<(Vec<u8>, Vec<u8>)> {
        parts.into_iter().map(|(pairs, payload)| {
            let mut headers = Vec::new();
            for (name, value) in pairs {
                push_header(&mut headers, &name, &value);
            }
            (headers, payload)
        }).collect()
    }
}

/// The stream in pieces of these lengths, over and over.
fn pieces<'a>(stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = stream;
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(rest.len().min(*length));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in_whatever_the_chunks(
        frames in frames(),
        lengths in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let raw: Vec<_> = frames
            .iter()
            .map(|(headers, payload)| assemble(headers, payload))
            .collect();
        let stream = raw.concat();
        let mut splitter = Splitter::default();
        let mut out = Vec::new();
        for piece in pieces(&stream, &lengths) {
            splitter.feed(piece, |frame| {
                out.push((frame.raw().to_vec(), frame.payload().to_vec()));
            });
        }
        let whole: Vec<_> = raw
            .iter()
            .zip(&frames)
            .map(|(raw, (_, payload))| (raw.to_vec(), payload.clone()))
            .collect();
        prop_assert_eq!(out, whole);
        prop_assert!(splitter.is_between_frames());
    }

    #[test]
    fn a_flipped_bit_is_found_whatever_the_chunks_and_the_frames_before_it_are_read(
        at in any::<prop::sample::Index>(),
        bit in 0_u32..8,
        lengths in prop::collection::vec(1_usize..90, 1..8),
    ) {
        let mut stream = EXCEPTION.to_vec();
        let at = at.index(stream.len());
        stream[at] ^= 1 << bit;
        let mut ends = 0;
        let before = raw_lengths()
            .into_iter()
            .take_while(|length| {
                ends += length;
                ends <= at
            })
            .count();
        let (seen, splitter) = split(pieces(&stream, &lengths));
        prop_assert_eq!(seen.len(), before);
        prop_assert!(!splitter.is_between_frames());
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(
        bytes in any::<Vec<u8>>(),
        headers in any::<Vec<u8>>(),
    ) {
        split([&bytes[..]]);
        let raw = assemble(&headers, &bytes);
        prop_assert_eq!(split([&raw[..]]).0.len(), 1);
    }
}
