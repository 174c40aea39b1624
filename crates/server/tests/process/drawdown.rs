//! The real process on a directory of its own.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A directory for files and one for data, both gone when this is dropped.
pub(crate) struct Drawdown {
    dir: TempDir,
}

/// How a process ended, and what it said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Drawdown {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
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
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Runs to the end with this on the standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut child = self.start(args);
        child.stdin.take().unwrap().write_all(input.as_ref()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Runs with `--json`, which must go well; answers the object it prints.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
        ran.json()
    }

    /// Starts a process with its input, output and errors piped.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Starts `run`, and waits until it folds.
    pub(crate) fn start_running(&self) -> Child {
        let child = self.start(&["run"]);
        self.wait_for_lock(&child);
        child
    }

    /// Waits until a process has the right to fold.
    pub(crate) fn wait_for_lock(&self, child: &Child) {
        let holder = || std::fs::read_to_string(self.data().join("projector.lock")).unwrap_or_default();
        until("it has the right to fold", || holder().trim() == child.id().to_string());
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

/// Sends a signal to a process that this test started.
pub(crate) fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
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
