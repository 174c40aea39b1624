//! The catalogue: what holds now, what held before, and what is published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use ingest::Published as Publishing;
use ledger::{Accepted, Catalogue, Instant, KeyScope, Offset, Partition, Position};
use projector::{Published, stored_catalogue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Store;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::App;
use super::body::{Asked, IDEMPOTENCY_KEY, Json, Raw};
use super::caller::{Caller, Needs};
use super::earlier::{Before, Once};
use super::problem::Problem;
use super::route::Route;
use super::saying::{RETRY, mistakes, refused, taken, text};
use crate::applying::{publishing, rejection};
use crate::documents::{Body, Document, read_json};

/// How often a partition is asked whether it has a document.
const POLL: Duration = Duration::from_millis(10);
/// One request at a time publishes in this process: two that plan on the same catalogue would be in each other's way.
static PUBLISHING: Mutex<()> = Mutex::const_new(());

pub(super) fn routes() -> Vec<Route> {
    let read = Needs::OfAll(KeyScope::Read);
    vec![
        Route::get("/v1/catalogue", read, "The documents in force, by kind", list)
            .query::<Which>()
            .answers::<InForce>(200, "Each with the id of the record that published it"),
        Route::get("/v1/catalogue/{kind}/{name}", read, "A document with its revisions", revisions)
            .answers::<Revisions>(200, "The newest last"),
        Route::post(
            "/v1/catalogue",
            Needs::OfAll(KeyScope::Admin),
            "Publishes documents, all or none; the same again changes nothing, an earlier version of a document does",
            publish,
        )
        .header(IDEMPOTENCY_KEY, RETRY)
        .takes::<Documents>()
        .answers::<Became>(200, "In force for every wallet")
        .problems(&[409, 504]),
    ]
}

/// Documents of the catalogue, as the files of `drawdown apply` have them: one, or an array.
pub(super) struct Documents;

impl JsonSchema for Documents {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Documents".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let document = serde_json::json!({
            "type": "object",
            "required": ["kind", "name"],
            "properties": {
                "kind": {"type": "string", "enum": ["unit", "zone", "rate_card", "policies", "price", "vendor_cost"]},
                "name": {"type": "string", "minLength": 1, "maxLength": 256},
            },
        });
        json_schema!({
            "description": "A document of the catalogue (`kind`, `name`, and the fields of its kind), or an array of them",
            "anyOf": [document, {"type": "array", "minItems": 1, "items": document}],
        })
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only documents of this kind.
    kind: Option<String>,
}

/// The documents in force, by kind.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Catalogue")]
struct InForce {
    documents: BTreeMap<String, Vec<Revision>>,
}

/// A document with all that it said.
#[derive(Debug, Serialize, JsonSchema)]
struct Revisions {
    kind: String,
    name: String,
    /// The newest last.
    revisions: Vec<Revision>,
}

/// What a document says, or said.
#[derive(Debug, Serialize, JsonSchema)]
struct Revision {
    name: String,
    /// The id of the record that published it.
    id: String,
    recorded_at: Instant,
    body: Value,
}

/// What became of documents.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PublishedDocuments")]
struct Became {
    documents: Vec<BecameOne>,
    /// Where the last of them stands in the log; if all were there before, the last record of their partition.
    position: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PublishedDocument")]
struct BecameOne {
    kind: &'static str,
    name: String,
    /// Whether it said something new.
    published: bool,
    /// Where it stands in the log, if this request published it, now or the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

impl BecameOne {
    fn says(&mut self, position: Position) {
        self.published = true;
        self.position = Some(position.to_string());
    }
}

impl Revision {
    fn of(accepted: &Accepted) -> Result<Self, Problem> {
        let body = serde_json::from_str(&accepted.body).map_err(anyhow::Error::from)?;
        let (name, id) = (accepted.name.clone(), accepted.id.clone());
        Ok(Self { name, id, recorded_at: accepted.recorded_at, body })
    }
}

async fn list(State(app): State<Arc<App>>, Asked(which): Asked<Which>) -> Result<Json<InForce>, Problem> {
    let catalogue = app.folded_catalogue(Partition(0)).await?;
    let mut documents: BTreeMap<String, BTreeMap<&str, &Accepted>> = BTreeMap::new();
    let is_asked = |kind: &str| kind != "key" && which.kind.as_deref().is_none_or(|asked| asked == kind);
    for accepted in catalogue.accepted().iter().filter(|accepted| is_asked(&accepted.kind)) {
        documents.entry(accepted.kind.clone()).or_default().insert(&accepted.name, accepted);
    }
    let of_kind = |(kind, named): (String, BTreeMap<&str, &Accepted>)| {
        Ok((kind, named.into_values().map(Revision::of).collect::<Result<_, Problem>>()?))
    };
    let documents = documents.into_iter().map(of_kind).collect::<Result<_, Problem>>()?;
    Ok(Json(InForce { documents }))
}

async fn revisions(
    State(app): State<Arc<App>>,
    Path((kind, name)): Path<(String, String)>,
) -> Result<Json<Revisions>, Problem> {
    let catalogue = app.folded_catalogue(Partition(0)).await?;
    let is_it = |accepted: &&Accepted| kind != "key" && accepted.kind == kind && accepted.name == name;
    let found = catalogue.accepted().iter().filter(is_it).map(Revision::of);
    let revisions: Vec<Revision> = found.collect::<Result<_, Problem>>()?;
    if revisions.is_empty() {
        let detail = format!("no document is the {kind} {name:?}: GET /v1/catalogue lists all");
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown_document", detail));
    }
    Ok(Json(Revisions { kind, name, revisions }))
}

async fn publish(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<Became>, Problem> {
    let text = text(&body)?;
    let documents = read_json(text).map_err(mistakes)?;
    let mut became = documents.iter().map(named).collect::<Result<Vec<_>, Problem>>()?;
    if became.is_empty() {
        return Err(Problem::bad("empty_body", "there is no document: send one, or an array of them"));
    }
    let once = Once::of(&headers, text)?;
    let _one_at_a_time = PUBLISHING.lock().await;
    let (catalogue, last) = app.newest_catalogue().await?;
    let before = once.as_ref().map(|once| once.before(&catalogue)).transpose()?.unwrap_or_default();
    let mut ids: BTreeSet<String> = before.ids.values().cloned().collect();
    let mut position = last;
    if !before.is_whole {
        let records = planned(&app, &caller, &documents, &before, &catalogue)?;
        let records = match &once {
            Some(once) => once.name(records)?,
            None => records,
        };
        let current =
            |one: &BecameOne| catalogue.current(one.kind, &one.name).map(|document| document.id.clone());
        ids.extend(became.iter().filter_map(current));
        for (at, record) in records {
            let id = record.id.clone();
            let recorded = app.decide_document(record).await?;
            taken(&recorded)?;
            position = recorded.position;
            ids.insert(id);
            became[at].says(position);
        }
    }
    app.is_everywhere(&ids).await?;
    let earlier = app.positions(before.ids.values()).await?;
    if before.is_whole {
        position = earlier.iter().copied().max().unwrap_or(position);
    }
    before.ids.keys().zip(earlier).for_each(|(at, position)| became[*at].says(position));
    Ok(Json(Became { documents: became, position: position.to_string() }))
}

/// The records of what was not published before and says something new, each with its document's place.
fn planned(
    app: &App,
    caller: &Caller,
    documents: &[Document],
    before: &Before,
    catalogue: &Catalogue,
) -> Result<Vec<(usize, Publishing)>, Problem> {
    let places: Vec<usize> = (0..documents.len()).filter(|at| !before.ids.contains_key(at)).collect();
    let left: Vec<Document> = places.iter().map(|at| documents[*at].clone()).collect();
    let planned = publishing(&left, catalogue, &app.stamp(&caller.by)?);
    let records = planned.map_err(|why| {
        let why = why.iter().map(|(at, why)| rejection(&left[*at], why));
        refused(why.collect())
    })?;
    Ok(records.into_iter().map(|(at, record)| (places[at], record)).collect())
}

/// A document of the catalogue; a wallet's has a place of its own.
fn named(document: &Document) -> Result<BecameOne, Problem> {
    let elsewhere = |what: &str| {
        let detail = format!("this is no document of the catalogue: {what}");
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_catalogue", detail);
        Err(problem.with("field", "kind").with("line", document.line))
    };
    match &document.body {
        Body::Catalogue { kind, name, .. } => {
            Ok(BecameOne { kind, name: name.clone(), published: false, position: None })
        }
        Body::Wallet { .. } => elsewhere("send it to PUT /v1/wallets/{wallet}"),
        Body::Grant { .. } => elsewhere("send it to POST /v1/wallets/{wallet}/grants"),
        Body::Change { .. } => elsewhere("apply it with `drawdown apply`"),
    }
}

impl App {
    /// The catalogue as a partition has folded and committed it.
    async fn folded_catalogue(&self, partition: Partition) -> Result<Catalogue, Problem> {
        let late = || Problem::later("projections_unavailable", "the projections do not answer: try again");
        let stored = timeout(self.limits.wait, self.store.catalogue(partition)).await;
        let stored = stored.map_err(|_| late())??;
        Ok(stored.as_deref().map(stored_catalogue).transpose()?.unwrap_or_default())
    }

    /// The catalogue with all that is in the log now; and the last record of its partition.
    async fn newest_catalogue(&self) -> Result<(Catalogue, Position), Problem> {
        let reading = async {
            let mut published = Published::open(self.log.clone(), self.store.clone()).await?;
            while published.step().await? {}
            let offset = Offset(published.next().0.saturating_sub(1));
            Ok((published.catalogue().clone(), Position { partition: Partition(0), offset }))
        };
        let late = || Problem::later("projections_unavailable", "the projections do not answer: try again");
        timeout(self.limits.wait, reading).await.unwrap_or_else(|_| Err(late()))
    }

    /// Waits until every partition has these documents.
    async fn is_everywhere(&self, ids: &BTreeSet<String>) -> Result<(), Problem> {
        let everywhere = async {
            for partition in (0..self.asking.partitions()).map(Partition) {
                let mut looked = None;
                loop {
                    let next = self.store.head(partition).await?.map(|head| head.next);
                    if next != looked || next.is_none() {
                        looked = next;
                        let catalogue = self.folded_catalogue(partition).await?;
                        let there = catalogue.accepted().iter().filter(|a| ids.contains(&a.id)).count();
                        if there >= ids.len() {
                            break;
                        }
                    }
                    sleep(POLL).await;
                }
            }
            Ok(())
        };
        timeout(self.limits.wait, everywhere).await.unwrap_or_else(|_| {
            let detail =
                "the documents are published, and not every partition has them yet: send the same again";
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "unknown", detail))
        })
    }
}
