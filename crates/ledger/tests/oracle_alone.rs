//! The oracle's own stories: each was worked out by hand from the rules.
#![allow(clippy::unwrap_used)]

#[path = "oracle/mod.rs"]
mod oracle;

#[path = "oracle_alone/grants.rs"]
mod grants;
#[path = "oracle_alone/late.rs"]
mod late;
#[path = "oracle_alone/lots.rs"]
mod lots;
#[path = "oracle_alone/overage.rs"]
mod overage;
#[path = "oracle_alone/prices.rs"]
mod prices;
#[path = "oracle_alone/records.rs"]
mod records;

use std::collections::BTreeMap;

use oracle::records::Record;
use oracle::{LotSum, Oracle, Summary};

/// Tells a story and compares what becomes of wallet `w` with the lines below `------`.
///
/// Above stand lines such as `01-31T12:00 use 5 at 01-30 by ann type chat id e1`, `01-01 grant g 100 {…}`,
/// `01-01 publish price p {…}`, `01-01 configure {…}` and `02-01 tick`; `@01-31` inside JSON is an instant. Below
/// stand the lots, what is open of overage, the count of unpriced usage, and outcomes that are not `applied`.
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

fn tell(steps: &str) -> Summary {
    let mut oracle = Oracle::new();
    let mut catalogue: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut configuration: Option<String> = None;
    let start = instant("01-01") - 1;
    let each = r#"{"charges":[{"amount":"1","quantity":{"field":"n"},"unit":"credits"}],"effective_from":"2020-01-01T00:00:00Z","match":{"type":{"any":true}}}"#;
    let setup = [
        Record::genesis(start, 2),
        Record::published("unit", "credits", None, start, "{}"),
        Record::published("unit", "usd", None, start, "{}"),
        Record::published("price", "each", None, start, each),
    ];
    let mut offset = 0;
    for record in setup {
        oracle.record(offset, &record.json());
        offset += 1;
    }
    for (number, line) in steps.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let line = expand(line);
        let (head, json) = line.find('{').map_or((line.as_str(), "{}"), |at| line.split_at(at));
        let words: Vec<&str> = head.split_whitespace().collect();
        let recorded_at = instant(words[0]);
        let after = |word: &str| words.iter().position(|it| *it == word).map(|at| words[at + 1]);
        let id = after("id").map_or(format!("r{number}"), str::to_owned);
        let mut record = match words[1] {
            "use" => {
                let data = if json == "{}" { format!(r#"{{"n":{}}}"#, words[2]) } else { json.to_owned() };
                let data = format!(r#"{{"type":"{}","data":{data}}}"#, after("type").unwrap_or("use"));
                Record::new("usage", "w", &id, recorded_at, data)
            }
            "grant" => {
                let rest = json.trim_start_matches('{').trim_end();
                let comma = if rest == "}" { "" } else { "," };
                let (grant, amount) = (words[2], words[3]);
                let unit = after("unit").unwrap_or("credits");
                let data =
                    format!(r#"{{"grant_id":"{grant}","unit":"{unit}","amount":"{amount}"{comma}{rest}"#);
                Record::new("grant.issued", "w", &id, recorded_at, data)
            }
            "publish" => {
                let place = (words[2].to_owned(), words[3].to_owned());
                let replaces = catalogue.get(&place).map(String::as_str);
                let record = Record::published(words[2], words[3], replaces, recorded_at, json.trim());
                catalogue.insert(place, record.id.clone());
                record
            }
            "configure" => {
                let fields = json.trim().trim_start_matches('{').strip_suffix('}').unwrap();
                let record = Record::configured("w", configuration.as_deref(), recorded_at, fields);
                configuration = Some(record.id.clone());
                record
            }
            "tick" => Record::timer("w", recorded_at, recorded_at),
            other => panic!("no step {other}"),
        };
        record.subject = after("by").map(str::to_owned);
        record.time = after("at").map(instant);
        oracle.record(offset, &record.json());
        offset += 1;
    }
    oracle.summary("w").unwrap()
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

/// Reads `01-31` or `01-31T12:00` of 2026, in UTC.
fn instant(text: &str) -> i64 {
    let time = if text.contains('T') { format!("2026-{text}") } else { format!("2026-{text}T00:00") };
    let parsed = chrono::NaiveDateTime::parse_from_str(&time, "%Y-%m-%dT%H:%M").unwrap();
    parsed.and_utc().timestamp_nanos_opt().unwrap()
}

fn day(instant: i64) -> String {
    let time = chrono::DateTime::from_timestamp_nanos(instant);
    let text = time.format("%m-%dT%H:%M").to_string();
    text.strip_suffix("T00:00").unwrap_or(&text).to_owned()
}

/// Writes out `@01-31T12:00` inside JSON.
fn expand(line: &str) -> String {
    let mut parts = line.split('@');
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (time, rest) = part.split_once('"').unwrap();
        let full = if time.contains('T') { format!("{time}:00Z") } else { format!("{time}T00:00:00Z") };
        text.push_str(&format!("2026-{full}\"{rest}"));
    }
    text
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
