//! What a usage costs.

use super::check;

/// Publishes a price beside the one that takes one credit for each `n`.
fn priced(body: &str, steps: &str, expected: &str) {
    check(&format!("01-01 publish price p {body}\n{steps}\n------\n{expected}"));
}

#[test]
fn an_exact_type_beats_a_longer_prefix_beats_a_shorter_one_beats_any() {
    let price = |name: &str, kind: &str, amount: &str| {
        format!(
            r#"01-01 publish price {name} {{"charges":[{{"amount":"{amount}","unit":"credits"}}],"feature":"f","match":{{"type":{kind}}}}}"#
        )
    };
    let prices = [
        price("a", r#"{"prefix":"llm"}"#, "1"),
        price("b", r#"{"prefix":"llm."}"#, "10"),
        price("c", r#"{"exact":"llm.chat"}"#, "100"),
        price("d", r#"{"any":true}"#, "1000"),
    ];
    let steps = r#"
        01-01 use 1 type llm.chat
        01-01 use 1 type llm.x
        01-01 use 1 type llmx
        01-01 use 1 type y
        ------
        overage 1111 credits 2026-01 f
    "#;
    check(&format!("{}{steps}", prices.join("\n")));
}

#[test]
fn more_exact_fields_beat_prefixes_and_the_smaller_name_decides_at_last() {
    let price = |name: &str, data: &str, amount: &str| {
        format!(
            r#"01-01 publish price {name} {{"charges":[{{"amount":"{amount}","unit":"credits"}}],"feature":"f","match":{{"data":{data},"type":{{"exact":"call"}}}}}}"#
        )
    };
    let prices = [
        price("a", r#"{"model":{"prefix":"gpt-"},"tier":{"any":true}}"#, "1"),
        price("b", r#"{"model":{"exact":"gpt-4"}}"#, "10"),
        price("d", r#"{"model":{"prefix":"gpt"},"tier":{"any":true}}"#, "100"),
        price("c", r#"{"model":{"prefix":"gpt-"},"tier":{"any":true}}"#, "1000"),
        price("e", r#"{"deep.on":{"exact":1}}"#, "10000"),
    ];
    let steps = r#"
        01-01 use 0 type call {"model":"gpt-4","tier":1}
        01-01 use 0 type call {"model":"gpt-3","tier":1}
        01-01 use 0 type call {"model":"gpt-3","deep":{"on":1.0}}
        01-01 use 0 type call {"n":3}
        ------
        overage 3 credits 2026-01 call
        overage 10011 credits 2026-01 f
    "#;
    check(&format!("{}{steps}", prices.join("\n")));
}

#[test]
fn tokens_without_those_cached_by_the_million() {
    // (1,500,000 − 500,000) / 1,000,000 × 2.5
    priced(
        r#"{"charges":[{"amount":"2.5","per":"1000000","quantity":{"field":"in","minus":["cached"]},"unit":"usd"}],"match":{"type":{"exact":"llm"}}}"#,
        r#"01-01 use 0 type llm {"in":"1.5e6","cached":500000}"#,
        "overage 2.5 usd 2026-01 llm",
    );
}

#[test]
fn quantities_are_read_from_their_literals_and_cut_once() {
    // 0.30000000000000004 × 1e9 is 300000000.00000004 billionths' worth, cut to nine places; 1e-05 × 1e9 = 10000.
    priced(
        r#"{"charges":[{"amount":"1000000000","quantity":{"field":"x"},"unit":"usd"}],"match":{"type":{"exact":"llm"}}}"#,
        r#"01-01 use 0 type llm {"x":0.30000000000000004}
           01-01 use 0 type llm {"x":"1e-05"}"#,
        "overage 300010000.00000004 usd 2026-01 llm",
    );
}

#[test]
fn charges_of_one_unit_and_feature_are_summed_before_they_are_rounded() {
    // 1/3 + 1/3 = 0.666… → down to two places 0.66, where each alone would give 0.33 + 0.33 the same; 2/3 + 2/3
    // = 1.333… → 1.33, where each alone gives 0.66 + 0.66 = 1.32.
    priced(
        r#"{"charges":[{"amount":"1","name":"a","per":"3","quantity":{"field":"x"},"unit":"usd"},{"amount":"1","name":"b","per":"3","quantity":{"field":"x"},"unit":"usd"}],"match":{"type":{"exact":"llm"}},"rounding":{"mode":"down","places":2}}"#,
        r#"01-01 use 0 type llm {"x":2}"#,
        "overage 1.33 usd 2026-01 llm",
    );
}

#[test]
fn the_rounding_goes_where_the_price_says() {
    for (mode, quantity, expected) in [
        ("up", "1.01", "2"),
        ("up", "1", "1"),
        ("half_up", "1.5", "2"),
        ("half_up", "1.499", "1"),
        ("half_even", "0.5", ""),
        ("half_even", "1.5", "2"),
        ("half_even", "2.5", "2"),
        ("half_even", "2.500000000000000000001", "3"),
        ("down", "1.99", "1"),
    ] {
        let body = format!(
            r#"{{"charges":[{{"amount":"1","quantity":{{"field":"x"}},"unit":"usd"}}],"match":{{"type":{{"exact":"llm"}}}},"rounding":{{"mode":"{mode}","places":0}}}}"#
        );
        let usage = format!(r#"01-01 use 0 type llm {{"x":{quantity}}}"#);
        let overage = format!("overage {expected} usd 2026-01 llm");
        priced(&body, &usage, if expected.is_empty() { "" } else { &overage });
    }
}

#[test]
fn blocks_that_were_started_count_whole() {
    // ceil(61/60) = 2 blocks and ceil(120/60) = 2.
    priced(
        r#"{"charges":[{"amount":"5","blocks":"started","per":"60","quantity":{"field":"s"},"unit":"usd"}],"match":{"type":{"exact":"gpu"}}}"#,
        r#"01-01 use 0 type gpu {"s":61}
           01-02 use 0 type gpu {"s":120}"#,
        "overage 20 usd 2026-01 gpu",
    );
}

#[test]
fn graduated_tiers_count_through_the_month_and_volume_within_one_event() {
    // Graduated: January 8 = 8 × 1, then 4: 2 × 1 + 2 × 0.5 = 3; late, still January: 10 × 0.5 = 5; February anew: 4.
    priced(
        r#"{"charges":[{"quantity":{"field":"x"},"tiers":{"mode":"graduated","period":"month","steps":[{"amount":"1","up_to":"10"},{"amount":"0.5"}]},"unit":"usd"}],"match":{"type":{"exact":"llm"}}}"#,
        r#"01-10 use 0 type llm {"x":8}
           01-11 use 0 type llm {"x":4}
           02-01 use 0 type llm {"x":4}
           02-01 use 0 type llm at 01-31 {"x":10}"#,
        "overage 16 usd 2026-01 llm\noverage 4 usd 2026-02 llm",
    );
    // Volume: 10 × 1, then 11 × 0.5.
    priced(
        r#"{"charges":[{"quantity":{"field":"x"},"tiers":{"mode":"volume","steps":[{"amount":"1","up_to":"10"},{"amount":"0.5"}]},"unit":"usd"}],"match":{"type":{"exact":"llm"}}}"#,
        r#"01-10 use 0 type llm {"x":10}
           01-11 use 0 type llm {"x":11}"#,
        "overage 15.5 usd 2026-01 llm",
    );
}

#[test]
fn the_latest_revision_in_force_at_the_usages_time_prices_it() {
    let price = |from: &str, amount: &str| {
        format!(
            r#"publish price p {{"charges":[{{"amount":"{amount}","unit":"usd"}}],{from}"match":{{"type":{{"exact":"llm"}}}}}}"#
        )
    };
    // Revision 1 from 01-10, 2 from 01-20, 3 (published on 02-01) from 01-15: it stands before 2 from there on.
    check(&format!(
        r#"
        01-10 {}
        01-11 {}
        02-01 {}
        02-01 use 0 at 01-09 type llm
        02-01 use 0 at 01-14 type llm
        02-01 use 0 at 01-25 type llm
        ------
        overage 101 usd 2026-01 llm
    "#,
        price("", "1"),
        price(r#""effective_from":"@01-20","#, "10"),
        price(r#""effective_from":"@01-15","#, "100")
    ));
}

#[test]
fn usage_is_priced_by_the_card_the_wallet_had_at_its_time() {
    let card =
        r#"{"charges":[{"amount":"7","unit":"usd"}],"match":{"type":{"any":true}},"rate_card":"gold"}"#;
    check(&format!(
        r#"
        01-01 publish rate_card gold {{}}
        01-01 publish price gold {card}
        01-10 configure {{"rate_card":"gold"}}
        01-11 use 3 at 01-09
        01-11 use 3
        ------
        overage 3 credits 2026-01 use
        overage 7 usd 2026-01 use
    "#
    ));
}

#[test]
fn what_cannot_be_priced_is_counted_and_charged_nothing() {
    check(
        r#"
        01-01 publish price p {"charges":[{"amount":"1","name":"one","unit":"usd"},{"amount":"1","quantity":{"field":"x"},"unit":"usd"}],"match":{"type":{"exact":"llm"}}}
        01-01 publish price q {"charges":[{"amount":"1","quantity":{"default":"2","field":"x"},"unit":"usd"}],"match":{"type":{"exact":"def"}}}
        01-01 use 0 type llm {"y":1}
        01-01 use 0 type llm {"x":"many"}
        01-01 use 0 type llm {"x":-1}
        01-01 use 0 type llm {"x":1e30}
        01-01 use 0 type def {"y":1}
        ------
        overage 2 usd 2026-01 def
        unpriced 4
        applied unpriced:missing_quantity
        applied unpriced:not_a_number
        applied unpriced:negative_quantity
        applied unpriced:out_of_range
    "#,
    );
}

#[test]
fn a_field_matches_a_truth_value_and_a_number_by_value_and_any_asks_only_that_it_is_there() {
    let price = |name: &str, pattern: &str, amount: &str| {
        format!(
            r#"01-01 publish price {name} {{"charges":[{{"amount":"{amount}","unit":"usd"}}],"match":{{"data":{{"f":{pattern}}},"type":{{"exact":"call"}}}}}}"#
        )
    };
    let prices = [
        price("a", r#"{"exact":"true"}"#, "1"),
        price("b", r#"{"exact":"2"}"#, "10"),
        price("d", r#"{"any":true}"#, "1000"),
    ];
    let steps = r#"
        01-01 use 0 type call {"f":true}
        01-01 use 0 type call {"f":2.0}
        01-01 use 0 type call {"f":"2"}
        01-01 use 0 type call {"f":[1]}
        ------
        overage 1021 usd 2026-01 call
    "#;
    check(&format!("{}{steps}", prices.join("\n")));
}

#[test]
fn charges_burn_in_the_order_in_which_the_price_names_them() {
    priced(
        r#"{"charges":[{"amount":"3","feature":"z","name":"first","unit":"credits"},{"amount":"3","feature":"a","name":"second","unit":"credits"}],"match":{"type":{"exact":"llm"}}}"#,
        "01-01 grant g 4\n01-01 use 0 type llm",
        "g#1 0 of 4 consumed 4 from 01-01\noverage 2 credits 2026-01 a",
    );
}

#[test]
fn a_quantity_less_one_that_is_missing_is_missing_unless_there_is_a_default() {
    let price = |default: &str| {
        format!(
            r#"{{"charges":[{{"amount":"1","quantity":{{{default}"field":"x","minus":["y"]}},"unit":"usd"}}],"match":{{"type":{{"exact":"llm"}}}}}}"#
        )
    };
    priced(&price(""), r#"01-01 use 0 type llm {"x":5}"#, "unpriced 1\napplied unpriced:missing_quantity");
    priced(&price(r#""default":"0","#), r#"01-01 use 0 type llm {"x":5}"#, "overage 5 usd 2026-01 llm");
}
