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
