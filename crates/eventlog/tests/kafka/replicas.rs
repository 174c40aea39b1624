use std::time::Duration;

use eventlog::{EventLog, KafkaLog, LogError};
use rdkafka::consumer::{BaseConsumer, Consumer};
use services::Cluster;

use crate::world::{Topic, append, read, to};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_on_three_brokers_goes_on_without_one_and_takes_nothing_without_two() {
    let cluster = Cluster::start();
    let topic = Topic::on(&cluster.address());
    topic.create("genesis", 1).await.unwrap();
    let config = topic.config().with_sending(Duration::from_secs(20));
    let log = KafkaLog::open(config.clone()).await.unwrap();
    append(&log, &["a"]).await;
    assert_eq!(copies(&topic), [3]);
    assert_eq!(topic.setting("min.insync.replicas").await, "2");

    let [one, two, _] = cluster.brokers() else { panic!("there are three") };
    one.kill();
    append(&log, &["b"]).await;
    assert_eq!(read(&log, 0).await.unwrap(), ["genesis", "a", "b"]);
    log.close().await.unwrap();

    let impatient = config.with_sending(Duration::from_secs(2)).with_patience(Duration::from_secs(5));
    let log = KafkaLog::open(impatient).await.unwrap();
    two.kill();
    let unknown = log.append(vec![to(0, "c")]).await.unwrap_err();
    assert!(matches!(unknown, LogError::Unknown(_) | LogError::Broker(_)), "{unknown:?}");
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| one.restart());
            scope.spawn(|| two.restart());
        });
    });
    drop(log);

    let log = topic.open().await.unwrap();
    append(&log, &["d"]).await;
    let all = read(&log, 0).await.unwrap();
    let (with, without) = (["genesis", "a", "b", "c", "d"].as_slice(), ["genesis", "a", "b", "d"].as_slice());
    assert!(all == with || all == without, "what was acknowledged is there: {all:?}");
}

/// How many copies each partition has.
fn copies(topic: &Topic) -> Vec<usize> {
    let client: BaseConsumer = topic.client().create().unwrap();
    let metadata = client.fetch_metadata(Some(topic.name()), Duration::from_secs(10)).unwrap();
    metadata.topics()[0].partitions().iter().map(|partition| partition.replicas().len()).collect()
}
