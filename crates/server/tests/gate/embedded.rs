//! One server on its own directory, killed again and again.

use std::time::{Duration, Instant};

use eventlog::{Durability, SqliteLog};

use crate::clients::{CLIENTS, Clients, documents, times, wallets};
use crate::drawdown::Drawdown;
use crate::history;
use crate::servers::Servers;

/// Wallets, one after the other; what each client asks of each; the most time between two kills.
const WALLETS: u64 = 20;
const EACH: u64 = 65;
const PAUSE_MS: u64 = 1_500;

#[test]
fn one_server_that_is_killed_answers_each_request_once_and_for_all() {
    let (began, wallets) = (Instant::now(), wallets(WALLETS * times()));
    let drawdown = Drawdown::new();
    drawdown.json(&["apply", &drawdown.file("documents.yaml", documents(&wallets))]);
    let key = key_of(drawdown.run(&["keys", "create", "--scope", "authorize"]));
    let said = drawdown.data().with_file_name("said");
    let mut servers = Servers::start(&["alone"], said, |args| drawdown.command(args));
    let clients = Clients::new(servers.urls.clone(), &key);
    let mut kills = 0;
    let asked = std::thread::scope(|scope| {
        let spending = scope.spawn(|| clients.spend(&wallets, EACH));
        while !spending.is_finished() {
            std::thread::sleep(Duration::from_millis(200 + clients.below(PAUSE_MS)));
            servers.kill_and_start(0);
            kills += 1;
        }
        spending.join().unwrap()
    });
    assert_eq!(asked.len() as u64, CLIENTS * WALLETS * EACH * times());
    servers.until_ready(0);
    let spent = began.elapsed();
    clients.ask_again(&asked);
    servers.stop();

    let checked = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let log = SqliteLog::open(&drawdown.data().join("log.db"), Durability::Power).await.unwrap().unwrap();
        let checked = history::check(&log, &asked).await;
        log.close().await.unwrap();
        checked
    });
    println!(
        "{checked:?}, {kills} kills, {:?} sent again, {spent:?} of {:?}",
        clients.again,
        began.elapsed()
    );
    assert!(kills > 0 && checked.approved > 1_000 && checked.declined > 1_000, "{checked:?}");
    assert!(checked.duplicates >= asked.len(), "each was asked again: {checked:?}");
    let verified = drawdown.json(&["verify"]);
    assert_eq!((&verified["verified"], &verified["behind"]), (&true.into(), &0.into()), "{verified}");
}

/// The key that was made.
pub(crate) fn key_of(made: crate::drawdown::Ran) -> String {
    assert_eq!(made.code, Some(0), "{}", made.err);
    made.out.lines().next().unwrap().to_owned()
}
