//! A process that folds.

use std::path::PathBuf;
use std::process::Command;

use crate::drawdown::{Started, until};

/// A `drawdown run`; killed if the test forgets it.
pub(crate) struct Node {
    pub(crate) name: String,
    started: Started,
    said: PathBuf,
}

impl Node {
    pub(crate) fn start(name: &str, said: PathBuf, command: &mut Command) -> Self {
        Self { name: name.to_owned(), started: Started::new(command), said }
    }

    /// What it wrote to the standard error, and whoever had its name before it.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap()
    }

    /// Waits until it says this.
    pub(crate) fn until_it_says(&self, words: &str) {
        until(&format!("{} says {words:?}", self.name), || self.said().contains(words));
    }

    pub(crate) fn send(&mut self, signal: &str) {
        let pid = self.started.child().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// It has not ended.
    pub(crate) fn is_there(&mut self) -> bool {
        !self.started.is_over()
    }

    /// Kills it; it must not have ended by itself.
    pub(crate) fn kill(mut self) {
        assert!(self.is_there(), "{} had ended by itself: {}", self.name, self.said());
        self.started.child().kill().unwrap();
        self.started.child().wait().unwrap();
    }

    /// Tells it to end, which it must do well.
    pub(crate) fn stop(mut self) {
        assert!(self.is_there(), "{} had ended by itself: {}", self.name, self.said());
        let said = self.said.clone();
        let ran = self.started.stop("-TERM");
        assert_eq!(ran.code, Some(0), "{}", std::fs::read_to_string(said).unwrap());
    }

    /// Waits for its end, with this exit code, and having said this.
    pub(crate) fn ends_with(mut self, code: i32, words: &str) {
        until(&format!("{} ends", self.name), || self.started.is_over());
        let said = self.said();
        assert_eq!(self.started.end().code, Some(code), "{said}");
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
}
