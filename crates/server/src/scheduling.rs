//! The scheduler of a process, in rounds.

use std::sync::Arc;
use std::time::Duration;

use eventlog::{EventLog, Log};
use ledger::Partition;
use scheduler::{InFlight, Looked, OVERDUE};
use store::Projections;
use tokio::sync::watch;

use crate::commands::tick::read_catalogue;
use crate::context::Context;
use crate::stop::Stop;

/// How often wallets that are due are looked for, and usage that a price has come for.
const ROUND: Duration = Duration::from_secs(1);

/// Which partitions a process sees to before others have to.
pub(crate) enum Own {
    /// All: it folds none.
    Everything,
    /// Those that it folds.
    These(watch::Receiver<Vec<Partition>>),
}

impl Own {
    fn has(&self, partition: Partition) -> bool {
        match self {
            Self::Everything => true,
            Self::These(owned) => owned.borrow().contains(&partition),
        }
    }
}

/// Rounds of the scheduler until told to stop, but for those at which the clock is found wrong. What fails is tried again with the
/// next round: a late timer changes no balance.
pub(crate) async fn schedule(
    context: Context,
    log: Arc<Log>,
    store: Arc<Projections>,
    own: Own,
    mut stop: Stop,
) {
    let (mut in_flight, mut looked) = (InFlight::default(), Looked::default());
    let mut is_right = true;
    while !stop.is_set() {
        let found = context.clock.check();
        if let Err(apart) = &found
            && is_right
        {
            tracing::warn!("{apart}; other nodes see to what is due here half a minute later");
        }
        is_right = found.is_ok();
        if !is_right {
            stop.sleep(ROUND).await;
            continue;
        }
        let partitions: Vec<(Partition, i64)> = (0..log.partitions())
            .map(Partition)
            .map(|partition| (partition, if own.has(partition) { 0 } else { OVERDUE }))
            .collect();
        let now = context.now();
        let due = partitions.iter().copied();
        let round = scheduler::round(&*log, &*store, due, now, &mut in_flight).await;
        let own = partitions.iter().filter(|(_, overdue)| *overdue == 0).map(|(partition, _)| *partition);
        let rerated = scheduler::rerate(&*log, &*store, own, now, read_catalogue, &mut looked).await;
        if let Some(error) = round.err().or(rerated.err()) {
            let error = anyhow::Error::from(error);
            tracing::warn!("{error:#}: tried again in a second");
        }
        stop.sleep(ROUND).await;
    }
}
