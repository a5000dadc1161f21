//! What goes wrong on a network, and mending it. Each returns the moment it happened.

use super::{Lab, Node, ip, netns};
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

impl Lab {
    fn port(&self, node: usize, what: &str) -> Instant {
        let at = Instant::now();
        ip(&format!("-n {} link set p{} {what}", self.bridge(), node + 1));
        at
    }

    /// The cable comes out: the node's carrier goes.
    pub fn unplug(&self, node: usize) -> Instant {
        self.port(node, "down")
    }

    /// The cable goes back in.
    pub fn plug(&self, node: usize) -> Instant {
        self.port(node, "up")
    }

    /// The cable is cut where the node cannot see it: carrier stays, no frame passes.
    pub fn cut(&self, node: usize) -> Instant {
        self.port(node, "nomaster")
    }

    /// The silent cut is mended.
    pub fn heal(&self, node: usize) -> Instant {
        self.port(node, "master br0")
    }

    /// Adverts no longer reach `node`; its own still leave.
    pub fn deafen(&self, node: usize) -> Instant {
        let port = node + 1;
        self.filter(&format!("oifname p{port} ip protocol 112 drop; oifname p{port} ip6 nexthdr 112 drop;"))
    }

    /// Each advert is lost with this probability, on each port by itself.
    pub fn lose(&self, percent: u8) -> Instant {
        let dice = format!("numgen random mod 100 < {percent} drop");
        self.filter(&format!("ip protocol 112 {dice}; ip6 nexthdr 112 {dice};"))
    }

    /// Ends `deafen` and `lose`.
    pub fn hear(&self) -> Instant {
        let at = Instant::now();
        netns::nft(&self.bridge(), "add table bridge lab; delete table bridge lab");
        at
    }

    fn filter(&self, rules: &str) -> Instant {
        let chain = format!("chain f {{ type filter hook forward priority 0; {rules} }};");
        let at = Instant::now();
        netns::nft(&self.bridge(), &format!("table bridge lab {{ {chain} }}"));
        at
    }
}

impl Node {
    /// `ip link set eth0 down` inside. IPv6 addresses go with it, as the kernel does.
    pub fn link_down(&self) -> Instant {
        let at = Instant::now();
        ip(&format!("-n {} link set eth0 down", self.netns));
        at
    }

    /// The link comes up again and whoever configures the machine puts its own addresses back.
    pub fn link_up(&self) -> Instant {
        let at = Instant::now();
        ip(&format!("-n {} link set eth0 up", self.netns));
        self.add_own();
        at
    }

    /// Every address on eth0 is removed, the VIP too (what a DHCP client or networkd may do).
    pub fn flush(&self) -> Instant {
        let at = Instant::now();
        ip(&format!("-n {} addr flush dev eth0", self.netns));
        at
    }

    /// The node's own addresses come (back).
    pub fn add_own(&self) -> Instant {
        let at = Instant::now();
        netns::add_addresses(&self.netns, 31 + self.index);
        at
    }

    /// Somebody removes one address.
    pub fn remove(&self, address: IpAddr) -> Instant {
        let listed = ip(&format!("-n {} -o addr show dev eth0 to {address}", self.netns));
        let with_prefix =
            listed.split_whitespace().nth(3).unwrap_or_else(|| panic!("{address} is not on eth0"));
        let at = Instant::now();
        ip(&format!("-n {} addr del {with_prefix} dev eth0", self.netns));
        at
    }
}

/// Processes that want all the CPU there is; each ends by itself after its CPU time, and all on drop.
pub struct Hogs(Vec<Child>);

impl Hogs {
    /// Starts `count` of them, for `bound` of CPU time each.
    pub fn start(count: usize, bound: Duration) -> Self {
        let script = format!("ulimit -t {}; while :; do :; done", bound.as_secs().max(1));
        let hog =
            |_| Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).spawn().expect("sh runs");
        Self((0..count).map(hog).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            hog.kill().ok();
            hog.wait().ok();
        }
    }
}
