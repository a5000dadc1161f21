//! One virtual router's flags, read: texts become values, and what is wrong with one value or with two of them
//! together becomes a finding. Whether they fit this machine is `router`'s question.

use core::net::IpAddr;
use core::time::Duration;
use std::path::PathBuf;

use super::args::RouterArgs;
use super::cluster::{self, NodeFlag};
use super::finding::Findings;
use super::{secret, track};
use crate::checks::{Kind, Track};
use crate::duration;
use crate::vrrp::{Auth, Checksum, MAX_PEERS, MAX_VIPS, Preempt, Version, Vip};

/// keepalived's default.
const PRIORITY: u8 = 100;
/// The default of this project: nobody else's, as keepalived's examples all use it, but free in most networks.
const VRID: u8 = 51;
/// keepalived's default, and version 2's shortest.
const ADVERT: Duration = Duration::from_secs(1);
/// A frame a minute keeps caches and switches right after whatever happened to them.
const GARP_REFRESH: Duration = Duration::from_mins(1);

/// The values.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub vrid: u8,
    pub interface: Option<String>,
    pub vips: Vec<Vip>,
    pub who: Who,
    pub multicast: bool,
    pub version: Version,
    pub advert: Duration,
    pub auth: Auth,
    pub checksum: Checksum,
    pub preempt: Preempt,
    pub lease: bool,
    pub garp_refresh: Option<Duration>,
    pub on_change: Option<PathBuf>,
    pub tracks: Vec<Track>,
}

/// Who is in the cluster.
#[derive(Clone, Debug)]
pub enum Who {
    /// `--node`: all of them.
    Nodes(Vec<NodeFlag>),
    /// `--priority`, `--peer`, `--source`: this one, and addresses.
    Peers { priority: u8, peers: Vec<IpAddr>, source: Option<IpAddr> },
}

impl Wanted {
    /// Reads the flags of one virtual router. Values that cannot be read leave a finding and their default.
    pub fn read(args: &RouterArgs, findings: &mut Findings) -> Self {
        let auth = read_auth(args, findings);
        let version = read_version(args, auth, findings);
        let wanted = Self {
            vrid: read_vrid(args, findings),
            interface: read_interface(args, findings),
            vips: all("vip", &args.vip, parse_vip, findings),
            who: read_who(args, findings),
            multicast: is_on("multicast", &args.multicast, false, findings),
            version,
            advert: one("advert", &args.advert, duration::parse, findings).unwrap_or(ADVERT),
            auth,
            checksum: match last("checksum", &args.checksum, findings) {
                Some("rfc9568") => Checksum::Rfc9568,
                Some(_) | None => Checksum::Pseudo,
            },
            preempt: read_preempt(args, findings),
            lease: is_on("lease", &args.lease, true, findings),
            garp_refresh: Some(
                one("garp-refresh", &args.garp_refresh, duration::parse, findings).unwrap_or(GARP_REFRESH),
            )
            .filter(|refresh| !refresh.is_zero()),
            on_change: one("on-change", &args.on_change, parse_program, findings),
            tracks: read_tracks(args, findings),
        };
        wanted.check(findings);
        wanted
    }

    /// The addresses of the other nodes and, where it is listed, of this one.
    pub fn nodes(&self) -> Vec<IpAddr> {
        match &self.who {
            Who::Nodes(nodes) => nodes.iter().map(|node| node.addr).collect(),
            Who::Peers { priority: _, peers, source: _ } => peers.clone(),
        }
    }

    /// The families its VIPs belong to: IPv4 first.
    pub fn families(&self) -> Vec<Family> {
        let has = |ipv6: bool| self.vips.iter().any(|vip| vip.addr.is_ipv6() == ipv6);
        [Family::V4, Family::V6].into_iter().filter(|family| has(*family == Family::V6)).collect()
    }

    /// The version spoken in a family: version 2 knows IPv4 only.
    pub fn version_in(&self, family: Family) -> Version {
        if family == Family::V6 { Version::V3 } else { self.version }
    }

    fn check(&self, findings: &mut Findings) {
        self.check_vips(findings);
        self.check_advert(findings);
        if self.version == Version::V2 && self.families().contains(&Family::V6) {
            findings.warn(format!(
                "--vrid {}: version 2 and its password are for IPv4 only: the IPv6 VIP speaks version 3 without password",
                self.vrid
            ));
        }
        for (at, track) in self.tracks.iter().enumerate() {
            if self.tracks[..at].iter().any(|other| other.kind == track.kind) {
                findings.config(format!("--track {}: is given twice", track.kind.as_flag()));
            }
        }
    }

    fn check_vips(&self, findings: &mut Findings) {
        if self.vips.is_empty() {
            findings.config(format!(
                "--vrid {}: has no --vip (the flags of a second virtual router come after its --vrid)",
                self.vrid
            ));
        }
        for (at, vip) in self.vips.iter().enumerate() {
            if self.vips[..at].iter().any(|other| other.addr == vip.addr) {
                findings.config(format!("--vip {}: is given twice", vip.addr));
            }
            if self.addresses().contains(&vip.addr) {
                findings.config(format!(
                    "--vip {}: is a node's own address: a VIP is one more address, which no node has for itself",
                    vip.addr
                ));
            }
        }
        for family in self.families() {
            let count = self.vips.iter().filter(|vip| Family::of(vip.addr) == family).count();
            if count > MAX_VIPS {
                findings.config(format!(
                    "--vip: {count} are too many for --vrid {}: at most {MAX_VIPS}",
                    self.vrid
                ));
            }
        }
    }

    /// Addresses of nodes, peers and this node, as far as the flags name them.
    pub fn addresses(&self) -> Vec<IpAddr> {
        match &self.who {
            Who::Nodes(nodes) => nodes.iter().map(|node| node.addr).collect(),
            Who::Peers { peers, source, .. } => peers.iter().chain(source).copied().collect(),
        }
    }

    fn check_advert(&self, findings: &mut Findings) {
        let shown = duration::show(self.advert);
        let millis = self.advert.as_millis();
        let families = self.families();
        if families.contains(&Family::V4)
            && self.version == Version::V2
            && !(millis.is_multiple_of(1000) && (1000..=255_000).contains(&millis))
        {
            let why = if self.auth == Auth::None { "--vrrp 2" } else { "a password" };
            findings.config(format!(
                "--advert {shown}: version 2 ({why}) counts whole seconds, 1s to 255s: say 1s, or use version 3"
            ));
        }
        let speaks_v3 = families.iter().any(|family| self.version_in(*family) == Version::V3);
        if speaks_v3 && !(millis.is_multiple_of(10) && (10..=40_950).contains(&millis)) {
            findings.config(format!("--advert {shown}: version 3 counts steps of 10ms, 10ms to 40950ms"));
        }
    }
}

/// Address family of a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// Of an address.
    pub fn of(addr: IpAddr) -> Self {
        if addr.is_ipv6() { Self::V6 } else { Self::V4 }
    }
}

/// The one value a flag may have for each `--vrid`.
fn last<'a>(flag: &str, given: &'a [String], findings: &mut Findings) -> Option<&'a str> {
    if given.len() > 1 {
        let values =
            if flag.starts_with("auth-pass") { String::new() } else { format!(" ({})", given.join(", ")) };
        findings.usage(format!("--{flag}: is given {} times{values}: once for each --vrid", given.len()));
    }
    given.last().map(String::as_str)
}

fn one<T>(
    flag: &str,
    given: &[String],
    parse: impl Fn(&str) -> Result<T, String>,
    findings: &mut Findings,
) -> Option<T> {
    let text = last(flag, given, findings)?;
    findings.value(flag, text, parse(text))
}

fn all<T>(
    flag: &str,
    given: &[String],
    parse: impl Fn(&str) -> Result<T, String>,
    findings: &mut Findings,
) -> Vec<T> {
    given.iter().filter_map(|text| findings.value(flag, text, parse(text))).collect()
}

fn is_on(flag: &str, given: &[String], default: bool, findings: &mut Findings) -> bool {
    last(flag, given, findings).map_or(default, |value| value == "on")
}

fn read_vrid(args: &RouterArgs, findings: &mut Findings) -> u8 {
    let parse = |text: &str| match text.parse() {
        Ok(0) | Err(_) => Err("expected a number, 1 to 255".to_string()),
        Ok(vrid) => Ok(vrid),
    };
    one("vrid", &args.vrid, parse, findings).unwrap_or(VRID)
}

fn read_interface(args: &RouterArgs, findings: &mut Findings) -> Option<String> {
    let parse = |text: &str| {
        track::is_interface(text)
            .then(|| text.to_string())
            .ok_or_else(|| "expected an interface name, as eth0".into())
    };
    one("interface", &args.interface, parse, findings)
}

fn read_tracks(args: &RouterArgs, findings: &mut Findings) -> Vec<Track> {
    let degrees =
        |text: &str| super::jobs::whole(text, 1, 150).map(|degrees| u8::try_from(degrees).unwrap_or(u8::MAX));
    let given = one("too-hot", &args.too_hot, degrees, findings);
    let mut tracks = all("track", &args.track, track::parse, findings);
    for track in &mut tracks {
        if let (Kind::Board { too_hot }, Some(degrees)) = (&mut track.kind, given) {
            *too_hot = degrees;
        }
    }
    tracks
}

fn read_who(args: &RouterArgs, findings: &mut Findings) -> Who {
    let other = [("priority", &args.priority), ("peer", &args.peer), ("source", &args.source)];
    if !args.node.is_empty() {
        for (flag, _) in other.iter().filter(|(_, given)| !given.is_empty()) {
            findings.config(format!(
                "--{flag}: --node says it already: use either --node, or --priority, --peer, --source"
            ));
        }
        let nodes = all("node", &args.node, cluster::parse, findings);
        if nodes.len() == 1 && args.node.len() == 1 {
            findings.warn(format!(
                "--node {}: is alone, so nobody can take the VIP over: list every node of the cluster, this one included",
                nodes[0].addr
            ));
        }
        if nodes.len() > MAX_PEERS + 1 {
            findings.config(format!("--node: {} are too many: at most {}", nodes.len(), MAX_PEERS + 1));
        }
        return Who::Nodes(nodes);
    }
    if args.peer.is_empty() && !is_on("multicast", &args.multicast, false, findings) {
        findings.config("no --node: list every node of the cluster (--node 10.0.0.1 --node 10.0.0.2 …), or give --multicast");
    }
    if args.peer.len() > MAX_PEERS {
        findings.config(format!("--peer: {} are too many: at most {MAX_PEERS}", args.peer.len()));
    }
    let source = one("source", &args.source, cluster::address, findings);
    if !args.peer.is_empty() && args.source.is_empty() {
        findings.warn(
            "--peer without --source: adverts come from the interface's first address; the others must list exactly that",
        );
    }
    let priority = one("priority", &args.priority, cluster::base, findings).unwrap_or(PRIORITY);
    Who::Peers { priority, peers: all("peer", &args.peer, cluster::address, findings), source }
}

fn read_auth(args: &RouterArgs, findings: &mut Findings) -> Auth {
    let text = last("auth-pass", &args.auth_pass, findings);
    let file = last("auth-pass-file", &args.auth_pass_file, findings);
    let password = match (text, file) {
        (None, None) => return Auth::None,
        (Some(text), None) => secret::from_text(text, findings),
        (None, Some(path)) => secret::from_file(path, findings),
        (Some(_), Some(_)) => {
            findings.config("--auth-pass and --auth-pass-file: give one of them");
            None
        }
    };
    // What cannot be read has its finding and must not turn into "no password", which would bring more of them.
    Auth::Pass(password.unwrap_or_default())
}

fn read_version(args: &RouterArgs, auth: Auth, findings: &mut Findings) -> Version {
    match (last("vrrp", &args.vrrp, findings), auth) {
        (Some("2"), _) | (None, Auth::Pass(_)) => Version::V2,
        (Some(_), Auth::Pass(_)) => {
            findings.config("--vrrp 3: has no password: leave out --auth-pass, or use --vrrp 2");
            Version::V3
        }
        (Some(_) | None, Auth::None) => Version::V3,
    }
}

fn read_preempt(args: &RouterArgs, findings: &mut Findings) -> Preempt {
    let delay = one("preempt-delay", &args.preempt_delay, duration::parse, findings);
    if !is_on("no-preempt", &args.no_preempt, false, findings) {
        return Preempt::After(delay.unwrap_or_default());
    }
    if delay.is_some_and(|delay| !delay.is_zero()) {
        findings.warn("--preempt-delay: does nothing with --no-preempt");
    }
    Preempt::Never
}

fn parse_program(text: &str) -> Result<PathBuf, String> {
    text.starts_with('/')
        .then(|| PathBuf::from(text))
        .ok_or_else(|| "expected an absolute path to a program".into())
}

/// Reads `ADDR[/LEN]`. The error says what was expected.
pub fn parse_vip(text: &str) -> Result<Vip, String> {
    let expected = || "expected ADDR or ADDR/LEN, as 10.0.0.50/24".to_string();
    let (addr, prefix) = text.split_once('/').map_or((text, None), |(addr, prefix)| (addr, Some(prefix)));
    let addr: IpAddr = addr.parse().map_err(|_| expected())?;
    if addr.is_unspecified() || addr.is_multicast() || addr.is_loopback() {
        return Err("expected an address that one node at a time can have".into());
    }
    let longest = if addr.is_ipv6() { 128 } else { 32 };
    let prefix = prefix.map_or(Ok(longest), |prefix| super::jobs::whole(prefix, 1, longest));
    let prefix = prefix.map_err(|_| format!("expected a prefix length, 1 to {longest}"))?;
    Ok(Vip { addr, prefix: u8::try_from(prefix).map_err(|_| expected())? })
}
