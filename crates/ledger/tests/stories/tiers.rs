//! Stories of tiers: amounts that change with the quantity (rules, section 6).

use crate::story::check;

/// Tells a story in which 1 credit buys one up to 1000, half a credit up to 5000, and a tenth beyond.
fn tiers(tiers: &str, story: &str) {
    let steps =
        r#"[{"up_to": "1000", "amount": "1"}, {"up_to": "5000", "amount": "0.5"}, {"amount": "0.1"}]"#;
    let charge = format!(
        r#"{{"unit": "credits", "quantity": {{"field": "n"}}, "tiers": {{{tiers}, "steps": {steps}}}}}"#
    );
    check(&format!(
        r#"01-01 price use {{"match": {{"type": {{"exact": "use"}}}}, "charges": [{charge}]}}
        {story}"#
    ));
}

#[test]
fn graduated_tiers_charge_each_part_at_its_own_step() {
    tiers(
        r#""mode": "graduated""#,
        "01-02  use 6000
        01-03  use 1000
        01-04  use 0
        ------
        overage  4100 of use in 2026-01
        ledger
        01-02  overage 3100   overage -> usage
        01-03  overage 1000   overage -> usage",
    );
}

#[test]
fn volume_tiers_charge_all_at_the_step_it_falls_in() {
    tiers(
        r#""mode": "volume""#,
        "01-02  use 1000
        01-03  use 1000.2
        01-04  use 5000
        01-05  use 5001
        01-06  use 0
        ------
        overage  4500.2 of use in 2026-01
        ledger
        01-02  overage 1000    overage -> usage
        01-03  overage 500.1   overage -> usage
        01-04  overage 2500    overage -> usage
        01-05  overage 500.1   overage -> usage",
    );
}

#[test]
fn a_period_counts_what_came_before() {
    tiers(
        r#""mode": "graduated", "period": "month""#,
        "01-10  use 800
        01-20  use 700
        01-31 23:59:59  use 4500
        02-01  use 1000
        ------
        overage  3100 of use in 2026-01
        overage  1000 of use in 2026-02
        ledger
        01-10  overage 800    overage -> usage
        01-20  overage 450    overage -> usage
        01-31 23:59:59  overage 1850   overage -> usage
        02-01  overage 1000   overage -> usage",
    );
}

#[test]
fn late_usage_counts_in_its_own_period_as_it_stands() {
    tiers(
        r#""mode": "graduated", "period": "month""#,
        "01-10  use 800
        02-02  use 900
        02-03  use 700 at 01-20
        06-01  use 700 at 01-21
        06-02  use 700 at 01-22
        06-03  use 700 at 02-20
        ------
        overage  1950 of use in 2026-01
        overage  1300 of use in 2026-02
        ledger
        01-10  overage 800   overage -> usage
        02-02  overage 900   overage -> usage
        01-20  overage 450   overage -> usage   booked 02-03
        01-21  overage 350   overage -> usage   booked 06-01
        01-22  overage 350   overage -> usage   booked 06-02
        02-20  overage 400   overage -> usage   booked 06-03",
    );
}

#[test]
fn a_closed_period_is_counted_by_the_record_that_closes_it_too() {
    tiers(
        r#""mode": "graduated", "period": "day""#,
        "01-10  use 800
        01-14  use 700 at 01-10 12:00
        01-14  use 800 at 01-11
        01-20  use 700 at 01-11
        ------
        overage  2500 of use in 2026-01
        ledger
        01-10  overage 800   overage -> usage
        01-10 12:00  overage 450   overage -> usage   booked 01-14
        01-11  overage 800   overage -> usage   booked 01-14
        01-11  overage 450   overage -> usage   booked 01-20",
    );
}

#[test]
fn a_period_is_one_of_the_wallets_zone() {
    tiers(
        r#""mode": "graduated", "period": "day""#,
        "01-01  wallet zone Tokyo
        01-10 14:59  use 1000
        01-10 15:00  use 1000
        01-11 14:59  use 1000
        ------
        overage  2500 of use in 2026-01",
    );
}

#[test]
fn a_year_is_a_period_too() {
    tiers(
        r#""mode": "graduated", "period": "year""#,
        "01-10  use 1000
        12-31 23:59:59  use 1000
        2027-01-01  use 1000
        ------
        overage  1000 of use in 2026-01
        overage   500 of use in 2026-12
        overage  1000 of use in 2027-01",
    );
}

#[test]
fn counters_go_on_across_versions_of_a_price() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [{"unit": "credits", "quantity": {"field": "n"},
            "tiers": {"mode": "graduated", "period": "month", "steps": [{"up_to": "10", "amount": "1"}, {"amount": "0"}]}}]}
        01-10  use 8
        01-15  price use {"match": {"type": {"exact": "use"}}, "charges": [{"unit": "credits", "quantity": {"field": "n"},
            "tiers": {"mode": "graduated", "period": "month", "steps": [{"up_to": "10", "amount": "2"}, {"amount": "0"}]}}]}
        01-20  use 8
        01-21  use 8
        ------
        overage  12 of use in 2026-01
    "#,
    );
}

#[test]
fn tiers_may_count_begun_blocks() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [{"unit": "credits", "quantity": {"field": "n"},
            "per": "100", "blocks": "started",
            "tiers": {"mode": "graduated", "period": "day", "steps": [{"up_to": "200", "amount": "3"}, {"amount": "1"}]}}]}
        01-10  use 101
        01-10  use 1
        ------
        overage  7 of use in 2026-01
    "#,
    );
}

#[test]
fn what_is_not_priced_is_not_counted() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [
            {"unit": "credits", "quantity": {"field": "n"},
             "tiers": {"mode": "graduated", "period": "day", "steps": [{"up_to": "10", "amount": "1"}, {"amount": "0"}]}},
            {"unit": "credits", "quantity": {"field": "m"}, "amount": "0"}]}
        01-10  send use {"n": 9}
        01-10  send use {"n": 9, "m": 1}
        01-10  send use {"n": 9, "m": 1}
        ------
        overage  10 of use in 2026-01
        unpriced 1
        ! 01-10  unpriced missing_quantity
    "#,
    );
}

#[test]
fn each_wallet_price_and_charge_has_its_own_counter() {
    check(
        r#"
        01-01  price use {"match": {"type": {"prefix": "use"}}, "charges": [
            {"name": "a", "unit": "credits", "quantity": {"field": "n"},
             "tiers": {"mode": "graduated", "period": "day", "steps": [{"up_to": "10", "amount": "1"}, {"amount": "0"}]}},
            {"name": "b", "unit": "usd", "quantity": {"field": "n"},
             "tiers": {"mode": "graduated", "period": "month", "steps": [{"up_to": "10", "amount": "1"}, {"amount": "0"}]}}]}
        01-10  use 8
        01-11  use 8
        ------
        overage  16 of use in 2026-01
        overage  10 usd of use in 2026-01
    "#,
    );
}

#[test]
fn tiers_that_make_no_sense_are_refused() {
    let tiers = |tiers: &str| {
        let charge = format!(r#"{{"unit": "credits", "tiers": {{{tiers}}}}}"#);
        format!(r#"01-01 price p {{"match": {{"type": {{"any": true}}}}, "charges": [{charge}]}}"#)
    };
    let steps = [
        tiers(r#""mode": "volume", "steps": []"#),
        tiers(r#""mode": "volume", "steps": [{"up_to": "5", "amount": "1"}]"#),
        tiers(r#""mode": "volume", "steps": [{"amount": "1"}, {"amount": "2"}]"#),
        tiers(
            r#""mode": "volume", "steps": [{"up_to": "5", "amount": "1"}, {"up_to": "5.0", "amount": "1"}, {"amount": "2"}]"#,
        ),
        tiers(r#""mode": "volume", "steps": [{"up_to": "0", "amount": "1"}, {"amount": "2"}]"#),
        tiers(r#""mode": "volume", "period": "day", "steps": [{"amount": "2"}]"#),
    ];
    check(&format!(
        "{}
        ------
        ! 01-01  rejected invalid: charges[0].tiers.steps: give one step at least
        ! 01-01  rejected invalid: charges[0].tiers.steps: each step but the last has `up_to`, the last has none
        ! 01-01  rejected invalid: charges[0].tiers.steps: each step but the last has `up_to`, the last has none
        ! 01-01  rejected invalid: charges[0].tiers.steps: each `up_to` is larger than the one before
        ! 01-01  rejected invalid: charges[0].tiers.steps: each `up_to` is larger than the one before
        ! 01-01  rejected invalid: charges[0].tiers.period: volume tiers count within one event: leave the period out",
        steps.join("\n")
    ));
}

#[test]
fn a_long_period_that_closes_forgets_no_shorter_one() {
    tiers(
        r#""mode": "graduated", "period": "month""#,
        r#"01-01  price job {"match": {"type": {"exact": "job"}}, "charges": [{"unit": "credits", "tiers":
                   {"mode": "graduated", "period": "year", "steps": [{"amount": "1"}]}}]}
        01-10  send job {}
        02-10  use 1000
        now 03-10
        now 2027-02-01
        2027-02-01  use 1000 at 02-20
        ------
        overage     1 of job in 2026-01
        overage  1500 of use in 2026-02"#,
    );
}

#[test]
fn each_charge_keeps_its_counter_when_the_period_is_closed() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}}, "charges": [
            {"name": "a", "unit": "credits", "quantity": {"field": "a"},
             "tiers": {"mode": "graduated", "period": "month", "steps": [{"up_to": "10", "amount": "1"}, {"amount": "2"}]}},
            {"name": "b", "unit": "usd", "quantity": {"field": "b"},
             "tiers": {"mode": "graduated", "period": "month", "steps": [{"up_to": "10", "amount": "1"}, {"amount": "2"}]}}]}
        01-10  send use {"a": 10, "b": 4}
        03-10  send use at 01-20 {"a": 1, "b": 1}
        03-11  send use at 01-20 {"a": 1, "b": 1}
        ------
        overage  14 of use in 2026-01
        overage   6 usd of use in 2026-01
    "#,
    );
}

#[test]
fn a_re_rating_counts_in_the_closed_period_of_the_price_that_its_data_leads_to() {
    let price = |model: &str| {
        format!(
            r#"01-01  price {model} {{"match": {{"type": {{"exact": "use"}}, "data": {{"m": {{"exact": "{model}"}}}}}},
            "charges": [{{"unit": "credits", "quantity": {{"field": "n"}}, "tiers": {{"mode": "graduated",
            "period": "month", "steps": [{{"up_to": "10", "amount": "1"}}, {{"amount": "0"}}]}}}}]}}"#
        )
    };
    check(&format!(
        r#"
        {}
        {}
        01-10  send use {{"m": "large", "n": 8}}
        01-11  send use id u {{"m": "small", "n": 5}}
        now 02-10
        03-10  rerate u {{"m": "large", "n": 5}}
        ------
        overage  10 of use in 2026-01
    "#,
        price("large"),
        price("small")
    ));
}
