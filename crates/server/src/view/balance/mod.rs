//! What a wallet has now, or had, lot by lot.

mod past;
mod show;

use std::collections::BTreeMap;

use ledger::{Amount, Cost, Instant, Lot, Scope, Wallet};
use schemars::JsonSchema;
use serde::Serialize;

use super::history::Known;
use super::order::{Place, places};
use super::units::{Totals, by_feature, units};
use crate::view::{AsOf, Reading, WalletNow};

/// A wallet's balance, unit by unit.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Balance {
    wallet: String,
    as_of: AsOf,
    /// When it was known so, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_at: Option<Instant>,
    units: BTreeMap<String, InUnit>,
    /// Whether somebody configured it.
    claimed: bool,
    /// Whether it is suspended: its usage is booked all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    suspended: bool,
    /// How many of its usages await a price.
    unpriced: u64,
    /// When something is due next by time alone; left out of a look back.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due_at: Option<Option<Instant>>,
    /// How many records of its partition are not folded yet.
    behind: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BalanceOfUnit")]
struct InUnit {
    #[serde(flatten)]
    totals: Totals,
    /// Only where lots are limited to features; `*` is any other one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    available_for: BTreeMap<String, Amount>,
    /// In the order of burning.
    lots: Vec<LotNow>,
    /// The next lot of each grant that has one; left out of a look back.
    #[serde(skip_serializing_if = "Option::is_none")]
    upcoming: Option<Vec<Upcoming>>,
    /// Open overage, oldest month first.
    open_overage: Vec<OpenOverage>,
    /// Open holds, by their ids; left out of a look back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holds: Vec<HoldNow>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LotNow {
    lot: String,
    grant: String,
    remaining: Amount,
    held: Amount,
    issued: Amount,
    effective_at: Instant,
    expires_at: Option<Instant>,
    priority: u8,
    category: &'static str,
    /// What one of the unit cost, cut to nine places.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_cost: Option<Cost>,
    #[serde(skip_serializing_if = "Scope::is_any")]
    applies_to: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// Its place in the order of burning, from 1; none if it is not open or nothing is left.
    burns: Option<u32>,
    why: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Upcoming {
    lot: String,
    grant: String,
    effective_at: Instant,
    amount: Amount,
}

/// What an open hold has set aside of the unit for a feature.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HoldInUnit")]
struct HoldNow {
    hold: String,
    feature: String,
    held: Amount,
    #[serde(skip_serializing_if = "Amount::is_zero")]
    overdraft: Amount,
    until: Instant,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OpenOverage {
    month: String,
    feature: String,
    amount: Amount,
    /// None of what is no longer open, in a look back.
    closes_at: Option<Instant>,
}

impl Balance {
    /// A wallet as of a moment, by what was known at one.
    ///
    /// # Errors
    ///
    /// If no record names it, or its records cannot be folded again.
    pub(crate) async fn read(
        reading: &Reading,
        wallet: &str,
        at: Option<Instant>,
        known_at: Option<Instant>,
    ) -> anyhow::Result<Self> {
        let mut known = Known::read(reading, wallet, known_at, at.as_slice()).await?;
        let shown = known_at.or(at.map(|_| known.at));
        match at.filter(|at| *at < known.at) {
            Some(at) => Ok(Self { known_at: shown, ..Self::past(&known, at)? }),
            None => {
                known.advance_to(at.unwrap_or(known.at));
                Ok(Self { known_at: shown, ..Self::of(&known.now()) })
            }
        }
    }

    pub(crate) fn of(now: &WalletNow) -> Self {
        let wallet = &now.wallet;
        let in_unit = |unit: String| {
            let in_unit = InUnit::of(wallet, &unit);
            (unit, in_unit)
        };
        Self {
            wallet: now.id.clone(),
            as_of: now.as_of,
            known_at: None,
            units: units(wallet).into_iter().map(in_unit).collect(),
            claimed: wallet.claimed,
            suspended: wallet.suspended,
            unpriced: wallet.unpriced,
            next_due_at: Some(wallet.next_due_at()),
            behind: now.behind,
        }
    }
}

impl InUnit {
    fn of(wallet: &Wallet, unit: &str) -> Self {
        let upcoming = wallet.upcoming().filter(|(terms, _, _)| terms.unit == unit);
        let upcoming = upcoming.map(|(terms, cycle, effective_at)| Upcoming {
            lot: format!("{}#{cycle}", terms.grant_id),
            grant: terms.grant_id.clone(),
            effective_at,
            amount: terms.amount,
        });
        let overage = wallet.overage().iter().filter(|o| *o.unit == *unit);
        let overage = overage.map(|o| OpenOverage {
            month: o.month.to_string(),
            feature: o.feature.to_string(),
            amount: o.amount,
            closes_at: Some(o.closes_at),
        });
        let lines =
            wallet.holds().iter().flat_map(|(id, hold)| hold.lines.iter().map(move |l| (id, hold, l)));
        let holds = lines.filter(|(.., line)| *line.unit == *unit).map(|(id, hold, line)| HoldNow {
            hold: id.to_string(),
            feature: line.feature.to_string(),
            held: line.lots.iter().map(|part| part.amount).sum(),
            overdraft: line.overdraft,
            until: hold.ends_at,
        });
        let in_unit =
            Self::new(wallet.lots(), unit, wallet.clock, Some(upcoming.collect()), overage.collect());
        Self { totals: Totals::of(wallet, unit), holds: holds.collect(), ..in_unit }
    }

    /// Of lots in the order of burning, as of a moment.
    fn new(
        lots: &[Lot],
        unit: &str,
        at: Instant,
        upcoming: Option<Vec<Upcoming>>,
        open_overage: Vec<OpenOverage>,
    ) -> Self {
        let lots: Vec<&Lot> = lots.iter().filter(|lot| *lot.unit == *unit).collect();
        let open = lots.iter().filter(|lot| lot.holds(at));
        let overage = open_overage.iter().map(|o| o.amount).sum();
        let totals =
            Totals::new(open.map(|lot| lot.remaining).sum(), lots.iter().map(|lot| lot.held).sum(), overage);
        let places = places(&lots, at);
        Self {
            totals,
            available_for: by_feature(&lots, at),
            lots: lots.iter().zip(places).map(|(lot, place)| LotNow::of(lot, place)).collect(),
            upcoming,
            open_overage,
            holds: Vec::new(),
        }
    }
}

impl LotNow {
    fn of(lot: &Lot, place: Place) -> Self {
        let terms = lot.terms();
        let one = |cost: &Cost| {
            let money = per_unit(cost.money, terms.amount)?;
            Some(Cost { money, currency: cost.currency.clone() })
        };
        Self {
            lot: lot.id.to_string(),
            grant: terms.grant_id.clone(),
            remaining: lot.remaining,
            held: lot.held,
            issued: lot.issued,
            effective_at: lot.starts_at,
            expires_at: lot.ends_at,
            priority: terms.priority,
            category: terms.category.word(),
            unit_cost: terms.cost_basis.as_ref().and_then(one),
            applies_to: terms.applies_to.clone(),
            origin: lot.origin.as_ref().map(ToString::to_string),
            burns: place.burns,
            why: place.why,
        }
    }
}

/// `money / amount`, cut to nine places; none where that is no amount.
fn per_unit(money: Amount, amount: Amount) -> Option<Amount> {
    const ONE: i128 = 1_000_000_000;
    // Both are at most 10^27 billionths, so the product stays below 10^37.
    let billionths = (money.billionths() * ONE).checked_div(amount.billionths())?;
    Amount::parse(&format!("{}.{:09}", billionths / ONE, billionths % ONE)).ok()
}
