//! The seam between our SQL and a database engine: the only file, with `database.rs`, that names
//! an engine's driver.
//!
//! Statements are written once, with `$1` placeholders, and bind only whole numbers, texts and
//! bytes. A [`Row`] knows its table, so a value that does not fit the domain becomes an error that
//! names table, column and row instead of a panic or a silent default.

use crate::error::{Result, StoreError};
use sqlx::{
    Arguments as _, AssertSqlSafe, Row as _, Sqlite, ValueRef as _,
    sqlite::{SqliteArguments, SqliteRow},
};
use std::time::Duration;
use tollgate_core::clock::Timestamp;

mod batch;

pub(crate) use batch::Batch;

/// A connection of the engine.
pub(crate) type Connection = sqlx::SqliteConnection;

/// A value bound to a statement.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Integer(value.as_microsecond())
    }
}

/// In milliseconds, as columns named `…_ms` are.
impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Integer(i64::try_from(value.as_millis()).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

enum Text {
    Fixed(&'static str),
    Built(String),
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Built(text) => text,
        }
    }
}

/// A statement with its values.
pub(crate) struct Query {
    table: &'static str,
    text: Text,
    values: Vec<Value>,
}

/// A statement about `table` (its main one, named in errors).
pub(crate) fn query(table: &'static str, sql: &'static str) -> Query {
    Query {
        table,
        text: Text::Fixed(sql),
        values: Vec::new(),
    }
}

/// A statement whose text was put together from our own fixed parts, never from input.
pub(crate) fn built_query(table: &'static str, sql: String) -> Query {
    Query {
        table,
        text: Text::Built(sql),
        values: Vec::new(),
    }
}

type Driver = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

impl Query {
    /// Binds the next placeholder.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds many placeholders.
    fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// Runs it; gives the number of rows changed.
    pub(crate) async fn execute(self, connection: &mut Connection) -> Result<u64> {
        let table = self.table;
        let driver = self.into_driver()?;
        let done = driver.execute(connection).await;
        done.map(|done| done.rows_affected())
            .map_err(|source| StoreError::Database { table, source })
    }

    /// Every row.
    pub(crate) async fn all(self, connection: &mut Connection) -> Result<Vec<Row>> {
        let table = self.table;
        let driver = self.into_driver()?;
        let rows = driver.fetch_all(connection).await;
        let rows = rows.map_err(|source| StoreError::Database { table, source })?;
        Ok(rows.into_iter().map(|row| Row { table, row }).collect())
    }

    /// The first row, if there is one.
    pub(crate) async fn optional(self, connection: &mut Connection) -> Result<Option<Row>> {
        let table = self.table;
        let driver = self.into_driver()?;
        let row = driver.fetch_optional(connection).await;
        let row = row.map_err(|source| StoreError::Database { table, source })?;
        Ok(row.map(|row| Row { table, row }))
    }

    /// The only row.
    pub(crate) async fn one(self, connection: &mut Connection) -> Result<Row> {
        let table = self.table;
        self.optional(connection)
            .await?
            .ok_or(StoreError::Database {
                table,
                source: sqlx::Error::RowNotFound,
            })
    }

    fn into_driver(self) -> Result<Driver> {
        debug_assert_eq!(
            placeholders(self.text.as_str()),
            self.values.len(),
            "SQLite takes a missing value for NULL: {}",
            self.text.as_str()
        );
        let mut arguments = SqliteArguments::default();
        arguments.reserve(self.values.len(), 0);
        for value in self.values {
            // The driver wants the type of a NULL too; SQLite does not look at it.
            let added = match value {
                Value::Null => arguments.add(None::<i64>),
                Value::Integer(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
                Value::Bytes(value) => arguments.add(value),
            };
            added.map_err(|error| StoreError::Database {
                table: self.table,
                source: sqlx::Error::Encode(error),
            })?;
        }
        Ok(match self.text {
            Text::Fixed(sql) => sqlx::query_with(sql, arguments),
            Text::Built(sql) => sqlx::query_with(AssertSqlSafe(sql), arguments),
        })
    }
}

/// How many values a statement wants: the highest `$n`, or the number of `?`.
fn placeholders(sql: &str) -> usize {
    let numbered = sql.split('$').skip(1).filter_map(|rest| {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    });
    numbered.max().unwrap_or_else(|| sql.matches('?').count())
}

/// A row of a table.
pub(crate) struct Row {
    table: &'static str,
    row: SqliteRow,
}

impl Row {
    /// The error for a column of this row that the domain cannot take.
    pub(crate) fn inconsistent(&self, column: &'static str) -> StoreError {
        let id: Option<Vec<u8>> = self.row.try_get("id").ok();
        let id = id.map_or_else(|| "?".to_owned(), |bytes| hex(&bytes));
        StoreError::Inconsistent {
            table: self.table,
            column,
            id,
        }
    }

    /// Whether the column is NULL.
    fn is_null(&self, column: &'static str) -> Result<bool> {
        let raw = self.row.try_get_raw(column);
        raw.map(|raw| raw.is_null())
            .map_err(|_| self.inconsistent(column))
    }

    /// A whole number.
    pub(crate) fn integer(&self, column: &'static str) -> Result<i64> {
        let value = self.row.try_get(column);
        value.map_err(|_| self.inconsistent(column))
    }

    /// A whole number that is zero or more.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64> {
        u64::try_from(self.integer(column)?).map_err(|_| self.inconsistent(column))
    }

    /// A small whole number.
    pub(crate) fn small(&self, column: &'static str) -> Result<u32> {
        u32::try_from(self.integer(column)?).map_err(|_| self.inconsistent(column))
    }

    /// A truth value.
    pub(crate) fn flag(&self, column: &'static str) -> Result<bool> {
        match self.integer(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.inconsistent(column)),
        }
    }

    /// A length of time in milliseconds.
    pub(crate) fn milliseconds(&self, column: &'static str) -> Result<Duration> {
        self.count(column).map(Duration::from_millis)
    }

    /// A text.
    pub(crate) fn text(&self, column: &'static str) -> Result<String> {
        let value = self.row.try_get(column);
        value.map_err(|_| self.inconsistent(column))
    }

    /// Bytes.
    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>> {
        let value = self.row.try_get(column);
        value.map_err(|_| self.inconsistent(column))
    }

    /// Exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&self, column: &'static str) -> Result<[u8; N]> {
        self.bytes(column)?
            .try_into()
            .map_err(|_| self.inconsistent(column))
    }

    /// An id from its sixteen bytes.
    pub(crate) fn id<I>(&self, column: &'static str, from: fn([u8; 16]) -> I) -> Result<I> {
        self.array(column).map(from)
    }

    /// An instant.
    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp> {
        Timestamp::from_microsecond(self.integer(column)?).map_err(|_| self.inconsistent(column))
    }

    /// A word of a fixed vocabulary.
    pub(crate) fn word<T>(
        &self,
        column: &'static str,
        from: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        from(&self.text(column)?).ok_or_else(|| self.inconsistent(column))
    }

    /// JSON text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|_| self.inconsistent(column))
    }

    /// `None` where the column is NULL, else what `read` makes of it.
    pub(crate) fn nullable<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.is_null(column)? {
            return Ok(None);
        }
        read(self, column).map(Some)
    }
}

/// The length of time that comes back when this one is stored.
pub(crate) fn whole_milliseconds(duration: Duration) -> Duration {
    u64::try_from(duration.as_millis()).map_or(Duration::MAX, Duration::from_millis)
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A list as JSON text.
pub(crate) fn json_text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::OutOfRange("json text"))
}
