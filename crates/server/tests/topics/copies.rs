//! `log copy`: the same log elsewhere, a larger one, and one without a record.

use serde_json::{Value, json};

use crate::drawdown::{Drawdown, IMAGES, event};
use crate::topic::fresh;

const GRANTS: &str = "
{kind: grant, wallet: team-1, grant_id: once, unit: credits, amount: \"300\"}
---
{kind: grant, wallet: team-2, grant_id: once, unit: credits, amount: \"100\"}
";

/// A log in four partitions whose prices change between usages.
fn world() -> Drawdown {
    let drawdown = Drawdown::new();
    drawdown.json(&["init"]);
    let apply = |name: &str, text: &str| {
        let file = drawdown.file(name, text);
        drawdown.json(&["apply", &file]);
    };
    let ingest = |from: u32| {
        let lines: String = (from..from + 900).map(|n| event(n, &format!("team-{}", n % 40))).collect();
        let file = drawdown.file("usage.ndjson", lines);
        drawdown.json(&["ingest", &file]);
    };
    apply("one.yaml", IMAGES);
    apply("grants.yaml", GRANTS);
    ingest(0);
    apply("two.yaml", &IMAGES.replace("\"1\"", "\"2.5\""));
    ingest(900);
    apply("three.yaml", &IMAGES.replace("\"1\"", "\"0.125\""));
    ingest(1_700);
    drawdown.json(&["project"]);
    drawdown
}

/// Every partition's offset, chain, digest and counts.
fn heads(drawdown: &Drawdown, place: &[&str]) -> Value {
    drawdown.json(&[place, &["project"]].concat());
    drawdown.json(&[place, &["verify"]].concat())["partitions"].clone()
}

/// The sum of the partitions' digests, which is that of all wallets, however they are spread.
fn wallets(heads: &Value) -> [u8; 32] {
    let mut sum = [0; 32];
    for head in heads.as_array().unwrap() {
        let digest = head["digest"].as_str().unwrap();
        let mut carry = 0;
        for at in (0..32).rev() {
            let byte = u16::from_str_radix(&digest[2 * at..2 * at + 2], 16).unwrap();
            carry += u16::from(sum[at]) + byte;
            sum[at] = carry.to_le_bytes()[0];
            carry >>= 8;
        }
    }
    sum
}

#[test]
fn a_copy_with_as_many_partitions_is_the_same_log_and_can_be_gone_on_with() {
    let drawdown = world();
    let to = format!("kafka://{}/{}", services::kafka(), fresh("copy"));
    let copied = drawdown.json(&["log", "copy", "--to", &to]);
    assert_eq!((&copied["copied"], &copied["partitions"]), (&Value::Null, &json!(4)));
    let copy = Drawdown::new();
    assert_eq!(heads(&copy, &["--log", &to]), heads(&drawdown, &[]));

    let file = drawdown.file("more.ndjson", event("more", "team-1"));
    drawdown.json(&["ingest", &file]);
    let more = drawdown.json(&["log", "copy", "--to", &to]);
    assert_eq!(more["records"].as_u64(), copied["records"].as_u64().map(|records| records + 1));
    assert_eq!(heads(&copy, &["--log", &to]), heads(&drawdown, &[]), "the copy was gone on with");

    let back = Drawdown::new();
    copy.json(&["--log", &to, "log", "copy", "--to", back.data().to_str().unwrap()]);
    assert_eq!(heads(&back, &[]), heads(&drawdown, &[]));
    let again = copy.run(&["--log", &to, "log", "copy", "--to", back.data().to_str().unwrap()]);
    again.failed(1, &["is there already"]);
    drawdown.json(&["ingest", &drawdown.file("more.ndjson", event("yet more", "team-1"))]);
    copy.json(&["--log", &to, "ingest", &drawdown.file("other.ndjson", event("other", "team-1"))]);
    drawdown.run(&["log", "copy", "--to", &to]).failed(1, &["has another record at offset"]);
}

#[test]
fn a_copy_with_another_number_of_partitions_has_the_same_wallets() {
    let drawdown = world();
    let expected = wallets(&heads(&drawdown, &[]));
    let to = format!("kafka://{}/{}", services::kafka(), fresh("copy"));
    let copied = drawdown.json(&["log", "copy", "--to", &to, "--partitions", "7"]);
    let id = drawdown.json(&["verify"])["log"].clone();
    assert_eq!(copied["copied"], json!({"log": id, "partitions": 4}));
    let larger = Drawdown::new();
    let there = heads(&larger, &["--log", &to]);
    assert_eq!((there.as_array().unwrap().len(), wallets(&there)), (7, expected));
    let again = drawdown.json(&["log", "copy", "--to", &to, "--partitions", "7"]);
    assert_eq!(again, copied, "what is there is compared, and left as it is");

    let one = Drawdown::new();
    let data = one.data().into_os_string().into_string().unwrap();
    let to_one = ["--log", &to, "log", "copy", "--partitions", "1", "--to", &data];
    larger.json(&to_one);
    let there = heads(&one, &[]);
    assert_eq!((there.as_array().unwrap().len(), wallets(&there)), (1, expected));
    assert_eq!(one.json(&["balance", "team-1"])["units"], drawdown.json(&["balance", "team-1"])["units"]);
}

#[test]
fn a_copy_without_a_record_names_it_and_leaves_the_other_wallets() {
    let drawdown = world();
    let exported = drawdown.run(&["log", "export", "--wallet", "team-2"]).out;
    let last: Value = serde_json::from_str(exported.lines().last().unwrap()).unwrap();
    let position = format!("{}:{}", last["partition"], last["offset"]);
    let copy = Drawdown::new();
    let to = copy.data().into_os_string().into_string().unwrap();
    drawdown.run(&["log", "copy", "--to", &to, "--without", "0:0"]).failed(1, &["cannot be left out"]);
    drawdown.run(&["log", "copy", "--to", &to, "--without", "3:99999"]).failed(1, &["there is no record"]);
    let copied = drawdown.json(&["log", "copy", "--to", &to, "--without", &position]);
    let without = json!([{"partition": last["partition"], "offset": last["offset"]}]);
    assert_eq!(copied["copied"]["without"], without);
    copy.json(&["project"]);
    assert!(copy.run(&["log", "export"]).out.contains(r#"\"without\":[{\"partition\":"#));
    let lines = |of: &Drawdown| of.run(&["log", "export", "--wallet", "team-2"]).out.lines().count();
    assert_eq!(lines(&copy) + 1, lines(&drawdown));
    let credits = |of: &Drawdown, wallet: &str| of.json(&["balance", wallet])["units"].clone();
    assert_eq!(credits(&copy, "team-1"), credits(&drawdown, "team-1"));
    assert_ne!(credits(&copy, "team-2"), credits(&drawdown, "team-2"));
}
