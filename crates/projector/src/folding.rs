//! One partition in memory: it takes records in order, and says what each did.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::{
    Answer, Ask, Catalogue, Changes, Event, Hash16, Identity, Instant, Known, Offset, Outcome, Partition,
    Past, Record, Undecodable, Wallet,
};
use mutants::{Mutant, is_on};
use sha2::{Digest, Sha256};
use store::rows::{Counts, FilterRow, Head};

use crate::ahead::Ahead;
use crate::index::Index;
use crate::pasts::Pasts;
use crate::seen::{Identities, Seen};
use crate::sum::Sum;

/// A wallet in memory.
pub(crate) struct Slot {
    pub(crate) no: i64,
    pub(crate) id: Box<str>,
    pub(crate) wallet: Wallet,
    /// The digest that is part of the partition's sum.
    pub(crate) digest: [u8; 32],
    pub(crate) changed: bool,
    /// The turn in which a record of it was folded last.
    used: u64,
}

/// A partition's wallets and catalogue, and what it remembers of its records.
pub(crate) struct Folding {
    pub(crate) partitions: u32,
    pub(crate) head: Head,
    pub(crate) digest: Sum,
    /// Shared with whoever was told of a wallet.
    pub(crate) catalogue: Arc<Catalogue>,
    /// Where the accepted catalogue records stand.
    pub(crate) published: Vec<Offset>,
    pub(crate) identities: Identities,
    pub(crate) slots: Vec<Slot>,
    pub(crate) index: Index,
    /// Counts the stretches that are folded, so that the wallets are known that were not used for long.
    turn: u64,
    /// Slots that changed since the rows were last taken.
    pub(crate) changed: Vec<usize>,
    /// Whether every wallet of the partition is in memory, so that one that is not there is new.
    pub(crate) complete: bool,
    pub(crate) pasts: Pasts,
    changes: Changes,
    scratch: Vec<u8>,
}

/// What a record did.
pub(crate) struct Folded<'a> {
    pub(crate) offset: Offset,
    pub(crate) bytes: &'a [u8],
    /// The record, or why it is set aside.
    pub(crate) record: Result<&'a Record<'a>, &'a str>,
    pub(crate) outcome: Option<&'a Outcome>,
    /// The wallet's number.
    pub(crate) wallet: Option<i64>,
    /// The wallet's clock after it.
    pub(crate) clock: Instant,
    /// Entries, lots that left, counters that closed.
    pub(crate) changes: &'a mut Changes,
    /// Identities that it is the first to bear: key, content and segment.
    pub(crate) identity: Option<(Hash16, Hash16, u32)>,
    /// Those of the names that it gives: of grants, of a hold, of the usage that it settles.
    pub(crate) names: Vec<(Hash16, Hash16, u32)>,
    /// Filters of segments that it completed.
    pub(crate) filters: Vec<FilterRow>,
}

/// What applying a record came to.
struct Applied {
    outcome: Option<Outcome>,
    wallet: Option<i64>,
    clock: Instant,
    /// Whether it is the first to bear its identity.
    is_new: bool,
    /// Names that it is the first to give: key and content.
    names: Vec<(Hash16, Hash16)>,
}

/// What the store said about identities that memory was not sure of.
pub(crate) type Told = HashMap<Hash16, Known>;
/// What a record asked for, with the answers.
pub(crate) type Answers = Vec<(Ask, Answer)>;

impl Folding {
    /// An empty partition, before its first record.
    pub(crate) fn new(partition: Partition, partitions: u32, head: Head) -> Self {
        debug_assert_eq!(partition, head.partition);
        Self {
            partitions,
            digest: Sum::from_bytes(head.digest),
            complete: head.wallets == 0,
            head,
            catalogue: Arc::default(),
            published: Vec::new(),
            identities: Identities::default(),
            slots: Vec::new(),
            index: Index::default(),
            turn: 0,
            changed: Vec::new(),
            pasts: Pasts::default(),
            changes: Changes::default(),
            scratch: Vec::new(),
        }
    }

    /// A head at the beginning of a log.
    pub(crate) fn start(partition: Partition, log: &str) -> Head {
        Head {
            partition,
            log: log.to_owned(),
            next: Offset(0),
            chain: [0; 32],
            last: [0; 32],
            digest: [0; 32],
            epoch: 0,
            clock: 0,
            counts: Counts::default(),
            wallets: 0,
            fold: 0,
        }
    }

    /// Where a wallet is, if it is in memory.
    pub(crate) fn wallet(&self, id: &str) -> Option<&Slot> {
        self.place(id).map(|at| &self.slots[at])
    }

    pub(crate) fn place(&self, wallet: &str) -> Option<usize> {
        self.index.find(wallet, &self.slots)
    }

    /// Takes a wallet in that the store holds.
    pub(crate) fn load(&mut self, no: i64, id: &str, wallet: Wallet, digest: [u8; 32]) {
        let at = self.slots.len();
        self.index.insert(id, at);
        self.slots.push(Slot { no, id: id.into(), wallet, digest, changed: false, used: self.turn });
    }

    /// Has the next record tell which lots were considered for its charges.
    pub(crate) fn watch(&mut self) {
        self.changes.considered = Some(Vec::new());
    }

    /// Begins with another stretch of records.
    pub(crate) fn turn(&mut self) {
        self.turn += 1;
    }

    /// Forgets the wallets that were not used for the longest, so that `keep` stay at most: the store has them all.
    pub(crate) fn forget_all_but(&mut self, keep: usize) {
        debug_assert!(self.changed.is_empty(), "what has changed is in no store yet");
        let Some(surplus) = self.slots.len().checked_sub(keep).filter(|surplus| *surplus > 0) else { return };
        let mut used: Vec<u64> = self.slots.iter().map(|slot| slot.used).collect();
        let (_, last, _) = used.select_nth_unstable(surplus - 1);
        let last = *last;
        self.index.clear();
        self.slots.retain(|slot| slot.used > last);
        for (at, slot) in self.slots.iter().enumerate() {
            self.index.insert(&slot.id, at);
        }
        self.pasts.forget();
        self.complete = false;
    }

    /// Folds the next record, which is linked into the chain by itself. What it did is shown to `sink` before the next one comes.
    ///
    /// `answers` brings what [`Folding::asks`] asked for.
    pub(crate) fn fold<'a>(
        &mut self,
        ahead: &'a Ahead<'a>,
        told: &Told,
        answers: Answers,
        sink: &mut impl FnMut(Folded<'_>),
    ) -> Result<(), String> {
        let offset = self.head.next;
        let read = &ahead.read;
        let mut changes = std::mem::take(&mut self.changes);
        let done = match read {
            Err(Undecodable::NewerBuild(what)) => Err(what.clone()),
            Err(Undecodable::Quarantine(why)) => Ok(Err(why.as_str())),
            Ok((record, identity)) => match self.misplaced(record, ahead.slot) {
                Some(why) => Ok(Err(why)),
                None => {
                    let place = (record, ahead.slot);
                    Ok(Ok(self.apply(place, identity, told, answers, &mut changes)))
                }
            },
        };
        let done = done.inspect_err(|_| self.changes = Changes::default())?;
        self.advance(ahead.record());
        let mut folded = Folded {
            offset,
            bytes: ahead.bytes,
            record: Err(""),
            outcome: None,
            wallet: None,
            clock: Instant::MAX,
            changes: &mut changes,
            identity: None,
            names: Vec::new(),
            filters: Vec::new(),
        };
        let applied;
        match done {
            Err(why) => {
                self.head.counts.quarantined += 1;
                folded.record = Err(why);
            }
            Ok(did) => {
                let (record, identity) = read.as_ref().expect("what was applied was read");
                applied = did;
                self.count(record, applied.outcome.as_ref());
                self.remember(offset, identity, &applied, &mut folded);
                folded.record = Ok(record);
                folded.outcome = applied.outcome.as_ref();
                folded.wallet = applied.wallet;
                folded.clock = applied.clock;
            }
        }
        sink(folded);
        changes.clear();
        self.changes = changes;
        Ok(())
    }

    /// Why a record does not belong where it stands.
    fn misplaced(&self, record: &Record<'_>, slot: Option<usize>) -> Option<&'static str> {
        if let Event::Genesis(_) = record.event {
            return (self.head.next != Offset(0)).then_some("a genesis record behind the first");
        }
        let elsewhere = record.event.is_of_wallet()
            && self.partitions > 1
            && slot.or_else(|| self.place(record.wallet())).is_none()
            && Partition::of(record.wallet(), self.partitions) != self.head.partition;
        elsewhere.then_some("its wallet belongs to another partition")
    }

    /// What was there before a record: whoever bore its id and its names first, and what it asked for.
    fn before(&self, record: &Record<'_>, identity: &Identity, told: &Told, answers: Answers) -> Past {
        let known = |key: &Hash16| self.known(key, told);
        let is_timer = matches!(record.event, Event::TimerDue(_));
        let names = identity.names.iter().filter_map(|(key, _)| Some((*key, known(key)?)));
        // The mutants leave the catalogue alone: it would be copied again and again.
        let is_missed = |seen: &Known| {
            let is_far = seen.offset.plus(8) < self.head.next;
            let is_off = is_on(Mutant::NoDedup) || (is_on(Mutant::DedupWindow) && is_far);
            is_off && record.event.is_of_wallet()
        };
        Past {
            identity: if is_timer { None } else { known(&identity.key).filter(|seen| !is_missed(seen)) },
            names: names.collect(),
            told: answers,
        }
    }

    fn apply(
        &mut self,
        (record, slot): (&Record<'_>, Option<usize>),
        identity: &Identity,
        told: &Told,
        answers: Answers,
        changes: &mut Changes,
    ) -> Applied {
        let past = self.before(record, identity, told, answers);
        let offset = self.head.next;
        match &record.event {
            Event::Genesis(genesis) => {
                self.head.fold = genesis.fold;
                Arc::make_mut(&mut self.catalogue).begin(genesis.fold);
                Applied { outcome: None, wallet: None, clock: Instant::MAX, is_new: false, names: Vec::new() }
            }
            Event::CataloguePublished(published) => {
                let catalogue = Arc::make_mut(&mut self.catalogue);
                let outcome = ledger::publish(catalogue, &past, record, published, identity);
                if let Outcome::Applied(_) = outcome {
                    self.published.push(offset);
                    self.head.fold = self.catalogue.fold_version();
                }
                let is_new = past.identity.is_none();
                Applied {
                    outcome: Some(outcome),
                    wallet: None,
                    clock: Instant::MAX,
                    is_new,
                    names: Vec::new(),
                }
            }
            Event::WalletConfigured(_)
            | Event::GrantIssued(_)
            | Event::Usage(_)
            | Event::TimerDue(_)
            | Event::GrantVoided(_)
            | Event::UsageReversed(_)
            | Event::UsageRerated(_)
            | Event::WalletReset(_)
            | Event::OverageCleared(_)
            | Event::WalletChanged(_)
            | Event::WalletSuspended
            | Event::WalletResumed
            | Event::HoldRequested(_)
            | Event::HoldExtended(_)
            | Event::HoldSettled(_)
            | Event::HoldVoided(_) => {
                let at = slot.unwrap_or_else(|| self.slot(record.wallet()));
                let slot = &mut self.slots[at];
                slot.used = self.turn;
                let no = slot.no;
                let outcome =
                    ledger::apply(&self.catalogue, &mut slot.wallet, &past, record, identity, changes);
                if !std::mem::replace(&mut slot.changed, true) {
                    self.changed.push(at);
                }
                self.pasts.note(no, offset, (record, identity), &slot.wallet, outcome.as_ref(), changes);
                let is_new = outcome.is_some() && past.identity.is_none();
                let names = identity.first_of(outcome.as_ref(), &past.names).collect();
                Applied { outcome, wallet: Some(no), clock: slot.wallet.clock, is_new, names }
            }
        }
    }

    /// The record that first bore an identity, at a lower offset.
    pub(crate) fn known(&self, key: &Hash16, told: &Told) -> Option<Known> {
        let known = match self.identities.look(key) {
            Seen::Never => None,
            Seen::By(known) => Some(known),
            Seen::Perhaps(_) => told.get(key).copied(),
        };
        known.filter(|known| known.offset < self.head.next)
    }

    fn slot(&mut self, wallet: &str) -> usize {
        if let Some(at) = self.place(wallet) {
            return at;
        }
        let count = i64::from(self.partitions);
        let sequence = i64::try_from(self.head.wallets).expect("wallets are counted in 63 bits");
        self.head.wallets += 1;
        self.load(sequence * count + i64::from(self.head.partition.0), wallet, Wallet::new(), [0; 32]);
        self.slots.len() - 1
    }

    /// Adds the next record's bytes to the chain: SHA-256 of the chain before it and the bytes.
    pub(crate) fn link(&mut self, bytes: &[u8]) {
        let mut chain = Sha256::new();
        chain.update(self.head.chain);
        chain.update(bytes);
        self.head.chain = chain.finalize().into();
    }

    /// Notes the last record of a stretch, by which the log is known again.
    pub(crate) fn seal(&mut self, last: &[u8]) {
        self.head.last = Sha256::digest(last).into();
    }

    fn advance(&mut self, record: Option<&Record<'_>>) {
        self.head.next = self.head.next.plus(1);
        let recorded_at = record.map_or(0, |r| r.envelope.recorded_at.0);
        self.head.clock = self.head.clock.max(recorded_at);
    }

    fn count(&mut self, record: &Record<'_>, outcome: Option<&Outcome>) {
        let counts = &mut self.head.counts;
        match outcome {
            None => counts.timers += u64::from(matches!(record.event, Event::TimerDue(_))),
            Some(Outcome::Applied(unpriced)) => {
                counts.applied += 1;
                counts.unpriced += u64::from(unpriced.is_some());
            }
            Some(Outcome::Duplicate(_)) => counts.duplicate += 1,
            Some(Outcome::Conflict(_)) => counts.conflict += 1,
            Some(Outcome::Approved(_)) => counts.applied += 1,
            Some(Outcome::Rejected(_) | Outcome::Declined(_)) => counts.rejected += 1,
        }
    }

    /// An identity belongs to the first record that bears it, whatever became of that; a name to the first that took effect.
    fn remember(&mut self, offset: Offset, identity: &Identity, applied: &Applied, folded: &mut Folded<'_>) {
        let mut insert = |key: Hash16, content: Hash16| {
            let (segment, full) = self.identities.insert(key, Known { offset, content });
            folded.filters.extend(full);
            (key, content, segment)
        };
        folded.identity = applied.is_new.then(|| insert(identity.key, identity.content));
        folded.names = applied.names.iter().map(|(key, content)| insert(*key, *content)).collect();
    }

    pub(crate) fn scratch(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.scratch)
    }
}
