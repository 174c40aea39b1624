//! What must be so in the end.

use std::time::Duration;

use crate::load::{WALLETS, expected, wallet};
use crate::world::World;

/// What the projections came to.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) applied: u64,
    pub(crate) duplicates: u64,
    pub(crate) timers: u64,
    /// How often a node took a partition, of all partitions.
    pub(crate) acquired: u64,
}

/// Proves that each event of so many files counts once, and that the projections are what the log says.
fn prove(world: &World, files: u64) -> Proven {
    let verified = world.json(&["verify"]);
    assert_eq!((&verified["verified"], &verified["behind"]), (&true.into(), &0.into()), "{verified}");
    let shadow = world.json(&["rebuild", "--shadow"]);
    assert_eq!(shadow["equal"], true, "{shadow}");

    let each = expected(files);
    let used = "select w.id, (select count(*) from record r where r.wallet = w.no and r.kind = 4 and r.outcome = 1)::text, \
         (select coalesce(sum(e.amount), 0) from every_entry e where e.wallet = w.no and e.kind in (1, 2, 3))::text \
         from wallet w where w.id like 'team-%' order by w.no";
    let mut used = world.sql(used);
    used.sort();
    let mut all: Vec<Vec<String>> =
        (0..WALLETS).map(|n| vec![wallet(n), each.to_string(), each.to_string()]).collect();
    all.sort();
    assert_eq!(used, all, "wallet, events that count, credits used: once for each that was acknowledged");

    let sums = world.sql(
        "select sum(duplicate)::text, sum(timers)::text, sum(conflict + rejected + unpriced)::text from head",
    );
    let number = |at: usize| sums[0][at].parse::<u64>().unwrap();
    assert_eq!(number(2), 0, "no conflict, nothing rejected, nothing without a price");
    Proven { applied: each * WALLETS, duplicates: number(0), timers: number(1), acquired: world.taken_over() }
}

/// Waits until all is folded, ends the nodes, and proves.
pub(crate) fn settle_and_prove(world: &World, nodes: Vec<crate::node::Node>, files: u64) -> Proven {
    world.settle(Duration::from_secs(60));
    for node in nodes {
        node.stop();
    }
    // What the schedulers appended last.
    world.json(&["project"]);
    prove(world, files)
}
