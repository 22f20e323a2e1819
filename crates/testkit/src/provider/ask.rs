//! What a request asks of the plausible provider, in any dialect, and what that uses.
//!
//! The rule of counting, to be repeated by whoever checks a price: input tokens = 8 + a quarter of
//! the bytes of every string under `messages`, `system`, `input`, `instructions`, `contents`,
//! `systemInstruction` and `tools`, rounded down; output tokens = words of the answer (12 for a
//! tool call), plus 24 with `[think]`. Both are what the usage reports and what the bill says.

use crate::{
    answer::{Answer, End},
    upstream::Received,
};
use serde_json::{Value, json};
use std::time::Duration;

const READ_BY_THE_MODEL: [&str; 7] = [
    "messages",
    "system",
    "input",
    "instructions",
    "contents",
    "systemInstruction",
    "tools",
];

/// A request, understood.
#[derive(Clone, Debug)]
pub struct Ask {
    /// From the body, or from the path.
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
    /// `None` when the body is not a JSON object.
    pub(super) fn read(request: &Received, pace: Duration) -> Option<Self> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        body.as_object()?;
        let (model, method) = model_in_path(request.path());
        let named = body.get("model").and_then(Value::as_str);
        let prompt = last_user_text(&body);
        let text: u64 = READ_BY_THE_MODEL
            .iter()
            .filter_map(|key| body.get(key))
            .map(text_bytes)
            .sum();
        let input_tokens = 8 + text / 4;
        let number = |name: &str| directive(&prompt, name)?.parse::<u64>().ok();
        let broken = |name: &str| usize::try_from(number(name)?).ok();
        let mut reply = reply(&body, &prompt, number("words"), input_tokens);
        let truncated = reply.truncate(output_cap(&body));
        Some(Self {
            model: model.or(named).unwrap_or("unnamed").to_owned(),
            stream: method == Some("streamGenerateContent") || flag(&body, "stream"),
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
            body,
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
        && directive(prompt, "tool").is_some()
        && let Some((name, schema)) = first_tool(body)
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

/// `…/models/{model}:{method}`, the model's `%3A` and the like left alone.
fn model_in_path(path: &str) -> (Option<&str>, Option<&str>) {
    let last = path.rsplit('/').next().unwrap_or_default();
    match last.rsplit_once(':') {
        Some((model, method)) => (Some(model), Some(method)),
        None => (None, None),
    }
}

fn flag(body: &Value, key: &str) -> bool {
    body.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn output_cap(body: &Value) -> Option<usize> {
    let config = body.get("generationConfig").unwrap_or(body);
    [
        "max_completion_tokens",
        "max_tokens",
        "max_output_tokens",
        "maxOutputTokens",
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

fn turns(body: &Value) -> Option<&Value> {
    ["messages", "input", "contents"]
        .iter()
        .find_map(|key| body.get(key))
}

fn last_user_text(body: &Value) -> String {
    match turns(body) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .rev()
            .filter(|item| item.get("role").is_none_or(|role| role == "user"))
            .map(all_text)
            .find(|text| !text.is_empty())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// The text of a turn: its `content` or `parts`, a string or pieces with `text`.
fn all_text(item: &Value) -> String {
    match item.get("content").or_else(|| item.get("parts")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect(),
        _ => item.as_str().unwrap_or_default().to_owned(),
    }
}

/// What a tool answered, when that is the last thing in the conversation.
fn tool_result(body: &Value) -> Option<String> {
    let last = turns(body)?.as_array()?.last()?;
    let is_tool = last.get("role").is_some_and(|role| role == "tool");
    let by_role = is_tool.then(|| last.get("content")).flatten();
    let by_part = || {
        let parts = last.get("content").or_else(|| last.get("parts"))?;
        parts.as_array()?.iter().find_map(|part| {
            part.pointer("/functionResponse/response")
                .or_else(|| part.get("tool_use_id").and(part.get("content")))
        })
    };
    let result = by_role.or_else(|| last.get("output")).or_else(by_part)?;
    Some(plain(result))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.get("text").map_or_else(|| value.to_string(), plain),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Name and schema of the first function offered, wherever the dialect puts them.
fn first_tool(body: &Value) -> Option<(String, &Value)> {
    let tool = body.get("tools")?.get(0)?;
    let function = tool
        .get("function")
        .or_else(|| tool.pointer("/functionDeclarations/0"))
        .unwrap_or(tool);
    let schema = [
        "parameters",
        "input_schema",
        "parametersJsonSchema",
        "parameters_json_schema",
    ]
    .iter()
    .find_map(|key| function.get(key))?;
    Some((function.get("name")?.as_str()?.to_owned(), schema))
}

/// An object with every required property of the schema.
fn arguments_for(schema: &Value) -> Value {
    let required = schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    let pairs = names.map(|name| {
        let kind = schema.pointer(&format!("/properties/{name}/type"));
        let kind = kind.and_then(Value::as_str).unwrap_or("string");
        let value = match kind.to_ascii_lowercase().as_str() {
            "integer" | "number" => json!(7),
            "boolean" => json!(true),
            "array" => json!([]),
            "object" => json!({}),
            _ => json!("Paris"),
        };
        (name.to_owned(), value)
    });
    Value::Object(pairs.collect())
}
