use super::*;
use proptest::prelude::*;

const POLICY: HealthPolicy = HealthPolicy {
    failures: 3,
    probe_interval: Duration::from_secs(10),
    retry_after_max: Duration::from_mins(5),
};

/// A breaker and a clock that is moved by hand.
struct Scene {
    breaker: Breaker,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        Self {
            breaker: Breaker::default(),
            now: Instant::now(),
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn enter(&mut self) -> Option<Ticket> {
        self.breaker.enter(self.now, POLICY)
    }

    fn note(&mut self, ticket: Ticket, sign: Sign) -> Option<Change> {
        self.breaker.note(ticket, sign, self.now, POLICY)
    }

    /// A request that comes to this.
    fn request(&mut self, sign: Sign) -> Option<Change> {
        let ticket = self.enter().expect("it is let in");
        let change = self.note(ticket, sign);
        self.breaker.leave(ticket);
        change
    }

    /// For how many seconds it is out from now.
    fn out_for(&self) -> Option<u64> {
        let until = self.breaker.out_until(self.now, POLICY)?;
        Some(until.duration_since(self.now).as_secs())
    }
}

#[test]
fn failures_in_a_row_take_it_out_and_an_answer_between_them_does_not_let_them_add_up() {
    let mut scene = Scene::new();
    for sign in [
        Sign::Failed,
        Sign::Failed,
        Sign::Answered,
        Sign::Failed,
        Sign::Failed,
    ] {
        assert_eq!(scene.request(sign), None);
    }
    assert_eq!(scene.out_for(), None);
    let until = scene.now + POLICY.probe_interval;
    assert_eq!(scene.request(Sign::Failed), Some(Change::Out(until)));
    assert_eq!(scene.out_for(), Some(10));
    assert_eq!(scene.enter(), None);
}

#[test]
fn answers_that_keep_breaking_off_take_it_out_though_each_had_begun() {
    let mut scene = Scene::new();
    for round in 1..=3 {
        let ticket = scene.enter().expect("it is in");
        assert_eq!(scene.note(ticket, Sign::Answered), None);
        let change = scene.note(ticket, Sign::BrokeOff);
        assert_eq!(change.is_some(), round == 3);
    }
    let mut mended = Scene::new();
    for _ in 0..9 {
        mended.request(Sign::BrokeOff);
        mended.request(Sign::Whole);
    }
    assert_eq!(mended.out_for(), None);
}

#[test]
fn after_the_interval_one_request_probes_and_its_answer_brings_it_back() {
    let mut scene = Scene::new();
    scene.request(Sign::CredentialRefused);
    scene.wait(9);
    assert_eq!(scene.enter(), None);
    scene.wait(1);
    let probe = scene.enter().expect("it is time");
    assert_eq!(scene.enter(), None, "one at a time");
    assert_eq!(scene.out_for(), Some(10));
    assert_eq!(scene.note(probe, Sign::Answered), Some(Change::Back));
    assert!(scene.enter().is_some() && scene.enter().is_some());
}

#[test]
fn a_probe_that_fails_waits_for_the_next_interval_and_one_that_ends_in_nothing_does_not() {
    let mut scene = Scene::new();
    scene.request(Sign::CredentialRefused);
    scene.wait(10);
    assert_eq!(scene.request(Sign::Failed), None);
    assert_eq!(scene.out_for(), Some(10));
    scene.wait(10);
    let gone = scene.enter().expect("it is time");
    scene.breaker.leave(gone);
    assert!(
        scene.enter().is_some(),
        "its client hung up: the next one probes"
    );
}

#[test]
fn a_probe_that_hangs_does_not_keep_others_from_probing() {
    let mut scene = Scene::new();
    scene.request(Sign::CredentialRefused);
    scene.wait(10);
    let hangs = scene.enter().expect("it is time");
    scene.wait(10);
    let next = scene.enter().expect("an interval later");
    // The end of the first says nothing about the second.
    scene.breaker.leave(hangs);
    assert_eq!(scene.enter(), None);
    assert_eq!(scene.note(next, Sign::Answered), Some(Change::Back));
}

#[test]
fn it_is_left_alone_for_as_long_as_it_asks_within_bounds() {
    let mut scene = Scene::new();
    scene.request(Sign::Overloaded(Duration::from_mins(1)));
    assert_eq!(scene.out_for(), Some(60));
    let forced = scene.breaker.insist();
    scene.note(forced, Sign::Overloaded(Duration::from_secs(30)));
    assert_eq!(scene.out_for(), Some(60), "never shorter than it asked");
    scene.note(forced, Sign::Overloaded(Duration::from_hours(9)));
    assert_eq!(scene.out_for(), Some(300));
}

#[test]
fn what_was_under_way_before_it_went_out_proves_nothing() {
    let mut scene = Scene::new();
    let early = scene.enter().expect("it is in");
    scene.request(Sign::Overloaded(Duration::from_mins(1)));
    assert_eq!(scene.note(early, Sign::Answered), None);
    assert_eq!(scene.out_for(), Some(60));
    // Asked again since, because there was nobody else.
    let since = scene.breaker.insist();
    assert_eq!(scene.note(since, Sign::Answered), Some(Change::Back));
    assert_eq!(scene.note(early, Sign::Failed), None);
    assert!(scene.breaker.is_pristine());
}

#[derive(Clone, Debug)]
enum Move {
    Wait(u64),
    Enter,
    Insist,
    Note(usize, Sign),
    Leave(usize),
}

fn moves() -> impl Strategy<Value = Move> {
    let sign = prop_oneof![
        Just(Sign::Answered),
        Just(Sign::Whole),
        Just(Sign::Failed),
        Just(Sign::CredentialRefused),
        Just(Sign::BrokeOff),
        (0..400_u64).prop_map(|seconds| Sign::Overloaded(Duration::from_secs(seconds))),
    ];
    prop_oneof![
        (0..15_u64).prop_map(Move::Wait),
        Just(Move::Enter),
        Just(Move::Insist),
        (0..8_usize, sign).prop_map(|(index, sign)| Move::Note(index, sign)),
        (0..8_usize).prop_map(Move::Leave),
    ]
}

proptest! {
    /// Whatever happens, it is never out for good: once nothing more happens, it is probed within
    /// the longest delay, and one answer to that probe brings it back.
    #[test]
    fn nothing_takes_it_out_for_good(moves in prop::collection::vec(moves(), 0..60)) {
        let mut scene = Scene::new();
        let mut tickets = Vec::new();
        for made in moves {
            match made {
                Move::Wait(seconds) => scene.wait(seconds),
                Move::Enter => tickets.extend(scene.enter()),
                Move::Insist => tickets.push(scene.breaker.insist()),
                Move::Note(index, sign) => {
                    if let Some(ticket) = tickets.get(index).copied() {
                        scene.note(ticket, sign);
                    }
                }
                Move::Leave(index) => {
                    if index < tickets.len() {
                        let ticket = tickets.remove(index);
                        scene.breaker.leave(ticket);
                    }
                }
            }
            let out = scene.out_for().unwrap_or(0);
            prop_assert!(out <= POLICY.retry_after_max.as_secs() + POLICY.probe_interval.as_secs());
        }
        scene.wait(POLICY.retry_after_max.as_secs() + POLICY.probe_interval.as_secs());
        let probe = scene.enter();
        prop_assert!(probe.is_some());
        if let Some(probe) = probe {
            scene.note(probe, Sign::Answered);
        }
        prop_assert!(scene.enter().is_some() && scene.enter().is_some());
    }
}
