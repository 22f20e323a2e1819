//! Parsers of single arguments. What they refuse is wrong usage.

use crate::settings::{problem::Complaint, text};
use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use tollgate_core::{
    clock::Timestamp,
    limit::{Limit, WindowKind},
    money::NanoUsd,
};

/// An instant, or a distance from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This instant; of a date, its start in UTC.
    At(Timestamp),
    /// So far from now.
    Distance(SignedDuration),
}

impl When {
    /// The instant, with distances going forward.
    pub fn after(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::At(instant) => Some(instant),
            Self::Distance(distance) => now.checked_add(distance).ok(),
        }
    }

    /// The instant, with distances going back.
    pub fn before(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::At(instant) => Some(instant),
            Self::Distance(distance) => now.checked_sub(distance).ok(),
        }
    }
}

pub(super) fn when(argument: &str) -> Result<When, String> {
    if let Ok(instant) = text::timestamp(argument) {
        return Ok(When::At(instant));
    }
    let date: Option<Date> = argument.parse().ok();
    if let Some(start) = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok()) {
        return Ok(When::At(start.timestamp()));
    }
    let distance: Option<SignedDuration> = argument.parse().ok();
    distance
        .filter(SignedDuration::is_positive)
        .map(When::Distance)
        .ok_or_else(|| "write 2027-01-01T00:00:00Z, 2027-01-01 or 24h".to_owned())
}

pub(super) fn email(argument: &str) -> Result<String, String> {
    text::email(argument).map_err(sentence)
}

pub(super) fn dollars(argument: &str) -> Result<NanoUsd, String> {
    text::dollars(argument).map_err(sentence)
}

/// `daily=1000`.
pub(super) fn count(argument: &str) -> Result<(WindowKind, i64), String> {
    let parsed = argument.split_once('=').and_then(|(window, count)| {
        let count: i64 = count.parse().ok()?;
        Some((WindowKind::from_word(window)?, count))
    });
    parsed
        .filter(|(_, count)| (0..=Limit::AMOUNT_MAX).contains(count))
        .ok_or_else(|| {
            let windows = WindowKind::ALL.map(WindowKind::as_str).join(", ");
            format!("write WINDOW=COUNT, as in daily=1000; windows are {windows}")
        })
}

fn sentence(complaint: Complaint) -> String {
    let Complaint { message, help } = complaint;
    format!("{message}: {help}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_timestamp_a_date_or_a_distance() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let after = |argument| when(argument).unwrap().after(now).unwrap().to_string();
        let before = |argument| when(argument).unwrap().before(now).unwrap().to_string();
        assert_eq!(after("2027-01-01T01:00:00+01:00"), "2027-01-01T00:00:00Z");
        assert_eq!(before("2026-11-01"), "2026-11-01T00:00:00Z");
        assert_eq!(after("24h"), "2026-11-22T12:00:00Z");
        assert_eq!(before("90m"), "2026-11-21T10:30:00Z");
        for bad in ["tomorrow", "-3h", "0s", "2026-13-01"] {
            assert!(when(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_count_names_its_window() {
        assert_eq!(count("monthly=5"), Ok((WindowKind::Month, 5)));
        for bad in ["5", "hourly=5", "daily=-1", "daily=1.5"] {
            assert!(count(bad).is_err(), "{bad}");
        }
    }
}
