//! Stories of re-rating: a usage is charged anew at its own time (rules, section 5).

use crate::story::check;

/// Tells a story with a price of so many credits for each `n` of `use`.
fn price(amount: &str) -> String {
    format!(
        r#"price use {{"effective_from": "2026-01-01T00:00:00Z", "match": {{"type": {{"exact": "use"}}}},
            "charges": [{{"unit": "credits", "quantity": {{"field": "n"}}, "amount": "{amount}"}}]}}"#
    )
}

#[test]
fn a_price_was_wrong() {
    check(&format!(
        "
        01-01  {}
        01-01  grant plan 100 ends 02-01
        01-10  use 10 id u
        01-15  {}
        01-20  rerate u
        ------
        plan#1   90 of 100
        ledger
        01-01  issue 100     grants -> plan#1
        01-10  usage 20      plan#1 -> usage   by use@1
        01-10  reversal 20   usage -> plan#1   booked 01-20   by use@1
        01-10  usage 10      plan#1 -> usage   booked 01-20   by use@2
    ",
        price("2"),
        price("1")
    ));
}

#[test]
fn a_quantity_is_corrected() {
    check(
        r#"
        01-01  grant plan 110 ends 02-01
        01-10  use 120 id u
        01-20  rerate u {"n": 100}
        ------
        plan#1   10 of 110
        overage  0
        ledger
        01-01  issue 110            grants -> plan#1
        01-10  usage 110            plan#1 -> usage
        01-10  overage 10           overage -> usage
        01-10  reverse_overage 10   usage -> overage   booked 01-20
        01-10  reversal 110         usage -> plan#1    booked 01-20
        01-10  usage 100            plan#1 -> usage    booked 01-20
    "#,
    );
    check(
        r#"
        01-01  grant plan 110 ends 02-01
        01-10  use 100 id u
        01-20  rerate u {"n": 120}
        ------
        plan#1    0 of 110
        overage  10 of use in 2026-01
    "#,
    );
}

#[test]
fn a_corrected_quantity_stays_corrected() {
    check(&format!(
        r#"
        01-01  grant plan 1000 ends 02-01
        01-10  use 120 id u
        01-20  rerate u {{"n": 100}}
        01-21  {}
        01-22  rerate u
        01-23  rerate u {{"n": 10}}
        01-24  reverse u 5 credits
        ------
        plan#1   985 of 1000
    "#,
        price("2")
    ));
}

#[test]
fn a_price_came_later() {
    check(
        r#"
        01-01  grant plan 100 ends 02-01
        01-10  send job id u {"m": 7}
        01-11  send job id v {"m": 5}
        01-12  rerate u
        01-15  price job {"effective_from": "2026-01-01T00:00:00Z", "match": {"type": {"exact": "job"}},
            "charges": [{"unit": "credits", "quantity": {"field": "m"}, "amount": "1"}]}
        01-16  rerate u
        01-17  rerate v {"n": 5}
        ------
        plan#1   93 of 100
        unpriced 1
        ! 01-10  unpriced missing_quantity
        ! 01-11  unpriced missing_quantity
        ! 01-12  rejected unpriced: missing_quantity
        ! 01-17  rejected unpriced: missing_quantity
        ledger
        01-01  issue 100   grants -> plan#1
        01-10  usage 7     plan#1 -> usage   booked 01-16
    "#,
    );
}

#[test]
fn a_price_in_force_only_since_is_none_for_it() {
    check(
        r#"
        01-01  grant plan 100 ends 02-01
        01-10  send job id u {"m": 7}
        01-15  price job {"match": {"type": {"exact": "job"}},
            "charges": [{"unit": "credits", "quantity": {"field": "m"}, "amount": "1"}]}
        01-16  rerate u
        ------
        plan#1   100 of 100
        unpriced 1
        ! 01-10  unpriced missing_quantity
        ! 01-16  rejected unpriced: missing_quantity
    "#,
    );
}

#[test]
fn what_was_reversed_in_part_stays_reversed() {
    check(
        r#"
        01-01  grant plan 100
        01-10  use 10 id u
        01-11  reverse u 4 credits
        01-12  rerate u {"n": 8}
        ------
        plan#1   96 of 100
    "#,
    );
    check(
        r#"
        01-01  grant plan 100
        01-10  use 10 id u
        01-11  reverse u 4 credits
        01-12  rerate u {"n": 3}
        01-13  reverse u 1 credits
        01-14  rerate u {"n": 10}
        01-15  reverse u
        ------
        plan#1   100 of 100
        ! 01-13  rejected more_than_used
        ledger
        01-01  issue 100    grants -> plan#1
        01-10  usage 10     plan#1 -> usage
        01-10  reversal 4   usage -> plan#1   booked 01-11
        01-10  reversal 6   usage -> plan#1   booked 01-12
        01-10  usage 6      plan#1 -> usage   booked 01-14
        01-10  reversal 6   usage -> plan#1   booked 01-15
    "#,
    );
}

#[test]
fn nothing_is_booked_if_nothing_changes() {
    check(
        "
        01-01  grant plan 6 ends 02-01
        01-10  use 10 id u
        01-12  grant gift 3
        01-20  rerate u
        02-20  rerate u
        ------
        gift#1   0 of 3
        plan#1   0 of 6
        overage  1 of use in 2026-01
        ledger
        01-01  issue 6     grants -> plan#1
        01-10  usage 6     plan#1 -> usage
        01-10  overage 4   overage -> usage
        01-12  issue 3     grants -> gift#1
        01-12  repay 3     gift#1 -> overage
    ",
    );
}

#[test]
fn the_same_amount_by_another_version_is_booked() {
    check(&format!(
        "
        01-01  grant plan 100
        01-10  use 10 id u
        01-15  {}
        01-20  rerate u
        01-21  rerate u
        ------
        plan#1   90 of 100
        ledger
        01-01  issue 100     grants -> plan#1
        01-10  usage 10      plan#1 -> usage   by any@1
        01-10  reversal 10   usage -> plan#1   booked 01-20   by any@1
        01-10  usage 10      plan#1 -> usage   booked 01-20   by use@1
    ",
        price("1")
    ));
}

#[test]
fn it_may_become_free_and_cost_again() {
    check(&format!(
        "
        01-01  grant plan 100
        01-10  use 10 id u
        01-15  {}
        01-20  rerate u
        01-21  rerate u
        01-22  {}
        01-23  rerate u
        ------
        plan#1   70 of 100
        ledger
        01-01  issue 100     grants -> plan#1
        01-10  usage 10      plan#1 -> usage   by any@1
        01-10  reversal 10   usage -> plan#1   booked 01-20   by any@1
        01-10  usage 30      plan#1 -> usage   booked 01-23   by use@2
    ",
        price("0"),
        price("3")
    ));
}

#[test]
fn it_counts_in_tiers_as_if_it_had_not() {
    let tiers = r#"01-01 price use {"match": {"type": {"exact": "use"}}, "charges": [{"unit": "credits",
        "quantity": {"field": "n"}, "tiers": {"mode": "graduated", "period": "month",
        "steps": [{"up_to": "1000", "amount": "1"}, {"amount": "0.5"}]}}]}"#;
    // 800, then 200 and 250; the first anew on top of 700: 300 and 150.
    check(&format!(
        r#"{tiers}
        01-10  use 800 id u
        01-11  use 700
        01-12  rerate u {{"n": 600}}
        01-13  use 100
        ------
        overage 950 of use in 2026-01
        ledger
        01-10  overage 800           overage -> usage
        01-11  overage 450           overage -> usage
        01-10  reverse_overage 800   usage -> overage   booked 01-12
        01-10  overage 450           overage -> usage   booked 01-12
        01-13  overage 50            overage -> usage"#
    ));
    // In a month that is over.
    check(&format!(
        r#"{tiers}
        01-10  use 800 id u
        01-11  use 700
        02-10  use 1
        02-12  rerate u {{"n": 600}}
        02-13  use 100 at 01-20
        ------
        overage 950 of use in 2026-01
        overage 1 of use in 2026-02"#
    ));
    // Alone it counts once, however often it is re-rated.
    check(&format!(
        r#"{tiers}
        01-10  use 800 id u
        01-12  rerate u
        01-12  rerate u {{"n": 900}}
        01-12  rerate u {{"n": 900}}
        01-13  use 200
        ------
        overage 1050 of use in 2026-01"#
    ));
}

#[test]
fn a_counter_is_the_same_though_its_period_has_another_length_now() {
    let tiers = |from: &str, period: &str| {
        format!(
            r#"{from} price use {{"effective_from": "2026-01-01T00:00:00Z", "match": {{"type": {{"exact": "use"}}}},
            "charges": [{{"unit": "credits", "quantity": {{"field": "n"}}, "tiers": {{"mode": "graduated", "period": "{period}",
            "steps": [{{"up_to": "10", "amount": "1"}}, {{"amount": "2"}}]}}}}]}}"#
        )
    };
    check(&format!(
        r#"{}
        01-10  use 5 id u
        01-11  use 5
        {}
        01-12  rerate u {{"n": 6}}
        ------
        overage 12 of use in 2026-01"#,
        tiers("01-01", "year"),
        tiers("01-12", "month")
    ));
}

#[test]
fn it_is_priced_by_the_card_and_counted_in_the_month_of_its_own_time() {
    check(
        r#"
        01-01  card gold
        01-01  price golden {"rate_card": "gold", "effective_from": "2026-01-01T00:00:00Z", "match": {"type": {"any": true}},
            "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "10"}]}
        01-10  use 5 id u
        01-31 18:00  use 3 id v
        02-01  wallet card gold zone Tokyo
        02-02  rerate u {"n": 6}
        02-02  rerate v {"n": 4}
        02-03  use 1
        ------
        overage 10 of use in 2026-01
        overage 10 of use in 2026-02
    "#,
    );
}

#[test]
fn another_unit_and_feature() {
    check(
        r#"
        01-01  grant plan 100
        01-01  grant cash 10 of usd
        01-10  use 10 id u
        01-15  price use {"effective_from": "2026-01-01T00:00:00Z", "match": {"type": {"exact": "use"}}, "feature": "work",
            "charges": [{"unit": "usd", "quantity": {"field": "n"}, "amount": "0.2"}]}
        01-16  rerate u
        ------
        cash#1     8 of 10 usd
        plan#1   100 of 100
    "#,
    );
}

#[test]
fn a_re_rating_knows_its_usage_and_says_why() {
    check(
        r#"
        01-01  grant plan 100
        01-01  use 1 id theirs in other
        01-10  use 10 id u
        01-11  rerate v
        01-11  rerate theirs
        01-11  rerate u because no
        01-11  rerate u {"n": -1}
        01-11  rerate u {"n": "many"}
        01-11  rerate u {}
        ------
        plan#1   90 of 100
        unpriced 0
        ! 01-11  rejected unknown_usage
        ! 01-11  rejected unknown_usage
        ! 01-11  rejected no_reason
        ! 01-11  rejected unpriced: negative_quantity
        ! 01-11  rejected unpriced: not_a_number
        ! 01-11  rejected unpriced: missing_quantity
    "#,
    );
}

#[test]
fn what_was_reversed_of_one_unit_is_not_taken_off_another() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [
            {"unit": "credits", "quantity": {"field": "n"}, "amount": "1"},
            {"name": "cash", "unit": "usd", "quantity": {"field": "n"}, "amount": "1"}]}
        01-10  use 10 id u
        01-11  reverse u 4 credits and 3 usd
        01-12  rerate u {"n": 20}
        ------
        overage  16 of use in 2026-01
        overage  17 usd of use in 2026-01
    "#,
    );
}
