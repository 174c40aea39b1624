//! `apply`.

use serde_json::{Value, json};

use crate::drawdown::{Drawdown, IMAGES, event};

fn counts(report: &Value) -> [u64; 3] {
    ["appended", "unchanged", "rejected"].map(|word| report[word].as_u64().unwrap())
}

/// What is in the log, to see that nothing was added.
fn positions(drawdown: &Drawdown) -> Value {
    drawdown.json(&["project"])["positions"].clone()
}

const TEAM: &str = r#"
kind: wallet
wallet: team
metadata: {plan: pro}
---
kind: grant
wallet: team
grant_id: welcome
unit: credits
amount: "100"
"#;

#[test]
fn the_same_again_changes_nothing() {
    let drawdown = Drawdown::new();
    drawdown.file("documents/b.yaml", IMAGES);
    let team = drawdown.file("documents/a.yaml", TEAM);
    let all = team.strip_suffix("/a.yaml").unwrap();
    assert_eq!(counts(&drawdown.json(&["apply", all])), [4, 0, 0], "in whatever order the files stand");
    let before = positions(&drawdown);
    assert_eq!(counts(&drawdown.json(&["apply", all])), [0, 4, 0]);
    assert_eq!(counts(&drawdown.json(&["apply", &team])), [0, 2, 0]);
    let other_words =
        IMAGES.replace(r#"[{unit: credits, amount: "1"}]"#, r#"[{amount: "1.00", "unit": "credits"}]"#);
    let other_words = drawdown.file("same.yaml", other_words);
    assert_eq!(counts(&drawdown.json(&["apply", &other_words])), [0, 2, 0], "compared by value");
    assert_eq!(positions(&drawdown), before, "nothing was appended");
}

#[test]
fn going_back_to_an_earlier_version_changes_it_again() {
    let drawdown = Drawdown::new();
    let one = drawdown.file("one.yaml", format!("{IMAGES}---{TEAM}"));
    let two = IMAGES.replace("\"1\"", "\"20\"") + "---" + &TEAM.replace("pro", "free");
    let two = drawdown.file("two.yaml", two);
    assert_eq!(counts(&drawdown.json(&["apply", &one])), [4, 0, 0]);
    for (file, expected) in [(&two, [2, 2, 0]), (&one, [2, 2, 0]), (&two, [2, 2, 0]), (&two, [0, 4, 0])] {
        assert_eq!(counts(&drawdown.json(&["apply", file])), expected, "price and wallet, back and forth");
    }
    drawdown.run_with(&["ingest", "-"], event(1, "team"));
    drawdown.json(&["project"]);
    let balance = drawdown.json(&["balance", "team"]);
    assert_eq!(balance["units"]["credits"]["available"], "80", "the last price counts: {balance}");
}

#[test]
fn a_mistake_names_file_line_and_field_and_nothing_is_appended() {
    let drawdown = Drawdown::new();
    let good = drawdown.file("good.yaml", IMAGES);
    let bad = drawdown.file("bad.yaml", TEAM.replace("\"100\"", "12.5"));
    let before = positions(&drawdown);
    let ran = drawdown.run(&["apply", &good, &bad]);
    ran.failed(3, &[&format!("{bad}:10: amount:"), "nothing was appended"]);
    let ran = drawdown.run(&["apply", &good, &bad, "--json"]);
    assert_eq!(counts(&ran.json()), [0, 0, 1]);
    let rejection = &ran.json()["rejections"][0];
    assert_eq!(
        (&rejection["file"], &rejection["line"], &rejection["field"]),
        (&json!(bad), &json!(10), &json!("amount"))
    );
    drawdown.run(&["apply", "/no/such/file"]).failed(3, &["/no/such/file"]);
    assert_eq!(positions(&drawdown), before);
}

#[test]
fn what_the_rules_refuse_is_told_before_anything_is_appended_and_can_be_mended() {
    let drawdown = Drawdown::new();
    let team = drawdown.file("team.yaml", TEAM);
    let before = positions(&drawdown);
    drawdown.run(&["apply", &team]).failed(
        3,
        &[
            &format!("{team}:6: grant welcome of team: no document publishes this unit"),
            "nothing was appended",
        ],
    );
    let card = drawdown.file("card.yaml", "{kind: wallet, wallet: \"team-{1..3}\", rate_card: gold}");
    let ran = drawdown.run(&["apply", &card, "--json"]);
    assert_eq!(counts(&ran.json()), [0, 0, 3]);
    assert_eq!(ran.json()["rejections"][0]["reason"], "unknown_rate_card");
    drawdown
        .run(&["apply", &card])
        .failed(3, &["wallet team-1 and 2 more: no document publishes this rate card"]);
    let price = drawdown.file("price.yaml", IMAGES.replace("unit: credits", "unit: points"));
    drawdown
        .run(&["apply", &price])
        .failed(3, &["price image", "\"points\"", "no document publishes this unit"]);
    assert_eq!(positions(&drawdown), before);

    let gold = drawdown.file("gold.yaml", "{kind: rate_card, name: gold}");
    let images = drawdown.file("images.yaml", IMAGES);
    let all = drawdown.json(&["apply", &card, &team, &gold, &images]);
    assert_eq!(counts(&all), [8, 0, 0], "with what was missing, all of it is taken");
}

#[test]
fn a_grant_is_never_edited() {
    let drawdown = Drawdown::new();
    let images = drawdown.file("images.yaml", IMAGES);
    let team = drawdown.file("team.yaml", TEAM);
    drawdown.json(&["apply", &images, &team]);
    let before = positions(&drawdown);
    let more = drawdown.file("more.yaml", TEAM.replace("\"100\"", "\"200\""));
    drawdown.run(&["apply", &more]).failed(3, &["more.yaml:6: grant welcome of team", "an id of its own"]);
    assert_eq!(positions(&drawdown), before);
}

#[test]
fn history_is_recorded_at_its_time_and_is_not_appended_twice() {
    let drawdown = Drawdown::new();
    let price = |time: &str, amount: &str| {
        format!(
            "---\nkind: price\nname: image\ntime: {time}\nmatch: {{type: image}}\ncharges: [{{unit: credits, amount: \"{amount}\"}}]\n"
        )
    };
    let wallet = |time: &str, plan: &str| {
        format!("---\nkind: wallet\nwallet: team\ntime: {time}\nmetadata: {{plan: {plan}}}\n")
    };
    let grant = "---\nkind: grant\nwallet: team\neffective_at: 2024-01-01T00:00:00Z\ngrant_id: g\nunit: credits\namount: \"100\"\n";
    let history = [
        "{kind: unit, name: credits, time: 2024-01-01T00:00:00Z}\n",
        &price("2024-01-01T00:00:00Z", "1"),
        &price("2024-02-01T00:00:00Z", "2"),
        &wallet("2024-01-01T00:00:00Z", "free"),
        &wallet("2024-02-01T00:00:00Z", "pro"),
        grant,
    ];
    let all = drawdown.file("history.yaml", history.concat());
    let part = drawdown.file("part.yaml", [history[0], history[1], history[3], grant].concat());

    drawdown.run(&["apply", &all]).failed(3, &["history.yaml:1: unit credits", "--backfill"]);
    let untimed = drawdown.file("untimed.yaml", IMAGES);
    drawdown
        .run(&["apply", "--backfill", &untimed])
        .failed(3, &["untimed.yaml:2: unit credits", "write its `time`"]);

    assert_eq!(counts(&drawdown.json(&["apply", "--backfill", &part])), [4, 0, 0]);
    assert_eq!(
        counts(&drawdown.json(&["apply", "--backfill", &all])),
        [2, 4, 0],
        "what is new of the history"
    );
    assert_eq!(counts(&drawdown.json(&["apply", "--backfill", &all])), [0, 6, 0]);
    let at = |time: &str| event(time, "team").replace("\"type\"", &format!("\"time\":\"{time}\",\"type\""));
    let input = [at("2024-01-15T00:00:00Z"), at("2024-02-15T00:00:00Z")].concat();
    drawdown.run_with(&["ingest", "--backfill", "-"], input);
    drawdown.json(&["project"]);
    let balance = drawdown.json(&["balance", "team"]);
    assert_eq!(balance["units"]["credits"]["available"], "97", "1 in January, 2 in February: {balance}");
}

#[test]
fn apply_works_beside_run() {
    let drawdown = Drawdown::new();
    let mut running = drawdown.start_projector(&["run"]);
    let images = drawdown.file("images.yaml", IMAGES);
    let team = drawdown.file("team.yaml", TEAM);
    assert_eq!(counts(&drawdown.json(&["apply", &images, &team])), [4, 0, 0]);
    assert_eq!(counts(&drawdown.json(&["apply", &images, &team])), [0, 4, 0]);
    let other = drawdown.file("other.yaml", TEAM.replace("\"100\"", "\"5\""));
    drawdown.run(&["apply", &other]).failed(3, &["an id of its own"]);
    assert!(!running.is_over());
    assert_eq!(running.stop("-TERM").code, Some(0));
}
