//! A product's year, told line by line, and its customer's monthly statements.
//!
//! A line is `TIME VERB …`, of the wallet `ann`; `TIME each N VERB …` is of `user-1` to `user-N`. Times, `grant` and what it says are
//! as in stories. `buy` is `grant`. `send ID TYPE {data}` is a usage that may happen earlier: `at TIME` before its data.
//! `void GRANT [open|future|carried]`, `reverse ID`, `rerate ID {data}` and `change {steps}` end with `because REASON`.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod statement;

use std::collections::BTreeMap;

use crate::book::Book;
use crate::story::words::{Words, grant};
use ledger::{Instant, Outcome};
use serde_json::{Value, json};

/// Who the story is about.
pub const ANN: &str = "ann";

/// All that was recorded, folded.
#[derive(Default)]
pub struct Year {
    pub book: Book,
    offset: u64,
    published: BTreeMap<(String, String), String>,
}

impl Year {
    /// Folds a story. Nothing in it may be refused, set aside or left without a price.
    pub fn tell(story: &str) -> Self {
        let mut year = Self::default();
        let genesis = json!({"log": "l", "partitions": 1, "partitioner": "sha256-8-mod", "fold": 2});
        year.record("", "genesis", Instant::default(), &json!({}), &genesis);
        let mut step = String::new();
        for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
            step = format!("{step} {line}");
            if step.matches('{').count() == step.matches('}').count() {
                year.step(step.trim());
                step.clear();
            }
        }
        assert!(step.is_empty(), "braces are left open: {step}");
        year
    }

    fn step(&mut self, line: &str) {
        let (line, reason) = line.split_once(" because ").unwrap_or((line, ""));
        let (head, body) = line.find('{').map_or((line, "{}"), |at| line.split_at(at));
        let mut words = Words::of(head);
        let at = words.time();
        let who = match words.after("each") {
            Some(count) => (1..=count.parse().unwrap()).map(|n: u32| format!("user-{n}")).collect(),
            None => vec![ANN.to_owned()],
        };
        let verb = words.word();
        if let "unit" | "price" = verb {
            return self.publish(at, verb, words.word(), body);
        }
        let body: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{line}: {e}"));
        let (kind, envelope, data) = read(verb, &mut words, body);
        let envelope = if reason.is_empty() { envelope } else { with(envelope, "reason", &reason) };
        for wallet in who {
            let outcome = self.record(&wallet, kind, at, &envelope, &data);
            let is_well = matches!(outcome, None | Some(Outcome::Applied(None)));
            assert!(is_well, "{line}: {outcome:?} {:?}", self.book.quarantined);
        }
    }

    fn publish(&mut self, at: Instant, kind: &str, name: &str, body: &str) {
        let key = (kind.to_owned(), name.to_owned());
        let replaces = self.published.get(&key).cloned();
        let id = ledger::content_id(&[kind, name], body, replaces.as_deref()).unwrap();
        let body: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{body}: {e}"));
        let mut data = json!({"kind": kind, "name": name, "body": body});
        if let Some(replaces) = replaces {
            data["replaces"] = json!(replaces);
        }
        let envelope = json!({"id": id});
        let outcome = self.record("", "catalogue.published", at, &envelope, &data);
        assert_eq!(outcome, Some(Outcome::Applied(None)), "{kind} {name}");
        self.published.insert(key, id);
    }

    fn record(
        &mut self,
        wallet: &str,
        kind: &str,
        at: Instant,
        envelope: &Value,
        data: &Value,
    ) -> Option<Outcome> {
        let mut record = json!({"v": 1, "id": format!("{kind}-{}", self.offset), "source": "app", "type": kind,
            "recorded_at": at, "by": "operator", "data": data});
        for (name, value) in envelope.as_object().unwrap() {
            record[name] = value.clone();
        }
        if !wallet.is_empty() {
            record["wallet"] = json!(wallet);
        }
        let outcome = self.book.fold(self.offset, record.to_string().as_bytes());
        self.offset += 1;
        outcome
    }
}

fn with(mut object: Value, name: &str, value: &impl serde::Serialize) -> Value {
    object[name] = json!(value);
    object
}

/// A record's type, what its envelope says beside, and its data.
fn read(verb: &str, words: &mut Words<'_>, body: Value) -> (&'static str, Value, Value) {
    let of = |usage: &str| json!({"source": "app", "id": usage});
    match verb {
        "grant" | "buy" => {
            let data: Value = serde_json::from_str(&grant(words)).unwrap();
            assert!(words.rest.is_empty(), "nothing is said by {:?}", words.rest);
            ("grant.issued", json!({}), data)
        }
        "send" => {
            let (id, kind) = (words.word(), words.word());
            let mut envelope = json!({"id": id});
            if words.rest.pop_front() == Some("at") {
                envelope["time"] = json!(words.time());
            }
            ("usage", envelope, json!({"type": kind, "data": body}))
        }
        "void" => {
            let (grant, what) = (words.word(), words.rest.pop_front().unwrap_or("all"));
            ("grant.voided", json!({}), json!({"grant_id": grant, "what": what}))
        }
        "reverse" => ("usage.reversed", json!({}), json!({"usage": of(words.word())})),
        "rerate" => {
            let data = json!({"usage": of(words.word())});
            let corrected = body.as_object().is_some_and(|body| !body.is_empty());
            ("usage.rerated", json!({}), if corrected { with(data, "data", &body) } else { data })
        }
        "change" => ("wallet.changed", json!({}), body),
        "now" => ("timer.due", json!({}), json!({"due_at": Instant::default()})),
        verb => panic!("no line begins with {verb:?}"),
    }
}
