//! `POST /completions`, the older text form: no tools, text in `choices[].text`, usage as in chat.

use super::{
    Dialect,
    ask::{Ask, Reply},
    failure::error_body,
    openai_chat::usage,
    stream::{Framing, Stream},
};
use crate::answer::Answer;
use serde_json::{Value, json};

pub(super) fn answer(ask: &Ask) -> Answer {
    if ask.stream {
        return stream(ask).answer(ask);
    }
    let text = ask.reply.text();
    let body = completion(ask, &json!([choice(&text, &finish(ask))]), &usage(ask));
    ask.bill(Answer::json(200, &body), ask.output_tokens())
}

fn stream(ask: &Ask) -> Stream {
    let include_usage = ask.body.pointer("/stream_options/include_usage") == Some(&json!(true));
    let words: &[String] = match &ask.reply {
        Reply::Text(words) => words,
        Reply::Tool { .. } => &[],
    };
    let piece = |word: &String| completion(ask, &json!([choice(word, &Value::Null)]), &Value::Null);
    let mut closing = vec![completion(
        ask,
        &json!([choice("", &finish(ask))]),
        &Value::Null,
    )];
    if include_usage {
        closing.push(completion(ask, &json!([]), &usage(ask)));
    }
    Stream {
        framing: Framing::DataThenDone,
        opening: Vec::new(),
        pieces: words.iter().map(piece).collect(),
        closing,
        error: error_body(Dialect::OpenAi, 500, "the prompt asked for this failure"),
    }
}

fn choice(text: &str, finish_reason: &Value) -> Value {
    json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": finish_reason })
}

fn finish(ask: &Ask) -> Value {
    json!(if ask.truncated { "length" } else { "stop" })
}

fn completion(ask: &Ask, choices: &Value, usage: &Value) -> Value {
    json!({
        "id": "cmpl-scripted",
        "object": "text_completion",
        "created": 1_795_000_000,
        "model": ask.model,
        "choices": choices,
        "usage": usage,
    })
}
