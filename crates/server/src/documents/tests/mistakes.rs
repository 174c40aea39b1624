//! What files are told when they are wrong: file, line, field, and what to do.

use super::{check, check_files, explain_rejection, read_files};

#[test]
fn all_mistakes_of_a_document_are_told() {
    check(
        "
        kind: price
        name: images
        mach: {type: x}
        match: {type: image.generated}
        rounding: {mode: upp, places: \"2\"}
        charges:
          - unit: credits
            amount: 12.50
            per: 1e3
          - unit: credits
            ammount: \"3\"
            amount: \"1,5\"
            name: 7
          - quantity: {feild: x}
        ",
        "
        x.yaml:3: mach: `mach` is no field here: did you mean `match`?
        x.yaml:5: rounding.mode: `upp` is no choice here: did you mean `up`?
        x.yaml:5: rounding.places: write a whole number from 0 to 255, without quotes, not \"2\"
        x.yaml:8: charges[0].amount: an amount is an exact decimal: write it in quotes: \"12.5\"
        x.yaml:9: charges[0].per: a quantity is an exact decimal: write it in quotes: \"1000\"
        x.yaml:11: charges[1].ammount: `ammount` is no field here: did you mean `amount`?
        x.yaml:12: charges[1].amount: an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent, not \"1,5\"
        x.yaml:13: charges[1].name: this is text: write it in quotes: \"7\"
        x.yaml:14: charges[2].quantity.feild: `feild` is no field here: did you mean `field`?
        x.yaml:14: charges[2].quantity.field: is missing: add `field:`
        ",
    );
}

#[test]
fn all_mistakes_of_all_files_are_told() {
    check_files(
        &[
            ("a.yaml", "kind: unit\nnmae: credits\n---\nkind: untis\n---\nname: x\n"),
            ("b.json", "{\"kind\": \"unit\",\n\"name\": 5}"),
            ("c.json", "{\"kind\": \"unit\",\n}"),
            ("d.yaml", "just text\n---\nkind: plan\n---\nkind: 4\n"),
            ("e.yaml", "kind: unit\nname: x\ntime: 2026-01-31\n"),
            ("f.yaml", "kind: unit\nname: ''\n"),
        ],
        "
        a.yaml:1: name: is missing: add `name:`
        a.yaml:2: nmae: `nmae` is no field here: did you mean `name`?
        a.yaml:4: kind: `untis` is no kind of document: did you mean `unit`?
        a.yaml:6: kind: is missing: write one of `unit`, `zone`, `rate_card`, `policies`, `price`, `vendor_cost`, `wallet`, `grant` or `change`
        b.json:2: name: this is text: write it in quotes: \"5\"
        c.json:2: this is no JSON: key must be a string
        d.yaml:1: a document is a map of fields: begin with `kind:`
        d.yaml:3: kind: `plan` is not built yet: write the grants themselves
        d.yaml:5: kind: write one of `unit`, `zone`, `rate_card`, `policies`, `price`, `vendor_cost`, `wallet`, `grant` or `change`
        e.yaml:3: time: a day alone is no moment: write 2026-01-31T00:00:00Z
        f.yaml:2: name: is 1 to 256 bytes long and has no control characters: write another
        ",
    );
}

#[test]
fn at_most_fifty_mistakes_are_told() {
    let text = "- {kind: units}\n".repeat(60);
    assert_eq!(read_files(&[("x.yaml", &text)]).lines().count(), 50);
}

#[test]
fn rules_that_are_not_built_yet_are_named() {
    check(
        "
        kind: grant
        wallet: acme
        grant_id: g
        unit: credits
        amount: \"5\"
        limits: {min: \"1\"}
        ---
        kind: wallet
        wallet: acme
        suspended: true
        limits: {credits: \"5\"}
        replaces: abc
        ",
        "
        x.yaml:6: limits: `limits` is not built yet: leave it out
        x.yaml:10: suspended: a wallet is suspended with `drawdown suspend`, or by a step of a `kind: change`: leave it out
        x.yaml:11: limits: `limits` is not built yet: leave it out
        x.yaml:12: replaces: is written when the document is applied: leave it out
        ",
    );
}

#[test]
fn conditions_are_values_prefixes_or_stars() {
    check(
        "
        kind: price
        name: p
        match:
          type: a*b
          data:
            a: {exat: x}
            b: [x, y]
            c:
            d: {prefix: x, exact: y}
            e: {prefix: \"\"}
            f: {exact: [1]}
            g: {any: 1}
        charges: [{unit: credits, amount: \"1\"}]
        ---
        kind: price
        name: q
        match: {type: x, data: {a: {any: false}}}
        charges: [{unit: credits, amount: \"1\"}]
        ",
        "
        x.yaml:4: match.type: `*` stands at the end; for this very text write {exact: \"a*b\"}
        x.yaml:6: match.data.a: `exat` is no kind of condition: did you mean `exact`?
        x.yaml:7: match.data.b: write one value: another value is another price
        x.yaml:8: match.data.c: write a value, or \"*\" for any
        x.yaml:9: match.data.d: write one of `exact`, `prefix` and `any`
        x.yaml:10: match.data.e: an empty prefix is anything: write \"*\"
        x.yaml:11: match.data.f: write text, a number, true or false
        x.yaml:12: match.data.g: `any` is always true: write {any: true}, or leave the condition out
        x.yaml:17: match.data.a: `any` is always true: write {any: true}, or leave the condition out
        ",
    );
}

#[test]
fn a_value_of_another_kind_is_told_what_to_write() {
    check(
        "
        kind: grant
        wallet: acme
        grant_id: g
        unit: [credits]
        amount: {a: 1}
        priority: 300
        category: 5
        effective_at: 2026
        expires_after: 1 month
        applies_to: {feature: chat}
        recurrence: monthly
        rollover:
        metadata: [a]
        ---
        kind: zone
        name: Mine
        before: \"0\"
        transitions: [[1, 2, 3]]
        ",
        "
        x.yaml:4: unit: write text, not a list
        x.yaml:5: amount: write an amount as a decimal in quotes, such as \"12.5\", not a map
        x.yaml:6: priority: write a whole number from 0 to 255, without quotes, not 300
        x.yaml:7: category: `5` is no choice here: use `paid`, `promotional`, `included` or `compensation`
        x.yaml:8: effective_at: write a time such as \"2026-01-31T00:00:00Z\", not 2026
        x.yaml:9: expires_after: a span is written as in P1M, P28D or PT12H (ISO 8601, whole numbers but for the seconds), and is not empty, not \"1 month\"
        x.yaml:10: applies_to.feature: write a list, not \"chat\"
        x.yaml:11: recurrence: write a map of fields, not \"monthly\"
        x.yaml:13: metadata: write a map of fields, not a list
        x.yaml:17: before: write a whole number, without quotes, not \"0\"
        x.yaml:18: transitions[0]: write two numbers, [seconds since 1970, seconds ahead of UTC]
        ",
    );
}

#[test]
fn rules_of_a_document_by_itself_are_held() {
    check(
        "
        kind: price
        name: p
        match: {type: x}
        charges:
          - {unit: credits, amount: \"1\"}
          - unit: usd
            name: other
            tiers:
              mode: graduated
              steps:
                - {up_to: \"5\", amount: \"1\"}
        ---
        kind: policies
        name: mine
        ---
        kind: zone
        name: Backwards
        before: 0
        transitions: [[5, 0], [4, 0]]
        ---
        kind: zone
        name: Europe/Berln
        ",
        "
        x.yaml:11: charges[1].tiers.steps: each step but the last has `up_to`, the last has none
        x.yaml:14: name: there is one document of default policies: name it `default`
        x.yaml:19: transitions: transitions are in order, and each offset is within a day
        x.yaml:22: name: the zone database (2025b) has no zone \"Europe/Berln\": did you mean `Europe/Berlin`?
        ",
    );
}

#[test]
fn grants_that_cannot_be_are_explained() {
    check(
        "
        kind: grant
        wallet: acme
        grant_id: g
        unit: credits
        amount: \"0\"
        ---
        kind: grant
        wallet: acme
        grant_id: h
        unit: credits
        amount: \"1\"
        time: 2026-02-01T00:00:00Z
        expires_at: 2026-01-01T00:00:00Z
        ---
        kind: grant
        wallet: acme
        grant_id: i
        unit: credits
        amount: \"1\"
        recurrence: {interval: PT1M}
        ---
        kind: grant
        wallet: acme
        grant_id: j
        unit: credits
        amount: \"1\"
        rollover:
          percent: \"100.5\"
        recurrence: {interval: P1D}
        ",
        "
        x.yaml:5: amount: nothing is no amount: give one above zero
        x.yaml:13: expires_at: it would end before it begins: `expires_at` lies after `effective_at`
        x.yaml:20: recurrence.interval: lots would begin too often: the interval is an hour at least
        x.yaml:28: rollover.percent: more than everything cannot roll over: give at most \"100\"
        ",
    );
}

#[test]
fn each_reason_of_a_rejection_has_a_sentence_of_its_own() {
    let words = [
        "amount_zero",
        "expires_both",
        "expires_at_with_recurrence",
        "ends_before_start",
        "bad_interval",
        "until_before_start",
        "quiet_with_rollover",
        "rollover_without_end",
        "percent_over_100",
        "max_times",
        "too_many_lots",
        "unknown_unit",
        "unknown_rate_card",
        "unknown_zone",
        "invalid",
        "replaces_mismatch",
        "reset_min_over_max",
        "no_reason",
        "unknown_wallet",
        "one_of_grant_and_purchase",
        "unknown_grant",
        "grant_exists",
        "unknown_usage",
        "already_reversed",
        "no_amounts",
        "more_than_used",
        "unpriced",
        "nothing_open",
        "more_than_open",
        "no_steps",
        "too_many_steps",
        "already_suspended",
        "not_suspended",
        "not_newer",
        "no such word",
    ];
    let sentences: std::collections::BTreeSet<_> = words.map(explain_rejection).into();
    assert_eq!(sentences.len(), words.len());
    assert_eq!(explain_rejection("unknown_unit: tokens"), explain_rejection("unknown_unit"));
    assert_eq!(explain_rejection("step 2: unpriced: no_price"), explain_rejection("unpriced"));
    assert_eq!(
        explain_rejection("bad_interval"),
        "lots would begin too often: the interval is an hour at least"
    );
}

#[test]
fn wallets_are_ids_lists_and_ranges() {
    check(
        "
        {kind: wallet, wallet: 42}
        ---
        {kind: wallet, wallet: []}
        ---
        {kind: wallet, wallet: \"w-{5..3}\"}
        ---
        {kind: wallet, wallet: \"w-{001..19}\"}
        ---
        {kind: wallet, wallet: \"w-{0...9}\"}
        ---
        {kind: wallet, wallet: [\"w-{0..99998}\", a, b]}
        ---
        {kind: wallet, wallet: \"w-{0..100000}\"}
        ---
        {kind: wallet, wallet: \"a\\nb\"}
        ---
        {kind: wallet}
        ---
        {kind: wallet, wallet: {id: x}}
        ",
        "
        x.yaml:1: wallet: a wallet's id is text: write it in quotes: \"42\"
        x.yaml:3: wallet: names no wallet: write one at least
        x.yaml:5: wallet: the range goes backwards: write {3..5}
        x.yaml:7: wallet: write both ends with the same number of digits: {001..019}
        x.yaml:9: wallet: braces hold one range of numbers, as in \"w-{000..199}\", not \"w-{0...9}\"
        x.yaml:11: wallet[2]: names more than 100000 wallets: write several documents
        x.yaml:13: wallet: names more than 100000 wallets: write several documents
        x.yaml:15: wallet: is 1 to 256 bytes long and has no control characters: write another
        x.yaml:17: wallet: is missing: add `wallet:`
        x.yaml:19: wallet: write a wallet's id, a range such as \"w-{000..199}\", or a list of them
        ",
    );
}

#[test]
fn one_thing_is_said_once() {
    check_files(
        &[
            ("a.yaml", "{kind: unit, name: credits}\n---\n{kind: rate_card, name: credits}"),
            ("b.yaml", "{kind: unit, name: credits, description: other}"),
            ("c.yaml", "kind: grant\nwallet: [a, b, a]\ngrant_id: g\nunit: credits\namount: '1'\n"),
        ],
        "
        b.yaml:1: name: `credits` stands at a.yaml:1 already: leave one out, or give each its `time`
        c.yaml:1: grant_id: `g` stands at c.yaml:1 already: leave one out
        ",
    );
}
