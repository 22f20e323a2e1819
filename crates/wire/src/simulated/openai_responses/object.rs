//! The `response` object and its parts, at every stage of its life.

use super::super::{Plan, reply::Reply};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a response repeats of its request, byte for byte.
#[derive(Deserialize, Serialize)]
pub(super) struct Settings {
    instructions: Option<Box<RawValue>>,
    max_output_tokens: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
    parallel_tool_calls: Option<Box<RawValue>>,
    previous_response_id: Option<Box<RawValue>>,
    reasoning: Option<Box<RawValue>>,
    store: Option<Box<RawValue>>,
    temperature: Option<Box<RawValue>>,
    text: Option<Box<RawValue>>,
    tool_choice: Option<Box<RawValue>>,
    tools: Option<Box<RawValue>>,
    top_p: Option<Box<RawValue>>,
    truncation: Option<Box<RawValue>>,
}

impl Settings {
    /// With the API's defaults where the request said nothing; what has none stays `null`.
    pub(super) fn with_defaults(mut self) -> Self {
        for (setting, default) in [
            (&mut self.metadata, "{}"),
            (&mut self.parallel_tool_calls, "true"),
            (&mut self.reasoning, r#"{"effort":null,"summary":null}"#),
            (&mut self.store, "true"),
            (&mut self.temperature, "1.0"),
            (&mut self.text, r#"{"format":{"type":"text"}}"#),
            (&mut self.tool_choice, r#""auto""#),
            (&mut self.tools, "[]"),
            (&mut self.top_p, "1.0"),
            (&mut self.truncation, r#""disabled""#),
        ] {
            if setting.is_none() {
                *setting = RawValue::from_string(default.to_owned()).ok();
            }
        }
        self
    }
}

/// The state of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// The model is writing.
    InProgress,
    /// All was written.
    Completed,
    /// The caller's limit cut it short.
    Incomplete,
    /// The provider failed.
    Failed,
}

impl Status {
    /// How a response with this reply ends.
    pub(super) fn ended(reply: &Reply) -> Self {
        match reply {
            Reply::Text(text) if text.cut => Self::Incomplete,
            Reply::Text(_) | Reply::Call(_) => Self::Completed,
        }
    }

    /// The event that announces it.
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::InProgress => "response.in_progress",
            Self::Completed => "response.completed",
            Self::Incomplete => "response.incomplete",
            Self::Failed => "response.failed",
        }
    }
}

#[derive(Serialize)]
pub(super) struct Response<'a> {
    id: String,
    object: &'static str,
    created_at: i64,
    status: Status,
    background: bool,
    completed_at: Option<i64>,
    error: Option<ResponseError<'a>>,
    incomplete_details: Option<Incomplete>,
    model: &'a str,
    output: Vec<Item<'a>>,
    service_tier: &'static str,
    usage: Option<Usage>,
    #[serde(flatten)]
    settings: &'a Settings,
}

impl<'a> Response<'a> {
    /// The response in this state: output and usage are there once the model has ended.
    pub(super) fn new(plan: &'a Plan, settings: &'a Settings, status: Status) -> Self {
        let ended = matches!(status, Status::Completed | Status::Incomplete);
        let incomplete = Incomplete {
            reason: "max_output_tokens",
        };
        Self {
            id: plan.seed.id("resp_"),
            object: "response",
            created_at: plan.created,
            status,
            background: false,
            completed_at: (status == Status::Completed).then_some(plan.created),
            error: None,
            incomplete_details: (status == Status::Incomplete).then_some(incomplete),
            model: &plan.model,
            output: ended.then(|| Item::new(plan, status)).into_iter().collect(),
            service_tier: "default",
            usage: ended.then(|| usage(plan)),
            settings,
        }
    }

    /// Says why it failed.
    pub(super) fn fail(&mut self, message: &'a str) {
        self.error = Some(ResponseError {
            code: "server_error",
            message,
        });
    }
}

#[derive(Serialize)]
struct ResponseError<'a> {
    code: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct Incomplete {
    reason: &'static str,
}

/// The only item of a simulated output.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item<'a> {
    Message {
        id: String,
        status: Status,
        role: &'static str,
        content: Vec<Part>,
    },
    FunctionCall {
        id: String,
        status: Status,
        call_id: String,
        name: &'a str,
        arguments: &'a str,
    },
}

impl<'a> Item<'a> {
    /// The item in this state: content is there once the model has ended.
    pub(super) fn new(plan: &'a Plan, status: Status) -> Self {
        let empty = status == Status::InProgress;
        let id = item_id(plan);
        match &plan.reply {
            Reply::Text(_) => {
                let part = (!empty).then(|| Part::new(text(&plan.reply)));
                Self::Message {
                    id,
                    status,
                    role: "assistant",
                    content: part.into_iter().collect(),
                }
            }
            Reply::Call(call) => Self::FunctionCall {
                id,
                status,
                call_id: plan.seed.id("call_"),
                name: &call.name,
                arguments: if empty { "" } else { &call.arguments },
            },
        }
    }
}

/// The id of the only item.
pub(super) fn item_id(plan: &Plan) -> String {
    plan.seed.id(match plan.reply {
        Reply::Text(_) => "msg_",
        Reply::Call(_) => "fc_",
    })
}

/// The text of a reply; empty when it is a call.
pub(super) fn text(reply: &Reply) -> String {
    match reply {
        Reply::Text(text) => text.whole(),
        Reply::Call(_) => String::new(),
    }
}

#[derive(Serialize)]
pub(super) struct Part {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
    annotations: [(); 0],
    logprobs: [(); 0],
}

impl Part {
    /// A part with this text.
    pub(super) fn new(text: String) -> Self {
        Self {
            kind: "output_text",
            text,
            annotations: [],
            logprobs: [],
        }
    }
}

fn usage(plan: &Plan) -> Usage {
    Usage {
        input_tokens: plan.input_tokens,
        input_tokens_details: InputDetails::default(),
        output_tokens: plan.output_tokens(),
        output_tokens_details: OutputDetails::default(),
        total_tokens: plan.total_tokens(),
    }
}

#[derive(Serialize)]
struct Usage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Default, Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Default, Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}
