//! The simulation sees that a safety net is gone, whichever it is.

use std::time::Instant;

use mutants::{Mutant, must_be_caught};

const TEST: &str = "whatever_fails_nothing_is_wrong_and_all_comes_right";

/// What it must say of each, beside which seeds failed: rows that are not the log's, events that count twice, or what is never folded or copied.
const CAUGHT: [(Mutant, &[&str]); 10] = [
    (Mutant::NoFence, &["proof of", "commit of"]),
    (Mutant::NoOffset, &["proof of", "commit of"]),
    (Mutant::LeaseByLocalClock, &["proof of", "commit of"]),
    (Mutant::MemoryKept, &["proof of", "commit of"]),
    (Mutant::HeadNotConfirmed, &["proof of", "commit of", "a projector does not panic"]),
    (Mutant::PastNotAwaited, &["proof of", "commit of", "a projector does not panic"]),
    (Mutant::NoDedup, &["counts 2 times"]),
    (Mutant::DedupWindow, &["counts 2 times"]),
    (Mutant::IdleLeaseKept, &["not all is folded", "the catalogue is not the same everywhere"]),
    (Mutant::StoreNotLookedAt, &["not all is folded"]),
];

#[test]
fn each_net_is_missed_when_it_is_gone() {
    for (mutant, complaints) in CAUGHT {
        let began = Instant::now();
        must_be_caught(mutant, TEST, &[], complaints);
        println!("{}: caught after {:?}", mutant.name(), began.elapsed());
    }
}
