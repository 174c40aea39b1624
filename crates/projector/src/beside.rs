//! A partition folded twice side by side: as its records say, and as it would be with others in their place.

use std::collections::BTreeSet;

use ledger::{Catalogue, Changes, Outcome, Partition, Record, Wallet};

use crate::ahead::Ahead;
use crate::folding::{Folded, Folding, Told};
use crate::pasts::{Pasts, Remembers};

/// Two folds of one partition, in memory alone. A record that both take is read once.
pub struct Beside {
    was: Folding,
    would: Folding,
    scratch: Vec<u8>,
}

/// Which of the two folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Of the records as they are.
    Was,
    /// Of those that stand in their place.
    Would,
}

/// What the second fold takes instead of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// The same record.
    Same,
    /// These, in order; or none.
    Records(Vec<Vec<u8>>),
}

/// What a record did to one side.
pub struct Effect<'a> {
    /// Which.
    pub side: Side,
    /// The record; none of what is set aside.
    pub record: Option<&'a Record<'a>>,
    /// Its wallet's place in [`Beside::wallets`].
    pub wallet: Option<usize>,
    /// What became of it.
    pub outcome: Option<&'a Outcome>,
    /// Its entries and all else.
    pub changes: &'a Changes,
}

impl Beside {
    /// Before the first record. The past of `corrected` wallets is remembered, by their numbers: those that corrections are about.
    pub fn new(partition: Partition, partitions: u32, log: &str, corrected: BTreeSet<i64>) -> Self {
        let folding = || {
            let mut folding = Folding::new(partition, partitions, Folding::start(partition, log));
            folding.pasts = Pasts::of(Remembers::These(corrected.clone()));
            folding
        };
        Self { was: folding(), would: folding(), scratch: Vec::new() }
    }

    /// Folds the next record, and what `choose` gives the second fold instead. That is told the record, what became of it, and the
    /// catalogue of the second fold.
    ///
    /// # Errors
    ///
    /// If a record needs a newer build; or what `choose` says.
    pub fn fold<E: From<String>>(
        &mut self,
        bytes: &[u8],
        choose: impl FnOnce(Option<&Record<'_>>, Option<&Outcome>, &Catalogue) -> Result<Instead, E>,
        sink: &mut impl FnMut(&Effect<'_>),
    ) -> Result<(), E> {
        let ahead = Ahead::read(bytes, &mut self.scratch);
        let outcome = one(Side::Was, &mut self.was, &ahead, sink)?;
        match choose(ahead.record(), outcome.as_ref(), &self.would.catalogue)? {
            Instead::Same => drop(one(Side::Would, &mut self.would, &ahead, sink)?),
            Instead::Records(records) => records.iter().try_for_each(|bytes| self.add(bytes, sink))?,
        }
        Ok(())
    }

    /// Folds a record into the second fold alone.
    ///
    /// # Errors
    ///
    /// If it needs a newer build.
    pub fn add(&mut self, bytes: &[u8], sink: &mut impl FnMut(&Effect<'_>)) -> Result<(), String> {
        let ahead = Ahead::read(bytes, &mut self.scratch);
        one(Side::Would, &mut self.would, &ahead, sink).map(drop)
    }

    /// The wallets of one fold, in the order in which records first named them.
    pub fn wallets(&self, side: Side) -> impl Iterator<Item = (&str, &Wallet)> {
        self.side(side).slots.iter().map(|slot| (&*slot.id, &slot.wallet))
    }

    /// The catalogue of one fold.
    pub fn catalogue(&self, side: Side) -> &Catalogue {
        &self.side(side).catalogue
    }

    fn side(&self, side: Side) -> &Folding {
        match side {
            Side::Was => &self.was,
            Side::Would => &self.would,
        }
    }
}

fn one(
    side: Side,
    folding: &mut Folding,
    ahead: &Ahead<'_>,
    sink: &mut impl FnMut(&Effect<'_>),
) -> Result<Option<Outcome>, String> {
    let answers = ahead.record().map(|record| folding.answers(record)).unwrap_or_default();
    let count = i64::from(folding.partitions);
    let mut outcome = None;
    let shown = &mut |did: Folded<'_>| {
        outcome = did.outcome.cloned();
        let wallet = did.wallet.map(|no| usize::try_from(no / count).expect("wallets are counted from 0"));
        sink(&Effect { side, record: did.record.ok(), wallet, outcome: did.outcome, changes: did.changes });
    };
    folding.fold(ahead, &Told::default(), answers, shown)?;
    Ok(outcome)
}
