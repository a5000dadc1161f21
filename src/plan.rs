//! What each single failure on each node does to the VIP, computed from the flags alone.

use core::net::IpAddr;
use core::time::Duration;

use crate::checks::Track;
use crate::vrrp::{PriorityRange, Version};

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
    /// The nodes. With `--peer` only this one: its address is unspecified where `--source` does not say it.
    pub nodes: Vec<Node>,
    /// With `--peer`: nodes whose priorities nobody here knows.
    pub unknown_peers: Vec<IpAddr>,
    /// The same on every node.
    pub tracks: Vec<Track>,
    /// Does a better node take the VIP back?
    pub preempt: bool,
}

/// A node of the cluster with its priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its address.
    pub addr: IpAddr,
    /// Priority before weights.
    pub base: u8,
    /// What the weights can make of it.
    pub range: PriorityRange,
    /// This machine.
    pub here: bool,
}
