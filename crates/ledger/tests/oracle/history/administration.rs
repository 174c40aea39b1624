//! What operators do in a history: voids, resets, clearing, suspensions, and several of them together.

use serde_json::{Map, Value, json};

use super::Teller;
use crate::oracle::records::Record;
use crate::oracle::text::{show_amount, show_instant};

impl Teller {
    /// One administrative record.
    pub(super) fn administer(&mut self, kind: &str) {
        let (wallet, id) = (self.wallet(), self.id());
        let owes = self.oracle.wallet(&wallet).is_some_and(|wallet| !wallet.overage.is_empty());
        if kind == "overage.cleared" && !owes && self.random.chance(75) {
            return self.usage();
        }
        let data = self.administrative_data(kind, &wallet, &id);
        self.send_with_reason(Record::new(kind, &wallet, &id, self.now, data.to_string()));
    }

    fn administrative_data(&mut self, kind: &str, wallet: &str, id: &str) -> Value {
        match kind {
            "grant.voided" => self.void(wallet),
            "wallet.reset" => self.reset(),
            "overage.cleared" => self.clear(wallet),
            "wallet.changed" => self.change(wallet, id),
            _ => json!({}),
        }
    }

    fn void(&mut self, wallet: &str) -> Value {
        let grants = self.oracle.wallet(wallet).map_or(&[][..], |wallet| &wallet.grants);
        let ids: Vec<String> = grants.iter().map(|grant| grant.id.clone()).collect();
        let mut data = Map::new();
        if self.random.chance(75) && !ids.is_empty() {
            data.insert("grant_id".to_owned(), json!(ids[self.random.below(ids.len())]));
        } else if self.random.chance(80) {
            data.insert("purchase_id".to_owned(), json!(self.random.pick(&["p1", "p2"])));
        }
        if self.random.chance(3) {
            data.insert("grant_id".to_owned(), json!("g1"));
        }
        if self.random.chance(70) {
            let what = self.random.pick(&["all", "all", "open", "open", "future", "carried"]);
            data.insert("what".to_owned(), json!(what));
        }
        Value::Object(data)
    }

    fn reset(&mut self) -> Value {
        let mut data = Map::new();
        if self.random.chance(40) {
            let unit = if self.random.chance(4) { "gold" } else { self.random.pick(&["credits", "usd"]) };
            data.insert("unit".to_owned(), json!(unit));
        }
        if self.random.chance(40) {
            data.insert("preserve_overage".to_owned(), json!(self.random.chance(80)));
        }
        Value::Object(data)
    }

    fn clear(&mut self, wallet: &str) -> Value {
        let open = self.oracle.wallet(wallet).map(|wallet| wallet.overage.clone()).unwrap_or_default();
        let open: Vec<_> = open.into_iter().collect();
        let (place, amount) = if open.is_empty() || self.random.chance(4) {
            (("2026-01".to_owned(), "chat".to_owned(), "credits".to_owned()), 1_000_000_000)
        } else {
            let (place, bucket) = &open[self.random.below(open.len())];
            (place.clone(), bucket.open)
        };
        let kind = self.random.pick(&["billed", "forgiven"]);
        let mut data = json!({"month": place.0, "unit": place.2, "as": kind});
        if self.random.chance(50) {
            data["feature"] = json!(place.1);
        }
        if self.random.chance(50) {
            let amount = [amount, amount / 2, amount / 3 + 1, amount + 1, 0][self.random.below(5)];
            data["amount"] = json!(show_amount(amount));
        }
        if self.random.chance(30) {
            data["reference"] = json!("invoice 7");
        }
        data
    }

    /// Several steps; a configuration among them bears the record's id.
    fn change(&mut self, wallet: &str, id: &str) -> Value {
        let steps = if self.random.chance(3) { 0 } else { 1 + self.random.below(4) };
        let steps = if self.random.chance(1) { 101 } else { steps };
        let mut last = self.configuration(wallet);
        let mut made = Vec::new();
        for _ in 0..steps {
            let kind = self.random.pick(&[
                "grant.issued",
                "grant.issued",
                "grant.voided",
                "grant.voided",
                "wallet.configured",
                "wallet.reset",
                "overage.cleared",
                "wallet.suspended",
                "wallet.resumed",
            ]);
            let data = match kind {
                "grant.issued" => Value::Object(self.named_promise()),
                "wallet.configured" => {
                    let mut fields = self.configuration_fields();
                    if let Some(last) = last.filter(|_| self.random.chance(97)) {
                        fields.insert("replaces".to_owned(), json!(last));
                    }
                    last = Some(id.to_owned());
                    Value::Object(fields)
                }
                other => self.administrative_data(other, wallet, id),
            };
            made.push(json!({"type": kind, "data": data}));
        }
        json!({"steps": made})
    }

    /// The wallet's policy of resets.
    pub(super) fn reset_policy(&mut self) -> Value {
        let interval = match self.random.below(100) {
            0..2 => "PT30M",
            2..6 => self.random.pick(self.scale.dense),
            _ => self.random.pick(self.scale.intervals),
        };
        self.remember_spans(self.now, interval, 3);
        let mut policy = json!({"interval": interval});
        if self.random.chance(50) {
            let anchor = self.moment(self.now - self.scale.gap, self.now + self.scale.gap);
            self.remember_spans(anchor, interval, 2);
            policy["anchor"] = json!(show_instant(anchor));
        }
        if self.random.chance(40) {
            policy["preserve_overage"] = json!(self.random.chance(80));
        }
        policy
    }

    /// Appends a record with its reason, which is forgotten at times.
    pub(super) fn send_with_reason(&mut self, mut record: Record) {
        record.reason = match self.random.below(40) {
            0 => None,
            _ => Some("asked for".to_owned()),
        };
        if self.random.chance(5) {
            record.time = Some(self.moment(self.start, self.now));
        }
        self.send(record);
    }
}
