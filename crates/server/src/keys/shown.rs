//! What is shown of keys: one that is new, once, and all as they stand.

use std::fmt;

use ledger::{ApiKey, Instant};
use schemars::JsonSchema;
use serde::Serialize;

use super::{KeyError, Scopes, Secret, Standing, Token};

/// A key that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Made {
    pub(crate) id: String,
    /// The key itself: nothing shows it a second time.
    pub(crate) key: String,
    pub(crate) scopes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Instant>,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.key)?;
        writeln!(f, "{:<12} {}\n{:<12} {}", "id", self.id, "scopes", self.scopes.join(","))?;
        if let Some(description) = &self.description {
            writeln!(f, "{:<12} {description}", "for")?;
        }
        if let Some(end) = self.expires_at {
            writeln!(f, "{:<12} {end}", "expires")?;
        }
        writeln!(f, "\nKeep the key now: it is not shown again.")
    }
}

/// A key as it is shown once, and what the log is to have of it.
pub(crate) fn make(
    token: &Token,
    secret: &Secret,
    scopes: Scopes,
    description: Option<String>,
    expires_at: Option<Instant>,
) -> (Made, ApiKey) {
    let made = Made {
        id: token.id().to_owned(),
        key: token.text().to_owned(),
        scopes: scopes.iter().map(ledger::KeyScope::word).collect(),
        description: description.clone(),
        expires_at,
    };
    let hash = secret.hash(token);
    (made, ApiKey { hash, scopes: scopes.iter().collect(), description, expires_at, revoked: false })
}

/// A key as it stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    pub(crate) id: String,
    /// `live`, `expired` or `revoked`.
    pub(crate) state: &'static str,
    pub(crate) scopes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) created_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Instant>,
}

impl Listed {
    pub(crate) fn new(id: &str, standing: &Standing, now: Instant) -> Self {
        let state = match standing.check(now) {
            Err(KeyError::Revoked) => "revoked",
            Err(KeyError::Expired) => "expired",
            Ok(()) | Err(KeyError::Malformed | KeyError::Unknown) => "live",
        };
        Self {
            id: id.to_owned(),
            state,
            scopes: standing.scopes().iter().map(ledger::KeyScope::word).collect(),
            description: standing.key.description.clone(),
            created_at: standing.created_at,
            expires_at: standing.key.expires_at,
        }
    }
}
