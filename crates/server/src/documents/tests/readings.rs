//! What files say when they are right.

use super::{check, check_files, read_files};

#[test]
fn a_file_has_several_documents_or_a_list_of_them() {
    let documents = "
        x.yaml:1 unit credits {}
        x.yaml:4 rate_card standard {\"description\":\"for everybody\"}
    ";
    check(
        "
        kind: unit
        name: credits
        ---
        kind: rate_card
        name: standard
        description: for everybody
        ",
        documents,
    );
    check(
        "
        - {kind: unit, name: credits}


        - kind: rate_card
          name: standard
          description: for everybody
        ",
        documents,
    );
}

#[test]
fn json_is_an_object_or_an_array() {
    check_files(
        &[
            ("a.json", "{\n\t\"kind\": \"unit\",\n\t\"name\": \"one\\/\\ud83d\\ude00\\u00e9\"\n}"),
            (
                "b.json",
                "[{\"kind\": \"unit\", \"name\": \"two\"},\n {\"kind\": \"unit\", \"name\": \"three\"}]",
            ),
        ],
        "
        a.json:1 unit one/😀é {}
        b.json:1 unit two {}
        b.json:2 unit three {}
        ",
    );
}

#[test]
fn documents_come_in_an_order_in_which_they_can_be_applied() {
    check_files(
        &[
            ("a/grants.yaml", "{kind: grant, wallet: w, grant_id: g, unit: credits, amount: '5'}"),
            ("b.yml", "{kind: wallet, wallet: w, zone: Here}"),
            ("c.yaml", "{kind: zone, name: Here, before: 3600}\n---\n{kind: unit, name: credits}"),
            ("d.txt", "not read"),
            (".hidden.yaml", "not read"),
            ("z.yaml", "# nothing yet\n"),
        ],
        r#"
        c.yaml:3 unit credits {}
        c.yaml:1 zone Here {"before":3600}
        b.yml:1 wallet w {"zone":"Here"}
        a/grants.yaml:1 grant w g of 5 credits
        "#,
    );
}

#[test]
fn a_body_has_its_defaults_canonical_amounts_and_times_in_utc() {
    check(
        "
        kind: price
        name: images
        time: 2026-01-31T02:00:00+02:00
        effective_from: 2026-02-01T00:00:00+01:00
        match: {type: image.generated}
        charges:
          - unit: credits
            amount: \"20.50\"
            quantity: {field: n, default: \"1.0\"}
            per: \"1000.0\"
        ",
        r#"
        x.yaml:1 price images {"rate_card":"standard","effective_from":"2026-01-31T23:00:00Z","match":{"type":{"exact":"image.generated"}},"rounding":{"mode":"down","places":9},"charges":[{"unit":"credits","quantity":{"field":"n","default":"1"},"amount":"20.5","per":"1000","blocks":"pro_rata"}]} at 2026-01-31T00:00:00Z
        "#,
    );
    check(
        "
        kind: policies
        lateness: P2D
        ",
        r#"
        x.yaml:1 policies default {"lateness":"P2D","zone":"UTC","rate_card":"standard","overage":{"repay":true,"at_month_end":"keep"}}
        "#,
    );
}

#[test]
fn a_condition_is_written_as_the_value_a_prefix_or_a_star() {
    let read = read_files(&[(
        "x.yaml",
        "
kind: price
name: p
match:
  type: \"*\"
  data:
    a: small
    b: gpt-*
    c: 4
    d: 4.0
    e: true
    f: no
    g: {exact: 1e2}
    h: {prefix: gpt-}
    i: {any: true}
    usage.tier: 0x10
charges: [{unit: credits, amount: '1'}]
",
    )]);
    let conditions = [
        r#""type":{"any":true}"#,
        r#""a":{"exact":"small"}"#,
        r#""b":{"prefix":"gpt-"}"#,
        r#""c":{"exact":"4"}"#,
        r#""d":{"exact":"4"}"#,
        r#""e":{"exact":"true"}"#,
        r#""f":{"exact":"no"}"#,
        r#""g":{"exact":"100"}"#,
        r#""h":{"prefix":"gpt-"}"#,
        r#""i":{"any":true}"#,
        r#""usage.tier":{"exact":"16"}"#,
    ];
    for condition in conditions {
        assert!(read.contains(condition), "{condition} is not in {read}");
    }
}

#[test]
fn a_document_is_for_a_wallet_a_list_or_a_range() {
    check(
        "
        kind: wallet
        wallet: [acme, \"w-{08..11}-x\", \"n{9..10}\"]
        rate_card: gold
        ",
        r#"
        x.yaml:1 wallet acme {"rate_card":"gold"}
        x.yaml:1 wallet w-08-x {"rate_card":"gold"}
        x.yaml:1 wallet w-09-x {"rate_card":"gold"}
        x.yaml:1 wallet w-10-x {"rate_card":"gold"}
        x.yaml:1 wallet w-11-x {"rate_card":"gold"}
        x.yaml:1 wallet n9 {"rate_card":"gold"}
        x.yaml:1 wallet n10 {"rate_card":"gold"}
        "#,
    );
    check(
        "
        kind: grant
        wallet: \"wallet-{000000..000001}\"
        time: 2026-01-01T00:00:00Z
        reason: a welcome
        grant_id: welcome
        unit: credits
        amount: \"100\"
        priority: 10
        rollover: {max: \"30\"}
        recurrence: {interval: P1M, first: prorated}
        ",
        "
        x.yaml:1 grant wallet-000000 welcome of 100 credits because a welcome at 2026-01-01T00:00:00Z
        x.yaml:1 grant wallet-000001 welcome of 100 credits because a welcome at 2026-01-01T00:00:00Z
        ",
    );
}

#[test]
fn a_zone_with_nothing_but_a_name_gets_its_transitions() {
    let read = read_files(&[("x.yaml", "{kind: zone, name: Europe/Berlin}")]);
    assert!(
        read.starts_with("x.yaml:1 zone Europe/Berlin {\"before\":3600,\"transitions\":[[323830800,7200],"),
        "{read}"
    );
    check(
        "
        {kind: zone, name: Nowhere, before: 0, transitions: [[100, 3600], [200, 0]]}
        ",
        r#"
        x.yaml:1 zone Nowhere {"before":0,"transitions":[[100,3600],[200,0]]}
        "#,
    );
}

#[test]
fn an_alias_stands_for_its_anchor() {
    check(
        "
        - kind: unit
          name: credits
          description: &said what people see
        - kind: rate_card
          name: gold
          description: *said
        ",
        r#"
        x.yaml:1 unit credits {"description":"what people see"}
        x.yaml:4 rate_card gold {"description":"what people see"}
        "#,
    );
}

#[test]
fn versions_of_one_document_each_have_their_time() {
    check(
        "
        {kind: unit, name: credits, time: 2026-01-01T00:00:00Z}
        ---
        {kind: unit, name: credits, description: new, time: 2026-02-01T00:00:00Z}
        ",
        r#"
        x.yaml:1 unit credits {} at 2026-01-01T00:00:00Z
        x.yaml:3 unit credits {"description":"new"} at 2026-02-01T00:00:00Z
        "#,
    );
}
