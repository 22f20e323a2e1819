//! Conversations over WebSockets: what a frame of either side means for money.
//!
//! Frames pass unchanged (but for the model's name where a target maps it). What they mean is told
//! in one vocabulary for the three APIs: the client **asks** for a turn, the server **begins** one
//! (asked for or not: voice detection and steering start turns of their own), says **content**, and
//! **ends** it with a usage. Between turns the client sends **input** that the next turn will read.
//!
//! A turn is told from another by the server's key for it; asks wait in lanes, first in, first out.

mod live;
mod realtime;
mod responses;

use crate::facts::RequestFacts;
use std::ops::Range;
use tollgate_core::{
    error::Error,
    format::Format,
    usage::{ExtraUsage, UsageReport},
};

/// What a client's frame means.
#[derive(Clone, Debug, PartialEq)]
pub enum FromClient {
    /// Nothing for the ledger.
    Pass,
    /// Names the model of the whole conversation, before anything else may be asked.
    Names(Named),
    /// Asks for a turn, on a lane. The facts of one that names no model are of the conversation's.
    Asks {
        /// Where it waits for the server to begin it.
        lane: String,
        /// The client's own id of the frame: an error that names it is about this ask.
        event: Option<String>,
        /// What it asks for; input of earlier frames is not in it.
        facts: Box<RequestFacts>,
    },
    /// The next turns will read this.
    Adds {
        /// How much it is.
        input: Input,
        /// A model that will work beside the conversation's, and is billed for it.
        other_model: Option<String>,
    },
}

/// A model as a frame names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name, without what Google puts before it (`models/`, a project and a location).
    pub model: String,
    /// Where the name stands in the frame, with what stands before it and without quotes.
    pub span: Range<usize>,
    /// What the set-up adds to every turn's input.
    pub input: Input,
    /// The bound on every turn's output.
    pub output_cap: Option<u64>,
}

/// Input that waits for a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// UTF-8 bytes of text.
    pub text_bytes: u64,
    /// A bound in tokens for sound and pictures.
    pub media_tokens: u64,
}

/// What a server's frame means.
#[derive(Clone, Debug, PartialEq)]
pub enum FromServer {
    /// Nothing for the ledger.
    Pass,
    /// A turn has begun: the oldest ask of the lane, or one that nobody asked for.
    Begins {
        /// Whose ask it is.
        lane: String,
        /// The server's key of the turn.
        turn: String,
    },
    /// A turn goes on.
    Says {
        /// Which.
        turn: String,
        /// Content, in bytes of text that stand for as many tokens.
        bytes: u64,
    },
    /// A turn has ended.
    Ends {
        /// Which.
        turn: String,
        /// What it used; not complete when the server did not say.
        report: Box<UsageReport>,
    },
    /// An ask was refused, or a turn that ran has failed: no more will come of it.
    Refuses {
        /// On which lane, if that is told.
        lane: Option<String>,
        /// Which frame of the client, if that is told: no other ask is meant.
        event: Option<String>,
    },
    /// The provider does not take our credential: what it says is not the client's to see.
    Rejects,
    /// Something billed beside the turns (the transcription of what was heard).
    Bills(Box<ExtraUsage>),
}

/// A reader of both sides of one conversation.
pub trait Conversation: Send {
    /// Reads a frame of the client.
    ///
    /// # Errors
    /// [`tollgate_core::error::Kind::BadRequest`] for a frame that must not be passed on, because
    /// nobody could say what it would cost.
    fn client(&mut self, frame: &[u8]) -> Result<FromClient, Error>;

    /// Reads a frame of the server. What cannot be read passes.
    fn server(&mut self, frame: &[u8]) -> FromServer;

    /// The protocol's own frame for an error of ours, about an ask of this lane.
    fn error_frame(&self, error: &Error, lane: &str) -> Vec<u8>;
}

/// The reader of a format, for a conversation with this model (empty where a frame will name it);
/// `None` for a format that is not spoken over a WebSocket.
pub fn conversation(format: Format, model: &str) -> Option<Box<dyn Conversation>> {
    match format {
        Format::OpenAiRealtime => Some(Box::new(realtime::Realtime::new(model))),
        Format::OpenAiResponsesSocket => Some(Box::new(responses::Responses)),
        Format::GeminiLive => Some(Box::<live::Live>::default()),
        _ => None,
    }
}

/// Bytes of sound that stand for one byte of text when output is counted as it passes: at 8 kHz and
/// one byte a sample, the thinnest sound there is, a token is 400 bytes, and half as many bytes of
/// text as tokens is where the estimate starts.
const SOUND_BYTES_PER_TEXT_BYTE: u64 = 200;

/// Bytes of the thinnest sound (8 kHz, one byte a sample) in one token of input (100 ms).
const SOUND_BYTES_PER_INPUT_TOKEN: u64 = 800;

/// What a provider says of a key that it does not take.
const BAD_KEY: &str = "invalid_api_key";

/// Bytes behind so many characters of base64.
fn base64_bytes(characters: usize) -> u64 {
    u64::try_from(characters).unwrap_or(u64::MAX) / 4 * 3
}

/// A bound in tokens for sound that was sent as base64.
fn sound_tokens(characters: usize) -> u64 {
    base64_bytes(characters).div_ceil(SOUND_BYTES_PER_INPUT_TOKEN)
}

/// Sound that was heard, as bytes of text.
fn sound_as_text(characters: usize) -> u64 {
    base64_bytes(characters).div_ceil(SOUND_BYTES_PER_TEXT_BYTE)
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
