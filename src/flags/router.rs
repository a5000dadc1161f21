//! Wanted routers held against this machine: which node is it, which interface, and so the settings of each router.

use core::net::IpAddr;

use super::cluster::{self, Here};
use super::finding::Findings;
use super::local::LocalAddresses;
use super::nearest::nearest;
use super::wanted::{Family, Wanted, Who};
use super::{NotYet, RouterConfig, Source};
use crate::plan::{Cluster, Node};
use crate::vrrp::priority::effective;
use crate::vrrp::{Peer, Preempt, Settings, Version};

/// The cluster of one family, as far as the flags know it; what `plan` needs.
pub fn cluster(wanted: &Wanted, family: Family, findings: &mut Findings) -> Cluster {
    let (nodes, unknown) = match &wanted.who {
        Who::Nodes(flags) => {
            let nodes = cluster::rank(flags, &wanted.tracks, findings);
            cluster::check(&nodes, &wanted.tracks, findings);
            let of_family = |node: &&Node| Family::of(node.addr) == family;
            let own: Vec<Node> = nodes.iter().filter(of_family).copied().collect();
            (if own.is_empty() { nodes } else { own }, Vec::new())
        }
        Who::Peers { priority, peers, source } => {
            let flag = format!("--priority {priority}");
            cluster::check_clamp(&flag, *priority, &wanted.tracks, findings);
            let range = cluster::range(*priority, &wanted.tracks);
            let addr = source.unwrap_or(unspecified(family));
            (vec![Node { addr, base: *priority, range, here: true }], peers.clone())
        }
    };
    Cluster {
        vrid: wanted.vrid,
        vips: of_family(wanted, family).map(|vip| vip.addr.to_string()).collect(),
        version: wanted.version_in(family),
        interval: wanted.advert,
        nodes,
        unknown_peers: unknown,
        tracks: wanted.tracks.clone(),
        preempt: wanted.preempt != Preempt::Never,
    }
}

fn of_family(wanted: &Wanted, family: Family) -> impl Iterator<Item = &crate::vrrp::Vip> {
    wanted.vips.iter().filter(move |vip| Family::of(vip.addr) == family)
}

fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(core::net::Ipv6Addr::UNSPECIFIED),
    }
}

/// The router of one family on this machine. `Ok(None)`: there are findings.
pub fn resolve(
    wanted: &Wanted,
    family: Family,
    local: &LocalAddresses,
    findings: &mut Findings,
) -> Result<Option<RouterConfig>, NotYet> {
    let mut cluster = cluster(wanted, family, findings);
    let Some(identity) = identify(wanted, family, &mut cluster, local, findings)? else { return Ok(None) };
    let Some(this) = cluster.nodes.iter().find(|node| node.here) else { return Ok(None) };
    let base = this.base;
    let every_check_failed = wanted.tracks.iter().map(|track| (track.weight, false));
    let version = cluster.version;
    let settings = Settings {
        vrid: wanted.vrid,
        version,
        vips: of_family(wanted, family).copied().take(crate::vrrp::MAX_VIPS).collect(),
        base,
        interval: wanted.advert,
        auth: if version == Version::V2 { wanted.auth } else { crate::vrrp::Auth::None },
        checksum: wanted.checksum,
        preempt: wanted.preempt,
        peers: identity.peers.into_iter().take(crate::vrrp::MAX_PEERS).collect(),
        multicast: identity.multicast,
        blind: effective(base, every_check_failed),
    };
    Ok(Some(RouterConfig {
        interface: identity.interface,
        source: identity.source,
        settings,
        tracks: wanted.tracks.clone(),
        lease: wanted.lease,
        garp_refresh: wanted.garp_refresh,
        on_change: wanted.on_change.clone(),
        cluster,
    }))
}

/// Who this machine is to the others.
struct Identity {
    interface: String,
    source: Source,
    peers: Vec<Peer>,
    multicast: bool,
}

fn identify(
    wanted: &Wanted,
    family: Family,
    cluster: &mut Cluster,
    local: &LocalAddresses,
    findings: &mut Findings,
) -> Result<Option<Identity>, NotYet> {
    if let Some(name) = &wanted.interface
        && local.named(name).is_none()
    {
        findings.config(no_such_interface(name, local));
        return Ok(None);
    }
    match &wanted.who {
        Who::Nodes(_) => identify_node(wanted, family, cluster, local, findings),
        Who::Peers { peers, source, .. } => identify_peer(wanted, family, peers, *source, local, findings),
    }
}

fn no_such_interface(name: &str, local: &LocalAddresses) -> String {
    let names: Vec<&str> = local.interfaces.iter().map(|interface| interface.name.as_str()).collect();
    let meant = nearest(name, &names).map_or(String::new(), |near| format!(": did you mean {near}?"));
    let there = if names.is_empty() { "none but loopback".to_string() } else { names.join(", ") };
    format!("--interface {name}: no such interface{meant} (here: {there})")
}

fn identify_node(
    wanted: &Wanted,
    family: Family,
    cluster: &mut Cluster,
    local: &LocalAddresses,
    findings: &mut Findings,
) -> Result<Option<Identity>, NotYet> {
    let addrs: Vec<IpAddr> = cluster.nodes.iter().map(|node| node.addr).collect();
    if addrs.is_empty() {
        // The list could not be read, and that has its findings.
        return Ok(None);
    }
    let Some(here) = find_here(wanted, &addrs, local, findings)? else { return Ok(None) };
    for node in &mut cluster.nodes {
        node.here = node.addr == here;
    }
    let carrier = local.carrying(here).map(|at| at.name.clone()).unwrap_or_default();
    if let Some(name) = &wanted.interface
        && *name != carrier
    {
        findings.config(format!(
            "--interface {name}: {here} is on {carrier}: say --interface {carrier}, or leave it out"
        ));
        return Ok(None);
    }
    let others = cluster.nodes.iter().filter(|node| !node.here);
    if Family::of(here) != family {
        // Nobody said which addresses of this family the others have: the group reaches them.
        findings.warn(format!(
            "--vrid {}: no --node has an {} address: its {} VIP speaks by multicast from {carrier}",
            wanted.vrid,
            name_of(family),
            name_of(family)
        ));
        return Ok(Some(Identity {
            interface: carrier,
            source: Source::Interface,
            peers: Vec::new(),
            multicast: true,
        }));
    }
    let peers = others.map(|node| Peer { addr: node.addr, range: Some(node.range) }).collect();
    Ok(Some(Identity { interface: carrier, source: Source::Addr(here), peers, multicast: wanted.multicast }))
}

/// Which of the nodes this machine is; nothing where that is wrong, which has its finding.
fn find_here(
    wanted: &Wanted,
    nodes: &[IpAddr],
    local: &LocalAddresses,
    findings: &mut Findings,
) -> Result<Option<IpAddr>, NotYet> {
    match cluster::find(nodes, local) {
        Here::Node(here) => return Ok(Some(here)),
        Here::Twice(one, two) => findings.config(format!(
            "--node {one} and --node {two}: are both on this machine: a node is listed once"
        )),
        Here::Nowhere => {
            if let Some(not_yet) = waiting(wanted, nodes, local) {
                return Err(not_yet);
            }
            findings.config(format!(
                "--node: none of {} is on this machine (it has {})",
                list(nodes),
                list(&local.interfaces.iter().flat_map(|at| at.addrs.clone()).collect::<Vec<_>>())
            ));
        }
    }
    Ok(None)
}

fn name_of(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// At boot the address may come later than the daemon: then it waits, where a wrong list would be an error.
fn waiting(wanted: &Wanted, addrs: &[IpAddr], local: &LocalAddresses) -> Option<NotYet> {
    let named = wanted.interface.as_ref();
    let has_hardware = local.interfaces.iter().any(|at| at.hardware);
    let mut candidates = local.interfaces.iter().filter(|at| match named {
        Some(name) => at.name == *name,
        None => at.hardware || !has_hardware,
    });
    candidates.all(|at| !at.is_addressed()).then(|| NotYet {
        text: format!(
            "waiting for {} to get one of {}",
            named.map_or("an interface", String::as_str),
            list(addrs)
        ),
    })
}

fn list(addrs: &[IpAddr]) -> String {
    let texts: Vec<String> = addrs.iter().map(ToString::to_string).collect();
    if texts.is_empty() { "no address".into() } else { texts.join(", ") }
}

fn identify_peer(
    wanted: &Wanted,
    family: Family,
    peers: &[IpAddr],
    source: Option<IpAddr>,
    local: &LocalAddresses,
    findings: &mut Findings,
) -> Result<Option<Identity>, NotYet> {
    let source = source.filter(|source| Family::of(*source) == family);
    let carrier = source.and_then(|source| local.carrying(source)).map(|at| at.name.clone());
    if let (Some(source), None) = (source, &carrier) {
        if let Some(not_yet) = waiting(wanted, &[source], local) {
            return Err(not_yet);
        }
        findings.config(format!("--source {source}: is not an address of this machine"));
        return Ok(None);
    }
    if let Some(own) = peers.iter().find(|peer| local.carrying(**peer).is_some()) {
        findings.config(format!(
            "--peer {own}: is this node itself: leave it out here (or name all nodes by --node, the same list on each)"
        ));
        return Ok(None);
    }
    let Some(interface) = interface_of_peer(wanted, peers, carrier, findings) else { return Ok(None) };
    let peers: Vec<Peer> = peers
        .iter()
        .filter(|peer| Family::of(**peer) == family)
        .map(|peer| Peer { addr: *peer, range: None })
        .collect();
    let multicast = wanted.multicast || peers.is_empty();
    if multicast && !wanted.multicast {
        findings.warn(format!(
            "--vrid {}: no --peer has an {1} address: its {1} VIP speaks by multicast from {interface}",
            wanted.vrid,
            name_of(family)
        ));
    }
    Ok(Some(Identity { interface, source: source.map_or(Source::Interface, Source::Addr), peers, multicast }))
}

/// The interface that is named, or that carries the source; nothing where that is wrong, which has its finding.
fn interface_of_peer(
    wanted: &Wanted,
    peers: &[IpAddr],
    carrier: Option<String>,
    findings: &mut Findings,
) -> Option<String> {
    match (&wanted.interface, carrier) {
        (Some(name), Some(carrier)) if *name != carrier => {
            findings.config(format!(
                "--interface {name}: --source is on {carrier}: say --interface {carrier}, or leave it out"
            ));
            None
        }
        (_, Some(carrier)) => Some(carrier),
        (Some(name), None) => Some(name.clone()),
        // Without any other node named there is a finding already, and it comes first.
        (None, None) if peers.is_empty() && !wanted.multicast => None,
        (None, None) => {
            findings.config("no --interface: without --node or --source it must be named (--interface eth0)");
            None
        }
    }
}
