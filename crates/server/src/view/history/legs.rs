//! Entries as movements, each at the instant from which it counts.
//!
//! What late usage takes from `expired`, or back from a lot carried over, had been spent before it expired or was carried: as
//! of any moment it lowers the expiry or the carry that it undoes, and nothing is ever below zero.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ledger::{Amount, EntryKind, Instant, Month, Name};

use super::recorded::Booked;

/// What a lot gains or loses by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Granted,
    CarriedIn,
    /// Given back by a reversal or a re-rating.
    Reversed,
    Used,
    /// Overage paid back.
    Repaid,
    Expired,
    Voided,
    CarriedOut,
    /// Set aside by holds that are open.
    Held,
}

/// What open overage grows or shrinks by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OfOverage {
    Opened,
    Reversed,
    Repaid,
    Billed,
    Forgiven,
}

/// On which side of a moment something lies that happens at it: what ends there came before what begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Ends,
    Begins,
}

/// Where credits come or go: a lot, or overage of a month and feature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Where {
    Lot { lot: Name, what: What, feature: Option<Name> },
    Overage { month: Month, feature: Name, what: OfOverage },
}

/// One movement.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    pub(crate) at: Instant,
    pub(crate) side: Side,
    pub(crate) unit: Name,
    pub(crate) place: Where,
    /// Whether the lot, or the open overage, has more by it.
    pub(crate) adds: bool,
    pub(crate) amount: Amount,
    /// Which of the entries it is part of.
    pub(crate) of: usize,
}

/// A wallet's entries, and their movements in the same order.
pub(crate) struct Moves<'a> {
    pub(crate) entries: Vec<Booked<'a>>,
    pub(crate) legs: Vec<Leg>,
}

impl<'a> Moves<'a> {
    /// # Errors
    ///
    /// If the entries are none that a fold books.
    pub(crate) fn of(entries: impl Iterator<Item = Booked<'a>>) -> anyhow::Result<Self> {
        let entries: Vec<Booked<'a>> = entries.collect();
        let mut moving = Moving::default();
        for (of, booked) in entries.iter().enumerate() {
            moving.of = of;
            moving
                .add(booked)
                .with_context(|| format!("a {} entry stands alone", booked.entry.kind.word()))?;
        }
        Ok(Self { entries, legs: moving.legs })
    }
}

#[derive(Default)]
struct Moving {
    of: usize,
    legs: Vec<Leg>,
    /// When each lot began.
    starts: BTreeMap<Name, Instant>,
    /// What expired of each lot and was not taken back, the last at the end.
    expired: BTreeMap<Name, Vec<(Instant, Side, Amount)>>,
}

impl Moving {
    /// None if it undoes what never was.
    fn add(&mut self, booked: &Booked<'_>) -> Option<()> {
        let e = booked.entry;
        let (at, amount) = (e.effective_at, e.amount);
        match e.kind {
            EntryKind::Issue => {
                self.starts.entry(e.lot.clone()?).or_insert(at);
                self.lot(booked, at, Side::Begins, &e.lot, What::Granted, (true, amount))
            }
            EntryKind::Usage => self.lot(booked, at, Side::Begins, &e.lot, What::Used, (false, amount)),
            EntryKind::Hold => self.lot(booked, at, Side::Begins, &e.lot, What::Held, (false, amount)),
            EntryKind::Release => self.lot(booked, at, Side::Begins, &e.lot, What::Held, (true, amount)),
            EntryKind::HeldUsage => {
                self.lot(booked, at, Side::Begins, &e.lot, What::Used, (false, amount))?;
                self.lot(booked, at, Side::Begins, &e.lot, What::Held, (true, amount))
            }
            EntryKind::HoldOverdraft | EntryKind::ReleaseOverdraft => Some(()),
            EntryKind::LateUsage => {
                self.lot(booked, at, Side::Begins, &e.lot, What::Used, (false, amount))?;
                self.take_back_expired(booked, &e.lot)
            }
            EntryKind::Expire | EntryKind::Reset => self.expire(booked),
            EntryKind::Carry => {
                self.starts.entry(e.other_lot.clone()?).or_insert(at);
                self.carry(booked, at, (&e.lot, &e.other_lot), (false, amount))
            }
            EntryKind::Return | EntryKind::ReturnExpired => {
                if e.kind == EntryKind::ReturnExpired {
                    self.take_back_expired(booked, &e.lot)?;
                }
                let carried_at = *self.starts.get(e.lot.as_ref()?)?;
                self.carry(booked, carried_at, (&e.other_lot, &e.lot), (true, amount))
            }
            EntryKind::Void => self.lot(booked, at, Side::Begins, &e.lot, What::Voided, (false, amount)),
            EntryKind::Reversal => self.lot(booked, at, Side::Begins, &e.lot, What::Reversed, (true, amount)),
            EntryKind::Repay => {
                self.lot(booked, at, Side::Begins, &e.lot, What::Repaid, (false, amount))?;
                self.overage(booked, Side::Begins, OfOverage::Repaid, false)
            }
            EntryKind::Unrepay => {
                self.lot(booked, at, Side::Begins, &e.lot, What::Repaid, (true, amount))?;
                self.overage(booked, Side::Begins, OfOverage::Repaid, true)
            }
            EntryKind::Overage => self.overage(booked, Side::Begins, OfOverage::Opened, true),
            EntryKind::ReverseOverage => self.overage(booked, Side::Begins, OfOverage::Reversed, false),
            EntryKind::Bill => self.overage(booked, Side::Ends, OfOverage::Billed, false),
            EntryKind::CreditDue => self.overage(booked, Side::Ends, OfOverage::Billed, true),
            EntryKind::Forgive => self.overage(booked, Side::Ends, OfOverage::Forgiven, false),
            EntryKind::Unforgive => self.overage(booked, Side::Ends, OfOverage::Forgiven, true),
        }
    }

    fn expire(&mut self, booked: &Booked<'_>) -> Option<()> {
        let (lot, at) = (booked.entry.lot.clone()?, booked.entry.effective_at);
        // A lot that begins and is cut at one instant belongs to what begins.
        let side = if self.starts.get(&lot) == Some(&at) { Side::Begins } else { Side::Ends };
        let amount = booked.entry.amount;
        let expired = self.expired.entry(lot).or_default();
        let place = expired.partition_point(|(before, ..)| *before <= at);
        expired.insert(place, (at, side, amount));
        self.lot(booked, at, side, &booked.entry.lot, What::Expired, (false, amount))
    }

    /// What had expired had been used before, after all: the last that expired first.
    fn take_back_expired(&mut self, booked: &Booked<'_>, lot: &Option<Name>) -> Option<()> {
        let mut left = booked.entry.amount;
        while !left.is_zero() {
            let expired = self.expired.get_mut(lot.as_ref()?)?;
            let (at, side, there) = expired.last_mut()?;
            let (at, side, taken) = (*at, *side, there.take(left));
            if there.is_zero() {
                expired.pop();
            }
            left = left.above(taken);
            self.lot(booked, at, side, lot, What::Expired, (true, taken))?;
        }
        Some(())
    }

    /// Credits go from one lot to the other when the first ends; or went in fact not.
    fn carry(
        &mut self,
        booked: &Booked<'_>,
        at: Instant,
        (from, to): (&Option<Name>, &Option<Name>),
        (undone, amount): (bool, Amount),
    ) -> Option<()> {
        self.lot(booked, at, Side::Ends, from, What::CarriedOut, (undone, amount))?;
        self.lot(booked, at, Side::Begins, to, What::CarriedIn, (!undone, amount))
    }

    fn lot(
        &mut self,
        booked: &Booked<'_>,
        at: Instant,
        side: Side,
        lot: &Option<Name>,
        what: What,
        (adds, amount): (bool, Amount),
    ) -> Option<()> {
        let is_usage = matches!(what, What::Used | What::Reversed | What::Repaid);
        let feature = booked.entry.feature.clone().filter(|_| is_usage);
        let place = Where::Lot { lot: lot.clone()?, what, feature };
        self.legs.push(Leg { at, side, unit: booked.entry.unit.clone(), place, adds, amount, of: self.of });
        Some(())
    }

    fn overage(&mut self, booked: &Booked<'_>, side: Side, what: OfOverage, adds: bool) -> Option<()> {
        let e = booked.entry;
        let place = Where::Overage { month: e.month?, feature: e.feature.clone()?, what };
        let (at, unit, amount) = (e.effective_at, e.unit.clone(), e.amount);
        self.legs.push(Leg { at, side, unit, place, adds, amount, of: self.of });
        Some(())
    }
}
