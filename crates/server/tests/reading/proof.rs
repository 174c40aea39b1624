use crate::drawdown::Drawdown;
use crate::world::{DOCUMENTS, check, event, fill, ok, world};

#[test]
fn verify_says_what_was_compared() {
    let drawdown = world();
    let shown = ok(drawdown.run(&["verify"]));
    assert!(
        shown.ends_with(
            "\
verified: 19 records folded again, 64 rows compared, nothing diverges
applied 16 (unpriced 1), duplicate 1, conflicting 1, rejected 0, quarantined 0, timers 0
"
        ),
        "{shown}"
    );
    let report = drawdown.json(&["verify"]);
    assert_eq!(
        (&report["verified"], &report["divergence"], &report["behind"]),
        (&true.into(), &().into(), &0.into())
    );
    assert_eq!(report["partitions"][0]["digest"].as_str().unwrap().len(), 64);

    ok(drawdown
        .run_with(&["ingest", "-"], event("new", "acme", "image.generated", "2025-02-01T00:00:00Z", "{}")));
    assert_eq!(drawdown.json(&["verify"])["behind"], 1);
    Drawdown::new().run(&["verify"]).failed(1, &["there is no log"]);
}

#[test]
fn verify_and_a_shadow_work_beside_a_projector_that_goes_on() {
    let drawdown = Drawdown::new();
    let documents = drawdown.file("world.yaml", DOCUMENTS);
    ok(drawdown.run(&["apply", "--backfill", &documents]));
    let running = drawdown.start_projector(&["run"]);
    for round in 0..8 {
        let mut events = String::new();
        for n in 0..2_000 {
            let wallet = format!("w{}", n % 50);
            let data = r#"{"input_tokens":1001,"output_tokens":7}"#;
            events +=
                &event(&format!("{round}-{n}"), &wallet, "llm.completion", "2025-02-01T00:00:00Z", data);
        }
        let events = drawdown.file("events.ndjson", events);
        let ingest = drawdown.start(&["ingest", &events]);
        let verified = drawdown.json(&["verify"]);
        assert_eq!(verified["verified"], true, "{verified}");
        let shadow = drawdown.json(&["rebuild", "--shadow"]);
        assert_eq!(shadow["equal"], true, "{shadow}");
        assert_eq!(ingest.end().code, Some(0));
    }
    drawdown.run(&["rebuild"]).failed(5, &["another projector", "stop it"]);
    assert_eq!(running.stop("-TERM").code, Some(0));
    assert_eq!(drawdown.json(&["verify"])["verified"], true);
}

#[test]
fn a_rebuild_comes_out_the_same_and_appends_nothing() {
    let drawdown = Drawdown::new();
    fill(&drawdown);
    let more = "\nkind: unit\nname: tokens\n";
    let file = drawdown.file("more.yaml", more);
    ok(drawdown.run(&["apply", &file]));
    let (before, log) = (drawdown.json(&["verify"]), ok(drawdown.run(&["log", "export"])));
    let shadow = drawdown.json(&["rebuild", "--shadow"]);
    assert_eq!(shadow["partitions"][2]["digest"], before["partitions"][2]["digest"]);
    assert!(!drawdown.data().join("projections.shadow.db").exists());

    std::fs::write(drawdown.data().join("projections.db"), b"this is no database, and it is dropped")
        .unwrap();
    let rebuilt = drawdown.json(&["rebuild"]);
    assert_eq!(
        rebuilt["applied"],
        before["partitions"].as_array().unwrap().iter().map(|p| p["applied"].as_u64().unwrap()).sum::<u64>()
    );
    assert_eq!(drawdown.json(&["verify"]), before);
    assert_eq!(ok(drawdown.run(&["log", "export"])), log);
    Drawdown::new().run(&["rebuild"]).failed(1, &["there is no log"]);
}

#[test]
fn a_shadow_shows_digests_and_chains() {
    let drawdown = Drawdown::new();
    ok(drawdown.run(&["init", "--partitions", "1"]));
    drawdown.run(&["rebuild", "--shadow"]).failed(1, &["nothing has been folded", "drawdown project"]);
    ok(drawdown.run(&["project"]));
    let chain = drawdown.json(&["verify"])["partitions"][0]["chain"].as_str().unwrap()[..16].to_owned();
    check(
        &drawdown,
        &["rebuild", "--shadow"],
        &format!(
            "  \
  partition  records  digest            chain             live
          0        1  0000000000000000  {chain}  equal
the live projections are what the log says
"
        ),
    );
}

#[test]
fn projections_of_another_log_are_not_shown() {
    let (one, other) = (world(), world());
    for file in ["projections.db", "projections.db-wal"] {
        // The log that is written ahead is gone when all of it is in the file.
        let _ = std::fs::remove_file(one.data().join(file));
        let _ = std::fs::copy(other.data().join(file), one.data().join(file));
    }
    for command in [&["balance", "acme"][..], &["wallets"], &["usage"], &["verify"], &["project"]] {
        one.run(command).failed(6, &["log"]);
    }
    ok(one.run(&["rebuild"]));
    assert_eq!(one.json(&["verify"])["verified"], true);
}

#[test]
fn what_was_never_folded_is_told() {
    let drawdown = Drawdown::new();
    ok(drawdown.run_with(&["ingest", "-"], event("a", "acme", "image", "2025-02-01T00:00:00Z", "{}")));
    let shown = ok(drawdown.run(&["wallets"]));
    assert_eq!(shown, "no wallets\n5 records are not folded yet: run `drawdown project`\n");
    drawdown.run(&["balance", "acme"]).failed(1, &["2 records are not folded yet: run `drawdown project`"]);
    assert_eq!(drawdown.json(&["usage"])["total"]["count"], 0);
    drawdown.run(&["verify"]).failed(1, &["nothing has been folded", "run `drawdown project`"]);
}
