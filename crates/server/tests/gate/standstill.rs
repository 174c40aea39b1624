//! Servers on a real Kafka and Postgres, while Postgres stands still.

use std::time::{Duration, Instant};

use services::Database;

use crate::clients::{Clients, wallets};
use crate::nodes::{key, prove, start};
use crate::world::World;

/// Of the log: each wallet has its own.
const PARTITIONS: u32 = 4;
const EACH: u64 = 60;

#[test]
fn decisions_go_on_while_postgres_stands_still_and_nothing_is_lost() {
    stand_still(&["one"]);
}

/// What a server does not fold itself it sends on to the one that does: from the database it could not know.
#[test]
fn every_server_decides_while_postgres_stands_still() {
    stand_still(&["one", "two", "three"]);
}

fn stand_still(names: &[&str]) {
    let (began, wallets) = (Instant::now(), wallets(2));
    let postgres = Database::start();
    let world = World::on(services::kafka(), postgres.url(), PARTITIONS);
    let servers = start(&world, &wallets, names);
    let clients = Clients::new(servers.urls.clone(), &key(&world));
    // The first wallet's requests bring its server to speed.
    let mut asked = clients.spend(&wallets[..1], EACH);
    world.settle(Duration::from_secs(30));
    postgres.freeze();
    let frozen = Instant::now();
    let while_frozen = clients.spend(&wallets[1..], EACH);
    let decided = frozen.elapsed();
    assert!(decided < Duration::from_secs(FROZEN_S), "{} decisions took {decided:?}", while_frozen.len());
    assert!(while_frozen.iter().any(|asked| asked.verdict.status == 201));
    std::thread::sleep(Duration::from_secs(FROZEN_S).saturating_sub(frozen.elapsed()));
    postgres.thaw();
    println!("{} decisions in {decided:?} of a standstill, {:?}", while_frozen.len(), began.elapsed());
    asked.extend(while_frozen);
    prove(&world, servers, &clients, &asked);
}

/// How long Postgres stands still.
const FROZEN_S: u64 = 30;
