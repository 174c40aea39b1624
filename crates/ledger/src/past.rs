//! What the ids named in a record lead to: it is looked up before the record is applied (design, section 1).

use serde_json::value::RawValue;

use crate::amount::Amount;
use crate::entry::{Entry, EntryKind};
use crate::identity::Hash16;
use crate::lot::Lot;
use crate::name::Name;
use crate::position::Offset;
use crate::quantity::Quantity;
use crate::rate::CounterKey;
use crate::time::Instant;
use crate::wallet::Grant;
use crate::zone::Month;

/// What the ids named in a record lead to, from the store and the batches in flight.
#[derive(Debug, Default)]
pub struct Past {
    /// The record that first bore this identity, at a lower offset.
    pub identity: Option<Known>,
    /// Of the names that the record gives beside its own, those that were borne before: by the key of the name.
    pub names: Vec<(Hash16, Known)>,
    /// What [`asks`](crate::asks) asked for, with the answers.
    pub told: Vec<(Ask, Answer)>,
}

/// A record that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its offset.
    pub offset: Offset,
    /// What it said.
    pub content: Hash16,
}

/// What a record needs to know beside its wallet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// A counter of a closed period.
    Counter(CounterKey),
    /// The usage that first bore this identity in the wallet.
    Usage(Hash16),
    /// Lots that have left the wallet's document: the one of this name, and those whose names begin with it and `/` or `+`.
    Family(Name),
    /// The grant of this name, if it has left the wallet's document.
    Grant(String),
    /// The grants of this purchase that have left the wallet's document.
    Purchase(String),
    /// What paid back, billed or forgave overage.
    Paid(OverageKey),
}

/// Which overage: of a month, unit and feature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OverageKey {
    /// The month of the usage.
    pub month: Month,
    /// The unit.
    pub unit: Name,
    /// The feature.
    pub feature: Name,
}

/// What was found. It may hold what has come back to the document since: that is passed over.
#[derive(Clone, Debug)]
pub enum Answer {
    /// None: the period has no counter.
    Counter(Option<Quantity>),
    /// None: no applied usage bears it.
    Usage(Option<Box<Used>>),
    /// Lots of a family.
    Lots(Vec<Lot>),
    /// Grants.
    Grants(Vec<Grant>),
    /// Entries of overage, in order.
    Paid(Vec<Paid>),
}

/// An entry that paid back, billed or forgave overage, or that undid such a one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// `Repay`, `Bill`, `Forgive`; or `Unrepay`, `CreditDue`, `Unforgive`.
    pub kind: EntryKind,
    /// The lot that paid back.
    pub lot: Option<Name>,
    /// How much.
    pub amount: Amount,
    /// When it counted.
    pub effective_at: Instant,
    /// When it was known.
    pub booked_at: Instant,
}

/// A usage that was applied, and what became of it since.
#[derive(Clone, Debug)]
pub struct Used {
    /// Where it stands.
    pub offset: Offset,
    /// The product's own type; empty for a settlement in amounts, which no price is for.
    pub kind: String,
    /// Its data, if that was JSON; or what a re-rating put in its place.
    pub data: Option<Box<RawValue>>,
    /// Who used it.
    pub subject: Option<String>,
    /// The time it counts as of.
    pub at: Instant,
    /// Whether it could not be priced, and has not been since.
    pub is_unpriced: bool,
    /// The version that priced it, as `name@revision`.
    pub price: Option<Name>,
    /// What it took, as far as that was not given back, in order.
    pub draws: Vec<Draw>,
    /// What parts-reversals gave back: unit, feature, amount.
    pub reversed: Vec<(Name, Name, Amount)>,
    /// Whether it was wholly reversed.
    pub is_cancelled: bool,
}

/// What a usage took from a lot, or left uncovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The unit.
    pub unit: Name,
    /// What was used.
    pub feature: Name,
    /// The lot; none for overage.
    pub lot: Option<Name>,
    /// How much.
    pub amount: Amount,
    /// Of overage: the month.
    pub month: Option<Month>,
    /// When it counted.
    pub effective_at: Instant,
    /// When it was known.
    pub booked_at: Instant,
}

impl Past {
    pub(crate) fn answer(&self, ask: &Ask) -> Option<&Answer> {
        self.told.iter().find(|(asked, _)| asked == ask).map(|(_, answer)| answer)
    }

    pub(crate) fn counter(&self, key: &CounterKey) -> Option<Quantity> {
        let found = self.told.iter().find(|(ask, _)| matches!(ask, Ask::Counter(k) if k.is(key)));
        match found {
            Some((_, Answer::Counter(value))) => *value,
            _ => None,
        }
    }

    /// The usage that a correction names; none until it was looked up, or if there is none.
    pub(crate) fn usage(&self) -> Option<&Used> {
        self.told.iter().find_map(|(_, answer)| match answer {
            Answer::Usage(used) => used.as_deref(),
            Answer::Counter(_) | Answer::Lots(_) | Answer::Grants(_) | Answer::Paid(_) => None,
        })
    }

    pub(crate) fn paid(&self, key: &OverageKey) -> &[Paid] {
        let found = self.told.iter().find(|(ask, _)| matches!(ask, Ask::Paid(k) if k == key));
        match found {
            Some((_, Answer::Paid(paid))) => paid,
            _ => &[],
        }
    }

    pub(crate) fn lots(&self) -> impl Iterator<Item = &Lot> {
        self.told.iter().flat_map(|(_, answer)| match answer {
            Answer::Lots(lots) => lots.as_slice(),
            Answer::Counter(_) | Answer::Usage(_) | Answer::Grants(_) | Answer::Paid(_) => &[],
        })
    }

    pub(crate) fn left_grants(&self) -> impl Iterator<Item = &Grant> {
        self.told.iter().flat_map(|(_, answer)| match answer {
            Answer::Grants(grants) => grants.as_slice(),
            Answer::Counter(_) | Answer::Usage(_) | Answer::Lots(_) | Answer::Paid(_) => &[],
        })
    }
}

impl Paid {
    /// What an entry says of overage that is no longer open; none if it is about something else.
    pub fn of(entry: &Entry) -> Option<(OverageKey, Self)> {
        let about = matches!(
            entry.kind,
            EntryKind::Repay
                | EntryKind::Bill
                | EntryKind::Forgive
                | EntryKind::Unrepay
                | EntryKind::CreditDue
                | EntryKind::Unforgive
        );
        let (month, feature) = entry.month.zip(entry.feature.clone()).filter(|_| about)?;
        let Entry { kind, amount, effective_at, booked_at, .. } = *entry;
        let key = OverageKey { month, unit: entry.unit.clone(), feature };
        Some((key, Self { kind, lot: entry.lot.clone(), amount, effective_at, booked_at }))
    }
}

impl Used {
    /// A usage as it was recorded, before its entries.
    pub fn new(
        offset: Offset,
        kind: &str,
        data: Option<&RawValue>,
        subject: Option<&str>,
        at: Instant,
    ) -> Self {
        Self {
            offset,
            kind: kind.to_owned(),
            data: data.map(ToOwned::to_owned),
            subject: subject.map(str::to_owned),
            at,
            is_unpriced: false,
            price: None,
            draws: Vec::new(),
            reversed: Vec::new(),
            is_cancelled: false,
        }
    }

    /// Takes an entry in: of the usage's own record, or of one that corrected it.
    pub fn book(&mut self, entry: &Entry) {
        let Some(feature) = entry.feature.clone() else { return };
        match entry.kind {
            EntryKind::Usage | EntryKind::LateUsage | EntryKind::Overage | EntryKind::HeldUsage => {
                let Entry { amount, month, effective_at, booked_at, .. } = *entry;
                let (unit, lot) = (entry.unit.clone(), entry.lot.clone());
                self.price.clone_from(&entry.price);
                let draw = Draw { unit, feature, lot, amount, month, effective_at, booked_at };
                self.draws.push(draw);
            }
            EntryKind::Reversal | EntryKind::ReverseOverage => {
                let mut left = entry.amount;
                let same = |d: &&mut Draw| d.unit == entry.unit && d.feature == feature && d.lot == entry.lot;
                for draw in self.draws.iter_mut().rev().filter(same) {
                    left = left.above(draw.amount.take(left));
                }
                self.draws.retain(|d| !d.amount.is_zero());
            }
            EntryKind::Issue
            | EntryKind::Repay
            | EntryKind::Expire
            | EntryKind::Carry
            | EntryKind::Return
            | EntryKind::ReturnExpired
            | EntryKind::Bill
            | EntryKind::Forgive
            | EntryKind::Void
            | EntryKind::Reset
            | EntryKind::Unrepay
            | EntryKind::CreditDue
            | EntryKind::Unforgive
            | EntryKind::Hold
            | EntryKind::Release
            | EntryKind::HoldOverdraft
            | EntryKind::ReleaseOverdraft => {}
        }
    }

    /// Takes in that a part was reversed, with the entries of it.
    pub fn reverse_in_part<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        for entry in entries {
            self.book(entry);
            let feature = entry.feature.clone();
            let is_back = matches!(entry.kind, EntryKind::Reversal | EntryKind::ReverseOverage);
            let Some(feature) = feature.filter(|_| is_back) else { continue };
            let same = |r: &&mut (Name, Name, Amount)| r.0 == entry.unit && r.1 == feature;
            match self.reversed.iter_mut().find(same) {
                Some((_, _, sum)) => sum.add(entry.amount),
                None => self.reversed.push((entry.unit.clone(), feature, entry.amount)),
            }
        }
    }

    /// Takes in that all of it was reversed.
    pub fn cancel(&mut self) {
        self.draws.clear();
        self.is_cancelled = true;
        self.is_unpriced = false;
    }

    /// Takes in that it was charged anew, with the entries of it, and the price if no entry names it.
    pub fn rerate<'e>(
        &mut self,
        data: Option<&RawValue>,
        entries: impl Iterator<Item = &'e Entry>,
        price: Option<&Name>,
    ) {
        entries.for_each(|entry| self.book(entry));
        if let Some(price) = price {
            self.price = Some(price.clone());
        }
        if let Some(data) = data {
            self.data = Some(data.to_owned());
        }
        self.is_unpriced = false;
    }

    pub(crate) fn overage(&self) -> impl Iterator<Item = OverageKey> {
        self.draws.iter().filter_map(|d| {
            let month = d.month.filter(|_| d.lot.is_none())?;
            Some(OverageKey { month, unit: d.unit.clone(), feature: d.feature.clone() })
        })
    }
}
