//! What a monitor reads: `GET /metrics`, in Prometheus' text format.
//!
//! Counters and histograms are fed where things happen; what can be looked up (lag, clocks) is looked up when it is asked for. No
//! label holds a wallet's id.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use ledger::{KeyScope, Partition};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use store::rows::{OutcomeCode, RecordRow};

use super::App;
use super::caller::Needs;
use super::route::Route;

const TEXT: &str = "text/plain; version=0.0.4";
/// Upper bounds of what is timed, in seconds: a decision takes about a millisecond.
const SECONDS: [f64; 14] =
    [0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/metrics",
            Needs::OfAll(KeyScope::Read),
            "Lag, fold rate, decisions by reason, latencies and drift, for Prometheus",
            read,
        )
        .answers_as::<String>(200, "Prometheus' text format", TEXT),
    ]
}

/// The recorder of this process: there is one, however many servers.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS).expect("there are buckets");
        builder.install_recorder().expect("nobody else records in this process")
    })
}

/// Begins to count. What is counted before is lost.
pub(super) fn install() {
    let handle = recorder();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            handle.run_upkeep();
        }
    });
}

/// A request was answered.
pub(super) fn answered(method: &str, route: &str, status: u16, took: Duration) {
    let labels = [("method", method.to_owned()), ("route", route.to_owned())];
    histogram!("drawdown_http_request_seconds", &labels).record(took.as_secs_f64());
    counter!("drawdown_http_requests_total", "method" => method.to_owned(), "route" => route.to_owned(), "status" => status.to_string())
        .increment(1);
}

/// A request was decided by the log.
pub(super) fn decided(record: &RecordRow, took: Duration) {
    let outcome = match OutcomeCode::try_from(record.outcome) {
        Ok(OutcomeCode::Applied | OutcomeCode::None) => "applied",
        Ok(OutcomeCode::Approved) => "approved",
        Ok(OutcomeCode::Declined) => "declined",
        Ok(OutcomeCode::Duplicate) => "duplicate",
        Ok(OutcomeCode::Conflict) => "conflict",
        Ok(OutcomeCode::Rejected) | Err(_) => "rejected",
    };
    let is_no = matches!(outcome, "declined" | "rejected");
    let reason =
        record.detail.as_deref().filter(|_| is_no).and_then(|detail| detail.split([' ', ':']).next());
    counter!("drawdown_decisions_total", "outcome" => outcome, "reason" => reason.unwrap_or("").to_owned())
        .increment(1);
    histogram!("drawdown_decision_seconds").record(took.as_secs_f64());
}

/// The projections were held against the log.
pub(super) fn verified(diverging: u64, records: u64, took: Duration) {
    gauge!("drawdown_verify_diverging_partitions").set(float(diverging));
    gauge!("drawdown_verify_records").set(float(records));
    gauge!("drawdown_verify_seconds").set(took.as_secs_f64());
    counter!("drawdown_verify_runs_total").increment(1);
}

async fn read(State(app): State<Arc<App>>) -> impl IntoResponse {
    let backlog = app.backlog.borrow().clone();
    gauge!("drawdown_log_reachable").set(if backlog.log.is_none() { 1.0 } else { 0.0 });
    let now = app.context.now();
    for (number, behind) in backlog.behind.iter().enumerate() {
        let partition = Partition(u32::try_from(number).expect("partitions are counted in 32 bits"));
        let label = [("partition", partition.to_string())];
        if let Some(behind) = behind {
            gauge!("drawdown_partition_lag_records", &label).set(float(*behind));
        }
        let is_here = app.asking.is_here(partition);
        gauge!("drawdown_partition_here", &label).set(if is_here { 1.0 } else { 0.0 });
        if is_here {
            let reached = *app.asking.reached(partition).borrow();
            counter!("drawdown_partition_folded_records", &label).absolute(reached.folded.0);
            counter!("drawdown_partition_committed_records", &label).absolute(reached.committed.0);
            if let Some(clock) = app.asking.clock(partition) {
                let seconds = Duration::from_nanos(u64::try_from(now.0 - clock.0).unwrap_or(0));
                gauge!("drawdown_partition_last_record_age_seconds", &label).set(seconds.as_secs_f64());
            }
        }
    }
    ([(header::CONTENT_TYPE, TEXT)], recorder().render())
}

/// A count, as the format has it.
#[expect(clippy::cast_precision_loss, reason = "nobody watches the last digit above 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}
