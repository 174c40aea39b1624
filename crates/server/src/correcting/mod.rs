//! Corrections into the log: each wallet's record appended, folded, and what became of it read back.

mod answer;
mod earlier;
mod report;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use eventlog::{Appending, EventLog, Log, LogError};
use ingest::{Corrected, Correction, Hold, Holding, Refusal, Stamp};
use ledger::{Partition, Position};
use store::{Projections, Store};

use crate::context::Context;
use crate::folder::Folder;

pub(crate) use answer::{Answer, Became};
use earlier::Earlier;
pub(crate) use report::{Report, print_one};
pub(crate) use usage::source_of;

/// So many records are best appended at once.
pub(crate) const BATCH: usize = 1_000;

/// What the id of a record follows from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Id<'a> {
    /// Somebody gave it.
    Given(&'a str),
    /// From what the record says, and why: saying it again changes nothing.
    OfContent,
    /// From nothing: it is another record each time.
    Fresh,
}

/// A log that is corrected, with whoever folds it.
pub(crate) struct Correcting {
    context: Context,
    log: Arc<Log>,
    folder: Folder,
}

impl Correcting {
    /// Opens a log, of which all is folded then.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be folded.
    pub(crate) async fn open(context: &Context) -> anyhow::Result<Self> {
        let Some(log) = context.open_log_if_any().await? else {
            bail!("there is no log {}: make one with `drawdown init`", context.log_place());
        };
        let mut folder = Folder::open(context, log.clone()).await?;
        folder.fold_all().await.context("nothing was appended")?;
        Ok(Self { context: context.clone(), log, folder })
    }

    /// The projections, in which all that was appended is folded.
    pub(crate) async fn store(&mut self) -> anyhow::Result<&Projections> {
        let store = self.folder.store().await?;
        store.context("the projections are gone: `project` makes them again")
    }

    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Says the same of each of these wallets, some thousand at most; answers what became of it, in their order.
    ///
    /// # Errors
    ///
    /// If log or projections fail. What was appended before that stays: the same again goes on.
    pub(crate) async fn say(
        &mut self,
        wallets: &[String],
        id: Id<'_>,
        reason: Option<&str>,
        says: Correction<'_>,
    ) -> anyhow::Result<Vec<Answer>> {
        let known = self.known(wallets).await?;
        let earlier = match id {
            Id::OfContent => earlier::of_content(self, &known, reason, says).await?,
            Id::Given(_) | Id::Fresh => BTreeMap::new(),
        };
        let mut answers = Vec::with_capacity(wallets.len());
        let mut stamped = Vec::new();
        for wallet in wallets {
            if !known.contains(wallet) {
                answers.push(Answer::refused(wallet, says.kind(), "unknown_wallet"));
                continue;
            }
            let id = match (id, earlier.get(wallet)) {
                (_, Some(Earlier::Stands(position, id))) => {
                    answers.push(Answer::stands(wallet, says.kind(), id, *position));
                    continue;
                }
                (_, Some(Earlier::None(id))) => id.clone(),
                (Id::Given(id), None) => id.to_owned(),
                (Id::Fresh | Id::OfContent, None) => self.context.fresh_id(),
            };
            answers.push(match self.stamp(wallet, &id, reason, says) {
                Ok(record) => {
                    stamped.push((answers.len(), record));
                    Answer::appended(wallet, says.kind(), &id)
                }
                Err(refusal) => Answer::refused_as(wallet, says.kind(), refusal.code(), refusal.to_string()),
            });
        }
        self.append(stamped, &mut answers).await?;
        Ok(answers)
    }

    /// Says something of a hold; answers what became of it.
    ///
    /// # Errors
    ///
    /// If log or projections fail.
    pub(crate) async fn hold(
        &mut self,
        wallet: &str,
        id: &str,
        subject: Option<&str>,
        says: Hold<'_>,
    ) -> anyhow::Result<Answer> {
        let stamp = Stamp { now: self.context.now(), by: "operator", backfill: false };
        let holding = Holding { wallet, source: None, id, subject, trace: None, says };
        let mut answers = vec![Answer::appended(wallet, says.kind(), id)];
        match ingest::hold(&holding, &stamp) {
            Ok(record) => {
                let record = record.appending(self.log.partitions());
                self.append(vec![(0, record)], &mut answers).await?;
            }
            Err(refusal) => {
                answers[0] = Answer::refused_as(wallet, says.kind(), refusal.code(), refusal.to_string());
            }
        }
        Ok(answers.remove(0))
    }

    /// Those of these wallets that a record names.
    async fn known(&mut self, wallets: &[String]) -> anyhow::Result<BTreeSet<String>> {
        let partitions = self.log.partitions();
        let mut ids: BTreeMap<Partition, Vec<String>> = BTreeMap::new();
        for wallet in wallets {
            ids.entry(Partition::of(wallet, partitions)).or_default().push(wallet.clone());
        }
        let mut known = BTreeSet::new();
        let store = self.store().await?;
        for (partition, ids) in ids {
            known.extend(store.wallets_by_id(partition, &ids).await?.into_iter().map(|row| row.id));
        }
        Ok(known)
    }

    fn stamp(
        &self,
        wallet: &str,
        id: &str,
        reason: Option<&str>,
        says: Correction<'_>,
    ) -> Result<Appending, Refusal> {
        let stamp = Stamp { now: self.context.now(), by: "operator", backfill: false };
        let record = ingest::corrected(&Corrected { wallet, id, time: None, reason, says }, &stamp)?;
        Ok(record.appending(self.log.partitions()))
    }

    /// Appends records, each with the place of its answer, and completes the answers.
    pub(crate) async fn append(
        &mut self,
        records: Vec<(usize, Appending)>,
        answers: &mut [Answer],
    ) -> anyhow::Result<()> {
        if records.is_empty() {
            return self.read(answers).await;
        }
        let (places, records): (Vec<usize>, Vec<Appending>) = records.into_iter().unzip();
        let appended = self.log.append(records).await;
        let failed = |error: &LogError| {
            match (error, places.as_slice()) {
            (LogError::Unknown(_), [place]) => format!(
                "it is unknown whether the record {} is appended: say the same again with --id {0}, it counts once",
                answers[*place].id()
            ),
            (LogError::Unknown(_), _) => {
                "it is unknown which of the records are appended: see what became of them before saying it again"
                    .to_owned()
            }
            _ => "the records cannot be appended".to_owned(),
        }
        };
        let positions: Vec<Position> = appended.map_err(|error| {
            let failed = failed(&error);
            anyhow::Error::from(error).context(failed)
        })?;
        let folded = self.folder.fold_these(positions.iter().copied()).await;
        let appended = || match (positions.as_slice(), places.as_slice()) {
            ([position], [place]) => {
                format!("the record {} is appended at {position}, and not folded yet", answers[*place].id())
            }
            (positions, _) => format!("{} records are appended, and not all folded yet", positions.len()),
        };
        folded.with_context(appended)?;
        for (place, position) in places.into_iter().zip(positions) {
            answers[place].position = Some(position);
        }
        self.read(answers).await
    }

    async fn read(&mut self, answers: &mut [Answer]) -> anyhow::Result<()> {
        let store = self.store().await?;
        for answer in answers.iter_mut().filter(|answer| answer.is_open()) {
            answer.read(store).await?;
        }
        Ok(())
    }

    /// Closes the files, and gives the right to fold back.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.folder.close().await
    }
}
