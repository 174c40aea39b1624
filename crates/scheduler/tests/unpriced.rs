//! Usage that had no price, beside a projector that is at times behind.
#![allow(clippy::unwrap_used)]

use eventlog::{EventLog, MemoryLog};
use ledger::{Accepted, Catalogue, Event, Instant, Offset, Partition, Wallet, decode};
use scheduler::{Looked, MOST_RERATED, rerate};
use store::rows::{OutcomeCode, RecordKind, RecordRow};
use store::{Batch, SqliteStore, Store, WalletRow};

const NOON: Instant = Instant(1_769_860_800_000_000_000);
const HERE: Partition = Partition(0);

/// A log and a projection of one partition, with nothing between them but what a test says.
struct World {
    log: MemoryLog,
    store: SqliteStore,
    catalogue: Catalogue,
    looked: Looked,
}

impl World {
    async fn new() -> Self {
        let (log, store) = (MemoryLog::new(1), SqliteStore::in_memory().await.unwrap());
        let mut world = Self { log, store, catalogue: Catalogue::default(), looked: Looked::default() };
        world.publish("unit", "credits", "{}").await;
        world
    }

    /// Folds a catalogue document.
    async fn publish(&mut self, kind: &str, name: &str, body: &str) {
        let replaces = self.catalogue.current(kind, name).map(|accepted| accepted.id.clone());
        let id = format!("{name}-{}", self.catalogue.accepted().len());
        let (kind, name, body) = (kind.to_owned(), name.to_owned(), body.to_owned());
        let document = Accepted { kind, name, id, recorded_at: NOON, body };
        self.catalogue.publish(document, replaces.as_deref()).unwrap();
        self.fold(vec![], Some(self.catalogue.write())).await;
    }

    /// Folds usage of these types that has no price: its ids are `u` and its offset.
    async fn used(&self, kinds: &[&str]) {
        let from = self.store.head(HERE).await.unwrap().map_or(0, |head| head.next.0);
        let row = |(at, kind): (usize, &&str)| RecordRow {
            offset: Offset(from).plus(at),
            wallet: Some(0),
            kind: RecordKind::Usage.code(),
            outcome: OutcomeCode::Applied.code(),
            detail: Some("no_price".into()),
            earlier: None,
            id: format!("u{}", from as usize + at),
            source: "app".into(),
            subject: None,
            at: NOON.0,
            recorded_at: NOON.0,
            feature: Some((*kind).to_owned()),
            data: Some("{}".into()),
        };
        self.fold(kinds.iter().enumerate().map(row).collect(), None).await;
    }

    async fn fold(&self, records: Vec<RecordRow>, catalogue: Option<String>) {
        let mut head = self.store.acquire(HERE, "log").await.unwrap();
        let from = head.next;
        head.next = from.plus(records.len().max(1));
        head.wallets = 1;
        let doc = Wallet::new().write();
        let wallet = WalletRow {
            no: 0,
            id: "acme".into(),
            as_of: head.next,
            clock: NOON.0,
            next_due_at: None,
            claimed: false,
            unpriced: 0,
            digest: Wallet::digest(&doc),
            doc,
        };
        let batch = Batch {
            partition: HERE,
            epoch: head.epoch,
            from,
            head,
            entries: vec![],
            records,
            ids: vec![],
            wallets: vec![wallet],
            lots: vec![],
            grants: vec![],
            left: vec![],
            counters: vec![],
            quarantined: vec![],
            filters: vec![],
            catalogue,
        };
        self.store.commit(&batch).await.unwrap();
    }

    async fn round(&mut self) -> usize {
        rerate(&self.log, &self.store, [HERE].into_iter(), NOON, Catalogue::read, &mut self.looked)
            .await
            .unwrap()
    }

    /// The usage that is charged anew by the records in the log, and their ids.
    async fn rerated(&self) -> Vec<(String, String)> {
        let stretch = self.log.read(HERE, Offset(0), 10_000).await.unwrap();
        let usage = |bytes: &[u8]| {
            let record = decode(bytes).unwrap();
            let Event::UsageRerated(rerated) = &record.event else { panic!("no re-rating") };
            assert_eq!((record.wallet(), &*record.envelope.by), ("acme", "system"));
            assert_eq!(record.envelope.reason.as_deref(), Some("a price for it stands now"));
            assert!(rerated.data.is_none() && &*rerated.usage.source == "app");
            (rerated.usage.id.to_string(), record.envelope.id.to_string())
        };
        stretch.iter().map(|(_, bytes)| usage(bytes)).collect()
    }
}

const IMAGE: &str = r#"{"match":{"type":{"exact":"image"}},"charges":[{"unit":"credits","amount":"2"}],"effective_from":"2026-01-01T00:00:00Z"}"#;
const LATER: &str = r#"{"match":{"type":{"exact":"video"}},"charges":[{"unit":"credits","amount":"2"}],"effective_from":"2027-01-01T00:00:00Z"}"#;

#[tokio::test]
async fn usage_is_charged_anew_once_a_price_for_its_time_stands() {
    let mut world = World::new().await;
    world.used(&["image", "video", "image"]).await;
    assert_eq!(world.round().await, 0, "no price stands");
    world.publish("price", "image", IMAGE).await;
    world.publish("price", "video", LATER).await;
    assert_eq!(world.round().await, 2);
    let usage: Vec<String> = world.rerated().await.into_iter().map(|(usage, _)| usage).collect();
    assert_eq!(usage, ["u1", "u3"]);
}

#[tokio::test]
async fn what_was_looked_at_is_not_looked_at_again_until_the_catalogue_changes() {
    let mut world = World::new().await;
    world.publish("price", "image", IMAGE).await;
    world.used(&["image"]).await;
    assert_eq!(world.round().await, 1);
    assert!(world.looked.is_over());
    assert_eq!(world.round().await, 0, "it is in flight");
    // A projector prices such usage itself: were it looked for again, it would be found.
    world.used(&["image"]).await;
    assert_eq!(world.round().await, 0, "the catalogue is the same");
    world.publish("price", "image", &IMAGE.replace("\"2\"", "\"3\"")).await;
    assert!(world.looked.is_over());
    assert_eq!(world.round().await, 2, "the newer price is another reason");
}

#[tokio::test]
async fn a_second_scheduler_says_the_same_under_the_same_id() {
    let mut world = World::new().await;
    world.publish("price", "image", IMAGE).await;
    world.used(&["image", "image"]).await;
    assert_eq!(world.round().await, 2);
    world.looked = Looked::default();
    assert_eq!(world.round().await, 2);
    let rerated = world.rerated().await;
    assert_eq!(rerated[..2], rerated[2..]);
    assert_ne!(rerated[0].1, rerated[1].1);
}

#[tokio::test]
async fn some_hundred_are_charged_at_a_time() {
    let mut world = World::new().await;
    world.publish("price", "image", IMAGE).await;
    let kinds: Vec<&str> = (0..1_700).map(|at| if at % 10 == 0 { "video" } else { "image" }).collect();
    world.used(&kinds).await;
    let mut rounds = Vec::new();
    while !world.looked.is_over() || rounds.is_empty() {
        rounds.push(world.round().await);
    }
    assert!(rounds.iter().all(|count| *count < 2 * MOST_RERATED), "{rounds:?}");
    assert!(rounds.len() >= 2, "{rounds:?}");
    assert_eq!(rounds.iter().sum::<usize>(), 1_530);
}

#[tokio::test]
async fn a_catalogue_that_cannot_be_read_is_told() {
    let mut world = World::new().await;
    world.fold(vec![], Some("no catalogue".into())).await;
    let error =
        rerate(&world.log, &world.store, [HERE].into_iter(), NOON, Catalogue::read, &mut world.looked).await;
    assert!(error.unwrap_err().to_string().contains("rebuild the projections"));
}
