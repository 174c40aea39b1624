//! `drawdown`: reads the command line, runs the command, and says how it ended.

use std::io::{self, ErrorKind, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use server::Exit;
use server::cli::Cli;
use tracing_subscriber::EnvFilter;

/// What is logged, such as `info` or `projector=debug,warn`.
const LOG_LEVEL: &str = "DRAWDOWN_LOG_LEVEL";

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let level = EnvFilter::try_from_env(LOG_LEVEL).unwrap_or_else(|_| EnvFilter::new(cli.log_level()));
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(level).with_ansi(colours).with_writer(io::stderr).init();
    let exit = match cli.run().await {
        Ok(exit) => exit,
        Err(error) if is_broken_pipe(&error) => Exit::Ok,
        Err(error) => {
            eprintln!("drawdown: {error:#}");
            Exit::of(&error)
        }
    };
    exit.into()
}

/// Whoever read the output has seen enough of it.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
