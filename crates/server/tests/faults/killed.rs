//! Processes that are killed at any moment.

use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::load::{Fails, Load};
use crate::node::Node;
use crate::proof::settle_and_prove;
use crate::world::World;

/// How many processes are killed, unless the environment says more: DRAWDOWN_FAULTS.
const KILLS: u64 = 100;
const PROJECTORS: u64 = 3;

/// How often which process was killed at work.
#[derive(Debug, Default)]
struct Killed {
    projectors: u64,
    schedulers: u64,
    producers: u64,
}

impl Killed {
    fn all(&self) -> u64 {
        self.projectors + self.schedulers + self.producers
    }
}

#[test]
fn every_acknowledged_event_counts_once_whichever_process_is_killed() {
    let kills = std::env::var("DRAWDOWN_FAULTS").map_or(KILLS, |count| count.parse().unwrap());
    let (began, mut chance) = (Instant::now(), Chance::told());
    let world = World::new(8);
    let mut load = Load::new(&world);
    let mut killed = Killed::default();
    let mut projectors: Vec<Node> =
        (0..PROJECTORS).map(|n| world.node_with(&format!("projector-{n}"), "projector")).collect();
    let mut scheduler = world.node_with("scheduler", "scheduler");
    while killed.all() < kills {
        load.go_on_for(Duration::from_millis(chance.below(700)), &world, &mut chance, Fails::Never);
        match chance.below(8) {
            0..4 => {
                let projector = projectors.remove(chance.below(PROJECTORS) as usize);
                // Under its old name it takes its partitions again at once, under a new one when its leases have run out.
                let name = match chance.below(2) {
                    0 => projector.name.clone(),
                    _ => format!("projector-{}", PROJECTORS + killed.projectors),
                };
                projector.kill();
                projectors.push(world.node_with(&name, "projector"));
                killed.projectors += 1;
            }
            4 => {
                scheduler.kill();
                scheduler = world.node_with("scheduler", "scheduler");
                killed.schedulers += 1;
            }
            _ => killed.producers += u64::from(load.kill_one(&mut chance)),
        }
    }
    let begun = load.begun;
    let files = load.finish(&world, &mut chance);
    projectors.push(scheduler);
    let proven = settle_and_prove(&world, projectors, files);
    println!("{killed:?}, {begun} ingests of {files} files, {proven:?}, {:?}", began.elapsed());
    assert!(killed.all() >= kills && killed.projectors > 0 && killed.producers > 0, "{killed:?}");
    assert!(proven.duplicates >= 2 * proven.applied, "each event is there three times at least: {proven:?}");
    assert!(proven.timers > 0, "the scheduler had work: {proven:?}");
    assert!(proven.acquired > killed.projectors, "what was killed had partitions: {proven:?}");
}
