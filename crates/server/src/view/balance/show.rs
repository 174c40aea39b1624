//! A balance as text.

use std::fmt;

use super::{Balance, HoldNow, InUnit, LotNow};
use crate::view::order::nth;
use crate::view::units::Totals;
use crate::view::{Align, AsOf, Table, behind, moment, number, when};

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AsOf { partition, offset, time } = self.as_of;
        let unclaimed = if self.claimed { "" } else { " (unclaimed: nobody has configured it)" };
        let suspended = if self.suspended { " (suspended)" } else { "" };
        write!(f, "{}{unclaimed}{suspended}, ", self.wallet)?;
        match self.known_at {
            None => write!(f, "at {}", moment(time))?,
            Some(known_at) => write!(f, "as of {}, as known at {}", when(time), moment(known_at))?,
        }
        writeln!(f, ", after the records below {partition}:{offset}")?;
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
        if let Some(due) = self.next_due_at.flatten() {
            notes.push_str(&format!("next due: {}\n", when(due)));
        }
        notes.push_str(&behind(self.behind));
        if notes.is_empty() { Ok(()) } else { write!(f, "\n{notes}") }
    }
}

impl InUnit {
    fn write(&self, unit: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { balance, held, overage, available, held_overdraft } = self.totals;
        writeln!(f, "{unit}: balance {balance}, held {held}, overage {overage}, available {available}")?;
        if !self.available_for.is_empty() {
            let name =
                |feature: &str| if feature == "*" { "anything else".to_owned() } else { feature.to_owned() };
            let parts =
                self.available_for.iter().rev().map(|(f, amount)| format!("for {} {amount}", name(f)));
            writeln!(f, "  available {}", parts.collect::<Vec<_>>().join(", "))?;
        }
        write!(f, "{}", self.lot_table())?;
        if !held_overdraft.is_zero() {
            writeln!(f, "  held against the overdraft: {held_overdraft}")?;
        }
        for hold in &self.holds {
            let HoldNow { hold, feature, held, overdraft, until } = hold;
            let beyond = if overdraft.is_zero() {
                String::new()
            } else {
                format!(" and {overdraft} of the overdraft")
            };
            writeln!(f, "  hold {hold} has {held}{beyond} for {feature}, until {}", when(*until))?;
        }
        for next in self.upcoming.iter().flatten() {
            writeln!(f, "  {} opens {} with {}", next.lot, when(next.effective_at), next.amount)?;
        }
        for o in &self.open_overage {
            let until = o.closes_at.map(|at| format!(", open until {}", when(at))).unwrap_or_default();
            writeln!(f, "  overage of {} for {}: {}{until}", o.month, o.feature, o.amount)?;
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
