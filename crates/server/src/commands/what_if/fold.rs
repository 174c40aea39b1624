//! One partition, folded as it was and as it would be.

use std::collections::BTreeSet;

use eventlog::EventLog;
use ledger::{Event, Instant, Offset, Outcome, Partition, Position, Record, Step, Terms, Wallet, advanced};
use projector::{Beside, Effect, ProjectorError, Side};

use super::instead::{Chooser, Plan, Stopped};
use super::tally::OfWallet;

/// Records read at once.
const PAGE: usize = 4_096;

/// What of a partition is folded.
pub(crate) struct Stretch {
    pub(crate) partition: Partition,
    pub(crate) end: Offset,
    /// The log's id.
    pub(crate) log: String,
    /// The numbers of the wallets that corrections are about.
    pub(crate) corrected: BTreeSet<i64>,
}

/// What came of a partition.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) records: u64,
    pub(crate) wallets: Vec<OfWallet>,
    /// How many grants other rules changed.
    pub(crate) grants: u64,
    /// Records that took effect, and would be refused: how many, and the first.
    pub(crate) refused: u64,
    pub(crate) first_refused: Option<(Position, String)>,
}

/// Folds a stretch from its first record, and lets time go on to `now`.
pub(super) async fn fold<L: EventLog>(
    log: &L,
    stretch: Stretch,
    plan: &Plan,
    now: Instant,
    progress: impl Fn(usize),
) -> anyhow::Result<Part> {
    let Stretch { partition, end, log: id, corrected } = stretch;
    let mut beside = Beside::new(partition, log.partitions(), &id, corrected);
    let mut chooser = Chooser::new(plan);
    let mut counting = Counting { part: Part::default(), from: plan.from, applied: false };
    let mut next = Offset(0);
    while next < end {
        let limit = PAGE.min(usize::try_from(end.0 - next.0).unwrap_or(PAGE));
        let page = log.read(partition, next, limit).await?;
        if page.is_empty() {
            break;
        }
        for (offset, bytes) in page.iter() {
            let at = Position { partition, offset };
            let choose = |record: Option<&Record<'_>>, outcome: Option<&Outcome>, catalogue: &_| {
                chooser.choose(record, bytes, outcome, catalogue)
            };
            let folded = beside.fold(bytes, choose, &mut |effect| counting.count(at, effect));
            folded.map_err(|stopped| stop(stopped, at))?;
        }
        counting.part.records += page.len() as u64;
        progress(page.len());
        next = page.next();
    }
    let at = Position { partition, offset: next };
    for bytes in chooser.rest(beside.catalogue(Side::Would))? {
        let added = beside.add(&bytes, &mut |effect| counting.count(at, effect));
        added.map_err(|what| stop(Stopped::Newer(what), at))?;
    }
    for side in [Side::Was, Side::Would] {
        counting.go_on(&beside, side, now);
    }
    counting.part.grants = chooser.grants;
    Ok(counting.part)
}

fn stop(stopped: Stopped, at: Position) -> anyhow::Error {
    match stopped {
        Stopped::Refused(refused) => refused.into(),
        Stopped::Newer(what) => ProjectorError::NewerBuild { at, what }.into(),
    }
}

struct Counting {
    part: Part,
    from: Instant,
    /// Whether the record took effect as it was.
    applied: bool,
}

impl Counting {
    fn count(&mut self, at: Position, effect: &Effect<'_>) {
        let Effect { side, record, wallet: Some(wallet), outcome, changes } = *effect else { return };
        let applied = matches!(outcome, Some(Outcome::Applied(_)));
        match side {
            Side::Was => self.applied = applied,
            Side::Would => {
                if let (true, Some(Outcome::Rejected(why))) = (self.applied, outcome) {
                    self.part.refused += 1;
                    self.part.first_refused.get_or_insert_with(|| (at, why.clone()));
                }
            }
        }
        if let Some(record) = record.filter(|_| applied) {
            let of = self.wallet(wallet);
            issued(&record.event).into_iter().for_each(|terms| of.grant(side, terms));
        }
        let from = self.from;
        let of = self.wallet(wallet);
        changes.entries.iter().filter(|e| e.booked_at >= from).for_each(|entry| of.book(side, entry));
    }

    fn wallet(&mut self, at: usize) -> &mut OfWallet {
        if self.part.wallets.len() <= at {
            self.part.wallets.resize_with(at + 1, OfWallet::default);
        }
        &mut self.part.wallets[at]
    }

    /// What time alone does to each wallet up to now.
    fn go_on(&mut self, beside: &Beside, side: Side, now: Instant) {
        let is_due = |wallet: &Wallet| wallet.next_due_at().is_some_and(|at| at <= now);
        for (at, (id, wallet)) in beside.wallets(side).enumerate() {
            let of = self.wallet(at);
            if of.id.is_empty() {
                id.clone_into(&mut of.id);
            }
            if is_due(wallet) {
                let (_, changes) = advanced(beside.catalogue(side), wallet, now);
                let from = self.from;
                let of = self.wallet(at);
                changes.entries.iter().filter(|e| e.booked_at >= from).for_each(|entry| of.book(side, entry));
            }
        }
    }
}

/// The grants that a record issues.
fn issued<'a>(event: &'a Event<'_>) -> Vec<&'a Terms> {
    let of_step = |step: &'a Step| if let Step::Grant(terms, _) = step { Some(&**terms) } else { None };
    if let Event::WalletChanged(steps) = event {
        return steps.iter().filter_map(of_step).collect();
    }
    if let Event::GrantIssued(terms) = event { vec![terms] } else { Vec::new() }
}
