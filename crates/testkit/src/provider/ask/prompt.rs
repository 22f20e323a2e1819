//! What the plausible provider looks for in a body: the last user's words, what a tool answered,
//! the first tool on offer. Each dialect has its own places for them.

use serde_json::{Value, json};

fn turns(body: &Value) -> Option<&Value> {
    [
        "messages",
        "input",
        "contents",
        "content",
        "prompt",
        "instances",
    ]
    .iter()
    .find_map(|key| body.get(key))
}

pub(super) fn last_user_text(body: &Value) -> String {
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
pub(super) fn tool_result(body: &Value) -> Option<String> {
    let last = turns(body)?.as_array()?.last()?;
    let is_tool = last.get("role").is_some_and(|role| role == "tool");
    let by_role = is_tool.then(|| last.get("content")).flatten();
    let by_part = || {
        let parts = last.get("content").or_else(|| last.get("parts"))?;
        parts.as_array()?.iter().find_map(|part| {
            part.pointer("/functionResponse/response")
                .or_else(|| part.pointer("/toolResult/content"))
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

/// Name and schema of the first function offered that is called `wanted`, or of the first at all
/// when that is empty, wherever the dialect puts them.
pub(super) fn first_tool<'a>(body: &'a Value, wanted: &str) -> Option<(String, &'a Value)> {
    let tools = body
        .get("tools")
        .or_else(|| body.pointer("/toolConfig/tools"))?;
    let mut named = tools.as_array()?.iter().filter_map(named_tool);
    named.find(|(name, _)| wanted.is_empty() || name == wanted)
}

fn named_tool(tool: &Value) -> Option<(String, &Value)> {
    let function = ["/function", "/functionDeclarations/0", "/toolSpec"]
        .iter()
        .find_map(|place| tool.pointer(place))
        .unwrap_or(tool);
    let schema = [
        "/parameters",
        "/input_schema",
        "/parametersJsonSchema",
        "/parameters_json_schema",
        "/inputSchema/json",
    ]
    .iter()
    .find_map(|place| function.pointer(place))?;
    Some((function.get("name")?.as_str()?.to_owned(), schema))
}

/// An object with every required property of the schema.
pub(super) fn arguments_for(schema: &Value) -> Value {
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
