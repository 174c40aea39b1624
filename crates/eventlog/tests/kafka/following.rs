//! Following the end of a log to which several processes append: what was appended here is not fetched, what others appended is.

use std::time::Duration;

use eventlog::{Appending, EventLog, KafkaLog};
use ledger::{Offset, Partition};
use tokio::time::timeout;

use crate::world::Topic;

const HERE: Partition = Partition(0);

async fn append(log: &KafkaLog, texts: &[String]) {
    let records = texts.iter().map(|text| Appending { partition: HERE, bytes: text.clone().into_bytes() });
    log.append(records.collect()).await.unwrap();
}

/// Follows the partition from an offset on until there are so many records.
async fn follow(log: &KafkaLog, mut next: Offset, until: u64) -> Vec<String> {
    let mut found = Vec::new();
    while next.0 < until {
        let stretch = log.read(HERE, next, 1_000).await.unwrap();
        assert_eq!(stretch.first, next);
        if stretch.is_empty() {
            log.wait(HERE, next).await;
        }
        found.extend(stretch.iter().map(|(_, record)| String::from_utf8(record.to_vec()).unwrap()));
        next = stretch.next();
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_append_between_is_read_in_its_place() {
    const ROUNDS: u64 = 300;
    let topic = Topic::new();
    let ours = topic.create("genesis", 1).await.unwrap();
    let theirs = topic.open().await.unwrap();
    let appending = |log, name: &'static str| async move {
        for n in 0..ROUNDS {
            // One, some, and more than are kept in memory.
            let count = [1, 1, 1, 3, 300][usize::try_from(n % 5).unwrap()];
            let texts: Vec<String> = (0..count).map(|i| format!("{name} {n} {i}")).collect();
            append(log, &texts).await;
            if n % 50 == 49 {
                // Long enough for whoever waits to look elsewhere.
                tokio::time::sleep(Duration::from_millis(80)).await;
            }
        }
    };
    let all = 1 + 2 * ROUNDS / 5 * 306;
    let (mine, others, ()) = timeout(Duration::from_secs(60), async {
        tokio::join!(follow(&ours, Offset(1), all), follow(&theirs, Offset(1), all), async {
            tokio::join!(appending(&ours, "ours"), appending(&theirs, "theirs"));
        })
    })
    .await
    .unwrap();
    assert_eq!(mine, others);
    let third = topic.open().await.unwrap();
    assert_eq!(mine, follow(&third, Offset(1), all).await, "as somebody reads it who appended nothing");
    for name in ["ours", "theirs"] {
        let of: Vec<&String> = mine.iter().filter(|text| text.starts_with(name)).collect();
        assert_eq!(of.len() as u64, ROUNDS / 5 * 306, "each record once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_falls_behind_the_newest_reads_on_from_the_broker() {
    let topic = Topic::new();
    let log = topic.create("genesis", 1).await.unwrap();
    let large = |n: u64| format!("{n} ").repeat(20_000);
    for n in 1..=100 {
        append(&log, &[large(n)]).await;
    }
    assert_eq!(follow(&log, Offset(1), 101).await, (1..=100).map(large).collect::<Vec<_>>());
    for n in 101..=110 {
        append(&log, &[large(n)]).await;
        assert_eq!(follow(&log, Offset(n), n + 1).await, [large(n)]);
    }
}
