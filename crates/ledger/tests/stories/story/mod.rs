//! Stories: what happens above a line of dashes, one record a line, and the wallet below.
//!
//! A step is `TIME VERB …`; a time is `01-31`, `01-31 23:59` or `2028-02-29 12:00:00.5`, UTC, in 2026 unless it says so.
//!
//! - `grant plan 100`, and any of: `monthly`, `every P1D`, `from T`, `anchor T`, `until T`, `first full|prorated|skip`,
//!   `quiet`, `ends T`, `for P28D`, `carry all|50%|30` with `max 30`, `times 2` and `for P28D` behind it, `priority 10`,
//!   `costs 10 USD`, `feature a,b`, `subject ann,bob`, `lateness P1D`, `of usd`, `purchase P`, `reset min 10 max 50`, or a category
//! - `use 5`, and `of search`, `by ann`: an event of type `use` or `search`, 1 credit for each of its `n` unless a price says
//!   otherwise; `send TYPE {…}` is any event
//! - `wallet` with `zone Z`, `card C`, `repay no`, `month end keep|bill|forgive`, `reset every P1D [anchor T] [keep overage]`;
//!   `defaults` takes these but the last, and `lateness P`
//! - `price NAME {…}`, `cost NAME {…}`, `card NAME`, `zone NAME {…}`, `unit NAME`: catalogue documents
//! - `void GRANT` or `void purchase P`, and `open`, `future` or `carried`; `reset [UNIT] [keep overage]`;
//!   `clear 2026-01 [5] credits [of search] as billed|forgiven`; `suspend`, `resume`
//! - `reverse ID`, or parts of it: `reverse ID 10 credits of search and 3 usd`; `rerate ID [{…}]` with what the event's data should
//!   have been
//! - `change { STEP; STEP }`: a grant, `wallet …` and any of the line but one above, all or none
//! - `hold ID 10 [of chat] [and 3 usd of search]` or `hold ID TYPE {…}`, `ttl PT1H`, `valid T`; `extend ID` with these;
//!   `settle ID 5 [usage U] [part]` or `settle ID TYPE {…}`; `unhold ID`; `send TYPE {…}` with `for ID` settles it too;
//!   `holds block|soft|overdraft [100 [credits]] [largest 50] [life P1D]` in `wallet` and `defaults`
//! - `genesis 1` and `fold 2`: the fold version from the start, and from there on
//! - `again [ID]`: the last record, or the one with this id, once more; `record TYPE {…}`: any data; `now T`: time alone
//!
//! `at T` gives a sender's own time, `id X` an id, `source X` who made it, `in X` another wallet; corrections say why, but for
//! `because no`. Below stand the lots (remaining of issued; the rest was used), open overage,
//! and each outcome that is not plainly `applied`. Windows (`..`), `available`, `overage 0`, `unpriced`, `claimed`,
//! `suspended` or `active`, `due`, `why` each lot was considered, and the `ledger` of all entries are shown where the story asks
//! for them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

mod corrections;
mod holds;
mod show;
pub mod words;

use std::collections::BTreeMap;

use crate::book::Book;
use corrections::{changed, correction, wants_reason};
use holds::hold;
use ledger::{Instant, Offset, Outcome};
use serde_json::{Value, json};
use words::{Words, policies, time};

/// Tells a story, and compares what becomes of the wallet with what stands below the dashes. Once more it is told with a restart
/// before every record: the end is the same.
pub fn check(story: &str) {
    let (steps, expected) = split(story);
    let actual = show::wallet(&Teller::tell(steps, false), expected);
    if std::env::var_os("DRAWDOWN_SHOW").is_some() {
        println!("{}\n        ------\n        {}", steps.trim_end(), actual.join("\n        "));
    }
    compare(steps, expected, &actual, "");
    compare(steps, expected, &show::wallet(&Teller::tell(steps, true), expected), " after restarts");
}

fn split(story: &str) -> (&str, &str) {
    let dashes = story.lines().find(|l| l.trim().starts_with("---")).expect("a line of dashes");
    story.split_once(dashes).expect("it was just found")
}

fn compare(steps: &str, expected: &str, actual: &[String], when: &str) {
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let told: Vec<String> = expected.lines().map(squeeze).filter(|l| !l.is_empty()).collect();
    let actual: Vec<String> = actual.iter().map(|l| squeeze(l)).collect();
    if told == actual {
        return;
    }
    let marked = |mark: char, line: &String, there: &[String]| {
        format!("  {} {line}", if there.contains(line) { ' ' } else { mark })
    };
    let lacks: Vec<String> = told.iter().map(|l| marked('-', l, &actual)).collect();
    let has: Vec<String> = actual.iter().map(|l| marked('+', l, &told)).collect();
    panic!("{steps}\nthe story says\n{}\nthe wallet says{when}\n{}", lacks.join("\n"), has.join("\n"));
}

/// Writes the records of a story and folds them.
pub(crate) struct Teller {
    pub(crate) book: Book,
    pub(crate) clock: Instant,
    /// What the catalogue or the wallet refused, set aside or could not price, with the step's time.
    pub(crate) notes: Vec<String>,
    /// The records so far: id, when it was recorded, and its JSON with `RECORDED` for that.
    sent: Vec<(String, Instant, String)>,
    /// The last document of each kind and name, and the wallet's last configuration.
    last: BTreeMap<(String, String), String>,
    restarts: bool,
}

impl Teller {
    fn tell(steps: &str, restarts: bool) -> Self {
        let (notes, sent) = (Vec::new(), Vec::new());
        let mut book = Book::default();
        book.considered = Some(Vec::new());
        let (clock, last) = (Instant::default(), BTreeMap::new());
        let mut teller = Self { book, clock, notes, sent, last, restarts };
        let long_ago = Instant::parse("2020-01-01T00:00:00Z").unwrap();
        for unit in ["credits", "usd"] {
            teller.publish(long_ago, "unit", unit, "{}");
        }
        for (zone, body) in words::ZONES {
            teller.publish(long_ago, "zone", zone, body);
        }
        let price = json!({"match": {"type": {"any": true}},
            "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "1"}]});
        teller.publish(long_ago, "price", "any", &price.to_string());
        let mut step = String::new();
        for line in steps.lines().map(str::trim).filter(|l| !l.is_empty()) {
            step = format!("{step} {line}");
            if step.matches('{').count() == step.matches('}').count() {
                teller.step(step.trim());
                step.clear();
            }
        }
        assert!(step.is_empty(), "braces are left open: {step}");
        teller.book.assert_balanced();
        teller
    }

    fn step(&mut self, line: &str) {
        let (line, body) = line.find('{').map_or((line, ""), |at| line.split_at(at));
        let is_now = line.starts_with("now ");
        let mut words = Words::of(line.trim_start_matches("now "));
        let at = words.time();
        match if is_now { "now" } else { words.word() } {
            "now" => self.record(at, "timer.due", &json!({"due_at": at}).to_string(), &mut words),
            "change" => {
                let id =
                    words.after("id").map_or_else(|| format!("change-{}", self.sent.len()), str::to_owned);
                let last = self.book.wallet("w").and_then(|w| w.configuration()).map(str::to_owned);
                let data = changed(body, last, &id);
                words.rest.extend(["id", &id]);
                self.record(at, "wallet.changed", &data, &mut words);
            }
            "genesis" => {
                let data = format!(
                    r#"{{"log":"story","partitions":1,"partitioner":"sha256-8-mod","fold":{}}}"#,
                    words.word()
                );
                let head = r#""id":"genesis","source":"log","type":"genesis""#;
                let text =
                    format!(r#"{{"v":3,{head},"recorded_at":"RECORDED","by":"system","data":{data}}}"#);
                self.fold("genesis".into(), at, text);
            }
            "fold" => self.publish(
                at,
                "fold",
                "version",
                &json!({"version": words.word().parse::<u32>().unwrap()}).to_string(),
            ),
            "use" => {
                let n = words.word();
                let kind = words.after("of").unwrap_or("use");
                let data = format!(r#"{{"type":"{kind}","data":{{"n":{n}}}{}}}"#, settling(&mut words));
                self.record(at, "usage", &data, &mut words);
            }
            "send" => {
                let kind = words.word();
                let data = format!(r#"{{"type":"{kind}","data":{body}{}}}"#, settling(&mut words));
                let data = data.replace(r#","data":}"#, "}");
                self.record(at, "usage", &data, &mut words);
            }
            "record" => {
                let kind = words.word();
                self.record(at, kind, body, &mut words);
            }
            "again" => {
                let id = words.rest.pop_front();
                let sent = self.sent.iter().rev().find(|s| id.is_none_or(|id| s.0 == id));
                let (id, _, text) = sent.expect("a record with this id").clone();
                self.fold(id, at, text);
            }
            "wallet" => self.configure(at, policies(&mut words)),
            "defaults" => self.publish(at, "policies", "default", &policies(&mut words).to_string()),
            kind @ ("price" | "zone" | "unit") => self.publish(at, kind, words.word(), or_empty(body)),
            "card" => self.publish(at, "rate_card", words.word(), "{}"),
            "cost" => self.publish(at, "vendor_cost", words.word(), body),
            verb => {
                let hold = hold(verb, &mut words, body);
                let (kind, data) = hold
                    .or_else(|| correction(verb, &mut words, body))
                    .unwrap_or_else(|| panic!("no step is called {verb:?}: {line}"));
                self.record(at, kind, &data, &mut words);
            }
        }
    }

    /// A record of the wallet's; the words left say its id, its subject and its own time.
    fn record(&mut self, at: Instant, kind: &str, data: &str, words: &mut Words<'_>) {
        let mut id = format!("{kind}-{}", self.sent.len());
        let (mut source, mut wallet, mut optional) = ("story", "w", String::new());
        let mut reason = wants_reason(kind).then_some("said so");
        while let Some(word) = words.rest.pop_front() {
            match word {
                "id" => id = words.word().to_owned(),
                "source" => source = words.word(),
                "in" => wallet = words.word(),
                "because" => reason = Some(words.word()).filter(|why| *why != "no"),
                "by" => optional = format!(r#"{optional}"subject":"{}","#, words.word()),
                "at" => optional = format!(r#"{optional}"time":"{}","#, words.time()),
                other => panic!("nothing is said by {other:?}"),
            }
        }
        optional.extend(reason.map(|why| format!(r#""reason":"{why}","#)));
        let head =
            format!(r#""id":"{id}","source":"{source}","type":"{kind}","wallet":"{wallet}",{optional}"#);
        self.fold(
            id,
            at,
            format!(r#"{{"v":3,{head}"recorded_at":"RECORDED","by":"operator","data":{data}}}"#),
        );
    }

    fn publish(&mut self, at: Instant, kind: &str, name: &str, body: &str) {
        let place = (kind.to_owned(), name.to_owned());
        let replaces = self.last.get(&place).cloned();
        let id = ledger::content_id(&[kind, name], body, replaces.as_deref()).unwrap();
        let predecessor = replaces.map_or(String::new(), |r| format!(r#""replaces":"{r}","#));
        let data = format!(r#"{{"kind":"{kind}","name":"{name}",{predecessor}"body":{body}}}"#);
        let head = format!(r#""id":"{id}","source":"catalogue","type":"catalogue.published""#);
        let text = format!(r#"{{"v":3,{head},"recorded_at":"RECORDED","by":"operator","data":{data}}}"#);
        let outcome = self.fold(id.clone(), at, text);
        if let Some(Outcome::Applied(_)) = outcome {
            self.last.insert(place, id);
        }
    }

    fn configure(&mut self, at: Instant, mut data: Value) {
        if let Some(last) = self.book.wallet("w").and_then(|w| w.configuration()) {
            data["replaces"] = json!(last);
        }
        let id = format!("wallet-{}", self.sent.len());
        let mut words = Words::of("");
        words.rest.extend(["id", &id]);
        self.record(at, "wallet.configured", &data.to_string(), &mut words);
    }

    fn fold(&mut self, id: String, at: Instant, text: String) -> Option<Outcome> {
        let record = text.replace("RECORDED", &at.to_string());
        let offset = self.sent.len() as u64;
        self.sent.push((id, at, text));
        if self.restarts {
            self.book.restart();
        }
        let outcome = self.book.fold(offset, record.as_bytes());
        let when = |Offset(offset): Offset| time(self.recorded(offset));
        let note = match &outcome {
            None => self.book.quarantined.iter().find(|(at, _)| *at == offset).map(|(_, why)| {
                let why = why.split(" at line ").next().unwrap_or_default();
                format!("quarantined: {why}")
            }),
            Some(Outcome::Applied(why)) => why.map(|why| format!("unpriced {}", why.word())),
            Some(Outcome::Duplicate(of)) => Some(format!("duplicate of {}", when(*of))),
            Some(Outcome::Conflict(with)) => Some(format!("conflict with {}", when(*with))),
            Some(Outcome::Approved(answer)) => answer.beyond_lots.then(|| "approved beyond lots".to_owned()),
            Some(refused @ (Outcome::Rejected(_) | Outcome::Declined(_))) => Some(refused.to_string()),
        };
        self.notes.extend(note.map(|note| format!("! {} {note}", time(at))));
        self.clock = self.book.wallet("w").map_or(at, |w| w.clock);
        outcome
    }

    /// When the record at this offset was recorded.
    fn recorded(&self, offset: u64) -> Instant {
        self.sent[usize::try_from(offset).unwrap()].1
    }
}

/// The extension of a usage that settles a hold.
fn settling(words: &mut Words<'_>) -> String {
    let hold = words.after("for");
    hold.map_or(String::new(), |hold| format!(r#","extensions":{{"hold":"{hold}"}}"#))
}

fn or_empty(body: &str) -> &str {
    if body.is_empty() { "{}" } else { body }
}
