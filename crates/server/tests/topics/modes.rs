//! Each way in which senders put an event into a message.

use eventlog::TopicMessage;
use serde_json::{Value, json};

use crate::drawdown::{Drawdown, event};
use crate::topic::{PARTITIONS, Topic, message};

const BINARY: [(&str, &str); 5] = [
    ("ce_specversion", "1.0"),
    ("ce_source", "test"),
    ("ce_type", "image"),
    ("ce_wallet", "team"),
    ("ce_region", "eu"),
];

fn structured(id: &str, media: Option<&str>) -> TopicMessage {
    let headers: Vec<_> = media.map(|media| ("content-type", media)).into_iter().collect();
    message(id, &headers, Some(event(id, "team").as_bytes()))
}

fn binary(id: &str, media: Option<&str>, value: Option<&[u8]>) -> TopicMessage {
    let more = media.map(|media| ("content-type", media)).into_iter();
    let headers: Vec<_> = BINARY.into_iter().chain([("ce_id", id)]).chain(more).collect();
    message(id, &headers, value)
}

/// What is refused: its key, the code, and the message.
fn refused() -> [(&'static str, &'static str, TopicMessage); 7] {
    let some = format!("[{},{{\"id\":\"a4\"}},7]", event("a3", "team"));
    [
        ("tombstone", "no_event", message("tombstone", &[("x", "y")], None)),
        ("empty", "no_event", message("empty", &[], Some(b" "))),
        ("text", "not_json", message("text", &[], Some(b"hello"))),
        ("nobody", "missing", message("nobody", &[("ce_specversion", "1.0")], None)),
        ("some", "missing", message("some", &[], Some(some.as_bytes()))),
        ("wrong", "data_not_json", binary("wrong", Some("application/json"), Some(b"{"))),
        ("large", "too_large", binary("large", Some("image/png"), Some(&[7; 900_000]))),
    ]
}

#[test]
fn each_mode_of_a_message_becomes_an_event_and_what_is_refused_a_dead_letter() {
    let (drawdown, topic) = (Drawdown::new(), Topic::on(services::kafka()));
    let taken = [
        structured("s1", Some("application/cloudevents+json")),
        structured("s2", Some("application/cloudevents+json; charset=UTF-8")),
        structured("s3", Some("application/json")),
        structured("s4", None),
        message("s5", &[], Some(format!("[{},{}]", event("a1", "team"), event("a2", "other")).as_bytes())),
        binary("b1", Some("application/json"), Some(br#"{"pixels": 7}"#)),
        binary("b2", None, Some(b"8")),
        binary("b3", Some("text/plain"), Some(b"9")),
        binary("b4", Some("image/png"), Some(b"\xff\x00")),
        binary("b5", None, None),
    ];
    let refused = refused();
    topic.write(taken.iter().cloned());
    topic.write(refused.iter().map(|(_, _, message)| message.clone()));

    let args = ["ingest", "--from-topic", &topic.name, "--brokers", &topic.broker, "--until-end", "--json"];
    let ran = drawdown.run(&args);
    ran.failed(3, &["refused 2 (no_event), the first at ", "refused 1 (too_large)"]);
    assert_eq!(ran.json(), json!({"appended": 12, "refused": 8}));

    let letters = topic.dead_letters();
    for (at, (key, code, sent)) in refused.iter().enumerate() {
        let letter = &letters[*key].message;
        assert_eq!((&letter.value, &letter.key), (&sent.value, &sent.key), "{key}");
        let (kept, added) = letter.headers.split_at(sent.headers.len());
        assert_eq!(kept, sent.headers, "{key}");
        let header = |name: &str| {
            let found = added.iter().find(|(header, _)| header == &format!("drawdown_{name}"));
            found.map(|(_, value)| String::from_utf8(value.clone().unwrap()).unwrap())
        };
        assert_eq!(header("code").as_deref(), Some(*code), "{key}");
        assert!(header("reason").unwrap().len() > 20, "{key}");
        assert_eq!(header("topic"), Some(topic.name.clone()));
        assert_eq!(header("partition"), Some((at as u32 % PARTITIONS).to_string()), "{key}");
        assert!(header("offset").unwrap().parse::<u64>().unwrap() >= 2, "{key}");
        let each: Option<Value> = header("refused").map(|text| serde_json::from_str(&text).unwrap());
        let codes = each.as_ref().map(|each| [&each[0]["event"], &each[1]["event"], &each[1]["code"]]);
        let expected = [json!(1), json!(2), json!("not_an_object")];
        assert_eq!(codes, Some(expected.each_ref()).filter(|_| *key == "some"), "{key}");
    }
    assert_eq!(letters.len(), refused.len());

    let folded = drawdown.json(&["project"]);
    assert_eq!(
        (&folded["applied"], &folded["duplicate"], &folded["quarantined"]),
        (&json!(12), &json!(0), &json!(0))
    );
    let exported = drawdown.run(&["log", "export", "--wallet", "team"]).out;
    for data in [
        r#"{\"data\":{\"pixels\": 7},\"extensions\":{\"datacontenttype\":\"application/json\",\"region\":\"eu\"},\"type\":\"image\"}"#,
        r#"{\"data\":8,\"extensions\":{\"region\":\"eu\"}"#,
        r#"{\"data_text\":\"9\","#,
        r#"{\"data_base64\":\"/wA=\","#,
    ] {
        assert!(exported.contains(data), "{data} is not in {exported}");
    }
    let again = drawdown.json(&args[..6]);
    assert_eq!(again, json!({"appended": 0, "refused": 0}), "the group's offsets were kept");
}

#[test]
fn another_group_and_another_share_of_the_topic_are_read_as_told() {
    let (drawdown, topic) = (Drawdown::new(), Topic::on(services::kafka()));
    topic.write((0..30).map(|n| structured(&n.to_string(), None)));
    let ingest = |more: &[&str]| {
        let args = ["ingest", "--until-end", "--from-topic", &topic.name, "--brokers", &topic.broker];
        drawdown.json(&[&args, more].concat())["appended"].clone()
    };
    let group = crate::topic::fresh("group");
    assert_eq!(ingest(&["--group", &group, "--partitions", "0,2"]), json!(20));
    assert_eq!(ingest(&["--group", &group]), json!(10), "the partition that was left");
    assert_eq!(ingest(&[]), json!(30), "a group of the log's own begins at the beginning");
    let folded = drawdown.json(&["project"]);
    assert_eq!((&folded["applied"], &folded["duplicate"]), (&json!(30), &json!(30)));
}

#[test]
fn a_topic_that_cannot_be_read_is_told() {
    let drawdown = Drawdown::new();
    drawdown.run(&["ingest", "--from-topic", "x"]).failed(1, &["--from-topic needs --brokers"]);
    drawdown.run(&["ingest"]).failed(2, &["<FILE>"]);
    drawdown.run(&["run", "--roles", "ingest"]).failed(1, &["give both"]);
    let missing = crate::topic::fresh("missing");
    let ran = drawdown.run(&["ingest", "--from-topic", &missing, "--brokers", services::kafka()]);
    ran.failed(6, &["there is no topic"]);
}
