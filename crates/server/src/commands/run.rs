//! `drawdown run`: projector and scheduler, until stopped.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::ValueEnum;
use eventlog::{EventLog, Log};
use projector::{Halting, Node};
use store::Projections;
use store::rows::Counts;

use crate::context::Context;
use crate::exit::Exit;
use crate::holding::LEASE;
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
  drawdown --log kafka://localhost:9092/drawdown --store postgres://drawdown@localhost/drawdown run --roles projector")]
pub(crate) struct Args {
    /// What this process does
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Role::Projector, Role::Scheduler])]
    roles: Vec<Role>,
    /// What the other processes know this one by; no two have the same [default: one of its own]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Role {
    /// Folds its share of the partitions
    Projector,
    /// Appends timers for wallets that are due, and re-ratings of usage that a price has come for
    Scheduler,
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let roles: BTreeSet<Role> = args.roles.into_iter().collect();
    let stop = Stop::on_signal()?;
    let lock = roles.contains(&Role::Projector).then(|| context.lock_projector()).transpose()?;
    let log = context.open_log().await?;
    let store = context.open_store(log.partitions()).await?;
    let (name, halting) = match context.store {
        // The lock sees to it that there is one: it need not wait for the leases of the one before it.
        StorePlace::Directory => ("alone".to_owned(), Halting::Everything),
        StorePlace::Postgres(_) => {
            (args.node.unwrap_or_else(|| node_name(&context.fresh_id())), Halting::ThatPartition)
        }
    };
    tracing::info!(log = %context.log_place(), store = %context.store_place(), partitions = log.partitions(), ?roles, node = %name, "runs");
    let counts = Box::pin(work(&roles, context, &log, &store, (name, halting), stop)).await?;
    if let Some(store) = Arc::into_inner(store) {
        store.close().await?;
    }
    log.close().await?;
    drop(lock);
    let Counts { applied, duplicate, conflict, rejected, quarantined, timers, unpriced } = counts;
    tracing::info!(applied, duplicate, conflict, rejected, quarantined, timers, unpriced, "stopped");
    Ok(Exit::Ok)
}

/// Does what the roles are until told to stop.
async fn work(
    roles: &BTreeSet<Role>,
    context: &Context,
    log: &Arc<Log>,
    store: &Arc<Projections>,
    (name, halting): (String, Halting),
    mut stop: Stop,
) -> anyhow::Result<Counts> {
    let node = if roles.contains(&Role::Projector) {
        Some(Node::new(log.clone(), store.clone(), name, LEASE, halting).await?)
    } else {
        None
    };
    let own = node.as_ref().map_or(Own::Everything, |node| Own::These(node.owned()));
    let scheduler = roles
        .contains(&Role::Scheduler)
        .then(|| tokio::spawn(schedule(context.clone(), log.clone(), store.clone(), own, stop.clone())));
    let clock = context.clone();
    let folded = match node {
        Some(node) => node.run(move || clock.now(), stop.receiver()).await,
        None => {
            stop.set().await;
            Ok(Counts::default())
        }
    };
    if let Some(scheduler) = scheduler {
        scheduler.abort();
        // It ends where it waits, and lets go of log and projections.
        let _ = scheduler.await;
    }
    Ok(folded?)
}

fn node_name(id: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let host = if host.is_empty() { "node" } else { host };
    format!("{host}-{}-{}", std::process::id(), &id[..8])
}
