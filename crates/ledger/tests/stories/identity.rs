//! Stories of identity: an event counts once, for ever (rules, section 8).

use crate::story::check;

#[test]
fn the_same_usage_again_counts_once() {
    check(
        "
        01-01  grant plan 10
        01-02  use 3 id a
        01-03  again a
        06-01  again a
        ------
        plan#1   7 of 10
        ! 01-03  duplicate of 01-02
        ! 06-01  duplicate of 01-02
    ",
    );
}

#[test]
fn another_usage_under_the_same_id_is_a_conflict() {
    check(
        "
        01-01  grant plan 10
        01-02  use 3 id a
        01-03  use 4 id a
        01-04  use 3 of chat id a
        01-05  use 3 id a
        ------
        plan#1   7 of 10
        ! 01-03  conflict with 01-02
        ! 01-04  conflict with 01-02
        ! 01-05  duplicate of 01-02
    ",
    );
}

#[test]
fn content_is_compared_by_value() {
    check(
        r#"
        01-01  grant plan 10
        01-02  send use id a {"n": 1, "model": "x", "m": [1, 0.5]}
        01-03  send use id a {"model": "\u0078", "m": [1.0, 5e-1],   "n": 10e-1}
        01-04  send use id a {"n": "1", "model": "x", "m": [1, 0.5]}
        01-05  send use id a {"n": 1, "model": "x", "m": [0.5, 1]}
        ------
        plan#1   9 of 10
        ! 01-03  duplicate of 01-02
        ! 01-04  conflict with 01-02
        ! 01-05  conflict with 01-02
    "#,
    );
}

#[test]
fn the_senders_own_time_is_part_of_what_was_said() {
    check(
        "
        01-01  grant plan 10
        01-02  use 3 id a
        01-03  use 3 id a at 01-02
        01-04  use 4 id b at 01-02
        01-05  use 4 id b at 01-03
        01-06  use 4 id b at 01-02
        ------
        plan#1   3 of 10
        ! 01-03  conflict with 01-02
        ! 01-05  conflict with 01-04
        ! 01-06  duplicate of 01-04
    ",
    );
}

#[test]
fn an_id_is_its_sources_own() {
    check(
        "
        01-01  grant plan 10
        01-02  use 3 id a
        01-03  use 3 id a source elsewhere
        ------
        plan#1   4 of 10
    ",
    );
}

#[test]
fn an_id_is_never_used_for_two_kinds_of_record() {
    check(
        "
        01-01  grant plan 10 id a
        01-02  use 3 id a
        ------
        plan#1   10 of 10
        ! 01-02  conflict with 01-01
    ",
    );
}

#[test]
fn a_retry_of_what_was_refused_is_told_where_the_answer_is() {
    check(
        "
        01-01  grant plan 0 id a
        01-02  again a
        01-03  use many id b
        01-04  again b
        ------
        available 0
        unpriced 0
        ! 01-01  rejected amount_zero
        ! 01-02  duplicate of 01-01
        ! 01-03  quarantined: not an envelope: expected value
        ! 01-04  quarantined: not an envelope: expected value
    ",
    );
}

#[test]
fn unpriced_usage_again_is_counted_once() {
    check(
        r#"
        01-01  grant plan 10
        01-02  use "many" id a
        01-03  again a
        ------
        plan#1   10 of 10
        unpriced 1
        ! 01-02  unpriced not_a_number
        ! 01-03  duplicate of 01-02
    "#,
    );
}

#[test]
fn a_duplicate_moves_the_clock_all_the_same() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-02  use 3 id a
        02-10  again a
        ------
        plan#1   0 of 10   expired 7
        ! 02-10  duplicate of 01-02
    ",
    );
}

#[test]
fn a_key_that_stands_twice_has_no_value() {
    check(
        r#"
        01-01  grant plan 10
        01-02  send use {"n": 1, "n": 2}
        01-03  send use {"n": 1, "m": {"a": 1, "b": 2, "\u0061": 3}}
        01-04  use 1
        ------
        plan#1   9 of 10
        ! 01-02  quarantined: the key "n" stands twice in one object: leave one out
        ! 01-03  quarantined: the key "a" stands twice in one object: leave one out
    "#,
    );
}

#[test]
fn a_configuration_names_the_one_it_replaces() {
    check(
        r#"
        01-01  wallet zone Tokyo
        01-02  record wallet.configured {"zone": "Berlin"}
        01-03  record wallet.configured {"replaces": "somebody else's", "zone": "Berlin"}
        01-31 16:00  use 1
        ------
        overage  1 of use in 2026-02
        claimed
        ! 01-02  rejected replaces_mismatch
        ! 01-03  rejected replaces_mismatch
    "#,
    );
}

#[test]
fn a_configuration_again_is_a_duplicate() {
    check(
        "
        01-01  wallet zone Tokyo
        01-02  again
        01-03  wallet zone Berlin
        01-04  again wallet-6
        ------
        claimed
        ! 01-02  duplicate of 01-01
        ! 01-04  duplicate of 01-01
    ",
    );
}

#[test]
fn a_configuration_is_whole() {
    check(
        "
        01-01  wallet zone Tokyo repay no
        01-02  wallet repay no
        01-31 16:00  use 1
        02-01  wallet
        02-02  grant gift 10
        ------
        gift#1   9 of 10
        overage  0
    ",
    );
}

#[test]
fn a_document_again_is_a_duplicate_and_an_old_predecessor_is_refused() {
    check(
        r#"
        01-01  unit gold
        01-02  again
        01-03  record catalogue.published {"kind": "unit", "name": "silver", "body": {}}
        ------
        ! 01-02  duplicate of 01-01
        ! 01-03  quarantined: a catalogue.published record that names a wallet
    "#,
    );
}

#[test]
fn what_follows_a_duplicate_or_a_conflict_is_not_applied_before_it() {
    check(
        "
        01-01  grant plan 10 ends 02-01
        01-02  use 3 id a
        01-20  again a
        01-10  use 2
        01-25  use 4 id a
        01-12  use 1
        ------
        plan#1   4 of 10
        ! 01-20  duplicate of 01-02
        ! 01-25  conflict with 01-02
        ledger
        01-01  issue 10   grants -> plan#1
        01-02  usage 3    plan#1 -> usage
        01-10  usage 2    plan#1 -> usage   booked 01-20
        01-12  usage 1    plan#1 -> usage   booked 01-25
    ",
    );
}
