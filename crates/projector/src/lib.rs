//! The projector: reads a partition in order, folds it, and commits wallets, entries and position together.

mod ahead;
mod beside;
mod commit;
mod copying;
mod error;
mod exact;
mod folding;
mod follow;
mod halted;
mod history;
mod index;
mod node;
mod pasts;
mod prefetch;
mod projector;
mod published;
mod replay;
mod rows;
mod same_log;
mod seen;
mod set;
mod stored;
mod sum;
mod verify;

pub use beside::{Beside, Effect, Instead, Side};
pub use error::ProjectorError;
pub use halted::halted;
pub use history::{Did, History, places, read_each};
pub use node::{Halting, Node};
pub use pasts::used;
pub use projector::{Projector, Reached, Step};
pub use published::Published;
pub use replay::Replay;
pub use set::{Projectors, Round, log_id};
pub use stored::stored_catalogue;
pub use verify::{Depth, Divergence, Verified, verify};
