//! `drawdown migrate`: the tables of the projections in a database.

use std::fmt;

use anyhow::bail;
use serde::Serialize;

use crate::context::Context;
use crate::exit::Exit;
use crate::places::StorePlace;

/// Make the projections' tables in a database, or bring them up to date. In a directory this happens by itself.
///
/// The user must be allowed to make schemas and roles; who folds and who reads need only be members of the roles that are made:
/// DATABASE_projector and DATABASE_reader.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --store postgres://owner@localhost/drawdown migrate")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Report {
    store: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is up to date", self.store)
    }
}

pub(crate) async fn run(_: Args, context: &Context) -> anyhow::Result<Exit> {
    let StorePlace::Postgres(databases) = &context.store else {
        bail!("name the database: --store postgres://user:password@host:port/database");
    };
    databases.migrate().await?;
    context.print(&Report { store: databases.to_string() })?;
    Ok(Exit::Ok)
}
