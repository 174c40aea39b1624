//! Stories of reversals: a usage is undone, wholly or in part (rules, section 5).

use crate::story::check;

#[test]
fn what_a_usage_took_returns_to_its_lot() {
    check(
        "
        01-01  grant plan 100 ends 02-01
        01-10  use 30 id u
        01-20  reverse u
        ------
        plan#1   100 of 100
        overage  0
        ledger
        01-01  issue 100     grants -> plan#1   leaves 100
        01-10  usage 30      plan#1 -> usage    leaves 70
        01-10  reversal 30   usage -> plan#1    booked 01-20   leaves 100
    ",
    );
}

#[test]
fn what_was_taken_last_returns_first() {
    check(
        "
        01-01  grant soon 10 ends 02-01
        01-01  grant late 100 ends 03-01
        01-10  use 30 id u
        01-20  reverse u 25 credits
        ------
        late#1   100 of 100
        soon#1   5 of 10
        ledger
        01-01  issue 10      grants -> soon#1
        01-01  issue 100     grants -> late#1
        01-10  usage 10      soon#1 -> usage
        01-10  usage 20      late#1 -> usage
        01-10  reversal 20   usage -> late#1   booked 01-20
        01-10  reversal 5    usage -> soon#1   booked 01-20
    ",
    );
}

#[test]
fn a_usage_of_several_features_is_reversed_by_feature_and_unit() {
    let price = r#"01-01 price p {"match": {"type": {"exact": "job"}}, "charges": [
            {"unit": "credits", "name": "a", "feature": "search", "quantity": {"field": "n"}, "amount": "1"},
            {"name": "b", "unit": "credits", "feature": "chat", "quantity": {"field": "n"}, "amount": "2"},
            {"name": "c", "unit": "usd", "feature": "chat", "quantity": {"field": "n"}, "amount": "0.1"}]}"#;
    check(&format!(
        r#"{price}
        01-01  grant plan 100
        01-01  grant cash 10 of usd
        01-10  send job id u {{"n": 10}}
        01-20  reverse u 5 credits of search and 1 usd
        01-20  reverse u 6 credits of search
        01-20  reverse u 1 gold
        01-20  reverse u 1 credits of other
        ------
        cash#1   10 of 10 usd
        plan#1   75 of 100
        ! 01-20  rejected more_than_used
        ! 01-20  rejected more_than_used
        ! 01-20  rejected more_than_used
    "#
    ));
    // A unit alone: what was taken last is chat's.
    check(&format!(
        r#"{price}
        01-01  grant plan 100
        01-10  send job id u {{"n": 10}}
        01-20  reverse u 25 credits
        01-21  reverse u 5 credits of search
        ------
        plan#1   100 of 100
        overage 1 usd of chat in 2026-01
        ledger
        01-01  issue 100     grants -> plan#1
        01-10  usage 10      plan#1 -> usage
        01-10  usage 20      plan#1 -> usage
        01-10  overage 1 usd   overage -> usage
        01-10  reversal 20   usage -> plan#1   booked 01-20
        01-10  reversal 5    usage -> plan#1   booked 01-20
        01-10  reversal 5    usage -> plan#1   booked 01-21
    "#
    ));
}

#[test]
fn lines_are_taken_one_after_the_other() {
    check(
        "
        01-01  grant plan 100
        01-10  use 30 id u
        01-20  reverse u 20 credits and 11 credits of use
        01-20  reverse u 20 credits and 10 credits of use
        ------
        plan#1   100 of 100
        ! 01-20  rejected more_than_used
        ledger
        01-01  issue 100     grants -> plan#1
        01-10  usage 30      plan#1 -> usage
        01-10  reversal 20   usage -> plan#1   booked 01-20
        01-10  reversal 10   usage -> plan#1   booked 01-20
    ",
    );
}

#[test]
fn once_it_was_wholly_reversed_it_is_over() {
    check(
        "
        01-01  grant plan 100
        01-10  use 30 id u
        01-20  reverse u id r
        01-21  again r
        01-22  reverse u
        01-22  reverse u 1 credits
        01-22  rerate u
        01-23  again u
        ------
        plan#1   100 of 100
        ! 01-21  duplicate of 01-20
        ! 01-22  rejected already_reversed
        ! 01-22  rejected already_reversed
        ! 01-22  rejected already_reversed
        ! 01-23  duplicate of 01-10
    ",
    );
}

#[test]
fn in_parts_until_nothing_is_left() {
    check(
        "
        01-01  grant plan 100
        01-10  use 30 id u
        01-20  reverse u 10 credits
        01-21  reverse u 21 credits
        01-22  reverse u 20 credits
        01-23  reverse u 1 credits
        01-24  reverse u
        01-25  reverse u
        ------
        plan#1   100 of 100
        ! 01-21  rejected more_than_used
        ! 01-23  rejected more_than_used
        ! 01-25  rejected already_reversed
        ledger
        01-01  issue 100     grants -> plan#1
        01-10  usage 30      plan#1 -> usage
        01-10  reversal 10   usage -> plan#1   booked 01-20
        01-10  reversal 20   usage -> plan#1   booked 01-22
    ",
    );
}

#[test]
fn a_whole_reversal_after_a_part_takes_the_rest() {
    check(
        "
        01-01  grant plan 100
        01-10  use 30 id u
        01-20  reverse u 10 credits
        01-24  reverse u
        ------
        plan#1   100 of 100
    ",
    );
}

#[test]
fn only_usage_of_this_wallet_that_was_applied_is_known() {
    check(
        r#"
        01-01  grant plan 100 id g
        01-01  use 10 id theirs in other
        01-02  reverse nothing-such
        01-02  reverse theirs
        01-02  reverse g
        01-02  use 5 id later source elsewhere
        01-02  reverse later
        01-03  record usage.reversed {"usage": {"source": "elsewhere", "id": "later"}}
        ------
        plan#1   100 of 100
        ! 01-02  rejected unknown_usage
        ! 01-02  rejected unknown_usage
        ! 01-02  rejected unknown_usage
        ! 01-02  rejected unknown_usage
    "#,
    );
}

#[test]
fn a_usage_that_came_twice_is_reversed_once() {
    check(
        "
        01-01  grant plan 100
        01-10  use 30 id u
        01-11  again u
        01-12  use 40 id u
        01-20  reverse u
        ------
        plan#1   100 of 100
        ! 01-11  duplicate of 01-10
        ! 01-12  conflict with 01-10
    ",
    );
}

#[test]
fn a_reversal_says_why_and_how_much() {
    check(
        "
        01-01  grant plan 100
        01-10  use 30 id u
        01-20  reverse u because no
        01-20  reverse u nothing
        01-20  reverse u 0 credits
        01-20  reverse u 5 credits and 0 credits
        ------
        plan#1   70 of 100
        ! 01-20  rejected no_reason
        ! 01-20  rejected no_amounts
        ! 01-20  rejected amount_zero
        ! 01-20  rejected amount_zero
    ",
    );
}

#[test]
fn what_cost_nothing_is_cancelled() {
    check(
        r#"
        01-10  use 0 id free
        01-10  send job id unpriced {"m": 5}
        01-11  send job {"m": 5}
        01-20  reverse free
        01-20  reverse unpriced
        01-21  reverse free
        01-21  reverse unpriced
        ------
        unpriced 1
        ! 01-10  unpriced missing_quantity
        ! 01-11  unpriced missing_quantity
        ! 01-21  rejected already_reversed
        ! 01-21  rejected already_reversed
    "#,
    );
}

#[test]
fn the_lots_very_credits_return_though_another_burns_sooner() {
    check(
        "
        01-01  grant plan 10 priority 60
        01-10  use 10 id u
        01-11  grant promo 10 priority 10
        01-12  reverse u
        01-13  use 5
        ------
        plan#1   10 of 10
        promo#1   5 of 10
    ",
    );
}

#[test]
fn a_whole_reversal_lowers_the_tiers_counter() {
    let price = r#"01-01 price use {"match": {"type": {"exact": "use"}}, "charges": [{"unit": "credits",
        "quantity": {"field": "n"}, "tiers": {"mode": "graduated", "period": "month",
        "steps": [{"up_to": "1000", "amount": "1"}, {"amount": "0.5"}]}}]}"#;
    check(&format!(
        "{price}
        01-10  use 800 id u
        01-11  reverse u
        01-12  use 1000
        ------
        overage 1000 of use in 2026-01"
    ));
    // A part does not: what was used was used.
    check(&format!(
        "{price}
        01-10  use 800 id u
        01-11  reverse u 800 credits
        01-12  use 1000
        ------
        overage 600 of use in 2026-01"
    ));
    // Once the month and its lateness are over the counter is a row, and is lowered there.
    check(&format!(
        "{price}
        01-10  use 800 id u
        02-10  use 500
        02-11  reverse u
        02-12  use 1000 at 01-20
        ------
        overage 1000 of use in 2026-01
        overage 500 of use in 2026-02"
    ));
}

#[test]
fn a_grant_may_be_named_like_a_lot_that_was_added() {
    check(
        "
        01-01  grant gold+ 10 ends 02-01
        01-10  use 10 id u
        01-11  reverse u
        ------
        gold+#1   10 of 10
    ",
    );
}
