//! What a usage would cost a wallet now, and how many such it could pay.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::anyhow;
use ledger::{
    Amount, Changes, Entry, EntryKind, Event, Identity, Memory, Outcome, Past, Record, Wallet, apply,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::view::{Align, AsOf, Table, WalletNow, behind, moment, number};

/// So many of the same are tried out one by one; what goes beyond is divided.
const MOST: u64 = 10_000;

/// A usage, charged on a copy of the wallet.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Estimate {
    wallet: String,
    as_of: AsOf,
    /// The product's own type.
    #[serde(rename = "type")]
    kind: String,
    /// The version of the price; none if there is none for it.
    price: Option<String>,
    /// Why it would be charged nothing, where it has no price.
    unpriced: Option<&'static str>,
    /// By unit and feature; none if it is free.
    charges: Vec<Charged>,
    units: BTreeMap<String, InUnit>,
    /// Each lot that was looked at, in the order of burning.
    considered: Vec<Looked>,
    /// How many such the lots cover from now on, this one included; none if lots are not asked for any.
    covers: Option<Covers>,
    behind: u64,
}

/// What one feature would be charged of one unit.
#[derive(Debug, Serialize, JsonSchema)]
struct Charged {
    unit: String,
    feature: String,
    amount: Amount,
    /// What no lot covers of it.
    overage: Amount,
    /// What is available now for this feature.
    available: Amount,
    /// How many such charges that is.
    actions: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EstimateOfUnit")]
struct InUnit {
    available: Amount,
    available_after: Amount,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Looked {
    lot: String,
    feature: String,
    /// What it would pay.
    pays: Amount,
    left_after: Amount,
    why: String,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct Covers {
    actions: u64,
    /// Whether each was tried out; else what lay beyond was divided.
    exact: bool,
}

/// The usage on the wallet's way through the fold.
struct Trial<'a> {
    now: &'a WalletNow,
    record: Record<'a>,
    identity: Identity,
}

impl Trial<'_> {
    /// Charges it to a wallet as if it were a new one each time.
    fn charge(&self, wallet: &mut Wallet, changes: &mut Changes) -> Option<Outcome> {
        let mut past = Past::default();
        // A usage of now counts in open periods alone: there is nothing to look up.
        Memory::default().tell(&self.now.catalogue, wallet, &self.record, &mut past);
        apply(&self.now.catalogue, wallet, &past, &self.record, &self.identity, changes)
    }

    /// How many of the same the lots cover, one after the other.
    fn covers(&self, charges: &[Charged]) -> Covers {
        let mut wallet = self.now.wallet.clone();
        let mut changes = Changes::default();
        for actions in 0..MOST {
            changes.clear();
            self.charge(&mut wallet, &mut changes);
            if changes.entries.iter().any(|entry| entry.kind == EntryKind::Overage) {
                return Covers { actions, exact: true };
            }
        }
        let rest = |c: &Charged| {
            available(&wallet, &c.unit, &c.feature, self.record.subject()).billionths()
                / c.amount.billionths()
        };
        let more = charges.iter().filter(|c| !c.amount.is_zero()).map(rest).min().unwrap_or_default();
        Covers { actions: MOST + u64::try_from(more).unwrap_or(u64::MAX - MOST), exact: false }
    }
}

/// What is remaining in open lots that may pay for a feature.
fn available(wallet: &Wallet, unit: &str, feature: &str, subject: Option<&str>) -> Amount {
    let pays = wallet.lots().iter().filter(|lot| {
        *lot.unit == *unit && lot.is_open(wallet.clock) && lot.terms().applies_to.allows(feature, subject)
    });
    pays.map(|lot| lot.remaining).sum()
}

impl Estimate {
    /// How many such the lots cover; none if it asks for nothing.
    pub(crate) fn actions(&self) -> Option<u64> {
        self.covers.map(|covers| covers.actions)
    }

    /// Charges a usage record to a copy of the wallet.
    pub(crate) fn of(now: &WalletNow, record: &[u8]) -> anyhow::Result<Self> {
        let record = ledger::decode(record)?;
        let identity = record.identify(&mut Vec::new()).map_err(|e| anyhow!("{e}"))?;
        let Event::Usage(usage) = &record.event else { unreachable!("ingest makes usage of an event") };
        let kind = usage.kind.to_string();
        let trial = Trial { now, record, identity };
        let mut wallet = now.wallet.clone();
        let mut changes = Changes { considered: Some(Vec::new()), ..Changes::default() };
        let outcome = trial.charge(&mut wallet, &mut changes);
        let draws: Vec<&Entry> = changes.entries.iter().filter(|entry| entry.kind.is_draw()).collect();
        let charges = charges(&draws, now, trial.record.subject());
        let price = draws.iter().find_map(|entry| entry.price.as_ref()).or(changes.priced.as_ref());
        Ok(Self {
            wallet: now.id.clone(),
            as_of: now.as_of,
            kind,
            price: price.map(ToString::to_string),
            unpriced: match outcome {
                Some(Outcome::Applied(Some(why))) => Some(why.word()),
                Some(
                    Outcome::Applied(None)
                    | Outcome::Duplicate(_)
                    | Outcome::Conflict(_)
                    | Outcome::Rejected(_)
                    | Outcome::Approved(_)
                    | Outcome::Declined(_),
                )
                | None => None,
            },
            units: in_units(&charges, &now.wallet, &wallet),
            considered: looked(&changes, &draws),
            covers: (!charges.is_empty()).then(|| trial.covers(&charges)),
            charges,
            behind: now.behind,
        })
    }
}

fn charges(draws: &[&Entry], now: &WalletNow, subject: Option<&str>) -> Vec<Charged> {
    let mut charges: Vec<Charged> = Vec::new();
    for entry in draws {
        let Some(feature) = entry.feature.as_deref() else { continue };
        let same = |c: &Charged| c.unit == *entry.unit && c.feature == feature;
        let at = charges.iter().position(same).unwrap_or_else(|| {
            let (unit, feature) = (entry.unit.to_string(), feature.to_owned());
            let available = available(&now.wallet, &unit, &feature, subject);
            let nothing = Amount::ZERO;
            charges.push(Charged { unit, feature, amount: nothing, overage: nothing, available, actions: 0 });
            charges.len() - 1
        });
        charges[at].amount.add(entry.amount);
        if entry.kind == EntryKind::Overage {
            charges[at].overage.add(entry.amount);
        }
    }
    for charge in &mut charges {
        let actions = charge.available.billionths() / charge.amount.billionths();
        charge.actions = u64::try_from(actions).unwrap_or(u64::MAX);
    }
    charges
}

fn in_units(charges: &[Charged], before: &Wallet, after: &Wallet) -> BTreeMap<String, InUnit> {
    let in_unit = |charge: &Charged| {
        let available = before.available(&charge.unit, before.clock);
        let available_after = after.available(&charge.unit, after.clock);
        (charge.unit.clone(), InUnit { available, available_after })
    };
    charges.iter().map(in_unit).collect()
}

fn looked(changes: &Changes, draws: &[&Entry]) -> Vec<Looked> {
    let considered = changes.considered.iter().flatten().map(|c| {
        let paid =
            draws.iter().filter(|e| e.lot.as_ref() == Some(&c.lot) && e.feature.as_ref() == Some(&c.feature));
        let pays: Amount = paid.map(|e| e.amount).sum();
        Looked {
            lot: c.lot.to_string(),
            feature: c.feature.to_string(),
            pays,
            left_after: c.had.above(pays),
            why: c.verdict.words(),
        }
    });
    considered.collect()
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wallet, kind, as_of, .. } = self;
        writeln!(
            f,
            "{wallet}, {kind} at {}, after the records below {}:{}",
            moment(as_of.time),
            as_of.partition,
            as_of.offset
        )?;
        match (&self.price, self.unpriced) {
            (_, Some(why)) => writeln!(f, "it would be charged nothing: it has no price ({why})")?,
            (Some(price), None) if self.charges.is_empty() => writeln!(f, "it would be free by {price}")?,
            (price, None) => {
                for c in &self.charges {
                    let price = price.as_deref().unwrap_or_default();
                    write!(f, "it would cost {} {} for {} by {price}", c.amount, c.unit, c.feature)?;
                    writeln!(f, "{}", uncovered(c))?;
                }
            }
        }
        self.write_lots(f)?;
        for (unit, InUnit { available, available_after }) in &self.units {
            writeln!(f, "available {unit}: {available} now, {available_after} afterwards")?;
        }
        self.write_actions(f)?;
        f.write_str(&behind(self.behind))
    }
}

fn uncovered(charge: &Charged) -> String {
    if charge.overage.is_zero() {
        return String::new();
    }
    format!("; no lot covers {} of it, which is overage", charge.overage)
}

impl Estimate {
    fn write_lots(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new([
            ("lot", Align::Left),
            ("pays", Align::Right),
            ("left after", Align::Right),
            ("for", Align::Left),
            ("why", Align::Left),
        ]);
        for lot in &self.considered {
            let Looked { lot, feature, pays, left_after, why } = lot;
            table.add([lot.clone(), pays.to_string(), left_after.to_string(), feature.clone(), why.clone()]);
        }
        write!(f, "{table}")
    }

    fn write_actions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Covers { actions, exact }) = self.covers else { return Ok(()) };
        let about = if exact { "" } else { "about " };
        writeln!(f, "the lots cover {about}{} such, this one included", number(actions))?;
        if self.charges.len() < 2 {
            return Ok(());
        }
        for c in &self.charges {
            writeln!(
                f,
                "  {} by what is available for {}, {} {}",
                number(c.actions),
                c.feature,
                c.available,
                c.unit
            )?;
        }
        Ok(())
    }
}
