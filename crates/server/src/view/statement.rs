//! A wallet's ledger: its entries in the order of the log.

use std::collections::BTreeMap;
use std::fmt;

use ledger::{Entry, EntryKind, Instant, Offset, Partition};
use schemars::JsonSchema;
use serde::Serialize;
use store::rows::{EntryRow, RecordRow};
use store::{EntryFilter, Store};

use super::entry::EntryNow;
use crate::view::{Align, AsOf, Reading, Table, WalletNow, behind, moment, when};

/// Which entries are asked for. What is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) unit: Option<String>,
    pub(crate) kind: Option<EntryKind>,
    pub(crate) lot: Option<String>,
    pub(crate) feature: Option<String>,
    /// The earliest `effective_at`.
    pub(crate) from: Option<Instant>,
    /// The first `effective_at` that is too late.
    pub(crate) to: Option<Instant>,
}

/// An offset and a line: what a page ends with and the next one begins after.
pub(crate) type Cursor = (Offset, u32);

/// A page of a wallet's entries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Ledger")]
pub(crate) struct Statement {
    wallet: String,
    as_of: AsOf,
    entries: Vec<EntryNow>,
    /// Give this as `after` for the next page; none on the last one.
    next: Option<String>,
    /// On the last page: what time alone has done since, which the wallet's next record will book.
    due: Vec<EntryNow>,
    behind: u64,
}

impl Wanted {
    pub(crate) fn page(&self, wallet: i64, after: Option<Cursor>, limit: u32) -> EntryFilter {
        EntryFilter {
            wallet,
            unit: self.unit.clone(),
            kind: self.kind.map(EntryKind::code),
            lot: self.lot.clone(),
            feature: self.feature.clone(),
            from: self.from.map(|at| at.0),
            to: self.to.map(|at| at.0),
            after,
            limit,
        }
    }

    /// Whether an entry that is no row yet is asked for.
    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, name: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| name == Some(wanted))
        };
        is(&self.unit, Some(&entry.unit))
            && self.kind.is_none_or(|kind| kind == entry.kind)
            && (is(&self.lot, entry.lot.as_deref()) || is(&self.lot, entry.other_lot.as_deref()))
            && is(&self.feature, entry.feature.as_deref())
            && self.from.is_none_or(|from| entry.effective_at >= from)
            && self.to.is_none_or(|to| entry.effective_at < to)
    }
}

impl Statement {
    pub(crate) async fn read(
        reading: &Reading,
        now: &WalletNow,
        wanted: &Wanted,
        after: Option<Cursor>,
        limit: u32,
    ) -> anyhow::Result<Self> {
        // One more than is shown tells whether there is a next page.
        let mut rows = reading.store.entries(&wanted.page(now.no, after, limit.saturating_add(1))).await?;
        let is_last = rows.len() <= limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| !is_last).map(|row| format!("{}:{}", row.offset, row.line));
        let due = now.due.entries.iter().filter(|entry| is_last && wanted.admits(entry));
        Ok(Self {
            wallet: now.id.clone(),
            as_of: now.as_of,
            due: due.map(EntryNow::due).collect(),
            entries: named(reading, Partition(now.as_of.partition), rows).await?,
            next,
            behind: now.behind,
        })
    }
}

/// The entries of rows, with the ids of the usage that caused them.
async fn named(
    reading: &Reading,
    partition: Partition,
    rows: Vec<EntryRow>,
) -> anyhow::Result<Vec<EntryNow>> {
    let mut usage = BTreeMap::new();
    for row in rows.iter().filter(|row| row.price.is_some()) {
        if usage.contains_key(&row.offset) {
            continue;
        }
        let Some(record) = reading.store.record(partition, row.offset).await? else { continue };
        // A correction's entries are of the usage that it corrects.
        let corrected = match record.earlier {
            Some(earlier) => reading.store.record(partition, earlier).await?,
            None => None,
        };
        let RecordRow { id, source, .. } = corrected.unwrap_or(record);
        usage.insert(row.offset, (id, source));
    }
    let entry = |row: EntryRow| {
        let by =
            Some(row.offset).filter(|_| row.price.is_some()).and_then(|offset| usage.get(&offset)).cloned();
        let (usage, source) = by.unzip();
        Ok(EntryNow { usage, source, ..EntryNow::booked(partition.0, row)? })
    };
    rows.into_iter().map(entry).collect()
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, entries up to {}", self.wallet, moment(self.as_of.time))?;
        write!(f, "{}", table(self.entries.iter()))?;
        if self.entries.is_empty() {
            writeln!(f, "  no entries")?;
        }
        if !self.due.is_empty() {
            writeln!(f, "\ndue since by time alone, booked with the wallet's next record:")?;
            write!(f, "{}", table(self.due.iter()))?;
        }
        if let Some(next) = &self.next {
            writeln!(f, "\nmore: --after {next}")?;
        }
        f.write_str(&behind(self.behind))
    }
}

/// Entries in columns.
pub(crate) fn table<'a>(entries: impl Iterator<Item = &'a EntryNow>) -> Table {
    let mut table = Table::new([
        ("at", Align::Left),
        ("effective", Align::Left),
        ("kind", Align::Left),
        ("amount", Align::Right),
        ("unit", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
        ("available", Align::Right),
        ("usage", Align::Left),
        ("month", Align::Left),
        ("booked", Align::Left),
    ]);
    for entry in entries {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let usage = [part(&entry.usage), part(&entry.feature), part(&entry.price)];
        let usage: Vec<String> = usage.into_iter().filter(|text| !text.is_empty()).collect();
        let late = entry.booked_at != entry.effective_at;
        table.add([
            entry.place(),
            when(entry.effective_at),
            entry.kind.to_owned(),
            entry.amount.to_string(),
            entry.unit.clone(),
            entry.debit.clone(),
            entry.credit.clone(),
            entry.available_after.to_string(),
            usage.join("  "),
            part(&entry.month),
            if late { when(entry.booked_at) } else { String::new() },
        ]);
    }
    table
}
