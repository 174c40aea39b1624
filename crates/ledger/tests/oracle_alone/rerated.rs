//! Usage that is charged anew: at its own time, from what it gave back and what else may pay.

use super::{check, check_entries};

#[test]
fn a_corrected_quantity_takes_the_difference() {
    check_entries(
        r#"
        01-01 grant g 10
        01-02 use 5 id e
        01-03 rerate e {"data":{"n":3}}
        ------
        issue    grants g#1 10 leaves 10 on 01-01 booked 01-01
        usage    g#1 usage   5 leaves 5  on 01-02 booked 01-02
        reversal usage g#1   5 leaves 10 on 01-02 booked 01-03
        usage    g#1 usage   3 leaves 7  on 01-02 booked 01-03
    "#,
    );
}

#[test]
fn what_comes_out_the_same_books_nothing() {
    check_entries(
        r#"
        01-01 grant g 10
        01-02 use 5 id e
        01-03 rerate e
        01-04 rerate e {"data":{"n":5.0,"m":1}}
        ------
        issue grants g#1 10 leaves 10 on 01-01 booked 01-01
        usage g#1 usage   5 leaves 5  on 01-02 booked 01-02
    "#,
    );
}

#[test]
fn a_price_that_came_later_prices_what_had_none() {
    check(
        r#"
        01-01 grant g 10
        01-02 use m id e {"m":4}
        01-03 rerate e
        01-04 publish price m {"charges":[{"amount":"2","quantity":{"field":"m"},"unit":"credits"}],"effective_from":"2026-01-01T00:00:00Z","match":{"data":{"m":{"any":true}},"type":{"any":true}}}
        01-05 rerate e
        ------
        g#1 2 of 10 consumed 8 from 01-01
        applied unpriced:missing_quantity
        rejected unpriced: missing_quantity
    "#,
    );
}

#[test]
fn a_late_grant_pays_what_had_been_overage() {
    check(
        r#"
        01-05 use 5 id e
        01-06 configure {"overage":{"repay":false}}
        01-10 grant g 10 {"effective_at":"@01-01"}
        01-11 rerate e
        ------
        g#1 5 of 10 consumed 5 from 01-01
    "#,
    );
}

#[test]
fn the_lots_that_had_paid_may_pay_again_whatever_their_lateness() {
    // a ended in January and would be out of reach; b ended too and had nothing to do with it.
    check(
        r#"
        01-01 grant a 5 {"expires_at":"@01-11"}
        01-01 grant b 5 {"expires_at":"@01-12"}
        01-02 use 4 id e
        03-01 rerate e {"data":{"n":5}}
        ------
        a#1 0 of 5 consumed 4 expired 1 from 01-01 to 01-11
        b#1 0 of 5 expired 5 from 01-01 to 01-12
        overage 1 credits 2026-01 use
    "#,
    );
}

#[test]
fn what_is_left_of_an_ended_lot_goes_its_way() {
    check(
        r#"
        01-01 grant a 5 {"expires_at":"@01-11","rollover":{"expires_after":"P1Y"}}
        01-02 use 4 id e
        03-01 rerate e {"data":{"n":1}}
        ------
        a#1   0 of 5 consumed 1 carried 4 from 01-01 to 01-11
        a#1/1 4 of 4 from 01-11 to 01-11
    "#,
    );
}

#[test]
fn who_had_paid_back_pays_back_again_also_when_ended_or_void_and_before_others() {
    check(
        r#"
        01-01 use 6 id e
        01-02 grant a 2 {"expires_at":"@01-11"}
        01-03 grant b 4
        01-04 void {"grant_id":"b"}
        01-20 grant c 10
        01-21 rerate e {"data":{"n":5}}
        ------
        a#1 0 of 2 consumed 2 from 01-02 to 01-11
        b#1 0 of 4 consumed 3 voided 1 from 01-03
        c#1 10 of 10 from 01-20
    "#,
    );
}

#[test]
fn what_was_taken_back_in_parts_stays_taken_back() {
    check(
        r#"
        01-01 grant g 10
        01-02 use 5 id e
        01-03 reverse e {"amounts":[{"unit":"credits","amount":"2"}]}
        01-04 rerate e {"data":{"n":9}}
        01-05 rerate e {"data":{"n":1}}
        ------
        g#1 10 of 10 from 01-01
    "#,
    );
}

#[test]
fn tiers_stand_as_if_the_usage_had_not_counted() {
    // Counted are 5 and 4; without the 5 the 3 count from 4 to 7, and the last from there: 4 and 4 and 1.
    check(
        r#"
        01-01 publish price t {"charges":[{"name":"c","quantity":{"field":"n"},"tiers":{"mode":"graduated","period":"month","steps":[{"amount":"2","up_to":"5"},{"amount":"1"}]},"unit":"credits"}],"match":{"type":{"exact":"t"}}}
        01-01 grant g 100
        01-02 use 5 type t id a
        01-02 use 4 type t
        01-03 rerate a {"data":{"n":3}}
        01-04 use 1 type t
        ------
        g#1 91 of 100 consumed 9 from 01-01
    "#,
    );
}

#[test]
fn what_was_reversed_is_not_charged_again() {
    check(
        r#"
        01-02 use 5 id e
        01-03 rerate e silently
        01-03 rerate f
        01-03 reverse e
        01-04 rerate e {"data":{"n":3}}
        ------
        rejected no_reason
        rejected unknown_usage
        rejected already_reversed
    "#,
    );
}
