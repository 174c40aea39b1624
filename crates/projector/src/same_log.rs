//! Is it still the same log? Asked when a partition is taken over (design, section 5).

use eventlog::EventLog;
use ledger::{Event, Offset};
use mutants::{Mutant, is_on};
use store::rows::Head;

use crate::error::ProjectorError;
use crate::folding::Folding;

/// The record at the last applied offset still has the digest that was stored, and the log reaches as far.
pub(crate) async fn check_same_log<L: EventLog>(log: &L, head: &Head) -> Result<(), ProjectorError> {
    use sha2::{Digest, Sha256};
    let Some(last) = head.next.0.checked_sub(1) else { return Ok(()) };
    if is_on(Mutant::AnotherLogFolded) {
        return Ok(());
    }
    let partition = head.partition;
    let end = log.end(partition).await?;
    if end < head.next {
        let what =
            format!("partition {partition} ends at {end}, and {} records of it were folded", head.next);
        return Err(ProjectorError::AnotherLog { what });
    }
    let record = log.read(partition, Offset(last), 1).await?;
    if record.is_empty() || Sha256::digest(record.get(0))[..] != head.last {
        let what = format!("the record at {partition}:{last} is not the one that was folded");
        return Err(ProjectorError::AnotherLog { what });
    }
    Ok(())
}

/// Why a log's first record is not the genesis of this log.
pub(crate) fn wrong_genesis(
    record: &ledger::Record<'_>,
    offset: Offset,
    folding: &Folding,
) -> Option<String> {
    if offset != Offset(0) {
        return None;
    }
    let Event::Genesis(g) = &record.event else { return Some(format!("a {} record", record.event.word())) };
    let is_it = g.log == folding.head.log && g.partitions == folding.partitions;
    (!is_it).then(|| format!("that of log {} with {} partitions", g.log, g.partitions))
}
