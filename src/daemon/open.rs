//! Everything that is opened before the threads start, and what a former life left on the interface.

use super::Fatal;
use crate::flags::{Config, RouterConfig};
use crate::sys::netlink::Netlink;
use crate::sys::single::Single;
use crate::sys::vrrp_socket::VrrpSocket;
use crate::sys::{Failure, Family, clock, interface};
use crate::sysexits::EX_UNAVAILABLE;
use crate::time::Time;
use crate::vip::address::{self, Address, Message};
use crate::vip::run::{Hand, Way};
use crate::vrrp::Settings;
use crate::vrrp::event::Stale;
use crate::vrrp::filter;
use crate::vrrp::router::Router;
use crate::vrrp::run::Port;
use core::time::Duration;
use nix::errno::Errno;
use std::fs;

/// Dumps are asked for again when addresses change meanwhile, this often at most.
const DUMP_TRIES: usize = 5;
/// A lease renewed less than three intervals ago, less this, is fresh: what starting up takes.
const START_MARGIN: Duration = Duration::from_millis(200);

/// Sockets and machines, ready for the threads.
pub struct Opened {
    /// For the vrrp thread.
    pub ports: Vec<Port>,
    /// For the vip thread.
    pub hands: Vec<Hand>,
    /// For the checks thread: what the filters turned away.
    pub rejects: Vec<VrrpSocket>,
    /// The interface of each router.
    pub ifindexes: Vec<u32>,
    /// Held as long as the daemon lives.
    pub locks: Vec<Single>,
}

/// Opens every router's sockets.
///
/// # Errors
/// An interface that is not there, a right that is missing, or another daemon of this router.
pub fn open(config: &Config) -> Result<Opened, Fatal> {
    let mut opened = Opened {
        ports: Vec::new(),
        hands: Vec::new(),
        rejects: Vec::new(),
        ifindexes: Vec::new(),
        locks: Vec::new(),
    };
    for (index, router) in (0_u8..).zip(&config.routers) {
        opened.add(index, router)?;
    }
    Ok(opened)
}

impl Opened {
    fn add(&mut self, index: u8, router: &RouterConfig) -> Result<(), Fatal> {
        let settings = &router.settings;
        let name = router.interface.as_str();
        let what = |part: &str| format!("VRID {} on {name}: {part}", settings.vrid);
        let ifindex = interface::index(name).map_err(|failure| Fatal::of(&what("--interface"), failure))?;
        let family = if settings.is_ipv6() { Family::V6 } else { Family::V4 };
        self.ifindexes.push(ifindex);
        self.locks.push(lock(router, ifindex, family)?);
        let socket = |filter: &[_]| {
            VrrpSocket::open(name, ifindex, family, settings.multicast, filter)
                .map_err(|failure| Fatal::of(&what("the VRRP socket"), failure))
        };
        let port_socket = socket(&filter::wanted(settings))?;
        self.rejects.push(socket(&filter::unwanted(settings))?);
        let stale = stale(settings, ifindex);
        self.ports.push(Port::new(index, Router::new(settings.clone()), port_socket, stale));
        let hand = Hand::open(index, name, &settings.vips, way(router), router.garp_refresh, forwards(name))
            .map_err(|failure| Fatal::of(&what("the VIP's sockets"), failure))?;
        self.hands.push(hand);
        Ok(())
    }
}

fn lock(router: &RouterConfig, ifindex: u32, family: Family) -> Result<Single, Fatal> {
    let vrid = router.settings.vrid;
    Single::take(ifindex, family, vrid).map_err(|failure| {
        if failure.errno != Errno::EADDRINUSE {
            return Fatal::of("taking the lock on the virtual router", failure);
        }
        let text = format!(
            "--vrid {vrid}: another unsinkable already runs this virtual router on {}; stop it, or choose another --vrid",
            router.interface
        );
        Fatal { exit: EX_UNAVAILABLE, text }
    })
}

/// A lease by netlink; without lease an IPv4 address goes on by ioctl, an IPv6 address by netlink for good.
fn way(router: &RouterConfig) -> Way {
    let refused = Netlink::open().is_err();
    match (router.lease, router.settings.is_ipv6()) {
        (true, _) if !refused => Way::Netlink(Some(address::lease(router.settings.interval))),
        (false, true) if !refused => Way::Netlink(None),
        (true | false, _) => Way::Alias,
    }
}

fn forwards(interface: &str) -> bool {
    fs::read(format!("/proc/sys/net/ipv6/conf/{interface}/forwarding"))
        .is_ok_and(|text| text.first() == Some(&b'1'))
}

/// Is one of the VIPs on the interface already, and how old is its lease?
fn stale(settings: &Settings, ifindex: u32) -> Stale {
    let found = assigned(ifindex).unwrap_or_default();
    let ours = found.iter().filter(|found| settings.vips.iter().any(|vip| vip.addr == found.addr));
    let fresh = |found: &Address| {
        let renewed = found.renewed_at.map(|centis| Time::from_micros(u64::from(centis) * 10_000));
        let age = renewed.map(|renewed| clock::now().since(renewed));
        found.valid.is_some() && age.is_some_and(|age| age + START_MARGIN < settings.interval * 3)
    };
    match (ours.clone().next(), ours.clone().all(fresh)) {
        (None, _) => Stale::None,
        (Some(_), true) => Stale::Fresh,
        (Some(_), false) => Stale::Old,
    }
}

/// Every address of the interface.
pub(super) fn assigned(ifindex: u32) -> Result<Vec<Address>, Failure> {
    let netlink = Netlink::open()?;
    let mut outcome = Ok(Vec::new());
    for sequence in 1..=u32::try_from(DUMP_TRIES).unwrap_or(1) {
        let mut found = Vec::new();
        let dumped = netlink.dump(&address::dump_addresses(sequence), |part| {
            for message in address::messages(part) {
                if let Message::Added(address) = message
                    && address.ifindex == ifindex
                {
                    found.push(address);
                }
            }
        });
        outcome = dumped.map(|()| found);
        if !matches!(outcome, Err(Failure { errno: Errno::EINTR, .. })) {
            break;
        }
    }
    outcome
}
