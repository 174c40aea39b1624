//! What the same history would have come to, beside what happened.

use std::collections::BTreeMap;
use std::fmt;

use ledger::Instant;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::commands::what_if::{Figure, InUnit, OfWallet, Part};
use crate::view::{Align, Table, behind, moment, number, when};

/// Both histories, compared.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WhatIf {
    from: Instant,
    /// Up to when time went on.
    to: Instant,
    records: u64,
    wallets: u64,
    /// How many grants other rules changed.
    grants_changed: u64,
    /// How many wallets it makes a difference to.
    wallets_changed: u64,
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Compared>>")]
    units: BTreeMap<String, Figures>,
    revenue: BTreeMap<String, Compared>,
    /// Records that took effect, and would be refused.
    refused: u64,
    first_refused: Option<Refusal>,
    /// Those with the largest differences first.
    changed: Vec<Changed>,
    behind: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Refusal {
    position: String,
    reason: String,
}

/// A wallet that comes to something else.
#[derive(Debug, Serialize, JsonSchema)]
struct Changed {
    wallet: String,
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Compared>>")]
    units: BTreeMap<String, Figures>,
    revenue: BTreeMap<String, Compared>,
}

/// Figures of one unit by name.
#[derive(Debug)]
struct Figures(Vec<(&'static str, Compared)>);

/// What happened, what would have, and the difference.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct Compared {
    #[schemars(with = "String")]
    was: Signed,
    #[schemars(with = "String")]
    would: Signed,
    #[schemars(with = "String")]
    difference: Signed,
}

/// Billionths with their sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Signed(i128);

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ONE: u128 = 1_000_000_000;
        let (whole, places) = (self.0.unsigned_abs() / ONE, self.0.unsigned_abs() % ONE);
        let sign = if self.0 < 0 { "-" } else { "" };
        let places = if places == 0 { String::new() } else { format!(".{places:09}") };
        f.pad(&format!("{sign}{whole}{}", places.trim_end_matches('0')))
    }
}

impl Serialize for Signed {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(name, compared)| (name, compared)))
    }
}

impl Compared {
    fn of(figure: Figure) -> Self {
        let Figure { was, would } = figure;
        Self { was: Signed(was), would: Signed(would), difference: Signed(figure.difference()) }
    }

    /// The difference with its sign; nothing where there is none.
    fn change(self) -> String {
        match self.difference.0 {
            0 => String::new(),
            1.. => format!("+{}", self.difference),
            _ => self.difference.to_string(),
        }
    }
}

impl Figures {
    fn of(unit: &InUnit) -> Self {
        Self(unit.figures().map(|(name, figure)| (name, Compared::of(figure))).to_vec())
    }

    fn change(&self, name: &str) -> String {
        self.0.iter().find(|(figure, _)| *figure == name).map(|(_, c)| c.change()).unwrap_or_default()
    }
}

fn compared(revenue: BTreeMap<String, Figure>) -> BTreeMap<String, Compared> {
    revenue.into_iter().map(|(currency, figure)| (currency, Compared::of(figure))).collect()
}

impl Changed {
    fn of(wallet: &OfWallet) -> Self {
        Self {
            wallet: wallet.id.clone(),
            units: wallet.units.iter().map(|(unit, sums)| (unit.to_string(), Figures::of(sums))).collect(),
            revenue: compared(wallet.revenue()),
        }
    }
}

impl WhatIf {
    pub(crate) fn of(from: Instant, to: Instant, parts: Vec<Part>, limit: usize, behind: u64) -> Self {
        let mut units: BTreeMap<String, InUnit> = BTreeMap::new();
        let mut revenue: BTreeMap<String, Figure> = BTreeMap::new();
        let mut changed: Vec<(u128, &OfWallet)> = Vec::new();
        for wallet in parts.iter().flat_map(|part| &part.wallets) {
            for (unit, sums) in &wallet.units {
                units.entry(unit.to_string()).or_default().add(sums);
            }
            for (currency, figure) in wallet.revenue() {
                revenue.entry(currency).or_default().add(figure);
            }
            changed.extend(Some((wallet.weight(), wallet)).filter(|(weight, _)| *weight > 0));
        }
        changed.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.id.cmp(&y.id)));
        let sum = |count: fn(&Part) -> u64| parts.iter().map(count).sum();
        let first = parts.iter().find_map(|part| part.first_refused.as_ref());
        Self {
            from,
            to,
            records: sum(|part| part.records),
            wallets: sum(|part| part.wallets.len() as u64),
            grants_changed: sum(|part| part.grants),
            wallets_changed: changed.len() as u64,
            units: units.iter().map(|(unit, sums)| (unit.clone(), Figures::of(sums))).collect(),
            revenue: compared(revenue),
            refused: sum(|part| part.refused),
            first_refused: first.map(|(at, why)| Refusal { position: at.to_string(), reason: why.clone() }),
            changed: changed.iter().take(limit).map(|(_, wallet)| Changed::of(wallet)).collect(),
            behind,
        }
    }
}

impl fmt::Display for WhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, wallets) = (number(self.records), number(self.wallets));
        writeln!(
            f,
            "{records} records of {wallets} wallets, what was booked from {} up to {}",
            when(self.from),
            moment(self.to)
        )?;
        if self.grants_changed > 0 {
            writeln!(f, "other rules hold for {} grants", number(self.grants_changed))?;
        }
        writeln!(f)?;
        write!(f, "{}", self.totals())?;
        writeln!(f, "\n{} of {wallets} wallets come to something else", number(self.wallets_changed))?;
        write!(f, "{}", self.wallets())?;
        let rest = self.wallets_changed - self.changed.len() as u64;
        if rest > 0 {
            writeln!(f, "and {} more: --limit shows more", number(rest))?;
        }
        if let Some(Refusal { position, reason }) = &self.first_refused {
            writeln!(
                f,
                "{} records that took effect would be refused, the first at {position}: {reason}",
                number(self.refused)
            )?;
        }
        f.write_str(&behind(self.behind))
    }
}

impl WhatIf {
    fn totals(&self) -> Table {
        let mut table = Table::new([
            ("", Align::Left),
            ("in all", Align::Left),
            ("happened", Align::Right),
            ("what if", Align::Right),
            ("difference", Align::Right),
        ]);
        let mut add = |of: &str, name: &str, c: &Compared| {
            table.add([of.to_owned(), name.to_owned(), c.was.to_string(), c.would.to_string(), c.change()]);
        };
        for (unit, Figures(figures)) in &self.units {
            figures.iter().for_each(|(name, compared)| add(unit, name, compared));
        }
        self.revenue.iter().for_each(|(currency, compared)| add(currency, "revenue", compared));
        table
    }

    /// What becomes more and less, wallet by wallet.
    fn wallets(&self) -> Table {
        let mut table = Table::new([
            ("wallet", Align::Left),
            ("", Align::Left),
            ("used", Align::Right),
            ("overage", Align::Right),
            ("expired", Align::Right),
            ("carried", Align::Right),
            ("revenue", Align::Right),
        ]);
        for Changed { wallet, units, revenue } in &self.changed {
            for (unit, figures) in units {
                let [used, overage, expired, carried] =
                    ["used", "overage", "expired", "carried"].map(|name| figures.change(name));
                if [&used, &overage, &expired, &carried].iter().any(|change| !change.is_empty()) {
                    let (wallet, unit) = (wallet.clone(), unit.clone());
                    table.add([wallet, unit, used, overage, expired, carried, String::new()]);
                }
            }
            for (currency, compared) in revenue.iter().filter(|(_, c)| c.difference.0 != 0) {
                let none = String::new;
                table.add([
                    wallet.clone(),
                    currency.clone(),
                    none(),
                    none(),
                    none(),
                    none(),
                    compared.change(),
                ]);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_amounts_are_canonical() {
        let shown = [0, 1, -1, 12_500_000_000, -20_000_000_000].map(|n| Signed(n).to_string());
        assert_eq!(shown.join(" "), "0 0.000000001 -0.000000001 12.5 -20");
    }
}
