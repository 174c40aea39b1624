//! Rounds of the scheduler beside a projector that is at times behind.
#![allow(clippy::unwrap_used)]

use eventlog::{Appending, EventLog, LogError, MemoryLog, Stretch};
use ledger::{Event, Instant, Offset, Partition, Position, decode};
use scheduler::{InFlight, MOST_IN_FLIGHT, OVERDUE, Round, SchedulerError, round};
use store::{Batch, SqliteStore, Store, WalletRow};

const SECOND: i64 = 1_000_000_000;
const NOON: i64 = 1_769_860_800 * SECOND;

/// A log and a projection of so many partitions, with nothing between them but what a test says.
struct World {
    log: MemoryLog,
    store: SqliteStore,
    partitions: u32,
    in_flight: InFlight,
}

impl World {
    async fn new(partitions: u32) -> Self {
        let (log, store) = (MemoryLog::new(partitions), SqliteStore::in_memory().await.unwrap());
        Self { log, store, partitions, in_flight: InFlight::default() }
    }

    /// Folds to this: wallets and when they are due, in seconds after noon.
    async fn folded(&self, wallets: &[(String, Option<i64>)]) {
        for partition in (0..self.partitions).map(Partition) {
            let here = |id: &str| Partition::of(id, self.partitions) == partition;
            let mut head = self.store.acquire(partition, "log").await.unwrap();
            let from = head.next;
            head.next = from.plus(1);
            let known = self.store.all_wallets(partition, None, u32::MAX).await.unwrap();
            let mut rows = Vec::new();
            for (id, due) in wallets.iter().filter(|(id, _)| here(id)) {
                let kept = known.iter().find(|row| row.id == *id).map(|row| row.no);
                let no = kept.unwrap_or_else(|| {
                    head.wallets += 1;
                    (head.wallets as i64 - 1) * i64::from(self.partitions) + i64::from(partition.0)
                });
                rows.push(WalletRow {
                    no,
                    id: id.clone(),
                    as_of: head.next,
                    clock: NOON,
                    next_due_at: due.map(|s| NOON + s * SECOND),
                    claimed: true,
                    unpriced: 0,
                    digest: [0; 32],
                    doc: "{}".into(),
                });
            }
            self.store.commit(&batch(from, head, rows)).await.unwrap();
        }
    }

    /// One round so many seconds after noon: how many are due, and how many timers were appended.
    async fn round(&mut self, second: i64) -> (usize, usize) {
        let partitions = (0..self.partitions).map(|n| (Partition(n), 0));
        let now = Instant(NOON + second * SECOND);
        let Round { due, appended } =
            round(&self.log, &self.store, partitions, now, &mut self.in_flight).await.unwrap();
        (due, appended)
    }

    /// All timers in the log, as `wallet due_at recorded_at` in seconds after noon, by partition.
    async fn timers(&self) -> Vec<String> {
        let mut timers = Vec::new();
        for partition in (0..self.partitions).map(Partition) {
            let end = self.log.end(partition).await.unwrap();
            let mut from = Offset(0);
            while from < end {
                let stretch = self.log.read(partition, from, 1_000).await.unwrap();
                for (offset, bytes) in stretch.iter() {
                    let record = decode(bytes).unwrap();
                    let Event::TimerDue(timer) = record.event else { panic!("no timer") };
                    assert_eq!(Partition::of(record.wallet(), self.partitions), partition);
                    assert_eq!(&*record.envelope.by, "system");
                    let after = |at: Instant| (at.0 - NOON) / SECOND;
                    let (due, at) = (after(timer.due_at), after(record.envelope.recorded_at));
                    timers.push(format!("{} {due} {at}", record.wallet()));
                    from = offset.plus(1);
                }
            }
        }
        timers
    }
}

fn batch(from: Offset, head: store::Head, wallets: Vec<WalletRow>) -> Batch {
    Batch {
        partition: head.partition,
        epoch: head.epoch,
        from,
        head,
        entries: vec![],
        records: vec![],
        ids: vec![],
        wallets,
        lots: vec![],
        grants: vec![],
        left: vec![],
        counters: vec![],
        quarantined: vec![],
        filters: vec![],
        catalogue: None,
    }
}

fn one(id: &str, due: Option<i64>) -> (String, Option<i64>) {
    (id.to_owned(), due)
}

fn many(count: i64, due: impl Fn(i64) -> Option<i64>) -> Vec<(String, Option<i64>)> {
    (0..count).map(|i| (format!("wallet-{i}"), due(i))).collect()
}

#[tokio::test]
async fn each_wallet_that_is_due_gets_one_timer() {
    let mut world = World::new(1).await;
    world.folded(&[one("a", Some(2)), one("b", Some(-1)), one("c", None), one("d", Some(3))]).await;
    assert_eq!(world.round(-2).await, (0, 0));
    assert_eq!(world.round(2).await, (2, 2));
    assert_eq!(world.timers().await, ["b -1 2", "a 2 2"]);
}

#[tokio::test]
async fn a_timer_in_flight_is_not_appended_again() {
    let mut world = World::new(4).await;
    world.folded(&[one("a", Some(0)), one("b", Some(0))]).await;
    assert_eq!(world.round(0).await, (2, 2));
    assert_eq!(world.round(1).await, (2, 0));
    // The projector folds b's timer: it is due again, a moment later.
    world.folded(&[one("b", Some(2))]).await;
    assert_eq!(world.round(1).await, (1, 0));
    assert_eq!(world.in_flight.len(), 1);
    assert_eq!(world.round(2).await, (2, 1));
    world.folded(&[one("a", None), one("b", None)]).await;
    assert_eq!(world.round(3).await, (0, 0));
    assert!(world.in_flight.is_empty());
    let mut timers = world.timers().await;
    timers.sort();
    assert_eq!(timers, ["a 0 0", "b 0 0", "b 2 2"]);
}

#[tokio::test]
async fn a_timer_that_does_not_come_back_is_appended_again_after_half_a_minute() {
    let mut world = World::new(1).await;
    world.folded(&[one("a", Some(0))]).await;
    assert_eq!(world.round(1).await, (1, 1));
    assert_eq!(world.round(30).await, (1, 0));
    assert_eq!(world.round(31).await, (1, 1));
    assert_eq!(world.round(32).await, (1, 0));
    // The clock was set back by a minute and a half.
    world.folded(&[one("a", Some(-120))]).await;
    assert_eq!(world.round(-60).await, (1, 1));
}

#[tokio::test]
async fn another_process_knows_nothing_of_what_is_in_flight() {
    let mut world = World::new(2).await;
    world.folded(&[one("a", Some(0))]).await;
    assert_eq!(world.round(1).await, (1, 1));
    world.in_flight = InFlight::default();
    assert_eq!(world.round(2).await, (1, 1));
    assert_eq!(world.timers().await, ["a 0 1", "a 0 2"]);
}

#[tokio::test]
async fn a_thousand_are_in_flight_at_most_and_the_longest_overdue_go_first() {
    let mut world = World::new(4).await;
    let count = 5_000;
    world.folded(&many(count, |i| Some(-i))).await;
    let (mut rounds, mut done) = (0, Vec::new());
    while done.len() < count as usize {
        assert_eq!(world.round(1).await.1, MOST_IN_FLIGHT);
        assert_eq!(world.in_flight.len(), MOST_IN_FLIGHT);
        assert_eq!(world.round(1).await.1, 0);
        rounds += 1;
        done = many(count, |i| (i < count - rounds * MOST_IN_FLIGHT as i64).then_some(-i));
        let timers = world.timers().await;
        let oldest = count - rounds * MOST_IN_FLIGHT as i64;
        assert!(timers.iter().all(|t| t.split(' ').nth(1).unwrap().parse::<i64>().unwrap() <= -oldest));
        assert_eq!(timers.len() as i64, rounds * MOST_IN_FLIGHT as i64);
        world.folded(&done).await;
        done.retain(|(_, due)| due.is_none());
    }
    assert_eq!(world.round(2).await, (0, 0));
    assert!(world.in_flight.is_empty());
}

#[tokio::test]
async fn what_is_in_flight_behind_a_full_list_is_not_taken_for_folded() {
    let mut world = World::new(1).await;
    world.folded(&[one("late", Some(0))]).await;
    assert_eq!(world.round(0).await, (1, 1));
    // So many that were due earlier turn up that the list of those that are due no longer reaches it.
    world.folded(&many(2_000, |_| Some(-1))).await;
    assert_eq!(world.round(1).await, (MOST_IN_FLIGHT, MOST_IN_FLIGHT - 1));
    world.folded(&many(2_000, |_| None)).await;
    assert_eq!(world.round(2).await, (1, 0));
}

#[tokio::test]
async fn partitions_that_are_not_asked_for_are_left_alone() {
    let mut world = World::new(4).await;
    world.folded(&many(100, |_| Some(0))).await;
    let here = Partition(2);
    let expected = (0..100).filter(|i| Partition::of(&format!("wallet-{i}"), 4) == here).count();
    let one =
        round(&world.log, &world.store, [(here, 0)].into_iter(), Instant(NOON), &mut world.in_flight).await;
    assert_eq!(one.unwrap(), Round { due: expected, appended: expected });
    assert_eq!(world.log.end(here).await.unwrap(), Offset(expected as u64));
    assert_eq!(world.round(1).await, (100, 100 - expected));
}

#[tokio::test]
async fn what_another_process_sees_to_is_left_to_it_for_half_a_minute() {
    let mut world = World::new(1).await;
    world.folded(&[one("a", Some(0))]).await;
    let others = || [(Partition(0), OVERDUE)].into_iter();
    let mut at = async |seconds: i64| {
        let now = Instant(NOON).plus(seconds * 1_000_000_000);
        round(&world.log, &world.store, others(), now, &mut world.in_flight).await.unwrap().appended
    };
    assert_eq!((at(0).await, at(29).await, at(30).await, at(31).await), (0, 0, 1, 0));
}

#[tokio::test]
async fn what_could_not_be_appended_is_tried_again() {
    struct Broken;
    impl EventLog for Broken {
        fn partitions(&self) -> u32 {
            1
        }
        async fn append(&self, _: Vec<Appending>) -> Result<Vec<Position>, LogError> {
            Err(LogError::Full)
        }
        async fn read(&self, _: Partition, _: Offset, _: usize) -> Result<Stretch, LogError> {
            Err(LogError::Closed)
        }
        async fn end(&self, _: Partition) -> Result<Offset, LogError> {
            Err(LogError::Closed)
        }
        async fn wait(&self, _: Partition, _: Offset) {}
    }
    let mut world = World::new(1).await;
    world.folded(&[one("a", Some(0))]).await;
    let all = [(Partition(0), 0)].into_iter();
    let error = round(&Broken, &world.store, all, Instant(NOON), &mut world.in_flight).await.unwrap_err();
    assert!(matches!(error, SchedulerError::Log(LogError::Full)));
    assert!(world.in_flight.is_empty());
    assert_eq!(world.round(0).await, (1, 1));
}
