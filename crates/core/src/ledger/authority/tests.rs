use super::*;
use crate::{
    id::{ApiKeyId, OrganizationId, ProjectId},
    ledger::{AccountKey, window::Window},
    limit::{LimitUnit, Scope, WindowKind},
    principal::Ids,
};
use jiff::tz::TimeZone;
use proptest::prelude::*;

const ORGANIZATION: OrganizationId = OrganizationId::from_bytes([1; 16]);

fn ids(key: u8) -> Ids {
    Ids {
        organization: ORGANIZATION,
        project: ProjectId::from_bytes([2; 16]),
        member: None,
        api_key: Some(ApiKeyId::from_bytes([key; 16])),
        session: None,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn cost(dollars: &str) -> Amount {
    Amount {
        cost: dollars.parse().expect("dollars"),
        requests: 1,
        tokens: 10,
    }
}

fn account(scope: Scope, unit: LimitUnit, kind: WindowKind) -> AccountRow {
    let window = Window::at(kind, at("2026-11-21T12:00:00Z"), &TimeZone::UTC);
    AccountRow {
        key: AccountKey {
            scope,
            unit,
            window,
        },
        period: window.period(&TimeZone::UTC),
        cap: None,
        posted: 0,
    }
}

fn rows() -> Rows {
    let org = Scope::Organization(ORGANIZATION);
    let key = Scope::ApiKey(ApiKeyId::from_bytes([7; 16]));
    Rows {
        accounts: vec![
            account(org, LimitUnit::Cost, WindowKind::Total),
            account(org, LimitUnit::Requests, WindowKind::Day),
            account(key, LimitUnit::Tokens, WindowKind::Month),
        ],
        entries: Vec::new(),
    }
}

fn fact(request: u8, kind: FactKind, amount: Amount) -> Fact {
    Fact {
        request: RequestId::from_bytes([request; 16]),
        ids: ids(7),
        reserved_at: at("2026-11-21T12:00:00Z"),
        kind,
        amount,
        flags: Flags::NONE,
    }
}

fn sync(facts: &[Fact]) -> Sync {
    Sync {
        booked_at: at("2026-11-21T12:00:01Z"),
        facts: facts.to_vec(),
    }
}

/// The kinds of the entries there are, and what is posted in dollars and requests.
fn outcome(rows: &Rows) -> (Vec<EntryKind>, String, i64) {
    let kinds = rows.entries.iter().map(|entry| entry.kind).collect();
    let dollars = crate::money::NanoUsd::from_nano(rows.accounts[0].posted).to_string();
    (kinds, dollars, rows.accounts[1].posted)
}

fn unsettled(entry: &Entry) -> bool {
    entry.flags.contains(Flags::UNSETTLED)
}

fn said(kind: FactKind, dollars: &str) -> Fact {
    let mut fact = fact(1, kind, cost(dollars));
    if let FactKind::Adjust(_) = kind {
        (fact.amount.requests, fact.amount.tokens) = (0, 0);
    }
    fact
}

type Case = (
    &'static [(FactKind, &'static str)],
    &'static [EntryKind],
    &'static str,
);

/// S1, S4, S5: what is said of one request, in this order; the entries that stand; the dollars
/// posted.
#[rustfmt::skip]
const ENDS: &[Case] = {
    use EntryKind as E;
    use FactKind::{Adjust, Defer, Expire, Settle};
    &[
        (&[(Settle, "0.20"), (Settle, "0.20")], &[E::Settle], "0.20"),
        (&[(Settle, "0.20"), (Expire, "0.50")], &[E::Settle], "0.20"),
        (&[(Expire, "0.50"), (Settle, "0.20")], &[E::Expire, E::Late], "0.20"),
        (&[(Expire, "0.50"), (Settle, "0.80")], &[E::Expire, E::Late], "0.80"),
        (&[(Expire, "0.50"), (Settle, "0.50")], &[E::Expire, E::Late], "0.50"),
        (&[(Expire, "0.50"), (Settle, "0.20"), (Settle, "0.20")], &[E::Expire, E::Late], "0.20"),
        // A newer slot, an older one, the same one, and then the truth.
        (&[(Expire, "6.00"), (Expire, "12.00")], &[E::Expire, E::Late], "12.00"),
        (&[(Expire, "6.00"), (Expire, "4.00")], &[E::Expire], "6.00"),
        (&[(Expire, "6.00"), (Expire, "6.00")], &[E::Expire], "6.00"),
        (&[(Expire, "6.00"), (Expire, "6.00"), (Settle, "4.00")], &[E::Expire, E::Late], "4.00"),
        // Work that goes on: the estimate, what recovery may say of it, the truth.
        (&[(Defer, "0.50"), (Settle, "0.20"), (Settle, "0.20")], &[E::Expire, E::Late], "0.20"),
        (&[(Defer, "0.50"), (Expire, "0.50"), (Settle, "0.80")], &[E::Expire, E::Late], "0.80"),
        (&[(Expire, "0.50"), (Defer, "0.70"), (Settle, "0.20")], &[E::Expire, E::Late], "0.20"),
        (&[(Settle, "0.20"), (Defer, "0.50")], &[E::Settle], "0.20"),
        // Corrections are told apart by their number.
        (&[(Settle, "1.00"), (Adjust(0), "-0.40"), (Adjust(1), "0.10"), (Adjust(0), "-0.40")],
            &[E::Settle, E::Adjust, E::Adjust], "0.70"),
    ]
};

#[test]
fn each_request_ends_once_and_the_truth_wins() {
    for (said, kinds, dollars) in ENDS {
        let facts: Vec<_> = said
            .iter()
            .map(|(kind, dollars)| self::said(*kind, dollars))
            .collect();
        // All in one message, and each in its own: the same.
        let (together, reply) = apply(rows(), &sync(&facts));
        let mut apart = rows();
        for fact in &facts {
            (apart, _) = apply(apart, &sync(&[*fact]));
        }
        assert_eq!(together, apart, "{said:?}");
        let expected = (kinds.to_vec(), (*dollars).to_owned(), 1);
        assert_eq!(outcome(&together), expected, "{said:?}");
        assert_eq!(reply.entries, together.entries, "{said:?}");
        assert_eq!(reply.ignored, facts.len() - kinds.len(), "{said:?}");
    }
}

#[test]
fn a_guess_is_flagged_until_the_truth_comes() {
    let (expire, settle) = (FactKind::Expire, FactKind::Settle);
    let flagged = |facts: &[Fact]| -> Vec<bool> {
        let (rows, _) = apply(rows(), &sync(facts));
        rows.entries.iter().map(unsettled).collect()
    };
    assert_eq!(
        flagged(&[said(expire, "6.00"), said(expire, "12.00")]),
        [true, true]
    );
    assert_eq!(
        flagged(&[said(expire, "6.00"), said(settle, "4.00")]),
        [true, false]
    );
}

#[test]
fn a_late_entry_goes_where_the_expire_went() {
    let expire = fact(1, FactKind::Expire, cost("0.50"));
    let mut settle = fact(1, FactKind::Settle, cost("0.20"));
    settle.reserved_at = at("2026-11-23T00:00:00Z");
    settle.ids = ids(8);
    let (rows, _) = apply(rows(), &sync(&[expire, settle]));
    assert_eq!(rows.entries[1].reserved_at, expire.reserved_at);
    assert_eq!(rows.entries[1].ids, expire.ids);
    assert_eq!(rows.accounts[2].posted, 10, "tokens of the first key");
}

#[test]
fn a_fact_counts_in_the_window_it_was_reserved_in_and_in_its_scopes_only() {
    let mut tomorrow = fact(1, FactKind::Settle, cost("0.20"));
    tomorrow.reserved_at = at("2026-11-22T00:00:00Z");
    let mut stranger = fact(2, FactKind::Settle, cost("0.30"));
    stranger.ids = ids(8);
    let (rows, _) = apply(rows(), &sync(&[tomorrow, stranger]));
    let posted: Vec<_> = rows.accounts.iter().map(|account| account.posted).collect();
    assert_eq!(posted, [500_000_000, 1, 10]);
}

#[test]
fn a_payment_is_written_once_and_is_no_use_of_anything() {
    let credit = fact(1, FactKind::Credit(0), cost("50.00"));
    let (rows, reply) = apply(rows(), &sync(&[credit, credit]));
    assert_eq!((rows.entries.len(), reply.ignored), (1, 1));
    assert!(rows.accounts.iter().all(|account| account.posted == 0));
}

/// W11: killed with a held, b settled and not committed, c settled and committed. What a start
/// posts for the slots it finds, and that a second start changes nothing.
#[test]
fn w11_recovery_posts_what_the_slots_say_and_only_once() {
    let committed = fact(3, FactKind::Settle, cost("0.10"));
    let (before, _) = apply(rows(), &sync(&[committed]));
    let slots = [
        fact(1, FactKind::Expire, cost("0.50")),
        fact(2, FactKind::Settle, cost("0.20")),
        committed,
    ];
    let (first, reply) = apply(before, &sync(&slots));
    let new: Vec<_> = reply
        .entries
        .iter()
        .map(|entry| (entry.kind, entry.amount, unsettled(entry)))
        .collect();
    assert_eq!(
        new,
        [
            (EntryKind::Expire, cost("0.50"), true),
            (EntryKind::Settle, cost("0.20"), false),
        ]
    );
    assert_eq!(outcome(&first).1, "0.80");
    let (second, reply) = apply(first.clone(), &sync(&slots));
    assert_eq!((second, reply.entries.len(), reply.ignored), (first, 0, 3));
}

fn facts() -> impl Strategy<Value = Fact> {
    let kind = prop_oneof![
        Just(FactKind::Settle),
        Just(FactKind::Expire),
        Just(FactKind::Defer),
        (0..3_u32).prop_map(FactKind::Adjust),
    ];
    let request = 0..4_u8;
    (request, kind, 0..1_000_i64).prop_map(|(request, kind, nano)| {
        let amount = Amount {
            cost: crate::money::NanoUsd::from_nano(nano),
            requests: 1,
            tokens: nano / 2,
        };
        fact(request, kind, amount)
    })
}

proptest! {
    /// S1, S4, and that saying it all again changes nothing.
    #[test]
    fn posted_is_the_sum_of_entries_whatever_is_said(
        facts in prop::collection::vec(facts(), 0..40),
    ) {
        let (rows, _) = apply(rows(), &sync(&facts));
        for account in &rows.accounts {
            let sum: i64 = rows
                .entries
                .iter()
                .filter(|entry| account.covers(entry.ids, entry.reserved_at))
                .map(|entry| entry.amount.component(account.key.unit))
                .sum();
            prop_assert_eq!(account.posted, sum);
        }
        for entry in &rows.entries {
            let count = |wanted: &[EntryKind]| rows
                .entries
                .iter()
                .filter(|other| other.request == entry.request && wanted.contains(&other.kind))
                .count();
            let ends = count(&[EntryKind::Settle, EntryKind::Expire]);
            prop_assert!(ends <= 1);
            prop_assert!(count(&[EntryKind::Late]) <= count(&[EntryKind::Expire]));
        }
        let (again, reply) = apply(rows.clone(), &sync(&facts));
        prop_assert_eq!(again, rows);
        prop_assert_eq!(reply.entries, Vec::new());
    }
}
