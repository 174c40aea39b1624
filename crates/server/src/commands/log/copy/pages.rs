//! One partition's records, one after another.

use eventlog::{EventLog, Log, LogError, Stretch};
use ledger::{Offset, Partition};

/// Records read at once.
const PAGE: usize = 4_096;

pub(super) struct Pages<'a> {
    log: &'a Log,
    pub(super) partition: Partition,
    end: Offset,
    page: Stretch,
    /// How many of the page were given.
    given: usize,
}

impl<'a> Pages<'a> {
    /// The records below `end`.
    pub(super) fn new(log: &'a Log, partition: Partition, end: Offset) -> Self {
        Self { log, partition, end, page: Stretch::new(Offset(0)), given: 0 }
    }

    /// The next record.
    pub(super) async fn next(&mut self) -> Result<Option<(Offset, &[u8])>, LogError> {
        if self.given >= self.page.len() {
            let next = self.page.next();
            if next >= self.end {
                return Ok(None);
            }
            let limit = PAGE.min(usize::try_from(self.end.0 - next.0).unwrap_or(PAGE));
            self.page = self.log.read(self.partition, next, limit).await?;
            self.given = 0;
        }
        let at = self.page.first.plus(self.given);
        self.given += 1;
        Ok(Some((at, self.page.get(self.given - 1))))
    }
}
