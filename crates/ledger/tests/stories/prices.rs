//! Stories of prices: what a usage is charged (rules, section 6). Tiers: `tiers`; which price: `matching`.

use crate::story::check;

#[test]
fn a_price_may_count_events() {
    check(
        r#"
        01-01  price call {"match": {"type": {"exact": "call"}}, "charges": [{"unit": "credits", "amount": "2.5"}]}
        01-01  grant plan 10
        01-02  send call {"n": 100}
        01-03  send call
        ------
        plan#1   5 of 10
    "#,
    );
}

#[test]
fn a_price_may_count_a_field_within_a_field() {
    check(
        r#"
        01-01  price chat {"match": {"type": {"exact": "chat"}},
                           "charges": [{"unit": "credits", "quantity": {"field": "usage.tokens"}, "amount": "0.01"}]}
        01-01  grant plan 10
        01-02  send chat {"usage": {"tokens": 150}}
        01-03  send chat {"usage": {"tokens": 9}, "usage.tokens": 50}
        01-04  send chat {"usage": 7}
        ------
        plan#1   8 of 10
        ! 01-04  unpriced missing_quantity
    "#,
    );
}

#[test]
fn a_block_may_cost_its_part() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "5", "per": "1000"}]}
        01-01  grant plan 100
        01-02  use 1500
        01-03  use 1
        ------
        plan#1   92.495 of 100
    "#,
    );
}

#[test]
fn a_block_that_is_begun_may_cost_all() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "5", "per": "1000",
                                       "blocks": "started"}]}
        01-01  grant plan 100
        01-02  use 1500
        01-03  use 2000
        01-04  use 2000.0000000000000000000000000001
        01-05  use 0
        ------
        plan#1   65 of 100
        ledger
        01-01  issue 100   grants -> plan#1
        01-02  usage 10    plan#1 -> usage
        01-03  usage 10    plan#1 -> usage
        01-04  usage 15    plan#1 -> usage
    "#,
    );
}

#[test]
fn one_event_may_be_charged_for_input_output_and_cached_tokens() {
    check(
        r#"
        01-01  price llm {"match": {"type": {"exact": "llm"}}, "feature": "tokens", "charges": [
            {"unit": "credits", "quantity": {"field": "input", "minus": ["cached"], "default": "0"}, "amount": "3", "per": "1000"},
            {"unit": "credits", "quantity": {"field": "cached", "default": "0"}, "amount": "0.3", "per": "1000"},
            {"unit": "credits", "quantity": {"field": "output"}, "amount": "15", "per": "1000"}]}
        01-01  grant plan 10 feature tokens
        01-02  send llm {"input": 1000, "cached": 400, "output": 200}
        01-03  send llm {"input": 100, "output": 20}
        ------
        plan#1   4.48 of 10
        ledger
        01-01  issue 10     grants -> plan#1
        01-02  usage 4.92   plan#1 -> usage   by llm@1
        01-03  usage 0.6    plan#1 -> usage   by llm@1
    "#,
    );
}

#[test]
fn one_charge_that_cannot_be_counted_leaves_all_unpriced() {
    check(
        r#"
        01-01  price llm {"match": {"type": {"exact": "llm"}}, "charges": [
            {"unit": "credits", "quantity": {"field": "input", "minus": ["cached"]}, "amount": "1"},
            {"unit": "credits", "quantity": {"field": "output"}, "amount": "1"}]}
        01-01  grant plan 10
        01-02  send llm {"input": 1, "cached": 2, "output": 1}
        01-03  send llm {"input": 2, "cached": 1}
        01-04  send llm {"input": 2, "output": 1}
        01-05  send llm {"input": 2, "cached": 2, "output": 1}
        ------
        plan#1   9 of 10
        unpriced 3
        ! 01-02  unpriced negative_quantity
        ! 01-03  unpriced missing_quantity
        ! 01-04  unpriced missing_quantity
    "#,
    );
}

#[test]
fn charges_of_one_event_may_differ_in_unit_and_feature() {
    check(
        r#"
        01-01  price job {"match": {"type": {"exact": "job"}}, "feature": "compute", "charges": [
            {"name": "gpu", "unit": "credits", "quantity": {"field": "minutes"}, "amount": "2"},
            {"name": "egress", "unit": "credits", "feature": "network", "quantity": {"field": "gigabytes"}, "amount": "1"},
            {"name": "fee", "unit": "usd", "amount": "0.1"}]}
        01-02  send job {"minutes": 5, "gigabytes": 3}
        ------
        overage  10 of compute in 2026-01
        overage  0.1 usd of compute in 2026-01
        overage  3 of network in 2026-01
    "#,
    );
}

#[test]
fn charges_are_added_up_before_they_are_rounded() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "rounding": {"places": 0}, "charges": [
            {"name": "a", "unit": "credits", "quantity": {"field": "n"}, "amount": "1", "per": "3"},
            {"name": "b", "unit": "credits", "quantity": {"field": "n"}, "amount": "1", "per": "6"},
            {"name": "c", "unit": "credits", "quantity": {"field": "n"}, "amount": "1", "per": "2"}]}
        01-01  grant plan 10
        01-02  use 1
        01-03  use 1.9
        ------
        plan#1   8 of 10
    "#,
    );
}

#[test]
fn a_price_rounds_by_its_own_rule() {
    let modes = [("down", "2 2 3"), ("up", "3 3 4"), ("half_up", "2 3 4"), ("half_even", "2 2 4")];
    for (mode, charged) in modes {
        let charged: Vec<&str> = charged.split(' ').collect();
        let price = format!(
            r#"{{"match": {{"type": {{"exact": "use"}}}}, "rounding": {{"mode": "{mode}", "places": 0}},
                "charges": [{{"unit": "credits", "quantity": {{"field": "n"}}, "amount": "1"}}]}}"#
        );
        check(&format!(
            "
        01-01  price use {price}
        01-02  use 2.1
        01-03  use 2.5 of use
        01-04  use 3.5
        ------
        overage  {} of use in 2026-01
        ledger
        01-02  overage {}   overage -> usage
        01-03  overage {}   overage -> usage
        01-04  overage {}   overage -> usage
        ",
            charged.iter().map(|n| n.parse::<u32>().unwrap()).sum::<u32>(),
            charged[0],
            charged[1],
            charged[2]
        ));
    }
}

#[test]
fn a_price_may_round_to_cents() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "rounding": {"mode": "half_up", "places": 2},
                          "charges": [{"unit": "usd", "quantity": {"field": "n"}, "amount": "1"}]}
        01-02  use 0.004
        01-03  use 0.005
        01-04  use 1.2349
        ------
        overage  1.24 usd of use in 2026-01
    "#,
    );
}

#[test]
fn what_is_free_is_priced_and_books_nothing() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [{"unit": "credits", "amount": "0"}]}
        01-01  grant plan 10
        01-02  use 5
        ------
        plan#1   10 of 10
        unpriced 0
        ledger
        01-01  issue 10   grants -> plan#1
    "#,
    );
}

#[test]
fn vendor_cost_is_accepted_and_never_charged() {
    check(
        r#"
        01-01  cost llm {"match": {"type": {"exact": "use"}},
                         "charges": [{"unit": "USD", "quantity": {"field": "n"}, "amount": "100"}]}
        01-01  grant plan 10
        01-02  use 3
        ------
        plan#1   7 of 10
        available 0 usd
    "#,
    );
}

#[test]
fn a_product_out_of_range_is_charged_nothing() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "1000000000000000000"}]}
        01-02  use 1
        01-03  use 1.000000000000000001
        01-04  use 1.0000000000000000000000000001
        01-05  use 99999999999999999999999999999999999999
        ------
        overage  2000000000000000000 of use in 2026-01
        unpriced 2
        ! 01-03  unpriced out_of_range
        ! 01-05  unpriced out_of_range
    "#,
    );
}

#[test]
fn a_price_that_makes_no_sense_is_refused() {
    check(
        r#"
        01-01  price a {"match": {"type": {"any": true}}, "charges": []}
        01-01  price a {"match": {"type": {"any": true}}, "charges": [{"unit": "credits"}]}
        01-01  price a {"match": {"type": {"any": true}}, "charges": [{"unit": "gold", "amount": "1"}]}
        01-01  price a {"match": {"type": {"any": true}}, "charges": [{"unit": "credits", "amount": "1", "per": "0"}]}
        01-01  price a {"match": {"type": {"any": false}}, "charges": [{"unit": "credits", "amount": "1"}]}
        01-01  price a {"match": {"type": {"any": true}}, "rounding": {"places": 10}, "charges": [{"unit": "credits", "amount": "1"}]}
        01-01  price a {"match": {"type": {"any": true}}, "charges": [{"unit": "credits", "amount": "1"}, {"unit": "usd", "amount": "1"}]}
        01-01  price a {"match": {"type": {"any": true}}, "rate_card": "gold", "charges": [{"unit": "credits", "amount": "1"}]}
        ------
        ! 01-01  rejected invalid: charges: a price charges for one thing at least; a free one has the amount "0"
        ! 01-01  rejected invalid: charges[0].amount: give either `amount` or `tiers`
        ! 01-01  rejected unknown_unit: gold
        ! 01-01  rejected invalid: charges[0].per: a block is larger than nothing
        ! 01-01  rejected invalid: match: `any` is always true: leave the condition out instead
        ! 01-01  rejected invalid: rounding.places: an amount has at most nine places
        ! 01-01  rejected invalid: charges[1]: two charges have this name: give one of them a `name` of its own
        ! 01-01  rejected unknown_rate_card: gold
    "#,
    );
}

#[test]
fn what_is_even_already_is_not_rounded_however_large() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "rounding": {"mode": "up", "places": 0},
            "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "1000000000"}]}
        01-02  use 300000.5
        01-02  use 0.0000000001
        ------
        overage  300000500000001 of use in 2026-01
    "#,
    );
}
