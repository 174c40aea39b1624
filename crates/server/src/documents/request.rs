//! Documents that come as JSON in a request instead of a file.

use std::path::Path;

use super::node::{Field, Node, Problem, Value};
use super::{
    Body, Document, DocumentError, GrantRules, MOST_ERRORS, document, in_order, parse, what_if, yaml,
};

/// What the request's body is called where a file would be named.
const BODY: &str = "body.json";

/// Reads documents: a JSON object, or an array of them, each as in a file. They come in an order in which they can be applied.
///
/// # Errors
///
/// All mistakes, up to 50 of them.
pub(crate) fn read_json(text: &str) -> Result<Vec<Document>, Vec<DocumentError>> {
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    parse(Path::new(BODY), text, &mut documents, &mut errors);
    in_order(documents, errors)
}

/// As [`super::read_what_if`], of JSON.
pub(crate) fn read_what_if_json(text: &str) -> Result<(Vec<Document>, Vec<GrantRules>), Vec<DocumentError>> {
    let (mut documents, mut rules, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    what_if::parse(Path::new(BODY), text, &mut documents, &mut rules, &mut errors);
    Ok((in_order(documents, errors)?, rules))
}

/// Reads the fields of one document of a wallet's, whose kind and wallet the request names elsewhere. `left_out` are fields that it has
/// unless the body says otherwise. The body's wallet is not the one: whoever asks knows it.
///
/// # Errors
///
/// All mistakes, up to 50 of them.
pub(crate) fn read_fields(
    kind: &str,
    text: &str,
    left_out: &[(&str, &str)],
) -> Result<Body, Vec<DocumentError>> {
    let failed = |problems: Vec<Problem>| {
        let errors = problems.into_iter().take(MOST_ERRORS);
        errors.map(|problem| DocumentError::new(Path::new(BODY), problem)).collect::<Vec<_>>()
    };
    let mut nodes = yaml::load_json(text).map_err(|problem| failed(vec![problem]))?;
    let is_object = text.trim_start().starts_with('{');
    let Some(mut node) = nodes.pop().filter(|_| is_object && nodes.is_empty()) else {
        return Err(failed(vec![Problem::new(0, "", "the body is no object: send one, such as {}")]));
    };
    let mut problems = Vec::new();
    for (name, of) in [("kind", "the path says what it is"), ("wallet", "the path names the wallet")] {
        if let Some(field) = node.take(name) {
            problems.push(Problem::new(field.line, name, format!("{of}: leave `{name}` out")));
        }
    }
    let line = node.line;
    let absent: Vec<_> = left_out.iter().filter(|(name, _)| !node.has(name)).collect();
    let said = [("kind", kind), ("wallet", "wallet")];
    if let Some(fields) = node.fields_mut() {
        fields.extend(absent.into_iter().chain(&said).map(|(name, text)| {
            let value = Node { line, value: Value::Text((*text).to_owned()) };
            Field { name: (*name).to_owned(), line, value }
        }));
    }
    let body = document::bodies(node, &mut problems).pop();
    problems.sort_by_key(|problem| problem.line);
    body.filter(|_| problems.is_empty()).ok_or_else(|| failed(problems))
}
