//! The grants of a history: every field, small amounts, shared boundaries.

use serde_json::{Map, Value, json};

use super::Teller;
use crate::oracle::records::Record;
use crate::oracle::text::{Span, instant, show_instant};
use crate::oracle::zone::Zone;

impl Teller {
    /// Appends a grant: new, the same promise under another id, or an id that was there.
    pub(super) fn grant(&mut self) {
        let (wallet, body) = (self.wallet(), self.named_promise());
        self.send_grant(&wallet, body);
    }

    /// Appends a new grant with this body.
    pub(super) fn issue(&mut self, wallet: &str, mut body: Map<String, Value>) {
        self.grants.push(body.clone());
        body.insert("grant_id".to_owned(), json!(format!("g{}", self.grants.len())));
        self.send_grant(wallet, body);
    }

    fn send_grant(&mut self, wallet: &str, body: Map<String, Value>) {
        let id = self.id();
        let mut record = Record::new("grant.issued", wallet, &id, self.now, Value::Object(body).to_string());
        if self.random.chance(10) {
            record.time = Some(self.moment(self.now - self.scale.gap, self.now));
        }
        self.send(record);
    }

    pub(super) fn named_promise(&mut self) -> Map<String, Value> {
        let known = self.grants.len();
        let mut body = match self.random.below(100) {
            0..15 if known > 0 => self.grants[self.random.below(known)].clone(),
            _ => self.promise(),
        };
        self.grants.push(body.clone());
        let fresh = format!("g{}", self.grants.len());
        let used = format!("g{}", 1 + self.random.below(known + 1));
        body.insert("grant_id".to_owned(), json!(if self.random.chance(6) { used } else { fresh }));
        body
    }

    /// A grant's data without its id.
    pub(super) fn promise(&mut self) -> Map<String, Value> {
        let mut body = Map::new();
        let units: &[&str] =
            if self.random.chance(2) { &["gold"] } else { &["credits", "credits", "credits", "usd"] };
        body.insert("unit".to_owned(), json!(self.random.pick(units)));
        let amounts = ["5", "10", "10", "20", "20", "30", "3", "7.5", "0.000000001", "22.333333333", "100"];
        let amount = if self.random.chance(1) { "0" } else { self.random.pick(&amounts) };
        body.insert("amount".to_owned(), json!(amount));
        if self.random.chance(45) {
            let money = self.random.pick(&["0", "5", "10", "10", "20", "3.33"]);
            let currency = self.random.pick(&["USD", "USD", "EUR"]);
            body.insert("cost_basis".to_owned(), json!({"money": money, "currency": currency}));
        }
        if self.random.chance(35) {
            let priority: u8 = [10, 50, 90][self.random.below(3)];
            body.insert("priority".to_owned(), json!(priority));
        }
        if self.random.chance(20) {
            let category = self.random.pick(&["paid", "promotional", "included", "compensation"]);
            body.insert("category".to_owned(), json!(category));
        }
        let effective_at = match self.random.below(10) {
            0..4 => None,
            4 => Some(self.now),
            5..8 => Some(self.moment(self.now - 2 * self.scale.gap, self.now)),
            _ => Some(self.moment(self.now, self.now + self.scale.gap)),
        };
        if let Some(effective_at) = effective_at {
            body.insert("effective_at".to_owned(), json!(show_instant(effective_at)));
        }
        let effective_at = effective_at.unwrap_or(self.now);
        if self.random.chance(25) {
            let features: &[Value] =
                &[json!(["chat"]), json!(["embed"]), json!(["chat", "tokens"]), json!(["tokens"])];
            let subjects: &[Value] = &[json!(["ann"]), json!(["ann", "bob"])];
            let mut scope = Map::new();
            if self.random.chance(70) {
                scope.insert("feature".to_owned(), features[self.random.below(features.len())].clone());
            }
            if self.random.chance(40) {
                scope.insert("subject".to_owned(), subjects[self.random.below(subjects.len())].clone());
            }
            body.insert("applies_to".to_owned(), Value::Object(scope));
        }
        if self.random.chance(25) {
            body.insert("allowed_lateness".to_owned(), json!(self.random.pick(self.scale.lateness)));
        }
        if self.random.chance(40) {
            body.insert("reset".to_owned(), self.bounds());
        }
        if self.random.chance(20) {
            body.insert("purchase_id".to_owned(), json!(self.random.pick(&["p1", "p2"])));
        }
        if self.random.chance(5) {
            body.insert("metadata".to_owned(), json!({"plan": "x"}));
        }
        if self.random.chance(55) {
            self.recurring(&mut body, effective_at);
        } else {
            self.one_off(&mut body, effective_at);
        }
        body
    }

    fn one_off(&mut self, body: &mut Map<String, Value>, effective_at: i64) {
        let end = self.random.below(100);
        if (20..65).contains(&end) {
            let expires_at = self.moment(effective_at - 1, effective_at + self.scale.gap);
            self.remember(expires_at);
            body.insert("expires_at".to_owned(), json!(show_instant(expires_at)));
        }
        if end >= 63 {
            let span = self.random.pick(self.scale.spans);
            self.remember_spans(effective_at, span, 1);
            body.insert("expires_after".to_owned(), json!(span));
        }
        if self.random.chance(if end < 20 { 2 } else { 40 }) {
            let mut rollover = self.rollover();
            if self.random.chance(97) {
                let span = self.random.pick(self.scale.spans);
                rollover.insert("expires_after".to_owned(), json!(span));
            }
            body.insert("rollover".to_owned(), Value::Object(rollover));
        }
    }

    fn recurring(&mut self, body: &mut Map<String, Value>, effective_at: i64) {
        let interval = match self.random.below(100) {
            0 => "PT30M",
            1..5 => self.random.pick(self.scale.dense),
            _ => self.random.pick(self.scale.intervals),
        };
        self.remember_spans(effective_at, interval, 3);
        let mut recurrence = Map::new();
        recurrence.insert("interval".to_owned(), json!(interval));
        if self.random.chance(40) {
            let anchor = self.moment(effective_at - self.scale.gap, effective_at + self.scale.gap);
            self.remember_spans(anchor, interval, 2);
            recurrence.insert("anchor".to_owned(), json!(show_instant(anchor)));
        }
        if self.random.chance(30) {
            let until = self.moment(effective_at, effective_at + 2 * self.scale.gap);
            recurrence.insert("until".to_owned(), json!(show_instant(until)));
        }
        if self.random.chance(60) {
            recurrence.insert(
                "first".to_owned(),
                json!(self.random.pick(&["full", "prorated", "prorated", "skip"])),
            );
        }
        let quiet = self.random.chance(25);
        if quiet || self.random.chance(5) {
            recurrence.insert("quiet".to_owned(), json!(quiet));
        }
        body.insert("recurrence".to_owned(), Value::Object(recurrence));
        if self.random.chance(30) {
            let span = self.random.pick(self.scale.spans);
            body.insert("expires_after".to_owned(), json!(span));
        }
        if self.random.chance(1) {
            body.insert("expires_at".to_owned(), json!(show_instant(effective_at + self.scale.gap)));
        }
        if self.random.chance(if quiet { 2 } else { 50 }) {
            let mut rollover = self.rollover();
            if self.random.chance(50) {
                let span = self.random.pick(self.scale.spans);
                rollover.insert("expires_after".to_owned(), json!(span));
            }
            body.insert("rollover".to_owned(), Value::Object(rollover));
        }
        // How many lots a grant may have open is an estimate: keep far from the bound on both sides.
        if many_open(body, interval) {
            body.remove("rollover");
            body.remove("expires_after");
            if self.random.chance(10) {
                body.insert("expires_after".to_owned(), json!("P90Y"));
            }
        }
    }

    /// What a reset leaves in a lot.
    fn bounds(&mut self) -> Value {
        let mut bounds = Map::new();
        if self.random.chance(60) {
            bounds.insert("min".to_owned(), json!(self.random.pick(&["3", "3", "5", "5", "10", "0"])));
        }
        if self.random.chance(60) {
            let max = if self.random.chance(3) { "1" } else { self.random.pick(&["5", "10", "12", "22.5"]) };
            bounds.insert("max".to_owned(), json!(max));
        }
        Value::Object(bounds)
    }

    fn rollover(&mut self) -> Map<String, Value> {
        let mut rollover = Map::new();
        if self.random.chance(50) {
            let percent = self.random.pick(&["50", "50", "33.333333333", "100", "0", "0.000000001", "99.5"]);
            rollover
                .insert("percent".to_owned(), json!(if self.random.chance(1) { "100.5" } else { percent }));
        }
        if self.random.chance(50) {
            rollover.insert("max".to_owned(), json!(self.random.pick(&["2", "5", "5", "12", "0.5", "0"])));
        }
        if self.random.chance(50) {
            rollover.insert("max_times".to_owned(), json!(1 + self.random.below(4)));
        }
        rollover
    }

    /// Makes instants that follow from a span likely to be met again.
    pub(super) fn remember_spans(&mut self, from: i64, span: &str, times: i64) {
        let span = Span::parse(span);
        for times in 1..=times {
            self.remember(Zone::utc().plus(from, &span, times));
        }
        let late = Span::parse(self.scale.lateness[0]).rough();
        self.remember(Zone::utc().plus(from, &span, 1) + late);
    }
}

/// Whether more than a hundred of a grant's lots could be open at a time, roughly.
fn many_open(body: &Map<String, Value>, interval: &str) -> bool {
    let length = |value: Option<&Value>| {
        value
            .and_then(|value| value.as_str())
            .map_or(Span::parse(interval).rough(), |span| Span::parse(span).rough())
    };
    let rollover = body.get("rollover");
    let times = rollover.and_then(|rollover| rollover.get("max_times")).and_then(Value::as_i64).unwrap_or(1);
    let carried = rollover.map_or(0, |rollover| times * length(rollover.get("expires_after")));
    length(body.get("expires_after")) + carried > 100 * Span::parse(interval).rough()
}

/// The first instants at which months begin after `start`.
pub(super) fn months(start: i64) -> Vec<i64> {
    let first = instant(&format!("{}-01T00:00:00Z", &show_instant(start)[..7]));
    let month = Span { months: 1, days: 0, nanos: 0 };
    (0..20).map(|times| Zone::utc().plus(first, &month, times)).collect()
}
