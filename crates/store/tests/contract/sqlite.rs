//! What only a file can show: other builds, a full disk, readers beside the writer, the views.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::{Offset, Partition};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use store::{
    EntryKind, EntryRow, LotRow, OutcomeCode, RecordKind, RecordRow, SqliteStore, Store, StoreError,
};
use tempfile::TempDir;

use crate::fixtures::*;

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("projections.db");
    (dir, path)
}

async fn sql(path: &Path, statement: &str) -> Vec<Vec<Option<String>>> {
    use sqlx::{Row, ValueRef};
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let rows = sqlx::query(statement).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let cell = |row: &sqlx::sqlite::SqliteRow, at| {
        (!row.try_get_raw(at).unwrap().is_null()).then(|| row.get_unchecked::<String, _>(at))
    };
    rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect()).collect()
}

#[tokio::test]
async fn a_file_keeps_what_was_committed() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let batch = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&batch).await.unwrap();
    store.close().await.unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(rows(&store, FIRST).await, rows_of(&batch));
    let taken = store.acquire(FIRST, LOG).await.unwrap();
    assert_eq!(taken, raised(&taken, &batch.head));
}

#[tokio::test]
async fn no_epoch_is_given_out_again_by_an_older_copy() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let copied = store.acquire(FIRST, LOG).await.unwrap();
    store.close().await.unwrap();
    let copy = path.with_extension("copy");
    std::fs::copy(&path, &copy).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    let lost = store.acquire(FIRST, LOG).await.unwrap();
    let never_copied = store.acquire(Partition(1), LOG).await.unwrap();
    store.close().await.unwrap();

    tokio::time::sleep(Duration::from_millis(2)).await;
    std::fs::rename(&copy, &path).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.head(FIRST).await.unwrap(), Some(copied));
    let taken = store.acquire(FIRST, LOG).await.unwrap();
    assert_eq!(taken, raised(&taken, &lost));
    let taken = store.acquire(Partition(1), LOG).await.unwrap();
    assert_eq!(taken, raised(&taken, &never_copied));
}

#[tokio::test]
async fn a_removed_file_is_gone_with_its_log() {
    let (dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.acquire(FIRST, LOG).await.unwrap();
    store.close().await.unwrap();
    std::fs::write(dir.path().join("projections.db-wal"), "left over").unwrap();
    SqliteStore::remove(&path).await.unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    SqliteStore::remove(&path).await.unwrap();
    assert!(SqliteStore::open_read_only(&path).await.unwrap().is_none());
}

#[tokio::test]
async fn readers_see_commits_and_cannot_write() {
    let (_dir, path) = place();
    let writer = SqliteStore::open(&path).await.unwrap();
    let batch = everything(&writer.acquire(FIRST, LOG).await.unwrap());
    let reader = SqliteStore::open_read_only(&path).await.unwrap().unwrap();
    assert_eq!(reader.head(FIRST).await.unwrap().unwrap().next, Offset(0));
    writer.commit(&batch).await.unwrap();
    assert_eq!(rows(&reader, FIRST).await, rows_of(&batch));
    assert!(matches!(reader.acquire(FIRST, LOG).await, Err(StoreError::Database(_))));
    assert_eq!(writer.head(FIRST).await.unwrap(), Some(batch.head));
}

#[tokio::test]
async fn a_snapshot_sees_no_later_commit() {
    let (_dir, path) = place();
    assert!(SqliteStore::open_snapshot(&path).await.unwrap().is_none());
    let writer = SqliteStore::open(&path).await.unwrap();
    let batch = everything(&writer.acquire(FIRST, LOG).await.unwrap());
    let before = SqliteStore::open_snapshot(&path).await.unwrap().unwrap();
    writer.commit(&batch).await.unwrap();
    assert_eq!(before.head(FIRST).await.unwrap().unwrap().next, Offset(0));
    assert!(before.segments(FIRST).await.unwrap().is_empty());
    let after = SqliteStore::open_snapshot(&path).await.unwrap().unwrap();
    assert_eq!(rows(&after, FIRST).await, rows_of(&batch));
    assert!(before.all_wallets(FIRST, None, 10).await.unwrap().is_empty(), "however long it is open");
    assert!(matches!(before.acquire(FIRST, LOG).await, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn tables_of_another_build_are_refused() {
    let (_dir, path) = place();
    SqliteStore::open(&path).await.unwrap().close().await.unwrap();
    sql(&path, "update _sqlx_migrations set checksum = x'00' where version = 1").await;
    assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::OtherTables { version: 1 })));
    assert!(matches!(SqliteStore::open_read_only(&path).await, Err(StoreError::OtherTables { version: 1 })));

    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (9000, 'to come', 1, x'00', 0)";
    sql(&path, newer).await;
    let refused = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { version: 9000 }));
    assert!(refused.to_string().contains("use a newer build"));
    assert!(matches!(SqliteStore::open_read_only(&path).await, Err(StoreError::Newer { version: 9000 })));
}

#[tokio::test]
async fn tables_still_to_be_made_are_not_read() {
    let (_dir, path) = place();
    std::fs::write(&path, "").unwrap();
    assert!(matches!(SqliteStore::open_read_only(&path).await, Err(StoreError::Older { version: 1 })));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let (_dir, path) = place();
    std::fs::write(&path, "no database ".repeat(1000)).unwrap();
    assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_row_that_was_never_written_is_called_damage() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.acquire(FIRST, LOG).await.unwrap();
    sql(&path, "update head set chain = x'0102'").await;
    assert!(matches!(store.head(FIRST).await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_full_disk_changes_nothing() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let first = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&first).await.unwrap();
    let before = rows(&store, FIRST).await;

    store.limit_pages(120).await.unwrap();
    let large = usages(&first.head, 20_000, 50);
    for _ in 0..2 {
        let full = store.commit(&large).await.unwrap_err();
        assert!(matches!(full, StoreError::Full), "{full:?}");
        assert_eq!(rows(&store, FIRST).await, before);
    }
    store.limit_pages(1 << 20).await.unwrap();
    store.commit(&large).await.unwrap();
    assert_eq!(store.head(FIRST).await.unwrap(), Some(large.head));
}

#[tokio::test]
async fn a_commit_nobody_waits_for_is_whole_or_not_there() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let mut head = store.acquire(FIRST, LOG).await.unwrap();
    for micros in [0, 50, 200, 1_000, 5_000, 20_000] {
        let batch = usages(&head, 3_000, 50);
        let _ = tokio::time::timeout(Duration::from_micros(micros), store.commit(&batch)).await;
        // Another commit waits for the abandoned one's connection, so the head is settled after it.
        let again = store.commit(&batch).await;
        assert!(matches!(again, Ok(()) | Err(StoreError::Fenced { .. })), "{again:?}");
        head = batch.head;
        assert_eq!(store.head(FIRST).await.unwrap().as_ref(), Some(&head));
        let rows = rows(&store, FIRST).await;
        assert_eq!((rows.entries.len(), rows.records.len()), (head.next.0 as usize, head.next.0 as usize));
    }
}

#[tokio::test]
async fn the_entries_view_names_kinds_and_accounts() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 1);
    batch.wallets.push(wallet(0));
    batch.entries = (EntryKind::ALL.iter().zip(0..))
        .map(|(kind, line)| EntryRow {
            kind: kind.code(),
            lot: Some("a".into()),
            other_lot: Some("b".into()),
            amount: HUGE.into(),
            effective_at: 1_500_000_000,
            booked_at: 1_760_000_000_000_000_000,
            ..entry(0, line, 0)
        })
        .collect();
    store.commit(&batch).await.unwrap();

    let shown = sql(&path, "select kind, debit, credit from entries order by line").await;
    let shown: Vec<Vec<String>> = shown.into_iter().map(|row| row.into_iter().flatten().collect()).collect();
    let expected = [
        ["issue", "grants", "lot:a"],
        ["usage", "lot:a", "usage"],
        ["late_usage", "expired", "usage"],
        ["overage", "overage", "usage"],
        ["repay", "lot:a", "overage"],
        ["expire", "lot:a", "expired"],
        ["carry", "lot:a", "lot:b"],
        ["return", "lot:a", "lot:b"],
        ["return_expired", "expired", "lot:b"],
        ["bill", "billed", "overage"],
        ["forgive", "forgiven", "overage"],
        ["void", "lot:a", "voided"],
        ["reset", "lot:a", "expired"],
        ["reversal", "usage", "lot:a"],
        ["reverse_overage", "usage", "overage"],
        ["unrepay", "overage", "lot:a"],
        ["credit_due", "overage", "credit_due"],
        ["unforgive", "overage", "forgiven"],
        ["hold", "lot:a", "hold:b"],
        ["held_usage", "hold:b", "usage"],
        ["release", "hold:b", "lot:a"],
        ["hold_overdraft", "overdraft", "hold:b"],
        ["release_overdraft", "hold:b", "overdraft"],
    ];
    assert_eq!(shown, expected);
    assert_eq!(EntryKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>(), expected.map(|row| row[0]));

    let columns = "select wallet, position, amount, effective_at, booked_at from entries where line = 1";
    let shown: Vec<String> = sql(&path, columns).await.remove(0).into_iter().flatten().collect();
    assert_eq!(shown, ["wallet-0000", "0:0", HUGE, "1970-01-01T00:00:01.5Z", "2025-10-09T08:53:20Z"]);
}

#[tokio::test]
async fn the_outcome_views_name_kinds_and_outcomes() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 126);
    batch.wallets.push(wallet(0));
    for kind in RecordKind::ALL {
        for outcome in OutcomeCode::ALL {
            let offset = batch.records.len() as u64;
            let codes = RecordRow { kind: kind.code(), outcome: outcome.code(), ..usage(offset, 0) };
            batch.records.push(RecordRow { earlier: (offset == 29).then_some(Offset(3)), ..codes });
        }
    }
    store.commit(&batch).await.unwrap();

    let shown =
        sql(&path, "select kind, outcome from outcomes order by cast(substr(position, 3) as integer)").await;
    let told = OutcomeCode::ALL.iter().filter(|outcome| **outcome != OutcomeCode::None);
    let words = |kind: &RecordKind, outcome: &OutcomeCode| {
        vec![Some(kind.word().into()), Some(outcome.word().into())]
    };
    let expected: Vec<Vec<Option<String>>> = RecordKind::ALL
        .iter()
        .flat_map(|kind| told.clone().map(move |outcome| words(kind, outcome)))
        .collect();
    assert_eq!(shown, expected);
    let last = sql(&path, "select earlier, wallet from outcomes where position = '0:29'").await;
    assert_eq!(last, [[Some("0:3".into()), Some("wallet-0000".into())]]);

    let usage = sql(&path, "select outcome, data from usage order by id").await;
    assert_eq!(usage.len(), 2 * OutcomeCode::ALL.len(), "a settlement is usage too");
    assert_eq!(usage[0], [Some("none".into()), Some(r#"{"tokens":112}"#.into())]);
}

#[tokio::test]
async fn the_balances_view_adds_open_lots_exactly() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let mut batch = empty(&store.acquire(FIRST, LOG).await.unwrap(), 1);
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

    let shown = sql(&path, "select unit, available, held from balances order by unit").await;
    let shown: Vec<Vec<String>> = shown.into_iter().map(|row| row.into_iter().flatten().collect()).collect();
    assert_eq!(shown, [["credits", "2000000000000000001.146913578", "1000000000"], ["usd", "0", "0"]]);
}

#[tokio::test]
async fn every_view_can_be_read() {
    let (_dir, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.commit(&everything(&store.acquire(FIRST, LOG).await.unwrap())).await.unwrap();
    let views = sql(&path, "select name from sqlite_schema where type = 'view'").await;
    assert!(views.len() >= 9);
    for view in views.into_iter().flatten().flatten() {
        assert!(!sql(&path, &format!("select * from {view}")).await.is_empty(), "{view} shows nothing");
    }
}
