//! What a wallet's entries add up to, by kind and by account.

use std::collections::BTreeMap;
use std::fmt;

use ledger::{Amount, EntryKind};
use schemars::JsonSchema;
use serde::Serialize;
use store::Store;

use super::entry::{amount, kind_of};
use super::statement::Wanted;
use crate::view::{Align, AsOf, Reading, Table, WalletNow, behind, moment, number};

/// Rows read at once.
const PAGE: u32 = 4_096;

/// The totals of a wallet's entries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LedgerSums")]
pub(crate) struct Sums {
    wallet: String,
    as_of: AsOf,
    units: BTreeMap<String, InUnit>,
    /// How many entries were added up.
    entries: u64,
    /// How many of them time alone has made since, and the wallet's next record will book.
    due: u64,
    behind: u64,
}

/// The totals of one unit. Each entry debits one account and credits another, so the nets add up to nothing.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "LedgerSumsOfUnit")]
struct InUnit {
    kinds: BTreeMap<&'static str, OfKind>,
    #[schemars(with = "BTreeMap<String, Shown>")]
    accounts: BTreeMap<String, OfAccount>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct OfKind {
    entries: u64,
    amount: Amount,
}

#[derive(Debug, Default)]
struct OfAccount {
    debit: Amount,
    credit: Amount,
}

/// An account as it is shown.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LedgerSumsOfAccount")]
struct Shown {
    debit: Amount,
    credit: Amount,
    /// Credits less debits, with its sign.
    net: String,
}

impl OfAccount {
    /// Credits less debits, with its sign.
    fn net(&self) -> String {
        let below = self.debit.above(self.credit);
        if below.is_zero() { self.credit.above(self.debit).to_string() } else { format!("-{below}") }
    }
}

impl Serialize for OfAccount {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Shown { debit: self.debit, credit: self.credit, net: self.net() }.serialize(s)
    }
}

impl Sums {
    pub(crate) async fn read(reading: &Reading, now: &WalletNow, wanted: &Wanted) -> anyhow::Result<Self> {
        let (units, due) = (BTreeMap::new(), 0);
        let mut sums =
            Self { wallet: now.id.clone(), as_of: now.as_of, units, entries: 0, due, behind: now.behind };
        let mut after = None;
        loop {
            let rows = reading.store.entries(&wanted.page(now.no, after, PAGE)).await?;
            let Some(last) = rows.last() else { break };
            after = Some((last.offset, last.line));
            for row in &rows {
                let accounts = kind_of(row)?.accounts(row.lot.as_deref(), row.other_lot.as_deref());
                sums.add(kind_of(row)?, &row.unit, amount(&row.amount)?, accounts);
            }
        }
        for entry in now.due.entries.iter().filter(|entry| wanted.admits(entry)) {
            let accounts = entry.kind.accounts(entry.lot.as_deref(), entry.other_lot.as_deref());
            sums.add(entry.kind, &entry.unit, entry.amount, accounts);
            sums.due += 1;
        }
        Ok(sums)
    }

    fn add(&mut self, kind: EntryKind, unit: &str, amount: Amount, (debit, credit): (String, String)) {
        self.entries += 1;
        let unit = self.units.entry(unit.to_owned()).or_default();
        let of_kind = unit.kinds.entry(kind.word()).or_default();
        of_kind.entries += 1;
        of_kind.amount.add(amount);
        unit.accounts.entry(debit).or_default().debit.add(amount);
        unit.accounts.entry(credit).or_default().credit.add(amount);
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = if self.entries == 1 { "entry" } else { "entries" };
        writeln!(f, "{}, {} {entries} up to {}", self.wallet, number(self.entries), moment(self.as_of.time))?;
        for (unit, sums) in &self.units {
            let mut kinds =
                Table::new([("kind", Align::Left), ("entries", Align::Right), ("amount", Align::Right)]);
            for word in EntryKind::ALL.map(EntryKind::word) {
                if let Some(sum) = sums.kinds.get(word) {
                    kinds.add([word.to_owned(), number(sum.entries), sum.amount.to_string()]);
                }
            }
            let mut accounts = Table::new([
                ("account", Align::Left),
                ("debit", Align::Right),
                ("credit", Align::Right),
                ("net", Align::Right),
            ]);
            let mut empty = (0u64, OfAccount::default());
            for (account, sum) in &sums.accounts {
                if account.starts_with("lot:") && sum.debit == sum.credit {
                    empty.0 += 1;
                    empty.1.debit.add(sum.debit);
                    empty.1.credit.add(sum.credit);
                } else {
                    accounts.add([account.clone(), sum.debit.to_string(), sum.credit.to_string(), sum.net()]);
                }
            }
            if let (lots @ 1.., sum) = &empty {
                let name = if *lots == 1 {
                    "1 empty lot".to_owned()
                } else {
                    format!("{} empty lots", number(*lots))
                };
                accounts.add([name, sum.debit.to_string(), sum.credit.to_string(), sum.net()]);
            }
            write!(f, "\n{unit}\n{kinds}\n{accounts}")?;
        }
        match self.due {
            0 => {}
            1 => writeln!(f, "\n1 of them is due by time alone; the wallet's next record will book it")?,
            n => writeln!(f, "\n{n} of them are due by time alone; the wallet's next record will book them")?,
        }
        f.write_str(&behind(self.behind))
    }
}
