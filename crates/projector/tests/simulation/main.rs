//! The simulation: nodes, projectors and schedulers as they are, over a log, a store and a clock that are simulated, to which
//! everything happens that a seed leads to.
//!
//! `DRAWDOWN_SEEDS=n` runs so many seeds; `DRAWDOWN_SEED=n` runs this one alone and prints what happened.
#![allow(clippy::unwrap_used)]

mod chance;
mod events;
mod fleet;
mod log;
mod nets;
mod queries;
mod reference;
mod run;
mod store;
mod tables;
mod world;

use std::collections::BTreeMap;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use world::World;

/// How many seeds are run where nobody says how many.
const SEEDS: u64 = 10_000;
/// Below so many seeds, what is rare may not have happened.
const ENOUGH: u64 = 2_000;

/// What must have happened at least once in all those runs.
const MUST_HAPPEN: [&str; 31] = [
    "append of unknown fate, done",
    "append of unknown fate, done later",
    "append of unknown fate, not done",
    "append of unknown fate, some of it done",
    "append refused",
    "calm",
    "claim",
    "commit",
    "commit fails",
    "commit fenced",
    "commit of unknown fate, done",
    "commit of unknown fate, done later",
    "commit of unknown fate, not done",
    "crash",
    "duplicate",
    "freeze",
    "handover",
    "lease changed, but nobody is told",
    "lease not changed",
    "lease theft",
    "nothing can be read",
    "read of a damaged record",
    "release",
    "rollback",
    "short read",
    "start",
    "stop",
    "the store cannot be read",
    "timers",
    "wrong clock",
    "zombie fenced",
];

/// What a seed led to.
struct Told {
    happened: BTreeMap<&'static str, u64>,
    wrong: Vec<String>,
    trace: String,
}

fn tell(seed: u64) -> Told {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let world = {
        let _in_its_time = runtime.enter();
        World::new(seed, 2 + u32::try_from(seed % 3).unwrap())
    };
    let ran = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run::run(&world))));
    // Whoever is dead or frozen goes with it.
    drop(runtime);
    if let Err(panic) = ran {
        let text =
            panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        world.wrong(format!("panic: {}", text.unwrap_or("of some kind")));
    }
    let trace = world.trace();
    let mut state = world.state();
    Told { happened: std::mem::take(&mut state.happened), wrong: std::mem::take(&mut state.wrong), trace }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
fn whatever_fails_nothing_is_wrong_and_all_comes_right() {
    if let Some(seed) = number("DRAWDOWN_SEED") {
        let told = tell(seed);
        println!("{}", told.trace);
        assert!(told.wrong.is_empty(), "seed {seed}: {:#?}", told.wrong);
        return;
    }
    let seeds = number("DRAWDOWN_SEEDS").unwrap_or(SEEDS);
    // Of a mutant one failure is enough.
    let (is_mutant, is_caught) = (env::var_os(mutants::VARIABLE).is_some(), &AtomicBool::new(false));
    let lanes = thread::available_parallelism().map_or(1, |lanes| lanes.get() as u64);
    let lane = |lane: u64| {
        let (mut happened, mut failed) = (BTreeMap::<&str, u64>::new(), Vec::new());
        for seed in (lane..seeds).step_by(usize::try_from(lanes).unwrap()) {
            if is_mutant && is_caught.load(Ordering::Relaxed) {
                break;
            }
            let told = tell(seed);
            is_caught.fetch_or(!told.wrong.is_empty(), Ordering::Relaxed);
            told.happened.iter().for_each(|(what, times)| *happened.entry(what).or_default() += times);
            if !told.wrong.is_empty() {
                failed.push((seed, told));
            }
        }
        (happened, failed)
    };
    let lanes: Vec<_> = thread::scope(|scope| {
        (0..lanes)
            .map(|n| scope.spawn(move || lane(n)))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|lane| lane.join().unwrap())
            .collect()
    });
    let (mut happened, mut failed) = (BTreeMap::<&str, u64>::new(), Vec::new());
    for (lane, of_lane) in lanes {
        lane.iter().for_each(|(what, times)| *happened.entry(what).or_default() += times);
        failed.extend(of_lane);
    }
    failed.sort_by_key(|(seed, _)| *seed);
    println!("{seeds} seeds: {happened:#?}");
    if let Some((seed, told)) = failed.first() {
        let others: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
        panic!(
            "{}\nseed {seed}, alone with DRAWDOWN_SEED={seed}: {:#?}\n{} seeds failed: {others:?}",
            told.trace,
            told.wrong,
            others.len()
        );
    }
    let never: Vec<&str> = MUST_HAPPEN.into_iter().filter(|what| !happened.contains_key(what)).collect();
    assert!(seeds < ENOUGH || never.is_empty(), "never happened: {never:?}");
}

#[test]
fn a_seed_leads_to_the_same_again() {
    for seed in 0..20 {
        let (once, again) = (tell(seed), tell(seed));
        assert_eq!(once.trace, again.trace, "seed {seed}");
        assert_eq!(once.happened, again.happened, "seed {seed}");
    }
}
