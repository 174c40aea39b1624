//! Who appends, and when.

use eventlog::Appending;
use ledger::{Instant, Partition, Text};

use crate::refusal::Refusal;

/// How far ahead of the stamping clock a `time` may lie, in nanoseconds.
const AHEAD: i64 = 5 * 60 * 1_000_000_000;
/// Who is said to have appended history from elsewhere.
const BACKFILL: &str = "operator:backfill";

/// Who stamps records, and how.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// What the clock shows where the record is appended.
    pub now: Instant,
    /// Who appends: `operator`, `key:…`, `provider:…`, `system`.
    pub by: &'a str,
    /// Whether this is history from elsewhere: each record is then stamped with its own time, and says so.
    pub backfill: bool,
}

impl<'a> Stamp<'a> {
    /// When a record of this time is recorded, and by whom.
    ///
    /// # Errors
    ///
    /// If `time` lies more than five minutes ahead, or is missing where history is filled in.
    pub(crate) fn on(&self, time: Option<Instant>) -> Result<(Instant, &'a str), Refusal> {
        if let Some(time) = time.filter(|t| *t > self.now.plus(AHEAD)) {
            return Err(Refusal::Future { ahead_ms: (time.0 - self.now.0) / 1_000_000 });
        }
        match (self.backfill, time) {
            (false, _) => Ok((self.now, self.by)),
            (true, Some(time)) => Ok((time, BACKFILL)),
            (true, None) => Err(Refusal::BackfillWithoutTime),
        }
    }
}

/// A wallet's record, ready to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped<'a> {
    /// Who pays: it decides the partition.
    pub wallet: Text<'a>,
    /// Who made the id.
    pub source: Text<'a>,
    /// With the wallet and the source, the record's identity for ever.
    pub id: Text<'a>,
    /// The record.
    pub bytes: Vec<u8>,
}

impl Stamped<'_> {
    /// This on its way to its partition, in a log that has so many.
    pub fn appending(self, partitions: u32) -> Appending {
        Appending { partition: Partition::of(&self.wallet, partitions), bytes: self.bytes }
    }
}
