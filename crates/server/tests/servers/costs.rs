use std::process::Command;

use serde_json::json;

use crate::drawdown::{Drawdown, Ran};
use crate::world::{ok, world};

const MARGIN: &str = "select month::text || ' ' || wallet || ' ' || currency || ' ' || earned || ' ' || coalesce(cost::text, '-') \
     || ' ' || coalesce(margin::text, '-') || ' ' || coalesce(as_of, '-') from cost_and_margin order by month, wallet";

#[test]
fn what_usage_cost_is_reckoned_from_records_and_stands_beside_what_was_earned() {
    let drawdown = world();
    let place = drawdown.place();
    // 10.00075 of the 500 that cost 20 USD were used.
    assert_eq!(place.sql(MARGIN), ["2025-01-01 acme USD 0.40003 - - -"]);
    assert_eq!(ok(drawdown.run(&["costs"])), "6 usages cost 0.56 USD\n");
    let before = ["2025-01-01 acme USD 0.40003 0.53 -0.12997 0:19", "2025-01-01 bea USD 0 0.03 -0.03 0:19"];
    assert_eq!(place.sql(MARGIN), before);
    let by_day = "select day::text || ' ' || wallet || ' ' || feature || ' ' || model || ' ' || usages || ' ' || cost \
                  from vendor_cost_by_day order by day";
    let days = [
        "2025-01-10 acme llm.completion small 1 0.03",
        "2025-01-12 acme llm.completion large 1 0.5",
        "2025-01-20 bea llm.completion small 1 0.03",
    ];
    assert_eq!(place.sql(by_day), days);

    ok(drawdown.run(&["reverse", "acme", "a4", "--reason", "it failed"]));
    ok(drawdown.run(&["project"]));
    let again = drawdown.json(&["costs"]);
    let expected = json!({"partitions": [{"partition": 0, "next": 20}], "usages": 5, "vendor_cost": {"USD": "0.06"}, "behind": 0});
    assert_eq!(again, expected);
    let after = ["2025-01-01 acme USD 0 0.03 -0.03 0:20", "2025-01-01 bea USD 0 0.03 -0.03 0:20"];
    assert_eq!(place.sql(MARGIN), after);
}

#[test]
fn in_a_directory_costs_are_kept_nowhere_and_it_says_where_to_see_them() {
    let drawdown = Drawdown::without_log();
    for args in [&["init"][..], &["costs"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drawdown"));
        command.arg("--data").arg(drawdown.data()).args(args);
        command.env_remove("DRAWDOWN_LOG").env_remove("DRAWDOWN_STORE");
        let ran = Ran::from(command.output().unwrap());
        match args[0] {
            "init" => drop(ok(ran)),
            _ => ran.failed(1, &["--store postgres://", "drawdown usage --all --by day"]),
        }
    }
}
