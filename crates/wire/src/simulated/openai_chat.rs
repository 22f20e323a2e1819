//! OpenAI chat completions: `chat.completion` and its chunks.

use super::{
    Plan, Script, Writer, encode,
    failure::Failure,
    prompt::{self, Prompt, Tool, ToolChoice, Turn},
    reply::{Call, Reply, Text},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::{iter, sync::Arc};
use tollgate_core::format::Dialect;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default)]
    messages: Vec<Message<'a>>,
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
    tool_choice: Option<Value>,
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
struct Message<'a> {
    role: String,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolEntry<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    name: String,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

/// Reads a request; the writer knows whether usage is to be in the stream.
pub(super) fn read(body: &[u8]) -> Result<(Prompt<'_>, Box<dyn Writer>), serde_json::Error> {
    let request: Request<'_> = serde_json::from_slice(body)?;
    let turns = request.messages.iter().rev().map(|message| {
        Ok(match message.role.as_str() {
            "user" => Turn::User(prompt::text_of(&prompt::value(message.content)?)),
            "tool" | "function" => Turn::ToolResult,
            "assistant" => Turn::Model,
            _ => Turn::Aside,
        })
    });
    let (text, after_tool) = prompt::last_word(turns)?;
    let functions = request
        .tools
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.function);
    let tools = functions
        .map(|f| Tool {
            name: f.name,
            schema: f.parameters,
        })
        .collect();
    let choice = request.tool_choice.as_ref().map(choice).unwrap_or_default();
    let include_usage = request
        .stream_options
        .and_then(|options| options.include_usage);
    let writer = Chat {
        include_usage: include_usage.unwrap_or(false),
    };
    Ok((
        Prompt {
            text,
            after_tool,
            tools,
            choice,
        },
        Box::new(writer),
    ))
}

fn choice(value: &Value) -> ToolChoice {
    match value.pointer("/function/name").and_then(Value::as_str) {
        Some(name) => ToolChoice::Named(name.to_owned()),
        None => ToolChoice::of_word(value.as_str().unwrap_or_default()),
    }
}

struct Chat {
    include_usage: bool,
}

impl Writer for Chat {
    fn body(&self, plan: &Plan) -> Bytes {
        let (content, tool_calls, finish_reason) = match &plan.reply {
            Reply::Text(text) => (Some(text.whole()), None, finish(text)),
            Reply::Call(call) => (None, Some(call), "tool_calls"),
        };
        let choices = (0..plan.choices).map(|index| Choice {
            index,
            message: Some(Said {
                role: Some("assistant"),
                content: content.as_deref().map_or(Field::Null, Field::Is),
                refusal: Field::Null,
                annotations: Some([]),
                tool_calls: tool_calls.map(|call| [entry(plan, call, index, None)]),
            }),
            delta: None,
            logprobs: None,
            finish_reason: Some(finish_reason),
        });
        let choices = choices.collect();
        encode::json(&envelope(
            plan,
            "chat.completion",
            choices,
            Field::Is(usage(plan)),
        ))
    }

    fn stream(self: Box<Self>, plan: Plan) -> Script {
        let plan = Arc::new(plan);
        // With `include_usage`, every other chunk says that it has none.
        let no_usage = if self.include_usage {
            Field::Null
        } else {
            Field::Absent
        };
        let shared = Arc::clone(&plan);
        let choices = (0..plan.choices).flat_map(move |index| {
            let plan = Arc::clone(&shared);
            deltas(&shared).map(move |delta| chunk(&plan, index, &delta, no_usage))
        });
        let last = self.include_usage.then(move || {
            encode::data(&envelope(&plan, CHUNK, Vec::new(), Field::Is(usage(&plan))))
        });
        let done = iter::once(Bytes::from_static(b"data: [DONE]\n\n"));
        Script {
            events: Box::new(choices.chain(last).chain(done)),
            error: Box::new(|_| encode::data(&Failure::midway(Dialect::OpenAi).openai())),
        }
    }
}

const CHUNK: &str = "chat.completion.chunk";

/// What one chunk of a choice adds.
enum Delta {
    Role,
    Content(String),
    CallHead(Call),
    CallArguments(String),
    Finish(&'static str),
}

fn deltas(plan: &Plan) -> Box<dyn Iterator<Item = Delta> + Send> {
    match &plan.reply {
        Reply::Text(text) => Box::new(
            iter::once(Delta::Role)
                .chain(
                    text.pieces(plan.piece_bytes)
                        .map(|(piece, _)| Delta::Content(piece)),
                )
                .chain(iter::once(Delta::Finish(finish(text)))),
        ),
        Reply::Call(call) => Box::new(
            iter::once(Delta::CallHead(call.clone()))
                .chain(call.pieces(plan.piece_bytes).map(Delta::CallArguments))
                .chain(iter::once(Delta::Finish("tool_calls"))),
        ),
    }
}

fn chunk(plan: &Plan, index: u64, delta: &Delta, usage: Field<Usage>) -> Bytes {
    let mut said = Said::default();
    let mut finish_reason = None;
    match delta {
        Delta::Role => {
            said.role = Some("assistant");
            said.content = Field::Is("");
            said.refusal = Field::Null;
        }
        Delta::Content(piece) => said.content = Field::Is(piece),
        Delta::CallHead(call) => {
            let head = Entry {
                function: FunctionCall {
                    name: Some(&call.name),
                    arguments: "",
                },
                ..entry(plan, call, index, Some(0))
            };
            said.role = Some("assistant");
            said.content = Field::Null;
            said.refusal = Field::Null;
            said.tool_calls = Some([head]);
        }
        Delta::CallArguments(piece) => {
            let function = FunctionCall {
                name: None,
                arguments: piece,
            };
            said.tool_calls = Some([Entry {
                index: Some(0),
                id: None,
                kind: None,
                function,
            }]);
        }
        Delta::Finish(reason) => finish_reason = Some(*reason),
    }
    let choice = Choice {
        index,
        message: None,
        delta: Some(said),
        logprobs: None,
        finish_reason,
    };
    encode::data(&envelope(plan, CHUNK, vec![choice], usage))
}

fn finish(text: &Text) -> &'static str {
    if text.cut { "length" } else { "stop" }
}

fn envelope<'a>(
    plan: &'a Plan,
    object: &'static str,
    choices: Vec<Choice<'a>>,
    usage: Field<Usage>,
) -> Envelope<'a> {
    Envelope {
        id: plan.seed.id("chatcmpl-"),
        object,
        created: plan.created,
        model: &plan.model,
        choices,
        usage,
        service_tier: "default",
        system_fingerprint: None,
    }
}

fn entry<'a>(plan: &Plan, call: &'a Call, choice: u64, index: Option<u64>) -> Entry<'a> {
    Entry {
        index,
        id: Some(plan.seed.of_choice(choice).id("call_")),
        kind: Some("function"),
        function: FunctionCall {
            name: Some(&call.name),
            arguments: &call.arguments,
        },
    }
}

fn usage(plan: &Plan) -> Usage {
    Usage {
        prompt_tokens: plan.input_tokens,
        completion_tokens: plan.output_tokens(),
        total_tokens: plan.total_tokens(),
        prompt_tokens_details: PromptDetails::default(),
        completion_tokens_details: CompletionDetails::default(),
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    usage: Field<Usage>,
    service_tier: &'static str,
    system_fingerprint: Option<&'static str>,
}

/// A key that may be absent, `null` or there: clients tell these apart.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(untagged)]
enum Field<T> {
    #[default]
    Absent,
    Null,
    Is(T),
}

impl<T> Field<T> {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Said<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Said<'a>>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

/// A message, or what one chunk adds to it.
#[derive(Default, Serialize)]
struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    content: Field<&'a str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    refusal: Field<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Entry<'a>; 1]>,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: FunctionCall<'a>,
}

#[derive(Serialize)]
struct FunctionCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

#[derive(Clone, Copy, Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Clone, Copy, Default, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    audio_tokens: u64,
}

#[derive(Clone, Copy, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names on the wire")]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}
