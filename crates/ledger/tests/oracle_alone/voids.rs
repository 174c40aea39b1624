//! Voids: what is left of a grant is taken back, what it paid for stays.

use super::{check, check_entries};

#[test]
fn a_void_takes_what_is_open_carried_and_to_come() {
    check(
        r#"
        01-01 grant g 10 {"recurrence":{"interval":"P1M"},"rollover":{"max":"4"}}
        01-02 use 3
        02-02 void {"grant_id":"g"}
        03-02 tick
        ------
        g#1   0 of 10 consumed 3 expired 3 carried 4 from 01-01 to 02-01
        g#1/1 0 of 4 voided 4 from 02-01 to 03-01
        g#2   0 of 10 voided 10 from 02-01 to 03-01
    "#,
    );
}

#[test]
fn a_void_may_leave_what_is_carried_or_what_is_to_come() {
    check(
        r#"
        01-01 grant g 10 {"recurrence":{"interval":"P1M","until":"@03-15"},"rollover":{"max":"4"}}
        02-02 void {"grant_id":"g","what":"open"}
        02-03 void {"grant_id":"g","what":"future"}
        ------
        g#1   0 of 10 expired 6 carried 4 from 01-01 to 02-01
        g#1/1 4 of 4 from 02-01 to 03-01
        g#2   0 of 10 voided 10 from 02-01 to 03-01
    "#,
    );
}

#[test]
fn a_purchase_is_voided_with_all_its_grants() {
    check(
        r#"
        01-01 grant a 10 {"purchase_id":"p"}
        01-01 grant b 10 {"purchase_id":"p"}
        01-01 grant c 10 {"purchase_id":"q"}
        01-02 void {"purchase_id":"p"}
        ------
        a#1 0 of 10 voided 10 from 01-01
        b#1 0 of 10 voided 10 from 01-01
        c#1 10 of 10 from 01-01
    "#,
    );
}

#[test]
fn what_comes_back_to_a_void_lot_is_void_from_its_instant() {
    check_entries(
        r#"
        01-01 grant g 5
        01-02 use 5 id e
        01-03 void {"grant_id":"g","what":"open"}
        01-04 reverse e
        ------
        issue    grants g#1 5 leaves 5 on 01-01 booked 01-01
        usage    g#1 usage  5 leaves 0 on 01-02 booked 01-02
        reversal usage g#1  5 leaves 5 on 01-02 booked 01-04
        void     g#1 voided 5 leaves 0 on 01-03 booked 01-04
    "#,
    );
}

#[test]
fn ended_lots_of_a_void_grant_pay_no_late_usage() {
    check(
        r#"
        01-01 grant g 5 {"expires_at":"@02-01"}
        02-02 void {"grant_id":"g"}
        02-02 use 2 at 01-20
        ------
        g#1 0 of 5 expired 5 from 01-01 to 02-01
        overage 2 credits 2026-01 use
    "#,
    );
}

#[test]
fn an_untouched_quota_enters_the_books_to_be_void() {
    check_entries(
        r#"
        01-01 grant q 5 {"recurrence":{"interval":"P1D","quiet":true}}
        01-03T12:00 void {"grant_id":"q"}
        01-04 use 1
        ------
        issue   grants q#3    5 leaves 5 on 01-03 booked 01-03T12:00
        void    q#3 voided    5 leaves 0 on 01-03T12:00 booked 01-03T12:00
        overage overage usage 1 leaves 0 on 01-04 booked 01-04
    "#,
    );
}

#[test]
fn a_void_names_one_grant_or_purchase_and_says_why() {
    check(
        r#"
        01-01 grant g 5 {"purchase_id":"p"}
        01-02 void silently {"grant_id":"g"}
        01-02 void
        01-02 void {"grant_id":"g","purchase_id":"p"}
        01-02 void {"grant_id":"h"}
        01-02 void {"purchase_id":"h"}
        ------
        g#1 5 of 5 from 01-01
        rejected no_reason
        rejected one_of_grant_and_purchase
        rejected one_of_grant_and_purchase
        rejected unknown_grant
        rejected unknown_grant
    "#,
    );
}

#[test]
fn what_is_void_stays_void_from_the_first_time() {
    check_entries(
        r#"
        01-01 grant g 5
        01-02 use 5 id e
        01-03 void {"grant_id":"g"}
        01-04 void {"grant_id":"g","what":"open"}
        01-05 reverse e
        ------
        issue    grants g#1 5 leaves 5 on 01-01 booked 01-01
        usage    g#1 usage  5 leaves 0 on 01-02 booked 01-02
        reversal usage g#1  5 leaves 5 on 01-02 booked 01-05
        void     g#1 voided 5 leaves 0 on 01-03 booked 01-05
    "#,
    );
}

#[test]
fn a_lot_that_a_correction_makes_is_void_if_it_would_have_been() {
    check(
        r#"
        01-01 grant g 10 {"expires_at":"@02-01","rollover":{"expires_after":"P28D"}}
        01-02 use 10 id e
        02-05 void {"grant_id":"g","what":"carried"}
        02-10 reverse e
        ------
        g#1   0 of 10 carried 10 from 01-01 to 02-01
        g#1/1 0 of 10 voided 10 from 02-01 to 03-01
    "#,
    );
}
