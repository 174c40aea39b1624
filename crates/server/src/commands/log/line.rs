//! A line of an export: where a record stands, and its bytes.

use std::borrow::Cow;

use anyhow::{Context as _, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ledger::{Offset, Partition, Position};
use serde::{Deserialize, Serialize};

/// One record, its bytes as they are: as text, or in base64 where they are no UTF-8.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commands) struct Line<'a> {
    partition: u32,
    offset: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    record: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record_base64: Option<String>,
}

impl<'a> Line<'a> {
    pub(in crate::commands) fn new(partition: Partition, offset: Offset, record: &'a [u8]) -> Self {
        let text = std::str::from_utf8(record).ok();
        Self {
            partition: partition.0,
            offset: offset.0,
            record: text.map(Cow::Borrowed),
            record_base64: text.is_none().then(|| STANDARD.encode(record)),
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    ///
    /// If it is not what [`Line::new`] writes.
    pub(in crate::commands) fn read(line: &'a [u8]) -> anyhow::Result<(Position, Cow<'a, [u8]>)> {
        let line: Self = serde_json::from_slice(line).map_err(|error| {
            // The line within the line would be taken for the file's.
            let what = error.to_string().replace(" at line 1 column", " at column");
            anyhow!("is no line of `drawdown log export`: {what}")
        })?;
        let position = Position { partition: Partition(line.partition), offset: Offset(line.offset) };
        let record = match (line.record, line.record_base64) {
            (Some(Cow::Borrowed(text)), None) => Cow::Borrowed(text.as_bytes()),
            (Some(Cow::Owned(text)), None) => Cow::Owned(text.into_bytes()),
            (None, Some(text)) => Cow::Owned(STANDARD.decode(text).context("`record_base64` is no base64")?),
            (Some(_), Some(_)) => bail!("has both `record` and `record_base64`: leave one out"),
            (None, None) => bail!("has neither `record` nor `record_base64`"),
        };
        Ok((position, record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &[u8], written: &str) {
        let line = serde_json::to_string(&Line::new(Partition(3), Offset(7), record)).expect("JSON");
        assert_eq!(line, written);
        let (position, back) = Line::read(line.as_bytes()).expect("what was written is read");
        assert_eq!((position.to_string().as_str(), &*back), ("3:7", record));
    }

    #[test]
    fn the_bytes_of_a_record_come_back_as_they_were() {
        check(
            br#"{"v":1,  "id":"\u00e9"}"#,
            r#"{"partition":3,"offset":7,"record":"{\"v\":1,  \"id\":\"\\u00e9\"}"}"#,
        );
        check("é\n\u{0}".as_bytes(), "{\"partition\":3,\"offset\":7,\"record\":\"é\\n\\u0000\"}");
        check(&[0xff, 0x00], r#"{"partition":3,"offset":7,"record_base64":"/wA="}"#);
    }
}
