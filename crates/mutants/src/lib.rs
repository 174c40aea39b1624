//! Switches that turn one safety net off, so that it is seen whether the suite notices.
//!
//! A net that no test misses when it is gone is held by nothing. So each has a [`Mutant`], the build without it, and where the net is
//! spread there stands `is_on(…)`. Only tests have the feature `switches`; there [`DRAWDOWN_MUTANT`](VARIABLE) names the net that is
//! off. In a build for use [`is_on`] is false at compile time, and nothing of it is left.

#[cfg(feature = "switches")]
mod switches;

#[cfg(feature = "switches")]
pub use switches::{is_on, must_be_caught};

/// The environment variable that names the mutant, in a build with switches.
pub const VARIABLE: &str = "DRAWDOWN_MUTANT";

/// Whether this net is off.
#[cfg(not(feature = "switches"))]
#[must_use]
pub const fn is_on(_: Mutant) -> bool {
    false
}

/// A build that lacks a safety net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A store commits a batch whatever its head says.
    NoFence,
    /// A store does not ask under which epoch the writer of a batch acquired the partition.
    NoEpoch,
    /// A store does not ask whether a batch begins where its head stands.
    NoOffset,
    /// Instead of the fence, a writer asks its own clock whether its lease lives.
    LeaseByLocalClock,
    /// Whoever is fenced takes the partition again, and goes on with what it has in memory.
    MemoryKept,
    /// It is not looked whether the head still is the one under which something was read.
    HeadNotConfirmed,
    /// A projector that has nothing to commit does not look whether the store still has what it committed.
    StoreNotLookedAt,
    /// A lease of what a node does not fold is not given back.
    IdleLeaseKept,
    /// Every record counts, whatever was seen before.
    NoDedup,
    /// A record counts again when a few others came in between.
    DedupWindow,
    /// Identities are forgotten while they are on their way to the store.
    IdsForgottenOnTheWay,
    /// A correction does not wait until what it corrects is in the store.
    PastNotAwaited,
    /// A hole in the offsets of a log is read over.
    HoleIgnored,
    /// Another log than the one that was folded is folded on.
    AnotherLogFolded,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::NoFence,
        Self::NoEpoch,
        Self::NoOffset,
        Self::LeaseByLocalClock,
        Self::MemoryKept,
        Self::HeadNotConfirmed,
        Self::StoreNotLookedAt,
        Self::IdleLeaseKept,
        Self::NoDedup,
        Self::DedupWindow,
        Self::IdsForgottenOnTheWay,
        Self::PastNotAwaited,
        Self::HoleIgnored,
        Self::AnotherLogFolded,
    ];

    /// What [`VARIABLE`] calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFence => "no-fence",
            Self::NoEpoch => "no-epoch",
            Self::NoOffset => "no-offset",
            Self::LeaseByLocalClock => "lease-by-local-clock",
            Self::MemoryKept => "memory-kept",
            Self::HeadNotConfirmed => "head-not-confirmed",
            Self::StoreNotLookedAt => "store-not-looked-at",
            Self::IdleLeaseKept => "idle-lease-kept",
            Self::NoDedup => "no-dedup",
            Self::DedupWindow => "dedup-window",
            Self::IdsForgottenOnTheWay => "ids-forgotten-on-the-way",
            Self::PastNotAwaited => "past-not-awaited",
            Self::HoleIgnored => "hole-ignored",
            Self::AnotherLogFolded => "another-log-folded",
        }
    }
}
