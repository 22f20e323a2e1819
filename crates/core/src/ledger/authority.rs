//! What the store writes for what the nodes say: one pure function, so that every engine and every
//! model test runs the same rules. SQL only locks the rows, loads them and writes them back.
//!
//! Per request there is one settle **or** one expire, and after an expire at most one late entry
//! that brings it to the truth. A fact that says nothing new is ignored, so a node may repeat
//! itself as often as it likes; no fact is turned away for who says it or when. With one node this
//! is all of it; leases, terms and asks of many nodes join here.

use crate::{
    amount::Amount,
    clock::Timestamp,
    id::RequestId,
    ledger::{
        account::AccountRow,
        cover::combine,
        entry::{Entry, EntryKind, Fact, FactKind, Flags},
    },
};
use std::collections::HashMap;

/// The rows a [`Sync`] touches, loaded under their locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Every account that covers a fact. Others are left alone.
    pub accounts: Vec<AccountRow>,
    /// Every entry there is of the requests that the facts are about.
    pub entries: Vec<Entry>,
}

/// One message of a node to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// The store's time.
    pub booked_at: Timestamp,
    /// What happened since the last message, and perhaps what was said before.
    pub facts: Vec<Fact>,
}

/// What the store did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The entries to insert, in the order of the facts. They are in the rows already.
    pub entries: Vec<Entry>,
    /// How many facts said nothing new.
    pub ignored: usize,
}

/// Applies a message to the rows: posts each fact once.
///
/// A fact of `amount` x and the entries there are:
/// - settle: none → `settle` x; `expire` H → `late` x − H, which may be negative; else ignored;
/// - expire: none → `expire` x; `expire` H < x → `late` x − H (a newer slot knew of more); else
///   ignored;
/// - defer: as expire, but not flagged `unsettled`, and never a correction of one;
/// - adjust, credit: posted once per number.
pub fn apply(mut rows: Rows, sync: &Sync) -> (Rows, Reply) {
    let mut ledger: HashMap<RequestId, Vec<Entry>> = HashMap::new();
    for entry in &rows.entries {
        ledger.entry(entry.request).or_default().push(*entry);
    }
    let mut reply = Reply::default();
    for fact in &sync.facts {
        let written = ledger.entry(fact.request).or_default();
        match entry_for(fact, written, sync.booked_at) {
            None => reply.ignored += 1,
            Some(entry) => {
                post(&mut rows.accounts, &entry);
                written.push(entry);
                rows.entries.push(entry);
                reply.entries.push(entry);
            }
        }
    }
    (rows, reply)
}

/// The entry that this fact adds to those `written` of its request, if any.
fn entry_for(fact: &Fact, written: &[Entry], booked_at: Timestamp) -> Option<Entry> {
    let of_kind = |kind| written.iter().find(move |entry| entry.kind == kind);
    let has = |kind, n| {
        written
            .iter()
            .any(|entry| (entry.kind, entry.n) == (kind, n))
    };
    let new = |kind, n, flags| Entry {
        request: fact.request,
        kind,
        n,
        reserved_at: fact.reserved_at,
        booked_at,
        ids: fact.ids,
        amount: fact.amount,
        flags,
    };
    match fact.kind {
        FactKind::Settle | FactKind::Expire | FactKind::Defer
            if of_kind(EntryKind::Settle)
                .or(of_kind(EntryKind::Late))
                .is_some() =>
        {
            None
        }
        FactKind::Defer if of_kind(EntryKind::Expire).is_some() => None,
        FactKind::Defer => Some(new(EntryKind::Expire, 0, fact.flags)),
        FactKind::Settle => Some(match of_kind(EntryKind::Expire) {
            None => new(EntryKind::Settle, 0, fact.flags),
            Some(expired) => late(fact, expired, booked_at, difference(fact, expired)),
        }),
        FactKind::Expire => match of_kind(EntryKind::Expire) {
            None => {
                let flags = fact.flags.with(Flags::UNSETTLED);
                Some(new(EntryKind::Expire, 0, flags))
            }
            Some(expired) => {
                let more = combine(difference(fact, expired), Amount::ZERO, i64::max);
                (more != Amount::ZERO).then(|| {
                    let mut entry = late(fact, expired, booked_at, more);
                    entry.flags = entry.flags.with(Flags::UNSETTLED);
                    entry
                })
            }
        },
        FactKind::Adjust(n) => {
            (!has(EntryKind::Adjust, n)).then(|| new(EntryKind::Adjust, n, fact.flags))
        }
        FactKind::Credit(n) => {
            (!has(EntryKind::Credit, n)).then(|| new(EntryKind::Credit, n, fact.flags))
        }
    }
}

/// The truth after an expire. It goes to the accounts of the expire, whatever the fact says of
/// callers and time: a difference belongs where its other half is.
fn late(fact: &Fact, expired: &Entry, booked_at: Timestamp, amount: Amount) -> Entry {
    Entry {
        kind: EntryKind::Late,
        n: 0,
        booked_at,
        amount,
        flags: fact.flags,
        ..*expired
    }
}

fn difference(fact: &Fact, expired: &Entry) -> Amount {
    combine(fact.amount, expired.amount, i64::saturating_sub)
}

/// Adds the entry to every account that covers it. A sum past the range stays at its end: such an
/// account admits nothing, which errs on the safe side.
fn post(accounts: &mut [AccountRow], entry: &Entry) {
    match entry.kind {
        EntryKind::Credit => return,
        EntryKind::Settle | EntryKind::Expire | EntryKind::Late | EntryKind::Adjust => {}
    }
    for account in accounts {
        if account.covers(entry.ids, entry.reserved_at) {
            let component = entry.amount.component(account.key.unit);
            account.posted = account.posted.saturating_add(component);
        }
    }
}

#[cfg(test)]
mod tests;
