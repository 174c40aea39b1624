//! The commands, each with its arguments, what it does, and what it prints.

pub(crate) mod completions;
pub(crate) mod init;
pub(crate) mod project;
pub(crate) mod run;
pub(crate) mod tick;
