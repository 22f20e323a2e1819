//! Arguments for a simulated tool call: those that the prompt gives, else the smallest ones that
//! the tool's JSON schema accepts, as far as simple types go.

use serde_json::{Map, Value, value::RawValue};

/// How deep nested objects are filled in.
const DEPTH: usize = 8;

/// The arguments in a text that goes on with `with {…}`.
pub(super) fn given(after: &str) -> Option<String> {
    let json = after.trim_start().strip_prefix("with")?.trim_start();
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
    let value = values.next()?.ok()?.get();
    value.starts_with('{').then(|| value.to_owned())
}

/// Arguments with the required properties of a schema; `{}` where there is no schema to read.
pub(super) fn for_schema(schema: Option<&RawValue>) -> String {
    let schema = schema.and_then(|raw| serde_json::from_str(raw.get()).ok());
    Value::Object(required(&schema.unwrap_or_default(), DEPTH)).to_string()
}

fn required(schema: &Value, depth: usize) -> Map<String, Value> {
    let names = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties");
    names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|name| {
            let property = properties.and_then(|properties| properties.get(name));
            (
                name.to_owned(),
                property.map_or(Value::Null, |property| example(property, depth)),
            )
        })
        .collect()
}

/// A value that the schema accepts.
fn example(schema: &Value, depth: usize) -> Value {
    let first = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_array)
            .and_then(|all| all.first())
    };
    if let Some(value) = schema
        .get("const")
        .or(schema.get("default"))
        .or(first("enum"))
    {
        return value.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    if let Some(schema) = first("anyOf").or(first("oneOf")).or(first("allOf")) {
        return example(schema, depth - 1);
    }
    let kind = schema.get("type").and_then(Value::as_str);
    let kind = kind
        .or(first("type").and_then(Value::as_str))
        .unwrap_or_default();
    // Google writes the names of types in capitals.
    match kind.to_ascii_lowercase().as_str() {
        "string" => Value::from("simulated"),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(Value::from(1)),
        "boolean" => Value::from(false),
        "array" => {
            let needed = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0) > 0;
            let item = schema.get("items").filter(|_| needed);
            Value::Array(
                item.map(|item| example(item, depth - 1))
                    .into_iter()
                    .collect(),
            )
        }
        "object" => Value::Object(required(schema, depth - 1)),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: &str) -> String {
        for_schema(Some(serde_json::from_str(schema).unwrap()))
    }

    #[test]
    fn required_properties_get_the_smallest_value_of_their_type() {
        let schema = r#"{"type":"object","required":["a","b","c","d","e","f","g","h"],
            "properties":{
                "a":{"type":"string"},
                "b":{"type":"integer","minimum":3},
                "c":{"enum":["celsius","fahrenheit"]},
                "d":{"type":["boolean","null"]},
                "e":{"type":"array","items":{"type":"string"}},
                "f":{"type":"array","minItems":1,"items":{"type":"STRING"}},
                "g":{"type":"object","required":["x"],"properties":{"x":{"type":"number"}}},
                "h":{"anyOf":[{"type":"string"},{"type":"null"}]},
                "optional":{"type":"string"}}}"#;
        assert_eq!(
            of(schema),
            concat!(
                r#"{"a":"simulated","b":3,"c":"celsius","d":false,"e":[],"#,
                r#""f":["simulated"],"g":{"x":1},"h":"simulated"}"#
            )
        );
    }

    #[test]
    fn a_schema_that_says_nothing_gets_no_arguments() {
        assert_eq!(for_schema(None), "{}");
        assert_eq!(of("{}"), "{}");
        assert_eq!(of(r#"{"required":"all"}"#), "{}");
    }

    #[test]
    fn arguments_in_the_prompt_are_taken_as_they_stand() {
        assert_eq!(
            given(r#" with { "command": "echo }" } and then stop"#).as_deref(),
            Some(r#"{ "command": "echo }" }"#)
        );
        assert_eq!(given(" with [1]"), None);
        assert_eq!(given(" with {broken"), None);
        assert_eq!(given(" please"), None);
    }
}
