//! Where a record stands in the log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One of the log's ordered parts, counted from 0. A wallet's records are all in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u32);

impl Partition {
    /// The partition that holds a wallet's records: the first 8 bytes of the SHA-256 of its id, modulo `partitions`.
    pub fn of(wallet: &str, partitions: u32) -> Self {
        let digest = Sha256::digest(wallet.as_bytes());
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        Self(u32::try_from(u64::from_be_bytes(head) % u64::from(partitions)).expect("less than a u32"))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record's place within its partition, counted from 0 without holes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub u64);

impl Offset {
    /// The offset that follows `count` records further on.
    #[must_use]
    pub fn plus(self, count: usize) -> Self {
        Self(self.0 + count as u64)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in the whole log, written `partition:offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition.
    pub partition: Partition,
    /// The offset within it.
    pub offset: Offset,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.offset)
    }
}

/// A position that is not written `partition:offset`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no position: write partition:offset, such as 0:42")]
pub struct NotAPosition(String);

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = || {
            let (partition, offset) = text.split_once(':')?;
            Some(Self { partition: Partition(partition.parse().ok()?), offset: Offset(offset.parse().ok()?) })
        };
        parts().ok_or_else(|| NotAPosition(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_is_in_one_partition_for_ever() {
        for (wallet, of_1, of_16, of_1024) in
            [("", 0, 4, 20), ("acme", 0, 0, 160), ("wallet-1", 0, 1, 609), ("ümlaut", 0, 12, 204)]
        {
            let found = [1, 16, 1024].map(|partitions| Partition::of(wallet, partitions).0);
            assert_eq!(found, [of_1, of_16, of_1024], "{wallet}");
        }
    }

    #[test]
    fn a_position_is_shown_as_it_is_read() {
        let position: Position = "3:42".parse().expect("a position");
        assert_eq!((position.partition, position.offset.plus(2)), (Partition(3), Offset(44)));
        assert_eq!(position.to_string(), "3:42");
        assert_eq!((position.partition.to_string(), position.offset.to_string()), ("3".into(), "42".into()));
    }
}
