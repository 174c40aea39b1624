use crate::drawdown::Drawdown;
use crate::world::{check, event, ok, timeless, world};

/// Lots of one unit that differ in one key each, and a quota that nobody has touched.
const ORDERED: &str = r#"
kind: unit
name: credits
time: 2025-01-01T00:00:00Z
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: last, unit: credits, amount: "1", priority: 90}
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: never, unit: credits, amount: "2"}
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: paid, unit: credits, amount: "3",
 cost_basis: {money: "1", currency: EUR}, expires_at: 2200-01-01T00:00:00Z}
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: broad, unit: credits, amount: "4",
 expires_at: 2200-01-01T00:00:00Z}
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: narrow, unit: credits, amount: "5",
 applies_to: {feature: [chat], subject: [ann, bob]}, expires_at: 2200-01-01T00:00:00Z}
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: twin, unit: credits, amount: "6",
 expires_at: 2200-01-01T00:00:00Z}
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: carries, unit: credits, amount: "7",
 expires_at: 2200-01-01T00:00:00Z, rollover: {expires_after: P1D}}
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: later, unit: credits, amount: "8",
 effective_at: 2150-01-01T00:00:00Z}
"#;

#[test]
fn each_lot_says_why_it_burns_when_it_does() {
    let drawdown = Drawdown::new();
    let file = drawdown.file("ordered.yaml", ORDERED);
    ok(drawdown.run(&["init", "--partitions", "1"]));
    ok(drawdown.run(&["apply", "--backfill", &file]));
    ok(drawdown.run(&["project"]));
    check(&drawdown, &["balance", "w"], "\
w (unclaimed: nobody has configured it), at NOW, after the records below 0:10

credits: balance 28, held 0, overage 0, available 28
  available for chat 28, for anything else 23
  lot        remaining  of  from        until       priority  category                  burns
  narrow#1           5   5  2025-01-01  2200-01-01        50  paid for chat by ann/bob  1st: may pay for less than broad#1
  broad#1            4   4  2025-01-01  2200-01-01        50  paid                      2nd: may pay for more than narrow#1
  twin#1             6   6  2025-01-01  2200-01-01        50  paid                      3rd: issued later than broad#1
  paid#1             3   3  2025-01-01  2200-01-01        50  paid at 0.333333333 EUR   4th: cost more than twin#1
  carries#1          7   7  2025-01-01  2200-01-01        50  paid                      5th: can be carried over, paid#1 cannot
  never#1            2   2  2025-01-01  never ends        50  paid                      6th: never ends, carries#1 does
  last#1             1   1  2025-01-01  never ends        90  paid                      7th: higher priority number than never#1
  later#1 opens 2150-01-01 with 8

next due: 2150-01-01
");
}

#[test]
fn a_balance_is_shown_unit_by_unit() {
    let drawdown = world();
    check(
        &drawdown,
        &["balance", "acme"],
        "\
acme, at NOW, after the records below 0:19

credits: balance 489.99925, held 0, overage 0, available 489.99925
  lot     remaining   of  from        until       priority  category          burns
  pack#1  489.99925  500  2025-01-02  never ends        60  paid at 0.04 USD  1st: nothing else is open

gpu_minutes: balance 12.5, held 0, overage 0, available 12.5
  lot    remaining    of  from        until       priority  category  burns
  gpu#1       12.5  12.5  2025-01-04  2100-01-01        50  paid      1st: nothing else is open

1 usage has no price and is charged nothing
next due: 2100-01-01
",
    );
    check(
        &drawdown,
        &["balance", "bea"],
        "\
bea (unclaimed: nobody has configured it), at NOW, after the records below 0:19

credits: balance 0, held 0, overage 12, available 0
  overage of 2025-01 for chat: 12, open until 2025-02-04
",
    );
}

#[test]
fn the_json_of_a_balance_is_a_promise() {
    let drawdown = world();
    let balance = timeless(drawdown.json(&["balance", "acme"]));
    let expected = r#"{"wallet":"acme","as_of":{"partition":0,"offset":19,"time":null},"units":{
        "credits":{"balance":"489.99925","held":"0","overage":"0","available":"489.99925","lots":[
            {"lot":"pack#1","grant":"pack","remaining":"489.99925","held":"0","issued":"500",
             "effective_at":"2025-01-02T00:00:00Z","expires_at":null,"priority":60,"category":"paid",
             "unit_cost":{"money":"0.04","currency":"USD"},"burns":1,"why":"nothing else is open"}],
            "upcoming":[],"open_overage":[]},
        "gpu_minutes":{"balance":"12.5","held":"0","overage":"0","available":"12.5","lots":[
            {"lot":"gpu#1","grant":"gpu","remaining":"12.5","held":"0","issued":"12.5",
             "effective_at":"2025-01-04T00:00:00Z","expires_at":"2100-01-01T00:00:00Z","priority":50,
             "category":"paid","burns":1,"why":"nothing else is open"}],
            "upcoming":[],"open_overage":[]}},
        "claimed":true,"unpriced":1,"next_due_at":"2100-01-01T00:00:00Z","behind":0}"#;
    assert_eq!(balance, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    let bea = drawdown.json(&["balance", "bea"]);
    assert_eq!(bea["units"]["credits"]["open_overage"][0]["month"], "2025-01");
}

/// A plan since 2025, which has carried over and expired many times by now.
const MONTHLY: &str = r#"
kind: unit
name: credits
time: 2025-01-01T00:00:00Z
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: plan, unit: credits, amount: "100",
 recurrence: {interval: P1M}, rollover: {percent: "50"}}
---
{kind: grant, wallet: w, time: 2025-01-01T00:00:00Z, grant_id: week, unit: credits, amount: "10",
 expires_after: P7D}
"#;

#[test]
fn what_is_shown_is_true_now_whether_or_not_the_scheduler_ran() {
    let drawdown = Drawdown::new();
    let file = drawdown.file("monthly.yaml", MONTHLY);
    ok(drawdown.run(&["apply", "--backfill", &file]));
    ok(drawdown.run(&["project"]));
    let all = || {
        let credits = drawdown.json(&["balance", "w"])["units"]["credits"].clone();
        let sums = drawdown.json(&["ledger", "w", "--sums"])["units"].clone();
        let mut grants = drawdown.json(&["grants", "w"])["grants"].clone();
        grants.as_array_mut().unwrap().iter_mut().for_each(|grant| grant["offset"] = 0.into());
        (credits, sums, grants, drawdown.json(&["wallets"])["wallets"][0]["units"].clone())
    };
    let before = all();
    assert_eq!(before.0["balance"], "150", "{}", before.0);
    assert_eq!(before.2[1]["expired"], "10", "the week's lot ended long ago: {}", before.2);
    assert_ne!(drawdown.json(&["ledger", "w"])["due"], serde_json::json!([]));

    ok(drawdown.run(&["tick"]));
    ok(drawdown.run(&["project"]));
    assert_eq!(all(), before);
    assert_eq!(drawdown.json(&["ledger", "w", "--sums"])["due"], 0);
}

#[test]
fn records_that_wait_and_wallets_that_are_unknown_are_told() {
    let drawdown = world();
    ok(drawdown
        .run_with(&["ingest", "-"], event("c1", "carl", "llm.completion", "2025-01-01T00:00:00Z", "{}")));
    assert_eq!(drawdown.json(&["balance", "acme"])["behind"], 1);
    assert!(
        ok(drawdown.run(&["balance", "acme"]))
            .ends_with("1 record is not folded yet: run `drawdown project`\n")
    );
    drawdown
        .run(&["balance", "carl"])
        .failed(1, &["no record names the wallet `carl`", "run `drawdown project`"]);
    ok(drawdown.run(&["project"]));
    assert_eq!(drawdown.json(&["balance", "carl"])["unpriced"], 1);
    drawdown
        .run(&["balance", "nobody"])
        .failed(1, &["no record names the wallet `nobody`", "drawdown wallets"]);
    Drawdown::without_log().run(&["balance", "acme"]).failed(1, &["there is no log", "drawdown init"]);
}
