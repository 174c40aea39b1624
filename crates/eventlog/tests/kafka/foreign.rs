//! Topics that are no logs.

use std::time::Duration;

use eventlog::{LogError, TopicBatch, TopicMessage, TopicReader, TopicReading, TopicWriter, Until};
use ledger::Partition;

use crate::world::Topic;

fn reading(until: Until) -> TopicReading {
    TopicReading { group: "test-group".into(), only: None, until }
}

fn message(text: &str) -> TopicMessage {
    let headers = vec![("a".into(), Some(b"1".to_vec())), ("a".into(), None), ("b".into(), Some(vec![0xff]))];
    TopicMessage { key: Some(vec![0xfe]), value: Some(text.into()), headers }
}

async fn write(writer: &TopicWriter, partition: u32, texts: &[&str]) {
    let messages: Vec<_> = texts.iter().map(|text| (Partition(partition), message(text))).collect();
    writer.write(&messages).await.unwrap();
}

fn texts(batch: &TopicBatch) -> Vec<String> {
    let values = batch.messages.iter().map(|received| received.message.value.clone().unwrap());
    values.map(|value| String::from_utf8(value).unwrap()).collect()
}

/// What is read to the end, noted or not.
async fn rest(topic: &Topic, is_noted: bool) -> Vec<String> {
    let mut reader = TopicReader::open(topic.config(), reading(Until::End)).await.unwrap();
    let mut all = Vec::new();
    while let Some(batch) = reader.next().await.unwrap() {
        all.extend(texts(&batch));
        if is_noted {
            reader.note(&batch).await.unwrap();
        }
    }
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_reads_on_behind_what_it_noted() {
    let topic = Topic::new();
    let writer = TopicWriter::open(topic.config(), 2, 1 << 20).await.unwrap();
    assert_eq!((writer.partitions(), writer.last().await.unwrap()), (2, vec![None, None]));
    write(&writer, 0, &["a", "b"]).await;
    write(&writer, 1, &["c"]).await;
    let last = writer.last().await.unwrap();
    assert_eq!(last[0].as_ref().map(|last| &last.message), Some(&message("b")), "as it was sent");
    assert_eq!(last[1].as_ref().map(|last| last.at.to_string()).as_deref(), Some("1:0"));

    assert_eq!(rest(&topic, false).await, ["a", "b", "c"]);
    assert_eq!(rest(&topic, true).await, ["a", "b", "c"], "nothing was noted");
    assert!(rest(&topic, true).await.is_empty());
    write(&writer, 1, &["d"]).await;
    assert_eq!(rest(&topic, true).await, ["d"]);
    let again = TopicWriter::open(topic.config(), 5, 1 << 20).await.unwrap();
    assert_eq!(again.partitions(), 2, "a topic that is there is left as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_are_read_too() {
    let topic = Topic::new();
    let writer = TopicWriter::open(topic.config(), 1, 1 << 20).await.unwrap();
    write(&writer, 0, &["a"]).await;
    let mut reader = TopicReader::open(topic.config(), reading(Until::Stopped)).await.unwrap();
    assert_eq!(texts(&reader.next().await.unwrap().unwrap()), ["a"]);
    topic.add_partitions(2).await;
    let writer = TopicWriter::open(topic.config(), 2, 1 << 20).await.unwrap();
    write(&writer, 1, &["b"]).await;
    let next = tokio::time::timeout(Duration::from_secs(20), reader.next()).await.unwrap();
    assert_eq!(texts(&next.unwrap().unwrap()), ["b"]);
    write(&writer, 0, &["c"]).await;
    assert_eq!(texts(&reader.next().await.unwrap().unwrap()), ["c"], "nothing is read twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_deleted_is_told() {
    let topic = Topic::new();
    let writer = TopicWriter::open(topic.config(), 1, 1 << 20).await.unwrap();
    write(&writer, 0, &["a", "b"]).await;
    assert_eq!(rest(&topic, true).await, ["a", "b"]);
    drop(writer);
    topic.delete().await;
    let missing = TopicReader::open(topic.config(), reading(Until::End)).await.map(|_| ());
    assert!(matches!(missing, Err(LogError::NoTopic { .. })), "{missing:?}");
}
