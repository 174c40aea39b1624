//! YAML and JSON text to trees of [`Node`]s. JSON is read as the YAML that it is, so both have positions.

use std::collections::BTreeSet;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, ScanError, YamlData};

use super::node::{Field, Node, Problem, Value};

/// Most bytes of a file.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// Most bytes of a file that uses anchors: an alias repeats what may be long.
const MOST_BYTES_WITH_ANCHORS: usize = 64 << 10;
/// Most bytes of a file's values with its aliases written out.
const MOST_EXPANDED: usize = 4 << 20;
/// How deep values may be nested.
const MOST_DEPTH: u32 = 64;

/// The documents of a file's text: of YAML as many as `---` separates, and a list of documents is each of its items.
pub(super) fn load(text: &str) -> Result<Vec<Node>, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > MOST_BYTES {
        return Err(Problem::new(0, "", "is larger than 1 MB: split it into several files"));
    }
    let lines: Vec<&str> = text.lines().collect();
    refuse_what_expands(text, &lines)?;
    let roots = MarkedYaml::load_from_str(text).map_err(|e| not_yaml(&e, &lines))?;
    let mut reader = Reader { lines: &lines, room: MOST_EXPANDED };
    let mut documents = Vec::new();
    for root in roots {
        let node = reader.node(&root, 1, MOST_DEPTH)?;
        match node.value {
            Value::Null => {}
            Value::List(items) => documents.extend(items),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => documents.push(node),
        }
    }
    Ok(documents)
}

/// As [`load`], for a file that says it is JSON: its grammar is held to JSON's.
pub(super) fn load_json(text: &str) -> Result<Vec<Node>, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        return Err(Problem::new(error.line(), "", format!("this is no JSON: {what}")));
    }
    load(&pairs_joined(text))
}

/// The parser's own stack grows with each of a line's leading indicators, and its memory with each alias.
fn refuse_what_expands(text: &str, lines: &[&str]) -> Result<(), Problem> {
    let leading = |line: &str| {
        line.chars().take_while(|c| " \t-?:".contains(*c)).filter(|c| !c.is_whitespace()).count()
    };
    if let Some(at) =
        lines.iter().position(|l| leading(l) > MOST_DEPTH as usize && !l.trim().trim_matches('-').is_empty())
    {
        return Err(too_deep(at + 1));
    }
    let anchors = text.split_whitespace().any(|word| word.len() > 1 && word.starts_with('&'));
    if anchors && text.len() > MOST_BYTES_WITH_ANCHORS {
        return Err(Problem::new(
            0,
            "",
            "uses anchors and is larger than 64 KB: split it, or write the values out",
        ));
    }
    Ok(())
}

fn too_deep(line: usize) -> Problem {
    Problem::new(line, "", "values are nested more than 64 deep here: no document needs that")
}

fn stands_twice(line: usize, name: &str) -> Problem {
    Problem::new(line, name, "stands twice in one map: leave one out")
}

fn not_yaml(error: &ScanError, lines: &[&str]) -> Problem {
    let line = error.marker().line();
    let source = lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
    let info = error.info();
    if info == "duplicated key in mapping" {
        let rest: String = source.chars().skip(error.marker().col()).collect();
        let name = rest.split(':').next().unwrap_or_default().trim_matches(['"', '\'', ' ']);
        return stands_twice(line, name);
    }
    if info.starts_with("alias expansion exceeded") {
        return Problem::new(line, "", "the aliases stand for more than 100000 values: write fewer");
    }
    let indented =
        |at: &usize| lines.get(at - 1).is_some_and(|l| l.trim_start_matches(' ').starts_with('\t'));
    if let Some(tab) = [line, line + 1].into_iter().filter(|at| *at > 0).find(indented) {
        return Problem::new(tab, "", "a tab indents this line: YAML indents with spaces");
    }
    Problem::new(
        line,
        "",
        format!("this is no YAML: {info} (text with `: `, `#` or `*` in it goes in quotes)"),
    )
}

/// JSON may write a character as two escapes (a surrogate pair), which YAML does not know.
fn pairs_joined(text: &str) -> String {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(escape) = text[at..].find('\\').map(|n| at + n) {
        out.push_str(&text[at..escape]);
        let pair = unit(escape).zip(unit(escape + 6)).map(|(high, low)| [high, low]);
        let joined =
            pair.and_then(|units| char::decode_utf16(units).next()?.ok()).filter(|c| *c > '\u{ffff}');
        at = match joined {
            Some(c) => {
                out.push(c);
                escape + 12
            }
            None => {
                out.push_str(&text[escape..escape + 2]);
                escape + 2
            }
        };
    }
    out.push_str(&text[at..]);
    out
}

struct Reader<'a> {
    lines: &'a [&'a str],
    /// How many more bytes the values may have.
    room: usize,
}

impl Reader<'_> {
    fn node(&mut self, marked: &MarkedYaml<'_>, parent: usize, depth: u32) -> Result<Node, Problem> {
        let line = if marked.span.start.line() == 0 { parent } else { marked.span.start.line() };
        let deeper = depth.checked_sub(1).ok_or_else(|| too_deep(line))?;
        let value = match &marked.data {
            YamlData::Value(scalar) => self.scalar(scalar, marked),
            YamlData::Sequence(items) => {
                let items = items.iter().map(|item| self.node(item, line, deeper));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            YamlData::Mapping(fields) => {
                let fields = fields.iter().map(|(key, value)| self.field(key, value, line, deeper));
                let fields = fields.collect::<Result<Vec<_>, _>>()?;
                // To YAML a number and the same text in quotes are two keys; as fields they are one.
                let mut names = BTreeSet::new();
                if let Some(twice) = fields.iter().find(|f| !names.insert(f.name.as_str())) {
                    return Err(stands_twice(twice.line, &twice.name));
                }
                Value::Map(fields)
            }
            YamlData::Tagged(..) | YamlData::BadValue => {
                return Err(Problem::new(line, "", "tags such as `!x` mean nothing here: leave them out"));
            }
            YamlData::Representation(..) | YamlData::Alias(_) => {
                unreachable!("the loader resolves scalars and aliases")
            }
        };
        let size = if let Value::Text(text) = &value { text.len() + 8 } else { 8 };
        self.room = self
            .room
            .checked_sub(size)
            .ok_or_else(|| Problem::new(line, "", "the aliases stand for more than 4 MB: write fewer"))?;
        Ok(Node { line, value })
    }

    fn field(
        &mut self,
        key: &MarkedYaml<'_>,
        value: &MarkedYaml<'_>,
        parent: usize,
        depth: u32,
    ) -> Result<Field, Problem> {
        let key = self.node(key, parent, depth)?;
        let value = self.node(value, key.line, depth)?;
        let name = match key.value {
            Value::Text(name) | Value::Number(name) => name,
            Value::Bool(b) => b.to_string(),
            Value::Null => "null".into(),
            Value::List(_) | Value::Map(_) => {
                return Err(Problem::new(key.line, "", "a field's name is text, not a list or map"));
            }
        };
        Ok(Field { name, line: key.line, value })
    }

    fn scalar(&self, scalar: &Scalar<'_>, marked: &MarkedYaml<'_>) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(b) => Value::Bool(*b),
            Scalar::String(text) => Value::Text(text.clone().into_owned()),
            Scalar::Integer(n) => {
                Value::Number(self.literal(scalar, marked).unwrap_or_else(|| n.to_string()))
            }
            Scalar::FloatingPoint(n) => {
                Value::Number(self.literal(scalar, marked).unwrap_or_else(|| n.to_string()))
            }
        }
    }

    /// A number as the file writes it. `None` where an alias stands for it.
    fn literal(&self, scalar: &Scalar<'_>, marked: &MarkedYaml<'_>) -> Option<String> {
        let (start, end) = (marked.span.start, marked.span.end);
        let line = self.lines.get(start.line().checked_sub(1)?)?;
        let text: String = line.chars().skip(start.col()).take(end.col().checked_sub(start.col())?).collect();
        let text = text.trim();
        (Scalar::parse_from_cow(text.into()) == *scalar).then(|| text.to_owned())
    }
}
