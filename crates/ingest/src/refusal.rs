//! Why bytes were refused, for people and for machines.

use ledger::{NotCanonical, TimeError};

/// Why an event or a record was refused, and what to do about it.
///
/// Nothing of a refused event was appended: once mended it can be sent again under the same id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The event alone is larger than any record may be.
    #[error(
        "the event has {bytes} bytes, more than {most}: keep what is large elsewhere and send a reference to it"
    )]
    TooLarge { bytes: u64, most: u64 },
    #[error("the event is not UTF-8: send it as UTF-8, or binary data as `data_base64`")]
    NotUtf8,
    #[error("the event is not JSON: {0}")]
    NotJson(String),
    /// JSON that ends before its value does: often one event spread over several lines.
    #[error(
        "the event breaks off: send it whole; in a file, write one event a line or all as one JSON array"
    )]
    BreaksOff,
    #[error(
        "the event is JSON but no object: send a CloudEvent such as {{\"specversion\":\"1.0\",\"id\":…}}"
    )]
    NotAnObject,
    /// A request or a message of a topic that is empty.
    #[error(
        "no event was sent: send one as the body, or as headers (`ce-…` over HTTP, `ce_…` on Kafka) with its data as body"
    )]
    NoEvent,
    /// A format of events that is not JSON.
    #[error("events are not read as {media:?}: send `application/cloudevents+json`, or a batch of them")]
    Format { media: String },
    /// What a header percent-encodes is no text.
    #[error("the header {name:?} percent-encodes bytes that are not UTF-8: encode its text as UTF-8 first")]
    HeaderNotUtf8 { name: String },
    /// What stands between the elements of an array is no comma, or its end is missing.
    #[error(
        "the array breaks off here, nothing after this line was read: write [event,event,…] and close it"
    )]
    ArrayBreaksOff,
    #[error("the key {key:?} stands twice in one object: leave one out")]
    DuplicateKey { key: String },
    #[error("specversion is {found:?}: send CloudEvents version \"1.0\"")]
    SpecVersion { found: String },
    #[error("`{attribute}` is missing: every event must have one")]
    Missing { attribute: &'static str },
    #[error("`{attribute}` is empty: fill it, or leave it out where it is optional")]
    Empty { attribute: &'static str },
    #[error("`{attribute}` has {bytes} bytes, more than {most}: shorten it")]
    TooLong { attribute: &'static str, bytes: usize, most: usize },
    #[error("`{attribute}` holds a control character: take it out")]
    ControlCharacter { attribute: &'static str },
    #[error("`{attribute}` is no string: write it in quotes")]
    NotText { attribute: &'static str },
    #[error("the event names nobody who pays: set the extension `wallet`, or `subject`")]
    NoWallet,
    #[error("`time` cannot be read: {0}")]
    BadTime(TimeError),
    #[error(
        "`time` lies {ahead_ms} ms ahead, more than 5 minutes: set the sender's clock, or leave `time` out"
    )]
    Future { ahead_ms: i64 },
    #[error("the event has no `time`: --backfill needs one, for it records each event at its own time")]
    BackfillWithoutTime,
    #[error(
        "{name:?} is no attribute's name (1 to 64 lower-case letters and digits): rename it, or put it into `data`"
    )]
    BadExtension { name: String },
    #[error("the attribute {name:?} is no string, whole number or boolean: put it into `data`")]
    ExtensionValue { name: String },
    #[error("`data` and `data_base64` are both there: send one of them")]
    DataTwice,
    #[error("`data_base64` is not base64: encode it with the standard alphabet and padding")]
    NotBase64,
    #[error("the data is no JSON although `datacontenttype` says so: mend either of them")]
    DataNotJson,
    #[error("the data is nested too deep: flatten it to at most 63 levels")]
    TooDeep,
    #[error("a number's exponent is beyond 400: write it out, or as a string")]
    Exponent,
    #[error(
        "a string in the data holds an escape that is no character (half a surrogate pair): send the character"
    )]
    Escape,
    /// A record of our own that could not be read back.
    #[error("the record could not be read back: {0}")]
    Undecodable(String),
}

impl Refusal {
    /// A word for machines; it never changes its meaning.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson(_) => "not_json",
            Self::BreaksOff => "breaks_off",
            Self::NotAnObject => "not_an_object",
            Self::NoEvent => "no_event",
            Self::Format { .. } => "format",
            Self::HeaderNotUtf8 { .. } => "header_not_utf8",
            Self::ArrayBreaksOff => "array_breaks_off",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::SpecVersion { .. } => "specversion",
            Self::Missing { .. } => "missing",
            Self::Empty { .. } => "empty",
            Self::TooLong { .. } => "too_long",
            Self::ControlCharacter { .. } => "control_character",
            Self::NotText { .. } => "not_text",
            Self::NoWallet => "no_wallet",
            Self::BadTime(_) => "bad_time",
            Self::Future { .. } => "future",
            Self::BackfillWithoutTime => "backfill_without_time",
            Self::BadExtension { .. } => "bad_extension",
            Self::ExtensionValue { .. } => "extension_value",
            Self::DataTwice => "data_twice",
            Self::NotBase64 => "not_base64",
            Self::DataNotJson => "data_not_json",
            Self::TooDeep => "too_deep",
            Self::Exponent => "exponent",
            Self::Escape => "escape",
            Self::Undecodable(_) => "undecodable",
        }
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        if error.is_eof() {
            return Self::BreaksOff;
        }
        // The line is that within the event: where there is but one, it would be taken for the file's.
        Self::NotJson(error.to_string().replace(" at line 1 column ", " at column "))
    }
}

impl From<NotCanonical> for Refusal {
    fn from(error: NotCanonical) -> Self {
        match error {
            NotCanonical::DuplicateKey(key) => Self::DuplicateKey { key: shown(&key) },
            NotCanonical::TooDeep => Self::TooDeep,
            NotCanonical::Exponent => Self::Exponent,
            NotCanonical::Escape => Self::Escape,
            NotCanonical::NotJson => Self::NotJson(error.to_string()),
        }
    }
}

/// So much of a sender's text as fits into a message.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
