//! The fence: what must be so of a head that a batch moves on.

use std::fmt::Display;

use mutants::{Mutant, is_on};

/// The condition of a statement that moves a head on, with the batch's epoch and offset as it names them.
pub(crate) fn fence(epoch: impl Display, from: impl Display) -> String {
    let asked = |column: &str, value: String, mutant| {
        // As a mutant too, each parameter has its place.
        if is_on(mutant) || is_on(Mutant::NoFence) {
            format!("{value} is not null")
        } else {
            format!("{column} = {value}")
        }
    };
    let epoch = asked("epoch", epoch.to_string(), Mutant::NoEpoch);
    let next = asked("next", from.to_string(), Mutant::NoOffset);
    format!("{epoch} and {next}")
}
