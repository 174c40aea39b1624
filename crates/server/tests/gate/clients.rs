//! Clients that spend a wallet's last credits, each asking until it is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chance::{Chance, since_1970};
use crate::servers::Urls;

/// How many ask at the same time.
pub(crate) const CLIENTS: u64 = 64;
/// How many ask all of it again at the same time, and how long they wait when they are refused.
const ASK_AGAIN: usize = 16;
const AGAIN: Duration = Duration::from_secs(1);
/// What each wallet has.
pub(crate) const CREDITS: u64 = 1_000;
/// How long to wait for an answer before another server is asked: longer than a server waits for the log.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a request may be without an answer although it is sent again and again.
const AT_LAST: Duration = Duration::from_secs(60);

/// What was asked, and what was answered at last.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) wallet: String,
    /// The record's id.
    pub(crate) id: String,
    pub(crate) what: What,
    /// Since 1970, when it was first sent and when the answer was there.
    pub(crate) invoked: Duration,
    pub(crate) answered: Duration,
    pub(crate) verdict: Verdict,
    /// Which server answered.
    pub(crate) url: String,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Hold { amount: u64 },
    Settle { hold: String, amount: u64 },
    Void { hold: String },
}

/// What of an answer is the same for ever: not how the wallet stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: u16,
    pub(crate) says: Value,
}

/// All clients' part.
pub(crate) struct Clients {
    pub(crate) urls: Urls,
    pub(crate) key: String,
    pub(crate) chance: Mutex<Chance>,
    /// How often an answer did not come, or was none, and another server was asked.
    pub(crate) again: AtomicU64,
}

impl What {
    pub(crate) fn path_and_body(&self, wallet: &str, id: &str) -> (String, Value) {
        let amounts =
            |amount: &u64| json!([{"unit": "credits", "feature": "work", "amount": amount.to_string()}]);
        match self {
            Self::Hold { amount } => (
                format!("/v1/wallets/{wallet}/holds"),
                json!({"id": id, "amounts": amounts(amount), "ttl": "PT2H"}),
            ),
            Self::Settle { hold, amount } => {
                (format!("/v1/holds/{hold}/settle"), json!({"wallet": wallet, "amounts": amounts(amount)}))
            }
            Self::Void { hold } => (format!("/v1/holds/{hold}/void"), json!({"wallet": wallet})),
        }
    }
}

impl Verdict {
    pub(crate) fn of(status: u16, body: &Value) -> Self {
        let kept = ["code", "lacks", "held", "expires_at", "cost", "paid", "overage", "freed", "usage"];
        let says = kept.iter().filter_map(|name| Some(((*name).to_owned(), body.get(name)?.clone())));
        Self { status, says: Value::Object(says.collect()) }
    }
}

impl Clients {
    pub(crate) fn new(urls: Urls, key: &str) -> Arc<Self> {
        let chance = Mutex::new(Chance::told());
        Arc::new(Self { urls, key: key.to_owned(), chance, again: AtomicU64::new(0) })
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.chance.lock().unwrap().below(bound)
    }

    /// All of them, each with so many requests about each of the wallets, one wallet after the other.
    pub(crate) fn spend(self: &Arc<Self>, wallets: &[String], each: u64) -> Vec<Asked> {
        std::thread::scope(|scope| {
            let spending: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let clients = Arc::clone(self);
                    scope.spawn(move || {
                        let mut asked = Vec::new();
                        for wallet in wallets {
                            clients.spend_one(client, wallet, each, &mut asked);
                        }
                        asked
                    })
                })
                .collect();
            spending.into_iter().flat_map(|client| client.join().unwrap()).collect()
        })
    }

    fn spend_one(&self, client: u64, wallet: &str, each: u64, asked: &mut Vec<Asked>) {
        let agent = agent();
        let mut open: Vec<(String, u64)> = Vec::new();
        for n in 0..each {
            let what = if open.is_empty() || (open.len() < 3 && self.below(3) == 0) {
                What::Hold { amount: 1 + self.below(20) }
            } else {
                let (hold, amount) = open.swap_remove(self.below(open.len() as u64) as usize);
                match self.below(3) {
                    0 => What::Void { hold },
                    // Mostly a little, so that what is left lasts for many requests.
                    _ => What::Settle { hold, amount: self.below(amount.min(3) + 1) },
                }
            };
            let id = match &what {
                What::Hold { .. } => format!("{wallet}-{client}-{n}"),
                What::Settle { hold, .. } => format!("settle:{hold}:api:{hold}:used"),
                What::Void { hold } => format!("void:{hold}"),
            };
            let answered = self.ask(&agent, wallet, &id, what);
            if let (What::Hold { amount }, 201) = (&answered.what, answered.verdict.status) {
                open.push((answered.id.clone(), *amount));
            }
            asked.push(answered);
        }
    }

    /// Asks one server after the other until it is answered.
    fn ask(&self, agent: &ureq::Agent, wallet: &str, id: &str, what: What) -> Asked {
        let (path, body) = what.path_and_body(wallet, id);
        let (began, invoked) = (Instant::now(), since_1970());
        loop {
            let urls = self.urls.lock().unwrap().clone();
            let url = urls[self.below(urls.len() as u64) as usize].clone();
            let why = match self.ask_one(agent, &url, &path, &body) {
                Ok(verdict) => {
                    let (wallet, id) = (wallet.to_owned(), id.to_owned());
                    return Asked { wallet, id, what, invoked, answered: since_1970(), verdict, url };
                }
                Err(why) => why,
            };
            self.again.fetch_add(1, Ordering::Relaxed);
            assert!(began.elapsed() < AT_LAST, "{path} {body} was not answered within {AT_LAST:?}: {why}");
            std::thread::sleep(Duration::from_millis(10 + self.below(40)));
        }
    }

    /// What there was instead, if there was no answer, or one that says to ask again.
    fn ask_one(&self, agent: &ureq::Agent, url: &str, path: &str, body: &Value) -> Result<Verdict, String> {
        let asking =
            agent.post(format!("{url}{path}")).header("authorization", format!("Bearer {}", self.key));
        let mut response = asking.send(body.to_string()).map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
        match status {
            200 | 201 | 402 => {
                let body = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
                Ok(Verdict::of(status, &body))
            }
            408 | 503 | 504 => Err(format!("{status} {text}")),
            _ => panic!("{path} {body}: {status} {text}"),
        }
    }

    /// Asks all of it again, of other servers where there are some: each answer must be the first one.
    pub(crate) fn ask_again(self: &Arc<Self>, asked: &[Asked]) {
        let agent = agent();
        let urls = self.urls.lock().unwrap().clone();
        std::thread::scope(|scope| {
            for part in asked.chunks(asked.len().div_ceil(ASK_AGAIN)) {
                let (clients, agent, urls) = (Arc::clone(self), agent.clone(), &urls);
                scope.spawn(move || {
                    for asked in part {
                        let (path, body) = asked.what.path_and_body(&asked.wallet, &asked.id);
                        let others: Vec<&String> =
                            urls.iter().filter(|url| urls.len() == 1 || **url != asked.url).collect();
                        let url = others[clients.below(others.len() as u64) as usize];
                        let began = Instant::now();
                        let again = loop {
                            let why = match clients.ask_one(&agent, url, &path, &body) {
                                Ok(again) => break again,
                                Err(why) => why,
                            };
                            clients.again.fetch_add(1, Ordering::Relaxed);
                            assert!(began.elapsed() < AT_LAST, "{asked:?} is not answered again: {why}");
                            // What a server asks for when it refuses: without it the machine would do nothing but refuse.
                            std::thread::sleep(AGAIN);
                        };
                        assert_eq!(again, asked.verdict, "{asked:?}");
                    }
                });
            }
        });
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(PATIENCE)).max_idle_connections_per_host(64).build().into()
}

/// A unit, and wallets with their last credits.
pub(crate) fn documents(wallets: &[String]) -> String {
    let mut text = "kind: unit\nname: credits\n".to_owned();
    for wallet in wallets {
        text += &format!(
            "---\n{{kind: grant, wallet: {wallet}, grant_id: last, reason: a test, unit: credits, amount: \"{CREDITS}\"}}\n"
        );
    }
    text
}

pub(crate) fn wallets(count: u64) -> Vec<String> {
    (0..count).map(|n| format!("last{n}")).collect()
}

/// By how much there is to be more of everything: DRAWDOWN_GATE.
pub(crate) fn times() -> u64 {
    std::env::var("DRAWDOWN_GATE").map_or(1, |times| times.parse().unwrap())
}
