//! What lines of an export make up: a whole log, a wallet's slice, or neither.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use ledger::{Event, Genesis, Instant, Offset, Partition, Position, TakenFrom};
use sha2::{Digest, Sha256};

/// Most partitions a log may have.
const MOST_PARTITIONS: u32 = 1 << 16;

/// What is known of an export after some of its lines.
#[derive(Default)]
pub(super) struct Survey {
    partitions: BTreeMap<Partition, Part>,
    records: u64,
}

/// What is known of one of its partitions.
struct Part {
    genesis: Genesis,
    recorded_at: Instant,
    /// Behind the last record.
    next: Offset,
    /// The first hole: from where to where.
    hole: Option<(Offset, Offset)>,
    wallets: Wallets,
}

/// Whose records there are.
enum Wallets {
    None,
    One(String),
    /// More than one, or a record that cannot be read.
    More,
}

/// How an export becomes a log.
#[derive(Debug)]
pub(super) enum Plan {
    /// A whole log: the same records at the same offsets.
    Whole { log: String, partitions: u32 },
    /// A wallet's slice: the same records behind a genesis of its own.
    Slice { log: String, genesis: Vec<u8>, of: TakenFrom },
}

impl Survey {
    /// Takes the next line into account.
    ///
    /// # Errors
    ///
    /// If no log could have that line there.
    pub(super) fn add(&mut self, at: Position, record: &[u8]) -> anyhow::Result<()> {
        self.records += 1;
        let read = ledger::decode(record);
        let Some(part) = self.partitions.get_mut(&at.partition) else {
            ensure!(
                at.offset == Offset(0),
                "partition {} begins at offset {}: export it from its genesis on, at offset 0",
                at.partition,
                at.offset
            );
            let record = read.with_context(|| format!("the record at {at} is no genesis"))?;
            let Event::Genesis(genesis) = record.event else {
                bail!("the record at {at} is no genesis but a {} record", record.event.word());
            };
            ensure!(
                at.partition.0 < genesis.partitions && genesis.partitions <= MOST_PARTITIONS,
                "the genesis at {at} says that its log has {} partitions",
                genesis.partitions
            );
            self.partitions.insert(
                at.partition,
                Part {
                    recorded_at: record.envelope.recorded_at,
                    genesis,
                    next: Offset(1),
                    hole: None,
                    wallets: Wallets::None,
                },
            );
            return Ok(());
        };
        ensure!(at.offset >= part.next, "the record at {at} stands behind that of a higher offset, or twice");
        if at.offset > part.next && part.hole.is_none() {
            part.hole = Some((part.next, at.offset));
        }
        part.next = at.offset.plus(1);
        part.wallets.add(read.ok().as_ref().map(|record| record.envelope.wallet.as_deref()));
        Ok(())
    }

    /// How many lines there were.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// What it all makes up.
    ///
    /// # Errors
    ///
    /// If that is no log: what is missing.
    pub(super) fn plan(self) -> anyhow::Result<Plan> {
        let Some(first) = self.partitions.values().next() else { bail!("there are no records in it") };
        let genesis = first.genesis.clone();
        for (partition, part) in &self.partitions {
            ensure!(
                part.genesis == genesis,
                "the partitions are of two logs: partition {partition} begins with the genesis of {}",
                part.genesis.log
            );
        }
        let is_all = self.partitions.len() == genesis.partitions as usize;
        let holes = || self.partitions.iter().find_map(|(partition, part)| Some((partition, part.hole?)));
        match (is_all, holes(), &first.wallets, self.partitions.len()) {
            (true, None, _, _) => {
                Ok(Plan::Whole { log: genesis.log.clone(), partitions: genesis.partitions })
            }
            (_, _, Wallets::One(wallet), 1) => {
                let (partition, part) = self.partitions.iter().next().expect("there is one");
                Ok(slice(*partition, part, wallet))
            }
            (_, Some((partition, (from, to))), _, _) => bail!(
                "partition {partition} goes from offset {from} to {to}: records are missing between, and not those of \
                 one wallet alone. Export the whole log, or one wallet with --wallet"
            ),
            (_, None, _, there) => bail!(
                "there are {there} of the log's {} partitions, and not one wallet alone. Export the whole log, or one \
                 wallet with --wallet",
                genesis.partitions
            ),
        }
    }
}

impl Wallets {
    /// Takes a record into account: none cannot be read, and one that names no wallet is genesis or catalogue.
    fn add(&mut self, named: Option<Option<&str>>) {
        match (&*self, named) {
            (Self::More, _) | (_, Some(None)) => {}
            (Self::One(one), Some(Some(wallet))) if one == wallet => {}
            (Self::None, Some(Some(wallet))) => *self = Self::One(wallet.to_owned()),
            (Self::One(_), Some(Some(_))) | (Self::None | Self::One(_), None) => *self = Self::More,
        }
    }
}

/// A slice's log: its id and genesis follow from what it was taken from.
fn slice(partition: Partition, part: &Part, wallet: &str) -> Plan {
    let mut hash = Sha256::new();
    for word in ["slice", &part.genesis.log, wallet] {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    let log: String = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let of = TakenFrom { log: part.genesis.log.clone(), partition: partition.0, wallet: wallet.to_owned() };
    let stamp = ingest::Stamp { now: part.recorded_at, by: "operator", backfill: false };
    Plan::Slice { genesis: ingest::genesis(&log, 1, Some((of.clone(), part.genesis.fold)), &stamp), log, of }
}
