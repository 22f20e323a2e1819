//! OpenAI's dialects: chat and text completions, responses, embeddings, images, audio, moderations,
//! as OpenAI and the many servers that imitate it speak them.
//!
//! `request` reads what is asked, `usage` what an answer used. Two facts shape both: a chat
//! stream reports usage only when asked to (and at some providers in a place of its own), and the
//! final event of a Responses stream repeats the whole answer.

mod request;
mod usage;

pub(crate) use request::{
    chat_facts, completions_facts, embeddings_facts, images_facts, moderations_facts,
    responses_facts, speech_facts, transcription_facts,
};
pub(crate) use usage::{
    Cost, chat_reader, chat_usage, embeddings_usage, images_reader, images_usage,
    moderations_usage, responses_reader, responses_usage, speech_reader, transcription_reader,
    transcription_usage,
};

use crate::{edit::Edit, json};

/// The insertion of the cost into a whole answer.
pub(crate) fn cost_edit(body: &[u8], cost: &str) -> Option<Edit> {
    json::cost_edit(body, &["usage"], cost)
}
