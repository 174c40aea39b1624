//! Stories of days and months in named zones (rules, section 3).
//!
//! Berlin is an hour ahead of UTC and two in summer. In 2026 its clocks go from 02:00 to 03:00 on 03-29 (01:00 UTC), and from
//! 03:00 back to 02:00 on 10-25 (01:00 UTC).

use crate::story::check;

#[test]
fn a_local_time_in_a_gap_is_the_first_instant_after_it() {
    check(
        "
        03-28  wallet zone Berlin
        03-28 01:30  grant daily 10 daily until 03-31
        now 03-30 12:00
        ------
        daily#1    0 of 10   expired 10   03-28 01:30 .. 03-29 01:00
        daily#2    0 of 10   expired 10   03-29 01:00 .. 03-30 00:30
        daily#3   10 of 10                03-30 00:30 .. 03-31 00:30
    ",
    );
}

#[test]
fn a_local_time_that_occurs_twice_is_the_earlier() {
    check(
        "
        10-24  wallet zone Berlin
        10-24 00:30  grant daily 10 daily until 10-27
        now 10-26 12:00
        ------
        daily#1    0 of 10   expired 10   10-24 00:30 .. 10-25 00:30
        daily#2    0 of 10   expired 10   10-25 00:30 .. 10-26 01:30
        daily#3   10 of 10                10-26 01:30 .. 10-27 01:30
    ",
    );
}

#[test]
fn the_later_of_two_equal_local_times_is_not_an_occurrence() {
    check(
        "
        10-24  wallet zone Berlin
        10-25 01:30  grant daily 10 daily anchor 10-24 00:30 until 10-27
        ------
        daily#1   10 of 10   10-25 01:30 .. 10-26 01:30
    ",
    );
}

#[test]
fn hours_are_exact_whatever_the_zone_does() {
    check(
        "
        03-28  wallet zone Berlin
        03-28 01:30  grant a 10 every PT24H until 03-29
        03-28 01:30  grant b 10 for PT24H
        03-28 01:30  grant c 10 for P1D
        ------
        a#1   10 of 10   03-28 01:30 .. 03-29 01:30
        b#1   10 of 10   03-28 01:30 .. 03-29 01:30
        c#1   10 of 10   03-28 01:30 .. 03-29 01:00
    ",
    );
}

#[test]
fn hourly_lots_run_through_both_changes() {
    check(
        "
        01-01  wallet zone Berlin
        03-29 00:00  grant spring 1 hourly until 03-29 03:00
        10-25 00:00  grant autumn 1 hourly until 10-25 03:00
        now 10-25 02:00
        ------
        autumn#1   0 of 1   expired 1   10-25 .. 10-25 01:00
        autumn#2   0 of 1   expired 1   10-25 01:00 .. 10-25 02:00
        autumn#3   1 of 1               10-25 02:00 .. 10-25 03:00
        spring#1   0 of 1   expired 1   03-29 .. 03-29 01:00
        spring#2   0 of 1   expired 1   03-29 01:00 .. 03-29 02:00
        spring#3   0 of 1   expired 1   03-29 02:00 .. 03-29 03:00
    ",
    );
}

#[test]
fn a_month_begins_at_local_midnight() {
    check(
        "
        02-01  wallet zone New_York
        02-01 05:00  grant plan 10 monthly until 05-01
        now 04-15
        ------
        plan#1    0 of 10   expired 10   02-01 05:00 .. 03-01 05:00
        plan#2    0 of 10   expired 10   03-01 05:00 .. 04-01 04:00
        plan#3   10 of 10                04-01 04:00 .. 05-01 04:00
    ",
    );
}

#[test]
fn the_last_day_of_a_month_is_the_zones() {
    check(
        "
        01-01  wallet zone Tokyo
        01-30 15:00  grant plan 10 monthly until 04-01
        now 03-31
        ------
        plan#1    0 of 10   expired 10   01-30 15:00 .. 02-27 15:00
        plan#2    0 of 10   expired 10   02-27 15:00 .. 03-30 15:00
        plan#3   10 of 10                03-30 15:00 .. 04-29 15:00
    ",
    );
}

#[test]
fn a_day_of_23_hours_is_prorated_by_its_hours() {
    check(
        "
        03-28  wallet zone Berlin
        03-29 11:00  grant daily 23 daily anchor 03-27 23:00 first prorated until 03-30
        ------
        daily#1   11 of 11   03-29 11:00 .. 03-29 22:00
    ",
    );
}

#[test]
fn a_grant_keeps_the_zone_it_was_issued_with() {
    check(
        "
        01-01  wallet zone Tokyo
        01-10 15:00  grant old 10 monthly until 03-01
        01-20  wallet zone Berlin
        02-10 23:00  grant new 10 monthly until 03-01
        now 02-15
        ------
        new#1   10 of 10                02-10 23:00 .. 03-10 23:00
        old#1    0 of 10   expired 10   01-10 15:00 .. 02-10 15:00
        old#2   10 of 10                02-10 15:00 .. 03-10 15:00
    ",
    );
}

#[test]
fn a_newer_zone_database_moves_no_grant() {
    check(
        r#"
        01-01  zone Utopia {"before": 3600}
        01-01  wallet zone Utopia
        01-30 23:00  grant old 10 monthly until 04-01
        02-01  zone Utopia {"before": 3600, "transitions": [[1772000000, 7200]]}
        02-02  grant new 10 monthly anchor 01-30 23:00 until 04-01
        now 03-15
        ------
        new#1    0 of 10   expired 10   02-02 .. 02-27 22:00
        new#2   10 of 10                02-27 22:00 .. 03-30 22:00
        old#1    0 of 10   expired 10   01-30 23:00 .. 02-27 23:00
        old#2   10 of 10                02-27 23:00 .. 03-30 23:00
    "#,
    );
}

#[test]
fn default_policies_give_the_zone_of_those_who_name_none() {
    check(
        "
        01-01  defaults zone Tokyo
        01-30 15:00  grant plan 10 monthly until 02-01
        01-31 16:00  use 12
        ------
        plan#1    0 of 10   01-30 15:00 .. 02-27 15:00
        overage   2 of use in 2026-02
    ",
    );
}

#[test]
fn a_day_that_a_zone_leaves_out_makes_no_lot() {
    // On 2026-12-30 at 10:00 UTC this zone goes from 10 hours behind to 14 hours ahead, as Samoa did in 2011.
    check(
        r#"
        12-01  zone Jump {"before": -36000, "transitions": [[1798624800, 50400]]}
        12-01  wallet zone Jump
        12-29 10:00  grant a 10 daily until 12-31 10:00
        12-29 10:00  grant b 10 daily until 12-31 10:00 for P3D
        now 12-31
        ------
        a#1    0 of 10   expired 10   12-29 10:00 .. 12-30 10:00
        a#3   10 of 10                12-30 10:00 .. 12-31 10:00
        b#1   10 of 10                12-29 10:00 .. 12-31 10:00
        b#3   10 of 10                12-30 10:00 .. 2027-01-02 10:00
    "#,
    );
}

#[test]
fn a_zone_that_nobody_published_is_refused() {
    check(
        "
        01-01  wallet zone Atlantis
        01-01  defaults zone Atlantis
        ------
        unclaimed
        ! 01-01  rejected unknown_zone
        ! 01-01  rejected unknown_zone: Atlantis
    ",
    );
}

#[test]
fn a_recurrence_of_centuries_that_begins_later_is_planned_all_the_same() {
    check(
        "
        01-01  grant plan 10 every P300Y36500D anchor 2030-01-01 first skip
        01-01  grant now 10 every P300Y36500D anchor 2030-01-01
        01-02  wallet reset every P300Y36500D anchor 2030-01-01
        ------
        now#1   10 of 10   01-01 .. 2030-01-01
        due 2030-01-01
    ",
    );
}

#[test]
fn a_zone_that_makes_no_sense_is_refused() {
    check(
        r#"
        01-01  zone Odd {"before": 86401}
        01-01  zone Odd {"before": -2147483648}
        01-01  zone Odd {"before": 0, "transitions": [[100, -86401]]}
        01-01  zone Odd {"before": 0, "transitions": [[100, 0], [100, 3600]]}
        01-01  zone Odd {"before": 0, "transitions": [[200, 0], [100, 3600]]}
        01-01  zone Far {"before": -86400, "transitions": [[100, 86400]]}
        01-02  wallet zone Far
        01-02  wallet zone Odd
        ------
        claimed
        ! 01-01  rejected invalid: transitions: transitions are in order, and each offset is within a day
        ! 01-01  rejected invalid: transitions: transitions are in order, and each offset is within a day
        ! 01-01  rejected invalid: transitions: transitions are in order, and each offset is within a day
        ! 01-01  rejected invalid: transitions: transitions are in order, and each offset is within a day
        ! 01-01  rejected invalid: transitions: transitions are in order, and each offset is within a day
        ! 01-02  rejected unknown_zone
    "#,
    );
}
