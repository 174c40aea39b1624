//! `hold`, `extend`, `settle` and `unhold`, and what the other commands show of them.

use serde_json::json;

use crate::corrections::{booked, refused};
use crate::drawdown::Drawdown;

/// A wallet of 100 credits whose policy lets holds go 10 beyond them.
fn ready() -> Drawdown {
    let drawdown = Drawdown::new();
    let documents = "
{kind: unit, name: credits}
---
{kind: price, name: chat, match: {type: chat}, charges: [{unit: credits, amount: \"2\", quantity: {field: tokens}}]}
---
{kind: wallet, wallet: acme, holds: {beyond: {overdraft: {credits: \"10\"}}, largest: {credits: \"90\"}}}
---
{kind: grant, wallet: acme, grant_id: plan, unit: credits, amount: \"100\"}
";
    let documents = drawdown.file("documents.yaml", documents);
    drawdown.json(&["apply", &documents]);
    drawdown
}

#[test]
fn a_hold_is_approved_settled_and_shown_everywhere() {
    let drawdown = ready();
    let hold = ["hold", "acme", "--id", "job-1", "--type", "chat", "--event", r#"{"tokens":40}"#];
    let answer = drawdown.json(&hold);
    assert_eq!((&answer["outcome"], &answer["record"]), (&json!("approved"), &json!("hold.requested")));
    assert_eq!(booked(&answer), ["hold 80"]);
    assert_eq!(answer["entries"][0]["available_after"], json!("20"));
    assert!(answer["answer"].as_str().unwrap().starts_with("until "));
    assert_eq!(drawdown.json(&hold)["outcome"], json!("duplicate"), "the same again has the same answer");

    let lines = ["--amount", "31", "--unit", "credits", "--feature", "chat"];
    let declined = drawdown.run(&[&["hold", "acme", "--id", "job-2", "--json"], &lines[..]].concat());
    refused(&declined, "declined", r#"insufficient {"credits":"1"}"#);

    let credits = &drawdown.json(&["balance", "acme"])["units"]["credits"];
    assert_eq!([&credits["available"], &credits["held"], &credits["balance"]], ["20", "80", "100"]);
    assert_eq!((&credits["holds"][0]["hold"], &credits["holds"][0]["held"]), (&json!("job-1"), &json!("80")));
    let shown = drawdown.run(&["balance", "acme"]).out;
    assert!(shown.contains("hold job-1 has 80 for chat, until "), "{shown}");

    let extended = drawdown.json(&["extend", "acme", "job-1", "--ttl", "PT2H", "--id", "longer"]);
    assert_eq!((&extended["outcome"], &extended["entries"]), (&json!("approved"), &json!([])));

    let settle =
        ["settle", "acme", "job-1", "--type", "chat", "--event", r#"{"tokens":35}"#, "--usage", "chat-1"];
    let settled = drawdown.json(&settle);
    assert_eq!(booked(&settled), ["held_usage 70", "release 10"]);
    assert_eq!(drawdown.json(&settle)["outcome"], json!("duplicate"), "a usage counts once");
    let credits = &drawdown.json(&["balance", "acme"])["units"]["credits"];
    assert_eq!([&credits["available"], &credits["held"], &credits["balance"]], ["30", "0", "30"]);

    let ledger = drawdown.run(&["ledger", "acme"]).out;
    for account in ["lot:plan#1   hold:job-1", "hold:job-1   usage", "hold:job-1   lot:plan#1"] {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed(&ledger).contains(&squeezed(account)), "{account}\n{ledger}");
    }
    let why = drawdown.run(&["explain", "acme", "job-1"]).out;
    assert!(why.contains("a hold was requested") && why.contains("It was approved, until "), "{why}");
    let why = drawdown.run(&["explain", "acme", "job-2"]).out;
    assert!(why.contains(r#"It was declined, and changed nothing: insufficient {"credits":"1"}."#), "{why}");
    let why = drawdown.run(&["explain", "acme", "chat-1"]).out;
    assert!(why.contains("used chat") && why.contains("held_usage"), "{why}");
    let why = drawdown.run(&["explain", "acme", "plan#1"]).out;
    assert!(why.contains("70 paid usage or overage"), "{why}");
    let used = drawdown.json(&["usage", "acme"]);
    assert!(used.to_string().contains("\"70\""), "{used}");

    drawdown.json(&["reverse", "acme", "chat-1", "--reason", "it failed"]);
    let credits = &drawdown.json(&["balance", "acme"])["units"]["credits"];
    assert_eq!(credits["available"], json!("100"), "a settled usage is reversed by its own id");
    assert_eq!(drawdown.json(&["verify"])["divergence"], json!(null));
}

#[test]
fn what_cannot_be_held_is_told_why() {
    let drawdown = ready();
    let amount = |n: &'static str| ["--amount", n, "--unit", "credits", "--feature", "chat", "--json"];
    let hold = |id: &'static str, n| drawdown.run(&[&["hold", "acme", "--id", id], &amount(n)[..]].concat());
    refused(&hold("a", "91"), "declined", r#"too_large {"credits":"1"}"#);
    refused(&hold("b", "0"), "rejected", "amount_zero");
    let unknown = drawdown.run(&[&["hold", "nobody", "--id", "c"], &amount("1")[..]].concat());
    refused(&unknown, "declined", "unknown_wallet");
    drawdown.json(&["unhold", "acme", "d"]);
    refused(&hold("d", "1"), "declined", "voided");
    refused(&drawdown.run(&["extend", "acme", "e", "--ttl", "PT1H", "--json"]), "declined", "not_open");

    assert_eq!(hold("f", "90").code, Some(0));
    assert_eq!(hold("g", "20").code, Some(0), "10 of it are held against the overdraft");
    let credits = &drawdown.json(&["balance", "acme"])["units"]["credits"];
    assert_eq!([&credits["held"], &credits["held_overdraft"]], ["100", "10"]);
    drawdown.json(&["suspend", "acme"]);
    refused(&hold("h", "1"), "declined", "suspended");
    assert_eq!(drawdown.json(&["unhold", "acme", "f"])["outcome"], json!("applied"));
    assert_eq!(drawdown.json(&["verify"])["divergence"], json!(null));
}
