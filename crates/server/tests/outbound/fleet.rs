//! Several nodes, projections in Postgres: one at a time writes a partition, and another one goes on where it died.

use std::fs::OpenOptions;
use std::process::Stdio;
use std::time::Duration;

use crate::chance::Chance;
use crate::drawdown::{IMAGES, event, until};
use crate::messages::{Messages, Outbound};
use crate::node::Node;
use crate::world::World;

const PARTITIONS: u32 = 4;
const ALL: &str = "projector,scheduler,outbound";

struct Fleet {
    world: World,
    topic: Outbound,
    sent: u32,
}

impl Fleet {
    fn new() -> Self {
        let world = World::new(PARTITIONS);
        let file = world.drawdown.file("world.yaml", IMAGES);
        world.json(&["apply", &file]);
        Self { world, topic: Outbound::on(services::kafka()), sent: 0 }
    }

    fn node(&self, name: &str, roles: &str) -> Node {
        self.node_as(name, roles, None)
    }

    /// A node, which may be told another address of the database.
    fn node_as(&self, name: &str, roles: &str, store: Option<&str>) -> Node {
        let path = self.world.drawdown.data().with_file_name(format!("{name}.log"));
        let said = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        let args = ["run", "--roles", roles, "--node", name, "--to-topic", &self.topic.url];
        let mut command = self.world.command(&args);
        if let Some(store) = store {
            command.env("DRAWDOWN_STORE", store);
        }
        Node::start(name, path, command.stdout(Stdio::null()).stderr(said))
    }

    fn ingest(&mut self, count: u32) {
        let ids = self.sent..self.sent + count;
        self.sent += count;
        let events: String = ids.map(|n| event(n, &format!("team-{}", n % 40))).collect();
        let file = self.world.drawdown.file("usage.ndjson", events);
        self.world.json(&["ingest", &file]);
    }

    fn settle(&self) -> (Vec<Messages>, usize) {
        self.world.settle(Duration::from_secs(60));
        let store = self.world.wait_for(self.world.store());
        let found = self.topic.settle(&store, PARTITIONS);
        self.world.wait_for(store.close()).unwrap();
        found
    }
}

#[test]
fn of_several_nodes_one_writes_and_another_goes_on_when_it_is_killed() {
    const KILLS: u64 = 6;
    let (mut fleet, mut chance) = (Fleet::new(), Chance::told());
    let mut nodes = vec![fleet.node("n0", ALL), fleet.node("n1", ALL)];
    fleet.ingest(2_000);
    fleet.settle();
    for kill in 0..KILLS {
        fleet.ingest(4_000);
        std::thread::sleep(Duration::from_millis(chance.below(800)));
        nodes.remove(chance.below(2) as usize).kill();
        nodes.push(fleet.node(&format!("n{}", kill + 2), ALL));
        if chance.below(2) == 0 {
            std::thread::sleep(Duration::from_secs(3));
        }
    }
    let (read, doubles) = fleet.settle();
    println!("{KILLS} nodes killed, {} messages, {doubles} twice", read.iter().flatten().count());
    nodes.into_iter().for_each(Node::stop);
}

#[test]
fn a_node_that_was_frozen_makes_doubles_at_most() {
    let mut fleet = Fleet::new();
    let mut nodes = [fleet.node("one", ALL), fleet.node("two", ALL)];
    fleet.ingest(2_000);
    fleet.settle();
    for round in 0..3 {
        let frozen = &mut nodes[round % 2];
        fleet.ingest(3_000);
        frozen.send("-STOP");
        fleet.ingest(3_000);
        fleet.settle();
        nodes[round % 2].send("-CONT");
        fleet.ingest(1_000);
        fleet.settle();
    }
    let (read, doubles) = fleet.settle();
    println!("{} messages, {doubles} twice", read.iter().flatten().count());
    let stands_by = |node: &Node| node.said().contains("this one stands by");
    println!("stood by: {:?}", nodes.each_ref().map(stands_by));
    nodes.into_iter().for_each(Node::stop);
}

#[test]
fn a_sender_beside_projectors_sends_on_while_the_projections_are_made_anew() {
    let mut fleet = Fleet::new();
    let projector = fleet.world.node("projector");
    let sender = fleet.node("sender", "outbound");
    fleet.ingest(3_000);
    let (before, doubles) = fleet.settle();
    assert_eq!(doubles, 0, "nothing failed, so nothing was sent twice");
    projector.stop();
    fleet.world.json(&["rebuild"]);
    let projector = fleet.world.node("projector");
    fleet.ingest(3_000);
    let (after, doubles) = fleet.settle();
    assert_eq!(doubles, 0, "what is folded again is not sent again");
    for (before, after) in before.iter().zip(&after) {
        assert!(!before.is_empty());
        assert_eq!(before[..], after[..before.len()], "what was sent stays");
    }
    let owners = fleet.world.partitions().iter().all(|part| part["owner"] == "projector");
    assert!(owners, "a sender folds nothing");
    sender.stop();
    projector.stop();
}

#[test]
fn a_database_from_an_older_copy_sends_nothing_that_was_sent() {
    let mut fleet = Fleet::new();
    let start = |fleet: &Fleet| (fleet.world.node("projector"), fleet.node("sender", "outbound"));
    let (projector, sender) = start(&fleet);
    fleet.ingest(3_000);
    fleet.settle();
    projector.stop();
    sender.stop();
    let (name, copy) = (fleet.world.database().to_owned(), format!("{}_copy", fleet.world.database()));
    fleet.world.on_server(&format!("create database {copy} template {name}"));

    let (projector, sender) = start(&fleet);
    fleet.ingest(3_000);
    let (before, _) = fleet.settle();
    projector.stop();
    fleet.world.on_server(&format!("drop database {name} with (force)"));
    fleet.world.on_server(&format!("alter database {copy} rename to {name}"));
    let projector = fleet.world.node("projector");
    fleet.ingest(1_000);
    let (after, doubles) = fleet.settle();
    assert_eq!(doubles, 0, "what the older copy lacked is folded again, and not sent again");
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before[..], after[..before.len()], "what was sent stays");
    }
    projector.stop();
    sender.stop();
}

#[test]
fn a_sender_needs_no_right_to_write_to_the_database() {
    let mut fleet = Fleet::new();
    let name = fleet.world.database().to_owned();
    fleet.world.on_server(&format!("create role {name}_sender login password 'known' in role {name}_reader"));
    let (_, server) = services::postgres().split_once('@').unwrap();
    let (server, _) = server.split_once('/').unwrap();
    let projector = fleet.world.node("projector");
    let reader = format!("postgres://{name}_sender:known@{server}/{name}");
    let sender = fleet.node_as("sender", "outbound", Some(&reader));
    fleet.ingest(1_000);
    let (_, doubles) = fleet.settle();
    assert_eq!(doubles, 0, "nothing failed, so nothing was sent twice");
    sender.stop();
    projector.stop();
    fleet.world.on_server(&format!("drop role {name}_sender"));
}

#[test]
fn a_topic_that_is_deleted_while_it_is_written_gets_everything_again() {
    let mut fleet = Fleet::new();
    let node = fleet.node("one", ALL);
    fleet.ingest(2_000);
    fleet.settle();
    let config = fleet.topic.config();
    fleet.topic.wait_for(eventlog::KafkaLog::delete(&config)).unwrap();
    fleet.ingest(500);
    until("it says that nothing is sent", || node.said().contains("are not sent"));
    let making = eventlog::TopicWriter::open(config, PARTITIONS, 2 << 20);
    let made = fleet.topic.wait_for(making).unwrap();
    assert_eq!(made.partitions(), PARTITIONS);
    let (read, _) = fleet.settle();
    println!("{} messages", read.iter().flatten().count());
    node.stop();
}
