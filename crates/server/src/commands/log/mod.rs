//! `drawdown log`: the raw records, out and in.

mod copy;
mod export;
mod import;
pub(super) mod line;
mod survey;

use clap::Subcommand;

use crate::context::Context;
use crate::exit::Exit;

/// Copy the log's raw records out, or make a log of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown --data ./data log export | drawdown --data ./copy log import -")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Export(export::Args),
    Import(import::Args),
    Copy(copy::Args),
}

pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    match args.action {
        Action::Export(args) => export::run(args, context).await,
        Action::Import(args) => import::run(args, context).await,
        Action::Copy(args) => Box::pin(copy::run(args, context)).await,
    }
}
