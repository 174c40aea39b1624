//! Documents of several steps: what is there of them, and the record that each becomes.

use anyhow::Context as _;
use eventlog::{EventLog, Log};
use ledger::{Configured, Memory, Offset, Partition, content_id, key};
use projector::{History, places, read_each};
use serde::Deserialize;
use serde_json::value::RawValue;
use store::rows::{OutcomeCode, RecordRow, WalletRow};
use store::{Projections, Store};

/// Each step's type, and its data as JSON.
pub(super) type Steps = [(&'static str, String)];

/// What bears the id of a document of steps.
pub(super) struct Earlier {
    row: RecordRow,
}

impl Earlier {
    /// Reads what bears this id in a wallet, if anything does.
    pub(super) async fn read(
        store: &Projections,
        partition: Partition,
        wallet: &str,
        id: &str,
    ) -> anyhow::Result<Option<Self>> {
        let key = key(wallet, "operator", id);
        let segments = store.segments(partition).await?;
        let probes: Vec<_> = segments.into_iter().map(|segment| (segment, key)).collect();
        let Some(found) = store.ids(partition, &probes).await?.into_iter().next() else { return Ok(None) };
        Ok(store.record(partition, found.offset).await?.map(|row| Self { row }))
    }

    /// Whether it took effect, and said just this.
    pub(super) fn said(&self, steps: &Steps) -> bool {
        let is_applied = self.row.outcome == OutcomeCode::Applied.code();
        is_applied && self.row.data.as_deref().and_then(without_replaces) == Some(by_value(steps))
    }

    /// Why a document that says something else cannot have its id.
    pub(super) fn refuses(&self) -> String {
        match &self.row.detail {
            Some(reason) if self.row.outcome == OutcomeCode::Rejected.code() => {
                format!("a change of this id was rejected ({reason}): give it another `id`")
            }
            Some(_) | None => {
                "a record of this id says something else, and is never edited: give what you mean to add \
                               an `id` of its own"
                    .to_owned()
            }
        }
    }
}

/// A wallet's past, folded from its own records: what corrections look up.
pub(super) async fn memory(log: &Log, store: &Projections, row: &WalletRow) -> anyhow::Result<Memory> {
    let partition = Partition::of(&row.id, log.partitions());
    let end = store.head(partition).await?.map_or(Offset(0), |head| head.next);
    let places = places(store, partition, row.no, end).await?;
    let mut history = History::new(partition, log.partitions(), &projector::log_id(log).await?);
    let stopped = read_each(log, partition, &places, |offset, bytes| history.fold(offset, bytes).err());
    if let Some(newer) = stopped.await? {
        anyhow::bail!("a record of `{}` cannot be folded: {newer}", row.id);
    }
    history.memory(&row.id).cloned().with_context(|| format!("no record of `{}` is found", row.id))
}

/// The steps as they are recorded: each configuration names the one that it replaces.
pub(super) fn recorded(steps: &Steps, mut replaces: Option<String>, id: &str) -> Vec<(&'static str, String)> {
    let recorded = |(kind, data): &(&'static str, String)| {
        if *kind != "wallet.configured" {
            return (*kind, data.clone());
        }
        let configured: Configured = serde_json::from_str(data).expect("it was read from a document");
        let configured = Configured { replaces: replaces.replace(id.to_owned()), ..configured };
        (*kind, serde_json::to_string(&configured).expect("our own types are JSON"))
    };
    steps.iter().map(recorded).collect()
}

fn by_value(steps: &Steps) -> Vec<String> {
    let value = |(kind, data): &(&str, String)| content_id(&[kind], data, None).unwrap_or_default();
    steps.iter().map(value).collect()
}

/// A record's steps by value, what its configurations replace left out.
fn without_replaces(data: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Step<'a> {
        r#type: &'a str,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Changed<'a> {
        #[serde(borrow)]
        steps: Vec<Step<'a>>,
    }
    let changed: Changed<'_> = serde_json::from_str(data).ok()?;
    let value = |step: &Step<'_>| {
        let mut text = step.data.get().to_owned();
        if step.r#type == "wallet.configured" {
            let configured: Configured = serde_json::from_str(&text).ok()?;
            text = serde_json::to_string(&Configured { replaces: None, ..configured }).ok()?;
        }
        content_id(&[step.r#type], &text, None).ok()
    };
    changed.steps.iter().map(value).collect()
}
