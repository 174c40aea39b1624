//! What those who run it look at: health, metrics, the document and its page; and how it listens.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use sqlx::ConnectOptions as _;

use crate::drawdown::Drawdown;
use crate::holds::DOCUMENTS;
use crate::server::{Server, key_of};

/// The value of a line of Prometheus' text.
fn figure(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name) && line[name.len()..].starts_with(' '));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
}

#[test]
fn metrics_count_requests_decisions_and_lag_and_name_no_wallet() {
    let server = Server::start(DOCUMENTS);
    let credits = |amount: &str| json!({"amounts": [{"unit": "credits", "feature": "f", "amount": amount}]});
    server.post("/v1/wallets/acme/holds", &credits("60")).expect(201);
    for _ in 0..2 {
        server.post("/v1/wallets/acme/holds", &credits("60")).problem(402);
    }
    let answer = server.get("/metrics");
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (200, &"text/plain; version=0.0.4".parse().unwrap())
    );
    let text = answer.text;
    let of = |name: &str| figure(&text, name).unwrap_or_else(|| panic!("no {name} in {text}"));
    assert!((of(r#"drawdown_decisions_total{outcome="approved",reason=""}"#) - 1.0).abs() < 0.1);
    assert!((of(r#"drawdown_decisions_total{outcome="declined",reason="insufficient"}"#) - 2.0).abs() < 0.1);
    let held =
        r#"drawdown_http_requests_total{method="POST",route="/v1/wallets/{wallet}/holds",status="201"}"#;
    assert!((of(held) - 1.0).abs() < 0.1);
    assert!((of("drawdown_log_reachable") - 1.0).abs() < 0.1);
    assert!(of("drawdown_decision_seconds_count") > 2.5);
    for partition in 0..4 {
        assert!(of(&format!("drawdown_partition_lag_records{{partition=\"{partition}\"}}")) < 0.5);
        assert!(of(&format!("drawdown_partition_here{{partition=\"{partition}\"}}")) > 0.5);
    }
    assert!(!text.contains("acme"), "{text}");
    assert_eq!(server.ask("GET", "/metrics", &[], "").problem(401), "unauthorized");
}

#[test]
fn what_was_changed_behind_the_log_is_counted_as_drift() {
    let drawdown = Drawdown::new();
    let file = drawdown.file("documents.yaml", DOCUMENTS);
    assert_eq!(drawdown.run(&["apply", &file]).code, Some(0));
    let key = key_of(&drawdown, "read");
    let server = Server::on(drawdown, key, &["--verify-every", "PT0.2S"]);
    let diverging =
        |server: &Server| figure(&server.get("/metrics").text, "drawdown_verify_diverging_partitions");
    let until = |wanted: f64| {
        for _ in 0..200 {
            if diverging(&server).is_some_and(|found| (found - wanted).abs() < 0.1) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{:?} partitions diverge, not {wanted}", diverging(&server));
    };
    until(0.0);
    let projections = server.drawdown.data().join("projections.db");
    let change = async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(projections);
        let mut database = options.busy_timeout(Duration::from_secs(20)).connect().await.unwrap();
        let changed = "update head set applied = applied + 1 where partition = 0";
        sqlx::query(changed).execute(&mut database).await.unwrap().rows_affected()
    };
    assert_eq!(tokio::runtime::Runtime::new().unwrap().block_on(change), 1);
    until(1.0);
}

#[test]
fn the_document_names_every_route_and_the_page_reads_it() {
    let server = Server::start(DOCUMENTS);
    let document = server.ask("GET", "/openapi.json", &[], "").expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let hold = &document["paths"]["/v1/wallets/{wallet}/holds"]["post"];
    assert_eq!(hold["parameters"][0]["name"], "wallet");
    assert!(
        hold["responses"]["402"].is_object()
            && hold["requestBody"]["content"]["application/json"].is_object()
    );
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name} is described");
    }
    let page = server.ask("GET", "/docs", &[], "");
    assert!(page.status == 200 && page.text.contains("openapi.json"), "{}", page.text);
    assert_eq!(server.ask("GET", "/health/live", &[], "").expect(200), json!({"status": "ok"}));
}

#[test]
fn a_request_has_an_id_its_own_if_it_brings_one() {
    let server = Server::start(DOCUMENTS);
    let given = server.ask("GET", "/health/live", &[("x-request-id", "mine-1")], "");
    assert_eq!(given.headers["x-request-id"], "mine-1");
    for odd in [&"x".repeat(200), "a b"] {
        let made = server.ask("GET", "/health/live", &[("x-request-id", odd)], "");
        assert_eq!(made.headers["x-request-id"].len(), 32, "{odd}");
    }
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let server = Server::start(DOCUMENTS);
    let mut slow = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    slow.write_all(b"POST /v1/wallets/acme/holds HTTP/1.1\r\nhost: x\r\n").unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn keys_do_not_cross_a_network_in_the_clear() {
    let drawdown = Drawdown::new();
    assert_eq!(drawdown.run(&["init"]).code, Some(0));
    let refused = drawdown.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("--tls-cert"), "{}", refused.err);
    let file = drawdown.file("none.pem", "no certificate");
    let unusable =
        drawdown.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", &file, "--tls-key", &file]);
    assert!(unusable.code != Some(0) && unusable.err.contains("none.pem"), "{}", unusable.err);
}

#[test]
fn a_server_in_a_directory_has_no_other_node_to_be_reached_by() {
    let drawdown = Drawdown::new();
    assert_eq!(drawdown.run(&["init"]).code, Some(0));
    let refused = drawdown.run(&["serve", "--listen", "127.0.0.1:0", "--advertise"]);
    assert!(refused.code == Some(1) && refused.err.contains("leave --advertise out"), "{}", refused.err);
    let unusable = drawdown.run(&["serve", "--listen", "127.0.0.1:0", "--advertise", "somewhere"]);
    assert!(unusable.code == Some(2) && unusable.err.contains("http://HOST:PORT"), "{}", unusable.err);
}

/// What comes to a collector of traces, until all of these names were in it.
fn collected(collector: &std::net::TcpListener, names: &[&str]) -> Vec<u8> {
    let mut all = Vec::new();
    collector.set_nonblocking(false).unwrap();
    while !names.iter().all(|name| contains(&all, name.as_bytes())) {
        let (mut stream, _) = collector.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut piece = [0; 4096];
        // The sender waits for the answer with its connection open.
        while let Ok(read) = stream.read(&mut piece)
            && read > 0
        {
            all.extend(&piece[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }
    all
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_trace_goes_from_the_request_through_the_log_to_the_commit() {
    let drawdown = Drawdown::new();
    let file = drawdown.file("documents.yaml", DOCUMENTS);
    assert_eq!(drawdown.run(&["apply", &file]).code, Some(0));
    let key = key_of(&drawdown, "authorize");
    let collector = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", collector.local_addr().unwrap());
    let told = [("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "200")];
    let server = Server::told(drawdown, key, &[], &told);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let bearer = server.bearer();
    let headers = [("authorization", bearer.as_str()), ("traceparent", trace)];
    let body = json!({"amounts": [{"unit": "credits", "feature": "f", "amount": "1"}]});
    let held = server.ask("POST", "/v1/wallets/acme/holds", &headers, body.to_string());
    held.expect(201);
    let spans = collected(&collector, &["request", "append", "fold", "commit"]);
    let id = [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];
    assert!(contains(&spans, &id), "the spans are part of the request's trace");
    let log = server.drawdown.run(&["log", "export"]).out;
    let record = log.lines().find(|line| line.contains("hold.requested")).unwrap();
    assert!(record.contains("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{record}");
}
