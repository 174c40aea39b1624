//! Topics that nothing is sent to, and command lines that say too little.

use eventlog::{TopicMessage, TopicWriter};
use ledger::Partition;

use crate::drawdown::{Drawdown, IMAGES, until};
use crate::messages::Outbound;

#[test]
fn a_topic_that_is_no_place_for_the_logs_partitions_is_refused() {
    let (drawdown, topic) = (Drawdown::new(), Outbound::on(services::kafka()));
    drawdown.json(&["init"]);
    let run = |url: &str| drawdown.run(&["run", "--roles", "projector,outbound", "--to-topic", url]);
    let writer = topic.wait_for(TopicWriter::open(topic.config(), 3, 2 << 20)).unwrap();
    assert_eq!(writer.partitions(), 3);
    run(&topic.url).failed(1, &["the topic has 3 partitions and the log 4", "name another topic"]);

    let narrow = Outbound::on(services::kafka());
    narrow.wait_for(TopicWriter::open(narrow.config(), 4, 1 << 20)).unwrap();
    run(&narrow.url).failed(1, &["max.message.bytes=1048576", "2097152"]);

    let others = Outbound::on(services::kafka());
    let writer = others.wait_for(TopicWriter::open(others.config(), 4, 2 << 20)).unwrap();
    let message = TopicMessage { value: Some(b"{\"hello\":1}".to_vec()), ..TopicMessage::default() };
    others.wait_for(writer.write(&[(Partition(2), message)])).unwrap();
    run(&others.url).failed(1, &["message at 2:0 is not one that", "name another topic"]);
}

#[test]
fn a_topic_of_another_log_is_refused() {
    let topic = Outbound::on(services::kafka());
    let [one, other] = [(), ()].map(|()| Drawdown::new());
    for drawdown in [&one, &other] {
        drawdown.json(&["init"]);
        let file = drawdown.file("images.yaml", IMAGES);
        drawdown.json(&["apply", &file]);
    }
    let args = ["run", "--roles", "projector,outbound", "--to-topic", &topic.url];
    let running = one.start(&args);
    until("it sends", || topic.count() >= 8);
    assert_eq!(running.stop("-TERM").code, Some(0));
    other.run(&args).failed(1, &["is of log", "name another topic"]);
}

#[test]
fn a_command_line_that_says_too_little_is_told_so() {
    let drawdown = Drawdown::new();
    drawdown.json(&["init"]);
    drawdown.run(&["run", "--roles", "outbound"]).failed(1, &["give both --roles …,outbound and --to-topic"]);
    drawdown.run(&["run", "--to-topic", "x"]).failed(1, &["give both"]);
    let alone = ["run", "--roles", "outbound", "--to-topic", "kafka://localhost:1/x"];
    drawdown.run(&alone).failed(1, &["--roles projector,outbound"]);
    let beside = ["run", "--roles", "projector,outbound", "--to-topic", "x"];
    drawdown.run(&beside).failed(1, &["--to-topic needs an address", "kafka://host:port/topic"]);
    let wrong = ["run", "--roles", "projector,outbound", "--to-topic", "kafka://nowhere/x"];
    drawdown.run(&wrong).failed(1, &["--to-topic kafka://nowhere/x", "each broker has a host and a port"]);
}
