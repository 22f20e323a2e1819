//! The turns of one conversation: each is an exchange of its own, with its own hold and its own
//! record. What is asked for waits in lanes; what runs is told apart by the server's key.

use crate::{
    exchange::{Ending, Exchange},
    objects,
    reserve::Reservation,
};
use std::collections::{HashMap, VecDeque};
use tokio::time::Instant;
use tollgate_core::{
    error::Error, id::ProviderId, ledger::Refusal, unit::Unit, usage::UsageReport,
};
use tollgate_wire::{facts::RequestFacts, objects::Made, socket::Input};

/// The most turns asked for and running at once (OpenAI allows sixteen).
const TURNS_MAX: usize = 64;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Turns {
    asked: HashMap<String, VecDeque<Asked>>,
    running: HashMap<String, Running>,
    /// What the model has read and said so far, and will read again.
    context_tokens: u64,
    /// What was sent since, for the next turn.
    waiting: Input,
    /// The model last asked for on a lane: its successors are of the same.
    models: HashMap<String, String>,
}

/// A turn that the server has not begun.
struct Asked {
    exchange: Box<Exchange>,
    /// The client's own id of its frame.
    event: Option<String>,
}

struct Running {
    exchange: Box<Exchange>,
    content_bytes: u64,
}

impl Turns {
    /// More input for the next turn; gives what waited before.
    pub(super) fn add(&mut self, input: Input) -> Input {
        let before = self.waiting;
        let waiting = &mut self.waiting;
        waiting.text_bytes = waiting.text_bytes.saturating_add(input.text_bytes);
        waiting.media_tokens = waiting.media_tokens.saturating_add(input.media_tokens);
        before
    }

    /// What was added did not go upstream.
    pub(super) fn put_back(&mut self, before: Input) {
        self.waiting = before;
    }

    /// What a turn will read that its own frame does not show.
    pub(super) fn with_context(&self, facts: &mut RequestFacts) {
        let Input {
            text_bytes,
            media_tokens,
        } = self.waiting;
        facts.text_bytes = facts.text_bytes.saturating_add(text_bytes);
        facts.media_tokens = facts
            .media_tokens
            .saturating_add(media_tokens)
            .saturating_add(self.context_tokens);
    }

    /// Whether one more may be asked for.
    pub(super) fn has_room(&self) -> bool {
        let asked: usize = self.asked.values().map(VecDeque::len).sum();
        asked.saturating_add(self.running.len()) < TURNS_MAX
    }

    /// A turn is asked for; its hold stands.
    pub(super) fn ask(&mut self, lane: String, event: Option<String>, exchange: Exchange) {
        self.waiting = Input::default();
        if self.models.len() < TURNS_MAX {
            let model = exchange.record.model_asked.clone();
            self.models.insert(lane.clone(), model);
        }
        self.asked.entry(lane).or_default().push_back(Asked {
            exchange: Box::new(exchange),
            event,
        });
    }

    /// The model last asked for on this lane.
    pub(super) fn model_of(&self, lane: &str) -> Option<&str> {
        self.models.get(lane).map(String::as_str)
    }

    /// The server has begun what was asked for first in this lane; false when nobody asked.
    pub(super) fn begin(&mut self, lane: &str, turn: &str) -> bool {
        let asked = self.asked.get_mut(lane).and_then(VecDeque::pop_front);
        let Some(asked) = asked else {
            return false;
        };
        self.run(turn.to_owned(), asked.exchange);
        true
    }

    /// A turn that nobody asked for runs.
    pub(super) fn run(&mut self, turn: String, mut exchange: Box<Exchange>) {
        exchange.answered(200);
        let begun = Running {
            exchange,
            content_bytes: 0,
        };
        if let Some(mut before) = self.running.insert(turn, begun) {
            // The server began the same turn twice: what became of the first nobody knows.
            before.exchange.close();
        }
    }

    /// The server refuses something. What it refuses costs nothing if it had not begun: the ask that
    /// the error names, else the first of its lane, else the only one there is. Where nothing of the
    /// lane waits, the turn that runs there has failed, and is settled as seen.
    pub(super) fn refused(&mut self, lane: Option<&str>, event: Option<&str>) {
        let lane = lane.unwrap_or_default();
        let found = match event {
            Some(event) => self.named(event),
            None => self.first_of(lane),
        };
        if let Some(asked) = found {
            let mut exchange = asked.exchange;
            exchange.ending = Ending::Refused;
            exchange.close();
        } else if event.is_none()
            && let Some(mut running) = self.running.remove(lane)
        {
            running.exchange.close();
        }
    }

    fn named(&mut self, event: &str) -> Option<Asked> {
        let is_it = |asked: &Asked| asked.event.as_deref() == Some(event);
        self.asked.values_mut().find_map(|lane| {
            let at = lane.iter().position(is_it)?;
            lane.remove(at)
        })
    }

    fn first_of(&mut self, lane: &str) -> Option<Asked> {
        let first = self.asked.get_mut(lane).and_then(VecDeque::pop_front);
        if first.is_some() || self.running.contains_key(lane) {
            return first;
        }
        let mut waiting = self.asked.values_mut().filter(|lane| !lane.is_empty());
        match (waiting.next(), waiting.next()) {
            (Some(only), None) => only.pop_front(),
            _ => None,
        }
    }

    /// A turn goes on.
    ///
    /// # Errors
    /// The refusal of a limit that ends it.
    pub(super) fn says(&mut self, turn: &str, bytes: u64) -> Result<(), Refusal> {
        let Some(running) = self.running.get_mut(turn) else {
            return Ok(());
        };
        running.content_bytes = running.content_bytes.saturating_add(bytes);
        let content_bytes = running.content_bytes;
        let held = running.exchange.reservation.as_mut();
        held.map_or(Ok(()), |held| held.observe(content_bytes))
    }

    /// What waited is read by a turn that the server began by itself.
    pub(super) fn heard(&mut self) {
        self.waiting = Input::default();
    }

    /// What a turn has made at its provider is its project's.
    pub(super) fn note(&mut self, turn: &str, home: ProviderId, made: &[Made]) {
        if let Some(running) = self.running.get_mut(turn) {
            running.exchange.served_by = Some(home);
            objects::note(&mut running.exchange, made);
        }
    }

    /// A turn has ended; false when it was not running.
    pub(super) fn end(&mut self, turn: &str, report: UsageReport) -> bool {
        if let Some(usage) = &report.usage {
            self.context_tokens = usage
                .get(Unit::InputTokens)
                .saturating_add(usage.get(Unit::OutputTokens));
        }
        let Some(mut running) = self.running.remove(turn) else {
            return false;
        };
        running.exchange.ending = Ending::Reported(Box::new(report));
        running.exchange.close();
        true
    }

    /// When the clock has to be looked at, if no content comes.
    pub(super) fn quiet_until(&self) -> Option<Instant> {
        let held = self
            .exchanges()
            .filter_map(|exchange| exchange.reservation.as_ref());
        held.filter_map(Reservation::quiet_until).min()
    }

    /// Tops up what runs in silence.
    ///
    /// # Errors
    /// The refusal of a limit that ends the conversation.
    pub(super) fn top_up(&mut self) -> Result<(), Refusal> {
        let asked = self.asked.values_mut().flatten();
        let asked = asked.map(|asked| &mut asked.exchange);
        let running = self
            .running
            .values_mut()
            .map(|running| &mut running.exchange);
        for exchange in asked.chain(running) {
            if let Some(held) = &mut exchange.reservation {
                held.top_up()?;
            }
        }
        Ok(())
    }

    /// The conversation is over: what still runs is settled as seen. `error` is ours, if one ended
    /// it.
    pub(super) fn close(&mut self, error: Option<&Error>) {
        let asked = self.asked.drain().flat_map(|(_, lane)| lane);
        let asked = asked.map(|asked| asked.exchange);
        let running = self.running.drain().map(|(_, running)| running.exchange);
        for mut exchange in asked.chain(running) {
            if let Some(error) = error {
                exchange.failed(error);
            }
            exchange.close();
        }
    }

    fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        let asked = self.asked.values().flatten().map(|asked| &*asked.exchange);
        let running = self.running.values().map(|running| &*running.exchange);
        asked.chain(running)
    }
}
