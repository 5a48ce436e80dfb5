//! The mock server against the API's description, topic by topic.
//!
//! Requests go through its router, in process; only the tests of connections use a socket.

mod bugs;
mod clock;
mod connections;
mod faults;
mod generation;
mod healing;
mod observed;
mod page;
mod rejections;
mod request_log;
mod results;
mod routes;
mod runs;
mod server;
mod shards;
mod vendor_client;
