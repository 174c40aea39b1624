//! Documents of several steps, and what wallets and grants say of resets.

use super::{check, check_files};

#[test]
fn a_change_has_steps_each_as_its_record_says_it() {
    check(
        "
        kind: change
        wallet: [acme, bea]
        id: upgrade-7
        reason: upgrade to pro
        steps:
          - type: grant.voided
            data: {grant_id: plan, what: future}
          - type: wallet.configured
            data: {rate_card: pro, reset: {interval: P1M, preserve_overage: true}}
          - type: overage.cleared
            data: {month: 2026-01, unit: credits, amount: \"1.50\", as: forgiven}
          - type: wallet.reset
          - {type: wallet.suspended, data: {}}
        ---
        kind: grant
        wallet: acme
        grant_id: g
        unit: credits
        amount: \"5\"
        reset: {min: \"1.0\", max: \"7\"}
        purchase_id: order-7
        ",
        r#"
        x.yaml:15 grant acme g of 5 credits
        x.yaml:1 change acme upgrade-7: grant.voided {"grant_id":"plan","what":"future"}, wallet.configured {"rate_card":"pro","reset":{"interval":"P1M","preserve_overage":true}}, overage.cleared {"month":"2026-01","unit":"credits","amount":"1.5","as":"forgiven"}, wallet.reset {}, wallet.suspended {} because upgrade to pro
        x.yaml:1 change bea upgrade-7: grant.voided {"grant_id":"plan","what":"future"}, wallet.configured {"rate_card":"pro","reset":{"interval":"P1M","preserve_overage":true}}, overage.cleared {"month":"2026-01","unit":"credits","amount":"1.5","as":"forgiven"}, wallet.reset {}, wallet.suspended {} because upgrade to pro
        "#,
    );
}

#[test]
fn a_step_names_its_place_and_its_field() {
    check(
        "
        kind: change
        wallet: acme
        steps:
          - type: grant.voidd
            data: {}
          - type: grant.voided
            data: {grant_id: a, purchase_id: b, what: al}
          - type: grant.issued
            data: {grant_id: g, unit: credits, amount: 5}
          - type: wallet.configured
            data: {replaces: x, reset: {interval: PT1M}}
          - type: overage.cleared
            data: {unit: credits, as: billed}
          - {type: wallet.suspended, date: {}}
          - grant.voided
          - type: grant.issued
        ",
        "
        x.yaml:1: id: is missing: add `id:`, by which it counts once
        x.yaml:4: steps[0].type: `grant.voidd` is no step: did you mean `grant.voided`?
        x.yaml:7: steps[1].data.what: `al` is no choice here: did you mean `all`?
        x.yaml:9: steps[2].data.amount: an amount is an exact decimal: write it in quotes: \"5\"
        x.yaml:11: steps[3].data.replaces: is written when the document is applied: leave it out
        x.yaml:11: steps[3].data.reset.interval: resets would come too often: the interval is an hour at least
        x.yaml:13: steps[4].data.month: is missing: add `month:`
        x.yaml:14: steps[5].date: `date` is no field here: did you mean `data`?
        x.yaml:15: steps[6]: a step is a map: write its `type` and `data`
        x.yaml:16: steps[7].data: is missing: add `data:`, as a record of this type has it
        ",
    );
    check_files(
        &[
            ("a.yaml", "{kind: change, wallet: w, id: c, steps: [{type: wallet.reset}]}"),
            ("b.yaml", "{kind: change, wallet: w, id: c, steps: []}"),
            ("c.yaml", "{kind: change, wallet: w, id: c}"),
            ("d.yaml", "{kind: change, wallet: w, id: c, reson: x, steps: {type: wallet.resumed}}"),
            ("e.yaml", "{kind: change, wallet: w, id: c, reason: x, steps: [{type: grant.voided, data: {}}]}"),
            ("f.yaml", "{kind: fold, name: version, version: 2}"),
            ("fk.yaml", "{kind: key, name: k0123456789ab, scopes: [admin]}"),
            ("g.yaml", "{kind: wallet, wallet: w, reset: {interval: PT5M}}"),
            ("h.yaml", "{kind: grant, wallet: w, grant_id: g, unit: u, amount: '5', reset: {min: '3', max: '2'}}"),
        ],
        "
        a.yaml:1: reason: is missing: to void and to reset need one, add `reason:`
        b.yaml:1: steps: has 0 steps: write from 1 to 100
        c.yaml:1: steps: is missing: add `steps:`, a list of `type` and `data`
        d.yaml:1: steps: write a list of steps, each with `type` and `data`
        d.yaml:1: reson: `reson` is no field here: did you mean `reason`?
        e.yaml:1: steps[0].data: name a `grant_id` or a `purchase_id`, and not both
        f.yaml:1: kind: the version of the fold is raised by hand, with `drawdown fold-version`: leave the document out
        fk.yaml:1: kind: a key is made with `drawdown keys create`, which shows it once: leave the document out
        g.yaml:1: reset.interval: resets would come too often: the interval is an hour at least
        h.yaml:1: reset.min: a reset cannot leave at least `min` and at most `max`: give a `min` that is not above `max`
        ",
    );
}
