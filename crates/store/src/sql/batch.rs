//! Statements over many rows or keys at once.
//!
//! A statement is prepared once per text, so lists come in a few fixed sizes: rows are written in
//! groups of 64, 16, 4 and 1, keys are looked up in lists of those sizes filled up with the last.
//! The texts differ from all others in one way: SQLite looks numbered placeholders up one after the
//! other (a thousand of them cost a millisecond per run), nameless ones (`?`) are free.

use super::{Connection, Row, Value, built_query};
use crate::error::Result;

const SIZES: [usize; 4] = [64, 16, 4, 1];

/// A statement over many rows of one table.
pub(crate) struct Batch {
    table: &'static str,
    given: Vec<Value>,
}

impl Batch {
    pub(crate) fn new(table: &'static str) -> Self {
        Self {
            table,
            given: Vec::new(),
        }
    }

    /// Binds a placeholder that comes before the list.
    pub(crate) fn given(mut self, value: impl Into<Value>) -> Self {
        self.given.push(value.into());
        self
    }

    /// `insert` (ending in `VALUES`), the rows, `rest`.
    pub(crate) async fn insert(
        &self,
        connection: &mut Connection,
        insert: &'static str,
        rows: Vec<Vec<Value>>,
        rest: &'static str,
    ) -> Result<()> {
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let size = group(rows.len());
            let mut values = Vec::new();
            let mut columns = 0;
            for row in rows.by_ref().take(size) {
                columns = row.len();
                values.extend(row);
            }
            let row = list(columns);
            let lists = vec![row.as_str(); size].join(",");
            built_query(self.table, format!("{insert} {lists} {rest}"))
                .bind_all(values)
                .execute(connection)
                .await?;
        }
        Ok(())
    }

    /// `select` (ending in `IN`) and the keys; the rows in no order.
    pub(crate) async fn select_in(
        &self,
        connection: &mut Connection,
        select: &'static str,
        keys: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let [largest, ..] = SIZES;
        for keys in keys.chunks(largest) {
            let size = SIZES.into_iter().rev().find(|size| keys.len() <= *size);
            let filler = keys.last().into_iter().cycle();
            let filled = keys.iter().chain(filler).take(size.unwrap_or(largest));
            let values = self.given.iter().chain(filled).cloned();
            let sql = format!("{select} {}", list(size.unwrap_or(largest)));
            rows.extend(
                built_query(self.table, sql)
                    .bind_all(values)
                    .all(connection)
                    .await?,
            );
        }
        Ok(rows)
    }
}

/// The largest size that `left` rows fill.
fn group(left: usize) -> usize {
    SIZES.into_iter().find(|size| *size <= left).unwrap_or(1)
}

/// `(?,?,?)`.
fn list(places: usize) -> String {
    format!("({})", vec!["?"; places].join(","))
}
