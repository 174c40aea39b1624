//! Values held against schemas.

use serde_json::Value;

/// Where a value does not fit a schema, as far as our schemas go.
pub(crate) fn misfit(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return misfit(root, root.pointer(name.trim_start_matches('#')).unwrap(), value);
    }
    let fits = |schema: &Value| misfit(root, schema, value).is_none();
    let any = |key: &str| schema[key].as_array().is_none_or(|of| of.iter().any(fits));
    let listed = schema["enum"].as_array().is_none_or(|of| of.contains(value));
    let same = schema.get("const").is_none_or(|constant| constant == value);
    let types = [schema["type"].clone()].into_iter().flat_map(|t| t.as_array().cloned().unwrap_or(vec![t]));
    let types: Vec<Value> = types.filter(|t| !t.is_null()).collect();
    let typed = types.is_empty() || types.iter().any(|t| is(t.as_str().unwrap(), value));
    if !(any("anyOf") && any("oneOf") && listed && same && typed) {
        return Some(value.to_string());
    }
    let items = value.as_array().into_iter().flatten().enumerate();
    let item = |(i, v): (usize, &Value)| {
        let of = schema["prefixItems"].get(i).or_else(|| schema.get("items"));
        of.and_then(|of| misfit(root, of, v))
    };
    let lacks = |name: &&Value| value.is_object() && value.get(name.as_str().unwrap()).is_none();
    let lacking =
        schema["required"].as_array().and_then(|names| names.iter().find(lacks)).map(Value::to_string);
    let field = |(name, v): (&String, &Value)| match (
        schema["properties"].get(name),
        &schema["additionalProperties"],
    ) {
        (Some(of), _) => misfit(root, of, v).map(|at| format!("{name}: {at}")),
        (None, Value::Bool(false)) => Some(format!("{name} is not in the schema")),
        (None, Value::Object(_)) => misfit(root, &schema["additionalProperties"], v),
        (None, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => None,
    };
    lacking.or_else(|| items.into_iter().find_map(item)).or_else(|| value.as_object()?.iter().find_map(field))
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no schema of ours has the type {other}"),
    }
}
