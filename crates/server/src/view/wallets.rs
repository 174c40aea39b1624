//! Wallets, each with its totals.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ledger::{Catalogue, Instant, Offset, Partition};
use schemars::JsonSchema;
use serde::Serialize;
use store::{Store, WalletFilter};

use super::units::{Totals, units};
use crate::view::{Align, AsOf, Reading, Table, behind, when};

/// A page of wallets, by id.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Wallets {
    wallets: Vec<Line>,
    /// Give this as `after` for the next page; none on the last one.
    next: Option<String>,
    /// How many records of the log are not folded yet.
    behind: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WalletLine")]
struct Line {
    wallet: String,
    as_of: AsOf,
    claimed: bool,
    unpriced: u64,
    next_due_at: Option<Instant>,
    units: BTreeMap<String, Totals>,
}

impl Wallets {
    /// Reads the page that `filter` asks for.
    pub(crate) async fn read(reading: &Reading, filter: WalletFilter) -> anyhow::Result<Self> {
        use eventlog::EventLog;
        let partitions = reading.log.partitions();
        let mut parts: Vec<(Offset, Arc<Catalogue>)> = Vec::new();
        let mut behind = 0;
        for partition in (0..partitions).map(Partition) {
            let next = reading.store.head(partition).await?.map_or(Offset(0), |head| head.next);
            behind += reading.behind(partition, next).await?;
            parts.push((next, Arc::new(reading.catalogue(partition).await?)));
        }
        let limit = filter.limit;
        let filter = WalletFilter { limit: limit.saturating_add(1), ..filter };
        let mut rows = reading.store.wallets(&filter).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let mut wallets = Vec::with_capacity(rows.len());
        for row in &rows {
            let partition = Partition::of(&row.id, partitions);
            let (next, catalogue) = &parts[partition.0 as usize];
            let now = reading.advance(partition, row.as_of.max(*next), row, catalogue.clone(), 0)?;
            let totals = units(&now.wallet).into_iter().map(|unit| {
                let totals = Totals::of(&now.wallet, &unit);
                (unit, totals)
            });
            wallets.push(Line {
                as_of: now.as_of,
                claimed: now.wallet.claimed,
                unpriced: now.wallet.unpriced,
                next_due_at: now.wallet.next_due_at(),
                units: totals.collect(),
                wallet: now.id,
            });
        }
        let next = wallets.last().filter(|_| more).map(|line| line.wallet.clone());
        Ok(Self { wallets, next, behind })
    }
}

impl fmt::Display for Wallets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new([
            ("wallet", Align::Left),
            ("balance", Align::Right),
            ("unit", Align::Left),
            ("overage", Align::Right),
            ("unpriced", Align::Right),
            ("next due", Align::Left),
            ("", Align::Left),
        ]);
        for line in &self.wallets {
            let none = Totals::default();
            let no_units = [(&String::new(), &none)];
            let units: Vec<_> =
                if line.units.is_empty() { no_units.to_vec() } else { line.units.iter().collect() };
            for (at, (unit, totals)) in units.into_iter().enumerate() {
                let first = |text: String| if at == 0 { text } else { String::new() };
                let some = |text: String| if text == "0" { String::new() } else { text };
                table.add([
                    first(line.wallet.clone()),
                    totals.balance.to_string(),
                    unit.clone(),
                    some(totals.overage.to_string()),
                    first(some(line.unpriced.to_string())),
                    first(line.next_due_at.map(when).unwrap_or_default()),
                    first(if line.claimed { String::new() } else { "unclaimed".to_owned() }),
                ]);
            }
        }
        if table.is_empty() {
            writeln!(f, "no wallets")?;
        }
        write!(f, "{table}")?;
        if let Some(next) = &self.next {
            writeln!(f, "\nmore: --after {next}")?;
        }
        f.write_str(&behind(self.behind))
    }
}
