//! What time it is: beside a database, that is the database's business.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Stopwatch, SystemTime, UNIX_EPOCH};

use ledger::Instant;

use crate::places::{Databases, StorePlace};

/// How far apart this machine's clock and a database's may be, in nanoseconds, for anything to be stamped.
const APART: i64 = 5_000_000_000;
/// How long to wait for a database's answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the databases are asked. Between two answers this machine's steady clock carries the first on.
const ASK: Duration = Duration::from_secs(10);

/// The clock of a process: this machine's, until databases have said what time it is.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Vec<Said>>>);

/// What a database said.
#[derive(Clone, Copy, Debug)]
struct Said {
    now: Instant,
    /// When it was heard, which is a little later.
    at: Stopwatch,
}

/// This machine's clock and a database's are so far apart that one of them is wrong.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine's clock is {} s {} the database's: nothing is appended until both agree, set the one that is wrong",
    .ahead.unsigned_abs() / 1_000_000_000, if *.ahead > 0 { "ahead of" } else { "behind" }
)]
pub struct Apart {
    /// By how many nanoseconds this machine's is ahead.
    ahead: i64,
}

impl Clock {
    /// What time it is; of several databases' times the earliest, so that nothing is done too early.
    ///
    /// # Panics
    ///
    /// If the machine's clock is needed, and stands before 1970 or after 2261.
    pub fn now(&self) -> Instant {
        self.said().iter().map(Said::now).min().unwrap_or_else(of_the_machine)
    }

    /// Refuses to stamp anything while this machine's clock is another than a database's: nobody knows which of them is wrong, and
    /// what is stamped too late a time would end lots too early.
    ///
    /// # Errors
    ///
    /// [`Apart`] says by how much.
    pub fn check(&self) -> Result<(), Apart> {
        let ahead =
            self.said().iter().map(|said| of_the_machine().0 - said.now().0).max_by_key(|by| by.abs());
        match ahead {
            Some(ahead) if ahead.abs() > APART => Err(Apart { ahead }),
            Some(_) | None => Ok(()),
        }
    }

    /// Asks the databases, if that is where the projections are. Where one does not answer, what was known before stays.
    pub(crate) async fn ask(&self, place: &StorePlace) {
        let StorePlace::Postgres(databases) = place else { return };
        match ask(databases).await {
            Ok(said) => *self.0.lock().unwrap_or_else(PoisonError::into_inner) = said,
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "the database does not say what time it is");
            }
        }
    }

    /// Asks again and again.
    pub(crate) async fn keep_asking(self, place: StorePlace) {
        loop {
            tokio::time::sleep(ASK).await;
            self.ask(&place).await;
        }
    }

    fn said(&self) -> Vec<Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Said {
    fn now(&self) -> Instant {
        self.now.plus(i64::try_from(self.at.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }
}

async fn ask(databases: &Databases) -> anyhow::Result<Vec<Said>> {
    let mut said = Vec::new();
    for database in databases.each() {
        let now = tokio::time::timeout(PATIENCE, store::PostgresStore::time(&database.url)).await??;
        said.push(Said { now, at: Stopwatch::now() });
    }
    Ok(said)
}

/// What time it is by this machine's clock. Nothing else in the process asks it.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn of_the_machine() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock stands after 1970");
    Instant(i64::try_from(since.as_nanos()).expect("the clock stands before 2262"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    fn heard(hours: &[i64]) -> Clock {
        let said = |hours: &i64| Said { now: of_the_machine().plus(hours * HOUR), at: Stopwatch::now() };
        Clock(Arc::new(Mutex::new(hours.iter().map(said).collect())))
    }

    #[test]
    fn the_earliest_database_says_what_time_it_is() {
        for (hours, earliest) in [(&[][..], 0), (&[2], 2), (&[-2], -2), (&[3, -1, 1], -1)] {
            let now = heard(hours).now().0 - of_the_machine().0;
            assert!((now - earliest * HOUR).abs() < HOUR / 2, "{hours:?}: {now}");
        }
    }

    #[test]
    fn a_clock_that_is_wrong_stamps_nothing_and_says_by_how_much() {
        assert!(heard(&[]).check().is_ok() && heard(&[0, 0]).check().is_ok());
        for (hours, way) in
            [(&[-3][..], "ahead of the database's"), (&[3], "behind the database's"), (&[0, 3], "behind")]
        {
            let said = heard(hours).check().unwrap_err().to_string();
            // Some of the last second has passed since.
            let says = ["is 10799 s ", "is 10800 s "].into_iter().any(|by| said.contains(by));
            assert!(says && said.contains(way), "{said}");
        }
    }
}
