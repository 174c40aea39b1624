//! The story as it is told: scenes with commands and what they say.

use std::fmt::{self, Display};
use std::path::PathBuf;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// All scenes.
#[derive(Serialize)]
pub(super) struct Told {
    scenes: Vec<Scene>,
    pub(super) verified: bool,
    /// Where it can be looked at afterwards.
    #[serde(skip)]
    kept: Option<PathBuf>,
}

#[derive(Serialize)]
pub(super) struct Scene {
    title: &'static str,
    /// What one would type for it.
    commands: Vec<String>,
    #[serde(skip)]
    text: String,
    reports: Vec<Value>,
}

/// What a command that writes has counted.
pub(super) struct Counted(pub(super) Vec<(&'static str, u64)>);

impl Told {
    pub(super) fn new(kept: Option<PathBuf>) -> Self {
        Self { scenes: Vec::new(), verified: false, kept }
    }

    pub(super) fn scene(&mut self, title: &'static str) -> &mut Scene {
        self.scenes.push(Scene { title, commands: Vec::new(), text: String::new(), reports: Vec::new() });
        self.scenes.last_mut().expect("one was just added")
    }
}

impl Scene {
    /// What is to be seen in it.
    pub(super) fn says(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A command, and what it prints.
    pub(super) fn shows<R: Serialize + Display>(&mut self, command: &str, report: &R) -> anyhow::Result<()> {
        self.says(&format!("\n$ drawdown {command}"));
        self.text.push_str(&report.to_string());
        self.ran(command, report)
    }

    /// A command that writes, and beside it what it has counted.
    pub(super) fn counts(&mut self, command: &str, counted: &Counted) -> anyhow::Result<()> {
        let follows = self.text.lines().last().is_some_and(|line| line.starts_with('$'));
        self.text.push_str(if follows { "" } else { "\n" });
        self.says(&format!("$ drawdown {command:<40}  {counted}"));
        self.ran(command, counted)
    }

    fn ran(&mut self, command: &str, report: &impl Serialize) -> anyhow::Result<()> {
        self.commands.push(format!("drawdown {command}"));
        self.reports.push(serde_json::to_value(report)?);
        Ok(())
    }
}

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().copied())
    }
}

impl Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self.0.iter().map(|(word, count)| format!("{word} {count}")).collect();
        f.write_str(&counts.join(", "))
    }
}

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Scene { title, text, .. }) in self.scenes.iter().enumerate() {
            writeln!(f, "== {}. {title} ==\n{text}", at + 1)?;
        }
        match &self.kept {
            Some(data) => {
                let data = data.display();
                writeln!(f, "All of it is in {data}: try `drawdown --data {data} grants acme`.")
            }
            None => writeln!(f, "To look around in it, keep it: `drawdown --data ./demo demo`."),
        }
    }
}
