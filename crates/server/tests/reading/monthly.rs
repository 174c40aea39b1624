use serde_json::{Value, json};

use crate::drawdown::Drawdown;
use crate::raw::Raw;
use crate::world::ok;

/// January of a plan that is half carried over, with usage that comes late in February.
fn january() -> Drawdown {
    let mut raw = Raw::new();
    raw.grant(
        "2026-01-01T00:00:00Z",
        &json!({"grant_id": "plan", "unit": "credits", "amount": "100",
        "recurrence": {"interval": "P1M"}, "rollover": {"percent": "50"}}),
    );
    raw.chat("u1", "2026-01-10T00:00:00Z", 40);
    raw.usage("u2", "image", "2026-01-12T00:00:00Z", "2026-01-12T00:00:00Z", &json!({}));
    raw.add("timer.due", "t1", Some("w"), "2026-02-01T00:00:00Z", &json!({"due_at": "2026-02-01T00:00:00Z"}));
    raw.usage("late", "chat", "2026-01-31T20:00:00Z", "2026-02-02T09:00:00Z", &json!({"tokens": 25}));
    raw.correct("usage.reversed", "undo", "2026-02-10T00:00:00Z", "u2", json!({}));
    raw.fold()
}

const END: &str = "2026-01-31T23:59:59Z";
const LATER: &str = "2026-02-15T00:00:00Z";

/// A statement without its first line.
fn shown(drawdown: &Drawdown, month: &str, known_at: &str) -> String {
    let text = ok(drawdown.run(&["statement", "w", "--month", month, "--known-at", known_at]));
    text.split_once('\n').unwrap().1.to_owned()
}

#[test]
fn a_statement_taken_again_has_what_came_late() {
    let drawdown = january();
    let then = ok(drawdown.run(&["statement", "w", "--month", "2026-01", "--known-at", END]));
    assert_eq!(
        then,
        "\
w, statement of 2026-01 so far: 2026-01-01 to 2026-02-01 (UTC), as known at 2026-01-31 23:59:59Z

credits
                  amount
  opening              0
  granted            100
  used for chat      -40
  used for image     -20
  closing             40
"
    );
    assert_eq!(
        shown(&drawdown, "2026-01", "2026-02-01"),
        "
credits
                                amount
  opening                            0
  granted                          100
  used for chat                    -40
  used for image                   -20
  expired                          -20
  carried over when lots ended     -20
  closing                            0
"
    );
    assert_eq!(
        shown(&drawdown, "2026-01", LATER),
        "
credits
                                amount
  opening                            0
  granted                          100
  given back by reversals           20
  used for chat                    -65
  used for image                   -20
  expired                          -10
  carried over when lots ended     -25
  closing                            0
"
    );
}

#[test]
fn diff_shows_entry_by_entry_why_a_statement_says_something_else() {
    let drawdown = january();
    let expected = "\
w as of 2026-01-31 23:59:59Z: what was known at 2026-01-31 23:59:59Z, and at 2026-02-15
  unit                     known at 2026-01-31 23:59:59Z  known at 2026-02-15  change
  credits  balance                                    40                   35      -5
  credits  in plan#1                                  40                   35      -5
  credits  used for chat                              40                   65     +25
  credits  used for image                             20                    0     -20

At 2026-01-31 20:00Z ann used chat, which app reported as late, and recorded at 2026-02-02 09:00Z. It is the record 0:8.
";
    let diff = ok(drawdown.run(&["diff", "w", "--known-at", END, "--known-at", LATER]));
    assert!(diff.starts_with(expected), "{diff}");
    assert!(
        diff.contains(
            "the record 0:9, called undo. The reason given: \"because\". It is about the usage at 0:6."
        ),
        "{diff}"
    );
    let diff = drawdown.json(&["diff", "w", "--known-at", LATER, "--known-at", END]);
    let by: Vec<(&Value, Vec<&str>)> = diff["by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|by| {
            let entries = by["entries"].as_array().unwrap();
            (&by["record"]["id"], entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect())
        })
        .collect();
    assert_eq!(by, [(&json!("late"), vec!["late_usage", "usage"]), (&json!("undo"), vec!["reversal"])]);
    let same = ok(drawdown.run(&["diff", "w", "--known-at", "2026-01-20", "--known-at", END]));
    assert!(same.contains("nothing that counts as of then has changed"), "{same}");
}

#[test]
fn what_ends_at_the_months_end_is_its_own_and_what_begins_there_the_nexts() {
    let drawdown = january();
    let february =
        drawdown.json(&["statement", "w", "--month", "2026-02", "--known-at", LATER])["units"]["credits"]
            .clone();
    for (line, amount) in
        [("opening", "0"), ("carried_in", "25"), ("granted", "100"), ("expired", "0"), ("closing", "125")]
    {
        assert_eq!(february[line], amount, "{line} of {february}");
    }
    let march = drawdown.json(&["statement", "w", "--month", "2026-03"])["units"]["credits"].clone();
    let february = drawdown.json(&["statement", "w", "--month", "2026-02"])["units"]["credits"].clone();
    assert_eq!(march["opening"], february["closing"]);
    let balance = drawdown.json(&["balance", "w", "--at", LATER, "--known-at", LATER]);
    assert_eq!(balance["units"]["credits"]["balance"], "125");
    drawdown
        .run(&["statement", "w", "--month", "2026-03", "--known-at", LATER])
        .failed(1, &["it had not begun"]);
    drawdown.run(&["statement", "w", "--month", "2026-3"]).failed(2, &["as in 2026-01"]);
}

/// A wallet in Berlin, whose overage is paid back, billed, and given back from the bill.
fn berlin() -> Drawdown {
    let mut raw = Raw::new();
    raw.publish("zone", "Europe/Berlin", &json!({"before": 3600, "transitions": []}));
    raw.add(
        "wallet.configured",
        "conf",
        Some("w"),
        "2025-12-30T00:00:00Z",
        &json!({"zone": "Europe/Berlin"}),
    );
    raw.chat("a", "2025-12-31T22:59:59Z", 7);
    raw.chat("b", "2025-12-31T23:00:00Z", 30);
    raw.grant("2026-01-05T00:00:00Z", &json!({"grant_id": "pack", "unit": "credits", "amount": "20"}));
    raw.add(
        "overage.cleared",
        "clear",
        Some("w"),
        "2026-02-20T00:00:00Z",
        &json!({"month": "2026-01", "unit": "credits", "as": "billed", "reference": "inv-1"}),
    );
    raw.correct(
        "usage.reversed",
        "undo",
        "2026-03-02T00:00:00Z",
        "b",
        json!({"amounts": [{"unit": "credits", "amount": "22"}]}),
    );
    raw.fold()
}

#[test]
fn months_are_of_the_wallets_zone_and_overage_says_what_became_of_it() {
    let drawdown = berlin();
    assert_eq!(
        shown(&drawdown, "2025-12", "2026-01-02"),
        "
credits
           amount
  closing       0

  overage of  for   opening  opened  reversed  paid back  billed  forgiven  open
  2025-12     chat        0       7         0          0       0         0     7
"
        .replace("           amount\n", "           amount\n  opening       0\n")
    );
    let overage = |month: &str, known_at: &str| {
        let args = ["statement", "w", "--month", month, "--known-at", known_at];
        drawdown.json(&args)["units"]["credits"]["overage"].clone()
    };
    let line = |of: &str, sums: [&str; 7]| {
        let [opening, opened, reversed, repaid, billed, forgiven, open] = sums;
        json!({"month": of, "feature": "chat", "opening": opening, "opened": opened, "reversed": reversed, "repaid": repaid,
            "billed": billed, "forgiven": forgiven, "open": open})
    };
    let (december, january) = (
        line("2025-12", ["7", "0", "0", "7", "0", "0", "0"]),
        line("2026-01", ["0", "30", "0", "13", "0", "0", "17"]),
    );
    assert_eq!(overage("2026-01", "2026-02-01"), json!([december, january]));
    assert_eq!(
        overage("2026-02", "2026-03-01"),
        json!([line("2026-01", ["17", "0", "0", "0", "17", "0", "0"])])
    );
    // Of the 22 that are given back, 13 return to the pack and 9 are due from the bill, each where it counts.
    assert_eq!(
        overage("2026-01", "2026-03-03"),
        json!([december, line("2026-01", ["0", "30", "22", "0", "0", "0", "8"])])
    );
    assert_eq!(
        overage("2026-02", "2026-03-03"),
        json!([line("2026-01", ["8", "0", "0", "0", "8", "0", "0"])])
    );
}

#[test]
fn csv_has_a_line_for_each_sum_and_they_add_up() {
    let drawdown = january();
    let csv = ok(drawdown.run(&["statement", "w", "--month", "2026-01", "--known-at", LATER, "--csv"]));
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("wallet,month,known_at,unit,of,line,overage_month,feature,amount"));
    assert!(csv.contains("\nw,2026-01,2026-02-15T00:00:00Z,credits,credits,used,,chat,-65\n"), "{csv}");
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let sum: i64 =
        rows.iter().filter(|row| row[5] != "closing").map(|row| row[8].parse::<i64>().unwrap()).sum();
    let closing = rows.iter().find(|row| row[5] == "closing").unwrap()[8];
    assert_eq!(sum.to_string(), closing);
    drawdown
        .run(&["statement", "w", "--month", "2026-01", "--csv", "--json"])
        .failed(1, &["either --csv or --json"]);
}

#[test]
fn quotas_that_nothing_has_touched_stand_beside_the_statement() {
    let mut raw = Raw::new();
    raw.grant(
        "2026-01-01T00:00:00Z",
        &json!({"grant_id": "quota", "unit": "credits", "amount": "5",
        "recurrence": {"interval": "P1D", "quiet": true}}),
    );
    raw.chat("u1", "2026-01-10T12:00:00Z", 2);
    let drawdown = raw.fold();
    let january = drawdown.json(&["statement", "w", "--month", "2026-01"])["units"]["credits"].clone();
    assert_eq!([&january["granted"], &january["expired"], &january["untouched"]], ["5", "3", "5"]);
    let day = |at: &str| drawdown.json(&["balance", "w", "--at", at])["units"]["credits"]["balance"].clone();
    assert_eq!(
        [day("2026-01-09T12:00:00Z"), day("2026-01-10T12:00:00Z"), day("2026-01-11T00:00:00Z")],
        ["5", "3", "5"]
    );
    let lot = ok(drawdown.run(&["explain", "w", "quota#10"]));
    assert!(
        lot.contains("Of the 5 credits that it was issued, 2 paid usage or overage, 3 expired."),
        "{lot}"
    );
}
