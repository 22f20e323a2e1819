use super::*;
use tempfile::TempDir;
use tollgate_core::{
    entropy::FixedEntropy,
    id::{NodeId, OrganizationId, ProjectId},
    ledger::{
        AccountRow, Limits, Opening, OrgBook, Outcome, Position, Reserve,
        exposure::{Class, OutputEstimate, UncappedPolicy},
    },
    limit::{Limit, LimitAction, LimitUnit, Scope, WindowKind},
    money::NanoUsd,
};
use tollgate_store::{BootId, HOLD_FILE};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const ORG: OrganizationId = OrganizationId::from_bytes([1; 16]);

/// A book with limits of this many dollars and of one request, and a hold file.
struct Scene {
    book: Arc<SharedBook>,
    hold_file: Arc<HoldFile>,
    _directory: TempDir,
}

fn dollars(text: &str) -> NanoUsd {
    text.parse().expect("dollars")
}

/// Input of so many dollars, 100 tokens of output at most, at a cent each.
fn capped(input: &str, requests: i64) -> (Terms, TextRate) {
    let terms = Terms {
        class: Class::Capped,
        input: Amount {
            cost: dollars(input),
            requests,
            tokens: 10,
        },
        output_price: dollars("10000"),
        cap: Some(100),
        model_max: None,
        choices: 1,
        learned: OutputEstimate {
            p90: 10,
            p99: 10,
            per_second: 10,
        },
        uncapped: UncappedPolicy::Estimate,
        strict: false,
    };
    (terms, TextRate::UNKNOWN)
}

impl Scene {
    fn new(cap: &str) -> Self {
        let directory = TempDir::new().expect("a directory");
        let node = NodeId::new(NOW, &FixedEntropy(1));
        let path = directory.path().join(HOLD_FILE);
        let (hold_file, _) = HoldFile::open(&path, node, BootId([0; 16])).expect("a hold file");
        let scope = Scope::Organization(ORG);
        let limit = |unit, amount| Limit {
            scope,
            window: WindowKind::Total,
            unit,
            amount,
            action: LimitAction::Block,
        };
        let limits = vec![
            limit(LimitUnit::Cost, dollars(cap).as_nano()),
            limit(LimitUnit::Requests, 1),
        ];
        let zone = jiff::tz::TimeZone::UTC;
        let book = SharedBook::new(zone.clone());
        let limits = Arc::new(Limits::from([(scope, limits)]));
        let openings = book.with(|book| book.configure(1, &zone, &limits));
        assert!(openings.is_empty(), "nobody runs yet");
        Self {
            book: Arc::new(book),
            hold_file: Arc::new(hold_file),
            _directory: directory,
        }
    }

    fn reserve(&self, terms: (Terms, TextRate)) -> Reservation {
        let ids = Ids {
            organization: ORG,
            project: ProjectId::from_bytes([2; 16]),
            member: None,
            api_key: None,
            session: None,
        };
        let request = RequestId::new(NOW, &FixedEntropy(3));
        let reserve = Reserve {
            request,
            ids,
            cover: cover(&terms.0).expect("it has a bound"),
        };
        let grant = loop {
            match self.book.with(|book| book.reserve(NOW, reserve)) {
                Outcome::Granted(grant) => break grant,
                Outcome::NeedAccounts(openings) => self.book.with(|book| install(book, &openings)),
                other => unreachable!("it fits: {other:?}"),
            }
        };
        let (book, hold_file) = (Arc::clone(&self.book), Arc::clone(&self.hold_file));
        let mut reservation = Reservation::new(book, hold_file, (request, ids), &grant, terms);
        reservation.take_slot().expect("the file is empty");
        reservation.mark_sent().expect("it can be written");
        reservation
    }

    /// What is held and what is spent, in dollars and requests.
    fn standing(&self) -> [(i64, i64); 2] {
        let states = self
            .book
            .with(|book| book.states(Scope::Organization(ORG), NOW));
        [LimitUnit::Cost, LimitUnit::Requests].map(|unit| {
            let state = states.iter().find(|state| state.limit.unit == unit);
            let state = state.expect("it was used");
            (state.held, state.spent)
        })
    }
}

fn install(book: &mut OrgBook, openings: &[Opening]) {
    for opening in openings {
        let row = AccountRow {
            key: opening.key,
            period: opening.period,
            cap: opening.cap,
            posted: 0,
        };
        book.install(&row, Position(0))
            .expect("nothing was committed");
    }
}

fn nano(text: &str) -> i64 {
    dollars(text).as_nano()
}

#[test]
fn an_abandoned_part_stays_held_beside_the_next_and_both_are_settled_as_one_request() {
    let scene = Scene::new("10");
    let mut reservation = scene.reserve(capped("1", 1));
    assert_eq!(scene.standing(), [(nano("2"), 0), (1, 0)]);
    assert_eq!(reservation.requests_left(), 1);

    let spent = reservation.unfinished();
    reservation.set_aside(spent, Flags::ESTIMATED.with(Flags::ABANDONED));
    assert_eq!(reservation.requests_left(), 0);
    reservation.go_on(capped("3", 0)).expect("it fits");
    reservation.mark_sent().expect("it can be written");
    assert_eq!(scene.standing(), [(nano("6"), 0), (1, 0)]);

    let (aside, flags) = reservation.aside();
    let actual = aside.saturating_add(Amount {
        cost: dollars("3.5"),
        requests: 0,
        tokens: 20,
    });
    let ended = reservation.settle(actual, flags).expect("it was sent");
    assert_eq!(ended.settled.shortfall, Amount::ZERO);
    assert_eq!(ended.settled.fact.amount, actual);
    assert!(ended.settled.fact.flags.contains(Flags::ABANDONED));
    assert_eq!(scene.standing(), [(0, nano("5.5")), (0, 1)]);
}

#[test]
fn a_cheaper_next_part_gives_back_what_it_does_not_need() {
    let scene = Scene::new("10");
    let mut reservation = scene.reserve(capped("6", 1));
    // Refused by its provider: nothing is billed, and the request counts.
    let one_request = Amount {
        requests: 1,
        ..Amount::ZERO
    };
    reservation.set_aside(one_request, Flags::NONE);
    reservation.go_on(capped("1", 0)).expect("it fits");
    assert_eq!(scene.standing(), [(nano("2"), 0), (1, 0)]);
    assert_eq!(reservation.most().cost, dollars("7"));
}

#[test]
fn a_next_part_that_fits_only_in_part_takes_its_floor_and_one_that_does_not_fit_takes_nothing() {
    let scene = Scene::new("5");
    let mut reservation = scene.reserve(capped("1", 1));
    reservation.set_aside(reservation.unfinished(), Flags::ESTIMATED);
    // Set aside 2.00; wanted 1 + 2.50, at least 0.10 + 2.50.
    reservation
        .go_on(capped("2.50", 0))
        .expect("its floor fits");
    assert_eq!(scene.standing()[0], (nano("4.60"), 0));

    reservation.set_aside(reservation.unfinished(), Flags::ESTIMATED);
    let refusal = reservation.go_on(capped("2.50", 0)).unwrap_err();
    assert_eq!(refusal.kind(), Kind::LimitReached);
    assert_eq!(scene.standing()[0], (nano("4.60"), 0), "as it was");
    let (aside, flags) = reservation.aside();
    assert!(
        reservation.settle(aside, flags).is_some(),
        "what was spent is a fact"
    );
    assert_eq!(scene.standing(), [(0, nano("4.60")), (0, 1)]);
}

#[test]
fn what_the_input_really_is_lowers_the_part_that_runs_and_nothing_else() {
    let scene = Scene::new("10");
    let mut reservation = scene.reserve(capped("1", 1));
    reservation.set_aside(reservation.unfinished(), Flags::ESTIMATED);
    reservation.go_on(capped("3", 0)).expect("it fits");
    reservation.true_up(Amount {
        cost: dollars("0.5"),
        requests: 0,
        tokens: 5,
    });
    // 2.00 aside, 0.50 of input, 1.00 of output.
    assert_eq!(scene.standing(), [(nano("3.50"), 0), (1, 0)]);
}
