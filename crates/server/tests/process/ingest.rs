//! `ingest`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::drawdown::{Drawdown, IMAGES, event, until};

#[test]
fn events_are_appended_and_the_same_again_are_duplicates() {
    let drawdown = Drawdown::new();
    let lines: String = (0..10_000).map(|id| event(id, &format!("team-{}", id % 7))).collect();
    let file = drawdown.file("usage.ndjson", &lines);
    assert_eq!(drawdown.json(&["ingest", &file]), json!({"appended": 10_000, "refused": 0}));
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    let again = drawdown.run_with(&["ingest", "-", "--json"], array);
    assert_eq!(again.json(), json!({"appended": 10_000, "refused": 0}));

    let folded = drawdown.json(&["project"]);
    assert_eq!((&folded["applied"], &folded["duplicate"]), (&json!(10_000), &json!(10_000)));
    assert_eq!(folded["unpriced"], 10_000, "no price was applied");
}

#[test]
fn what_is_refused_is_counted_and_kept_with_line_and_reason() {
    let drawdown = Drawdown::new();
    let good = event("good", "team");
    let broken = |from: &str, to: &str| good.replace(from, to).into_bytes();
    let bad: [(&str, Vec<u8>); 10] = [
        ("breaks_off", b"{\"specversion\":\n".to_vec()),
        ("not_json", b"specversion: 1.0\n".to_vec()),
        ("specversion", broken("1.0", "0.3")),
        ("missing", broken("\"id\":\"good\",", "")),
        ("empty", broken("\"test\"", "\"\"")),
        ("no_wallet", broken(",\"subject\":\"team\"", "")),
        ("future", broken("\"type\"", "\"time\":\"2261-01-01T00:00:00Z\",\"type\"")),
        ("too_large", broken("team", &"x".repeat(200_000))),
        ("not_utf8", [b"{\"id\":\"\xff\"}".as_slice(), b"\n"].concat()),
        ("duplicate_key", broken("\"type\"", "\"id\":\"other\",\"type\"")),
    ];
    let mut input = good.clone().into_bytes();
    bad.iter().for_each(|(_, line)| input.extend(line));
    input.extend(event("last", "team").into_bytes());
    let (file, letters) = (drawdown.file("usage.ndjson", input), drawdown.file("letters.ndjson", ""));

    let ran = drawdown.run(&["ingest", &file, "--dead-letters", &letters, "--json"]);
    ran.failed(3, &["refused 1 (no_wallet), the first on line 7: the event names nobody who pays"]);
    assert_eq!(ran.json(), json!({"appended": 2, "refused": 10}));

    let letters = std::fs::read_to_string(letters).unwrap();
    let letters: Vec<Value> = letters.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (at, ((code, line), letter)) in bad.iter().zip(&letters).enumerate() {
        assert_eq!((&letter["code"], &letter["line"]), (&json!(code), &json!(at + 2)), "{letter}");
        assert!(letter["reason"].as_str().unwrap().len() > 20, "{letter}");
        let text = letter["event"].as_str().map(|text| text.as_bytes().to_vec());
        let kept = text.or_else(|| STANDARD.decode(letter["event_base64"].as_str()?).ok());
        let is_too_large = *code == "too_large";
        assert_eq!(kept.as_deref(), Some(line.trim_ascii_end()).filter(|_| !is_too_large), "{code}");
    }
    assert_eq!(letters.len(), bad.len());
}

#[test]
fn an_event_is_durable_while_the_stream_goes_on() {
    let drawdown = Drawdown::new();
    drawdown.json(&["init"]);
    let mut ingesting = drawdown.start(&["ingest", "-"]);
    ingesting.write(event("first", "team"));
    until("the first event is folded", || drawdown.json(&["project"])["applied"] == 1);
    ingesting.write(event("second", "team"));
    assert!(ingesting.end().out.contains("appended                2"));
    assert_eq!(drawdown.json(&["project"])["applied"], 1);
}

#[test]
fn history_is_recorded_at_its_own_time() {
    let drawdown = Drawdown::new();
    let at = |time: &str| event(time, "team").replace("\"type\"", &format!("\"time\":\"{time}\",\"type\""));
    drawdown.file("catalogue.yaml", IMAGES.replace("name:", "time: 2024-01-01T00:00:00Z\nname:"));
    let catalogue = drawdown.data().with_file_name("catalogue.yaml").into_os_string().into_string().unwrap();
    assert_eq!(drawdown.json(&["apply", "--backfill", &catalogue])["appended"], 2);
    let input = [at("2024-03-01T00:00:00Z"), at("2023-12-31T00:00:00Z"), event("untimed", "team")].concat();
    let ran = drawdown.run_with(&["ingest", "--backfill", "-", "--json"], input);
    ran.failed(3, &["refused 1 (backfill_without_time), the first on line 3"]);

    let folded = drawdown.json(&["project"]);
    assert_eq!((&folded["applied"], &folded["unpriced"]), (&json!(2), &json!(1)), "2023 had no price");
}

#[test]
fn a_file_that_is_not_there_is_named_and_no_log_is_made() {
    let drawdown = Drawdown::new();
    drawdown.run(&["ingest", "/no/such/file"]).failed(1, &["/no/such/file cannot be read"]);
    let file = drawdown.file("usage.ndjson", event(1, "team"));
    let ran = drawdown.run(&["ingest", &file, "--dead-letters", "/no/such/file"]);
    ran.failed(1, &["/no/such/file cannot be written"]);
    assert!(!drawdown.data().exists());
}
