//! Processes that are killed, and a broker that is.

use std::time::Duration;

use eventlog::TopicMessage;
use serde_json::json;
use services::Broker;

use crate::drawdown::{Drawdown, event, until};
use crate::topic::{Topic, fresh, message};

fn events(from: u32, to: u32) -> impl Iterator<Item = TopicMessage> {
    (from..to).map(|n| message("any", &[], Some(event(n, &format!("team-{}", n % 17)).as_bytes())))
}

/// Messages of which each can be refused alone.
fn refused(from: u32, to: u32) -> impl Iterator<Item = TopicMessage> {
    (from..to).map(|n| message(&format!("refused-{n}"), &[], Some(b"{}")))
}

#[test]
fn each_event_of_a_topic_counts_once_when_the_process_is_killed() {
    const EVENTS: u32 = 240_000;
    const REFUSED: u32 = 900;
    let (drawdown, topic) = (Drawdown::new(), Topic::on(services::kafka()));
    for part in 0..3 {
        topic.write(events(part * EVENTS / 3, (part + 1) * EVENTS / 3));
        topic.write(refused(part * REFUSED / 3, (part + 1) * REFUSED / 3));
    }
    drawdown.json(&["init"]);
    let args = ["ingest", "--from-topic", &topic.name, "--brokers", &topic.broker, "--json"];
    let in_log = || drawdown.run(&["log", "export"]).out.lines().count() as u64;
    let mut at_work = 0;
    for kill in 0..6 {
        let before = in_log();
        let mut started = drawdown.start(&args);
        until("it appends", || started.is_over() || in_log() > before || before > u64::from(EVENTS));
        std::thread::sleep(Duration::from_millis(17 * kill));
        at_work += u32::from(in_log() < u64::from(EVENTS));
        assert_eq!(started.stop("-KILL").code, None);
    }
    assert!(at_work >= 1, "it was killed at work only {at_work} times");
    let ran = drawdown.run(&[&args[..], &["--until-end"]].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.err);

    let folded = drawdown.json(&["project"]);
    assert_eq!((&folded["applied"], &folded["quarantined"]), (&json!(EVENTS), &json!(0)));
    let letters = topic.dead_letters();
    assert_eq!(letters.len(), REFUSED as usize, "each refused message is among the dead letters");
    println!("killed at work {at_work} times, {} records twice", folded["duplicate"]);
}

#[test]
fn a_topic_is_read_on_after_its_broker_was_killed() {
    let broker = Broker::start();
    let (drawdown, topic) = (Drawdown::new(), Topic::on(broker.address()));
    let log = format!("kafka://{}/{}", broker.address(), fresh("log"));
    drawdown.json(&["--log", &log, "init"]);
    let running = drawdown.start(&[
        "--log",
        &log,
        "run",
        "--roles",
        "projector,scheduler,ingest",
        "--from-topic",
        &topic.name,
    ]);
    topic.write(events(0, 9_000));
    std::thread::sleep(Duration::from_millis(300));
    broker.kill();
    std::thread::sleep(Duration::from_secs(2));
    broker.restart();
    topic.write(events(9_000, 12_000).chain(refused(0, 30)));
    until("all refused messages are among the dead letters", || topic.dead_letters().len() == 30);
    let ran = running.stop("-TERM");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let args = ["--log", &log, "ingest", "--from-topic", &topic.name, "--until-end", "--json"];
    assert_eq!(drawdown.run(&args).json(), json!({"appended": 0, "refused": 0}), "all was noted");
    let folded = Drawdown::new().json(&["--log", &log, "project"]);
    assert_eq!((&folded["applied"], &folded["quarantined"]), (&json!(12_000), &json!(0)));
    println!("{} records twice", folded["duplicate"]);
}
