//! `drawdown keys create`.

use anyhow::Context as _;

use super::ends::Ends;
use super::publish;
use crate::context::Context;
use crate::exit::Exit;
use crate::keys::{Scopes, SecretPlace, Token, make};

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

pub(super) async fn run(args: Args, secret: &SecretPlace, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let expires_at = args.expires.map(|ends| ends.from(now));
    if expires_at.is_some_and(|end| end <= now) {
        eprintln!("the key would have expired already: say a later time with --expires");
        return Ok(Exit::Refused);
    }
    let token = Token::fresh().context("the system has no randomness to make a key of")?;
    let (made, key) = make(&token, &secret.open(context)?, args.scope, args.description, expires_at);
    if !publish(context, vec![(made.id.clone(), key)]).await? {
        return Ok(Exit::Refused);
    }
    context.print(&made)?;
    Ok(Exit::Ok)
}
