//! An event counts once: what the same source and id said before.

use std::collections::BTreeMap;

use super::Envelope;

/// Who said what first: by source and id, the offset and the content.
#[derive(Clone, Default)]
pub(crate) struct Identities(BTreeMap<(String, String), (u64, String)>);

impl Identities {
    /// The outcome of a record whose identity was there already; remembers one that is new.
    pub(crate) fn seen(&mut self, offset: u64, envelope: &Envelope) -> Option<String> {
        let content = format!("{} {:?} {}", envelope.kind, envelope.time, envelope.data.canonical());
        let key = (envelope.source.clone(), envelope.id.clone());
        match self.0.get(&key) {
            Some((first, same)) if *same == content => Some(format!("duplicate {first}")),
            Some((first, _)) => Some(format!("conflict {first}")),
            None => {
                self.0.insert(key, (offset, content));
                None
            }
        }
    }
}
