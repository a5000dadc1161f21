//! `check`: is this machine ready for these flags? Each line says ok, warn or fail, and the one command that mends it.
//!
//! `read` makes sense of what /proc and sysctls say (pure), `docker` asks Docker's socket, `ceph` the managers, `dns`
//! name servers, `pi` looks for what a Raspberry Pi lacks as it comes, this file looks and judges.

mod ceph;
mod dns;
mod docker;
mod pi;
mod read;

use crate::sorted::Set;
use core::fmt::Write;
use std::fs;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use crate::dns::judge::Cluster;
use crate::flags::{Config, Finding, Resolved, Severity, Taken};
use crate::sys::caps::{self, Capability};
use crate::sys::clock;
use crate::sysexits::{EX_CONFIG, EX_NOPERM, EX_UNAVAILABLE};

/// How one thing looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Ok,
    /// It runs, but less well than it could.
    Warn,
    /// It does not run.
    Fail,
    /// It does not run for want of permission: exit 77.
    Denied,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it looks.
    pub mark: Mark,
    /// What was looked at.
    pub what: &'static str,
    /// What was seen.
    pub seen: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

impl Line {
    fn ok(what: &'static str, seen: impl Into<String>) -> Self {
        Self { mark: Mark::Ok, what, seen: seen.into(), mend: None }
    }

    fn bad(mark: Mark, what: &'static str, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { mark, what, seen: seen.into(), mend: Some(mend.into()) }
    }
}

/// Runs as what systemd's unit gives; by hand, root has it all.
const AS_ROOT: &str = "sudo unsinkable check …";

/// Looks at everything.
pub fn check(
    resolved: &Result<Resolved, Vec<Finding>>,
    docker: &Path,
    board: &Taken,
    dns: &[String],
) -> Vec<Line> {
    let mut lines = flags(resolved);
    lines.push(Line::ok("board", board.to_string()));
    lines.push(capabilities());
    lines.push(protocol_112(AddressFamily::Inet));
    lines.push(firewall());
    if let Ok(Resolved::Ready(config)) = resolved {
        lines.extend(interfaces(config));
    }
    lines.push(nonlocal_bind());
    lines.push(real_time());
    lines.push(locked_memory());
    lines.push(clock_is_right());
    if board.is_pi() {
        lines.extend(pi::lines(Path::new("/")));
    }
    lines.extend(docker::lines(docker));
    if let Ok(Resolved::Ready(config)) = resolved {
        lines.extend(ceph::lines(&config.housekeeping.ceph));
    }
    lines.extend(dns::lines(dns, &cluster(resolved)));
    lines
}

/// What a name should point at, and what it should not.
fn cluster(resolved: &Result<Resolved, Vec<Finding>>) -> Cluster {
    let Ok(Resolved::Ready(config)) = resolved else { return Cluster::default() };
    let vips = config.routers.iter().flat_map(|router| &router.settings.vips);
    Cluster { vips: vips.map(|vip| vip.addr).collect(), nodes: config.housekeeping.nodes.clone() }
}

/// 0 while nothing fails; else the flags come before a missing right, and that before all other failures.
pub fn exit_code(lines: &[Line]) -> u8 {
    let has = |mark| lines.iter().any(|line| line.mark == mark);
    match () {
        () if lines.iter().any(|line| line.what == "flags" && line.mark == Mark::Fail) => EX_CONFIG,
        () if has(Mark::Denied) => EX_NOPERM,
        () if has(Mark::Fail) => EX_UNAVAILABLE,
        () => 0,
    }
}

/// The lines for a terminal.
pub fn render(lines: &[Line]) -> String {
    let mut text = String::new();
    let width = lines.iter().map(|line| line.what.len()).max().unwrap_or(0);
    for line in lines {
        let mark = match line.mark {
            Mark::Ok => "ok  ",
            Mark::Warn => "warn",
            Mark::Fail | Mark::Denied => "fail",
        };
        // Writing into a String does not fail.
        let _ = writeln!(text, "{mark}  {:<width$}  {}", line.what, line.seen);
        if let Some(mend) = &line.mend {
            let _ = writeln!(text, "      {:<width$}  → {mend}", "");
        }
    }
    text
}

fn flags(resolved: &Result<Resolved, Vec<Finding>>) -> Vec<Line> {
    let finding = |finding: &Finding| Line {
        mark: if finding.severity == Severity::Warning { Mark::Warn } else { Mark::Fail },
        what: "flags",
        seen: finding.text.clone(),
        mend: None,
    };
    match resolved {
        Err(findings) => findings.iter().map(finding).collect(),
        Ok(Resolved::NotYet(waiting)) => {
            vec![Line::bad(Mark::Warn, "flags", &waiting.text, "ip address show")]
        }
        Ok(Resolved::Ready(config)) => {
            let routers = config.routers.iter().map(|router| {
                let vips: Vec<String> = router.settings.vips.iter().map(|vip| vip.addr.to_string()).collect();
                let seen =
                    format!("VRID {} for {} on {}", router.settings.vrid, vips.join(", "), router.interface);
                Line::ok("flags", seen)
            });
            routers.chain(config.warnings.iter().map(finding)).collect()
        }
    }
}

fn capabilities() -> Line {
    let held = match caps::effective() {
        Ok(held) => held,
        Err(failure) => return Line::bad(Mark::Warn, "capabilities", failure.to_string(), AS_ROOT),
    };
    let lacking: Vec<&str> =
        Capability::NEEDED.iter().filter(|wanted| !held.has(**wanted)).map(|wanted| wanted.name()).collect();
    match lacking.as_slice() {
        [] => Line::ok("capabilities", "CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_NICE"),
        ["CAP_SYS_NICE"] => {
            Line::bad(Mark::Warn, "capabilities", "CAP_SYS_NICE is missing: no real-time scheduling", AS_ROOT)
        }
        more => Line::bad(Mark::Denied, "capabilities", format!("{} missing", more.join(", ")), AS_ROOT),
    }
}

fn protocol_112(family: AddressFamily) -> Line {
    let opened = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, nix::sys::socket::SockProtocol::Raw);
    match opened {
        Ok(_) => Line::ok("protocol 112", "a raw socket opens"),
        Err(nix::errno::Errno::EPERM | nix::errno::Errno::EACCES) => {
            Line::bad(Mark::Denied, "protocol 112", "a raw socket needs CAP_NET_RAW", AS_ROOT)
        }
        Err(error) => Line::bad(Mark::Fail, "protocol 112", format!("a raw socket: {error}"), "dmesg | tail"),
    }
}

/// Rules cannot be read without parsing nft's netlink; but whether a packet filter is loaded at all is visible.
fn firewall() -> Line {
    let modules = fs::read_to_string("/proc/modules").unwrap_or_default();
    if read::has_packet_filter(&modules) {
        Line {
            mark: Mark::Ok,
            what: "firewall",
            seen: "a packet filter is loaded: it must let protocol 112 in, else two nodes take the VIP"
                .into(),
            mend: Some(
                "nft list ruleset | grep -e policy -e vrrp   (iptables -I INPUT -p 112 -j ACCEPT)".into(),
            ),
        }
    } else {
        Line::ok("firewall", "no packet filter is loaded as a module")
    }
}

/// What is asked of each interface, once.
fn interfaces(config: &Config) -> Vec<Line> {
    let names: Set<&str> = config.routers.iter().map(|router| router.interface.as_str()).collect();
    let about = |name: &str| {
        let routers = config.routers.iter().filter(|router| router.interface == name);
        let prefixes: Vec<u8> = routers
            .flat_map(|router| &router.settings.vips)
            .filter(|vip| !vip.addr.is_ipv6())
            .map(|vip| vip.prefix)
            .collect();
        let mut lines = vec![link(name), arp(name, prefixes.contains(&32))];
        if prefixes.iter().any(|prefix| *prefix < 32) {
            lines.push(promotion(name));
        }
        lines
    };
    names.into_iter().flat_map(about).collect()
}

fn link(name: &str) -> Line {
    let base = Path::new("/sys/class/net").join(name);
    let state = fs::read_to_string(base.join("operstate")).unwrap_or_default();
    // `carrier` cannot be read while the interface is down.
    let carrier = fs::read_to_string(base.join("carrier")).unwrap_or_default();
    match (state.trim(), carrier.trim()) {
        ("down", _) => {
            Line::bad(Mark::Fail, "interface", format!("{name} is down"), format!("ip link set {name} up"))
        }
        (_, "1") => Line::ok("interface", format!("{name} is up and has carrier")),
        (state, _) => Line::bad(
            Mark::Fail,
            "interface",
            format!("{name} has no carrier ({state})"),
            format!("ip link show {name}"),
        ),
    }
}

/// Reads a sysctl of IPv4.
fn sysctl(name: &str) -> Option<u32> {
    let path = format!("/proc/sys/net/ipv4/{name}");
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The kernel uses the larger of `all` and the interface's own for these.
fn larger(interface: &str, name: &str) -> u32 {
    let of = |place: &str| sysctl(&format!("conf/{place}/{name}")).unwrap_or(0);
    of("all").max(of(interface))
}

/// A VIP with the subnet's own length is a secondary address: it goes with the primary unless it is promoted.
fn promotion(interface: &str) -> Line {
    let what = "promote_secondaries";
    if larger(interface, "promote_secondaries") > 0 {
        return Line::ok(what, format!("on: a VIP stays when the first address of {interface} goes"));
    }
    let seen =
        "off: a VIP inside the subnet's own prefix goes when the first address goes, until it is put back";
    Line::bad(Mark::Warn, what, seen, format!("sysctl -w net.ipv4.conf.{interface}.promote_secondaries=1"))
}

/// 2 answers only askers in the address's own subnet, of which a /32 has none; 8 answers nobody (ip-sysctl).
fn arp(interface: &str, is_alone: bool) -> Line {
    let ignore = larger(interface, "arp_ignore");
    if ignore == 8 || (ignore == 2 && is_alone) {
        let seen = format!("{ignore}: nobody gets an answer who asks for the VIP");
        let mend = format!("sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.{interface}.arp_ignore=1");
        return Line::bad(Mark::Fail, "arp_ignore", seen, mend);
    }
    Line::ok("arp_ignore", format!("{ignore}: requests for the VIP are answered"))
}

fn nonlocal_bind() -> Line {
    let seen = match sysctl("ip_nonlocal_bind") {
        Some(1) => "on: services may bind the VIP on every node",
        Some(_) => {
            "off: a service that binds the VIP itself starts only where the VIP is (VRRP does not need it)"
        }
        None => "not readable here",
    };
    let mut line = Line::ok("ip_nonlocal_bind", seen);
    if sysctl("ip_nonlocal_bind") == Some(0) {
        line.mend = Some("only for such services: sysctl -w net.ipv4.ip_nonlocal_bind=1".into());
    }
    line
}

/// Updates wait for times of day, registries for certificates, and logs of three nodes are read side by side.
fn clock_is_right() -> Line {
    if clock::is_synchronized() {
        return Line::ok("clock", "kept right by NTP");
    }
    Line::bad(
        Mark::Warn,
        "clock",
        "nobody keeps it right (VRRP does not need it)",
        "timedatectl set-ntp true",
    )
}

fn real_time() -> Line {
    let what = "real time";
    let may = caps::effective().is_ok_and(|held| held.has(Capability::SysNice));
    let limit = getrlimit(Resource::RLIMIT_RTPRIO).map_or(0, |(soft, _)| soft);
    let runtime = fs::read_to_string("/proc/sys/kernel/sched_rt_runtime_us").unwrap_or_default();
    if runtime.trim() == "0" {
        return Line::bad(
            Mark::Warn,
            what,
            "the kernel grants it no time",
            "sysctl -w kernel.sched_rt_runtime_us=950000",
        );
    }
    if may || limit > 0 {
        return Line::ok(what, "SCHED_RR is permitted");
    }
    Line::bad(Mark::Warn, what, "SCHED_RR is not permitted: a busy machine may send adverts late", AS_ROOT)
}

/// What the process locks: its own small heap and stacks.
const LOCKED: u64 = 8 << 20;

fn locked_memory() -> Line {
    let may = caps::effective().is_ok_and(|held| held.has(Capability::IpcLock));
    let limit = getrlimit(Resource::RLIMIT_MEMLOCK).map_or(0, |(soft, _)| soft);
    if may || limit >= LOCKED {
        return Line::ok("locked memory", "permitted");
    }
    let seen = format!("limited to {} KiB: a machine that swaps may send adverts late", limit >> 10);
    Line::bad(Mark::Warn, "locked memory", seen, "systemctl edit unsinkable   ([Service] LimitMEMLOCK=16M)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_line_makes_the_exit_code() {
        let ok = Line::ok("interface", "eth0");
        let warn = Line::bad(Mark::Warn, "real time", "no", "x");
        let fail = Line::bad(Mark::Fail, "Docker", "no", "x");
        let denied = Line::bad(Mark::Denied, "protocol 112", "no", "x");
        let flags = Line::bad(Mark::Fail, "flags", "no", "x");
        assert_eq!(exit_code(&[ok.clone(), warn.clone()]), 0);
        assert_eq!(exit_code(&[ok.clone(), fail.clone()]), 69);
        assert_eq!(exit_code(&[fail.clone(), denied.clone()]), 77);
        assert_eq!(exit_code(&[denied, flags]), 78);
    }

    #[test]
    fn each_line_says_what_mends_it() {
        let lines =
            [Line::ok("interface", "eth0 is up"), Line::bad(Mark::Fail, "Docker", "no socket", "start it")];
        assert_eq!(
            render(&lines),
            "ok    interface  eth0 is up\nfail  Docker     no socket\n                 → start it\n"
        );
    }
}
