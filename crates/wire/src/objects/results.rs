//! The results of a batch, line by line: what each of its requests used.

use super::lines::{Lines, TooLong};
use crate::{
    anthropic,
    json::{self, Text},
    openai,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::usage::UsageReport;

/// Reads results as they come. Feed every chunk, then [`Results::finish`].
#[derive(Debug, Default)]
pub struct Results {
    lines: Lines,
    unread: u64,
}

impl Results {
    /// Takes a chunk; gives the report of each answer that ends in it.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(UsageReport)) {
        let unread = &mut self.unread;
        self.lines.feed(chunk, |line| read(line, unread, &mut each));
    }

    /// Reads the last line; gives how many answers could not be read.
    pub fn finish(mut self, mut each: impl FnMut(UsageReport)) -> u64 {
        let unread = &mut self.unread;
        self.lines.finish(|line| read(line, unread, &mut each));
        self.unread
    }
}

/// A line of either API.
#[derive(Deserialize)]
struct Line<'a> {
    /// OpenAI's.
    #[serde(default, borrow)]
    response: Option<Response<'a>>,
    /// Anthropic's.
    #[serde(default, borrow)]
    result: Option<MessageResult<'a>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(default)]
    status_code: Option<u16>,
    #[serde(default, borrow)]
    body: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct MessageResult<'a> {
    #[serde(default, borrow)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(default, borrow)]
    object: Option<Text<'a>>,
}

fn read(line: Result<&[u8], TooLong>, unread: &mut u64, each: &mut impl FnMut(UsageReport)) {
    let Ok(line) = line else {
        *unread += 1;
        return;
    };
    if line.trim_ascii().is_empty() {
        return;
    }
    let Some(line) = json::parse::<Line<'_>>(line) else {
        *unread += 1;
        return;
    };
    let mut report = match line {
        Line {
            response: Some(response),
            ..
        } if response.status_code.is_none_or(|status| status < 300) => {
            of_body(response.body.map_or(b"", |body| body.get().as_bytes()))
        }
        Line {
            result: Some(MessageResult {
                message: Some(message),
            }),
            ..
        } => anthropic::usage(message.get().as_bytes()),
        // It failed, expired or was cancelled: nothing is billed.
        Line { .. } => return,
    };
    if report.usage.is_none() {
        *unread += 1;
        return;
    }
    if !report.context.contains(&processing()) {
        report.context.push(processing());
    }
    each(report);
}

fn of_body(body: &[u8]) -> UsageReport {
    let object = json::parse::<Object<'_>>(body).and_then(|object| object.object);
    match object.as_ref().map(|Text(object)| object.as_ref()) {
        Some("response") => openai::responses_usage(body),
        Some("list") => openai::embeddings_usage(body),
        _ => openai::chat_usage(body),
    }
}

/// What selects the rates of batches in the price data.
pub(super) fn processing() -> (&'static str, String) {
    ("processing", "batch".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::LINE_BYTES_MAX;
    use tollgate_core::unit::Unit;

    #[test]
    fn results_of_batches_are_read_line_by_line() {
        for (name, tokens, unread) in [
            ("openai/batch_output.jsonl", (1000, 200), 0),
            ("anthropic/batch_results.jsonl", (11, 36), 0),
        ] {
            let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
            let body = std::fs::read(path).unwrap();
            for step in [5, body.len()] {
                let mut results = Results::default();
                let mut reports: Vec<UsageReport> = Vec::new();
                body.chunks(step)
                    .for_each(|chunk| results.feed(chunk, |report| reports.push(report)));
                assert_eq!(results.finish(|report| reports.push(report)), unread);
                let [report] = reports.as_slice() else {
                    panic!("{reports:?}")
                };
                let usage = report.usage.as_ref().unwrap();
                let counted = (usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens));
                assert_eq!(counted, tokens, "{name}");
                assert!(report.context.contains(&("processing", "batch".to_owned())));
            }
        }
    }

    #[test]
    fn what_stands_behind_a_result_that_is_too_long_is_read() {
        let line = |custom_id: &str| {
            format!(
                "{{\"custom_id\":\"{custom_id}\",\"response\":{{\"status_code\":200,\"body\":\
                 {{\"object\":\"chat.completion\",\"usage\":{{\"prompt_tokens\":3,\
                 \"completion_tokens\":4}}}}}}}}\n"
            )
        };
        let long = line(&"x".repeat(LINE_BYTES_MAX));
        let body = [line("a"), long.clone(), line("b"), long, line("c")].concat();
        for step in [1 << 20, body.len()] {
            let mut results = Results::default();
            let mut read = 0;
            for chunk in body.as_bytes().chunks(step) {
                results.feed(chunk, |_| read += 1);
            }
            let unread = results.finish(|_| read += 1);
            assert_eq!((read, unread), (3, 2), "in pieces of {step}");
        }
    }
}
