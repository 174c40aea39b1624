//! A server of its own for a test, and requests to it.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::Request;

use crate::drawdown::Drawdown;

/// `drawdown serve`, killed when this is dropped.
pub(crate) struct Server {
    pub(crate) drawdown: Drawdown,
    process: Child,
    pub(crate) url: String,
    /// With all scopes.
    pub(crate) key: String,
    agent: ureq::Agent,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body, JSON; null if there is none.
    pub(crate) fn json(&self) -> Value {
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The body of an answer with this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The word of a problem with this status.
    pub(crate) fn problem(&self, status: u16) -> String {
        let body = self.expect(status);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{body}");
        body["code"].as_str().unwrap().to_owned()
    }
}

impl Server {
    /// On documents that are applied before.
    pub(crate) fn start(documents: &str) -> Self {
        let drawdown = Drawdown::new();
        let file = drawdown.file("documents.yaml", documents);
        let applied = drawdown.run(&["apply", &file]);
        assert_eq!(applied.code, Some(0), "{}", applied.err);
        let key = key_of(&drawdown, "ingest,authorize,read,admin");
        Self::on(drawdown, key, &[])
    }

    /// On what is there.
    pub(crate) fn on(drawdown: Drawdown, key: String, args: &[&str]) -> Self {
        Self::told(drawdown, key, args, &[])
    }

    /// With variables of its environment.
    pub(crate) fn told(drawdown: Drawdown, key: String, args: &[&str], told: &[(&str, &str)]) -> Self {
        let (process, url) = serve(&drawdown, args, told);
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(40)));
        Self { drawdown, process, url, key, agent: config.build().into() }
    }

    /// Kills it, and starts it anew at another port.
    pub(crate) fn kill_and_start(&mut self) {
        self.kill();
        (self.process, self.url) = serve(&self.drawdown, &[], &[]);
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tells it to stop with SIGTERM; the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let told = std::process::Command::new("kill").arg(self.pid().to_string()).status().unwrap();
        assert!(told.success());
        self.process.wait().unwrap().code()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("authorization", &self.bearer())], "")
    }

    /// With another key, or a customer's token.
    pub(crate) fn get_as(&self, token: &str, path: &str) -> Answer {
        self.ask("GET", path, &[("authorization", &format!("Bearer {token}"))], "")
    }

    pub(crate) fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[("authorization", &format!("Bearer {token}"))], body.to_string())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[("authorization", &self.bearer())], body.to_string())
    }

    /// With an Idempotency-Key.
    pub(crate) fn post_once(&self, path: &str, id: &str, body: &Value) -> Answer {
        let headers = [("authorization", self.bearer()), ("idempotency-key", id.to_owned())];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.ask("POST", path, &headers, body.to_string())
    }

    /// With another key or token, and a JSON body if there is one.
    pub(crate) fn call(&self, bearer: &str, method: &str, path: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {bearer}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(method, path, &[("authorization", &authorization)], body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(&self.key, "PUT", path, body)
    }

    /// A customer's token for a wallet.
    pub(crate) fn token(&self, wallet: &str, scopes: &[&str]) -> String {
        let asked = serde_json::json!({"wallet": wallet, "scopes": scopes});
        self.post("/v1/tokens", &asked).expect(201)["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body: Vec<u8> = body.into();
        let mut response = self.agent.run(request.body(body).unwrap()).unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.body_mut().read_to_string().unwrap() }
    }

    /// A new key with these scopes, made beside the server, once the server has heard of it.
    pub(crate) fn key_with(&self, scopes: &str) -> String {
        let key = key_of(&self.drawdown, scopes);
        let bearer = format!("Bearer {key}");
        let until = Instant::now() + Duration::from_secs(20);
        while self.ask("GET", "/v1/wallets", &[("authorization", &bearer)], "").status == 401 {
            assert!(Instant::now() < until, "the server does not hear of the key");
            std::thread::sleep(Duration::from_millis(10));
        }
        key
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A new key with these scopes.
pub(crate) fn key_of(drawdown: &Drawdown, scopes: &str) -> String {
    let made = drawdown.run(&["keys", "create", "--scope", scopes]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    made.out.lines().next().unwrap().to_owned()
}

/// A customer's token for a wallet, made of a key.
pub(crate) fn token_of(server: &Server, wallet: &str, scopes: &str) -> String {
    let mut command =
        server.drawdown.command(&["keys", "token", "--wallet", wallet, "--scope", scopes, "--json"]);
    let made = command.env("DRAWDOWN_KEY", &server.key).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

/// Starts a server at a free port, and waits until it is ready.
fn serve(drawdown: &Drawdown, args: &[&str], told: &[(&str, &str)]) -> (Child, String) {
    let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
    let mut command = drawdown.command(&args);
    let mut process = command.envs(told.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let url = said.trim().strip_prefix("serves ").unwrap_or_else(|| panic!("it said {said:?}")).to_owned();
    let until = Instant::now() + Duration::from_secs(60);
    while !ureq::get(format!("{url}/health/ready")).call().is_ok_and(|answer| answer.status() == 200) {
        assert!(Instant::now() < until, "the server is not ready");
        std::thread::sleep(Duration::from_millis(20));
    }
    (process, url)
}

/// What time it is.
#[allow(clippy::disallowed_methods, reason = "the test needs a time of day, as the process does")]
pub(crate) fn now() -> ledger::Instant {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    ledger::Instant(i64::try_from(now.as_nanos()).unwrap())
}
