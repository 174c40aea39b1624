use eventlog::{Appending, Durability, EventLog, SqliteLog};
use ledger::Partition;
use serde_json::{Value, json};

use crate::drawdown::Drawdown;
use crate::world::{event, fill, ok, usage};

/// Every partition's offset, chain, digest and counts.
fn heads(drawdown: &Drawdown) -> Value {
    drawdown.json(&["verify"])["partitions"].clone()
}

/// A world in four partitions, with a timer and bytes that are no record.
async fn rich() -> Drawdown {
    let drawdown = Drawdown::new();
    fill(&drawdown);
    let short = "
{kind: grant, wallet: bea, time: 2025-01-01T00:00:00Z, grant_id: short, unit: credits, amount: \"3\",
 expires_at: 2025-03-01T00:00:00Z}
";
    let file = drawdown.file("short.yaml", short);
    ok(drawdown.run(&["apply", "--backfill", &file]));
    ok(drawdown.run(&["project"]));
    assert_eq!(drawdown.json(&["tick"])["appended"], 1);
    let log = SqliteLog::open(&drawdown.data().join("log.db"), Durability::Power).await.unwrap().unwrap();
    let bytes = vec![0xff, 0x00, b'\n'];
    log.append(vec![Appending { partition: Partition(2), bytes }]).await.unwrap();
    log.close().await.unwrap();
    ok(drawdown.run(&["project"]));
    drawdown
}

#[tokio::test]
async fn a_whole_log_goes_out_and_in_again_with_the_same_proof() {
    let drawdown = rich().await;
    let exported = ok(drawdown.run(&["log", "export"]));
    let records = exported.lines().count();
    assert!(exported.contains(r#""record_base64":"/wAK"}"#), "{exported}");
    let first: Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    assert_eq!((&first["partition"], &first["offset"]), (&json!(0), &json!(0)));
    assert!(first["record"].as_str().unwrap().contains(r#""type":"genesis""#), "{first}");

    let copy = Drawdown::new();
    let imported: Value = copy.run_with(&["log", "import", "-", "--json"], &exported).json();
    let log = drawdown.json(&["verify"])["log"].clone();
    assert_eq!(imported, json!({"log": log, "partitions": 4, "records": records, "of": null}));
    assert_eq!(ok(copy.run(&["log", "export"])), exported);
    ok(copy.run(&["project"]));
    assert_eq!(heads(&copy), heads(&drawdown));
    assert_eq!(ok(copy.run(&["log", "export"])), exported, "to fold a copy appends nothing to it");

    let mut lines: Vec<&str> = exported.lines().collect();
    lines.sort_by_key(|line| {
        line.split(':').nth(2).unwrap().split(',').next().unwrap().parse::<u64>().unwrap()
    });
    let mixed = Drawdown::new();
    ok(mixed.run_with(&["log", "import", "-"], lines.join("\n")));
    assert_eq!(ok(mixed.run(&["log", "export"])), exported, "partitions may come mixed");
}

#[tokio::test]
async fn a_wallets_slice_is_a_log_of_its_own_with_the_same_wallet() {
    let drawdown = rich().await;
    for wallet in ["acme", "bea"] {
        let slice = ok(drawdown.run(&["log", "export", "--wallet", wallet]));
        let copy = Drawdown::new();
        let file = copy.file("slice.ndjson", &slice);
        let imported = copy.json(&["log", "import", &file]);
        assert_eq!((&imported["partitions"], &imported["of"]["wallet"]), (&json!(1), &json!(wallet)));
        let again = Drawdown::new();
        assert_eq!(again.json(&["log", "import", &file]), imported, "the id follows from log and wallet");
        ok(copy.run(&["project"]));

        let of = |drawdown: &Drawdown| {
            let units = drawdown.json(&["balance", wallet])["units"].clone();
            let mut entries = drawdown.json(&["ledger", wallet])["entries"].clone();
            for entry in entries.as_array_mut().unwrap() {
                entry["partition"].take();
                entry["offset"].take();
            }
            (units, entries, drawdown.json(&["usage", wallet, "--sums"])["total"].clone())
        };
        assert_eq!(of(&drawdown), of(&copy));
        assert_eq!(digest(&drawdown, wallet).await, digest(&copy, wallet).await);
        assert_eq!(copy.json(&["verify"])["verified"], true);
        let genesis = ok(copy.run(&["log", "export", "--to", "0:1"]));
        let taken = format!(
            "\\\"of\\\":{{\\\"log\\\":{},\\\"partition\\\"",
            escaped(&drawdown.json(&["verify"])["log"])
        );
        assert!(genesis.contains(&taken), "{genesis} names not {taken}");
    }
}

fn escaped(text: &Value) -> String {
    text.to_string().replace('"', "\\\"")
}

/// A wallet's digest, from the table.
async fn digest(drawdown: &Drawdown, wallet: &str) -> Vec<u8> {
    use sqlx::Connection;
    let path = drawdown.data().join("projections.db");
    let mut connection =
        sqlx::SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query_scalar("select digest from wallet where id = ?")
        .bind(wallet)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[test]
fn a_stretch_of_one_partition_is_exported_by_position() {
    let drawdown = Drawdown::new();
    fill(&drawdown);
    let whole = ok(drawdown.run(&["log", "export"]));
    let of = |partition: u32| -> Vec<&str> {
        whole.lines().filter(|line| line.starts_with(&format!("{{\"partition\":{partition},"))).collect()
    };
    let export = |args: &[&str]| ok(drawdown.run(&[&["log", "export"], args].concat()));
    assert_eq!(export(&["--from", "1:2", "--to", "1:4"]).lines().collect::<Vec<_>>(), of(1)[2..4]);
    assert_eq!(export(&["--from", "1:2"]).lines().collect::<Vec<_>>(), of(1)[2..]);
    assert_eq!(export(&["--to", "3:1"]).lines().collect::<Vec<_>>(), of(3)[..1]);
    drawdown.run(&["log", "export", "--from", "1:2", "--to", "2:4"]).failed(1, &["name two partitions"]);
    drawdown.run(&["log", "export", "--from", "9:0"]).failed(1, &["no partition 9: the log has 4"]);
    drawdown.run(&["log", "export", "--from", "1:999"]).failed(1, &["ends at offset"]);
    drawdown.run(&["log", "export", "--from", "1"]).failed(2, &["partition:offset"]);
    drawdown
        .run(&["log", "export", "--wallet", "nobody"])
        .failed(1, &["no record names the wallet `nobody`"]);
}

#[test]
fn what_is_no_log_is_refused_and_leaves_nothing() {
    let drawdown = Drawdown::new();
    fill(&drawdown);
    let whole = ok(drawdown.run(&["log", "export"]));
    let lines: Vec<&str> = whole.lines().collect();
    let refused = |lines: &[&str], says: &[&str]| {
        let copy = Drawdown::new();
        copy.run_with(&["log", "import", "-"], lines.join("\n")).failed(1, says);
        assert_eq!(std::fs::read_dir(copy.data()).unwrap().count(), 0);
    };
    let without = |gone: usize| [&lines[..gone], &lines[gone + 1..]].concat();
    refused(&without(2), &["goes from offset 2 to 3", "Export the whole log, or one wallet with --wallet"]);
    refused(&without(0), &["line 1: partition 0 begins at offset 1", "from its genesis on"]);
    let part = lines.iter().filter(|line| !line.starts_with("{\"partition\":3")).copied().collect::<Vec<_>>();
    refused(&part, &["there are 3 of the log's 4 partitions"]);
    refused(&[&lines[..3], &lines[2..]].concat(), &["line 4: the record at 0:2 stands behind", "or twice"]);
    refused(
        &[&lines[..3], &["{\"partition\":0,\"offset\":3}"]].concat(),
        &["line 4", "has neither `record` nor"],
    );
    refused(
        &[&lines[..3], &["{\"partition\":0,"]].concat(),
        &["line 4: is no line of `drawdown log export`"],
    );
    refused(
        &["{\"partition\":0,\"offset\":0,\"record\":\"{}\"}"],
        &["line 1: the record at 0:0 is no genesis"],
    );
    refused(&[], &["there are no records in it"]);

    let other = Drawdown::new();
    fill(&other);
    let strange = ok(other.run(&["log", "export", "--from", "3:0"]));
    let two: Vec<&str> = part.iter().copied().chain(strange.lines()).collect();
    refused(&two, &["the partitions are of two logs"]);
    let file = drawdown.file("log.ndjson", &whole);
    drawdown.run(&["log", "import", &file]).failed(1, &["there is a log in", "into another directory"]);
    Drawdown::new()
        .run(&["log", "import", "/nowhere/log.ndjson"])
        .failed(1, &["/nowhere/log.ndjson cannot be read"]);
}

#[test]
fn an_imported_log_is_appended_to_like_any_other() {
    let drawdown = Drawdown::new();
    fill(&drawdown);
    let copy = Drawdown::new();
    let slice = ok(drawdown.run(&["log", "export", "--wallet", "acme"]));
    ok(copy.run_with(&["log", "import", "-"], slice));
    let more = usage() + &event("new", "acme", "image.generated", "2025-02-01T00:00:00Z", "{}");
    ok(copy.run_with(&["ingest", "--backfill", "-"], more));
    let report = copy.json(&["project"]);
    assert_eq!(report["duplicate"], 7, "all but one of acme's events were in the slice: {report}");
    assert_eq!(copy.json(&["verify"])["verified"], true);
}
