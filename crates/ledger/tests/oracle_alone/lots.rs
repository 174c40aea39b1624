//! Which lots burn first, how they end, and what is carried.

use super::{check, check_entries};

#[test]
fn usage_burns_the_soonest_ending_lot_first_and_the_rest_from_the_next() {
    check(
        r#"
        01-01 grant long 10 {"expires_at":"@03-01"}
        01-01 grant short 10 {"expires_at":"@02-01"}
        01-01 grant never 10
        01-05 use 25
        ------
        long#1   0 of 10 consumed 10 from 01-01 to 03-01
        never#1  5 of 10 consumed  5 from 01-01
        short#1  0 of 10 consumed 10 from 01-01 to 02-01
    "#,
    );
}

#[test]
fn a_lower_priority_burns_before_a_sooner_end() {
    check(
        r#"
        01-01 grant a 10 {"expires_at":"@02-01"}
        01-01 grant b 10 {"priority":10}
        01-05 use 12
        ------
        a#1  8 of 10 consumed  2 from 01-01 to 02-01
        b#1  0 of 10 consumed 10 from 01-01
    "#,
    );
}

#[test]
fn what_can_roll_over_again_waits_for_what_cannot() {
    check(
        r#"
        01-01 grant a 10 {"expires_at":"@02-01","rollover":{"expires_after":"P7D"}}
        01-01 grant b 10 {"expires_at":"@02-01"}
        01-01 grant c 10 {"expires_at":"@02-01","rollover":{"percent":"0","expires_after":"P7D"}}
        01-05 use 15
        ------
        a#1 10 of 10              from 01-01 to 02-01
        b#1  0 of 10 consumed 10  from 01-01 to 02-01
        c#1  5 of 10 consumed  5  from 01-01 to 02-01
    "#,
    );
}

#[test]
fn free_credits_burn_first_then_by_currency_then_the_cheaper_one() {
    check(
        r#"
        01-01 grant usd-dear  10 {"cost_basis":{"money":"20","currency":"USD"}}
        01-01 grant usd-cheap 20 {"cost_basis":{"money":"20","currency":"USD"}}
        01-01 grant eur       10 {"cost_basis":{"money":"90","currency":"EUR"}}
        01-01 grant zero      10 {"cost_basis":{"money":"0","currency":"USD"}}
        01-01 grant free      10
        01-05 use 45
        ------
        eur#1        0 of 10 consumed 10 from 01-01
        free#1       0 of 10 consumed 10 from 01-01
        usd-cheap#1  5 of 20 consumed 15 from 01-01
        usd-dear#1  10 of 10             from 01-01
        zero#1       0 of 10 consumed 10 from 01-01
    "#,
    );
}

#[test]
fn a_narrower_scope_burns_first_more_dimensions_then_fewer_values() {
    check(
        r#"
        01-01 grant any   10
        01-01 grant two   10 {"applies_to":{"feature":["use","chat"]}}
        01-01 grant one   10 {"applies_to":{"feature":["use"]}}
        01-01 grant both  10 {"applies_to":{"feature":["use","chat"],"subject":["ann","bob"]}}
        01-01 grant other 10 {"applies_to":{"feature":["chat"]}}
        01-05 use 35 by ann
        ------
        any#1    5 of 10 consumed  5 from 01-01
        both#1   0 of 10 consumed 10 from 01-01
        one#1    0 of 10 consumed 10 from 01-01
        other#1 10 of 10             from 01-01
        two#1    0 of 10 consumed 10 from 01-01
    "#,
    );
}

#[test]
fn a_lot_for_subjects_pays_nothing_for_usage_without_one() {
    check(
        r#"
        01-01 grant a 10 {"applies_to":{"subject":["ann"]}}
        01-02 use 3
        01-03 use 4 by bob
        01-04 use 5 by ann
        ------
        a#1 5 of 10 consumed 5 from 01-01
        overage 7 credits 2026-01 use
    "#,
    );
}

#[test]
fn identical_grants_burn_in_the_order_of_issue() {
    check(
        r#"
        01-01 grant b 10
        01-01 grant a 10
        01-05 use 11
        ------
        a#1 9 of 10 consumed  1 from 01-01
        b#1 0 of 10 consumed 10 from 01-01
    "#,
    );
}

#[test]
fn an_ended_lot_carries_up_to_its_cap_and_the_rest_expires() {
    check(
        r#"
        01-01 grant plan 100 {"recurrence":{"interval":"P1M"},"rollover":{"max":"30","expires_after":"P28D"}}
        01-10 use 50
        02-02 use 10
        ------
        plan#1    0 of 100 consumed 50 expired 20 carried 30 from 01-01 to 02-01
        plan#1/1 20 of 30  consumed 10 from 02-01 to 03-01
        plan#2  100 of 100 from 02-01 to 03-01
    "#,
    );
}

#[test]
fn what_is_carried_twice_keeps_its_name_and_its_percentage_is_cut() {
    check(
        r#"
        01-01 grant g 1 {"expires_after":"P1D","rollover":{"percent":"33.333333333","expires_after":"P1D","max_times":2}}
        01-04 tick
        ------
        g#1   0 of 1           expired 0.666666667 carried 0.333333333 from 01-01 to 01-02
        g#1/1 0 of 0.333333333 expired 0.222222223 carried 0.11111111 from 01-02 to 01-03
        g#1/2 0 of 0.11111111 expired 0.11111111 from 01-03 to 01-04
    "#,
    );
}

#[test]
fn the_cap_counts_what_is_still_open_of_what_was_carried_before() {
    // 01-02: 8 of 10 may go. 01-03: 8 are open, so nothing more goes. 01-04: the 8 end then; the cap is free.
    check(
        r#"
        01-01 grant g 10 {"recurrence":{"interval":"P1D"},"rollover":{"max":"8","expires_after":"P2D"}}
        01-04 tick
        ------
        g#1   0 of 10 expired 2 carried 8 from 01-01 to 01-02
        g#1/1 0 of 8  expired 8 from 01-02 to 01-04
        g#2   0 of 10 expired 10 from 01-02 to 01-03
        g#3   0 of 10 expired 2 carried 8 from 01-03 to 01-04
        g#3/1 8 of 8 from 01-04 to 01-06
        g#4   10 of 10 from 01-04 to 01-05
    "#,
    );
}

#[test]
fn a_lot_past_its_end_is_unspendable_at_the_very_nanosecond() {
    check(
        r#"
        01-01 grant g 10 {"expires_at":"@02-01","allowed_lateness":"PT1H"}
        02-01 use 4
        ------
        g#1 0 of 10 expired 10 from 01-01 to 02-01
        overage 4 credits 2026-02 use
    "#,
    );
}

#[test]
fn time_books_at_its_due_time_however_late_the_next_record_comes() {
    check_entries(
        r#"
        01-01 grant g 10 {"recurrence":{"interval":"P1M","until":"@02-02"},"rollover":{"max":"4"}}
        01-05 use 3
        05-20 tick
        ------
        issue  grants g#1   10 leaves 10 on 01-01 booked 01-01
        usage  g#1 usage     3 leaves  7 on 01-05 booked 01-05
        carry  g#1 g#1/1     4 leaves  4 on 02-01 booked 02-01
        expire g#1 expired   3 leaves  4 on 02-01 booked 02-01
        issue  grants g#2   10 leaves 14 on 02-01 booked 02-01
        expire g#1/1 expired 4 leaves  0 on 03-01 booked 03-01
        carry  g#2 g#2/1     4 leaves  4 on 03-01 booked 03-01
        expire g#2 expired   6 leaves  4 on 03-01 booked 03-01
        expire g#2/1 expired 4 leaves  0 on 04-01 booked 04-01
    "#,
    );
}
