//! Numbers that look random.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Numbers that look random, the same for the same seed.
pub(crate) struct Chance(u64);

impl Chance {
    /// Those of the seed that the environment tells, or new ones.
    pub(crate) fn told() -> Self {
        let seed = std::env::var("DRAWDOWN_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| since_1970().as_nanos() as u64 | 1);
        println!("DRAWDOWN_CRASH_SEED={seed} makes the same pauses again");
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[allow(clippy::disallowed_methods, reason = "the test needs a time of day, as the process does")]
pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
