use super::*;
use proptest::prelude::*;

/// Input at $3 and output at $15 per million tokens.
fn input(tokens: i64) -> Amount {
    Amount {
        cost: NanoUsd::from_nano(tokens * 3_000),
        requests: 1,
        tokens,
    }
}

fn terms(class: Class, input_tokens: i64, per_second: u64, cap: Option<u64>) -> Terms {
    Terms {
        class,
        input: input(input_tokens),
        output_price: NanoUsd::from_nano(15_000_000_000),
        cap,
        model_max: None,
        choices: 1,
        learned: OutputEstimate {
            p90: 1_024,
            p99: 4_096,
            per_second,
        },
        uncapped: UncappedPolicy::Estimate,
        strict: false,
    }
}

fn dollars(text: &str) -> NanoUsd {
    text.parse().expect("dollars")
}

fn started(terms: Terms) -> Exposure {
    Exposure::new(terms, terms.cover().expect("a cover").want())
}

/// What a top-up leads to, in output tokens.
fn target(exposure: &Exposure, by: Amount) -> i64 {
    exposure.held().tokens + by.tokens - exposure.terms.input.tokens
}

/// W2: a stream of 80 tokens a second, topped up as it goes, then refused, then cut.
#[test]
fn w2_a_stream_is_topped_up_and_cut_with_room_for_its_tail() {
    // 8,000 bytes at 0.35 tokens per byte.
    let terms = terms(Class::Cuttable, 2_800, 80, None);
    assert_eq!((terms.margin(), terms.quantum()), (160, 160));
    assert_eq!(terms.input.cost, dollars("0.0084"));
    let mut exposure = started(terms);
    assert_eq!(exposure.held().cost, dollars("0.0132"));
    assert_eq!(terms.cover().unwrap().floor().cost, dollars("0.0108"));
    // The head says what the input was: 2,010 tokens.
    let lowered = exposure.true_up(input(2_010));
    assert_eq!(lowered.cost, dollars("0.01083"));

    let mut log = Vec::new();
    let mut refusing = false;
    for seen in (20..).step_by(20) {
        let at = Duration::from_millis(seen * 1_000 / 80);
        exposure.observe(seen, at);
        match exposure.step(at) {
            Step::Steady => {}
            Step::Ask { by, cut_if_refused } => {
                refusing |= seen >= 400;
                if !refusing {
                    log.push((seen, target(&exposure, by)));
                    exposure.raised(by);
                } else if cut_if_refused {
                    log.push((seen, -1));
                    let charged = exposure.unfinished(at);
                    assert_eq!(charged, exposure.held(), "the hold was just enough");
                    assert_eq!(charged.cost, dollars("0.01533"));
                    break;
                }
            }
        }
    }
    assert_eq!(log, [(100, 420), (200, 520), (300, 620), (460, -1)]);
    // The tail was 90 tokens: billed less than charged.
    let billed = exposure.terms.amount(460 + 90).unwrap();
    assert_eq!(billed.cost, dollars("0.01428"));
}

/// W3: a model that thinks in silence is held by the clock.
#[test]
fn w3_silence_counts_at_the_learned_rate() {
    for (cap, held_output) in [(None, 3_600), (Some(4_096), 3_600), (Some(3_300), 3_300)] {
        let mut exposure = started(terms(Class::Cuttable, 1_000, 150, cap));
        for second in 1..=20 {
            if let Step::Ask { by, .. } = exposure.step(Duration::from_secs(second)) {
                exposure.raised(by);
            }
        }
        let at = Duration::from_secs(20);
        assert_eq!(exposure.accrued(at), 3_000);
        assert_eq!(
            exposure.held(),
            exposure.terms.amount(held_output).unwrap(),
            "{cap:?}"
        );
    }
    // However long the silence: never above the stated cap, and never cut for it.
    let mut exposure = started(terms(Class::Cuttable, 1_000, 150, Some(4_096)));
    for second in 1..=600 {
        if let Step::Ask { by, .. } = exposure.step(Duration::from_secs(second)) {
            exposure.raised(by);
        }
    }
    assert_eq!(exposure.held(), exposure.terms.amount(4_096).unwrap());
    assert_eq!(exposure.step(Duration::from_mins(15)), Step::Steady);
    assert_eq!(exposure.quiet_until(), None);
}

type Case = (
    Class,
    Option<u64>,
    Option<u64>,
    UncappedPolicy,
    bool,
    Result<(i64, i64), NoCover>,
);

/// Class, stated cap, model's largest, policy, strict → floor and want in output tokens.
#[rustfmt::skip]
const COVERS: &[Case] = {
    use Class::{Capped, Cuttable, Uncapped};
    use UncappedPolicy::{Estimate, HoldMax, Refuse};
    &[
        (Cuttable, None, None, Estimate, false, Ok((160, 320))),
        (Cuttable, Some(200), None, Estimate, false, Ok((160, 200))),
        (Cuttable, None, None, Estimate, true, Ok((320, 320))),
        (Capped, Some(32_000), None, Estimate, false, Ok((1_024, 32_000))),
        (Capped, Some(500), None, Estimate, false, Ok((500, 500))),
        (Capped, Some(32_000), Some(8_192), Estimate, false, Ok((1_024, 8_192))),
        (Capped, Some(32_000), None, Estimate, true, Ok((32_000, 32_000))),
        (Capped, Some(u64::MAX), None, Estimate, false, Err(NoCover::TooLarge)),
        (Uncapped, None, None, Estimate, false, Ok((1_024, 4_096))),
        (Uncapped, None, Some(64_000), HoldMax, false, Ok((1_024, 64_000))),
        (Uncapped, None, Some(64_000), HoldMax, true, Ok((64_000, 64_000))),
        (Uncapped, None, None, HoldMax, false, Err(NoCover::ModelMaxUnknown)),
        (Uncapped, None, Some(64_000), Refuse, false, Err(NoCover::Uncapped)),
    ]
};

#[test]
fn what_is_held_follows_the_class() {
    for case in COVERS {
        let (class, cap, model_max, uncapped, strict, expected) = *case;
        let terms = Terms {
            model_max,
            uncapped,
            strict,
            ..terms(class, 100, 80, cap)
        };
        let output = |amount: Amount| amount.tokens - 100;
        let cover = terms.cover();
        let found = cover.map(|cover| (output(cover.floor()), output(cover.want())));
        assert_eq!(found, expected, "{case:?}");
    }
    assert_eq!(Class::of(true, true, None), Class::Cuttable);
    assert_eq!(Class::of(true, false, Some(9)), Class::Capped);
    assert_eq!(Class::of(false, true, None), Class::Uncapped);
}

#[test]
fn choices_multiply_every_output_term() {
    let terms = Terms {
        choices: 3,
        ..terms(Class::Cuttable, 100, 80, Some(400))
    };
    assert_eq!(terms.margin(), 480);
    assert_eq!(terms.cover().unwrap().want().tokens, 100 + 960);
    let exposure = started(terms);
    assert_eq!(exposure.accrued(Duration::from_secs(2)), 480);
    assert_eq!(
        exposure.accrued(Duration::from_mins(1)),
        1_200,
        "three times the cap"
    );
}

#[test]
fn short_pauses_between_chunks_are_not_silence() {
    let mut exposure = started(terms(Class::Cuttable, 100, 80, None));
    exposure.observe(10, Duration::from_millis(900));
    exposure.observe(20, Duration::from_millis(1_800));
    assert_eq!(exposure.accrued(Duration::from_millis(2_700)), 20);
    exposure.observe(30, Duration::from_millis(3_800));
    assert_eq!(exposure.accrued(Duration::from_millis(3_800)), 30 + 160);
    exposure.observe(30, Duration::from_millis(9_800));
    assert_eq!(
        exposure.accrued(Duration::from_millis(9_800)),
        30 + 160 + 480,
        "no news"
    );
}

#[test]
fn a_burst_that_eats_the_margin_asks_before_it_is_cut() {
    let mut exposure = started(terms(Class::Cuttable, 100, 80, None));
    let at = Duration::from_millis(500);
    exposure.observe(1_000, at);
    let Step::Ask {
        by,
        cut_if_refused: true,
    } = exposure.step(at)
    else {
        panic!("nothing is left");
    };
    assert_eq!(target(&exposure, by), 1_320);
    exposure.raised(by);
    assert_eq!(exposure.step(at), Step::Steady);
}

#[test]
fn input_above_the_estimate_eats_the_allowance_not_the_limit() {
    let mut exposure = started(terms(Class::Cuttable, 1_000, 80, None));
    let held = exposure.held();
    assert_eq!(
        exposure.true_up(input(1_400)),
        held,
        "nothing is held without asking"
    );
    let at = Duration::from_millis(100);
    let Step::Ask {
        by,
        cut_if_refused: true,
    } = exposure.step(at)
    else {
        panic!("the input ate the margin");
    };
    exposure.raised(by);
    assert_eq!(exposure.held(), exposure.terms.amount(320).unwrap());
}

#[test]
fn what_cannot_be_cut_is_charged_what_it_held() {
    let exposure = started(terms(Class::Capped, 100, 80, Some(2_000)));
    let at = Duration::from_secs(3);
    assert_eq!(exposure.step(at), Step::Steady);
    assert_eq!(exposure.unfinished(at), exposure.held());
    let cuttable = started(terms(Class::Cuttable, 100, 80, None));
    assert_eq!(
        cuttable.unfinished(at),
        cuttable.terms.amount(240 + 160).unwrap()
    );
}

#[test]
fn partial_cover_pays_for_as_much_output_as_was_taken() {
    let terms = terms(Class::Cuttable, 1_000, 80, None);
    let mut taken = terms.amount(200).unwrap();
    taken.cost = NanoUsd::from_nano(taken.cost.as_nano() + 14_999);
    let exposure = Exposure::new(terms, taken);
    assert_eq!(exposure.allowance(), 200);
    let free = Terms {
        output_price: NanoUsd::ZERO,
        ..terms
    };
    assert_eq!(
        Exposure::new(free, taken).allowance(),
        200,
        "tokens bound it too"
    );
}

proptest! {
    /// A timer set by `quiet_until` never wakes too late: until then nothing had to be done.
    #[test]
    fn nothing_has_to_be_done_while_it_is_quiet(
        per_second in 1..2_000_u64,
        seen in 0..5_000_u64,
        held in 0..20_000_u64,
        millis in 1..5_000_u64,
    ) {
        let terms = terms(Class::Cuttable, 10, per_second, None);
        let mut exposure = Exposure::new(terms, terms.amount(held).unwrap());
        exposure.observe(seen, Duration::from_millis(millis));
        let last = if seen == 0 { 0 } else { millis };
        let until = exposure.quiet_until().unwrap();
        prop_assert!(until > Duration::from_millis(last));
        let first = exposure.step(Duration::from_millis(last));
        if first == Step::Steady {
            let before = until.saturating_sub(Duration::from_millis(1));
            prop_assert_eq!(exposure.step(before.max(Duration::from_millis(last))), Step::Steady);
            let asks = matches!(exposure.step(until), Step::Ask { .. });
            prop_assert!(asks, "at {:?}", until);
        }
    }

    /// Raised whenever it asks, a stream that shows everything is never held below what it may
    /// be billed plus its margin.
    #[test]
    fn the_hold_is_always_ahead_of_the_bill(
        steps in prop::collection::vec((0..60_u64, 0..1_000_u64), 1..60),
    ) {
        let mut exposure = started(terms(Class::Cuttable, 500, 90, None));
        let (mut seen, mut millis) = (0, 0);
        for (tokens, pause) in steps {
            seen += tokens;
            millis += pause;
            let at = Duration::from_millis(millis);
            exposure.observe(seen, at);
            if let Step::Ask { by, .. } = exposure.step(at) {
                exposure.raised(by);
            }
            let billed = exposure.terms.amount(seen + exposure.terms.margin()).unwrap();
            prop_assert!(exposure.held().cost >= billed.cost);
        }
    }
}
