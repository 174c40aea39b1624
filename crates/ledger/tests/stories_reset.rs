//! Stories of resets: lots brought back to the bounds that their grants name (rules, section 4).
#![allow(clippy::unwrap_used)]

mod story;

use story::check;

#[test]
fn what_is_above_the_max_expires() {
    check(
        "
        01-01  grant plan 100 ends 02-01 reset max 30
        01-10  use 20
        01-15  reset
        ------
        plan#1   30 of 100   expired 50
        available 30
        ledger
        01-01  issue 100   grants -> plan#1
        01-10  usage 20    plan#1 -> usage
        01-15  reset 50    plan#1 -> expired
    ",
    );
}
