//! The usage of the story's month.

use ledger::Instant;
use serde_json::json;

/// The documents: catalogue, wallets, grants.
pub(super) const STUDIO: &str = include_str!("studio.yaml");

pub(super) const WHAT_THINGS_COST: &str = "\
A studio sells chat and images for credits. A file says what they cost, and grants acme a plan that
recurs each month, a pack that was bought, and a promotion for images; bea has a smaller plan.";

pub(super) const A_MONTH_OF_USAGE: &str = "\
Three of them are sent twice, and count once. A visitor whom nobody has heard of chats too, and makes a
video, which has no price: all is kept, and nothing guessed. What no lot covers is overage.";

pub(super) const TIME_PASSES: &str = "\
On February 1 the plans begin anew. Half of what acme had left is carried over, the rest expires; bea's
new month pays January's overage back. On the 3rd a server reports what it had used on January 31: for
three days January's lot still pays for that, here with what had expired of it.";

/// A moment of the story: `01-31T20:00`.
pub(super) fn at(text: &str) -> Instant {
    Instant::parse(&format!("2025-{text}:00Z")).expect("the story's moments are written well")
}

/// January's events, as CloudEvents: the last three are sent twice.
pub(super) fn january() -> String {
    let mut events = Vec::new();
    for day in 1..=31 {
        events.push(chat("acme", day, &format!("01-{day:02}T10:00"), 12_000, 4_000));
        if day % 3 == 0 {
            events.push(image("acme", day, &format!("01-{day:02}T11:30")));
        }
        if day % 6 == 1 {
            events.push(chat("bea", day, &format!("01-{day:02}T16:45"), 10_000, 12_000));
        }
        if day == 20 {
            events.push(video("visitor", day, &format!("01-{day:02}T18:00")));
            events.push(chat("visitor", day, &format!("01-{day:02}T18:05"), 4_000, 2_000));
        }
    }
    let again = events[events.len() - 3..].to_vec();
    events.extend(again);
    events.concat()
}

/// What the studio's servers had used on the last evening of January, and sent only in February.
pub(super) fn late() -> String {
    chat("acme", "late", "01-31T20:00", 100_000, 100_000)
}

fn chat(wallet: &str, id: impl std::fmt::Display, time: &str, input: u32, output: u32) -> String {
    let data = json!({"model": "small", "input_tokens": input, "output_tokens": output});
    event("llm.completion", wallet, &format!("chat-{id}"), time, &data)
}

fn image(wallet: &str, id: u32, time: &str) -> String {
    event("image.generated", wallet, &format!("image-{id}"), time, &json!({"model": "pro-2"}))
}

fn video(wallet: &str, id: u32, time: &str) -> String {
    event("video.generated", wallet, &format!("video-{id}"), time, &json!({"seconds": 8}))
}

fn event(kind: &str, wallet: &str, id: &str, time: &str, data: &serde_json::Value) -> String {
    let time = at(time).to_string();
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/studio","type":"{kind}","subject":"{wallet}","time":"{time}","data":{data}}}"#
    ) + "\n"
}
