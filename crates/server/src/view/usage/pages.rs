//! Usage with its charges, read page by page.

use std::collections::BTreeMap;

use ledger::{Amount, Instant, Offset, Partition};
use store::rows::{EntryRow, OutcomeCode, RecordKind, RecordRow};
use store::{EntryFilter, Store, UsageFilter};

use crate::view::entry::{amount, kind_of};
use crate::view::{Reading, WalletNow};

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

/// A usage and its charges, as they are in effect.
pub(crate) struct Used {
    /// As it was recorded.
    pub(crate) record: RecordRow,
    pub(crate) charges: Vec<Charge>,
    /// What records have made of it that corrected it since.
    pub(crate) corrected: Option<ledger::Used>,
}

impl Used {
    /// Whether it counts: it is no duplicate of another record, in no conflict with one, and not cancelled.
    pub(crate) fn counts(&self) -> bool {
        self.record.outcome == OutcomeCode::Applied.code() && !self.is_cancelled()
    }

    /// Whether all of it was reversed.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.corrected.as_ref().is_some_and(|used| used.is_cancelled)
    }

    /// Why it has no price.
    pub(crate) fn unpriced(&self) -> Option<&str> {
        let why = self.record.detail.as_deref().filter(|detail| !detail.starts_with("free:"));
        let is_priced_since = self.corrected.as_ref().is_some_and(|used| !used.is_unpriced);
        why.filter(|_| self.counts() && !is_priced_since)
    }

    /// Its data: what a correction put in its place, or as it was recorded.
    pub(crate) fn data(&self) -> Option<&str> {
        let corrected = self.corrected.as_ref().and_then(|used| used.data.as_ref()).map(|data| data.get());
        corrected.or(self.record.data.as_deref())
    }

    /// Puts what is in effect now in the place of what was charged at first.
    fn correct(&mut self, used: ledger::Used) {
        self.charges.clear();
        for draw in &used.draws {
            let charge = Charge {
                unit: draw.unit.to_string(),
                feature: draw.feature.to_string(),
                amount: draw.amount,
                price: used.price.as_ref().map(ToString::to_string),
            };
            add(&mut self.charges, charge);
        }
        self.corrected = Some(used);
    }
}

/// Of usage of wallets that have been corrected, looks up what is in effect.
async fn correct(reading: &Reading, partition: Partition, usage: &mut [Used]) -> anyhow::Result<()> {
    let wallets = reading.store.corrected(partition).await?;
    let is_its =
        |used: &&mut Used| used.counts() && used.record.wallet.is_some_and(|no| wallets.contains(&no));
    for used in usage.iter_mut().filter(is_its) {
        let (offset, wallet) = (used.record.offset, used.record.wallet.unwrap_or_default());
        if reading.store.corrections(partition, offset).await?.is_empty() {
            continue;
        }
        if let Some(in_effect) = projector::used(&*reading.store, partition, wallet, offset).await? {
            used.correct(in_effect);
        }
    }
    Ok(())
}

impl Filter {
    fn admits(&self, record: &RecordRow) -> bool {
        RecordKind::is_usage(record.kind)
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
    now: &WalletNow,
    filter: &Filter,
    after: Option<Offset>,
    limit: Option<u32>,
) -> anyhow::Result<Vec<Used>> {
    let wallet = now.no;
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
    let mut usage = join(records, charges);
    correct(reading, Partition(now.as_of.partition), &mut usage).await?;
    Ok(usage)
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
    let mut usage = join(records, charges);
    correct(reading, partition, &mut usage).await?;
    Ok((usage, to))
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
        let charge = Charge {
            unit: entry.unit.to_string(),
            feature: entry.feature.as_deref().unwrap_or_default().to_owned(),
            amount: amount(&entry.amount)?,
            price: entry.price.as_deref().map(str::to_owned),
        };
        add(charges, charge);
    }
    Ok(())
}

fn add(charges: &mut Vec<Charge>, charge: Charge) {
    match charges.iter_mut().find(|c| c.unit == charge.unit && c.feature == charge.feature) {
        Some(same) => same.amount.add(charge.amount),
        None => charges.push(charge),
    }
}

fn join(records: Vec<RecordRow>, mut charges: BTreeMap<Offset, Vec<Charge>>) -> Vec<Used> {
    let used = |record: RecordRow| {
        let charges = charges.remove(&record.offset).unwrap_or_default();
        Used { record, charges, corrected: None }
    };
    records.into_iter().map(used).collect()
}
