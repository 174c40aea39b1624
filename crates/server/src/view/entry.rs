//! One entry of a wallet's ledger.

use anyhow::Context as _;
use ledger::{Amount, Entry, EntryKind, Instant, Name, Position};
use schemars::JsonSchema;
use serde::Serialize;
use store::rows::EntryRow;

use crate::view::history::Booked;

/// One transfer between two accounts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Entry")]
pub(crate) struct EntryNow {
    /// The record that caused it; none where time alone did and no record has booked it yet.
    pub(crate) partition: Option<u32>,
    pub(crate) offset: Option<u64>,
    /// Counted within the record.
    pub(crate) line: Option<u32>,
    pub(crate) kind: &'static str,
    pub(crate) unit: String,
    pub(crate) amount: Amount,
    pub(crate) debit: String,
    pub(crate) credit: String,
    pub(crate) available_after: Amount,
    pub(crate) effective_at: Instant,
    pub(crate) booked_at: Instant,
    pub(crate) lot: Option<String>,
    pub(crate) other_lot: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) feature: Option<String>,
    pub(crate) price: Option<String>,
    /// Of overage: the month of the usage.
    pub(crate) month: Option<String>,
    /// The usage's id and source, where one caused it.
    pub(crate) usage: Option<String>,
    pub(crate) source: Option<String>,
}

/// The kind of an entry's row.
pub(crate) fn kind_of(row: &EntryRow) -> anyhow::Result<EntryKind> {
    EntryKind::of_code(row.kind)
        .with_context(|| format!("{} is no kind of entry this build knows: run `drawdown rebuild`", row.kind))
}

fn text(name: &Option<Name>) -> Option<String> {
    name.as_deref().map(str::to_owned)
}

/// An amount from a row.
pub(crate) fn amount(text: &str) -> anyhow::Result<Amount> {
    Amount::parse_sum(text).with_context(|| format!("a stored amount is {text:?}: run `drawdown rebuild`"))
}

impl EntryNow {
    /// An entry that is booked.
    pub(crate) fn booked(partition: u32, row: EntryRow) -> anyhow::Result<Self> {
        let kind = kind_of(&row)?;
        let (debit, credit) = kind.accounts(row.lot.as_deref(), row.other_lot.as_deref());
        Ok(Self {
            partition: Some(partition),
            offset: Some(row.offset.0),
            line: Some(row.line),
            kind: kind.word(),
            amount: amount(&row.amount)?,
            debit,
            credit,
            available_after: amount(&row.available_after)?,
            effective_at: Instant(row.effective_at),
            booked_at: Instant(row.booked_at),
            unit: row.unit.to_string(),
            lot: text(&row.lot),
            other_lot: text(&row.other_lot),
            subject: row.subject,
            feature: text(&row.feature),
            price: text(&row.price),
            month: row.month,
            usage: None,
            source: None,
        })
    }

    /// An entry that the record at this place books.
    pub(crate) fn of_record(at: Position, entry: &Entry) -> Self {
        let (partition, offset, line) = (Some(at.partition.0), Some(at.offset.0), Some(entry.line));
        Self { partition, offset, line, ..Self::due(entry) }
    }

    /// An entry that is due by time alone, and that the wallet's next record will book.
    pub(crate) fn due(entry: &Entry) -> Self {
        let (debit, credit) = entry.kind.accounts(entry.lot.as_deref(), entry.other_lot.as_deref());
        Self {
            partition: None,
            offset: None,
            line: None,
            kind: entry.kind.word(),
            unit: entry.unit.to_string(),
            amount: entry.amount,
            debit,
            credit,
            available_after: entry.available_after,
            effective_at: entry.effective_at,
            booked_at: entry.booked_at,
            lot: text(&entry.lot),
            other_lot: text(&entry.other_lot),
            subject: None,
            feature: text(&entry.feature),
            price: text(&entry.price),
            month: entry.month.map(|month| month.to_string()),
            usage: None,
            source: None,
        }
    }

    /// An entry of a wallet's history.
    pub(crate) fn of(booked: Booked<'_>) -> Self {
        let mut entry = Self::due(booked.entry);
        if let Some(record) = booked.by {
            entry.partition = Some(record.at.partition.0);
            entry.offset = Some(record.at.offset.0);
            entry.line = Some(booked.entry.line);
            (entry.usage, entry.source) =
                record.about.clone().filter(|_| booked.entry.price.is_some()).unzip();
        }
        entry
    }

    /// Where it stands: partition, offset and line; empty where it is no row yet.
    pub(crate) fn place(&self) -> String {
        let place = [self.partition.map(u64::from), self.offset, self.line.map(u64::from)];
        place.into_iter().flatten().map(|n| n.to_string()).collect::<Vec<_>>().join(":")
    }
}
