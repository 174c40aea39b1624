//! Our own records: what operators and the scheduler append.

use ledger::{
    Configured, CopiedFrom, Document, FoldVersion, Genesis, Instant, TakenFrom, Terms, Text, Timer,
    content_id, decode,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::envelope::{END, Head, LONG, NAME, instant, name, sized};
use crate::refusal::Refusal;
use crate::stamp::{Stamp, Stamped};
use crate::usage::MOST_BYTES;

/// The source of records that an operator's command makes.
pub const OPERATOR: &str = "operator";
/// The source of records that the scheduler makes.
pub(crate) const SCHEDULER: &str = "scheduler";
/// How a wallet's partition is computed.
const PARTITIONER: &str = "sha256-8-mod";

/// A grant to be issued.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Who gets it.
    pub wallet: &'a str,
    /// Who made the record's id; left out, `operator`.
    pub source: Option<&'a str>,
    /// The record's id; left out, `grant:` and the grant's own id.
    pub id: Option<&'a str>,
    /// When it was promised; left out, when it is recorded.
    pub time: Option<Instant>,
    /// What is promised.
    pub terms: &'a Terms,
    /// Why.
    pub reason: Option<&'a str>,
}

/// Stamps a grant as a `grant.issued` record.
///
/// # Errors
///
/// If a name is empty, too long or holds control characters, the time lies ahead, or the whole is too large. Whether the
/// terms can be kept is for the fold to say.
pub fn grant<'a>(grant: &Grant<'a>, stamp: &Stamp<'_>) -> Result<Stamped<'a>, Refusal> {
    name("grant_id", &grant.terms.grant_id, NAME)?;
    let id = grant.id.map_or_else(|| format!("grant:{}", grant.terms.grant_id).into(), Text::from);
    let source = grant.source.unwrap_or(OPERATOR);
    name("source", source, LONG)?;
    if let Some(reason) = grant.reason {
        sized("reason", reason, LONG)?;
    }
    let (recorded_at, by) = stamp.on(grant.time)?;
    let head = Head {
        wallet: Some(grant.wallet),
        time: grant.time,
        reason: grant.reason,
        v: if grant.terms.reset.is_some() { 2 } else { 1 },
        ..Head::new(&id, source, "grant.issued", recorded_at, by)
    };
    let bytes = wallets_own(&head, grant.terms)?;
    Ok(Stamped { wallet: grant.wallet.into(), source: source.into(), id, bytes })
}

/// Stamps a wallet's whole configuration as a `wallet.configured` record. Its id follows from what it says and what it
/// replaces, so that saying it twice is a duplicate.
///
/// # Errors
///
/// If the wallet's name is empty, too long or holds control characters, the time lies ahead, or the whole is too large.
pub fn configured<'a>(
    wallet: &'a str,
    config: &Configured,
    time: Option<Instant>,
    stamp: &Stamp<'_>,
) -> Result<Stamped<'a>, Refusal> {
    let replaces = config.replaces.as_deref();
    let body = json(&Configured { replaces: None, ..config.clone() });
    let id = content_id(&["wallet.configured", wallet], &body, replaces)?;
    configured_under(&id, wallet, config, time, stamp)
}

/// As [`configured`], under an id of whoever says it: said again, it changes nothing, whatever was said since.
///
/// # Errors
///
/// As [`configured`], and if the id is empty, too long or holds control characters.
pub fn configured_under<'a>(
    id: &str,
    wallet: &'a str,
    config: &Configured,
    time: Option<Instant>,
    stamp: &Stamp<'_>,
) -> Result<Stamped<'a>, Refusal> {
    let (recorded_at, by) = stamp.on(time)?;
    let head = Head {
        wallet: Some(wallet),
        time,
        v: if config.holds.is_some() {
            3
        } else if config.reset.is_some() {
            2
        } else {
            1
        },
        ..Head::new(id, OPERATOR, "wallet.configured", recorded_at, by)
    };
    let bytes = wallets_own(&head, config)?;
    Ok(Stamped { wallet: wallet.into(), source: OPERATOR.into(), id: id.to_owned().into(), bytes })
}

/// Stamps a catalogue document as a `catalogue.published` record. Its id follows from what it says and what it replaces.
///
/// # Errors
///
/// If `body` is no JSON or has a key twice, a name is empty, too long or holds control characters, or the whole is too
/// large. Whether the catalogue can take the document is for the fold to say.
pub fn published(
    kind: &str,
    document: &str,
    body: &str,
    replaces: Option<&str>,
    stamp: &Stamp<'_>,
) -> Result<Published, Refusal> {
    published_under("", kind, document, body, replaces, stamp)
}

/// As [`published`], with a request's name before the id: a record that two requests make alike is two records.
///
/// # Errors
///
/// As [`published`].
pub fn published_under(
    request: &str,
    kind: &str,
    document: &str,
    body: &str,
    replaces: Option<&str>,
    stamp: &Stamp<'_>,
) -> Result<Published, Refusal> {
    #[derive(Serialize)]
    struct Data<'a> {
        kind: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        replaces: Option<&'a str>,
        body: &'a RawValue,
    }
    name("kind", kind, NAME)?;
    name("name", document, NAME)?;
    let body: &RawValue = serde_json::from_str(body)?;
    let id = format!("{request}{}", content_id(&["catalogue", kind, document], body.get(), replaces)?);
    let v = match Document::read(kind, body.get()) {
        Ok(Document::Policies(policies)) if policies.holds.is_some() => 3,
        Ok(Document::Key(_)) => 4,
        _ if kind == "fold" => 2,
        Ok(_) | Err(_) => 1,
    };
    let head = Head { v, ..Head::new(&id, "catalogue", "catalogue.published", stamp.now, stamp.by) };
    let bytes = checked(&head, &Data { kind, name: document, replaces, body })?;
    Ok(Published { id, bytes })
}

/// A catalogue record, ready to be appended to partition 0, whose owner copies it to all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The record's id, which a later revision names as the one it replaces.
    pub id: String,
    /// The record.
    pub bytes: Vec<u8>,
}

/// Stamps a `timer.due` record: something of the wallet's is due at `due_at`. The system says so, whoever stamps.
pub fn timer<'a>(wallet: &'a str, due_at: Instant, stamp: &Stamp<'_>) -> Stamped<'a> {
    let mut id = String::from("timer:");
    instant(due_at, &mut id);
    let head = Head { wallet: Some(wallet), ..Head::new(&id, SCHEDULER, "timer.due", stamp.now, "system") };
    let bytes = written(&head, &Timer { due_at });
    Stamped { wallet: wallet.into(), source: SCHEDULER.into(), id: id.into(), bytes }
}

/// Stamps a `genesis` record, the first of each of a new log's partitions, with the newest fold version in force. `of` names what the
/// log was taken from, and the fold version that its genesis names.
pub fn genesis(log: &str, partitions: u32, of: Option<(TakenFrom, u32)>, stamp: &Stamp<'_>) -> Vec<u8> {
    let (of, fold) = of.map_or((None, FoldVersion::NEWEST), |(of, fold)| (Some(of), fold));
    first(
        Genesis { log: log.to_owned(), partitions, partitioner: PARTITIONER.into(), fold, of, copied: None },
        stamp,
    )
}

/// Stamps the `genesis` record of a log that was made of another one, renumbered. `fold` is the version that the other's genesis names.
pub fn copied_genesis(
    log: &str,
    partitions: u32,
    copied: &CopiedFrom,
    fold: u32,
    stamp: &Stamp<'_>,
) -> Vec<u8> {
    let (log, copied) = (log.to_owned(), Some(copied.clone()));
    first(Genesis { log, partitions, partitioner: PARTITIONER.into(), fold, of: None, copied }, stamp)
}

fn first(genesis: Genesis, stamp: &Stamp<'_>) -> Vec<u8> {
    let v = if genesis.fold > 1 { 2 } else { 1 };
    let head = Head { v, ..Head::new("genesis", "drawdown", "genesis", stamp.now, stamp.by) };
    written(&head, &genesis)
}

pub(crate) fn wallets_own(head: &Head<'_>, data: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Refusal> {
    name("wallet", head.wallet.unwrap_or(""), NAME)?;
    name("id", head.id, NAME)?;
    checked(head, data)
}

/// Writes a record and reads it back: what an operator appends must never end in quarantine.
fn checked(head: &Head<'_>, data: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Refusal> {
    let bytes = written(head, data);
    if bytes.len() > MOST_BYTES {
        return Err(Refusal::TooLarge { bytes: bytes.len() as u64, most: MOST_BYTES as u64 });
    }
    let record = decode(&bytes).map_err(|e| Refusal::Undecodable(e.to_string()))?;
    record.identify(&mut Vec::new())?;
    Ok(bytes)
}

fn written(head: &Head<'_>, data: &(impl Serialize + ?Sized)) -> Vec<u8> {
    let mut out = String::with_capacity(512);
    head.write(&mut out);
    out.push_str(&json(data));
    out.push(END);
    out.into_bytes()
}

pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("our own documents are JSON")
}
