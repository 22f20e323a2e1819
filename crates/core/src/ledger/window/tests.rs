use super::*;
use proptest::prelude::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("the time zone database has this zone")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// W7: zone, date, from, to, minutes.
const DAYS: &[(&str, &str, &str, &str, i64)] = &[
    (
        "Europe/Berlin",
        "2026-03-29",
        "2026-03-28T23:00Z",
        "2026-03-29T22:00Z",
        23 * 60,
    ),
    (
        "Europe/Berlin",
        "2026-10-25",
        "2026-10-24T22:00Z",
        "2026-10-25T23:00Z",
        25 * 60,
    ),
    (
        "Africa/Cairo",
        "2026-04-24",
        "2026-04-23T22:00Z",
        "2026-04-24T21:00Z",
        23 * 60,
    ),
    (
        "America/Santiago",
        "2026-09-06",
        "2026-09-06T04:00Z",
        "2026-09-07T03:00Z",
        23 * 60,
    ),
    (
        "America/Havana",
        "2026-11-01",
        "2026-11-01T04:00Z",
        "2026-11-02T05:00Z",
        25 * 60,
    ),
    (
        "Australia/Lord_Howe",
        "2026-04-05",
        "2026-04-04T13:00Z",
        "2026-04-05T13:30Z",
        24 * 60 + 30,
    ),
    (
        "Asia/Kathmandu",
        "2026-11-21",
        "2026-11-20T18:15Z",
        "2026-11-21T18:15Z",
        24 * 60,
    ),
];

#[test]
fn w7_days_are_as_long_as_the_zone_makes_them() {
    for (name, date, from, to, minutes) in DAYS {
        let zone = zone(name);
        let day = Window::from_parts(WindowKind::Day, date).expect("a date");
        let period = day.period(&zone);
        assert_eq!(
            (period.opens_at, period.closes_at),
            (at(from), at(to)),
            "{name} {date}"
        );
        let seconds = period.closes_at.as_second() - period.opens_at.as_second();
        assert_eq!(seconds, minutes * 60, "{name} {date}");

        let nanosecond = 1.nanosecond();
        let (last, before) = (
            period.closes_at.checked_sub(nanosecond).unwrap(),
            period.opens_at.checked_sub(nanosecond).unwrap(),
        );
        assert_eq!(
            Window::at(WindowKind::Day, period.opens_at, &zone),
            day,
            "{name}"
        );
        assert_eq!(Window::at(WindowKind::Day, last, &zone), day, "{name}");
        assert_ne!(Window::at(WindowKind::Day, before, &zone), day, "{name}");
        assert_ne!(
            Window::at(WindowKind::Day, period.closes_at, &zone),
            day,
            "{name}"
        );
    }
}

#[test]
fn clocks_that_go_back_over_midnight_do_not_reopen_yesterday() {
    // St. John's, 2010-11-07: at 00:01 the clocks went back to 23:01 of the 6th.
    let zone = zone("America/St_Johns");
    let seventh = Window::Day("2010-11-07".parse().unwrap());
    let again = at("2010-11-07T03:00Z");
    assert_eq!(
        again.to_zoned(zone.clone()).date().to_string(),
        "2010-11-06"
    );
    assert_eq!(Window::at(WindowKind::Day, again, &zone), seventh);
}

#[test]
fn a_date_the_zone_skipped_is_empty() {
    // Samoa had no 2011-12-30.
    let zone = zone("Pacific/Apia");
    let skipped = Window::Day("2011-12-30".parse().unwrap()).period(&zone);
    assert_eq!(skipped.opens_at, skipped.closes_at);
    let next = Window::Day("2011-12-31".parse().unwrap()).period(&zone);
    assert_eq!(skipped.closes_at, next.opens_at);
}

#[test]
fn weeks_start_on_monday_and_months_on_the_first() {
    let zone = zone("Europe/Berlin");
    let sunday_night = at("2026-11-22T22:59:59Z");
    let week = Window::at(WindowKind::Week, sunday_night, &zone);
    assert_eq!(week.start_text(), "2026-11-16");
    assert_eq!(week.period(&zone).closes_at, at("2026-11-22T23:00:00Z"));
    let monday = Window::at(WindowKind::Week, at("2026-11-22T23:00:00Z"), &zone);
    assert_eq!(monday.start_text(), "2026-11-23");

    let month = Window::at(WindowKind::Month, at("2026-02-28T23:00:00Z"), &zone);
    assert_eq!(month.start_text(), "2026-03-01");
    assert_eq!(month.period(&zone).closes_at, at("2026-03-31T22:00:00Z"));
}

#[test]
fn stored_names_read_back_and_wrong_ones_do_not() {
    for window in [
        Window::Day("2026-11-21".parse().unwrap()),
        Window::Week("2026-11-16".parse().unwrap()),
        Window::Month("2026-11-01".parse().unwrap()),
        Window::Total,
    ] {
        let read = Window::from_parts(window.kind(), &window.start_text());
        assert_eq!(read, Some(window));
    }
    assert_eq!(Window::from_parts(WindowKind::Week, "2026-11-17"), None);
    assert_eq!(Window::from_parts(WindowKind::Month, "2026-11-02"), None);
    assert_eq!(Window::from_parts(WindowKind::Day, "total"), None);
    assert_eq!(Window::from_parts(WindowKind::Total, "2026-11-01"), None);
    assert_eq!(Period::ALWAYS.resets_at(), None);
}

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/Havana",
    "America/St_Johns",
    "Pacific/Apia",
    "Australia/Lord_Howe",
];

proptest! {
    #[test]
    fn every_instant_is_in_its_window_and_the_next_window_follows(
        second in 1_200_000_000_i64..1_900_000_000,
        name in 0..ZONES.len(),
    ) {
        let zone = zone(ZONES[name]);
        let instant = Timestamp::from_second(second).unwrap();
        for kind in WindowKind::ALL {
            let period = Window::at(kind, instant, &zone).period(&zone);
            prop_assert!(period.contains(instant), "{kind} {instant}");
            if let Some(end) = period.resets_at() {
                let next = Window::at(kind, end, &zone).period(&zone);
                prop_assert_eq!(next.opens_at, end);
            }
        }
    }
}
