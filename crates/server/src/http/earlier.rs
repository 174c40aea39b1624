//! What a request said that was made before: found by its Idempotency-Key, and answered as it was then.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use eventlog::EventLog;
use ingest::{OPERATOR, Published};
use ledger::{Catalogue, Configured, Event, Hash16, Partition, Position, content_id, decode};
use store::Store;
use tokio::time::{Instant as Moment, sleep, timeout};

use super::App;
use super::body::{IDEMPOTENCY_KEY, request_id};
use super::problem::Problem;

/// How often the store is asked for a record that is on its way to it.
const POLL: std::time::Duration = std::time::Duration::from_millis(10);
/// In the id of a request's last record.
const LAST: &str = "last";

/// A request to publish documents, made once. The ids of its records begin with what names the request and all that it said, so that
/// the catalogue itself tells what became of it.
pub(super) struct Once {
    key: String,
    said: String,
}

/// What a request has published.
#[derive(Default)]
pub(super) struct Before {
    /// The ids of its records, by the documents' places.
    pub(super) ids: BTreeMap<usize, String>,
    /// Whether that is all of it: else it was broken off.
    pub(super) is_whole: bool,
}

impl Once {
    /// The request of this key, if it has one, with this body.
    pub(super) fn of(headers: &HeaderMap, body: &str) -> Result<Option<Self>, Problem> {
        if !headers.contains_key(IDEMPOTENCY_KEY) {
            return Ok(None);
        }
        let key = content_id(&["idempotency-key", &request_id(headers, None)?], "null", None);
        let said = content_id(&["documents"], body, None);
        let twice = || Problem::bad("not_json", "the body has a key twice, or is nested too deep: mend it");
        Ok(Some(Self { key: key.map_err(|_| twice())?, said: said.map_err(|_| twice())? }))
    }

    /// What it has published before.
    ///
    /// # Errors
    ///
    /// 422 if a request of the same key said something else.
    pub(super) fn before(&self, catalogue: &Catalogue) -> Result<Before, Problem> {
        let mut before = Before::default();
        for accepted in catalogue.accepted() {
            let mut parts = accepted.id.split('/');
            if parts.next() != Some(&self.key) {
                continue;
            }
            if parts.next() != Some(&self.said) {
                let detail = "this Idempotency-Key was used for other documents before: send another one";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "conflict", detail)
                    .with("earlier", &accepted.id));
            }
            // What is no place was not made below.
            let Some(place) = parts.next().and_then(|place| place.parse().ok()) else { continue };
            before.ids.insert(place, accepted.id.clone());
            before.is_whole |= parts.next() == Some(LAST);
        }
        Ok(before)
    }

    /// The records of a plan as this request's, each with its document's place.
    pub(super) fn name(&self, planned: Vec<(usize, Published)>) -> Result<Vec<(usize, Published)>, Problem> {
        let last = planned.len();
        let mut named = Vec::with_capacity(last);
        for (n, (place, record)) in (1..).zip(planned) {
            let read = decode(&record.bytes).expect("what was stamped can be read");
            let Event::CataloguePublished(says) = &read.event else {
                unreachable!("documents of the catalogue were planned")
            };
            let end = if n == last { LAST } else { "" };
            let request = format!("{}/{}/{place}/{end}/", self.key, self.said);
            // None replaces another one of the same request, which names each document once.
            let replaces = says.replaces.as_deref();
            let stamp =
                ingest::Stamp { now: read.envelope.recorded_at, by: &read.envelope.by, backfill: false };
            let own =
                ingest::published_under(&request, &says.kind, &says.name, says.body.get(), replaces, &stamp)?;
            named.push((place, own));
        }
        Ok(named)
    }
}

impl App {
    /// Where catalogue records stand that partition 0 has committed.
    pub(super) async fn positions<'a>(
        &self,
        ids: impl Iterator<Item = &'a String>,
    ) -> Result<Vec<Position>, Problem> {
        let mut positions = Vec::new();
        for id in ids {
            let found = self.first_with(Partition(0), ledger::key("", "catalogue", id)).await?;
            let none = || anyhow::anyhow!("the catalogue has the record {id:?}, and partition 0 has not");
            positions.push(found.ok_or_else(none)?);
        }
        Ok(positions)
    }

    /// What a request said of a wallet's configuration, if one was made under this id; waits for what is on its way to the store.
    pub(super) async fn configured_before(
        &self,
        wallet: &str,
        id: &str,
        current: Option<&str>,
    ) -> Result<Option<Configured>, Problem> {
        let partition = Partition::of(wallet, self.log.partitions());
        let until = Moment::now() + self.limits.wait;
        loop {
            if let Some(at) = self.first_with(partition, ledger::key(wallet, OPERATOR, id)).await? {
                let stretch = self.log.read(partition, at.offset, 1).await?;
                let event = decode(stretch.get(0)).ok().map(|read| read.event);
                // Something else may have been said under it: that is a conflict, which the fold tells.
                let Some(Event::WalletConfigured(configured)) = event else { return Ok(None) };
                return Ok(Some(*configured));
            }
            if current != Some(id) {
                return Ok(None);
            }
            if Moment::now() > until {
                return Err(Problem::unknown(id, "the first answer cannot be read now: ask again"));
            }
            sleep(POLL).await;
        }
    }

    /// The record that was the first to bear an identity, as far as the store has it.
    async fn first_with(&self, partition: Partition, key: Hash16) -> Result<Option<Position>, Problem> {
        let looking = async {
            let segments = self.store.segments(partition).await?;
            let probes: Vec<_> = segments.into_iter().map(|segment| (segment, key)).collect();
            self.store.ids(partition, &probes).await
        };
        let late = || Problem::later("projections_unavailable", "the projections do not answer: try again");
        let rows = timeout(self.limits.wait, looking).await.map_err(|_| late())??;
        Ok(rows.into_iter().map(|row| Position { partition, offset: row.offset }).min())
    }
}

#[cfg(test)]
mod tests {
    use ingest::Stamp;
    use ledger::{Accepted, Instant};

    use super::*;

    /// A request that publishes two units, and its records.
    fn request() -> (Once, Vec<(usize, Published)>) {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, "one".parse().expect("it is a header"));
        let once = Once::of(&headers, "[]").expect("it is a key").expect("it has one");
        let stamp = Stamp { now: Instant(1), by: "a test", backfill: false };
        let unit = |name| ingest::published("unit", name, "{}", None, &stamp).expect("it is a unit");
        let planned = vec![(0, unit("gold")), (2, unit("silver"))];
        let named = once.name(planned).expect("they can be stamped");
        (once, named)
    }

    #[test]
    fn a_request_that_was_broken_off_is_not_the_whole_of_it() {
        let (once, named) = request();
        let mut catalogue = Catalogue::default();
        let mut found = Vec::new();
        for (_, record) in named {
            let read = decode(&record.bytes).expect("it was stamped");
            let Event::CataloguePublished(says) = &read.event else { panic!("a document was stamped") };
            let accepted = Accepted {
                kind: says.kind.to_string(),
                name: says.name.to_string(),
                id: record.id.clone(),
                recorded_at: read.envelope.recorded_at,
                body: says.body.get().to_owned(),
            };
            catalogue.publish(accepted, None).expect("it can be published");
            let before = once.before(&catalogue).expect("it is the same request");
            found.push((before.ids.into_keys().collect::<Vec<_>>(), before.is_whole));
        }
        assert_eq!(found, [(vec![0], false), (vec![0, 2], true)]);
    }
}
