//! Identity and outcomes: an event counts once.

use super::check;

#[test]
fn the_same_event_again_is_a_duplicate_however_its_numbers_are_written() {
    check(
        r#"
        01-01 use 5 id e
        01-02 use 5.0 id e
        01-03 use 50e-1 id e
        01-04 use 6 id e
        01-05 use 5 id e at 01-01
        ------
        overage 5 credits 2026-01 use
        duplicate 4
        duplicate 4
        conflict 4
        conflict 4
    "#,
    );
}

#[test]
fn a_grant_counts_once_by_its_own_id_too() {
    check(
        r#"
        01-01 grant g 5 id a
        01-02 grant g 5 id b
        01-03 grant g 6 id c
        01-04 grant g 6 id c
        ------
        g#1 5 of 5 from 01-01
        duplicate 4
        conflict 4
        duplicate 6
    "#,
    );
}

#[test]
fn a_refused_grant_leaves_its_grant_id_free_and_advances_the_clock() {
    check(
        r#"
        01-01 grant d 5 {"expires_at":"@01-02"}
        01-03 grant g 0 id a
        01-03 grant g 5 id b
        01-04 grant g 0 id a
        ------
        d#1 0 of 5 expired 5 from 01-01 to 01-02
        g#1 5 of 5 from 01-03
        rejected amount_zero
        duplicate 5
    "#,
    );
}

#[test]
fn a_configuration_that_names_an_unknown_zone_is_refused() {
    check(
        r#"
        01-01 configure {"zone":"Nowhere"}
        ------
        rejected unknown_zone
    "#,
    );
}

#[test]
fn a_duplicate_still_advances_the_wallet_first() {
    check(
        r#"
        01-01 grant g 5 {"recurrence":{"interval":"P1D"}}
        01-01 use 1 id u
        01-02 use 1 id u
        ------
        g#1 0 of 5 consumed 1 expired 4 from 01-01 to 01-02
        g#2 5 of 5 from 01-02 to 01-03
        duplicate 5
    "#,
    );
}
