//! A disk without room, under the broker and under the database.

use std::time::{Duration, Instant};

use services::{Broker, Database, Disk};

use crate::chance::Chance;
use crate::load::{Fails, Load};
use crate::proof::settle_and_prove;
use crate::servers::{BETWEEN, at_work};
use crate::world::World;

/// How long there is load while there is no room.
const FULL: Duration = Duration::from_secs(4);

#[test]
fn a_broker_whose_disk_is_full_keeps_what_it_acknowledged() {
    let mut chance = Chance::told();
    let broker = Broker::on(Disk::new(64));
    let world = World::on(broker.address(), services::postgres(), 4);
    let (mut load, nodes) = at_work(&world);
    load.go_on_for(BETWEEN, &world, &mut chance, Fails::MayBe);
    broker.disk().fill();
    // A broker without any directory that it can write to ends itself.
    load_until(|| !broker.is_there(), &mut load, &world, &mut chance);
    broker.disk().free();
    broker.restart();
    load.go_on_for(BETWEEN, &world, &mut chance, Fails::MayBe);
    let files = load.finish(&world, &mut chance);
    let proven = settle_and_prove(&world, nodes, files);
    println!("the broker's disk was full ({}): {proven:?}", how(broker.disk()));
}

#[test]
fn a_database_whose_disk_is_full_costs_nothing_but_time() {
    let mut chance = Chance::told();
    let database = Database::on(Disk::new(200));
    let world = World::on(services::kafka(), database.url(), 4);
    let (mut load, nodes) = at_work(&world);
    load.go_on_for(BETWEEN, &world, &mut chance, Fails::Never);
    database.disk().fill();
    let is_told = || nodes.iter().any(|node| node.said().contains("the disk is full"));
    load_until(is_told, &mut load, &world, &mut chance);
    load.go_on_for(FULL, &world, &mut chance, Fails::Never);
    database.disk().free();
    // It may have ended itself.
    database.restart();
    load.go_on_for(BETWEEN, &world, &mut chance, Fails::Never);
    let files = load.finish(&world, &mut chance);
    for node in &nodes {
        assert!(!node.said().contains("stands still"), "{}", node.said());
    }
    let proven = settle_and_prove(&world, nodes, files);
    println!("the database's disk was full ({}): {proven:?}", how(database.disk()));
}

fn load_until(mut is_so: impl FnMut() -> bool, load: &mut Load, world: &World, chance: &mut Chance) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody has noticed that the disk is full");
        load.go_on_for(Duration::from_millis(100), world, chance, Fails::MayBe);
    }
}

fn how(disk: &Disk) -> &'static str {
    if disk.is_mounted() { "a file system of its own" } else { "its writes failed" }
}
