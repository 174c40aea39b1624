//! Resets: lots within their bounds, overage forgiven, by a record or at each occurrence.

use super::{check, check_entries, check_money};

#[test]
fn a_reset_cuts_to_the_most_and_fills_to_the_least() {
    check_entries(
        r#"
        01-01 grant a 10 {"expires_at":"@03-01","reset":{"max":"4"}}
        01-01 grant b 10 {"priority":10,"reset":{"min":"6"}}
        01-02 use 7
        01-03 reset
        ------
        issue grants a#1   10 leaves 10 on 01-01 booked 01-01
        issue grants b#1   10 leaves 20 on 01-01 booked 01-01
        usage b#1 usage     7 leaves 13 on 01-02 booked 01-02
        reset a#1 expired   6 leaves 7  on 01-03 booked 01-03
        issue grants b#1+1  3 leaves 10 on 01-03 booked 01-03
    "#,
    );
}

#[test]
fn what_lacks_is_a_lot_of_its_own_that_burns_as_free() {
    check(
        r#"
        01-01 grant g 10 {"cost_basis":{"money":"10","currency":"USD"},"expires_at":"@02-01","reset":{"min":"6"}}
        01-02 use 9
        01-03 reset
        01-04 use 2
        ------
        g#1   1 of 10 consumed 9 from 01-01 to 02-01
        g#1+1 3 of 5 consumed 2 from 01-03 to 02-01
    "#,
    );
    check_money(
        r#"
        01-01 grant g 10 {"cost_basis":{"money":"10","currency":"USD"},"expires_at":"@02-01","reset":{"min":"6"}}
        01-02 use 9
        01-03 reset
        ------
        g#1 10
        g#1+1 0
    "#,
    );
}

#[test]
fn what_earlier_resets_added_counts_and_goes_first() {
    check(
        r#"
        01-01 grant g 10 {"reset":{"min":"6","max":"7"}}
        01-02 use 9 id e
        01-03 reset
        01-04 reset
        01-05 reverse e
        01-06 reset
        ------
        g#1   2 of 10 expired 8 from 01-01
        g#1+1 5 of 5 from 01-03
    "#,
    );
}

#[test]
fn open_overage_is_forgiven_unless_preserved() {
    check_entries(
        r#"
        01-01 use 3
        01-02 reset {"unit":"usd"}
        01-03 reset {"preserve_overage":true}
        01-04 reset {"unit":"credits"}
        01-05 reset {"unit":"gold"}
        ------
        overage overage usage    3 leaves 0 on 01-01 booked 01-01
        forgive forgiven overage 3 leaves 0 on 01-04 booked 01-04
    "#,
    );
}

#[test]
fn a_policy_resets_after_the_ends_and_before_the_beginnings() {
    check(
        r#"
        01-01 grant g 10 {"recurrence":{"interval":"P1D"},"expires_after":"P2D","reset":{"max":"4"}}
        01-01 configure {"reset":{"interval":"P1D"}}
        01-03 tick
        ------
        g#1 0 of 10 expired 10 from 01-01 to 01-03
        g#2 4 of 10 expired 6 from 01-02 to 01-04
        g#3 10 of 10 from 01-03 to 01-05
    "#,
    );
}

#[test]
fn at_its_first_occurrence_after_the_configuration() {
    check_entries(
        r#"
        01-01 configure {"reset":{"interval":"P1M","anchor":"@01-15"}}
        01-02 use 3
        01-16 use 2
        ------
        overage overage usage    3 leaves 0 on 01-02 booked 01-02
        forgive forgiven overage 3 leaves 0 on 01-15 booked 01-15
        overage overage usage    2 leaves 0 on 01-16 booked 01-16
    "#,
    );
}

#[test]
fn bounds_that_cross_and_policies_that_are_too_quick_are_refused() {
    check(
        r#"
        01-01 grant g 10 {"reset":{"min":"6","max":"5"}}
        01-01 configure {"reset":{"interval":"PT59M"}}
        01-01 reset silently
        01-01 reset {"unit":"gold"}
        ------
        rejected reset_min_over_max
        rejected bad_interval
        rejected no_reason
        rejected unknown_unit
    "#,
    );
}

#[test]
fn what_comes_back_to_a_lot_and_its_additions_shares_one_room() {
    // The second reset leaves 5 of at most 6: of the 5 that come back 1 stays, in the lot that comes first.
    check(
        r#"
        01-01 grant g 1 {"reset":{"min":"5","max":"6"}}
        01-02 reset
        01-03 use 5 id e
        01-04 reset
        01-05 reverse e
        ------
        g#1   0 of 1 expired 1 from 01-01
        g#1+1 1 of 4 expired 3 from 01-02
        g#1+2 5 of 5 from 01-04
    "#,
    );
}

#[test]
fn what_was_drawn_at_the_very_instant_of_a_reset_has_room() {
    check(
        r#"
        01-01 grant g 10 {"reset":{"max":"4"}}
        01-02 use 6 id a
        01-03 use 3 id b
        01-03 reset
        01-04 reverse a
        01-04 reverse b
        ------
        g#1 7 of 10 expired 3 from 01-01
    "#,
    );
}
