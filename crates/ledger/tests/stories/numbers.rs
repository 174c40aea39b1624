//! Stories of amounts and numbers as written (rules, section 2).

use crate::story::check;

#[test]
fn a_quantity_is_read_from_its_digits() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "100000000"}]}
        01-01  grant plan 40000000
        01-02  use 0.30000000000000004
        ------
        plan#1   9999999.999999996 of 40000000
    "#,
    );
}

#[test]
fn a_tenth_and_two_tenths_are_three() {
    check(
        "
        01-01  grant plan 0.3
        01-02  use 0.1
        01-03  use 0.2
        ------
        plan#1   0 of 0.3
        overage  0
    ",
    );
}

#[test]
fn exponents_and_text_are_numbers_too() {
    check(
        r#"
        01-01  grant plan 2000
        01-02  use 1e-05
        01-03  use 1.5E+3
        01-04  use "12.5"
        01-05  use "2e0"
        01-06  use -0
        ------
        plan#1   485.49999 of 2000
    "#,
    );
}

#[test]
fn what_is_below_nine_places_is_in_the_customers_favour() {
    check(
        "
        01-01  grant plan 1
        01-02  use 0.0000000019
        01-03  use 1e-10
        ------
        plan#1   0.999999999 of 1
        ledger
        01-01  issue 1            grants -> plan#1
        01-02  usage 0.000000001  plan#1 -> usage
    ",
    );
}

#[test]
fn a_third_leaves_its_remainder_with_the_customer() {
    check(
        r#"
        01-01  price use {"match": {"type": {"exact": "use"}},
                          "charges": [{"unit": "credits", "quantity": {"field": "n"}, "amount": "1", "per": "3"}]}
        01-01  grant plan 1
        01-02  use 1
        01-03  use 1
        01-04  use 1
        ------
        plan#1   0.000000001 of 1
    "#,
    );
}

#[test]
fn a_negative_quantity_is_no_refund() {
    check(
        "
        01-01  grant plan 10
        01-02  use 4
        01-03  use -4
        01-04  use -1e-30
        ------
        plan#1   6 of 10
        unpriced 2
        ! 01-03  unpriced negative_quantity
        ! 01-04  unpriced negative_quantity
    ",
    );
}

#[test]
fn what_is_no_number_is_booked_and_charged_nothing() {
    check(
        r#"
        01-01  grant plan 10
        01-02  use "many"
        01-03  use true
        01-04  use [1]
        01-05  use "0x10"
        01-06  use "1,5"
        01-07  use ""
        ------
        plan#1   10 of 10
        unpriced 6
        ! 01-02  unpriced not_a_number
        ! 01-03  unpriced not_a_number
        ! 01-04  unpriced not_a_number
        ! 01-05  unpriced not_a_number
        ! 01-06  unpriced not_a_number
        ! 01-07  unpriced not_a_number
    "#,
    );
}

#[test]
fn a_quantity_that_is_missing_is_said_to_be() {
    check(
        r#"
        01-01  grant plan 10
        01-02  send use {"m": 1}
        01-03  use null
        01-04  send use
        01-05  record usage {"type": "use", "data": [1]}
        01-06  record usage {"type": "use", "data_text": "n=1"}
        ------
        plan#1   10 of 10
        ! 01-02  unpriced missing_quantity
        ! 01-03  unpriced missing_quantity
        ! 01-04  unpriced no_data
        ! 01-05  unpriced no_data
        ! 01-06  unpriced no_data
    "#,
    );
}

#[test]
fn the_largest_quantity_is_charged_and_a_larger_one_is_not() {
    check(
        "
        01-02  use 1000000000000000000
        01-03  use 1000000000000000000.000000001
        01-04  use 1e18
        01-05  use 99999999999999999999999999999999999999
        01-06  use 100000000000000000000000000000000000000
        01-07  use 1e-38
        01-08  use 1e-39
        01-09  use 1e400
        ------
        overage  2000000000000000000 of use in 2026-01
        ! 01-03  unpriced out_of_range
        ! 01-05  unpriced out_of_range
        ! 01-06  unpriced out_of_range
        ! 01-08  unpriced out_of_range
        ! 01-09  unpriced out_of_range
    ",
    );
}

#[test]
fn a_number_that_nobody_can_write_out_is_set_aside() {
    check(
        "
        01-01  grant plan 10
        01-02  use 1e401
        01-03  use 1
        ------
        plan#1   9 of 10
        ! 01-02  quarantined: a number's exponent is beyond 400: write it out, or as text
    ",
    );
}

#[test]
fn our_own_amounts_are_text_in_a_strict_grammar() {
    check("
        01-01  grant a 12.50
        01-01  grant b 0.000000001
        01-01  grant c 1000000000000000000
        01-02  grant d -1
        01-02  grant e +1
        01-02  grant f 1e3
        01-02  grant g 007
        01-02  grant h .5
        01-02  grant i 1.
        01-02  grant j 1,5
        ------
        a#1  12.5 of 12.5
        b#1  0.000000001 of 0.000000001
        c#1  1000000000000000000 of 1000000000000000000
        ! 01-02  quarantined: the data of grant.issued: an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent, not \"-1\"
        ! 01-02  quarantined: the data of grant.issued: an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent, not \"+1\"
        ! 01-02  quarantined: the data of grant.issued: an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent, not \"1e3\"
        ! 01-02  quarantined: the data of grant.issued: an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent, not \"007\"
        ! 01-02  quarantined: the data of grant.issued: an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent, not \".5\"
        ! 01-02  quarantined: the data of grant.issued: an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent, not \"1.\"
        ! 01-02  quarantined: the data of grant.issued: an amount is a plain decimal such as \"12.5\": digits, at most one point, no sign and no exponent, not \"1,5\"
    ");
}

#[test]
fn an_amount_too_fine_or_too_large_is_set_aside() {
    check("
        01-01  grant fine 0.0000000001
        01-01  grant large 1000000000000000000.000000001
        01-01  grant larger 10000000000000000000
        01-02  use 1
        ------
        overage  1 of use in 2026-01
        ! 01-01  quarantined: the data of grant.issued: an amount has at most nine decimal places, not \"0.0000000001\"
        ! 01-01  quarantined: the data of grant.issued: an amount is at most 1000000000000000000 (10^18), not \"1000000000000000000.000000001\"
        ! 01-01  quarantined: the data of grant.issued: an amount is at most 1000000000000000000 (10^18), not \"10000000000000000000\"
    ");
}

#[test]
fn a_float_is_no_amount() {
    check(
        r#"
        01-01  record grant.issued {"grant_id": "plan", "unit": "credits", "amount": 1.5}
        01-01  record grant.issued {"grant_id": "plan", "unit": "credits", "amount": 15}
        ------
        ! 01-01  quarantined: the data of grant.issued: invalid type: floating point `1.5`, expected an amount as a decimal in quotes, such as "12.5"
        ! 01-01  quarantined: the data of grant.issued: invalid type: integer `15`, expected an amount as a decimal in quotes, such as "12.5"
    "#,
    );
}

#[test]
fn the_largest_lots_add_up() {
    check(
        "
        01-01  grant a 1000000000000000000
        01-01  grant b 1000000000000000000
        01-02  use 1e18
        01-03  use 0.5
        ------
        a#1  0 of 1000000000000000000
        b#1  999999999999999999.5 of 1000000000000000000
        available 999999999999999999.5
    ",
    );
}

#[test]
fn a_number_in_text_is_written_as_json_has_it() {
    check(
        r#"
        01-01  grant plan 10
        01-02  use "007"
        01-02  use "00"
        01-02  use "1."
        01-02  use "1.x"
        01-02  use "1.5."
        01-02  use ".5"
        01-02  use "+1"
        01-02  use "-"
        01-02  use "1e"
        01-02  use "1e+"
        01-02  use "0.5"
        01-02  use "0"
        ------
        plan#1   9.5 of 10
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
        ! 01-02  unpriced not_a_number
    "#,
    );
}
