//! What is read: look-ups, lists with filters, pages.

use std::collections::BTreeMap;

use ledger::{Offset, Partition};
use store::{EntryFilter, EntryRow, FilterRow, RecordRow, Store, UsageFilter, WalletFilter, WalletRow};

use crate::fixtures::*;

pub(crate) async fn wallets_are_found_by_id(store: impl Store) {
    let batch = usages(&store.acquire(FIRST, LOG).await.unwrap(), 900, 700);
    store.commit(&batch).await.unwrap();

    let ids: Vec<String> = (0..3000).map(|no| wallet(no).id).collect();
    let mut found = store.wallets_by_id(FIRST, &ids).await.unwrap();
    found.sort_by_key(|wallet| wallet.no);
    assert_eq!(found, batch.wallets);
    assert_eq!(store.wallets_by_id(Partition(1), &ids).await.unwrap(), []);
    assert_eq!(store.wallets_by_id(FIRST, &[]).await.unwrap(), []);

    let numbers: Vec<i64> = (0..3000).collect();
    let mut names = store.names(FIRST, &numbers).await.unwrap();
    names.sort();
    assert_eq!(names, batch.wallets.iter().map(|row| (row.no, row.id.clone())).collect::<Vec<_>>());
    assert_eq!(store.names(FIRST, &[]).await.unwrap(), []);

    let one = &batch.wallets[5];
    assert_eq!(store.wallet(&one.id).await.unwrap(), Some((FIRST, one.clone())));
    assert_eq!(store.wallet("nobody").await.unwrap(), None);
}

pub(crate) async fn wallets_are_listed_by_id(store: impl Store) {
    let mut wallets = Vec::new();
    let ids = ["a", "ab", "abc", "abd", "ac", "b", "a\u{10ffff}", "a\u{10ffff}z", "é", "ab_c", "ab%"];
    for (place, id) in ids.into_iter().enumerate() {
        let partition = Partition(place as u32 % 4);
        let head = store.acquire(partition, LOG).await.unwrap();
        let mut batch = empty(&head, 1);
        batch.wallets.push(WalletRow { id: id.into(), claimed: place % 3 == 0, ..wallet(place as i64) });
        store.commit(&batch).await.unwrap();
        wallets.extend(batch.wallets);
    }
    wallets.sort_by(|a, b| a.id.cmp(&b.id));
    for prefix in ["", "a", "ab", "ab%", "a\u{10ffff}", "\u{10ffff}", "zz"] {
        for claimed in [None, Some(true), Some(false)] {
            let expected: Vec<WalletRow> = wallets
                .iter()
                .filter(|wallet| {
                    wallet.id.starts_with(prefix) && claimed.is_none_or(|is| is == wallet.claimed)
                })
                .cloned()
                .collect();
            let mut found: Vec<WalletRow> = Vec::new();
            loop {
                let after = found.last().map(|wallet| wallet.id.clone());
                let filter = WalletFilter { prefix: Some(prefix.into()), claimed, after, limit: 2 };
                let page = store.wallets(&filter).await.unwrap();
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
            assert_eq!(found, expected, "{prefix:?} {claimed:?}");
        }
    }
}

pub(crate) async fn due_wallets_come_soonest_first(store: impl Store) {
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 1);
    for (no, due) in [(0, Some(30)), (4, Some(10)), (8, None), (12, Some(20)), (16, Some(10)), (20, Some(31))]
    {
        batch.wallets.push(WalletRow { next_due_at: due, ..wallet(no) });
    }
    store.commit(&batch).await.unwrap();
    let due = |no, at| (wallet(no).id, at);
    let all = [due(4, 10), due(16, 10), due(12, 20), due(0, 30)];
    assert_eq!(store.due(FIRST, 30, 10).await.unwrap(), all);
    assert_eq!(store.due(FIRST, 30, 3).await.unwrap(), all[..3]);
    assert_eq!(store.due(FIRST, 9, 10).await.unwrap(), []);
    assert_eq!(store.due(Partition(1), 30, 10).await.unwrap(), []);

    let mut done = empty(&batch.head, 1);
    done.wallets.push(WalletRow { next_due_at: None, ..wallet(4) });
    store.commit(&done).await.unwrap();
    assert_eq!(store.due(FIRST, 30, 10).await.unwrap(), all[1..]);
}

/// A segment long enough that its ids are sorted in parts, one that its filter closes, and one that is open.
pub(crate) async fn ids_are_found_among_many(store: impl Store) {
    let mut head = store.acquire(FIRST, LOG).await.unwrap();
    let mut written = Vec::new();
    for batch_no in 0..10 {
        let mut batch = empty(&head, 30_000);
        batch.ids = (batch.from.0..batch.head.next.0).map(|n| id(n as u32 / 140_000, n)).collect();
        if batch_no == 9 {
            batch.filters = vec![FilterRow { segment: 1, bits: Vec::new() }];
        }
        store.commit(&batch).await.unwrap();
        head = batch.head;
        written.extend(batch.ids);
    }
    assert_eq!(store.segments(FIRST).await.unwrap(), [0, 1, 2]);
    for segment in [0, 1, 2, 3] {
        let expected: Vec<_> = written.iter().filter(|id| id.segment == segment).cloned().collect();
        assert!(store.segment(FIRST, segment).await.unwrap() == expected, "segment {segment}");
    }

    // Every thirtieth exists in its segment, as many are asked for in a wrong one, and as many exist nowhere.
    let probes = (0..300_000u64).step_by(30).flat_map(|n| {
        let id = id(n as u32 / 140_000, n);
        [(id.segment, id.key), (id.segment + 1, id.key), (id.segment, scatter(n + 1_000_000))]
    });
    let mut found = store.ids(FIRST, &probes.collect::<Vec<_>>()).await.unwrap();
    found.sort_by_key(|id| id.offset);
    let expected: Vec<_> = written.iter().step_by(30).cloned().collect();
    assert_eq!(found.len(), 10_000);
    assert!(found == expected);
    assert_eq!(store.ids(FIRST, &[(2, written[0].key)]).await.unwrap(), []);
    assert_eq!(store.ids(Partition(1), &[(0, written[0].key)]).await.unwrap(), []);
}

pub(crate) async fn counters_are_found_by_key(store: impl Store) {
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 1);
    batch.counters = (0..1000)
        .map(|n| counter(number(FIRST, n as u64 / 4), ["input", "output"][n as usize % 2], n % 4))
        .collect();
    batch.wallets = (0..250).map(|n| wallet(number(FIRST, n))).collect();
    store.commit(&batch).await.unwrap();
    let key = |row: &store::CounterRow| (row.wallet, row.price.clone(), row.charge.clone(), row.period);

    let mut keys: Vec<_> = batch.counters.iter().skip(300).map(key).collect();
    keys.push((number(FIRST, 3), "completion".into(), "input".into(), 77));
    let mut found = store.counters(&keys).await.unwrap();
    found.sort_by_key(|row| (row.wallet, row.period));
    assert_eq!(found, batch.counters[300..]);

    let mut paged: Vec<store::CounterRow> = Vec::new();
    loop {
        let page = store.all_counters(FIRST, paged.last().map(key), 300).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    paged.sort_by_key(|row| (row.wallet, row.period));
    assert_eq!(paged, batch.counters);
}

/// More records than one stretch of the trail, so that a wallet's are both on it and beyond.
pub(crate) async fn a_wallets_history_is_filtered_and_paged(store: impl Store) {
    let mut head = store.acquire(FIRST, LOG).await.unwrap();
    let (mut entries, mut records) = (Vec::<EntryRow>::new(), Vec::<RecordRow>::new());
    for _ in 0..5 {
        let mut batch = usages(&head, 20_000, 401);
        // Records without entries, and with several.
        batch.entries.retain(|entry| entry.offset.0 % 5 != 0);
        let second_lines = batch.entries.iter().filter(|entry| entry.offset.0 % 3 == 0);
        let second_lines: Vec<_> = second_lines.map(|entry| EntryRow { line: 1, ..entry.clone() }).collect();
        batch.entries.extend(second_lines);
        batch.ids.clear();
        store.commit(&batch).await.unwrap();
        head = batch.head;
        let wallet = number(FIRST, 7);
        entries.extend(batch.entries.into_iter().filter(|entry| entry.wallet == wallet));
        records.extend(batch.records.into_iter().filter(|record| record.wallet == Some(wallet)));
    }
    entries.sort_by_key(|entry| (entry.offset, entry.line));
    assert!(records.len() == 250 && entries.len() > 250, "{} {}", records.len(), entries.len());
    check_entries(&store, &entries).await;
    check_usage(&store, &records).await;

    let mut offsets = Vec::new();
    loop {
        let page = store.offsets(number(FIRST, 7), offsets.last().copied(), 100).await.unwrap();
        if page.is_empty() {
            break;
        }
        offsets.extend(page);
    }
    assert_eq!(offsets, records.iter().map(|record| record.offset).collect::<Vec<_>>());
    assert_eq!(store.offsets(number(FIRST, 9999), None, 10).await.unwrap(), []);
}

/// Which rows a filter lets through.
type Keep<'a, T> = &'a dyn Fn(&T) -> bool;

async fn check_entries(store: &impl Store, all: &[EntryRow]) {
    let base = EntryFilter { wallet: all[0].wallet, limit: 7, ..EntryFilter::default() };
    let some = &all[40];
    let filters: [(EntryFilter, Keep<EntryRow>); 8] = [
        (base.clone(), &|_| true),
        (EntryFilter { unit: Some(some.unit.to_string()), ..base.clone() }, &|entry| entry.unit == some.unit),
        (EntryFilter { kind: Some(some.kind), ..base.clone() }, &|entry| entry.kind == some.kind),
        (EntryFilter { lot: some.lot.as_deref().map(str::to_owned), ..base.clone() }, &|entry| {
            entry.lot == some.lot
        }),
        (EntryFilter { lot: Some("plan#1/1".into()), ..base.clone() }, &|entry| entry.other_lot.is_some()),
        (EntryFilter { feature: some.feature.as_deref().map(str::to_owned), ..base.clone() }, &|entry| {
            entry.feature == some.feature
        }),
        (EntryFilter { from: Some(some.effective_at), ..base.clone() }, &|entry| {
            entry.effective_at >= some.effective_at
        }),
        (EntryFilter { to: Some(some.effective_at), ..base.clone() }, &|entry| {
            entry.effective_at < some.effective_at
        }),
    ];
    for (filter, keep) in filters {
        let mut found: Vec<EntryRow> = Vec::new();
        loop {
            let after = found.last().map(|entry| (entry.offset, entry.line));
            let page = store.entries(&EntryFilter { after, ..filter.clone() }).await.unwrap();
            assert!(page.len() <= 7);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        let expected: Vec<EntryRow> = all.iter().filter(|entry| keep(entry)).cloned().collect();
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "{filter:?}");
    }
}

async fn check_usage(store: &impl Store, all: &[RecordRow]) {
    let wallet = all[0].wallet.unwrap();
    let base = UsageFilter { wallet, limit: 7, ..UsageFilter::default() };
    let some = &all[41];
    let filters: [(UsageFilter, Keep<RecordRow>); 5] = [
        (base.clone(), &|_| true),
        (UsageFilter { feature: some.feature.clone(), ..base.clone() }, &|usage| {
            usage.feature == some.feature
        }),
        (UsageFilter { subject: some.subject.clone(), ..base.clone() }, &|usage| {
            usage.subject == some.subject
        }),
        (UsageFilter { from: Some(some.at), ..base.clone() }, &|usage| usage.at >= some.at),
        (UsageFilter { to: Some(some.at), ..base.clone() }, &|usage| usage.at < some.at),
    ];
    assert!(some.subject.is_some());
    for (filter, keep) in filters {
        let mut found: Vec<RecordRow> = Vec::new();
        loop {
            let after = found.last().map(|usage| usage.offset);
            let page = store.usage(&UsageFilter { after, ..filter.clone() }).await.unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        let expected: Vec<RecordRow> = all.iter().filter(|usage| keep(usage)).cloned().collect();
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "{filter:?}");
    }
}

pub(crate) async fn only_usage_is_listed_as_usage(store: impl Store) {
    let batch = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&batch).await.unwrap();
    let mut next = empty(&batch.head, 1);
    next.records.push(RecordRow { kind: store::RecordKind::Timer.code(), ..usage(batch.head.next.0, 0) });
    store.commit(&next).await.unwrap();

    let filter = UsageFilter { wallet: 0, limit: 10, ..UsageFilter::default() };
    assert_eq!(store.usage(&filter).await.unwrap(), batch.records[1..2]);
    assert_eq!(store.record(FIRST, batch.head.next).await.unwrap().as_ref(), next.records.first());
    assert_eq!(store.record(FIRST, Offset(77)).await.unwrap(), None);
}

pub(crate) async fn grants_and_lots_are_listed_and_scanned(store: impl Store) {
    let mut by_partition = BTreeMap::new();
    for partition in [Partition(0), Partition(1)] {
        let mut batch = empty(&store.acquire(partition, LOG).await.unwrap(), 60);
        for sequence in 0..3 {
            let no = number(partition, sequence);
            batch.wallets.push(wallet(no));
            batch.grants.extend((0..20).map(|n| grant(no, &format!("g{n}"), sequence * 20 + n)));
            batch.lots.extend((0..20).map(|n| lot(no, &format!("g{n:02}#1"))));
        }
        store.commit(&batch).await.unwrap();
        by_partition.insert(partition, batch);
    }
    let batch = &by_partition[&Partition(1)];
    let one = number(Partition(1), 1);
    assert_eq!(store.lots(one).await.unwrap(), batch.lots[20..40]);
    assert_eq!(store.grants(one, None, 100).await.unwrap(), batch.grants[20..40]);
    assert_eq!(store.grants(one, Some(Offset(29)), 5).await.unwrap(), batch.grants[30..35]);

    let (mut lots, mut grants, mut wallets) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..9 {
        let after = lots.last().map(|lot: &store::LotRow| (lot.wallet, lot.lot.clone()));
        lots.extend(store.all_lots(Partition(1), after, 7).await.unwrap());
        let after = grants.last().map(|grant: &store::GrantRow| (grant.wallet, grant.offset));
        grants.extend(store.all_grants(Partition(1), after, 7).await.unwrap());
        let after = wallets.last().map(|wallet: &WalletRow| wallet.no);
        wallets.extend(store.all_wallets(Partition(1), after, 1).await.unwrap());
    }
    assert_eq!((&lots, &grants, &wallets), (&batch.lots, &batch.grants, &batch.wallets));
}

pub(crate) async fn a_stretch_of_records_is_read_alone(store: impl Store) {
    let batch = usages(&store.acquire(FIRST, LOG).await.unwrap(), 50, 3);
    store.commit(&batch).await.unwrap();
    let (from, to) = (Offset(10), Offset(20));
    assert_eq!(store.records_between(FIRST, from, to).await.unwrap(), batch.records[10..20]);
    assert_eq!(store.entries_between(FIRST, from, to).await.unwrap(), batch.entries[10..20]);
}
