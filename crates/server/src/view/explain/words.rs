//! Records in words.

use ledger::{Instant, Outcome};
use schemars::JsonSchema;
use serde::Serialize;

use crate::view::history::Recorded;
use crate::view::when;

/// A record and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Record")]
pub(crate) struct RecordNow {
    partition: u32,
    offset: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    source: String,
    by: String,
    pub(crate) reason: Option<String>,
    subject: Option<String>,
    /// Of usage: the event's own type.
    usage_type: Option<String>,
    /// When it happened.
    time: Instant,
    recorded_at: Instant,
    /// The wallet's clock when it was applied.
    applied_at: Instant,
    outcome: &'static str,
    /// Why it was refused, or has no price; the answer to a hold's request.
    detail: Option<String>,
    /// The record that first bore its id, for a duplicate or a conflict.
    earlier: Option<u64>,
    /// The usage that it corrects.
    corrects: Option<u64>,
}

impl RecordNow {
    pub(crate) fn of(record: &Recorded) -> Self {
        let (outcome, detail, earlier) = match &record.outcome {
            None => ("none", None, None),
            Some(Outcome::Applied(unpriced)) => ("applied", unpriced.map(|why| why.word().to_owned()), None),
            Some(Outcome::Duplicate(of)) => ("duplicate", None, Some(of.0)),
            Some(Outcome::Conflict(with)) => ("conflict", None, Some(with.0)),
            Some(Outcome::Rejected(reason)) => ("rejected", Some(reason.clone()), None),
            Some(Outcome::Approved(answer)) => ("approved", Some(answer.to_string()), None),
            Some(Outcome::Declined(answer)) => ("declined", Some(answer.to_string()), None),
        };
        Self {
            partition: record.at.partition.0,
            offset: record.at.offset.0,
            kind: record.kind,
            id: record.id.clone(),
            source: record.source.clone(),
            by: record.by.clone(),
            reason: record.reason.clone(),
            subject: record.subject.clone(),
            usage_type: record.usage.clone(),
            time: record.time,
            recorded_at: record.recorded_at,
            applied_at: record.clock,
            outcome,
            detail,
            earlier,
            corrects: record.corrects.map(|offset| offset.0),
        }
    }

    /// Where it stands.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.partition, self.offset)
    }

    /// What happened, in a sentence or two.
    pub(crate) fn says(&self) -> String {
        let Self { id, source, by, .. } = self;
        let (place, recorded) = (self.place(), when(self.recorded_at));
        let because =
            self.reason.as_ref().map(|reason| format!(" The reason given: {reason:?}.")).unwrap_or_default();
        if let Some(kind) = &self.usage_type {
            let who = self.subject.as_deref().unwrap_or("somebody");
            let late = if self.time < self.recorded_at {
                format!(", and recorded at {recorded}")
            } else {
                String::new()
            };
            return format!(
                "At {} {who} used {kind}, which {source} reported as {id}{late}. It is the record {place}.",
                when(self.time)
            );
        }
        let about =
            self.corrects.map(|offset| format!(" It is about the usage at {}:{offset}.", self.partition));
        let about = about.unwrap_or_default();
        format!(
            "At {recorded} {}, by {by}: the record {place}, called {id}.{because}{about}",
            phrase(self.kind)
        )
    }

    /// What became of it, in a sentence.
    pub(crate) fn became(&self) -> String {
        let Self { partition, .. } = self;
        let detail = self.detail.as_deref();
        match (self.outcome, self.earlier, detail) {
            ("duplicate", Some(of), _) => {
                format!(
                    "The record at {partition}:{of} had said the same: that one counts, and this one changed nothing."
                )
            }
            ("conflict", Some(with), _) => format!(
                "The record at {partition}:{with} bears the same id and says something else: that one counts, and this one \
                 changed nothing."
            ),
            ("approved", _, Some(answer)) => format!("It was approved, {answer}."),
            ("declined", _, Some(answer)) => format!("It was declined, and changed nothing: {answer}."),
            ("rejected", _, Some(reason)) => format!("It was refused, and changed nothing: {reason}."),
            ("applied", _, Some(why)) => {
                format!(
                    "It was kept, and charged nothing, because it could not be priced: {}.",
                    unpriced(why)
                )
            }
            ("applied", ..) => "It took effect.".to_owned(),
            _ => "It books what time alone had made due.".to_owned(),
        }
    }
}

/// What a record of a type means.
pub(crate) fn phrase(kind: &str) -> &'static str {
    match kind {
        "grant.issued" => "credits were granted",
        "wallet.configured" => "the wallet was configured",
        "timer.due" => "a timer came by",
        "grant.voided" => "a grant was voided",
        "usage.reversed" => "a usage was reversed",
        "usage.rerated" => "a usage was charged anew",
        "wallet.reset" => "the wallet was reset",
        "overage.cleared" => "overage was taken out",
        "wallet.changed" => "several changes were made at once",
        "wallet.suspended" => "the wallet was suspended",
        "wallet.resumed" => "the wallet was resumed",
        "usage" => "something was used",
        "hold.requested" => "a hold was requested",
        "hold.extended" => "a hold was to be extended",
        "hold.settled" => "a hold was settled",
        "hold.voided" => "a hold was voided",
        _ => "something was recorded",
    }
}

/// Why a usage has no price.
fn unpriced(why: &str) -> &str {
    match why {
        "no_price" => "no price matches it",
        "no_data" => "its data is no JSON object",
        "missing_quantity" => "a field that the price counts is not there",
        "not_a_number" => "a field that the price counts holds no number",
        "negative_quantity" => "a field that the price counts is below zero; reverse or re-rate instead",
        "out_of_range" => "a quantity, or what it comes to, is too large",
        other => other,
    }
}
