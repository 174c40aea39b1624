//! Topics that are no logs: any key, any partitioner, and holes between their offsets.

mod ends;
mod gapless;
mod places;
mod reader;
mod writer;

use ledger::Position;

pub use ends::TopicEnds;
pub use gapless::GaplessWriter;
pub use reader::{TopicBatch, TopicReader, TopicReading, Until};
pub use writer::TopicWriter;

/// A message of a topic that is no log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicMessage {
    /// Whatever its sender chose; none decides nothing here.
    pub key: Option<Vec<u8>>,
    /// The value; none is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Names and values, in the order in which they were sent; a name may come again.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// A message, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Partition and offset in that topic.
    pub at: Position,
    /// The message.
    pub message: TopicMessage,
}
