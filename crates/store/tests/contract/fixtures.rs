//! Rows to write, each with values of its own, and all rows of a partition at a glance.

use ledger::{Offset, Partition};
use store::{
    Batch, CounterRow, Counts, EntryKind, EntryRow, FilterRow, GrantRow, Head, IdRow, LeftRow, LotRow,
    OutcomeCode, QuarantineRow, RecordKind, RecordRow, Store, WalletRow,
};

pub(crate) const LOG: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const FIRST: Partition = Partition(0);
/// More than a float, or an integer of billionths, can hold.
pub(crate) const HUGE: &str = "1000000000000000000.123456789";
const NOON: i64 = 1_760_000_000_123_456_789;

/// The head before as it must be once the partition was taken again: under an epoch that is higher.
pub(crate) fn raised(taken: &Head, before: &Head) -> Head {
    assert!(taken.epoch > before.epoch, "{} after {}", taken.epoch, before.epoch);
    Head { epoch: taken.epoch, ..before.clone() }
}

/// A batch without rows, from the head on over `count` records.
pub(crate) fn empty(head: &Head, count: u64) -> Batch {
    let next = Offset(head.next.0 + count);
    let counts = Counts { applied: head.counts.applied + count, ..head.counts };
    Batch {
        partition: head.partition,
        epoch: head.epoch,
        from: head.next,
        head: Head { next, counts, clock: NOON, chain: [next.0 as u8; 32], ..head.clone() },
        entries: Vec::new(),
        records: Vec::new(),
        ids: Vec::new(),
        wallets: Vec::new(),
        lots: Vec::new(),
        grants: Vec::new(),
        left: Vec::new(),
        counters: Vec::new(),
        quarantined: Vec::new(),
        filters: Vec::new(),
        catalogue: None,
    }
}

/// A batch with `count` usages of `wallets` wallets, each with an entry and an id, and the wallets with a lot
/// each.
pub(crate) fn usages(head: &Head, count: u64, wallets: u64) -> Batch {
    let mut batch = empty(head, count);
    for offset in batch.from.0..batch.head.next.0 {
        let wallet = number(head.partition, offset % wallets);
        batch.records.push(usage(offset, wallet));
        batch.entries.push(entry(offset, 0, wallet));
        batch.ids.push(id(0, offset));
    }
    for sequence in 0..wallets {
        let no = number(head.partition, sequence);
        batch.wallets.push(WalletRow { as_of: batch.head.next, ..wallet(no) });
        batch.lots.push(LotRow { remaining: batch.head.next.to_string(), ..lot(no, "plan#1") });
    }
    batch.head.wallets = wallets;
    batch
}

/// A batch with something in every table, and every optional column both there and absent.
pub(crate) fn everything(head: &Head) -> Batch {
    let (a, b) = (number(head.partition, 0), number(head.partition, 1));
    let from = head.next.0;
    let bare = RecordRow {
        wallet: None,
        detail: None,
        earlier: None,
        subject: None,
        feature: None,
        data: None,
        ..usage(from, a)
    };
    let bare_entry = EntryRow {
        lot: None,
        other_lot: None,
        subject: None,
        feature: None,
        price: None,
        month: None,
        ..entry(from + 1, 0, a)
    };
    Batch {
        records: vec![
            RecordRow { kind: RecordKind::Genesis.code(), outcome: OutcomeCode::None.code(), ..bare },
            usage(from + 1, a),
            RecordRow { detail: Some("no_price".into()), earlier: Some(Offset(1)), ..usage(from + 2, b) },
        ],
        entries: vec![bare_entry, entry(from + 1, 1, a), entry(from + 2, 0, b)],
        ids: vec![id(0, from + 1), id(1, from + 2)],
        wallets: vec![wallet(a), WalletRow { next_due_at: None, claimed: false, ..wallet(b) }],
        lots: vec![
            lot(a, "plan#1"),
            LotRow { origin: None, ends_at: None, cost: None, currency: None, ..lot(b, "plan#1") },
        ],
        grants: vec![
            grant(a, "plan", from + 1),
            GrantRow { expires_at: None, purchase: None, ..grant(b, "plan", from + 2) },
        ],
        counters: vec![counter(a, "input", 0), counter(b, "output", 9)],
        quarantined: vec![QuarantineRow {
            offset: Offset(from + 3),
            digest: [8; 32],
            reason: "not an envelope".into(),
        }],
        filters: vec![FilterRow { segment: 0, bits: vec![0, 255, 7] }],
        catalogue: Some(r#"{"units":["credits"]}"#.into()),
        left: vec![
            left(a, 0, "plan#1", None),
            left(a, 0, "plan#1/1", None),
            left(a, 1, "plan", Some("order-7")),
            left(b, 0, "plan#1", None),
        ],
        ..empty(head, 4)
    }
}

/// A wallet's number, with four partitions.
pub(crate) fn number(partition: Partition, sequence: u64) -> i64 {
    (sequence * 4 + u64::from(partition.0)) as i64
}

pub(crate) fn wallet(no: i64) -> WalletRow {
    WalletRow {
        no,
        id: format!("wallet-{no:04}"),
        as_of: Offset(7),
        clock: NOON,
        next_due_at: Some(NOON + no),
        claimed: true,
        unpriced: 3,
        digest: [no as u8; 32],
        doc: r#"{"lots":["plan#1"]}"#.into(),
    }
}

pub(crate) fn usage(offset: u64, wallet: i64) -> RecordRow {
    RecordRow {
        offset: Offset(offset),
        wallet: Some(wallet),
        // Some are settlements, which are usage too.
        kind: if offset % 7 == 3 { RecordKind::Settlement } else { RecordKind::Usage }.code(),
        outcome: OutcomeCode::Applied.code(),
        detail: None,
        earlier: None,
        id: format!("event-{offset}"),
        source: "gateway".into(),
        subject: (!offset.is_multiple_of(3)).then(|| format!("seat-{}", offset % 3)),
        at: NOON + offset as i64 % 1000,
        recorded_at: NOON + offset as i64,
        feature: Some(["completion", "embedding"][offset as usize % 2].into()),
        data: Some(format!(r#"{{"tokens":{offset}}}"#)),
    }
}

pub(crate) fn entry(offset: u64, line: u32, wallet: i64) -> EntryRow {
    EntryRow {
        offset: Offset(offset),
        line,
        wallet,
        kind: EntryKind::ALL[offset as usize % EntryKind::ALL.len()].code(),
        unit: ["credits", "usd"][offset as usize / 2 % 2].into(),
        lot: Some(format!("plan#{}", offset % 5).as_str().into()),
        other_lot: offset.is_multiple_of(7).then(|| "plan#1/1".into()),
        amount: format!("{offset}.000000001"),
        available_after: HUGE.into(),
        effective_at: NOON + offset as i64 % 1000,
        booked_at: NOON + offset as i64,
        subject: Some("seat-1".into()),
        feature: Some(["completion", "embedding"][offset as usize % 2].into()),
        price: Some("completion@2".into()),
        month: Some("2025-10".into()),
    }
}

pub(crate) fn id(segment: u32, n: u64) -> IdRow {
    IdRow { segment, key: scatter(n), offset: Offset(n), content: scatter(!n) }
}

/// Different numbers, in no order and without a common beginning, as digests are.
pub(crate) fn scatter(n: u64) -> [u8; 16] {
    let spread = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut key = [0; 16];
    key[..8].copy_from_slice(&(spread ^ spread >> 29).to_be_bytes());
    key[8..].copy_from_slice(&n.to_be_bytes());
    key
}

pub(crate) fn lot(wallet: i64, lot: &str) -> LotRow {
    LotRow {
        wallet,
        lot: lot.into(),
        grant: "plan".into(),
        unit: "credits".into(),
        origin: Some("plan#0".into()),
        issued: HUGE.into(),
        remaining: "1".into(),
        held: "0.2".into(),
        consumed: "3".into(),
        expired: "4".into(),
        voided: "5".into(),
        rolled_over: "6".into(),
        returned: "7".into(),
        moved: "8".into(),
        starts_at: NOON - 1,
        ends_at: Some(NOON + 1),
        priority: 255,
        category: "paid".into(),
        cost: Some("19.99".into()),
        currency: Some("USD".into()),
    }
}

pub(crate) fn grant(wallet: i64, grant: &str, offset: u64) -> GrantRow {
    GrantRow {
        wallet,
        grant: grant.into(),
        offset: Offset(offset),
        unit: "credits".into(),
        amount: HUGE.into(),
        category: "promotional".into(),
        priority: 0,
        effective_at: NOON,
        expires_at: Some(i64::MAX),
        purchase: Some("order-7".into()),
        body: r#"{"grant_id":"plan"}"#.into(),
    }
}

pub(crate) fn left(wallet: i64, kind: u8, key: &str, purchase: Option<&str>) -> LeftRow {
    let doc = format!(r#"{{"id":"{key}"}}"#);
    LeftRow { wallet, kind, key: key.into(), purchase: purchase.map(str::to_owned), doc }
}

pub(crate) fn counter(wallet: i64, charge: &str, period: i64) -> CounterRow {
    CounterRow { wallet, price: "completion".into(), charge: charge.into(), period, value: HUGE.into() }
}

/// All rows of a partition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) head: Option<Head>,
    pub(crate) entries: Vec<EntryRow>,
    pub(crate) records: Vec<RecordRow>,
    pub(crate) ids: Vec<IdRow>,
    pub(crate) wallets: Vec<WalletRow>,
    pub(crate) lots: Vec<LotRow>,
    pub(crate) grants: Vec<GrantRow>,
    pub(crate) left: Vec<LeftRow>,
    pub(crate) counters: Vec<CounterRow>,
    pub(crate) quarantined: Vec<QuarantineRow>,
    pub(crate) filters: Vec<FilterRow>,
    pub(crate) catalogue: Option<String>,
}

pub(crate) async fn rows(store: &impl Store, partition: Partition) -> Rows {
    let (start, end) = (Offset(0), Offset(i64::MAX.cast_unsigned()));
    let mut ids = Vec::new();
    for segment in store.segments(partition).await.unwrap() {
        ids.extend(store.segment(partition, segment).await.unwrap());
    }
    Rows {
        head: store.head(partition).await.unwrap(),
        entries: store.entries_between(partition, start, end).await.unwrap(),
        records: store.records_between(partition, start, end).await.unwrap(),
        ids,
        wallets: store.all_wallets(partition, None, u32::MAX).await.unwrap(),
        lots: store.all_lots(partition, None, u32::MAX).await.unwrap(),
        grants: store.all_grants(partition, None, u32::MAX).await.unwrap(),
        left: store.all_left(partition, None, u32::MAX).await.unwrap(),
        counters: store.all_counters(partition, None, u32::MAX).await.unwrap(),
        quarantined: store.quarantined(partition).await.unwrap(),
        filters: store.opening(partition).await.unwrap().map(|opening| opening.filters).unwrap_or_default(),
        catalogue: store.catalogue(partition).await.unwrap(),
    }
}

/// What a batch leaves in a partition that was empty.
pub(crate) fn rows_of(batch: &Batch) -> Rows {
    let batch = batch.clone();
    Rows {
        head: Some(batch.head),
        entries: batch.entries,
        records: batch.records,
        ids: batch.ids,
        wallets: batch.wallets,
        lots: batch.lots,
        grants: batch.grants,
        left: batch.left,
        counters: batch.counters,
        quarantined: batch.quarantined,
        filters: batch.filters,
        catalogue: batch.catalogue,
    }
}
