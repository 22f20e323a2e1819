//! A plausible provider: it speaks the wire formats of every kind of provider well enough for the
//! official SDKs and for coding agents, and it counts tokens by a rule that a test can repeat (see
//! [`ask`]).
//!
//! What it says can be steered from the prompt, so that a client in another language needs no
//! second channel. Directives stand in square brackets in the last user text:
//!
//! | directive | effect |
//! |---|---|
//! | `[words=N]` | an answer of N words |
//! | `[pace=MS]` | milliseconds between the pieces of a stream, and before a whole answer |
//! | `[tool]`, `[tool=NAME]` | calls the first tool offered (so named), once |
//! | `[cached]` | half of the input was read from the cache |
//! | `[think]` | 24 hidden tokens of reasoning |
//! | `[fail=STATUS]` | an error in the dialect, nothing billed |
//! | `[error=N]`, `[cut=N]`, `[reset=N]`, `[stall=N]` | a stream that breaks after N pieces |
//!
//! Where makers differ inside one format (where usage stands, what opens a stream), the first
//! segment of the path says whose manners are asked for: see [`house::House`].

mod anthropic;
mod anthropic_batches;
pub mod ask;
mod bedrock;
mod endpoint;
mod failure;
mod form;
mod gemini;
pub mod house;
mod mistral;
mod ollama;
mod openai_batches;
mod openai_chat;
mod openai_completions;
mod openai_embeddings;
mod openai_media;
mod openai_responses;
mod shelf;
mod stored_responses;
mod stream;
mod vertex;

use crate::{answer::Answer, upstream::Received};
use ask::Ask;
use endpoint::{Call, Does};
use shelf::Shelf;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(crate) use failure::{Dialect, failure};

/// Answers requests in the provider's own wire formats. Clones share what was uploaded.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Between the pieces of a stream, when the prompt names no pace.
    pub pace: Duration,
    shelf: Arc<Mutex<Shelf>>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            pace: Duration::from_millis(1),
            shelf: Arc::default(),
        }
    }
}

impl Provider {
    /// The answer to a request, whatever the base path in front of the API's own.
    pub fn answer(&self, request: &Received) -> Answer {
        let path = request.path();
        let Some(call) = endpoint::call(request) else {
            return failure(Dialect::OpenAi, 404, &format!("no such endpoint: {path}"));
        };
        let answer = match call.does {
            Does::ListModels => endpoint::models(),
            Does::Speak(speak) => self.speak(request, &call, speak),
            Does::Respond => self.speak(request, &call, openai_responses::answer),
            Does::Store(store) => store(&mut self.shelf(), request)
                .unwrap_or_else(|| failure(call.dialect, 404, "no such object")),
        };
        let request_id = match call.dialect {
            Dialect::Bedrock => "x-amzn-requestid",
            Dialect::Anthropic => "request-id",
            Dialect::OpenAi | Dialect::Mistral | Dialect::Google | Dialect::Ollama => {
                "x-request-id"
            }
        };
        answer
            .header(request_id, "req_scripted")
            .header("openai-organization", "org-of-the-operator")
    }

    fn speak(&self, request: &Received, call: &Call, speak: fn(&Ask) -> Answer) -> Answer {
        let Some(ask) = Ask::read(request, call.streams, self.pace) else {
            return failure(call.dialect, 400, "the body is neither JSON nor a form");
        };
        if let Some(status) = ask.fail {
            return failure(call.dialect, status, "the prompt asked for this failure");
        }
        let Does::Respond = call.does else {
            return speak(&ask);
        };
        let mut shelf = self.shelf();
        if !stored_responses::knows_previous(&shelf, &ask) {
            return failure(call.dialect, 400, "previous response not found");
        }
        let ask = Ask {
            serial: shelf.next(),
            ..ask
        };
        stored_responses::keep(&mut shelf, &ask);
        speak(&ask)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
