//! What a history publishes: units, zones, cards, policies and prices.

use serde_json::{Value, json};

use super::Teller;
use crate::oracle::records::Record;
use crate::oracle::text::{DAY, SECOND, show_instant};

/// The zones of a history, each with transitions from 2025 to 2029.
pub(super) const ZONES: [&str; 3] = ["Test/Berlin", "Test/Midnight", "Test/Jumper"];

impl Teller {
    /// Publishes what stands before everything else.
    pub(super) fn open_catalogue(&mut self) {
        let fold = if self.random.chance(50) { 1 } else { 2 };
        self.append(Record::genesis(self.now, fold));
        for unit in ["credits", "usd"] {
            self.publish("unit", unit, &json!({}));
        }
        for zone in ZONES {
            if self.random.chance(40) {
                let before = if zone == "Test/Jumper" { -36_000 } else { 3600 };
                let body = json!({"before": before, "transitions": transitions(zone)});
                self.publish("zone", zone, &body);
                self.zones.push(zone);
            }
        }
        if self.random.chance(50) {
            self.publish_policies();
        }
        let charges = json!([{"amount": "1", "unit": "credits", "quantity": {"field": "n", "default": "1"}}]);
        let always = "2020-01-01T00:00:00Z";
        let rest = json!({"charges": charges, "match": {"type": {"any": true}}, "effective_from": always});
        self.publish("price", "rest", &rest);
        if self.random.chance(40) {
            self.publish("rate_card", "gold", &json!({}));
            let charges = json!([{"amount": "2", "unit": "usd", "feature": "tokens"}]);
            let gold = json!({"charges": charges, "match": {"type": {"any": true}}, "rate_card": "gold"});
            self.publish("price", "gold", &gold);
            self.cards = &["gold", "standard"];
        }
        for _ in 0..self.random.below(4) {
            self.publish_price();
        }
    }

    /// Publishes a first or another revision of something.
    fn publish(&mut self, kind: &'static str, name: &str, body: &Value) {
        let place = (kind, name.to_owned());
        let mut replaces = self.published.get(&place).cloned();
        if matches!(kind, "price" | "policies") && self.random.chance(2) {
            replaces = Some("00000000000000000000000000000000".to_owned());
        }
        let record = Record::published(kind, name, replaces.as_deref(), self.now, &body.to_string());
        let known = self.published.get(&place).cloned();
        if replaces == known && kind != "fold" {
            self.published.insert(place, record.id.clone());
        }
        self.append(record);
    }

    /// Raises the fold version, or tries to.
    pub(super) fn publish_fold(&mut self) {
        let version = if self.random.chance(80) { 2 } else { 1 };
        self.publish("fold", "version", &json!({"version": version}));
    }

    pub(super) fn publish_policies(&mut self) {
        let mut body = serde_json::Map::new();
        if self.random.chance(70) {
            let lateness = self.random.pick(self.scale.lateness);
            body.insert("lateness".to_owned(), json!(lateness));
        }
        if self.random.chance(40) && !self.zones.is_empty() {
            let zone = self.zones[self.random.below(self.zones.len())];
            body.insert("zone".to_owned(), json!(zone));
        }
        if self.random.chance(15) {
            body.insert("rate_card".to_owned(), json!(self.random.pick(self.cards)));
        }
        if self.random.chance(50) {
            body.insert("overage".to_owned(), self.overage_policy());
        }
        if self.random.chance(60) {
            let holds = self.hold_policy();
            body.insert("holds".to_owned(), holds);
        }
        self.publish("policies", "default", &Value::Object(body));
    }

    pub(super) fn overage_policy(&mut self) -> Value {
        let mut body = serde_json::Map::new();
        if self.random.chance(30) {
            body.insert("repay".to_owned(), json!(self.random.chance(30)));
        }
        if self.random.chance(70) {
            let at_month_end = self.random.pick(&["keep", "bill", "bill", "forgive"]);
            body.insert("at_month_end".to_owned(), json!(at_month_end));
        }
        Value::Object(body)
    }

    pub(super) fn publish_price(&mut self) {
        let from = match self.random.chance(50) {
            true => Some(self.moment(self.start - 10 * DAY, self.now + self.scale.gap)),
            false => None,
        };
        self.publish_price_from(from);
    }

    pub(super) fn publish_price_from(&mut self, from: Option<i64>) {
        let name = self.random.pick(&["a", "b", "c"]);
        let on_type = match self.random.below(6) {
            0 => json!({"any": true}),
            1 => json!({"prefix": "ch"}),
            2 => json!({"prefix": "chat"}),
            3 => json!({"exact": "embed"}),
            _ => json!({"exact": "chat"}),
        };
        let mut pattern = json!({"type": on_type});
        if self.random.chance(35) {
            pattern["data"] = match self.random.below(5) {
                0 => json!({"model": {"exact": "gpt-4"}}),
                1 => json!({"model": {"prefix": "gpt-"}}),
                2 => json!({"model": {"any": true}, "n": {"any": true}}),
                3 => json!({"deep.on": {"exact": "true"}}),
                _ => json!({"n": {"exact": "3"}}),
            };
        }
        let mut body = json!({"match": pattern});
        let charges: Vec<Value> = (0..1 + self.random.below(2)).map(|place| self.charge(place)).collect();
        body["charges"] = Value::Array(charges);
        if self.random.chance(30) {
            body["feature"] = json!(self.random.pick(&["chat", "tokens", "embed"]));
        }
        if self.random.chance(25) {
            body["rate_card"] = json!(self.random.pick(self.cards));
        }
        if let Some(from) = from {
            body["effective_from"] = json!(show_instant(from));
        }
        if self.random.chance(40) {
            let places = self.random.below(4);
            body["rounding"] = json!({"mode": self.random.pick(&["down", "up", "half_up", "half_even"])});
            if self.random.chance(80) {
                body["rounding"]["places"] = json!(places);
            }
        }
        self.publish("price", name, &body);
    }

    fn charge(&mut self, place: usize) -> Value {
        let mut charge = json!({"unit": self.random.pick(&["credits", "credits", "usd"]), "name": format!("charge-{place}")});
        if self.random.chance(75) {
            charge["quantity"] = match self.random.below(6) {
                0 => json!({"field": "n", "default": "2"}),
                1 | 2 => json!({"field": "n", "minus": ["cached"]}),
                3 => json!({"field": "deep.n"}),
                _ => json!({"field": "n"}),
            };
        }
        if self.random.chance(25) {
            charge["feature"] = json!(self.random.pick(&["tokens", "chat"]));
        }
        if self.random.chance(30) {
            charge["per"] = json!(self.random.pick(&["3", "4", "0.5", "7"]));
        }
        if self.random.chance(25) {
            charge["blocks"] = json!(self.random.pick(&["started", "pro_rata"]));
        }
        let amounts = ["1", "1", "2", "0.5", "0.333333333", "3", "0"];
        if self.random.chance(70) {
            charge["amount"] = json!(self.random.pick(&amounts));
            return charge;
        }
        let volume = self.random.chance(30);
        let first =
            json!({"up_to": self.random.pick(&["2", "5", "7.5"]), "amount": self.random.pick(&amounts)});
        let second = json!({"up_to": self.random.pick(&["10", "20"]), "amount": self.random.pick(&amounts)});
        let last = json!({"amount": self.random.pick(&amounts)});
        let steps = if self.random.chance(50) { json!([first, second, last]) } else { json!([first, last]) };
        charge["tiers"] = json!({"mode": if volume { "volume" } else { "graduated" }, "steps": steps});
        if !volume && self.random.chance(65) {
            charge["tiers"]["period"] = json!(self.random.pick(&["day", "month", "month", "year"]));
        }
        charge
    }
}

/// The transitions of a made-up zone, in seconds.
///
/// Berlin's come at 01:00Z on the last Sundays of March and October; Midnight's skip and repeat the hour around local
/// midnight; Jumper's skips a whole day in 2026, and moves by half an hour since.
pub(super) fn transitions(zone: &str) -> Vec<[i64; 2]> {
    let day = DAY / SECOND;
    let mut transitions = Vec::new();
    for year in 2025..=2029 {
        for (month, offset) in [(3, 7200), (10, 3600)] {
            let last = chrono::NaiveDate::from_ymd_opt(year, month, 31).expect("both months have 31 days");
            let days = i64::from(last.to_epoch_days());
            let sunday = days - (days + 4).rem_euclid(7);
            match zone {
                "Test/Berlin" => transitions.push([sunday * day + 3600, offset]),
                "Test/Midnight" => transitions
                    .push([sunday * day - offset + if offset == 7200 { 3600 } else { -3600 }, offset]),
                _ if month == 3 && year == 2026 => transitions.push([sunday * day + 5400, 50_400]),
                _ if month == 10 && year > 2025 => {
                    transitions.push([sunday * day + 1800, 50_400 - 1800 * i64::from(year % 2)]);
                }
                _ => {}
            }
        }
    }
    transitions
}
