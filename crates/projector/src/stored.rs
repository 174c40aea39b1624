//! A partition's catalogue as the store keeps it.

use ledger::{Catalogue, Offset};
use serde::{Deserialize, Serialize};

use crate::error::ProjectorError;

/// The catalogue as the store keeps it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCatalogue {
    published: Vec<Offset>,
    /// The fold version in force.
    fold: u32,
    catalogue: String,
}

/// Reads a partition's catalogue from what the store keeps of it.
///
/// # Errors
///
/// [`ProjectorError::Corrupt`] if it is no catalogue.
pub fn stored_catalogue(text: &str) -> Result<Catalogue, ProjectorError> {
    read_catalogue(text).map(|(catalogue, _)| catalogue)
}

/// Writes a partition's catalogue as the store keeps it.
pub(crate) fn write_catalogue(catalogue: &Catalogue, published: &[Offset]) -> String {
    let (fold, catalogue) = (catalogue.fold_version(), catalogue.write());
    let stored = StoredCatalogue { published: published.to_vec(), fold, catalogue };
    serde_json::to_string(&stored).expect("a catalogue is JSON")
}

/// The catalogue, and where its records stand.
pub(crate) fn read_catalogue(text: &str) -> Result<(Catalogue, Vec<Offset>), ProjectorError> {
    let corrupt = |why| ProjectorError::Corrupt { what: "catalogue".into(), why };
    let stored: StoredCatalogue = serde_json::from_str(text).map_err(|e| corrupt(e.to_string()))?;
    let mut catalogue = Catalogue::read(&stored.catalogue).map_err(corrupt)?;
    catalogue.begin(stored.fold);
    Ok((catalogue, stored.published))
}
