//! The rules of credits a second time, slow and plain, to check the core against.
//!
//! Nothing here shares code with the core. Amounts are exact rationals until they are rounded, every lot
//! stays for ever, and at each instant everything is looked at from scratch.
#![allow(dead_code, reason = "each test binary uses its own part")]

mod catalogue;
mod correct;
mod grant;
mod held;
pub(crate) mod history;
mod holds;
mod identity;
mod lot;
mod money;
mod overage;
mod pricing;
pub(crate) mod records;
mod reset;
mod settled;
mod step;
mod steps;
mod text;
mod time;
mod undo;
mod usage;
mod used;
mod void;
mod wallet;
mod zone;

use std::collections::BTreeMap;

use catalogue::Catalogue;
use text::{Json, instant};
use wallet::Wallet;

/// What is known of a wallet after a record, in plain numbers: instants in nanoseconds, amounts in billionths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) clock: i64,
    pub(crate) claimed: bool,
    pub(crate) suspended: bool,
    /// How many usages were counted without a price.
    pub(crate) unpriced: u64,
    /// Every lot ever issued by its id (`grant#cycle`, `grant#cycle/times`), as of the wallet's clock.
    pub(crate) lots: BTreeMap<String, LotSum>,
    /// Open overage by unit, month (`2026-01`) and feature; none that is zero.
    pub(crate) overage: BTreeMap<(String, String, String), i128>,
    /// What open holds have, by id: unit, feature, and the lot or none for the overdraft.
    pub(crate) holds: BTreeMap<String, HoldSum>,
    /// All entries in the order they were booked.
    pub(crate) entries: Vec<EntrySum>,
    /// The outcomes of the wallet's records by offset, as one line each; a grant that is rejected for several
    /// reasons has them all, with `|` between them.
    pub(crate) outcomes: Vec<(u64, String)>,
}

/// An open hold: when it ends, and what it has of each unit and feature, in each lot or (none) against the overdraft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HoldSum {
    pub(crate) ends: i64,
    pub(crate) has: BTreeMap<(String, String, Option<String>), i128>,
}

/// Where the parts of a lot are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LotSum {
    pub(crate) issued: i128,
    pub(crate) remaining: i128,
    pub(crate) held: i128,
    pub(crate) consumed: i128,
    pub(crate) expired: i128,
    pub(crate) voided: i128,
    pub(crate) rolled_over: i128,
    pub(crate) returned: i128,
    pub(crate) starts: i64,
    pub(crate) ends: Option<i64>,
    pub(crate) priority: u8,
    /// What was paid for it.
    pub(crate) money: i128,
}

/// One transfer between two accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntrySum {
    pub(crate) offset: u64,
    pub(crate) kind: String,
    pub(crate) unit: String,
    pub(crate) lot: Option<String>,
    pub(crate) debit: String,
    pub(crate) credit: String,
    pub(crate) amount: i128,
    /// What lots of the unit open at the step's clock have left after it.
    pub(crate) available_after: i128,
    pub(crate) effective_at: i64,
    pub(crate) booked_at: i64,
    pub(crate) feature: Option<String>,
    pub(crate) price: Option<String>,
}

/// A record as the oracle reads it.
#[derive(Clone)]
struct Envelope {
    id: String,
    source: String,
    kind: String,
    subject: Option<String>,
    time: Option<i64>,
    recorded_at: i64,
    reason: Option<String>,
    data: Json,
}

impl Envelope {
    fn has_no_reason(&self) -> bool {
        self.reason.as_ref().is_none_or(String::is_empty)
    }
}

/// One partition: its catalogue and its wallets.
#[derive(Default)]
pub(crate) struct Oracle {
    catalogue: Catalogue,
    wallets: BTreeMap<String, Wallet>,
    catalogue_outcomes: Vec<(u64, String)>,
}

impl Oracle {
    pub(crate) fn new() -> Oracle {
        Oracle::default()
    }

    /// Takes the partition's next record.
    pub(crate) fn record(&mut self, offset: u64, json: &str) {
        let json = Json::parse(json);
        let text = |key: &str| json.text(key).map(str::to_owned);
        let envelope = Envelope {
            id: text("id").expect("a record has an id"),
            source: text("source").expect("a record has a source"),
            kind: text("type").expect("a record has a type"),
            subject: text("subject"),
            time: json.text("time").map(instant),
            recorded_at: instant(json.text("recorded_at").expect("a record was recorded")),
            reason: text("reason"),
            data: json.get("data").expect("a record has data").clone(),
        };
        match (text("wallet"), envelope.kind.as_str()) {
            (None, "genesis") => self.catalogue.genesis(&envelope),
            (None, _) => {
                let outcome = self.catalogue.record(offset, &envelope);
                self.catalogue_outcomes.push((offset, outcome));
            }
            (Some(wallet), _) => {
                let wallet = self.wallets.entry(wallet).or_insert_with(Wallet::new);
                wallet.record(&self.catalogue, offset, &envelope);
                wallet.lots.iter().for_each(lot::Lot::assert_law);
            }
        }
    }

    /// What is known of a wallet; nothing before its first record.
    pub(crate) fn summary(&self, wallet: &str) -> Option<Summary> {
        self.wallets.get(wallet).map(Wallet::summary)
    }

    /// A wallet itself; nothing before its first record.
    fn wallet(&self, id: &str) -> Option<&Wallet> {
        self.wallets.get(id)
    }

    /// The outcomes of the catalogue's records by offset.
    pub(crate) fn catalogue_outcomes(&self) -> &[(u64, String)] {
        &self.catalogue_outcomes
    }
}
