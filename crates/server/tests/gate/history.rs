//! What was answered, checked against the log: its order is the one in which everything happened.
//!
//! Since each answer has one record that it is the answer to, the history need not be searched for an order that explains it: the
//! log's order is the only one that may. So it is linearizable if that order keeps what clients saw one after the other, each record
//! stands between request and answer, and each answer is what the requests before it leave.

use std::collections::BTreeMap;
use std::time::Duration;

use eventlog::EventLog;
use ledger::{Offset, Partition};
use projector::{Replay, log_id};
use serde_json::{Value, json};
use store::rows::{OutcomeCode, RecordRow};

use crate::clients::{Asked, CREDITS, What};

/// By how much a server's clock and the test's may differ: beside a database it is the database's that counts, as it was heard of last.
const CLOCKS: Duration = Duration::from_millis(100);

/// What the log has of the requests.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) answers: usize,
    /// Records of requests that were there before.
    pub(crate) duplicates: usize,
    pub(crate) approved: usize,
    pub(crate) declined: usize,
    /// Holds that a server ended because nobody waited for them any more.
    pub(crate) abandoned: usize,
}

/// A wallet as requests one after the other leave it: a second opinion, with nothing of the fold's in it.
#[derive(Debug)]
struct Simple {
    free: u64,
    open: BTreeMap<String, u64>,
    /// Held and not requested yet, but ended already.
    ended: Vec<String>,
    /// When the latest of those requests was sent that the log has so far.
    invoked: Duration,
}

/// Checks every answer.
pub(crate) async fn check(log: &impl EventLog, asked: &[Asked]) -> Checked {
    let by_id: BTreeMap<&str, &Asked> = asked.iter().map(|asked| (asked.id.as_str(), asked)).collect();
    assert_eq!(by_id.len(), asked.len(), "each request has an id of its own");
    let id = log_id(log).await.unwrap();
    let mut checked = Checked::default();
    for partition in (0..log.partitions()).map(Partition) {
        let mut replay = Replay::new(partition, log.partitions(), &id);
        let (mut wallets, mut firsts) = (BTreeMap::new(), BTreeMap::new());
        let mut next = Offset(0);
        loop {
            let stretch = log.read(partition, next, 10_000).await.unwrap();
            if stretch.is_empty() {
                break;
            }
            let batch = replay.batch(&stretch).unwrap();
            assert!(batch.quarantined.is_empty(), "everything in the log can be read");
            let rows: BTreeMap<Offset, &RecordRow> =
                batch.records.iter().map(|row| (row.offset, row)).collect();
            for at in 0..stretch.len() {
                let record: Value = serde_json::from_slice(stretch.get(at)).unwrap();
                if record["source"] == "api" {
                    let offset = next.plus(at);
                    one(&record, rows[&offset], &by_id, &mut firsts, &mut wallets, &mut checked);
                }
            }
            next = stretch.next();
        }
    }
    assert_eq!(checked.answers, asked.len(), "each answer has its record");
    checked
}

/// Checks one record of a request.
fn one(
    record: &Value,
    row: &RecordRow,
    by_id: &BTreeMap<&str, &Asked>,
    firsts: &mut BTreeMap<String, Offset>,
    wallets: &mut BTreeMap<String, Simple>,
    checked: &mut Checked,
) {
    let (id, outcome) = (record["id"].as_str().unwrap(), OutcomeCode::try_from(row.outcome).unwrap());
    if let Some(first) = firsts.get(id) {
        assert_eq!((outcome, row.earlier), (OutcomeCode::Duplicate, Some(*first)), "{record}");
        checked.duplicates += 1;
        return;
    }
    firsts.insert(id.to_owned(), row.offset);
    let wallet = record["wallet"].as_str().unwrap();
    let simple = wallets.entry(wallet.to_owned()).or_insert_with(Simple::new);
    if let Some(hold) = id.strip_prefix("abandon:") {
        simple.void(hold);
        checked.abandoned += 1;
        return;
    }
    let asked = by_id.get(id).unwrap_or_else(|| panic!("nobody asked for {record}"));
    assert_eq!(asked.wallet, wallet);
    in_real_time(asked, record, simple);
    checked.answers += 1;

    let status = asked.verdict.status;
    let folded = match outcome {
        OutcomeCode::Approved => 201,
        OutcomeCode::Declined => 402,
        OutcomeCode::Applied => 200,
        OutcomeCode::Duplicate | OutcomeCode::Conflict | OutcomeCode::Rejected | OutcomeCode::None => 0,
    };
    assert_eq!(folded, status, "the fold made {row:?} of it: {asked:?}");
    assert_eq!(simple.expects(asked), asked.verdict.says_of_amounts(), "{asked:?} on {simple:?}");
    match status {
        201 => checked.approved += 1,
        402 => checked.declined += 1,
        _ => {}
    }
}

/// A record stands between request and answer, and behind those whose answers were there before the request was sent.
fn in_real_time(asked: &Asked, record: &Value, simple: &mut Simple) {
    let at = ledger::Instant::parse(record["recorded_at"].as_str().unwrap()).unwrap();
    let at = Duration::from_nanos(u64::try_from(at.0).unwrap());
    assert!(asked.invoked <= at + CLOCKS && at <= asked.answered + CLOCKS, "{record}: {asked:?}");
    assert!(
        asked.answered >= simple.invoked,
        "{asked:?} was answered before something was sent that the log has before it"
    );
    simple.invoked = simple.invoked.max(asked.invoked);
}

impl Simple {
    fn new() -> Self {
        Self { free: CREDITS, open: BTreeMap::new(), ended: Vec::new(), invoked: Duration::ZERO }
    }

    fn void(&mut self, hold: &str) -> u64 {
        let freed = self.open.remove(hold);
        if freed.is_none() {
            self.ended.push(hold.to_owned());
        }
        self.free += freed.unwrap_or(0);
        freed.unwrap_or(0)
    }

    /// What must be answered: what is held, freed, or paid from the lot.
    fn expects(&mut self, asked: &Asked) -> Value {
        match &asked.what {
            What::Hold { .. } if self.ended.contains(&asked.id) => json!({"code": "voided"}),
            What::Hold { amount } if *amount <= self.free => {
                self.free -= amount;
                self.open.insert(asked.id.clone(), *amount);
                json!({"held": amount.to_string()})
            }
            What::Hold { amount } => {
                json!({"code": "insufficient", "lacks": (amount - self.free).to_string()})
            }
            What::Settle { hold, amount } => {
                self.free += self.open.remove(hold).unwrap_or(0);
                let paid = self.free.min(*amount);
                self.free -= paid;
                // A fact that comes after its hold ended is booked all the same.
                json!({"paid": amount.to_string(), "overage": (amount - paid).to_string()})
            }
            What::Void { hold } => json!({"freed": self.void(hold).to_string()}),
        }
    }
}

impl crate::clients::Verdict {
    /// The same of an answer.
    fn says_of_amounts(&self) -> Value {
        let sum = |name: &str| {
            let parts = self.says[name].as_array().cloned().unwrap_or_default();
            let amounts = parts.iter().map(|part| part["amount"].as_str().unwrap().parse::<u64>().unwrap());
            amounts.sum::<u64>().to_string()
        };
        let of_unit = |name: &str| self.says[name]["credits"].as_str().unwrap_or("0").to_owned();
        match (self.status, self.says["code"].as_str()) {
            (402, Some("insufficient")) => json!({"code": "insufficient", "lacks": of_unit("lacks")}),
            (402, code) => json!({"code": code}),
            (201, _) => json!({"held": sum("held")}),
            _ if self.says.get("freed").is_some() => json!({"freed": sum("freed")}),
            _ => json!({"paid": sum("paid"), "overage": of_unit("overage")}),
        }
    }
}
