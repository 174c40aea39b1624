//! How a story is told: each line becomes a record.

use std::collections::BTreeMap;

use super::oracle::records::Record;
use super::oracle::{Oracle, Summary};

/// What a story has told so far.
struct Teller {
    oracle: Oracle,
    offset: u64,
    catalogue: BTreeMap<(String, String), String>,
    configuration: Option<String>,
}

/// Tells the lines of a story, one record each, and says what became of wallet `w`.
pub(super) fn tell(steps: &str) -> Summary {
    let (oracle, catalogue) = (Oracle::new(), BTreeMap::new());
    let mut teller = Teller { oracle, offset: 0, catalogue, configuration: None };
    let start = instant("01-01") - 1;
    let each = r#"{"charges":[{"amount":"1","quantity":{"field":"n"},"unit":"credits"}],"effective_from":"2020-01-01T00:00:00Z","match":{"type":{"any":true}}}"#;
    teller.record(&Record::genesis(start, 2));
    teller.record(&Record::published("unit", "credits", None, start, "{}"));
    teller.record(&Record::published("unit", "usd", None, start, "{}"));
    teller.record(&Record::published("price", "each", None, start, each));
    for (number, line) in steps.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let line = expand(line);
        let (head, json) = line.find('{').map_or((line.as_str(), "{}"), |at| line.split_at(at));
        let words: Vec<&str> = head.split_whitespace().collect();
        let after = |word: &str| words.iter().position(|it| *it == word).map(|at| words[at + 1]);
        let id = after("id").map_or(format!("r{number}"), str::to_owned);
        let mut record = teller.step(&words, &id, json.trim());
        record.subject = after("by").map(str::to_owned);
        record.time = after("at").map(instant);
        record.reason = (!words.contains(&"silently")).then(|| "asked for".to_owned());
        teller.record(&record);
    }
    teller.oracle.summary("w").unwrap()
}

impl Teller {
    fn record(&mut self, record: &Record) {
        self.oracle.record(self.offset, &record.json());
        self.offset += 1;
    }

    fn step(&mut self, words: &[&str], id: &str, json: &str) -> Record {
        let recorded_at = instant(words[0]);
        let after = |word: &str| words.iter().position(|it| *it == word).map(|at| words[at + 1]);
        let own = |kind: &str, data: String| Record::new(kind, "w", id, recorded_at, data);
        match words[1] {
            "use" => {
                let data = if json == "{}" { format!(r#"{{"n":{}}}"#, words[2]) } else { json.to_owned() };
                own("usage", format!(r#"{{"type":"{}","data":{data}}}"#, after("type").unwrap_or("use")))
            }
            "grant" => {
                let unit = after("unit").unwrap_or("credits");
                let head = format!(r#""grant_id":"{}","unit":"{unit}","amount":"{}""#, words[2], words[3]);
                own("grant.issued", with(&head, json))
            }
            "reverse" => own("usage.reversed", with(&usage(words[2]), json)),
            "rerate" => own("usage.rerated", with(&usage(words[2]), json)),
            "hold" => own("hold.requested", json.to_owned()),
            "extend" => own("hold.extended", with(&format!(r#""hold":"{}""#, words[2]), json)),
            "unhold" => own("hold.voided", format!(r#"{{"hold":"{}"}}"#, words[2])),
            "settle" => {
                let names = format!(r#""hold":"{}",{}"#, words[2], usage(words[3]));
                own("hold.settled", with(&names, json))
            }
            "void" => own("grant.voided", json.to_owned()),
            "reset" => own("wallet.reset", json.to_owned()),
            "clear" => own("overage.cleared", json.to_owned()),
            "change" => own("wallet.changed", json.to_owned()),
            "suspend" => own("wallet.suspended", json.to_owned()),
            "resume" => own("wallet.resumed", json.to_owned()),
            "publish" => {
                let place = (words[2].to_owned(), words[3].to_owned());
                let replaces = self.catalogue.get(&place).map(String::as_str);
                let record = Record::published(words[2], words[3], replaces, recorded_at, json);
                self.catalogue.insert(place, record.id.clone());
                record
            }
            "configure" => {
                let fields = json.trim_start_matches('{').strip_suffix('}').unwrap();
                let record = Record::configured("w", self.configuration.as_deref(), recorded_at, fields);
                self.configuration = Some(record.id.clone());
                record
            }
            "tick" => Record::timer("w", recorded_at, recorded_at),
            other => panic!("no step {other}"),
        }
    }
}

fn usage(id: &str) -> String {
    format!(r#""usage":{{"source":"tests","id":"{id}"}}"#)
}

/// An object with these members before those of `json`.
fn with(members: &str, json: &str) -> String {
    let rest = json.strip_prefix('{').unwrap();
    let comma = if rest == "}" { "" } else { "," };
    format!("{{{members}{comma}{rest}")
}

/// Reads `01-31` or `01-31T12:00` of 2026, in UTC.
pub(super) fn instant(text: &str) -> i64 {
    let time = if text.contains('T') { format!("2026-{text}") } else { format!("2026-{text}T00:00") };
    let parsed = chrono::NaiveDateTime::parse_from_str(&time, "%Y-%m-%dT%H:%M").unwrap();
    parsed.and_utc().timestamp_nanos_opt().unwrap()
}

/// Writes out `@01-31T12:00` inside JSON.
fn expand(line: &str) -> String {
    let mut parts = line.split('@');
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (time, rest) = part.split_once('"').unwrap();
        let full = if time.contains('T') { format!("{time}:00Z") } else { format!("{time}T00:00:00Z") };
        text.push_str(&format!("2026-{full}\"{rest}"));
    }
    text
}
