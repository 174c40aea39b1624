//! Usage with its charges, read page by page.

use std::collections::BTreeMap;

use ledger::{Amount, Instant, Offset, Partition};
use store::rows::{EntryRow, OutcomeCode, RecordKind, RecordRow};
use store::{EntryFilter, Store, UsageFilter};

use crate::view::Reading;
use crate::view::entry::{amount, kind_of};

/// Rows read at once.
const PAGE: u32 = 4_096;

/// Which usage is asked for. What is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// The event's own type.
    pub(crate) kind: Option<String>,
    pub(crate) subject: Option<String>,
    /// The earliest time it counts as of.
    pub(crate) from: Option<Instant>,
    /// The first time that is too late.
    pub(crate) to: Option<Instant>,
}

/// What a usage was charged of one unit for one feature.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) unit: String,
    pub(crate) feature: String,
    pub(crate) amount: Amount,
    pub(crate) price: Option<String>,
}

/// A usage and its charges.
pub(crate) struct Used {
    pub(crate) record: RecordRow,
    pub(crate) charges: Vec<Charge>,
}

impl Used {
    /// Whether it counts: it is no duplicate of another record, and in no conflict with one.
    pub(crate) fn counts(&self) -> bool {
        self.record.outcome == OutcomeCode::Applied.code()
    }

    /// Why it has no price.
    pub(crate) fn unpriced(&self) -> Option<&str> {
        let why = self.record.detail.as_deref().filter(|detail| !detail.starts_with("free:"));
        why.filter(|_| self.counts())
    }
}

impl Filter {
    fn admits(&self, record: &RecordRow) -> bool {
        record.kind == RecordKind::Usage.code()
            && self.kind.as_ref().is_none_or(|kind| record.feature.as_ref() == Some(kind))
            && self.subject.as_ref().is_none_or(|subject| record.subject.as_ref() == Some(subject))
            && self.from.is_none_or(|from| record.at >= from.0)
            && self.to.is_none_or(|to| record.at < to.0)
    }

    fn page(&self, wallet: i64, after: Option<Offset>, limit: u32) -> UsageFilter {
        UsageFilter {
            wallet,
            feature: self.kind.clone(),
            subject: self.subject.clone(),
            from: self.from.map(|at| at.0),
            to: self.to.map(|at| at.0),
            after,
            limit,
        }
    }
}

/// A wallet's usage that comes after an offset, `limit` at most.
pub(crate) async fn of_wallet(
    reading: &Reading,
    wallet: i64,
    filter: &Filter,
    after: Option<Offset>,
    limit: Option<u32>,
) -> anyhow::Result<Vec<Used>> {
    let records = reading.store.usage(&filter.page(wallet, after, limit.unwrap_or(PAGE))).await?;
    let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(Vec::new()) };
    let last = last.offset;
    let mut after = first.offset.0.checked_sub(1).map(|before| (Offset(before), u32::MAX));
    let mut charges = BTreeMap::new();
    loop {
        let page = EntryFilter { wallet, after, limit: PAGE, ..EntryFilter::default() };
        let entries = reading.store.entries(&page).await?;
        let Some(end) = entries.last().map(|entry| (entry.offset, entry.line)) else { break };
        collect(entries.into_iter().filter(|entry| entry.offset <= last), &mut charges)?;
        if end.0 > last {
            break;
        }
        after = Some(end);
    }
    Ok(join(records, charges))
}

/// The usage of all wallets of a partition among the records from `from` on; and where to read on, below `end`.
pub(crate) async fn of_partition(
    reading: &Reading,
    partition: Partition,
    filter: &Filter,
    (from, end): (Offset, Offset),
) -> anyhow::Result<(Vec<Used>, Offset)> {
    let to = from.plus(PAGE as usize).min(end);
    let mut records = reading.store.records_between(partition, from, to).await?;
    records.retain(|record| filter.admits(record));
    let mut charges = BTreeMap::new();
    collect(reading.store.entries_between(partition, from, to).await?.into_iter(), &mut charges)?;
    Ok((join(records, charges), to))
}

/// Sorts the entries that are charges to their records.
fn collect(
    entries: impl Iterator<Item = EntryRow>,
    charges: &mut BTreeMap<Offset, Vec<Charge>>,
) -> anyhow::Result<()> {
    for entry in entries {
        if !kind_of(&entry)?.is_draw() {
            continue;
        }
        let charges = charges.entry(entry.offset).or_default();
        let feature = entry.feature.unwrap_or_default();
        let amount = amount(&entry.amount)?;
        match charges.iter_mut().find(|c| c.unit == entry.unit && c.feature == feature) {
            Some(charge) => charge.amount.add(amount),
            None => charges.push(Charge { unit: entry.unit, feature, amount, price: entry.price }),
        }
    }
    Ok(())
}

fn join(records: Vec<RecordRow>, mut charges: BTreeMap<Offset, Vec<Charge>>) -> Vec<Used> {
    let used = |record: RecordRow| {
        let charges = charges.remove(&record.offset).unwrap_or_default();
        Used { record, charges }
    };
    records.into_iter().map(used).collect()
}
