//! `void`, `reverse`, `reset`, `clear-overage`, `suspend` and `resume`.

use serde_json::{Value, json};

use crate::drawdown::{Drawdown, Ran, event};

/// Two wallets of 25 credits that have used three images of 10 each, and so 5 more than they had.
pub(crate) fn overdrawn() -> Drawdown {
    let drawdown = Drawdown::new();
    let documents = "
{kind: unit, name: credits}
---
{kind: price, name: image, match: {type: image}, feature: images, charges: [{unit: credits, amount: \"10\"}]}
---
kind: grant
wallet: [acme, bea]
grant_id: plan
unit: credits
amount: \"25\"
purchase_id: order-1
reset: {min: \"20\"}
";
    let documents = drawdown.file("documents.yaml", documents);
    drawdown.json(&["apply", &documents]);
    let usage: String = (1..=3).flat_map(|id| [event(id, "acme"), event(id, "bea")]).collect();
    drawdown.run_with(&["ingest", "-"], usage);
    drawdown.json(&["project"]);
    drawdown
}

/// What a wallet has: available, and open overage.
pub(crate) fn has(drawdown: &Drawdown, wallet: &str) -> [String; 2] {
    let credits = &drawdown.json(&["balance", wallet])["units"]["credits"];
    ["available", "overage"].map(|word| credits[word].as_str().unwrap_or("0").to_owned())
}

/// Where the log ends, to see that nothing was added.
pub(crate) fn positions(drawdown: &Drawdown) -> Value {
    drawdown.json(&["project"])["positions"].clone()
}

/// What an answer says was booked: kind and amount.
pub(crate) fn booked(answer: &Value) -> Vec<String> {
    let entries = answer["entries"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    entries.iter().map(|entry| format!("{} {}", word(&entry["kind"]), word(&entry["amount"]))).collect()
}

/// It ended with 3, and its object says this outcome and reason.
#[track_caller]
pub(crate) fn refused(ran: &Ran, outcome: &str, reason: &str) {
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    let answer = ran.json();
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!(outcome), &json!(reason)), "{answer}");
}

#[test]
fn a_usage_is_reversed_once() {
    let drawdown = overdrawn();
    let reverse = ["reverse", "acme", "1", "--reason", "the request failed"];
    let answer = drawdown.json(&reverse);
    assert_eq!((&answer["outcome"], &answer["record"]), (&json!("applied"), &json!("usage.reversed")));
    assert_eq!(
        booked(&answer),
        ["reversal 10", "repay 5"],
        "the very lot gets it back, and pays what was open"
    );
    assert_eq!(has(&drawdown, "acme"), ["5", "0"]);

    let before = positions(&drawdown);
    let again = drawdown.json(&reverse);
    let first = format!("{}:{}", answer["partition"], answer["offset"]);
    assert_eq!((&again["outcome"], &again["earlier"]), (&json!("duplicate"), &json!(first)));
    assert_eq!(positions(&drawdown), before, "nothing was appended");

    let other = drawdown.run(&["reverse", "acme", "1", "--reason", "for another reason", "--json"]);
    refused(&other, "rejected", "already_reversed");
    let ran = drawdown.run(&["reverse", "acme", "1", "--reason", "and another"]);
    ran.failed(3, &["acme: already_reversed: all of this usage was reversed before"]);
    assert!(ran.out.ends_with(": rejected\n"), "{}", ran.out);
    assert_eq!(has(&drawdown, "acme"), ["5", "0"]);
}

#[test]
fn parts_of_a_usage_are_reversed_and_an_id_counts_once() {
    let drawdown = overdrawn();
    let part = |amount: &'static str, id: &'static str| {
        [
            "reverse", "bea", "1", "--amount", amount, "--unit", "credits", "--reason", "blank", "--id", id,
            "--json",
        ]
    };
    assert_eq!(booked(&drawdown.json(&part("4", "a")[..11])), ["reversal 4", "repay 4"]);
    assert_eq!(drawdown.json(&part("4", "a")[..11])["outcome"], "duplicate");
    refused(&drawdown.run(&part("5", "a")), "conflict", "conflict");
    refused(&drawdown.run(&part("7", "b")), "rejected", "more_than_used");
    refused(&drawdown.run(&part("0", "c")), "rejected", "amount_zero");
    assert_eq!(has(&drawdown, "bea"), ["0", "1"]);
    drawdown.run(&["reverse", "bea", "1", "--amount", "4", "--reason", "x"]).failed(2, &["--unit"]);
    drawdown
        .run(&["reverse", "bea", "1", "--amount", "x", "--unit", "credits", "--reason", "x"])
        .failed(2, &["x"]);
}

#[test]
fn what_was_rejected_can_be_said_again_once_it_can_be_done() {
    let drawdown = overdrawn();
    let void = ["void", "acme", "--grant", "pack", "--reason", "refunded"];
    refused(&drawdown.run(&[&void[..], &["--json"]].concat()), "rejected", "unknown_grant");
    let pack = "{kind: grant, wallet: acme, grant_id: pack, unit: credits, amount: '7'}";
    let pack = drawdown.file("pack.yaml", pack);
    drawdown.json(&["apply", &pack]);
    assert_eq!(has(&drawdown, "acme"), ["2", "0"]);
    assert_eq!(booked(&drawdown.json(&void)), ["void 2"]);
    assert_eq!(drawdown.json(&void)["outcome"], "duplicate");
}

#[test]
fn usage_that_is_not_there_or_is_ambiguous_is_told_before_anything_is_appended() {
    let drawdown = overdrawn();
    let other = event(1, "acme").replace("\"test\"", "\"elsewhere\"");
    drawdown.run_with(&["ingest", "-"], other);
    drawdown.json(&["project"]);
    let before = positions(&drawdown);
    refused(&drawdown.run(&["reverse", "acme", "9", "--reason", "x", "--json"]), "refused", "unknown_usage");
    refused(&drawdown.run(&["rerate", "acme", "9", "--reason", "x", "--json"]), "refused", "unknown_usage");
    drawdown
        .run(&["reverse", "acme", "1", "--reason", "x"])
        .failed(3, &["several sources", "--source: elsewhere, test"]);
    for command in ["reverse", "rerate"] {
        refused(
            &drawdown.run(&[command, "nobody", "1", "--reason", "x", "--json"]),
            "refused",
            "unknown_wallet",
        );
    }
    assert_eq!(positions(&drawdown), before);
    let named = drawdown.json(&["reverse", "acme", "1", "--source", "elsewhere", "--reason", "x"]);
    assert_eq!(named["outcome"], "applied");
    let ran = drawdown.run(&["reverse", "acme", "1", "--source", "nowhere", "--reason", "x", "--json"]);
    refused(&ran, "rejected", "unknown_usage");
}

#[test]
fn a_reason_is_asked_for() {
    let drawdown = overdrawn();
    let before = positions(&drawdown);
    for command in [
        &["void", "acme", "--grant", "plan"][..],
        &["reverse", "acme", "1"],
        &["rerate", "acme", "1"],
        &["rerate", "--all"],
        &["reset", "acme"],
    ] {
        drawdown.run(command).failed(2, &["--reason <TEXT>"]);
        drawdown
            .run(&[command, &["--reason", " "]].concat())
            .failed(2, &["say why: the rules want a reason"]);
    }
    assert_eq!(positions(&drawdown), before);
}

#[test]
fn a_grant_is_void_for_many_wallets_and_the_same_again_changes_nothing() {
    let drawdown = overdrawn();
    for wallet in ["acme", "bea"] {
        drawdown.json(&["reverse", wallet, "1", "--reason", "x"]);
    }
    let wallets = drawdown.file("wallets.txt", b"acme\n\nnobody\r\nbea\nb\xffd\nacme\na\x07b\n");
    let void = ["void", "--wallets", &wallets, "--purchase", "order-1", "--what", "open", "--reason", "over"];
    let counts = |report: &Value| {
        ["applied", "duplicate", "conflict", "rejected", "refused"].map(|word| report[word].as_u64().unwrap())
    };
    let ran = drawdown.run(&[&void[..], &["--json"]].concat());
    assert_eq!((ran.code, counts(&ran.json())), (Some(3), [2, 0, 0, 0, 3]));
    assert_eq!(ran.json()["booked"], json!([{"kind": "void", "unit": "credits", "amount": "10"}]));
    let before = positions(&drawdown);
    let ran = drawdown.run(&void);
    ran.failed(3, &["line 5 holds no wallet's id", "line 7 holds", "nobody: unknown_wallet"]);
    assert!(ran.out.contains("duplicate               2"), "{}", ran.out);
    assert_eq!(positions(&drawdown), before, "nothing was appended");
    assert_eq!(has(&drawdown, "bea"), ["0", "0"]);

    let ran = drawdown
        .run_with(&["void", "--wallets", "-", "--grant", "plan", "--reason", "over", "--json"], "bea");
    assert_eq!((ran.code, counts(&ran.json())), (Some(0), [1, 0, 0, 0, 0]));
    drawdown
        .run(&["void", "--wallets", "/no/such/file", "--grant", "g", "--reason", "x"])
        .failed(1, &["/no/such"]);
    drawdown
        .run(&["void", "acme", "--wallets", "-", "--grant", "g", "--reason", "x"])
        .failed(2, &["--wallets"]);
    drawdown.run(&["void", "acme", "--reason", "x"]).failed(2, &["--grant"]);
    drawdown
        .run(&["void", "acme", "--grant", "g", "--purchase", "p", "--reason", "x"])
        .failed(2, &["--purchase"]);
}

#[test]
fn overage_of_a_month_is_billed_and_a_reset_forgives_the_rest() {
    let drawdown = overdrawn();
    let now = drawdown.json(&["balance", "acme"])["as_of"]["time"].as_str().unwrap().to_owned();
    let month = &now[..7];
    let bill = |amount| {
        ["clear-overage", "acme", "--month", month, "--unit", "credits", "--as", "billed", "--amount", amount]
    };
    let billed = [&bill("2")[..], &["--reference", "invoice 7"]].concat();
    assert_eq!(booked(&drawdown.json(&billed)), ["bill 2"]);
    assert_eq!(drawdown.json(&billed)["outcome"], "duplicate", "an invoice is billed once");
    refused(&drawdown.run(&[&bill("4")[..], &["--json"]].concat()), "rejected", "more_than_open");
    let none =
        ["clear-overage", "acme", "--month", "2020-01", "--unit", "credits", "--as", "forgiven", "--json"];
    refused(&drawdown.run(&none), "rejected", "nothing_open");
    drawdown
        .run(&["clear-overage", "acme", "--month", "2020-13", "--unit", "credits", "--as", "billed"])
        .failed(2, &["write a month as 2026-01"]);
    assert_eq!(has(&drawdown, "acme"), ["0", "3"]);

    let reset = ["reset", "acme", "--unit", "credits", "--reason", "a new season"];
    assert_eq!(booked(&drawdown.json(&reset)), ["issue 20", "forgive 3"]);
    assert_eq!(has(&drawdown, "acme"), ["20", "0"]);
    let kept =
        drawdown.json(&["reset", "bea", "--preserve-overage", "--reason", "a new season", "--id", "r1"]);
    assert_eq!(booked(&kept), ["issue 20", "repay 5"]);
    refused(
        &drawdown.run(&["reset", "bea", "--unit", "x", "--reason", "y", "--json"]),
        "rejected",
        "unknown_unit",
    );
    refused(&drawdown.run(&["reset", "nobody", "--reason", "y", "--json"]), "refused", "unknown_wallet");
}

#[test]
fn a_wallet_is_suspended_and_resumed() {
    let drawdown = overdrawn();
    refused(&drawdown.run(&["resume", "acme", "--json"]), "rejected", "not_suspended");
    assert_eq!(drawdown.json(&["suspend", "acme", "--reason", "unpaid"])["outcome"], "applied");
    refused(&drawdown.run(&["suspend", "acme", "--json"]), "rejected", "already_suspended");
    let resumed = drawdown.run(&["resume", "acme"]);
    assert!(resumed.out.ends_with("applied\n  it books nothing\n"), "{}", resumed.out);
    refused(&drawdown.run(&["suspend", "nobody", "--json"]), "refused", "unknown_wallet");
    Drawdown::without_log().run(&["suspend", "acme"]).failed(1, &["there is no log", "drawdown init"]);
}

#[test]
fn corrections_work_beside_run_and_what_is_stored_is_what_the_log_says() {
    let drawdown = overdrawn();
    let running = drawdown.start_projector(&["run"]);
    assert_eq!(drawdown.json(&["reverse", "acme", "2", "--reason", "x"])["outcome"], "applied");
    assert_eq!(drawdown.json(&["void", "acme", "--grant", "plan", "--reason", "x"])["outcome"], "applied");
    assert_eq!(running.stop("-TERM").code, Some(0));
    assert_eq!(drawdown.json(&["verify"])["verified"], true);
    assert_eq!(has(&drawdown, "acme"), ["0", "0"]);
}
