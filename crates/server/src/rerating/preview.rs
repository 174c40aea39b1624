//! What charging usage anew would change, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;

use ledger::Amount;
use serde::Serialize;

use super::Changed;
use crate::documents::explain_rejection;
use crate::view::{Align, Table, behind, number};

/// So many wallets are shown to people.
const MOST: usize = 50;

/// What would change for whom.
#[derive(Default, Serialize)]
pub(crate) struct Preview {
    wallets: Vec<Line>,
    total: Sums,
    /// Usage that the rules leave as it is, by the reason.
    refused: BTreeMap<String, u64>,
    /// How many records of the log are not folded yet.
    behind: u64,
}

/// A wallet's sums.
#[derive(Serialize)]
struct Line {
    wallet: String,
    #[serde(flatten)]
    sums: Sums,
}

/// What is charged, and would be, by unit; and for how many usages that differs.
#[derive(Clone, Default, Serialize)]
struct Sums {
    usages: u64,
    units: BTreeMap<String, Charged>,
}

#[derive(Clone, Default, Serialize)]
struct Charged {
    before: Amount,
    after: Amount,
}

impl Preview {
    /// Nothing so far, where so many records are not folded yet.
    pub(crate) fn new(behind: u64) -> Self {
        Self { behind, ..Self::default() }
    }

    /// Takes a wallet in, if anything would change there.
    pub(crate) fn add(&mut self, changed: &Changed) {
        for (reason, count) in &changed.refused {
            *self.refused.entry(reason.clone()).or_default() += count;
        }
        if changed.changes.is_empty() {
            return;
        }
        let mut sums = Sums::default();
        for change in &changed.changes {
            sums.usages += 1;
            for (unit, (before, after)) in &change.charged {
                let charged = sums.units.entry(unit.clone()).or_default();
                charged.before.add(*before);
                charged.after.add(*after);
            }
        }
        self.total.usages += sums.usages;
        for (unit, charged) in &sums.units {
            let total = self.total.units.entry(unit.clone()).or_default();
            total.before.add(charged.before);
            total.after.add(charged.after);
        }
        self.wallets.push(Line { wallet: changed.wallet.clone(), sums });
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wallets.is_empty() {
            writeln!(f, "nothing would change")?;
        }
        let mut table = Table::new([
            ("wallet", Align::Left),
            ("usages", Align::Right),
            ("unit", Align::Left),
            ("charged", Align::Right),
            ("would be", Align::Right),
            ("difference", Align::Right),
        ]);
        let total = ("total".to_owned(), &self.total);
        let lines = self.wallets.iter().take(MOST).map(|line| (line.wallet.clone(), &line.sums));
        for (name, sums) in lines.chain((!self.wallets.is_empty()).then_some(total)) {
            let nothing = (&String::new(), &Charged::default());
            let units: Vec<_> =
                if sums.units.is_empty() { vec![nothing] } else { sums.units.iter().collect() };
            for (at, (unit, charged)) in units.into_iter().enumerate() {
                let first = |text: String| if at == 0 { text } else { String::new() };
                table.add([
                    first(name.clone()),
                    first(number(sums.usages)),
                    unit.clone(),
                    charged.before.to_string(),
                    charged.after.to_string(),
                    charged.difference(),
                ]);
            }
        }
        write!(f, "{table}")?;
        if let Some(more) = self.wallets.len().checked_sub(MOST).filter(|more| *more > 0) {
            writeln!(f, "  {} more wallets are in the total: --json shows all", number(more as u64))?;
        }
        for (reason, count) in &self.refused {
            writeln!(f, "{} stay as they are ({reason}): {}", number(*count), explain_rejection(reason))?;
        }
        f.write_str(&behind(self.behind))
    }
}

impl Charged {
    fn difference(&self) -> String {
        match self.after.cmp(&self.before) {
            std::cmp::Ordering::Less => format!("-{}", self.before.above(self.after)),
            std::cmp::Ordering::Equal => "0".to_owned(),
            std::cmp::Ordering::Greater => format!("+{}", self.after.above(self.before)),
        }
    }
}
