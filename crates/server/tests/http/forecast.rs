//! The forecast: rates of what was used, and when it is used up.

use ledger::Instant;
use serde_json::{Value, json};

use crate::drawdown::Drawdown;
use crate::server::{Server, key_of, now};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

/// A server whose wallet has used 2.5 credits each of so many last days, out of a grant of a hundred that began ten days ago.
fn used(days: i64, grant: &str) -> Server {
    let drawdown = Drawdown::new();
    let began = now().plus(-10 * DAY);
    let documents = format!(
        "kind: unit\nname: credits\n---\nkind: price\nname: call\nmatch: {{type: llm.call}}\nfeature: calls\n\
         effective_from: {began}\ncharges: [{{unit: credits, amount: \"2.5\"}}]\n---\nkind: grant\nwallet: acme\n\
         grant_id: welcome\nreason: a test\nunit: credits\namount: \"100\"\neffective_at: {began}\n{grant}"
    );
    let file = drawdown.file("documents.yaml", documents);
    let applied = drawdown.run(&["apply", &file]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let events: Vec<String> = (0..days)
        .map(|day| {
            let time = now().plus(-day * DAY - 12 * HOUR).to_string();
            let event = json!({"specversion": "1.0", "id": day.to_string(), "source": "app", "type": "llm.call",
                "wallet": "acme", "time": time});
            event.to_string()
        })
        .collect();
    let taken = drawdown.run_with(&["ingest", "-"], events.join("\n"));
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    let key = key_of(&drawdown, "read");
    Server::on(drawdown, key, &[])
}

fn at(value: &Value) -> Instant {
    Instant::parse(value.as_str().unwrap_or_else(|| panic!("{value} is no time"))).unwrap()
}

#[test]
fn what_was_used_tells_when_it_is_used_up() {
    let server = used(4, "");
    let forecast = server.get("/v1/wallets/acme/forecast").expect(200);
    let credits = &forecast["units"]["credits"];
    assert_eq!((&credits["used"], &credits["available"]), (&json!("10"), &json!("90")));
    let days = credits["days"].as_array().unwrap();
    let used: Vec<&str> = days.iter().take(5).map(|day| day["used"].as_str().unwrap()).collect();
    assert_eq!((used, days.len()), (vec!["2.5", "2.5", "2.5", "2.5", "0"], 11));
    let hours = credits["hours"].as_array().unwrap();
    assert_eq!((&hours[12]["used"], hours.len()), (&json!("2.5"), 24));

    // About one a day in the mean, two and a half on a busy day, and nothing on a quiet one.
    let now = at(&forecast["as_of"]["time"]);
    let days_left = |value: &Value| (at(value).0 - now.0) / DAY;
    let depleted = &credits["depleted"];
    assert_eq!((days_left(&depleted["at"]), days_left(&depleted["soonest"])), (90, 36));
    assert_eq!(depleted["latest"], Value::Null);
}

#[test]
fn credits_that_end_are_used_up_at_their_end_and_what_comes_next_is_told() {
    let end = now().plus(5 * DAY);
    let server = used(4, &format!("expires_at: {end}\n"));
    let credits = server.get("/v1/wallets/acme/forecast?days=4").expect(200)["units"]["credits"].clone();
    assert_eq!(
        credits["expiring"],
        json!([{"lot": "welcome#1", "remaining": "90", "expires_at": end.to_string()}])
    );
    assert_eq!(at(&credits["depleted"]["at"]), end);
    assert_eq!(credits["depleted"]["soonest"], credits["depleted"]["latest"]);
    assert_eq!((&credits["per_day"], &credits["next_grants"]), (&json!("2.5"), &json!([])));

    let server = used(4, "recurrence: {interval: P30D}\n");
    let credits = server.get("/v1/wallets/acme/forecast?days=4").expect(200)["units"]["credits"].clone();
    // A hundred come each thirty days, and seventy-five are used.
    assert_eq!(credits["depleted"], json!({"at": null, "soonest": null, "latest": null}));
    let next = &credits["next_grants"][0];
    assert_eq!((&next["lot"], &next["amount"]), (&json!("welcome#2"), &json!("100")));
}

#[test]
fn nothing_used_lasts_for_ever_and_days_are_bounded() {
    let server = used(0, "");
    let credits = server.get("/v1/wallets/acme/forecast").expect(200)["units"]["credits"].clone();
    assert_eq!((&credits["per_day"], &credits["per_hour"]), (&json!("0"), &json!("0")));
    assert_eq!(credits["depleted"]["soonest"], Value::Null);
    for days in ["0", "91"] {
        let answer = server.get(&format!("/v1/wallets/acme/forecast?days={days}"));
        assert_eq!(answer.problem(400), "bad_days");
    }
    assert_eq!(server.get("/v1/wallets/nobody/forecast").problem(404), "unknown_wallet");
}

#[test]
fn the_command_says_what_the_server_says() {
    let end = now().plus(5 * DAY);
    let server = used(4, &format!("expires_at: {end}\n"));
    let over_http = server.get("/v1/wallets/acme/forecast?days=4").expect(200)["units"]["credits"].clone();
    let by_command = server.drawdown.json(&["forecast", "acme", "--days", "4"])["units"]["credits"].clone();
    for same in ["available", "used", "per_day", "per_hour", "expiring", "next_grants"] {
        assert_eq!(by_command[same], over_http[same], "{same}");
    }
    // The lot's end is the same, whenever one asks.
    assert_eq!((at(&by_command["depleted"]["at"]), by_command["days"].as_array().unwrap().len()), (end, 4));
    let shown = server.drawdown.run(&["forecast", "acme", "--days", "4"]);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    for line in [
        "\ncredits: available 90, used 10: 2.5 a day, 0.104166666 an hour\n  used up at that rate:      ",
        "\n  at the rate of busy days:  ",
        "\n  welcome#1 ends ",
        " with 90 left now\n",
    ] {
        assert!(shown.out.contains(line), "{line:?} is not in {}", shown.out);
    }
    let lasts = used(0, "");
    let shown = lasts.drawdown.run(&["forecast", "acme"]);
    assert!(shown.out.ends_with("\n  nothing was used: they last\n"), "{}", shown.out);
    lasts.drawdown.run(&["forecast", "nobody"]).failed(1, &["no record names the wallet `nobody`"]);
    lasts.drawdown.run(&["forecast", "acme", "--days", "91"]).failed(2, &["91 is not in 1..=90"]);
}
