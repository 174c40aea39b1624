//! What a chunk of records leads to, read from the store before they are folded.

use store::Store;

use crate::ahead::Ahead;
use crate::error::ProjectorError;
use crate::folding::{Folding, Told};
use crate::loading::{read, take_in};
use crate::seen::Seen;

/// Wallets that are read at once.
const PAGE: u32 = 8_192;

/// Loads what a chunk of records leads to: wallets that are not in memory, identities that memory is not sure of.
pub(crate) async fn prefetch<S: Store>(
    folding: &mut Folding,
    store: &S,
    chunk: &mut [Ahead<'_>],
) -> Result<Told, ProjectorError> {
    folding.look_up(chunk);
    let partition = folding.head.partition;
    if !folding.complete {
        let absent = chunk.iter().filter(|ahead| ahead.slot.is_none()).filter_map(Ahead::record);
        let mut ids: Vec<String> =
            absent.map(|record| record.wallet().to_owned()).filter(|id| !id.is_empty()).collect();
        ids.sort_unstable();
        ids.dedup();
        for row in store.wallets_by_id(partition, &ids).await? {
            let (row, wallet) = read(row)?;
            take_in(folding, row, wallet)?;
        }
    }
    folding.identities.warm(chunk);
    let mut probes = Vec::new();
    for key in chunk.iter().flat_map(Ahead::keys) {
        if let Seen::Perhaps(segments) = folding.identities.look(&key) {
            probes.extend(segments.into_iter().map(|segment| (segment, key)));
        }
    }
    let mut told = Told::default();
    if !probes.is_empty() {
        for row in store.ids(partition, &probes).await? {
            told.insert(row.key, ledger::Known { offset: row.offset, content: row.content });
        }
    }
    Ok(told)
}

/// Reads all wallets of a partition.
pub(crate) async fn load_all<S: Store>(folding: &mut Folding, store: &S) -> Result<(), ProjectorError> {
    let partition = folding.head.partition;
    let mut after = None;
    loop {
        let page = store.all_wallets(partition, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.no);
        for row in page {
            let (row, wallet) = read(row)?;
            take_in(folding, row, wallet)?;
        }
    }
    folding.complete = true;
    Ok(())
}
