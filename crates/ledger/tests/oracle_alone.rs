//! The oracle's own stories: each was worked out by hand from the rules.
#![allow(clippy::unwrap_used)]

#[path = "oracle/mod.rs"]
mod oracle;

#[path = "oracle_alone/grants.rs"]
mod grants;
#[path = "oracle_alone/holds.rs"]
mod holds;
#[path = "oracle_alone/late.rs"]
mod late;
#[path = "oracle_alone/lots.rs"]
mod lots;
#[path = "oracle_alone/overage.rs"]
mod overage;
#[path = "oracle_alone/prices.rs"]
mod prices;
#[path = "oracle_alone/reach.rs"]
mod reach;
#[path = "oracle_alone/records.rs"]
mod records;
#[path = "oracle_alone/rerated.rs"]
mod rerated;
#[path = "oracle_alone/resets.rs"]
mod resets;
#[path = "oracle_alone/reversed.rs"]
mod reversed;
#[path = "oracle_alone/steps.rs"]
mod steps;
#[path = "oracle_alone/telling.rs"]
mod telling;
#[path = "oracle_alone/voids.rs"]
mod voids;

use std::collections::BTreeMap;

use oracle::{LotSum, Oracle, Summary};
use telling::tell;

/// Tells a story and compares what becomes of wallet `w` with the lines below `------`.
///
/// Above stand lines such as `01-31T12:00 use 5 at 01-30 by ann type chat id e1`, `01-01 grant g 100 {…}`,
/// `01-01 publish price p {…}`, `01-01 configure {…}` and `02-01 tick`, and for corrections `reverse e1 {…}`,
/// `rerate e1 {…}`, `hold id h {…}`, `extend h {…}`, `settle h u {…}`, `unhold h`, `void {…}`, `reset {…}`, `clear {…}`, `change {…}`; `@01-31` inside JSON is an instant. Below stand the lots, what is open of overage, the count of unpriced usage, and outcomes that are not `applied`.
fn check(story: &str) {
    let (steps, expected) = story.split_once("------").unwrap();
    assert_eq!(render(&tell(steps)), squeeze(expected), "{story}");
}

/// Like [`check`], for the entries that were booked.
fn check_entries(story: &str) {
    let (steps, expected) = story.split_once("------").unwrap();
    let entries = tell(steps).entries;
    let lines = entries.iter().map(|entry| {
        let place = |account: &String| account.replace("lot:", "");
        let (debit, credit) = (place(&entry.debit), place(&entry.credit));
        let (amount, after) = (decimal(entry.amount), decimal(entry.available_after));
        let (effective, booked) = (day(entry.effective_at), day(entry.booked_at));
        format!("{} {debit} {credit} {amount} leaves {after} on {effective} booked {booked}", entry.kind)
    });
    assert_eq!(lines.collect::<Vec<_>>(), squeeze(expected), "{story}");
}

/// Like [`check`], for what each lot cost.
fn check_money(story: &str) {
    let (steps, expected) = story.split_once("------").unwrap();
    let lots = tell(steps).lots;
    let lines = lots.iter().map(|(id, lot)| format!("{id} {}", decimal(lot.money)));
    assert_eq!(lines.collect::<Vec<_>>(), squeeze(expected), "{story}");
}

fn render(summary: &Summary) -> Vec<String> {
    let part = |name: &str, amount: i128| match amount {
        0 => String::new(),
        amount => format!(" {name} {}", decimal(amount)),
    };
    let lot = |(id, lot): (&String, &LotSum)| {
        let parts = [
            part("consumed", lot.consumed),
            part("expired", lot.expired),
            part("voided", lot.voided),
            part("carried", lot.rolled_over),
            part("returned", lot.returned),
        ];
        let ends = lot.ends.map_or(String::new(), |end| format!(" to {}", day(end)));
        let (remaining, issued) = (decimal(lot.remaining), decimal(lot.issued));
        format!("{id} {remaining} of {issued}{} from {}{ends}", parts.concat(), day(lot.starts))
    };
    let overage = |((unit, month, feature), amount): (&(String, String, String), &i128)| {
        format!("overage {} {unit} {month} {feature}", decimal(*amount))
    };
    let mut lines: Vec<String> = summary.lots.iter().map(lot).collect();
    lines.extend(summary.overage.iter().map(overage));
    if summary.unpriced > 0 {
        lines.push(format!("unpriced {}", summary.unpriced));
    }
    let special = summary.outcomes.iter().filter(|(_, outcome)| outcome != "applied");
    lines.extend(special.map(|(_, outcome)| outcome.clone()));
    lines
}

fn squeeze(lines: &str) -> Vec<String> {
    let lines = lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect()
}

fn decimal(amount: i128) -> String {
    let text = format!("{}.{:09}", amount / 1_000_000_000, amount % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn day(instant: i64) -> String {
    let time = chrono::DateTime::from_timestamp_nanos(instant);
    let text = time.format("%m-%dT%H:%M").to_string();
    text.strip_suffix("T00:00").unwrap_or(&text).to_owned()
}

/// Folds histories from many seeds: the oracle keeps its law and its accounts add up.
#[test]
fn every_history_keeps_the_law_and_its_accounts() {
    for seed in 0..2_000 {
        let history = oracle::history::History::new(seed);
        let mut oracle = Oracle::new();
        for (offset, record) in history.records.iter().enumerate() {
            oracle.record(offset as u64, &record.json());
        }
        for summary in history.wallets.iter().filter_map(|wallet| oracle.summary(wallet)) {
            let mut accounts: BTreeMap<(String, String), i128> = BTreeMap::new();
            for entry in &summary.entries {
                *accounts.entry((entry.unit.clone(), entry.debit.clone())).or_default() -= entry.amount;
                *accounts.entry((entry.unit.clone(), entry.credit.clone())).or_default() += entry.amount;
                assert!(entry.amount > 0, "seed {seed}: an entry moves something: {entry:?}");
            }
            let mut open: BTreeMap<String, i128> = BTreeMap::new();
            for ((unit, _, _), amount) in &summary.overage {
                *open.entry(unit.clone()).or_default() -= amount;
            }
            for ((unit, account), balance) in accounts {
                if let Some(lot) = account.strip_prefix("lot:") {
                    assert_eq!(balance, summary.lots[lot].remaining, "seed {seed}: {account}");
                } else if account == "overage" {
                    assert_eq!(
                        balance,
                        open.get(&unit).copied().unwrap_or(0),
                        "seed {seed}: overage of {unit}"
                    );
                }
            }
        }
    }
}
