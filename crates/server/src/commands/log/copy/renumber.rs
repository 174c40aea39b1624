//! Records in another number of partitions, or without some: merged by how many catalogue records stand before them.
//!
//! A wallet's records stay in one partition, in their order, and behind as many accepted catalogue records as before. So each is folded
//! with the same catalogue, and the wallets come out the same.

use std::collections::BTreeSet;

use anyhow::{bail, ensure};
use eventlog::Log;
use ledger::{Catalogue, Event, Offset, Outcome, Partition, Past, Position, Record, Undecodable};

use super::pages::Pages;
use super::sink::Sink;
use crate::progress::Progress;

/// Gives all records but the genesis to the new log, and none of `without`.
pub(super) async fn renumber(
    log: &Log,
    ends: &[Offset],
    (fold, without): (u32, &BTreeSet<Position>),
    sink: &mut Sink,
    progress: &Progress,
) -> anyhow::Result<()> {
    let mut parts: Vec<Part<'_>> = (0..)
        .map(Partition)
        .zip(ends)
        .map(|(partition, end)| Part::new(Pages::new(log, partition, *end), fold))
        .collect();
    let (of, into) = (parts.len(), sink.partitions());
    loop {
        let mut accepted = None;
        for part in &mut parts {
            let found = part.up_to_the_catalogue((of, into), without, sink, progress).await?;
            let Some(found) = found else { continue };
            if part.pages.partition == Partition(0) {
                accepted = Some(found);
                continue;
            }
            // The other partitions have copies, and may lack the last.
            ensure!(
                !without.contains(&found.at),
                "the record at {} is a copy of partition 0's: leave that one out instead",
                found.at
            );
            ensure!(
                accepted.as_ref().is_some_and(|accepted: &Accepted| accepted.bytes == found.bytes),
                "the record at {} is another catalogue's than partition 0's",
                found.at
            );
        }
        let Some(accepted) = accepted else { return Ok(()) };
        if !without.contains(&accepted.at) {
            for partition in (0..into).map(Partition) {
                sink.push(partition, &accepted.bytes).await?;
            }
        }
    }
}

/// A catalogue record that its partition took.
struct Accepted {
    at: Position,
    bytes: Vec<u8>,
}

/// A partition of the old log.
struct Part<'a> {
    pages: Pages<'a>,
    catalogue: Catalogue,
    /// The catalogue records that were there, accepted or not.
    seen: BTreeSet<String>,
}

/// What becomes of a record.
enum Place {
    To(Partition),
    /// An accepted catalogue record.
    Everywhere,
    /// The genesis, or another copy of what the catalogue has.
    Nowhere,
}

impl<'a> Part<'a> {
    fn new(pages: Pages<'a>, fold: u32) -> Self {
        let mut catalogue = Catalogue::default();
        catalogue.begin(fold);
        Self { pages, catalogue, seen: BTreeSet::new() }
    }

    /// Gives the records on up to the next accepted catalogue record, which it answers.
    async fn up_to_the_catalogue(
        &mut self,
        (of, into): (usize, u32),
        without: &BTreeSet<Position>,
        sink: &mut Sink,
        progress: &Progress,
    ) -> anyhow::Result<Option<Accepted>> {
        let partition = self.pages.partition;
        while let Some((offset, bytes)) = self.pages.next().await? {
            progress.add(1);
            let at = Position { partition, offset };
            match place(&mut self.catalogue, &mut self.seen, (of, into), at, bytes)? {
                Place::To(_) if without.contains(&at) => {}
                Place::To(partition) => sink.push(partition, bytes).await?,
                Place::Everywhere => return Ok(Some(Accepted { at, bytes: bytes.to_vec() })),
                Place::Nowhere => {}
            }
        }
        Ok(None)
    }
}

fn place(
    catalogue: &mut Catalogue,
    seen: &mut BTreeSet<String>,
    (of, into): (usize, u32),
    at: Position,
    bytes: &[u8],
) -> anyhow::Result<Place> {
    // What is nobody's is set aside wherever it stands.
    let anywhere = Place::To(Partition(at.partition.0 % into));
    let record = match ledger::decode(bytes) {
        Ok(record) => record,
        Err(Undecodable::Quarantine(_)) => return Ok(anywhere),
        Err(Undecodable::NewerBuild(what)) => {
            bail!("the record at {at} is unknown to this build ({what}): use a newer one")
        }
    };
    if let Event::Genesis(_) = record.event {
        return Ok(if at.offset == Offset(0) { Place::Nowhere } else { anywhere });
    }
    if record.event.is_of_wallet() {
        let count = u32::try_from(of).unwrap_or(u32::MAX);
        ensure!(
            Partition::of(record.wallet(), count) == at.partition,
            "the record at {at} is set aside because its wallet belongs to another partition: leave it out, with --without {at}"
        );
        return Ok(Place::To(Partition::of(record.wallet(), into)));
    }
    Ok(if is_accepted(catalogue, seen, &record) {
        Place::Everywhere
    } else if at.partition == Partition(0) {
        Place::To(Partition(0))
    } else {
        Place::Nowhere
    })
}

fn is_accepted(catalogue: &mut Catalogue, seen: &mut BTreeSet<String>, record: &Record<'_>) -> bool {
    let Event::CataloguePublished(published) = &record.event else { return false };
    let Ok(identity) = record.identify(&mut Vec::new()) else { return false };
    let key = format!("{} {}", record.envelope.source, record.envelope.id);
    if !seen.insert(key) {
        return false;
    }
    let outcome = ledger::publish(catalogue, &Past::default(), record, published, &identity);
    matches!(outcome, Outcome::Applied(_))
}
