//! What is put in order now and then: ids by key, and the trail.
//!
//! It is done before a commit rather than after, so that it cannot make one that succeeded look as if it failed.

use ledger::Partition;
use sqlx::{PgConnection, query_as};

use super::{ids, trail};

/// How many ids of a segment are sorted at once: a whole segment in most cases, and fewer while one grows by
/// more than a batch can bring.
pub(super) const PART: i64 = 1 << 17;
/// How many records the trail may lag behind.
pub(super) const STRETCH: i64 = 1 << 16;

/// Sorts the ids of segments that are complete or have enough, and extends the trail if it lags behind.
pub(super) async fn tidy(
    connection: &mut PgConnection,
    partition: Partition,
    epoch: i64,
) -> Result<(), sqlx::Error> {
    let found: Option<(i64, i64, Vec<i64>)> = query_as(
        "select next, trailed, array(select segment from id_segment s where partition = $1 and open > 0 \
         and (open >= $3 or exists (select from filter f where f.partition = $1 and f.segment = s.segment)) \
         order by segment) from head where partition = $1 and epoch = $2",
    )
    .bind(partition.0.cast_signed())
    .bind(epoch)
    .bind(PART)
    .fetch_optional(&mut *connection)
    .await?;
    // Somebody else has it now: the commit that follows will say so.
    let Some((next, trailed, segments)) = found else { return Ok(()) };
    for segment in segments {
        ids::sort(connection, partition, epoch, segment as u32).await?;
    }
    if next - trailed >= STRETCH {
        trail::extend(connection, partition, epoch, trailed, next).await?;
    }
    Ok(())
}
