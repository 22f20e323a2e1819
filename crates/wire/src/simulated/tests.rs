//! The simulated provider as a caller sees it: whole answers, in every dialect.

mod directives;
mod embeddings;
mod shapes;
mod text;
mod tools;

use super::{Chunk, End, HEADER, MARK, SimulatedRequest, answer};
use crate::{endpoint::Endpoint, facts};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

/// An answer that was read to its end.
struct Read {
    status: u16,
    headers: Vec<(&'static str, String)>,
    chunks: Vec<Chunk>,
    end: End,
}

impl Read {
    fn body(&self) -> Vec<u8> {
        self.chunks
            .iter()
            .flat_map(|chunk| chunk.bytes.to_vec())
            .collect()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap()
    }

    /// The data of the events, `[DONE]` left out.
    fn events(&self) -> Vec<Value> {
        let body = String::from_utf8(self.body()).unwrap();
        if body.starts_with('[') {
            return serde_json::from_str(&body).unwrap();
        }
        let lines = body.lines().filter_map(|line| line.strip_prefix("data: "));
        lines
            .filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| *key == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} stands there twice");
        value
    }
}

/// Asks with directives in the header.
fn ask_with(target: &str, body: &Value, control: &'static str) -> Read {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(p, q)| (p, Some(q)));
    let endpoint = Endpoint::of(&Method::POST, path, query, &HeaderMap::new()).unwrap();
    let body = body.to_string();
    let facts = facts::read(&endpoint, None, body.as_bytes()).unwrap();
    let headers =
        HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_static(control))]);
    let mut answer = answer(&SimulatedRequest {
        endpoint: &endpoint,
        facts: &facts,
        body: body.as_bytes(),
        headers: &headers,
        now: "2026-11-21T12:00:00Z".parse().unwrap(),
    });
    let chunks = answer.chunks.by_ref().collect();
    Read {
        status: answer.status,
        headers: answer.headers,
        chunks,
        end: answer.chunks.end(),
    }
}

fn ask(target: &str, body: &Value) -> Read {
    ask_with(target, body, "")
}

/// The dialects in which a model produces text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Chat,
    Responses,
    Messages,
    Gemini,
    GeminiArray,
}

impl Speaks {
    const ALL: [Self; 5] = [
        Self::Chat,
        Self::Responses,
        Self::Messages,
        Self::Gemini,
        Self::GeminiArray,
    ];

    fn target(self, stream: bool) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
            Self::Gemini if stream => "/v1beta/models/m-1:streamGenerateContent?alt=sse",
            Self::GeminiArray if stream => "/v1beta/models/m-1:streamGenerateContent",
            Self::Gemini | Self::GeminiArray => "/v1beta/models/m-1:generateContent",
        }
    }

    /// A request with this prompt; `limit` bounds the output.
    fn body(self, prompt: &str, stream: bool, limit: u64) -> Value {
        match self {
            Self::Chat => json!({
                "model": "m-1",
                "messages": [{"role": "user", "content": prompt}],
                "max_completion_tokens": limit,
                "stream": stream,
                "stream_options": if stream { json!({"include_usage": true}) } else { Value::Null },
            }),
            Self::Responses => json!({
                "model": "m-1", "input": prompt, "max_output_tokens": limit, "stream": stream,
            }),
            Self::Messages => json!({
                "model": "m-1",
                "messages": [{"role": "user", "content": prompt}],
                "max_tokens": limit,
                "stream": stream,
            }),
            Self::Gemini | Self::GeminiArray => json!({
                "contents": [{"role": "user", "parts": [{"text": prompt}]}],
                "generationConfig": {"maxOutputTokens": limit},
            }),
        }
    }

    fn ask(self, prompt: &str, stream: bool) -> Read {
        self.ask_up_to(prompt, stream, 300_000)
    }

    fn ask_up_to(self, prompt: &str, stream: bool, limit: u64) -> Read {
        ask(self.target(stream), &self.body(prompt, stream, limit))
    }

    /// The text of one event or of a whole answer.
    fn text_in(self, value: &Value) -> &str {
        let pointers: &[&str] = match self {
            Self::Chat => &["/choices/0/message/content", "/choices/0/delta/content"],
            Self::Responses => &["/output/0/content/0/text"],
            Self::Messages => &["/content/0/text", "/delta/text"],
            Self::Gemini | Self::GeminiArray => &["/candidates/0/content/parts/0/text"],
        };
        if value["type"] == "response.output_text.delta" {
            return value["delta"].as_str().unwrap();
        }
        pointers
            .iter()
            .find_map(|at| value.pointer(at)?.as_str())
            .unwrap_or_default()
    }

    /// Why the model stopped, in an event or a whole answer.
    fn stop_in(self, value: &Value) -> Option<&str> {
        let pointers: &[&str] = match self {
            Self::Chat => &["/choices/0/finish_reason"],
            Self::Responses => &["/status", "/response/status"],
            Self::Messages => &["/stop_reason", "/delta/stop_reason"],
            Self::Gemini | Self::GeminiArray => &["/candidates/0/finishReason"],
        };
        pointers.iter().find_map(|at| value.pointer(at)?.as_str())
    }

    /// Input and output tokens in an event or a whole answer.
    fn usage_in(self, value: &Value) -> Option<[u64; 2]> {
        let (at, input, output) = match self {
            Self::Chat => ("/usage", "prompt_tokens", "completion_tokens"),
            Self::Responses if value.get("response").is_some() => {
                ("/response/usage", "input_tokens", "output_tokens")
            }
            Self::Responses | Self::Messages => ("/usage", "input_tokens", "output_tokens"),
            Self::Gemini | Self::GeminiArray => {
                ("/usageMetadata", "promptTokenCount", "candidatesTokenCount")
            }
        };
        let usage = value.pointer(at)?;
        Some([usage[input].as_u64()?, usage[output].as_u64()?])
    }
}

#[test]
fn every_answer_says_that_it_is_simulated_and_carries_its_dialects_request_id() {
    for speaks in Speaks::ALL {
        for stream in [false, true] {
            let read = speaks.ask("hello", stream);
            assert_eq!((read.status, read.end), (200, End::Clean), "{speaks:?}");
            assert_eq!(read.header(MARK), Some("true"));
            let expected = match speaks {
                Speaks::Chat | Speaks::Responses => [true, false],
                Speaks::Messages => [false, true],
                Speaks::Gemini | Speaks::GeminiArray => [false, false],
            };
            let found = ["x-request-id", "request-id"].map(|name| read.header(name).is_some());
            assert_eq!(found, expected, "{speaks:?}");
            let is_json = !stream || speaks == Speaks::GeminiArray;
            let expected = if is_json {
                super::JSON
            } else {
                super::EVENT_STREAM
            };
            assert_eq!(read.header("content-type"), Some(expected));
        }
    }
}

#[test]
fn the_same_request_gets_the_same_bytes_and_another_one_other_ids() {
    for speaks in Speaks::ALL {
        let (one, two) = (speaks.ask("hello", true), speaks.ask("hello", true));
        assert_eq!(one.chunks, two.chunks);
        assert_eq!(one.headers, two.headers);
        let id = |read: &Read| {
            let first = &read.events()[0];
            let ids = ["/id", "/response/id", "/message/id", "/responseId"];
            ids.iter().find_map(|at| first.pointer(at)).unwrap().clone()
        };
        assert_ne!(id(&one), id(&speaks.ask("hullo", true)));
    }
}

#[test]
fn counting_tokens_gives_what_a_generation_would_report_as_input() {
    for (speaks, target, at) in [
        (
            Speaks::Messages,
            "/v1/messages/count_tokens",
            "/input_tokens",
        ),
        (
            Speaks::Gemini,
            "/v1beta/models/m-1:countTokens",
            "/totalTokens",
        ),
    ] {
        let mut body = speaks.body("count me", false, 300_000);
        body.as_object_mut()
            .unwrap()
            .retain(|key, _| key != "max_tokens" && key != "stream");
        let counted = ask(target, &body)
            .json()
            .pointer(at)
            .unwrap()
            .as_u64()
            .unwrap();
        let [input, _] = speaks
            .usage_in(&speaks.ask("count me", false).json())
            .unwrap();
        assert_eq!(counted, input, "{speaks:?}");
    }
}
