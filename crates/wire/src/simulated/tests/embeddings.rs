//! Vectors: their number, size, encoding and likeness.

use super::ask;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const TARGET: &str = "/v1/embeddings";

fn vectors(body: &Value) -> Vec<Vec<f64>> {
    let answer = ask(TARGET, body).json();
    let data = answer["data"].as_array().unwrap();
    for (index, entry) in data.iter().enumerate() {
        assert_eq!(
            (&entry["index"], &entry["object"]),
            (&json!(index), &json!("embedding"))
        );
    }
    data.iter()
        .map(|entry| serde_json::from_value(entry["embedding"].clone()).unwrap())
        .collect()
}

#[test]
fn every_input_gets_a_unit_vector_that_depends_on_its_text_alone() {
    let all = vectors(&json!({"model": "text-embedding-3-small", "input": ["a", "b", "a"]}));
    assert_eq!(all.len(), 3);
    assert_eq!(all[0], all[2]);
    assert_ne!(all[0], all[1]);
    assert_eq!(vectors(&json!({"model": "other", "input": "b"}))[0], all[1]);
    for vector in &all {
        assert_eq!(vector.len(), 1536);
        let length: f64 = vector.iter().map(|component| component.powi(2)).sum();
        assert!((length - 1.0).abs() < 1e-4, "{length}");
        let positive = vector.iter().filter(|component| **component > 0.0).count();
        assert!((600..=936).contains(&positive), "{positive}");
    }
}

#[test]
fn base64_carries_the_same_numbers() {
    let mut body = json!({"model": "m", "input": "a", "dimensions": 3});
    let floats = vectors(&body).remove(0);
    body["encoding_format"] = json!("base64");
    let answer = ask(TARGET, &body).json();
    let bytes = STANDARD
        .decode(answer["data"][0]["embedding"].as_str().unwrap())
        .unwrap();
    let decoded: Vec<f64> = bytes
        .chunks_exact(4)
        .map(|four| f64::from(f32::from_le_bytes(four.try_into().unwrap())))
        .collect();
    assert_eq!(decoded.len(), 3);
    for (decoded, float) in decoded.iter().zip(&floats) {
        assert!((decoded - float).abs() < 1e-7);
    }
}

#[test]
fn inputs_may_be_tokens_and_sizes_are_honoured() {
    for (input, count) in [
        (json!("text"), 1),
        (json!(["a", "b"]), 2),
        (json!([1, 2, 3]), 1),
        (json!([[1, 2], [3]]), 2),
    ] {
        let all = vectors(&json!({"model": "m", "input": input, "dimensions": 7}));
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|vector| vector.len() == 7));
    }
    let large = vectors(&json!({"model": "text-embedding-3-large", "input": "a"}));
    assert_eq!(large[0].len(), 3072);
}

#[test]
fn usage_counts_input_only() {
    let answer = ask(TARGET, &json!({"model": "m", "input": "a".repeat(400)})).json();
    assert_eq!(
        answer["usage"],
        json!({"prompt_tokens": 103, "total_tokens": 103})
    );
    assert_eq!(
        (&answer["model"], &answer["object"]),
        (&json!("m"), &json!("list"))
    );
}

#[test]
fn what_openai_would_refuse_is_refused() {
    for wrong in [
        json!({"model": "m", "input": []}),
        json!({"model": "m", "input": vec!["a"; 2049]}),
        json!({"model": "m", "input": "a", "dimensions": 0}),
        json!({"model": "m", "input": "a", "dimensions": 4097}),
        json!({"model": "m", "input": "a", "encoding_format": "hex"}),
    ] {
        let read = ask(TARGET, &wrong);
        assert_eq!(read.status, 400, "{wrong}");
        assert_eq!(read.json()["error"]["type"], "invalid_request_error");
    }
}
