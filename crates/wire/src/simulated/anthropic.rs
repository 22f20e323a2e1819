//! Anthropic messages: `message`, its stream of events, and `count_tokens`.

use super::{
    Plan, Script, Writer, encode,
    failure::Failure,
    prompt::{self, Prompt, Tool, ToolChoice, Turn},
    reply::{Call, Reply},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tollgate_core::format::Dialect;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default)]
    messages: Vec<Message<'a>>,
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
    tool_choice: Option<Choice>,
}

#[derive(Deserialize)]
struct Message<'a> {
    role: String,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolEntry<'a> {
    /// Server tools have a `type` other than `custom`: they are not the caller's to run.
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
}

/// Reads a request.
pub(super) fn read(body: &[u8]) -> Result<(Prompt<'_>, Box<dyn Writer>), serde_json::Error> {
    let request: Request<'_> = serde_json::from_slice(body)?;
    // Claude Code puts messages of role `system` among the others.
    let turns = request.messages.iter().rev().map(|message| {
        Ok(match message.role.as_str() {
            "user" => {
                let content = prompt::value(message.content)?;
                if prompt::has_part(&content, "tool_result") {
                    Turn::ToolResult
                } else {
                    Turn::User(prompt::text_of(&content))
                }
            }
            "assistant" => Turn::Model,
            _ => Turn::Aside,
        })
    });
    let (text, after_tool) = prompt::last_word(turns)?;
    let own = |entry: &ToolEntry<'_>| entry.kind.as_deref().is_none_or(|kind| kind == "custom");
    let entries = request.tools.into_iter().flatten().filter(own);
    let tools = entries
        .filter_map(|entry| {
            Some(Tool {
                name: entry.name?,
                schema: entry.input_schema,
            })
        })
        .collect();
    let choice = request
        .tool_choice
        .map_or(ToolChoice::Free, |choice| match choice.name {
            Some(name) => ToolChoice::Named(name),
            None => ToolChoice::of_word(&choice.kind),
        });
    Ok((
        Prompt {
            text,
            after_tool,
            tools,
            choice,
        },
        Box::new(Messages),
    ))
}

/// The answer of `count_tokens`.
pub(super) fn count(input_tokens: u64) -> Bytes {
    encode::json(&Count { input_tokens })
}

struct Messages;

impl Writer for Messages {
    fn body(&self, plan: &Plan) -> Bytes {
        let block = match &plan.reply {
            Reply::Text(text) => Block::Text { text: text.whole() },
            Reply::Call(call) => tool_use(plan, call, &call.arguments),
        };
        encode::json(&Answer {
            content: vec![block],
            stop_reason: Some(stop_reason(&plan.reply)),
            ..answer(plan, plan.output_tokens())
        })
    }

    fn stream(self: Box<Self>, plan: Plan) -> Script {
        let block = match &plan.reply {
            Reply::Text(_) => Block::Text {
                text: String::new(),
            },
            Reply::Call(call) => tool_use(&plan, call, "{}"),
        };
        // The real counts of output come at the end; until then there is a placeholder of 1.
        let head = vec![
            event(&Event::MessageStart {
                message: answer(&plan, 1),
            }),
            event(&Event::ContentBlockStart {
                index: 0,
                content_block: block,
            }),
            event(&Event::Ping),
        ];
        let deltas: Box<dyn Iterator<Item = Delta> + Send> = match &plan.reply {
            Reply::Text(text) => Box::new(
                text.pieces(plan.piece_bytes)
                    .map(|(text, _)| Delta::TextDelta { text }),
            ),
            Reply::Call(call) => Box::new(
                call.pieces(plan.piece_bytes)
                    .map(|partial_json| Delta::InputJsonDelta { partial_json }),
            ),
        };
        let deltas = deltas.map(|delta| event(&Event::ContentBlockDelta { index: 0, delta }));
        let tail = vec![
            event(&Event::ContentBlockStop { index: 0 }),
            event(&Event::MessageDelta {
                delta: Ending {
                    stop_reason: stop_reason(&plan.reply),
                    stop_sequence: None,
                    stop_details: None,
                    container: None,
                },
                usage: DeltaUsage {
                    input_tokens: plan.input_tokens,
                    cache_creation_input_tokens: 0,
                    cache_read_input_tokens: 0,
                    output_tokens: plan.output_tokens(),
                    output_tokens_details: OutputDetails::default(),
                },
            }),
            event(&Event::MessageStop),
        ];
        Script {
            events: Box::new(head.into_iter().chain(deltas).chain(tail)),
            error: Box::new(move |_| {
                let failure = Failure::midway(Dialect::Anthropic);
                encode::event("error", &failure.anthropic(plan.seed))
            }),
        }
    }
}

fn answer(plan: &Plan, output_tokens: u64) -> Answer<'_> {
    Answer {
        id: plan.seed.id("msg_01"),
        kind: "message",
        role: "assistant",
        model: &plan.model,
        content: Vec::new(),
        stop_reason: None,
        stop_sequence: None,
        stop_details: None,
        container: None,
        usage: Usage {
            input_tokens: plan.input_tokens,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 0,
            cache_creation: CacheCreation::default(),
            output_tokens,
            output_tokens_details: OutputDetails::default(),
            service_tier: "standard",
            inference_geo: "not_available",
        },
    }
}

fn tool_use<'a>(plan: &Plan, call: &'a Call, input: &str) -> Block<'a> {
    Block::ToolUse {
        id: plan.seed.id("toolu_01"),
        name: &call.name,
        input: RawValue::from_string(input.to_owned()).ok(),
    }
}

fn stop_reason(reply: &Reply) -> &'static str {
    match reply {
        Reply::Text(text) if text.cut => "max_tokens",
        Reply::Text(_) => "end_turn",
        Reply::Call(_) => "tool_use",
    }
}

fn event(event: &Event<'_>) -> Bytes {
    let name = match event {
        Event::MessageStart { .. } => "message_start",
        Event::ContentBlockStart { .. } => "content_block_start",
        Event::Ping => "ping",
        Event::ContentBlockDelta { .. } => "content_block_delta",
        Event::ContentBlockStop { .. } => "content_block_stop",
        Event::MessageDelta { .. } => "message_delta",
        Event::MessageStop => "message_stop",
    };
    encode::event(name, event)
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart {
        message: Answer<'a>,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block<'a>,
    },
    Ping,
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    ContentBlockStop {
        index: u64,
    },
    MessageDelta {
        delta: Ending,
        usage: DeltaUsage,
    },
    MessageStop,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<()>,
    stop_details: Option<()>,
    container: Option<()>,
    usage: Usage,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text {
        text: String,
    },
    ToolUse {
        id: String,
        name: &'a str,
        input: Option<Box<RawValue>>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    TextDelta { text: String },
    InputJsonDelta { partial_json: String },
}

#[derive(Serialize)]
struct Ending {
    stop_reason: &'static str,
    stop_sequence: Option<()>,
    stop_details: Option<()>,
    container: Option<()>,
}

#[derive(Serialize)]
struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: CacheCreation,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    service_tier: &'static str,
    inference_geo: &'static str,
}

/// Cumulative, without what only the start of a message tells.
#[derive(Serialize)]
struct DeltaUsage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
}

#[derive(Default, Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Default, Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

#[derive(Serialize)]
struct Count {
    input_tokens: u64,
}
