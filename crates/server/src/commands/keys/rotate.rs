//! `drawdown keys rotate`.

use std::fmt;

use anyhow::Context as _;
use ledger::{Instant, Span};
use serde::Serialize;

use super::ends::{Ends, span};
use super::{keyring, known, publish};
use crate::context::Context;
use crate::exit::Exit;
use crate::keys::{Made, SecretPlace, Token, make};

/// Make a key that takes another one's place: both are live until the overlap is over.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data keys rotate k3f9a0c27b1de --overlap P7D")]
pub(super) struct Args {
    /// The id of the key that is to go
    id: String,
    /// How long it stays beside the new one
    #[arg(long, value_name = "HOW LONG", default_value = "P7D", value_parser = span)]
    overlap: Span,
    /// When the new one expires, or how long it is until then [default: it lives as long as the other was to; or for ever]
    #[arg(long, value_name = "WHEN")]
    expires: Option<Ends>,
}

#[derive(Serialize)]
struct Rotated {
    #[serde(rename = "new")]
    made: Made,
    old: Old,
}

#[derive(Serialize)]
struct Old {
    id: String,
    expires_at: Instant,
}

impl fmt::Display for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.made)?;
        writeln!(f, "{} goes on until {}.", self.old.id, self.old.expires_at)
    }
}

pub(super) async fn run(args: Args, secret: &SecretPlace, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let keyring = keyring(context).await?;
    let Some(standing) = known(&keyring, &args.id) else { return Ok(Exit::Refused) };
    if let Err(over) = standing.check(now) {
        eprintln!("{}: {over}", args.id);
        return Ok(Exit::Refused);
    }
    let mut old = standing.key.clone();
    let lifetime = old.expires_at.map(|end| Ends::At(now.plus(end.0 - standing.created_at.0)));
    let expires_at = args.expires.or(lifetime).map(|ends| ends.from(now));
    let token = Token::fresh().context("the system has no randomness to make a key of")?;
    let (made, key) =
        make(&token, &secret.open(context)?, standing.scopes(), old.description.clone(), expires_at);
    let until = now.plus(args.overlap.exact());
    let until = old.expires_at.map_or(until, |end| end.min(until));
    old.expires_at = Some(until);
    if !publish(context, vec![(made.id.clone(), key), (args.id.clone(), old)]).await? {
        return Ok(Exit::Refused);
    }
    context.print(&Rotated { made, old: Old { id: args.id, expires_at: until } })?;
    Ok(Exit::Ok)
}
