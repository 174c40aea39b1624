//! Wallets read over HTTP: what they have, had and did; and who may know.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::holds::DOCUMENTS;
use crate::server::{Server, token_of};

fn credits(amount: &str) -> Value {
    json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": amount}]})
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

/// Charges an event, and answers where that stands.
fn call(server: &Server, id: &str) -> String {
    let event = json!({"event": {"type": "llm.call", "data": {"model": "small"}}});
    text(&server.post_once("/v1/wallets/acme/charge", id, &event).expect(201), "position").to_owned()
}

#[test]
fn a_wallet_is_read_as_it_is_now_and_as_it_was() {
    let server = Server::start(DOCUMENTS);
    let before = server.get("/v1/wallets/acme").expect(200);
    let credits = &before["units"]["credits"];
    assert_eq!((&credits["available"], &credits["lots"][0]["lot"]), (&json!("100"), &json!("welcome#1")));
    assert!(before["known_at"].is_null() && before["behind"] == 0, "{before}");

    let position = call(&server, "one");
    let now = server.get(&format!("/v1/wallets/acme?min_position={position}")).expect(200);
    assert_eq!(now["units"]["credits"]["available"], "97.5");
    // It reads what is committed, which is a little later.
    let of_cli = || server.drawdown.json(&["balance", "acme"])["units"].clone();
    let is_same = (0..100).any(|_| of_cli() == now["units"]);
    assert!(is_same, "{} and {now}", of_cli());

    let then = text(&before["as_of"], "time");
    let known = server.get(&format!("/v1/wallets/acme?known_at={then}")).expect(200);
    assert_eq!((&known["units"]["credits"]["available"], text(&known, "known_at")), (&json!("100"), then));
    let at = server.get(&format!("/v1/wallets/acme?at={then}&min_position={position}")).expect(200);
    assert_eq!(at["units"]["credits"]["available"], "100");
}

#[test]
fn what_cannot_be_read_is_told_with_what_to_do() {
    let server = Server::start(DOCUMENTS);
    let position = call(&server, "one");
    let (partition, _) = position.split_once(':').unwrap();
    let other = (partition.parse::<u32>().unwrap() + 1) % 4;
    for (path, status, code) in [
        ("/v1/wallets/nobody", 404, "unknown_wallet"),
        ("/v1/wallets/nobody?at=2026-01-01", 404, "unknown_wallet"),
        ("/v1/wallets/nobody/ledger", 404, "unknown_wallet"),
        ("/v1/wallets/nobody/usage?by=type", 404, "unknown_wallet"),
        ("/v1/wallets/nobody/grants", 404, "unknown_wallet"),
        ("/v1/wallets/nobody/holds", 404, "unknown_wallet"),
        ("/v1/wallets/nobody/holds/job", 404, "unknown_wallet"),
        ("/v1/wallets/nobody/statement?month=2026-01", 404, "unknown_wallet"),
        ("/v1/wallets/nobody/explain?record=0:1", 404, "unknown_wallet"),
        ("/v1/wallets/acme?at=yesterday", 400, "bad_query"),
        ("/v1/wallets/acme?when=2026-01-01", 400, "bad_query"),
        ("/v1/wallets/acme?known_at=2200-01-01", 422, "no_answer"),
        ("/v1/wallets/acme?min_position=here", 400, "bad_position"),
        (&format!("/v1/wallets/acme?min_position={other}:0"), 400, "bad_position"),
        ("/v1/wallets/a%00b", 400, "nul"),
        ("/v1/wallets?limit=0", 400, "bad_limit"),
        ("/v1/wallets?limit=1001", 400, "bad_limit"),
        ("/v1/wallets/acme/ledger?kind=gift", 400, "bad_kind"),
        ("/v1/wallets/acme/ledger?after=here", 400, "bad_cursor"),
        ("/v1/wallets/acme/usage?after=1:2", 400, "bad_cursor"),
        ("/v1/wallets/acme/usage?limit=many", 400, "bad_query"),
        ("/v1/wallets/acme/holds/none", 404, "unknown_hold"),
        ("/v1/wallets/acme/statement", 400, "bad_query"),
        ("/v1/wallets/acme/statement?month=2200-01", 422, "no_answer"),
        ("/v1/wallets/acme/explain?record=0:999999", 422, "no_answer"),
    ] {
        assert_eq!(server.get(path).problem(status), code, "{path}");
    }
}

#[test]
fn wallets_are_listed_page_by_page() {
    let more = ["b-1", "b-2", "c-3"].map(|id| {
        format!("---\nkind: grant\nwallet: {id}\ngrant_id: g\nreason: a test\nunit: credits\namount: \"7\"\n")
    });
    let server = Server::start(&format!("{DOCUMENTS}{}", more.concat()));
    let page = |query: &str| {
        let page = server.get(&format!("/v1/wallets{query}")).expect(200);
        let ids: Vec<String> =
            page["wallets"].as_array().unwrap().iter().map(|w| text(w, "wallet").to_owned()).collect();
        (ids, page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(page(""), (["acme", "b-1", "b-2", "c-3"].map(str::to_owned).to_vec(), None));
    assert_eq!(page("?limit=2"), (vec!["acme".to_owned(), "b-1".to_owned()], Some("b-1".to_owned())));
    assert_eq!(page("?limit=2&after=b-1"), (vec!["b-2".to_owned(), "c-3".to_owned()], None));
    assert_eq!(page("?prefix=b-").0, ["b-1", "b-2"]);
    assert_eq!(page("?claimed=true").0, Vec::<String>::new());
    let first = &server.get("/v1/wallets?limit=1").expect(200)["wallets"][0];
    assert_eq!(first["units"]["credits"]["available"], "100");
}

#[test]
fn the_ledger_is_read_page_by_page_and_filtered_and_summed() {
    let server = Server::start(DOCUMENTS);
    for id in ["one", "two"] {
        call(&server, id);
    }
    let all = server.get("/v1/wallets/acme/ledger").expect(200);
    let all = all["entries"].as_array().unwrap();
    let kinds: Vec<&str> = all.iter().map(|entry| text(entry, "kind")).collect();
    assert_eq!(kinds, ["issue", "hold", "held_usage", "hold", "held_usage"]);
    assert_eq!(all[2]["usage"], "one:used");

    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/v1/wallets/acme/ledger?limit=2{after}")).expect(200);
        paged.extend(page["entries"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(&paged, all);
    let used = server.get("/v1/wallets/acme/ledger?kind=held_usage&unit=credits&feature=calls").expect(200);
    assert_eq!(used["entries"], json!([all[2], all[4]]));
    let none = server.get("/v1/wallets/acme/ledger?from=2200-01-01&lot=welcome%231").expect(200);
    assert_eq!(none["entries"], json!([]));
    let sums = server.get("/v1/wallets/acme/ledger?sums=true").expect(200);
    assert_eq!(sums["units"]["credits"]["kinds"]["held_usage"], json!({"entries": 2, "amount": "5"}));
    assert_eq!(sums["units"]["credits"]["accounts"]["usage"]["net"], "5");
}

#[test]
fn usage_grants_and_months_are_what_the_command_line_shows() {
    let server = Server::start(DOCUMENTS);
    for id in ["one", "two"] {
        call(&server, id);
    }
    let usage = server.get("/v1/wallets/acme/usage?limit=1&type=llm.call").expect(200);
    let first = &usage["usage"][0];
    assert_eq!((text(first, "id"), &first["data"]), ("one:used", &json!({"model": "small"})));
    let next = &usage["next"];
    let rest = server.get(&format!("/v1/wallets/acme/usage?limit=1&after={next}")).expect(200);
    assert_eq!((text(&rest["usage"][0], "id"), &rest["next"]), ("two:used", &Value::Null));
    let by = server.get("/v1/wallets/acme/usage?by=model").expect(200);
    assert_eq!(
        (&by["groups"][0]["key"], &by["groups"][0]["charged"]["credits"]),
        (&json!("small"), &json!("5"))
    );

    let grants = server.get("/v1/wallets/acme/grants").expect(200);
    assert_eq!(grants["grants"], server.drawdown.json(&["grants", "acme"])["grants"]);
    assert_eq!(grants["grants"][0]["consumed"], "5");
    let month = &text(&grants["as_of"], "time")[..7];
    let statement = server.get(&format!("/v1/wallets/acme/statement?month={month}")).expect(200);
    assert_eq!(
        (&statement["units"]["credits"]["closing"], &statement["month"]),
        (&json!("95"), &json!(month))
    );

    let lot = server.get("/v1/wallets/acme/explain?record=welcome%231").expect(200);
    assert_eq!(lot["lot"]["places"]["consumed"], "5");
    let position = call(&server, "three");
    let record = server.get(&format!("/v1/wallets/acme/explain?record={position}")).expect(200);
    assert_eq!(record["record"]["record"]["type"], "hold.settled");
    assert_eq!(record["record"]["after"]["credits"]["available"], "92.5");
}

/// Asks until something is so: what ends by time alone is not there at once.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_hold_is_read_whatever_became_of_it() {
    let server = Server::start(DOCUMENTS);
    let hold = |id: &str, amount: &str, ttl: &str| {
        let mut request = credits(amount);
        request["ttl"] = json!(ttl);
        server.post_once("/v1/wallets/acme/holds", id, &request)
    };
    let held = hold("open", "10", "PT1H").expect(201);
    for id in ["settled", "voided", "later"] {
        hold(id, "5", "PT1H").expect(201);
    }
    hold("short", "3", "PT0.2S").expect(201);
    assert_eq!(hold("declined", "1000", "PT1H").problem(402), "insufficient");
    let mut used = credits("2");
    used["wallet"] = json!("acme");
    server.post("/v1/holds/settled/settle", &used).expect(200);
    server.post("/v1/holds/voided/void", &json!({"wallet": "acme"})).expect(200);

    let one = |id: &str| server.get(&format!("/v1/wallets/acme/holds/{id}")).expect(200);
    let open = one("open");
    assert_eq!((text(&open, "state"), &open["expires_at"]), ("open", &held["expires_at"]));
    assert_eq!(open["held"], held["held"]);
    let settled = one("settled");
    assert_eq!((text(&settled, "state"), &settled["used"]), ("settled", &json!({"credits": "2"})));
    let kinds: Vec<&str> =
        settled["entries"].as_array().unwrap().iter().map(|entry| text(entry, "kind")).collect();
    assert_eq!((kinds, &settled["held"]), (vec!["hold", "held_usage", "release"], &json!([])));
    assert_eq!((text(&one("voided"), "state"), &one("voided")["used"]), ("voided", &json!({})));
    let declined = one("declined");
    assert_eq!((text(&declined, "state"), text(&declined, "reason")), ("declined", "insufficient"));
    until("the hold is over", || one("short")["state"] == "expired");

    let ids = |query: &str| {
        let page = server.get(&format!("/v1/wallets/acme/holds{query}")).expect(200);
        let ids: Vec<String> =
            page["holds"].as_array().unwrap().iter().map(|hold| text(hold, "id").to_owned()).collect();
        (ids.join(" "), page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(ids(""), ("later open".to_owned(), None));
    assert_eq!(ids("?limit=1"), ("later".to_owned(), Some("later".to_owned())));
    assert_eq!(ids("?limit=1&after=later"), ("open".to_owned(), None));
}

#[test]
fn an_estimate_books_nothing() {
    let server = Server::start(DOCUMENTS);
    let path = "/v1/wallets/acme/estimate";
    let event = json!({"event": {"type": "llm.call", "data": {"model": "small"}}, "subject": "anna"});
    for _ in 0..2 {
        let estimate = server.post(path, &event).expect(200);
        assert_eq!(
            (&estimate["charges"][0]["amount"], &estimate["covers"]["actions"]),
            (&json!("2.5"), &json!(40))
        );
        assert_eq!(estimate["considered"][0]["lot"], "welcome#1");
    }
    let unpriced = server.post(path, &json!({"event": {"type": "of.no.price"}})).expect(200);
    assert_eq!((&unpriced["unpriced"], &unpriced["covers"]), (&json!("no_price"), &Value::Null));
    let unknown = server.post("/v1/wallets/nobody/estimate", &event);
    assert_eq!(unknown.problem(404), "unknown_wallet");
    assert_eq!(server.post(path, &json!({})).problem(400), "bad_field");
    assert_eq!(server.post(path, &json!({"event": {"type": ""}})).status, 400);
}

/// What reads one wallet, or tries something on it.
const OF_WALLET: [&str; 11] = [
    "",
    "/ledger",
    "/usage",
    "/usage?by=type",
    "/grants",
    "/holds",
    "/holds/job",
    "/statement?month=2026-01",
    "/explain?record=0:1",
    "/forecast",
    "/stream",
];

#[test]
fn another_wallets_token_and_a_key_without_the_scope_read_nothing() {
    let server = Server::start(DOCUMENTS);
    let (other, own) = (token_of(&server, "other", "read"), token_of(&server, "acme", "read"));
    let blind = server.key_with("ingest");
    for path in OF_WALLET.map(|path| format!("/v1/wallets/acme{path}")) {
        assert_eq!(server.get_as(&other, &path).problem(404), "unknown_wallet", "{path}");
        assert_eq!(server.get_as(&blind, &path).problem(403), "forbidden", "{path}");
        assert_eq!(server.get_as("dd_none", &path).problem(401), "unauthorized", "{path}");
    }
    let event = json!({"event": {"type": "llm.call"}});
    let path = "/v1/wallets/acme/estimate";
    assert_eq!(server.post_as(&other, path, &event).problem(404), "unknown_wallet");
    assert_eq!(server.post_as(&own, path, &event).expect(200)["wallet"], "acme");
    assert_eq!(server.get_as(&own, "/v1/wallets/acme").expect(200)["wallet"], "acme");
    // A token is for one wallet, and a list is of all.
    assert_eq!(server.get_as(&own, "/v1/wallets").problem(403), "forbidden");
    let unknown = server.get_as(&own, "/v1/wallets/nobody").expect(404);
    let hidden = server.get_as(&other, "/v1/wallets/acme").expect(404);
    let fields = |problem: &Value| problem.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(fields(&unknown), fields(&hidden));
}
