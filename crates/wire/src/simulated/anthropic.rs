//! Anthropic messages: `message`, its stream of events, and `count_tokens`.

use super::{
    Plan, Script, Writer, encode,
    failure::Failure,
    prompt::{self, Prompt, Tool, ToolChoice, Turn},
    reply::{Reply, Text},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{iter, sync::Arc};
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
        .filter_map(|entry| Some(Tool { name: entry.name?, schema: entry.input_schema }))
        .collect();
    let choice = request.tool_choice.map_or(ToolChoice::Free, |choice| match choice.name {
        Some(name) => ToolChoice::Named(name),
        None => ToolChoice::of_word(&choice.kind),
    });
    Ok((Prompt { text, after_tool, tools, choice }, Box::new(Messages)))
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
            Reply::Call(call) => Block::ToolUse {
                id: plan.seed.id("toolu_01"),
                name: call.name.clone(),
                input: RawValue::from_string(call.arguments.clone()).ok(),
            },
        };
        encode::json(&Message_ {
            content: vec![block],
            stop_reason: Some(stop_reason(&plan.reply)),
            ..message(plan, plan.output_tokens())
        })
    }

    fn stream(self: Box<Self>, plan: Plan) -> Script {
        let plan = Arc::new(plan);
        let (opening, ending) = (Arc::clone(&plan), Arc::clone(&plan));
        let head = (0..3).map(move |step| match step {
            0 => event(&Event::MessageStart { message: message(&opening, 1) }),
            1 => event(&Event::ContentBlockStart { index: 0, content_block: empty(&opening) }),
            _ => event(&Event::Ping),
        });
        let deltas: Box<dyn Iterator<Item = Delta> + Send> = match &plan.reply {
            Reply::Text(text) => Box::new(
                text.pieces(plan.piece_bytes).map(|(text, _)| Delta::TextDelta { text }),
            ),
            Reply::Call(call) => Box::new(
                call.pieces(plan.piece_bytes)
                    .map(|partial_json| Delta::InputJsonDelta { partial_json }),
            ),
        };
        let deltas = deltas.map(|delta| event(&Event::ContentBlockDelta { index: 0, delta }));
        let tail = (0..3).map(move |step| match step {
            0 => event(&Event::ContentBlockStop { index: 0 }),
            1 => event(&message_delta(&ending)),
            _ => event(&Event::MessageStop),
        });
        Script {
            events: Box::new(head.chain(deltas).chain(tail)),
            error: Box::new(move |_| {
                let failure = Failure::midway(Dialect::Anthropic);
                encode::event("error", &failure.anthropic(plan.seed))
            }),
        }
    }
}
