//! Clearing, suspending, several steps at once, fold versions and what lots cost.

use super::{check, check_entries, check_money};

#[test]
fn overage_is_cleared_by_feature_and_up_to_what_is_open() {
    check_entries(
        r#"
        01-01 use 3 type a
        01-01 use 4 type b
        01-02 clear {"month":"2026-01","unit":"credits","amount":"5","as":"billed","reference":"7"}
        01-02 clear {"month":"2026-01","unit":"credits","feature":"b","as":"forgiven"}
        ------
        overage overage usage    3 leaves 0 on 01-01 booked 01-01
        overage overage usage    4 leaves 0 on 01-01 booked 01-01
        bill    billed overage   3 leaves 0 on 01-02 booked 01-02
        bill    billed overage   2 leaves 0 on 01-02 booked 01-02
        forgive forgiven overage 2 leaves 0 on 01-02 booked 01-02
    "#,
    );
    check(
        r#"
        01-01 use 3
        01-02 clear {"month":"2026-02","unit":"credits","as":"billed"}
        01-02 clear {"month":"2026-01","unit":"credits","amount":"0","as":"billed"}
        01-02 clear {"month":"2026-01","unit":"credits","amount":"4","as":"billed"}
        ------
        overage 3 credits 2026-01 use
        rejected nothing_open
        rejected amount_zero
        rejected more_than_open
    "#,
    );
}

#[test]
fn a_suspended_wallet_still_books_usage() {
    check(
        r#"
        01-01 resume
        01-01 suspend
        01-01 suspend
        01-02 use 3
        01-03 resume
        ------
        overage 3 credits 2026-01 use
        rejected not_suspended
        rejected already_suspended
    "#,
    );
}

#[test]
fn steps_are_taken_all_or_none() {
    check(
        r#"
        01-01 grant g 10
        01-02 change {"steps":[{"type":"grant.voided","data":{"grant_id":"g"}},{"type":"grant.issued","data":{"grant_id":"h","unit":"credits","amount":"20"}}]}
        01-03 change {"steps":[{"type":"grant.voided","data":{"grant_id":"h"}},{"type":"grant.issued","data":{"grant_id":"h","unit":"credits","amount":"20"}}]}
        01-04 change silently {"steps":[{"type":"wallet.suspended","data":{}},{"type":"wallet.reset","data":{}}]}
        01-05 change {"steps":[]}
        01-06 resume
        ------
        g#1 0 of 10 voided 10 from 01-01
        h#1 20 of 20 from 01-02
        rejected step 2: grant_exists
        rejected step 2: no_reason
        rejected no_steps
        rejected not_suspended
    "#,
    );
}

#[test]
fn overage_is_paid_back_once_after_the_last_step() {
    check(
        r#"
        01-01 use 5
        01-02 change {"steps":[{"type":"grant.issued","data":{"grant_id":"a","unit":"credits","amount":"10"}},{"type":"grant.voided","data":{"grant_id":"a"}},{"type":"grant.issued","data":{"grant_id":"b","unit":"credits","amount":"10"}}]}
        ------
        a#1 0 of 10 voided 10 from 01-02
        b#1 5 of 10 consumed 5 from 01-02
    "#,
    );
}

#[test]
fn a_carried_lot_keeps_its_unit_cost_and_gives_it_back_with_its_credits() {
    // 8 of 10 are carried for 4 of 5; late usage takes 2 and then 2 more back, each for 1.
    check_money(
        r#"
        01-01 grant g 10 {"cost_basis":{"money":"5","currency":"USD"},"expires_at":"@02-01","rollover":{"expires_after":"P28D"}}
        01-02 use 2
        02-02 use 2 at 01-20
        02-02 use 2 at 01-20
        ------
        g#1   3
        g#1/1 2
    "#,
    );
}

#[test]
fn what_comes_back_and_is_carried_takes_its_cost_along() {
    check_money(
        r#"
        01-01 grant g 10 {"cost_basis":{"money":"5","currency":"USD"},"expires_at":"@02-01","rollover":{"expires_after":"P28D"}}
        01-02 use 4 id e
        02-02 reverse e
        ------
        g#1   0
        g#1/1 5
    "#,
    );
}
