use serde_json::{Value, json};

use crate::drawdown::Drawdown;
use crate::world::{check, event, ok, world};

fn what_if(drawdown: &Drawdown, files: &str, from: &str) -> Value {
    let file = drawdown.file("what-if.yaml", files);
    drawdown.json(&["what-if", &file, "--from", from])
}

fn differences(figures: &Value) -> Vec<String> {
    let difference = |name: &str| figures[name]["difference"].as_str().unwrap().to_owned();
    ["used", "overage", "expired", "carried"].map(difference).to_vec()
}

const CHEAPER: &str = "
kind: price
name: image
match: {type: image.generated}
feature: images
charges: [{unit: credits, amount: \"15\"}]
";

#[test]
fn another_price_holds_from_its_time_on_and_nothing_is_appended() {
    let drawdown = world();
    let before = ok(drawdown.run(&["log", "export"]));
    let all = what_if(&drawdown, CHEAPER, "2025-01-11");
    assert_eq!(
        all["units"]["credits"]["used"],
        json!({"was": "155.00075", "would": "145.00075", "difference": "-10"})
    );
    assert_eq!(all["wallets_changed"], 1);
    assert_eq!(all["changed"][0]["wallet"], "acme");
    let one = what_if(&drawdown, CHEAPER, "2025-01-11T10:30:00Z");
    assert_eq!(differences(&one["units"]["credits"]), ["-5", "0", "0", "0"]);
    let none = what_if(&drawdown, CHEAPER, "2025-01-12");
    assert_eq!(none["wallets_changed"], 0);
    assert_eq!(ok(drawdown.run(&["log", "export"])), before);
}

#[test]
fn people_are_shown_totals_and_then_the_wallets_with_the_largest_differences() {
    let drawdown = world();
    let file = drawdown.file("what-if.yaml", CHEAPER);
    check(
        &drawdown,
        &["what-if", &file, "--from", "2025-01-11"],
        "19 records of 2 wallets, what was booked from 2025-01-11 up to NOW

           in all    happened    what if  difference
  credits  used     155.00075  145.00075         -10
  credits  overage         12         12
  credits  expired          0          0
  credits  carried          0          0
  USD      revenue    0.40003    0.20003        -0.2

1 of 2 wallets come to something else
  wallet           used  revenue
  acme    credits   -10
  acme    USD               -0.2
",
    );
}

#[test]
fn what_was_published_later_does_not_hold_in_its_place() {
    let drawdown = world();
    let dearer =
        CHEAPER.replace("15", "30").replace("name: image", "name: image\ntime: 2025-02-01T00:00:00Z");
    let file = drawdown.file("dearer.yaml", dearer);
    ok(drawdown.run(&["apply", "--backfill", &file]));
    let usage = event("late", "acme", "image.generated", "2025-02-02T00:00:00Z", "{}")
        + &event("early", "acme", "image.generated", "2025-01-11T12:00:00Z", "{}");
    ok(drawdown.run_with(&["ingest", "--backfill", "-"], usage));
    ok(drawdown.run(&["project"]));
    let both = what_if(&drawdown, CHEAPER, "2025-02-01");
    assert_eq!(both["units"]["credits"]["used"], json!({"was": "50", "would": "35", "difference": "-15"}));
}

#[test]
fn what_was_announced_late_still_holds_before_that_time() {
    let drawdown = world();
    let dated = "name: image\ntime: 2025-02-10T00:00:00Z\neffective_from: 2025-01-12T00:00:00Z";
    let file = drawdown.file("late.yaml", CHEAPER.replace("15", "30").replace("name: image", dated));
    ok(drawdown.run(&["apply", "--backfill", &file]));
    let usage = event("after", "acme", "image.generated", "2025-02-20T00:00:00Z", "{}")
        + &event("before", "acme", "image.generated", "2025-01-20T00:00:00Z", "{}");
    ok(drawdown.run_with(&["ingest", "--backfill", "-"], usage));
    ok(drawdown.run(&["project"]));
    let figures = what_if(&drawdown, CHEAPER, "2025-02-01")["units"]["credits"]["used"].clone();
    // The earlier one was booked after that time, so it is compared too.
    assert_eq!(figures, json!({"was": "60", "would": "45", "difference": "-15"}));
}

#[test]
fn a_usage_that_was_reversed_is_reversed_at_the_other_price_too() {
    let drawdown = world();
    let reversal = json!({"v": 1, "id": "r", "source": "desk", "type": "usage.reversed", "wallet": "acme",
        "recorded_at": "2025-02-01T00:00:00Z", "by": "operator", "reason": "the image was empty",
        "data": {"usage": {"source": "app", "id": "a3"}}});
    drawdown.append(&reversal);
    ok(drawdown.run(&["project"]));
    let credits = what_if(&drawdown, CHEAPER, "2025-01-11")["units"]["credits"].clone();
    assert_eq!(credits["used"], json!({"was": "135.00075", "would": "130.00075", "difference": "-5"}));
    let after = what_if(&drawdown, CHEAPER, "2025-01-31")["units"]["credits"].clone();
    assert_eq!(after["used"], json!({"was": "-20", "would": "-20", "difference": "0"}));
}

#[test]
fn late_usage_counts_on_from_where_its_closed_month_stood() {
    let drawdown = Drawdown::new();
    let documents = "
kind: unit
name: credits
time: 2025-01-01T00:00:00Z
---
kind: price
name: tiers
time: 2025-01-01T00:00:00Z
match: {type: \"*\"}
charges:
  - {unit: credits, quantity: {field: n},
     tiers: {mode: graduated, period: month, steps: [{up_to: \"10\", amount: \"1\"}, {amount: \"5\"}]}}
---
{kind: grant, wallet: acme, time: 2025-01-01T00:00:00Z, grant_id: pack, unit: credits, amount: \"1000\"}
";
    let file = drawdown.file("tiers.yaml", documents);
    ok(drawdown.run(&["apply", "--backfill", &file]));
    let usage = event("1", "acme", "use", "2025-01-10T00:00:00Z", r#"{"n":8}"#)
        + &event("2", "acme", "use", "2025-03-10T00:00:00Z", r#"{"n":1}"#)
        + &event("3", "acme", "use", "2025-01-20T00:00:00Z", r#"{"n":8}"#);
    ok(drawdown.run_with(&["ingest", "--backfill", "-"], usage));
    ok(drawdown.run(&["project"]));
    let shown = what_if(&drawdown, "{kind: unit, name: unused}", "2025-01-01");
    let (free, dear) = (8 + 1 + 2, 6 * 5);
    assert_eq!(shown["units"]["credits"]["used"]["was"], (free + dear).to_string());
    assert_eq!(drawdown.json(&["verify"])["verified"], true);
}

/// Two wallets with a plan of 100 credits in January, February and March, and their usage.
fn plans() -> Drawdown {
    let drawdown = Drawdown::new();
    let documents = "
kind: unit
name: credits
time: 2025-01-01T00:00:00Z
---
kind: price
name: any
time: 2025-01-01T00:00:00Z
match: {type: \"*\"}
charges: [{unit: credits, quantity: {field: n}, amount: \"1\"}]
---
{kind: grant, wallet: [acme, bea], time: 2025-01-01T00:00:00Z, grant_id: plan, unit: credits, amount: \"100\",
 category: included, cost_basis: {money: \"10\", currency: USD},
 recurrence: {interval: P1M, until: 2025-04-01T00:00:00Z}}
";
    let file = drawdown.file("world.yaml", documents);
    ok(drawdown.run(&["apply", "--backfill", &file]));
    let usage = event("1", "acme", "use", "2025-01-10T00:00:00Z", r#"{"n":60}"#)
        + &event("2", "acme", "use", "2025-02-10T00:00:00Z", r#"{"n":130}"#)
        + &event("3", "bea", "use", "2025-01-10T00:00:00Z", r#"{"n":100}"#);
    ok(drawdown.run_with(&["ingest", "--backfill", "-"], usage));
    ok(drawdown.run(&["project"]));
    drawdown
}

#[test]
fn other_policies_hold_from_their_time_on() {
    let drawdown = plans();
    let policies = "{kind: policies, overage: {repay: false}}";
    let shown = what_if(&drawdown, policies, "2025-01-15");
    assert_eq!(differences(&shown["units"]["credits"]), ["0", "0", "30", "0"]);
    assert_eq!(shown["revenue"]["USD"]["difference"], "-3");
    let later = what_if(&drawdown, policies, "2025-03-02");
    assert_eq!(later["wallets_changed"], 0, "March had paid it back by then");
}

#[test]
fn other_rules_for_grants_change_what_ends_and_what_is_carried() {
    let drawdown = plans();
    let rules = "{kind: grant_rules, category: included, rollover: {percent: \"50\"}}";
    let shown = what_if(&drawdown, rules, "2025-01-01");
    assert_eq!(shown["grants_changed"], 2);
    let credits = &shown["units"]["credits"];
    assert_eq!(credits["carried"], json!({"was": "0", "would": "165", "difference": "165"}));
    assert_eq!(credits["overage"], json!({"was": "30", "would": "10", "difference": "-20"}));
    assert_eq!(credits["expired"], json!({"was": "310", "would": "310", "difference": "0"}));
    assert_eq!(shown["revenue"]["USD"], json!({"was": "29", "would": "29", "difference": "0"}));
    let names: Vec<&Value> = shown["changed"].as_array().unwrap().iter().map(|w| &w["wallet"]).collect();
    assert_eq!(names, ["bea", "acme"]);

    let of_all = "{kind: grant_rules, all: true, amount: \"130\", expires_after: P2M}";
    let shown = what_if(&drawdown, of_all, "2025-01-01");
    assert_eq!(shown["units"]["credits"]["overage"]["would"], "0");
    let none = what_if(&drawdown, "{kind: grant_rules, grant_id: other, priority: 1}", "2025-01-01");
    assert_eq!((&none["grants_changed"], &none["wallets_changed"]), (&json!(0), &json!(0)));
}

#[test]
fn nothing_changed_comes_to_the_same() {
    let drawdown = world();
    let shown = what_if(&drawdown, "{kind: unit, name: unused}", "2020-01-01");
    assert_eq!((&shown["wallets_changed"], &shown["changed"]), (&json!(0), &json!([])));
    let used: Value = drawdown.json(&["usage", "--all"])["total"].clone();
    assert!(used.to_string().contains(shown["units"]["credits"]["used"]["was"].as_str().unwrap()), "{used}");
}

#[test]
fn what_cannot_hold_is_refused_with_its_place() {
    let drawdown = world();
    let run = |files: &str| {
        let file = drawdown.file("what-if.yaml", files);
        drawdown.run(&["what-if", &file, "--from", "2025-01-01"])
    };
    run("{kind: grant_rules, rollover: {}}")
        .failed(3, &["what-if.yaml:1:", "write one of `grant_id`, `category`"]);
    run("{kind: grant_rules, all: true, rolover: {}}").failed(3, &["`rolover` is no field here"]);
    run("{kind: wallet, wallet: acme}").failed(3, &["a wallet's configuration stays as it was"]);
    run("{kind: unit, name: x, time: 2025-01-01T00:00:00Z}").failed(3, &["leave its `time` out"]);
    run(&CHEAPER.replace("credits", "coins")).failed(3, &["what-if.yaml:2: price image", "coins"]);
    run("{kind: grant_rules, all: true, rollover: {}}")
        .failed(3, &["the grant `plan` of `acme` would be refused"]);
}
