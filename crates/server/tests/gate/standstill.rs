//! A server on a real Kafka and Postgres, while Postgres stands still.

use std::time::{Duration, Instant};

use services::Database;

use crate::clients::{Asked, Clients, documents, wallets};
use crate::embedded::key_of;
use crate::history;
use crate::servers::Servers;
use crate::world::World;

/// Of the log: each wallet has its own.
const PARTITIONS: u32 = 4;
const EACH: u64 = 60;

#[test]
fn decisions_go_on_while_postgres_stands_still_and_nothing_is_lost() {
    let (began, wallets) = (Instant::now(), wallets(2));
    let postgres = Database::start();
    let world = World::on(services::kafka(), postgres.url(), PARTITIONS);
    // One server: what another one folds is asked of the database.
    let servers = start_these(&world, &wallets, &["one"]);
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

fn start_these<'a>(world: &'a World, wallets: &[String], names: &[&str]) -> Servers<'a> {
    world.json(&["apply", &world.drawdown.file("documents.yaml", documents(wallets))]);
    let said = world.drawdown.data().with_file_name("said");
    let servers = Servers::start(names, said, |args| world.command(args));
    world.until_owned_by(names);
    servers
}

fn key(world: &World) -> String {
    key_of(world.run(&["keys", "create", "--scope", "authorize"]))
}

/// Asks everything again, waits until it is folded, and checks answers and projections against the log.
fn prove(world: &World, servers: Servers<'_>, clients: &std::sync::Arc<Clients>, asked: &[Asked]) {
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
