//! Servers on a real Kafka and Postgres, while Postgres stands still.

use std::process::Stdio;
use std::time::{Duration, Instant};

use ledger::Partition;
use serde_json::{Value, json};
use services::Database;

use crate::asking::Asking;
use crate::clients::{Clients, documents, wallets};
use crate::drawdown::{Started, until};
use crate::embedded::key_of;
use crate::nodes::{key, prove, start};
use crate::servers::Servers;
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

/// A node with a certificate is reached by those that trust it: while the database stands still it alone can decide.
#[test]
fn requests_are_sent_on_over_tls() {
    let wallets = wallets(8);
    let postgres = Database::start();
    let world = World::on(services::kafka(), postgres.url(), PARTITIONS);
    world.json(&["apply", &world.drawdown.file("documents.yaml", documents(&wallets))]);
    let key = key(&world);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = world.drawdown.file("server.pem", made.cert.pem());
    let private = world.drawdown.file("server.key", made.signing_key.serialize_pem());
    let args = ["serve", "--listen", "127.0.0.1:0", "--node", "secured", "--advertise"];
    let mut secured = world.command(&args);
    secured.args(["--tls-cert", &certificate, "--tls-key", &private]).stdout(Stdio::null());
    let _secured = Started::new(secured.stderr(Stdio::null()));
    let servers = Servers::start(&["plain"], world.drawdown.data().with_file_name("said"), |args| {
        let mut command = world.command(args);
        command.arg("--advertise").env("SSL_CERT_FILE", &certificate);
        command
    });
    world.until_owned_by(&["plain", "secured"]);
    let asking = Asking::of(&servers);
    let decides = |wallet: &str, id: &str| asking.approves(0, &key, wallet, id);
    for wallet in &wallets {
        until("the servers have brought the wallet to speed", || decides(wallet, "before"));
    }
    world.settle(Duration::from_secs(30));
    let owners = world.owners();
    let of_secured = |wallet: &&String| owners[Partition::of(wallet, PARTITIONS).0 as usize] == "secured";
    let theirs = wallets.iter().filter(of_secured).count();
    assert!(0 < theirs && theirs < wallets.len(), "{owners:?}");
    postgres.freeze();
    for wallet in &wallets {
        assert!(decides(wallet, "meanwhile"), "{wallet} of {owners:?}");
    }
    postgres.thaw();
    world.settle(Duration::from_secs(60));
}

#[test]
fn keys_are_made_rotated_and_revoked_on_every_server_while_postgres_stands_still() {
    let wallets = wallets(1);
    let postgres = Database::start();
    let world = World::on(services::kafka(), postgres.url(), PARTITIONS);
    // The record of a key is folded by one of them alone: the other one cannot ask the database what became of it.
    let servers = start(&world, &wallets, &["one", "two"]);
    let admin = key_of(world.run(&["keys", "create", "--scope", "admin"]));
    let asking = Asking::of(&servers);
    let made = |_| asking.made(&admin);
    let [first, second, kept]: [Made; 3] = std::array::from_fn(made);
    for key in [&first, &second, &kept] {
        until("both servers know the key", || (0..2).all(|at| asking.knows(at, &key.key)));
    }
    world.settle(Duration::from_secs(30));
    assert!((0..2).any(|at| asking.decides(at, &kept.key, "before")));
    postgres.freeze();
    for (at, key) in [&first, &second].into_iter().enumerate() {
        let path = format!("/v1/keys/{}", key.id);
        let (status, said) = asking.ask(at, &admin, "DELETE", &path, &Value::Null);
        assert_eq!((status, &said["revoked"]), (200, &json!(true)), "{said}");
        assert!(said["position"].as_str().is_some_and(|at| at.starts_with("0:")), "{said}");
        assert!(!asking.knows(at, &key.key), "where it was revoked it lets nobody in any more");
        until("the other server has heard of it", || !asking.knows(1 - at, &key.key));
        let (status, again) = asking.ask(1 - at, &admin, "DELETE", &path, &Value::Null);
        assert_eq!((status, &again["revoked"]), (200, &json!(false)), "{again}");
    }
    for at in 0..2 {
        let made = asking.ask(at, &admin, "POST", "/v1/keys", &json!({"scopes": ["authorize"]}));
        assert_eq!(made.0, 201, "{}", made.1);
        let path = format!("/v1/keys/{}/rotate", made.1["id"].as_str().unwrap());
        let (status, rotated) = asking.ask(at, &admin, "POST", &path, &json!({"overlap": "PT1H"}));
        assert_eq!(status, 201, "{rotated}");
        for key in [&made.1["key"], &rotated["new"]["key"]].map(|key| key.as_str().unwrap()) {
            assert!(asking.knows(at, key), "where it was made it is in force");
            until("the other server has heard of it", || asking.knows(1 - at, key));
        }
    }
    let decides = |at| (0..3).any(|n| asking.decides(at, &kept.key, &format!("meanwhile-{at}-{n}")));
    assert!((0..2).any(decides), "who folds the wallet decides for the other key");
    postgres.thaw();
    world.settle(Duration::from_secs(60));
    for at in 0..2 {
        assert!(!asking.knows(at, &first.key) && !asking.knows(at, &second.key));
        assert!(asking.decides(at, &kept.key, &format!("after-{at}")));
    }
    let (_, listed) = asking.ask(0, &admin, "GET", "/v1/keys", &Value::Null);
    let keys = listed["keys"].as_array().unwrap();
    let revoked: Vec<&Value> =
        keys.iter().filter(|key| key["state"] == "revoked").map(|key| &key["id"]).collect();
    assert!(
        revoked.len() == 2 && revoked.contains(&&json!(first.id)) && revoked.contains(&&json!(second.id))
    );
    servers.stop();
    world.json(&["project"]);
    let verified = world.json(&["verify"]);
    assert_eq!((&verified["verified"], &verified["behind"]), (&true.into(), &0.into()), "{verified}");
}

/// A key that was made over HTTP.
struct Made {
    id: String,
    key: String,
}

impl Asking {
    /// Makes a key that may spend, as soon as the first server knows the one that may make others.
    fn made(&self, admin: &str) -> Made {
        until("the key may make others", || self.knows(0, admin));
        let (status, made) = self.ask(0, admin, "POST", "/v1/keys", &json!({"scopes": ["authorize"]}));
        assert_eq!(status, 201, "{made}");
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Made { id: text("id"), key: text("key") }
    }

    /// Whether a server lets a key in. The request is a hold of nothing, which is refused without anything being appended.
    fn knows(&self, at: usize, key: &str) -> bool {
        let (status, said) = self.ask(at, key, "POST", "/v1/wallets/last0/holds", &json!({}));
        assert!([400, 401, 422].contains(&status), "{status} {said}");
        status != 401
    }

    /// Whether a server approves a hold.
    fn decides(&self, at: usize, key: &str, id: &str) -> bool {
        self.approves(at, key, "last0", id)
    }

    /// Whether a server approves a hold of a wallet.
    fn approves(&self, at: usize, key: &str, wallet: &str, id: &str) -> bool {
        let body = json!({"id": id, "amounts": [{"unit": "credits", "feature": "work", "amount": "1"}]});
        let (status, said) = self.ask(at, key, "POST", &format!("/v1/wallets/{wallet}/holds"), &body);
        assert!([201, 504].contains(&status), "{status} {said}");
        status == 201
    }
}
