//! Late usage: which ended lots still pay, and what comes back from what was carried.

use super::{check, check_entries};

#[test]
fn late_usage_takes_what_expired_and_then_what_was_carried() {
    check(
        r#"
        01-01 grant g 10 {"expires_at":"@02-01","rollover":{"percent":"50","expires_after":"P28D"}}
        02-02 use 7 at 01-20
        ------
        g#1   0 of 10 consumed 7 carried 3 from 01-01 to 02-01
        g#1/1 3 of 5  returned 2 from 02-01 to 03-01
    "#,
    );
}

#[test]
fn what_is_carried_on_comes_back_hop_by_hop() {
    // g#1 ends 01-02, g#1/1 01-03; both are within their lateness of a day until 01-03T… and 01-04.
    check_entries(
        r#"
        01-01 grant g 10 {"expires_after":"P2D","rollover":{"expires_after":"P1D","max_times":2,"percent":"80"}}
        01-04T12:00 use 9 at 01-02
        ------
        issue  grants g#1     10 leaves 10  on 01-01 booked 01-01
        carry  g#1 g#1/1       8 leaves  8  on 01-03 booked 01-03
        expire g#1 expired     2 leaves  8  on 01-03 booked 01-03
        carry  g#1/1 g#1/2   6.4 leaves 6.4 on 01-04 booked 01-04
        expire g#1/1 expired 1.6 leaves 6.4 on 01-04 booked 01-04
        usage  expired usage   2 leaves 6.4 on 01-02 booked 01-04T12:00
        return expired g#1   1.6 leaves 6.4 on 01-02 booked 01-04T12:00
        usage  g#1 usage     1.6 leaves 6.4 on 01-02 booked 01-04T12:00
        return g#1/2 g#1/1   5.4 leaves   1 on 01-02 booked 01-04T12:00
        return g#1/1 g#1     5.4 leaves   1 on 01-02 booked 01-04T12:00
        usage  g#1 usage     5.4 leaves   1 on 01-02 booked 01-04T12:00
    "#,
    );
}

#[test]
fn the_lots_of_the_chain_keep_the_law() {
    check(
        r#"
        01-01 grant g 10 {"expires_after":"P2D","rollover":{"expires_after":"P1D","max_times":2,"percent":"80"}}
        01-04T12:00 use 9 at 01-02
        ------
        g#1   0 of 10  consumed 9 carried 1 from 01-01 to 01-03
        g#1/1 0 of 8   carried 1 returned 7 from 01-03 to 01-04
        g#1/2 1 of 6.4 returned 5.4 from 01-04 to 01-05
    "#,
    );
}

#[test]
fn after_its_lateness_a_lot_pays_no_more() {
    check(
        r#"
        01-01 grant g 10 {"expires_at":"@02-01"}
        02-03T23:59 use 1 at 01-20
        02-04 use 2 at 01-20
        ------
        g#1 0 of 10 consumed 1 expired 9 from 01-01 to 02-01
        overage 2 credits 2026-01 use
    "#,
    );
}

#[test]
fn lateness_is_never_longer_than_the_lot() {
    check(
        r#"
        01-01 grant g 10 {"expires_after":"PT6H"}
        01-01T11:59 use 1 at 01-01T03:00
        01-01T12:00 use 2 at 01-01T03:00
        ------
        g#1 0 of 10 consumed 1 expired 9 from 01-01 to 01-01T06:00
        overage 2 credits 2026-01 use
    "#,
    );
}

#[test]
fn the_catalogues_lateness_is_fixed_when_a_lot_is_issued() {
    // The record of 01-02 stands at the start of g#2 and so comes after it: only g#3 has five hours.
    check(
        r#"
        01-01 publish policies default {"lateness":"PT10H"}
        01-01 grant g 10 {"recurrence":{"interval":"P1D","until":"@01-04"}}
        01-02 publish policies default {"lateness":"PT5H"}
        01-03T09:00 use 1 at 01-02
        01-04T09:00 use 2 at 01-03
        01-04T04:59 use 4 at 01-03
        ------
        g#1 0 of 10 expired 10 from 01-01 to 01-02
        g#2 0 of 10 consumed 1 expired 9 from 01-02 to 01-03
        g#3 0 of 10 expired 10 from 01-03 to 01-04
        overage 6 credits 2026-01 use
    "#,
    );
}

#[test]
fn late_usage_goes_to_the_lots_of_its_time_in_burn_order_open_or_not() {
    check(
        r#"
        01-01 grant ended 5 {"expires_at":"@02-01"}
        01-01 grant open 5 {"expires_at":"@03-01"}
        02-01 grant new 5 {"expires_at":"@02-10"}
        02-02 use 7 at 01-31
        ------
        ended#1 0 of 5 consumed 5 from 01-01 to 02-01
        new#1   5 of 5            from 02-01 to 02-10
        open#1  3 of 5 consumed 2 from 01-01 to 03-01
    "#,
    );
}

#[test]
fn usage_ahead_of_the_clock_counts_at_the_clock() {
    check_entries(
        r#"
        01-01 grant g 5 {"expires_at":"@01-03"}
        01-02 use 2 at 01-04
        ------
        issue grants g#1 5 leaves 5 on 01-01 booked 01-01
        usage g#1 usage  2 leaves 3 on 01-02 booked 01-02
    "#,
    );
}

#[test]
fn a_record_stamped_earlier_is_applied_at_the_clock() {
    check_entries(
        r#"
        01-01 grant g 5 {"expires_at":"@02-02"}
        02-02 tick
        02-01 use 2
        ------
        issue  grants g#1    5 leaves 5 on 01-01 booked 01-01
        expire g#1 expired   5 leaves 0 on 02-02 booked 02-02
        usage  expired usage 2 leaves 0 on 02-01 booked 02-02
    "#,
    );
}

#[test]
fn a_chain_is_followed_over_a_lot_whose_lateness_is_over() {
    // g#1 lasts ten days and pays for 72 h after 01-11; g#1/1 was gone an hour after its end.
    check(
        r#"
        01-01 grant g 10 {"expires_at":"@01-11","rollover":{"expires_after":"PT1H","max_times":3}}
        01-11T02:30 use 4 at 01-05
        ------
        g#1   0 of 10 consumed 4 carried 6 from 01-01 to 01-11
        g#1/1 0 of 10 carried 6 returned 4 from 01-11 to 01-11T01:00
        g#1/2 0 of 10 carried 6 returned 4 from 01-11T01:00 to 01-11T02:00
        g#1/3 6 of 10 returned 4 from 01-11T02:00 to 01-11T03:00
    "#,
    );
}
