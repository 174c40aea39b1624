//! Servers that are killed, frozen and started again while clients ask them.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Where the servers are now.
pub(crate) type Urls = Arc<Mutex<Vec<String>>>;

/// Makes the command of a server, of its arguments.
type Program<'a> = Box<dyn Fn(&[&str]) -> Command + 'a>;

/// Servers of one log; killed when this is dropped.
pub(crate) struct Servers<'a> {
    program: Program<'a>,
    running: Vec<(String, Child)>,
    pub(crate) urls: Urls,
    /// What all of them say.
    pub(crate) said: PathBuf,
}

impl<'a> Servers<'a> {
    /// One of each name.
    pub(crate) fn start(names: &[&str], said: PathBuf, program: impl Fn(&[&str]) -> Command + 'a) -> Self {
        let mut servers =
            Self { program: Box::new(program), running: Vec::new(), urls: Arc::default(), said };
        for name in names {
            let (child, url) = servers.serve(name);
            servers.running.push(((*name).to_owned(), child));
            servers.urls.lock().unwrap().push(url);
        }
        for at in 0..names.len() {
            servers.until_ready(at);
        }
        servers
    }

    fn serve(&self, name: &str) -> (Child, String) {
        let said = std::fs::OpenOptions::new().append(true).create(true).open(&self.said).unwrap();
        let mut command = (self.program)(&["serve", "--listen", "127.0.0.1:0", "--node", name]);
        let mut child = command.stdout(Stdio::piped()).stderr(said).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("serves ").unwrap_or_else(|| panic!("it said {line:?}"));
        (child, url.to_owned())
    }

    pub(crate) fn count(&self) -> usize {
        self.running.len()
    }

    pub(crate) fn url(&self, at: usize) -> String {
        self.urls.lock().unwrap()[at].clone()
    }

    pub(crate) fn until_ready(&self, at: usize) {
        let began = Instant::now();
        let ready = format!("{}/health/ready", self.url(at));
        while !ureq::get(&ready).call().is_ok_and(|answer| answer.status() == 200) {
            let said = || std::fs::read_to_string(&self.said).unwrap();
            assert!(began.elapsed() < Duration::from_secs(60), "a server is not ready: {}", said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills one, which must not have ended by itself, and starts it anew at another port.
    pub(crate) fn kill_and_start(&mut self, at: usize) {
        let (name, child) = &mut self.running[at];
        let ended = child.try_wait().unwrap();
        let said = || std::fs::read_to_string(&self.said).unwrap();
        assert!(ended.is_none(), "{name} had ended by itself, {ended:?}: {}", said());
        child.kill().unwrap();
        child.wait().unwrap();
        let name = name.clone();
        let (child, url) = self.serve(&name);
        self.running[at].1 = child;
        self.urls.lock().unwrap()[at] = url;
    }

    pub(crate) fn freeze(&self, at: usize) {
        self.send(at, "-STOP");
    }

    pub(crate) fn thaw(&self, at: usize) {
        self.send(at, "-CONT");
    }

    fn send(&self, at: usize, signal: &str) {
        let pid = self.running[at].1.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Tells all to stop, which they must do well.
    pub(crate) fn stop(mut self) {
        for at in 0..self.count() {
            self.send(at, "-TERM");
        }
        for (name, mut child) in std::mem::take(&mut self.running) {
            let status = child.wait().unwrap();
            assert!(status.success(), "{name}: {status}: {}", std::fs::read_to_string(&self.said).unwrap());
        }
    }
}

impl Drop for Servers<'_> {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            // They may have ended by themselves.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
