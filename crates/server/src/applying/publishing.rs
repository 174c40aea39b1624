//! Documents of the catalogue alone, for whoever appends them himself.

use std::collections::BTreeMap;

use ingest::{Published, Stamp};
use ledger::Catalogue;

use super::plan::plan;
use super::seen::Seen;
use super::stamps::stamps;
use crate::documents::Document;

/// Holds catalogue documents against the rules, on a copy of the catalogue; answers the records of those that say something new,
/// each with the document's index, in the order in which they are to be appended.
///
/// # Errors
///
/// Those that the rules refuse, by index, each with the reason.
pub(crate) fn publishing(
    documents: &[Document],
    catalogue: &Catalogue,
    stamp: &Stamp<'_>,
) -> Result<Vec<(usize, Published)>, BTreeMap<usize, String>> {
    let stamps: Vec<Stamp<'_>> =
        stamps(documents, false, stamp.now)?.into_iter().map(|own| Stamp { by: stamp.by, ..own }).collect();
    let seen = Seen { catalogue: catalogue.clone(), ..Seen::default() };
    let planned = plan(documents, &stamps, seen, 1, stamp.now)?;
    let id = |bytes: &[u8]| {
        let record = ledger::decode(bytes).expect("what was stamped can be read");
        record.envelope.id.to_string()
    };
    let records = planned.catalogue.into_iter();
    let records = records.map(|(at, record)| (at, Published { id: id(&record.bytes), bytes: record.bytes }));
    Ok(records.collect())
}
