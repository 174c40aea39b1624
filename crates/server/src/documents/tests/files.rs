//! Files that cannot be read at all.

use super::{check_files, read};

#[test]
fn what_is_no_yaml_is_told_where() {
    check_files(
        &[
            ("a.yaml", "kind: unit\nname: a: b\n"),
            ("b.yaml", "kind: unit\nname: credits\n\tdescription: x\n"),
            ("c.yaml", "kind: unit\nname: x\nname: y\n"),
            ("d.yaml", "kind: unit\nname: !mine x\n"),
            ("e.yaml", "<<: {kind: unit}\nkind: unit\nname: x\n"),
            ("f.yaml", "kind: unit\nname: *\n"),
            ("g.yaml", "kind: unit\n? [a]\n: b\n"),
            ("h.json", "{\"kind\": \"unit\",\n\"name\": \"x\",\n\"name\": \"y\"}"),
            ("i.yaml", "kind: wallet\nwallet: w\nmetadata:\n  1: a\n  \"1\": b\n"),
        ],
        "
        a.yaml:2: this is no YAML: mapping values are not allowed in this context (text with `: `, `#` or `*` in it goes in quotes)
        b.yaml:3: a tab indents this line: YAML indents with spaces
        c.yaml:3: name: stands twice in one map: leave one out
        d.yaml:2: tags such as `!x` mean nothing here: leave them out
        e.yaml:1: <<: merge keys are not part of YAML 1.2: write the fields out
        f.yaml:2: this is no YAML: while scanning an anchor or alias, did not find expected alphabetic or numeric character (text with `: `, `#` or `*` in it goes in quotes)
        g.yaml:2: a field's name is text, not a list or map
        h.json:3: name: stands twice in one map: leave one out
        i.yaml:5: 1: stands twice in one map: leave one out
        ",
    );
}

#[test]
fn what_expands_without_end_is_refused() {
    let mut laughs = String::from("a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n");
    for i in 1..9 {
        let refs = vec![format!("*a{}", i - 1); 10].join(", ");
        laughs += &format!("a{i}: &a{i} [{refs}]\n");
    }
    let long = format!("x: &x {}\ny: [{}]", "ha".repeat(20_000), vec!["*x"; 1000].join(", "));
    let large = format!("x: &x 1\ny: {}", "h".repeat(70_000));
    check_files(
        &[
            ("a.yaml", &laughs),
            ("b.yaml", &long),
            ("c.yaml", &large),
            ("d.yaml", &format!("{}x", "- ".repeat(300_000))),
            ("e.yaml", &format!("{}{}", "[".repeat(200), "]".repeat(200))),
            ("f.yaml", &"x".repeat(1_100_000)),
        ],
        "
        a.yaml:5: the aliases stand for more than 100000 values: write fewer
        b.yaml:2: the aliases stand for more than 4 MB: write fewer
        c.yaml: uses anchors and is larger than 64 KB: split it, or write the values out
        d.yaml:1: values are nested more than 64 deep here: no document needs that
        e.yaml:1: values are nested more than 64 deep here: no document needs that
        f.yaml: is larger than 1 MB: split it into several files
        ",
    );
}

#[test]
fn a_path_without_documents_is_told() {
    let empty = tempfile::tempdir().unwrap();
    let error = read(&[empty.path().to_owned()]).unwrap_err();
    assert_eq!(error[0].what, "holds no *.yaml, *.yml or *.json: name another directory, or a file");
    let error = read(&["no/such/file.yaml".into()]).unwrap_err();
    assert_eq!(
        error[0].to_string(),
        "no/such/file.yaml: cannot be read: No such file or directory (os error 2)"
    );
}
