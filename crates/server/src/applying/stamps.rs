//! When a document is recorded, and by whom it says so.

use std::collections::BTreeMap;

use ingest::Stamp;
use ledger::Instant;
use serde::Deserialize;

use crate::documents::{Body, Document};

const OPERATOR: &str = "operator";
const BACKFILL: &str = "operator:backfill";
/// How far ahead of the clock a document's time may lie, in nanoseconds.
const AHEAD: i64 = 5 * 60 * 1_000_000_000;

/// A stamp for each document; or for some of them, by index, why they cannot have one.
pub(super) fn stamps(
    documents: &[Document],
    backfill: bool,
    now: Instant,
) -> Result<Vec<Stamp<'static>>, BTreeMap<usize, String>> {
    let mut stamps = Vec::with_capacity(documents.len());
    let mut refused = BTreeMap::new();
    for (index, document) in documents.iter().enumerate() {
        match stamp(&document.body, backfill, now) {
            Ok(stamp) => stamps.push(stamp),
            Err(why) => drop(refused.insert(index, why.to_owned())),
        }
    }
    if refused.is_empty() { Ok(stamps) } else { Err(refused) }
}

fn stamp(body: &Body, backfill: bool, now: Instant) -> Result<Stamp<'static>, &'static str> {
    if body.time().is_some_and(|time| time > now.plus(AHEAD)) {
        return Err("its `time` lies ahead: correct it, or leave it out");
    }
    if !backfill {
        return match (body, body.time()) {
            (Body::Grant { .. } | Body::Change { .. }, _) | (_, None) => {
                Ok(Stamp { now, by: OPERATOR, backfill: false })
            }
            (Body::Catalogue { .. } | Body::Wallet { .. }, Some(_)) => {
                Err("it says at what `time` it happened: apply it with --backfill, or leave the time out")
            }
        };
    }
    // What takes effect in the future is known now.
    let time = body.time().or_else(|| takes_effect(body)).map(|time| time.min(now));
    let missing = "--backfill records each document at its own time: write its `time`";
    Ok(Stamp { now: time.ok_or(missing)?, by: BACKFILL, backfill: false })
}

/// When a document that does not say its time takes effect.
fn takes_effect(body: &Body) -> Option<Instant> {
    #[derive(Deserialize)]
    struct Dated {
        effective_from: Option<Instant>,
    }
    match body {
        Body::Catalogue { body, .. } => serde_json::from_str::<Dated>(body).ok()?.effective_from,
        Body::Grant { terms, .. } => terms.effective_at,
        Body::Wallet { .. } | Body::Change { .. } => None,
    }
}
