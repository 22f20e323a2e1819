//! Upper bounds for holds: what so many tokens can cost at most, whatever they turn out to be.

use super::{
    card::{Rates, UnitRate},
    lattice::{Node, node},
    model::ModelPricing,
    rate::Rate,
};
use crate::{
    clock::Timestamp,
    money::NanoUsd,
    unit::{Direction, Unit},
    usage::Usage,
};

/// The dearest cache write a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheWrite {
    /// None. Where the provider writes unasked, the write is in the bound nevertheless.
    #[default]
    No,
    /// For the usual few minutes.
    Short,
    /// For an hour or longer.
    Long,
}

/// What is known of the input before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputKind {
    /// The dearest cache write asked for.
    pub cache_write: CacheWrite,
    /// There may be images, audio or video in it.
    pub media: bool,
}

impl InputKind {
    /// Anything the model can read, cached for as long as can be: the dearest there is.
    pub const ANY: Self = Self {
        cache_write: CacheWrite::Long,
        media: true,
    };
}

/// The dearest token rates of one request, by its size. Made once per request and attempt; then a
/// bound is two multiplications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRates {
    /// Ascending by `above`; the first holds from the first token on.
    steps: Box<[Step]>,
    /// What the request costs before its first token, per thousand requests.
    request: Rate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// Holds for requests of more input tokens than this.
    above: u64,
    input: Rate,
    output: Rate,
}

/// Tokens times attodollars per million tokens in a nano-dollar.
const SCALE: u128 = 1_000_000_000_000_000;
/// One request, where tokens are counted by the million and requests by the thousand.
const REQUEST: u64 = 1_000;

impl ModelPricing {
    /// The dearest rates of a request made at `at` in `context`, with input of this kind.
    ///
    /// Output counts as the dearest kind the model produces. Characters, seconds, pages, images
    /// and searches are not tokens: what they can cost is the [`Self::cost`] of their largest
    /// number.
    pub fn token_rates(
        &self,
        context: &[(&str, String)],
        input: InputKind,
        at: Timestamp,
    ) -> TokenRates {
        let rates = self.rates(context, at);
        let writes_unasked = !self.writes_caches_only_when_asked();
        let priced: Vec<&Node> = rates
            .priced()
            .iter()
            .map(node)
            .filter(|node| node.is_token && input.allows(node, writes_unasked))
            .collect();
        let mut starts = vec![0];
        starts.extend(
            priced
                .iter()
                .filter_map(|node| rates.get(node.unit))
                .flat_map(UnitRate::starts),
        );
        starts.sort_unstable();
        starts.dedup();
        let steps = starts.into_iter().map(|above| Step {
            above,
            input: dearest(&rates, &priced, Direction::Input, above),
            output: dearest(&rates, &priced, Direction::Output, above),
        });
        TokenRates {
            steps: steps.collect(),
            request: rates
                .get(Unit::Requests)
                .map_or(Rate::ZERO, |rate| rate.dearest_up_to(u64::MAX)),
        }
    }

    /// What these characters, seconds and the like cost at most: what [`TokenRates`] leave out. The
    /// largest amount when past the range.
    pub fn bound_beside_tokens(
        &self,
        counted: &Usage,
        context: &[(&str, String)],
        at: Timestamp,
    ) -> NanoUsd {
        if counted.is_none() {
            return NanoUsd::ZERO;
        }
        let cost = self.cost(counted, context, at);
        cost.map_or(NanoUsd::MAX, |cost| cost.total)
    }

    /// Whether these counts are all that the request costs: nothing else has a rate.
    pub fn is_priced_by(&self, counted: &Usage, context: &[(&str, String)], at: Timestamp) -> bool {
        let rates = self.rates(context, at);
        let mut priced = rates.priced().iter();
        priced.all(|unit| counted.get(unit) > 0)
    }

    /// Claude writes caches where `cache_control` asks for it; others that charge for writes (GPT
    /// from 5.6 on) write on their own.
    fn writes_caches_only_when_asked(&self) -> bool {
        self.model_id().is_some_and(|id| id.contains("claude"))
    }
}

fn dearest(rates: &Rates<'_>, priced: &[&Node], side: Direction, above: u64) -> Rate {
    priced
        .iter()
        .filter(|node| node.unit.direction() == Some(side))
        .filter_map(|node| rates.get(node.unit))
        .map(|rate| rate.dearest_up_to(above.saturating_add(1)))
        .max()
        .unwrap_or(Rate::ZERO)
}

impl InputKind {
    /// Whether tokens of this unit can be among the input. Output is not restricted.
    fn allows(self, node: &Node, writes_unasked: bool) -> bool {
        if node.unit.direction() == Some(Direction::Output) {
            return true;
        }
        let (is_write, is_long) = (node.is_cache_write, node.is_long_cache_write);
        let writable = match self.cache_write {
            CacheWrite::No => !is_write || (writes_unasked && !is_long),
            CacheWrite::Short => !is_long,
            CacheWrite::Long => true,
        };
        writable && (self.media || !node.is_media())
    }
}

impl TokenRates {
    /// What so many tokens cost at most, rounded up; the largest amount when past the range.
    ///
    /// Never below [`ModelPricing::cost`] of any usage with at most these totals whose input is of
    /// the stated kind.
    pub fn bound(&self, input_tokens: u64, output_tokens: u64) -> NanoUsd {
        let step = self.step(input_tokens);
        let of = |rate: Rate, tokens: u64| rate.as_atto().saturating_mul(u128::from(tokens));
        let exact = of(step.input, input_tokens)
            .saturating_add(of(step.output, output_tokens))
            .saturating_add(of(self.request, REQUEST));
        i64::try_from(exact.div_ceil(SCALE)).map_or(NanoUsd::MAX, NanoUsd::from_nano)
    }

    /// Nano-dollars per million input tokens, the dearest in a request of at most `input_tokens`.
    pub fn input_per_million(&self, input_tokens: u64) -> NanoUsd {
        self.step(input_tokens).input.round_up()
    }

    /// Nano-dollars per million output tokens, the dearest in a request of at most `input_tokens`.
    pub fn output_per_million(&self, input_tokens: u64) -> NanoUsd {
        self.step(input_tokens).output.round_up()
    }

    fn step(&self, input_tokens: u64) -> Step {
        let reached = self
            .steps
            .iter()
            .rev()
            .find(|step| input_tokens > step.above);
        let none = Step {
            above: 0,
            input: Rate::ZERO,
            output: Rate::ZERO,
        };
        reached.or(self.steps.first()).copied().unwrap_or(none)
    }
}
