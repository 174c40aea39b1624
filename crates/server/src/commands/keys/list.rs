//! `drawdown keys list`.

use std::fmt;

use serde::Serialize;

use super::keyring;
use crate::context::Context;
use crate::exit::Exit;
use crate::keys::Listed;
use crate::view::{Align, Table};

/// List all keys, also those that are over: never the keys themselves.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data keys list")]
pub(super) struct Args {}

#[derive(Serialize)]
struct Keys {
    keys: Vec<Listed>,
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["id", "state", "scopes", "created", "expires", "for"].map(|name| (name, Align::Left));
        let mut table = Table::new(head);
        for key in &self.keys {
            let expires = key.expires_at.map(|end| end.to_string()).unwrap_or_default();
            table.add([
                key.id.clone(),
                key.state.to_owned(),
                key.scopes.join(","),
                key.created_at.to_string(),
                expires,
                key.description.clone().unwrap_or_default(),
            ]);
        }
        if table.is_empty() {
            writeln!(f, "there are no keys: make one with `drawdown keys create`")
        } else {
            table.fmt(f)
        }
    }
}

pub(super) async fn run(_: Args, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let keyring = keyring(context).await?;
    let keys = keyring.iter().map(|(id, standing)| Listed::new(id, standing, now)).collect();
    context.print(&Keys { keys })?;
    Ok(Exit::Ok)
}
