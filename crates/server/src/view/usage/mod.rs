//! Usage: what was reported, what it was charged, and what it cost us.

pub(crate) mod costs;
pub(crate) mod list;
mod pages;
mod quantities;
mod rating;
pub(crate) mod sums;

pub(crate) use pages::Filter;
