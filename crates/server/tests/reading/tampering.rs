//! Whatever is changed in the files, the proof finds it.

use serde_json::Value;
use sqlx::{Connection, SqliteConnection};

use crate::drawdown::Drawdown;
use crate::world::{fill, ok, world};

/// Changes a database behind the program's back.
async fn tamper(drawdown: &Drawdown, database: &str, sql: &str) {
    let path = drawdown.data().join(database);
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let done = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    assert!(done.rows_affected() > 0, "{sql} changes nothing");
    connection.close().await.unwrap();
}

/// What `verify` finds after a change to the projections of a world of one partition.
async fn found(sql: &str) -> Value {
    let drawdown = world();
    tamper(&drawdown, "projections.db", sql).await;
    let divergence = divergence(&drawdown);
    ok(drawdown.run(&["rebuild"]));
    ok(drawdown.run(&["verify"]));
    divergence
}

fn divergence(drawdown: &Drawdown) -> Value {
    let ran = drawdown.run(&["verify", "--json"]);
    assert_eq!(ran.code, Some(4), "{}{}", ran.out, ran.err);
    let report = ran.json();
    assert_eq!(report["verified"], false);
    report["divergence"].clone()
}

async fn check(sql: &str, table: &str, offset: u64, expected: &str, found_there: &str) {
    let divergence = found(sql).await;
    assert_eq!(
        (divergence["table"].as_str(), divergence["offset"].as_u64()),
        (Some(table), Some(offset)),
        "{sql}"
    );
    let holds = |side: &str, text: &str| divergence[side].as_str().unwrap().contains(text);
    assert!(holds("expected", expected) && holds("found", found_there), "{sql}: {divergence}");
}

#[tokio::test]
async fn a_changed_row_is_found_in_every_table() {
    check(
        "update entry set amount = '13' where offset = 11",
        "entry",
        11,
        "amount: \"12\"",
        "amount: \"13\"",
    )
    .await;
    check("delete from entry where offset = 13 and line = 1", "entry", 13, "amount: \"5\"", "no row").await;
    check("update record set outcome = 1 where offset = 15", "record", 15, "outcome: 2", "outcome: 1").await;
    check("update record set data = '{}' where offset = 12", "record", 12, "pro", "Some(\"{}\")").await;
    // What is kept by key diverges with the wallet's last record.
    let doc = "update wallet set doc = replace(doc, '489.99925', '500') where id = 'acme'";
    check(doc, "wallet", 17, "489.99925", "500").await;
    check(
        "update wallet set next_due_at = 5 where id = 'bea'",
        "wallet",
        18,
        "next_due_at: Some(1738627200",
        "next_due_at: Some(5)",
    )
    .await;
    check("update lot set remaining = '1' where lot = 'pack#1'", "lot", 17, "489.99925", "remaining: \"1\"")
        .await;
    check("delete from lot where lot = 'plan#1'", "lot", 17, "plan#1", "no row").await;
    check(
        "update grant set amount = '9' where grant = 'promo'",
        "grant",
        9,
        "amount: \"35\"",
        "amount: \"9\"",
    )
    .await;
    check("delete from id_open", "id", 1, "IdRow", "no row").await;
    let extra = "insert into quarantine values (0, 3, zeroblob(32), 'none')";
    check(extra, "quarantine", 3, "no row", "none").await;
    check("update head set digest = zeroblob(32)", "head", 18, "digest", "digest: [0, 0").await;
    check("update head set applied = 17", "head", 18, "applied: 16", "applied: 17").await;
}

#[tokio::test]
async fn a_divergence_is_shown_with_both_rows_and_the_record() {
    let drawdown = world();
    tamper(&drawdown, "projections.db", "update entry set amount = '13' where offset = 11").await;
    let ran = drawdown.run(&["verify"]);
    assert_eq!(ran.code, Some(4));
    let (shown, record) = ran.out.split_once("  the record\n").unwrap();
    assert_eq!(
        shown,
        "\
the first record that diverges is 0:11: the table `entry` does
  amount
    the log says  \"12\"
    stored is     \"13\"
"
    );
    assert!(record.contains(r#""id":"a1","source":"app","type":"usage","wallet":"acme""#), "{record}");
    assert!(record.ends_with("`drawdown rebuild` makes the projections again from the log\n"), "{record}");
    let shadow = drawdown.json(&["rebuild", "--shadow"]);
    assert_eq!(shadow["equal"], true, "an entry is in no digest: {shadow}");
}

#[tokio::test]
async fn a_shadow_finds_what_is_in_chain_digest_and_counts() {
    let drawdown = world();
    tamper(&drawdown, "projections.db", "update head set digest = zeroblob(32), unpriced = 2").await;
    let ran = drawdown.run(&["rebuild", "--shadow", "--json"]);
    assert_eq!(
        (ran.code, &ran.json()["partitions"][0]["differs"]),
        (Some(4), &serde_json::json!(["digest", "counts"]))
    );
    assert!(drawdown.run(&["rebuild", "--shadow"]).out.contains("differs: digest, counts"));
}

/// A record's bytes changed in the log itself, to others of the same length.
async fn rewrite(drawdown: &Drawdown, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let path = drawdown.data().join("log.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as("select partition, first, records from segment")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut changed = 0;
    for (partition, first, mut bytes) in rows {
        let at = bytes.windows(from.len()).position(|bytes| bytes == from.as_bytes());
        let Some(at) = at else { continue };
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        let update = "update segment set records = ? where partition = ? and first = ?";
        sqlx::query(update).bind(bytes).bind(partition).bind(first).execute(&mut connection).await.unwrap();
        changed += 1;
        break;
    }
    assert_eq!(changed, 1, "{from} is in no record");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_record_that_was_edited_in_the_log_is_found() {
    let drawdown = world();
    rewrite(&drawdown, r#""size":{"width":640}"#, r#""size":{"width":641}"#).await;
    let found = divergence(&drawdown);
    assert_eq!((found["table"].as_str(), found["offset"].as_u64()), (Some("record"), Some(12)), "{found}");
    assert!(found["record"].as_str().unwrap().contains("641"));

    let drawdown = world();
    rewrite(&drawdown, r#""input_tokens":12000"#, r#""input_tokens":92000"#).await;
    assert_eq!(divergence(&drawdown)["offset"], 11);

    // Nothing that is stored shows this but the chain over the raw bytes.
    let drawdown = world();
    rewrite(&drawdown, r#""by":"operator:backfill""#, r#""by":"operator:backfalL""#).await;
    let found = divergence(&drawdown);
    assert_eq!((found["table"].as_str(), found["offset"].as_u64()), (Some("head"), Some(18)), "{found}");
    let shown = drawdown.run(&["verify"]).out;
    assert!(
        shown
            .starts_with("partition 0 diverges somewhere up to the record at 0:18: its head does\n  chain\n"),
        "{shown}"
    );
}

#[tokio::test]
async fn of_several_partitions_the_lowest_offset_is_named() {
    let drawdown = Drawdown::new();
    fill(&drawdown);
    let entries = "update entry set available_after = '7'";
    tamper(&drawdown, "projections.db", entries).await;
    let found = divergence(&drawdown);
    let path = drawdown.data().join("projections.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let lowest: i64 =
        sqlx::query_scalar("select min(offset) from entry").fetch_one(&mut connection).await.unwrap();
    assert_eq!((found["table"].as_str(), found["offset"].as_i64()), (Some("entry"), Some(lowest)), "{found}");
}
