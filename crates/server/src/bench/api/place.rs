//! Log and projections of a trial with a server on them, and what is in them before it begins.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use eventlog::{Appending, EventLog, KafkaConfig, KafkaLog, Log, SqliteLog};
use ingest::Stamp;
use ledger::{ApiKey, Instant, KeyScope, Partition, Terms};
use projector::{Halting, Node, Projectors};
use serde_json::value::RawValue;
use store::{Projections, SqliteStore};
use tokio::task::JoinHandle;

use super::bare::Bare;
use crate::bench::pipe::Trial;
use crate::context::Context;
use crate::holding::LEASE;
use crate::http::{ListenArgs, Serving, serve};
use crate::keys::{SecretPlace, Token};
use crate::places::LogPlace;
use crate::stop::Stop;

/// Of the log; a log on Kafka has as many.
const PARTITIONS: u32 = 4;
/// Grants that are appended together.
const BATCH: u64 = 10_000;

/// What is priced.
pub(super) const KIND: &str = "llm.completion";
const PRICE: &str = r#"{"match":{"type":{"exact":"llm.completion"}},"feature":"chat","charges":[{"unit":"credits","quantity":{"field":"input_tokens"},"per":"1000","amount":"0.5"},{"unit":"credits","quantity":{"field":"output_tokens"},"per":"1000","amount":"1.5"}]}"#;
const DATA: &str = r#"{"model":"small","input_tokens":1200,"output_tokens":800}"#;

/// A server in this process, and a log beside it that nothing reads but [`Bare`].
pub(super) struct Place {
    pub(super) bare: Arc<Bare>,
    pub(super) address: SocketAddr,
    /// Of the server, with all scopes.
    pub(super) key: String,
    log: Arc<Log>,
    trial: Option<(Trial, KafkaConfig)>,
    stop: Stop,
    stopped: (Stop, JoinHandle<anyhow::Result<()>>, JoinHandle<anyhow::Result<()>>),
}

/// What the event says that every hold is for.
pub(super) fn data() -> Box<RawValue> {
    RawValue::from_string(DATA.to_owned()).expect("it is JSON")
}

/// A hold, or a settlement of what was held.
pub(super) fn body(wallet: Option<&str>) -> String {
    let wallet = wallet.map(|wallet| format!(r#""wallet":"{wallet}","#)).unwrap_or_default();
    format!(r#"{{{wallet}"event":{{"type":"{KIND}","data":{DATA}}}}}"#)
}

/// So many events of a batch, none of which was sent before.
pub(super) fn events(batch: u64, count: u64, wallets: u64) -> String {
    let event = |n: u64| {
        let (id, wallet) = (batch * count + n, team((batch * count + n) % wallets));
        format!(
            r#"{{"specversion":"1.0","id":"e{id}","source":"/bench","type":"{KIND}","subject":"{wallet}","data":{DATA}}}"#
        )
    };
    format!("[{}]", (0..count).map(event).collect::<Vec<_>>().join(","))
}

pub(super) fn team(wallet: u64) -> String {
    format!("team-{wallet:07}")
}

pub(super) fn stamp(by: &str) -> Stamp<'_> {
    Stamp { now: crate::clock::Clock::default().now(), by, backfill: false }
}

impl Place {
    /// On new logs where the context has its own, of so many wallets with a million credits each.
    pub(super) async fn new(context: &Context, directory: &Path, wallets: u64) -> anyhow::Result<Self> {
        let genesis =
            ingest::genesis("0123456789abcdef0123456789abcdef", PARTITIONS, None, &stamp("operator"));
        let (log, store, bare, trial) = if let LogPlace::Directory = context.log {
            let records = || (0..PARTITIONS).map(|_| genesis.clone()).collect();
            let log = SqliteLog::create(&directory.join("log.db"), records(), context.durability).await?;
            let bare = SqliteLog::create(&directory.join("bare.db"), records(), context.durability).await?;
            let store = SqliteStore::open(&directory.join("projections.db")).await?;
            (Arc::new(log.into()), Arc::new(store.into()), Log::from(bare), None)
        } else {
            let name = format!("bench-api-{}", &context.fresh_id()[..12]);
            let LogPlace::Kafka(_, config) = context.log.beside(&format!("{name}-bare"))? else {
                unreachable!("beside a topic is a topic");
            };
            let bare = KafkaLog::create(config.clone(), genesis, PARTITIONS).await?;
            bare.ready().await?;
            let trial = Trial::new(context, &name, PARTITIONS).await?;
            (trial.log.clone(), trial.store.clone(), bare.into(), Some((trial, config)))
        };
        let key = prepare(&log, &store, &Context { data: directory.to_owned(), ..context.clone() }, wallets)
            .await?;
        let context = Context { data: directory.to_owned(), ..context.clone() };
        let listen = ListenArgs::plain(SocketAddr::from(([127, 0, 0, 1], 0)));
        let serving = Serving::open(&listen, &SecretPlace::default(), &context).await?;
        let url = serving.url()?;
        let address = url.trim_start_matches("http://").parse().context("the server has an address")?;

        let (stop, later) = (Stop::later(), Stop::later());
        let halting = Halting::Everything;
        let node = Node::new(log.clone(), store.clone(), "bench".into(), LEASE, halting).await?;
        let asking = node.asking();
        let (clock, folds_until) = (context.clone(), later.receiver());
        let folding = tokio::spawn(async move {
            node.run(move || clock.now(), folds_until).await?;
            anyhow::Ok(())
        });
        let (of_server, until) = (log.clone(), stop.clone());
        let serving =
            tokio::spawn(async move { serve(serving, &context, &of_server, &store, asking, until).await });
        let bare = Arc::new(Bare::new(Arc::new(bare)).await?);
        Ok(Self { bare, address, key, log, trial, stop, stopped: (later, serving, folding) })
    }

    /// Stops the server, and deletes what is elsewhere than in the directory.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        self.stop.tell();
        let (later, serving, folding) = self.stopped;
        serving.await??;
        later.tell();
        folding.await??;
        let bare = Arc::into_inner(self.bare).context("nobody appends any more")?;
        bare.end().await?;
        match self.trial {
            Some((trial, bare)) => {
                drop(self.log);
                trial.end().await?;
                Ok(KafkaLog::delete(&bare).await?)
            }
            None => Ok(self.log.close().await?),
        }
    }
}

/// Unit, price, a key and the wallets, folded; answers the key.
async fn prepare(
    log: &Arc<Log>,
    store: &Arc<Projections>,
    context: &Context,
    wallets: u64,
) -> anyhow::Result<String> {
    let token = Token::fresh().context("the system has no randomness to make a key of")?;
    let key = ApiKey {
        hash: SecretPlace::default().open(context)?.hash(&token),
        scopes: [KeyScope::Ingest, KeyScope::Authorize, KeyScope::Read, KeyScope::Admin].into(),
        description: None,
        expires_at: None,
        revoked: false,
    };
    let key = serde_json::to_string(&key)?;
    let (stamp, mut records) = (stamp("operator"), Vec::new());
    let mut documents = vec![("price", KIND, PRICE), ("key", token.id(), key.as_str())];
    if let LogPlace::Directory = context.log {
        documents.insert(0, ("unit", "credits", "{}"));
    }
    for (kind, name, body) in documents {
        let bytes = ingest::published(kind, name, body, None, &stamp)?.bytes;
        records.push(Appending { partition: Partition(0), bytes });
    }
    log.append(records).await?;
    let mut projectors = Projectors::open(log.clone(), store.clone()).await?;
    projectors.catch_up(|| Instant::MAX, |_| {}).await?;
    let terms: Terms = serde_json::from_str(r#"{"grant_id":"pack","unit":"credits","amount":"1000000"}"#)?;
    for first in (0..wallets).step_by(BATCH as usize) {
        let mut grants = Vec::new();
        for n in first..wallets.min(first + BATCH) {
            let wallet = team(n);
            let grant = ingest::Grant {
                wallet: &wallet,
                source: None,
                id: None,
                time: None,
                terms: &terms,
                reason: None,
            };
            grants.push(ingest::grant(&grant, &stamp)?.appending(log.partitions()));
        }
        log.append(grants).await?;
    }
    projectors.catch_up(|| Instant::MAX, |_| {}).await?;
    Ok(token.text().to_owned())
}
