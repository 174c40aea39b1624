//! A bar for what takes longer than a second.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long nothing is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// A progress bar with rate and time left, on a terminal only, and only once a second has passed.
///
/// It is drawn on the standard error, so that the output can be piped, and is gone when this is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// Begins a bar of `total` things (unknown: none), which are called so (`"records"`).
    pub(crate) fn new(things: &'static str, total: Option<u64>) -> Self {
        let shape = match total {
            Some(_) => "{wide_bar} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left",
            None => "{spinner} {human_pos} {msg}, {per_sec}, {elapsed}",
        };
        Self::shaped(shape, things, total)
    }

    /// Begins a bar of so many bytes (unknown: none).
    pub(crate) fn bytes(total: Option<u64>) -> Self {
        let shape = match total {
            Some(_) => "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{spinner} {bytes}, {bytes_per_sec}, {elapsed}",
        };
        Self::shaped(shape, "", total)
    }

    fn shaped(shape: &str, things: &'static str, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden()).with_message(things);
        bar.set_style(ProgressStyle::with_template(shape).expect("the template is well formed"));
        Self { bar, began: Instant::now() }
    }

    /// Says that so many more are done.
    pub(crate) fn add(&self, done: usize) {
        self.bar.inc(done as u64);
        if self.bar.is_hidden() && self.began.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
