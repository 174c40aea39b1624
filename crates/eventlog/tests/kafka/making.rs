use eventlog::{EventLog, LogError};
use ledger::{Offset, Partition};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::world::{PATIENCE, Topic, append, read};

#[tokio::test]
async fn a_new_log_begins_with_its_genesis_in_each_partition() {
    let topic = Topic::new();
    let log = topic.create("genesis", 3).await.unwrap();
    for log in [log, topic.open().await.unwrap()] {
        assert_eq!(log.partitions(), 3);
        for partition in (0..3).map(Partition) {
            assert_eq!(log.end(partition).await.unwrap(), Offset(1));
            assert_eq!(log.read(partition, Offset(0), 9).await.unwrap().get(0), b"genesis");
        }
    }
    let again = topic.create("another", 3).await.err().unwrap();
    assert!(matches!(again, LogError::Exists { .. }), "{again:?}");
}

#[tokio::test]
async fn a_log_that_is_ready_sends_at_once() {
    let topic = Topic::new();
    topic.create("genesis", 1).await.unwrap();
    let log = topic.open().await.unwrap();
    log.ready().await.unwrap();
    // Before it is ready, a first record waits until a half second after the opening has passed.
    let began = std::time::Instant::now();
    append(&log, &["a"]).await;
    assert!(began.elapsed() < PATIENCE / 2);
    log.close().await.unwrap();
    assert_eq!(read(&log, 1).await.unwrap(), ["a"]);
}

#[tokio::test]
async fn a_log_that_is_not_there_is_not_made_by_opening_it() {
    let topic = Topic::new();
    for _ in 0..2 {
        let error = topic.open().await.err().unwrap();
        assert!(matches!(&error, LogError::NoTopic { topic: name } if name == topic.name()), "{error:?}");
    }
    let error = topic.create("genesis", 0).await.err().unwrap();
    assert!(matches!(error, LogError::Empty { .. }), "{error:?}");
}

#[tokio::test]
async fn a_log_that_was_made_half_is_finished_with_the_genesis_it_has() {
    let topic = Topic::new();
    let forever = [("retention.ms", "-1"), ("retention.bytes", "-1"), ("max.message.bytes", "2097152")];
    topic.make(3, &forever).await;
    let error = topic.open().await.err().unwrap();
    assert!(matches!(error, LogError::Unfinished { partition: Partition(0) }), "{error:?}");

    let producer: BaseProducer = topic.client().create().unwrap();
    producer.send(BaseRecord::<(), str>::to(topic.name()).partition(0).payload("first")).unwrap();
    producer.flush(PATIENCE).unwrap();
    let error = topic.open().await.err().unwrap();
    assert!(matches!(error, LogError::Unfinished { partition: Partition(1) }), "{error:?}");

    let log = topic.create("second", 3).await.unwrap();
    for partition in (0..3).map(Partition) {
        assert_eq!(log.end(partition).await.unwrap(), Offset(1));
        assert_eq!(log.read(partition, Offset(0), 9).await.unwrap().get(0), b"first");
    }
}

#[tokio::test]
async fn two_who_make_a_log_at_once_make_one() {
    let topic = Topic::new();
    let (one, two) = tokio::join!(topic.create("one", 2), topic.create("two", 2));
    let (winner, other) = if one.is_ok() { ("one", two) } else { ("two", one) };
    assert!(matches!(other.err().unwrap(), LogError::Exists { .. }));
    let log = topic.open().await.unwrap();
    assert_eq!(read(&log, 0).await.unwrap(), [winner]);
    assert_eq!(log.end(Partition(1)).await.unwrap(), Offset(1));
}

#[tokio::test]
async fn a_topic_that_would_forget_is_refused() {
    let topic = Topic::new();
    topic.create("genesis", 1).await.unwrap();
    for (name, wrong) in [
        ("retention.ms", "1000"),
        ("retention.bytes", "1000000"),
        ("cleanup.policy", "compact"),
        ("max.message.bytes", "1000000"),
    ] {
        topic.set(name, wrong).await;
        let error = topic.open().await.err().unwrap();
        let is_told =
            matches!(&error, LogError::Setting { setting, value, .. } if setting == name && value == wrong);
        assert!(is_told, "{name}: {error:?}");
    }
    topic.set("retention.ms", "-1").await;
    append(&topic.open().await.unwrap(), &["a"]).await;
}

#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let topic = Topic::new();
    topic.create("genesis", 2).await.unwrap();
    let error = topic.create("genesis", 3).await.err().unwrap();
    let is_told = matches!(error, LogError::Partitions { partitions: 2, expected: 3, .. });
    assert!(is_told, "{error:?}");
    topic.add_partitions(3).await;
    let error = topic.open().await.err().unwrap();
    assert!(matches!(error, LogError::Unfinished { partition: Partition(2) }), "{error:?}");
}
