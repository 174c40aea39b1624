//! The broker and the database fail, and come back. The processes stay.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use services::{Broker, Database};
use sqlx::{Connection, PgConnection};

use crate::chance::Chance;
use crate::load::{Fails, Load};
use crate::node::Node;
use crate::proof::settle_and_prove;
use crate::world::World;

/// How long there is load between two failures.
pub(crate) const BETWEEN: Duration = Duration::from_secs(2);

#[test]
fn a_broker_that_is_killed_costs_nothing_but_time() {
    const KILLED: u32 = 3;
    let mut chance = Chance::told();
    let broker = Broker::start();
    let world = World::on(broker.address(), services::postgres(), 4);
    let (mut load, nodes) = at_work(&world);
    for _ in 0..KILLED {
        load.go_on_for(BETWEEN, &world, &mut chance, Fails::MayBe);
        broker.kill();
        load.go_on_for(Duration::from_millis(chance.below(1_500)), &world, &mut chance, Fails::MayBe);
        broker.restart();
    }
    load.go_on_for(BETWEEN, &world, &mut chance, Fails::MayBe);
    let files = load.finish(&world, &mut chance);
    println!("the broker was killed {KILLED} times: {:?}", settle_and_prove(&world, nodes, files));
}

#[test]
fn a_database_that_is_killed_or_frozen_costs_nothing_but_time() {
    const KILLED: u32 = 2;
    const FROZEN: Duration = Duration::from_secs(5);
    let mut chance = Chance::told();
    let database = Database::start();
    let world = World::on(services::kafka(), database.url(), 4);
    let (mut load, nodes) = at_work(&world);
    for _ in 0..KILLED {
        load.go_on_for(BETWEEN, &world, &mut chance, Fails::Never);
        database.kill();
        load.go_on_for(Duration::from_millis(chance.below(1_500)), &world, &mut chance, Fails::Never);
        database.restart();
        load.go_on_for(BETWEEN, &world, &mut chance, Fails::Never);
        database.freeze();
        load.go_on_for(FROZEN, &world, &mut chance, Fails::Never);
        database.thaw();
    }
    load.go_on_for(BETWEEN, &world, &mut chance, Fails::Never);
    let files = load.finish(&world, &mut chance);
    let proven = settle_and_prove(&world, nodes, files);
    println!("the database was killed {KILLED} times and frozen {KILLED} times for {FROZEN:?}: {proven:?}");
}

#[test]
fn connections_that_are_ended_in_the_middle_of_commits_cost_nothing_but_time() {
    let mut chance = Chance::told();
    let world = World::new(4);
    let (mut load, nodes) = at_work(&world);
    let is_over = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        let ending = scope.spawn(|| end_connections(&world, &is_over));
        load.go_on_for(Duration::from_secs(10), &world, &mut chance, Fails::Never);
        is_over.store(true, Ordering::Relaxed);
        ending.join().unwrap()
    });
    let files = load.finish(&world, &mut chance);
    let proven = settle_and_prove(&world, nodes, files);
    println!("{ended} connections ended while they wrote: {proven:?}");
    assert!(ended > 20, "{ended}");
}

pub(crate) fn at_work(world: &World) -> (Load, Vec<Node>) {
    let load = Load::new(world);
    let nodes = vec![world.node("a"), world.node("b")];
    world.until_owned_by(&["a", "b"]);
    (load, nodes)
}

/// Ends whatever connection writes just then, until told to stop; answers how many.
fn end_connections(world: &World, is_over: &AtomicBool) -> i64 {
    world.wait_for(async {
        let mut server = PgConnection::connect(services::postgres()).await.unwrap();
        let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1 \
             and state in ('active', 'idle in transaction') and (query like 'with moved as%' or query like 'copy %' \
             or query like 'insert into head%' or query like 'with beat as%')";
        let mut ended = 0;
        while !is_over.load(Ordering::Relaxed) {
            ended += sqlx::query_scalar::<_, i64>(sql).bind(world.database()).fetch_one(&mut server).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        ended
    })
}
