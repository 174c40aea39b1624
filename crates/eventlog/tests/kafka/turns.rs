//! Many appends to few partitions: records that wait for those before them.

use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use eventlog::{Appending, EventLog, KafkaLog, LogError};
use ledger::{Offset, Partition, Position};
use services::Broker;
use tokio::time::timeout;

use crate::world::{PATIENCE, Topic, to};

/// All records of a partition.
async fn all(log: &KafkaLog, partition: Partition) -> Vec<Vec<u8>> {
    let (mut next, end) = (Offset(0), log.end(partition).await.unwrap());
    let mut found = Vec::new();
    while next < end {
        let stretch = log.read(partition, next, 1_000).await.unwrap();
        found.extend(stretch.iter().map(|(_, record)| record.to_vec()));
        if stretch.is_empty() {
            log.wait(partition, next).await;
        }
        next = stretch.next();
    }
    found
}

/// Some appends, one after the other, of one record to a dozen, to both partitions by turns and together.
async fn appends(log: Arc<KafkaLog>, who: usize) -> Vec<(Position, Vec<u8>)> {
    let mut there: Vec<(Position, Vec<u8>)> = Vec::new();
    for n in 0..12 {
        let record = |i| to(u32::try_from((who + n * i) % 2).unwrap(), format!("{who} {n} {i}"));
        let records: Vec<Appending> = (0..=(who + n) % 12).map(record).collect();
        let bytes: Vec<Vec<u8>> = records.iter().map(|record| record.bytes.clone()).collect();
        there.extend(log.append(records).await.unwrap().into_iter().zip(bytes));
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_wait_for_others_are_there_once_and_in_their_order() {
    let topic = Topic::new();
    let log = Arc::new(topic.create("genesis", 2).await.unwrap());
    let tasks: Vec<_> = (0..64).map(|who| tokio::spawn(appends(log.clone(), who))).collect();
    let mut count = 0;
    let mut found = [all(&log, Partition(0)).await, Vec::new()];
    for task in tasks {
        let there = timeout(PATIENCE, task).await.unwrap().unwrap();
        for partition in [Partition(0), Partition(1)] {
            let of_it = there.iter().filter(|(at, _)| at.partition == partition);
            let offsets: Vec<u64> = of_it.map(|(at, _)| at.offset.0).collect();
            assert!(offsets.is_sorted_by(|a, b| a < b), "{offsets:?}");
        }
        for (at, bytes) in there {
            let place = usize::try_from(at.partition.0).unwrap();
            let offset = usize::try_from(at.offset.0).unwrap();
            if found[place].len() <= offset {
                found[place] = all(&log, at.partition).await;
            }
            assert_eq!(found[place][offset], bytes);
            count += 1;
        }
    }
    assert_eq!(found.iter().map(Vec::len).sum::<usize>(), count + 2, "each once, after the first records");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_those_that_wait() {
    const APPENDS: u64 = 100;
    let topic = Topic::new();
    let log = topic.create("genesis", 1).await.unwrap();
    let mut appends: Vec<_> =
        (0..APPENDS).map(|n| Box::pin(log.append(vec![to(0, n.to_string())]))).collect();
    for append in &mut appends {
        // Each is asked for before the log is closed; nobody asks again until it is.
        poll_fn(|context| Poll::Ready(append.as_mut().poll(context).is_pending())).await;
    }
    log.close().await.unwrap();
    assert_eq!(topic.open().await.unwrap().end(Partition(0)).await.unwrap(), Offset(APPENDS + 1));
    for append in appends {
        timeout(Duration::from_secs(1), append).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_waits_behind_what_is_unknown_is_not_sent() {
    const APPENDS: u64 = 40;
    let broker = Broker::start();
    let topic = Topic::on(broker.address());
    topic.create("genesis", 1).await.unwrap();
    let config = topic.config().with_sending(Duration::from_secs(1)).with_patience(Duration::from_secs(2));
    let log = Arc::new(KafkaLog::open(config).await.unwrap());
    log.append(vec![to(0, "before")]).await.unwrap();
    broker.freeze();
    let append = |n: u64| {
        let log = log.clone();
        tokio::spawn(
            async move { (n.to_string(), log.append(vec![to(0, n.to_string())]).await.unwrap_err()) },
        )
    };
    let tasks: Vec<_> = (0..APPENDS).map(append).collect();
    let (mut unknown, mut refused) = (Vec::new(), Vec::new());
    for task in tasks {
        match timeout(PATIENCE, task).await.unwrap().unwrap() {
            (text, LogError::Unknown(_)) => unknown.push(text.into_bytes()),
            (text, LogError::Shed) => refused.push(text.into_bytes()),
            (text, error) => panic!("{text}: {error:?}"),
        }
    }
    broker.thaw();
    assert!(!unknown.is_empty() && unknown.len() < refused.len(), "{unknown:?} {refused:?}");
    log.append(vec![to(0, "after")]).await.unwrap();
    let found = all(&log, Partition(0)).await;
    assert!(
        refused.iter().all(|text| !found.contains(text)),
        "it was said that nothing was appended: {found:?}"
    );
    assert!(found[2..].iter().all(|text| text == b"after" || unknown.contains(text)), "{found:?}");
}
