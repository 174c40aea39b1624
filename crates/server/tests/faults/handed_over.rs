//! How soon the partitions of a node are another's.

use std::time::{Duration, Instant};

use eventlog::{Appending, EventLog, KafkaLog};

use crate::chance::Chance;
use crate::load::Load;
use crate::node::Node;
use crate::poison::{an_event, now};
use crate::proof::settle_and_prove;
use crate::world::World;

const PARTITIONS: u32 = 4;
/// How often a node is killed, and stopped, unless the environment says more: DRAWDOWN_HANDOVERS. A figure needs twenty.
const ROUNDS: usize = 3;

#[test]
fn what_a_node_leaves_is_folded_by_the_other() {
    let rounds = std::env::var("DRAWDOWN_HANDOVERS").map_or(ROUNDS, |count| count.parse().unwrap());
    let world = World::new(PARTITIONS);
    let files = Load::new(&world).finish(&world, &mut Chance::told());
    let log = world.wait_for(world.log());
    // Without a scheduler, whose timers would move the heads too.
    let start = |name: &str| world.node_with(name, "projector");
    let (mut stays, mut goes) = (start("stays"), start("goes"));
    for (how, end) in [("killed", Node::kill as fn(Node)), ("stopped", Node::stop)] {
        let mut took = Vec::new();
        for round in 0..rounds {
            world.until_owned_by(&["stays", "goes"]);
            world.settle(Duration::from_secs(30));
            let before = Instant::now();
            end(goes);
            until_folded(&world, &log, &format!("{how}-{round}"));
            took.push(before.elapsed());
            assert!(stays.is_there(), "{}", stays.said());
            goes = start("goes");
        }
        took.sort();
        println!("{how}, {rounds} times: median {:?}, worst {:?}", took[rounds / 2], took[rounds - 1]);
    }
    settle_and_prove(&world, vec![stays, goes], files);
}

/// Appends an event to each partition, and waits until all are committed.
fn until_folded(world: &World, log: &KafkaLog, id: &str) {
    let mut events: Vec<Appending> = Vec::new();
    for n in 0.. {
        let event = an_event(&format!("{id}-{n}"), &format!("other-{n}"), now());
        if events.iter().all(|other| other.partition != event.partition) {
            events.push(event);
        }
        if events.len() == PARTITIONS as usize {
            break;
        }
    }
    let ends = world.wait_for(async {
        log.append(events).await.unwrap();
        let mut ends = 0;
        for partition in (0..PARTITIONS).map(ledger::Partition) {
            ends += log.end(partition).await.unwrap().0;
        }
        ends
    });
    let began = Instant::now();
    while world.sql("select sum(next)::text from head")[0][0] != ends.to_string() {
        assert!(began.elapsed() < Duration::from_secs(30), "not folded by the other");
        std::thread::sleep(Duration::from_millis(2));
    }
}
