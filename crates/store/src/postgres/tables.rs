//! The tables that a batch is written to.

use super::encode::Kind::{self, Bool, Bytes, Int2, Int4, Int8, Numeric, Text};

/// A table to write to.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// Whether each partition of the log has a table of its own.
    pub(super) is_partitioned: bool,
    /// What follows the rows: what to do where one is there already, and what to answer.
    pub(super) conflict: &'static str,
}

impl Table {
    /// Its columns, with commas between.
    pub(super) fn list(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

pub(super) static RECORD: Table = Table {
    name: "record",
    columns: &[
        ("\"offset\"", Int8),
        ("wallet", Int8),
        ("at", Int8),
        ("recorded_at", Int8),
        ("earlier", Int8),
        ("partition", Int4),
        ("kind", Int2),
        ("outcome", Int2),
        ("entry", Int2),
        ("amount", Numeric),
        ("available_after", Numeric),
        ("id", Text),
        ("source", Text),
        ("subject", Text),
        ("feature", Text),
        ("data", Text),
        ("detail", Text),
        ("unit", Text),
        ("lot", Text),
        ("other_lot", Text),
        ("charged", Text),
        ("price", Text),
    ],
    is_partitioned: true,
    conflict: "",
};

pub(super) static ENTRY: Table = Table {
    name: "entry",
    columns: &[
        ("\"offset\"", Int8),
        ("wallet", Int8),
        ("effective_at", Int8),
        ("booked_at", Int8),
        ("line", Int4),
        ("partition", Int4),
        ("kind", Int2),
        ("amount", Numeric),
        ("available_after", Numeric),
        ("unit", Text),
        ("lot", Text),
        ("other_lot", Text),
        ("subject", Text),
        ("feature", Text),
        ("price", Text),
        ("month", Text),
    ],
    is_partitioned: true,
    conflict: "",
};

pub(super) static WALLET: Table = Table {
    name: "wallet",
    columns: &[
        ("no", Int8),
        ("as_of", Int8),
        ("clock", Int8),
        ("next_due_at", Int8),
        ("unpriced", Int8),
        ("partition", Int4),
        ("claimed", Bool),
        ("id", Text),
        ("digest", Bytes),
        ("doc", Text),
    ],
    is_partitioned: false,
    conflict: "on conflict (no) do update set as_of = excluded.as_of, clock = excluded.clock, \
        next_due_at = excluded.next_due_at, claimed = excluded.claimed, unpriced = excluded.unpriced, \
        digest = excluded.digest, doc = excluded.doc",
};

pub(super) static LOT: Table = Table {
    name: "lot",
    columns: &[
        ("wallet", Int8),
        ("starts_at", Int8),
        ("ends_at", Int8),
        ("priority", Int2),
        ("issued", Numeric),
        ("remaining", Numeric),
        ("held", Numeric),
        ("consumed", Numeric),
        ("expired", Numeric),
        ("voided", Numeric),
        ("rolled_over", Numeric),
        ("returned", Numeric),
        ("moved", Numeric),
        ("lot", Text),
        ("grant_id", Text),
        ("unit", Text),
        ("origin", Text),
        ("category", Text),
        ("cost", Numeric),
        ("currency", Text),
    ],
    is_partitioned: false,
    conflict: "on conflict (wallet, lot) do update set starts_at = excluded.starts_at, \
        ends_at = excluded.ends_at, priority = excluded.priority, issued = excluded.issued, \
        remaining = excluded.remaining, held = excluded.held, consumed = excluded.consumed, \
        expired = excluded.expired, voided = excluded.voided, rolled_over = excluded.rolled_over, \
        returned = excluded.returned, moved = excluded.moved, grant_id = excluded.grant_id, \
        unit = excluded.unit, origin = excluded.origin, category = excluded.category, \
        cost = excluded.cost, currency = excluded.currency",
};

pub(super) static GRANTED: Table = Table {
    name: "granted",
    columns: &[
        ("wallet", Int8),
        ("\"offset\"", Int8),
        ("effective_at", Int8),
        ("expires_at", Int8),
        ("priority", Int2),
        ("amount", Numeric),
        ("grant_id", Text),
        ("unit", Text),
        ("category", Text),
        ("purchase", Text),
        ("body", Text),
    ],
    is_partitioned: false,
    conflict: "",
};

pub(super) static DEPARTED: Table = Table {
    name: "departed",
    columns: &[("wallet", Int8), ("kind", Int2), ("key", Text), ("purchase", Text), ("doc", Text)],
    is_partitioned: false,
    conflict: "on conflict (wallet, kind, key) do update set purchase = excluded.purchase, doc = excluded.doc",
};

pub(super) static COUNTER: Table = Table {
    name: "counter",
    columns: &[("wallet", Int8), ("period", Int8), ("value", Numeric), ("price", Text), ("charge", Text)],
    is_partitioned: false,
    conflict: "on conflict (wallet, price, charge, period) do update set value = excluded.value",
};

pub(super) static QUARANTINE: Table = Table {
    name: "quarantine",
    columns: &[("partition", Int4), ("\"offset\"", Int8), ("digest", Bytes), ("reason", Text)],
    is_partitioned: false,
    conflict: "",
};

pub(super) static FILTER: Table = Table {
    name: "filter",
    columns: &[("partition", Int4), ("segment", Int8), ("bits", Bytes)],
    is_partitioned: false,
    conflict: "on conflict (partition, segment) do update set bits = excluded.bits",
};

pub(super) static CATALOGUE: Table = Table {
    name: "catalogue",
    columns: &[("partition", Int4), ("document", Text)],
    is_partitioned: false,
    conflict: "on conflict (partition) do update set document = excluded.document",
};

pub(super) static ID_OPEN: Table = Table {
    name: "id_open",
    columns: &[("partition", Int4), ("segment", Int8), ("since", Int8), ("ids", Bytes)],
    is_partitioned: false,
    conflict: "",
};

pub(super) static ID_SEGMENT: Table = Table {
    name: "id_segment",
    columns: &[("partition", Int4), ("segment", Int8), ("parts", Int8), ("open", Int8)],
    is_partitioned: false,
    conflict: "on conflict (partition, segment) do update set open = id_segment.open + excluded.open",
};

pub(super) static ID_PART: Table = Table {
    name: "id_part",
    columns: &[("partition", Int4), ("segment", Int8), ("bucket", Int4), ("part", Int8), ("ids", Bytes)],
    is_partitioned: false,
    conflict: "",
};
