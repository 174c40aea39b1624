//! Overage: kept by month and feature, paid back, billed or forgiven.

use super::{check, check_entries};

#[test]
fn overage_is_kept_by_the_month_of_the_usage_and_its_feature() {
    check(
        r#"
        02-01 use 1 type chat at 01-31T23:59
        02-01 use 2 type chat
        02-01 use 4 type call
        ------
        overage 1 credits 2026-01 chat
        overage 4 credits 2026-02 call
        overage 2 credits 2026-02 chat
    "#,
    );
}

#[test]
fn what_becomes_available_pays_the_oldest_month_back_first() {
    check_entries(
        r#"
        02-01 use 2 type chat
        02-01 use 3 type call at 01-10
        02-01 use 4 type call
        02-02 grant g 8
        ------
        overage overage usage 2 leaves 0 on 02-01 booked 02-01
        overage overage usage 3 leaves 0 on 01-10 booked 02-01
        overage overage usage 4 leaves 0 on 02-01 booked 02-01
        issue  grants g#1  8 leaves 8 on 02-02 booked 02-02
        repay  g#1 overage 3 leaves 5 on 02-02 booked 02-02
        repay  g#1 overage 4 leaves 1 on 02-02 booked 02-02
        repay  g#1 overage 1 leaves 0 on 02-02 booked 02-02
    "#,
    );
}

#[test]
fn lots_for_subjects_pay_nothing_back_and_lots_for_features_only_theirs() {
    check(
        r#"
        01-01 use 5 type chat by ann
        01-01 use 5 type call by ann
        01-02 grant a 10 {"applies_to":{"subject":["ann"]}}
        01-02 grant c 10 {"applies_to":{"feature":["call"]}}
        ------
        a#1 10 of 10            from 01-02
        c#1  5 of 10 consumed 5 from 01-02
        overage 5 credits 2026-01 chat
    "#,
    );
}

#[test]
fn late_usage_beyond_the_lots_of_its_time_is_paid_back_by_lots_open_now() {
    check_entries(
        r#"
        01-10 grant g 5
        01-10 use 2 at 01-09
        ------
        issue   grants g#1    5 leaves 5 on 01-10 booked 01-10
        overage overage usage 2 leaves 5 on 01-09 booked 01-10
        repay   g#1 overage   2 leaves 3 on 01-10 booked 01-10
    "#,
    );
}

#[test]
fn a_recurrence_pays_back_at_its_start_before_any_record() {
    check_entries(
        r#"
        01-01 grant g 5 {"recurrence":{"interval":"P1D"}}
        01-01 use 7
        01-02 use 4
        ------
        issue   grants g#1    5 leaves 5 on 01-01 booked 01-01
        usage   g#1 usage     5 leaves 0 on 01-01 booked 01-01
        overage overage usage 2 leaves 0 on 01-01 booked 01-01
        issue   grants g#2    5 leaves 5 on 01-02 booked 01-02
        repay   g#2 overage   2 leaves 3 on 01-02 booked 01-02
        usage   g#2 usage     3 leaves 0 on 01-02 booked 01-02
        overage overage usage 1 leaves 0 on 01-02 booked 01-02
    "#,
    );
}

#[test]
fn a_quota_pays_back_at_its_next_occurrence() {
    check_entries(
        r#"
        01-01 grant q 5 {"recurrence":{"interval":"P1D","quiet":true}}
        01-01 use 7
        01-04 tick
        ------
        issue   grants q#1    5 leaves 5 on 01-01 booked 01-01
        usage   q#1 usage     5 leaves 0 on 01-01 booked 01-01
        overage overage usage 2 leaves 0 on 01-01 booked 01-01
        issue   grants q#2    5 leaves 5 on 01-02 booked 01-02
        repay   q#2 overage   2 leaves 3 on 01-02 booked 01-02
        expire  q#2 expired   3 leaves 0 on 01-03 booked 01-03
    "#,
    );
}

#[test]
fn without_repayment_overage_stays_beside_open_lots() {
    check(
        r#"
        01-01 configure {"overage":{"repay":false}}
        01-01 use 7
        01-02 grant g 10
        ------
        g#1 10 of 10 from 01-02
        overage 7 credits 2026-01 use
    "#,
    );
}

#[test]
fn a_closed_month_is_billed_after_the_catalogues_lateness_and_late_overage_at_once() {
    check_entries(
        r#"
        01-01 configure {"overage":{"at_month_end":"bill"}}
        01-31 use 7
        02-05 use 2 at 01-30
        ------
        overage overage usage  7 leaves 0 on 01-31 booked 01-31
        bill    billed overage 7 leaves 0 on 02-04 booked 02-04
        overage overage usage  2 leaves 0 on 01-30 booked 02-05
        bill    billed overage 2 leaves 0 on 02-05 booked 02-05
    "#,
    );
}

#[test]
fn at_one_instant_lots_pay_back_before_the_month_is_forgiven() {
    check_entries(
        r#"
        01-01 publish policies default {"lateness":"P1D","overage":{"at_month_end":"forgive"}}
        01-31 use 7
        01-31 grant g 3 {"effective_at":"@02-02"}
        02-03 use 1
        ------
        overage overage usage     7 leaves 0 on 01-31 booked 01-31
        issue   grants g#1        3 leaves 3 on 02-02 booked 02-02
        repay   g#1 overage       3 leaves 0 on 02-02 booked 02-02
        forgive forgiven overage  4 leaves 0 on 02-02 booked 02-02
        overage overage usage     1 leaves 0 on 02-03 booked 02-03
    "#,
    );
}

#[test]
fn a_policy_that_comes_later_takes_closed_months_out_with_its_record() {
    check_entries(
        r#"
        01-01 use 7
        02-10 configure {"overage":{"at_month_end":"forgive"}}
        ------
        overage overage usage    7 leaves 0 on 01-01 booked 01-01
        forgive forgiven overage 7 leaves 0 on 02-10 booked 02-10
    "#,
    );
}

#[test]
fn the_month_is_one_of_the_zone_the_wallet_had_at_that_time() {
    // Until 02-10 the wallet is in UTC; since then it is two hours ahead.
    check(
        r#"
        01-01 publish zone East {"before":7200,"transitions":[]}
        02-10 configure {"zone":"East"}
        02-28T22:00 use 1
        02-28T22:00 use 2 at 01-31T23:00
        ------
        overage 2 credits 2026-01 use
        overage 1 credits 2026-03 use
    "#,
    );
}
