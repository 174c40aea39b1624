//! What is Kafka's alone: making the topic, being sure that it still is the same log, and a broker that goes away.
#![allow(clippy::unwrap_used)]

mod away;
mod following;
mod foreign;
mod making;
mod replicas;
mod same_log;
mod turns;
mod world;
