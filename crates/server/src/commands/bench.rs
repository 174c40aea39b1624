//! `drawdown bench`: figures, each beside its limit in the same run.

use serde_json::Value;

use crate::bench::{Figures, append, embedded, fold, growth};
use crate::context::{Context, print};
use crate::exit::Exit;

/// Measures this build on this machine. It works in a temporary directory beside the data.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown bench --json --events 1000000")]
pub(crate) struct Args {
    /// How many events go through the fold, and through the whole pipe.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// How many wallets the fold's growth is measured with.
    #[arg(long, default_value_t = 1_000_000)]
    wallets: u64,
    /// How many events the longest history has.
    #[arg(long, default_value_t = 10_000_000)]
    history: u64,
}

/// Runs the command.
///
/// # Errors
///
/// If the temporary directory cannot be used.
pub(crate) async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    context.create_directory()?;
    let directory = tempfile::Builder::new().prefix("bench").tempdir_in(&context.data)?;
    let mut figures = Figures::default();
    fold(&mut figures, args.events.max(10_000));
    append(&mut figures, directory.path()).await?;
    embedded(&mut figures, directory.path(), args.events.max(10_000)).await?;
    growth(&mut figures, args.wallets.max(10_000), args.history.max(3_000_000));
    if context.json {
        print(&serde_json::to_string(&Value::Object(figures.0))?)?;
    } else {
        let lines: Vec<String> =
            figures.0.iter().map(|(name, value)| format!("{name:<36} {value:>14}")).collect();
        print(&lines.join("\n"))?;
    }
    Ok(Exit::Ok)
}
