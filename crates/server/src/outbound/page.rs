//! Committed rows as messages, a page at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use eventlog::TopicMessage;
use ledger::{EntryKind, Instant, Offset, Partition};
use serde_json::value::RawValue;
use store::rows::{EntryRow, Head, OutcomeCode, RecordKind, RecordRow};
use store::{Projections, Store};

use super::message::{EntryMessage, Message, OutcomeMessage, Place, VERSION};

/// So many records are read together at most …
const MOST: u64 = 1_000;
/// … and half as many as before when their messages had more than so many bytes.
const MANY_BYTES: usize = 4 << 20;
/// So many ids of wallets are remembered.
const NAMES: usize = 50_000;

/// The first message that is still to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Next {
    pub(super) offset: Offset,
    /// Among the record's messages: its entries by their line, then its outcome.
    line: u32,
}

impl Next {
    /// The record whose message stood last where this was read back; none if none did.
    pub(super) fn last(self) -> Option<Offset> {
        (self.line > 0).then_some(self.offset)
    }
}

impl From<&Place> for Next {
    fn from(last: &Place) -> Self {
        Self { offset: Offset(last.offset), line: last.line.saturating_add(1) }
    }
}

/// Messages that follow each other.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) messages: Vec<TopicMessage>,
    /// Behind them.
    pub(super) next: Next,
}

/// A partition's messages, out of the rows that are committed.
pub(super) struct Pages {
    store: Arc<Projections>,
    log: String,
    partition: Partition,
    /// As it was after the last rows were read.
    head: Option<Head>,
    /// How many records to read together.
    together: u64,
    names: BTreeMap<i64, String>,
}

/// The id and the source of a usage.
type Usage = (String, String);

impl Pages {
    pub(super) fn new(store: Arc<Projections>, log: String, partition: Partition) -> Self {
        Self { store, log, partition, head: None, together: MOST, names: BTreeMap::new() }
    }

    /// How many committed records are at `next` or behind it, as far as is known.
    pub(super) fn behind(&self, next: Next) -> u64 {
        self.head.as_ref().map_or(0, |head| head.next.0.saturating_sub(next.offset.0))
    }

    /// The messages from `next` on; none if nothing is committed there.
    ///
    /// # Errors
    ///
    /// If the rows cannot be read or are of another log, or some are missing, as while they are made anew.
    pub(super) async fn read(&mut self, mut next: Next) -> anyhow::Result<Page> {
        loop {
            let is_known = |head: &Head| next.offset < head.next;
            if !self.head.as_ref().is_some_and(is_known) {
                self.head = self.look().await?;
            }
            // Taken, so that after an error the head is asked for anew.
            let Some(head) = self.head.take().filter(is_known) else {
                return Ok(Page { messages: Vec::new(), next });
            };
            let to = Offset(next.offset.0.saturating_add(self.together)).min(head.next);
            let rows = self.rows(next.offset, to).await?;
            // What was read is what that head stands for if nobody took the partition, or made the rows anew, meanwhile.
            self.head = self.look().await?;
            if self.head.as_ref().is_none_or(|now| now.epoch != head.epoch || now.next < to) {
                continue;
            }
            let messages = self.messages(&rows, next)?;
            next = Next { offset: to, line: 0 };
            self.adapt(&messages);
            if !messages.is_empty() {
                return Ok(Page { messages, next });
            }
        }
    }

    async fn look(&self) -> anyhow::Result<Option<Head>> {
        let head = self.store.head(self.partition).await?;
        if let Some(Head { log, .. }) = head.as_ref().filter(|head| head.log != self.log) {
            bail!(
                "partition {} was folded from log {log}, not from {}: rebuild it, or open that log",
                self.partition,
                self.log
            );
        }
        Ok(head)
    }

    fn adapt(&mut self, messages: &[TopicMessage]) {
        let bytes: usize = messages.iter().filter_map(|message| message.value.as_ref()).map(Vec::len).sum();
        if bytes > MANY_BYTES {
            self.together = (self.together / 2).max(1);
        } else if bytes < MANY_BYTES / 4 {
            self.together = (self.together * 2).min(MOST);
        }
    }

    /// The rows of the records from `from` up to, not including, `to`.
    async fn rows(&mut self, from: Offset, to: Offset) -> anyhow::Result<Rows> {
        let records = self.store.records_between(self.partition, from, to).await?;
        if (records.len() as u64) < to.0 - from.0 {
            let unread = self.store.quarantined(self.partition).await?.into_iter().map(|row| row.offset);
            let mut there: BTreeSet<Offset> = unread.filter(|offset| (from..to).contains(offset)).collect();
            there.extend(records.iter().map(|record| record.offset));
            if there.len() as u64 != to.0 - from.0 {
                bail!(
                    "rows between {}:{from} and {to} are missing: they are being made anew, or the projections need a rebuild",
                    self.partition
                );
            }
        }
        let entries = self.store.entries_between(self.partition, from, to).await?;
        let wallets: BTreeSet<i64> = records.iter().filter_map(|record| record.wallet).collect();
        if self.names.len() + wallets.len() > NAMES {
            self.names.clear();
        }
        let unknown: Vec<i64> = wallets.into_iter().filter(|no| !self.names.contains_key(no)).collect();
        if !unknown.is_empty() {
            self.names.extend(self.store.names(self.partition, &unknown).await?);
        }
        let usages = self.usages(&records, &entries).await?;
        Ok(Rows { records, entries, usages })
    }

    /// The usage that each record with priced entries is, or is about.
    async fn usages(
        &self,
        records: &[RecordRow],
        entries: &[EntryRow],
    ) -> anyhow::Result<BTreeMap<Offset, Usage>> {
        let priced: BTreeSet<Offset> =
            entries.iter().filter(|entry| entry.price.is_some()).map(|entry| entry.offset).collect();
        let mut usages = BTreeMap::new();
        for record in records.iter().filter(|record| priced.contains(&record.offset)) {
            let corrected = match record.earlier {
                Some(earlier) => self.store.record(self.partition, earlier).await?,
                None => None,
            };
            let RecordRow { id, source, .. } = corrected.as_ref().unwrap_or(record);
            usages.insert(record.offset, (id.clone(), source.clone()));
        }
        Ok(usages)
    }

    fn messages(&self, rows: &Rows, next: Next) -> anyhow::Result<Vec<TopicMessage>> {
        let mut messages = Vec::with_capacity(rows.records.len() + rows.entries.len());
        let mut entries = rows.entries.as_slice();
        for record in &rows.records {
            let of_record = entries.partition_point(|entry| entry.offset <= record.offset);
            let (own, others) = entries.split_at(of_record);
            entries = others;
            let wallet =
                match record.wallet {
                    Some(no) => Some(self.names.get(&no).with_context(|| {
                        format!("the wallet number {no} has no row: run `drawdown rebuild`")
                    })?),
                    None => None,
                };
            let sent = if record.offset == next.offset { next.line } else { 0 };
            for entry in own.iter().filter(|entry| entry.line >= sent) {
                let wallet =
                    wallet.with_context(|| format!("entries at {} have no wallet", record.offset))?;
                let usage = rows.usages.get(&record.offset).filter(|_| entry.price.is_some());
                messages.push(message(Some(wallet), &self.entry(entry, wallet, usage)?));
            }
            let line = own.last().map_or(0, |entry| entry.line + 1);
            if line >= sent && record.outcome != OutcomeCode::None.code() {
                messages.push(message(wallet, &self.outcome(record, line, wallet)?));
            }
        }
        Ok(messages)
    }

    fn entry<'a>(
        &'a self,
        row: &'a EntryRow,
        wallet: &'a str,
        usage: Option<&'a Usage>,
    ) -> anyhow::Result<Message<'a>> {
        let kind = EntryKind::of_code(row.kind)
            .with_context(|| format!("{} is no kind of entry this build knows", row.kind))?;
        let (debit, credit) = kind.accounts(row.lot.as_deref(), row.other_lot.as_deref());
        Ok(Message::Entry(EntryMessage {
            v: VERSION,
            log: &self.log,
            partition: self.partition.0,
            offset: row.offset.0,
            line: row.line,
            wallet,
            kind: kind.word(),
            unit: &row.unit,
            amount: &row.amount,
            debit,
            credit,
            available_after: &row.available_after,
            effective_at: Instant(row.effective_at),
            booked_at: Instant(row.booked_at),
            lot: row.lot.as_ref(),
            other_lot: row.other_lot.as_ref(),
            subject: row.subject.as_deref(),
            feature: row.feature.as_ref(),
            price: row.price.as_ref(),
            month: row.month.as_deref(),
            usage: usage.map(|(id, _)| id.as_str()),
            source: usage.map(|(_, source)| source.as_str()),
        }))
    }

    fn outcome<'a>(
        &'a self,
        row: &'a RecordRow,
        line: u32,
        wallet: Option<&'a String>,
    ) -> anyhow::Result<Message<'a>> {
        let data = row.data.as_deref().map(serde_json::from_str::<&RawValue>).transpose();
        let data =
            data.with_context(|| format!("the stored data of {}:{} is no JSON", self.partition, row.offset))?;
        Ok(Message::Outcome(OutcomeMessage {
            v: VERSION,
            log: &self.log,
            partition: self.partition.0,
            offset: row.offset.0,
            line,
            wallet: wallet.map(String::as_str),
            kind: RecordKind::try_from(row.kind)?.word(),
            id: &row.id,
            source: &row.source,
            subject: row.subject.as_deref(),
            at: Instant(row.at),
            recorded_at: Instant(row.recorded_at),
            outcome: OutcomeCode::try_from(row.outcome)?.word(),
            detail: row.detail.as_deref(),
            earlier: row.earlier.map(|offset| offset.0),
            feature: row.feature.as_deref(),
            data,
        }))
    }
}

/// Rows of a stretch.
struct Rows {
    records: Vec<RecordRow>,
    entries: Vec<EntryRow>,
    usages: BTreeMap<Offset, Usage>,
}

fn message(wallet: Option<&String>, message: &Message<'_>) -> TopicMessage {
    TopicMessage {
        key: wallet.map(|id| id.clone().into_bytes()),
        value: Some(serde_json::to_vec(message).expect("names, numbers and text are JSON")),
        headers: Vec::new(),
    }
}
