//! Ids, many to a blob: in the order of the log while a part of a segment fills, sorted into buckets by key
//! after.
//!
//! Keys are random. In a table keyed by them each commit would write pages all over it, more bytes than all
//! else together; so a commit only adds its ids at the end, and every [`PART`] ids are sorted once.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Offset, Partition};
use sqlx::{Row, SqliteConnection, query, query_scalar};

use super::insert::{Table, chunks};
use crate::IdProbe;
use crate::rows::IdRow;

/// How many ids are sorted at once.
const PART: i64 = 1 << 17;
/// Key, content, offset.
const WIDTH: usize = 40;
/// How many buckets a sorted part has, as a power of two: of about 64 ids, less than a page.
const BUCKETS: u32 = 11;

/// Adds a batch's ids, and sorts the segments that have enough.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    partition: Partition,
    since: Offset,
    ids: &[IdRow],
) -> Result<(), sqlx::Error> {
    let mut blobs = BTreeMap::<u32, Vec<u8>>::new();
    for id in ids {
        let blob = blobs.entry(id.segment).or_default();
        blob.extend_from_slice(&id.key);
        blob.extend_from_slice(&id.content);
        blob.extend_from_slice(&id.offset.0.to_be_bytes());
    }
    for (segment, blob) in &blobs {
        query("insert into id_open (partition, segment, since, ids) values (?, ?, ?, ?)")
            .bind(partition.0)
            .bind(segment)
            .bind(since.0.cast_signed())
            .bind(blob.as_slice())
            .execute(&mut *connection)
            .await?;
        let open: i64 = query_scalar(
            "insert into id_segment (partition, segment, parts, open) values (?, ?, 0, ?) \
             on conflict do update set open = open + excluded.open returning open",
        )
        .bind(partition.0)
        .bind(segment)
        .bind((blob.len() / WIDTH) as i64)
        .fetch_one(&mut *connection)
        .await?;
        if open >= PART {
            sort(connection, partition, *segment).await?;
        }
    }
    Ok(())
}

static ID_PART: Table = Table::new("id_part", &["partition, segment, bucket, part, ids"], "");

/// Sorts what a segment has open into a part of its own.
pub(super) async fn sort(
    connection: &mut SqliteConnection,
    partition: Partition,
    segment: u32,
) -> Result<(), sqlx::Error> {
    let part: Option<i64> = query_scalar(
        "update id_segment set parts = parts + 1, open = 0 where partition = ? and segment = ? and open > 0 \
         returning parts",
    )
    .bind(partition.0)
    .bind(segment)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(part) = part else { return Ok(()) };
    let blobs: Vec<Vec<u8>> =
        query_scalar("delete from id_open where partition = ? and segment = ? returning ids")
            .bind(partition.0)
            .bind(segment)
            .fetch_all(&mut *connection)
            .await?;
    let mut ids: Vec<[u8; WIDTH]> = blobs.iter().flat_map(|blob| blob.as_chunks().0).copied().collect();
    ids.sort_unstable();
    let buckets: Vec<&[[u8; WIDTH]]> = ids.chunk_by(|a, b| bucket(a) == bucket(b)).collect();
    ID_PART
        .insert(connection, &buckets, |row, ids| {
            row.add(partition.0).add(segment).add(bucket(&ids[0])).add(part).add(ids.as_flattened());
        })
        .await
}

/// Those of the probed ids that exist.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    partition: Partition,
    probes: &[IdProbe],
) -> Result<Vec<IdRow>, sqlx::Error> {
    let wanted: BTreeSet<IdProbe> = probes.iter().copied().collect();
    let segments: BTreeSet<u32> = wanted.iter().map(|(segment, _)| *segment).collect();
    let mut found = Vec::new();
    for segment in segments {
        for blob in open(connection, partition, segment).await? {
            found.extend(decode(segment, &blob).filter(|id| wanted.contains(&(segment, id.key))));
        }
    }
    let mut buckets = BTreeMap::<(u32, u32), Vec<[u8; 16]>>::new();
    for (segment, key) in wanted {
        buckets.entry((segment, bucket(&key))).or_default().push(key);
    }
    let places: Vec<(u32, u32)> = buckets.keys().copied().collect();
    for places in chunks(&places) {
        let marks = vec!["(?,?)"; places.len()].join(",");
        let sql = format!(
            "with wanted (s, b) as (values {marks}) select s, b, ids from wanted cross join id_part \
             on partition = ? and segment = s and bucket = b",
        );
        let statement = places.iter().fold(query(&sql), |statement, (s, b)| statement.bind(s).bind(b));
        for row in statement.bind(partition.0).fetch_all(&mut *connection).await? {
            let place: (u32, u32) = (row.try_get(0)?, row.try_get(1)?);
            let ids: &[[u8; WIDTH]] = row.try_get::<&[u8], _>(2)?.as_chunks().0;
            for key in &buckets[&place] {
                let first = ids.partition_point(|id| id[..16] < key[..]);
                let same = ids[first..].iter().take_while(|id| id[..16] == key[..]);
                found.extend(same.map(|id| id_row(place.0, id)));
            }
        }
    }
    Ok(found)
}

/// All ids of a segment, by offset.
pub(super) async fn all(
    connection: &mut SqliteConnection,
    partition: Partition,
    segment: u32,
) -> Result<Vec<IdRow>, sqlx::Error> {
    let mut blobs = open(connection, partition, segment).await?;
    let sorted = query_scalar("select ids from id_part where partition = ? and segment = ?");
    blobs.extend::<Vec<Vec<u8>>>(sorted.bind(partition.0).bind(segment).fetch_all(connection).await?);
    let mut ids: Vec<IdRow> = blobs.iter().flat_map(|blob| decode(segment, blob)).collect();
    ids.sort_unstable_by_key(|id| (id.offset, id.key));
    Ok(ids)
}

async fn open(
    connection: &mut SqliteConnection,
    partition: Partition,
    segment: u32,
) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    let unsorted = query_scalar("select ids from id_open where partition = ? and segment = ?");
    unsorted.bind(partition.0).bind(segment).fetch_all(connection).await
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
