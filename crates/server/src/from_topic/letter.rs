//! A dead letter: the message as it was sent, and why it, or some of it, was refused.

use eventlog::TopicMessage;
use ingest::Refusal;
use ledger::Position;
use serde::Serialize;

/// So many refusals of one message are told, beside how many there are.
const MOST: usize = 100;

/// What was refused of a message, and which of its events where it has several.
type Refused = (Option<usize>, Refusal);

/// Makes the dead letter of a message.
///
/// Its own key, value and headers are kept; behind them stand `drawdown_code` and `drawdown_reason` of the first refusal,
/// `drawdown_topic`, `drawdown_partition` and `drawdown_offset` of the message, and where it holds an array of events
/// `drawdown_refused`: of each that was refused its `event`, counted from 0, `code` and `reason`. The others were taken.
pub(super) fn letter(topic: &str, at: Position, message: &TopicMessage, refused: &[Refused]) -> TopicMessage {
    #[derive(Serialize)]
    struct Line {
        event: usize,
        code: &'static str,
        reason: String,
    }
    let mut letter = message.clone();
    let mut add = |name: &str, value: String| {
        letter.headers.push((format!("drawdown_{name}"), Some(value.into_bytes())));
    };
    if let Some((_, first)) = refused.first() {
        add("code", first.code().to_owned());
        add("reason", first.to_string());
    }
    add("topic", topic.to_owned());
    add("partition", at.partition.to_string());
    add("offset", at.offset.to_string());
    let lines: Vec<Line> = refused
        .iter()
        .filter_map(|(event, refusal)| {
            Some(Line { event: (*event)?, code: refusal.code(), reason: refusal.to_string() })
        })
        .take(MOST)
        .collect();
    if !lines.is_empty() {
        add("refused", serde_json::to_string(&lines).expect("lines of text are JSON"));
        add("refused_count", refused.len().to_string());
    }
    letter
}
