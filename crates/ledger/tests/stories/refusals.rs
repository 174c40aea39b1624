//! Stories of grants that are refused, and why (rules, section 4).

use crate::story::check;

#[test]
fn another_promise_under_the_same_name_is_a_conflict() {
    check(
        "
        01-01  grant gift 100 id a
        01-05  grant gift 200 id b
        01-06  grant gift 100 of usd id c
        01-07  grant other 100 id a
        ------
        gift#1   100 of 100
        ! 01-05  conflict with 01-01
        ! 01-06  conflict with 01-01
        ! 01-07  conflict with 01-01
    ",
    );
}

#[test]
fn the_name_of_a_refused_grant_is_free() {
    check(
        "
        01-01  grant gift 0
        01-02  grant gift 10
        ------
        gift#1   10 of 10   01-02 ..
        ! 01-01  rejected amount_zero
    ",
    );
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    check(
        "
        01-01  grant a 0
        01-01  grant b 10 of gold
        01-01  grant c 10 ends 02-01 for P1M
        01-01  grant d 10 monthly ends 02-01
        01-02  grant e 10 ends 01-02
        01-02  grant f 10 from 03-01 ends 02-01
        01-02  grant g 10 monthly until 01-02
        ------
        ! 01-01  rejected amount_zero
        ! 01-01  rejected unknown_unit
        ! 01-01  rejected expires_both
        ! 01-01  rejected expires_at_with_recurrence
        ! 01-02  rejected ends_before_start
        ! 01-02  rejected ends_before_start
        ! 01-02  rejected until_before_start
    ",
    );
}

#[test]
fn a_recurrence_lasts_an_hour_at_least() {
    check(
        "
        01-01  grant a 10 every PT59M59.999999999S
        01-01  grant b 10 every PT60M until 01-01 01:00
        ------
        b#1   10 of 10   01-01 .. 01-01 01:00
        ! 01-01  rejected bad_interval
    ",
    );
}

#[test]
fn a_rollover_has_an_end_and_a_bound() {
    check(
        "
        01-01  grant a 10 carry all
        01-01  grant b 10 ends 02-01 carry all
        01-01  grant c 10 carry all for P1M
        01-01  grant d 10 monthly quiet carry all
        01-01  grant e 10 monthly carry 100.000000001%
        01-01  grant f 10 monthly carry all times 0
        01-01  grant g 10 ends 02-01 carry all for P1M
        ------
        g#1   10 of 10
        ! 01-01  rejected rollover_without_end
        ! 01-01  rejected rollover_without_end
        ! 01-01  rejected rollover_without_end
        ! 01-01  rejected quiet_with_rollover
        ! 01-01  rejected percent_over_100
        ! 01-01  rejected max_times
    ",
    );
}

#[test]
fn a_grant_that_could_open_more_than_a_thousand_lots_is_refused() {
    check(
        "
        01-01  grant a 1 hourly for P60D
        01-01  grant b 1 hourly carry all for P60D
        01-01  grant c 1 hourly carry all times 500
        01-01  grant d 1 yearly for P30Y carry all for P1Y times 20
        ------
        d#1   1 of 1
        ! 01-01  rejected too_many_lots
        ! 01-01  rejected too_many_lots
        ! 01-01  rejected too_many_lots
    ",
    );
}

#[test]
fn a_wallets_grants_together_open_a_thousand_lots_at_most() {
    check(
        "
        01-01  grant a 1 hourly for P25D until 01-01 01:00
        01-01  grant b 1 hourly for P25D until 01-01 01:00
        01-01  grant c 1 hourly for P10D until 01-01 01:00
        ------
        a#1   1 of 1
        c#1   1 of 1
        ! 01-01  rejected too_many_lots
    ",
    );
}

#[test]
fn what_is_refused_changes_nothing_but_the_clock() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        02-10  grant bad 0
        ------
        plan#1   0 of 10   expired 10
        ! 02-10  rejected amount_zero
        ledger
        01-01  issue 10    grants -> plan#1
        02-01  expire 10   plan#1 -> expired
    ",
    );
}

#[test]
fn a_field_that_is_not_known_is_not_ignored() {
    check(
        r#"
        01-01  record grant.issued {"grant_id": "a", "unit": "credits", "amount": "1", "colour": "red"}
        01-01  record grant.issued {"grant_id": "b", "unit": "credits", "amount": "1", "amount": "2"}
        01-01  record grant.issued {"grant_id": "c", "unit": "credits"}
        01-02  use 1
        ------
        overage 1 of use in 2026-01
        ! 01-01  quarantined: the data of grant.issued: unknown field `colour`, expected one of `grant_id`, `unit`, `amount`, `cost_basis`, `priority`, `category`, `effective_at`, `expires_at`, `expires_after`, `applies_to`, `recurrence`, `rollover`, `reset`, `allowed_lateness`, `purchase_id`, `metadata`
        ! 01-01  quarantined: the data of grant.issued: duplicate field `amount`
        ! 01-01  quarantined: the data of grant.issued: missing field `amount`
    "#,
    );
}

#[test]
fn what_follows_a_refusal_is_not_applied_before_it() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-20  grant bad 0
        01-10  use 2
        ------
        plan#1   8 of 10
        ! 01-20  rejected amount_zero
        ledger
        01-01  issue 10   grants -> plan#1
        01-10  usage 2    plan#1 -> usage   booked 01-20
    ",
    );
}

#[test]
fn a_thousand_lots_and_not_one_more_are_allowed() {
    check(
        "
        01-01  grant a 1 hourly for PT498H until 01-01 01:00
        01-01  grant b 1 hourly for PT498H until 01-01 01:00
        01-01  grant c 1
        ------
        a#1   1 of 1
        b#1   1 of 1
        ! 01-01  rejected too_many_lots
    ",
    );
    check(
        "
        01-01  grant a 1 hourly for PT999H until 01-01 01:00
        01-01  grant b 1 hourly for PT998H until 01-01 01:00
        ------
        b#1   1 of 1
        ! 01-01  rejected too_many_lots
    ",
    );
}

#[test]
fn a_one_off_grant_that_carries_over_counts_as_two_lots() {
    check(
        "
        01-01  grant a 1 hourly for PT498H until 01-01 01:00
        01-01  grant b 1 hourly for PT497H until 01-01 01:00
        01-01  grant c 1 ends 02-01 carry all for P1M
        01-01  grant d 1
        ------
        a#1   1 of 1
        b#1   1 of 1
        d#1   1 of 1
        ! 01-01  rejected too_many_lots
    ",
    );
}

#[test]
fn days_are_taken_to_be_short_and_lives_to_be_long() {
    check(
        "
        01-01  grant a 1 daily for P957D until 01-01 01:00
        01-01  grant b 1 daily for P956D until 01-01 01:00
        ------
        b#1   1 of 1
        ! 01-01  rejected too_many_lots
    ",
    );
}
