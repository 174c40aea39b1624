//! A year of a customer of a product that makes images, video and text, month by month (rules, sections 4 and 5).

use crate::scenario::Year;

/// What the product offers.
const CATALOGUE: &str = r#"
01-01  unit credits {}
01-01  price image {"match": {"type": {"exact": "image"}}, "feature": "images",
         "charges": [{"unit": "credits", "amount": "20"}]}
01-01  price video {"match": {"type": {"exact": "video"}}, "feature": "video",
         "charges": [{"unit": "credits", "quantity": {"field": "seconds"}, "amount": "10"}]}
01-01  price text {"match": {"type": {"exact": "text"}}, "feature": "text",
         "charges": [{"unit": "credits", "quantity": {"field": "pages"}, "amount": "1"}]}
"#;

/// What its customer did, and what was put right.
const STORY: &str = r#"
01-01  grant pro 100 monthly carry 50 included costs 20 USD
01-05  grant welcome 30 promotional priority 10 ends 01-09
01-06  send i1 image
01-07  send i2 image
01-08  reverse i2 because she cancelled the image
01-20  send t1 text {"pages": 35}

02-10  buy pack 100 costs 25 USD
02-11  send v1 video {"seconds": 12}
02-12  send i3 image

03-02  grant spring 60 promotional priority 10 feature video ends 04-01
03-03  send v2 video {"seconds": 5}
03-10  each 9999 grant oops 500 promotional
03-10  grant oops 500 promotional
03-11  each 100 send m1 image
03-11  send t2 text {"pages": 140}
03-12  each 9999 void oops because it was granted to everybody by mistake
03-12  void oops because it was granted to everybody by mistake

04-05  send t3 text {"pages": 40}
04-15  change {"steps": [
         {"type": "grant.voided", "data": {"grant_id": "pro"}},
         {"type": "grant.issued", "data": {"grant_id": "studio", "unit": "credits", "amount": "300", "category": "included",
           "cost_basis": {"money": "60", "currency": "USD"},
           "recurrence": {"interval": "P1M", "anchor": "2026-05-01T00:00:00Z", "first": "prorated"}}}
       ]} because she upgraded to Studio
04-16  send v3 video {"seconds": 6}

05-16  send v4 video {"seconds": 10}
05-20  price video {"match": {"type": {"exact": "video"}}, "feature": "video", "effective_from": "2026-05-15T00:00:00Z",
         "charges": [{"unit": "credits", "quantity": {"field": "seconds"}, "amount": "8"}]}
05-21  rerate v4 because video costs less since the 15th
05-22  send v5 video {"seconds": 10}

06-03  send t4 text {"pages": 120}
06-04  rerate t4 {"pages": 100} because twenty pages were counted twice

07-02  send t5 text {"pages": 310}
07-03  send i4 image
07-04  send i5 image
07-05  send i6 image
07-06  reverse i6 because the image was empty
07-07  void pack because half of it was refunded

08-20  send t6 text {"pages": 250}
09-02  send t7 text at 08-31 23:30 {"pages": 30}

09-10  send t8 text {"pages": 290}
09-25  send t9 text {"pages": 30}
10-05  reverse t9 because it was a test of ours
10-10  send t10 text {"pages": 330}

11-11  grant sorry 40 compensation for P30D
11-12  send i7 image

12-24  send v6 video {"seconds": 20}
12-31 23:00  now
"#;

#[test]
fn a_year_of_a_product_adds_up_month_by_month() {
    let year = Year::tell(&format!("{CATALOGUE}{STORY}"));
    check(
        &year.statements(),
        "
        month    opening  granted  back  used  repaid  expired  voided  closing  overage
        2026-01        0      130    20    75       0       25       0       50        0
        2026-02       50      200     0   140       0        0       0      110        0
        2026-03      110      660     0   190       0       10     470      100        0
        2026-04      100      260     0   100       0      100      60      100        0
        2026-05      100      300   100   260       0      140       0      100        0
        2026-06      100      300   120   220       0      200       0      100        0
        2026-07      100      300    20   370       0        0      50        0        0
        2026-08        0      300     0   280       0       20       0        0        0
        2026-09        0      300    10   300       0       10       0        0        0
        2026-10        0      300     0   300       0        0       0        0       30
        2026-11        0      340     0    20      30      250       0       40        0
        2026-12       40      300     0   160       0       40       0      140        0
    ",
    );
    check(&[year.of_grant("pack")], "pack in 1 wallets: issued 100, used 50, voided 50, left 0");
}

#[test]
fn what_was_granted_to_ten_thousand_by_mistake_is_taken_back_but_for_what_was_used() {
    let year = Year::tell(&format!("{CATALOGUE}{STORY}"));
    let expected = "oops in 10000 wallets: issued 5000000, used 2030, voided 4997970, left 0";
    check(&[year.of_grant("oops")], expected);
}

#[test]
fn a_statement_of_a_month_changes_when_late_usage_of_it_comes() {
    let before = STORY.split("09-02  send t7").next().unwrap();
    let year = Year::tell(&format!("{CATALOGUE}{before}09-01 now"));
    let august = year.statements().into_iter().find(|line| line.starts_with("2026-08")).unwrap();
    check(&[august], "2026-08 0 300 0 250 0 50 0 0 0");
}

fn check(lines: &[String], expected: &str) {
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let head = |line: &String| !line.is_empty() && !line.starts_with("month");
    let expected: Vec<String> = expected.lines().map(squeeze).filter(head).collect();
    assert_eq!(lines, expected, "\n{}\n", lines.join("\n"));
}
