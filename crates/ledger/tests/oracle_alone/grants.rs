//! What a grant promises: cycles, calendars, quotas, and why a grant is refused.

use super::{check, check_entries};

/// Central Europe's summer of 2026: from 03-29T01:00Z to 10-25T01:00Z it is two hours ahead, else one.
const SUMMER: &str =
    r#"publish zone Europe/Berlin {"before":3600,"transitions":[[1774746000,7200],[1792890000,3600]]}"#;

#[test]
fn months_from_the_31st_are_cut_and_never_drift() {
    check(
        r#"
        01-31 grant g 10 {"recurrence":{"interval":"P1M"}}
        05-01 tick
        ------
        g#1  0 of 10 expired 10 from 01-31 to 02-28
        g#2  0 of 10 expired 10 from 02-28 to 03-31
        g#3  0 of 10 expired 10 from 03-31 to 04-30
        g#4 10 of 10            from 04-30 to 05-31
    "#,
    );
}

#[test]
fn days_are_calendar_days_in_the_grants_zone_and_hours_are_exact() {
    check(&format!(
        r#"
        01-01 {SUMMER}
        01-01 configure {{"zone":"Europe/Berlin"}}
        03-27T23:00 grant day  1 {{"recurrence":{{"interval":"P1D"}}}}
        03-27T23:00 grant hour 1 {{"recurrence":{{"interval":"PT24H"}}}}
        03-29T22:30 tick
        ------
        day#1  0 of 1 expired 1 from 03-27T23:00 to 03-28T23:00
        day#2  0 of 1 expired 1 from 03-28T23:00 to 03-29T22:00
        day#3  1 of 1           from 03-29T22:00 to 03-30T22:00
        hour#1 0 of 1 expired 1 from 03-27T23:00 to 03-28T23:00
        hour#2 1 of 1           from 03-28T23:00 to 03-29T23:00
    "#
    ));
}

#[test]
fn a_local_time_in_a_gap_is_the_first_instant_after_it_and_the_earlier_of_two() {
    // 02:30 local: on 03-29 it is skipped (01:00Z comes first), on 10-25 it comes twice (00:30Z first).
    check(&format!(
        r#"
        01-01 {SUMMER}
        01-01 configure {{"zone":"Europe/Berlin"}}
        03-28T01:30 grant gap  1 {{"recurrence":{{"interval":"P1D","until":"@03-31"}}}}
        10-24T00:30 grant both 1 {{"expires_after":"P1D"}}
        ------
        both#1  1 of 1           from 10-24T00:30 to 10-25T00:30
        gap#1   0 of 1 expired 1 from 03-28T01:30 to 03-29T01:00
        gap#2   0 of 1 expired 1 from 03-29T01:00 to 03-30T00:30
        gap#3   0 of 1 expired 1 from 03-30T00:30 to 03-31T00:30
    "#
    ));
}

#[test]
fn the_first_lot_is_full_prorated_or_skipped_until_the_first_occurrence() {
    // From 01-21 to 02-01 are 11 of January's 31 days: 31 × 11/31 = 11, 1 × 11/31 = 0.354838709…
    check(
        r#"
        01-21 grant full 31 {"recurrence":{"interval":"P1M","anchor":"@01-01"}}
        01-21 grant part 31 {"recurrence":{"interval":"P1M","anchor":"@03-01","first":"prorated"}}
        01-21 grant tiny  1 {"recurrence":{"interval":"P1M","anchor":"@01-01","first":"prorated"}}
        01-21 grant skip 31 {"recurrence":{"interval":"P1M","anchor":"@01-01","first":"skip"}}
        02-01 grant whole 31 {"recurrence":{"interval":"P1M","anchor":"@01-01","first":"skip"}}
        02-01 tick
        ------
        full#1   0 of 31 expired 31 from 01-21 to 02-01
        full#2  31 of 31            from 02-01 to 03-01
        part#1   0 of 11 expired 11 from 01-21 to 02-01
        part#2  31 of 31            from 02-01 to 03-01
        skip#1  31 of 31            from 02-01 to 03-01
        tiny#1   0 of 0.354838709 expired 0.354838709 from 01-21 to 02-01
        tiny#2   1 of 1             from 02-01 to 03-01
        whole#1 31 of 31            from 02-01 to 03-01
    "#,
    );
}

#[test]
fn until_bounds_starts_and_a_lot_may_outlast_its_interval() {
    check(
        r#"
        01-01 grant g 5 {"expires_after":"P10D","recurrence":{"interval":"P7D","until":"@01-15"}}
        01-16 tick
        ------
        g#1 0 of 5 expired 5 from 01-01 to 01-11
        g#2 5 of 5           from 01-08 to 01-18
    "#,
    );
}

#[test]
fn a_future_grant_issues_nothing_before_it_starts() {
    check(
        r#"
        01-01 grant g 5 {"effective_at":"@01-10"}
        01-09 use 1
        01-10 use 2
        ------
        g#1 2 of 5 consumed 3 from 01-10
    "#,
    );
}

#[test]
fn a_backdated_recurrence_starts_with_the_lot_within_its_lateness() {
    // At 03-02 the lot of February ended a day ago, within 72 h; January's is long past.
    check_entries(
        r#"
        03-02 grant g 10 {"effective_at":"@01-01","recurrence":{"interval":"P1M"},"rollover":{"max":"3"}}
        03-02 use 8 at 02-27
        ------
        issue  grants g#2    10 leaves  0 on 02-01 booked 03-02
        carry  g#2 g#2/1      3 leaves  3 on 03-01 booked 03-02
        expire g#2 expired    7 leaves  3 on 03-01 booked 03-02
        issue  grants g#3    10 leaves 13 on 03-01 booked 03-02
        usage  expired usage  7 leaves 13 on 02-27 booked 03-02
        return g#2/1 g#2      1 leaves 12 on 02-27 booked 03-02
        usage  g#2 usage      1 leaves 12 on 02-27 booked 03-02
    "#,
    );
}

#[test]
fn a_grant_that_is_expired_on_arrival_is_issued_and_expires_at_once() {
    check(
        r#"
        03-01 grant g 10 {"effective_at":"@01-01","expires_at":"@02-28"}
        03-01 use 4 at 02-01
        ------
        g#1 0 of 10 consumed 4 expired 6 from 01-01 to 02-28
    "#,
    );
}

#[test]
fn a_quota_that_nothing_touches_books_nothing() {
    // What ends at an instant ends before the next quota begins.
    check_entries(
        r#"
        01-01 grant q 5 {"recurrence":{"interval":"P1D","quiet":true}}
        01-03T12:00 use 2
        01-10 tick
        ------
        issue  grants q#3  5 leaves 5 on 01-03 booked 01-03T12:00
        usage  q#3 usage   2 leaves 3 on 01-03T12:00 booked 01-03T12:00
        expire q#3 expired 3 leaves 0 on 01-04 booked 01-04
    "#,
    );
}

#[test]
fn a_quota_burns_after_numbered_lots_and_takes_its_number_when_touched() {
    check(
        r#"
        01-01 grant q 5 {"expires_after":"P10D","recurrence":{"interval":"P30D","quiet":true}}
        01-01 grant b 5 {"expires_at":"@01-11"}
        01-02 use 6
        01-02 grant c 5 {"expires_at":"@01-11"}
        01-03 use 6
        ------
        b#1 0 of 5 consumed 5 from 01-01 to 01-11
        c#1 3 of 5 consumed 2 from 01-02 to 01-11
        q#1 0 of 5 consumed 5 from 01-01 to 01-11
    "#,
    );
}

#[test]
fn a_quota_that_ended_untouched_comes_into_the_books_for_late_usage() {
    check_entries(
        r#"
        01-01 grant q 5 {"recurrence":{"interval":"P1D","quiet":true,"until":"@01-02"}}
        01-02T06:00 use 2 at 01-01T18:00
        ------
        issue  grants q#1    5 leaves 0 on 01-01 booked 01-02T06:00
        expire q#1 expired   5 leaves 0 on 01-02 booked 01-02T06:00
        usage  expired usage 2 leaves 0 on 01-01T18:00 booked 01-02T06:00
    "#,
    );
}

#[test]
fn a_grant_is_refused_with_its_reason() {
    check(
        r#"
        01-01 grant a 0
        01-01 grant b 1 unit gold
        01-01 grant c 1 {"recurrence":{"interval":"PT59M"}}
        01-01 grant d 1 {"expires_at":"@02-01","expires_after":"P1D"}
        01-01 grant e 1 {"expires_at":"@02-01","recurrence":{"interval":"P1D"}}
        01-01 grant f 1 {"effective_at":"@02-01","expires_at":"@02-01"}
        01-01 grant g 1 {"expires_at":"@02-01","rollover":{}}
        01-01 grant h 1 {"rollover":{"expires_after":"P1D"}}
        01-01 grant i 1 {"recurrence":{"interval":"P1D","quiet":true},"rollover":{}}
        01-01 grant j 1 {"expires_after":"P1Y","recurrence":{"interval":"PT1H"}}
        01-01 grant k 1 {"recurrence":{"interval":"P1D","until":"@01-01"}}
        01-01 grant l 1 {"recurrence":{"interval":"P1D"},"rollover":{"percent":"101"}}
        ------
        rejected amount_zero
        rejected unknown_unit
        rejected bad_interval
        rejected expires_both
        rejected expires_at_with_recurrence
        rejected ends_before_start
        rejected rollover_without_end
        rejected rollover_without_end
        rejected quiet_with_rollover
        rejected too_many_lots
        rejected until_before_start
        rejected percent_over_100
    "#,
    );
}

#[test]
fn what_a_quota_has_left_is_available_before_anything_touches_it() {
    check_entries(
        r#"
        01-01 grant q 5 {"recurrence":{"interval":"P1D","quiet":true}}
        01-01 grant g 2
        01-01 use 3
        ------
        issue grants g#1 2 leaves 7 on 01-01 booked 01-01
        issue grants q#1 5 leaves 7 on 01-01 booked 01-01
        usage q#1 usage  3 leaves 4 on 01-01 booked 01-01
    "#,
    );
}

/// A zone that crosses the date line: 03-29T01:30Z follows Saturday 15:30 and is Sunday 15:30.
const JUMPER: &str = r#"publish zone Jumper {"before":-36000,"transitions":[[1774747800,50400]]}"#;

#[test]
fn a_day_that_the_zone_skips_has_a_number_and_no_lot() {
    check(&format!(
        r#"
        01-01 {JUMPER}
        01-01 configure {{"zone":"Jumper"}}
        03-27T01:30 grant g 1 {{"recurrence":{{"interval":"P1D"}}}}
        03-29T02:00 grant b 1 {{"allowed_lateness":"PT1M","effective_at":"@03-27T01:30","recurrence":{{"interval":"P1D"}}}}
        ------
        b#4 1 of 1           from 03-29T01:30 to 03-30T01:30
        g#1 0 of 1 expired 1 from 03-27T01:30 to 03-28T01:30
        g#2 0 of 1 expired 1 from 03-28T01:30 to 03-29T01:30
        g#4 1 of 1           from 03-29T01:30 to 03-30T01:30
    "#
    ));
}

#[test]
fn an_anchor_in_an_hour_that_comes_twice_is_an_occurrence_itself() {
    // 10-25T01:30Z is the second 02:30: the first lot is whole, and the next day's 02:30 is 25 h after the first.
    check(&format!(
        r#"
        01-01 {SUMMER}
        01-01 configure {{"zone":"Europe/Berlin"}}
        10-25T01:30 grant g 24 {{"recurrence":{{"interval":"P1D","first":"prorated"}}}}
        ------
        g#1 24 of 24 from 10-25T01:30 to 10-26T01:30
    "#
    ));
}

#[test]
fn a_grant_without_a_start_takes_effect_when_it_happened() {
    check(
        r#"
        01-04T12:00 grant g 5 at 01-03 {"expires_after":"P1D"}
        01-04T12:00 use 2 at 01-03T12:00
        ------
        g#1 0 of 5 consumed 2 expired 3 from 01-03 to 01-04
    "#,
    );
}

#[test]
fn a_backdated_recurrence_starts_with_the_earliest_lot_within_its_lateness() {
    // 30 January to 28 February are 29 days, 31 January to 28 February 28: at 03-28T12:00 only the first still pays
    // with a lateness as long as itself (29 days from 02-28 end on 03-29, 28 days on 03-28); g#3 began on 02-01.
    check(
        r#"
        03-28T12:00 grant g 1 {"allowed_lateness":"P60D","effective_at":"@01-30","expires_after":"P1M","recurrence":{"interval":"P1D","until":"@02-02"}}
        ------
        g#1 0 of 1 expired 1 from 01-30 to 02-28
        g#2 0 of 1 expired 1 from 01-31 to 02-28
        g#3 0 of 1 expired 1 from 02-01 to 03-01
    "#,
    );
}
