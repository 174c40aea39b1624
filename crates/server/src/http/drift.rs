//! Whether the projections still are what the log says: held against it again and again while the server runs.

use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use eventlog::{EventLog, Log};
use ledger::Partition;
use projector::{Depth, verify};
use store::{Projections, Store};

use super::metrics;

/// Folds every partition anew, one after the other, and compares digests, chains and counts; then again after a pause.
pub(super) async fn watch_drift(log: Arc<Log>, store: Arc<Projections>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let (began, mut diverging, mut records) = (Stopwatch::now(), 0, 0);
        for partition in (0..log.partitions()).map(Partition) {
            if !matches!(store.head(partition).await, Ok(Some(_))) {
                continue;
            }
            match verify(log.clone(), store.clone(), partition, Depth::Digests, |_| {}).await {
                Ok(verified) => {
                    records += verified.records;
                    if let Some(divergence) = verified.divergence {
                        diverging += 1;
                        tracing::error!(%partition, at = %divergence.at, table = divergence.table, "the projections are not what the log says: run `drawdown verify`");
                    }
                }
                Err(error) => {
                    tracing::warn!(%partition, error = format!("{error:#}"), "the partition could not be verified now");
                }
            }
        }
        metrics::verified(diverging, records, began.elapsed());
        tracing::info!(records, diverging, "verified");
    }
}
