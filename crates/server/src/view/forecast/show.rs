//! A forecast as text.

use std::fmt;

use ledger::Instant;

use super::{Depleted, Forecast, Outlook};
use crate::view::{behind, moment, when};

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, from) = (moment(self.as_of.time), moment(self.from));
        writeln!(f, "{}, at {at}, by what was used since {from}", self.wallet)?;
        for (unit, outlook) in &self.units {
            writeln!(f)?;
            outlook.write(unit, f)?;
        }
        if self.units.is_empty() {
            writeln!(f, "  no credits yet")?;
        }
        match behind(self.behind) {
            note if note.is_empty() => Ok(()),
            note => write!(f, "\n{note}"),
        }
    }
}

impl Outlook {
    fn write(&self, unit: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { available, used, per_hour, per_day, .. } = self;
        writeln!(f, "{unit}: available {available}, used {used}: {per_day} a day, {per_hour} an hour")?;
        let Depleted { at, soonest, latest } = &self.depleted;
        if used.is_zero() {
            writeln!(f, "  nothing was used: they last")?;
        } else {
            writeln!(f, "  used up at that rate:      {}", day(*at))?;
            writeln!(f, "  at the rate of busy days:  {}", day(*soonest))?;
            writeln!(f, "  at the rate of quiet days: {}", day(*latest))?;
        }
        for lot in &self.expiring {
            writeln!(f, "  {} ends {} with {} left now", lot.lot, when(lot.expires_at), lot.remaining)?;
        }
        for next in &self.next_grants {
            writeln!(f, "  {} opens {} with {}", next.lot, when(next.effective_at), next.amount)?;
        }
        Ok(())
    }
}

/// When something is used up: to the second, which is more than is known.
fn day(at: Option<Instant>) -> String {
    at.map_or_else(|| "not within a year".to_owned(), moment)
}
