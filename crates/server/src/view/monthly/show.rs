//! A month's statement as text.

use std::fmt;

use super::{InUnit, Monthly};
use crate::view::{Align, Table, behind, moment, when};

impl fmt::Display for Monthly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wallet, month, zone, .. } = self;
        let so_far = if self.is_over { "" } else { " so far" };
        writeln!(
            f,
            "{wallet}, statement of {month}{so_far}: {} to {} ({zone}), as known at {}",
            when(self.from),
            when(self.to),
            moment(self.known_at)
        )?;
        for (unit, in_unit) in &self.units {
            writeln!(f, "\n{unit}")?;
            write!(f, "{}", in_unit.table())?;
            if !in_unit.untouched.is_zero() {
                let untouched = in_unit.untouched;
                writeln!(
                    f,
                    "  beside it {untouched} in quotas that nothing has touched: they are booked with their first use"
                )?;
            }
            if !in_unit.overage.is_empty() {
                write!(f, "\n{}", in_unit.overage_table())?;
            }
        }
        if self.units.is_empty() {
            writeln!(f, "  nothing came, and nothing went")?;
        }
        f.write_str(&behind(self.behind))
    }
}

impl InUnit {
    fn table(&self) -> Table {
        let mut table = Table::new([("", Align::Left), ("amount", Align::Right)]);
        for (line, feature, net) in self.lines() {
            let is_opening = line == "opening";
            if is_opening || !net.is_zero() {
                table.add([words(line, feature), net.to_string()]);
            }
        }
        table.add(["closing".to_owned(), self.closing.to_string()]);
        table
    }

    fn overage_table(&self) -> Table {
        let mut table = Table::new([
            ("overage of", Align::Left),
            ("for", Align::Left),
            ("opening", Align::Right),
            ("opened", Align::Right),
            ("reversed", Align::Right),
            ("paid back", Align::Right),
            ("billed", Align::Right),
            ("forgiven", Align::Right),
            ("open", Align::Right),
        ]);
        for of_month in &self.overage {
            let mut row = vec![of_month.month.to_string(), of_month.feature.clone()];
            row.extend(of_month.lines().map(|(_, net)| net.to_string()));
            row.push(of_month.open.to_string());
            table.add(row);
        }
        table
    }
}

/// A line as people read it.
fn words(line: &str, feature: Option<&str>) -> String {
    match (line, feature) {
        ("used", Some(feature)) => format!("used for {feature}"),
        ("carried_in", _) => "carried in from lots that ended".to_owned(),
        ("carried_out", _) => "carried over when lots ended".to_owned(),
        ("reversed", _) => "given back by reversals".to_owned(),
        ("repaid", _) => "overage paid back".to_owned(),
        (line, _) => line.to_owned(),
    }
}
