//! What was there before is another thing now: the database's past, the topic, its end, the cluster.

use std::time::Duration;

use eventlog::{Appending, EventLog, KafkaLog};
use ledger::{Offset, Partition};
use services::Broker;

use crate::chance::Chance;
use crate::load::{Fails, Load};
use crate::node::Node;
use crate::proof::settle_and_prove;
use crate::world::World;

const PARTITIONS: u32 = 4;
/// The exit code of what does not go on by itself.
const HALTED: i32 = 6;

#[test]
fn a_database_from_an_older_copy_is_folded_on_from_where_it_stands() {
    let mut chance = Chance::told();
    let world = World::new(PARTITIONS);
    let mut load = Load::new(&world);
    let nodes = [world.node("a"), world.node("b")];
    load.go_on_for(Duration::from_secs(3), &world, &mut chance, Fails::Never);
    for node in nodes {
        node.stop();
    }
    let older = folded(&world);
    let copy = format!("{}_copy", world.database());
    world.on_server(&format!("create database {copy} template {}", world.database()));

    let nodes = vec![world.node("a"), world.node("b")];
    load.go_on_for(Duration::from_secs(3), &world, &mut chance, Fails::Never);
    let newer = folded(&world);
    world.on_server(&format!("drop database {} with (force)", world.database()));
    world.on_server(&format!("alter database {copy} rename to {}", world.database()));
    load.go_on_for(Duration::from_secs(3), &world, &mut chance, Fails::Never);
    let files = load.finish(&world, &mut chance);
    let proven = settle_and_prove(&world, nodes, files);
    println!("went back from {newer} to {older} records: {proven:?}");
    assert!(newer > older + 100, "there was something to go back by: {older}, {newer}");
}

#[test]
fn a_topic_that_was_deleted_and_made_again_is_not_folded() {
    let world = World::new(PARTITIONS);
    let nodes = folding(&world);
    let before = heads(&world);
    let nodes = while_frozen(nodes, || {
        world.wait_for(KafkaLog::delete(&world.config())).unwrap();
        world.json(&["init", "--partitions", &PARTITIONS.to_string()]);
        Load::of_usage().finish(&world, &mut Chance::told());
    });
    stand_still(&world, nodes, &["another record at offset"], &before);
    world.node("c").ends_with(HALTED, "was folded from log");
    for refuses in
        [vec!["verify"], vec!["apply", &world.drawdown.file("unit.yaml", "{kind: unit, name: more}")]]
    {
        world.run(&refuses).failed(HALTED, &["was folded from log"]);
    }
}

#[test]
fn a_topic_whose_last_records_are_gone_is_not_folded() {
    let world = World::new(PARTITIONS);
    let nodes = folding(&world);
    let before = heads(&world);
    let nodes = while_frozen(nodes, || world.wait_for(make_again_without_the_last(&world)));
    let words = ["is not the log that was read before", "the log is not the one that was folded before"];
    stand_still(&world, nodes, &words, &before);
    let node = world.node("c");
    node.until_it_says("stands still until this is mended");
    assert!(words.iter().any(|words| node.said().contains(words)), "{}", node.said());
    node.stop();
    assert_eq!(heads(&world), before);
}

#[test]
fn another_cluster_at_the_address_is_not_folded() {
    let broker = Broker::start();
    let world = World::on(broker.address(), services::postgres(), PARTITIONS);
    let nodes = folding(&world);
    let before = heads(&world);
    let nodes = while_frozen(nodes, || {
        broker.replace();
        world.json(&["init", "--partitions", &PARTITIONS.to_string()]);
        Load::of_usage().finish(&world, &mut Chance::told());
    });
    stand_still(&world, nodes, &["the log is on cluster"], &before);
    world.node("c").ends_with(HALTED, "was folded from log");
}

/// Two nodes that have folded something and wait for more.
fn folding(world: &World) -> [Node; 2] {
    let load = Load::new(world);
    // Without a scheduler, which would go on appending.
    let nodes = ["a", "b"].map(|name| world.node_with(name, "projector"));
    world.until_owned_by(&["a", "b"]);
    load.finish(world, &mut Chance::told());
    world.settle(Duration::from_secs(30));
    nodes
}

/// Does it while the nodes see nothing of it.
fn while_frozen(mut nodes: [Node; 2], does: impl FnOnce()) -> [Node; 2] {
    for node in &mut nodes {
        node.send("-STOP");
    }
    does();
    for node in &mut nodes {
        node.send("-CONT");
    }
    nodes
}

/// Each of the nodes says one of these, stands still, and has committed nothing.
fn stand_still(world: &World, nodes: [Node; 2], words: &[&str], before: &[Vec<String>]) {
    for node in &nodes {
        node.until_it_says("stands still until this is mended");
        assert!(words.iter().any(|words| node.said().contains(words)), "{words:?}: {}", node.said());
    }
    assert_eq!(heads(world), before, "nothing of the other log is committed");
    for node in nodes {
        node.stop();
    }
    assert_eq!(heads(world), before, "nor when the nodes end");
}

/// Makes the topic again with what was in it, but for the last records of each partition.
async fn make_again_without_the_last(world: &World) {
    const GONE: usize = 5;
    let log = world.log().await;
    let mut kept = Vec::new();
    for partition in (0..PARTITIONS).map(Partition) {
        let (end, mut all) = (log.end(partition).await.unwrap(), Vec::new());
        while (all.len() as u64) < end.0 {
            let stretch = log.read(partition, Offset(all.len() as u64), 10_000).await.unwrap();
            all.extend(stretch.iter().map(|(_, bytes)| Appending { partition, bytes: bytes.to_vec() }));
        }
        all.truncate(all.len() - GONE);
        kept.push(all);
    }
    drop(log);
    KafkaLog::delete(&world.config()).await.unwrap();
    let genesis = kept[0][0].bytes.clone();
    let log = KafkaLog::create(world.config(), genesis, PARTITIONS).await.unwrap();
    for records in kept {
        log.append(records.into_iter().skip(1).collect()).await.unwrap();
    }
    log.close().await.unwrap();
}

/// How many records are folded.
fn folded(world: &World) -> u64 {
    world.sql("select sum(next)::text from head")[0][0].parse().unwrap()
}

/// Where the partitions stand, whoever has them.
fn heads(world: &World) -> Vec<Vec<String>> {
    world.sql(
        "select partition::text, log, next::text, encode(chain, 'hex'), encode(digest, 'hex') from head order by partition",
    )
}
