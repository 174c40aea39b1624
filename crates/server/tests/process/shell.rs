//! `init`, and what belongs to the shell.

use crate::drawdown::Drawdown;

#[test]
fn a_log_is_made_once() {
    let drawdown = Drawdown::new();
    let made = drawdown.json(&["init", "--partitions", "3"]);
    assert_eq!(made["partitions"], 3);
    assert_eq!(made["log"].as_str().unwrap().len(), 32);

    drawdown.run(&["init"]).failed(1, &["no log can be made in", "log.db is there already"]);
    assert_eq!(drawdown.json(&["project"])["positions"].as_array().unwrap().len(), 3);
}

#[test]
fn two_logs_have_two_ids() {
    let id = || Drawdown::new().json(&["init"])["log"].clone();
    assert_ne!(id(), id());
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let drawdown = Drawdown::new();
    drawdown.run(&["init", "--partitions", "0"]).failed(2, &["--partitions"]);
    drawdown.run(&["apply"]).failed(2, &["<FILES>"]);
    drawdown.run(&["fold"]).failed(2, &["fold"]);
    assert!(!drawdown.data().exists(), "nothing was made");
}

#[test]
fn help_names_the_exit_codes_and_completions_the_commands() {
    let drawdown = Drawdown::new();
    let help = drawdown.run(&["--help"]);
    assert!(help.out.contains("6  the log or the projection"), "{}", help.out);
    assert_eq!(drawdown.run(&["--version"]).out, format!("drawdown {}\n", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish"] {
        let completions = drawdown.run(&["completions", shell]);
        assert!(completions.out.contains("dead-letters"), "{shell}: {}", completions.out);
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let drawdown = Drawdown::new();
    drawdown.file("data", "a file, where the directory is to be");
    drawdown.run(&["init"]).failed(1, &["the directory", "cannot be made"]);
}
