//! Measures what the project exists for, each figure beside its limit in the same run.

mod api;
mod append;
mod embedded;
mod events;
mod fold;
mod past;
mod pipe;
mod roundtrip;

use std::path::Path;
use std::time::Instant as Stopwatch;

use serde_json::{Map, Value, json};

pub(crate) use api::api;
pub(crate) use append::append;
pub(crate) use embedded::embedded;
pub(crate) use fold::{fold, growth};
pub(crate) use past::past;
pub(crate) use pipe::pipe;

/// Figures by name.
#[derive(Default)]
pub(crate) struct Figures(pub(crate) Map<String, Value>);

impl Figures {
    /// Notes a figure, rounded to what is worth reading.
    #[expect(clippy::cast_possible_truncation)]
    pub(crate) fn note(&mut self, name: &str, value: f64) {
        let shown = if value.abs() >= 100.0 {
            json!(value.round() as i64)
        } else {
            json!((value * 1000.0).round() / 1000.0)
        };
        self.0.insert(name.into(), shown);
    }
}

/// The seconds that something takes.
pub(crate) fn timed<T>(what: impl FnOnce() -> T) -> (f64, T) {
    let watch = Stopwatch::now();
    let done = what();
    (watch.elapsed().as_secs_f64(), done)
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value below which the given share of all lies.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * share) as usize).min(values.len() - 1)]
}

/// How many bytes the files of a database have.
pub(crate) fn bytes_of(path: &Path) -> u64 {
    ["", "-wal"]
        .iter()
        .filter_map(|suffix| {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            std::fs::metadata(file).ok()
        })
        .map(|m| m.len())
        .sum()
}
