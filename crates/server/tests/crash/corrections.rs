//! What is put right in much usage, while the processes that do it are killed, is put right once.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::chance::Chance;
use crate::drawdown::{Drawdown, Started, event};
use crate::kill;

/// How often each of the two is killed at least, while it works.
const KILLS: u32 = 25;
const WALLETS: u64 = 20;
/// Events of each wallet; the first of each is reversed.
const USED: u64 = 40;
const GRANTED: u64 = 10_000;
/// The exit code where another process folds.
const LOCKED: i32 = 5;

/// How often which process was killed at work.
#[derive(Debug, Default)]
struct Killed {
    run: u32,
    correction: u32,
}

#[test]
fn corrections_that_are_broken_off_and_begun_anew_count_once() {
    let mut chance = Chance::told();
    let drawdown = Drawdown::new();
    drawdown.json(&["apply", &drawdown.file("start.yaml", start())]);
    let usage: String = (0..WALLETS * USED)
        .map(|n| event(format!("{}-{}", n % WALLETS, n / WALLETS), &wallet(n % WALLETS)))
        .collect();
    drawdown.json(&["ingest", &drawdown.file("usage.ndjson", usage)]);
    drawdown.json(&["project"]);

    let mut killed = Killed::default();
    let mut running = None;
    let mut costs = 1;
    while killed.run < KILLS || killed.correction < KILLS {
        costs = costs % 7 + 1;
        drawdown.json(&["apply", &drawdown.file("price.yaml", price(costs))]);
        let reason = format!("an image costs {costs}");
        let rerate = ["rerate", "--all", "--price", "image", "--reason", &reason];
        until_it_ends(&drawdown, &rerate, (&mut chance, &mut running, &mut killed));
    }
    let wallets: String = (0..WALLETS).map(|n| wallet(n) + "\n").collect();
    let wallets = drawdown.file("wallets.txt", wallets);
    let void = ["void", "--wallets", &wallets, "--grant", "gift", "--reason", "a mistake"];
    until_it_ends(&drawdown, &void, (&mut chance, &mut running, &mut killed));
    for n in 0..WALLETS {
        let (wallet, usage) = (wallet(n), format!("{n}-0"));
        let reverse = ["reverse", &wallet, &usage, "--reason", "the image was blank"];
        until_it_ends(&drawdown, &reverse, (&mut chance, &mut running, &mut killed));
    }
    drop(running);

    drawdown.json(&["project"]);
    println!("{killed:?}, an image costs {costs} in the end");
    for n in 0..WALLETS {
        let credits = drawdown.json(&["balance", &wallet(n)])["units"]["credits"].clone();
        let left = (GRANTED - (USED - 1) * costs).to_string();
        assert_eq!(
            (&credits["balance"], &credits["overage"]),
            (&Value::from(left), &Value::from("0")),
            "{n}"
        );
    }
    let verified = drawdown.json(&["verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert!(killed.run >= KILLS && killed.correction >= KILLS, "{killed:?}");
}

/// Does it until it ends well, and kills it and `run` beside it at random moments.
fn until_it_ends(
    drawdown: &Drawdown,
    command: &[&str],
    (chance, running, killed): (&mut Chance, &mut Option<Started>, &mut Killed),
) {
    loop {
        running.get_or_insert_with(|| {
            Started::new(drawdown.command(&["run"]).env("DRAWDOWN_LOG_LEVEL", "error").stdout(Stdio::null()))
        });
        let mut correcting = Started::new(drawdown.command(command).stdout(Stdio::null()));
        std::thread::sleep(Duration::from_millis(chance.below(250)));
        let choices = [(true, false), (true, true), (false, true), (false, false)];
        let (kill_run, kill_correction) = choices[chance.below(4) as usize];
        if kill_run {
            // It gives way to a correction that folds by itself just then.
            killed.run += kill(running.take(), "run", &[0, LOCKED]);
        }
        if kill_correction {
            killed.correction += kill(Some(correcting), command[0], &[0]);
            continue;
        }
        let status = correcting.child().wait().unwrap();
        assert!(status.success(), "{command:?} ended with {status}");
        return;
    }
}

/// A plan that pays after a gift that is taken back untouched.
fn start() -> String {
    let mut documents = format!("{{kind: unit, name: credits}}\n---\n{}", price(1));
    for n in 0..WALLETS {
        for (grant, amount, priority) in [("plan", GRANTED, 1), ("gift", 500, 90)] {
            documents += &format!(
                "---\n{{kind: grant, wallet: {}, grant_id: {grant}, unit: credits, amount: \"{amount}\", priority: {priority}}}\n",
                wallet(n)
            );
        }
    }
    documents
}

/// An image costs so much, and did from the beginning.
fn price(credits: u64) -> String {
    format!(
        "{{kind: price, name: image, effective_from: 2020-01-01T00:00:00Z, match: {{type: image}}, \
         charges: [{{unit: credits, amount: \"{credits}\"}}]}}\n"
    )
}

fn wallet(n: u64) -> String {
    format!("user-{n}")
}
