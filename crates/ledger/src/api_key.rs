//! What the log has of a key of the HTTP API: never its text.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::time::Instant;

/// A key of the HTTP API. Its document's name is its id: `k` and twelve lower-case letters or digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiKey {
    /// HMAC-SHA256 of the key's text under the servers' secret, in lower-case hexadecimal.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub hash: String,
    /// What whoever has it may do.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub scopes: BTreeSet<KeyScope>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// From when on it is of no use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// Whether it was taken back, which is for ever.
    #[serde(default, skip_serializing_if = "is_not")]
    pub revoked: bool,
}

/// What a key lets do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum KeyScope {
    /// Send usage.
    Ingest,
    /// Request, extend, settle and void holds.
    Authorize,
    /// Read wallets and what became of them.
    Read,
    /// All else: wallets, grants, the catalogue, keys.
    Admin,
}

impl KeyScope {
    /// All, in their order.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Authorize, Self::Read, Self::Admin];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Authorize => "authorize",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

fn is_not(said: &bool) -> bool {
    !said
}

impl ApiKey {
    /// How long a key's id is.
    pub const ID: usize = 13;

    pub(crate) fn check(&self, id: &str) -> Result<(), (String, &'static str)> {
        let is_small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if id.len() != Self::ID || !id.starts_with('k') || !id.bytes().all(is_small) {
            return Err(("name".into(), "a key's id is `k` and twelve lower-case letters or digits"));
        }
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if self.hash.len() != 64 || !self.hash.bytes().all(is_hex) {
            return Err(("hash".into(), "a key's hash is 64 lower-case hexadecimal digits"));
        }
        if self.scopes.is_empty() {
            return Err(("scopes".into(), "a key without scopes is of no use: name at least one"));
        }
        Ok(())
    }

    /// Whether `next` may take this one's place: a key's hash stays, and one that was revoked stays so.
    pub(crate) fn may_become(&self, next: &Self) -> Result<(), String> {
        if self.revoked {
            return Err("revoked".into());
        }
        if self.hash != next.hash {
            return Err("another_key".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Accepted, Catalogue};

    fn publish(catalogue: &mut Catalogue, id: &str, key: &ApiKey) -> Result<(), String> {
        let name = "k0123456789ab".to_owned();
        let before = catalogue.current("key", &name).map(|accepted| accepted.id.clone());
        let body = serde_json::to_string(key).expect("a key is JSON");
        let accepted =
            Accepted { kind: "key".into(), name, id: id.into(), recorded_at: Instant::default(), body };
        catalogue.publish(accepted, before.as_deref())
    }

    #[test]
    fn a_key_stays_that_key_and_a_revoked_one_stays_revoked() {
        let mut catalogue = Catalogue::default();
        let mut key = ApiKey {
            hash: "0".repeat(64),
            scopes: [KeyScope::Read].into(),
            description: None,
            expires_at: None,
            revoked: false,
        };
        assert_eq!(publish(&mut catalogue, "1", &key), Ok(()));
        key.expires_at = Some(Instant(1));
        key.scopes.insert(KeyScope::Ingest);
        assert_eq!(publish(&mut catalogue, "2", &key), Ok(()));
        let other = ApiKey { hash: "1".repeat(64), ..key.clone() };
        assert_eq!(publish(&mut catalogue, "3", &other), Err("another_key".into()));
        let empty = ApiKey { scopes: BTreeSet::new(), ..key.clone() };
        assert!(publish(&mut catalogue, "3", &empty).is_err_and(|why| why.starts_with("invalid: scopes:")));
        key.revoked = true;
        assert_eq!(publish(&mut catalogue, "3", &key), Ok(()));
        key.revoked = false;
        assert_eq!(publish(&mut catalogue, "4", &key), Err("revoked".into()));
        assert_eq!(Catalogue::read(&catalogue.write()).map(|read| read.accepted().len()), Ok(3));
    }
}
