//! What corrections look up: what left a wallet's document, what paid overage back, which records corrected a usage.

use ledger::{EntryKind, Offset, Partition};
use store::{EntryRow, LeftProbe, LeftRow, OutcomeCode, RecordKind, RecordRow, Store};

use crate::fixtures::*;

pub(crate) async fn what_left_is_found_by_family_grant_and_purchase(store: impl Store) {
    let (a, b) = (number(FIRST, 0), number(FIRST, 1));
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 1);
    batch.wallets = vec![wallet(a), wallet(b)];
    let lots = ["plan#1", "plan#1+1", "plan#1+1/1", "plan#1/1", "plan#10", "plan#10/1", "plan#2", "plan#1x"];
    batch.left = lots.iter().map(|key| left(a, 0, key, None)).collect();
    batch.left.push(left(b, 0, "plan#1", None));
    batch.left.extend([left(a, 1, "plan", Some("order-7")), left(a, 1, "pack", Some("order-7"))]);
    batch.left.push(left(a, 1, "gift", None));
    store.commit(&batch).await.unwrap();

    let keys = async |wallet: i64, probe: LeftProbe| -> Vec<String> {
        store.left(wallet, &probe).await.unwrap().into_iter().map(|row| row.key).collect()
    };
    let family = |name: &str| LeftProbe::Family(name.into());
    assert_eq!(keys(a, family("plan#1")).await, ["plan#1", "plan#1+1", "plan#1+1/1", "plan#1/1"]);
    assert_eq!(keys(a, family("plan#10")).await, ["plan#10", "plan#10/1"]);
    assert_eq!(keys(b, family("plan#1")).await, ["plan#1"]);
    assert_eq!(keys(b, family("plan#2")).await, [""; 0]);
    assert_eq!(keys(a, LeftProbe::Grant("plan".into())).await, ["plan"]);
    assert_eq!(keys(a, LeftProbe::Purchase("order-7".into())).await, ["pack", "plan"]);
    assert_eq!(keys(b, LeftProbe::Purchase("order-7".into())).await, [""; 0]);

    let mut paged: Vec<LeftRow> = Vec::new();
    loop {
        let after = paged.last().map(|row| (row.wallet, row.kind, row.key.clone()));
        let page = store.all_left(FIRST, after, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    batch.left.sort_by(|x, y| (x.wallet, x.kind, &x.key).cmp(&(y.wallet, y.kind, &y.key)));
    assert_eq!(paged, batch.left);
    assert_eq!(store.all_left(Partition(1), None, 9).await.unwrap(), []);
}

pub(crate) async fn the_last_of_what_left_counts(store: impl Store) {
    let a = number(FIRST, 0);
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 1);
    batch.wallets = vec![wallet(a)];
    let newer = |doc: &str| LeftRow { doc: doc.into(), ..left(a, 0, "plan#1", None) };
    batch.left = vec![newer("1"), newer("2")];
    store.commit(&batch).await.unwrap();
    let probe = LeftProbe::Family("plan#1".into());
    assert_eq!(store.left(a, &probe).await.unwrap(), [newer("2")]);

    let mut batch = empty(&batch.head, 1);
    batch.left = vec![newer("3")];
    store.commit(&batch).await.unwrap();
    assert_eq!(store.left(a, &probe).await.unwrap(), [newer("3")]);
}

pub(crate) async fn what_paid_overage_is_found_by_month(store: impl Store) {
    let (a, b) = (number(FIRST, 0), number(FIRST, 1));
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 3);
    batch.wallets = vec![wallet(a), wallet(b)];
    batch.records = (0..3).map(|offset| usage(offset, if offset == 2 { b } else { a })).collect();
    let of = |kind: EntryKind, month: Option<&str>, row: EntryRow| EntryRow {
        kind: kind.code(),
        month: month.map(str::to_owned),
        ..row
    };
    let all = (0..).zip(EntryKind::ALL);
    batch.entries = all.map(|(line, kind)| of(kind, Some("2025-10"), entry(0, line, a))).collect();
    batch.entries.push(of(EntryKind::Repay, Some("2025-11"), entry(1, 0, a)));
    batch.entries.push(of(EntryKind::Repay, None, entry(1, 1, a)));
    batch.entries.push(of(EntryKind::Repay, Some("2025-10"), entry(2, 0, b)));
    store.commit(&batch).await.unwrap();

    let paid = store.paid(a, "2025-10").await.unwrap();
    let kinds: Vec<EntryKind> = paid.iter().map(|row| EntryKind::of_code(row.kind).unwrap()).collect();
    let expected = [
        EntryKind::Repay,
        EntryKind::Bill,
        EntryKind::Forgive,
        EntryKind::Unrepay,
        EntryKind::CreditDue,
        EntryKind::Unforgive,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(store.paid(b, "2025-10").await.unwrap(), batch.entries[batch.entries.len() - 1..]);
    assert_eq!(store.paid(b, "2025-11").await.unwrap(), []);
}

pub(crate) async fn corrections_and_unpriced_usage_are_found(store: impl Store) {
    let (a, b) = (number(FIRST, 0), number(FIRST, 1));
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 9);
    batch.wallets = vec![wallet(a), wallet(b)];
    let unpriced = |offset, wallet| RecordRow { detail: Some("no_price".into()), ..usage(offset, wallet) };
    let about = |offset, wallet, kind: RecordKind, of| RecordRow {
        kind: kind.code(),
        earlier: Some(Offset(of)),
        ..usage(offset, wallet)
    };
    let rejected = OutcomeCode::Rejected.code();
    batch.records = vec![
        unpriced(0, a),
        unpriced(1, b),
        RecordRow { detail: Some("free:image@1".into()), ..usage(2, a) },
        unpriced(3, a),
        about(4, a, RecordKind::Rerating, 0),
        RecordRow { outcome: rejected, ..about(5, b, RecordKind::Reversal, 1) },
        about(6, a, RecordKind::Reversal, 2),
        about(7, a, RecordKind::Reversal, 0),
        RecordRow { outcome: OutcomeCode::Duplicate.code(), ..unpriced(8, b) },
    ];
    store.commit(&batch).await.unwrap();

    let of = async |usage| -> Vec<u64> {
        store.corrections(FIRST, Offset(usage)).await.unwrap().iter().map(|row| row.offset.0).collect()
    };
    assert_eq!((of(0).await, of(1).await, of(2).await), (vec![4, 7], vec![], vec![6]));
    let mut corrected = store.corrected(FIRST).await.unwrap();
    corrected.sort_unstable();
    assert_eq!(corrected, [a, b], "one was applied, one refused");
    assert_eq!(store.corrected(Partition(1)).await.unwrap(), [0; 0]);

    let unpriced = async |after: Option<u64>, limit| -> Vec<u64> {
        let rows = store.unpriced(FIRST, after.map(Offset), limit).await.unwrap();
        rows.iter().map(|row| row.offset.0).collect()
    };
    assert_eq!(unpriced(None, 9).await, [1, 3]);
    assert_eq!(unpriced(None, 1).await, [1]);
    assert_eq!(unpriced(Some(1), 9).await, [3]);
}

pub(crate) async fn grants_of_one_record_stay_together(store: impl Store) {
    let a = number(FIRST, 0);
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 3);
    batch.wallets = vec![wallet(a)];
    batch.grants = vec![grant(a, "a", 1), grant(a, "b", 1), grant(a, "c", 1), grant(a, "d", 2)];
    store.commit(&batch).await.unwrap();
    assert_eq!(store.grants(a, None, 1).await.unwrap(), batch.grants[..3]);
    assert_eq!(store.grants(a, Some(Offset(1)), 1).await.unwrap(), batch.grants[3..]);
    assert_eq!(store.all_grants(FIRST, None, 1).await.unwrap(), batch.grants[..3]);
    assert_eq!(store.all_grants(FIRST, Some((a, Offset(1))), 9).await.unwrap(), batch.grants[3..]);
}
