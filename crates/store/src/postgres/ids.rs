//! Ids, many to a blob: in the order of the log while a part of a segment fills, sorted into buckets by key
//! after.
//!
//! Keys are random. In an index of them each commit would write pages all over it, more bytes than all else
//! together; so a commit only adds its ids at the end, and a segment's are sorted when there are enough.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Offset, Partition};
use sqlx::{PgConnection, query, query_scalar};

use super::rows::Rows;
use super::tables::ID_PART;
use crate::IdProbe;
use crate::rows::IdRow;

/// Key, content, offset.
pub(super) const WIDTH: usize = 40;
/// How many buckets a sorted part has, as a power of two: of about 32 ids in the longest, so that a bucket is a
/// row that is kept in one piece.
const BUCKETS: u32 = 12;

/// Adds an id to a blob.
pub(super) fn add(blob: &mut Vec<u8>, id: &IdRow) {
    blob.extend_from_slice(&id.key);
    blob.extend_from_slice(&id.content);
    blob.extend_from_slice(&id.offset.0.to_be_bytes());
}

/// Sorts what a segment has open into a part of its own.
///
/// One statement does it, for the holder of the epoch, and fails unless all that was sorted is open still.
pub(super) async fn sort(
    connection: &mut PgConnection,
    partition: Partition,
    epoch: i64,
    segment: u32,
) -> Result<(), sqlx::Error> {
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select since, ids from id_open where partition = $1 and segment = $2")
            .bind(partition.0.cast_signed())
            .bind(i64::from(segment))
            .fetch_all(&mut *connection)
            .await?;
    let mut ids: Vec<[u8; WIDTH]> = rows.iter().flat_map(|(_, blob)| blob.as_chunks().0).copied().collect();
    ids.sort_unstable();
    let mut buckets = Rows::in_arrays(&ID_PART);
    for ids in ids.chunk_by(|a, b| bucket(a) == bucket(b)) {
        // The statement numbers the part.
        let row = buckets.row().int4(partition.0).int8(segment.into()).int4(bucket(&ids[0])).int8(0);
        row.bytes(ids.as_flattened());
    }
    let sql = "with fence as (update head set epoch = epoch where partition = $1 and epoch = $2 returning 1), \
         gone as (delete from id_open using fence where partition = $1 and segment = $3 and since = any($4) \
         returning 1), \
         sorted as (update id_segment set parts = parts + 1, open = open - $5 \
         where partition = $1 and segment = $3 \
         and 1 / ((select count(*) from gone) = cardinality($4))::int = 1 returning parts) \
         insert into id_part (partition, segment, bucket, part, ids) \
         select t.partition, t.segment, t.bucket, sorted.parts, t.ids \
         from unnest($6::int4[], $7::int8[], $8::int4[], $9::int8[], $10::bytea[]) \
         as t (partition, segment, bucket, part, ids), sorted";
    let statement = query(sql)
        .bind(partition.0.cast_signed())
        .bind(epoch)
        .bind(i64::from(segment))
        .bind(rows.iter().map(|(since, _)| *since).collect::<Vec<i64>>())
        .bind(ids.len() as i64);
    buckets.arrays().fold(statement, |statement, array| statement.bind(array)).execute(connection).await?;
    Ok(())
}

/// Those of the probed ids that exist.
pub(super) async fn find(
    connection: &mut PgConnection,
    partition: Partition,
    probes: &[IdProbe],
) -> Result<Vec<IdRow>, sqlx::Error> {
    let wanted: BTreeSet<IdProbe> = probes.iter().copied().collect();
    let mut places = BTreeMap::<(u32, u32), Vec<[u8; 16]>>::new();
    for (segment, key) in &wanted {
        places.entry((*segment, bucket(key))).or_default().push(*key);
    }
    let segments: BTreeSet<i64> = wanted.iter().map(|(segment, _)| i64::from(*segment)).collect();
    let (of, buckets): (Vec<i64>, Vec<i32>) =
        places.keys().map(|(segment, bucket)| (i64::from(*segment), bucket.cast_signed())).unzip();
    // One statement sees the ids either open or sorted. The lateral join looks up one bucket after another.
    let sql = "select segment, -1, ids from id_open where partition = $1 and segment = any($2) \
         union all select s, b, ids from unnest($3::int8[], $4::int4[]) as wanted (s, b), \
         lateral (select ids from id_part where partition = $1 and segment = s and bucket = b offset 0) as found";
    let rows: Vec<(i64, i32, Vec<u8>)> = sqlx::query_as(sql)
        .bind(partition.0.cast_signed())
        .bind(segments.into_iter().collect::<Vec<_>>())
        .bind(of)
        .bind(buckets)
        .fetch_all(connection)
        .await?;
    let mut found = Vec::new();
    for (segment, bucket, blob) in rows {
        let segment = segment as u32;
        if bucket < 0 {
            found.extend(decode(segment, &blob).filter(|id| wanted.contains(&(segment, id.key))));
            continue;
        }
        let ids: &[[u8; WIDTH]] = blob.as_chunks().0;
        for key in &places[&(segment, bucket.cast_unsigned())] {
            let first = ids.partition_point(|id| id[..16] < key[..]);
            let same = ids[first..].iter().take_while(|id| id[..16] == key[..]);
            found.extend(same.map(|id| id_row(segment, id)));
        }
    }
    Ok(found)
}

/// All ids of a segment, by offset.
pub(super) async fn all(
    connection: &mut PgConnection,
    partition: Partition,
    segment: u32,
) -> Result<Vec<IdRow>, sqlx::Error> {
    let sql = "select ids from id_open where partition = $1 and segment = $2 \
         union all select ids from id_part where partition = $1 and segment = $2";
    let statement = query_scalar(sql).bind(partition.0.cast_signed()).bind(i64::from(segment));
    let blobs: Vec<Vec<u8>> = statement.fetch_all(connection).await?;
    let mut ids: Vec<IdRow> = blobs.iter().flat_map(|blob| decode(segment, blob)).collect();
    ids.sort_unstable_by_key(|id| (id.offset, id.key));
    Ok(ids)
}

fn decode(segment: u32, blob: &[u8]) -> impl Iterator<Item = IdRow> {
    blob.as_chunks().0.iter().map(move |id| id_row(segment, id))
}

fn id_row(segment: u32, id: &[u8; WIDTH]) -> IdRow {
    let (key, rest) = id.split_first_chunk().expect("an id begins with 16 bytes of key");
    let (content, rest) = rest.split_first_chunk().expect("then come 16 bytes of content");
    let offset = rest.first_chunk().expect("then come 8 bytes of offset");
    IdRow { segment, key: *key, content: *content, offset: Offset(u64::from_be_bytes(*offset)) }
}

fn bucket(key: &[u8]) -> u32 {
    u32::from(u16::from_be_bytes([key[0], key[1]])) >> (16 - BUCKETS)
}
