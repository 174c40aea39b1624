//! The projector: reads a partition in order, folds it, and commits wallets, entries and position together.

mod ahead;
mod beside;
mod error;
mod exact;
mod folding;
mod history;
mod index;
mod pasts;
mod projector;
mod replay;
mod rows;
mod same_log;
mod seen;
mod set;
mod sum;
mod verify;

pub use beside::{Beside, Effect, Instead, Side};
pub use error::ProjectorError;
pub use history::{Did, History, places, read_each};
pub use pasts::used;
pub use projector::{Projector, Step, stored_catalogue};
pub use replay::Replay;
pub use set::{Projectors, Round, log_id};
pub use verify::{Depth, Divergence, Verified, verify};
