use serde_json::json;

use crate::drawdown::Drawdown;
use crate::raw::Raw;
use crate::world::ok;

/// A wallet with a lot for each reason to pay or not, and a usage that is later charged anew.
fn world() -> Drawdown {
    let start = "2026-01-01T00:00:00Z";
    let mut raw = Raw::new();
    for terms in [
        json!({"grant_id": "images", "unit": "credits", "amount": "50", "priority": 10, "applies_to": {"feature": ["image"]}}),
        json!({"grant_id": "bob", "unit": "credits", "amount": "50", "priority": 15, "applies_to": {"subject": ["bob"]}}),
        json!({"grant_id": "promo", "unit": "credits", "amount": "15", "priority": 20}),
        json!({"grant_id": "plan", "unit": "credits", "amount": "100", "recurrence": {"interval": "P1M"}, "rollover": {"percent": "50"}}),
        json!({"grant_id": "pack", "unit": "credits", "amount": "500", "priority": 60}),
        json!({"grant_id": "spare", "unit": "credits", "amount": "30", "priority": 70}),
        json!({"grant_id": "quota", "unit": "credits", "amount": "5", "priority": 80, "recurrence": {"interval": "P1D", "quiet": true}}),
    ] {
        raw.grant(start, &terms);
    }
    raw.usage("u1", "chat", "2026-01-10T09:30:00Z", "2026-01-10T09:30:02Z", &json!({"tokens": 130}));
    raw.correct("usage.rerated", "fix", "2026-01-12T10:00:00Z", "u1", json!({"data": {"tokens": 70}}));
    raw.add("timer.due", "t1", Some("w"), "2026-02-01T00:00:00Z", &json!({"due_at": "2026-02-01T00:00:00Z"}));
    raw.usage("u2", "chat", "2026-01-31T00:00:00Z", "2026-02-01T12:00:00Z", &json!({"tokens": 30}));
    raw.correct("usage.reversed", "undo", "2026-02-02T00:00:00Z", "u2", json!({}));
    raw.usage("u1", "chat", "2026-01-10T09:30:00Z", "2026-02-03T00:00:00Z", &json!({"tokens": 130}));
    raw.correct("usage.reversed", "none", "2026-02-03T00:00:00Z", "u9", json!({}));
    raw.fold()
}

/// What is shown, without the first line, which has the moment.
fn shown(drawdown: &Drawdown, about: &str) -> String {
    let text = ok(drawdown.run(&["explain", "w", about]));
    text.split_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn a_usage_says_which_lots_it_used_and_which_it_skipped_and_why() {
    let drawdown = world();
    let text = shown(&drawdown, "u1");
    let expected = "\
At 2026-01-10 09:30Z ann used chat, which app reported as u1, and recorded at 2026-01-10 09:30:02Z. It is the record 0:11.
Its data: {\"data\":{\"tokens\":130},\"type\":\"chat\"}
It took effect.
It was priced by chat@1, in force from 2025-12-01 on the rate card standard: 1 credits per tokens.

130 credits were charged for chat, and lots covered all of it.
  turn  lot       had  paid  because it                                       its place in the order
  1st   images#1   50     0  may not pay for this feature
  2nd   bob#1      50     0  may not pay for this subject                     higher priority number than images#1
  3rd   promo#1    15    15  pays                                             higher priority number than bob#1
  4th   plan#1    100   100  pays                                             higher priority number than promo#1
  5th   pack#1    500    15  pays                                             higher priority number than plan#1
        spare#1           0  was not needed: all was covered before its turn
        quota#10          0  was not needed: all was covered before its turn

It booked:
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("The balance of credits was 750 before and 620 after."), "{text}");
    assert!(text.contains("At 2026-01-12 10:00Z a usage was charged anew, by operator: the record 0:12, called fix. The reason given: \"because\"."), "{text}");
    assert!(text.ends_with("\nNow it is charged 70 credits, by chat@1.\n"), "{text}");
    assert_eq!(shown(&drawdown, "0:11"), text);
    assert_eq!(shown(&drawdown, "11"), text);
    let entry = shown(&drawdown, "0:11.1");
    assert!(entry.starts_with("The entry 0:11:1: 100 credits went from lot:plan#1 to usage (usage), which counts as of 2026-01-10 09:30Z"), "{entry}");

    let json = drawdown.json(&["explain", "w", "u1"])["record"].clone();
    assert_eq!(
        (&json["charges"][0]["amount"], &json["charges"][0]["lots"][2]["took"]),
        (&json!("130"), &json!("15"))
    );
    assert_eq!(
        (&json["price"]["version"], &json["in_effect"]["charged"]["credits"]),
        (&json!("chat@1"), &json!("70"))
    );
    assert_eq!(
        (&json["before"]["credits"]["balance"], &json["after"]["credits"]["balance"]),
        (&json!("750"), &json!("620"))
    );
}

#[test]
fn what_changed_nothing_says_why() {
    let drawdown = world();
    let duplicate = shown(&drawdown, "0:16");
    assert!(
        duplicate
            .contains("The record at 0:11 had said the same: that one counts, and this one changed nothing."),
        "{duplicate}"
    );
    let refused = shown(&drawdown, "none");
    assert!(refused.contains("It was refused, and changed nothing: unknown_usage."), "{refused}");
    let cancelled = shown(&drawdown, "u2");
    assert!(cancelled.contains("pays late usage of its time"), "{cancelled}");
    assert!(cancelled.ends_with("\nThe usage is cancelled: it is charged nothing.\n"), "{cancelled}");
    for (about, says) in [
        ("nothing", "is called \"nothing\": name a usage by its id"),
        ("0:1", "the record at 0:1 is not of the wallet `w`"),
        ("3:1", "has its records in partition 0"),
        ("0:11.9", "the record at 0:11 has 3 entries"),
    ] {
        drawdown.run(&["explain", "w", about]).failed(1, &[says]);
    }
}

#[test]
fn a_lot_says_where_every_credit_of_it_went() {
    let drawdown = world();
    let text = shown(&drawdown, "plan#1");
    let expected = "\
plan#1 is a lot of the grant plan, which the record 0:7 promised: paid, priority 50.
It began at 2026-01-01 and ended at 2026-02-01.
Of the 100 credits that it was issued, 55 paid usage or overage, 15 expired, 30 were carried over.
From it came plan#1/1.

";
    assert!(text.starts_with(expected), "{text}");
    let kinds = drawdown.json(&["explain", "w", "plan#1"])["lot"]["entries"].clone();
    let kinds: Vec<&str> =
        kinds.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    let late = ["late_usage", "return", "usage", "reversal", "reversal", "carry", "expire"];
    assert_eq!(kinds[..6], ["issue", "usage", "reversal", "usage", "carry", "expire"]);
    assert!(late.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let child = shown(&drawdown, "plan#1/1");
    assert!(child.contains("It was carried over from plan#1."), "{child}");
    assert!(shown(&drawdown, "spare#1").contains("Of the 30 credits that it was issued, 30 remain."));
}
