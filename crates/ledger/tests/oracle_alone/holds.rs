//! Holds, worked out by hand.

use super::{check, check_entries};

#[test]
fn what_was_used_is_taken_and_the_rest_is_free() {
    check_entries(
        r#"
        01-01 grant a 5 {"expires_at":"@02-01"}
        01-01 grant b 5
        01-10 hold id h {"estimate":{"amounts":[{"unit":"credits","feature":"use","amount":"8"}]}}
        01-10T00:01 settle h u {"actual":{"event":{"type":"use","data":{"n":6}}}}
        ------
        issue grants a#1 5 leaves 5 on 01-01 booked 01-01
        issue grants b#1 5 leaves 10 on 01-01 booked 01-01
        hold a#1 hold:h 5 leaves 5 on 01-10 booked 01-10
        hold b#1 hold:h 3 leaves 2 on 01-10 booked 01-10
        held_usage hold:h usage 5 leaves 2 on 01-10 booked 01-10T00:01
        held_usage hold:h usage 1 leaves 2 on 01-10 booked 01-10T00:01
        release hold:h b#1 2 leaves 4 on 01-10 booked 01-10T00:01
    "#,
    );
}

#[test]
fn nothing_beyond_lots_is_approved_unless_a_policy_says_so() {
    check(
        r#"
        01-01 grant a 5
        01-10 hold id h {"estimate":{"amounts":[{"unit":"credits","feature":"use","amount":"7"}]}}
        01-10 configure {"holds":{"beyond":{"overdraft":{"credits":"2"}}}}
        01-10 hold id k {"estimate":{"amounts":[{"unit":"credits","feature":"use","amount":"7"}]}}
        01-10 hold id l {"estimate":{"amounts":[{"unit":"credits","feature":"use","amount":"1"}]}}
        01-10T00:15 hold id m {"estimate":{"amounts":[{"unit":"credits","feature":"use","amount":"1"}]}}
        ------
        a#1 4 of 5 from 01-01
        declined insufficient {"credits":"2"}
        approved until 2026-01-10T00:15:00Z
        declined insufficient {"credits":"1"}
        approved until 2026-01-10T00:30:00Z
    "#,
    );
}

#[test]
fn a_usage_and_its_settlement_are_one() {
    check(
        r#"
        01-01 grant a 9
        01-10 hold id h {"estimate":{"amounts":[{"unit":"credits","feature":"use","amount":"8"}]}}
        01-10 settle h u {"actual":{"amounts":[{"unit":"credits","feature":"use","amount":"3"}]},"final":false}
        01-10 use 3 id u
        01-10 settle h v {"actual":{"amounts":[]}}
        01-10 settle h w {"actual":{"event":{"type":"use","data":{"n":1}}}}
        01-10 unhold h
        01-10 unhold k
        01-10 hold id k {"estimate":{"amounts":[{"unit":"credits","feature":"use","amount":"1"}]}}
        ------
        a#1 5 of 9 consumed 4 from 01-01
        approved until 2026-01-10T00:15:00Z
        duplicate 6
        rejected not_open
        declined voided
    "#,
    );
}

#[test]
fn what_is_held_when_its_lot_ends_is_spendable_and_its_rest_is_not() {
    check(
        r#"
        01-01 grant a 9 {"expires_at":"@02-01"}
        01-31T23:50 hold id h {"estimate":{"amounts":[{"unit":"credits","feature":"use","amount":"8"}]},"ttl":"PT1H"}
        02-01 extend h {"ttl":"PT2H"}
        02-01T01:30 settle h u {"actual":{"event":{"type":"use","data":{"n":6}}}}
        ------
        a#1 0 of 9 consumed 6 expired 3 from 01-01 to 02-01
        approved until 2026-02-01T00:50:00Z
        approved until 2026-02-01T02:00:00Z
    "#,
    );
}
