//! The order in which a group's targets are tried.
//!
//! Those that are in before those that are out (these by their return: a target is never dropped
//! for its health); then by priority; then those with a weight before those with none; then by a
//! score that wins with the target's share of the weights. The score is drawn anew for each
//! request, or, where the request has an affinity, follows from it and the provider alone: this is
//! weighted rendezvous hashing, by which a target that comes or goes moves no session but its own.

use super::{Attempt, Wanted, resolve::speaks};
use std::sync::Arc;
use tokio::time::Instant;
use tollgate_core::{
    error::{Error, Kind},
    id::ProviderId,
    provider::{Provider, ProviderKind},
    route::{RoutingGroup, Target},
    snapshot::OrganizationSnapshot,
};

/// What decides between targets that would do.
pub(crate) struct Chance<'c> {
    /// What the request shares with those whose prompts may be cached.
    pub(crate) affinity: Option<&'c [u8]>,
    /// An even draw from all 32-bit numbers.
    pub(crate) draw: &'c mut dyn FnMut() -> u32,
    /// Until when a provider is out; `None` when it is in.
    pub(crate) out_until: &'c dyn Fn(ProviderId) -> Option<Instant>,
}

/// The group's targets that can serve the request, in the order to try them; never none.
///
/// # Errors
/// [`Kind::UnknownRoute`], naming for each target why it cannot.
pub(super) fn ordered(
    org: &OrganizationSnapshot,
    group: &RoutingGroup,
    wanted: Wanted<'_>,
    chance: &mut Chance<'_>,
) -> Result<Vec<Attempt>, Error> {
    let targets = group.targets.iter().filter_map(|target| {
        let provider = org.providers.get(&target.provider)?;
        Some((target, provider))
    });
    let real = targets
        .clone()
        .any(|(_, provider)| provider.kind != ProviderKind::Simulated);
    let mut able = Vec::with_capacity(group.targets.len());
    let mut unable = Vec::new();
    for (target, provider) in targets {
        match why_not(provider, wanted, real) {
            None => able.push((rank(target, provider, chance), target, provider)),
            Some(reason) => unable.push(format!("`{}` {reason}", provider.slug)),
        }
    }
    if able.is_empty() {
        return Err(nobody(group, wanted, &unable));
    }
    able.sort_by(|(one, ..), (other, ..)| one.compare(other));
    Ok(able
        .into_iter()
        .map(|(_, target, provider)| Attempt {
            provider: Arc::clone(provider),
            model: sent_model(target, wanted.model).to_owned(),
        })
        .collect())
}

/// Why a target cannot serve the request at all.
fn why_not(provider: &Provider, wanted: Wanted<'_>, real: bool) -> Option<String> {
    if real && provider.kind == ProviderKind::Simulated {
        return Some("is simulated, and nothing falls back to that".to_owned());
    }
    (!speaks(provider, wanted)).then(|| {
        let (kind, format) = (provider.kind.as_str(), wanted.format.as_str());
        if provider.kind.formats().contains(&wanted.format) {
            let operation = wanted.operation.as_str();
            return format!("({kind}) does not offer {operation} in {format}");
        }
        format!("({kind}) does not speak {format}")
    })
}

fn nobody(group: &RoutingGroup, wanted: Wanted<'_>, unable: &[String]) -> Error {
    let reasons = if unable.is_empty() {
        "it has none".to_owned()
    } else {
        unable.join("; ")
    };
    Error::new(
        Kind::UnknownRoute,
        format!(
            "no target of the routing group `{}` can serve {}: {reasons}; use another route or \
             endpoint",
            group.slug,
            wanted.format.as_str()
        ),
    )
}

/// The model as the target names it.
fn sent_model<'m>(target: &'m Target, asked: &'m str) -> &'m str {
    let mapped = target.models.iter().find(|(from, _)| from == asked);
    mapped.map_or(asked, |(_, to)| to)
}

/// What a target is ordered by; the least goes first.
struct Rank {
    out_until: Option<Instant>,
    priority: u32,
    unweighted: bool,
    score: f64,
}

impl Rank {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        // `None`, which is in, is less than any instant.
        let place = |rank: &Self| (rank.out_until, rank.priority, rank.unweighted);
        place(self)
            .cmp(&place(other))
            .then(self.score.total_cmp(&other.score))
    }
}

fn rank(target: &Target, provider: &Provider, chance: &mut Chance<'_>) -> Rank {
    let number = match chance.affinity {
        Some(affinity) => hash(affinity, provider.id),
        None => (chance.draw)(),
    };
    Rank {
        out_until: (chance.out_until)(provider.id),
        priority: target.priority,
        unweighted: target.weight == 0,
        score: score(number, target.weight),
    }
}

/// Of several targets with evenly drawn numbers, each has the least score as often as its share of
/// the weights says: the first arrival of processes with those rates.
#[expect(clippy::float_arithmetic, reason = "a chance is not money")]
fn score(number: u32, weight: u32) -> f64 {
    // In the middle of its cell, so never 0 or 1.
    let even = (f64::from(number) + 0.5) / (f64::from(u32::MAX) + 1.0);
    -even.ln() / f64::from(weight.max(1))
}

/// A number that follows from the two alone, on every node and after every restart: FNV-1a with
/// the finishing step of `MurmurHash3`, which spreads what differs in the last bytes only.
fn hash(affinity: &[u8], provider: ProviderId) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in provider.to_bytes().iter().chain(affinity) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    u32::try_from(hash >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
