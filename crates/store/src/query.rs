//! What is asked of a store.

use ledger::Offset;

/// An identity to look up: its segment and its key.
pub type IdProbe = (u32, [u8; 16]);

/// A counter to look up: wallet, price, charge, and start of the period.
pub type CounterKey = (i64, String, String, i64);

/// What has left a wallet's document, to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftProbe {
    /// The lot of this id, and those whose ids begin with it and `/` or `+`.
    Family(String),
    /// The grant of this id.
    Grant(String),
    /// The grants of this purchase.
    Purchase(String),
}

/// Which wallets to list. What is absent does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalletFilter {
    /// What their ids begin with.
    pub prefix: Option<String>,
    /// Whether somebody configured them.
    pub claimed: Option<bool>,
    /// The id after which the page begins.
    pub after: Option<String>,
    /// How many at most.
    pub limit: u32,
}

/// Which entries of a wallet to list. What is absent does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// The wallet's number.
    pub wallet: i64,
    /// What they move.
    pub unit: Option<String>,
    /// Their kind, an [`EntryKind`](crate::EntryKind)'s code.
    pub kind: Option<u8>,
    /// One of their lots.
    pub lot: Option<String>,
    /// What was used.
    pub feature: Option<String>,
    /// The earliest `effective_at`.
    pub from: Option<i64>,
    /// The first `effective_at` that is too late.
    pub to: Option<i64>,
    /// The offset and line after which the page begins.
    pub after: Option<(Offset, u32)>,
    /// How many at most.
    pub limit: u32,
}

/// Which usage of a wallet to list. What is absent does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// The wallet's number.
    pub wallet: i64,
    /// The event's own type.
    pub feature: Option<String>,
    /// Who used.
    pub subject: Option<String>,
    /// The earliest `at`.
    pub from: Option<i64>,
    /// The first `at` that is too late.
    pub to: Option<i64>,
    /// The offset after which the page begins.
    pub after: Option<Offset>,
    /// How many at most.
    pub limit: u32,
}

/// The first text, in the order of bytes, after all that begin with `prefix`; none if nothing comes after
/// them.
pub(crate) fn beyond(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}
