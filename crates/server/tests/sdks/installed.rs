//! The SDKs of `tests/sdks`, installed: each folder's once, as long as what it asks for stays the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// Packages come one at a time.
static PACKAGES: Mutex<()> = Mutex::new(());

/// A Python in which the folder's requirements are installed, and the script that it is to run.
pub(crate) fn python(folder: &str) -> Command {
    let wanted = source(folder).join("requirements.txt");
    let place = place(folder);
    if !is_ready(&place, &[&wanted]) {
        need(
            "Python 3 with venv",
            &["python3", "-c", "import ensurepip, venv"],
            &["python3", "python3-venv"],
        );
        clear(&place);
        run(Command::new("python3").args(["-m", "venv"]).arg(&place));
        let mut pip = Command::new(place.join("bin/pip"));
        run(pip.args(["install", "-q", "--disable-pip-version-check", "-r"]).arg(&wanted));
        ready(&place, &[&wanted]);
    }
    let mut command = Command::new(place.join("bin/python"));
    command.arg(source(folder).join("send.py"));
    command
}

/// Node, and the folder's script beside what it imports.
pub(crate) fn node(folder: &str) -> Command {
    let wanted = ["package.json", "package-lock.json"].map(|name| source(folder).join(name));
    let wanted: Vec<&Path> = wanted.iter().map(PathBuf::as_path).collect();
    let place = place(folder);
    need("Node 18 or later", &["node", "-e", "if (!globalThis.fetch) process.exit(1)"], &["nodejs"]);
    if !is_ready(&place, &wanted) {
        need("npm", &["npm", "--version"], &["npm"]);
        clear(&place);
        for file in &wanted {
            fs::copy(file, place.join(file.file_name().unwrap())).unwrap();
        }
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&place));
        ready(&place, &wanted);
    }
    // Modules are found beside the script.
    let script = place.join("send.mjs");
    fs::copy(source(folder).join("send.mjs"), &script).unwrap();
    let mut command = Command::new("node");
    command.arg(script);
    command
}

fn source(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sdks").join(folder)
}

fn place(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("sdks").join(folder)
}

fn clear(place: &Path) {
    if place.exists() {
        fs::remove_dir_all(place).unwrap();
    }
    fs::create_dir_all(place).unwrap();
}

/// What is asked for, and where: an environment for Python cannot be moved.
fn asked_for(place: &Path, wanted: &[&Path]) -> Vec<u8> {
    let mut all = format!("{}\n", place.display()).into_bytes();
    wanted.iter().for_each(|file| all.extend(fs::read(file).unwrap()));
    all
}

/// Whether just this was installed there before.
fn is_ready(place: &Path, wanted: &[&Path]) -> bool {
    fs::read(place.join("ready")).is_ok_and(|ready| ready == asked_for(place, wanted))
}

fn ready(place: &Path, wanted: &[&Path]) {
    fs::write(place.join("ready"), asked_for(place, wanted)).unwrap();
}

fn run(command: &mut Command) {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{command:?} failed: {out}{err}");
}

/// Installs packages of Debian's if a thing is missing, or fails and says how to.
fn need(what: &str, check: &[&str], packages: &[&str]) {
    let _one_at_a_time = PACKAGES.lock();
    let is_there =
        || Command::new(check[0]).args(&check[1..]).output().is_ok_and(|checked| checked.status.success());
    if is_there() {
        return;
    }
    let install = "apt-get -o DPkg::Lock::Timeout=300 update -q && \
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qy --no-install-recommends \"$@\"";
    let as_root =
        format!("if [ \"$(id -u)\" = 0 ]; then {install}; else sudo -n sh -c '{install}' sh \"$@\"; fi");
    let installed = Command::new("sh").args(["-c", &as_root, "sh"]).args(packages).output();
    let how = format!("{what} is missing: install it, on Debian by: apt-get install {}", packages.join(" "));
    assert!(installed.is_ok_and(|ran| ran.status.success()) && is_there(), "{how}");
}
