//! `drawdown`: reads the command line, runs the command, and says how it ended.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::Parser;
use server::Exit;
use server::cli::Cli;
use server::telemetry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = telemetry::begin(cli.log_level()) {
        eprintln!("drawdown: traces cannot be sent where OpenTelemetry's variables say: {error:#}");
        return Exit::Failed.into();
    }
    let exit = match cli.run().await {
        Ok(exit) => exit,
        Err(error) if is_broken_pipe(&error) => Exit::Ok,
        Err(error) => {
            eprintln!("drawdown: {error:#}");
            Exit::of(&error)
        }
    };
    telemetry::end();
    exit.into()
}

/// Whoever read the output has seen enough of it.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
