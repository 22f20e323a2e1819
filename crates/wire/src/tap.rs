//! The tap: reads usage from an answer while its bytes pass by unchanged.
//!
//! Two named edits may be made to a stream, each on whole events only: the usage chunk that we
//! asked for and the client did not is withheld, and the cost is written into the final usage
//! where `report_cost = "body"`. Without them every chunk passes as it came, and is not copied.
//! With them events are passed on as they become whole, in bytes that share the chunk's memory.
//! Frames around another API's events are taken off where the client expects those events bare.
//!
//! What cannot be read is passed on all the same: the client's SDK is the judge of it.

mod blame;
mod body;
mod editor;
mod frames;
mod plain;

pub use blame::{blames_content, blames_request};
pub use body::{insert_cost_in_body, read_body, read_head};
pub use plain::{Plain, answers_in_json, plain};

use crate::{anthropic, bedrock, edit::Edit, gemini, ndjson, objects::Made, ollama, openai, sse};
use blame::Judging;
use bytes::Bytes;
use editor::Editor;
use frames::{Exception, Frames};
use tollgate_core::{format::Format, usage::UsageReport};

/// What is known of an answer while it streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Input tokens as the upstream counted them (cached included), once it has said so.
    pub input_tokens: Option<u64>,
    /// Bytes of answer content seen (visible text, tool arguments, thinking that is streamed word
    /// for word; not thinking summaries, not pings). An estimate of tokens follows from it.
    pub content_bytes: u64,
    /// The first content event was seen: from here on no failover.
    pub started: bool,
    /// The format's own end marker was seen: the stream is whole.
    pub terminal: bool,
    /// The upstream reported an error inside the stream.
    pub failed: bool,
}

/// How a stream is to be edited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamEdits {
    /// Withhold the usage chunk of a chat stream.
    pub withhold_usage: bool,
    /// Write the cost into the final usage.
    pub insert_cost: bool,
}

/// How a stream is cut into events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// One JSON array whose elements are the events (Gemini without `alt=sse`). Never edited.
    JsonArray,
    /// Lines of JSON (Ollama). Never edited.
    Lines,
    /// Frames of an AWS event stream (Bedrock).
    EventStream,
    /// Anthropic's events inside such frames: let out as the server-sent events they stand for,
    /// and edited as those.
    FramedEvents,
}

/// Gives the cost of a finished usage as a decimal string in dollars; `None` when it has none.
pub type Pricer<'a> = &'a mut dyn FnMut(&UsageReport) -> Option<String>;

/// What one event is to the edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    /// Nothing the edits care for.
    Content,
    /// The final (or latest cumulative) usage beside other things: the cost may be written here.
    Usage,
    /// Usage and nothing else (the chat chunk with `choices: []`): may be withheld, or be given
    /// the cost.
    UsageOnly,
    /// The place for the cost of a usage that the next event tells.
    CostPlace,
}

/// A reader of one format's stream.
///
/// Implemented per format; used through [`Tap`].
pub(crate) trait StreamReader: Send {
    /// Takes one complete event: its `event:` name (empty when unnamed) and its joined data.
    /// Malformed data is ignored here: the client's SDK is the judge of it.
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries;

    /// What is known so far.
    fn progress(&self) -> Progress;

    /// The usage so far; `complete` says whether it is final.
    fn report(&self) -> UsageReport;

    /// The stored objects that it has named so far, each once.
    fn made(&self) -> &[Made] {
        &[]
    }

    /// The insertion of `cost` (decimal dollars) into the data of an event that carries usage;
    /// ranges are in `data`. `None` when there is no place for it.
    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit>;
}

/// Reads one streamed answer. Feed it every chunk, then [`Tap::finish`].
pub struct Tap {
    reader: Judging,
    /// Takes frames off before the stream is cut.
    unframer: Option<bedrock::Unframer>,
    cut: Cut,
}

enum Cut {
    Sse(sse::Splitter),
    Array(gemini::ArraySplitter),
    Lines(ndjson::Splitter),
    Frames(Frames),
    Edited(Editor),
}

impl Tap {
    /// A tap for an answer in `format`.
    pub fn new(format: Format, framing: Framing, edits: StreamEdits) -> Self {
        let reader = match format {
            // From embeddings on these do not stream, or not over HTTP; were one to, it would look
            // like chat.
            Format::OpenAiChat
            | Format::OpenAiCompletions
            | Format::MistralFim
            | Format::OpenAiEmbeddings
            | Format::OpenAiModerations
            | Format::OpenAiFiles
            | Format::OpenAiBatches
            | Format::OpenAiRealtime
            | Format::OpenAiResponsesSocket
            | Format::MistralOcr => openai::chat_reader(),
            Format::OpenAiResponses => openai::responses_reader(),
            Format::OpenAiImages => openai::images_reader(),
            Format::OpenAiSpeech => openai::speech_reader(),
            Format::OpenAiTranscription => openai::transcription_reader(),
            Format::AnthropicMessages
            | Format::VertexRawPredict
            | Format::AnthropicBatches
            | Format::AnthropicFiles => anthropic::reader(),
            Format::GeminiGenerate | Format::GeminiEmbed | Format::GeminiLive => gemini::reader(),
            Format::GeminiInteractions => gemini::interactions::reader(),
            Format::OllamaNative => ollama::reader(),
            Format::BedrockConverse => bedrock::converse::reader(),
            Format::BedrockInvoke => bedrock::invoke::reader(),
        };
        let cut = match framing {
            Framing::JsonArray => Cut::Array(gemini::ArraySplitter::default()),
            Framing::Lines => Cut::Lines(ndjson::Splitter::default()),
            Framing::EventStream => Cut::Frames(Frames::new(edits.insert_cost)),
            Framing::Sse | Framing::FramedEvents if edits == StreamEdits::default() => {
                Cut::Sse(sse::Splitter::default())
            }
            Framing::Sse | Framing::FramedEvents => Cut::Edited(Editor::new(edits)),
        };
        Self {
            reader: Judging::new(reader),
            unframer: (framing == Framing::FramedEvents).then(bedrock::Unframer::default),
            cut,
        }
    }

    /// Feeds one chunk as it came from the upstream; pushes to `out` what the client gets now.
    ///
    /// `price` is asked only for events that carry usage, and only when the cost is to be written.
    pub fn feed(&mut self, mut chunk: Bytes, price: Pricer<'_>, out: &mut Vec<Bytes>) {
        if let Some(unframer) = &mut self.unframer {
            let Some(events) = unframer.feed(&chunk) else {
                return;
            };
            chunk = events;
        }
        let reader = &mut self.reader;
        match &mut self.cut {
            Cut::Sse(splitter) => {
                splitter.feed(&chunk, |event| {
                    reader.event(event.name, &event.data);
                });
                out.push(chunk);
            }
            Cut::Array(splitter) => {
                splitter.feed(&chunk, &mut |element| {
                    reader.event(b"", element);
                });
                out.push(chunk);
            }
            Cut::Lines(splitter) => {
                splitter.feed(&chunk, &mut |line| {
                    reader.event(b"", line);
                });
                out.push(chunk);
            }
            Cut::Frames(frames) => frames.feed(chunk, reader, price, out),
            Cut::Edited(editor) => editor.feed(chunk, reader, price, out),
        }
    }

    /// The upstream ended: reads what needs no end of its own, a last line. Once, however often
    /// it is called.
    pub fn read_last(&mut self) {
        if let Cut::Lines(splitter) = &mut self.cut {
            let reader = &mut self.reader;
            splitter.finish(&mut |line| {
                reader.event(b"", line);
            });
        }
    }

    /// The upstream ended: reads the last, and pushes what was still held back. An event that the
    /// end cut off is passed on as it is, and not read.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) {
        self.read_last();
        match &mut self.cut {
            Cut::Sse(_) | Cut::Array(_) | Cut::Lines(_) => {}
            Cut::Frames(frames) => frames.finish(out),
            Cut::Edited(editor) => editor.finish(out),
        }
    }

    /// Whether what the client got so far ends where an event may begin. (A tail that is held back
    /// for an edit was not given to the client yet.)
    pub fn is_between_events(&self) -> bool {
        match &self.cut {
            Cut::Sse(splitter) => splitter.is_between_events(),
            Cut::Array(splitter) => splitter.is_between_elements(),
            Cut::Lines(splitter) => splitter.is_between_lines(),
            Cut::Frames(frames) => frames.is_between_frames(),
            Cut::Edited(editor) => editor.is_between_events(),
        }
    }

    /// What is known so far.
    pub fn progress(&self) -> Progress {
        let mut progress = self.reader.progress();
        progress.failed |= self.exception().is_some();
        progress
    }

    /// The upstream reported an error that is about the request itself: no other would take it.
    pub fn blames_request(&self) -> bool {
        let exception = self.exception();
        exception.map_or(self.reader.blames_request(), |exception| {
            exception.blames_request
        })
    }

    /// The stored objects that it has named so far, each once.
    pub fn made(&self) -> &[Made] {
        self.reader.made()
    }

    /// The usage so far; `complete` says whether it is final.
    pub fn report(&self) -> UsageReport {
        let mut report = self.reader.report();
        report.complete &= self.exception().is_none();
        report
    }

    /// An exception came, which is a frame of its own and no event of the format.
    fn exception(&self) -> Option<Exception> {
        match &self.cut {
            Cut::Frames(frames) => frames.exception(),
            Cut::Sse(_) | Cut::Array(_) | Cut::Lines(_) | Cut::Edited(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
