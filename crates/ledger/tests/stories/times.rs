//! Times, spans and months as they are written (rules, section 3).

use ledger::{Instant, Month, Span, TimeError, Zone};

use crate::story::check;

#[test]
fn an_offset_is_taken_off() {
    for (written, meant) in [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"),
        ("2026-01-31 12:00:00.50+00:00", "2026-01-31T12:00:00.5Z"),
        ("2026-01-31T12:00:00+02:03", "2026-01-31T09:57:00Z"),
        ("2026-01-31T12:00:00-05:30", "2026-01-31T17:30:00Z"),
        ("2026-01-31T12:00:00+23:59", "2026-01-30T12:01:00Z"),
        ("2026-01-31T12:00:00-23:59", "2026-02-01T11:59:00Z"),
        ("1999-09-29T09:59:59.999999999Z", "1999-09-29T09:59:59.999999999Z"),
    ] {
        assert_eq!(Instant::parse(written).map(|at| at.to_string()), Ok(meant.into()), "{written}");
    }
}

#[test]
fn what_is_not_written_as_a_time_is_none() {
    for text in [
        "",
        "2026-01-31",
        "2026-01-31T00:00:00",
        "2026-01-31T00:00:00Zé",
        "2026/01-31T00:00:00Z",
        "2026-01/31T00:00:00Z",
        "2026-01-31_00:00:00Z",
        "2026-01-31T00.00:00Z",
        "2026-01-31T00:00.00Z",
        "2026-02-29T00:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T23:60:00Z",
        "2026-01-31T23:59:60Z",
        "2x26-01-31T00:00:00Z",
        "20x6-01-31T00:00:00Z",
        "2026-x1-31T00:00:00Z",
        "2026-1x-31T00:00:00Z",
        "2026-01-31T00:00:00.Z",
        "2026-01-31T00:00:00.0000000000Z",
        "2026-01-31T00:00:00+2:00",
        "2026-01-31T00:00:00+02:0",
        "2026-01-31T00:00:00+02:000",
        "2026-01-31T00:00:00+0200",
        "2026-01-31T00:00:00+02-00",
        "2026-01-31T00:00:00+24:00",
        "2026-01-31T00:00:00+29:00",
        "2026-01-31T00:00:00+00:60",
        "2026-01-31T00:00:00+00:69",
        "2026-01-31T00:00:00_02:00",
    ] {
        assert_eq!(Instant::parse(text), Err(TimeError::Grammar), "{text}");
    }
    let why = serde_json::from_str::<Instant>("5").unwrap_err().to_string();
    assert!(why.contains("expected a time such as"), "{why}");
}

#[test]
fn a_time_lies_between_1970_and_2261() {
    for text in
        ["1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z"]
    {
        assert_eq!(Instant::parse(text), Err(TimeError::OutOfRange), "{text}");
    }
    assert_eq!(Instant::parse("1970-01-01T00:00:00Z"), Ok(Instant(0)));
    assert_eq!(Instant::parse("2261-12-31T23:59:59.999999999Z"), Ok(Instant::MAX));
}

#[test]
fn a_span_is_shown_as_it_is_read() {
    for text in ["P1M", "P1Y", "P1Y2M3D", "PT1H", "PT2M", "PT36H", "P1DT1H1M1.5S", "PT0.000000001S", "P300Y"]
    {
        assert_eq!(Span::parse(text).map(|span| span.to_string()), Ok(text.into()), "{text}");
    }
    for (written, shown) in [("P2W", "P14D"), ("PT90M", "PT1H30M"), ("PT999999999S", "PT277777H46M39S")] {
        assert_eq!(Span::parse(written).map(|span| span.to_string()), Ok(shown.into()), "{written}");
    }
}

#[test]
fn what_is_no_span_is_refused() {
    for text in [
        "",
        "1D",
        "P",
        "PT",
        "P0D",
        "PT0S",
        "PD",
        "P1",
        "P+1D",
        "P-1D",
        "P1.5D",
        "P1H",
        "PT1D",
        "P1D2M",
        "P0000000001D",
        "PT1.S",
        "PT1.+5S",
        "PT1.-5S",
        "PT1.0000000000S",
        "P301Y",
        "P109801D",
        "PT2544001H",
    ] {
        assert_eq!(Span::parse(text), Err(TimeError::Span), "{text}");
    }
}

#[test]
fn a_month_is_written_with_four_digits_and_two() {
    assert_eq!(Month::parse("2026-12").map(|month| month.to_string()), Some("2026-12".into()));
    for text in
        ["2026", "2026-1", "2026-001", "26-01", "02026-01", "2026-00", "2026-13", "+026-01", "2026-+1"]
    {
        assert_eq!(Month::parse(text), None, "{text}");
    }
}

#[test]
fn a_zone_says_which_day_it_is_and_when_a_month_is() {
    let tokyo = Zone { before: 9 * 3600, transitions: Vec::new() };
    let at = Instant::parse("2026-01-31T15:00:00Z").unwrap();
    assert_eq!((Zone::default().day(at), tokyo.day(at)), ("2026-01-31".into(), "2026-02-01".into()));
    let (starts, ends) = Month::parse("2026-02").unwrap().bounds(&tokyo).unwrap();
    assert_eq!((starts, ends.to_string()), (at, "2026-02-28T15:00:00Z".into()));
}

#[test]
fn hours_are_exact_where_clocks_show_one_twice() {
    // In Berlin 01:30 is half past two of that night for the second time, and an hour later it is half past three.
    check(
        "
        10-01  wallet zone Berlin
        10-25 01:30  grant cycles 10 hourly until 10-25 02:00
        10-25 01:30  grant once 10 for PT1H
        ------
        cycles#1   10 of 10   10-25 01:30 .. 10-25 02:30
        once#1     10 of 10   10-25 01:30 .. 10-25 02:30
    ",
    );
}

#[test]
fn the_hour_after_one_shown_twice_is_itself() {
    check(
        "
        10-01  wallet zone Berlin
        10-24 01:00  grant plan 10 daily until 10-24 02:00
        ------
        plan#1   10 of 10   10-24 01:00 .. 10-25 02:00
    ",
    );
}

#[test]
fn a_fraction_of_the_first_second_after_a_gap_stays() {
    check(
        "
        03-01  wallet zone Berlin
        03-28 02:00:00.5  grant plan 10 daily until 03-28 03:00
        ------
        plan#1   10 of 10   03-28 02:00:00.5 .. 03-29 01:00:00.5
    ",
    );
}

#[test]
fn a_cycle_of_a_longer_day_is_found() {
    // Half an hour before midnight in winter, counted in whole days from a midnight in summer.
    check(
        "
        10-01  wallet zone Berlin
        10-26 22:30  grant plan 10 daily anchor 10-20 22:00 until 10-26 22:45
        ------
        plan#1   10 of 10   10-26 22:30 .. 10-26 23:00
    ",
    );
}

#[test]
fn months_are_counted_to_the_end_of_time() {
    check(
        "
        2261-11-15  grant plan 10 monthly anchor 1970-01-01 until 2261-11-16
        ------
        plan#1   10 of 10   2261-11-15 .. 2261-12-01
    ",
    );
}
