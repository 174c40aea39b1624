//! CloudEvents' own SDKs: what they send in each of their modes is booked as it was meant.

use serde_json::json;

use crate::installed::{node, python};
use crate::story::{Story, ids, line};

#[test]
fn pythons_sdk_of_cloudevents_sends_in_every_mode_it_has() {
    let story = Story::of(python("cloudevents-python"));
    story.each_was_taken();
    let booked = story.booked("sdk-cloudevents-python", 13);
    let expected = ["1", "1 duplicate", "2", "3", "4", "5", "5 duplicate", "6-0", "6-1", "7", "8", "9", "10"];
    assert_eq!(ids(&booked), expected);
    let data = json!({"tokens": 3, "model": "small", "note": "Zoë 😀"});
    for id in ["1", "2", "3", "6-0", "7", "8", "10"] {
        let line = line(&booked, id);
        assert_eq!((&line["data"], &line["at"]), (&data, &json!("2026-01-02T01:04:05.678901Z")), "{id}");
        assert_eq!(line["source"], "/sdk/cloudevents python");
        assert_eq!(line["charged"], json!({"credits": "1"}));
    }
    let subjects = ["1", "3", "7", "8"].map(|id| line(&booked, id)["subject"].clone());
    assert_eq!(subjects, ["Zoë 100%", "€ \"quoted\"", "Zoë", "Zoë"]);
}

#[test]
fn javascripts_sdks_of_cloudevents_and_openmeter_do_as_pythons() {
    let story = Story::of(node("javascript"));
    story.each_was_taken();
    let booked = story.booked("sdk-cloudevents-javascript", 10);
    let expected = ["1", "1 duplicate", "2", "3", "4", "5", "6-0", "6-1", "7-binary", "7-structured"];
    assert_eq!(ids(&booked), expected);
    let data = json!({"tokens": 3, "model": "small", "note": "Zoë 😀"});
    for id in ["1", "2", "6-0", "7-binary", "7-structured"] {
        let line = line(&booked, id);
        assert_eq!((&line["data"], &line["at"]), (&data, &json!("2026-01-02T01:04:05.678Z")), "{id}");
        assert_eq!((&line["subject"], &line["source"]), (&json!("Zoë"), &json!("/sdk/cloudevents")));
    }
    crate::openmeter::javascript(&story);
}
