//! `drawdown run`: projector and scheduler, until stopped.

use std::time::Duration;

use eventlog::EventLog;
use ledger::Partition;
use scheduler::{InFlight, Looked};
use store::rows::Counts;

use super::tick::read_catalogue;
use crate::context::Context;
use crate::exit::Exit;
use crate::projecting::Projecting;
use crate::stop::Stop;

/// How often wallets that are due are looked for, and usage that a price has come for.
const ROUND: Duration = Duration::from_secs(1);

/// Fold what comes and see to what is due, until stopped with Ctrl-C or SIGTERM.
///
/// `apply`, `ingest` and whatever reads work beside it. It logs to the standard error; the environment variable
/// DRAWDOWN_LOG_LEVEL says how much (error, warn, info, debug).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data run")]
pub(crate) struct Args {}

pub(crate) async fn run(_: Args, context: &Context) -> anyhow::Result<Exit> {
    let mut stop = Stop::on_signal()?;
    let lock = context.lock_projector()?;
    let log = context.open_log().await?;
    let mut projecting = Projecting::open(context, log, lock).await?;
    tracing::info!(data = %context.data.display(), partitions = projecting.log.partitions(), "projector and scheduler run");

    let scheduler = tokio::spawn(schedule(context.clone(), &projecting, stop.clone()));
    let followed = projecting.follow(context, &mut stop).await;
    scheduler.abort();
    // It ends where it waits, and lets go of the files.
    let _ = scheduler.await;
    followed?;

    let Counts { applied, duplicate, conflict, rejected, quarantined, timers, unpriced } =
        projecting.counts();
    projecting.close().await?;
    tracing::info!(applied, duplicate, conflict, rejected, quarantined, timers, unpriced, "stopped");
    Ok(Exit::Ok)
}

/// Rounds of the scheduler until told to stop. What fails is tried again with the next round: a late timer changes no balance.
fn schedule(context: Context, projecting: &Projecting, mut stop: Stop) -> impl Future<Output = ()> + use<> {
    let (log, store) = (projecting.log.clone(), projecting.store.clone());
    async move {
        let (mut in_flight, mut looked) = (InFlight::default(), Looked::default());
        while !stop.is_set() {
            let partitions = || (0..log.partitions()).map(Partition);
            let now = context.now();
            let round = scheduler::round(&*log, &*store, partitions(), now, &mut in_flight).await;
            let rerated =
                scheduler::rerate(&*log, &*store, partitions(), now, read_catalogue, &mut looked).await;
            if let Some(error) = round.err().or(rerated.err()) {
                let error = anyhow::Error::from(error);
                tracing::warn!("{error:#}: tried again in a second");
            }
            stop.sleep(ROUND).await;
        }
    }
}
