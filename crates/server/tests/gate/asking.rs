//! Requests to one of several servers.

use std::time::Duration;

use serde_json::Value;

use crate::servers::Servers;

/// Servers, and whoever asks them.
pub(crate) struct Asking {
    urls: Vec<String>,
    agent: ureq::Agent,
}

impl Asking {
    /// Of servers that stay where they are.
    pub(crate) fn of(servers: &Servers<'_>) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(40))).build().into();
        Self { urls: servers.urls.lock().unwrap().clone(), agent }
    }

    /// Asks one of the servers, with a JSON body unless it is null: the status, and the body.
    pub(crate) fn ask(&self, at: usize, key: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.urls[at]));
        let request = request.header("authorization", format!("Bearer {key}"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut answer = self.agent.run(request.body(body).unwrap()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
    }
}
