//! Nodes whose clocks are wrong.

use std::time::Duration;

use services::Preload;

use crate::chance::{Chance, since_1970};
use crate::drawdown::{event, until};
use crate::load::{Fails, Load};
use crate::proof::settle_and_prove;
use crate::world::World;

/// In seconds.
const WRONG_BY: i64 = 3 * 3_600;

#[test]
fn a_node_whose_clock_is_wrong_folds_and_appends_nothing() {
    let mut chance = Chance::told();
    let (world, preload) = (World::new(4), Preload::new());
    let mut load = Load::new(&world);
    let wrong = |name: &str, by: i64| {
        world.node_by(name, "projector,scheduler", |command| {
            command.envs(preload.clock(by));
        })
    };
    let right = world.node("right");
    let nodes = vec![wrong("fast", WRONG_BY), wrong("slow", -WRONG_BY)];
    world.until_owned_by(&["right", "fast", "slow"]);
    load.go_on_for(Duration::from_secs(3), &world, &mut chance, Fails::Never);
    // What is left to those alone is folded too.
    right.kill();
    world.until_owned_by(&["fast", "slow"]);
    load.go_on_for(Duration::from_secs(3), &world, &mut chance, Fails::Never);
    for (node, says) in nodes.iter().zip(["s ahead of the database's", "s behind the database's"]) {
        node.until_it_says(says);
        assert!(!node.said().contains("its partition waits"), "{}", node.said());
    }
    refused_from_a_wrong_clock(&world, &preload);
    let files = load.finish(&world, &mut chance);
    world.settle(Duration::from_secs(60));
    let clocks = world.sql("select max(clock)::text, min(clock)::text from head where next > 1");
    let now = i64::try_from(since_1970().as_nanos()).unwrap();
    for clock in &clocks[0] {
        let ahead = clock.parse::<i64>().unwrap() - now;
        assert!(ahead.abs() < WRONG_BY * 1_000_000_000 / 2, "nothing bears a wrong time: {ahead}");
    }
    let appended = timers(&world);
    let right = world.node("right");
    until("what is due is seen to by a node whose clock is right", || timers(&world) > appended);
    let nodes = nodes.into_iter().chain([right]).collect();
    println!("two clocks wrong by {WRONG_BY} s: {:?}", settle_and_prove(&world, nodes, files));
}

/// Nobody can append from there: neither usage, nor what an operator wants, nor timers.
fn refused_from_a_wrong_clock(world: &World, preload: &Preload) {
    let usage = world.drawdown.file("wrong.ndjson", event("at a wrong time", "team-0"));
    let unit = world.drawdown.file("wrong.yaml", "{kind: unit, name: wrong}");
    for (by, says) in [(WRONG_BY, "s ahead of the database's"), (-WRONG_BY, "s behind the database's")] {
        for args in [&["ingest", &usage][..], &["apply", &unit], &["tick"]] {
            let ran: crate::drawdown::Ran =
                world.command(args).envs(preload.clock(by)).output().unwrap().into();
            ran.failed(1, &[says, "nothing is appended until both agree"]);
        }
    }
}

fn timers(world: &World) -> u64 {
    world.sql("select sum(timers)::text from head")[0][0].parse().unwrap()
}
