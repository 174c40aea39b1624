//! The contract sees that a store's fence is gone, or half of it.

use mutants::{Mutant, must_be_caught};

const CAUGHT: [(Mutant, &str); 6] = [
    (Mutant::NoFence, "a_batch_of_an_earlier_epoch_is_fenced"),
    (Mutant::NoFence, "a_batch_from_elsewhere_is_fenced"),
    (Mutant::NoEpoch, "an_epoch_is_a_fence_whatever_the_lease_says"),
    (Mutant::NoEpoch, "a_large_batch_is_fenced_like_any_other"),
    (Mutant::NoOffset, "a_batch_from_elsewhere_is_fenced"),
    (Mutant::NoOffset, "a_large_batch_is_fenced_like_any_other"),
];

fn each_is_caught(store: &str) {
    for (mutant, promise) in CAUGHT {
        must_be_caught(mutant, &format!("{store}::{promise}"), &[], &["unwrap_err", "was accepted"]);
    }
}

#[test]
fn a_file_without_its_fence_is_noticed() {
    each_is_caught("in_a_file");
}

#[test]
fn a_database_without_its_fence_is_noticed() {
    each_is_caught("in_postgres");
}
