//! The HTTP API: what a decision takes, beside the log that decides.

mod bare;
mod client;
mod place;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use tokio::sync::Mutex;

use super::{Figures, percentile};
use crate::context::Context;
use client::Client;
use place::{Place, body, events, team};

/// Callers at one time.
const CALLERS: [u64; 4] = [1, 16, 64, 256];
/// Requests that each of them makes of one kind, before all go on to the next kind; and for how long they go on.
const EACH: u64 = 200;
const SECONDS: f64 = 3.0;
/// Requests a second, one after the other at their time; for how long before the other kind's turn comes; and how many turns.
const PACED: u64 = 1_000;
const TURN: u64 = 2;
const TURNS: u64 = 8;
/// Wallets that are in use; the others have a balance.
const IN_USE: u64 = 10_000;
const JSON: &str = "application/json";
/// Events of one request, how many send them at a time, and how many requests each makes.
const EVENTS: u64 = 100;
const SENDERS: u64 = 16;
const SENDINGS: u64 = 200;

/// Microseconds, and how long all of it took.
#[derive(Default)]
struct Took {
    each: Vec<f64>,
    seconds: f64,
}

/// What a trial is made with; its parts are the callers'.
#[derive(Clone)]
struct Trial {
    place: Arc<Place>,
    /// Connections that nobody uses.
    idle: Arc<Mutex<Vec<Client>>>,
    /// Counts requests, so that each has an id, and its wallet is another than the last one's.
    next: Arc<AtomicU64>,
    /// How many wallets there are.
    wallets: u64,
}

/// One thing that a caller does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Appends a record to the other log, and waits until it is read back.
    Append,
    /// Requests a hold.
    Authorize,
    /// Settles the hold of that number.
    Settle,
    /// Reads a wallet.
    Balance,
    /// Sends a batch of events.
    Ingest,
}

/// `authorize…`, `settle…` and `bare_append…`.
pub(crate) async fn api(
    figures: &mut Figures,
    context: &Context,
    directory: &Path,
    wallets: u64,
) -> anyhow::Result<()> {
    let wallets = wallets.max(IN_USE);
    let place = Arc::new(Place::new(context, directory, wallets).await?);
    let (idle, next) = (Arc::default(), Arc::default());
    let trial = Trial { place: place.clone(), idle, next, wallets };
    callers(figures, &trial).await?;
    paced(figures, &trial).await?;
    reads(figures, &trial).await?;
    ingests(figures, &trial).await?;
    trial.idle.lock().await.clear();
    drop(trial);
    Arc::into_inner(place).expect("every caller has ended").end().await
}

/// So many callers at a time, each with its next request as soon as the last is answered.
async fn callers(figures: &mut Figures, trial: &Trial) -> anyhow::Result<()> {
    let mut most = [0f64; 2];
    for callers in CALLERS {
        let (mut appended, mut authorized, mut settled) = (Took::default(), Took::default(), Took::default());
        while authorized.seconds < SECONDS {
            trial.together(callers, Act::Append, trial.numbers(callers * EACH), &mut appended).await?;
            let numbers = trial.numbers(callers * EACH);
            trial.together(callers, Act::Authorize, numbers, &mut authorized).await?;
            trial.together(callers, Act::Settle, numbers, &mut settled).await?;
        }
        let kinds = [("bare_append", appended), ("authorize", authorized), ("settle", settled)];
        for (at, (name, mut took)) in kinds.into_iter().enumerate() {
            let rate = took.rate();
            note(figures, &format!("{name}{callers}"), &mut took.each);
            figures.note(&format!("{name}{callers}_per_second"), rate);
            if at < 2 {
                most[at] = most[at].max(rate);
            }
        }
    }
    figures.note("bare_append_max_per_second", most[0]);
    figures.note("authorize_max_per_second", most[1]);
    Ok(())
}

/// A thousand requests a second, whether those before them are answered or not.
async fn paced(figures: &mut Figures, trial: &Trial) -> anyhow::Result<()> {
    let (mut appended, mut authorized, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        appended.extend(trial.in_turn(Act::Append, trial.numbers(PACED * TURN)).await?);
        let numbers = trial.numbers(PACED * TURN);
        authorized.extend(trial.in_turn(Act::Authorize, numbers).await?);
        settled.extend(trial.in_turn(Act::Settle, numbers).await?);
    }
    let ratio = percentile(&mut authorized, 0.99) / percentile(&mut appended, 0.99);
    note(figures, "bare_append", &mut appended);
    note(figures, "authorize", &mut authorized);
    note(figures, "settle", &mut settled);
    figures.note("authorize_p99_of_bare_append", ratio);
    Ok(())
}

/// Balances of all wallets in turn, a thousand a second.
async fn reads(figures: &mut Figures, trial: &Trial) -> anyhow::Result<()> {
    let mut took = trial.in_turn(Act::Balance, trial.numbers(PACED * TURN * TURNS)).await?;
    note(figures, "balance_read", &mut took);
    Ok(())
}

/// Events in batches, answered when they are in the log.
async fn ingests(figures: &mut Figures, trial: &Trial) -> anyhow::Result<()> {
    let mut took = Took::default();
    trial.together(SENDERS, Act::Ingest, trial.numbers(SENDERS * SENDINGS), &mut took).await?;
    #[expect(clippy::cast_precision_loss)]
    figures.note("http_ingest_events_per_second", took.rate() * EVENTS as f64);
    note(figures, "http_ingest_batch", &mut took.each);
    Ok(())
}

fn note(figures: &mut Figures, what: &str, took: &mut [f64]) {
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
        figures.note(&format!("{what}_{name}_us"), percentile(took, share));
    }
}

impl Took {
    #[expect(clippy::cast_precision_loss)]
    fn rate(&self) -> f64 {
        self.each.len() as f64 / self.seconds
    }
}

impl Trial {
    /// So many numbers that nothing else has: the first of them.
    fn numbers(&self, count: u64) -> (u64, u64) {
        (self.next.fetch_add(count, Ordering::Relaxed), count)
    }

    /// Callers that do one thing at the same time, each its part of the numbers.
    async fn together(
        &self,
        callers: u64,
        act: Act,
        (first, count): (u64, u64),
        took: &mut Took,
    ) -> anyhow::Result<()> {
        self.hang_up().await;
        let mut clients = Vec::new();
        for _ in 0..callers {
            clients.push(self.client().await?);
        }
        let (watch, each) = (Stopwatch::now(), count / callers);
        let mut tasks = Vec::new();
        for (caller, mut client) in (0..callers).zip(clients) {
            let trial = self.clone();
            tasks.push(tokio::spawn(async move {
                let mut took = Vec::new();
                for n in 0..each {
                    took.push(trial.act(act, &mut client, first + caller * each + n).await?);
                }
                trial.idle.lock().await.push(client);
                anyhow::Ok(took)
            }));
        }
        for task in tasks {
            took.each.extend(task.await??);
        }
        took.seconds += watch.elapsed().as_secs_f64();
        Ok(())
    }

    /// Each of the numbers at its time.
    async fn in_turn(&self, act: Act, (first, count): (u64, u64)) -> anyhow::Result<Vec<f64>> {
        self.hang_up().await;
        let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / PACED));
        let mut tasks = Vec::new();
        for number in first..first + count {
            ticks.tick().await;
            let mut client = self.client().await?;
            let trial = self.clone();
            tasks.push(tokio::spawn(async move {
                let took = trial.act(act, &mut client, number).await;
                trial.idle.lock().await.push(client);
                took
            }));
        }
        let mut took = Vec::new();
        for task in tasks {
            took.push(task.await??);
        }
        Ok(took)
    }

    /// Closes what nobody uses: the server closes in half a minute what says nothing.
    async fn hang_up(&self) {
        self.idle.lock().await.clear();
    }

    async fn client(&self) -> anyhow::Result<Client> {
        let idle = self.idle.lock().await.pop();
        match idle {
            Some(client) => Ok(client),
            None => Client::connect(self.place.address, &self.place.key).await,
        }
    }

    /// The microseconds that it took.
    async fn act(&self, act: Act, client: &mut Client, number: u64) -> anyhow::Result<f64> {
        let wallet = number % IN_USE;
        if let Act::Append = act {
            return self.place.bare.trip(wallet, &format!("h{number}")).await;
        }
        let sent = if let Act::Ingest = act { events(number, EVENTS, self.wallets) } else { String::new() };
        let watch = Stopwatch::now();
        match act {
            Act::Append => unreachable!("it is done above"),
            Act::Authorize => {
                let path = format!("/v1/wallets/{}/holds", team(wallet));
                let body = format!(r#"{{"id":"h{number}",{}"#, &body(None)[1..]);
                client.post(&path, (JSON, body.as_bytes()), 201).await?;
            }
            Act::Settle => {
                let path = format!("/v1/holds/h{number}/settle");
                client.post(&path, (JSON, body(Some(&team(wallet))).as_bytes()), 200).await?;
            }
            Act::Balance => {
                let all = number.wrapping_mul(7_919) % self.wallets;
                client.get(&format!("/v1/wallets/{}", team(all))).await?;
            }
            Act::Ingest => {
                let media = "application/cloudevents-batch+json";
                client.post("/v1/events", (media, sent.as_bytes()), 202).await?;
            }
        }
        Ok(watch.elapsed().as_secs_f64() * 1e6)
    }
}
