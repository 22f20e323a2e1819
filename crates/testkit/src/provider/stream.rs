//! How a streamed answer becomes chunks: what opens it, one piece per word, what closes it, with
//! the pace and the breaks the prompt asked for. The dialects supply the events.

use super::{
    ask::{Ask, Break},
    bedrock::frame,
};
use crate::answer::{Answer, Chunk, End, Length};
use bytes::Bytes;
use serde_json::Value;
use std::time::Duration;

/// The events of one streamed answer.
pub(super) struct Stream {
    pub(super) framing: Framing,
    pub(super) opening: Vec<Value>,
    pub(super) pieces: Vec<Value>,
    pub(super) closing: Vec<Value>,
    /// The dialect's event for a failure in mid-stream.
    pub(super) error: Value,
}

/// How an event looks on the wire.
#[derive(Clone, Copy)]
pub(super) enum Framing {
    /// `data: …`, and `data: [DONE]` at the end: OpenAI chat.
    DataThenDone,
    /// `event: <type>` and `data: …`: OpenAI responses, Anthropic.
    Named,
    /// `data: …` with CRLF, no end mark: Gemini.
    Crlf,
    /// One document per line: Ollama.
    Lines,
    /// AWS's binary frames; an event is an object whose only key is its type.
    Frames,
}

impl Framing {
    fn event(self, event: &Value) -> Bytes {
        match self {
            Self::DataThenDone => format!("data: {event}\n\n").into(),
            Self::Crlf => format!("data: {event}\r\n\r\n").into(),
            Self::Named => {
                let name = event.get("type").and_then(Value::as_str).unwrap_or("error");
                format!("event: {name}\ndata: {event}\n\n").into()
            }
            Self::Lines => format!("{event}\n").into(),
            Self::Frames => frame::of_event(event).into(),
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::DataThenDone | Self::Named | Self::Crlf => "text/event-stream",
            Self::Lines => "application/x-ndjson",
            Self::Frames => "application/vnd.amazon.eventstream",
        }
    }
}

impl Stream {
    /// The answer, billed piece by piece: reasoning with the opening, the rest evenly.
    pub(super) fn answer(self, ask: &Ask) -> Answer {
        let output_tokens = ask.output_tokens();
        self.answer_billed(ask, output_tokens)
    }

    /// The same for answers whose output is not counted in words.
    pub(super) fn answer_billed(self, ask: &Ask, output_tokens: u64) -> Answer {
        let chunk = |event: &Value, after: Duration, output_tokens: u64| Chunk {
            after,
            bytes: self.framing.event(event),
            output_tokens,
        };
        let mut left = output_tokens;
        let mut chunks = Vec::new();
        let mut reasoning = ask.reasoning_tokens;
        for event in &self.opening {
            chunks.push(chunk(event, Duration::ZERO, reasoning));
            left -= std::mem::take(&mut reasoning);
        }
        let shown = match ask.breaks {
            Some((after, _)) => after.min(self.pieces.len()),
            None => self.pieces.len(),
        };
        let mut to_go = u64::try_from(self.pieces.len()).unwrap_or(u64::MAX);
        for event in self.pieces.iter().take(shown) {
            let share = left / to_go;
            chunks.push(chunk(event, ask.pace, share));
            left -= share;
            to_go -= 1;
        }
        let mut then = End::Clean;
        match ask.breaks {
            None => {
                chunks.extend(
                    self.closing
                        .iter()
                        .map(|event| chunk(event, Duration::ZERO, 0)),
                );
                if matches!(self.framing, Framing::DataThenDone) {
                    chunks.push(Chunk::now("data: [DONE]\n\n"));
                }
            }
            Some((_, Break::Error)) => chunks.push(chunk(&self.error, ask.pace, 0)),
            Some((_, Break::End(end))) => then = end,
        }
        let mut answer = Answer::new(200, self.framing.content_type(), "")
            .length(Length::Chunked)
            .then(then);
        answer.chunks = chunks;
        answer.input_tokens = ask.input_tokens;
        answer.cached_tokens = ask.cached_tokens;
        answer
    }
}
