use serde_json::{Value, json};

use crate::drawdown::Drawdown;
use crate::raw::Raw;
use crate::world::{check, event, fill, ok, timeless, world};

#[test]
fn usage_is_listed_with_charges_costs_and_what_became_of_it() {
    let drawdown = world();
    check(&drawdown, &["usage", "acme"], "\
acme, usage up to NOW
  at    time                     id  type             subject            charged  price    vendor cost
  0:11  2025-01-10 10:00Z        a1  llm.completion   acme            12 credits  chat@1      0.03 USD
  0:12  2025-01-11 10:00Z        a2  image.generated  acme            20 credits  image@1
  0:13  2025-01-11 11:00Z        a3  image.generated  acme            20 credits  image@1
  0:14  2025-01-12 00:00:00.25Z  a4  llm.completion   acme     103.00075 credits  chat@1       0.5 USD
  0:15  2025-01-10 10:00Z        a1  llm.completion   acme                                              duplicate of 0:11
  0:16  2025-01-10 10:00Z        a1  llm.completion   acme                                              conflict of 0:11
  0:17  2025-01-13 10:00Z        a5  video.generated  acme                                              unpriced: no_price
");
    let bea = timeless(drawdown.json(&["usage", "bea"]));
    let expected = r#"{"wallet":"bea","as_of":{"partition":0,"offset":19,"time":null},"usage":[
        {"partition":0,"offset":18,"id":"b1","source":"app","type":"llm.completion","subject":"bea",
         "at":"2025-01-20T10:00:00Z","recorded_at":"2025-01-20T10:00:00Z","outcome":"applied","earlier":null,
         "unpriced":null,"charged":{"credits":"12"},"prices":["chat@1"],"vendor_cost":{"USD":"0.03"},
         "data":{"model":"small","input_tokens":12000,"output_tokens":4000}}],"next":null,"behind":0}"#;
    assert_eq!(bea, serde_json::from_str::<Value>(expected).unwrap());

    let page = drawdown.json(&["usage", "acme", "--type", "llm.completion", "--limit", "2"]);
    assert_eq!((page["usage"][1]["id"].as_str(), &page["next"]), (Some("a4"), &json!(14)));
    let rest = drawdown.json(&["usage", "acme", "--type", "llm.completion", "--after", "14"]);
    assert_eq!((rest["usage"].as_array().unwrap().len(), &rest["next"]), (2, &Value::Null));
}

#[test]
fn sums_count_each_event_once() {
    let drawdown = world();
    check(
        &drawdown,
        &["usage", "acme", "--by", "model"],
        "\
acme, usage up to NOW
          count  charged credits  input_tokens  output_tokens  seconds  size.width  vendor cost USD  unpriced
  (none)      1                                                      8                                      1
  large       1        103.00075        200000         2000.5                                   0.5
  pro         2               40                                              1280
  small       1               12         12000           4000                                  0.03
  total       5        155.00075        212000         6000.5        8        1280             0.53         1
",
    );
    check(&drawdown, &["usage", "--all", "--by", "feature"], "\
all wallets, usage
                   count  charged credits  input_tokens  output_tokens  seconds  size.width  vendor cost USD  unpriced
  chat                 3        127.00075        224000        10000.5                                  0.56
  images               2               40                                              1280
  video.generated      1                                                      8                                      1
  total                6        167.00075        224000        10000.5        8        1280             0.56         1
");
    let total =
        drawdown.json(&["usage", "acme", "--sums", "--from", "2025-01-11", "--to", "2025-01-13"])["total"]
            .clone();
    assert_eq!(
        total,
        json!({"count": 3, "charged": {"credits": "143.00075"}, "unpriced": 0, "vendor_cost": {"USD": "0.5"},
            "quantities": {"input_tokens": "200000", "output_tokens": "2000.5", "size.width": "1280"}})
    );
    let keys = |by: &str| {
        let groups = drawdown.json(&["usage", "--by", by])["groups"].clone();
        let key = |group: &Value| group["key"].as_str().unwrap_or("-").to_owned();
        groups.as_array().unwrap().iter().map(key).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys("day"), "2025-01-10 2025-01-11 2025-01-12 2025-01-13 2025-01-20");
    assert_eq!(keys("subject"), "acme bea");
    assert_eq!(keys("type"), "image.generated llm.completion video.generated");
    assert_eq!(keys("size.width"), "- 640");
    drawdown.run(&["usage", "acme", "--all"]).failed(2, &["cannot be used with"]);
}

#[test]
fn sums_run_over_pages_and_partitions() {
    let drawdown = Drawdown::new();
    fill(&drawdown);
    let mut events = String::new();
    for n in 0..6_000 {
        let data = r#"{"input_tokens":1001,"output_tokens":0.1}"#;
        events += &event(
            &format!("n{n}"),
            ["acme", "zoe", "yan"][n % 3],
            "llm.completion",
            "2025-02-01T00:00:00Z",
            data,
        );
    }
    ok(drawdown.run_with(&["ingest", "--backfill", "-"], &events));
    ok(drawdown.run(&["project"]));
    let total = |args: &[&str]| drawdown.json(args)["total"].clone();
    let all = total(&["usage", "--from", "2025-02-01"]);
    assert_eq!(
        all,
        json!({"count": 6_000, "charged": {"credits": "3003.9"}, "unpriced": 0, "vendor_cost": {"USD": "15.015"},
            "quantities": {"input_tokens": "6006000", "output_tokens": "600"}})
    );
    let zoe = total(&["usage", "zoe", "--sums"]);
    assert_eq!((&zoe["count"], &zoe["charged"]["credits"]), (&json!(2_000), &json!("1001.3")));
}

#[test]
fn days_are_those_of_the_wallets_zone() {
    let drawdown = world();
    let zone = "
kind: zone
name: Asia/Tokyo
time: 2025-01-01T00:00:00Z
---
{kind: wallet, wallet: ken, time: 2025-01-01T00:00:00Z, zone: Asia/Tokyo}
";
    let file = drawdown.file("zone.yaml", zone);
    ok(drawdown.run(&["apply", "--backfill", &file]));
    let late = event(
        "k1",
        "ken",
        "llm.completion",
        "2025-01-10T20:00:00Z",
        r#"{"input_tokens":1,"output_tokens":1}"#,
    );
    ok(drawdown.run_with(&["ingest", "--backfill", "-"], late));
    ok(drawdown.run(&["project"]));
    assert_eq!(drawdown.json(&["usage", "ken", "--by", "day"])["groups"][0]["key"], "2025-01-11");
    assert_eq!(drawdown.json(&["usage", "--all", "--by", "day"])["groups"][1]["count"], 3, "with acme's two");
}

/// Usage that was charged anew, given back in part, cancelled, and priced later; and a grant that was voided.
fn corrected() -> Drawdown {
    let mut raw = Raw::new();
    raw.grant("2026-01-01T00:00:00Z", &json!({"grant_id": "pack", "unit": "credits", "amount": "100"}));
    for (id, tokens) in [("anew", 30), ("part", 20), ("gone", 10)] {
        raw.chat(id, "2026-01-02T00:00:00Z", tokens);
    }
    raw.usage("odd", "chat", "2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z", &json!({"tokens": "many"}));
    let at = "2026-01-04T00:00:00Z";
    raw.correct("usage.rerated", "c1", at, "anew", json!({"data": {"tokens": 25}}));
    raw.correct("usage.reversed", "c2", at, "part", json!({"amounts": [{"unit": "credits", "amount": "5"}]}));
    raw.correct("usage.reversed", "c3", at, "gone", json!({}));
    raw.correct("usage.rerated", "c4", at, "odd", json!({"data": {"tokens": 3}}));
    raw.add("grant.voided", "c5", Some("w"), at, &json!({"grant_id": "pack"}));
    raw.fold()
}

#[test]
fn what_is_shown_of_corrected_usage_is_in_effect() {
    let drawdown = corrected();
    check(
        &drawdown,
        &["usage", "w"],
        "\
w, usage up to NOW
  at   time        id    type  subject     charged  price
  0:5  2026-01-02  anew  chat  ann      25 credits  chat@1  charged anew
  0:6  2026-01-02  part  chat  ann      15 credits  chat@1  5 credits given back
  0:7  2026-01-02  gone  chat  ann                          cancelled
  0:8  2026-01-03  odd   chat  ann       3 credits  chat@1  charged anew
",
    );
    let sums = drawdown.json(&["usage", "w", "--by", "type"]);
    assert_eq!(
        sums["total"],
        json!({"count": 3, "charged": {"credits": "43"}, "quantities": {"tokens": "48"},
        "vendor_cost": {}, "unpriced": 0})
    );
    assert_eq!(
        (&sums["cancelled"], &drawdown.json(&["usage", "--all"])["total"]),
        (&json!(1), &sums["total"])
    );
    let odd = drawdown.json(&["usage", "w"])["usage"][3].clone();
    assert_eq!(
        (&odd["unpriced"], &odd["data"], &odd["corrected"]),
        (&Value::Null, &json!({"tokens": 3}), &json!(true))
    );
    check(&drawdown, &["grants", "w"], "\
w, grants at NOW
  grant  each lot  unit     category  from        lots  issued  remaining  consumed  expired  voided  next lot
  pack        100  credits  paid      2026-01-01     1     100          0        43        0      57  void since 2026-01-04
");
    let entries = ok(drawdown.run(&["ledger", "w", "--kind", "reversal"]));
    assert!(
        entries.contains("  0:10:0  2026-01-02  reversal       5  credits  usage  lot:pack#1"),
        "{entries}"
    );
    assert!(
        entries.lines().any(|line| line.contains("0:9:0") && line.contains("anew  chat  chat@1")),
        "{entries}"
    );
}
