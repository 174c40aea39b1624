use crate::drawdown::Drawdown;
use crate::world::ok;

#[test]
fn the_demo_tells_its_story_and_proves_it() {
    let drawdown = Drawdown::new();
    let told = ok(drawdown.run(&["demo"]));
    for line in [
        "$ drawdown ingest --backfill january.ndjson          appended 52, refused 0",
        "$ drawdown project                                   applied 49, duplicate 3, unpriced 1",
        "  pack#1         500   500  2025-01-10 15:00Z  2026-01-10 15:00Z        60  paid at 0.04 USD        3rd: higher priority number than plan#1",
        "  visitor        0  credits        5         1  2025-02-04  unclaimed",
        "$ drawdown tick                                      due 2, appended 2",
        "  plan#1/1        284   284  2025-02-01         2025-03-01               50  included                2nd: higher priority number than promo#1",
        "  1:15:1  2025-02-01         repay        38  credits  lot:plan#2  overage            62  chat                   2025-01",
        "  late_usage        1     200",
    ] {
        assert!(told.lines().any(|told| told == line), "{line:?} is not in\n{told}");
    }
    assert!(told.contains("nothing diverges"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 150), "{told}");
}

#[test]
fn the_demo_can_be_looked_at_afterwards_where_nothing_was_before() {
    let drawdown = Drawdown::new();
    let data = drawdown.data();
    let report = drawdown.json(&["demo"]);
    assert_eq!((&report["verified"], report["scenes"].as_array().unwrap().len()), (&true.into(), 5));
    assert_eq!(drawdown.json(&["verify"])["records"], 85);
    assert!(data.join("studio.yaml").is_file());
    drawdown.run(&["demo"]).failed(1, &["is not empty", "a directory of its own"]);
}
