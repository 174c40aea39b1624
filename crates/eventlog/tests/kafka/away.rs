use std::sync::Arc;
use std::time::{Duration, Instant};

use eventlog::{EventLog, KafkaLog, LogError, TopicMessage, TopicReader, TopicReading, TopicWriter, Until};
use ledger::{Offset, Partition};
use services::Broker;
use tokio::task::JoinSet;

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

/// A broker that hears nothing of itself for longer than its session leads no partition until it does again, and tells that there is
/// no broker. A client that asks meanwhile would believe that for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_took_itself_for_dead_is_used_again() {
    let broker = Broker::start();
    let (topic, products) = (Topic::on(broker.address()), Topic::on(broker.address()));
    let log = Arc::new(topic.create("genesis", 4).await.unwrap());
    let writer = Arc::new(TopicWriter::open(products.config(), 2, 1 << 20).await.unwrap());
    let reading = TopicReading { group: "g".into(), only: None, until: Until::Stopped };
    let mut reader = TopicReader::open(products.config(), reading).await.unwrap();
    for round in 0..3_u64 {
        let mut appending = JoinSet::new();
        for partition in (0..4).map(Partition) {
            let log = log.clone();
            appending.spawn(async move {
                tokio::time::sleep(Duration::from_millis(500 + 500 * u64::from(partition.0))).await;
                log.end(partition).await.unwrap();
                until_known(|| log.append(vec![to(partition.0, "again")])).await[0]
            });
        }
        let value = Some(round.to_string().into_bytes());
        let message = TopicMessage { value: value.clone(), ..TopicMessage::default() };
        let writing = tokio::spawn({
            let writer = writer.clone();
            async move {
                let messages = [(Partition(0), message)];
                until_known(|| writer.write(&messages)).await;
            }
        });
        for _ in 0..12 {
            broker.freeze();
            tokio::time::sleep(Duration::from_millis(300 + 60 * round)).await;
            broker.thaw();
            // It learns that its time is over, and has none to say that it lives.
            tokio::time::sleep(Duration::from_millis(1 + round)).await;
        }
        for at in appending.join_all().await {
            assert!(log.end(at.partition).await.unwrap() > at.offset);
            assert_eq!(log.read(at.partition, at.offset, 1000).await.unwrap().get(0), b"again");
        }
        writing.await.unwrap();
        let mut is_read = false;
        while !is_read {
            let batch = reader.next().await.unwrap().unwrap();
            is_read = batch.messages.iter().any(|received| received.message.value == value);
            reader.note(&batch).await.unwrap();
        }
    }
}

/// Sends again what may have been sent, until it surely was.
async fn until_known<T, F: Future<Output = Result<T, LogError>>>(send: impl Fn() -> F) -> T {
    loop {
        match send().await {
            Ok(sent) => return sent,
            Err(LogError::Unknown(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_broker_that_takes_too_little_is_not_sent_ever_more() {
    const MANY: usize = 20;
    let broker = Broker::start();
    let topic = Topic::on(broker.address());
    let log = Arc::new(topic.create("genesis", 1).await.unwrap());
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
