//! The usage, timers, configurations and repetitions of a history.

use serde_json::{Map, Value, json};

use super::Teller;
use crate::oracle::records::Record;
use crate::oracle::text::{DAY, Span, show_instant};
use crate::oracle::wallet::Wallet;

impl Teller {
    pub(super) fn usage(&mut self) {
        let wallet = self.wallet();
        let event = self.random.pick(&["chat", "chat", "chat", "chatter", "embed", "image"]);
        let payload = match self.random.below(40) {
            0 => String::new(),
            1 => r#","data_text":"n=5""#.to_owned(),
            2 => r#","data":"five""#.to_owned(),
            _ => format!(r#","data":{}"#, self.event_data()),
        };
        let id = self.id();
        let data = format!(r#"{{"type":"{event}"{payload}}}"#);
        let mut record = Record::new("usage", &wallet, &id, self.now, data);
        record.by = "key:k1".to_owned();
        record.time = match self.random.below(20) {
            0..6 => None,
            6..8 => Some(self.now),
            8..12 => Some(self.moment(self.now - self.scale.late, self.now)),
            12..17 => {
                // Just before something that ended a moment ago.
                let late = Span::parse(self.random.pick(self.scale.lateness)).rough();
                let ended = self.moment(self.now - late, self.now);
                Some(ended - self.random.between(1, 2) * [1, self.scale.grid][self.random.below(2)])
            }
            17 => Some(self.moment(self.start - DAY, self.now)),
            18 => Some(self.moment(self.now, self.now + self.scale.gap)),
            _ => Some(self.now - self.random.between(0, 2)),
        };
        record.subject = match self.random.below(5) {
            0 | 1 => None,
            2 | 3 => Some("ann".to_owned()),
            _ => Some("bob".to_owned()),
        };
        self.send(record);
    }

    /// An event that settles a hold.
    pub(super) fn usage_of_hold(&mut self) {
        let (wallet, hold) = self.held();
        let (id, data) = (self.id(), self.event_data());
        let extensions = json!({ "hold": hold });
        let data = format!(r#"{{"type":"chat","data":{data},"extensions":{extensions}}}"#);
        let mut record = Record::new("usage", &wallet, &id, self.now, data);
        record.subject = self.random.chance(30).then(|| "ann".to_owned());
        self.send(record);
    }

    pub(super) fn event_data(&mut self) -> String {
        let mut members = Vec::new();
        if self.random.chance(96) {
            let odd = [
                r#""1e-05""#,
                "0.30000000000000004",
                "1e-05",
                "-3",
                r#""-0.5""#,
                r#""many""#,
                "true",
                "1e30",
                "1E+1",
                r#""2.50""#,
                "0.1",
                "0",
                r#""""#,
                "1e39",
                "1e-39",
                r#""1_000""#,
                "[1]",
                "-0",
            ];
            let number = if self.random.chance(12) {
                self.random.pick(&odd).to_owned()
            } else {
                (1 + self.random.below(12).min(self.random.below(12))).to_string()
            };
            members.push(format!(r#""n":{number}"#));
        }
        if self.random.chance(40) {
            members.push(format!(r#""cached":{}"#, self.random.below(4)));
        }
        if self.random.chance(50) {
            members.push(format!(r#""model":"{}""#, self.random.pick(&["gpt-4", "gpt-3", "claude"])));
        }
        if self.random.chance(50) {
            let on = self.random.chance(70);
            members.push(format!(r#""deep":{{"n":{},"on":{on}}}"#, self.random.below(9)));
        }
        format!("{{{}}}", members.join(","))
    }

    pub(super) fn timer(&mut self) {
        let wallet = self.wallet();
        let due_at = self.moment(self.now - self.scale.gap, self.now);
        self.append(Record::timer(&wallet, due_at, self.now));
    }

    pub(super) fn configure(&mut self) {
        let wallet = self.wallet();
        let text = Value::Object(self.configuration_fields()).to_string();
        let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).expect("an object");
        let last = self.configuration(&wallet);
        let wrong = self.random.chance(4);
        let replaces = if wrong { Some("00000000000000000000000000000000".to_owned()) } else { last };
        let record = Record::configured(&wallet, replaces.as_deref(), self.now, text);
        self.send(record);
    }

    /// The id of a wallet's configuration.
    pub(super) fn configuration(&self, wallet: &str) -> Option<String> {
        self.oracle.wallet(wallet).and_then(Wallet::configuration_id)
    }

    pub(super) fn configuration_fields(&mut self) -> Map<String, Value> {
        let mut fields = Map::new();
        if self.random.chance(60) && !self.zones.is_empty() {
            fields.insert("zone".to_owned(), json!(self.zones[self.random.below(self.zones.len())]));
        } else if self.random.chance(3) {
            fields.insert("zone".to_owned(), json!("Nowhere"));
        }
        if self.random.chance(25) {
            fields.insert("rate_card".to_owned(), json!(self.random.pick(self.cards)));
        }
        if self.random.chance(60) {
            let overage = self.overage_policy();
            fields.insert("overage".to_owned(), overage);
        }
        if self.random.chance(50) {
            let holds = self.hold_policy();
            fields.insert("holds".to_owned(), holds);
        }
        if self.random.chance(40) {
            let reset = self.reset_policy();
            fields.insert("reset".to_owned(), reset);
        }
        fields
    }

    /// Sends something again, as it was or changed.
    pub(super) fn repeat(&mut self) {
        if self.sent.is_empty() {
            return self.usage();
        }
        let mut record = self.sent[self.random.below(self.sent.len())].clone();
        record.recorded_at = self.now;
        match self.random.below(8) {
            0 => record.time = Some(self.moment(self.start, self.now)),
            1 => record.data = record.data.replacen(":1", ":2", 1),
            2 => record.data = record.data.replace(r#""n":5"#, r#""n":0.50e1"#),
            3 => record.subject = None,
            4 if record.kind == "grant.issued" => record.id = self.id(),
            5 => record.source = "elsewhere".to_owned(),
            6 if record.kind == "hold.requested" => {
                let mut data: Value = serde_json::from_str(&record.data).expect("it is JSON");
                data["valid_until"] = json!(show_instant(self.moment(self.start, self.now)));
                record.data = data.to_string();
            }
            _ => {}
        }
        self.append(record);
    }
}
