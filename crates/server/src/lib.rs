//! The process `drawdown`: its documents, command line and HTTP. The binary is a thin `main` over this library.

mod applying;
mod bench;
pub mod cli;
mod clock;
mod commands;
pub mod context;
mod correcting;
pub mod documents;
mod exit;
mod folder;
mod from_topic;
mod holding;
mod http;
mod intake;
pub mod keys;
mod lock;
mod outbound;
pub mod places;
mod progress;
mod projecting;
mod rerating;
mod scheduling;
mod stop;
pub mod telemetry;
mod upto;
mod view;

pub use exit::Exit;
