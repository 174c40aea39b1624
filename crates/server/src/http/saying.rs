//! What is said of a wallet (corrections, grants, configurations), and what it is answered with.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use ingest::{Corrected, Correction};
use schemars::JsonSchema;
use serde::Serialize;
use store::rows::OutcomeCode;

use super::App;
use super::answers::balance;
use super::caller::Caller;
use super::deciding::Recorded;
use super::problem::Problem;
use super::seen::FromPosition;
use crate::applying::{Rejection, mistake};
use crate::documents::{DocumentError, explain_rejection, field_of};
use crate::view::entry::EntryNow;
use crate::view::units::Totals;

/// What every request that says something of a wallet says of retries.
pub(super) const RETRY: &str = "The request's id: the same again, with the same body, is answered as the first; with another body it is a 422";

/// A record that took effect.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Said {
    wallet: String,
    /// The record's id.
    id: String,
    /// What it booked, with what time alone had done since the wallet's last record.
    entries: Vec<EntryNow>,
    /// How the wallet stands now, by unit.
    balance: BTreeMap<String, Totals>,
    /// Where the request stands in the log.
    position: String,
}

impl Said {
    pub(super) fn of(app: &App, wallet: &str, id: &str, recorded: Recorded) -> Result<Self, Problem> {
        let partition = recorded.first.partition.0;
        let now = recorded.wallet.map(|seen| app.advance(wallet, seen));
        let balance = balance(now.as_ref(), &recorded.entries);
        let entries = recorded.entries.into_iter().map(|row| EntryNow::booked(partition, row));
        Ok(Self {
            wallet: wallet.to_owned(),
            id: id.to_owned(),
            entries: entries.collect::<anyhow::Result<_>>()?,
            balance,
            position: recorded.position.to_string(),
        })
    }
}

impl App {
    /// Says something of a wallet that there is.
    pub(super) async fn correct(
        &self,
        caller: &Caller,
        (wallet, id): (&str, &str),
        reason: Option<&str>,
        says: Correction<'_>,
    ) -> Result<Said, Problem> {
        match self.wallet(wallet, &FromPosition::default()).await {
            // It may have been said of it only now.
            Err(problem) if problem.code == "unknown_wallet" => {
                self.newest(wallet).await?.ok_or(problem)?;
            }
            known => _ = known?,
        }
        let corrected = Corrected { wallet, id, time: None, reason, says };
        let recorded = self.decide(ingest::corrected(&corrected, &self.stamp(&caller.by)?)?).await?;
        taken(&recorded)?;
        Said::of(self, wallet, id, recorded)
    }
}

/// Refuses what the rules rejected, with their word.
pub(super) fn taken(recorded: &Recorded) -> Result<(), Problem> {
    let code = OutcomeCode::try_from(recorded.record.outcome).map_err(anyhow::Error::from)?;
    if code != OutcomeCode::Rejected {
        return Ok(());
    }
    let reason = recorded.record.detail.as_deref().unwrap_or_default();
    Err(rejected(reason).with("position", recorded.position.to_string()))
}

/// A problem of the rules' reason.
fn rejected(reason: &str) -> Problem {
    let (word, about) = reason.split_once(": ").map_or((reason, None), |(word, about)| (word, Some(about)));
    let status = match word {
        "unknown_wallet" | "unknown_grant" | "unknown_usage" => StatusCode::NOT_FOUND,
        "already_suspended" | "not_suspended" | "already_reversed" | "grant_exists" | "replaces_mismatch" => {
            StatusCode::CONFLICT
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let sentence = explain_rejection(reason);
    let detail = about.map_or_else(|| sentence.to_owned(), |about| format!("{about:?}: {sentence}"));
    let problem = Problem::new(status, word, detail);
    match field_of(reason) {
        Some(field) => problem.with("field", field),
        None => problem,
    }
}

/// Mistakes in a body that is written as a document is.
pub(super) fn mistakes(errors: Vec<DocumentError>) -> Problem {
    refused(errors.into_iter().map(mistake).collect())
}

/// Why documents were refused: the first one's field and sentence, and all of them.
pub(super) fn refused(rejections: Vec<Rejection>) -> Problem {
    #[derive(Serialize)]
    struct Shown<'a> {
        line: Option<usize>,
        document: &'a Option<String>,
        field: &'a str,
        reason: &'a Option<String>,
        what: &'a str,
    }
    let shown = |r: &'_ Rejection| {
        let Rejection { line, document, field, reason, what, .. } = r;
        serde_json::to_value(Shown { line: *line, document, field, reason, what }).expect("text is JSON")
    };
    let all: Vec<_> = rejections.iter().map(shown).collect();
    let first = rejections.into_iter().next();
    let (code, field, what) = match first {
        Some(Rejection { reason, field, what, .. }) => (reason, field, what),
        None => (None, String::new(), String::new()),
    };
    let named = if field.is_empty() { what } else { format!("`{field}` {what}") };
    let code = code.unwrap_or_else(|| "bad_document".to_owned());
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, named).with("field", field).with("errors", all)
}

/// The text of a JSON body, which is one.
pub(super) fn text(body: &[u8]) -> Result<&str, Problem> {
    super::body::read::<serde::de::IgnoredAny>(body)?;
    std::str::from_utf8(body).map_err(|_| Problem::bad("not_json", "the body is no UTF-8: encode it"))
}
