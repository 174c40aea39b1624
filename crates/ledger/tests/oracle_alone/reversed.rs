//! Reversals: what comes back, in which order, and where it goes.

use super::{check, check_entries};

#[test]
fn a_usage_goes_back_to_its_lots_the_last_taken_first() {
    check_entries(
        r#"
        01-01 grant a 3 {"expires_at":"@03-01"}
        01-01 grant b 10
        01-02 use 5 id e
        01-03 reverse e {"amounts":[{"unit":"credits","amount":"4"}]}
        ------
        issue    grants a#1 3  leaves 3  on 01-01 booked 01-01
        issue    grants b#1 10 leaves 13 on 01-01 booked 01-01
        usage    a#1 usage 3   leaves 10 on 01-02 booked 01-02
        usage    b#1 usage 2   leaves 8  on 01-02 booked 01-02
        reversal usage b#1 2   leaves 10 on 01-02 booked 01-03
        reversal usage a#1 2   leaves 12 on 01-02 booked 01-03
    "#,
    );
}

#[test]
fn overage_goes_back_before_the_lots() {
    check_entries(
        r#"
        01-01 grant g 3 {"expires_at":"@03-01"}
        01-02 use 5 id e
        01-03 reverse e {"amounts":[{"unit":"credits","feature":"use","amount":"3"}]}
        ------
        issue           grants g#1    3 leaves 3 on 01-01 booked 01-01
        usage           g#1 usage     3 leaves 0 on 01-02 booked 01-02
        overage         overage usage 2 leaves 0 on 01-02 booked 01-02
        reverse_overage usage overage 2 leaves 0 on 01-02 booked 01-03
        reversal        usage g#1     1 leaves 1 on 01-02 booked 01-03
    "#,
    );
}

#[test]
fn overage_that_was_paid_back_goes_to_who_paid_it_back_the_last_first() {
    check_entries(
        r#"
        01-01 use 5 id e
        01-02 grant a 2
        01-03 grant b 2
        01-04 reverse e {"amounts":[{"unit":"credits","amount":"4"}]}
        ------
        overage         overage usage 5 leaves 0 on 01-01 booked 01-01
        issue           grants a#1    2 leaves 2 on 01-02 booked 01-02
        repay           a#1 overage   2 leaves 0 on 01-02 booked 01-02
        issue           grants b#1    2 leaves 2 on 01-03 booked 01-03
        repay           b#1 overage   2 leaves 0 on 01-03 booked 01-03
        reverse_overage usage overage 1 leaves 0 on 01-01 booked 01-04
        reverse_overage usage overage 2 leaves 0 on 01-01 booked 01-04
        unrepay         overage b#1   2 leaves 2 on 01-03 booked 01-04
        reverse_overage usage overage 1 leaves 2 on 01-01 booked 01-04
        unrepay         overage a#1   1 leaves 3 on 01-02 booked 01-04
    "#,
    );
}

#[test]
fn of_what_was_billed_a_credit_is_due_and_of_what_was_forgiven_nothing() {
    check_entries(
        r#"
        01-01 use 5 id e
        01-02 clear {"month":"2026-01","unit":"credits","amount":"3","as":"billed"}
        01-03 clear {"month":"2026-01","unit":"credits","amount":"1","as":"forgiven"}
        01-04 reverse e
        ------
        overage         overage usage      5 leaves 0 on 01-01 booked 01-01
        bill            billed overage     3 leaves 0 on 01-02 booked 01-02
        forgive         forgiven overage   1 leaves 0 on 01-03 booked 01-03
        reverse_overage usage overage      1 leaves 0 on 01-01 booked 01-04
        reverse_overage usage overage      3 leaves 0 on 01-01 booked 01-04
        credit_due      overage credit_due 3 leaves 0 on 01-02 booked 01-04
        reverse_overage usage overage      1 leaves 0 on 01-01 booked 01-04
        unforgive       overage forgiven   1 leaves 0 on 01-03 booked 01-04
    "#,
    );
}

#[test]
fn what_comes_back_to_an_ended_lot_does_what_its_end_did() {
    // Half of the 6 left was carried; of the 4 that come back half, but no more than 4 − 3 in all.
    check(
        r#"
        01-01 grant g 10 {"expires_at":"@02-01","rollover":{"percent":"50","max":"4","expires_after":"P28D"}}
        01-02 use 4 id e
        02-02 reverse e
        ------
        g#1   0 of 10 expired 6 carried 4 from 01-01 to 02-01
        g#1/1 4 of 4 from 02-01 to 03-01
    "#,
    );
}

#[test]
fn what_comes_back_long_after_goes_through_the_lots_that_would_have_been() {
    check(
        r#"
        01-01 grant g 10 {"expires_at":"@01-11","rollover":{"expires_after":"P10D","max_times":2}}
        01-02 use 10 id e
        02-20 reverse e
        ------
        g#1   0 of 10 carried 10 from 01-01 to 01-11
        g#1/1 0 of 10 carried 10 from 01-11 to 01-21
        g#1/2 0 of 10 expired 10 from 01-21 to 01-31
    "#,
    );
}

#[test]
fn a_usage_is_reversed_once_and_not_by_more_than_it_was() {
    check(
        r#"
        01-01 grant g 10
        01-02 use 5 id e
        01-03 reverse e silently
        01-03 reverse f
        01-03 reverse e {"amounts":[]}
        01-03 reverse e {"amounts":[{"unit":"credits","amount":"0"}]}
        01-03 reverse e {"amounts":[{"unit":"credits","amount":"3"},{"unit":"credits","amount":"3"}]}
        01-03 reverse e {"amounts":[{"unit":"credits","feature":"other","amount":"1"}]}
        01-04 reverse e {"amounts":[{"unit":"credits","amount":"5"}]}
        01-05 reverse e
        01-06 reverse e
        ------
        g#1 10 of 10 from 01-01
        rejected no_reason
        rejected unknown_usage
        rejected no_amounts
        rejected amount_zero
        rejected more_than_used
        rejected more_than_used
        rejected already_reversed
    "#,
    );
}

#[test]
fn a_whole_reversal_lowers_the_tiers_and_a_part_does_not() {
    // Two for each of the first five of a month, one for each after them.
    check(
        r#"
        01-01 publish price t {"charges":[{"name":"c","quantity":{"field":"n"},"tiers":{"mode":"graduated","period":"month","steps":[{"amount":"2","up_to":"5"},{"amount":"1"}]},"unit":"credits"}],"match":{"type":{"exact":"t"}}}
        01-01 grant g 100
        01-02 use 5 type t id a
        01-02 use 5 type t id b
        01-03 reverse b {"amounts":[{"unit":"credits","amount":"5"}]}
        01-03 reverse a
        01-04 use 2 type t
        ------
        g#1 98 of 100 consumed 2 from 01-01
    "#,
    );
}

#[test]
fn a_reversed_usage_without_a_price_is_not_counted_any_more() {
    check(
        r#"
        01-01 use m id e {"m":1}
        01-01 use m id f {"m":1}
        01-02 reverse e
        ------
        unpriced 1
        applied unpriced:missing_quantity
        applied unpriced:missing_quantity
    "#,
    );
}

#[test]
fn what_comes_back_pays_other_overage_at_once() {
    check(
        r#"
        01-01 grant g 5
        01-02 use 5 id e
        01-03 use 3
        01-04 reverse e
        ------
        g#1 2 of 5 consumed 3 from 01-01
    "#,
    );
}
