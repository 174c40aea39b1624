//! Records as JSON texts.

use sha2::{Digest, Sha256};

use super::text::show_instant;

/// A record to be written; instants in nanoseconds, `data` as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) kind: String,
    pub(crate) wallet: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) time: Option<i64>,
    pub(crate) recorded_at: i64,
    pub(crate) by: String,
    pub(crate) reason: Option<String>,
    pub(crate) data: String,
}

impl Record {
    /// A record of a wallet, without a subject or a time of its own.
    pub(crate) fn new(kind: &str, wallet: &str, id: &str, recorded_at: i64, data: String) -> Record {
        Record {
            id: id.to_owned(),
            source: "tests".to_owned(),
            kind: kind.to_owned(),
            wallet: Some(wallet.to_owned()),
            subject: None,
            time: None,
            recorded_at,
            by: "operator".to_owned(),
            reason: None,
            data,
        }
    }

    /// What a scheduler appends when something is due.
    pub(crate) fn timer(wallet: &str, due_at: i64, recorded_at: i64) -> Record {
        let due_at = show_instant(due_at);
        let data = format!(r#"{{"due_at":"{due_at}"}}"#);
        let timer = Record::new("timer.due", wallet, &format!("timer:{due_at}"), recorded_at, data);
        Record { source: "scheduler".to_owned(), by: "system".to_owned(), ..timer }
    }

    /// The first record of a partition.
    pub(crate) fn genesis(recorded_at: i64, fold: u8) -> Record {
        let log = "00112233445566778899aabbccddeeff";
        let rest = r#""partitions":1,"partitioner":"sha256-8-mod""#;
        let data = format!(r#"{{"log":"{log}",{rest},"fold":{fold}}}"#);
        let genesis = Record::new("genesis", "", "genesis", recorded_at, data);
        Record { wallet: None, source: "drawdown".to_owned(), ..genesis }
    }

    /// A revision of something in the catalogue. `body` has its keys sorted and no blanks.
    pub(crate) fn published(
        kind: &str,
        name: &str,
        replaces: Option<&str>,
        recorded_at: i64,
        body: &str,
    ) -> Record {
        let id = content_id(&[kind, name, body, replaces.unwrap_or("")]);
        let predecessor = replaces.map_or(String::new(), |id| format!(r#""replaces":"{id}","#));
        let data = format!(r#"{{"kind":"{kind}","name":"{name}",{predecessor}"body":{body}}}"#);
        let record = Record::new("catalogue.published", "", &id, recorded_at, data);
        Record { wallet: None, source: "catalogue".to_owned(), ..record }
    }

    /// A wallet's configuration; `fields` are the members of its data besides `replaces`.
    pub(crate) fn configured(wallet: &str, replaces: Option<&str>, recorded_at: i64, fields: &str) -> Record {
        let predecessor = replaces.map(|id| format!(r#""replaces":"{id}""#));
        let members =
            predecessor.as_deref().into_iter().chain([fields]).filter(|members| !members.is_empty());
        let data = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let id = content_id(&["wallet.configured", wallet, fields, replaces.unwrap_or("")]);
        Record::new("wallet.configured", wallet, &id, recorded_at, data)
    }

    /// The record as a line of the log.
    pub(crate) fn json(&self) -> String {
        let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
        let mut members = vec![
            r#""v":3"#.to_owned(),
            format!(r#""id":{}"#, quoted(&self.id)),
            format!(r#""source":{}"#, quoted(&self.source)),
            format!(r#""type":{}"#, quoted(&self.kind)),
        ];
        members.extend(self.wallet.as_ref().map(|wallet| format!(r#""wallet":{}"#, quoted(wallet))));
        members.extend(self.subject.as_ref().map(|subject| format!(r#""subject":{}"#, quoted(subject))));
        members.extend(self.time.map(|time| format!(r#""time":"{}""#, show_instant(time))));
        members.push(format!(r#""recorded_at":"{}""#, show_instant(self.recorded_at)));
        members.push(format!(r#""by":{}"#, quoted(&self.by)));
        members.extend(self.reason.as_ref().map(|reason| format!(r#""reason":{}"#, quoted(reason))));
        members.push(format!(r#""data":{}"#, self.data));
        format!("{{{}}}", members.join(","))
    }
}

/// The id that follows from a content and its predecessor.
fn content_id(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
