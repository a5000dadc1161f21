//! Who is who in a node list: bases, ranges, and which node is this machine. Pure: the addresses are an argument.

use core::net::IpAddr;

use super::finding::Findings;
use super::local::LocalAddresses;
use crate::checks::Track;
use crate::plan::Node;
use crate::vrrp::PriorityRange;
use crate::vrrp::priority::{self, Effective, HIGHEST, OWNER};

/// The first node's effective priority while all is well, where none is given; and where differences vanish.
const TOP: i32 = HIGHEST as i32;
/// Between one node and the next.
const STEP: i32 = 10;

/// One `--node ADDR[=PRIORITY]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeFlag {
    /// Its address.
    pub addr: IpAddr,
    /// Its base, where given.
    pub priority: Option<u8>,
}

/// Reads one `--node`. The error says what was expected, as with the two below.
pub fn parse(text: &str) -> Result<NodeFlag, String> {
    let (addr, priority) =
        text.split_once('=').map_or((text, None), |(addr, priority)| (addr, Some(priority)));
    let addr = address(addr).map_err(|_| "expected ADDR or ADDR=PRIORITY, as 10.0.0.1=200")?;
    let priority = priority.map(base).transpose()?;
    Ok(NodeFlag { addr, priority })
}

/// Reads the address of a node.
pub fn address(text: &str) -> Result<IpAddr, String> {
    let addr: IpAddr = text.parse().map_err(|_| "expected an IPv4 or IPv6 address")?;
    let is_node = !addr.is_unspecified() && !addr.is_multicast() && !addr.is_loopback();
    is_node.then_some(addr).ok_or_else(|| "expected the address of a node".into())
}

/// Reads a base priority.
pub fn base(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a priority, 1 to 254, or 255 for the owner".into()),
        Ok(base) => Ok(base),
    }
}

/// Lowest and highest that the weights make of a base. Checks without weight do not count: they mean FAULT.
pub fn range(base: u8, tracks: &[Track]) -> PriorityRange {
    let at = |well: bool| {
        let weighted = tracks.iter().filter(|track| track.weight.is_some());
        match priority::effective(base, weighted.map(|track| (track.weight, well))) {
            Effective::Priority(priority) => priority,
            Effective::Fault => base,
        }
    };
    PriorityRange { floor: at(false), ceiling: at(true) }
}

/// Gives each node its base and range. Each family has its own order; none is `here` yet.
pub fn rank(flags: &[NodeFlag], tracks: &[Track], findings: &mut Findings) -> Vec<Node> {
    let without: Vec<String> =
        flags.iter().filter(|flag| flag.priority.is_none()).map(|flag| flag.addr.to_string()).collect();
    if !without.is_empty() && without.len() < flags.len() {
        findings.config(format!(
            "--node {}: has no priority, others have: give all of them one, or none",
            without[0]
        ));
        return Vec::new();
    }
    let gain: i32 =
        tracks.iter().filter_map(|track| track.weight).map(|weight| i32::from(weight.max(0))).sum();
    let mut nodes: Vec<Node> = Vec::new();
    for flag in flags {
        let ahead = nodes.iter().filter(|node| node.addr.is_ipv6() == flag.addr.is_ipv6()).count();
        let step = STEP * i32::try_from(ahead).unwrap_or(i32::MAX / STEP);
        let base = flag.priority.or_else(|| u8::try_from(TOP - step - gain).ok().filter(|base| *base > 0));
        let Some(base) = base else {
            findings.config(format!(
                "--node {}: weights of {gain} in sum leave no priority for it below the others: give priorities, \
                 or smaller weights",
                flag.addr
            ));
            continue;
        };
        nodes.push(Node { addr: flag.addr, base, range: range(base, tracks), here: false });
    }
    nodes
}

/// What a list of nodes must not have: doubles, ties, priorities that the clamp swallows.
pub fn check(nodes: &[Node], tracks: &[Track], findings: &mut Findings) {
    for (at, node) in nodes.iter().enumerate() {
        let before = nodes[..at].iter().filter(|other| other.addr.is_ipv6() == node.addr.is_ipv6());
        for other in before {
            if other.addr == node.addr {
                findings.config(format!("--node {}: is listed twice", node.addr));
            } else if other.base == node.base {
                findings.warn(format!(
                    "--node {0}={2} and --node {1}={2}: have one priority: the higher address wins, and equals never take the VIP from each other: better give each node its own",
                    other.addr, node.addr, node.base
                ));
            }
        }
        check_clamp(&format!("--node {}={}", node.addr, node.base), node.base, tracks, findings);
    }
}

/// Warns of a base and weights whose sum leaves 1 to 254, where differences vanish.
pub fn check_clamp(flag: &str, base: u8, tracks: &[Track], findings: &mut Findings) {
    let weights = || tracks.iter().filter_map(|track| track.weight).map(i32::from);
    let gain: i32 = weights().filter(|weight| *weight > 0).sum();
    let loss: i32 = weights().filter(|weight| *weight < 0).sum();
    if base == OWNER {
        findings.warn(format!("{flag}: 255 is the owner of the address: weights do not count for it"));
    } else if i32::from(base) + gain > TOP {
        findings.warn(format!(
            "{flag}: with weights of {gain} comes to {}, VRRP ends at 254: nodes may tie; keep the base at {} or less",
            i32::from(base) + gain,
            (TOP - gain).max(1)
        ));
    }
    if base != OWNER && i32::from(base) + loss < 1 {
        findings
            .warn(format!("{flag}: with weights of {loss} falls below 1, where VRRP ends: nodes may tie"));
    }
}

/// Which node is this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// This one.
    Node(IpAddr),
    /// None of the list is on this machine.
    Nowhere,
    /// Two are.
    Twice(IpAddr, IpAddr),
}

/// Finds this machine in the list: the addresses of one family belong to different machines.
pub fn find<'a>(nodes: impl IntoIterator<Item = &'a IpAddr>, local: &LocalAddresses) -> Here {
    let mut mine = nodes.into_iter().filter(|addr| local.carrying(**addr).is_some());
    match (mine.next(), mine.next()) {
        (None, _) => Here::Nowhere,
        (Some(one), None) => Here::Node(*one),
        (Some(one), Some(two)) => Here::Twice(*one, *two),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::local::LocalInterface;
    use crate::flags::track;

    fn nodes(flags: &[&str], tracks: &[&str]) -> (Vec<Node>, Vec<String>) {
        let flags: Vec<_> = flags.iter().map(|text| parse(text).unwrap()).collect();
        let tracks: Vec<_> = tracks.iter().map(|text| track::parse(text).unwrap()).collect();
        let mut findings = Findings::default();
        let nodes = rank(&flags, &tracks, &mut findings);
        check(&nodes, &tracks, &mut findings);
        (nodes, findings.into_vec().into_iter().map(|finding| finding.text).collect())
    }

    fn numbers(nodes: &[Node]) -> Vec<(u8, u8, u8)> {
        nodes.iter().map(|node| (node.base, node.range.floor, node.range.ceiling)).collect()
    }

    const USERS: [&str; 2] = ["process:dockerd,weight=20", "process:traefik,weight=10"];

    #[test]
    fn the_users_priorities() {
        let (list, findings) = nodes(&["10.0.10.31=200", "10.0.10.32=100", "10.0.10.33=50"], &USERS);
        assert_eq!(numbers(&list), [(200, 200, 230), (100, 100, 130), (50, 50, 80)]);
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn without_priorities_the_effective_ones_descend_from_254() {
        let (list, _) = nodes(&["10.0.0.1", "10.0.0.2", "10.0.0.3"], &USERS);
        assert_eq!(numbers(&list), [(224, 224, 254), (214, 214, 244), (204, 204, 234)]);
        let (list, _) = nodes(&["10.0.0.1", "10.0.0.2"], &["process:a,weight=-30"]);
        assert_eq!(numbers(&list), [(254, 224, 254), (244, 214, 244)]);
    }

    #[test]
    fn each_family_descends_by_itself() {
        let (list, _) = nodes(&["10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2"], &[]);
        assert_eq!(list.iter().map(|node| node.base).collect::<Vec<_>>(), [254, 254, 244, 244]);
    }

    #[test]
    fn lists_that_cannot_work_are_named() {
        let texts = |flags: &[&str], tracks: &[&str]| nodes(flags, tracks).1;
        assert_eq!(
            texts(&["10.0.0.1=200", "10.0.0.2"], &[]),
            ["--node 10.0.0.2: has no priority, others have: give all of them one, or none"]
        );
        assert_eq!(
            texts(&["10.0.0.1=200", "10.0.0.2=200"], &[]),
            [
                "--node 10.0.0.1=200 and --node 10.0.0.2=200: have one priority: the higher address wins, and equals never take the VIP from each other: better give each node its own"
            ]
        );
        assert_eq!(texts(&["10.0.0.1", "10.0.0.1"], &[]), ["--node 10.0.0.1: is listed twice"]);
        assert_eq!(
            texts(&["10.0.0.1=250"], &USERS),
            ["--node 10.0.0.1=250: with weights of 30 comes to 280, VRRP ends at 254: nodes may tie; \
              keep the base at 224 or less"]
        );
        assert_eq!(
            texts(&["10.0.0.1", "10.0.0.2"], &["process:a,weight=250"]),
            [
                "--node 10.0.0.2: weights of 250 in sum leave no priority for it below the others: give priorities, \
              or smaller weights"
            ]
        );
    }

    #[test]
    fn this_machine_is_found_by_its_address() {
        let addrs = vec!["10.0.0.2".parse().unwrap(), "10.0.0.9".parse().unwrap()];
        let eth0 = LocalInterface { name: "eth0".into(), hardware: true, addrs };
        let local = LocalAddresses { interfaces: vec![eth0], ..LocalAddresses::default() };
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let two: IpAddr = "10.0.0.2".parse().unwrap();
        assert_eq!(find(&list(&["10.0.0.1", "10.0.0.2"]), &local), Here::Node(two));
        assert_eq!(find(&list(&["10.0.0.1"]), &local), Here::Nowhere);
        assert_eq!(
            find(&list(&["10.0.0.2", "10.0.0.9"]), &local),
            Here::Twice(two, "10.0.0.9".parse().unwrap())
        );
    }
}
