use std::collections::BTreeMap;

use ledger::Instant;
use serde_json::{Value, json};

use crate::drawdown::Drawdown;
use crate::place::Place;
use crate::raw::{Core, Raw};

/// What a balance says, as [`Core::at`] does.
fn shown(drawdown: &Drawdown, args: &[&str]) -> Value {
    let balance = drawdown.json(&[&["balance", "w"], args].concat());
    let credits = &balance["units"]["credits"];
    if credits.is_null() {
        return json!({"balance": "0", "overage": "0", "lots": {}});
    }
    let open = credits["lots"].as_array().unwrap().iter().filter(|lot| lot["burns"].is_number());
    let lots: BTreeMap<&str, &Value> =
        open.map(|lot| (lot["lot"].as_str().unwrap(), &lot["remaining"])).collect();
    json!({"balance": credits["balance"], "overage": credits["overage"], "lots": lots})
}

/// Chance that is the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const HOUR: i64 = 3_600_000_000_000;

/// A plan, a pack that ends, and a daily quota.
fn granted(raw: &mut Raw) {
    for terms in [
        json!({"grant_id": "plan", "unit": "credits", "amount": "100", "recurrence": {"interval": "P7D"},
            "rollover": {"percent": "50", "max": "60"}, "reset": {"min": "10", "max": "80"}}),
        json!({"grant_id": "pack", "unit": "credits", "amount": "70", "priority": 60,
            "cost_basis": {"money": "7", "currency": "EUR"}, "expires_at": "2026-01-20T00:00:00Z"}),
        json!({"grant_id": "quota", "unit": "credits", "amount": "5", "priority": 10,
            "recurrence": {"interval": "P1D", "quiet": true}, "applies_to": {"feature": ["chat"]}}),
    ] {
        raw.grant(START, &terms);
    }
}

const START: &str = "2026-01-01T00:00:00Z";

/// A history of so many records. `late` brings usage that is days late, and corrections.
fn history(seed: u64, records: usize, late: bool) -> Raw {
    let (mut dice, mut raw) = (Dice(seed), Raw::new());
    granted(&mut raw);
    let start = Instant::parse(START).unwrap();
    let mut clock = start;
    let mut used: Vec<String> = Vec::new();
    for n in 0..records {
        // Some come at the very instants at which lots end.
        clock = match dice.roll(6) {
            0 => Instant((clock.0 / (24 * HOUR) + 1) * 24 * HOUR),
            _ => clock.plus(dice.roll(40) as i64 * HOUR),
        };
        let (at, id) = (clock.to_string(), format!("r{n}"));
        match dice.roll(if late { 14 } else { 7 }) {
            0..=4 => {
                raw.chat(&id, &at, 1 + dice.roll(60));
                used.push(id);
            }
            5 => raw.add("timer.due", &id, Some("w"), &at, &json!({"due_at": at})),
            6 => {
                let terms =
                    json!({"grant_id": id, "unit": "credits", "amount": "15", "expires_after": "P10D"});
                raw.grant(&at, &terms);
            }
            7 | 8 => {
                let before = clock.plus(-(dice.roll(100) as i64) * HOUR).max(start).to_string();
                raw.usage(&id, "chat", &before, &at, &json!({"tokens": 1 + dice.roll(60)}));
                used.push(id);
            }
            _ => correct(&mut raw, &mut dice, &used, (&id, &at)),
        }
    }
    raw
}

/// One correction; of a usage, if there was one.
fn correct(raw: &mut Raw, dice: &mut Dice, used: &[String], (id, at): (&str, &str)) {
    let usage = used.get(dice.roll(used.len().max(1) as u64) as usize);
    match (dice.roll(5), usage) {
        (0, _) => raw.add("wallet.reset", id, Some("w"), at, &json!({"preserve_overage": dice.roll(2) == 0})),
        (1, _) => {
            let what = ["all", "open", "future", "carried"][dice.roll(4) as usize];
            let grant = ["plan", "pack", "quota"][dice.roll(3) as usize];
            raw.add("grant.voided", id, Some("w"), at, &json!({"grant_id": grant, "what": what}));
        }
        (2, Some(usage)) => {
            let part = json!({"amounts": [{"unit": "credits", "amount": "1"}]});
            let data = if dice.roll(2) == 0 { part } else { json!({}) };
            raw.correct("usage.reversed", id, at, usage, data);
        }
        (3, Some(usage)) => {
            let data = json!({"data": {"tokens": 1 + dice.roll(80)}});
            raw.correct("usage.rerated", id, at, usage, data);
        }
        _ => {
            let data = json!({"month": "2026-01", "unit": "credits", "as": "billed"});
            raw.add("overage.cleared", id, Some("w"), at, &data);
        }
    }
}

#[test]
fn the_balance_known_at_a_record_is_the_one_that_was_printed_then() {
    let mut applied = BTreeMap::<String, u32>::new();
    for seed in 1..=Place::HISTORIES {
        let raw = history(seed, 24, true);
        let drawdown = raw.fold();
        let mut core = Core::new();
        for (n, record) in raw.0.iter().enumerate() {
            core.take(record);
            let clock = core.wallet.clock;
            let next =
                raw.0.get(n + 1).map(|next| Instant::parse(next["recorded_at"].as_str().unwrap()).unwrap());
            // At one instant it is known what all records of that instant said.
            if record["wallet"].is_null() || next.is_some_and(|next| next <= clock) {
                continue;
            }
            if core.outcome.as_ref().is_some_and(|outcome| outcome.to_string() == "applied") {
                *applied.entry(record["type"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            let at = clock.to_string();
            assert_eq!(
                shown(&drawdown, &["--known-at", &at]),
                core.at(clock),
                "seed {seed}, record {n}, {record}"
            );
            // And by time alone, until the next one came.
            let later = clock.plus(30 * HOUR);
            let later = next.map_or(later, |next| later.min(next.plus(-1)));
            let at = later.to_string();
            assert_eq!(
                shown(&drawdown, &["--known-at", &at]),
                core.at(later),
                "seed {seed}, after record {n}"
            );
        }
        let clock = core.wallet.clock;
        let (at, later) = (clock.to_string(), clock.plus(400 * HOUR));
        let args = ["--known-at", &at, "--at", &later.to_string()];
        assert_eq!(
            shown(&drawdown, &args),
            core.at(later),
            "seed {seed}: the future, as if nothing more happened"
        );
    }
    for kind in ["usage.reversed", "usage.rerated", "grant.voided", "wallet.reset"] {
        assert!(applied.contains_key(kind), "no {kind} took effect in {applied:?}");
    }
}

#[test]
fn where_nothing_came_late_a_look_back_shows_what_was_known_then() {
    for seed in 11..11 + Place::HISTORIES.min(4) {
        let raw = history(seed, 24, false);
        let drawdown = raw.fold();
        let mut moments: Vec<Instant> = raw.0[4..]
            .iter()
            .map(|record| Instant::parse(record["recorded_at"].as_str().unwrap()).unwrap())
            .flat_map(|at| [at, at.plus(7 * HOUR)])
            .collect();
        moments.dedup();
        for at in moments.into_iter().map(|at| at.to_string()) {
            let then = shown(&drawdown, &["--known-at", &at]);
            assert_eq!(shown(&drawdown, &["--at", &at]), then, "seed {seed}, {at}");
        }
    }
}

#[test]
fn late_usage_lowers_what_there_was_at_its_time_and_not_what_was_known_then() {
    let mut raw = Raw::new();
    raw.grant(
        "2026-01-01T00:00:00Z",
        &json!({"grant_id": "plan", "unit": "credits", "amount": "100",
        "recurrence": {"interval": "P1M"}, "rollover": {"percent": "50"}, "allowed_lateness": "P20D"}),
    );
    raw.chat("u1", "2026-01-10T00:00:00Z", 40);
    raw.usage("late", "chat", "2026-01-20T00:00:00Z", "2026-02-03T00:00:00Z", &json!({"tokens": 45}));
    let drawdown = raw.fold();
    let lots = |args: &[&str]| shown(&drawdown, args)["lots"].clone();
    assert_eq!(lots(&["--at", "2026-01-25"]), json!({"plan#1": "15"}));
    assert_eq!(lots(&["--known-at", "2026-01-25"]), json!({"plan#1": "60"}));
    assert_eq!(lots(&["--at", "2026-01-15"]), json!({"plan#1": "60"}));
    // What expired pays first, then half of what had been carried over goes back.
    assert_eq!(lots(&["--at", "2026-02-01"]), json!({"plan#1/1": "15", "plan#2": "100"}));
    let then = ["--at", "2026-02-01", "--known-at", "2026-02-02"];
    assert_eq!(lots(&then), json!({"plan#1/1": "30", "plan#2": "100"}));
    drawdown
        .run(&["balance", "w", "--known-at", "2200-01-01"])
        .failed(1, &["nothing is known at 2200-01-01 yet"]);
}

#[test]
fn months_follow_on_each_other_and_every_lot_and_record_can_be_explained() {
    for seed in [2, 5] {
        let raw = history(seed, 24, true);
        let drawdown = raw.fold();
        let last = raw.0.last().unwrap()["recorded_at"].as_str().unwrap().to_owned();
        let month =
            |month: &str| drawdown.json(&["statement", "w", "--month", month])["units"]["credits"].clone();
        let months = ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04"].map(month);
        for (before, after) in months.iter().zip(&months[1..]) {
            let closing = if before["closing"].is_null() { &json!("0") } else { &before["closing"] };
            assert_eq!(&after["opening"], closing, "seed {seed}");
        }
        let balance =
            drawdown.json(&["balance", "w", "--at", "2026-03-15T12:00:00Z"])["units"]["credits"].clone();
        let diff = drawdown.json(&[
            "diff",
            "w",
            "--at",
            "2026-03-15T12:00:00Z",
            "--known-at",
            "2026-01-02",
            "--known-at",
            &last,
        ]);
        assert_ne!((balance, &diff["changes"]), (Value::Null, &json!([])), "seed {seed}");
        // Each of them checks that what it says adds up.
        let entries = drawdown.json(&["ledger", "w", "--limit", "1000"])["entries"].clone();
        let lots: std::collections::BTreeSet<&str> =
            entries.as_array().unwrap().iter().filter_map(|entry| entry["lot"].as_str()).collect();
        for lot in lots {
            let lot = drawdown.json(&["explain", "w", lot])["lot"].clone();
            assert_ne!(lot["entries"], json!([]), "seed {seed}, {lot}");
        }
        for (offset, record) in raw.0.iter().enumerate().filter(|(_, record)| !record["wallet"].is_null()) {
            let explained = drawdown.json(&["explain", "w", &format!("0:{offset}")])["record"].clone();
            assert_eq!(explained["record"]["id"], record["id"], "seed {seed}, {offset}");
        }
    }
}
