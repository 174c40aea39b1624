//! `drawdown run` and `drawdown serve`: projector, scheduler and whatever else a process does, until stopped.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use anyhow::bail;
use clap::ValueEnum;
use eventlog::{EventLog, Log, Until};
use projector::{Asking, Halting, Node};
use serde::Serialize;
use store::Projections;
use store::rows::Counts;

use crate::context::Context;
use crate::exit::Exit;
use crate::from_topic::{self, TopicArgs};
use crate::holding::LEASE;
use crate::http::{ListenArgs, Serving, serve as serve_until};
use crate::keys::SecretPlace;
use crate::outbound::{self, Others, ToTopicArgs};
use crate::places::StorePlace;
use crate::scheduling::{Own, schedule};
use crate::stop::Stop;

/// Fold what comes and see to what is due, until stopped with Ctrl-C or SIGTERM.
///
/// `apply`, `ingest` and whatever reads work beside it. Beside a database, any number of processes may run: they share the
/// partitions out among them, and take over what another one leaves or lets go of by dying. It logs to the standard error; the
/// environment variable DRAWDOWN_LOG_LEVEL says how much (error, warn, info, debug).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data run
  drawdown --log kafka://localhost:9092/drawdown --store postgres://drawdown@localhost/drawdown run --roles projector
  drawdown --data ./data run --roles projector,scheduler,ingest --from-topic usage --brokers localhost:9092
  drawdown --data ./data run --roles projector,scheduler,outbound --to-topic kafka://localhost:9092/credits")]
pub(crate) struct Args {
    /// What this process does [default: projector,scheduler; of `serve`, api as well]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ROLES")]
    roles: Vec<Role>,
    /// What the other processes know this one by; no two have the same [default: one of its own]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    #[command(flatten)]
    pub(crate) topic: TopicArgs,
    #[command(flatten)]
    pub(crate) to: ToTopicArgs,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    secret: SecretPlace,
}

/// Where the API is reached: printed as soon as the address is taken.
#[derive(Serialize)]
struct Serves {
    serves: String,
}

impl fmt::Display for Serves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serves {}", self.serves)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Role {
    /// Folds its share of the partitions
    Projector,
    /// Appends timers for wallets that are due, and re-ratings of usage that a price has come for
    Scheduler,
    /// Appends the events of the topic that --from-topic names
    Ingest,
    /// Sends entries and outcomes to the topic that --to-topic names
    Outbound,
    /// Answers products over HTTP, at --listen
    Api,
}

/// Serve the HTTP API, fold what comes and see to what is due, until stopped with Ctrl-C or SIGTERM.
///
/// Any number of servers may run beside one log on Kafka and projections in Postgres: each answers for every wallet. On the first start,
/// make a key: `drawdown keys create`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  drawdown --data ./data serve
  drawdown --log kafka://localhost:9092/drawdown --store postgres://drawdown@localhost/drawdown serve --listen 0.0.0.0:8420 --plain")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) run: Args,
}

pub(crate) async fn serve(args: ServeArgs, context: &Context) -> anyhow::Result<Exit> {
    let mut args = args.run;
    if args.roles.is_empty() {
        args.roles = vec![Role::Projector, Role::Scheduler, Role::Api];
    }
    run(args, context).await
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let mut roles: BTreeSet<Role> = args.roles.into_iter().collect();
    if roles.is_empty() {
        roles.extend([Role::Projector, Role::Scheduler]);
    }
    if roles.contains(&Role::Ingest) != args.topic.from_topic.is_some() {
        bail!("the role ingest reads a topic: give both --roles …,ingest and --from-topic");
    }
    if roles.contains(&Role::Outbound) != args.to.to_topic.is_some() {
        bail!("the role outbound writes a topic: give both --roles …,outbound and --to-topic");
    }
    let is_alone = matches!(context.store, StorePlace::Directory);
    if is_alone && roles.contains(&Role::Outbound) && !roles.contains(&Role::Projector) {
        bail!(
            "in a directory the role outbound needs the projector beside it: give --roles projector,outbound"
        );
    }
    if is_alone && roles.contains(&Role::Api) && !roles.contains(&Role::Projector) {
        bail!("in a directory the role api needs the projector beside it: give --roles api,projector");
    }
    let serving = match roles.contains(&Role::Api) {
        true => {
            let serving = Serving::open(&args.listen, &args.secret, context).await?;
            if is_alone && serving.advertised()?.is_some() {
                bail!("in a directory there is no other node to be reached by: leave --advertise out");
            }
            context.print(&Serves { serves: serving.url()? })?;
            Some(serving)
        }
        false => None,
    };
    let Args { node, topic, to, .. } = args;
    let topic = roles.contains(&Role::Ingest).then_some(topic);
    go(Doing { roles, node, topic, to: to.to_topic, serving }, context).await
}

/// What `serve` does, with a server that is bound already.
pub(crate) async fn with_server(serving: Serving, context: &Context) -> anyhow::Result<Exit> {
    let roles = BTreeSet::from([Role::Projector, Role::Scheduler, Role::Api]);
    go(Doing { roles, node: None, topic: None, to: None, serving: Some(serving) }, context).await
}

/// What a process does, checked.
struct Doing {
    roles: BTreeSet<Role>,
    node: Option<String>,
    /// What is read into the log.
    topic: Option<TopicArgs>,
    /// Where what is committed is sent.
    to: Option<String>,
    serving: Option<Serving>,
}

async fn go(doing: Doing, context: &Context) -> anyhow::Result<Exit> {
    let Doing { roles, node, topic, to, serving } = doing;
    let is_alone = matches!(context.store, StorePlace::Directory);
    let stop = Stop::on_signal()?;
    let lock = roles.contains(&Role::Projector).then(|| context.lock_projector()).transpose()?;
    let log = context.open_log().await?;
    let ingesting = ingest(topic.as_ref(), context, &log, stop.clone());
    let (ingested, counts, sent) = if roles.iter().all(|role| *role == Role::Ingest) {
        tracing::info!(log = %context.log_place(), partitions = log.partitions(), ?roles, "runs");
        (ingesting.await, Ok(Counts::default()), Ok(0))
    } else {
        let store = context.open_store(log.partitions()).await?;
        let (name, halting) = match context.store {
            // The lock sees to it that there is one: it need not wait for the leases of the one before it.
            StorePlace::Directory => ("alone".to_owned(), Halting::Everything),
            StorePlace::Postgres(_) => {
                let name = node.unwrap_or_else(|| node_name(&context.fresh_id()));
                let at = serving.as_ref().map(Serving::advertised).transpose()?.flatten();
                (at.map_or(name.clone(), |url| format!("{name}@{url}")), Halting::ThatPartition)
            }
        };
        tracing::info!(log = %context.log_place(), store = %context.store_place(), partitions = log.partitions(), ?roles, node = %name, "runs");
        let others = if is_alone { Others::None } else { Others::MayBe };
        let sending = send(to.as_deref(), context, &log, &store, others, stop.clone());
        let working = Box::pin(work(&roles, context, (&log, &store), (name, halting), serving, stop));
        let (ingested, counts, sent) = tokio::join!(ingesting, working, sending);
        if let (Ok(_), Some(store)) = (&counts, Arc::into_inner(store)) {
            store.close().await?;
        }
        (ingested, counts, sent)
    };
    let Counts { applied, duplicate, conflict, rejected, quarantined, timers, unpriced } = counts?;
    let from_topic::Counts { appended, refused, .. } = ingested?;
    let sent = sent?;
    log.close().await?;
    drop(lock);
    tracing::info!(
        applied,
        duplicate,
        conflict,
        rejected,
        quarantined,
        timers,
        unpriced,
        appended,
        refused,
        sent,
        "stopped"
    );
    Ok(Exit::Ok)
}

/// Reads a topic into the log until told to stop. Where it cannot go on, all parts of the process are told to stop.
async fn ingest(
    topic: Option<&TopicArgs>,
    context: &Context,
    log: &Log,
    stop: Stop,
) -> anyhow::Result<from_topic::Counts> {
    let mut counts = from_topic::Counts::default();
    if let Some(topic) = topic {
        let how = (Until::Stopped, false);
        let ended = from_topic::take_in(topic, how, context, log, stop.clone(), &mut counts).await;
        if let Err(error) = ended {
            stop.tell();
            return Err(error);
        }
    }
    Ok(counts)
}

/// Sends what is committed to a topic until told to stop. Where the topic cannot be used, all parts of the process are told to stop.
async fn send(
    topic: Option<&str>,
    context: &Context,
    log: &Log,
    store: &Arc<Projections>,
    others: Others,
    stop: Stop,
) -> anyhow::Result<u64> {
    let Some(topic) = topic else { return Ok(0) };
    let sending = async {
        let of = (&*projector::log_id(log).await?, log.partitions());
        outbound::send(topic, context, of, store, others, stop.clone()).await
    };
    let sent = sending.await;
    if sent.is_err() {
        stop.tell();
    }
    sent
}

/// Does what the other roles are until told to stop. Where it cannot go on, all parts of the process are told to stop.
async fn work(
    roles: &BTreeSet<Role>,
    context: &Context,
    (log, store): (&Arc<Log>, &Arc<Projections>),
    (name, halting): (String, Halting),
    serving: Option<Serving>,
    stop: Stop,
) -> anyhow::Result<Counts> {
    let node = if roles.contains(&Role::Projector) {
        match Node::new(log.clone(), store.clone(), name, LEASE, halting).await {
            Ok(node) => Some(node),
            Err(error) => {
                stop.tell();
                return Err(error.into());
            }
        }
    } else {
        None
    };
    let own = node.as_ref().map_or(Own::Everything, |node| Own::These(node.owned()));
    let scheduler = roles
        .contains(&Role::Scheduler)
        .then(|| tokio::spawn(schedule(context.clone(), log.clone(), store.clone(), own, stop.clone())));
    let clock = context.clone();
    let asking = node.as_ref().map_or_else(|| Asking::new(log.partitions()), Node::asking);
    // Requests that are in flight are answered by what is folded: so that ends last.
    let mut answered = if serving.is_some() { Stop::later() } else { stop.clone() };
    let (done, gone) = (answered.clone(), stop.clone());
    let answering = async {
        let served = match serving {
            Some(serving) => serve_until(serving, context, log, store, asking, stop.clone()).await,
            None => return Ok(()),
        };
        done.tell();
        served
    };
    let folding = async {
        let folded = match node {
            Some(node) => node.run(move || clock.now(), answered.receiver()).await,
            None => {
                answered.set().await;
                Ok(Counts::default())
            }
        };
        gone.tell();
        folded
    };
    let (served, folded) = tokio::join!(answering, folding);
    stop.tell();
    if let Some(scheduler) = scheduler {
        scheduler.abort();
        // It ends where it waits, and lets go of log and projections.
        let _ = scheduler.await;
    }
    let folded = folded?;
    served?;
    Ok(folded)
}

fn node_name(id: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let host = if host.is_empty() { "node" } else { host };
    format!("{host}-{}-{}", std::process::id(), &id[..8])
}
