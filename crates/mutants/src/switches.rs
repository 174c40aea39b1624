//! What only tests have: which mutant this process is, and whether a test of this program notices one.

use std::env;
use std::process::Command;
use std::sync::OnceLock;

use crate::{Mutant, VARIABLE};

/// Whether this net is off: the environment says so, once for the life of the process.
///
/// # Panics
///
/// If it names a mutant that there is not.
#[must_use]
pub fn is_on(mutant: Mutant) -> bool {
    static ON: OnceLock<Option<Mutant>> = OnceLock::new();
    *ON.get_or_init(|| env::var(VARIABLE).ok().map(|name| of(&name))) == Some(mutant)
}

fn of(name: &str) -> Mutant {
    let names = || Mutant::ALL.map(Mutant::name).join(", ");
    let found = Mutant::ALL.into_iter().find(|mutant| mutant.name() == name);
    found.unwrap_or_else(|| panic!("{VARIABLE}={name} is no mutant: these are {}", names()))
}

/// Runs a test of this very test program as this mutant, in a process of its own: it must fail, and say one of these things.
///
/// That it passes without the mutant, the suite has shown by itself.
///
/// # Panics
///
/// If the mutant passes, or fails for another reason.
pub fn must_be_caught(mutant: Mutant, test: &str, variables: &[(&str, &str)], complaints: &[&str]) {
    let program = env::current_exe().expect("a test program knows where it is");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture"]).env(VARIABLE, mutant.name());
    command.env("RUST_BACKTRACE", "0");
    let ran = command.envs(variables.iter().copied()).output().expect("a test program can be run again");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&ran.stdout) + &text(&ran.stderr);
    let name = mutant.name();
    assert!(said.contains("0 passed; 1 failed"), "{test} does not notice {name}: {}", end_of(&said));
    let told = complaints.iter().any(|complaint| said.contains(complaint));
    assert!(told, "{test} fails as {name}, but with none of {complaints:?}: {}", end_of(&said));
}

/// The end of a text that may be very long.
fn end_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
