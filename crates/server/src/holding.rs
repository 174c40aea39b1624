//! The leases of all partitions, for a command that folds by itself beside a database.

use std::sync::Arc;
use std::time::Duration;

use eventlog::EventLog;
use ledger::Partition;
use store::rows::Head;
use store::{Projections, Store};
use tokio::task::JoinHandle;

use crate::context::LockError;

/// How long a lease lives without a beat: a node that dies is succeeded within two seconds.
pub(crate) const LEASE: Duration = Duration::from_millis(1_500);

/// The leases of all partitions, renewed until this is dropped.
pub(crate) struct Holding {
    store: Arc<Projections>,
    node: String,
    beats: JoinHandle<()>,
}

impl Holding {
    /// Claims every partition; answers where each stands. All or none: if a node has one, none is kept.
    ///
    /// # Errors
    ///
    /// [`LockError::Leased`] if a node has a partition.
    pub(crate) async fn all<L: EventLog>(
        log: &L,
        store: &Arc<Projections>,
        log_id: &str,
        node: String,
    ) -> anyhow::Result<(Self, Vec<Head>)> {
        let life = u32::try_from(LEASE.as_millis()).expect("seconds");
        let fleet = store.beat(&node, life).await?;
        let holding =
            Self { store: store.clone(), node: node.clone(), beats: beat(store.clone(), node.clone(), life) };
        let mut heads = Vec::new();
        for partition in (0..log.partitions()).map(Partition) {
            let Some(head) = store.claim(&node, partition, log_id, life).await? else {
                let lease = fleet.leases.iter().find(|lease| lease.partition == partition);
                let owner = lease.map_or_else(|| "unknown".to_owned(), |lease| lease.owner.clone());
                holding.give_back().await?;
                return Err(LockError::Leased { partition, owner }.into());
            };
            heads.push(head);
        }
        Ok((holding, heads))
    }

    /// Gives the leases back.
    pub(crate) async fn give_back(mut self) -> anyhow::Result<()> {
        self.beats.abort();
        // A beat that is on its way would take everything back, and it holds the store open.
        let _ = (&mut self.beats).await;
        Ok(self.store.leave(&self.node).await?)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

fn beat(store: Arc<Projections>, node: String, life: u32) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LEASE / 5).await;
            if let Err(error) = store.beat(&node, life).await {
                tracing::warn!(%error, "the leases could not be renewed: tried again");
            }
        }
    })
}
