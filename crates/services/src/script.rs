//! Calling `scripts/services`.

use std::path::Path;
use std::process::Command;

/// Runs the script and answers what it printed.
pub(crate) fn run(arguments: &[&str]) -> String {
    run_with(arguments, &[])
}

/// Runs the script with these variables, which what it starts has too.
pub(crate) fn run_with(arguments: &[&str], variables: &[(&str, String)]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/services");
    let output = Command::new(&script)
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap_or_else(|error| panic!("{} cannot be run: {error}", script.display()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "scripts/services {}: {}\n{said}", arguments.join(" "), output.status);
    String::from_utf8(output.stdout).expect("the script prints UTF-8")
}

/// The address of the broker that was started with these options.
pub(crate) fn kafka(options: &[&str]) -> String {
    let url = variable("DRAWDOWN_LOG", options);
    let address = url.strip_prefix("kafka://").and_then(|rest| rest.split('/').next());
    address.expect("the script prints a URL of Kafka").to_owned()
}

/// The URL of the database that was started with these options.
pub(crate) fn postgres(options: &[&str]) -> String {
    variable("DRAWDOWN_STORE", options)
}

fn variable(name: &str, options: &[&str]) -> String {
    let printed = run(&[&["status", "--env"], options].concat());
    let value = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("the script does not print {name}: {printed}")).to_owned()
}
