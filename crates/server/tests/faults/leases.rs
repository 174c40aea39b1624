//! Nodes that lose what they hold without knowing it.

use std::time::{Duration, Instant};

use ledger::Partition;
use store::Store;

use crate::chance::Chance;
use crate::load::{Fails, Load};
use crate::proof::settle_and_prove;
use crate::world::World;

/// How often each node is frozen.
const FROZEN: u32 = 3;
/// Longer than a lease lives.
const PAST_ITS_LEASE: Duration = Duration::from_millis(2_500);

#[test]
fn a_node_that_was_frozen_past_its_leases_changes_nothing() {
    let mut chance = Chance::told();
    let world = World::new(4);
    let mut load = Load::new(&world);
    let mut nodes = vec![world.node("a"), world.node("b")];
    world.until_owned_by(&["a", "b"]);
    for _ in 0..FROZEN {
        for at in [0, 1] {
            nodes[at].send("-STOP");
            load.go_on_for(PAST_ITS_LEASE, &world, &mut chance, Fails::Never);
            world.until_owned_by(&[["b", "a"][at]]);
            nodes[at].send("-CONT");
            load.go_on_for(Duration::from_millis(300), &world, &mut chance, Fails::Never);
            world.until_owned_by(&["a", "b"]);
        }
    }
    let files = load.finish(&world, &mut chance);
    world.settle(Duration::from_secs(60));
    for node in &nodes {
        let said = node.said();
        assert!(said.contains("the partition is let go of"), "{}: {said}", node.name);
        assert!(!said.contains("stands still"), "{}: {said}", node.name);
    }
    let proven = settle_and_prove(&world, nodes, files);
    println!("each of 2 nodes frozen {FROZEN} times past its leases: {proven:?}");
}

#[test]
fn leases_that_are_stolen_again_and_again_change_nothing() {
    let mut chance = Chance::told();
    let world = World::new(4);
    let mut load = Load::new(&world);
    let nodes = vec![world.node("a"), world.node("b")];
    world.until_owned_by(&["a", "b"]);
    let (store, log) = world.wait_for(async {
        let log = world.log().await;
        (world.store().await, projector::log_id(&log).await.unwrap())
    });
    let (began, mut stolen) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(10) {
        load.go_on(&world, &mut chance, Fails::Never);
        world.wait_for(store.acquire(Partition(stolen % 4), &log)).unwrap();
        stolen += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    world.wait_for(store.close()).unwrap();
    let files = load.finish(&world, &mut chance);
    let proven = settle_and_prove(&world, nodes, files);
    println!("{stolen} leases stolen: {proven:?}");
    assert!(stolen > 4 && proven.acquired > 4, "they were taken back: {proven:?}");
}
