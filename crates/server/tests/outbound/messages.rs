//! An outbound topic as its readers see it, and what it has to say.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use eventlog::{KafkaConfig, KafkaLog, LogError, Received, TopicEnds, TopicReader, TopicReading, Until};
use ledger::{Amount, Offset, Partition};
use serde_json::Value;
use store::Store;
use tokio::runtime::Runtime;

use crate::chance::since_1970;
use crate::misfit::misfit;

/// An outbound topic, gone when this is dropped.
pub(crate) struct Outbound {
    pub(crate) url: String,
    ends: TopicEnds,
    runtime: Runtime,
}

/// Offset and line: which message of its partition it is.
pub(crate) type Place = (u64, u64);

/// What a message must say: its place, `entry` or `outcome`, the wallet, the kind, and the amount or what became of the record.
type Said = (Place, String, Option<String>, String, String);

/// What a topic has of one partition, without what was sent again.
pub(crate) type Messages = Vec<(Place, Value)>;

impl Outbound {
    pub(crate) fn on(broker: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (now, count) = (since_1970().as_micros(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = format!("outbound-{now}-{}-{count}", std::process::id());
        let url = format!("kafka://{broker}/{name}");
        let ends = TopicEnds::new(config(&url)).unwrap();
        Self { url, ends, runtime: Runtime::new().unwrap() }
    }

    pub(crate) fn config(&self) -> KafkaConfig {
        config(&self.url)
    }

    pub(crate) fn wait_for<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// All messages as they stand; none if there is no topic yet.
    pub(crate) fn raw(&self) -> Vec<Received> {
        static GROUPS: AtomicU32 = AtomicU32::new(0);
        let group = format!("test-{}-{}", std::process::id(), GROUPS.fetch_add(1, Ordering::Relaxed));
        let group = format!("{group}-{}", since_1970().as_micros());
        self.wait_for(async {
            let reading = TopicReading { group, only: None, until: Until::End };
            let mut reader = match TopicReader::open(self.config(), reading).await {
                Err(LogError::NoTopic { .. }) => return Vec::new(),
                opened => opened.unwrap(),
            };
            let mut all = Vec::new();
            while let Some(batch) = reader.next().await.unwrap() {
                all.extend(batch.messages);
            }
            all
        })
    }

    /// How many messages it has, what was sent again among them; none if there is no topic yet.
    pub(crate) fn count(&self) -> u64 {
        self.wait_for(async {
            let partitions = match self.ends.partitions().await {
                Err(LogError::NoTopic { .. }) => 0,
                partitions => partitions.unwrap(),
            };
            let mut count = 0;
            for partition in (0..partitions).map(Partition) {
                count += self.ends.bounds(partition).await.unwrap().1.0;
            }
            count
        })
    }

    /// What each partition has, as the documentation says to read it: a message that is not above all before it was sent again, with
    /// the same content. Answers how many were.
    pub(crate) fn read(&self, partitions: u32) -> (Vec<Messages>, usize) {
        let mut read: Vec<BTreeMap<Place, Value>> = vec![BTreeMap::new(); partitions as usize];
        let mut doubles = 0;
        let schema: Value = serde_json::from_str(include_str!("../../../../schemas/outbound.json")).unwrap();
        for Received { at, message } in self.raw() {
            let value: Value = serde_json::from_slice(message.value.as_deref().unwrap()).unwrap();
            assert_eq!(misfit(&schema, &schema, &value), None, "it is as its schema says");
            assert_eq!((&value["v"], &value["partition"]), (&1.into(), &at.partition.0.into()));
            let key = message.key.map(|key| String::from_utf8(key).unwrap());
            assert_eq!(key.as_deref(), value["wallet"].as_str(), "the key is the wallet: {value}");
            let place = (value["offset"].as_u64().unwrap(), value["line"].as_u64().unwrap());
            let before = &mut read[at.partition.0 as usize];
            if before.last_key_value().is_some_and(|(last, _)| place <= *last) {
                assert_eq!(before.get(&place), Some(&value), "what is sent again is the same");
                doubles += 1;
            } else {
                before.insert(place, value);
            }
        }
        (read.into_iter().map(|of| of.into_iter().collect()).collect(), doubles)
    }

    /// Waits until it has all that is committed, and holds that it has exactly that; answers the messages, and how many were there
    /// twice.
    pub(crate) fn settle<S: Store>(&self, store: &S, partitions: u32) -> (Vec<Messages>, usize) {
        let expected = self.wait_for(expected(store, partitions));
        let messages = expected.iter().map(Vec::len).sum::<usize>();
        let all = || {
            let may_be = self.count() >= messages as u64;
            may_be && self.read(partitions).0.iter().zip(&expected).all(|(of, said)| of.len() >= said.len())
        };
        crate::drawdown::until("all that is committed is in the topic", all);
        let (read, doubles) = self.read(partitions);
        for (messages, expected) in read.iter().zip(expected) {
            let found: Vec<Said> = messages.iter().map(|(place, value)| said(*place, value)).collect();
            assert!(found == expected, "{:?}", found.iter().zip(&expected).find(|(a, b)| a != b));
        }
        (read, doubles)
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        // A test that failed may have made none.
        let _ = self.wait_for(KafkaLog::delete(&self.config()));
    }
}

fn config(url: &str) -> KafkaConfig {
    KafkaConfig::parse(url).unwrap().with_patience(Duration::from_secs(60))
}

fn said(place: Place, value: &Value) -> Said {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let of = if value["type"] == "entry" { "amount" } else { "outcome" };
    let say = |name: &str| text(name).unwrap_or_else(|| panic!("no {name} in {value}"));
    (place, say("type"), text("wallet"), say("kind"), say(of))
}

/// What the rows say that are committed, each partition's in order.
async fn expected<S: Store>(store: &S, partitions: u32) -> Vec<Vec<Said>> {
    let mut all = Vec::new();
    for partition in (0..partitions).map(Partition) {
        let head = store.head(partition).await.unwrap().unwrap();
        let wallets = store.all_wallets(partition, None, u32::MAX >> 1).await.unwrap();
        let name = |no: i64| wallets.iter().find(|row| row.no == no).unwrap().id.clone();
        let entries = store.entries_between(partition, Offset(0), head.next).await.unwrap();
        let mut said: Vec<Said> = Vec::new();
        let mut lines = BTreeMap::<Offset, u64>::new();
        for row in entries {
            let kind = ledger::EntryKind::of_code(row.kind).unwrap().word();
            let place = (row.offset.0, row.line.into());
            said.push((place, "entry".into(), Some(name(row.wallet)), kind.into(), row.amount));
            *lines.entry(row.offset).or_default() += 1;
        }
        for row in store.records_between(partition, Offset(0), head.next).await.unwrap() {
            let outcome = store::OutcomeCode::try_from(row.outcome).unwrap();
            let kind = store::RecordKind::try_from(row.kind).unwrap().word();
            let place = (row.offset.0, lines.get(&row.offset).copied().unwrap_or(0));
            if outcome != store::OutcomeCode::None {
                let (wallet, word) = (row.wallet.map(name), outcome.word().into());
                said.push((place, "outcome".into(), wallet, kind.into(), word));
            }
        }
        said.sort_by_key(|(place, ..)| *place);
        all.push(said);
    }
    all
}

/// What the entries bring into each wallet's lots and take out of them, by wallet and unit, in billionths.
pub(crate) fn balances(read: &[Messages]) -> BTreeMap<(String, String), i128> {
    let mut sums = BTreeMap::new();
    for (_, value) in read.iter().flatten().filter(|(_, value)| value["type"] == "entry") {
        let text = |name: &str| value[name].as_str().unwrap();
        let amount = Amount::parse_sum(text("amount")).unwrap().billionths();
        let sum: &mut i128 = sums.entry((text("wallet").into(), text("unit").into())).or_default();
        *sum += if text("credit").starts_with("lot:") { amount } else { 0 };
        *sum -= if text("debit").starts_with("lot:") { amount } else { 0 };
    }
    sums
}

/// A wallet's entries as `ledger --json` shows them, out of the messages.
pub(crate) fn ledger(read: &[Messages], wallet: &str) -> Vec<Value> {
    let of_wallet = |value: &&Value| value["type"] == "entry" && value["wallet"] == wallet;
    let entries = read.iter().flatten().map(|(_, value)| value).filter(of_wallet).cloned();
    let shown = |mut value: Value| {
        for name in ["v", "type", "log", "wallet"] {
            assert!(value.as_object_mut().unwrap().remove(name).is_some());
        }
        value
    };
    entries.map(shown).collect()
}

/// Entries as `ledger --json` shows them, without what is null.
pub(crate) fn shown(ledger: &Value) -> Vec<Value> {
    let mut entries = ledger["entries"].as_array().unwrap().clone();
    for entry in &mut entries {
        entry.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    entries
}
