//! Records that nobody should have appended.

use std::time::Duration;

use eventlog::Appending;
use ingest::{Stamp, usage};
use ledger::{Instant, Partition};

use crate::chance::{Chance, since_1970};
use crate::drawdown::{event, until};
use crate::load::Load;
use crate::proof::settle_and_prove;
use crate::world::World;

const PARTITIONS: u32 = 4;

#[test]
fn what_is_no_record_is_set_aside_and_the_rest_goes_on() {
    let mut chance = Chance::told();
    let world = World::new(PARTITIONS);
    let load = Load::new(&world);
    let nodes = vec![world.node("a"), world.node("b")];
    let garbage = [b"".to_vec(), b"{".to_vec(), vec![0xff; 1_000], b"{\"v\":1}".to_vec()];
    let to =
        |(at, bytes): (usize, Vec<u8>)| Appending { partition: Partition(at as u32 % PARTITIONS), bytes };
    world.append(garbage.into_iter().enumerate().map(to).collect());
    let files = load.finish(&world, &mut chance);
    settle_and_prove(&world, nodes, files);
    let reasons = world.sql("select reason from quarantine order by partition, \"offset\"");
    println!("set aside: {reasons:?}");
    assert_eq!(reasons.len(), 4, "{reasons:?}");
}

#[test]
fn a_record_of_a_newer_build_stops_its_partition_and_no_other() {
    const STOPPED: u32 = 2;
    let mut chance = Chance::told();
    let world = World::new(PARTITIONS);
    let load = Load::new(&world);
    // Without a scheduler, which would go on appending.
    let mut nodes = ["a", "b"].map(|name| world.node_with(name, "projector"));
    world.until_owned_by(&["a", "b"]);
    world.settle(Duration::from_secs(30));
    let newer = String::from_utf8(an_event("a newer one", "team-0", now()).bytes).unwrap();
    let newer = newer.replace("\"type\":\"usage\"", "\"type\":\"usage.foreseen\"");
    assert!(newer.contains("usage.foreseen"), "{newer}");
    world.append(vec![Appending { partition: Partition(STOPPED), bytes: newer.into_bytes() }]);
    let stands_still = |node: &crate::node::Node| node.said().contains("stands still until this is mended");
    until("one of the nodes says that it stands still", || nodes.iter().any(stands_still));
    load.finish(&world, &mut chance);

    let lag = |partition: u32| world.partitions()[partition as usize]["lag"].as_u64().unwrap();
    until("the others are folded", || [0, 1, 3].into_iter().all(|partition| lag(partition) == 0));
    let stopped = world.partitions()[STOPPED as usize].clone();
    println!("status shows: {stopped}");
    assert!(stopped["lag"].as_u64().unwrap() > 100, "it shows how far it is behind: {stopped}");
    let why = stopped["halted"].as_str().unwrap();
    assert!(why.contains("usage.foreseen") && why.contains("run the newer build"), "it says why: {why}");
    assert!(stopped["lag_seconds"].as_f64().unwrap() > 0.0, "and for how long: {stopped}");
    let owner = nodes.iter().find(|node| stands_still(node)).unwrap();
    assert_eq!(stopped["owner"], owner.name.as_str(), "it is kept from a node of the same build");
    assert!(owner.said().contains("usage.foreseen"), "{}", owner.said());
    assert!(nodes.iter_mut().all(|node| node.is_there()));
    let verified = world.json(&["verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert_eq!(verified["behind"], stopped["lag"], "{verified}");
    for node in nodes {
        node.stop();
    }
}

#[test]
fn a_record_stamped_by_a_clock_that_is_ahead_waits_for_its_time() {
    let mut chance = Chance::told();
    let world = World::new(PARTITIONS);
    let load = Load::new(&world);
    let nodes = vec![world.node("a"), world.node("b")];
    world.until_owned_by(&["a", "b"]);
    // A minute ahead is borne; so it waits for some seconds.
    let record = an_event("ahead", "somebody", now().plus(68_000_000_000));
    let partition = record.partition.0;
    world.append(vec![record]);
    let waits = |node: &crate::node::Node| node.said().contains("ahead of the clock");
    until("its partition waits, and its node says so", || nodes.iter().any(waits));
    let waiting = world.partitions()[partition as usize]["lag"].as_u64().unwrap();
    assert!(waiting > 0, "it is not folded yet");
    let files = load.finish(&world, &mut chance);
    let proven = settle_and_prove(&world, nodes, files);
    let counts = "select count(*)::text from usage where wallet = 'somebody' and outcome = 'applied'";
    assert_eq!(world.sql(counts), [["1"]], "{proven:?}");
}

/// A usage event as ingest appends it, with a stamp of this time.
pub(crate) fn an_event(id: &str, wallet: &str, now: Instant) -> Appending {
    let event = event(id, wallet);
    let stamp = Stamp { now, by: "operator", backfill: false };
    usage(event.trim().as_bytes(), &stamp).unwrap().appending(PARTITIONS)
}

pub(crate) fn now() -> Instant {
    Instant(i64::try_from(since_1970().as_nanos()).unwrap())
}
