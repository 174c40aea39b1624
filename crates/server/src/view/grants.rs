//! A wallet's grants, and what became of what they gave.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context as _;
use ledger::{Amount, Grant, Instant, Lot, Offset, Terms};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use store::rows::{GrantRow, LotRow};
use store::{LeftProbe, Store};

use super::entry::amount;
use crate::view::{Align, AsOf, Reading, Table, WalletNow, behind, moment, when};

/// A page of a wallet's grants.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Grants {
    wallet: String,
    as_of: AsOf,
    grants: Vec<GrantNow>,
    /// Give this as `after` for the next page; none on the last one.
    next: Option<u64>,
    behind: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Grant")]
pub(crate) struct GrantNow {
    grant: String,
    partition: u32,
    offset: u64,
    unit: String,
    /// Of each lot.
    amount: String,
    category: String,
    priority: u8,
    effective_at: Instant,
    #[serde(flatten)]
    sums: Sums,
    /// Since when all of it is void: what comes back to its lots is voided too.
    #[serde(skip_serializing_if = "Option::is_none")]
    void_since: Option<Instant>,
    /// The next lot to open, if one is to come.
    next_lot: Option<NextLot>,
    /// Everything that was promised, as recorded.
    #[schemars(with = "serde_json::Value")]
    terms: Box<RawValue>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NextLot {
    lot: String,
    effective_at: Instant,
}

/// Where the credits of a grant's lots are. What was carried over is issued once: issued = the sum of the others.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "GrantSums")]
struct Sums {
    lots: u64,
    issued: Amount,
    remaining: Amount,
    held: Amount,
    consumed: Amount,
    expired: Amount,
    voided: Amount,
    moved: Amount,
}

impl Sums {
    fn add_row(&mut self, row: &LotRow) -> anyhow::Result<()> {
        self.lots += 1;
        if row.origin.is_none() {
            self.issued.add(amount(&row.issued)?);
        }
        self.remaining.add(amount(&row.remaining)?);
        self.held.add(amount(&row.held)?);
        self.consumed.add(amount(&row.consumed)?);
        self.expired.add(amount(&row.expired)?);
        self.voided.add(amount(&row.voided)?);
        self.moved.add(amount(&row.moved)?);
        Ok(())
    }

    fn add_lot(&mut self, lot: &Lot) {
        self.lots += 1;
        if lot.origin.is_none() {
            self.issued.add(lot.issued);
        }
        self.remaining.add(lot.remaining);
        self.held.add(lot.held);
        self.consumed.add(lot.consumed);
        self.expired.add(lot.expired);
        self.voided.add(lot.voided);
        self.moved.add(lot.moved);
    }
}

impl Grants {
    pub(crate) async fn read(
        reading: &Reading,
        now: &WalletNow,
        after: Option<Offset>,
        limit: u32,
    ) -> anyhow::Result<Self> {
        let mut rows = reading.store.grants(now.no, after, limit.saturating_add(1)).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let sums = sums(reading, now).await?;
        Ok(Self {
            wallet: now.id.clone(),
            as_of: now.as_of,
            next: rows.last().filter(|_| more).map(|row| row.offset.0),
            grants: grants(reading, rows, &sums, now).await?,
            behind: now.behind,
        })
    }
}

impl Grants {
    /// One of a wallet's grants; none if it was never issued.
    pub(crate) async fn one(
        reading: &Reading,
        now: &WalletNow,
        grant: &str,
    ) -> anyhow::Result<Option<GrantNow>> {
        const PAGE: u32 = 1_000;
        let mut after = None;
        loop {
            let page = reading.store.grants(now.no, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(None) };
            after = Some(last.offset);
            if let Some(row) = page.into_iter().find(|row| row.grant == grant) {
                let sums = sums(reading, now).await?;
                return Ok(grants(reading, vec![row], &sums, now).await?.pop());
            }
        }
    }
}

async fn grants(
    reading: &Reading,
    rows: Vec<GrantRow>,
    sums: &BTreeMap<String, Sums>,
    now: &WalletNow,
) -> anyhow::Result<Vec<GrantNow>> {
    let mut grants = Vec::with_capacity(rows.len());
    for row in rows {
        let here =
            now.wallet.grants().iter().chain(&now.due.left_grants).find(|g| g.terms().grant_id == row.grant);
        let void_since = match here {
            Some(grant) => grant.void_since(),
            None => left_void(reading, now.no, &row.grant).await?,
        };
        grants.push(GrantNow { void_since, ..GrantNow::of(row, sums, now)? });
    }
    Ok(grants)
}

/// Since when a grant is void that has left its wallet's document.
async fn left_void(reading: &Reading, wallet: i64, grant: &str) -> anyhow::Result<Option<Instant>> {
    let left = reading.store.left(wallet, &LeftProbe::Grant(grant.to_owned())).await?;
    let Some(row) = left.iter().find(|row| row.kind == 1) else { return Ok(None) };
    let read = Grant::read(&row.doc);
    let cannot = || format!("the stored grant `{grant}` cannot be read: run `drawdown rebuild`");
    Ok(read.with_context(cannot)?.void_since())
}

/// The sums of every grant: of the rows, and of lots that are in the wallet's document as it is now.
async fn sums(reading: &Reading, now: &WalletNow) -> anyhow::Result<BTreeMap<String, Sums>> {
    let newer: BTreeMap<&str, &Lot> =
        now.wallet.lots().iter().chain(&now.due.left).map(|lot| (&*lot.id, lot)).collect();
    let mut sums = BTreeMap::<String, Sums>::new();
    for row in reading.store.lots(now.no).await?.iter().filter(|row| !newer.contains_key(row.lot.as_str())) {
        sums.entry(row.grant.clone()).or_default().add_row(row)?;
    }
    for lot in newer.values().filter(|lot| !lot.is_untouched()) {
        sums.entry(lot.terms().grant_id.clone()).or_default().add_lot(lot);
    }
    Ok(sums)
}

impl GrantNow {
    fn of(row: GrantRow, sums: &BTreeMap<String, Sums>, now: &WalletNow) -> anyhow::Result<Self> {
        let mut upcoming = now.wallet.upcoming().filter(|(terms, _, _)| terms.grant_id == row.grant);
        let next = |(terms, cycle, effective_at): (&Terms, u32, Instant)| NextLot {
            lot: format!("{}#{cycle}", terms.grant_id),
            effective_at,
        };
        Ok(Self {
            partition: now.as_of.partition,
            offset: row.offset.0,
            sums: sums.get(&row.grant).copied().unwrap_or_default(),
            void_since: None,
            next_lot: upcoming.next().map(next),
            terms: RawValue::from_string(row.body).with_context(|| {
                format!("the stored grant `{}` cannot be read: run `drawdown rebuild`", row.grant)
            })?,
            grant: row.grant,
            unit: row.unit,
            amount: row.amount,
            category: row.category,
            priority: row.priority,
            effective_at: Instant(row.effective_at),
        })
    }
}

impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, grants at {}", self.wallet, moment(self.as_of.time))?;
        let mut table = Table::new([
            ("grant", Align::Left),
            ("each lot", Align::Right),
            ("unit", Align::Left),
            ("category", Align::Left),
            ("from", Align::Left),
            ("lots", Align::Right),
            ("issued", Align::Right),
            ("remaining", Align::Right),
            ("consumed", Align::Right),
            ("expired", Align::Right),
            ("voided", Align::Right),
            ("next lot", Align::Left),
        ]);
        for grant in &self.grants {
            let next = |next: &NextLot| format!("{} at {}", next.lot, when(next.effective_at));
            table.add([
                grant.grant.clone(),
                grant.amount.clone(),
                grant.unit.clone(),
                grant.category.clone(),
                when(grant.effective_at),
                grant.sums.lots.to_string(),
                grant.sums.issued.to_string(),
                grant.sums.remaining.to_string(),
                grant.sums.consumed.to_string(),
                grant.sums.expired.to_string(),
                Some(grant.sums.voided).filter(|v| !v.is_zero()).map(|v| v.to_string()).unwrap_or_default(),
                match grant.void_since {
                    Some(since) => format!("void since {}", when(since)),
                    None => grant.next_lot.as_ref().map(next).unwrap_or_default(),
                },
            ]);
        }
        if table.is_empty() {
            writeln!(f, "  no grants")?;
        }
        write!(f, "{table}")?;
        if let Some(next) = self.next {
            writeln!(f, "\nmore: --after {next}")?;
        }
        f.write_str(&behind(self.behind))
    }
}
