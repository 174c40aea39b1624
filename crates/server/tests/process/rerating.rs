//! `rerate`, what the scheduler charges anew, and `fold-version`.

use serde_json::{Value, json};

use crate::corrections::{booked, has, overdrawn, positions, refused};
use crate::drawdown::{Drawdown, event, until};

/// An image costs so much, and did from the beginning.
fn costs(drawdown: &Drawdown, amount: &str) {
    let price = format!(
        "{{kind: price, name: image, effective_from: 2020-01-01T00:00:00Z, match: {{type: image}}, feature: images, \
         charges: [{{unit: credits, amount: \"{amount}\"}}]}}"
    );
    let price = drawdown.file("price.yaml", price);
    drawdown.json(&["apply", &price]);
}

#[test]
fn what_would_change_is_shown_and_then_done_and_the_same_again_changes_nothing() {
    let drawdown = overdrawn();
    drawdown.run_with(&["ingest", "-"], event(9, "carl").replace("\"image\"", "\"video\""));
    costs(&drawdown, "4");
    let before = positions(&drawdown);
    let shown = drawdown.run(&["rerate", "--all", "--price", "image", "--preview"]);
    assert_eq!(
        shown.out,
        "  wallet  usages  unit     charged  would be  difference
  acme         3  credits       30        12         -18
  bea          3  credits       30        12         -18
  total        6  credits       60        24         -36\n"
    );
    let total = drawdown.json(&["rerate", "acme", "--preview"])["total"].clone();
    assert_eq!(total, json!({"usages": 3, "units": {"credits": {"before": "30", "after": "12"}}}));
    let refused = &drawdown.json(&["rerate", "carl", "--preview"])["refused"];
    assert_eq!(*refused, json!({"unpriced: no_price": 1}));
    for filter in
        [["--price", "other"], ["--feature", "other"], ["--to", "2020-01-01"], ["--from", "2200-01-01"]]
    {
        let shown = drawdown.run(&[&["rerate", "--all", "--preview"], &filter[..]].concat());
        assert_eq!(shown.out, "nothing would change\n", "{filter:?}");
    }
    assert_eq!(positions(&drawdown), before, "nothing was appended");

    let rerate =
        ["rerate", "--all", "--feature", "images", "--from", "2020-01-01", "--reason", "a wrong price"];
    assert_eq!(drawdown.json(&rerate)["applied"], 6);
    assert_eq!(
        (has(&drawdown, "acme"), has(&drawdown, "bea")),
        (["13", "0"].map(str::to_owned), ["13", "0"].map(str::to_owned))
    );
    let before = positions(&drawdown);
    assert_eq!(drawdown.json(&rerate)["applied"], 0);
    assert_eq!(positions(&drawdown), before, "nothing was appended");
    for amount in ["5", "4"] {
        costs(&drawdown, amount);
        assert_eq!(drawdown.json(&rerate)["applied"], 6, "back and forth");
    }
    assert_eq!(has(&drawdown, "acme"), ["13", "0"]);
    assert_eq!(drawdown.json(&["verify"])["verified"], true);
    drawdown.run(&["rerate", "nobody", "--preview"]).failed(1, &["no record names the wallet `nobody`"]);
    drawdown.run(&["rerate", "--preview"]).failed(2, &["<WALLET>"]);
    drawdown.run(&["rerate", "acme", "1", "--preview"]).failed(2, &["--preview"]);
}

#[test]
fn once_is_enough_where_overage_was_paid_back() {
    let drawdown = overdrawn();
    let usage: String = (4..=20).map(|id| event(id, "acme")).collect();
    drawdown.run_with(&["ingest", "-"], usage);
    let pack = "{kind: grant, wallet: acme, grant_id: pack, unit: credits, amount: '60'}";
    let pack = drawdown.file("pack.yaml", pack);
    drawdown.json(&["apply", &pack]);
    assert_eq!(has(&drawdown, "acme"), ["0", "115"]);
    costs(&drawdown, "4");
    let rerate = ["rerate", "acme", "--reason", "a wrong price"];
    assert_eq!(drawdown.json(&rerate)["applied"], 20);
    assert_eq!(has(&drawdown, "acme"), ["5", "0"]);
    assert_eq!(drawdown.json(&rerate)["applied"], 0, "no charge changes");
}

#[test]
fn a_grant_that_came_late_pays_what_it_would_have_paid() {
    let drawdown = overdrawn();
    let late = "{kind: grant, wallet: bea, grant_id: promo, unit: credits, amount: '8', priority: 1, \
                effective_at: 2026-01-01T00:00:00Z}";
    let late = drawdown.file("late.yaml", late);
    drawdown.json(&["apply", &late]);
    assert_eq!(has(&drawdown, "bea"), ["3", "0"], "it has paid back what was open");
    let rerate = ["rerate", "bea", "--reason", "a late grant"];
    assert_eq!(drawdown.json(&rerate)["applied"], 0);
    let moved = drawdown.json(&[&rerate[..], &["--lots"]].concat());
    assert!(moved["applied"].as_u64().unwrap() > 0, "{moved}");
    let lots = drawdown.json(&["balance", "bea"])["units"]["credits"].to_string();
    assert!(lots.contains("plan#1") && !lots.contains("promo#1"), "what is left is the plan's: {lots}");
    assert_eq!(drawdown.json(&["verify"])["verified"], true);
}

#[test]
fn one_usage_is_charged_anew_with_other_data() {
    let drawdown = Drawdown::new();
    let documents = "
{kind: unit, name: credits}
---
{kind: price, name: image, match: {type: image}, charges: [{unit: credits, quantity: {field: n}, amount: \"2\"}]}
---
{kind: grant, wallet: acme, grant_id: g, unit: credits, amount: \"100\"}
";
    let documents = drawdown.file("documents.yaml", documents);
    drawdown.json(&["apply", &documents]);
    let usage = event(1, "acme").replace("\"subject\"", "\"data\":{\"n\":10},\"subject\"");
    drawdown.run_with(&["ingest", "-"], usage);
    let one = |data: &str, reason: &str| {
        drawdown.run(&["rerate", "acme", "1", "--event-data", data, "--reason", reason, "--json"])
    };
    let answer = one(r#"{"n": 3}"#, "counted twice").json();
    assert_eq!(booked(&answer), ["reversal 20", "usage 6"]);
    let file = drawdown.file("data.json", r#"{"n": "4.5"}"#);
    assert_eq!(booked(&one(&format!("@{file}"), "x").json()), ["reversal 6", "usage 9"]);
    assert_eq!(
        booked(&drawdown.json(&["rerate", "acme", "1", "--reason", "x"])),
        [""; 0],
        "it stands so from now on"
    );
    refused(&one("{}", "x"), "rejected", "unpriced: missing_quantity");
    one("{n: 3}", "x").failed(1, &["the event's data is no JSON"]);
    one("@/no/such/file", "x").failed(1, &["/no/such/file cannot be read"]);
    let twice = ["rerate", "acme", "1", "--event-data", "{\"n\":1}", "--reason", "x", "--id", "r"];
    let outcomes = [0, 1].map(|_| drawdown.json(&twice)["outcome"].clone());
    assert_eq!(outcomes, ["applied", "duplicate"]);
    assert_eq!(has(&drawdown, "acme"), ["98", "0"]);
}

#[test]
fn usage_that_had_no_price_is_charged_by_the_scheduler_once_one_stands() {
    let drawdown = Drawdown::new();
    let unit = drawdown.file("unit.yaml", "{kind: unit, name: credits}");
    drawdown.json(&["apply", &unit]);
    let usage: String = (0..700).map(|id| event(id, &format!("team-{}", id % 3))).collect();
    drawdown.run_with(&["ingest", "-"], usage);
    drawdown.json(&["project"]);
    assert_eq!(drawdown.json(&["tick"])["rerated"], 0);
    costs(&drawdown, "2");
    assert!(drawdown.json(&["tick"])["rerated"].as_u64().unwrap() >= 500);
    drawdown.json(&["tick"]);
    let folded = drawdown.json(&["project"]);
    let duplicates = folded["duplicate"].as_u64().unwrap();
    assert!(duplicates > 0, "a second tick says the same: {folded}");
    let sum = |word: &str| -> u64 {
        let wallets = drawdown.json(&["wallets"])["wallets"].as_array().unwrap().clone();
        let overage =
            |w: &Value| w["units"]["credits"]["overage"].as_str().map_or(0, |text| text.parse().unwrap());
        wallets
            .iter()
            .map(|w| if word == "unpriced" { w["unpriced"].as_u64().unwrap() } else { overage(w) })
            .sum()
    };
    until("all is charged", || {
        drawdown.json(&["tick"]);
        drawdown.json(&["project"]);
        sum("unpriced") == 0
    });
    assert_eq!(sum("overage"), 1_400);
    assert_eq!(drawdown.json(&["verify"])["verified"], true);
}

#[test]
fn run_charges_usage_once_a_price_stands() {
    let drawdown = overdrawn();
    let running = drawdown.start_projector(&["run"]);
    drawdown.run_with(&["ingest", "-"], event(9, "carl").replace("\"image\"", "\"video\""));
    let video = "{kind: price, name: video, effective_from: 2020-01-01T00:00:00Z, match: {type: video}, \
                 charges: [{unit: credits, amount: \"7\"}]}";
    let video = drawdown.file("video.yaml", video);
    until("the usage is there", || drawdown.run(&["balance", "carl"]).code == Some(0));
    drawdown.json(&["apply", &video]);
    until("it is charged", || has(&drawdown, "carl") == ["0", "7"]);
    assert_eq!(running.stop("-TERM").code, Some(0));
}
