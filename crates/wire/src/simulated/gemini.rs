//! Gemini `generateContent`, its stream (events or one JSON array) and `countTokens`.

use super::{
    Plan, Script, Writer, encode,
    failure::Failure,
    prompt::{self, Prompt, Tool, ToolChoice, Turn},
    reply::{Call, Reply},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::{iter, sync::Arc};
use tollgate_core::format::Dialect;

/// Field names in camel case and, as Google accepts them too, in snake case.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default)]
    contents: Vec<Content<'a>>,
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
    #[serde(alias = "tool_config")]
    tool_config: Option<Value>,
}

#[derive(Deserialize)]
struct Content<'a> {
    role: Option<String>,
    #[serde(borrow)]
    parts: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolEntry<'a> {
    #[serde(borrow, alias = "function_declarations")]
    function_declarations: Option<Vec<Declaration<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Declaration<'a> {
    name: String,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(borrow, alias = "parameters_json_schema")]
    parameters_json_schema: Option<&'a RawValue>,
}

/// Reads a request; the writer knows how a stream of it looks.
pub(super) fn read(
    body: &[u8],
    in_array: bool,
) -> Result<(Prompt<'_>, Box<dyn Writer>), serde_json::Error> {
    let request: Request<'_> = serde_json::from_slice(body)?;
    let turns = request.contents.iter().rev().map(|content| {
        if content.role.as_deref() == Some("model") {
            return Ok(Turn::Model);
        }
        let parts = prompt::value(content.parts)?;
        let answers = |part: &Value| {
            part.get("functionResponse")
                .or(part.get("function_response"))
                .is_some()
        };
        Ok(
            if parts
                .as_array()
                .is_some_and(|parts| parts.iter().any(answers))
            {
                Turn::ToolResult
            } else {
                Turn::User(prompt::text_of(&parts))
            },
        )
    });
    let (text, after_tool) = prompt::last_word(turns)?;
    let declarations = request.tools.into_iter().flatten();
    let tools = declarations
        .filter_map(|entry| entry.function_declarations)
        .flatten()
        .map(|d| Tool {
            name: d.name,
            schema: d.parameters.or(d.parameters_json_schema),
        })
        .collect();
    let choice = request.tool_config.as_ref().map(choice).unwrap_or_default();
    Ok((
        Prompt {
            text,
            after_tool,
            tools,
            choice,
        },
        Box::new(Gemini { in_array }),
    ))
}

fn choice(config: &Value) -> ToolChoice {
    let either = |value: &Value, camel: &str, snake: &str| {
        value
            .get(camel)
            .or(value.get(snake))
            .cloned()
            .unwrap_or_default()
    };
    let calling = either(config, "functionCallingConfig", "function_calling_config");
    let mode = calling
        .get("mode")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let allowed = either(&calling, "allowedFunctionNames", "allowed_function_names");
    match (
        ToolChoice::of_word(mode),
        allowed.get(0).and_then(Value::as_str),
    ) {
        (ToolChoice::Any, Some(name)) => ToolChoice::Named(name.to_owned()),
        (choice, _) => choice,
    }
}

/// The answer of `countTokens`.
pub(super) fn count(total_tokens: u64) -> Bytes {
    encode::json(&Count {
        total_tokens,
        prompt_tokens_details: text_tokens(total_tokens),
    })
}

struct Gemini {
    in_array: bool,
}

impl Writer for Gemini {
    fn body(&self, plan: &Plan) -> Bytes {
        let part = match &plan.reply {
            Reply::Text(text) => Part::Text(text.whole()),
            Reply::Call(call) => function_call(call),
        };
        let candidates = (0..plan.choices).map(|index| Candidate {
            content: Parts {
                parts: [part.clone()],
                role: "model",
            },
            finish_reason: Some(finish_reason(&plan.reply)),
            index,
        });
        encode::json(&answer(
            plan,
            candidates.collect(),
            plan.output_tokens(),
            true,
        ))
    }

    fn stream(self: Box<Self>, plan: Plan) -> Script {
        let plan = Arc::new(plan);
        let steps = (0..plan.choices).flat_map(move |index| candidate(&plan, index));
        let failure = Failure::midway(Dialect::Google);
        if !self.in_array {
            let events = steps.map(|json| encode::between("data: ", &json, "\r\n\r\n"));
            return Script {
                events: Box::new(events),
                error: Box::new(move |_| encode::framed("data: ", &failure.google(), "\r\n\r\n")),
            };
        }
        let before = |first: bool| if first { "[" } else { "\n,\n" };
        let items = steps
            .enumerate()
            .map(move |(at, json)| encode::between(before(at == 0), &json, ""));
        Script {
            events: Box::new(items.chain(iter::once(Bytes::from_static(b"\n]")))),
            error: Box::new(move |given| {
                encode::framed(before(given == 0), &failure.google(), "\n]")
            }),
        }
    }
}

/// The answers of a stream that make up one candidate; their usage is cumulative.
fn candidate(plan: &Arc<Plan>, index: u64) -> impl Iterator<Item = Bytes> + Send + use<> {
    let plan = Arc::clone(plan);
    let own = plan.reply.output_tokens();
    let earlier = own.saturating_mul(index);
    parts(&plan).map(move |(part, tokens)| {
        // The last part is the one that has all of its candidate's tokens.
        let ends = tokens == own;
        let candidate = Candidate {
            content: Parts {
                parts: [part],
                role: "model",
            },
            finish_reason: ends.then(|| finish_reason(&plan.reply)),
            index,
        };
        let last = ends && index + 1 == plan.choices;
        let tokens = earlier.saturating_add(tokens);
        encode::json(&answer(&plan, vec![candidate], tokens, last))
    })
}

/// The parts of a candidate, each with the candidate's tokens so far; at least one.
fn parts(plan: &Plan) -> Box<dyn Iterator<Item = (Part, u64)> + Send> {
    match &plan.reply {
        Reply::Text(text) if plan.reply.output_tokens() > 0 => {
            let pieces = text.pieces(plan.piece_bytes);
            Box::new(pieces.map(|(piece, words)| (Part::Text(piece), words)))
        }
        Reply::Text(_) => Box::new(iter::once((Part::Text(String::new()), 0))),
        Reply::Call(call) => Box::new(iter::once((function_call(call), call.tokens()))),
    }
}

fn function_call(call: &Call) -> Part {
    Part::FunctionCall {
        name: call.name.clone(),
        args: RawValue::from_string(call.arguments.clone()).ok(),
    }
}

fn finish_reason(reply: &Reply) -> &'static str {
    match reply {
        Reply::Text(text) if text.cut => "MAX_TOKENS",
        Reply::Text(_) | Reply::Call(_) => "STOP",
    }
}

/// An answer with the output tokens so far; the last one also counts by modality.
fn answer(plan: &Plan, candidates: Vec<Candidate>, tokens: u64, last: bool) -> Answer<'_> {
    Answer {
        candidates,
        usage_metadata: Usage {
            prompt_token_count: plan.input_tokens,
            candidates_token_count: tokens,
            total_token_count: plan.input_tokens.saturating_add(tokens),
            prompt_tokens_details: last.then(|| text_tokens(plan.input_tokens)),
            candidates_tokens_details: last.then(|| text_tokens(tokens)),
        },
        model_version: &plan.model,
        response_id: plan.seed.id("sim"),
    }
}

fn text_tokens(token_count: u64) -> [ModalityTokens; 1] {
    [ModalityTokens {
        modality: "TEXT",
        token_count,
    }]
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    candidates: Vec<Candidate>,
    usage_metadata: Usage,
    model_version: &'a str,
    response_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Parts,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    index: u64,
}

#[derive(Serialize)]
struct Parts {
    parts: [Part; 1],
    role: &'static str,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
enum Part {
    Text(String),
    FunctionCall {
        name: String,
        args: Option<Box<RawValue>>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: u64,
    candidates_token_count: u64,
    total_token_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens_details: Option<[ModalityTokens; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates_tokens_details: Option<[ModalityTokens; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModalityTokens {
    modality: &'static str,
    token_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Count {
    total_tokens: u64,
    prompt_tokens_details: [ModalityTokens; 1],
}
