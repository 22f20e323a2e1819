//! How a target spoils the answer that it would have given. Each is a change to the healthy answer,
//! so that what comes before the fault is what a provider really sends.

use super::group::Dialect;
use crate::support::CREDENTIAL;
use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_testkit::{Answer, Chunk, End, Length};

/// From the answer that a healthy target gives to the one that this target gives.
pub(super) type Fault = fn(Dialect, Answer) -> Answer;

/// None.
pub(super) fn healthy(_: Dialect, whole: Answer) -> Answer {
    whole
}

/// An error status with a body of its own.
pub(super) fn status(dialect: Dialect, status: u16) -> Answer {
    Answer::json(status, &error(dialect, &format!("exactly {status}")))
}

/// The same, with the time after which to come back, in seconds.
pub(super) fn status_until(dialect: Dialect, code: u16, seconds: &str) -> Answer {
    status(dialect, code).header("retry-after", seconds)
}

pub(super) fn internal(dialect: Dialect, _: Answer) -> Answer {
    status(dialect, 500)
}

pub(super) fn bad_gateway(dialect: Dialect, _: Answer) -> Answer {
    status(dialect, 502)
}

pub(super) fn busy_for_a_second(dialect: Dialect, _: Answer) -> Answer {
    status_until(dialect, 503, "1")
}

pub(super) fn busy_for_an_hour(dialect: Dialect, _: Answer) -> Answer {
    status_until(dialect, 503, "3600")
}

pub(super) fn overloaded(dialect: Dialect, _: Answer) -> Answer {
    status(dialect, 529)
}

pub(super) fn too_many(dialect: Dialect, _: Answer) -> Answer {
    status_until(dialect, 429, "7")
}

pub(super) fn unprocessable(dialect: Dialect, _: Answer) -> Answer {
    status(dialect, 422)
}

/// It says that our credential is bad, and which it is.
pub(super) fn credential(dialect: Dialect, _: Answer) -> Answer {
    let echo = format!("incorrect API key provided: {CREDENTIAL}");
    Answer::json(401, &error(dialect, &echo))
}

/// It points elsewhere.
pub(super) fn redirect(_: Dialect, _: Answer) -> Answer {
    Answer::new(307, "text/plain", "").header("location", "http://127.0.0.1:9/")
}

pub(super) fn no_http(_: Dialect, _: Answer) -> Answer {
    Answer::raw("220 mail.example.com ESMTP\r\n\r\n")
}

pub(super) fn reset_before_head(_: Dialect, _: Answer) -> Answer {
    Answer::raw("").then(End::Reset)
}

pub(super) fn no_head(_: Dialect, _: Answer) -> Answer {
    Answer::silence()
}

pub(super) fn early_reset(_: Dialect, whole: Answer) -> Answer {
    up_to(whole, 0).then(End::Reset)
}

pub(super) fn early_stall(_: Dialect, whole: Answer) -> Answer {
    up_to(whole, 0).then(End::Stall)
}

/// The body ends before it has begun.
pub(super) fn empty(_: Dialect, mut whole: Answer) -> Answer {
    whole.chunks = vec![Chunk::now("")];
    whole
}

/// A success, and what a proxy shows to people.
pub(super) fn web_page(_: Dialect, mut whole: Answer) -> Answer {
    whole.chunks = vec![Chunk::now("<html><h1>Down for maintenance</h1></html>\n")];
    whole
}

/// A success whose first and only word is an error.
pub(super) fn error_first(dialect: Dialect, mut whole: Answer) -> Answer {
    let error = error(dialect, "overloaded");
    whole.chunks = vec![Chunk::now(match (whole.length, dialect) {
        (Length::Chunked, Dialect::Chat) => format!("data: {error}\n\n"),
        (Length::Chunked, Dialect::Messages) => format!("event: error\ndata: {error}\n\n"),
        _ => error.to_string(),
    })];
    whole
}

/// The same after some content.
pub(super) fn error_later(dialect: Dialect, whole: Answer) -> Answer {
    let error = error_first(dialect, whole.clone());
    let mut answer = up_to(whole, 2);
    if answer.length == Length::Chunked {
        answer.chunks.extend(error.chunks);
    }
    answer
}

pub(super) fn stall(_: Dialect, whole: Answer) -> Answer {
    up_to(whole, 2).then(End::Stall)
}

pub(super) fn reset(_: Dialect, whole: Answer) -> Answer {
    up_to(whole, 2).then(End::Reset)
}

/// The body ends as it should, but the answer in it does not: nothing says why it is over.
pub(super) fn no_last_event(_: Dialect, whole: Answer) -> Answer {
    let told = whole.length;
    up_to(whole, 2).length(told)
}

/// Bytes that are no event, in the middle of an answer that is whole otherwise.
pub(super) fn garbage(_: Dialect, mut whole: Answer) -> Answer {
    let nonsense = "data: {\"wor\u{fffd}\n\n: \u{0}\n\n";
    match whole.length {
        Length::Chunked => {
            let middle = whole.chunks.len() / 2;
            whole.chunks.insert(middle, Chunk::now(nonsense));
        }
        _ => whole.chunks = vec![Chunk::now("{\"word1 \u{0} nonsense")],
    }
    whole
}

/// Bytes that are no piece of a body at all.
pub(super) fn garbled(_: Dialect, whole: Answer) -> Answer {
    let mut answer = up_to(whole, 2);
    for chunk in &mut answer.chunks {
        let size = format!("{:x}\r\n", chunk.bytes.len());
        chunk.bytes = [size.as_bytes(), &chunk.bytes, b"\r\n"].concat().into();
    }
    answer.chunks.push(Chunk::now("no size\r\n"));
    let answer = answer.header("transfer-encoding", "chunked");
    answer.length(Length::Unstated).then(End::Cut)
}

/// The connection is closed within the answer; of a stream within an event.
pub(super) fn cut_short(_: Dialect, whole: Answer) -> Answer {
    let next = position(&whole, 3).map(|at| whole.chunks[at].bytes.clone());
    let mut answer = up_to(whole, 2).then(End::Cut);
    if answer.length == Length::Chunked {
        let next = next.unwrap();
        answer.chunks.push(Chunk::now(next.slice(..next.len() / 2)));
    }
    answer
}

/// A content filter kept the answer empty.
pub(super) fn filtered(dialect: Dialect, mut whole: Answer) -> Answer {
    let (reason, refusal) = match dialect {
        Dialect::Chat => ("\"stop\"", "\"content_filter\""),
        Dialect::Messages => ("\"end_turn\"", "\"refusal\""),
    };
    if whole.length == Length::Chunked {
        whole
            .chunks
            .retain(|chunk| !text(&chunk.bytes).contains("word"));
    }
    for chunk in &mut whole.chunks {
        let said = text(&chunk.bytes).replace(reason, refusal);
        chunk.bytes = said.replace("word1 word2 word3 word4 word5", "").into();
    }
    whole
}

/// A content filter refused the request.
pub(super) fn filtered_request(dialect: Dialect, _: Answer) -> Answer {
    let mut error = error(dialect, "the content filter was triggered");
    error["error"]["code"] = json!("content_filter");
    Answer::json(400, &error)
}

/// As far as the first `words` words: a stream to the end of their events, a whole body to the
/// last of their bytes, but of the length that it would have.
fn up_to(mut whole: Answer, words: usize) -> Answer {
    let Some(at) = position(&whole, words + 1) else {
        return whole;
    };
    if whole.length == Length::Chunked {
        whole.chunks.truncate(at);
        return whole;
    }
    let body = whole.chunks[at].bytes.clone();
    let end = text(&body).find(&format!("word{}", words + 1)).unwrap();
    whole.chunks = vec![Chunk::now(body.slice(..end))];
    whole.length(Length::Wrong(u64::try_from(body.len()).unwrap()))
}

/// Which piece holds this word.
fn position(answer: &Answer, word: usize) -> Option<usize> {
    let word = format!("word{word}");
    let mut chunks = answer.chunks.iter();
    chunks.position(|chunk| text(&chunk.bytes).contains(&word))
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn error(dialect: Dialect, message: &str) -> Value {
    match dialect {
        Dialect::Chat => json!({
            "error": { "message": message, "type": "server_error", "param": null, "code": null },
        }),
        Dialect::Messages => json!({
            "type": "error", "error": { "type": "overloaded_error", "message": message },
        }),
    }
}
