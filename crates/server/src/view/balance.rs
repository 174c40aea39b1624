//! What a wallet has now, lot by lot.

use std::collections::BTreeMap;
use std::fmt;

use ledger::{Amount, Cost, Instant, Lot, Scope, Wallet};
use serde::Serialize;

use super::order::{Place, nth, places};
use super::units::{Totals, by_feature, units};
use crate::view::{Align, AsOf, Table, WalletNow, behind, moment, number, when};

/// A wallet's balance, unit by unit.
#[derive(Debug, Serialize)]
pub(crate) struct Balance {
    wallet: String,
    as_of: AsOf,
    units: BTreeMap<String, InUnit>,
    /// Whether somebody configured it.
    claimed: bool,
    /// How many of its usages await a price.
    unpriced: u64,
    /// When something is due next by time alone.
    next_due_at: Option<Instant>,
    /// How many records of its partition are not folded yet.
    behind: u64,
}

#[derive(Debug, Serialize)]
struct InUnit {
    #[serde(flatten)]
    totals: Totals,
    /// Only where lots are limited to features; `*` is any other one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    available_for: BTreeMap<String, Amount>,
    /// In the order of burning.
    lots: Vec<LotNow>,
    /// The next lot of each grant that has one.
    upcoming: Vec<Upcoming>,
    /// Open overage, oldest month first.
    open_overage: Vec<OpenOverage>,
}

#[derive(Debug, Serialize)]
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

#[derive(Debug, Serialize)]
struct Upcoming {
    lot: String,
    grant: String,
    effective_at: Instant,
    amount: Amount,
}

#[derive(Debug, Serialize)]
struct OpenOverage {
    month: String,
    feature: String,
    amount: Amount,
    closes_at: Instant,
}

impl Balance {
    pub(crate) fn of(now: &WalletNow) -> Self {
        let wallet = &now.wallet;
        let in_unit = |unit: String| {
            let in_unit = InUnit::of(wallet, &unit);
            (unit, in_unit)
        };
        Self {
            wallet: now.id.clone(),
            as_of: now.as_of,
            units: units(wallet).into_iter().map(in_unit).collect(),
            claimed: wallet.claimed,
            unpriced: wallet.unpriced,
            next_due_at: wallet.next_due_at(),
            behind: now.behind,
        }
    }
}

impl InUnit {
    fn of(wallet: &Wallet, unit: &str) -> Self {
        let lots: Vec<&Lot> = wallet.lots().iter().filter(|lot| *lot.unit == *unit).collect();
        let places = places(&lots, wallet.clock);
        let upcoming = wallet.upcoming().filter(|(terms, _, _)| terms.unit == unit);
        let overage = wallet.overage().iter().filter(|o| *o.unit == *unit);
        Self {
            totals: Totals::of(wallet, unit),
            available_for: by_feature(&lots, wallet.clock),
            lots: lots.iter().zip(places).map(|(lot, place)| LotNow::of(lot, place)).collect(),
            upcoming: upcoming
                .map(|(terms, cycle, effective_at)| Upcoming {
                    lot: format!("{}#{cycle}", terms.grant_id),
                    grant: terms.grant_id.clone(),
                    effective_at,
                    amount: terms.amount,
                })
                .collect(),
            open_overage: overage
                .map(|o| OpenOverage {
                    month: o.month.to_string(),
                    feature: o.feature.to_string(),
                    amount: o.amount,
                    closes_at: o.closes_at,
                })
                .collect(),
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

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AsOf { partition, offset, time } = self.as_of;
        let unclaimed = if self.claimed { "" } else { " (unclaimed: nobody has configured it)" };
        writeln!(
            f,
            "{}{unclaimed}, at {}, after the records below {partition}:{offset}",
            self.wallet,
            moment(time)
        )?;
        for (unit, in_unit) in &self.units {
            writeln!(f)?;
            in_unit.write(unit, f)?;
        }
        if self.units.is_empty() {
            writeln!(f, "  no credits yet")?;
        }
        let mut notes = match self.unpriced {
            0 => String::new(),
            1 => "1 usage has no price and is charged nothing\n".to_owned(),
            n => format!("{} usages have no price and are charged nothing\n", number(n)),
        };
        if let Some(due) = self.next_due_at {
            notes.push_str(&format!("next due: {}\n", when(due)));
        }
        notes.push_str(&behind(self.behind));
        if notes.is_empty() { Ok(()) } else { write!(f, "\n{notes}") }
    }
}

impl InUnit {
    fn write(&self, unit: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { balance, held, overage, available } = self.totals;
        writeln!(f, "{unit}: balance {balance}, held {held}, overage {overage}, available {available}")?;
        if !self.available_for.is_empty() {
            let name =
                |feature: &str| if feature == "*" { "anything else".to_owned() } else { feature.to_owned() };
            let parts =
                self.available_for.iter().rev().map(|(f, amount)| format!("for {} {amount}", name(f)));
            writeln!(f, "  available {}", parts.collect::<Vec<_>>().join(", "))?;
        }
        write!(f, "{}", self.lot_table())?;
        for next in &self.upcoming {
            writeln!(f, "  {} opens {} with {}", next.lot, when(next.effective_at), next.amount)?;
        }
        for o in &self.open_overage {
            writeln!(
                f,
                "  overage of {} for {}: {}, open until {}",
                o.month,
                o.feature,
                o.amount,
                when(o.closes_at)
            )?;
        }
        Ok(())
    }

    fn lot_table(&self) -> Table {
        let mut table = Table::new([
            ("lot", Align::Left),
            ("remaining", Align::Right),
            ("of", Align::Right),
            ("held", Align::Right),
            ("from", Align::Left),
            ("until", Align::Left),
            ("priority", Align::Right),
            ("category", Align::Left),
            ("burns", Align::Left),
        ]);
        for lot in &self.lots {
            let burns = lot.burns.map_or_else(|| lot.why.clone(), |n| format!("{}: {}", nth(n), lot.why));
            table.add([
                lot.lot.clone(),
                lot.remaining.to_string(),
                lot.issued.to_string(),
                Some(lot.held)
                    .filter(|held| !held.is_zero())
                    .map_or_else(String::new, |held| held.to_string()),
                when(lot.effective_at),
                lot.expires_at.map_or_else(|| "never ends".to_owned(), when),
                lot.priority.to_string(),
                lot.kind(),
                burns,
            ]);
        }
        table
    }
}

impl LotNow {
    /// Category, unit cost and scope in words.
    fn kind(&self) -> String {
        let mut text = self.category.to_owned();
        if let Some(cost) = &self.unit_cost {
            text.push_str(&format!(" at {} {}", cost.money, cost.currency));
        }
        for (word, names) in [("for", &self.applies_to.feature), ("by", &self.applies_to.subject)] {
            if !names.is_empty() {
                text.push_str(&format!(" {word} {}", names.join("/")));
            }
        }
        text
    }
}
