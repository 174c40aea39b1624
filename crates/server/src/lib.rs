//! The process `drawdown`: its documents, command line and HTTP. The binary is a thin `main` over this library.

pub mod cli;
mod commands;
pub mod context;
pub mod documents;
mod exit;
mod intake;
mod lock;
mod progress;
mod projecting;
mod stop;
mod view;

pub use exit::Exit;
