//! Several servers on a real Kafka and Postgres, killed and frozen.

use std::time::{Duration, Instant};

use services::Broker;

use crate::clients::{Asked, CLIENTS, Clients, documents, times, wallets};
use crate::embedded::key_of;
use crate::history;
use crate::servers::Servers;
use crate::world::World;

/// Of the log: each wallet has its own.
const PARTITIONS: u32 = 4;
const NODES: [&str; 3] = ["one", "two", "three"];
const WALLETS: u64 = 5;
const EACH: u64 = 60;
/// How long a server is frozen at most: longer than its leases live.
const FROZEN_MS: u64 = 3_000;

#[test]
fn servers_that_are_killed_and_frozen_answer_each_request_once_and_for_all() {
    let (began, wallets) = (Instant::now(), wallets(WALLETS * times()));
    let broker = Broker::start_patient();
    let world = World::on(broker.address(), services::postgres(), PARTITIONS);
    let mut servers = start(&world, &wallets, &NODES);
    let clients = Clients::new(servers.urls.clone(), &key(&world));
    let (mut kills, mut freezes) = (0, 0);
    let asked = std::thread::scope(|scope| {
        let spending = scope.spawn(|| clients.spend(&wallets, EACH));
        while !spending.is_finished() {
            std::thread::sleep(Duration::from_millis(500 + clients.below(1_500)));
            let at = clients.below(NODES.len() as u64) as usize;
            if clients.below(2) == 0 {
                servers.kill_and_start(at);
                kills += 1;
            } else {
                servers.freeze(at);
                std::thread::sleep(Duration::from_millis(200 + clients.below(FROZEN_MS)));
                servers.thaw(at);
                freezes += 1;
            }
        }
        spending.join().unwrap()
    });
    assert_eq!(asked.len() as u64, CLIENTS * WALLETS * EACH * times());
    println!("{kills} kills, {freezes} freezes, {:?} sent again, {:?}", clients.again, began.elapsed());
    assert!(kills > 0 && freezes > 0);
    prove(&world, servers, &clients, &asked);
}

/// Servers of these names, each of which folds some of the partitions, and the wallets.
pub(crate) fn start<'a>(world: &'a World, wallets: &[String], names: &[&str]) -> Servers<'a> {
    world.json(&["apply", &world.drawdown.file("documents.yaml", documents(wallets))]);
    let said = world.drawdown.data().with_file_name("said");
    let servers = Servers::start(names, said, |args| {
        let mut command = world.command(args);
        command.arg("--advertise");
        command
    });
    world.until_owned_by(names);
    servers
}

/// A key that may spend.
pub(crate) fn key(world: &World) -> String {
    key_of(world.run(&["keys", "create", "--scope", "authorize"]))
}

/// Asks everything again, waits until it is folded, and checks answers and projections against the log.
pub(crate) fn prove(world: &World, servers: Servers<'_>, clients: &std::sync::Arc<Clients>, asked: &[Asked]) {
    for at in 0..servers.count() {
        servers.until_ready(at);
    }
    world.settle(Duration::from_secs(60));
    clients.ask_again(asked);
    world.settle(Duration::from_secs(60));
    servers.stop();
    // What the schedulers appended last.
    world.json(&["project"]);
    let checked = world.wait_for(async {
        let log = world.log().await;
        let checked = history::check(&log, asked).await;
        log.close().await.unwrap();
        checked
    });
    println!("{checked:?}");
    assert!(checked.duplicates >= asked.len(), "each was asked again: {checked:?}");
    assert!(checked.approved > 100 && checked.declined > 100, "{checked:?}");
    let verified = world.json(&["verify"]);
    assert_eq!((&verified["verified"], &verified["behind"]), (&true.into(), &0.into()), "{verified}");
}
