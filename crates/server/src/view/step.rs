//! What one record did to its wallet.

use std::collections::BTreeMap;
use std::fmt;

use ledger::{Amount, Event, Instant, Lot, Position, Record, Wallet};
use projector::Did;
use serde::Serialize;

use super::entry::EntryNow;
use super::units::{Totals, units};
use crate::view::{Align, Table, when};

/// A record, what the rules said to it, and the wallet after it.
#[derive(Debug, Serialize)]
pub(crate) struct Stepped {
    partition: u32,
    offset: u64,
    /// None where the bytes are no record.
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    id: Option<String>,
    source: Option<String>,
    /// What it is about, in a few words.
    about: String,
    /// When it happened.
    time: Option<Instant>,
    recorded_at: Option<Instant>,
    /// What became of it; none of a genesis and a timer, which have no outcome.
    outcome: Option<String>,
    entries: Vec<EntryNow>,
    /// The lots that changed, as they are after it.
    lots: Vec<Changed>,
    /// What the wallet has after it, by unit.
    units: BTreeMap<String, Totals>,
}

/// A lot that changed.
#[derive(Debug, Serialize)]
struct Changed {
    lot: String,
    unit: String,
    /// What was remaining before; none of a lot that was not there.
    before: Option<Amount>,
    #[serde(flatten)]
    parts: Parts,
    expires_at: Option<Instant>,
    /// Whether it has left the wallet: nothing of it can change any more but by a correction.
    left: bool,
}

/// Where the credits of a lot are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Parts {
    issued: Amount,
    remaining: Amount,
    held: Amount,
    consumed: Amount,
    expired: Amount,
    voided: Amount,
    rolled_over: Amount,
    returned: Amount,
}

impl Parts {
    fn of(lot: &Lot) -> Self {
        let Lot { issued, remaining, held, consumed, expired, voided, rolled_over, returned, .. } = *lot;
        Self { issued, remaining, held, consumed, expired, voided, rolled_over, returned }
    }
}

/// A wallet's lots before a record.
pub(crate) struct Before(BTreeMap<String, Parts>);

impl Before {
    pub(crate) fn of(wallet: Option<&Wallet>) -> Self {
        let lots = wallet.into_iter().flat_map(Wallet::lots);
        Self(lots.map(|lot| (lot.id.to_string(), Parts::of(lot))).collect())
    }

    /// A lot, if it is not as it was.
    fn changed(&self, lot: &Lot, left: bool) -> Option<Changed> {
        let before = self.0.get(&*lot.id);
        let parts = Parts::of(lot);
        let unchanged = before == Some(&parts) || (before.is_none() && lot.is_untouched());
        (!unchanged).then(|| Changed {
            lot: lot.id.to_string(),
            unit: lot.unit.to_string(),
            before: before.map(|before| before.remaining),
            parts,
            expires_at: lot.ends_at,
            left,
        })
    }
}

impl Stepped {
    pub(crate) fn new(
        at: Position,
        record: Option<&Record<'_>>,
        did: &Did,
        before: &Before,
        wallet: Option<&Wallet>,
    ) -> Self {
        let envelope = record.map(|record| &record.envelope);
        let set_aside = did.quarantined.as_ref().map(|why| format!("quarantined {why}"));
        let left = did.changes.left.iter().filter_map(|lot| before.changed(lot, true));
        let stay = wallet.into_iter().flat_map(Wallet::lots).filter_map(|lot| before.changed(lot, false));
        let in_units = |wallet: &Wallet| {
            let totals = |unit: String| {
                let totals = Totals::of(wallet, &unit);
                (unit, totals)
            };
            units(wallet).into_iter().map(totals).collect()
        };
        Self {
            partition: at.partition.0,
            offset: at.offset.0,
            kind: record.map(|record| record.event.word()),
            id: envelope.map(|e| e.id.to_string()),
            source: envelope.map(|e| e.source.to_string()),
            about: record.map(about).unwrap_or_default(),
            time: record.map(Record::time),
            recorded_at: envelope.map(|e| e.recorded_at),
            outcome: set_aside.or_else(|| did.outcome.as_ref().map(ToString::to_string)),
            entries: did.changes.entries.iter().map(|e| EntryNow::of_record(at, e)).collect(),
            lots: left.chain(stay).collect(),
            units: wallet.map(in_units).unwrap_or_default(),
        }
    }
}

/// What a record is about, as somebody would say it.
fn about(record: &Record<'_>) -> String {
    let by = record.subject().map(|subject| format!(" by {subject}")).unwrap_or_default();
    match &record.event {
        Event::Genesis(genesis) => format!("log {}", genesis.log),
        Event::CataloguePublished(published) => format!("{} {}", published.kind, published.name),
        Event::GrantIssued(terms) => format!("{}: {} {}", terms.grant_id, terms.amount, terms.unit),
        Event::Usage(usage) => format!("{}{by}", usage.kind),
        Event::TimerDue(timer) => format!("due {}", when(timer.due_at)),
        Event::GrantVoided(voided) => {
            voided.grant_id.as_ref().or(voided.purchase_id.as_ref()).cloned().unwrap_or_default()
        }
        Event::UsageReversed(reversed) => format!("{} from {}", reversed.usage.id, reversed.usage.source),
        Event::UsageRerated(rerated) => format!("{} from {}", rerated.usage.id, rerated.usage.source),
        Event::OverageCleared(cleared) => format!("{} of {}", cleared.unit, cleared.month),
        Event::WalletChanged(steps) if steps.len() == 1 => "1 step".to_owned(),
        Event::WalletChanged(steps) => format!("{} steps", steps.len()),
        Event::WalletReset(reset) => reset.unit.clone().unwrap_or_else(|| "all units".to_owned()),
        Event::HoldRequested(_) => record.envelope.id.to_string() + &by,
        Event::HoldExtended(extended) => extended.hold.to_string(),
        Event::HoldSettled(settled) => format!("{}{by}", settled.hold),
        Event::HoldVoided(voided) => voided.hold.to_string(),
        Event::WalletConfigured(_) | Event::WalletSuspended | Event::WalletResumed => String::new(),
    }
}

impl fmt::Display for Stepped {
    /// A paragraph, with an empty line behind it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}  {}", self.partition, self.offset, self.kind.unwrap_or("no record"))?;
        if !self.about.is_empty() {
            write!(f, " {}", self.about)?;
        }
        match &self.outcome {
            Some(outcome) => writeln!(f, "  {outcome}")?,
            None => writeln!(f)?,
        }
        if let (Some(id), Some(source)) = (&self.id, &self.source) {
            writeln!(f, "  {id} from {source}{}", self.times())?;
        }
        write!(f, "{}{}{}", self.entry_table(), self.lot_table(), self.unit_table())?;
        writeln!(f)
    }
}

impl Stepped {
    fn times(&self) -> String {
        match (self.time, self.recorded_at) {
            (Some(time), Some(recorded)) if time != recorded => {
                format!(", {}, recorded {}", when(time), when(recorded))
            }
            (Some(time), _) => format!(", {}", when(time)),
            (None, _) => String::new(),
        }
    }

    fn entry_table(&self) -> Table {
        let mut table = Table::new([
            ("entry", Align::Left),
            ("amount", Align::Right),
            ("from", Align::Left),
            ("to", Align::Left),
            ("counts at", Align::Left),
            ("price", Align::Left),
        ]);
        for entry in &self.entries {
            table.add([
                entry.kind.to_owned(),
                format!("{} {}", entry.amount, entry.unit),
                entry.debit.clone(),
                entry.credit.clone(),
                Some(entry.effective_at).filter(|at| Some(*at) != self.time).map(when).unwrap_or_default(),
                entry.price.clone().unwrap_or_default(),
            ]);
        }
        table
    }

    fn lot_table(&self) -> Table {
        let columns = [
            ("lot", Align::Left),
            ("was", Align::Right),
            ("remaining", Align::Right),
            ("of", Align::Right),
            ("held", Align::Right),
            ("consumed", Align::Right),
            ("expired", Align::Right),
            ("voided", Align::Right),
            ("carried", Align::Right),
            ("returned", Align::Right),
            ("until", Align::Left),
        ];
        let mut table = Table::new(columns);
        let shown = |amount: Amount| if amount.is_zero() { String::new() } else { amount.to_string() };
        for Changed { lot, before, parts, expires_at, left, .. } in &self.lots {
            table.add([
                lot.clone(),
                before.map_or_else(|| "new".to_owned(), |before| before.to_string()),
                parts.remaining.to_string(),
                parts.issued.to_string(),
                shown(parts.held),
                shown(parts.consumed),
                shown(parts.expired),
                shown(parts.voided),
                shown(parts.rolled_over),
                shown(parts.returned),
                if *left {
                    "closed".to_owned()
                } else {
                    expires_at.map_or_else(|| "never ends".to_owned(), when)
                },
            ]);
        }
        table
    }

    fn unit_table(&self) -> Table {
        let mut table = Table::new([
            ("after it", Align::Left),
            ("available", Align::Right),
            ("held", Align::Right),
            ("overage", Align::Right),
        ]);
        for (unit, Totals { available, held, overage, .. }) in &self.units {
            table.add([unit.clone(), available.to_string(), held.to_string(), overage.to_string()]);
        }
        table
    }
}
