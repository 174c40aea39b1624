//! Stories of which price a usage has: the most specific one on its card, in the version of its time (rules, section 6).

use crate::story::check;

/// Publishes prices by name and `match`, the first charging 1 credit an event, the next 10, then 100 …; then one event each.
fn prices(matches: &[(&str, &str)], events: &str, charged: &str) {
    let mut steps = String::new();
    let mut amount = String::from("1");
    for (name, matched) in matches {
        let charges = format!(r#"[{{"unit": "credits", "feature": "all", "amount": "{amount}"}}]"#);
        steps.push_str(&format!(r#"01-01 price {name} {{"match": {matched}, "charges": {charges}}}"#));
        steps.push('\n');
        amount.push('0');
    }
    for event in events.lines().map(str::trim).filter(|l| !l.is_empty()) {
        steps.push_str(&format!("01-02 send {event}\n"));
    }
    check(&format!("{steps}\n------\n{charged}"));
}

#[test]
fn the_exact_type_goes_before_the_longer_prefix_and_that_before_any() {
    prices(
        &[
            ("any", r#"{"type": {"any": true}}"#),
            ("llm", r#"{"type": {"prefix": "llm."}}"#),
            ("gpt", r#"{"type": {"prefix": "llm.gpt"}}"#),
            ("one", r#"{"type": {"exact": "llm.gpt-5"}}"#),
        ],
        "search {}
         llm.other {}
         llm.gpt-4 {}
         llm.gpt-5 {}",
        "overage 1111 of all in 2026-01",
    );
}

#[test]
fn a_price_for_a_field_is_only_for_its_values() {
    prices(
        &[
            ("rest", r#"{"type": {"exact": "llm"}}"#),
            ("there", r#"{"type": {"exact": "llm"}, "data": {"model": {"any": true}}}"#),
            ("gpt", r#"{"type": {"exact": "llm"}, "data": {"model": {"prefix": "gpt-"}}}"#),
            ("one", r#"{"type": {"exact": "llm"}, "data": {"model": {"exact": "gpt-5"}}}"#),
        ],
        r#"llm {}
           llm {"model": null}
           llm {"model": "claude"}
           llm {"model": {"name": "gpt-5"}}
           llm {"model": "gpt-4"}
           llm {"model": "gpt-5"}"#,
        "overage 1122 of all in 2026-01",
    );
}

#[test]
fn numbers_and_truths_are_compared_by_value() {
    prices(
        &[
            ("rest", r#"{"type": {"exact": "llm"}}"#),
            ("four", r#"{"type": {"exact": "llm"}, "data": {"cores": {"exact": "4"}}}"#),
            ("batch", r#"{"type": {"exact": "llm"}, "data": {"options.batch": {"exact": "true"}}}"#),
        ],
        r#"llm {"cores": 4}
           llm {"cores": 4.0}
           llm {"cores": "4"}
           llm {"cores": "4.0"}
           llm {"options": {"batch": true}}
           llm {"options": {"batch": false}}"#,
        "overage 132 of all in 2026-01",
    );
}

#[test]
fn the_type_goes_before_fields() {
    prices(
        &[
            ("fields", r#"{"type": {"prefix": "llm."}, "data": {"a": {"exact": "x"}, "b": {"exact": "y"}}}"#),
            ("type", r#"{"type": {"exact": "llm.gpt"}}"#),
        ],
        r#"llm.gpt {"a": "x", "b": "y"}
           llm.other {"a": "x", "b": "y"}"#,
        "overage 11 of all in 2026-01",
    );
}

#[test]
fn more_exact_fields_then_more_prefixes_then_longer_ones_are_more_specific() {
    let llm = |data: &str| format!(r#"{{"type": {{"exact": "llm"}}, "data": {{{data}}}}}"#);
    let (exact, prefix) =
        (llm(r#""a": {"exact": "x"}"#), llm(r#""b": {"prefix": "yy"}, "c": {"prefix": "z"}"#));
    prices(
        &[("prefixes", &prefix), ("exact", &exact)],
        r#"llm {"a": "x", "b": "yyy", "c": "zzz"}"#,
        "overage 10 of all in 2026-01",
    );
    let (long, two) =
        (llm(r#""b": {"prefix": "yyy"}"#), llm(r#""b": {"prefix": "y"}, "c": {"prefix": "z"}"#));
    prices(
        &[("long", &long), ("two", &two)],
        r#"llm {"b": "yyy", "c": "zzz"}
           llm {"b": "yyy"}"#,
        "overage 11 of all in 2026-01",
    );
    let (short, long) = (llm(r#""b": {"prefix": "y"}, "c": {"any": true}"#), llm(r#""c": {"prefix": "zz"}"#));
    prices(
        &[("short", &short), ("longer", &long)],
        r#"llm {"b": "yyy", "c": "zzz"}"#,
        "overage 10 of all in 2026-01",
    );
}

#[test]
fn between_equals_the_smaller_name_prices() {
    prices(
        &[
            ("b", r#"{"type": {"exact": "llm"}, "data": {"x": {"exact": "1"}}}"#),
            ("a", r#"{"type": {"exact": "llm"}, "data": {"y": {"exact": "1"}}}"#),
        ],
        r#"llm {"x": "1", "y": "1"}"#,
        "overage 10 of all in 2026-01",
    );
}

#[test]
fn usage_is_priced_by_the_version_of_its_time() {
    check(
        r#"
        01-01  price use {"effective_from": "2026-01-01T00:00:00Z", "match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "amount": "1"}]}
        01-05  price use {"effective_from": "2026-02-01T00:00:00Z", "match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "amount": "10"}]}
        01-10  use 0
        02-01  use 0
        02-02  use 0 at 01-31 23:59:59.999999999
        ------
        overage  2 of use in 2026-01
        overage 10 of use in 2026-02
        ledger
        01-10  overage 1    overage -> usage   by use@1
        02-01  overage 10   overage -> usage   by use@2
        01-31 23:59:59.999999999  overage 1    overage -> usage   booked 02-02   by use@1
    "#,
    );
}

#[test]
fn the_latest_revision_that_holds_prices_even_if_an_older_one_began_later() {
    check(
        r#"
        01-01  price use {"effective_from": "2026-02-01T00:00:00Z", "match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "amount": "1"}]}
        01-02  price use {"effective_from": "2026-01-01T00:00:00Z", "match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "amount": "10"}]}
        02-10  use 0
        ------
        overage 10 of use in 2026-02
        ledger
        02-10  overage 10   overage -> usage   by use@2
    "#,
    );
}

#[test]
fn a_version_without_a_date_holds_from_its_record_on() {
    check(
        r#"
        01-10  price use {"match": {"type": {"exact": "use"}}, "charges": [{"unit": "credits", "amount": "100"}]}
        01-11  use 5 at 01-09
        01-11  use 5 at 01-10
        ------
        overage  105 of use in 2026-01
        ledger
        01-09  overage 5     overage -> usage   booked 01-11   by any@1
        01-10  overage 100   overage -> usage   booked 01-11   by use@1
    "#,
    );
}

#[test]
fn a_price_that_comes_later_charges_nobody() {
    check(
        r#"
        01-01  wallet card gold
        01-01  card gold
        01-01  wallet card gold
        01-10  use 5
        01-11  price golden {"rate_card": "gold", "effective_from": "2026-01-01T00:00:00Z",
                             "match": {"type": {"any": true}}, "charges": [{"unit": "credits", "amount": "7"}]}
        01-12  use 5
        ------
        overage  7 of use in 2026-01
        unpriced 1
        ! 01-01  rejected unknown_rate_card
        ! 01-10  unpriced no_price
    "#,
    );
}

#[test]
fn usage_is_priced_by_the_card_of_its_time() {
    check(
        r#"
        01-01  card gold
        01-01  price golden {"rate_card": "gold", "match": {"type": {"any": true}},
                             "charges": [{"unit": "credits", "amount": "7"}]}
        01-10  wallet card gold
        01-20  use 1 at 01-09 23:59:59
        01-20  use 1 at 01-10
        02-01  wallet
        02-02  use 1 at 01-31
        02-02  use 1
        ------
        overage  15 of use in 2026-01
        overage  1 of use in 2026-02
        ledger
        01-09 23:59:59  overage 1   overage -> usage   booked 01-20   by any@1
        01-10  overage 7   overage -> usage   booked 01-20   by golden@1
        01-31  overage 7   overage -> usage   booked 02-02   by golden@1
        02-02  overage 1   overage -> usage   by any@1
    "#,
    );
}

#[test]
fn a_card_does_not_fall_back_to_another() {
    check(
        r#"
        01-01  card gold
        01-01  price chats {"rate_card": "gold", "match": {"type": {"exact": "chat"}},
                            "charges": [{"unit": "credits", "amount": "7"}]}
        01-01  defaults card gold
        01-10  use 1
        01-11  use 1 of chat
        ------
        overage  7 of chat in 2026-01
        unpriced 1
        ! 01-10  unpriced no_price
    "#,
    );
}

#[test]
fn a_price_may_move_to_another_card_and_type() {
    check(
        r#"
        01-01  card gold
        01-01  price p {"match": {"type": {"exact": "chat"}}, "charges": [{"unit": "credits", "amount": "7"}]}
        01-10  price p {"match": {"type": {"exact": "talk"}}, "charges": [{"unit": "credits", "amount": "9"}]}
        01-20  price p {"rate_card": "gold", "match": {"type": {"exact": "talk"}},
                        "charges": [{"unit": "credits", "amount": "11"}]}
        01-05  send chat {"n": 1}
        01-15  send chat {"n": 1}
        01-15  send talk {"n": 1}
        01-25  send talk {"n": 1}
        ------
        overage  8 of chat in 2026-01
        overage 10 of talk in 2026-01
    "#,
    );
}

#[test]
fn one_letter_is_more_than_any() {
    check(
        r#"
        01-01  price z {"match": {"type": {"prefix": "u"}},
            "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "2"}]}
        01-02  use 5
        01-02  use 5 of chat
        ------
        overage   5 of chat in 2026-01
        overage  10 of use in 2026-01
    "#,
    );
}

#[test]
fn a_list_or_an_object_is_no_text() {
    check(
        r#"
        01-01  price list {"match": {"type": {"exact": "use"}, "data": {"m": {"exact": "[1]"}}},
            "charges": [{"unit": "usd", "quantity": {"field": "n"}, "amount": "1"}]}
        01-01  price object {"match": {"type": {"exact": "use"}, "data": {"m": {"exact": "{}"}}},
            "charges": [{"unit": "usd", "quantity": {"field": "n"}, "amount": "1"}]}
        01-02  send use {"n": 5, "m": [1]}
        01-02  send use {"n": 5, "m": {}}
        01-02  send use {"n": 5, "m": "[1]"}
        ------
        overage  10 of use in 2026-01
        overage   5 usd of use in 2026-01
    "#,
    );
}
