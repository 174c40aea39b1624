//! What people with SQL see.

use ledger::{EntryKind, Offset};
use store::{
    Batch, EntryRow, GrantRow, Head, LotRow, OutcomeCode, PostgresStore, RecordKind, RecordRow, Store,
};

use super::costs::{cost, reckon};
use super::place::Place;
use crate::fixtures::*;

/// Texts of all values; `-` where there is none.
pub(super) async fn show(place: &Place, statement: &str) -> Vec<String> {
    let rows = place.sql(statement).await;
    let text = |row: Vec<Option<String>>| -> String {
        row.into_iter().map(|value| value.unwrap_or("-".into())).collect::<Vec<_>>().join(" | ")
    };
    rows.into_iter().map(text).collect()
}

pub(super) async fn taken() -> (Place, PostgresStore, Head) {
    let place = Place::new().await;
    let store = place.store().await;
    let head = store.acquire(FIRST, LOG).await.unwrap();
    (place, store, head)
}

/// 2026-01-31T23:59:59.5Z, and an hour later.
const JANUARY: i64 = 1_769_903_999_500_000_000;
const FEBRUARY: i64 = JANUARY + 3_600_000_000_000;

fn charge(offset: u64, wallet: i64, kind: EntryKind, amount: &str, at: i64) -> (RecordRow, EntryRow) {
    let month = (kind == EntryKind::Overage).then(|| "2026-01".to_owned());
    let record = RecordRow {
        at,
        recorded_at: at,
        subject: None,
        feature: Some("completion".into()),
        data: Some(format!(r#"{{"model":"m{}"}}"#, offset % 2)),
        ..usage(offset, wallet)
    };
    let entry = EntryRow {
        kind: kind.code(),
        lot: Some("plan#1".into()),
        amount: amount.into(),
        effective_at: at,
        booked_at: at,
        subject: None,
        feature: Some("completion".into()),
        unit: "credits".into(),
        month,
        ..entry(offset, 0, wallet)
    };
    (record, entry)
}

/// Two days of usage, one of them partly overage, and a reversal in the next month of one of the first.
pub(super) fn two_months(head: &Head) -> Batch {
    let mut batch = empty(head, 5);
    batch.wallets = vec![wallet(0), wallet(4)];
    for (offset, wallet, kind, amount, at) in [
        (0, 0, EntryKind::Usage, "1.5", JANUARY),
        (1, 0, EntryKind::Overage, "2.25", JANUARY),
        (2, 0, EntryKind::Usage, "4", FEBRUARY),
        (3, 4, EntryKind::LateUsage, "8", FEBRUARY),
    ] {
        let (record, entry) = charge(offset, wallet, kind, amount, at);
        batch.records.push(record);
        batch.entries.push(entry);
    }
    let (record, entry) = charge(4, 0, EntryKind::Reversal, "0.5", JANUARY);
    batch.records.push(RecordRow {
        kind: RecordKind::Reversal.code(),
        earlier: Some(Offset(0)),
        recorded_at: FEBRUARY,
        data: None,
        ..record
    });
    batch.entries.push(EntryRow { booked_at: FEBRUARY, ..entry });
    batch
}

#[tokio::test]
async fn entries_name_kinds_and_accounts() {
    let (place, store, head) = taken().await;
    let mut batch = empty(&head, 1);
    batch.wallets.push(wallet(0));
    batch.records.push(usage(0, 0));
    batch.entries = (EntryKind::ALL.iter().zip(0..))
        .map(|(kind, line)| EntryRow {
            kind: kind.code(),
            lot: Some("a".into()),
            other_lot: Some("b".into()),
            amount: HUGE.into(),
            effective_at: 1_500_000_999,
            booked_at: 1_760_000_000_000_000_000,
            ..entry(0, line, 0)
        })
        .collect();
    store.commit(&batch).await.unwrap();
    let shown = show(&place, "select kind, debit, credit from entries order by line").await;
    let expected = [
        "issue | grants | lot:a",
        "usage | lot:a | usage",
        "late_usage | expired | usage",
        "overage | overage | usage",
        "repay | lot:a | overage",
        "expire | lot:a | expired",
        "carry | lot:a | lot:b",
        "return | lot:a | lot:b",
        "return_expired | expired | lot:b",
        "bill | billed | overage",
        "forgive | forgiven | overage",
        "void | lot:a | voided",
        "reset | lot:a | expired",
        "reversal | usage | lot:a",
        "reverse_overage | usage | overage",
        "unrepay | overage | lot:a",
        "credit_due | overage | credit_due",
        "unforgive | overage | forgiven",
        "hold | lot:a | hold:b",
        "held_usage | hold:b | usage",
        "release | hold:b | lot:a",
        "hold_overdraft | overdraft | hold:b",
        "release_overdraft | hold:b | overdraft",
    ];
    assert_eq!(shown, expected);
    let columns = "select wallet, position, amount, effective_at, booked_at from entries where line = 1";
    let instants = "1970-01-01 00:00:01.5+00 | 2025-10-09 08:53:20+00";
    assert_eq!(show(&place, columns).await, [format!("wallet-0000 | 0:0 | {HUGE} | {instants}")]);
}

#[tokio::test]
async fn an_entry_in_its_records_row_is_seen_like_any_other() {
    let (place, store, head) = taken().await;
    let batch = two_months(&head);
    store.commit(&batch).await.unwrap();
    assert_eq!(show(&place, "select count(*), count(entry) from record").await, ["5 | 4"]);
    let all = "select position, wallet, kind, amount, feature, booked_at from entries order by log_offset";
    let expected = [
        "0:0 | wallet-0000 | usage | 1.5 | completion | 2026-01-31 23:59:59.5+00",
        "0:1 | wallet-0000 | overage | 2.25 | completion | 2026-01-31 23:59:59.5+00",
        "0:2 | wallet-0000 | usage | 4 | completion | 2026-02-01 00:59:59.5+00",
        "0:3 | wallet-0004 | late_usage | 8 | completion | 2026-02-01 00:59:59.5+00",
        "0:4 | wallet-0000 | reversal | 0.5 | completion | 2026-02-01 00:59:59.5+00",
    ];
    assert_eq!(show(&place, all).await, expected);
}

#[tokio::test]
async fn a_wallets_entries_are_those_of_the_ledger() {
    let (place, store, mut head) = taken().await;
    for _ in 0..4 {
        let batch = usages(&head, 25_000, 101);
        store.commit(&batch).await.unwrap();
        head = batch.head;
    }
    let columns = "position, line, kind, amount, available_after, booked_at, lot, feature, month";
    let by_wallet = show(&place, &format!("select {columns} from wallet_entries('wallet-0028')")).await;
    let all = format!("select {columns} from entries where wallet = 'wallet-0028' order by log_offset, line");
    assert_eq!(by_wallet, show(&place, &all).await);
    assert!(by_wallet.len() > 900, "{}", by_wallet.len());
    assert_eq!(show(&place, "select count(*) > 0 from trail").await, ["t"]);
}

#[tokio::test]
async fn outcomes_name_kinds_and_outcomes() {
    let (place, store, head) = taken().await;
    let mut batch = empty(&head, 126);
    batch.wallets.push(wallet(0));
    for kind in RecordKind::ALL {
        for outcome in OutcomeCode::ALL {
            let offset = batch.records.len() as u64;
            let codes = RecordRow { kind: kind.code(), outcome: outcome.code(), ..usage(offset, 0) };
            batch.records.push(RecordRow { earlier: (offset == 29).then_some(Offset(3)), ..codes });
        }
    }
    store.commit(&batch).await.unwrap();
    let shown = show(&place, "select kind, outcome from outcomes order by recorded_at").await;
    let told = OutcomeCode::ALL.iter().filter(|outcome| **outcome != OutcomeCode::None);
    let words = |kind: &RecordKind, outcome: &OutcomeCode| format!("{} | {}", kind.word(), outcome.word());
    let each = |kind| told.clone().map(move |outcome| words(kind, outcome));
    let mut expected: Vec<String> = RecordKind::ALL.iter().flat_map(each).collect();
    let mut shown: Vec<String> = shown;
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    let last = show(&place, "select earlier, wallet from outcomes where position = '0:29'").await;
    assert_eq!(last, ["0:3 | wallet-0000"]);
}

#[tokio::test]
async fn documents_are_jsonb_where_they_can_be_and_text_as_sent() {
    let (place, store, head) = taken().await;
    let sent = [r#"{"b": 1,  "a":2}"#, r#"{"a":"\u0000"}"#, "no json"];
    let mut batch = empty(&head, 3);
    batch.wallets.push(wallet(0));
    batch.records = (0..)
        .zip(sent)
        .map(|(offset, data)| RecordRow { data: Some(data.into()), ..usage(offset, 0) })
        .collect();
    store.commit(&batch).await.unwrap();
    let shown = show(&place, "select data, data_as_sent from usage order by id").await;
    let expected = [
        format!(r#"{{"a": 2, "b": 1}} | {}"#, sent[0]),
        format!("- | {}", sent[1]),
        format!("- | {}", sent[2]),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn balances_add_open_lots_exactly() {
    let (place, store, head) = taken().await;
    let mut batch = empty(&head, 1);
    batch.wallets.push(wallet(0));
    let clock = batch.wallets[0].clock;
    for (name, remaining, held, starts_at, ends_at) in [
        ("a", HUGE, "0.000000001", clock, None),
        ("b", "0.9", "999999999.999999999", clock - 5, Some(clock + 1)),
        ("c", HUGE, "0", clock - 5, None),
        ("ended", "5", "5", clock - 5, Some(clock)),
        ("to come", "5", "5", clock + 1, None),
    ] {
        let amounts = LotRow { remaining: remaining.into(), held: held.into(), ..lot(0, name) };
        batch.lots.push(LotRow { starts_at, ends_at, ..amounts });
    }
    batch.lots.push(LotRow {
        unit: "usd".into(),
        remaining: "0".into(),
        held: "0".into(),
        ends_at: None,
        ..lot(0, "d")
    });
    store.commit(&batch).await.unwrap();
    let shown = show(&place, "select unit, available, held, as_of from balances order by unit").await;
    let as_of = "2025-10-09 08:53:20.123456+00";
    let expected = [
        format!("credits | 2000000000000000001.146913578 | 1000000000 | {as_of}"),
        format!("usd | 0 | 0 | {as_of}"),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn usage_is_summed_by_day_and_model_and_movements_by_month() {
    let (place, store, head) = taken().await;
    store.commit(&two_months(&head)).await.unwrap();
    let by_day = "select day, wallet, feature, model, unit, usages, charged, of_it_overage from usage_by_day \
                  order by day, wallet, model";
    let expected = [
        "2026-01-31 | wallet-0000 | completion | m0 | credits | 1 | 1 | 0",
        "2026-01-31 | wallet-0000 | completion | m1 | credits | 1 | 2.25 | 2.25",
        "2026-02-01 | wallet-0000 | completion | m0 | credits | 1 | 4 | 0",
        "2026-02-01 | wallet-0004 | completion | m1 | credits | 1 | 8 | 0",
    ];
    assert_eq!(show(&place, by_day).await, expected);
    let by_month = "select month, wallet, unit, kind, entries, amount from movements_by_month \
                    order by month, wallet, kind";
    let expected = [
        "2026-01-01 | wallet-0000 | credits | overage | 1 | 2.25",
        "2026-01-01 | wallet-0000 | credits | usage | 1 | 1.5",
        "2026-02-01 | wallet-0000 | credits | reversal | 1 | 0.5",
        "2026-02-01 | wallet-0000 | credits | usage | 1 | 4",
        "2026-02-01 | wallet-0004 | credits | late_usage | 1 | 8",
    ];
    assert_eq!(show(&place, by_month).await, expected);
    assert_eq!(
        show(&place, "select wallet, unit, month, open from overages").await,
        ["wallet-0000 | credits | 2026-01 | 2.25"]
    );
}

#[tokio::test]
async fn what_ends_and_what_was_sold_is_shown_with_its_worth() {
    let (place, store, head) = taken().await;
    let mut batch = empty(&head, 1);
    batch.wallets.push(wallet(0));
    let clock = batch.wallets[0].clock;
    let of = |name: &str, amounts: [&str; 6], origin: Option<&str>, ends_at| LotRow {
        issued: amounts[0].into(),
        remaining: amounts[1].into(),
        held: amounts[2].into(),
        consumed: amounts[3].into(),
        expired: amounts[4].into(),
        voided: "0".into(),
        rolled_over: "0".into(),
        returned: "0".into(),
        moved: "0".into(),
        cost: Some(amounts[5].into()),
        origin: origin.map(str::to_owned),
        ends_at,
        ..lot(0, name)
    };
    batch.lots = vec![
        of("bought", ["100", "30", "10", "60", "0", "20"], None, Some(clock + 1_000)),
        of("bought/1", ["10", "0", "0", "0", "10", "2"], Some("older"), Some(clock - 1)),
        of("never", ["50", "50", "0", "0", "0", "3"], None, None),
    ];
    batch.lots.push(LotRow {
        cost: None,
        currency: None,
        ..of("gift", ["5", "5", "0", "0", "0", "0"], None, None)
    });
    store.commit(&batch).await.unwrap();
    let ending = "select wallet, unit, category, lot, remaining, held, value, currency from expiry_schedule";
    assert_eq!(show(&place, ending).await, ["wallet-0000 | credits | paid | bought | 30 | 10 | 8 | USD"]);
    let sold = "select wallet, unit, category, currency, sold, earned, owed, lapsed from credits_sold";
    assert_eq!(show(&place, sold).await, ["wallet-0000 | credits | paid | USD | 23 | 12 | 11 | 2"]);
}

#[tokio::test]
async fn every_view_shows_something() {
    let (place, store, head) = taken().await;
    let mut batch = everything(&head);
    batch.lots.push(LotRow { ends_at: Some(i64::MAX), ..lot(0, "open") });
    batch.grants.push(GrantRow { expires_at: None, ..grant(0, "pack", 2) });
    batch.entries.push(EntryRow {
        kind: EntryKind::Usage.code(),
        lot: Some("open".into()),
        ..entry(2, 1, 0)
    });
    batch.entries.push(EntryRow { kind: EntryKind::Overage.code(), ..entry(2, 2, 0) });
    store.commit(&batch).await.unwrap();
    reckon(&place, &batch.head, &[cost(0, "2026-01-31", "0.5")]).await;
    let views = place.sql("select viewname from pg_views where schemaname = 'drawdown'").await;
    assert!(views.len() >= 19, "{}", views.len());
    for view in views.into_iter().flatten().flatten() {
        assert!(!place.sql(&format!("select * from {view}")).await.is_empty(), "{view} shows nothing");
    }
}

#[tokio::test]
async fn everything_has_a_comment() {
    let (place, _store, _head) = taken().await;
    let bare = "select c.relname, '' from pg_class c where relnamespace = 'drawdown'::regnamespace \
        and relkind in ('r', 'p', 'v') and obj_description(oid, 'pg_class') is null and relname <> '_sqlx_migrations' \
        union all select c.relname, attname from pg_class c join pg_attribute a on attrelid = c.oid \
        where relnamespace = 'drawdown'::regnamespace and relkind in ('r', 'p') and attnum > 0 \
        and not relispartition and relname <> '_sqlx_migrations' and col_description(c.oid, attnum) is null \
        union all select proname, '()' from pg_proc where pronamespace = 'drawdown'::regnamespace \
        and obj_description(oid, 'pg_proc') is null \
        union all select nspname, '' from pg_namespace where nspname = 'drawdown' \
        and obj_description(oid, 'pg_namespace') is null";
    assert_eq!(show(&place, bare).await, [""; 0]);
}
