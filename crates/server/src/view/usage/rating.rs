//! What usage cost us, and the calendar days it falls on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::Context as _;
use ledger::{Amount, Catalogue, CounterKey, Instant, Name, Partition, Quantity, Usage, Wallet, vendor_cost};
use serde_json::value::RawValue;
use store::Store;
use store::rows::RecordRow;

use crate::view::Reading;

/// Wallets read at once.
const PAGE: u32 = 4_096;

/// The vendor costs of a partition's catalogue, and the rate cards and zones of the wallets they are asked for.
pub(crate) struct Rating {
    catalogue: Arc<Catalogue>,
    has_costs: bool,
    calendars: HashMap<i64, Arc<Wallet>>,
    /// What tiers of vendor costs have counted, by wallet: only what was asked for counts.
    counters: BTreeMap<i64, BTreeMap<CounterKey, Quantity>>,
}

impl Rating {
    /// For one wallet.
    pub(crate) fn of_wallet(catalogue: Arc<Catalogue>, no: i64, wallet: &Wallet) -> Self {
        let mut rating = Self::new(catalogue);
        rating.calendars.insert(no, Arc::new(wallet.only_calendar()));
        rating
    }

    /// For all wallets of a partition. Those whose calendars are the same share one.
    pub(crate) async fn of_partition(reading: &Reading, partition: Partition) -> anyhow::Result<Self> {
        let mut rating = Self::new(Arc::new(reading.catalogue(partition).await?));
        let mut shared = HashMap::<String, Arc<Wallet>>::new();
        let mut after = None;
        loop {
            let rows = reading.store.all_wallets(partition, after, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(rating) };
            after = Some(last.no);
            for row in &rows {
                let wallet = Wallet::read(&row.doc).with_context(|| {
                    format!("the stored wallet `{}` cannot be read: run `drawdown rebuild`", row.id)
                })?;
                let calendar = wallet.only_calendar();
                let calendar = shared.entry(calendar.write()).or_insert_with(|| Arc::new(calendar));
                rating.calendars.insert(row.no, calendar.clone());
            }
        }
    }

    fn new(catalogue: Arc<Catalogue>) -> Self {
        let has_costs = catalogue.vendor_costs().names().next().is_some();
        Self { catalogue, has_costs, calendars: HashMap::new(), counters: BTreeMap::new() }
    }

    /// What a usage cost us, by currency; nothing where no vendor cost is for it.
    pub(crate) fn cost(&mut self, record: &RecordRow, data: Option<&RawValue>) -> BTreeMap<String, Amount> {
        let mut costs = BTreeMap::<String, Amount>::new();
        for (currency, _, amount) in self.charges(record, data) {
            costs.entry(currency.to_string()).or_default().add(amount);
        }
        costs
    }

    /// What a usage cost us: currency, feature and amount of each charge; nothing where no vendor cost is for it.
    pub(crate) fn charges(
        &mut self,
        record: &RecordRow,
        data: Option<&RawValue>,
    ) -> Vec<(Name, Name, Amount)> {
        let calendar = record.wallet.and_then(|no| Some((no, self.calendars.get(&no)?)));
        let Some((no, wallet)) = calendar.filter(|_| self.has_costs) else { return Vec::new() };
        let usage = Usage {
            data,
            data_text: None,
            data_base64: None,
            extensions: None,
            kind: record.feature.as_deref().unwrap_or_default().into(),
        };
        let counters = self.counters.entry(no).or_default();
        let rated = vendor_cost(&self.catalogue, wallet, &usage, Instant(record.at), counters);
        if counters.is_empty() {
            self.counters.remove(&no);
        }
        rated.map(|rated| rated.charges).unwrap_or_default()
    }

    /// The day of a usage, in its wallet's zone.
    pub(crate) fn day(&self, record: &RecordRow) -> Option<String> {
        let wallet = self.calendars.get(&record.wallet?)?;
        let at = Instant(record.at);
        Some(wallet.zone(&self.catalogue, at).1.day(at))
    }
}
