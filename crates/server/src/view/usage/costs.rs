//! What usage cost at vendors, reckoned for all wallets and kept in the database.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::bail;
use eventlog::EventLog;
use ledger::{Amount, Instant, Offset, Partition, Zone};
use serde::Serialize;
use serde_json::value::RawValue;
use store::postgres::CostRow;
use store::{Projections, Store};

use super::pages::{Filter, Used, of_partition};
use super::rating::Rating;
use super::sums::{amounts, field};
use crate::progress::Progress;
use crate::view::{Reading, behind, number};

/// How many rows are kept in memory; then they are written, and a row of the same key may follow.
const MOST_ROWS: usize = 50_000;

/// What was reckoned.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Reckoned {
    partitions: Vec<Until>,
    /// How many usages count, whether or not they cost anything.
    usages: u64,
    vendor_cost: BTreeMap<String, Amount>,
    behind: u64,
}

#[derive(Debug, Serialize)]
struct Until {
    partition: u32,
    /// The costs are those of all records below it.
    next: u64,
}

/// Day, wallet, feature, model and currency.
type Key = (String, i64, String, Option<String>, String);

#[derive(Default)]
struct Rows(BTreeMap<Key, (u64, Amount)>);

impl Rows {
    fn add(&mut self, used: &Used, rating: &mut Rating, reckoned: &mut Reckoned) {
        let Some(wallet) = used.record.wallet.filter(|_| used.counts()) else { return };
        reckoned.usages += 1;
        let data: Option<&RawValue> = used.data().and_then(|data| serde_json::from_str(data).ok());
        let charges = rating.charges(&used.record, data);
        if charges.is_empty() {
            return;
        }
        let day = Zone::default().day(Instant(used.record.at));
        let model = field(data, "model");
        for (currency, feature, amount) in charges {
            reckoned.vendor_cost.entry(currency.to_string()).or_default().add(amount);
            let key = (day.clone(), wallet, feature.to_string(), model.clone(), currency.to_string());
            let (usages, cost) = self.0.entry(key).or_default();
            *usages += 1;
            cost.add(amount);
        }
    }

    fn take(&mut self) -> Vec<CostRow> {
        let row = |((day, wallet, feature, model, currency), (usages, cost)): (Key, (u64, Amount))| CostRow {
            wallet,
            day,
            feature,
            model,
            currency,
            usages,
            cost: cost.to_string(),
        };
        std::mem::take(&mut self.0).into_iter().map(row).collect()
    }
}

impl Reckoned {
    /// Reckons what all usage cost, and puts it in the place of what was reckoned before: of each partition all or nothing.
    pub(crate) async fn keep(reading: &Reading) -> anyhow::Result<Self> {
        let Projections::Postgres(stores) = &*reading.store else {
            bail!(
                "costs are kept in a database: name it with --store postgres://…, or see them with `drawdown usage --all --by day`"
            );
        };
        let mut reckoned = Self::default();
        for partition in (0..reading.log.partitions()).map(Partition) {
            let Some(head) = reading.store.head(partition).await? else { continue };
            let end = head.next;
            reckoned.behind += reading.behind(partition, end).await?;
            let mut costs = stores.costs(partition, end).await?;
            let (mut rating, mut rows) = (Rating::of_partition(reading, partition).await?, Rows::default());
            let progress = Progress::new("records", Some(end.0));
            let mut from = Offset(0);
            while from < end {
                let (page, next) = of_partition(reading, partition, &Filter::default(), (from, end)).await?;
                page.iter().for_each(|used| rows.add(used, &mut rating, &mut reckoned));
                progress.add(usize::try_from(next.0 - from.0).unwrap_or(usize::MAX));
                from = next;
                if rows.0.len() >= MOST_ROWS || from >= end {
                    costs.add(&rows.take()).await?;
                }
            }
            costs.keep().await?;
            reckoned.partitions.push(Until { partition: partition.0, next: end.0 });
        }
        Ok(reckoned)
    }
}

impl fmt::Display for Reckoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = match amounts(&self.vendor_cost) {
            none if none.is_empty() => "nothing: the catalogue has no vendor cost for it".to_owned(),
            some => some,
        };
        writeln!(f, "{} usages cost {cost}", number(self.usages))?;
        f.write_str(&behind(self.behind))
    }
}
