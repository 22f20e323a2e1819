//! The results of a batch, line by line: what each of its requests used.

use super::lines::Lines;
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
        let fed = self.lines.feed(chunk, |line| read(line, unread, &mut each));
        if fed.is_err() {
            self.unread += 1;
        }
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

fn read(line: &[u8], unread: &mut u64, each: &mut impl FnMut(UsageReport)) {
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
