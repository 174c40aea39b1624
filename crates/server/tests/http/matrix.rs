//! Who may what: every route of the server's own document, asked by everybody there can be.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::holds::DOCUMENTS;
use crate::server::{Answer, Server};

const SCOPES: [&str; 4] = ["ingest", "authorize", "read", "admin"];

/// One way to call the server, as its document has it.
struct Route {
    method: String,
    path: String,
    /// The scope that it takes; none if any key will do.
    scope: Option<String>,
    needs_key: bool,
    /// Whether a customer's token for the wallet will do.
    customers: bool,
    /// Whether its body may name a wallet.
    body_has_wallet: bool,
    takes_body: bool,
    is_stream: bool,
    statuses: BTreeSet<String>,
}

fn routes(server: &Server) -> Vec<Route> {
    let document = server.get("/openapi.json").expect(200);
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            routes.push(Route::read(&document, method, path, operation));
        }
    }
    routes
}

impl Route {
    fn read(document: &Value, method: &str, path: &str, operation: &Value) -> Self {
        let of = |scheme: &str| {
            let all = operation["security"]
                .as_array()
                .unwrap_or_else(|| panic!("{method} {path} says not whom it lets in"));
            all.iter().find_map(|one| one.get(scheme)).cloned()
        };
        let key = of("key");
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
        let schema = &document["components"]["schemas"][name];
        let responses = operation["responses"].as_object().unwrap();
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            scope: key.as_ref().and_then(|scopes| scopes[0].as_str()).map(str::to_owned),
            needs_key: key.is_some(),
            customers: of("customer").is_some(),
            body_has_wallet: schema["properties"].get("wallet").is_some(),
            takes_body: operation.get("requestBody").is_some(),
            is_stream: responses.values().any(|answer| answer["content"].get("text/event-stream").is_some()),
            statuses: responses.keys().cloned().collect(),
        }
    }

    /// Calls it about a wallet.
    fn call(&self, server: &Server, bearer: Option<&str>, wallet: &str) -> Answer {
        let part = |part: &str| match part {
            "{wallet}" => wallet.to_owned(),
            "{key}" => "knobody000000".to_owned(),
            part if part.starts_with('{') => "none".to_owned(),
            part => part.to_owned(),
        };
        let path: Vec<String> = self.path.split('/').map(part).collect();
        let body = match (self.takes_body, self.body_has_wallet) {
            (true, true) => json!({"wallet": wallet}).to_string(),
            (true, false) => "{}".to_owned(),
            (false, _) => String::new(),
        };
        let authorization = bearer.map(|bearer| format!("Bearer {bearer}"));
        let headers: Vec<(&str, &str)> =
            authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        server.ask(&self.method, &path.join("/"), &headers, body)
    }

    fn check(&self, answer: &Answer, is_right: impl Fn(u16) -> bool, who: &str) {
        let (status, name) = (answer.status, format!("{} {} by {who}", self.method, self.path));
        assert!(is_right(status), "{name}: {status} {}", answer.text);
        assert!(self.statuses.contains(&status.to_string()), "{name}: {status} is not in the document");
    }
}

fn key(server: &Server, scopes: &[&str]) -> (String, String) {
    let made = server.post("/v1/keys", &json!({"scopes": scopes})).expect(201);
    (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
}

#[test]
fn every_route_lets_in_whom_its_document_says_and_nobody_else() {
    let server = Server::start(DOCUMENTS);
    let (expired_id, expired) = key(&server, &SCOPES);
    server.post(&format!("/v1/keys/{expired_id}/rotate"), &json!({"overlap": "PT0.001S"})).expect(201);
    let (revoked_id, revoked) = key(&server, &SCOPES);
    let revoked_token = server.call(&revoked, "POST", "/v1/tokens", &json!({"wallet": "acme"})).expect(201);
    server.call(&server.key, "DELETE", &format!("/v1/keys/{revoked_id}"), &Value::Null).expect(200);
    let forged = format!("{}x", &server.key[..server.key.len() - 1]);
    let nobody =
        [expired, revoked, revoked_token["token"].as_str().unwrap().to_owned(), forged, "dd_none".to_owned()];
    let own = server.token("acme", &["read", "authorize"]);
    let (reads, authorizes) = (server.token("acme", &["read"]), server.token("acme", &["authorize"]));
    let others = server.token("other", &["read", "authorize"]);
    let all = routes(&server);
    assert!(all.len() > 20, "{}", all.len());
    let let_in = |status: u16| status != 401 && status != 403;
    for route in &all {
        if !route.needs_key {
            route.check(&route.call(&server, None, "acme"), let_in, "nobody");
            continue;
        }
        route.check(&route.call(&server, None, "acme"), |status| status == 401, "nobody");
        for key in &nobody {
            route.check(&route.call(&server, Some(key), "acme"), |status| status == 401, key);
        }
        if route.customers {
            let lacks = if route.scope.as_deref() == Some("read") { &authorizes } else { &reads };
            route.check(
                &route.call(&server, Some(lacks), "acme"),
                |status| status == 403,
                "a customer without the scope",
            );
        } else {
            route.check(&route.call(&server, Some(&own), "acme"), |status| status == 403, "a customer");
        }
        if let Some(scope) = &route.scope {
            let but: Vec<&str> = SCOPES.into_iter().filter(|s| s != scope && *s != "admin").collect();
            let (_, lacks) = key(&server, &but);
            route.check(
                &route.call(&server, Some(&lacks), "acme"),
                |status| status == 403,
                "a key without the scope",
            );
        }
        if route.is_stream {
            continue;
        }
        if route.customers {
            route.check(&route.call(&server, Some(&own), "acme"), let_in, "the wallet's customer");
            let other = route.call(&server, Some(&others), "acme");
            route.check(&other, |status| status == 404, "another wallet's customer");
            assert_eq!(other.json()["code"], "unknown_wallet", "{} {}", route.method, route.path);
        }
        let (_, has) = key(&server, &[route.scope.as_deref().unwrap_or("read")]);
        let (_, admin) = key(&server, &["admin"]);
        for bearer in [&has, &admin] {
            // A key that revokes or rotates nothing that there is.
            route.check(&route.call(&server, Some(bearer), "acme"), let_in, "a key with the scope");
        }
    }
}

#[test]
fn none_of_ten_thousand_tries_gets_a_customer_into_another_wallet() {
    const TRIES: usize = 10_000;
    let server = Server::start(DOCUMENTS);
    let (mut wallets, mut tokens) = (vec!["acme".to_owned()], Vec::new());
    for name in ["mine", "acme2", "ACME", "acm", "acme/holds"] {
        tokens.push((name, server.token(name, &["read", "authorize"])));
        let grant = json!({"grant_id": "g", "unit": "credits", "amount": "5"});
        server.post(&format!("/v1/wallets/{}/grants", name.replace('/', "%2F")), &grant).expect(201);
        wallets.push(name.to_owned());
    }
    let of_wallets: Vec<Route> =
        routes(&server).into_iter().filter(|route| route.customers && !route.is_stream).collect();
    let balances = || -> Vec<Value> {
        let of = |wallet: &String| {
            let balance = server.drawdown.json(&["balance", wallet]);
            balance["units"]["credits"]["balance"].clone()
        };
        wallets.iter().map(of).collect()
    };
    let before = balances();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= TRIES {
                        return;
                    }
                    let route = &of_wallets[n % of_wallets.len()];
                    let (own, token) = &tokens[n / of_wallets.len() % tokens.len()];
                    let from = n / of_wallets.len() / tokens.len() % wallets.len();
                    let target = wallets.iter().cycle().skip(from).find(|wallet| wallet != own).unwrap();
                    // As it is, and written in other ways that mean the same.
                    let first = target.as_bytes()[0];
                    let written = match n % 3 {
                        _ if route.body_has_wallet => target.clone(),
                        0 => target.replace('/', "%2F"),
                        1 => format!("%{first:02x}{}", target[1..].replace('/', "%2f")),
                        _ => format!("%{first:02X}{}", target[1..].replace('/', "%2F")),
                    };
                    let answer = route.call(&server, Some(token), &written);
                    assert_eq!(
                        answer.status, 404,
                        "{} {} {written}: {}",
                        route.method, route.path, answer.text
                    );
                }
            });
        }
    });
    assert_eq!(balances(), before);
}
