//! The rows of a projection, as they are written and read back.
//!
//! Instants are nanoseconds since 1970-01-01T00:00:00Z. Amounts are canonical decimal text (`"12.5"`), kept
//! as given: nothing is computed with them here. A wallet's number is `sequence × partitions + partition`,
//! so it is unique across partitions; whoever folds gives it.

use ledger::{Name, Offset, Partition};

pub use crate::codes::{NoSuchCode, OutcomeCode, RecordKind};
pub use ledger::EntryKind;

/// How far a partition is folded, and the proof of what was folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The partition.
    pub partition: Partition,
    /// The id of the log that is folded here, as its genesis names it.
    pub log: String,
    /// The offset of the next record to fold.
    pub next: Offset,
    /// The SHA-256 chain over the raw records below `next`; zeros at the start.
    pub chain: [u8; 32],
    /// The SHA-256 of the last applied record; zeros at the start.
    pub last: [u8; 32],
    /// The sum of the wallets' digests modulo 2^256.
    pub digest: [u8; 32],
    /// Which acquisition of the partition may write: each has a higher one than those before it, also than those that a store has
    /// forgotten which was restored from an older dump. Above 0.
    pub epoch: i64,
    /// The largest instant recorded so far.
    pub clock: i64,
    /// What became of the records.
    pub counts: Counts,
    /// How many wallet numbers were given.
    pub wallets: u64,
    /// The version of the fold in force.
    pub fold: u32,
}

/// What whoever takes a partition over begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Where the partition stands.
    pub head: Head,
    /// The catalogue, JSON.
    pub catalogue: Option<String>,
    /// The filters of complete segments, by segment.
    pub filters: Vec<FilterRow>,
    /// The identities of the segment that grows, by offset.
    pub growing: Vec<IdRow>,
}

/// The segment that grows, behind those that are complete.
pub fn next_segment(filters: &[FilterRow]) -> u32 {
    filters.iter().map(|filter| filter.segment + 1).max().unwrap_or(0)
}

/// How many records of a partition ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Took effect.
    pub applied: u64,
    /// Had been seen before.
    pub duplicate: u64,
    /// Bore the id of another record, with other content.
    pub conflict: u64,
    /// Were refused by a rule.
    pub rejected: u64,
    /// Could not be read.
    pub quarantined: u64,
    /// Were the passing of time.
    pub timers: u64,
    /// Were usage that took effect without a price.
    pub unpriced: u64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    /// What was counted since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        self.with(before, u64::saturating_sub)
    }

    fn with(self, other: Self, each: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            applied: each(self.applied, other.applied),
            duplicate: each(self.duplicate, other.duplicate),
            conflict: each(self.conflict, other.conflict),
            rejected: each(self.rejected, other.rejected),
            quarantined: each(self.quarantined, other.quarantined),
            timers: each(self.timers, other.timers),
            unpriced: each(self.unpriced, other.unpriced),
        }
    }
}

/// One wallet: its document and the columns that are searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletRow {
    /// Its number.
    pub no: i64,
    /// Its id, as records name it.
    pub id: String,
    /// The document is true after all records below this offset.
    pub as_of: Offset,
    /// Its clock.
    pub clock: i64,
    /// When time alone changes it next.
    pub next_due_at: Option<i64>,
    /// Whether somebody configured it.
    pub claimed: bool,
    /// How many of its usages await a price.
    pub unpriced: u64,
    /// The digest of its values.
    pub digest: [u8; 32],
    /// Its document, JSON.
    pub doc: String,
}

/// One record and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// Where it stands.
    pub offset: Offset,
    /// The number of its wallet; none for genesis and catalogue records.
    pub wallet: Option<i64>,
    /// A [`RecordKind`].
    pub kind: u8,
    /// An [`OutcomeCode`].
    pub outcome: u8,
    /// The reason of a refusal, the answer to a hold's request, why usage has no price, or `free:` and the price of usage that books nothing.
    pub detail: Option<String>,
    /// The record that first bore its id, for a duplicate or a conflict; the usage that an applied correction is about.
    pub earlier: Option<Offset>,
    /// Its id within the source; of a settlement, that of the usage that it books.
    pub id: String,
    /// Who sent it.
    pub source: String,
    /// Who used.
    pub subject: Option<String>,
    /// The time it counts as of.
    pub at: i64,
    /// When it was appended.
    pub recorded_at: i64,
    /// Usage, a settlement: the event's own type.
    pub feature: Option<String>,
    /// Usage, a settlement: the event's data as sent. Of a correction, and of what else is about a hold: what it says.
    pub data: Option<String>,
}

/// An identity that a record bears: (wallet, source, id) or (wallet, grant), as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdRow {
    /// The segment of ids it belongs to: a stretch that one stored filter answers for.
    pub segment: u32,
    /// The digest of the identity.
    pub key: [u8; 16],
    /// The record that first bore it.
    pub offset: Offset,
    /// The digest of that record's content.
    pub content: [u8; 16],
}

/// One transfer between two accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// The record that caused it.
    pub offset: Offset,
    /// Its place among the record's entries, counted from 0.
    pub line: u32,
    /// The wallet's number.
    pub wallet: i64,
    /// The code of an [`EntryKind`].
    pub kind: u8,
    /// What is moved.
    pub unit: Name,
    /// The lot it leaves or enters.
    pub lot: Option<Name>,
    /// The lot it enters, where it moves between two; the hold, where it is set aside or free again.
    pub other_lot: Option<Name>,
    /// How much.
    pub amount: String,
    /// What the wallet's open lots of the unit hold afterwards.
    pub available_after: String,
    /// The instant it counts as of.
    pub effective_at: i64,
    /// When it became known.
    pub booked_at: i64,
    /// Who used.
    pub subject: Option<String>,
    /// What was used.
    pub feature: Option<Name>,
    /// The price and its revision, `name@revision`.
    pub price: Option<Name>,
    /// Of overage: the month of the usage, `2026-01`.
    pub month: Option<String>,
}

/// One parcel of a grant, with where its credits are: issued = the sum of the amounts that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotRow {
    /// The wallet's number.
    pub wallet: i64,
    /// Its id within the wallet.
    pub lot: String,
    /// The grant it is of.
    pub grant: String,
    /// What it holds.
    pub unit: String,
    /// The lot it was carried over from.
    pub origin: Option<String>,
    /// What it began with.
    pub issued: String,
    /// What can still be spent.
    pub remaining: String,
    /// What is set aside for holds.
    pub held: String,
    /// What paid for usage and overage.
    pub consumed: String,
    /// What its end took.
    pub expired: String,
    /// What an operator took.
    pub voided: String,
    /// What went to the lots carried over from it.
    pub rolled_over: String,
    /// What went back to the lot it was carried over from.
    pub returned: String,
    /// What went to another wallet.
    pub moved: String,
    /// When it opens.
    pub starts_at: i64,
    /// When it ends, if ever; exclusive.
    pub ends_at: Option<i64>,
    /// Lower burns first.
    pub priority: u8,
    /// Why it was granted, in a word.
    pub category: String,
    /// What was paid for it, in `currency`.
    pub cost: Option<String>,
    /// The currency of `cost`.
    pub currency: Option<String>,
}

/// One grant as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// The wallet's number.
    pub wallet: i64,
    /// Its id within the wallet.
    pub grant: String,
    /// The record that issued it.
    pub offset: Offset,
    /// What it gives.
    pub unit: String,
    /// How much, per lot.
    pub amount: String,
    /// Why it was granted, in a word.
    pub category: String,
    /// Lower burns first.
    pub priority: u8,
    /// When it begins.
    pub effective_at: i64,
    /// When it ends, if it says so; exclusive.
    pub expires_at: Option<i64>,
    /// The purchase behind it.
    pub purchase: Option<String>,
    /// The data as recorded, JSON.
    pub body: String,
}

/// A lot or a grant as it was when it left its wallet's document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftRow {
    /// The wallet's number.
    pub wallet: i64,
    /// 0: a lot; 1: a grant.
    pub kind: u8,
    /// The lot's id, or the grant's.
    pub key: String,
    /// The purchase behind a grant.
    pub purchase: Option<String>,
    /// What it was, JSON.
    pub doc: String,
}

/// How much a wallet used under a charge with tiers, in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterRow {
    /// The wallet's number.
    pub wallet: i64,
    /// The price's name.
    pub price: String,
    /// The charge's name.
    pub charge: String,
    /// The start of the period.
    pub period: i64,
    /// The quantity so far.
    pub value: String,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Where it stands.
    pub offset: Offset,
    /// The SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// Why it could not be read.
    pub reason: String,
}

/// What tells ids that are surely not in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterRow {
    /// The segment.
    pub segment: u32,
    /// The filter; the store does not look into it.
    pub bits: Vec<u8>,
}

/// What a stretch of records changed: committed as a whole, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The partition.
    pub partition: Partition,
    /// The epoch under which the partition was acquired.
    pub epoch: i64,
    /// The offset of the first record of the stretch: where the stored head must stand.
    pub from: Offset,
    /// The head after the stretch.
    pub head: Head,
    /// New entries.
    pub entries: Vec<EntryRow>,
    /// New records; one for each offset that has entries.
    pub records: Vec<RecordRow>,
    /// New identities.
    pub ids: Vec<IdRow>,
    /// New and changed wallets.
    pub wallets: Vec<WalletRow>,
    /// New and changed lots.
    pub lots: Vec<LotRow>,
    /// New grants.
    pub grants: Vec<GrantRow>,
    /// What left its wallet's document; of the same one, the last counts.
    pub left: Vec<LeftRow>,
    /// New and changed counters.
    pub counters: Vec<CounterRow>,
    /// New records that could not be read.
    pub quarantined: Vec<QuarantineRow>,
    /// Filters of segments that are complete.
    pub filters: Vec<FilterRow>,
    /// The partition's catalogue, JSON, when the stretch changed it.
    pub catalogue: Option<String>,
}
