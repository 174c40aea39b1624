//! What a commit promises.

use ledger::{Offset, Partition};
use store::rows::next_segment;
use store::{
    Batch, EntryKind, EntryRow, FilterRow, Head, LotRow, Opening, OutcomeCode, RecordKind, RecordRow, Store,
    StoreError, WalletRow,
};

use crate::fixtures::*;

pub(crate) async fn acquiring_raises_the_epoch(store: impl Store) {
    assert_eq!(store.head(FIRST).await.unwrap(), None);
    let head = store.acquire(FIRST, LOG).await.unwrap();
    let zeros = ([0; 32], [0; 32], [0; 32]);
    assert!(head.epoch > 0);
    assert_eq!((head.next, (head.chain, head.last, head.digest)), (Offset(0), zeros));
    assert_eq!((head.log.as_str(), head.counts), (LOG, Default::default()));

    let again = store.acquire(FIRST, LOG).await.unwrap();
    assert_eq!(again, raised(&again, &head));
    assert_eq!(store.head(FIRST).await.unwrap(), Some(again));
}

pub(crate) async fn another_log_is_refused(store: impl Store) {
    let head = store.acquire(FIRST, LOG).await.unwrap();
    let refused = store.acquire(FIRST, "another").await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::OtherLog { found, asked, .. } if found == LOG && asked == "another"),
        "{refused}"
    );
    assert_eq!(store.head(FIRST).await.unwrap(), Some(head));
}

pub(crate) async fn a_batch_reads_back_exactly(store: impl Store) {
    let batch = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&batch).await.unwrap();
    assert_eq!(rows(&store, FIRST).await, rows_of(&batch));
}

pub(crate) async fn an_opening_is_what_was_committed(store: impl Store) {
    assert_eq!(store.opening(FIRST).await.unwrap(), None);
    let head = store.acquire(FIRST, LOG).await.unwrap();
    let empty = Opening { head: head.clone(), catalogue: None, filters: vec![], growing: vec![] };
    assert_eq!(store.opening(FIRST).await.unwrap(), Some(empty));
    let batch = everything(&head);
    store.commit(&batch).await.unwrap();
    let Batch { head, catalogue, filters, mut ids, .. } = batch;
    ids.retain(|id| id.segment == next_segment(&filters));
    assert!(catalogue.is_some() && !filters.is_empty() && !ids.is_empty());
    assert_eq!(store.opening(FIRST).await.unwrap(), Some(Opening { head, catalogue, filters, growing: ids }));
}

pub(crate) async fn partitions_do_not_mix(store: impl Store) {
    let batches = [Partition(0), Partition(3)].map(async |partition| {
        let batch = everything(&store.acquire(partition, LOG).await.unwrap());
        store.commit(&batch).await.unwrap();
        batch
    });
    for batch in batches {
        let batch = batch.await;
        assert_eq!(rows(&store, batch.partition).await, rows_of(&batch));
    }
    assert_eq!(rows(&store, Partition(1)).await.head, None);
}

pub(crate) async fn a_batch_of_an_earlier_epoch_is_fenced(store: impl Store) {
    let head = store.acquire(FIRST, LOG).await.unwrap();
    store.acquire(FIRST, LOG).await.unwrap();
    refused(&store, &everything(&head)).await;
}

pub(crate) async fn a_batch_from_elsewhere_is_fenced(store: impl Store) {
    let head = store.acquire(FIRST, LOG).await.unwrap();
    store.commit(&usages(&head, 5, 2)).await.unwrap();
    for next in [Offset(4), Offset(6)] {
        refused(&store, &everything(&Head { next, ..head.clone() })).await;
    }
}

pub(crate) async fn the_same_batch_twice_is_fenced(store: impl Store) {
    let batch = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&batch).await.unwrap();
    refused(&store, &batch).await;
}

pub(crate) async fn a_partition_that_nobody_took_is_fenced(store: impl Store) {
    let head = store.acquire(FIRST, LOG).await.unwrap();
    refused(&store, &everything(&Head { partition: Partition(1), ..head })).await;
}

pub(crate) async fn what_is_there_fences_a_forged_head(store: impl Store) {
    let head = store.acquire(FIRST, LOG).await.unwrap();
    let honest = usages(&head, 5, 2);
    store.commit(&honest).await.unwrap();

    // The head is where these begin; the offset of their rows is not new.
    let mut entries = empty(&honest.head, 1);
    entries.entries.push(entry(4, 0, 0));
    entries.wallets.push(wallet(number(FIRST, 9)));
    refused(&store, &entries).await;
    let mut records = empty(&honest.head, 1);
    records.records.push(usage(4, 0));
    refused(&store, &records).await;
}

/// Commits a batch that must be fenced, and finds everything as it was.
async fn refused(store: &impl Store, batch: &Batch) {
    let before = rows(store, FIRST).await;
    let error = store.commit(batch).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced { partition, .. } if partition == batch.partition), "{error}");
    assert_eq!(rows(store, FIRST).await, before);
}

pub(crate) async fn a_writer_goes_on_after_a_refusal(store: impl Store) {
    let head = store.acquire(FIRST, LOG).await.unwrap();
    let first = usages(&head, 5, 2);
    store.commit(&first).await.unwrap();
    store.commit(&first).await.unwrap_err();
    let second = usages(&first.head, 5, 2);
    store.commit(&second).await.unwrap();
    assert_eq!(store.head(FIRST).await.unwrap(), Some(second.head));
}

pub(crate) async fn what_changes_is_written_over(store: impl Store) {
    let first = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&first).await.unwrap();

    let mut second = empty(&first.head, 1);
    second.wallets.push(WalletRow {
        as_of: Offset(99),
        clock: 5,
        next_due_at: Some(6),
        claimed: true,
        unpriced: 0,
        digest: [77; 32],
        doc: "{}".into(),
        ..first.wallets[1].clone()
    });
    second.lots.push(LotRow {
        remaining: "0".into(),
        held: "0".into(),
        consumed: "0.3".into(),
        expired: HUGE.into(),
        ..first.lots[0].clone()
    });
    second.counters.push(store::CounterRow { value: "8".into(), ..first.counters[1].clone() });
    second.filters.push(FilterRow { segment: 0, bits: vec![1] });
    second.catalogue = Some("{}".into());
    store.commit(&second).await.unwrap();

    let rows = rows(&store, FIRST).await;
    assert_eq!(rows.wallets, [first.wallets[0].clone(), second.wallets[0].clone()]);
    assert_eq!(rows.lots, [second.lots[0].clone(), first.lots[1].clone()]);
    assert_eq!(rows.counters, [first.counters[0].clone(), second.counters[0].clone()]);
    assert_eq!((rows.filters, rows.catalogue), (second.filters, second.catalogue));
}

pub(crate) async fn a_wallet_keeps_its_number(store: impl Store) {
    let first = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&first).await.unwrap();
    let mut second = empty(&first.head, 1);
    second.wallets.push(WalletRow { no: 400, ..first.wallets[0].clone() });
    assert!(matches!(store.commit(&second).await.unwrap_err(), StoreError::Database(_)));
    assert_eq!(rows(&store, FIRST).await, rows_of(&first));
}

/// Enough rows for whatever way a store has for many, with one, no and several entries a record.
pub(crate) async fn large_batches_read_back_exactly(store: impl Store) {
    let first = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&first).await.unwrap();
    let mut second = usages(&first.head, 5_000, 40);
    second.wallets.retain(|row| first.wallets.iter().all(|there| there.no != row.no));
    second.lots.retain(|row| first.wallets.iter().all(|there| there.no != row.wallet));
    second.entries.retain(|row| row.offset.0 % 5 != 0);
    let lines = second.entries.iter().filter(|row| row.offset.0 % 3 == 0);
    second.entries =
        lines.map(|row| EntryRow { line: 1, ..row.clone() }).chain(second.entries.clone()).collect();
    for row in second.entries.iter_mut().filter(|row| row.offset.0 % 7 != 0) {
        // As they mostly are: of the record's subject and instants.
        let record = &second.records[(row.offset.0 - second.from.0) as usize];
        (row.subject, row.month) = (record.subject.clone(), None);
        (row.effective_at, row.booked_at) = (record.at, record.recorded_at);
    }
    second.entries.sort_by_key(|row| (row.offset, row.line));
    store.commit(&second).await.unwrap();

    let (all, from) = (rows(&store, FIRST).await, first.from);
    assert_eq!(store.entries_between(FIRST, second.from, second.head.next).await.unwrap(), second.entries);
    assert_eq!(store.records_between(FIRST, second.from, second.head.next).await.unwrap(), second.records);
    assert_eq!(store.entries_between(FIRST, from, second.from).await.unwrap(), first.entries);
    assert_eq!(all.wallets, [first.wallets, second.wallets].concat());
    assert_eq!(all.lots, [first.lots, second.lots].concat());
    assert_eq!(all.head, Some(second.head));
}

pub(crate) async fn a_large_batch_is_fenced_like_any_other(store: impl Store) {
    let head = store.acquire(FIRST, LOG).await.unwrap();
    let first = usages(&head, 3_000, 5);
    store.commit(&first).await.unwrap();
    refused(&store, &first).await;
    refused(&store, &usages(&head, 4_000, 5)).await;
    refused(&store, &usages(&Head { next: Offset(3_001), ..first.head.clone() }, 3_000, 5)).await;
    refused(&store, &usages(&Head { epoch: 7, ..first.head.clone() }, 3_000, 5)).await;
    // A forged head: the last record is there already.
    let mut forged = usages(&first.head, 3_000, 5);
    forged.records[0].offset = Offset(2_999);
    refused(&store, &forged).await;
    let second = usages(&first.head, 3_000, 5);
    store.commit(&second).await.unwrap();
    assert_eq!(store.head(FIRST).await.unwrap(), Some(second.head));
}

pub(crate) async fn any_text_reads_back_exactly(store: impl Store) {
    for (n, text) in ["", " ", "\0", "a\0b", "\u{FDD0}0", "{\"b\": 1,  \"a\":[ ]}", "\u{10FFFF}é\n"]
        .into_iter()
        .enumerate()
    {
        let head = store.acquire(FIRST, LOG).await.unwrap();
        let mut batch = empty(&head, 1);
        let no = number(FIRST, n as u64);
        batch.wallets = vec![WalletRow { id: format!("{n}{text}"), doc: text.into(), ..wallet(no) }];
        batch.records = vec![RecordRow {
            id: text.into(),
            source: text.into(),
            subject: Some(text.into()),
            feature: Some(text.into()),
            data: Some(text.into()),
            ..usage(head.next.0, no)
        }];
        batch.entries = vec![EntryRow {
            lot: Some(text.into()),
            subject: Some(text.into()),
            ..entry(head.next.0, 0, no)
        }];
        batch.lots = vec![lot(no, text)];
        store.commit(&batch).await.unwrap();
        assert_eq!(store.record(FIRST, head.next).await.unwrap().as_ref(), batch.records.first());
        assert_eq!(store.entries_between(FIRST, head.next, batch.head.next).await.unwrap(), batch.entries);
        assert_eq!(store.lots(no).await.unwrap(), batch.lots);
        let found = store.wallet(&batch.wallets[0].id).await.unwrap();
        assert_eq!(found.map(|(_, row)| row).as_ref(), batch.wallets.first());
    }
}

pub(crate) async fn amounts_keep_the_places_they_were_given(store: impl Store) {
    let head = store.acquire(FIRST, LOG).await.unwrap();
    let amounts = ["0", "1", "12.5", "0.000000001", "10000", "9999.9999", "100000000.0001", "0.0001", HUGE];
    let mut batch = empty(&head, amounts.len() as u64);
    batch.wallets.push(wallet(0));
    batch.records = (0..amounts.len() as u64).map(|offset| usage(offset, 0)).collect();
    let of = |(offset, amount): (u64, &&str)| EntryRow {
        amount: (*amount).into(),
        available_after: (*amount).into(),
        ..entry(offset, 0, 0)
    };
    batch.entries = (0..).zip(&amounts).map(of).collect();
    store.commit(&batch).await.unwrap();
    assert_eq!(store.entries_between(FIRST, Offset(0), batch.head.next).await.unwrap(), batch.entries);
}

#[test]
fn codes_and_words_are_one_to_one() {
    fn check<T: Copy + PartialEq + std::fmt::Debug + TryFrom<u8>>(
        all: &[T],
        code: fn(T) -> u8,
        word: fn(T) -> &'static str,
    ) where
        T::Error: std::fmt::Debug,
    {
        for (place, one) in all.iter().enumerate() {
            assert_eq!(usize::from(code(*one)), place);
            assert_eq!(T::try_from(code(*one)).unwrap(), *one);
            assert!(all[..place].iter().all(|other| word(*other) != word(*one)));
        }
        T::try_from(all.len() as u8).unwrap_err();
    }
    check(RecordKind::ALL, RecordKind::code, RecordKind::word);
    check(OutcomeCode::ALL, OutcomeCode::code, OutcomeCode::word);
    for kind in EntryKind::ALL {
        assert_eq!(EntryKind::of_code(kind.code()), Some(kind));
    }
    assert_eq!(EntryKind::of_code(EntryKind::ALL.len() as u8), None);
}
