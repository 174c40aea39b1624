//! The server of a process: what it needs before anything runs, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use eventlog::{EventLog as _, Log};
use ledger::Partition;
use projector::Asking;
use store::Projections;
use tokio::sync::watch;

use super::backlog::{Backlog, watch_backlog};
use super::drift::watch_drift;
use super::feed::Feeds;
use super::forward::{Forwarding, Owners, watch_owners};
use super::listen::{ListenArgs, Listening};
use super::{App, Limits, metrics, router};
use crate::context::Context;
use crate::keys::{self, Secret, SecretPlace};
use crate::places::StorePlace;
use crate::stop::Stop;

/// A server that has its address, and answers nobody yet.
pub(crate) struct Serving {
    listening: Listening,
    secret: Secret,
    verify_every: Duration,
}

impl Serving {
    /// Binds the address, and reads the server's secret.
    ///
    /// # Errors
    ///
    /// If the address is taken, or certificate or secret cannot be used.
    pub(crate) async fn open(
        args: &ListenArgs,
        secret: &SecretPlace,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let secret = secret.open(context)?;
        let verify_every = Duration::from_nanos(u64::try_from(args.verify_every.exact()).unwrap_or(u64::MAX));
        Ok(Self { listening: args.bind().await?, secret, verify_every })
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> std::io::Result<String> {
        self.listening.url()
    }

    /// Where other nodes reach it, if they are to.
    pub(crate) fn advertised(&self) -> std::io::Result<Option<String>> {
        self.listening.advertised()
    }
}

/// Answers requests until told to stop, and then those that are in flight.
///
/// # Errors
///
/// If the keys cannot be read to begin with.
pub(crate) async fn serve(
    serving: Serving,
    context: &Context,
    log: &Arc<Log>,
    store: &Arc<Projections>,
    asking: Asking,
    stop: Stop,
) -> anyhow::Result<()> {
    let Serving { listening, secret, verify_every } = serving;
    let keys = keys::follow(log.clone(), store.clone()).await.context("the keys cannot be read")?;
    let (found, backlog) = watch::channel(Backlog::default());
    let looking = tokio::spawn(watch_backlog(log.clone(), store.clone(), asking.clone(), found));
    let drifting = tokio::spawn(watch_drift(log.clone(), store.clone(), verify_every));
    let (owned, owners) = watch::channel(Owners::default());
    let mut tasks = vec![looking, drifting];
    // Beside a directory there is no other node.
    if let StorePlace::Postgres(_) = context.store {
        tasks.push(tokio::spawn(watch_owners(store.clone(), owned)));
    }
    let forwarding = Forwarding::new(owners, listening.advertised()?)?;
    metrics::install();
    let app = Arc::new(App {
        context: context.clone(),
        log: log.clone(),
        store: store.clone(),
        asking,
        keys,
        secret,
        backlog,
        limits: Limits::default(),
        feeds: Feeds::default(),
        forwarding,
        stop: stop.clone(),
    });
    if let StorePlace::Directory = context.store {
        catch_up(&app, stop.clone()).await;
    }
    tracing::info!(url = listening.url()?, "serves");
    listening.serve(router(&app), stop).await;
    app.feeds.end().await;
    for task in tasks {
        task.abort();
        // It ends where it waits, and lets go of log and projections.
        let _ = task.await;
    }
    Ok(())
}

/// Waits until all is folded that is in the log already, so that a server that is started again knows at once what it had answered
/// before. If that takes long, each answer says how far it is behind, and `/health/ready` when it is too far.
async fn catch_up(app: &App, mut stop: Stop) {
    let folded = async {
        for partition in (0..app.log.partitions()).map(Partition) {
            if app.folded_to_the_end(partition).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = folded => {}
        () = tokio::time::sleep(app.limits.wait) => {}
        () = stop.set() => {}
    }
}
