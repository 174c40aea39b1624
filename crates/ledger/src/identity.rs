//! Who a record is, and what it says (design, section 1).

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::canonical::{NotCanonical, canonical};
use crate::entry::Outcome;
use crate::event::Event;
use crate::past::Known;
use crate::record::Record;
use crate::time::Instant;

/// The first 16 bytes of a SHA-256: of an identity, or of a content.
pub type Hash16 = [u8; 16];

/// Who a record is, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Of wallet, source and id.
    pub key: Hash16,
    /// Of the type, the sender's own time and the data by value; of a hold's request without `valid_until`, which is made
    /// anew whenever it is sent again.
    pub content: Hash16,
    /// Of each name that it gives beside its own, the key and what is said under it: of the grants that it issues; of the hold
    /// that it requests or voids; of the usage that it settles.
    pub names: Vec<(Hash16, Hash16)>,
}

impl Identity {
    /// What is said under a hold's id by who voids it; no digest is likely to be this.
    pub(crate) const VOIDED: Hash16 = *b"hold was voided.";
    /// What is said under a usage's id by the settlement that books it.
    pub(crate) const SETTLED: Hash16 = *b"settled by hold.";

    /// The names that a record is the first to bear, by what became of it: each with what is said under it.
    pub fn first_of<'a>(
        &'a self,
        outcome: Option<&Outcome>,
        past: &'a [(Hash16, Known)],
    ) -> impl Iterator<Item = (Hash16, Hash16)> + 'a {
        let is_decided =
            matches!(outcome, Some(Outcome::Applied(_) | Outcome::Approved(_) | Outcome::Declined(_)));
        let is_new = move |(key, _): &&(Hash16, Hash16)| is_decided && past.iter().all(|(k, _)| k != key);
        self.names.iter().filter(is_new).copied()
    }
}

impl Record<'_> {
    /// Who this record is and what it says, by value. `scratch` is room to work in.
    ///
    /// # Errors
    ///
    /// If its data has no canonical form (a key twice, nested too deep): it then is quarantined.
    pub fn identify(&self, scratch: &mut Vec<u8>) -> Result<Identity, NotCanonical> {
        let e = &self.envelope;
        scratch.clear();
        if let Event::HoldRequested(_) = &self.event {
            content(&e.kind, e.time, &without("valid_until", e.data.get()), scratch)?;
        } else {
            content(&e.kind, e.time, e.data.get(), scratch)?;
        }
        let content = hash(scratch);
        scratch.clear();
        identity(b'i', &[self.wallet(), &e.source, &e.id], scratch);
        let key = hash(scratch);
        let mut identity = Identity { key, content, names: Vec::new() };
        match &self.event {
            Event::HoldRequested(_) => identity.names.push((hold_key(self.wallet(), &e.id), content)),
            Event::HoldVoided(voided) => {
                identity.names.push((hold_key(self.wallet(), &voided.hold), Identity::VOIDED));
            }
            Event::HoldSettled(settled) => {
                let usage = settled.usage_key(self.wallet());
                if usage == key {
                    identity.content = Identity::SETTLED;
                } else {
                    identity.names.push((usage, Identity::SETTLED));
                }
            }
            Event::GrantIssued(_) | Event::WalletChanged(_) => {
                let issued = self.issued();
                let names =
                    issued.into_iter().map(|(terms, data)| self.grant(&terms.grant_id, data, scratch));
                identity.names = names.collect::<Result<_, _>>()?;
            }
            Event::Genesis(_)
            | Event::CataloguePublished(_)
            | Event::WalletConfigured(_)
            | Event::Usage(_)
            | Event::TimerDue(_)
            | Event::GrantVoided(_)
            | Event::UsageReversed(_)
            | Event::UsageRerated(_)
            | Event::WalletReset(_)
            | Event::OverageCleared(_)
            | Event::WalletSuspended
            | Event::WalletResumed
            | Event::HoldExtended(_) => {}
        }
        Ok(identity)
    }

    /// The source and id of the usage that it settles, if it is a settlement.
    pub fn usage_name(&self) -> Option<(&str, &str)> {
        if let Event::HoldSettled(settled) = &self.event {
            return Some((&settled.usage.source, &settled.usage.id));
        }
        None
    }

    fn grant(
        &self,
        grant_id: &str,
        data: &str,
        scratch: &mut Vec<u8>,
    ) -> Result<(Hash16, Hash16), NotCanonical> {
        scratch.clear();
        canonical(data, scratch)?;
        let content = hash(scratch);
        Ok((grant_key(self.wallet(), grant_id), content))
    }
}

/// The key of a grant's name within its wallet.
pub(crate) fn grant_key(wallet: &str, grant_id: &str) -> Hash16 {
    let mut scratch = Vec::new();
    identity(b'g', &[wallet, grant_id], &mut scratch);
    hash(&scratch)
}

/// The key of a hold's id within its wallet, whoever made it.
pub(crate) fn hold_key(wallet: &str, hold: &str) -> Hash16 {
    let mut scratch = Vec::new();
    identity(b'h', &[wallet, hold], &mut scratch);
    hash(&scratch)
}

/// The key of (wallet, source, id), under which the store keeps the offset that first bore it.
pub fn key(wallet: &str, source: &str, id: &str) -> Hash16 {
    let mut scratch = Vec::new();
    identity(b'i', &[wallet, source, id], &mut scratch);
    hash(&scratch)
}

/// The id of a record whose id follows from what it says and what it replaces (catalogue, wallet configurations).
///
/// # Errors
///
/// If `body` has no canonical form.
pub fn content_id(words: &[&str], body: &str, replaces: Option<&str>) -> Result<String, NotCanonical> {
    let mut scratch = Vec::new();
    identity(b'c', words, &mut scratch);
    canonical(body, &mut scratch)?;
    identity(b'r', &[replaces.unwrap_or("")], &mut scratch);
    Ok(hash(&scratch).iter().map(|b| format!("{b:02x}")).collect())
}

/// Each part with its length before it, so that no two lists of parts look the same.
fn identity(domain: u8, parts: &[&str], out: &mut Vec<u8>) {
    out.push(domain);
    for part in parts {
        out.extend_from_slice(&u32::try_from(part.len()).expect("a record is shorter").to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
}

fn content(kind: &str, time: Option<Instant>, data: &str, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    out.extend_from_slice(kind.as_bytes());
    out.push(0);
    if let Some(time) = time {
        out.extend_from_slice(&time.0.to_be_bytes());
    }
    out.push(0);
    canonical(data, out)
}

/// An object without one of its members. No key stands twice in it.
fn without(member: &str, object: &str) -> String {
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(object).expect("it was read as an object");
    let kept: BTreeMap<_, _> = members.into_iter().filter(|(key, _)| key != member).collect();
    serde_json::to_string(&kept).expect("what was read can be written")
}

fn hash(bytes: &[u8]) -> Hash16 {
    let digest = Sha256::digest(bytes);
    let mut head = [0; 16];
    head.copy_from_slice(&digest[..16]);
    head
}
