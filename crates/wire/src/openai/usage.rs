//! What an answer used.

mod audio;
mod chat;
mod content;
mod cost;
mod embeddings;
mod images;
mod moderations;
mod responses;

pub(crate) use audio::{speech_reader, transcription_reader, transcription_usage};
pub(crate) use chat::{chat_reader, chat_usage};
pub(crate) use cost::Cost;
pub(crate) use embeddings::embeddings_usage;
pub(crate) use images::{images_reader, images_usage};
pub(crate) use moderations::moderations_usage;
pub(crate) use responses::{responses_reader, responses_usage};

use crate::json::Text;

/// What an answer says of itself beside its usage; the last that is said counts.
#[derive(Clone, Debug, Default)]
struct About {
    model: Option<String>,
    service_tier: Option<String>,
}

impl About {
    fn note(&mut self, model: Option<&Text<'_>>, service_tier: Option<&Text<'_>>) {
        // Azure's first chunk has an empty model; most chunks repeat what is known.
        note(&mut self.model, model);
        note(&mut self.service_tier, service_tier);
    }

    fn context(&self) -> Vec<(&'static str, String)> {
        self.service_tier
            .iter()
            .map(|tier| ("service_tier", tier.clone()))
            .collect()
    }
}

fn note(known: &mut Option<String>, said: Option<&Text<'_>>) {
    if let Some(Text(said)) = said
        && !said.is_empty()
        && known.as_deref() != Some(said)
    {
        *known = Some(said.to_string());
    }
}

#[cfg(test)]
mod tests;
