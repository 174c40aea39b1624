//! A broker that speaks TLS, and asks who one is.

use services::{Broker, Secured};

use crate::drawdown::{Drawdown, IMAGES, event};

#[test]
fn a_broker_with_tls_lets_in_who_has_the_password() {
    let broker = Broker::start_secured();
    let secured = broker.secured();
    for mechanism in ["SCRAM-SHA-512", "PLAIN"] {
        let log = format!("kafka://{}/{}", secured.address, mechanism.to_lowercase());
        let drawdown = Drawdown::new();
        let properties = drawdown.file("kafka.properties", properties(&secured, mechanism));
        let json = |args: &[&str]| {
            drawdown.json(&[args, &["--log", &log, "--kafka-properties", &properties]].concat())
        };
        json(&["init", "--partitions", "2"]);
        json(&["apply", &drawdown.file("images.yaml", IMAGES)]);
        let events: String = (0..100).map(|n| event(n, "acme")).collect();
        assert_eq!(json(&["ingest", &drawdown.file("usage.ndjson", events)])["appended"], 100);
        assert_eq!(json(&["project"])["applied"], 100);
        let balance = json(&["balance", "acme"]);
        assert_eq!(balance["units"]["credits"]["overage"], "100", "{mechanism}: {balance}");
        assert_eq!(json(&["verify"])["verified"], true);
    }
}

#[test]
fn who_is_not_let_in_is_told_what_to_correct() {
    let broker = Broker::start_secured();
    let secured = broker.secured();
    let drawdown = Drawdown::new();
    let right = properties(&secured, "SCRAM-SHA-512");
    let of_nobody = right.lines().filter(|line| !line.starts_with("ssl.ca")).map(|line| format!("{line}\n"));
    for (wrong, says) in [
        (
            right.replace("password=drawdown", "password=guessed"),
            "correct sasl.mechanism, sasl.username and sasl.password",
        ),
        (of_nobody.collect(), "the certificates that ssl.ca.location names"),
    ] {
        let properties = drawdown.file("kafka.properties", wrong);
        let log = format!("kafka://{}/log", secured.address);
        for args in [&["init"][..], &["status"], &["ingest", "--from-topic", "theirs"]] {
            let ran = drawdown.run(&[args, &["--log", &log, "--kafka-properties", &properties]].concat());
            ran.failed(1, &[says, &secured.address]);
            assert!(!ran.err.contains("guessed"), "{}", ran.err);
        }
    }
}

fn properties(secured: &Secured, mechanism: &str) -> String {
    format!(
        "security.protocol=SASL_SSL\nsasl.mechanism={mechanism}\nsasl.username=drawdown\nsasl.password=drawdown\n\
         ssl.ca.location={}\n",
        secured.certificate.display()
    )
}
