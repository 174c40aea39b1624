//! Sums of usage: of a wallet, or of all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use eventlog::EventLog;
use ledger::{Amount, Fields, Offset, Partition};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use store::Store;

use super::pages::{Charge, Filter, Used, of_partition, of_wallet};
use super::quantities::{Numbers, Quantities, numbers};
use super::rating::Rating;
use crate::progress::Progress;
use crate::view::{Align, AsOf, Reading, Table, WalletNow, behind, moment, number};

/// How many groups are kept apart; what comes beyond is summed in one.
const MOST_GROUPS: usize = 10_000;
/// How many number fields are shown to people; JSON has all.
const MOST_COLUMNS: usize = 6;
/// The group of what comes beyond.
const OTHERS: &str = "(others)";

/// What sums are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// What was used, as charges name it; the event's own type where it was charged nothing.
    Feature,
    /// The event's own type.
    Type,
    /// The day, in the wallet's zone.
    Day,
    Subject,
    /// A field of the event's data.
    Field(String),
}

impl By {
    /// Reads `feature`, `type`, `day`, `subject`, or the path of a field (`model`; `data.day` where the name is taken).
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "feature" => Self::Feature,
            "type" => Self::Type,
            "day" => Self::Day,
            "subject" => Self::Subject,
            path => Self::Field(path.strip_prefix("data.").unwrap_or(path).to_owned()),
        }
    }
}

/// The sums of usage, and of its groups.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageSums")]
pub(crate) struct Sums {
    /// None where they are of all wallets.
    wallet: Option<String>,
    /// None where they are of all wallets.
    as_of: Option<AsOf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    groups: Vec<Group>,
    /// Of all groups; a usage that was charged for two features counts once.
    total: Totals,
    /// How many usages were wholly reversed: they count nowhere.
    #[serde(skip_serializing_if = "is_zero")]
    cancelled: u64,
    behind: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageGroup")]
struct Group {
    /// None where the usage has none.
    key: Option<String>,
    #[serde(flatten)]
    totals: Totals,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "UsageTotals")]
struct Totals {
    count: u64,
    charged: BTreeMap<String, Amount>,
    /// Of each number in the events' data, by its path; null where the sum is not exact.
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    quantities: Quantities,
    vendor_cost: BTreeMap<String, Amount>,
    unpriced: u64,
}

impl Totals {
    fn charge<'a>(&mut self, charges: impl IntoIterator<Item = &'a Charge>) {
        for charge in charges {
            self.charged.entry(charge.unit.clone()).or_default().add(charge.amount);
        }
    }

    fn count(&mut self, used: &Used, numbers: &Numbers<'_>, cost: &BTreeMap<String, Amount>) {
        self.count += 1;
        self.unpriced += u64::from(used.unpriced().is_some());
        self.quantities.add(numbers);
        for (currency, amount) in cost {
            self.vendor_cost.entry(currency.clone()).or_default().add(*amount);
        }
    }
}

/// Sums in the making: it holds no usage, only sums.
struct Summing<'a> {
    by: Option<&'a By>,
    groups: BTreeMap<Option<String>, Totals>,
    total: Totals,
    cancelled: u64,
}

impl Summing<'_> {
    fn add(&mut self, used: &Used, rating: &mut Rating) {
        self.cancelled += u64::from(used.is_cancelled());
        if !used.counts() {
            return;
        }
        let data: Option<&RawValue> = used.data().and_then(|data| serde_json::from_str(data).ok());
        let (numbers, cost) = (numbers(data), rating.cost(&used.record, data));
        self.total.charge(&used.charges);
        self.total.count(used, &numbers, &cost);
        let Some(by) = self.by else { return };
        for (key, charges) in keys(by, used, data, rating) {
            let group = self.group(key);
            group.charge(charges);
            group.count(used, &numbers, &cost);
        }
    }

    fn group(&mut self, key: Option<String>) -> &mut Totals {
        let full = self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&key);
        self.groups.entry(if full { Some(OTHERS.to_owned()) } else { key }).or_default()
    }
}

/// The groups that a usage counts in, each with the charges that do.
fn keys<'a>(
    by: &By,
    used: &'a Used,
    data: Option<&RawValue>,
    rating: &Rating,
) -> Vec<(Option<String>, Vec<&'a Charge>)> {
    let record = &used.record;
    let key = match by {
        By::Feature if !used.charges.is_empty() => {
            let features: BTreeSet<&str> = used.charges.iter().map(|c| c.feature.as_str()).collect();
            let of = |feature: &str| used.charges.iter().filter(|c| c.feature == feature).collect();
            return features.into_iter().map(|feature| (Some(feature.to_owned()), of(feature))).collect();
        }
        By::Feature | By::Type => record.feature.clone(),
        By::Subject => record.subject.clone(),
        By::Day => rating.day(record),
        By::Field(path) => field(data, path),
    };
    vec![(key, used.charges.iter().collect())]
}

/// A field of an event's data: a text as it reads, anything else as JSON.
pub(super) fn field(data: Option<&RawValue>, path: &str) -> Option<String> {
    let found = Fields::of(data);
    found.get(path).map(|json| serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned()))
}

impl Sums {
    /// Sums a wallet's usage.
    pub(crate) async fn of_wallet(
        reading: &Reading,
        now: &WalletNow,
        filter: &Filter,
        by: Option<&By>,
    ) -> anyhow::Result<Self> {
        let mut summing = Summing { by, groups: BTreeMap::new(), total: Totals::default(), cancelled: 0 };
        let mut rating = Rating::of_wallet(now.catalogue.clone(), now.no, &now.wallet);
        let progress = Progress::new("usages", None);
        let mut after = None;
        loop {
            let page = of_wallet(reading, now, filter, after, None).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.record.offset);
            page.iter().for_each(|used| summing.add(used, &mut rating));
            progress.add(page.len());
        }
        Ok(Self::new(summing, Some((now.id.clone(), now.as_of)), now.behind))
    }

    /// Sums the usage of all wallets.
    pub(crate) async fn of_all(reading: &Reading, filter: &Filter, by: Option<&By>) -> anyhow::Result<Self> {
        let mut summing = Summing { by, groups: BTreeMap::new(), total: Totals::default(), cancelled: 0 };
        let (mut heads, mut behind) = (Vec::new(), 0);
        for partition in (0..reading.log.partitions()).map(Partition) {
            let end = reading.store.head(partition).await?.map_or(Offset(0), |head| head.next);
            behind += reading.behind(partition, end).await?;
            heads.push((partition, end));
        }
        let progress = Progress::new("records", Some(heads.iter().map(|(_, end)| end.0).sum()));
        for (partition, end) in heads {
            let mut rating = Rating::of_partition(reading, partition).await?;
            let mut from = Offset(0);
            while from < end {
                let (page, next) = of_partition(reading, partition, filter, (from, end)).await?;
                page.iter().for_each(|used| summing.add(used, &mut rating));
                progress.add(usize::try_from(next.0 - from.0).unwrap_or(usize::MAX));
                from = next;
            }
        }
        Ok(Self::new(summing, None, behind))
    }

    fn new(summing: Summing<'_>, wallet: Option<(String, AsOf)>, behind: u64) -> Self {
        let (wallet, as_of) = wallet.unzip();
        let by = summing.by.map(|by| match by {
            By::Feature => "feature".to_owned(),
            By::Type => "type".to_owned(),
            By::Day => "day".to_owned(),
            By::Subject => "subject".to_owned(),
            By::Field(path) => path.clone(),
        });
        let groups = summing.groups.into_iter().map(|(key, totals)| Group { key, totals }).collect();
        Self { wallet, as_of, by, groups, total: summing.total, cancelled: summing.cancelled, behind }
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.wallet.as_deref().unwrap_or("all wallets");
        let until = self.as_of.map_or_else(String::new, |as_of| format!(" up to {}", moment(as_of.time)));
        writeln!(f, "{of}, usage{until}")?;
        let totals = &self.total;
        let (units, currencies) = (totals.charged.keys(), totals.vendor_cost.keys());
        let fields: Vec<&str> = totals.quantities.iter().map(|(path, _)| path).take(MOST_COLUMNS).collect();
        let names = [String::new(), "count".to_owned()].into_iter();
        let names = names.chain(units.clone().map(|unit| format!("charged {unit}")));
        let names = names.chain(fields.iter().map(|field| (*field).to_owned()));
        let names = names.chain(currencies.clone().map(|currency| format!("vendor cost {currency}")));
        let names = names.chain(["unpriced".to_owned()]);
        let align = |at| if at == 0 { Align::Left } else { Align::Right };
        let mut table = Table::new(names.enumerate().map(|(at, name)| (name, align(at))));
        let groups =
            self.groups.iter().map(|group| (group.key.as_deref().unwrap_or("(none)"), &group.totals));
        for (key, totals) in groups.chain([("total", &self.total)]) {
            let some = |amount: Option<&Amount>| amount.map(Amount::to_string).unwrap_or_default();
            let mut row = vec![key.to_owned(), number(totals.count)];
            row.extend(units.clone().map(|unit| some(totals.charged.get(unit))));
            row.extend(fields.iter().map(|field| totals.quantities.sum(field)));
            row.extend(currencies.clone().map(|currency| some(totals.vendor_cost.get(currency))));
            row.push(Some(totals.unpriced).filter(|n| *n > 0).map(number).unwrap_or_default());
            table.add(row);
        }
        write!(f, "{table}")?;
        match self.cancelled {
            0 => {}
            1 => writeln!(f, "1 usage is cancelled, and counts nowhere")?,
            n => writeln!(f, "{} usages are cancelled, and count nowhere", number(n))?,
        }
        f.write_str(&behind(self.behind))
    }
}

/// Amounts with their units.
pub(super) fn amounts(amounts: &BTreeMap<String, Amount>) -> String {
    amounts.iter().map(|(unit, amount)| format!("{amount} {unit}")).collect::<Vec<_>>().join(", ")
}
