use std::time::{Duration, Instant};

use eventlog::{EventLog, KafkaLog, LogError};
use ledger::{Offset, Partition};
use services::Broker;

use crate::world::{Topic, append, read, to};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_was_killed_and_comes_back_loses_nothing() {
    let broker = Broker::start();
    let topic = Topic::on(broker.address());
    let log = topic.create("genesis", 1).await.unwrap();
    append(&log, &["a"]).await;
    assert_eq!(read(&log, 0).await.unwrap(), ["genesis", "a"]);
    broker.kill();
    let (appended, ()) = tokio::join!(log.append(vec![to(0, "b")]), async {
        let broker = &broker;
        tokio::task::block_in_place(|| broker.restart());
    });
    assert_eq!(appended.unwrap()[0].offset, Offset(2));
    assert_eq!(read(&log, 2).await.unwrap(), ["b"]);
    append(&log, &["c"]).await;
    assert_eq!(read(&log, 3).await.unwrap(), ["c"]);
    assert_eq!(read(&log, 0).await.unwrap(), ["genesis", "a", "b", "c"]);
}

#[tokio::test]
async fn what_was_sent_to_a_broker_that_does_not_answer_is_unknown() {
    let broker = Broker::start();
    let topic = Topic::on(broker.address());
    topic.create("genesis", 1).await.unwrap();
    let config = topic.config().with_sending(Duration::from_secs(1)).with_patience(Duration::from_secs(2));
    let log = KafkaLog::open(config).await.unwrap();
    append(&log, &["a"]).await;
    assert_eq!(read(&log, 0).await.unwrap(), ["genesis", "a"]);
    broker.freeze();
    let unknown = log.append(vec![to(0, "b")]).await.unwrap_err();
    let unread = log.end(Partition(0)).await.unwrap_err();
    broker.thaw();
    assert!(matches!(unknown, LogError::Unknown(_)), "{unknown:?}");
    assert!(matches!(unread, LogError::Broker(_) | LogError::Silent { .. }), "{unread:?}");

    append(&log, &["c"]).await;
    let all = read(&log, 0).await.unwrap();
    let (with, without) = (["genesis", "a", "b", "c"].as_slice(), ["genesis", "a", "c"].as_slice());
    assert!(all == with || all == without, "it is there or it is not: {all:?}");
}

#[tokio::test]
async fn a_broker_that_takes_too_little_is_not_sent_ever_more() {
    const MANY: usize = 20;
    let broker = Broker::start();
    let topic = Topic::on(broker.address());
    let log = std::sync::Arc::new(topic.create("genesis", 1).await.unwrap());
    broker.freeze();
    let large = || (0..10).map(|_| to(0, vec![7; 1 << 20])).collect::<Vec<_>>();
    let appends: Vec<_> = (0..MANY)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move { log.append(large()).await })
        })
        .collect();
    let began = Instant::now();
    while appends.iter().filter(|append| append.is_finished()).count() < MANY - 6 {
        assert!(began.elapsed() < Duration::from_secs(10), "those that find no room are told at once");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    broker.thaw();
    let mut appended = 0;
    for append in appends {
        match append.await.unwrap() {
            Ok(positions) => appended += positions.len(),
            Err(error) => assert!(matches!(error, LogError::Shed), "{error:?}"),
        }
    }
    assert_eq!(appended, 60, "64 MiB have room for six of them");
    assert_eq!(log.end(Partition(0)).await.unwrap(), Offset(61), "what was shed is not there");
}
