//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use eventlog::Durability;

use crate::commands::{
    apply, balance, bench, clear_overage, completions, costs, demo, dev, diff, estimate, explain,
    fold_version, forecast, grants, hold, ingest, init, keys, ledger, log, migrate, project, rebuild, rerate,
    reset, reverse, run, statement, status, step, suspend, tick, usage, verify, void, wallets, what_if,
};
use crate::context::{Clock, Context};
use crate::exit::Exit;
use crate::places::{LogPlace, StorePlace};

/// Credits from usage: a log of grants and usage goes in, exact balances and a ledger that explains them come out.
#[derive(Debug, Parser)]
#[command(name = "drawdown", version, after_help = Exit::HELP)]
pub struct Cli {
    /// The directory of the log and its projections; made if it is not there [default: ./drawdown-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the log is, if not in the directory: kafka://host:port/topic
    #[arg(long, global = true, value_name = "URL", env = "DRAWDOWN_LOG", hide_env_values = true)]
    log: Option<String>,
    /// Where the projections are, if not in the directory: postgres://user:password@host:port/database[?schema=name]; of
    /// several databases, each with its partitions: 0-3=postgres://…
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "DRAWDOWN_STORE",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    store: Vec<String>,
    /// A file of librdkafka's properties, name=value a line: TLS, SASL SCRAM and PLAIN
    #[arg(long, global = true, value_name = "FILE", env = "DRAWDOWN_KAFKA_PROPERTIES")]
    kafka_properties: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
    /// What an acknowledged record survives: the loss of power, or only the end of the process
    #[arg(long, global = true, value_enum, default_value_t = Survives::Power)]
    durability: Survives,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Survives {
    Power,
    Process,
}

/// Each is a file in `commands/`.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Dev(dev::Args),
    Init(init::Args),
    Migrate(migrate::Args),
    Apply(apply::Args),
    Ingest(ingest::Args),
    Project(project::Args),
    Tick(tick::Args),
    Run(run::Args),
    Serve(run::ServeArgs),
    Status(status::Args),
    Balance(balance::Args),
    Ledger(ledger::Args),
    Grants(grants::Args),
    Usage(usage::Args),
    Costs(costs::Args),
    Estimate(estimate::Args),
    Forecast(forecast::Args),
    WhatIf(what_if::Args),
    Wallets(wallets::Args),
    Statement(statement::Args),
    Explain(explain::Args),
    Diff(diff::Args),
    Void(void::Args),
    Reverse(reverse::Args),
    Rerate(rerate::Args),
    Reset(reset::Args),
    ClearOverage(clear_overage::Args),
    Hold(hold::HoldArgs),
    Extend(hold::ExtendArgs),
    Settle(hold::SettleArgs),
    Unhold(hold::UnholdArgs),
    Suspend(suspend::SuspendArgs),
    Resume(suspend::ResumeArgs),
    FoldVersion(fold_version::Args),
    Keys(keys::Args),
    Log(log::Args),
    Step(step::Args),
    Verify(verify::Args),
    Rebuild(rebuild::Args),
    Bench(bench::Args),
    Completions(completions::Args),
}

impl Command {
    /// Whether it names a topic beside the log.
    fn has_a_topic(&self) -> bool {
        let (from, to) = if let Self::Ingest(ingest::Args { topic, .. }) = self {
            (&topic.from_topic, &None)
        } else if let Self::Run(run::Args { topic, to, .. })
        | Self::Serve(run::ServeArgs { run: run::Args { topic, to, .. } }) = self
        {
            (&topic.from_topic, &to.to_topic)
        } else if let Self::Status(status::Args { to_topic }) = self {
            (&None, to_topic)
        } else {
            return false;
        };
        from.is_some() || to.is_some()
    }

    /// Whether it appends records that bear the time at which it does.
    fn stamps(&self) -> bool {
        match self {
            Self::Init(_)
            | Self::Apply(_)
            | Self::Ingest(_)
            | Self::Tick(_)
            | Self::Void(_)
            | Self::Reverse(_)
            | Self::Rerate(_)
            | Self::Reset(_)
            | Self::ClearOverage(_)
            | Self::Hold(_)
            | Self::Extend(_)
            | Self::Settle(_)
            | Self::Unhold(_)
            | Self::Suspend(_)
            | Self::Resume(_)
            | Self::FoldVersion(_)
            | Self::Keys(_) => true,
            // It sees to that itself, again and again: others stamp in its place.
            Self::Run(_) | Self::Serve(_) | Self::Dev(_) => false,
            Self::Demo(_)
            | Self::Migrate(_)
            | Self::Project(_)
            | Self::Status(_)
            | Self::Balance(_)
            | Self::Ledger(_)
            | Self::Grants(_)
            | Self::Usage(_)
            | Self::Costs(_)
            | Self::Estimate(_)
            | Self::Forecast(_)
            | Self::WhatIf(_)
            | Self::Wallets(_)
            | Self::Statement(_)
            | Self::Explain(_)
            | Self::Diff(_)
            | Self::Log(_)
            | Self::Step(_)
            | Self::Verify(_)
            | Self::Rebuild(_)
            | Self::Bench(_)
            | Self::Completions(_) => false,
        }
    }
}

impl Cli {
    /// What is logged unless the environment says otherwise: `run` tells what it does, as services do.
    pub fn log_level(&self) -> &'static str {
        if matches!(self.command, Command::Run(_) | Command::Serve(_)) { "info" } else { "warn" }
    }

    /// Runs the command.
    ///
    /// # Errors
    ///
    /// Whatever makes it fail; [`Exit::of`] tells the exit code.
    pub async fn run(self) -> anyhow::Result<Exit> {
        let durability = match self.durability {
            Survives::Power => Durability::Power,
            Survives::Process => Durability::Process,
        };
        let data = self.data.clone().unwrap_or_else(|| "./drawdown-data".into());
        let kafka_properties = self.kafka_properties.clone();
        // They may be meant for a topic beside a log in the directory.
        let of_log = kafka_properties.as_ref().filter(|_| self.log.is_some() || !self.command.has_a_topic());
        let log = LogPlace::parse(self.log.as_deref(), of_log)?;
        let store = StorePlace::parse(&self.store)?;
        let clock = Clock::default();
        let context = Context { data, log, store, kafka_properties, json: self.json, durability, clock };
        context.clock.ask(&context.store).await;
        if self.command.stamps() {
            context.clock.check()?;
        }
        tokio::spawn(context.clock.clone().keep_asking(context.store.clone()));
        match self.command {
            Command::Demo(args) => demo::run(args, self.data, &context).await,
            Command::Dev(args) => dev::run(args, self.data, &context).await,
            Command::Init(args) => init::run(args, &context).await,
            Command::Migrate(args) => migrate::run(args, &context).await,
            Command::Apply(args) => apply::run(args, &context).await,
            Command::Ingest(args) => ingest::run(args, &context).await,
            Command::Project(args) => project::run(args, &context).await,
            Command::Tick(args) => tick::run(args, &context).await,
            Command::Run(args) => run::run(args, &context).await,
            Command::Serve(args) => run::serve(args, &context).await,
            Command::Status(args) => status::run(args, &context).await,
            Command::Balance(args) => balance::run(args, &context).await,
            Command::Ledger(args) => ledger::run(args, &context).await,
            Command::Grants(args) => grants::run(args, &context).await,
            Command::Usage(args) => usage::run(args, &context).await,
            Command::Costs(args) => costs::run(args, &context).await,
            Command::Estimate(args) => estimate::run(args, &context).await,
            Command::Forecast(args) => forecast::run(args, &context).await,
            Command::WhatIf(args) => what_if::run(args, &context).await,
            Command::Wallets(args) => wallets::run(args, &context).await,
            Command::Void(args) => void::run(args, &context).await,
            Command::Reverse(args) => reverse::run(args, &context).await,
            Command::Rerate(args) => rerate::run(args, &context).await,
            Command::Reset(args) => reset::run(args, &context).await,
            Command::ClearOverage(args) => clear_overage::run(args, &context).await,
            Command::Hold(args) => hold::hold(args, &context).await,
            Command::Extend(args) => hold::extend(args, &context).await,
            Command::Settle(args) => hold::settle(args, &context).await,
            Command::Unhold(args) => hold::unhold(args, &context).await,
            Command::Suspend(args) => suspend::suspend(args, &context).await,
            Command::Resume(args) => suspend::resume(args, &context).await,
            Command::FoldVersion(args) => fold_version::run(args, &context).await,
            Command::Keys(args) => keys::run(args, &context).await,
            Command::Statement(args) => statement::run(args, &context).await,
            Command::Explain(args) => explain::run(args, &context).await,
            Command::Diff(args) => diff::run(args, &context).await,
            Command::Log(args) => log::run(args, &context).await,
            Command::Step(args) => step::run(args, &context),
            Command::Verify(args) => verify::run(args, &context).await,
            Command::Rebuild(args) => rebuild::run(args, &context).await,
            Command::Bench(args) => bench::run(args, &context).await,
            Command::Completions(args) => completions::run(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_each_command_has_an_example() {
        let command = Cli::command();
        command.clone().debug_assert();
        for command in command.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("drawdown "), "`drawdown {} --help` shows no example", command.get_name());
            assert!(command.get_about().is_some(), "`drawdown {}` says not what it does", command.get_name());
        }
    }
}
