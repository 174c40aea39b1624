//! How a wallet stood: its lots and its overage as of a moment, added up from its entries.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use ledger::{Amount, Instant, Month, Name, Wallet};

use super::legs::{Leg, Moves, OfOverage, Side, What, Where};
use crate::view::net::Net;

/// Up to where entries are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// All that counts at the moment or before.
    AsOf(Instant),
    /// All before the moment, and what ends at it; not what begins there.
    Before(Instant),
}

/// The sums of a wallet's movements up to a cut.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) lots: BTreeMap<Name, InLot>,
    /// By unit, month and feature.
    pub(crate) overage: BTreeMap<(Name, Month, Name), Amount>,
}

/// What became of a lot's credits so far.
#[derive(Debug)]
pub(crate) struct InLot {
    pub(crate) unit: Name,
    pub(crate) issued: Amount,
    pub(crate) remaining: Amount,
    pub(crate) held: Amount,
    pub(crate) expired: Amount,
    pub(crate) voided: Amount,
    pub(crate) carried_out: Amount,
}

impl Cut {
    pub(crate) fn holds(self, leg: &Leg) -> bool {
        match self {
            Self::AsOf(at) => leg.at <= at,
            Self::Before(at) => leg.at < at || leg.at == at && leg.side == Side::Ends,
        }
    }
}

impl Standing {
    /// Adds the movements up to a cut.
    ///
    /// # Errors
    ///
    /// If a lot or overage would be below zero.
    pub(crate) fn of(moves: &Moves<'_>, cut: Cut) -> anyhow::Result<Self> {
        let mut lots = BTreeMap::<&Name, (&Name, BTreeMap<What, Net>)>::new();
        let mut overage = BTreeMap::<(&Name, Month, &Name), BTreeMap<OfOverage, Net>>::new();
        for leg in moves.legs.iter().filter(|leg| cut.holds(leg)) {
            let net = match &leg.place {
                Where::Lot { lot, what, .. } => lots
                    .entry(lot)
                    .or_insert_with(|| (&leg.unit, BTreeMap::new()))
                    .1
                    .entry(*what)
                    .or_default(),
                Where::Overage { month, feature, what } => {
                    overage.entry((&leg.unit, *month, feature)).or_default().entry(*what).or_default()
                }
            };
            net.add(leg.adds, leg.amount);
        }
        let mut standing = Self::default();
        for (lot, (unit, nets)) in lots {
            let in_lot =
                InLot::of(unit, &nets).with_context(|| format!("the entries of lot {lot} do not add up"))?;
            standing.lots.insert(lot.clone(), in_lot);
        }
        for ((unit, month, feature), nets) in overage {
            let all: Net = nets.values().copied().sum();
            let open = all
                .above()
                .with_context(|| format!("the overage of {month} for {feature} does not add up"))?;
            standing.overage.insert((unit.clone(), month, feature.clone()), open);
        }
        Ok(standing)
    }

    /// The sum of what remains in lots of a unit, and of what is held there.
    pub(crate) fn balance(&self, unit: &str) -> Amount {
        let lots = self.lots.values().filter(|lot| *lot.unit == *unit);
        lots.flat_map(|lot| [lot.remaining, lot.held]).sum()
    }

    /// What the entries say otherwise than the wallet, whose clock they are added up to; none where they agree.
    pub(crate) fn differs(&self, wallet: &Wallet) -> Option<String> {
        for lot in wallet.lots().iter().filter(|lot| !lot.is_untouched()) {
            let sums = self.lots.get(&lot.id);
            let sums = sums.map(|s| [s.remaining, s.held, s.expired, s.voided, s.carried_out]);
            if sums != Some([lot.remaining, lot.held, lot.expired, lot.voided, lot.rolled_over]) {
                return Some(format!(
                    "lot {} has {} by its document, {sums:?} by its entries",
                    lot.id, lot.remaining
                ));
            }
        }
        let is_here = |id: &Name| wallet.lots().iter().any(|lot| lot.id == *id);
        if let Some((id, lot)) = self.lots.iter().find(|(id, lot)| !is_here(id) && !lot.remaining.is_zero()) {
            return Some(format!("{} remains in lot {id}, which is gone", lot.remaining));
        }
        let open = self.overage.iter().filter(|(_, amount)| !amount.is_zero());
        let open: BTreeMap<_, _> =
            open.map(|((unit, month, feature), amount)| ((unit, *month, feature), *amount)).collect();
        let stands: BTreeMap<_, _> =
            wallet.overage().iter().map(|o| ((&o.unit, o.month, &o.feature), o.amount)).collect();
        (open != stands)
            .then(|| format!("open overage is {stands:?} by its document, {open:?} by its entries"))
    }
}

impl InLot {
    fn of(unit: &Name, nets: &BTreeMap<What, Net>) -> anyhow::Result<Self> {
        let of = |what: What| nets.get(&what).copied().unwrap_or_default();
        let remaining: Net = nets.values().copied().sum();
        let below = || "it would be below zero";
        let issued: Net = [of(What::Granted), of(What::CarriedIn)].into_iter().sum();
        let lot = Self {
            unit: unit.clone(),
            issued: issued.above().with_context(below)?,
            remaining: remaining.above().with_context(below)?,
            held: of(What::Held).below().with_context(below)?,
            expired: of(What::Expired).below().with_context(below)?,
            voided: of(What::Voided).below().with_context(below)?,
            carried_out: of(What::CarriedOut).below().with_context(below)?,
        };
        ensure!(lot.remaining <= lot.issued, "more remains than was issued");
        Ok(lot)
    }
}
