//! What both ways of a conversation share: what its frames mean, the turns, and what stands in for
//! turns that nobody asks for.

use super::{seat::Seat, standing::Standing, turns::Turns};
use tollgate_core::error::Error;
use tollgate_wire::{
    facts::RequestFacts,
    socket::{Conversation, Input},
};

/// See the [module](self).
pub(super) struct State {
    pub(super) conversation: Box<dyn Conversation>,
    pub(super) turns: Turns,
    pub(super) standing: Standing,
    /// The models of turns that have begun unasked and whose holds are being asked for.
    pub(super) beginning: Vec<String>,
    /// The model of turns that name none, as the client names it.
    pub(super) model: String,
    pub(super) output_cap: Option<u64>,
}

impl State {
    /// More input for the next turn, if there is room for a turn with it; and, if it wants another
    /// model to work beside, if that may be used and has a price.
    pub(super) fn add(
        &mut self,
        seat: &Seat,
        input: Input,
        other: Option<String>,
    ) -> Result<(), Error> {
        if let Some(model) = other {
            let facts = RequestFacts { model, ..bare() };
            seat.planned(&self.standing.exchange, &facts)?;
        }
        let before = self.turns.add(input);
        self.cover(seat)
            .inspect_err(|_| self.turns.put_back(before))
    }

    /// Holds what a turn that begins by itself would cost now.
    pub(super) fn cover(&mut self, seat: &Seat) -> Result<(), Error> {
        let mut facts = bare();
        self.complete(&mut facts);
        if facts.model.is_empty() {
            // No turn begins by itself before a first one was asked for, which names the model.
            return Ok(());
        }
        self.standing.cover(seat, &facts)
    }

    /// Adds what the conversation knows of its next turn.
    pub(super) fn complete(&self, facts: &mut RequestFacts) {
        self.turns.with_context(facts);
        if facts.model.is_empty() {
            facts.model.clone_from(&self.model);
        }
        facts.output_cap = facts.output_cap.or(self.output_cap);
    }
}

/// A turn that shows nothing of itself.
pub(super) fn bare() -> RequestFacts {
    RequestFacts {
        stream: true,
        choices: 1,
        ..RequestFacts::default()
    }
}
