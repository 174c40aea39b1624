//! A wallet's amounts by unit.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Amount, Instant, Lot, Wallet};
use schemars::JsonSchema;
use serde::Serialize;

/// A wallet's totals of one unit.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Totals {
    /// Available and held together.
    pub(crate) balance: Amount,
    /// What holds hold.
    pub(crate) held: Amount,
    /// What holds hold against the overdraft: of no lot, so in no balance.
    #[serde(skip_serializing_if = "Amount::is_zero")]
    pub(crate) held_overdraft: Amount,
    /// Open overage, which is not taken off what is available.
    pub(crate) overage: Amount,
    /// What is remaining in lots open now.
    pub(crate) available: Amount,
}

/// The units that a wallet has something of, or will have.
pub(crate) fn units(wallet: &Wallet) -> BTreeSet<String> {
    let lots = wallet.lots().iter().map(|lot| lot.unit.to_string());
    let overage = wallet.overage().iter().map(|o| o.unit.to_string());
    let upcoming = wallet.upcoming().map(|(terms, _, _)| terms.unit.clone());
    let held = wallet.holds().values().flat_map(|hold| &hold.lines).map(|line| line.unit.to_string());
    lots.chain(overage).chain(upcoming).chain(held).collect()
}

impl Totals {
    pub(crate) fn of(wallet: &Wallet, unit: &str) -> Self {
        let (available, held) = (wallet.available(unit, wallet.clock), wallet.held(unit));
        let overage = wallet.overage().iter().filter(|o| *o.unit == *unit).map(|o| o.amount).sum();
        Self { held_overdraft: wallet.held_overdraft(unit), ..Self::new(available, held, overage) }
    }

    pub(crate) fn new(available: Amount, held: Amount, overage: Amount) -> Self {
        let balance = [available, held].into_iter().sum();
        Self { balance, held, held_overdraft: Amount::ZERO, overage, available }
    }
}

/// What is available of a unit by feature, where lots are limited to features; `*` is any other one.
pub(crate) fn by_feature(lots: &[&Lot], now: Instant) -> BTreeMap<String, Amount> {
    let open = || lots.iter().filter(|lot| lot.holds(now) && !lot.remaining.is_zero());
    let named: BTreeSet<&str> =
        open().flat_map(|lot| &lot.terms().applies_to.feature).map(String::as_str).collect();
    let pays = |lot: &Lot, feature: &str| {
        let features = &lot.terms().applies_to.feature;
        features.is_empty() || features.iter().any(|f| f == feature)
    };
    let sum = |feature: &str| open().filter(|lot| pays(lot, feature)).map(|lot| lot.remaining).sum();
    let others = (!named.is_empty()).then_some("*");
    named.iter().copied().chain(others).map(|feature| (feature.to_owned(), sum(feature))).collect()
}
