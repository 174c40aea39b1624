use serde_json::{Value, json};

use crate::world::{check, timeless, world};

#[test]
fn wallets_are_listed_with_what_they_have() {
    let drawdown = world();
    check(
        &drawdown,
        &["wallets"],
        "  \
  wallet    balance  unit         overage  unpriced  next due
  acme    489.99925  credits                      1  2100-01-01
               12.5  gpu_minutes
  bea             0  credits           12                        unclaimed
",
    );
    let mut first = drawdown.json(&["wallets", "--limit", "1"]);
    first["wallets"][0] = timeless(first["wallets"][0].take());
    let expected = r#"{"wallets":[{"wallet":"acme","as_of":{"partition":0,"offset":19,"time":null},"claimed":true,
        "unpriced":1,"next_due_at":"2100-01-01T00:00:00Z","units":{
        "credits":{"balance":"489.99925","held":"0","overage":"0","available":"489.99925"},
        "gpu_minutes":{"balance":"12.5","held":"0","overage":"0","available":"12.5"}}}],"next":"acme","behind":0}"#;
    assert_eq!(first, serde_json::from_str::<Value>(expected).unwrap());

    let ids = |args: &[&str]| {
        let wallets = drawdown.json(&[&["wallets"], args].concat())["wallets"].clone();
        Value::from_iter(wallets.as_array().unwrap().iter().map(|wallet| wallet["wallet"].clone()))
    };
    assert_eq!(ids(&["--after", "acme"]), json!(["bea"]));
    assert_eq!(ids(&["--prefix", "b"]), json!(["bea"]));
    assert_eq!(ids(&["--claimed"]), json!(["acme"]));
    assert_eq!(ids(&["--unclaimed"]), json!(["bea"]));
    assert_eq!(ids(&["--prefix", "zebra"]), json!([]));
}

#[test]
fn grants_are_listed_with_what_became_of_them() {
    let drawdown = world();
    check(
        &drawdown,
        &["grants", "acme"],
        "\
acme, grants at NOW
  grant  each lot  unit         category     from        lots  issued  remaining  consumed  expired
  plan        110  credits      included     2025-01-01     1     110          0       110        0
  pack        500  credits      paid         2025-01-02     1     500  489.99925  10.00075        0
  promo        35  credits      promotional  2025-01-03     1      35          0        35        0
  gpu        12.5  gpu_minutes  paid         2025-01-04     1    12.5       12.5         0        0
",
    );
    let page = timeless(drawdown.json(&["grants", "acme", "--limit", "1"]));
    let expected = r#"{"wallet":"acme","as_of":{"partition":0,"offset":19,"time":null},"grants":[
        {"grant":"plan","partition":0,"offset":7,"unit":"credits","amount":"110","category":"included",
         "priority":50,"effective_at":"2025-01-01T00:00:00Z","lots":1,"issued":"110","remaining":"0","held":"0",
         "consumed":"110","expired":"0","voided":"0","moved":"0","next_lot":null,
         "terms":{"grant_id":"plan","unit":"credits","amount":"110","priority":50,"category":"included",
                  "expires_at":"2100-01-01T00:00:00Z"}}],"next":7,"behind":0}"#;
    assert_eq!(page, serde_json::from_str::<Value>(expected).unwrap());
    let rest = drawdown.json(&["grants", "acme", "--after", "7"]);
    assert_eq!((rest["grants"].as_array().unwrap().len(), &rest["next"]), (3, &Value::Null));
}
