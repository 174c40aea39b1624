use serde_json::json;

use crate::corrections::{overdrawn, positions};
use crate::drawdown::Drawdown;

#[test]
fn the_folds_version_is_shown_and_only_rises() {
    let drawdown = overdrawn();
    assert_eq!(drawdown.json(&["fold-version"]), json!({"in_force": 2, "newest": 2, "raised": false}));
    drawdown.run(&["fold-version", "3"]).failed(3, &["this build knows versions up to 2"]);
    drawdown.run(&["fold-version", "1"]).failed(3, &["not_newer", "only rises"]);
    drawdown.run(&["fold-version", "x"]).failed(2, &["x"]);

    // A log of an earlier build.
    let exported = drawdown.run(&["log", "export"]).out;
    let older = Drawdown::new();
    older.import(exported.replace(r#"\"fold\":2"#, r#"\"fold\":1"#));
    assert_eq!(older.json(&["fold-version"])["in_force"], 1, "before anything is folded, genesis names it");
    let shown = older.run(&["fold-version"]).out;
    assert!(shown.contains("drawdown fold-version 2"), "{shown}");
    assert_eq!(older.json(&["fold-version", "2"]), json!({"in_force": 2, "newest": 2, "raised": true}));
    let before = positions(&older);
    assert_eq!(older.json(&["fold-version", "2"])["raised"], false);
    assert_eq!(positions(&older), before, "nothing was appended");
    assert_eq!(older.json(&["verify"])["verified"], true);
}
