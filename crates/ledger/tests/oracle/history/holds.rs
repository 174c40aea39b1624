//! The holds of a history: requested, extended, settled in every way, voided; most of them open ones.

use serde_json::{Map, Value, json};

use super::Teller;
use crate::oracle::records::Record;
use crate::oracle::text::{show_amount, show_instant};

const ONE: i128 = 1_000_000_000;

impl Teller {
    /// A request, and mostly what comes of it soon after: most holds are over by the next step.
    pub(super) fn hold_and_more(&mut self) {
        self.hold();
        for _ in 0..self.random.below(4) {
            if self.random.chance(50) {
                self.now += self.random.between(0, self.scale.grid / 8);
            }
            match self.random.below(10) {
                0 | 1 => self.hold(),
                2 => self.extend(),
                3..6 => self.settle(),
                6 | 7 => self.usage_of_hold(),
                8 => self.usage(),
                _ => {
                    let kind = self.random.pick(&["grant.voided", "wallet.reset"]);
                    self.administer(kind);
                }
            }
        }
    }

    fn hold(&mut self) {
        let wallet = self.wallet();
        let mut data = json!({ "estimate": self.measure() });
        if self.random.chance(70) {
            let ttl = match self.random.below(3) {
                0 => self.random.pick(&["PT1H", "PT5M", "PT0.000000001S"]),
                _ => self.random.pick(self.scale.spans),
            };
            self.remember_spans(self.now, ttl, 1);
            data["ttl"] = json!(ttl);
        }
        if self.random.chance(10) {
            let until = self.moment(self.now - self.scale.gap / 8, self.now + self.scale.gap / 8);
            data["valid_until"] = json!(show_instant(until));
        }
        self.holds += 1;
        let id = format!("h{}", self.holds);
        let mut record = Record::new("hold.requested", &wallet, &id, self.now, data.to_string());
        record.subject = self.random.chance(50).then(|| self.random.pick(&["ann", "bob"]).to_owned());
        self.send(record);
    }

    pub(super) fn extend(&mut self) {
        let (wallet, hold) = self.held();
        let mut data = json!({ "hold": hold });
        if self.random.chance(60) {
            let ttl = self.random.pick(self.scale.spans);
            self.remember_spans(self.now, ttl, 1);
            data["ttl"] = json!(ttl);
        }
        if self.random.chance(60) {
            data["more"] = self.measure();
        }
        let id = self.id();
        self.send(Record::new("hold.extended", &wallet, &id, self.now, data.to_string()));
    }

    pub(super) fn settle(&mut self) {
        let (wallet, hold) = self.held();
        let id = self.id();
        let usage = match self.random.below(12) {
            0 => hold.clone(),
            1 => format!("e{}", self.random.below(self.records.len())),
            2 => id.clone(),
            _ => format!("u{}", self.records.len()),
        };
        let has = self.oracle.wallet(&wallet).and_then(|it| it.holds.get(&hold)).map(|it| it.asides.clone());
        let actual = match has.filter(|has| !has.is_empty() && self.random.chance(60)) {
            None if self.random.chance(10) => json!({"amounts": []}),
            None => self.measure(),
            Some(asides) => {
                let mut lines = Vec::new();
                for it in asides {
                    let amount = match self.random.below(6) {
                        0 | 1 => it.amount,
                        2 | 3 => it.amount / 2,
                        4 => it.amount + ONE,
                        _ => continue,
                    };
                    let feature = if self.random.chance(85) { it.feature } else { "tokens".to_owned() };
                    lines.push(json!({"unit": it.unit, "feature": feature, "amount": show_amount(amount)}));
                }
                json!({ "amounts": lines })
            }
        };
        let mut data = json!({"hold": hold, "usage": {"source": "tests", "id": usage}, "actual": actual});
        if self.random.chance(35) {
            data["final"] = json!(self.random.chance(15));
        }
        let mut record = Record::new("hold.settled", &wallet, &id, self.now, data.to_string());
        record.subject = self.random.chance(30).then(|| self.random.pick(&["ann", "bob"]).to_owned());
        record.time = self.random.chance(20).then(|| self.moment(self.now - self.scale.late, self.now));
        self.send(record);
    }

    pub(super) fn unhold(&mut self) {
        let (wallet, hold) = self.held();
        let id = self.id();
        let data = json!({ "hold": hold }).to_string();
        self.send(Record::new("hold.voided", &wallet, &id, self.now, data));
    }

    /// A wallet, and most likely an open hold of it; else one that is over, or is not requested yet.
    pub(super) fn held(&mut self) -> (String, String) {
        let mut wallet = self.wallet();
        let has_some = |wallet: &String| self.oracle.wallet(wallet).is_some_and(|it| !it.holds.is_empty());
        if !has_some(&wallet) {
            wallet = self.wallets.iter().find(|it| has_some(it)).cloned().unwrap_or(wallet);
        }
        let open = self.oracle.wallet(&wallet).map(|it| it.holds.keys().cloned().collect::<Vec<_>>());
        let open = open.unwrap_or_default();
        if open.is_empty() || self.random.chance(10) {
            return (wallet, format!("h{}", 1 + self.random.below(self.holds + 2)));
        }
        let hold = open[self.random.below(open.len())].clone();
        (wallet, hold)
    }

    fn measure(&mut self) -> Value {
        if self.random.chance(45) {
            let event = self.random.pick(&["chat", "chat", "embed", "image"]);
            let data: Value = serde_json::from_str(&self.event_data()).expect("it is JSON");
            return json!({"event": {"type": event, "data": data}});
        }
        let lines = if self.random.chance(2) { 0 } else { 1 + self.random.below(2) };
        let lines: Vec<Value> = (0..lines).map(|_| self.line_of_hold()).collect();
        json!({ "amounts": lines })
    }

    fn line_of_hold(&mut self) -> Value {
        let unit =
            if self.random.chance(2) { "gold" } else { self.random.pick(&["credits", "credits", "usd"]) };
        let amount = match self.random.below(40) {
            0 => 0,
            1..4 => ONE / 3,
            _ => (1 + self.random.below(12).min(self.random.below(12))) as i128 * ONE,
        };
        let feature = self.random.pick(&["chat", "chat", "embed", "tokens"]);
        json!({"unit": unit, "feature": feature, "amount": show_amount(amount)})
    }

    /// What a wallet, or the catalogue, says of holds.
    pub(super) fn hold_policy(&mut self) -> Value {
        let mut policy = Map::new();
        let bound = |teller: &mut Teller| {
            let unit = if teller.random.chance(2) {
                "gold"
            } else {
                teller.random.pick(&["credits", "credits", "usd"])
            };
            json!({ unit: teller.random.pick(&["0", "3", "8", "20"]) })
        };
        match self.random.below(6) {
            0 => _ = policy.insert("beyond".to_owned(), json!("block")),
            1 => _ = policy.insert("beyond".to_owned(), json!("soft_cap")),
            2 => _ = policy.insert("beyond".to_owned(), json!({"overdraft": {}})),
            3 | 4 => {
                let bound = bound(self);
                policy.insert("beyond".to_owned(), json!({ "overdraft": bound }));
            }
            _ => {}
        }
        if self.random.chance(25) {
            let bound = bound(self);
            policy.insert("largest".to_owned(), bound);
        }
        if self.random.chance(75) {
            policy.insert("max_life".to_owned(), json!(self.random.pick(&["P100D", "P100D", "PT1H", "P1D"])));
        }
        Value::Object(policy)
    }
}
