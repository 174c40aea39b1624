//! What a process asks of the partitions that it folds: it is told what became of its own request, once that is folded.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use eventlog::{Appending, EventLog, MemoryLog};
use ingest::{Hold, Holding, Measure, Stamp};
use ledger::{Amount, Identity, Instant, Line, Partition};
use projector::{Answered, Asking, Halting, Node, Seen};
use store::SqliteStore;
use store::rows::OutcomeCode;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const LOG: &str = "00112233445566778899aabbccddeeff";
const SOON: Duration = Duration::from_secs(20);

struct Process {
    log: Arc<MemoryLog>,
    asking: Asking,
    stop: watch::Sender<bool>,
    node: JoinHandle<()>,
}

fn stamp() -> Stamp<'static> {
    Stamp { now: Instant::parse("2026-01-01T00:00:00Z").unwrap(), by: "operator", backfill: false }
}

async fn process() -> Process {
    let log = MemoryLog::new(1);
    let genesis = ingest::genesis(LOG, 1, None, &stamp());
    let unit = ingest::published("unit", "credits", "{}", None, &stamp()).unwrap().bytes;
    let grant = r#"{"grant_id":"g","unit":"credits","amount":"100"}"#;
    let terms = serde_json::from_str(grant).unwrap();
    let grant = ingest::Grant {
        wallet: "w",
        source: None,
        id: None,
        time: None,
        terms: &terms,
        reason: Some("a test"),
    };
    let grant = ingest::grant(&grant, &stamp()).unwrap().bytes;
    let records = [genesis, unit, grant].map(|bytes| Appending { partition: Partition(0), bytes });
    log.append(records.into()).await.unwrap();
    let (log, store) = (Arc::new(log), Arc::new(SqliteStore::in_memory().await.unwrap()));
    let node = Node::new(log.clone(), store, "n".into(), Duration::from_secs(1), Halting::Everything).await;
    let node = node.unwrap();
    let (asking, (stop, stopped)) = (node.asking(), watch::channel(false));
    let mut reached = asking.reached(Partition(0));
    let now = || Instant::parse("2026-01-02T00:00:00Z").unwrap();
    let node = tokio::spawn(async move {
        node.run(now, stopped).await.unwrap();
    });
    timeout(SOON, reached.wait_for(|reached| reached.folded.0 == 3)).await.unwrap().unwrap();
    Process { log, asking, stop, node }
}

/// A request for so much, with who it is.
fn request(id: &str, amount: &str) -> (Appending, Identity) {
    let amount = Amount::parse(amount).unwrap();
    let lines = [Line { unit: "credits".into(), feature: "f".into(), amount }];
    let says = Hold::Request { estimate: Measure::Amounts(&lines), ttl: None, valid_until: None };
    let holding = Holding { wallet: "w", source: None, id, subject: None, trace: None, says };
    let record = ingest::hold(&holding, &stamp()).unwrap();
    let identity = ledger::decode(&record.bytes).unwrap().identify(&mut Vec::new()).unwrap();
    (record.appending(1), identity)
}

fn outcome(answered: &Answered) -> OutcomeCode {
    OutcomeCode::try_from(answered.record.outcome).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_request_is_told_what_became_of_it() {
    let process = process().await;
    for (id, amount, became) in [("a", "60", OutcomeCode::Approved), ("b", "41", OutcomeCode::Declined)] {
        let (record, identity) = request(id, amount);
        let mut waiting = process.asking.wait_for(Partition(0), &identity);
        let position = process.log.append(vec![record]).await.unwrap()[0];
        let answered = timeout(SOON, waiting.answered()).await.unwrap().unwrap();
        assert_eq!((answered.position, &*answered.record.id), (position, id));
        assert_eq!(outcome(&answered), became);
        assert_eq!(answered.entries.len(), usize::from(became == OutcomeCode::Approved));
        let wallet = answered.wallet.unwrap();
        assert_eq!(wallet.wallet.held("credits"), Amount::parse("60").unwrap());
        assert_eq!(wallet.next.0, position.offset.0 + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_twice_is_told_once_each_and_another_under_its_id_is_told_of_itself() {
    let process = process().await;
    let ((first, identity), (other, of_other)) = (request("a", "10"), request("a", "20"));
    let mut waiting = [&identity, &identity, &of_other].map(|who| process.asking.wait_for(Partition(0), who));
    process.log.append(vec![first.clone(), other, first]).await.unwrap();
    let mut told = Vec::new();
    for waiting in &mut waiting {
        told.push(outcome(&timeout(SOON, waiting.answered()).await.unwrap().unwrap()));
    }
    assert_eq!(told, [OutcomeCode::Approved, OutcomeCode::Approved, OutcomeCode::Conflict]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stopped_waiting_is_forgotten_and_who_waits_in_vain_is_not_told() {
    let process = process().await;
    let ((first, identity), (_, never)) = (request("a", "10"), request("b", "10"));
    drop(process.asking.wait_for(Partition(0), &identity));
    let mut waiting = process.asking.wait_for(Partition(0), &identity);
    let mut in_vain = process.asking.wait_for(Partition(0), &never);
    process.log.append(vec![first]).await.unwrap();
    assert!(timeout(SOON, waiting.answered()).await.unwrap().is_some());
    assert!(timeout(Duration::from_millis(100), in_vain.answered()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_told_as_long_as_its_partition_is_folded_here() {
    let process = process().await;
    let Seen::Here(seen) = process.asking.wallet("w").await else { panic!("it is in memory") };
    assert_eq!(seen.wallet.available("credits", seen.wallet.clock), Amount::parse("100").unwrap());
    assert!(matches!(process.asking.wallet("nobody").await, Seen::Unknown(next) if next.0 == 3));
    assert!(process.asking.is_here(Partition(0)));
    process.stop.send(true).unwrap();
    process.node.await.unwrap();
    assert!(!process.asking.is_here(Partition(0)));
    assert!(matches!(process.asking.wallet("w").await, Seen::NotHere));
}
