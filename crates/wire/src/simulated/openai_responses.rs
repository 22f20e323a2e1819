//! OpenAI responses: reading a request, and the answer as one object or a stream of numbered
//! events.

mod object;

use super::{
    Plan, Script, Writer, encode,
    failure::Failure,
    prompt::{self, Prompt, Tool, ToolChoice, Turn},
    reply::Reply,
};
use bytes::Bytes;
use object::{Item, Part, Response, Settings, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::{iter, sync::Arc};
use tollgate_core::format::Dialect;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
    tool_choice: Option<Value>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    /// Codex offers its tools in an input item of type `additional_tools`.
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
}

#[derive(Deserialize)]
struct ToolEntry<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

/// Reads a request; the writer repeats its settings, as the real API does.
pub(super) fn read(body: &[u8]) -> Result<(Prompt<'_>, Box<dyn Writer>), serde_json::Error> {
    let request: Request<'_> = serde_json::from_slice(body)?;
    let settings: Settings = serde_json::from_slice(body)?;
    let choice = request.tool_choice.as_ref().map(choice).unwrap_or_default();
    let mut tools: Vec<_> = request
        .tools
        .into_iter()
        .flatten()
        .filter_map(function)
        .collect();
    let input = request.input.map_or("[]", RawValue::get);
    let (text, after_tool) = if input.starts_with('[') {
        let mut entries: Vec<Entry<'_>> = serde_json::from_str(input)?;
        for entry in &mut entries {
            let more = entry.tools.take().into_iter().flatten();
            tools.extend(more.filter_map(function));
        }
        prompt::last_word(entries.iter().rev().map(turn))?
    } else {
        (prompt::text_of(&serde_json::from_str(input)?), false)
    };
    let prompt = Prompt {
        text,
        after_tool,
        tools,
        choice,
    };
    Ok((
        prompt,
        Box::new(Responses {
            settings: settings.with_defaults(),
        }),
    ))
}

fn function(entry: ToolEntry<'_>) -> Option<Tool<'_>> {
    let is_function = entry.kind.as_deref() == Some("function");
    let name = entry.name.filter(|_| is_function)?;
    Some(Tool {
        name,
        schema: entry.parameters,
    })
}

fn turn(entry: &Entry<'_>) -> Result<Turn, serde_json::Error> {
    Ok(match entry.kind.as_deref().unwrap_or("message") {
        "message" => match entry.role.as_deref() {
            Some("user") => Turn::User(prompt::text_of(&prompt::value(entry.content)?)),
            Some("assistant") => Turn::Model,
            _ => Turn::Aside,
        },
        kind if kind.ends_with("_call_output") => Turn::ToolResult,
        kind if kind.ends_with("_call") => Turn::Model,
        _ => Turn::Aside,
    })
}

fn choice(value: &Value) -> ToolChoice {
    match value.get("name").and_then(Value::as_str) {
        Some(name) => ToolChoice::Named(name.to_owned()),
        None => ToolChoice::of_word(value.as_str().unwrap_or_default()),
    }
}

struct Responses {
    settings: Settings,
}

impl Writer for Responses {
    fn body(&self, plan: &Plan) -> Bytes {
        encode::json(&Response::new(
            plan,
            &self.settings,
            Status::ended(&plan.reply),
        ))
    }

    fn stream(self: Box<Self>, plan: Plan) -> Script {
        let stream = Arc::new(Stream {
            plan,
            settings: self.settings,
        });
        let failing = Arc::clone(&stream);
        let steps = steps(&stream.plan).zip(0_u64..);
        Script {
            events: Box::new(steps.map(move |(step, number)| stream.event(number, step))),
            error: Box::new(move |given| failing.whole(given, "response.failed", Status::Failed)),
        }
    }
}

/// The steps of a stream, each one event.
enum Step {
    Created,
    InProgress,
    ItemAdded,
    PartAdded,
    TextDelta(String),
    TextDone,
    PartDone,
    ArgumentsDelta(String),
    ArgumentsDone,
    ItemDone,
    Ended,
}

fn steps(plan: &Plan) -> Box<dyn Iterator<Item = Step> + Send> {
    let head = [Step::Created, Step::InProgress, Step::ItemAdded].into_iter();
    let tail = [Step::ItemDone, Step::Ended];
    match &plan.reply {
        Reply::Text(text) => {
            let pieces = text
                .pieces(plan.piece_bytes)
                .map(|(piece, _)| Step::TextDelta(piece));
            let content = iter::once(Step::PartAdded).chain(pieces);
            Box::new(
                head.chain(content)
                    .chain([Step::TextDone, Step::PartDone])
                    .chain(tail),
            )
        }
        Reply::Call(call) => {
            let pieces = call.pieces(plan.piece_bytes).map(Step::ArgumentsDelta);
            Box::new(head.chain(pieces).chain([Step::ArgumentsDone]).chain(tail))
        }
    }
}

struct Stream {
    plan: Plan,
    settings: Settings,
}

impl Stream {
    fn event(&self, number: u64, step: Step) -> Bytes {
        let plan = &self.plan;
        let ended = Status::ended(&plan.reply);
        match step {
            Step::Created => self.whole(number, "response.created", Status::InProgress),
            Step::InProgress => self.whole(number, "response.in_progress", Status::InProgress),
            Step::ItemAdded => {
                let item = Item::new(plan, Status::InProgress);
                event(
                    "response.output_item.added",
                    number,
                    InOutput {
                        output_index: 0,
                        item,
                    },
                )
            }
            Step::PartAdded => {
                let part = Part::new(String::new());
                event(
                    "response.content_part.added",
                    number,
                    self.content(Piece::Part { part }),
                )
            }
            Step::TextDelta(delta) => {
                let piece = Piece::Delta {
                    delta,
                    logprobs: [],
                };
                event("response.output_text.delta", number, self.content(piece))
            }
            Step::TextDone => {
                let piece = Piece::Text {
                    text: object::text(&plan.reply),
                    logprobs: [],
                };
                event("response.output_text.done", number, self.content(piece))
            }
            Step::PartDone => {
                let part = Part::new(object::text(&plan.reply));
                event(
                    "response.content_part.done",
                    number,
                    self.content(Piece::Part { part }),
                )
            }
            Step::ArgumentsDelta(delta) => {
                let payload = self.arguments(Some(&delta), None);
                event("response.function_call_arguments.delta", number, payload)
            }
            Step::ArgumentsDone => {
                let payload = self.arguments(None, Some(&plan.reply));
                event("response.function_call_arguments.done", number, payload)
            }
            Step::ItemDone => {
                let item = Item::new(plan, ended);
                event(
                    "response.output_item.done",
                    number,
                    InOutput {
                        output_index: 0,
                        item,
                    },
                )
            }
            Step::Ended => self.whole(number, ended.event(), ended),
        }
    }

    /// An event with the whole response.
    fn whole(&self, number: u64, kind: &'static str, status: Status) -> Bytes {
        let mut response = Response::new(&self.plan, &self.settings, status);
        let failure = Failure::midway(Dialect::OpenAi);
        if status == Status::Failed {
            response.fail(&failure.message);
        }
        event(kind, number, Whole { response })
    }

    fn content(&self, piece: Piece) -> InContent {
        let item_id = object::item_id(&self.plan);
        InContent {
            item_id,
            output_index: 0,
            content_index: 0,
            piece,
        }
    }

    fn arguments<'a>(&self, delta: Option<&'a str>, done: Option<&'a Reply>) -> InCall<'a> {
        let call = done.and_then(|reply| match reply {
            Reply::Call(call) => Some(call),
            Reply::Text(_) => None,
        });
        InCall {
            item_id: object::item_id(&self.plan),
            output_index: 0,
            delta,
            name: call.map(|call| call.name.as_str()),
            arguments: call.map(|call| call.arguments.as_str()),
        }
    }
}

fn event(kind: &'static str, sequence_number: u64, payload: impl Serialize) -> Bytes {
    encode::event(
        kind,
        &Event {
            kind,
            sequence_number,
            payload,
        },
    )
}

#[derive(Serialize)]
struct Event<T> {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence_number: u64,
    #[serde(flatten)]
    payload: T,
}

#[derive(Serialize)]
struct Whole<'a> {
    response: Response<'a>,
}

#[derive(Serialize)]
struct InOutput<'a> {
    output_index: u64,
    item: Item<'a>,
}

#[derive(Serialize)]
struct InContent {
    item_id: String,
    output_index: u64,
    content_index: u64,
    #[serde(flatten)]
    piece: Piece,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Piece {
    Part { part: Part },
    Delta { delta: String, logprobs: [(); 0] },
    Text { text: String, logprobs: [(); 0] },
}

#[derive(Serialize)]
struct InCall<'a> {
    item_id: String,
    output_index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a str>,
}
