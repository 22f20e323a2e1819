use super::*;
use crate::edit::apply;
use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde_json::{Map, Value, json};

const KEYS: [&str; 6] = ["model", "stream", "a", "b \" c", "ключ", ""];

fn reshaped(body: &str, remove: &[&'static str], insert: &[(&'static str, &str)]) -> String {
    let reshape = Reshape {
        remove: remove.iter().map(|key| ("out", *key)).collect(),
        insert: insert
            .iter()
            .map(|(key, value)| Insertion {
                rule: "in",
                key,
                value: (*value).to_owned(),
            })
            .collect(),
    };
    let body = Bytes::from(body.to_owned());
    let edits = reshape.edits(&body).unwrap();
    String::from_utf8(apply(&body, edits).concat()).unwrap()
}

#[test]
fn a_member_goes_with_one_comma_wherever_it_stands() {
    let table = [
        (r#"{"model":"m","a":1,"b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":1,"model":"m","b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":1,"b":2,"model":"m"}"#, r#"{"a":1,"b":2}"#),
        (
            r#" { "a" : 1 , "model" : {"model":[]} } "#,
            r#" { "a" : 1 } "#,
        ),
        (r#"{"model":"m"}"#, "{}"),
        ("{\n  \"model\": \"m\"\n}", "{\n  \n}"),
        (r#"{"\u006dodel":"m","a":"model"}"#, r#"{"a":"model"}"#),
        (r#"{"a":{"model":1}}"#, r#"{"a":{"model":1}}"#),
        ("{}", "{}"),
    ];
    for (body, expected) in table {
        assert_eq!(reshaped(body, &["model"], &[]), expected, "{body}");
    }
}

#[test]
fn neighbours_may_go_together() {
    let both = &["model", "stream"];
    let table = [
        (r#"{"model":"m","stream":true,"a":1}"#, r#"{"a":1}"#),
        (r#"{"a":1,"model":"m","stream":true}"#, r#"{"a":1}"#),
        (r#"{"model":"m","a":1,"stream":true}"#, r#"{"a":1}"#),
        (r#"{"model":"m","stream":true}"#, "{}"),
    ];
    for (body, expected) in table {
        assert_eq!(reshaped(body, both, &[]), expected, "{body}");
    }
}

#[test]
fn what_comes_in_stands_first_and_gets_its_commas() {
    let two = &[("x", "1"), ("y", "2")];
    let table = [
        (r#"{"model":"m","a":1}"#, r#"{"x":1,"y":2,"a":1}"#),
        (r#"{"model":"m"}"#, r#"{"x":1,"y":2}"#),
        ("{ }", r#"{"x":1,"y":2 }"#),
        (r#"{"y":0}"#, r#"{"x":1,"y":0}"#),
        (r#"{"y":0,"x":0}"#, r#"{"y":0,"x":0}"#),
    ];
    for (body, expected) in table {
        assert_eq!(reshaped(body, &["model"], two), expected, "{body}");
    }
}

#[test]
fn what_goes_may_come_back_with_another_value() {
    let result = reshaped(
        r#"{"a":1,"model":null}"#,
        &["model"],
        &[("model", r#""m""#)],
    );
    assert_eq!(result, r#"{"model":"m","a":1}"#);
}

#[test]
fn what_is_no_object_is_not_edited() {
    for body in ["[]", "1", "", "{", r#"{"a":}"#] {
        assert_eq!(Reshape::default().edits(body.as_bytes()), None, "{body}");
    }
}

/// Some JSON value, with braces, commas and quotes where they could mislead.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<i32>().prop_map(Value::from),
        "[ -~]{0,8}".prop_map(Value::from),
        Just(json!({ "model": "},\"x\":1", "stream": [true, {}] })),
        Just(json!(["model", "a", { "": "," }])),
    ]
}

/// The members as text, with white space in every place it may have.
fn written(members: &[(&str, Value)], spaces: &[&str]) -> String {
    let mut spaces = spaces.iter().copied().cycle();
    let mut space = || spaces.next().unwrap_or_default();
    let mut text = format!("{}{{{}", space(), space());
    for (index, (key, value)) in members.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let key = Value::from(*key);
        let around = [space(), space(), space(), space()];
        text.extend([comma, around[0], &key.to_string(), around[1], ":"]);
        text.extend([around[2], &value.to_string(), around[3]]);
    }
    text + "}" + space()
}

proptest! {
    #[test]
    fn the_result_is_what_a_map_would_give(
        keys in subsequence(KEYS.to_vec(), 0..=KEYS.len()).prop_shuffle(),
        values in vec(value(), KEYS.len()),
        spaces in vec(prop_oneof![Just(""), Just(" "), Just("\n\t")], 1..7),
        removed in subsequence(KEYS.to_vec(), 0..=KEYS.len()),
        inserted in 0_usize..3,
    ) {
        let members: Vec<_> = keys.iter().copied().zip(values).collect();
        let body = written(&members, &spaces);
        let inserted = &[("in 1", "[1]"), ("in 2", r#""}""#)][..inserted];

        let result = reshaped(&body, &removed, inserted);

        let read: Map<String, Value> = serde_json::from_str(&result).unwrap();
        let mut expected: Map<String, Value> = serde_json::from_str(&body).unwrap();
        expected.retain(|key, _| !removed.contains(&key.as_str()));
        for (key, value) in inserted {
            expected.insert((*key).to_owned(), serde_json::from_str(value).unwrap());
        }
        prop_assert_eq!(read, expected);
        // What stays keeps its bytes.
        for (key, value) in &members {
            if !removed.contains(key) {
                prop_assert!(result.contains(&value.to_string()));
            }
        }
    }
}
