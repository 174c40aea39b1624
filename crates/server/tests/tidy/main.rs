//! The house's rules, each a test; docs/style.md says what they are for.
#![allow(clippy::unwrap_used)]

mod code;
mod files;
mod pages;
