//! Work that goes on after its answer.
//!
//! Its estimate is posted when it is asked for (an `expire` entry); when its bill is known the
//! difference is posted (a `late` entry), and `settled_at` is set by the same transaction: however
//! often the bill is read, and by whom, it is posted once.

use super::insert;
use crate::{
    error::Result,
    ledger::{self, id_values, read_ids},
    sql::{Row, Value, query},
    store::Store,
    usage,
};
use tollgate_core::{
    amount::Amount,
    clock::Timestamp,
    format::Format,
    id::{ProjectId, ProviderId, RequestId},
    ledger::{Entry, EntryKind, Fact, FactKind, Flags, Position},
    money::NanoUsd,
    object::{DeferredWork, StoredObject},
    usage::Usage,
};

/// The bill of deferred work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// What it used, with what was set aside for attempts before.
    pub amount: Amount,
    /// What is to be known about the figure. With [`Flags::ESTIMATED`] it is less than the whole:
    /// the estimate stands where that is more.
    pub flags: Flags,
    /// What was counted.
    pub usage: Usage,
    /// The model that did it, as the answer names it.
    pub model: Option<String>,
    /// The upstream's own figure.
    pub provider_cost: Option<NanoUsd>,
}

/// What became of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The difference to the estimate was posted.
    Posted(Position, Box<Entry>),
    /// Nothing was posted: it was before, or the estimate stands.
    Nothing,
    /// The estimate itself is not posted yet: try again.
    TooEarly,
}

impl Store {
    /// Writes down the object and its work, before the answer that names it goes out.
    pub async fn keep_deferred(&self, object: &StoredObject, work: &DeferredWork) -> Result<()> {
        let mut tx = self.database.write().await?;
        insert(&mut tx, std::slice::from_ref(object)).await?;
        let mut values: Vec<Value> = vec![work.request.to_bytes().into()];
        values.extend(id_values(work.ids));
        values.extend([
            work.reserved_at.into(),
            work.provider.to_bytes().into(),
            work.format.as_str().into(),
            work.object.as_str().into(),
            work.model.as_str().into(),
            work.requests.into(),
            work.aside.cost.as_nano().into(),
            work.aside.requests.into(),
            work.aside.tokens.into(),
            work.look_at.into(),
            work.looks.into(),
            work.give_up_at.into(),
        ]);
        let inserted = query(
            "deferred_work",
            "INSERT INTO deferred_work (request_id, organization_id, project_id, member_id,
                 api_key_id, session_id, reserved_at, provider_id, format, object_id, model,
                 requests, aside_cost, aside_requests, aside_tokens, look_at, looks, give_up_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18)
             ON CONFLICT (request_id) DO NOTHING",
        );
        values
            .into_iter()
            .fold(inserted, crate::sql::Query::bind)
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// The work behind an object, while its bill is not known.
    pub async fn open_work_of(
        &self,
        project: ProjectId,
        object: &str,
    ) -> Result<Option<DeferredWork>> {
        let mut tx = self.database.read().await?;
        let row = query(
            "deferred_work",
            "SELECT * FROM deferred_work
             WHERE project_id = $1 AND object_id = $2 AND settled_at IS NULL",
        )
        .bind(project.to_bytes())
        .bind(object)
        .optional(&mut tx)
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// The work whose bill is to be asked for by now, at most `most`, the longest overdue first.
    pub async fn work_due(&self, now: Timestamp, most: u32) -> Result<Vec<DeferredWork>> {
        let mut tx = self.database.read().await?;
        query(
            "deferred_work",
            "SELECT * FROM deferred_work WHERE settled_at IS NULL AND look_at <= $1
             ORDER BY look_at LIMIT $2",
        )
        .bind(now)
        .bind(most)
        .all(&mut tx)
        .await?
        .iter()
        .map(read)
        .collect()
    }

    /// The work was looked at and goes on.
    pub async fn look_again(&self, request: RequestId, look_at: Timestamp) -> Result<()> {
        let mut tx = self.database.write().await?;
        query(
            "deferred_work",
            "UPDATE deferred_work SET look_at = $1, looks = looks + 1 WHERE request_id = $2",
        )
        .bind(look_at)
        .bind(request.to_bytes())
        .execute(&mut tx)
        .await?;
        tx.commit().await
    }

    /// Ends the work with its bill, or, with `None`, at its estimate. Once per request.
    pub async fn settle_deferred(
        &self,
        work: &DeferredWork,
        truth: Option<&Truth>,
    ) -> Result<Settlement> {
        let now = self.clock.now();
        let mut tx = self.database.write().await?;
        let posted = query(
            "entry",
            "SELECT cost, requests, tokens FROM entry WHERE request_id = $1 AND kind IN ($2, $3)",
        )
        .bind(work.request.to_bytes())
        .bind(EntryKind::Expire.as_str())
        .bind(EntryKind::Settle.as_str())
        .optional(&mut tx)
        .await?;
        let Some(posted) = posted else {
            return Ok(Settlement::TooEarly);
        };
        let changed = query(
            "deferred_work",
            "UPDATE deferred_work SET settled_at = $1
             WHERE request_id = $2 AND settled_at IS NULL",
        )
        .bind(now)
        .bind(work.request.to_bytes())
        .execute(&mut tx)
        .await?;
        let Some(mut truth) = truth.filter(|_| changed == 1).cloned() else {
            tx.commit().await?;
            return Ok(Settlement::Nothing);
        };
        if truth.flags.contains(Flags::ESTIMATED) {
            let estimate = read_amount(&posted, ["cost", "requests", "tokens"])?;
            truth.amount = truth.amount.max_each(estimate);
        }
        let fact = Fact {
            request: work.request,
            ids: work.ids,
            reserved_at: work.reserved_at,
            kind: FactKind::Settle,
            amount: truth.amount,
            flags: truth.flags,
        };
        let posted = ledger::post(&mut tx, vec![fact], now).await?;
        let late = posted.entries.into_iter().next();
        if late.is_some() {
            usage::correct(&mut tx, work.request, &truth, now).await?;
        }
        tx.commit().await?;
        Ok(late.map_or(Settlement::Nothing, |(position, entry)| {
            Settlement::Posted(position, Box::new(entry))
        }))
    }
}

fn read(row: &Row) -> Result<DeferredWork> {
    Ok(DeferredWork {
        request: row.id("request_id", RequestId::from_bytes)?,
        ids: read_ids(row)?,
        reserved_at: row.time("reserved_at")?,
        provider: row.id("provider_id", ProviderId::from_bytes)?,
        format: row.word("format", Format::from_word)?,
        object: row.text("object_id")?,
        model: row.text("model")?,
        requests: row.integer("requests")?,
        aside: read_amount(row, ["aside_cost", "aside_requests", "aside_tokens"])?,
        look_at: row.time("look_at")?,
        looks: row.small("looks")?,
        give_up_at: row.time("give_up_at")?,
    })
}

fn read_amount(row: &Row, [cost, requests, tokens]: [&'static str; 3]) -> Result<Amount> {
    Ok(Amount {
        cost: NanoUsd::from_nano(row.integer(cost)?),
        requests: row.integer(requests)?,
        tokens: row.integer(tokens)?,
    })
}
