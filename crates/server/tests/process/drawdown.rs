//! The real process on a directory of its own.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::place::Place;

/// A directory for files and one for data, and wherever else log and projections are; all gone when this is dropped.
pub(crate) struct Drawdown {
    dir: TempDir,
    place: Place,
}

/// How a process ended, and what it said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Drawdown {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), place: Place::new() }
    }

    /// Where there is no log, and none is made.
    pub(crate) fn without_log() -> Self {
        Self { dir: TempDir::new().unwrap(), place: Place::without_log() }
    }

    /// Where log and projections are.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Writes a file beside the data.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drawdown"));
        command.arg("--data").arg(self.data()).args(args);
        command.env_remove("DRAWDOWN_LOG_LEVEL").stdin(Stdio::null());
        self.place.tell(&mut command, args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Runs to the end with this on the standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut started = self.start(args);
        started.write(input);
        started.end()
    }

    /// Runs with `--json`, which must go well; answers the object it prints.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
        ran.json()
    }

    /// Makes its log of exported records.
    pub(crate) fn import(&self, lines: impl AsRef<[u8]>) {
        let file = self.file("records.ndjson", lines);
        let mut command = Command::new(env!("CARGO_BIN_EXE_drawdown"));
        command.arg("--data").arg(self.data()).args(["log", "import", &file]);
        command.env_remove("DRAWDOWN_LOG").env_remove("DRAWDOWN_STORE");
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        self.place.take_over(&self.data());
    }

    /// Appends a record as it is to a log of one partition.
    pub(crate) fn append(&self, record: &Value) {
        self.place.append(&self.data(), record.to_string().into_bytes());
    }

    /// Starts a process with its input, output and errors piped.
    pub(crate) fn start(&self, args: &[&str]) -> Started {
        let mut command = self.command(args);
        Started::new(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts a projector, and waits until it has the right to fold.
    pub(crate) fn start_projector(&self, args: &[&str]) -> Started {
        let mut started = self.start(args);
        let pid = started.child().id();
        until("it has the right to fold", || self.place.is_folded_by(pid, &self.data()));
        started
    }
}

/// A process that goes on; killed if the test forgets it.
pub(crate) struct Started(Option<Child>);

impl Started {
    pub(crate) fn new(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("it is taken at the end alone")
    }

    /// Writes to its standard input.
    pub(crate) fn write(&mut self, text: impl AsRef<[u8]>) {
        self.child().stdin.as_mut().unwrap().write_all(text.as_ref()).unwrap();
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.child().try_wait().unwrap().is_some()
    }

    /// Sends a signal, and waits for the end.
    pub(crate) fn stop(mut self, signal: &str) -> Ran {
        let pid = self.child().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.end()
    }

    /// Closes its standard input, and waits for the end.
    pub(crate) fn end(mut self) -> Ran {
        self.0.take().expect("it is taken at the end alone").wait_with_output().unwrap().into()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {:?}, {:?}", self.out, self.err))
    }

    /// It ended with this code, and said all of this to the standard error.
    pub(crate) fn failed(&self, code: i32, says: &[&str]) {
        let (out, err) = (&self.out, &self.err);
        assert_eq!(self.code, Some(code), "{out}{err}");
        for words in says {
            assert!(err.contains(words), "{words:?} is not in {err:?}");
        }
    }
}

/// Waits until it is so; fails after half a minute.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not within 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One usage event as a line.
pub(crate) fn event(id: impl std::fmt::Display, wallet: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"test\",\"type\":\"image\",\"subject\":\"{wallet}\"}}\n"
    )
}

/// A catalogue in which an image costs a credit.
pub(crate) const IMAGES: &str = r#"
kind: unit
name: credits
---
kind: price
name: image
match: {type: image}
charges: [{unit: credits, amount: "1"}]
"#;
