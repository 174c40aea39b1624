//! A record: what it says, what it met, what it did, and what became of it since.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Context as _;
use ledger::{Amount, Name, Offset, Wallet};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::charges::{ChargeNow, charges};
use super::price::PriceNow;
use super::words::RecordNow;
use crate::view::entry::EntryNow;
use crate::view::history::{Known, Recorded};
use crate::view::statement::table;
use crate::view::units::Totals;
use crate::view::{AsOf, Reading, behind, moment, when};

/// A record, explained.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecordExplained")]
pub(crate) struct OfRecord {
    wallet: String,
    as_of: AsOf,
    record: RecordNow,
    /// What it says, as recorded.
    #[schemars(with = "serde_json::Value")]
    data: Box<RawValue>,
    /// The entry that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<EntryNow>,
    /// The version that priced its charges.
    price: Option<PriceNow>,
    charges: Vec<ChargeNow>,
    /// What time alone had made due before it.
    due_before: Vec<EntryNow>,
    /// What it booked.
    entries: Vec<EntryNow>,
    before: BTreeMap<String, Totals>,
    after: BTreeMap<String, Totals>,
    /// The records that corrected it since.
    corrections: Vec<Correction>,
    /// Of a usage: what is in effect now.
    in_effect: Option<InEffect>,
    behind: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Correction {
    record: RecordNow,
    entries: Vec<EntryNow>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct InEffect {
    is_cancelled: bool,
    charged: BTreeMap<String, Amount>,
    price: Option<String>,
    /// What parts-reversals took back.
    reversed: BTreeMap<String, Amount>,
}

impl OfRecord {
    pub(crate) async fn read(
        reading: &Reading,
        known: &Known,
        offset: Offset,
        line: Option<u32>,
    ) -> anyhow::Result<Self> {
        let record =
            known.records.iter().find(|r| r.at.offset == offset).context("the record is the wallet's")?;
        let close = known.close(reading, offset).await?;
        let decoded = ledger::decode(&close.bytes).map_err(anyhow::Error::new)?;
        let priced =
            record.entries.iter().filter(|e| e.kind.is_draw()).filter_map(|entry| entry.price.clone());
        let price = close.did.changes.priced.clone().into_iter().chain(priced).last();
        let (due, own): (Vec<_>, Vec<_>) = record.booked().partition(|booked| booked.is_times);
        let units: BTreeSet<&Name> = own.iter().map(|booked| &booked.entry.unit).collect();
        let totals = |wallet: &Wallet| {
            units.iter().map(|unit| (unit.to_string(), Totals::of(wallet, unit))).collect::<BTreeMap<_, _>>()
        };
        let corrected = |r: &&Recorded| r.corrects == Some(offset);
        let correction = |r: &Recorded| Correction { record: RecordNow::of(r), entries: own_entries(r) };
        let in_effect = known.used(offset).filter(|_| record.is_applied_usage()).map(|used| {
            let mut in_effect = InEffect {
                is_cancelled: used.is_cancelled,
                charged: BTreeMap::new(),
                price: used.price.as_ref().map(ToString::to_string),
                reversed: BTreeMap::new(),
            };
            for draw in &used.draws {
                in_effect.charged.entry(draw.unit.to_string()).or_default().add(draw.amount);
            }
            for (unit, _, amount) in &used.reversed {
                in_effect.reversed.entry(unit.to_string()).or_default().add(*amount);
            }
            in_effect
        });
        Ok(Self {
            wallet: known.id.clone(),
            as_of: known.as_of(known.at),
            record: RecordNow::of(record),
            data: decoded.envelope.data.to_owned(),
            entry: record.booked().find(|b| Some(b.entry.line) == line).map(EntryNow::of),
            price: price.map(|price| PriceNow::of(&known.catalogue, &price)).transpose()?.flatten(),
            charges: charges(known, &close),
            due_before: due.into_iter().map(EntryNow::of).collect(),
            entries: own.iter().copied().map(EntryNow::of).collect(),
            before: totals(&close.before),
            after: totals(&close.after),
            corrections: known.records.iter().filter(corrected).map(correction).collect(),
            in_effect,
            behind: known.behind,
        })
    }
}

fn own_entries(record: &Recorded) -> Vec<EntryNow> {
    record.booked().filter(|booked| !booked.is_times).map(EntryNow::of).collect()
}

impl fmt::Display for OfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, the record {} as known at {}\n",
            self.wallet,
            self.record.place(),
            moment(self.as_of.time)
        )?;
        if let Some(entry) = &self.entry {
            writeln!(f, "{}", about(entry))?;
        }
        writeln!(f, "{}", self.record.says())?;
        writeln!(f, "Its data: {}", self.data)?;
        writeln!(f, "{}", self.record.became())?;
        if let Some(price) = &self.price {
            writeln!(f, "{}", price.says())?;
        }
        for charge in &self.charges {
            writeln!(f, "\n{}", charge.says())?;
            write!(f, "{}", charge.table())?;
        }
        if !self.due_before.is_empty() {
            writeln!(f, "\nBefore it, time alone had made due:")?;
            write!(f, "{}", table(self.due_before.iter()))?;
        }
        if !self.entries.is_empty() {
            writeln!(f, "\nIt booked:")?;
            write!(f, "{}", table(self.entries.iter()))?;
            writeln!(f)?;
        }
        for (unit, after) in &self.after {
            let before = self.before.get(unit).copied().unwrap_or_default();
            let overage = if before.overage.is_zero() && after.overage.is_zero() {
                String::new()
            } else {
                format!(", and open overage {} before and {} after", before.overage, after.overage)
            };
            writeln!(
                f,
                "The balance of {unit} was {} before and {} after{overage}.",
                before.balance, after.balance
            )?;
        }
        self.write_since(f)?;
        f.write_str(&behind(self.behind))
    }
}

impl OfRecord {
    /// What became of a usage since.
    fn write_since(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for correction in &self.corrections {
            writeln!(f, "\n{}", correction.record.says())?;
            if correction.entries.is_empty() {
                writeln!(f, "It booked nothing.")?;
            }
            write!(f, "{}", table(correction.entries.iter()))?;
        }
        let Some(now) = self.in_effect.as_ref().filter(|_| !self.corrections.is_empty()) else {
            return Ok(());
        };
        let sums = |amounts: &BTreeMap<String, Amount>| {
            amounts.iter().map(|(unit, amount)| format!("{amount} {unit}")).collect::<Vec<_>>().join(" and ")
        };
        match (now.is_cancelled, now.charged.is_empty()) {
            (true, _) => writeln!(f, "\nThe usage is cancelled: it is charged nothing."),
            (false, true) => writeln!(f, "\nNow it is charged nothing."),
            (false, false) => {
                let by = now.price.as_ref().map(|price| format!(", by {price}")).unwrap_or_default();
                writeln!(f, "\nNow it is charged {}{by}.", sums(&now.charged))
            }
        }
    }
}

/// An entry in a sentence.
fn about(entry: &EntryNow) -> String {
    let late = if entry.booked_at == entry.effective_at {
        String::new()
    } else {
        format!(", though it was booked only at {}", when(entry.booked_at))
    };
    format!(
        "The entry {}: {} {} went from {} to {} ({}), which counts as of {}{late}.",
        entry.place(),
        entry.amount,
        entry.unit,
        entry.debit,
        entry.credit,
        entry.kind,
        when(entry.effective_at)
    )
}
