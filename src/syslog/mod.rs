//! Logs with names: what containers print, what Docker does and who holds the VIP, sent to a syslog server (`--syslog`).
//!
//! `target` is where to, `message` the wire (RFC 5424, RFC 3164, framing), `queue` what waits while the server is away,
//! `names` who speaks, `cursor` where reading goes on after a restart, `relay` what Docker's own syslog driver sends
//! (`--syslog-relay`). All of these are pure; `run` follows, listens and sends, in the housekeeper.

pub mod cursor;
pub mod happened;
pub mod ledger;
pub mod lines;
pub mod message;
pub mod names;
pub mod queue;
pub mod relay;
pub mod run;
mod target;

use core::net::SocketAddr;

pub use message::Message;
pub use names::Speaker;
pub use queue::{Keep, Queue};
pub use target::{Format, Framing, Target, Transport};

/// What is shipped where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where logs go (`--syslog`).
    pub target: Target,
    /// Where Docker's own syslog driver sends to (`--syslog-relay`).
    pub relay: Option<SocketAddr>,
}
