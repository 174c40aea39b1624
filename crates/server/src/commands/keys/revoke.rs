//! `drawdown keys revoke`.

use std::fmt;

use serde::Serialize;

use super::{keyring, known, publish};
use crate::context::Context;
use crate::exit::Exit;

/// Take a key back, for ever; its customers' tokens go with it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data keys revoke k3f9a0c27b1de")]
pub(super) struct Args {
    /// The key's id, as `keys list` shows it
    id: String,
}

#[derive(Serialize)]
struct Revoked {
    id: String,
    /// Whether this command did it.
    revoked: bool,
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = if self.revoked { "is revoked" } else { "was revoked before" };
        writeln!(f, "{} {says}", self.id)
    }
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let keyring = keyring(context).await?;
    let Some(standing) = known(&keyring, &args.id) else { return Ok(Exit::Refused) };
    let revoked = !standing.key.revoked;
    if revoked {
        let mut key = standing.key.clone();
        key.revoked = true;
        if !publish(context, vec![(args.id.clone(), key)]).await? {
            return Ok(Exit::Refused);
        }
    }
    context.print(&Revoked { id: args.id, revoked })?;
    Ok(Exit::Ok)
}
