//! Schemathesis asks all that the API's own document lets think of: nothing fails in the server, and no answer is one that the
//! document does not have.

use crate::installed::python;
use crate::server::Server;

/// Something of everything that can be asked for.
const DOCUMENTS: &str = r#"
kind: unit
name: credits
---
kind: price
name: call
match: {type: llm.call}
feature: calls
charges: [{unit: credits, amount: "2.5"}]
---
kind: grant
wallet: acme
grant_id: welcome
reason: a test
unit: credits
amount: "100"
"#;

#[test]
fn whatever_its_document_lets_ask_is_answered_as_it_says() {
    let server = Server::start(DOCUMENTS);
    let document = server.get("/openapi.json").expect(200);
    let paths = document["paths"].as_object().unwrap().iter();
    // It does not ask for what it has read already.
    let asked = paths.filter(|(path, _)| !path.ends_with("/stream") && *path != "/openapi.json");
    let operations: usize = asked.map(|(_, methods)| methods.as_object().unwrap().len()).sum();
    // It keeps what it found where it runs.
    let scratch = tempfile::tempdir().unwrap();
    let mut asking = python("schemathesis");
    let ran = asking.args([&server.url, &server.key]).current_dir(scratch.path()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    assert!(out.contains(&format!("Tested: {operations}\n")), "not all {operations} were asked: {out}");
    assert!(out.contains("No issues found"), "{out}");
}
