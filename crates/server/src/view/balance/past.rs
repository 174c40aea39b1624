//! A look back: a wallet as of a moment, by what was known later.

use std::collections::BTreeSet;

use ledger::{Amount, Instant, Lot, Month, Name, Overage, burn_order};

use super::{Balance, InUnit, OpenOverage};
use crate::view::history::{Cut, Known, Standing};

impl Balance {
    /// A wallet as of a moment before that at which it was known so.
    pub(super) fn past(known: &Known, at: Instant) -> anyhow::Result<Self> {
        let standing = Standing::of(&known.moves()?, Cut::AsOf(at))?;
        let lots: Vec<Lot> = lots_at(known, &standing, at);
        let overage = |unit: &str| {
            let of_unit =
                standing.overage.iter().filter(|((u, ..), amount)| **u == *unit && !amount.is_zero());
            let closes_at = |month, feature: &Name| {
                let is_it = |o: &&Overage| *o.unit == *unit && o.month == month && o.feature == *feature;
                known.wallet.overage().iter().find(is_it).map(|o| o.closes_at)
            };
            let open = |((_, month, feature), amount): (&(Name, Month, Name), &Amount)| OpenOverage {
                month: month.to_string(),
                feature: feature.to_string(),
                amount: *amount,
                closes_at: closes_at(*month, feature),
            };
            of_unit.map(open).collect::<Vec<_>>()
        };
        let names = lots.iter().map(|lot| lot.unit.to_string());
        let open = standing.overage.iter().filter(|(_, amount)| !amount.is_zero());
        let units: BTreeSet<String> = names.chain(open.map(|((unit, ..), _)| unit.to_string())).collect();
        let in_unit = |unit: String| {
            let in_unit = InUnit::new(&lots, &unit, at, None, overage(&unit));
            (unit, in_unit)
        };
        let used =
            known.records.iter().filter(|r| r.is_applied_usage()).filter_map(|r| known.used(r.at.offset));
        Ok(Self {
            wallet: known.id.clone(),
            as_of: known.as_of(at),
            known_at: Some(known.at),
            units: units.into_iter().map(in_unit).collect(),
            claimed: known.wallet.claimed,
            suspended: known.wallet.suspended,
            unpriced: used.filter(|used| used.is_unpriced && used.at <= at).count() as u64,
            next_due_at: None,
            behind: known.behind,
        })
    }
}

/// The lots that a wallet showed at a moment: open ones with something left, and ended ones that still paid late usage.
fn lots_at(known: &Known, standing: &Standing, at: Instant) -> Vec<Lot> {
    let booked = standing.lots.iter().filter_map(|(id, in_lot)| {
        let mut lot = known.lot(id)?.clone();
        (lot.remaining, lot.held, lot.issued) = (in_lot.remaining, in_lot.held, in_lot.issued);
        let pays_late =
            lot.ends_at.is_some_and(|end| end <= at) && lot.pays_until().is_some_and(|until| at < until);
        let has_late = [in_lot.expired, in_lot.carried_out].iter().any(|amount| !amount.is_zero());
        (!lot.remaining.is_zero() || !lot.held.is_zero() || pays_late && has_late).then_some(lot)
    });
    let untouched = known.quiet(at).filter(|lot| !standing.lots.contains_key(&lot.id)).map(|lot| {
        let mut lot = lot.clone();
        (lot.remaining, lot.held) = (lot.issued, Amount::ZERO);
        lot
    });
    let mut lots: Vec<Lot> = booked.chain(untouched).collect();
    lots.sort_by(|a, b| burn_order(a, b).0);
    lots
}
