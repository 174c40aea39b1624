use serde_json::Value;

use crate::world::{check, ok, timeless, world};

#[test]
fn a_ledger_is_shown_as_transfers() {
    let drawdown = world();
    check(&drawdown, &["ledger", "acme"], "\
acme, entries up to NOW
  at      effective                kind     amount  unit         from         to           available  usage
  0:7:0   2025-01-01               issue       110  credits      grants       lot:plan#1         110
  0:8:0   2025-01-02               issue       500  credits      grants       lot:pack#1         610
  0:9:0   2025-01-03               issue        35  credits      grants       lot:promo#1        645
  0:10:0  2025-01-04               issue      12.5  gpu_minutes  grants       lot:gpu#1         12.5
  0:11:0  2025-01-10 10:00Z        usage        12  credits      lot:plan#1   usage              633  a1  chat  chat@1
  0:12:0  2025-01-11 10:00Z        usage        20  credits      lot:promo#1  usage              613  a2  images  image@1
  0:13:0  2025-01-11 11:00Z        usage        15  credits      lot:promo#1  usage              598  a3  images  image@1
  0:13:1  2025-01-11 11:00Z        usage         5  credits      lot:plan#1   usage              593  a3  images  image@1
  0:14:0  2025-01-12 00:00:00.25Z  usage        93  credits      lot:plan#1   usage              500  a4  chat  chat@1
  0:14:1  2025-01-12 00:00:00.25Z  usage  10.00075  credits      lot:pack#1   usage        489.99925  a4  chat  chat@1
");
    check(
        &drawdown,
        &["ledger", "acme", "--sums"],
        "\
acme, 10 entries up to NOW

credits
  kind   entries     amount
  issue        3        645
  usage        6  155.00075

  account          debit     credit        net
  grants             645          0       -645
  lot:pack#1    10.00075        500  489.99925
  usage                0  155.00075  155.00075
  2 empty lots       145        145          0

gpu_minutes
  kind   entries  amount
  issue        1    12.5

  account    debit  credit    net
  grants      12.5       0  -12.5
  lot:gpu#1      0    12.5   12.5
",
    );
    let bea = timeless(drawdown.json(&["ledger", "bea"]));
    let expected = r#"{"wallet":"bea","as_of":{"partition":0,"offset":19,"time":null},"entries":[
        {"partition":0,"offset":18,"line":0,"kind":"overage","unit":"credits","amount":"12","debit":"overage",
         "credit":"usage","available_after":"0","effective_at":"2025-01-20T10:00:00Z",
         "booked_at":"2025-01-20T10:00:00Z","lot":null,"other_lot":null,"subject":"bea","feature":"chat",
         "price":"chat@1","month":"2025-01","usage":"b1","source":"app"}],"next":null,"due":[],"behind":0}"#;
    assert_eq!(bea, serde_json::from_str::<Value>(expected).unwrap());
}

#[test]
fn pages_hold_every_entry_once() {
    let drawdown = world();
    let all = drawdown.json(&["ledger", "acme"])["entries"].clone();
    let mut paged = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut args = vec!["ledger", "acme", "--limit", "3"];
        if let Some(after) = &after {
            args.extend(["--after", after]);
        }
        let page = drawdown.json(&args);
        paged.extend(page["entries"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(Value::from(paged), all);
    let shown = ok(drawdown.run(&["ledger", "acme", "--limit", "3"]));
    assert!(shown.ends_with("\nmore: --after 9:0\n"), "{shown}");
}

#[test]
fn filters_choose_entries_and_sums() {
    let drawdown = world();
    let chosen = |filters: &[&str]| {
        let mut listed = Vec::new();
        for entry in drawdown.json(&[&["ledger", "acme"], filters].concat())["entries"].as_array().unwrap() {
            listed.push(format!("{}:{}", entry["offset"], entry["line"]));
        }
        let sums = drawdown.json(&[&["ledger", "acme", "--sums"], filters].concat());
        assert_eq!(sums["entries"], listed.len(), "{filters:?}");
        listed.join(" ")
    };
    assert_eq!(chosen(&["--unit", "gpu_minutes"]), "10:0");
    assert_eq!(chosen(&["--kind", "issue", "--unit", "credits"]), "7:0 8:0 9:0");
    assert_eq!(chosen(&["--lot", "promo#1"]), "9:0 12:0 13:0");
    assert_eq!(chosen(&["--feature", "images"]), "12:0 13:0 13:1");
    assert_eq!(chosen(&["--from", "2025-01-11T11:00:00Z", "--to", "2025-01-12"]), "13:0 13:1");
    assert_eq!(chosen(&["--from", "2025-01-12"]), "14:0 14:1");
    assert_eq!(chosen(&["--kind", "expire"]), "");
    drawdown.run(&["ledger", "acme", "--kind", "gift"]).failed(2, &["use one of issue, usage, late_usage"]);
    drawdown.run(&["ledger", "acme", "--from", "yesterday"]).failed(2, &["RFC 3339"]);
    drawdown.run(&["ledger", "acme", "--after", "9"]).failed(2, &["120:1"]);
}
