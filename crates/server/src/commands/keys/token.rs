//! `drawdown keys token`.

use std::fmt;
use std::time::Duration;

use ledger::{Instant, Span};
use serde::Serialize;

use super::ends::span;
use super::keyring;
use crate::context::Context;
use crate::exit::Exit;
use crate::keys::{Scopes, SecretPlace, mint};

/// Make a short-lived token that lets a customer see one wallet. It is kept nowhere, and dies with its key.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  DRAWDOWN_KEY=dd_… drawdown --data ./data keys token --wallet acme --ttl PT15M"
)]
pub(super) struct Args {
    /// The wallet that it is for
    #[arg(long)]
    wallet: String,
    /// The key that lets it in
    #[arg(long, env = "DRAWDOWN_KEY", hide_env_values = true)]
    key: String,
    /// What it lets do: read, authorize, or both
    #[arg(long, value_name = "SCOPE,…", default_value = "read")]
    scope: Scopes,
    /// How long it lives, a day at most
    #[arg(long, value_name = "HOW LONG", default_value = "PT15M", value_parser = span)]
    ttl: Span,
}

#[derive(Serialize)]
struct Minted {
    token: String,
    wallet: String,
    scopes: Vec<&'static str>,
    expires_at: Instant,
}

impl fmt::Display for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n\n{:<12} {}\n{:<12} {}",
            self.token, "wallet", self.wallet, "expires", self.expires_at
        )
    }
}

pub(super) async fn run(args: Args, secret: &SecretPlace, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let secret = secret.open(context)?;
    let caller = match keyring(context).await?.check(&args.key, &secret, now) {
        Ok(caller) => caller,
        Err(error) => {
            eprintln!("{error}");
            return Ok(Exit::Refused);
        }
    };
    let ttl = Duration::from_nanos(u64::try_from(args.ttl.exact())?);
    match mint(&caller, &args.wallet, args.scope, ttl, now, &secret) {
        Ok((token, customer)) => {
            let scopes = customer.scopes.iter().map(ledger::KeyScope::word).collect();
            let (wallet, expires_at) = (customer.wallet, customer.expires_at);
            context.print(&Minted { token, wallet, scopes, expires_at })?;
            Ok(Exit::Ok)
        }
        Err(error) => {
            eprintln!("{error}");
            Ok(Exit::Refused)
        }
    }
}
