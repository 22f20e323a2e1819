//! What a request asks of the plausible provider, in any dialect, and what that uses.
//!
//! The rule of counting, to be repeated by whoever checks a price: input tokens = 8 + a quarter of
//! the bytes of every string under the keys of [`READ_BY_THE_MODEL`], rounded down; output tokens =
//! words of the answer (12 for a tool call), plus 24 with `[think]`. Both are what the usage
//! reports and what the bill says. Endpoints without words say in their own module what they count.

mod prompt;

use super::{form, house::House};
use crate::{
    answer::{Answer, End},
    upstream::Received,
};
use prompt::{arguments_for, first_tool, last_user_text, tool_result};
use serde_json::{Value, json};
use std::time::Duration;

/// Fields of a body that a model reads.
pub const READ_BY_THE_MODEL: [&str; 13] = [
    "messages",
    "system",
    "input",
    "inputText",
    "instructions",
    "contents",
    "content",
    "requests",
    "instances",
    "systemInstruction",
    "tools",
    "toolConfig",
    "prompt",
];

/// What decides whether an answer is streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streams {
    /// It never is.
    Never,
    /// The path says so.
    Always,
    /// `"stream": true`, or OpenAI's `"stream_format": "sse"`.
    OnFlag,
    /// Everything but `"stream": false`.
    UnlessRefused,
}

/// A request, understood.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Which request it is; objects are named after it.
    pub serial: u64,
    /// Whose manners.
    pub house: House,
    /// From the path, or from the body.
    pub model: String,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The whole body.
    pub body: Value,
    /// By the rule above.
    pub input_tokens: u64,
    /// Part of the input.
    pub cached_tokens: u64,
    /// Part of the output.
    pub reasoning_tokens: u64,
    /// What to say.
    pub reply: Reply,
    /// The cap cut the reply short.
    pub truncated: bool,
    /// An error to answer with instead.
    pub fail: Option<u16>,
    /// Between the pieces of a stream.
    pub pace: Duration,
    /// After how many pieces a stream breaks, and how.
    pub breaks: Option<(usize, Break)>,
}

/// What the provider says.
#[derive(Clone, Debug)]
pub enum Reply {
    /// In pieces of one word, each with its space.
    Text(Vec<String>),
    /// A call of a tool that was offered.
    Tool {
        /// Its name.
        name: String,
        /// An object that fits its schema.
        arguments: Value,
    },
}

/// How a stream breaks.
#[derive(Clone, Copy, Debug)]
pub enum Break {
    /// The dialect's error event, then the end of the stream.
    Error,
    /// The socket's doing.
    End(End),
}

impl Ask {
    /// `None` when the body is neither a JSON object nor a form.
    pub(super) fn read(request: &Received, streams: Streams, pace: Duration) -> Option<Self> {
        let body: Value = match form::boundary(request) {
            Some(boundary) => form::read(&request.body, boundary)?,
            None => serde_json::from_slice(&request.body).ok()?,
        };
        Self::of(&body, request.path(), streams, pace)
    }

    /// The same of a body by itself; `None` when it is not an object.
    pub(super) fn of(body: &Value, path: &str, streams: Streams, pace: Duration) -> Option<Self> {
        body.as_object()?;
        let named = || body.get("model")?.as_str().map(str::to_owned);
        let model = model_in_path(path).or_else(named);
        let prompt = last_user_text(body);
        let text: u64 = READ_BY_THE_MODEL
            .iter()
            .filter_map(|key| body.get(key))
            .map(text_bytes)
            .sum();
        let input_tokens = 8 + text / 4;
        let number = |name: &str| directive(&prompt, name)?.parse::<u64>().ok();
        let broken = |name: &str| usize::try_from(number(name)?).ok();
        let mut reply = reply(body, &prompt, number("words"), input_tokens);
        let truncated = reply.truncate(output_cap(body));
        Some(Self {
            serial: 0,
            house: House::of(path),
            model: model.unwrap_or_else(|| "unnamed".to_owned()),
            stream: is_streamed(streams, body),
            input_tokens,
            cached_tokens: directive(&prompt, "cached").map_or(0, |_| input_tokens / 2),
            reasoning_tokens: directive(&prompt, "think").map_or(0, |_| 24),
            reply,
            truncated,
            fail: number("fail").and_then(|status| u16::try_from(status).ok()),
            pace: number("pace").map_or(pace, Duration::from_millis),
            breaks: None
                .or(broken("error").map(|after| (after, Break::Error)))
                .or(broken("cut").map(|after| (after, Break::End(End::Cut))))
                .or(broken("reset").map(|after| (after, Break::End(End::Reset))))
                .or(broken("stall").map(|after| (after, Break::End(End::Stall)))),
            body: body.clone(),
        })
    }

    /// Tokens of the whole answer, reasoning included.
    pub fn output_tokens(&self) -> u64 {
        self.reasoning_tokens + self.reply.tokens()
    }

    /// Puts a whole answer on the bill.
    pub(super) fn bill(&self, mut answer: Answer, output_tokens: u64) -> Answer {
        answer.input_tokens = self.input_tokens;
        answer.cached_tokens = self.cached_tokens;
        if let Some(chunk) = answer.chunks.first_mut() {
            chunk.output_tokens = output_tokens;
            chunk.after = self.pace;
        }
        answer
    }
}

impl Reply {
    /// The whole text; empty for a tool call.
    pub fn text(&self) -> String {
        match self {
            Self::Text(words) => words.concat(),
            Self::Tool { .. } => String::new(),
        }
    }

    fn tokens(&self) -> u64 {
        match self {
            Self::Text(words) => u64::try_from(words.len()).unwrap_or(u64::MAX),
            Self::Tool { .. } => 12,
        }
    }

    fn truncate(&mut self, cap: Option<usize>) -> bool {
        match (self, cap) {
            (Self::Text(words), Some(cap)) if words.len() > cap => {
                words.truncate(cap);
                true
            }
            _ => false,
        }
    }
}

fn reply(body: &Value, prompt: &str, words: Option<u64>, input_tokens: u64) -> Reply {
    let result = tool_result(body);
    if result.is_none()
        && let Some(wanted) = directive(prompt, "tool")
        && let Some((name, schema)) = first_tool(body, wanted)
    {
        let arguments = arguments_for(schema);
        return Reply::Tool { name, arguments };
    }
    let text = match (result, words) {
        (_, Some(count)) => (1..=count)
            .map(|n| format!("word{n}"))
            .collect::<Vec<_>>()
            .join(" "),
        (Some(result), None) => format!("The tool said: {result}"),
        (None, None) => format!("The scripted provider heard {input_tokens} tokens."),
    };
    Reply::Text(text.split_inclusive(' ').map(str::to_owned).collect())
}

/// The value of `[name=value]`, or an empty one for `[name]`.
fn directive<'a>(prompt: &'a str, name: &str) -> Option<&'a str> {
    prompt
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']'))
        .map(|(inside, _)| inside.split_once('=').unwrap_or((inside, "")))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn is_streamed(streams: Streams, body: &Value) -> bool {
    let flag = |key: &str| {
        let value = body.get(key)?;
        // A form's fields are texts.
        value.as_bool().or_else(|| value.as_str()?.parse().ok())
    };
    match streams {
        Streams::Never => false,
        Streams::Always => true,
        Streams::OnFlag => {
            flag("stream").unwrap_or_default() || body.get("stream_format") == Some(&json!("sse"))
        }
        Streams::UnlessRefused => flag("stream").unwrap_or(true),
    }
}

/// `…/models/{model}:{method}`, `/model/{model}/{method}`, `/deployments/{model}/…`.
fn model_in_path(path: &str) -> Option<String> {
    let after = |mark: &str| path.split_once(mark).map(|(_, rest)| rest);
    let segment = |rest: &str| rest.split('/').next().map(percent_decoded);
    if let Some(rest) = after("/model/").or_else(|| after("/deployments/")) {
        return segment(rest);
    }
    let (model, _) = path.rsplit('/').next()?.rsplit_once(':')?;
    (model != "count-tokens").then(|| percent_decoded(model))
}

pub(crate) fn percent_decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece
            .split_at_checked(2)
            .and_then(|(hex, rest)| Some((u8::from_str_radix(hex, 16).ok()?, rest)))
        {
            Some((byte, rest)) => {
                bytes.push(byte);
                bytes.extend_from_slice(rest.as_bytes());
            }
            None => bytes.extend_from_slice(format!("%{piece}").as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn output_cap(body: &Value) -> Option<usize> {
    let config = ["generationConfig", "inferenceConfig", "options"]
        .iter()
        .find_map(|key| body.get(key))
        .unwrap_or(body);
    [
        "max_completion_tokens",
        "max_tokens",
        "max_output_tokens",
        "maxOutputTokens",
        "maxTokens",
        "num_predict",
    ]
    .iter()
    .find_map(|key| config.get(key)?.as_u64())
    .and_then(|cap| usize::try_from(cap).ok())
}

fn text_bytes(value: &Value) -> u64 {
    match value {
        Value::String(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
        Value::Array(items) => items.iter().map(text_bytes).sum(),
        Value::Object(fields) => fields.values().map(text_bytes).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
