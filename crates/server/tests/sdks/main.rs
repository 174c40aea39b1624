//! Other people's SDKs, as they are published, send events to the real server and ask it for access. They are installed under
//! `target/sdks`, with what they need; where that cannot be done, the tests fail and say what to install.
#![allow(clippy::unwrap_used)]

mod cloudevents;
#[path = "../process/drawdown.rs"]
mod drawdown;
mod installed;
mod openmeter;
#[path = "../process/place.rs"]
mod place;
mod schemathesis;
#[path = "../http/server.rs"]
mod server;
mod story;
