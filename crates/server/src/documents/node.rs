//! A file's values as a tree in which each value knows its line.

use saphyr::Scalar;

/// One value of a file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written in the file.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Field>),
}

/// A field of a map.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) value: Node,
}

/// What is wrong in a file, before the file's name is put to it.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) line: usize,
    /// A path such as `charges[0].per`; empty for the whole document.
    pub(super) field: String,
    pub(super) what: String,
}

impl Problem {
    pub(super) fn new(line: usize, field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { line, field: field.into(), what: what.into() }
    }
}

impl Node {
    /// A map of one field.
    pub(super) fn one(line: usize, name: &str, value: Value) -> Self {
        let field = Field { name: name.into(), line, value: Self { line, value } };
        Self { line, value: Value::Map(vec![field]) }
    }

    pub(super) fn fields_mut(&mut self) -> Option<&mut Vec<Field>> {
        if let Value::Map(fields) = &mut self.value { Some(fields) } else { None }
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.fields_mut()?.iter_mut().find(|f| f.name == name).map(|f| &mut f.value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        matches!(&self.value, Value::Map(fields) if fields.iter().any(|f| f.name == name))
    }

    /// The line of the field at this path: where its name stands.
    pub(super) fn line_of(&self, path: &str) -> Option<usize> {
        let (index, rest) = self.step(path)?;
        match &self.value {
            Value::Map(fields) if rest.is_empty() => Some(fields.get(index)?.line),
            Value::Map(fields) => fields.get(index)?.value.line_of(rest),
            Value::List(items) => items.get(index)?.line_of(rest),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
        }
    }

    /// Takes a field out of this map.
    pub(super) fn take(&mut self, name: &str) -> Option<Field> {
        let fields = self.fields_mut()?;
        fields.iter().position(|f| f.name == name).map(|at| fields.remove(at))
    }

    /// The value at a path such as `charges[0].per`, or the nearest above it that is there.
    pub(super) fn find(&self, path: &str) -> &Self {
        let below = self.step(path).and_then(|(index, rest)| Some(self.children().nth(index)?.find(rest)));
        below.unwrap_or(self)
    }

    /// The value at exactly this path.
    pub(super) fn find_mut(&mut self, path: &str) -> Option<&mut Self> {
        if path.is_empty() {
            return Some(self);
        }
        let (index, rest) = self.step(path)?;
        match &mut self.value {
            Value::List(items) => items.get_mut(index)?.find_mut(rest),
            Value::Map(fields) => fields.get_mut(index)?.value.find_mut(rest),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
        }
    }

    /// Takes the field at `path` out of the map that holds it.
    pub(super) fn remove(&mut self, path: &str) -> Option<Field> {
        let name = path.trim_start_matches('.');
        if self.has(name) {
            return self.take(name);
        }
        let (index, rest) = self.step(path)?;
        match &mut self.value {
            Value::List(items) => items.get_mut(index)?.remove(rest),
            Value::Map(fields) => fields.get_mut(index)?.value.remove(rest),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
        }
    }

    /// Which child the path leads to, and the path from there. A field's own name may hold a dot.
    fn step<'a>(&self, path: &'a str) -> Option<(usize, &'a str)> {
        if let Value::Map(fields) = &self.value {
            let path = path.trim_start_matches('.');
            let leads = |f: &Field| path.strip_prefix(f.name.as_str()).filter(|rest| ends_a_name(rest));
            let here = fields.iter().enumerate().filter_map(|(at, f)| Some((at, leads(f)?)));
            return here.min_by_key(|(_, rest)| rest.len());
        }
        let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
        Some((index.parse().ok()?, rest))
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        let (items, fields) = match &self.value {
            Value::List(items) => (items.as_slice(), [].as_slice()),
            Value::Map(fields) => ([].as_slice(), fields.as_slice()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
                ([].as_slice(), [].as_slice())
            }
        };
        items.iter().chain(fields.iter().map(|f| &f.value))
    }

    /// Appends this as JSON.
    pub(super) fn write_json(&self, out: &mut String) {
        match &self.value {
            Value::Null => out.push_str("null"),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Number(literal) => out.push_str(&json_number(literal)),
            Value::Text(text) => out.push_str(&quoted(text)),
            Value::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { "," });
                    item.write_json(out);
                }
                out.push(']');
            }
            Value::Map(fields) => {
                out.push('{');
                for (i, field) in fields.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { "," });
                    out.push_str(&quoted(&field.name));
                    out.push(':');
                    field.value.write_json(out);
                }
                out.push('}');
            }
        }
    }
}

fn ends_a_name(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

/// YAML writes more numbers than JSON does. What only YAML can write (`.inf`) becomes a fraction: no field takes one.
pub(super) fn json_number(literal: &str) -> String {
    if serde_json::from_str::<serde_json::Number>(literal).is_ok() {
        return literal.to_owned();
    }
    let whole = Scalar::parse_from_cow(literal.into()).as_integer();
    whole.map_or_else(|| "0.5".to_owned(), |n| n.to_string())
}
