//! How much a request must hold, when it must hold more, and when it must be cut.
//!
//! Three classes. A **cuttable** stream (the provider stops billing on cancel) holds its input plus
//! a few seconds of output, and more as it goes; refused more, it runs on what it has and is cut
//! with a margin left for the tail. What cannot be cut holds its whole stated **cap**, or, where
//! none is stated, a learned **estimate**.
//!
//! Output grows by what is seen *and by the clock*: hidden reasoning is billed and shows nothing,
//! so time without content counts at the model's learned rate.

use crate::{
    amount::Amount,
    ledger::cover::{Cover, combine},
    money::NanoUsd,
};
use std::time::Duration;

/// What the output of a request can be bounded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Streamed, and the provider stops billing on cancel.
    Cuttable,
    /// Not cuttable; the request states a cap.
    Capped,
    /// Not cuttable; no cap stated.
    Uncapped,
}

impl Class {
    /// The class of a request.
    pub const fn of(streamed: bool, cancel_stops_billing: bool, cap: Option<u64>) -> Self {
        match (streamed && cancel_stops_billing, cap) {
            (true, _) => Self::Cuttable,
            (false, Some(_)) => Self::Capped,
            (false, None) => Self::Uncapped,
        }
    }
}

/// What to do with [`Class::Uncapped`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UncappedPolicy {
    /// Hold the learned 99th percentile, at least 4,096 tokens: may be passed, rarely.
    #[default]
    Estimate,
    /// Hold the model's largest output: cannot be passed, blocks early.
    HoldMax,
    /// Do not serve it.
    Refuse,
}

/// What was learned of a model's output, in tokens; see [`estimate`](super::estimate).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputEstimate {
    /// Nine requests of ten use no more.
    pub p90: u64,
    /// Ninety-nine of a hundred use no more.
    pub p99: u64,
    /// Billed tokens per second of stream that 95 of 100 do not pass.
    pub per_second: u64,
}

/// Everything a hold is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What bounds the output.
    pub class: Class,
    /// The input at its dearest applicable rate, in all three components; `requests` is 1 on a
    /// request's first attempt and 0 on a further one.
    pub input: Amount,
    /// Nano-dollars per million output tokens, the dearest that applies; zero or more.
    pub output_price: NanoUsd,
    /// The stated bound on output tokens per choice, reasoning included.
    pub cap: Option<u64>,
    /// The model's largest output per choice, where it is known.
    pub model_max: Option<u64>,
    /// How many choices are asked for; at least 1. Multiplies every output term.
    pub choices: u64,
    /// What was learned.
    pub learned: OutputEstimate,
    /// What to do without a cap.
    pub uncapped: UncappedPolicy,
    /// No partial cover: the want or nothing. (With it go an input of one token per byte and
    /// [`UncappedPolicy::HoldMax`].)
    pub strict: bool,
}

/// Why there is no cover to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCover {
    /// [`UncappedPolicy::Refuse`].
    #[error("the request bounds its output by nothing: set a maximum of output tokens")]
    Uncapped,
    /// [`UncappedPolicy::HoldMax`] for a model whose largest output is not known.
    #[error("the model's largest output is not known: set a maximum of output tokens")]
    ModelMaxUnknown,
    /// The amount is out of range.
    #[error("the request could cost more than any limit allows: set a smaller maximum of output")]
    TooLarge,
}

/// The least that is held for output without a cap, in tokens.
pub const UNCAPPED_LEAST: u64 = 4_096;
/// The cut margin M and the quantum Q: this many seconds of output, within these tokens.
const SECONDS_AHEAD: u64 = 2;
const AHEAD_LEAST: u64 = 128;
const AHEAD_MOST: u64 = 8_192;

impl Terms {
    /// What to reserve.
    ///
    /// | class | want | floor |
    /// |---|---|---|
    /// | cuttable | input + M + Q | input + M |
    /// | cap stated | input + cap | input + p90 |
    /// | no cap | input + the larger of p99 and 4,096, or the model's largest | input + p90 |
    pub fn cover(&self) -> Result<Cover, NoCover> {
        let (floor, want) = match self.class {
            Class::Cuttable => (self.margin(), self.margin().saturating_add(self.quantum())),
            Class::Capped => {
                let cap = self.bound().unwrap_or(u64::MAX);
                (self.of_choices(self.learned.p90), cap)
            }
            Class::Uncapped => {
                let least = self.learned.p99.max(UNCAPPED_LEAST);
                let want = match (self.uncapped, self.model_max) {
                    (UncappedPolicy::Estimate, _) => least,
                    (UncappedPolicy::HoldMax, Some(most)) => most,
                    (UncappedPolicy::HoldMax, None) => return Err(NoCover::ModelMaxUnknown),
                    (UncappedPolicy::Refuse, _) => return Err(NoCover::Uncapped),
                };
                (self.of_choices(self.learned.p90), self.of_choices(want))
            }
        };
        let want = self.clip(want);
        let floor = if self.strict { want } else { floor.min(want) };
        let (floor, want) = (self.amount(floor), self.amount(want));
        floor
            .zip(want)
            .and_then(|(floor, want)| Cover::new(floor, want))
            .ok_or(NoCover::TooLarge)
    }

    /// Input and this much output; `None` when it is out of range.
    pub fn amount(&self, output_tokens: u64) -> Option<Amount> {
        let tokens = i64::try_from(output_tokens).ok()?;
        let price = i128::from(self.output_price.as_nano());
        let cost = (i128::from(tokens) * price + (PER_MILLION - 1)) / PER_MILLION;
        let output = Amount {
            cost: NanoUsd::from_nano(i64::try_from(cost).ok()?),
            requests: 0,
            tokens,
        };
        self.input.checked_add(output)
    }

    /// The cut margin M: what may still be billed after we cancel, all choices together.
    pub fn margin(&self) -> u64 {
        let ahead = self.learned.per_second.saturating_mul(SECONDS_AHEAD);
        self.of_choices(ahead.clamp(AHEAD_LEAST, AHEAD_MOST))
    }

    /// The quantum Q: what is held ahead beyond the margin, all choices together.
    pub fn quantum(&self) -> u64 {
        self.margin()
    }

    /// What the output of all choices cannot pass, if anything is known that says so.
    fn bound(&self) -> Option<u64> {
        let per_choice = match (self.cap, self.model_max) {
            (Some(cap), Some(most)) => Some(cap.min(most)),
            (cap, most) => cap.or(most),
        };
        per_choice.map(|tokens| self.of_choices(tokens))
    }

    fn clip(&self, tokens: u64) -> u64 {
        self.bound().map_or(tokens, |bound| tokens.min(bound))
    }

    fn of_choices(&self, tokens: u64) -> u64 {
        tokens.saturating_mul(self.choices.max(1))
    }
}

const PER_MILLION: i128 = 1_000_000;

/// What a running request has to do about its hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Steady,
    /// Raise the hold. Refused, it goes on with what it has, unless `cut_if_refused`: then what is
    /// left is needed for the tail, and the upstream is cancelled now.
    Ask {
        /// By how much; tell [`Exposure::raised`] once it is.
        by: Amount,
        /// Whether a refusal ends the stream.
        cut_if_refused: bool,
    },
}

/// The running account of one attempt: what it holds, and what it may have been billed by now.
///
/// Times are since the attempt was sent, by a clock that never goes back.
#[derive(Clone, Debug)]
pub struct Exposure {
    terms: Terms,
    held: Amount,
    seen: u64,
    last_content: Duration,
    /// Earlier stretches without content, each longer than [`GAP`].
    silent: Duration,
}

/// Content comes in bursts; only a longer pause is time in which tokens may be billed unseen.
const GAP: Duration = Duration::from_secs(1);
/// So that a timer set for a moment finds it passed.
const A_LITTLE: Duration = Duration::from_millis(1);

/// More than any limit allows.
const UNPAYABLE: Amount = Amount {
    cost: NanoUsd::MAX,
    requests: 0,
    tokens: i64::MAX,
};

impl Exposure {
    /// An attempt that is being sent, holding what its reservation took.
    pub fn new(terms: Terms, taken: Amount) -> Self {
        Self {
            terms,
            held: taken,
            seen: 0,
            last_content: Duration::ZERO,
            silent: Duration::ZERO,
        }
    }

    /// What it holds.
    pub fn held(&self) -> Amount {
        self.held
    }

    /// So much answer content was seen by now, in tokens, from the start. Thinking and pings are
    /// not content.
    pub fn observe(&mut self, seen: u64, at: Duration) {
        if seen > self.seen {
            self.silent = self.silent.saturating_add(self.pause(at));
            self.last_content = at;
            self.seen = seen;
        }
    }

    /// The output that may have been billed by `at`.
    pub fn accrued(&self, at: Duration) -> u64 {
        let silent = self.silent.saturating_add(self.pause(at));
        let unseen = u128::from(self.per_second()) * silent.as_millis() / 1_000;
        let unseen = u64::try_from(unseen).unwrap_or(u64::MAX);
        self.terms.clip(self.seen.saturating_add(unseen))
    }

    /// What to do at `at`. To be asked when content came and when [`Self::quiet_until`] has passed.
    pub fn step(&self, at: Duration) -> Step {
        let allowance = self.allowance();
        if self.terms.class != Class::Cuttable {
            return Step::Steady;
        }
        let (margin, quantum) = (self.terms.margin(), self.terms.quantum());
        let accrued = self.accrued(at);
        let left = allowance.saturating_sub(accrued);
        let target = accrued.saturating_add(margin).saturating_add(quantum);
        let target = self.terms.clip(target);
        if left >= margin + quantum / 2 || target <= allowance {
            return Step::Steady;
        }
        let to = self.terms.amount(target).unwrap_or(UNPAYABLE);
        Step::Ask {
            by: combine(to, self.held, |to, held| to.saturating_sub(held).max(0)),
            cut_if_refused: left <= margin,
        }
    }

    /// Until when nothing has to be done if no content comes; `None` = whatever happens. After a
    /// refusal the moment has passed: look again a little later.
    pub fn quiet_until(&self) -> Option<Duration> {
        let allowance = self.allowance();
        let paid_in_full = self.terms.bound().is_some_and(|bound| allowance >= bound);
        if self.terms.class != Class::Cuttable || paid_in_full {
            return None;
        }
        let reserve = self.terms.margin() + self.terms.quantum() / 2;
        let ask_at = allowance.saturating_sub(reserve).saturating_add(1);
        let unseen = u128::from(ask_at.saturating_sub(self.seen)) * 1_000;
        let silent = unseen.div_ceil(u128::from(self.per_second().max(1)));
        let silent = Duration::from_millis(u64::try_from(silent).unwrap_or(u64::MAX));
        let pause = silent.saturating_sub(self.silent);
        Some(self.last_content.saturating_add(pause.max(GAP + A_LITTLE)))
    }

    /// The hold was raised.
    pub fn raised(&mut self, by: Amount) {
        self.held = combine(self.held, by, i64::saturating_add);
    }

    /// The upstream told what the input really is, at its real rates: from an estimate it becomes a
    /// fact. Returns what this attempt holds from now on, to which the hold is to be lowered (an
    /// abandoned attempt's part comes on top): the output allowance stays as it was. If the input
    /// is more than was held for it, the allowance shrinks instead, and the next [`Self::step`]
    /// asks for more.
    pub fn true_up(&mut self, input: Amount) -> Amount {
        let allowance = self.allowance();
        let requests = self.terms.input.requests;
        self.terms.input = Amount { requests, ..input };
        if let Some(enough) = self.terms.amount(allowance) {
            self.held = combine(self.held, enough, i64::min);
        }
        self.held
    }

    /// What to settle an attempt at that ended at `at` without a final usage: cut, or its caller
    /// gone. A cuttable stream is charged what its tail can still bill; anything else is taken to
    /// be billed as a whole.
    pub fn unfinished(&self, at: Duration) -> Amount {
        match self.terms.class {
            Class::Cuttable => {
                let output = self.accrued(at).saturating_add(self.terms.margin());
                self.terms
                    .amount(self.terms.clip(output))
                    .unwrap_or(self.held)
            }
            Class::Capped | Class::Uncapped => self.held,
        }
    }

    /// How much output the hold pays for, all choices together.
    fn allowance(&self) -> u64 {
        let left = combine(self.held, self.terms.input, i64::saturating_sub);
        let tokens = u64::try_from(left.tokens).unwrap_or(0);
        let price = i128::from(self.terms.output_price.as_nano());
        if price <= 0 {
            return tokens;
        }
        let paid = i128::from(left.cost.as_nano().max(0)) * PER_MILLION / price;
        tokens.min(u64::try_from(paid).unwrap_or(u64::MAX))
    }

    /// The present stretch without content, once it is long enough to count.
    fn pause(&self, at: Duration) -> Duration {
        let pause = at.saturating_sub(self.last_content);
        if pause > GAP { pause } else { Duration::ZERO }
    }

    fn per_second(&self) -> u64 {
        self.terms.of_choices(self.terms.learned.per_second)
    }
}

#[cfg(test)]
mod tests;
