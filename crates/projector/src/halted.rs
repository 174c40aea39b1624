//! Whether a partition stands still until somebody mends what it met, for whoever only looks.

use eventlog::EventLog;
use ledger::{Position, Undecodable};
use store::StoreError;
use store::rows::Head;

use crate::error::ProjectorError;
use crate::same_log::check_same_log;

/// Why a partition that is folded up to this head cannot be folded on by this build, as the log shows it: another log, a damaged one,
/// or a record of a newer build. A store that is damaged shows when it is folded alone.
///
/// # Errors
///
/// If the log cannot be read now.
pub async fn halted<L: EventLog>(
    log: &L,
    head: &Head,
    log_id: &str,
) -> Result<Option<ProjectorError>, ProjectorError> {
    match fold_on(log, head, log_id).await {
        Err(error) if error.halts() => Ok(Some(error)),
        met => met.map(|()| None),
    }
}

/// What a projector looks at before it folds the next record.
async fn fold_on<L: EventLog>(log: &L, head: &Head, log_id: &str) -> Result<(), ProjectorError> {
    let partition = head.partition;
    if head.log != log_id {
        let (found, asked) = (head.log.clone(), log_id.to_owned());
        return Err(StoreError::OtherLog { partition, found, asked }.into());
    }
    check_same_log(log, head).await?;
    let next = log.read(partition, head.next, 1).await?;
    if !next.is_empty()
        && let Err(Undecodable::NewerBuild(what)) = ledger::decode(next.get(0))
    {
        return Err(ProjectorError::NewerBuild { at: Position { partition, offset: head.next }, what });
    }
    Ok(())
}
