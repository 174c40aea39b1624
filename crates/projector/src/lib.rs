//! The projector: reads a partition in order, folds it, and commits wallets, entries and position together.

mod error;
mod folding;
mod history;
mod pasts;
mod projector;
mod replay;
mod rows;
mod seen;
mod set;
mod sum;
mod verify;

pub use error::ProjectorError;
pub use history::{Did, History, places, read_each};
pub use pasts::used;
pub use projector::{Projector, Step, stored_catalogue};
pub use replay::Replay;
pub use set::{Projectors, Round, log_id};
pub use verify::{Depth, Divergence, Verified, verify};
