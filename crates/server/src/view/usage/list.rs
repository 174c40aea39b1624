//! A wallet's usage, one by one.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context as _;
use ledger::{Amount, Instant, Offset};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use store::rows::OutcomeCode;

use super::pages::{Filter, Used, of_wallet};
use super::rating::Rating;
use super::sums::amounts;
use crate::view::{Align, AsOf, Reading, Table, WalletNow, behind, moment, when};

/// A page of a wallet's usage.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageList")]
pub(crate) struct List {
    wallet: String,
    as_of: AsOf,
    usage: Vec<Line>,
    /// Give this as `after` for the next page; none on the last one.
    next: Option<u64>,
    behind: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Usage")]
pub(crate) struct Line {
    partition: u32,
    offset: u64,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: Option<String>,
    /// The time it counts as of.
    at: Instant,
    recorded_at: Instant,
    outcome: &'static str,
    /// The record that first bore its id, for a duplicate or a conflict.
    earlier: Option<u64>,
    /// Why it has no price.
    unpriced: Option<String>,
    charged: BTreeMap<String, Amount>,
    prices: Vec<String>,
    vendor_cost: BTreeMap<String, Amount>,
    /// Whether it was charged anew, or reversed in part or wholly; what is shown is in effect then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    corrected: bool,
    /// Whether all of it was reversed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cancelled: bool,
    /// What parts-reversals gave back: it is taken off what is charged.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reversed: BTreeMap<String, Amount>,
    #[schemars(with = "Option<serde_json::Value>")]
    data: Option<Box<RawValue>>,
}

impl List {
    pub(crate) async fn read(
        reading: &Reading,
        now: &WalletNow,
        filter: &Filter,
        after: Option<Offset>,
        limit: u32,
    ) -> anyhow::Result<Self> {
        let mut page = of_wallet(reading, now, filter, after, Some(limit.saturating_add(1))).await?;
        let more = page.len() > limit as usize;
        page.truncate(limit as usize);
        let mut rating = Rating::of_wallet(now.catalogue.clone(), now.no, &now.wallet);
        Ok(Self {
            wallet: now.id.clone(),
            as_of: now.as_of,
            next: page.last().filter(|_| more).map(|used| used.record.offset.0),
            usage: page
                .into_iter()
                .map(|used| Line::of(used, now.as_of.partition, &mut rating))
                .collect::<anyhow::Result<_>>()?,
            behind: now.behind,
        })
    }
}

impl Line {
    /// One usage of a wallet's, by where it stands; none if nothing of that kind stands there.
    pub(crate) async fn one(reading: &Reading, now: &WalletNow, at: Offset) -> anyhow::Result<Option<Self>> {
        let after = at.0.checked_sub(1).map(Offset);
        let page = of_wallet(reading, now, &Filter::default(), after, Some(1)).await?;
        let found = page.into_iter().find(|used| used.record.offset == at);
        let mut rating = Rating::of_wallet(now.catalogue.clone(), now.no, &now.wallet);
        found.map(|used| Self::of(used, now.as_of.partition, &mut rating)).transpose()
    }

    fn of(used: Used, partition: u32, rating: &mut Rating) -> anyhow::Result<Self> {
        let unpriced = used.unpriced().map(str::to_owned);
        let (counts, cancelled) = (used.counts(), used.is_cancelled());
        let data = used.data().map(|data| RawValue::from_string(data.to_owned())).transpose();
        let Used { record, charges, corrected } = used;
        let outcome = OutcomeCode::try_from(record.outcome)?;
        let mut reversed = BTreeMap::<String, Amount>::new();
        for (unit, _, amount) in corrected.iter().flat_map(|used| &used.reversed) {
            reversed.entry(unit.to_string()).or_default().add(*amount);
        }
        let data =
            data.with_context(|| format!("the stored usage at {partition}:{} is no JSON", record.offset))?;
        let vendor_cost = if counts { rating.cost(&record, data.as_deref()) } else { BTreeMap::new() };
        let mut charged = BTreeMap::<String, Amount>::new();
        for charge in &charges {
            charged.entry(charge.unit.clone()).or_default().add(charge.amount);
        }
        let mut prices: Vec<String> = charges.into_iter().filter_map(|charge| charge.price).collect();
        prices.dedup();
        Ok(Self {
            partition,
            offset: record.offset.0,
            at: Instant(record.at),
            recorded_at: Instant(record.recorded_at),
            outcome: outcome.word(),
            earlier: record.earlier.map(|offset| offset.0),
            unpriced,
            charged,
            prices,
            vendor_cost,
            corrected: corrected.is_some(),
            cancelled,
            reversed,
            data,
            id: record.id,
            source: record.source,
            kind: record.feature.unwrap_or_default(),
            subject: record.subject,
        })
    }

    /// What became of it, where that is not the usual.
    fn note(&self) -> String {
        if let Some(earlier) = self.earlier {
            return format!("{} of {}:{earlier}", self.outcome, self.partition);
        }
        match &self.unpriced {
            _ if self.cancelled => "cancelled".to_owned(),
            None if !self.reversed.is_empty() => format!("{} given back", amounts(&self.reversed)),
            None if self.corrected => "charged anew".to_owned(),
            Some(why) => format!("unpriced: {why}"),
            None if self.outcome == OutcomeCode::Applied.word() => String::new(),
            None => self.outcome.to_owned(),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, usage up to {}", self.wallet, moment(self.as_of.time))?;
        let mut table = Table::new([
            ("at", Align::Left),
            ("time", Align::Left),
            ("id", Align::Left),
            ("type", Align::Left),
            ("subject", Align::Left),
            ("charged", Align::Right),
            ("price", Align::Left),
            ("vendor cost", Align::Right),
            ("", Align::Left),
        ]);
        for line in &self.usage {
            table.add([
                format!("{}:{}", line.partition, line.offset),
                when(line.at),
                line.id.clone(),
                line.kind.clone(),
                line.subject.clone().unwrap_or_default(),
                amounts(&line.charged),
                line.prices.join(", "),
                amounts(&line.vendor_cost),
                line.note(),
            ]);
        }
        if table.is_empty() {
            writeln!(f, "  no usage")?;
        }
        write!(f, "{table}")?;
        if let Some(next) = self.next {
            writeln!(f, "\nmore: --after {next}")?;
        }
        f.write_str(&behind(self.behind))
    }
}
