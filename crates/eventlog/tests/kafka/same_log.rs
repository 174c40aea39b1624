use std::time::Instant;

use eventlog::{EventLog, KafkaLog, LogError};
use ledger::{Offset, Partition};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use services::Broker;

use crate::world::{PATIENCE, Topic, append, read};

/// Follows partition 0 until reading fails; what is read on the way may be another log's.
async fn failure(log: &KafkaLog, mut from: Offset) -> LogError {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        match log.read(Partition(0), from, 1000).await {
            Ok(stretch) => from = stretch.next(),
            Err(error) => return error,
        }
        log.wait(Partition(0), from).await;
    }
    panic!("nothing was noticed");
}

#[tokio::test]
async fn a_position_outside_the_log_is_an_error() {
    let topic = Topic::new();
    append(&topic.create("genesis", 1).await.unwrap(), &["a", "b"]).await;
    // Who appended them has them in memory.
    let log = topic.open().await.unwrap();
    assert_eq!(read(&log, 0).await.unwrap(), ["genesis", "a", "b"]);
    for from in [4, 1000, u64::MAX] {
        let error = read(&log, from).await.unwrap_err();
        assert!(matches!(error, LogError::BeyondEnd { end: Offset(3), .. }), "{error:?}");
    }
    assert_eq!(read(&log, 3).await.unwrap(), [""; 0]);

    topic.cut(0, 2).await;
    let error = read(&log, 1).await.unwrap_err();
    assert!(matches!(error, LogError::CutOff { first: Offset(2), .. }), "{error:?}");
    let error = topic.open().await.err().unwrap();
    assert!(matches!(error, LogError::CutOff { first: Offset(2), .. }), "{error:?}");
}

#[tokio::test]
async fn records_cut_off_are_noticed_while_reading_on() {
    let topic = Topic::new();
    let log = topic.create("genesis", 1).await.unwrap();
    append(&log, &["a", "b"]).await;
    assert_eq!(read(&log, 0).await.unwrap().len(), 3);
    topic.cut(0, 2).await;
    let error = failure(&log, Offset(3)).await;
    assert!(matches!(error, LogError::CutOff { first: Offset(2), .. }), "{error:?}");
    let error = log.append(vec![crate::world::to(0, "d")]).await.unwrap_err();
    assert!(matches!(error, LogError::CutOff { .. }), "nothing more is appended: {error:?}");
}

#[tokio::test]
async fn a_topic_made_again_is_noticed_where_it_is_shorter() {
    let topic = Topic::new();
    let log = topic.create("genesis", 1).await.unwrap();
    append(&log, &["a", "b", "c"]).await;
    assert_eq!(read(&log, 0).await.unwrap().len(), 4);
    topic.delete().await;
    topic.create("another", 1).await.unwrap();
    let error = failure(&log, Offset(4)).await;
    assert!(matches!(error, LogError::BeyondEnd { .. } | LogError::Replaced { .. }), "{error:?}");
    let again = read(&log, 0).await.unwrap_err();
    assert_eq!(again.to_string(), error.to_string(), "it stays halted");
}

#[tokio::test]
async fn a_topic_made_again_is_noticed_where_it_is_longer() {
    for genesis in ["another", "genesis"] {
        let topic = Topic::new();
        let log = topic.create("genesis", 1).await.unwrap();
        append(&log, &["a", "b"]).await;
        assert_eq!(read(&log, 0).await.unwrap().len(), 3);
        topic.delete().await;
        let other = topic.create(genesis, 1).await.unwrap();
        append(&other, &["x", "y", "z", "z", "z"]).await;
        let error = failure(&log, Offset(3)).await;
        let at = Offset(if genesis == "another" { 0 } else { 2 });
        assert!(matches!(error, LogError::Replaced { at: found, .. } if found == at), "{genesis}: {error:?}");
    }
}

#[tokio::test]
async fn a_topic_that_is_gone_is_an_error() {
    let topic = Topic::new();
    let log = topic.create("genesis", 1).await.unwrap();
    assert_eq!(read(&log, 0).await.unwrap(), ["genesis"]);
    topic.delete().await;
    let error = failure(&log, Offset(1)).await;
    assert!(matches!(error, LogError::NoTopic { .. }), "{error:?}");
}

#[tokio::test]
async fn another_cluster_at_the_same_address_is_noticed() {
    let broker = Broker::start();
    let topic = Topic::on(broker.address());
    let log = topic.create("genesis", 1).await.unwrap();
    append(&log, &["a"]).await;
    assert_eq!(read(&log, 0).await.unwrap(), ["genesis", "a"]);

    broker.replace();
    let other = topic.create("genesis", 1).await.unwrap();
    append(&other, &["a", "b"]).await;
    let error = log.append(vec![crate::world::to(0, "lost")]).await.unwrap_err();
    assert!(matches!(error, LogError::OtherCluster { .. }), "{error:?}");
    let error = failure(&log, Offset(2)).await;
    assert!(matches!(error, LogError::OtherCluster { .. }), "{error:?}");
    assert_eq!(read(&other, 0).await.unwrap(), ["genesis", "a", "b"]);
}

#[tokio::test]
async fn partitions_that_are_added_are_noticed() {
    let topic = Topic::new();
    let log = topic.create("genesis", 1).await.unwrap();
    assert_eq!(read(&log, 0).await.unwrap(), ["genesis"]);
    topic.add_partitions(2).await;
    let error = failure(&log, Offset(1)).await;
    assert!(matches!(error, LogError::Partitions { partitions: 2, expected: 1, .. }), "{error:?}");
}

#[test]
fn a_topic_whose_holes_are_read_over_is_noticed() {
    let test = "same_log::what_is_no_record_but_has_an_offset_is_a_hole";
    mutants::must_be_caught(
        mutants::Mutant::HoleIgnored,
        test,
        &[],
        &["no hole was found", "Silent", "BeyondEnd"],
    );
}

#[tokio::test]
async fn what_is_no_record_but_has_an_offset_is_a_hole() {
    let topic = Topic::new();
    let log = topic.create("genesis", 1).await.unwrap();
    let producer: BaseProducer = topic.client().set("transactional.id", topic.name()).create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    producer.send(BaseRecord::<(), str>::to(topic.name()).partition(0).payload("a")).unwrap();
    producer.commit_transaction(PATIENCE).unwrap();
    append(&log, &["b"]).await;
    let mut from = Offset(0);
    let error = loop {
        match log.read(Partition(0), from, 1000).await {
            Ok(stretch) if stretch.is_empty() => panic!("all was read, and no hole was found"),
            Ok(stretch) => from = stretch.next(),
            Err(error) => break error,
        }
    };
    // The transaction's end is at offset 2, or at 3 where it was written behind what came after.
    assert!(matches!(error, LogError::Hole { at: Offset(2 | 3), .. }), "{error:?}");
}
