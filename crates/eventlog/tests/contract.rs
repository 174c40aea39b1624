//! What every log promises, held against each implementation.

#![allow(clippy::unwrap_used)]

#[path = "kafka/world.rs"]
#[allow(dead_code)]
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use eventlog::{Appending, EventLog, LogError, MAX_RECORD, Stretch};
use ledger::{Offset, Partition, Position};

const PARTITIONS: u32 = 3;

/// Runs each property on some logs; `$name` is an async function that takes a log of [`PARTITIONS`].
macro_rules! on {
    (memory: $($name:ident)*) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(std::sync::Arc::new(eventlog::MemoryLog::new(super::PARTITIONS))).await;
            })*
        }
    };
    (sqlite: $($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let directory = tempfile::tempdir().unwrap();
                let genesis = vec![b"genesis".to_vec(); super::PARTITIONS as usize];
                let durability = eventlog::Durability::Power;
                let log = eventlog::SqliteLog::create(&directory.path().join("log.db"), genesis, durability).await;
                super::$name(std::sync::Arc::new(log.unwrap())).await;
            })*
        }
    };
    (kafka: $($name:ident)*) => {
        mod kafka {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let topic = super::world::Topic::new();
                let log = topic.create("genesis", super::PARTITIONS).await.unwrap();
                super::$name(std::sync::Arc::new(log)).await;
            })*
        }
    };
}

/// Runs what every log promises on every log, and what those in the process promise besides on these.
macro_rules! logs {
    (every { $($name:ident)* } whole { $($whole:ident)* }) => {
        on! { memory: $($name)* $($whole)* }
        on! { sqlite: $($name)* $($whole)* }
        on! { kafka: $($name)* }
    };
}

logs! {
    every {
    records_are_read_back_in_order_with_their_positions
    one_append_goes_to_several_partitions
    an_empty_append_changes_nothing
    concurrent_appenders_lose_nothing_and_keep_their_order
    a_read_begins_anywhere
    a_read_brings_at_most_its_limit
    a_read_of_many_megabytes_stops_short_and_goes_on
    a_read_at_the_end_is_empty_and_beyond_it_an_error
    an_unknown_partition_is_refused
    a_record_too_large_is_refused_with_all_beside_it
    records_of_any_bytes_are_kept
    a_reader_beside_an_appender_sees_no_holes
    a_wait_ends_when_a_record_comes_and_soon_in_any_case
    }
    whole {
    a_reader_beside_an_appender_sees_whole_appends
    }
}

fn to(partition: u32, text: impl Into<Vec<u8>>) -> Appending {
    Appending { partition: Partition(partition), bytes: text.into() }
}

fn at(partition: u32, offset: Offset) -> Position {
    Position { partition: Partition(partition), offset }
}

fn texts(stretch: &Stretch) -> Vec<String> {
    stretch.iter().map(|(_, record)| String::from_utf8(record.to_vec()).unwrap()).collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Appends the numbers 0 to `count` to partition 0 and answers the offset of the first.
async fn append_numbers(log: &impl EventLog, count: usize) -> Offset {
    let records = numbers(0..count).into_iter().map(|number| to(0, number)).collect();
    log.append(records).await.unwrap()[0].offset
}

async fn ends(log: &impl EventLog) -> Vec<Offset> {
    let mut ends = Vec::new();
    for partition in 0..PARTITIONS {
        ends.push(log.end(Partition(partition)).await.unwrap());
    }
    ends
}

async fn records_are_read_back_in_order_with_their_positions(log: Arc<impl EventLog>) {
    let first = log.end(Partition(1)).await.unwrap();
    let positions = log.append(vec![to(1, "a"), to(1, "b")]).await.unwrap();
    assert_eq!(positions, [at(1, first), at(1, first.plus(1))]);
    assert_eq!(log.append(vec![to(1, "c")]).await.unwrap(), [at(1, first.plus(2))]);
    assert_eq!(log.end(Partition(1)).await.unwrap(), first.plus(3));

    let stretch = log.read(Partition(1), first, 100).await.unwrap();
    assert_eq!(stretch.first, first);
    assert_eq!(stretch.next(), first.plus(3));
    assert_eq!(texts(&stretch), ["a", "b", "c"]);
}

async fn one_append_goes_to_several_partitions(log: Arc<impl EventLog>) {
    let begin = ends(&*log).await;
    let positions = log.append(vec![to(2, "a"), to(0, "b"), to(2, "c"), to(1, "d")]).await.unwrap();
    assert_eq!(positions, [at(2, begin[2]), at(0, begin[0]), at(2, begin[2].plus(1)), at(1, begin[1])]);

    for (partition, expected) in [(0, &["b"][..]), (1, &["d"]), (2, &["a", "c"])] {
        let stretch = log.read(Partition(partition), begin[partition as usize], 100).await.unwrap();
        assert_eq!(texts(&stretch), expected);
    }
}

async fn an_empty_append_changes_nothing(log: Arc<impl EventLog>) {
    let before = ends(&*log).await;
    assert_eq!(log.append(Vec::new()).await.unwrap(), []);
    assert_eq!(ends(&*log).await, before);
}

async fn concurrent_appenders_lose_nothing_and_keep_their_order(log: Arc<impl EventLog>) {
    const APPENDERS: usize = 64;
    const APPENDS: usize = 20;
    let begin = ends(&*log).await;
    let appenders = (0..APPENDERS).map(|appender| {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            let mut appended = Vec::new();
            for append in 0..APPENDS {
                let count = 1 + (appender + append) % 3;
                let records: Vec<_> = (0..count)
                    .map(|n| to(((appender + append * n) % 3) as u32, format!("{appender}.{append}.{n}")))
                    .collect();
                let positions = log.append(records.clone()).await.unwrap();
                appended.extend(positions.into_iter().zip(records));
            }
            appended
        })
    });
    let mut count = 0;
    let mut last = vec![[None; PARTITIONS as usize]; APPENDERS];
    for (appender, appended) in appenders.collect::<Vec<_>>().into_iter().enumerate() {
        for (position, record) in appended.await.unwrap() {
            assert_eq!(position.partition, record.partition);
            let stretch = log.read(position.partition, position.offset, 1).await.unwrap();
            assert_eq!(stretch.get(0), record.bytes, "at {position}");
            let last = last[appender][position.partition.0 as usize].replace(position.offset);
            assert!(last < Some(position.offset), "appender {appender} at {position} after {last:?}");
            count += 1;
        }
    }
    let end = ends(&*log).await;
    let total: u64 = begin.iter().zip(&end).map(|(begin, end)| end.0 - begin.0).sum();
    assert_eq!(total, count, "every record has a place of its own");
}

async fn a_read_begins_anywhere(log: Arc<impl EventLog>) {
    const COUNT: usize = 1000;
    let first = append_numbers(&*log, COUNT).await;
    for skip in [0, 1, 255, 256, 257, 511, 700, COUNT - 1] {
        let stretch = log.read(Partition(0), first.plus(skip), COUNT).await.unwrap();
        assert_eq!(stretch.first, first.plus(skip));
        assert_eq!(texts(&stretch), numbers(skip..COUNT));
    }
}

async fn a_read_brings_at_most_its_limit(log: Arc<impl EventLog>) {
    let first = append_numbers(&*log, 1000).await;
    for (skip, limit) in [(0, 1), (0, 256), (0, 257), (100, 200), (255, 2), (990, 10)] {
        let stretch = log.read(Partition(0), first.plus(skip), limit).await.unwrap();
        assert_eq!(texts(&stretch), numbers(skip..skip + limit));
    }
    assert_eq!(log.read(Partition(0), first, 0).await.unwrap(), Stretch::new(first));
}

async fn a_read_of_many_megabytes_stops_short_and_goes_on(log: Arc<impl EventLog>) {
    const COUNT: usize = 70;
    let first = log.end(Partition(0)).await.unwrap();
    for number in 0..COUNT {
        log.append(vec![to(0, vec![number as u8; MAX_RECORD])]).await.unwrap();
    }
    let (mut reads, mut next) = (0, first);
    while next < first.plus(COUNT) {
        let stretch = log.read(Partition(0), next, usize::MAX).await.unwrap();
        for (offset, record) in stretch.iter() {
            assert!(
                record.len() == MAX_RECORD && record.iter().all(|byte| first.plus((*byte).into()) == offset)
            );
        }
        assert!(!stretch.is_empty());
        reads += 1;
        next = stretch.next();
    }
    assert_eq!(reads, 3, "70 MiB are three reads of at most about 32");
}

async fn a_read_at_the_end_is_empty_and_beyond_it_an_error(log: Arc<impl EventLog>) {
    append_numbers(&*log, 10).await;
    let end = log.end(Partition(0)).await.unwrap();
    assert_eq!(log.read(Partition(0), end, 10).await.unwrap(), Stretch::new(end));
    for from in [end.plus(1), Offset(u64::MAX)] {
        let error = log.read(Partition(0), from, 10).await.unwrap_err();
        assert!(
            matches!(error, LogError::BeyondEnd { partition: Partition(0), from: f, end: e } if (f, e) == (from, end)),
            "{error:?}"
        );
    }
}

async fn an_unknown_partition_is_refused(log: Arc<impl EventLog>) {
    assert_eq!(log.partitions(), PARTITIONS);
    let before = ends(&*log).await;
    let unknown = Partition(PARTITIONS);
    let is_unknown = |error| matches!(error, LogError::UnknownPartition { partition, partitions: PARTITIONS } if partition == unknown);
    assert!(is_unknown(log.append(vec![to(0, "a"), to(PARTITIONS, "b")]).await.unwrap_err()));
    assert!(is_unknown(log.read(unknown, Offset(0), 1).await.unwrap_err()));
    assert!(is_unknown(log.end(unknown).await.unwrap_err()));
    assert_eq!(ends(&*log).await, before);
}

async fn a_record_too_large_is_refused_with_all_beside_it(log: Arc<impl EventLog>) {
    let before = ends(&*log).await;
    let error = log.append(vec![to(0, "a"), to(1, vec![0; MAX_RECORD + 1])]).await.unwrap_err();
    assert!(matches!(error, LogError::TooLarge { bytes } if bytes == MAX_RECORD + 1), "{error:?}");
    assert_eq!(ends(&*log).await, before);
}

async fn records_of_any_bytes_are_kept(log: Arc<impl EventLog>) {
    let records: [Vec<u8>; 4] = [vec![], vec![0, 0xff, b'\n'], vec![7; MAX_RECORD], vec![]];
    let first = log.end(Partition(2)).await.unwrap();
    log.append(records.iter().map(|record| to(2, record.clone())).collect()).await.unwrap();
    let stretch = log.read(Partition(2), first, 10).await.unwrap();
    assert!(stretch.iter().map(|(_, record)| record).eq(records.iter().map(Vec::as_slice)));
}

async fn a_reader_beside_an_appender_sees_no_holes(log: Arc<impl EventLog>) {
    follow(log, |_| {}).await;
}

async fn a_reader_beside_an_appender_sees_whole_appends(log: Arc<impl EventLog>) {
    follow(log, |seen| assert_eq!(seen % 3, 0, "an append is seen whole")).await;
}

/// Reads beside somebody who appends three numbers at a time; `check` is told after each read how many were seen.
async fn follow(log: Arc<impl EventLog>, check: impl Fn(u64)) {
    const APPENDS: usize = 200;
    let first = log.end(Partition(0)).await.unwrap();
    let appender = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            for append in 0..APPENDS {
                let records = (0..3).map(|n| to(0, (append * 3 + n).to_string())).collect();
                log.append(records).await.unwrap();
            }
        }
    });
    let mut next = first;
    while next < first.plus(APPENDS * 3) {
        let stretch = log.read(Partition(0), next, usize::MAX).await.unwrap();
        let seen = (next.0 - first.0) as usize;
        assert_eq!(texts(&stretch), numbers(seen..seen + stretch.len()));
        next = stretch.next();
        check(next.0 - first.0);
    }
    appender.await.unwrap();
}

async fn a_wait_ends_when_a_record_comes_and_soon_in_any_case(log: Arc<impl EventLog>) {
    const SOON: Duration = Duration::from_secs(5);
    let first = log.end(Partition(0)).await.unwrap();
    let began = Instant::now();
    log.wait(Partition(0), first).await;
    log.wait(Partition(PARTITIONS), first).await;
    log.wait(Partition(0), first.plus(1)).await;
    assert!(began.elapsed() < SOON, "nothing came");

    let follower = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            let mut next = first;
            while next < first.plus(100) {
                log.wait(Partition(0), next).await;
                next = log.read(Partition(0), next, 1000).await.unwrap().next();
            }
        }
    });
    for number in numbers(0..100) {
        log.append(vec![to(0, number)]).await.unwrap();
    }
    tokio::time::timeout(SOON, follower).await.expect("a follower that waits is not behind").unwrap();
}
