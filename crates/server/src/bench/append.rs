//! Appending to the embedded log, beside the disk's own time for making bytes durable.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use eventlog::{Appending, Durability, EventLog, SqliteLog};
use ledger::Partition;

use super::events::{Series, Spread, beginning};
use super::{Figures, percentile, timed};

const ALONE: usize = 1_500;
const CALLERS: usize = 64;
const EACH: usize = 100;

/// `append_p50_us`, `append_p99_us`, `append64_p99_us`, and `bare_fsync_p50_us`.
pub(crate) async fn append(figures: &mut Figures, directory: &Path) -> anyhow::Result<()> {
    let log =
        SqliteLog::create(&directory.join("append.db"), beginning()[..1].to_vec(), Durability::Power).await?;
    let log = Arc::new(log);
    let record = Series::new(1_000, Spread::Skewed).record();
    let mut alone = Vec::new();
    let mut bare = Vec::new();
    let mut file = std::fs::File::create(directory.join("bare"))?;
    for round in 0..ALONE {
        alone.push(one(&log, &record).await?);
        if round % 3 == 0 {
            let (seconds, done) = timed(|| file.write_all(&[0; 4096]).and_then(|()| file.sync_data()));
            done?;
            bare.push(seconds * 1e6);
        }
    }
    figures.note("append_p50_us", percentile(&mut alone, 0.5));
    figures.note("append_p99_us", percentile(&mut alone, 0.99));
    figures.note("bare_fsync_p50_us", percentile(&mut bare, 0.5));
    figures.note("bare_fsync_p99_us", percentile(&mut bare, 0.99));

    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let (log, record) = (log.clone(), record.clone());
        callers.push(tokio::spawn(async move {
            let mut took = Vec::new();
            for _ in 0..EACH {
                took.push(one(&log, &record).await?);
            }
            anyhow::Ok(took)
        }));
    }
    let mut together = Vec::new();
    for caller in callers {
        together.extend(caller.await??);
    }
    figures.note("append64_p50_us", percentile(&mut together, 0.5));
    figures.note("append64_p99_us", percentile(&mut together, 0.99));
    log.close().await?;
    Ok(())
}

/// The microseconds that one append takes.
async fn one(log: &SqliteLog, record: &[u8]) -> anyhow::Result<f64> {
    let watch = std::time::Instant::now();
    log.append(vec![Appending { partition: Partition(0), bytes: record.to_vec() }]).await?;
    Ok(watch.elapsed().as_secs_f64() * 1e6)
}
