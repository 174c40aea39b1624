//! What random histories reach: that they agree says nothing of what they never do.

use std::collections::BTreeMap;

use super::oracle::Oracle;
use super::oracle::history::History;

/// So many histories are looked at.
const HISTORIES: u64 = 3_000;

/// What must have happened in them: a record's type, and an outcome or a kind of entry that it booked.
const CORNERS: &str = "
    usage.reversed: applied no_reason unknown_usage already_reversed no_amounts amount_zero more_than_used
    usage.reversed: reversal late_reversal reverse_overage late_reverse_overage unrepay late_unrepay nothing
    usage.reversed: late_credit_due late_unforgive late_carry late_expire late_reset late_void repay
    usage.rerated: applied unpriced no_reason unknown_usage already_reversed nothing
    usage.rerated: reversal late_reversal reverse_overage late_reverse_overage late_unrepay late_credit_due
    usage.rerated: late_unforgive usage late_usage overage late_overage late_return repay bill forgive
    usage.rerated: late_carry late_expire late_reset late_void late_issue
    grant.voided: applied no_reason one_of_grant_and_purchase unknown_grant void late_issue nothing
    wallet.reset: applied no_reason unknown_unit reset issue forgive repay nothing
    overage.cleared: applied nothing_open amount_zero more_than_open bill forgive
    wallet.changed: applied no_steps too_many_steps step issue late_issue void reset repay bill forgive
    wallet.suspended: applied already_suspended
    wallet.resumed: applied not_suspended
    wallet.configured: applied replaces_mismatch unknown_zone bad_interval
    grant.issued: applied reset_min_over_max
    usage: reset forgive late_usage late_return late_overage
    timer.due: reset issue forgive expire carry repay bill
    catalogue.published: applied replaces_mismatch not_newer
";

#[test]
fn histories_reach_every_corner() {
    let mut seen: BTreeMap<(String, String), u64> = BTreeMap::new();
    for seed in 0..HISTORIES {
        count(&History::new(seed), &mut seen);
    }
    for (corner, times) in &seen {
        println!("{times:7} {}: {}", corner.0, corner.1);
    }
    for line in CORNERS.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (kind, corners) = line.split_once(": ").unwrap();
        for corner in corners.split(' ') {
            let key = (kind.to_owned(), corner.to_owned());
            assert!(seen.contains_key(&key), "no history has {kind}: {corner}");
        }
    }
}

/// Counts the outcomes of a history's records, and for each kind of entry the records that booked it.
fn count(history: &History, seen: &mut BTreeMap<(String, String), u64>) {
    let mut oracle = Oracle::new();
    for (offset, record) in history.records.iter().enumerate() {
        oracle.record(offset as u64, &record.json());
    }
    let summaries = history.wallets.iter().filter_map(|wallet| oracle.summary(wallet));
    let mut outcomes: BTreeMap<u64, String> = oracle.catalogue_outcomes().iter().cloned().collect();
    let mut booked: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for summary in summaries {
        outcomes.extend(summary.outcomes);
        for entry in summary.entries {
            // What time does is booked at once; what is booked later than it counts came back, or came late.
            let late = if entry.effective_at < entry.booked_at { "late_" } else { "" };
            booked.entry(entry.offset).or_default().push(format!("{late}{}", entry.kind));
        }
    }
    for (offset, record) in history.records.iter().enumerate() {
        let outcome = outcomes.get(&(offset as u64)).map_or("", String::as_str);
        let mut corners = booked.remove(&(offset as u64)).unwrap_or_default();
        if corners.is_empty() && outcome == "applied" {
            corners.push("nothing".to_owned());
        }
        let word = outcome.strip_prefix("rejected ").unwrap_or(outcome);
        corners.extend(word.split([' ', ':', '|']).next().map(str::to_owned));
        corners.sort();
        corners.dedup();
        for corner in corners.into_iter().filter(|corner| !corner.is_empty()) {
            *seen.entry((record.kind.clone(), corner)).or_default() += 1;
        }
    }
}
