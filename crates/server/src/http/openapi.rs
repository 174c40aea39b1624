//! The OpenAPI 3.1 document, made from the routes.

use std::collections::BTreeSet;

use ledger::KeyScope;
use schemars::Schema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::caller::Needs;
use super::problem::Problem;
use super::route::Route;

/// Problems that any route may have, and those that any route may have that needs a key.
const ANY: [u16; 7] = [400, 404, 405, 408, 429, 500, 503];
const WITH_KEY: [u16; 2] = [401, 403];
/// Problems of any route that takes a body.
const WITH_BODY: [u16; 3] = [413, 415, 422];

/// The document for these routes.
pub(crate) fn document(routes: &[Route]) -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.answered.subschema_for::<Problem>();
    let mut paths = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route, &problem, &mut schemas);
    }
    let (schemas, renamed) = schemas.merged();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Drawdown",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Credits for products that charge by usage",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, `dd_…`",
                },
                "customer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A customer's token, `ddc_…`, for one wallet: for any other one the answer is a 404",
                },
            },
        },
    });
    refer(&mut document, &renamed);
    document
}

/// The schemas of what is asked and of what is answered. They are two: a field may be left out of a request that is in every answer,
/// and the other way round.
struct Schemas {
    asked: SchemaGenerator,
    answered: SchemaGenerator,
}

/// Where schemas of requests are …
const ASKED: &str = "#/components/schemas/";
/// … and those of answers, until all are in one place.
const ANSWERED: &str = "#/answered/";

impl Schemas {
    fn new() -> Self {
        let settings = |path: &str| {
            let path = path.trim_start_matches('#').trim_end_matches('/').to_owned();
            SchemaSettings::draft2020_12().with(|s| {
                s.definitions_path = path.into();
                s.meta_schema = None;
            })
        };
        let answered = settings(ANSWERED).for_serialize().into_generator();
        Self { asked: settings(ASKED).into_generator(), answered }
    }

    /// All by name; and the names of answers' schemas that had to be told from those of requests.
    fn merged(mut self) -> (Map<String, Value>, BTreeSet<String>) {
        let mut all = self.asked.take_definitions(true);
        let answered = self.answered.take_definitions(true);
        let text = |schema: &Value| schema.to_string();
        let differs = |name: &String, schema: &Value| {
            let there = all.get(name).map(text);
            there.is_some_and(|there| there != text(schema).replace(ANSWERED, ASKED))
        };
        let both = answered.iter().filter(|(name, _)| all.contains_key(*name));
        let both: Vec<(&String, String)> = both.map(|(name, schema)| (name, text(schema))).collect();
        let mut renamed: BTreeSet<String> = answered
            .iter()
            .filter(|(name, schema)| differs(name, schema))
            .map(|(name, _)| name.clone())
            .collect();
        loop {
            let refers =
                |text: &str| renamed.iter().any(|name| text.contains(&format!("{ANSWERED}{name}\"")));
            let more: Vec<String> = both
                .iter()
                .filter(|(name, text)| !renamed.contains(*name) && refers(text))
                .map(|(name, _)| (*name).clone())
                .collect();
            if more.is_empty() {
                break;
            }
            renamed.extend(more);
        }
        for (name, schema) in answered {
            let name = if renamed.contains(&name) { format!("{name}Answered") } else { name };
            all.insert(name, schema);
        }
        (all, renamed)
    }
}

/// Lets all references to answers' schemas lead to where they are.
fn refer(value: &mut Value, renamed: &BTreeSet<String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix(ANSWERED) {
                let end = if renamed.contains(name) { "Answered" } else { "" };
                *text = format!("{ASKED}{name}{end}");
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| refer(value, renamed)),
        Value::Object(values) => values.values_mut().for_each(|value| refer(value, renamed)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn operation(route: &Route, problem: &Schema, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for answer in &route.answers {
        let mut response = json!({"description": answer.what});
        if let Some((media, schema)) = answer.body {
            response["content"] = json!({media: {"schema": schema(&mut schemas.answered)}});
        }
        responses.insert(answer.status.to_string(), response);
    }
    let of_key = if route.needs == Needs::Nothing { &[][..] } else { &WITH_KEY };
    let of_body = if route.takes.is_empty() { &[][..] } else { &WITH_BODY };
    for status in ANY.iter().chain(of_key).chain(of_body).chain(&route.problems) {
        let described = json!({
            "description": "A problem: `code` is the word for machines, `detail` says what to do",
            "content": {"application/problem+json": {"schema": problem}},
        });
        responses.entry(status.to_string()).or_insert(described);
    }
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "responses": responses,
    });
    let parameters = parameters(route, &mut schemas.asked);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    let (security, description) = security(route.needs);
    operation["security"] = security;
    operation["description"] = description.into();
    if !route.takes.is_empty() {
        let mut content = Map::new();
        for (media, schema) in &route.takes {
            content.insert((*media).to_owned(), json!({"schema": schema(&mut schemas.asked)}));
        }
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

/// Whom a route lets in, each with the scope that it takes; and the same in words.
fn security(needs: Needs) -> (Value, String) {
    let word = needs.scope().map(KeyScope::word).unwrap_or_default();
    match needs {
        Needs::Nothing => (json!([]), "Needs no key.".to_owned()),
        Needs::AnyKey => (json!([{"key": []}]), "Needs an API key, whatever its scopes.".to_owned()),
        // No customer's token lets do these.
        Needs::OfAll(_) | Needs::OfWallet(KeyScope::Admin | KeyScope::Ingest) => {
            (json!([{"key": [word]}]), format!("Needs an API key with the scope `{word}`, or `admin`."))
        }
        Needs::OfWallet(KeyScope::Read | KeyScope::Authorize) => (
            json!([{"key": [word]}, {"customer": [word]}]),
            format!("Needs the scope `{word}`, or `admin`; a customer's token for this wallet will do."),
        ),
    }
}

fn parameters(route: &Route, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let of_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = of_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}))
        .collect();
    if let Some(query) = route.query {
        let schema = query(schemas).to_value();
        let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let schema = name.and_then(|name| schemas.definitions().get(name)).cloned().unwrap_or(schema);
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            all.push(json!({
                "name": name,
                "in": "query",
                "required": required.iter().any(|needed| needed == name),
                "description": property["description"],
                "schema": property,
            }));
        }
    }
    for (name, what) in &route.headers {
        all.push(json!({"name": name, "in": "header", "required": false, "description": what, "schema": {"type": "string"}}));
    }
    all
}

/// `get_v1_wallets_wallet`.
fn operation_id(route: &Route) -> String {
    let path: String = route.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let path: Vec<&str> = path.split('_').filter(|part| !part.is_empty()).collect();
    format!("{}_{}", route.method.as_str().to_ascii_lowercase(), path.join("_"))
}
