//! Streams of server-sent events: told once each, in order, and gone on with after a cut.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::holds::DOCUMENTS;
use crate::server::{Server, token_of};

/// A stream that is read.
struct Listening(BufReader<TcpStream>);

/// An event as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    event: String,
    id: String,
    data: Value,
}

impl Listening {
    /// Asks, and reads the answer's head.
    fn open(server: &Server, token: &str, path: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let last = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
        let asks = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n{last}\r\n"
        );
        stream.write_all(asks.as_bytes()).unwrap();
        let mut listening = Self(BufReader::new(stream));
        let head: Vec<String> =
            std::iter::from_fn(|| listening.line()).take_while(|line| !line.is_empty()).collect();
        assert!(head[0].starts_with("HTTP/1.1 200"), "{head:?}");
        assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
        listening
    }

    fn of(server: &Server, wallet: &str, last: Option<&str>) -> Self {
        Self::open(server, &server.key, &format!("/v1/wallets/{wallet}/stream"), last)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event, past the sizes of chunks; none at the end of the stream.
    fn next(&mut self) -> Option<Told> {
        let mut told = Told { event: String::new(), id: String::new(), data: Value::Null };
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("event", event)) => told.event = event.to_owned(),
                Some(("id", id)) => told.id = id.to_owned(),
                Some(("data", data)) => told.data = serde_json::from_str(data).unwrap(),
                _ if line.is_empty() && !told.event.is_empty() => return Some(told),
                _ => {}
            }
        }
    }

    /// So many events that are no balance, and all up to the balance after them: that may be told before what led to it.
    fn until(&mut self, count: usize, available: &str) -> Vec<Told> {
        let mut all = Vec::new();
        loop {
            let told = self.next().expect("the stream goes on");
            let credits = &told.data["units"]["credits"];
            let is_it =
                told.event == "balance" && credits["available"] == available && credits["held"] == "0";
            all.push(told);
            if is_it && happened(&all).len() >= count {
                return all;
            }
        }
    }
}

fn charge(server: &Server, wallet: &str, id: &str, amount: &str) {
    let amounts = json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": amount}]});
    server.post_once(&format!("/v1/wallets/{wallet}/charge"), id, &amounts).expect(201);
}

/// What happened, without how it stood afterwards.
fn happened(all: &[Told]) -> Vec<Told> {
    all.iter().filter(|told| told.event != "balance").cloned().collect()
}

#[test]
fn what_happens_to_a_wallet_is_told_as_it_happens() {
    let server = Server::start(DOCUMENTS);
    let mut listening = Listening::of(&server, "acme", None);
    let first = listening.next().unwrap();
    assert_eq!(
        (first.event.as_str(), &first.data["units"]["credits"]["available"]),
        ("balance", &json!("100"))
    );
    charge(&server, "acme", "one", "40");
    let told = happened(&listening.until(3, "60"));
    let words = |told: &Told| match told.event.as_str() {
        "entry" => {
            format!("{} {}", told.data["kind"].as_str().unwrap(), told.data["amount"].as_str().unwrap())
        }
        _ => format!("{} {}", told.data["hold"].as_str().unwrap(), told.data["outcome"].as_str().unwrap()),
    };
    assert_eq!(told.iter().map(words).collect::<Vec<_>>(), ["hold 40", "one approved", "held_usage 40"]);
    for entry in told.iter().filter(|told| told.event == "entry") {
        let place = ["partition", "offset", "line"].map(|part| entry.data[part].to_string());
        assert_eq!(entry.id, place.join(":"));
    }

    let declined = json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": "61"}]});
    server.post_once("/v1/wallets/acme/holds", "much", &declined).problem(402);
    let told = listening.next().unwrap();
    assert_eq!((told.event.as_str(), &told.data["outcome"]), ("decision", &json!("declined")));
    assert_eq!(
        (&told.data["reason"], &told.data["lacks"]),
        (&json!("insufficient"), &json!({"credits": "1"}))
    );
}

#[test]
fn whoever_was_cut_off_goes_on_where_it_was() {
    let mut server = Server::start(DOCUMENTS);
    let mut listening = Listening::of(&server, "acme", None);
    let first = listening.next().unwrap();
    for n in ["one", "two", "three"] {
        charge(&server, "acme", n, "1");
        let declined = json!({"amounts": [{"unit": "credits", "feature": "calls", "amount": "500"}]});
        server.post_once("/v1/wallets/acme/holds", &format!("not {n}"), &declined).problem(402);
    }
    let mut seen = vec![first];
    // Each has three events: what is set aside, the decision, what is used; and the declined hold's decision.
    while happened(&seen).len() < 12 {
        seen.push(listening.next().unwrap());
    }
    let all = happened(&seen);
    let ids: Vec<&str> = all.iter().map(|told| told.id.as_str()).collect();
    let mut sorted = ids.clone();
    sorted.sort_by_key(|id| id.split(':').map(|n| n.parse::<u64>().unwrap()).collect::<Vec<_>>());
    sorted.dedup();
    assert_eq!(ids, sorted);

    // What comes while nobody listens is told afterwards; also by a server that was killed meanwhile.
    server.kill_and_start();
    charge(&server, "acme", "four", "1");
    let mut rest = Vec::new();
    for (n, last) in seen.iter().enumerate() {
        let missed = happened(&seen[n + 1..]);
        let mut listening = Listening::of(&server, "acme", Some(&last.id));
        let told = happened(&listening.until(missed.len() + 3, "96"));
        assert_eq!(told[..missed.len()], missed, "after {}", last.id);
        assert_eq!(told.len(), missed.len() + 3, "after {}", last.id);
        rest = told[missed.len()..].to_vec();
    }
    let path = format!("/v1/wallets/acme/stream?after={}", all[11].id);
    let told = happened(&Listening::open(&server, &server.key, &path, None).until(3, "96"));
    assert_eq!(told, rest);
}

#[test]
fn a_thousand_idle_streams_hear_nothing_of_others_and_end_when_the_server_does() {
    let others = ["busy", "calm"].map(|id| {
        format!(
            "---\nkind: grant\nwallet: {id}\ngrant_id: g\nreason: a test\nunit: credits\namount: \"100\"\n"
        )
    });
    let mut server = Server::start(&format!("{DOCUMENTS}{}", others.concat()));
    let mut idle: Vec<Listening> =
        (0..1_000).map(|n| Listening::of(&server, ["acme", "calm"][n % 2], None)).collect();
    for listening in &mut idle {
        assert_eq!(listening.next().unwrap().event, "balance");
    }
    let mut busy = Listening::of(&server, "busy", None);
    busy.next().unwrap();
    for n in 1..=20 {
        charge(&server, "busy", &n.to_string(), "1");
    }
    assert_eq!(happened(&busy.until(60, "80")).len(), 60);
    charge(&server, "acme", "one", "1");
    charge(&server, "calm", "one", "1");
    for listening in &mut idle {
        let told = happened(&listening.until(3, "99"));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told.iter().all(|told| told.data["wallet"] != "busy"));
    }
    assert_eq!(server.stop(), Some(0));
    for mut listening in idle.into_iter().chain([busy]) {
        let rest: Vec<Told> = std::iter::from_fn(|| listening.next()).collect();
        assert_eq!(happened(&rest), [], "nothing is told twice");
    }
}

#[test]
fn a_stream_ends_when_its_key_is_revoked() {
    let server = Server::start(DOCUMENTS);
    let key = server.key_with("read");
    let listed = server.drawdown.json(&["keys", "list"]);
    let reads = |listed: &&Value| listed["scopes"] == json!(["read"]);
    let id =
        listed["keys"].as_array().unwrap().iter().find(reads).unwrap()["id"].as_str().unwrap().to_owned();
    let mut listening = Listening::open(&server, &key, "/v1/wallets/acme/stream", None);
    listening.next().unwrap();
    server.drawdown.json(&["keys", "revoke", &id]);
    assert_eq!(listening.next(), None);
    assert_eq!(server.get_as(&key, "/v1/wallets/acme/stream").problem(401), "unauthorized");
}

#[test]
fn who_may_not_know_a_wallet_hears_nothing_of_it() {
    let server = Server::start(DOCUMENTS);
    let (own, other) = (token_of(&server, "acme", "read"), token_of(&server, "other", "read"));
    let path = "/v1/wallets/acme/stream";
    assert_eq!(server.get_as(&other, path).problem(404), "unknown_wallet");
    assert_eq!(server.get_as(&other, "/v1/wallets/other/stream").problem(404), "unknown_wallet");
    let first = Listening::open(&server, &own, path, None).next().unwrap();
    assert_eq!(first.data["wallet"], "acme");
    let (partition, _) = first.id.split_once(':').unwrap();
    let elsewhere = (partition.parse::<u32>().unwrap() + 1) % 4;
    for after in ["here", "1:2", &format!("{elsewhere}:0:0"), "0:99999999999999999999:0"] {
        assert_eq!(server.get(&format!("{path}?after={after}")).problem(400), "bad_cursor", "{after}");
    }
}
