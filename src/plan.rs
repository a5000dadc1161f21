//! What each single failure on each node does to the VIP, computed from the flags alone.

use core::time::Duration;

use crate::checks::Track;
use crate::flags::Node;
use crate::vrrp::Version;

/// One virtual router as all its nodes run it.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Virtual router identifier.
    pub vrid: u8,
    /// Its addresses, as text.
    pub vips: Vec<String>,
    /// Protocol version: it scales the skew.
    pub version: Version,
    /// Between two adverts.
    pub interval: Duration,
    /// The nodes. One of unknown peers with `--peer`.
    pub nodes: Vec<Node>,
    /// The same on every node.
    pub tracks: Vec<Track>,
    /// Does a better node take the VIP back?
    pub preempt: bool,
}
