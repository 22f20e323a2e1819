//! Answers as providers send them: `crates/wire/fixtures`.

use bytes::Bytes;
use serde_json::Value;
use tollgate_testkit::{Answer, Chunk, Length};

/// What the recorded answers answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Chat,
    Responses,
    Messages,
    Gemini,
}

/// A whole answer of one of these endpoints.
pub(super) struct Fixture {
    pub(super) id: String,
    pub(super) endpoint: Endpoint,
    pub(super) stream: bool,
    pub(super) content_type: String,
    pub(super) body: String,
}

/// All of them.
pub(super) fn whole_answers() -> Vec<Fixture> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../wire/fixtures");
    let index = std::fs::read_to_string(format!("{directory}/index.json")).unwrap();
    let index: Value = serde_json::from_str(&index).unwrap();
    let entries = index["fixtures"].as_array().unwrap().iter();
    entries
        .filter_map(|entry| fixture(directory, entry))
        .collect()
}

fn fixture(directory: &str, entry: &Value) -> Option<Fixture> {
    let word = |key: &str| entry[key].as_str().unwrap();
    let endpoint = match word("api") {
        "openai.chat" => Endpoint::Chat,
        "openai.responses" => Endpoint::Responses,
        "anthropic.messages" => Endpoint::Messages,
        "google.generate_content" => Endpoint::Gemini,
        _ => return None,
    };
    if entry["expected"]["complete"] != true {
        return None;
    }
    Some(Fixture {
        id: word("id").to_owned(),
        endpoint,
        stream: word("framing") != "json",
        content_type: word("content_type").to_owned(),
        body: std::fs::read_to_string(format!("{directory}/{}", word("file"))).unwrap(),
    })
}

impl Fixture {
    /// The answer in pieces of these sizes, over and over.
    pub(super) fn answer(&self, sizes: &[usize]) -> Answer {
        let mut rest = Bytes::copy_from_slice(self.body.as_bytes());
        let mut answer = Answer::new(200, &self.content_type, "").length(Length::Chunked);
        answer.chunks.clear();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let piece = rest.split_to((*size).clamp(1, rest.len()));
            answer.chunks.push(Chunk::now(piece));
        }
        answer
    }

    /// The body without the events that report usage and nothing else.
    pub(super) fn without_usage_events(&self) -> String {
        let reports_only = |event: &str| {
            let data = event.strip_prefix("data: ").unwrap_or_default();
            let data: Value = serde_json::from_str(data).unwrap_or_default();
            data["choices"] == serde_json::json!([]) && data["usage"].is_object()
        };
        let events = self.body.split_inclusive("\n\n");
        events.filter(|event| !reports_only(event)).collect()
    }
}
