//! What only a database can show: other builds, roles, lost connections, the views.

pub(crate) mod place;
