//! Whose fault an error is that came in a stream, or as a whole answer with a good status: the
//! request's own, which no other upstream would take either, or the upstream's.

use super::{Carries, Progress, StreamReader};
use crate::{edit::Edit, objects::Made};
use memchr::memmem;
use tollgate_core::usage::UsageReport;

/// Words of errors about the request, as JSON strings: a type or a code.
const ABOUT_REQUEST: [&str; 2] = ["\"invalid_request_error\"", "\"invalid_prompt\""];

/// The same of errors about its content: `OpenRouter`'s flagged input, a content policy.
const ABOUT_CONTENT: [&str; 3] = [
    "\"flagged_input\"",
    "\"content_filter\"",
    "\"content_policy_violation\"",
];

/// Bedrock's word for it, which names the frame and does not stand in its payload.
const EXCEPTION_ABOUT_REQUEST: &[u8] = b"validationException";

/// Whether an error is about the request itself, so that no other upstream would take it.
pub fn blames_request(error: &[u8]) -> bool {
    blames_content(error) || says(error, &ABOUT_REQUEST)
}

/// Whether an error is about what the request says, and not about who sends it.
pub fn blames_content(error: &[u8]) -> bool {
    says(error, &ABOUT_CONTENT)
}

fn says(error: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| memmem::find(error, word.as_bytes()).is_some())
}

/// The same of an exception among the frames of an event stream, by its name.
pub(super) fn exception_blames_request(name: &[u8]) -> bool {
    name == EXCEPTION_ABOUT_REQUEST
}

/// A reader that looks at the event in which its stream failed.
pub(super) struct Judging {
    reader: Box<dyn StreamReader>,
    failed: bool,
    blames_request: bool,
}

impl Judging {
    pub(super) fn new(reader: Box<dyn StreamReader>) -> Self {
        Self {
            reader,
            failed: false,
            blames_request: false,
        }
    }

    /// Whether its error is about the request.
    pub(super) fn blames_request(&self) -> bool {
        self.blames_request
    }
}

impl StreamReader for Judging {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries {
        let carries = self.reader.event(name, data);
        if !self.failed && self.reader.progress().failed {
            self.failed = true;
            self.blames_request = blames_request(data);
        }
        carries
    }

    fn progress(&self) -> Progress {
        self.reader.progress()
    }

    fn report(&self) -> UsageReport {
        self.reader.report()
    }

    fn made(&self) -> &[Made] {
        self.reader.made()
    }

    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit> {
        self.reader.cost_edit(data, cost)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        event_stream,
        tap::{Framing, StreamEdits, Tap},
    };
    use bytes::Bytes;
    use tollgate_core::format::Format;

    /// Whether the stream failed, and whether that is about the request.
    fn after(format: Format, framing: Framing, stream: &[u8]) -> (bool, bool) {
        let mut tap = Tap::new(format, framing, StreamEdits::default());
        // An error may come in pieces.
        for piece in stream.chunks(7) {
            let piece = Bytes::copy_from_slice(piece);
            tap.feed(piece, &mut |_| None, &mut Vec::new());
        }
        (tap.progress().failed, tap.blames_request())
    }

    #[test]
    fn an_error_event_about_the_request_is_told_from_one_of_the_upstreams_own() {
        let told = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\
                    \"\\\"invalid_prompt\\\"\"}}]}\n\n";
        for (kind, blames_request) in [
            ("invalid_request_error", true),
            ("content_filter", true),
            ("server_error", false),
        ] {
            let event = format!("{told}data: {{\"error\":{{\"type\":\"{kind}\"}}}}\n\n");
            let failed = after(Format::OpenAiChat, Framing::Sse, event.as_bytes());
            assert_eq!(failed, (true, blames_request), "{kind}");
        }
        let healthy = after(Format::OpenAiChat, Framing::Sse, told.as_bytes());
        assert_eq!(healthy, (false, false));
    }

    #[test]
    fn bedrocks_exceptions_are_judged_by_their_names_framed_or_not() {
        for (name, blames_request) in [
            ("validationException", true),
            ("throttlingException", false),
            ("internalServerException", false),
        ] {
            let frame = event_stream::exception(name, br#"{"message":"no"}"#);
            for (format, framing) in [
                (Format::BedrockConverse, Framing::EventStream),
                (Format::AnthropicMessages, Framing::FramedEvents),
            ] {
                let failed = after(format, framing, &frame);
                assert_eq!(failed, (true, blames_request), "{name}");
            }
        }
    }
}
