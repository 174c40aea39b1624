//! `keys`: made, listed, revoked and rotated, and what the log has of them.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::corrections::positions;
use crate::drawdown::{Drawdown, Ran};

fn listed(drawdown: &Drawdown) -> Vec<Value> {
    drawdown.json(&["keys", "list"])["keys"].as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

/// What a customer's token, or why none, comes of a key.
fn token(drawdown: &Drawdown, key: &str, more: &[&str]) -> Ran {
    let mut command = drawdown.command(&[&["keys", "token", "--wallet", "acme", "--json"], more].concat());
    command.env("DRAWDOWN_KEY", key).output().unwrap().into()
}

#[test]
fn a_key_is_shown_once_and_the_log_has_its_hash_alone() {
    let drawdown = Drawdown::new();
    let create = ["keys", "create", "--scope", "read,ingest", "--description", "images", "--expires", "90d"];
    let made = drawdown.json(&create);
    let (id, key) = (text(&made, "id"), text(&made, "key"));
    assert!(key.starts_with(&format!("dd_{id}_")), "{key}");
    assert_eq!((&made["scopes"], &made["description"]), (&json!(["ingest", "read"]), &json!("images")));

    let shown = drawdown.run(&["keys", "create", "--scope", "admin"]).out;
    assert!(shown.starts_with("dd_k") && shown.contains("not shown again"), "{shown}");

    let keys = listed(&drawdown);
    assert_eq!(keys.len(), 2);
    let first = keys.iter().find(|listed| text(listed, "id") == id).unwrap();
    assert_eq!((&first["state"], &first["expires_at"]), (&json!("live"), &made["expires_at"]));
    let secret = &key[key.len() - 38..];
    let log = drawdown.run(&["log", "export"]).out;
    let table = drawdown.run(&["keys", "list"]).out;
    assert!(table.contains(id) && table.contains("images") && log.contains(id), "{table}");
    for shows in [log, table, json!(keys).to_string()] {
        assert!(!shows.contains(secret), "{shows}");
    }
    assert_eq!(drawdown.json(&["verify"])["divergence"], json!(null));
}

#[test]
fn a_revoked_key_is_over_for_ever_and_so_are_its_customers() {
    let drawdown = Drawdown::new();
    let made = drawdown.json(&["keys", "create", "--scope", "read"]);
    let (id, key) = (text(&made, "id"), text(&made, "key"));
    let minted = token(&drawdown, key, &[]);
    assert_eq!(minted.code, Some(0), "{}", minted.err);
    assert!(text(&minted.json(), "token").starts_with("ddc_"));
    token(&drawdown, key, &["--scope", "authorize"]).failed(3, &["nothing that its key does not"]);
    token(&drawdown, key, &["--ttl", "25h"]).failed(3, &["a day at most"]);
    token(&drawdown, &key[1..], &[]).failed(3, &["no whole key"]);

    assert_eq!(drawdown.json(&["keys", "revoke", id]), json!({"id": id, "revoked": true}));
    assert_eq!(listed(&drawdown)[0]["state"], json!("revoked"));
    token(&drawdown, key, &[]).failed(3, &["revoked"]);
    let before = positions(&drawdown);
    assert_eq!(drawdown.json(&["keys", "revoke", id])["revoked"], false);
    assert_eq!(positions(&drawdown), before, "nothing was appended");
    drawdown.run(&["keys", "rotate", id]).failed(3, &["revoked"]);
    drawdown.run(&["keys", "revoke", "k000000000000"]).failed(3, &["there is no key", "keys list"]);

    // The keys are in the log: what projections there are is of no matter.
    drawdown.run(&["rebuild"]);
    assert_eq!(listed(&drawdown)[0]["state"], json!("revoked"));
}

#[test]
fn a_rotated_key_goes_on_beside_the_new_one_until_the_overlap_is_over() {
    let drawdown = Drawdown::new();
    let made = drawdown.json(&["keys", "create", "--scope", "ingest,read", "--description", "images"]);
    let rotated = drawdown.json(&["keys", "rotate", text(&made, "id"), "--overlap", "1h"]);
    let new = &rotated["new"];
    assert_eq!((&new["scopes"], &new["description"]), (&made["scopes"], &made["description"]));
    assert_eq!(rotated["old"]["id"], made["id"]);
    let keys = listed(&drawdown);
    let states: Vec<_> = keys.iter().map(|key| text(key, "state")).collect();
    assert_eq!(states, ["live", "live"]);
    for key in [&made, new] {
        assert_eq!(token(&drawdown, text(key, "key"), &[]).code, Some(0));
    }
    let ends: BTreeSet<_> = keys.iter().map(|key| key["expires_at"].to_string()).collect();
    assert_eq!(ends, BTreeSet::from(["null".to_owned(), rotated["old"]["expires_at"].to_string()]));

    drawdown.json(&["keys", "rotate", text(new, "id"), "--overlap", "PT0.000000001S"]);
    token(&drawdown, text(new, "key"), &[]).failed(3, &["expired"]);
}

#[test]
fn the_secret_is_made_once_and_another_one_knows_no_key() {
    let drawdown = Drawdown::new();
    let made = drawdown.json(&["keys", "create", "--scope", "read"]);
    let secret = drawdown.data().join("secret");
    let written = fs::read_to_string(&secret).unwrap();
    drawdown.json(&["keys", "create", "--scope", "read"]);
    assert_eq!(fs::read_to_string(&secret).unwrap(), written);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let key = text(&made, "key");
    let same = drawdown.file("same", &written);
    assert_eq!(token(&drawdown, key, &["--secret-file", &same]).code, Some(0));
    let other = drawdown.file("other", "0".repeat(32));
    token(&drawdown, key, &["--secret-file", &other]).failed(3, &["there is no such key", "same secret"]);
    let short = drawdown.file("short", "too short");
    token(&drawdown, key, &["--secret-file", &short]).failed(1, &["9 bytes", "32 at least"]);
    token(&drawdown, key, &["--secret-file", "nowhere"]).failed(1, &["cannot be read"]);
}

#[test]
fn keys_are_made_by_keys_alone_and_what_is_wrong_with_one_is_told() {
    let drawdown = Drawdown::new();
    let file = drawdown.file("key.yaml", "{kind: key, name: k0123456789ab, scopes: [admin]}");
    drawdown
        .run(&["apply", &file])
        .failed(3, &["key.yaml:1", "drawdown keys create", "nothing was appended"]);
    drawdown.run(&["keys", "create", "--scope", "write"]).failed(2, &["\"write\" is no scope", "ingest"]);
    let past = ["keys", "create", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"];
    drawdown.run(&past).failed(3, &["expired already"]);
    drawdown.run(&["keys", "create", "--scope", "read", "--expires", "soon"]).failed(2, &["90d"]);
}
