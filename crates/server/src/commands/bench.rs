//! `drawdown bench`: figures, each beside its limit in the same run.

use clap::Subcommand;
use serde_json::Value;

use crate::bench::{Figures, api, append, embedded, fold, growth, past, pipe};
use crate::context::{Context, print};
use crate::exit::Exit;

/// Measures this build on this machine. It works in a temporary directory beside the data.
#[derive(Debug, clap::Args)]
#[command(after_help = "Figures, in events or rows a second, in microseconds (_us), or as a ratio:
  fold_events_per_second, parse_events_per_second, fold_of_parse
                    one core in memory: events folded; only decoded; the share of decoding in folding
  append_p50_us, append_p99_us, append64_p50_us, append64_p99_us
                    one durable append, alone and among 64 callers; bare_fsync_p50_us and _p99_us are the disk's own
  embedded_events_per_second
                    from a file of events to committed rows; bare_insert_events_per_second inserts the same rows alone
  log_bytes_per_event, store_bytes_per_event
  verify_events_per_second, verify_rows_per_second
                    the log folded again; with every row compared; bare_scan_rows_per_second reads the same rows alone
  what_if_events_per_second
                    the same log folded twice side by side, once at half the price
  explain_p50_us, explain_p99_us
                    why one of a wallet's --past usages was charged as it was, among --wallets wallets: 100 questions
                    spread over its history, each of which folds its records again up to there
  at_p50_us, at_p99_us
                    the same wallet as it was after each of these usages
  bytes_per_wallet, growth_wallets, growth_wallets_even, growth_history
                    what a wallet takes in memory; the cost of an event with many wallets or a long history, by that of few

Example:
  drawdown bench --json --events 1000000")]
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
    /// How many records the wallet has whose past is asked for.
    #[arg(long, default_value_t = 100_000)]
    past: usize,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    Pipe(Pipe),
    Api(Api),
}

/// Measures the way through Kafka and Postgres, in topics and schemas of its own that are removed again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Figures, in events a second, in microseconds (_us) or milliseconds (_ms):
  produce_events_per_second
                    from a file to acknowledged, two partitions; bare_produce_events_per_second appends records made beforehand
  catchup1_…, catchup2_…, catchup8_events_per_second
                    from an empty store to the log's end, with so many partitions; bare_copyN_events_per_second copies the same
                    rows and updates the same wallets, each partition on a connection of its own
  roundtrip_p50_us, _p99_us, _p999_us, roundtrip64_…, roundtrip1000s_…
                    from an append to its record folded, in one process: one caller, 64 callers, 1,000 appends a second;
                    bare_roundtrip… only reads the record back
  live_lag_p99_ms   at 10,000 events a second, from an append to its commit

Example:
  drawdown bench pipe --log kafka://localhost:9092/any --store postgres://owner@localhost/drawdown --json")]
struct Pipe {
    /// How many events go through
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
}

/// Measures the HTTP API of a server in this process: beside the data, or with --log and --store in topics and a schema of its own
/// that are removed again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Figures, in microseconds (_us), a second, or as a ratio:
  authorize_p50_us, _p99_us, _p999_us
                    a hold over HTTP, from the request to its answer, at 1,000 a second; settle… ends these holds;
                    bare_append… appends the same records to another log of the same kind, in turn, and waits until each is
                    read back; authorize_p99_of_bare_append
  authorize64_p50_us, …, authorize64_per_second
                    64 callers, each with its next as soon as the last is answered; also of 1, 16, 256; settle64…,
                    bare_append64…; authorize_max_per_second, bare_append_max_per_second
  balance_read_p50_us, …
                    a wallet's balance over HTTP, all --wallets in turn, at 1,000 a second
  http_ingest_events_per_second
                    16 senders of batches of 100 events, each answered when it is in the log; http_ingest_batch_p50_us, …

Examples:
  drawdown bench api --json
  drawdown bench api --log kafka://localhost:9092/any --store postgres://owner@localhost/drawdown --json")]
struct Api {
    /// How many wallets there are
    #[arg(long, default_value_t = 1_000_000)]
    wallets: u64,
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
    match &args.what {
        Some(What::Pipe(args)) => {
            pipe(&mut figures, context, directory.path(), args.events.max(10_000)).await?;
        }
        Some(What::Api(args)) => api(&mut figures, context, directory.path(), args.wallets).await?,
        None => {
            fold(&mut figures, args.events.max(10_000));
            append(&mut figures, directory.path()).await?;
            embedded(&mut figures, directory.path(), args.events.max(10_000)).await?;
            past(&mut figures, directory.path(), args.wallets.max(10_000), args.past.max(1_000)).await?;
            growth(&mut figures, args.wallets.max(10_000), args.history.max(3_000_000));
        }
    }
    if context.json {
        print(&serde_json::to_string(&Value::Object(figures.0))?)?;
    } else {
        let lines: Vec<String> =
            figures.0.iter().map(|(name, value)| format!("{name:<36} {value:>14}")).collect();
        print(&lines.join("\n"))?;
    }
    Ok(Exit::Ok)
}
