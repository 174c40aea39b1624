//! An event counts once: what the same source and id said before.

use std::collections::BTreeMap;

use super::Envelope;
use super::text::Json;

/// Who said what first: by source and id, the offset and the content.
#[derive(Clone, Default)]
pub(crate) struct Identities(BTreeMap<(String, String), (u64, String)>);

impl Identities {
    /// The offset of whoever said this id first, and what.
    pub(crate) fn first(&self, source: &str, id: &str) -> Option<&(u64, String)> {
        self.0.get(&(source.to_owned(), id.to_owned()))
    }

    /// From now on this id means what was said here.
    pub(crate) fn means(&mut self, source: &str, id: &str, offset: u64, content: &str) {
        self.0.entry((source.to_owned(), id.to_owned())).or_insert((offset, content.to_owned()));
    }

    /// What a record says. How long its sender waits for the answer is none of it.
    pub(crate) fn content(envelope: &Envelope) -> String {
        let mut data = envelope.data.clone();
        if let ("hold.requested", Json::Object(members)) = (envelope.kind.as_str(), &mut data) {
            members.remove("valid_until");
        }
        format!("{} {:?} {}", envelope.kind, envelope.time, data.canonical())
    }

    /// The outcome of a record whose identity was there already; remembers one that is new.
    pub(crate) fn seen(&mut self, offset: u64, envelope: &Envelope) -> Option<String> {
        let content = Identities::content(envelope);
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
