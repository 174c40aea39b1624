//! Whether a record whose id follows from what it says is there already.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::EventLog;
use ingest::Correction;
use ledger::{Partition, Position, key};
use store::Store;
use store::rows::OutcomeCode;

use super::Correcting;

/// How often something can be said again after it was rejected.
const MOST_ATTEMPTS: u32 = 1_000;

/// What is there of a record.
pub(super) enum Earlier {
    /// It stands here, under this id.
    Stands(Position, String),
    /// None, or only such that were rejected: this id is free.
    None(String),
}

/// Looks for what says the same of these wallets. What was rejected may be tried again, under another id.
pub(super) async fn of_content(
    correcting: &mut Correcting,
    wallets: &BTreeSet<String>,
    reason: Option<&str>,
    says: Correction<'_>,
) -> anyhow::Result<BTreeMap<String, Earlier>> {
    let partitions = correcting.log().partitions();
    let mut earlier = BTreeMap::new();
    let mut open: BTreeMap<Partition, Vec<&String>> = BTreeMap::new();
    for wallet in wallets {
        open.entry(Partition::of(wallet, partitions)).or_default().push(wallet);
    }
    let store = correcting.store().await?;
    for (partition, mut open) in open {
        let segments = store.segments(partition).await?;
        for attempt in 0..MOST_ATTEMPTS {
            let mut ids = BTreeMap::new();
            for wallet in &open {
                let id = says.id(wallet, reason, attempt)?;
                ids.insert(key(wallet, "operator", &id), (*wallet, id));
            }
            let probes = ids.keys().flat_map(|key| segments.iter().map(|segment| (*segment, *key)));
            let found = store.ids(partition, &probes.collect::<Vec<_>>()).await?;
            open.clear();
            for row in found {
                let Some((wallet, id)) = ids.remove(&row.key) else { continue };
                let record = store.record(partition, row.offset).await?;
                match record.filter(|record| record.outcome == OutcomeCode::Rejected.code()) {
                    Some(_) => open.push(wallet),
                    None => {
                        let position = Position { partition, offset: row.offset };
                        earlier.insert(wallet.clone(), Earlier::Stands(position, id));
                    }
                }
            }
            earlier.extend(ids.into_values().map(|(wallet, id)| (wallet.clone(), Earlier::None(id))));
            if open.is_empty() {
                break;
            }
        }
    }
    Ok(earlier)
}
