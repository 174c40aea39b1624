//! `drawdown keys create`.

use std::fmt;

use anyhow::Context as _;
use ledger::{ApiKey, Instant};
use serde::Serialize;

use super::ends::Ends;
use super::publish;
use crate::context::Context;
use crate::exit::Exit;
use crate::keys::{Scopes, Secret, SecretPlace, Token};

/// Make a key, which is shown this once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data keys create --scope ingest,read --expires 90d")]
pub(super) struct Args {
    /// What it lets do: some of ingest, authorize, read, or admin for everything
    #[arg(long, value_name = "SCOPE,…")]
    scope: Scopes,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// When it expires, or how long it is until then: 90d, 2027-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "WHEN")]
    expires: Option<Ends>,
}

/// A key that was made.
#[derive(Serialize)]
pub(super) struct Made {
    pub(super) id: String,
    /// The key itself: nothing shows it a second time.
    pub(super) key: String,
    pub(super) scopes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Instant>,
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

/// A new key, with what the log is to have of it.
pub(super) fn new(
    secret: &Secret,
    scopes: Scopes,
    description: Option<String>,
    expires_at: Option<Instant>,
) -> anyhow::Result<(Made, ApiKey)> {
    let token = Token::fresh().context("the system has no randomness to make a key of")?;
    let made = Made {
        id: token.id().to_owned(),
        key: token.text().to_owned(),
        scopes: scopes.iter().map(ledger::KeyScope::word).collect(),
        description: description.clone(),
        expires_at,
    };
    let hash = secret.hash(&token);
    Ok((made, ApiKey { hash, scopes: scopes.iter().collect(), description, expires_at, revoked: false }))
}

pub(super) async fn run(args: Args, secret: &SecretPlace, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let expires_at = args.expires.map(|ends| ends.from(now));
    if expires_at.is_some_and(|end| end <= now) {
        eprintln!("the key would have expired already: say a later time with --expires");
        return Ok(Exit::Refused);
    }
    let (made, key) = new(&secret.open(context)?, args.scope, args.description, expires_at)?;
    if !publish(context, vec![(made.id.clone(), key)]).await? {
        return Ok(Exit::Refused);
    }
    context.print(&made)?;
    Ok(Exit::Ok)
}
