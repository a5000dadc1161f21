//! Listens for Docker's own syslog driver.

use super::send::Outbox;
use crate::docker::Client;
use core::net::SocketAddr;

/// Listens until dropped. `host`: this node's name, for what comes without one.
pub async fn run(listen: SocketAddr, host: &str, docker: &Client, outbox: &Outbox) {
    let _ = (listen, host, docker, outbox);
    core::future::pending().await
}
