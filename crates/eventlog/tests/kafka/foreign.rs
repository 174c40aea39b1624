//! Topics that are no logs.

use std::time::Duration;

use eventlog::{
    GaplessWriter, LogError, TopicBatch, TopicEnds, TopicMessage, TopicReader, TopicReading, TopicWriter,
    Until,
};
use ledger::{Offset, Partition};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_gapless_writer_says_where_its_messages_stand_and_whether_others_wrote() {
    let topic = Topic::new();
    let writer = GaplessWriter::open(topic.config(), 2, 1 << 20).await.unwrap();
    let messages = |texts: &[&str]| texts.iter().map(|text| message(text)).collect::<Vec<_>>();
    let write = |partition: u32, texts: Vec<TopicMessage>| {
        let writer = &writer;
        async move { writer.write(Partition(partition), &texts).await.unwrap() }
    };
    assert_eq!(write(1, messages(&["a", "b"])).await, Some(Offset(0)));
    assert_eq!(write(1, messages(&["c"])).await, Some(Offset(2)));
    assert_eq!(write(0, messages(&["d"])).await, Some(Offset(0)));
    let other = GaplessWriter::open(topic.config(), 2, 1 << 20).await.unwrap();
    assert_eq!(other.write(Partition(1), &messages(&["e"])).await.unwrap(), Some(Offset(3)));
    assert_eq!(write(1, messages(&["f"])).await, Some(Offset(4)), "an offset that was not to be expected");

    let ends = TopicEnds::new(topic.config()).unwrap();
    assert_eq!(ends.bounds(Partition(1)).await.unwrap(), (Offset(0), Offset(5)));
    assert_eq!(ends.last(Partition(1)).await.unwrap().unwrap().message, message("f"));
    assert_eq!((ends.partitions().await.unwrap(), ends.largest().await.unwrap()), (2, 1 << 20));
    let large = TopicMessage { value: Some(noise(1 << 21)), ..TopicMessage::default() };
    let refused = writer.write(Partition(0), &[large]).await;
    assert!(matches!(refused, Err(LogError::TooLarge { .. })), "{refused:?}");
    assert_eq!(write(0, messages(&["g"])).await, Some(Offset(1)), "it goes on after what was refused");
    topic.cut(1, 5).await;
    assert_eq!(ends.last(Partition(1)).await.unwrap(), None, "what was there is gone");
    assert_eq!(ends.bounds(Partition(1)).await.unwrap(), (Offset(5), Offset(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gapless_writer_waits_for_a_broker_that_is_away() {
    let broker = services::Broker::start();
    let topic = Topic::on(broker.address());
    // A message that is given up after a second would be a gap.
    let config = topic.config().with_sending(Duration::from_secs(1));
    let writer = GaplessWriter::open(config, 1, 1 << 20).await.unwrap();
    let many: Vec<TopicMessage> = (0..3_000).map(|n| message(&n.to_string())).collect();
    broker.kill();
    let writing = writer.write(Partition(0), &many);
    let away = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        tokio::task::block_in_place(|| broker.restart());
    };
    let (first, ()) = tokio::join!(writing, away);
    assert!(matches!(first, Ok(None | Some(Offset(0)))), "{first:?}");
    let read: Vec<usize> = rest(&topic, false).await.iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(read.len(), 3_000, "each is there once");
    topic.delete().await;
}

/// Bytes that do not get fewer when they are compressed.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}
