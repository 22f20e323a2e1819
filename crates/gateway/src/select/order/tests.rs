use super::*;
use crate::select::tests::{chat, group, org, provider};
use std::{collections::HashMap, time::Duration};

/// Three that take chat, and their organisation's settings with a group of them.
struct Scene {
    providers: Vec<Arc<Provider>>,
    org: OrganizationSnapshot,
}

impl Scene {
    /// Priority and weight of `a`, `b`, `c`.
    fn new(targets: [(u32, u32); 3]) -> Self {
        let providers: Vec<_> = [(1, "a"), (2, "b"), (3, "c")]
            .into_iter()
            .map(|(number, slug)| provider(number, slug, ProviderKind::OpenAi))
            .collect();
        let targets: Vec<_> = providers
            .iter()
            .zip(targets)
            .map(|(provider, (priority, weight))| (provider, priority, weight))
            .collect();
        let org = org(&providers, vec![group(&targets)]);
        Self { providers, org }
    }

    /// The slugs in order, while these are out for so many seconds.
    fn order(&self, out: &[(&str, u64)], affinity: Option<&[u8]>, draw: &mut Dice) -> String {
        let now = Instant::now();
        let out_until = |id: ProviderId| {
            let provider = self.providers.iter().find(|provider| provider.id == id)?;
            let (_, seconds) = out.iter().find(|(slug, _)| *slug == provider.slug)?;
            Some(now + Duration::from_secs(*seconds))
        };
        let mut chance = Chance {
            affinity,
            draw: &mut || draw.roll(),
            out_until: &out_until,
        };
        let group = self.org.groups.get("fast").unwrap();
        let attempts = ordered(&self.org, group, chat("fast"), &mut chance).unwrap();
        attempts
            .iter()
            .map(|attempt| attempt.provider.slug.as_str())
            .collect()
    }
}

/// `SplitMix64`: enough for a test of shares, and the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from(mixed >> 32).unwrap()
    }
}

/// How many of 10,000 begin with each.
fn shares(mut first: impl FnMut(u32) -> String) -> HashMap<String, u32> {
    let mut shares = HashMap::new();
    for number in 0..10_000 {
        let order = first(number);
        *shares.entry(order.chars().take(1).collect()).or_default() += 1;
    }
    shares
}

#[test]
fn priority_goes_before_weight_and_no_weight_means_only_when_the_others_are_out() {
    let scene = Scene::new([(1, 9), (0, 0), (0, 1)]);
    let order = |out: &[(&str, u64)]| scene.order(out, None, &mut Dice(0));
    assert_eq!(order(&[]), "cba");
    assert_eq!(order(&[("c", 5)]), "bac");
    assert_eq!(order(&[("c", 5), ("b", 9)]), "acb");
}

#[test]
fn when_all_are_out_the_soonest_to_return_goes_first() {
    let scene = Scene::new([(0, 1), (1, 1), (2, 1)]);
    let out = [("a", 30), ("b", 20), ("c", 10)];
    assert_eq!(scene.order(&out, None, &mut Dice(0)), "cba");
}

#[test]
fn three_to_one_is_three_quarters_by_chance_and_by_affinity() {
    let scene = Scene::new([(0, 3), (0, 1), (1, 7)]);
    let mut dice = Dice(7);
    let by_chance = shares(|_| scene.order(&[], None, &mut dice));
    let by_affinity = shares(|number| {
        let session = format!("session-{number}");
        scene.order(&[], Some(session.as_bytes()), &mut Dice(0))
    });
    for shares in [by_chance, by_affinity] {
        assert!((7_300..=7_700).contains(&shares["a"]), "{shares:?}");
        assert_eq!(shares["a"] + shares["b"], 10_000, "{shares:?}");
    }
}

#[test]
fn a_session_keeps_its_target_and_one_that_is_out_moves_only_its_own() {
    let scene = Scene::new([(0, 2), (0, 1), (0, 1)]);
    let mut moved: HashMap<String, u32> = HashMap::new();
    for number in 0..2_000 {
        let session = format!("session-{number}");
        let order = |out: &[(&str, u64)]| scene.order(out, Some(session.as_bytes()), &mut Dice(0));
        let well = order(&[]);
        assert_eq!(order(&[]), well, "the same each time");
        let without_a = order(&[("a", 9)]);
        if well.starts_with('a') {
            *moved
                .entry(without_a.chars().take(1).collect())
                .or_default() += 1;
        } else {
            assert_eq!(without_a.chars().next(), well.chars().next());
        }
    }
    // Its own go to all the others alike.
    assert!(moved["b"] > 400 && moved["c"] > 400, "{moved:?}");
}
