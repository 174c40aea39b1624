//! What only a database can show: other builds, roles, lost connections, the views.

mod costs;
mod lines;
mod lost;
mod opening;
pub(crate) mod place;
mod rights;
mod views;
