//! Windows: which stretch of time a limit counts over, named by a local date.
//!
//! A window is a name (`Day(2026-11-21)`), and the time zone turns the name into a [`Period`]:
//! from the first instant of that date to the first instant of the next window's date. Days of 23,
//! 24½ or 25 hours, midnights that do not exist or come twice, and dates a zone skipped all follow
//! from that one rule; there is no job that resets anything.
//!
//! Invariant: the windows of one kind in one zone tile the time line, so each instant is in exactly
//! one of them.

use crate::{clock::Timestamp, limit::WindowKind};
use jiff::{ToSpan, civil::Date, tz::TimeZone};

/// One window, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// The calendar day of this date.
    Day(Date),
    /// The week that starts on this Monday.
    Week(Date),
    /// The month that starts on this first.
    Month(Date),
    /// For ever.
    Total,
}

/// The time a window covers: the first instant is in it, the last is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// The first instant; [`Timestamp::MIN`] for [`Window::Total`].
    pub opens_at: Timestamp,
    /// The first instant after; [`Timestamp::MAX`] for [`Window::Total`].
    pub closes_at: Timestamp,
}

impl Period {
    /// All of time.
    pub const ALWAYS: Self = Self {
        opens_at: Timestamp::MIN,
        closes_at: Timestamp::MAX,
    };

    /// Whether `at` is inside.
    pub fn contains(self, at: Timestamp) -> bool {
        self.opens_at <= at && at < self.closes_at
    }

    /// When what is used here counts no longer; `None` = never.
    pub fn resets_at(self) -> Option<Timestamp> {
        (self.closes_at < Timestamp::MAX).then_some(self.closes_at)
    }
}

impl Window {
    /// The window of this kind that `at` is in, in this zone.
    pub fn at(kind: WindowKind, at: Timestamp, zone: &TimeZone) -> Self {
        match kind {
            WindowKind::Day => Self::Day(day_of(at, zone)),
            WindowKind::Week => Self::Week(monday_of(day_of(at, zone))),
            WindowKind::Month => Self::Month(day_of(at, zone).first_of_month()),
            WindowKind::Total => Self::Total,
        }
    }

    /// The stored form read back: `start` is [`Self::start_text`]. `None` unless it is a date on
    /// which a window of this kind starts.
    pub fn from_parts(kind: WindowKind, start: &str) -> Option<Self> {
        if kind == WindowKind::Total {
            return (start == TOTAL).then_some(Self::Total);
        }
        let date: Date = start.parse().ok()?;
        match kind {
            WindowKind::Day => Some(Self::Day(date)),
            WindowKind::Week => (monday_of(date) == date).then_some(Self::Week(date)),
            WindowKind::Month => (date.day() == 1).then_some(Self::Month(date)),
            WindowKind::Total => None,
        }
    }

    /// Its kind.
    pub const fn kind(self) -> WindowKind {
        match self {
            Self::Day(_) => WindowKind::Day,
            Self::Week(_) => WindowKind::Week,
            Self::Month(_) => WindowKind::Month,
            Self::Total => WindowKind::Total,
        }
    }

    /// The local date it is named by; `None` for [`Self::Total`].
    pub const fn start(self) -> Option<Date> {
        match self {
            Self::Day(date) | Self::Week(date) | Self::Month(date) => Some(date),
            Self::Total => None,
        }
    }

    /// The stored form of its start: `2026-11-21` or `total`.
    pub fn start_text(self) -> String {
        self.start()
            .map_or_else(|| TOTAL.to_owned(), |date| date.to_string())
    }

    /// The time it covers in this zone. Empty for a date the zone skipped.
    pub fn period(self, zone: &TimeZone) -> Period {
        let (start, length) = match self {
            Self::Day(date) => (date, 1.day()),
            Self::Week(date) => (date, 1.week()),
            Self::Month(date) => (date, 1.month()),
            Self::Total => return Period::ALWAYS,
        };
        Period {
            opens_at: first_instant(start, zone),
            closes_at: start
                .checked_add(length)
                .map_or(Timestamp::MAX, |next| first_instant(next, zone)),
        }
    }
}

const TOTAL: &str = "total";

/// The first instant that carries `date`. Where midnight does not exist it is what the clocks jump
/// to, where it comes twice it is the first one (RFC 5545 reads such times the same way).
fn first_instant(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned(zone.clone())
        .map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

/// The date whose day contains `at`. Clocks that go back over midnight show yesterday's date again
/// for a while; that while belongs to the day that had begun, so the neighbours are looked at too.
fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    let shown = at.to_zoned(zone.clone()).date();
    [Ok(shown), shown.tomorrow(), shown.yesterday()]
        .into_iter()
        .flatten()
        .find(|date| Window::Day(*date).period(zone).contains(at))
        .unwrap_or(shown)
}

fn monday_of(date: Date) -> Date {
    date.saturating_sub(date.weekday().to_monday_zero_offset().days())
}

#[cfg(test)]
mod tests;
