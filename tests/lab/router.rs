//! What the daemons are told: one virtual router, in the words of either.

use super::{v4, v6};
use std::net::IpAddr;
use std::time::Duration;

/// A process to watch, with its weight.
#[derive(Debug, Clone, Copy)]
pub struct Track {
    pub process: &'static str,
    pub interval: u32,
    /// 0: a failure is a fault.
    pub weight: i32,
}

/// One virtual router, the same for both daemons.
#[derive(Debug, Clone)]
pub struct Router {
    pub vrid: u8,
    pub version: u8,
    pub advert: Duration,
    pub password: Option<&'static str>,
    pub multicast: bool,
    /// With prefix length.
    pub vips: Vec<&'static str>,
    pub nodes: Vec<(IpAddr, u8)>,
    pub tracks: Vec<Track>,
}

impl Router {
    /// The user's virtual router (VRRPv2, password, unicast, VRID 12), with these priorities and no checks.
    pub fn v2(priorities: &[u8]) -> Self {
        Self {
            vrid: 12,
            version: 2,
            advert: Duration::from_secs(1),
            password: Some("pass1234"),
            multicast: false,
            vips: vec!["10.0.10.39/24"],
            nodes: priorities.iter().enumerate().map(|(i, p)| (v4(i), *p)).collect(),
            tracks: Vec::new(),
        }
    }

    /// VRRPv3 over IPv4 unicast.
    pub fn v3(priorities: &[u8], advert: Duration) -> Self {
        Self { version: 3, password: None, advert, ..Self::v2(priorities) }
    }

    /// VRRPv3 over IPv6 unicast.
    pub fn ipv6(priorities: &[u8], advert: Duration) -> Self {
        let nodes = priorities.iter().enumerate().map(|(i, p)| (v6(i), *p)).collect();
        Self { nodes, vips: vec!["fd00:10::39/64"], ..Self::v3(priorities, advert) }
    }

    /// The user's two checks with weights of one's choice.
    pub fn tracking(mut self, dockerd: i32, traefik: i32) -> Self {
        self.tracks = vec![
            Track { process: "dockerd", interval: 1, weight: dockerd },
            Track { process: "traefik", interval: 30, weight: traefik },
        ];
        self
    }

    /// Adverts to the group instead of to each peer.
    pub fn by_multicast(mut self) -> Self {
        self.multicast = true;
        self
    }

    /// This router as flags of ours.
    pub fn flags(&self) -> Vec<String> {
        let mut flags: Vec<String> = Vec::new();
        let mut flag = |name: &str, value: String| flags.extend([name.to_owned(), value]);
        flag("--vrid", self.vrid.to_string()); // first: what follows belongs to it
        flag("--interface", "eth0".to_owned());
        for vip in &self.vips {
            flag("--vip", (*vip).to_owned());
        }
        flag("--vrrp", self.version.to_string());
        flag("--advert", format!("{}ms", self.advert.as_millis()));
        for (address, priority) in &self.nodes {
            flag("--node", format!("{address}={priority}"));
        }
        if let Some(password) = self.password {
            flag("--auth-pass", password.to_owned());
        }
        for Track { process, interval, weight } in &self.tracks {
            let weight = if *weight == 0 { String::new() } else { format!(",weight={weight}") };
            flag("--track", format!("process:{process},interval={interval}s{weight}"));
        }
        if self.multicast {
            flags.push("--multicast".to_owned());
        }
        flags
    }

    /// This router as a keepalived.conf of node `me`.
    pub fn conf(&self, me: usize) -> String {
        let scripts: Vec<String> = self.tracks.iter().map(script).collect();
        let global = block("global_defs", &["script_user root".into(), "enable_script_security".into()]);
        global + &scripts.concat() + &block("vrrp_instance VI", &self.instance(me))
    }

    fn instance(&self, me: usize) -> Vec<String> {
        let (address, priority) = self.nodes[me];
        let mut lines = vec![
            "state BACKUP".into(),
            "interface eth0".into(),
            format!("version {}", self.version),
            format!("virtual_router_id {}", self.vrid),
            format!("priority {priority}"),
            format!("advert_int {}", self.advert.as_secs_f64()),
        ];
        if let Some(password) = self.password {
            lines.push(block("authentication", &["auth_type PASS".into(), format!("auth_pass {password}")]));
        }
        if !self.multicast {
            let peers = self.nodes.iter().map(|n| n.0).filter(|a| *a != address);
            lines.push(format!("unicast_src_ip {address}"));
            lines.push(block("unicast_peer", &peers.map(|a| a.to_string()).collect::<Vec<_>>()));
        }
        if !self.tracks.is_empty() {
            let names: Vec<String> = self.tracks.iter().map(|t| t.process.into()).collect();
            lines.push(block("track_script", &names));
        }
        let vips: Vec<String> = self.vips.iter().map(|v| (*v).into()).collect();
        lines.push(block("virtual_ipaddress", &vips));
        lines
    }
}

fn script(track: &Track) -> String {
    let Track { process, interval, weight } = track;
    let pgrep = format!("script \"/usr/bin/pgrep {process}\"");
    block(
        &format!("vrrp_script {process}"),
        &[pgrep, format!("interval {interval}"), format!("weight {weight}")],
    )
}

/// A block of a keepalived.conf.
fn block(name: &str, lines: &[String]) -> String {
    format!("{name} {{\n{}\n}}\n", lines.join("\n"))
}
