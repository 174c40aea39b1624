//! Usage without a price -> `usage.rerated`, once a price for it stands (rules, section 5).

use std::collections::BTreeMap;

use eventlog::EventLog;
use ingest::{Stamp, Usage, priced};
use ledger::{Catalogue, Instant, Offset, Partition, Wallet, price_for};
use serde_json::value::RawValue;
use store::Store;
use store::rows::RecordRow;

use crate::SchedulerError;

/// Most records that one round appends in a partition.
pub const MOST_RERATED: usize = 500;
/// Most usage without a price that one round looks at in a partition.
const MOST_LOOKED_AT: usize = 20_000;
/// Rows read at once.
const PAGE: u32 = 500;

/// How far one scheduler has looked through the usage without a price, and by which catalogue.
///
/// It saves looking through it again while the catalogue is the same, no more: to begin with an empty one is harmless.
#[derive(Debug, Default)]
pub struct Looked(BTreeMap<Partition, Look>);

#[derive(Debug)]
struct Look {
    /// The catalogue as the store has it.
    text: String,
    /// None once all was looked at.
    catalogue: Option<Box<Catalogue>>,
    after: Option<Offset>,
}

impl Looked {
    /// Whether nothing is left to look at, unless the catalogue changes.
    pub fn is_over(&self) -> bool {
        self.0.values().all(|look| look.catalogue.is_none())
    }
}

/// Appends a `usage.rerated` for usage of these partitions that had no price and for which one stands now, some hundred at most in
/// each; answers how many. `read` reads a catalogue as the store has it.
///
/// What a usage's record is called follows from the usage and the price, so that a second scheduler's is a duplicate.
///
/// # Errors
///
/// If the store or the log fails, or a stored catalogue or wallet cannot be read.
pub async fn rerate<L: EventLog, S: Store>(
    log: &L,
    store: &S,
    partitions: impl Iterator<Item = Partition>,
    now: Instant,
    read: impl Fn(&str) -> Result<Catalogue, String>,
    looked: &mut Looked,
) -> Result<usize, SchedulerError> {
    let mut appended = 0;
    for partition in partitions {
        // The catalogue first: usage that is folded later is priced by it, or by a newer one.
        let Some(text) = store.catalogue(partition).await? else { continue };
        if looked.0.get(&partition).is_none_or(|look| look.text != text) {
            let catalogue = Some(Box::new(read(&text).map_err(SchedulerError::Corrupt)?));
            looked.0.insert(partition, Look { text, catalogue, after: None });
        }
        if let Some(look) = looked.0.get_mut(&partition) {
            appended += go_on(log, store, partition, now, look).await?;
        }
    }
    if appended > 0 {
        tracing::info!(appended, "usage has a price now and is charged");
    }
    Ok(appended)
}

async fn go_on<L: EventLog, S: Store>(
    log: &L,
    store: &S,
    partition: Partition,
    now: Instant,
    look: &mut Look,
) -> Result<usize, SchedulerError> {
    let Some(catalogue) = &look.catalogue else { return Ok(0) };
    let stamp = Stamp { now, by: "system", backfill: false };
    let mut wallets: BTreeMap<i64, (String, Wallet)> = BTreeMap::new();
    let (mut appended, mut seen) = (0, 0);
    while appended < MOST_RERATED && seen < MOST_LOOKED_AT {
        let page = store.unpriced(partition, look.after, PAGE).await?;
        let Some(last) = page.last().map(|row| row.offset) else {
            look.catalogue = None;
            break;
        };
        let mut records = Vec::new();
        for row in &page {
            let Some(no) = row.wallet else { continue };
            if !wallets.contains_key(&no) {
                wallets.extend(wallet(store, partition, no).await?.map(|wallet| (no, wallet)));
            }
            let Some((id, wallet)) = wallets.get(&no) else { continue };
            let Some(price) = price(catalogue, wallet, row) else { continue };
            let usage = Usage { source: &row.source, id: &row.id };
            match priced(id, usage, &price, &stamp) {
                Ok(record) => records.push(record.appending(log.partitions())),
                Err(why) => {
                    tracing::warn!(wallet = id, usage = row.id, %why, "usage that has a price now cannot be charged");
                }
            }
        }
        appended += records.len();
        seen += page.len();
        if !records.is_empty() {
            log.append(records).await?;
        }
        look.after = Some(last);
    }
    Ok(appended)
}

/// A wallet by its number.
async fn wallet<S: Store>(
    store: &S,
    partition: Partition,
    no: i64,
) -> Result<Option<(String, Wallet)>, SchedulerError> {
    let row = store.all_wallets(partition, Some(no - 1), 1).await?.into_iter().find(|row| row.no == no);
    let Some(row) = row else { return Ok(None) };
    let wallet =
        Wallet::read(&row.doc).map_err(|e| SchedulerError::Corrupt(format!("the wallet {}: {e}", row.id)))?;
    Ok(Some((row.id, wallet)))
}

/// The version that prices a usage now.
fn price(catalogue: &Catalogue, wallet: &Wallet, row: &RecordRow) -> Option<String> {
    let data = row.data.as_deref().and_then(|data| serde_json::from_str::<&RawValue>(data).ok());
    let kind = row.feature.as_deref().unwrap_or_default();
    price_for(catalogue, wallet, kind, data, Instant(row.at)).ok().map(|price| price.to_string())
}
