//! Who folds what, where several processes share a store.

use ledger::Partition;

/// The nodes that live, and who holds which partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fleet {
    /// The nodes whose last beat has not run out, the one that asks among them; sorted.
    pub nodes: Vec<String>,
    /// The leases, by partition; also those that have run out. A partition that is not among them is free.
    pub leases: Vec<Lease>,
}

/// That a node folds a partition, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The partition.
    pub partition: Partition,
    /// The node.
    pub owner: String,
    /// The head's epoch.
    pub epoch: i64,
    /// For how many milliseconds from now on, on the store's clock; 0: it has run out, and anybody may claim the partition.
    pub lives_ms: u64,
}
