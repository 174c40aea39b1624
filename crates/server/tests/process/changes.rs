//! `apply` of several steps, all or none.

use serde_json::json;

use crate::corrections::{has, overdrawn, positions};

const UPGRADE: &str = r#"
kind: change
wallet: acme
id: upgrade-7
reason: upgrade to pro
steps:
  - type: grant.voided
    data: {grant_id: plan}
  - type: grant.issued
    data: {grant_id: pro, unit: credits, amount: "100"}
  - type: wallet.configured
    data: {metadata: {plan: pro}}
  - type: wallet.configured
    data: {metadata: {plan: pro}, reset: {interval: P1M}}
"#;

#[test]
fn a_plan_is_changed_in_one_file_and_the_same_again_changes_nothing() {
    let drawdown = overdrawn();
    let wallet = drawdown.file("wallet.yaml", "{kind: wallet, wallet: acme, metadata: {plan: free}}");
    let upgrade = drawdown.file("upgrade.yaml", UPGRADE);
    let applied = drawdown.json(&["apply", &wallet, &upgrade]);
    assert_eq!((&applied["appended"], &applied["rejected"]), (&json!(2), &json!(0)), "{applied}");
    assert_eq!(has(&drawdown, "acme"), ["95", "0"], "what was overdrawn is paid back");
    let before = positions(&drawdown);
    let again = drawdown.file("again.yaml", UPGRADE.replace("\"100\"", "\"100.00\""));
    for file in [&upgrade, &again] {
        assert_eq!(drawdown.json(&["apply", file])["unchanged"], 1, "compared by value");
    }
    assert_eq!(positions(&drawdown), before, "nothing was appended");
    let other = drawdown.file("other.yaml", UPGRADE.replace("\"100\"", "\"200\""));
    drawdown
        .run(&["apply", &other])
        .failed(3, &["other.yaml:2: change upgrade-7 of acme", "an `id` of its own"]);
    assert_eq!(drawdown.json(&["verify"])["verified"], true);
}

#[test]
fn what_the_rules_refuse_names_the_step_and_nothing_is_appended() {
    let drawdown = overdrawn();
    let before = positions(&drawdown);
    let change = |from: &str, to: &str| drawdown.file("change.yaml", UPGRADE.replace(from, to));
    drawdown.run(&["apply", &change("grant_id: plan", "grant_id: plam")]).failed(
        3,
        &["change.yaml:2: change upgrade-7 of acme: steps[0]: the wallet was never issued such a grant"],
    );
    let ran = drawdown.run(&["apply", &change("grant_id: pro", "grant_id: plan"), "--json"]);
    let rejection = ran.json()["rejections"][0].clone();
    assert_eq!((&rejection["field"], &rejection["reason"]), (&json!("steps[1]"), &json!("grant_exists")));
    drawdown
        .run(&["apply", &change("reason: upgrade to pro", "")])
        .failed(3, &["change.yaml:2: reason: is missing"]);
    drawdown
        .run(&["apply", &change("amount: \"100\"", "amount: 100")])
        .failed(3, &["change.yaml:10: steps[1].data.amount", "in quotes"]);
    assert_eq!(positions(&drawdown), before);
    assert_eq!(drawdown.json(&["apply", &change("", "")])["appended"], 1);
}

#[test]
fn a_grant_that_has_left_the_wallet_is_found() {
    let drawdown = overdrawn();
    let once = "{kind: grant, wallet: acme, grant_id: once, unit: credits, amount: '10', \
                time: 2024-01-01T00:00:00Z, expires_at: 2024-02-01T00:00:00Z}";
    let once = drawdown.file("once.yaml", once);
    drawdown.json(&["apply", &once]);
    drawdown.run_with(&["ingest", "-"], crate::drawdown::event(4, "acme"));
    drawdown.json(&["project"]);
    let void = "{kind: change, wallet: acme, id: v, reason: x, steps: [{type: grant.voided, data: {grant_id: once}}]}";
    let void = drawdown.file("void.yaml", void);
    assert_eq!(drawdown.json(&["apply", &void])["appended"], 1);
    assert_eq!(drawdown.json(&["apply", &void])["unchanged"], 1);
}

#[test]
fn the_example_of_an_upgrade_leaves_the_month_and_ends_the_old_plan() {
    let drawdown = crate::drawdown::Drawdown::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/plan-upgrade.yaml");
    assert_eq!(drawdown.json(&["apply", file])["appended"], 3);
    assert_eq!(drawdown.json(&["apply", file])["unchanged"], 3);
    let available: f64 = has(&drawdown, "acme")[0].parse().unwrap();
    assert!(
        (1_000.0..=6_000.0).contains(&available),
        "a month's basic, and the rest of a month's pro: {available}"
    );
    let upcoming = drawdown.json(&["balance", "acme"]).to_string();
    assert!(upcoming.contains("pro#") && !upcoming.contains("basic#2"), "{upcoming}");
}
