//! A month's statement as comma-separated values: a line each, its amount with its sign.

use super::Monthly;
use crate::view::net::Net;

/// The columns.
const HEAD: &str = "wallet,month,known_at,unit,of,line,overage_month,feature,amount\n";

impl Monthly {
    /// The statement as CSV. Of each unit, the lines but `closing` add up to that; of overage, those but `open`.
    pub(crate) fn csv(&self) -> String {
        let mut text = HEAD.to_owned();
        let (month, known_at) = (self.month.to_string(), self.known_at.to_string());
        for (unit, in_unit) in &self.units {
            let mut add = |of: &str, line: &str, overage_month: &str, feature: &str, net: Net| {
                let net = net.to_string();
                let row = [&self.wallet, &month, &known_at, unit, of, line, overage_month, feature, &net];
                text.push_str(&row.map(quoted).join(","));
                text.push('\n');
            };
            for (line, feature, net) in in_unit.lines() {
                add("credits", line, "", feature.unwrap_or_default(), net);
            }
            add("credits", "closing", "", "", Net::there(in_unit.closing));
            for of_month in &in_unit.overage {
                let month = of_month.month.to_string();
                for (line, net) in of_month.lines() {
                    add("overage", line, &month, &of_month.feature, net);
                }
                add("overage", "open", &month, &of_month.feature, Net::there(of_month.open));
            }
        }
        text
    }
}

/// A field, in quotes where it must be.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_must_be() {
        assert_eq!(["plain", "a,b", "say \"a\""].map(quoted), ["plain", "\"a,b\"", "\"say \"\"a\"\"\""]);
    }
}
