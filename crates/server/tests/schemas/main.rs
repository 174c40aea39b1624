//! `schemas/` is what the types say, and what was ever written still reads.
//!
//! `DRAWDOWN_WRITE_SCHEMAS=1 cargo test -p server --test schemas` writes the schemas anew.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ledger::{
    ApiKey, Cleared, Configured, Document, Envelope, Event, Extended, FoldVersion, Genesis, HoldVoided,
    Nothing, Policies, Price, RateCard, Requested, Rerated, Reset, Reversed, Settled, Terms, Timer, Unit,
    Usage, Voided, Zone,
};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::misfit::misfit;

#[path = "../../src/outbound/message.rs"]
#[allow(dead_code, reason = "nothing is read back here")]
mod message;
mod misfit;
mod outbound;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn object(schema: Schema) -> Map<String, Value> {
    schema.as_object().unwrap().clone()
}

/// The definitions come last, when all that is referred to has been seen.
fn finished(mut root: Map<String, Value>, mut generator: SchemaGenerator, title: &str) -> Value {
    root.insert("$defs".into(), Value::Object(generator.take_definitions(true)));
    root.insert("title".into(), title.into());
    Value::Object(root)
}

fn required(root: &mut Map<String, Value>, change: impl Fn(&mut BTreeSet<String>) -> bool) {
    let listed = root.get("required").cloned().unwrap_or_else(|| json!([]));
    let mut names: BTreeSet<String> = serde_json::from_value(listed).unwrap();
    change(&mut names);
    root.insert("required".into(), json!(names));
}

/// The envelope with the data of one type.
fn record(kind: &str, personal: bool, data: impl Fn(&mut SchemaGenerator) -> Value) -> Value {
    let mut generator = generator();
    let mut root = object(generator.root_schema_for::<Envelope<'static>>());
    let data = data(&mut generator);
    let properties = root["properties"].as_object_mut().unwrap();
    properties.insert("v".into(), json!({"enum": (1..=ledger::ENVELOPE).collect::<Vec<_>>()}));
    properties.insert("type".into(), json!({"const": kind}));
    properties.insert("data".into(), data);
    if personal {
        required(&mut root, |names| names.insert("wallet".into()));
    } else {
        root["properties"].as_object_mut().unwrap().remove("wallet");
    }
    finished(root, generator, kind)
}

/// As [`record`], of those that are rejected without a reason.
fn corrected(kind: &str, data: impl Fn(&mut SchemaGenerator) -> Value) -> Value {
    let mut schema = record(kind, true, data);
    required(schema.as_object_mut().unwrap(), |names| names.insert("reason".into()));
    schema["properties"]["reason"] = json!({"type": "string", "minLength": 1, "description": "Why: without it the rules refuse the record."});
    schema
}

fn data<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// The kinds of catalogue documents, each with the schema of its body.
fn bodies(generator: &mut SchemaGenerator) -> BTreeMap<&'static str, Value> {
    let price = data::<Price>(generator);
    BTreeMap::from([
        ("unit", data::<Unit>(generator)),
        ("rate_card", data::<RateCard>(generator)),
        ("zone", data::<Zone>(generator)),
        ("policies", data::<Policies>(generator)),
        ("price", price.clone()),
        ("vendor_cost", price),
        ("fold", data::<FoldVersion>(generator)),
        ("key", data::<ApiKey>(generator)),
    ])
}

/// The steps that a `wallet.changed` may have, each a record's type and data.
fn steps(generator: &mut SchemaGenerator) -> Value {
    let kinds = [
        ("grant.issued", data::<Terms>(generator)),
        ("grant.voided", data::<Voided>(generator)),
        ("wallet.configured", data::<Configured>(generator)),
        ("wallet.reset", data::<Reset>(generator)),
        ("overage.cleared", data::<Cleared>(generator)),
        ("wallet.suspended", data::<Nothing>(generator)),
        ("wallet.resumed", data::<Nothing>(generator)),
    ];
    let step = kinds.map(|(kind, data)| {
        json!({
            "type": "object", "additionalProperties": false, "required": ["type", "data"],
            "properties": {"type": {"const": kind}, "data": data}
        })
    });
    json!({
        "type": "array", "minItems": 1, "maxItems": 100, "items": {"oneOf": step},
        "description": "One after the other: all or none."
    })
}

fn changed(generator: &mut SchemaGenerator) -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["steps"],
        "properties": {"steps": steps(generator)}
    })
}

fn published(generator: &mut SchemaGenerator) -> Value {
    let of_kind = |(kind, body): (&str, Value)| {
        json!({
            "type": "object", "additionalProperties": false, "required": ["kind", "name", "body"],
            "properties": {
                "kind": {"const": kind, "description": "The kind of document."},
                "name": {"type": "string", "minLength": 1, "description": "Its name within its kind."},
                "replaces": {
                    "type": "string",
                    "description": "The id of the record whose document this replaces; none for the first of its name."
                },
                "body": body,
            }
        })
    };
    json!({"oneOf": bodies(generator).into_iter().map(of_kind).collect::<Vec<_>>()})
}

/// A document as a file has it: the fields of `T` beside those that every document has.
fn document<T: JsonSchema>(kind: &str, beside: &[(&str, Value, bool)]) -> Value {
    let mut generator = generator();
    let mut root = object(generator.root_schema_for::<T>());
    let time = generator.subschema_for::<ledger::Instant>().to_value();
    let fields = root.entry("properties").or_insert_with(|| json!({})).as_object_mut().unwrap();
    fields.insert("kind".into(), json!({"const": kind}));
    fields.insert("time".into(), time);
    for (name, schema, _) in beside {
        fields.insert((*name).into(), schema.clone());
    }
    let needed = beside.iter().filter(|(_, _, needed)| *needed).map(|(name, _, _)| *name);
    for name in needed.chain(["kind"]) {
        required(&mut root, |names| names.insert(name.to_owned()));
    }
    let mut schema = finished(root, generator, kind);
    if let Some(pattern) = schema.pointer_mut("/$defs/Pattern") {
        *pattern = written_short(pattern);
    }
    schema
}

/// What `match` takes in a file: the long form, or a value, a prefix with a star, or a star.
fn written_short(pattern: &Value) -> Value {
    let scalar = json!({
        "type": ["string", "number", "boolean"], "examples": ["small", "gpt-*", "*", 4, true],
        "description": "This value; text that begins so, with a `*` at its end; `*` alone: anything, as long as it is there."
    });
    json!({"anyOf": [scalar, pattern]})
}

/// A document of steps: as in a record, but what a configuration replaces is left out, and data that says nothing may be.
fn change_document(beside: &[(&str, Value, bool)]) -> Value {
    let mut generator = generator();
    let mut steps = steps(&mut generator);
    for step in steps["items"]["oneOf"].as_array_mut().unwrap() {
        let kind = step["properties"]["type"]["const"].as_str().unwrap();
        if ["wallet.reset", "wallet.suspended", "wallet.resumed"].contains(&kind) {
            step["required"] = json!(["type"]);
        }
    }
    let mut definitions = generator.take_definitions(true);
    definitions["Configured"]["properties"].as_object_mut().unwrap().remove("replaces");
    let mut schema = document::<Nothing>("change", beside);
    schema["description"] = "Several steps, all or none.".into();
    schema["properties"]["steps"] = steps;
    schema["$defs"].as_object_mut().unwrap().extend(definitions);
    required(schema.as_object_mut().unwrap(), |names| names.insert("steps".into()));
    schema
}

fn document_schemas() -> BTreeMap<String, Value> {
    let text = |what: &str| json!({"type": "string", "minLength": 1, "maxLength": 256, "description": what});
    let name = ("name", text("Its name within its kind."), true);
    let ids = json!({"type": "string", "minLength": 1, "examples": ["acme", "wallet-{000..199}"]});
    let wallets = json!({
        "anyOf": [ids, {"type": "array", "minItems": 1, "items": ids}],
        "description": "The wallet, a range of wallets, or a list of either."
    });
    let mut zone = document::<Zone>("zone", std::slice::from_ref(&name));
    // With neither, the zone database knows them.
    required(zone.as_object_mut().unwrap(), |names| names.remove("before"));
    let mut wallet = document::<Configured>("wallet", &[("wallet", wallets.clone(), true)]);
    wallet["properties"].as_object_mut().unwrap().remove("replaces");
    let why = text("Why it is granted.");
    BTreeMap::from([
        ("unit".into(), document::<Unit>("unit", std::slice::from_ref(&name))),
        ("rate_card".into(), document::<RateCard>("rate_card", std::slice::from_ref(&name))),
        ("zone".into(), zone),
        (
            "policies".into(),
            document::<Policies>("policies", &[("name", json!({"const": "default"}), false)]),
        ),
        ("price".into(), document::<Price>("price", std::slice::from_ref(&name))),
        ("vendor_cost".into(), document::<Price>("vendor_cost", &[name])),
        ("wallet".into(), wallet),
        (
            "grant".into(),
            document::<Terms>("grant", &[("wallet", wallets.clone(), true), ("reason", why, false)]),
        ),
        (
            "change".into(),
            change_document(&[
                ("wallet", wallets, true),
                ("id", text("The change's id within the wallet: it counts once."), true),
                ("reason", text("Why: to void and to reset need one."), false),
            ]),
        ),
    ])
}

fn records() -> BTreeMap<String, Value> {
    let mut records = BTreeMap::new();
    let mut add = |kind: &str, schema| records.insert(format!("records/{kind}"), schema);
    add("genesis", record("genesis", false, data::<Genesis>));
    add("catalogue.published", record("catalogue.published", false, published));
    add("wallet.configured", record("wallet.configured", true, data::<Configured>));
    add("grant.issued", record("grant.issued", true, data::<Terms>));
    add("usage", record("usage", true, data::<Usage<'static>>));
    add("timer.due", record("timer.due", true, data::<Timer>));
    add("grant.voided", corrected("grant.voided", data::<Voided>));
    add("usage.reversed", corrected("usage.reversed", data::<Reversed<'static>>));
    add("usage.rerated", corrected("usage.rerated", data::<Rerated<'static>>));
    add("wallet.reset", corrected("wallet.reset", data::<Reset>));
    add("overage.cleared", record("overage.cleared", true, data::<Cleared>));
    add("wallet.changed", record("wallet.changed", true, changed));
    add("wallet.suspended", record("wallet.suspended", true, data::<Nothing>));
    add("wallet.resumed", record("wallet.resumed", true, data::<Nothing>));
    add("hold.requested", record("hold.requested", true, data::<Requested<'static>>));
    add("hold.extended", record("hold.extended", true, data::<Extended<'static>>));
    add("hold.settled", record("hold.settled", true, data::<Settled<'static>>));
    add("hold.voided", record("hold.voided", true, data::<HoldVoided<'static>>));
    records
}

/// All schemas by their path in `schemas/`, without `.json`.
fn schemas() -> BTreeMap<String, Value> {
    let mut generator = generator();
    let envelope = object(generator.root_schema_for::<Envelope<'static>>());
    let mut schemas = records();
    schemas.insert("envelope".into(), finished(envelope, generator, "The envelope of every record"));
    schemas.insert("outbound".into(), outbound::schema());
    schemas
        .extend(document_schemas().into_iter().map(|(kind, schema)| (format!("documents/{kind}"), schema)));
    schemas
}

fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).unwrap().map(|e| e.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|e| e == "json"));
    files
        .map(|f| (f.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&f).unwrap()))
        .collect()
}

#[test]
fn the_schemas_are_what_the_types_say() {
    let directory = root().join("schemas");
    let schemas = schemas();
    for (name, schema) in &schemas {
        let path = directory.join(format!("{name}.json"));
        if std::env::var_os("DRAWDOWN_WRITE_SCHEMAS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, serde_json::to_string_pretty(schema).unwrap() + "\n").unwrap();
        }
        let written: Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap_or("null".into())).unwrap();
        assert!(
            written == *schema,
            "schemas/{name}.json is old: run the tests with DRAWDOWN_WRITE_SCHEMAS=1"
        );
    }
    let kept =
        |of: &'static str| files(&directory.join(of)).into_keys().map(move |name| format!("{of}/{name}"));
    let kept: BTreeSet<String> = ["records", "documents"].into_iter().flat_map(kept).collect();
    let extra: Vec<_> = kept.iter().filter(|name| !schemas.contains_key(*name)).collect();
    assert!(extra.is_empty(), "no type has these schemas any more: {extra:?}");
}

/// A place for each type, so that a new one does not compile until it is thought of here.
fn place(event: &Event<'_>) -> usize {
    match event {
        Event::Genesis(_) => 0,
        Event::CataloguePublished(_) => 1,
        Event::WalletConfigured(_) => 2,
        Event::GrantIssued(_) => 3,
        Event::Usage(_) => 4,
        Event::TimerDue(_) => 5,
        Event::GrantVoided(_) => 6,
        Event::UsageReversed(_) => 7,
        Event::UsageRerated(_) => 8,
        Event::WalletReset(_) => 9,
        Event::OverageCleared(_) => 10,
        Event::WalletChanged(_) => 11,
        Event::WalletSuspended => 12,
        Event::WalletResumed => 13,
        Event::HoldRequested(_) => 14,
        Event::HoldExtended(_) => 15,
        Event::HoldSettled(_) => 16,
        Event::HoldVoided(_) => 17,
    }
}

#[test]
fn every_record_ever_written_decodes() {
    let schemas = schemas();
    let (mut places, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for (name, text) in files(&root().join("schemas/examples")) {
        let record = ledger::decode(text.as_bytes()).unwrap_or_else(|e| panic!("examples/{name}.json: {e}"));
        assert_eq!(name.split('-').next(), Some(record.event.word()), "{name}.json is named after its type");
        record.identify(&mut Vec::new()).unwrap();
        places.insert(place(&record.event));
        if let Event::CataloguePublished(published) = &record.event {
            let document = Document::read(&published.kind, published.body.get()).unwrap();
            document.check(&published.name).unwrap();
            kinds.insert(document.kind());
        }
        if let Event::GrantIssued(terms) = &record.event {
            terms.check(record.time()).unwrap();
        }
        let schema = &schemas[&format!("records/{}", record.event.word())];
        let misfit = misfit(schema, schema, &serde_json::from_str(&text).unwrap());
        assert_eq!(misfit, None, "examples/{name}.json and its schema disagree");
    }
    assert_eq!(places, (0..18).collect(), "each type has an example");
    assert_eq!(kinds, Document::KINDS.into(), "each kind of catalogue document has an example");
}

#[test]
fn a_schema_refuses_what_does_not_decode() {
    let text = fs::read_to_string(root().join("schemas/examples/grant.issued-plan.json")).unwrap();
    let (schema, right) = (&schemas()["records/grant.issued"], serde_json::from_str::<Value>(&text).unwrap());
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 5] = [
        ("no wallet", |v| drop(v.as_object_mut().unwrap().remove("wallet"))),
        ("an unknown field", |v| v["data"]["recurrence"]["evry"] = json!("P1M")),
        ("an unquoted amount", |v| v["data"]["amount"] = json!(1000)),
        ("an unknown category", |v| v["data"]["category"] = json!("lost")),
        ("another version", |v| v["v"] = json!(5)),
    ];
    for (what, change) in changes {
        let mut wrong = right.clone();
        change(&mut wrong);
        assert!(ledger::decode(wrong.to_string().as_bytes()).is_err(), "{what}");
        assert!(misfit(schema, schema, &wrong).is_some(), "{what}");
    }
}
