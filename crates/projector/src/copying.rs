//! The catalogue on its way from partition 0 to the others.

use eventlog::{Appending, EventLog};
use ledger::{Offset, Partition};
use store::Store;

use crate::error::ProjectorError;
use crate::stored::read_catalogue;

/// What the owner of partition 0 knows of the copies of its catalogue. To copy twice is harmless: the second is a duplicate.
pub(crate) struct Copying {
    /// How many accepted catalogue records were copied to each partition, as far as is known.
    copied: Vec<usize>,
    /// Where each partition ended when partition 0 was taken over: copies made before lie below.
    ends: Vec<Offset>,
}

impl Copying {
    /// When partition 0 was just taken over.
    pub(crate) async fn new<L: EventLog>(log: &L) -> Result<Self, ProjectorError> {
        let mut ends = Vec::new();
        for partition in (0..log.partitions()).map(Partition) {
            ends.push(log.end(partition).await?);
        }
        Ok(Self { copied: vec![0; ends.len()], ends })
    }

    /// Copies the accepted bytes of partition 0's catalogue records to the others, in order: to each once whoever has it committed
    /// what was there when partition 0 was taken over, so that nothing is copied twice. Answers how many were copied.
    pub(crate) async fn copy<L: EventLog, S: Store>(
        &mut self,
        log: &L,
        store: &S,
        published: &[Offset],
    ) -> Result<usize, ProjectorError> {
        let mut count = 0;
        for (at, copied) in self.copied.iter_mut().enumerate().skip(1) {
            if *copied >= published.len() {
                continue;
            }
            let partition = Partition(u32::try_from(at).expect("partitions are counted in 32 bits"));
            let next = store.head(partition).await?.map_or(Offset(0), |head| head.next);
            if next < self.ends[at] {
                continue;
            }
            let stored = store.catalogue(partition).await?.as_deref().map(read_catalogue).transpose()?;
            let there = stored.map_or(0, |(_, published)| published.len());
            *copied = there.max(*copied);
            for offset in published.iter().skip(*copied) {
                let record = log.read(Partition(0), *offset, 1).await?;
                // One by one: if it is unknown whether this one is there, no later one may come before it.
                log.append(vec![Appending { partition, bytes: record.get(0).to_vec() }]).await?;
                *copied += 1;
                count += 1;
            }
        }
        Ok(count)
    }
}
