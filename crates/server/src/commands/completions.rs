//! `drawdown completions`: for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::print;
use crate::exit::Exit;

/// Print a shell's completions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  drawdown completions bash > /etc/bash_completion.d/drawdown")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "drawdown", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
