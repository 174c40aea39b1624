//! A server whose broker is away for a while, frozen and killed.

use std::time::Duration;

use eventlog::EventLog;
use ledger::{Offset, Partition};
use serde_json::{Value, json};
use services::Broker;

use crate::asking::Asking;
use crate::chance::since_1970;
use crate::clients::{Asked, CREDITS, Verdict, What, wallets};
use crate::drawdown::{IMAGES, until};
use crate::embedded::key_of;
use crate::history;
use crate::nodes::start;
use crate::world::World;

const PARTITIONS: u32 = 4;
const WALLET: &str = "last0";
/// So many holds, and so many events, are sent at the moment at which the broker goes, and so many when it is known to be away.
const EACH: usize = 8;

/// A request that may be sent again.
#[derive(Clone, Debug)]
struct Sent {
    id: String,
    is_event: bool,
    /// Since 1970.
    at: Duration,
}

struct Product<'a> {
    asking: Asking,
    key: String,
    world: &'a World,
}

#[test]
fn while_the_log_is_away_nothing_is_taken_and_what_was_sent_counts_once() {
    let broker = Broker::start();
    let world = World::on(broker.address(), services::postgres(), PARTITIONS);
    let servers = start(&world, &wallets(1), &["one"]);
    world.json(&["apply", &world.drawdown.file("images.yaml", IMAGES)]);
    let key = key_of(world.run(&["keys", "create", "--scope", "ingest,authorize"]));
    let product = Product { asking: Asking::of(&servers), key, world: &world };
    until("the key may spend", || product.send(&Sent::hold("first")).0 != 401);
    let mut answered = vec![product.again(&Sent::hold("first")), product.again(&Sent::event("first-event"))];

    for name in ["frozen", "killed"] {
        match name {
            "frozen" => broker.freeze(),
            _ => broker.kill(),
        }
        let sent = product.send_at_once(name);
        until("it is known that the log is away", || {
            let (status, said) = product.ready();
            status == 503 && said["code"] == "log_unavailable"
        });
        let refused = product.are_refused(name);
        match name {
            "frozen" => broker.thaw(),
            _ => broker.restart(),
        }
        servers.until_ready(0);
        world.settle(Duration::from_secs(60));
        let there = product.ids_in_log();
        assert!(!refused.iter().any(|sent| there.contains(&sent.id)), "what was refused was appended");
        let all: Vec<Sent> = sent.into_iter().chain(refused).collect();
        answered.extend(all.iter().map(|sent| product.again(sent)));
    }
    // Once more, and each says what it said.
    for (sent, verdict) in &answered {
        assert_eq!(&product.again(sent).1, verdict, "{sent:?}");
    }
    world.settle(Duration::from_secs(60));
    servers.stop();
    world.json(&["project"]);
    each_counts_once(&world, &answered);
}

/// What the log has, and what the wallet has left.
fn each_counts_once(world: &World, answered: &[(Sent, Verdict)]) {
    let (events, holds): (Vec<_>, Vec<_>) = answered.iter().partition(|(sent, _)| sent.is_event);
    let asked: Vec<Asked> = holds
        .iter()
        .map(|(sent, verdict)| Asked {
            wallet: WALLET.to_owned(),
            id: sent.id.clone(),
            what: What::Hold { amount: 1 },
            invoked: sent.at,
            answered: since_1970(),
            verdict: verdict.clone(),
            url: String::new(),
        })
        .collect();
    let checked = world.wait_for(async {
        let log = world.log().await;
        let checked = history::check(&log, &asked).await;
        log.close().await.unwrap();
        checked
    });
    println!("{checked:?}");
    assert_eq!((checked.approved, checked.declined), (holds.len(), 0));
    let usage = world.json(&["usage", WALLET, "--limit", "1000"]);
    let applied =
        usage["usage"].as_array().unwrap().iter().filter(|line| line["outcome"] == "applied").count();
    assert_eq!(applied, events.len());
    let credits = &world.json(&["balance", WALLET])["units"]["credits"];
    let left = CREDITS as usize - events.len();
    let totals = (left.to_string(), holds.len().to_string());
    assert_eq!((&credits["balance"], &credits["held"]), (&json!(totals.0), &json!(totals.1)), "{credits}");
    let verified = world.json(&["verify"]);
    assert_eq!((&verified["verified"], &verified["behind"]), (&true.into(), &0.into()), "{verified}");
}

impl Sent {
    fn hold(id: &str) -> Self {
        Self { id: id.to_owned(), is_event: false, at: since_1970() }
    }

    fn event(id: &str) -> Self {
        Self { id: id.to_owned(), is_event: true, at: since_1970() }
    }

    fn some(name: &str) -> Vec<Self> {
        let holds = (0..EACH).map(|n| Self::hold(&format!("{name}-hold-{n}")));
        holds.chain((0..EACH).map(|n| Self::event(&format!("{name}-event-{n}")))).collect()
    }
}

impl Product<'_> {
    fn send(&self, sent: &Sent) -> (u16, Value) {
        let (path, body) = if sent.is_event {
            let body = json!({
                "specversion": "1.0", "id": sent.id, "source": "test", "type": "image", "subject": WALLET,
            });
            ("/v1/events?wait=true".to_owned(), body)
        } else {
            What::Hold { amount: 1 }.path_and_body(WALLET, &sent.id)
        };
        self.asking.ask(0, &self.key, "POST", &path, &body)
    }

    fn ready(&self) -> (u16, Value) {
        self.asking.ask(0, &self.key, "GET", "/health/ready", &Value::Null)
    }

    /// While the server does not know yet that the broker is gone: nothing of it is answered as if it were done, and whatever may have
    /// been sent is named.
    fn send_at_once(&self, name: &str) -> Vec<Sent> {
        let sent = Sent::some(&format!("{name}-at-once"));
        let mut unknown = 0;
        std::thread::scope(|scope| {
            let asking: Vec<_> = sent.iter().map(|one| (one, scope.spawn(|| self.send(one)))).collect();
            for (one, asking) in asking {
                let (status, said) = asking.join().unwrap();
                if status == 503 {
                    assert_eq!(said["code"], "log_unavailable", "{said}");
                    continue;
                }
                let id = if one.is_event { &said["events"][0]["id"] } else { &said["id"] };
                assert_eq!((status, &said["code"], id), (504, &json!("unknown"), &json!(one.id)), "{said}");
                unknown += 1;
            }
        });
        println!("{name}: {unknown} of {} are not known", sent.len());
        sent
    }

    /// Once the server knows that the broker is gone.
    fn are_refused(&self, name: &str) -> Vec<Sent> {
        let refused = Sent::some(&format!("{name}-away"));
        for one in &refused {
            let (status, said) = self.send(one);
            assert_eq!((status, &said["code"]), (503, &json!("log_unavailable")), "{said}");
        }
        refused
    }

    /// Sends until it is answered for good.
    fn again(&self, sent: &Sent) -> (Sent, Verdict) {
        let mut verdict = None;
        until("it is answered", || {
            let (status, said) = self.send(sent);
            assert!([200, 201, 202, 503, 504].contains(&status), "{sent:?}: {status} {said}");
            verdict = [200, 201].contains(&status).then(|| {
                let booked = said["events"][0].clone();
                if sent.is_event { Verdict::of(status, &booked) } else { Verdict::of(status, &said) }
            });
            verdict.is_some()
        });
        (sent.clone(), verdict.expect("it is answered"))
    }

    /// The ids of all records.
    fn ids_in_log(&self) -> Vec<String> {
        self.world.wait_for(async {
            let (log, mut ids) = (self.world.log().await, Vec::new());
            for partition in (0..log.partitions()).map(Partition) {
                let stretch = log.read(partition, Offset(0), 10_000).await.unwrap();
                for at in 0..stretch.len() {
                    let record: Value = serde_json::from_slice(stretch.get(at)).unwrap();
                    ids.push(record["id"].as_str().unwrap().to_owned());
                }
            }
            log.close().await.unwrap();
            ids
        })
    }
}
