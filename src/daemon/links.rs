//! Interface and source address of each router, watched by netlink; any change is told to the vrrp thread.

use super::Daemon;
use crate::flags::{RouterConfig, Source};
use crate::shared::Command;
use crate::sys::netlink::{self, IPV4_ADDRESSES, IPV6_ADDRESSES, LINKS, Netlink, Received};
use crate::sys::{Failure, clock, interface};
use crate::vip::address;
use crate::vrrp::event::Link;
use core::net::IpAddr;
use core::time::Duration;
use log::Level;
use smol::channel::Receiver;
use smol::{Async, Timer};

/// What `router` has of its interface now.
fn look(router: &RouterConfig) -> Link {
    let Ok(flags) = interface::flags(&router.interface) else { return Link::Down };
    if !(flags.up && flags.running) {
        return Link::Down;
    }
    source(router).map_or(Link::NoAddress, Link::Up)
}

/// The address adverts leave from: the one the flags name, or the first of the interface that is no VIP.
fn source(router: &RouterConfig) -> Option<IpAddr> {
    let assigned = interface::addresses().ok()?;
    let is_vip = |addr: IpAddr| router.settings.vips.iter().any(|vip| vip.addr == addr);
    assigned
        .into_iter()
        .filter(|assigned| assigned.interface == router.interface)
        .map(|assigned| assigned.addr)
        .filter(|addr| addr.is_ipv6() == router.settings.is_ipv6())
        .find(|&addr| match router.source {
            Source::Addr(wanted) => addr == wanted,
            Source::Interface => !is_vip(addr) && is_usual(addr),
        })
}

/// IPv6 adverts leave from the link-local address (RFC 9568 section 5.1.2.1).
fn is_usual(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(_) => true,
        IpAddr::V6(addr) => addr.is_unicast_link_local(),
    }
}

impl Daemon<'_> {
    /// Interfaces in use, with the addresses on them that are ours.
    pub(super) fn interfaces(&self) -> Vec<(u32, Vec<IpAddr>)> {
        let mut found: Vec<(u32, Vec<IpAddr>)> = Vec::new();
        for (router, &ifindex) in self.config.routers.iter().zip(&self.ifindexes) {
            let vips = router.settings.vips.iter().map(|vip| vip.addr);
            match found.iter_mut().find(|(index, _)| *index == ifindex) {
                Some((_, known)) => known.extend(vips),
                None => found.push((ifindex, vips.collect())),
            }
        }
        found
    }

    /// Looks again at each change of this interface; tells the log when it cannot be watched any longer.
    pub(super) async fn watch_links(&self, ifindex: u32, vips: Vec<IpAddr>) {
        if let Err(failure) = watch(ifindex, &vips, || self.look_at_links()).await {
            self.tell(None, Level::Error, &format!("link events are lost: {failure}"));
        }
    }

    /// Looks at every router's interface, and tells the vrrp thread what has changed since it was told last.
    pub(super) fn look_at_links(&self) {
        if let Some(name) = self.replaced_interface() {
            return self.end_for(format!(
                "{name} was removed and made anew: ending, so that systemd starts this daemon on the new one"
            ));
        }
        for (index, router) in (0_u8..).zip(&self.config.routers) {
            let link = look(router);
            let told = self.desk.borrow().links[usize::from(index)];
            if link != told && !self.is_in_doubt(index, link) && self.post(Command::Link(index, link)) {
                self.desk.borrow_mut().links[usize::from(index)] = link;
            }
        }
    }

    /// The sockets are bound to an interface by number; one that comes back with another number is another one.
    fn replaced_interface(&self) -> Option<&str> {
        let names = self.config.routers.iter().map(|router| router.interface.as_str());
        let mut opened = names.zip(&self.ifindexes);
        opened
            .find(|(name, opened)| interface::index(name).is_ok_and(|now| now != **opened))
            .map(|(name, _)| name)
    }

    /// A second look where something is missing, for what no event tells (an IPv6 address past its detection).
    pub(super) fn look_at_links_unless_told(&self) {
        if self.desk.borrow().links.iter().any(|link| link.source().is_none()) {
            self.look_at_links();
        }
    }

    /// A source address that is gone may come back at once (a DHCP renewal, a flush): it is believed missing an
    /// interval later. The peers wait for three.
    fn is_in_doubt(&self, index: u8, link: Link) -> bool {
        let place = usize::from(index);
        let interval = self.config.routers[place].settings.interval;
        let now = clock::now();
        let mut desk = self.desk.borrow_mut();
        if link != Link::NoAddress || desk.links[place].source().is_none() {
            desk.missing[place] = None;
            return false;
        }
        let since = *desk.missing[place].get_or_insert(now);
        let left = (since + interval).since(now);
        // A full queue holds a look that is due no later than this one, or the next second's.
        let _ = self.doubts.try_send(left);
        !left.is_zero()
    }

    /// Looks again when a doubt is due.
    pub(super) async fn look_again(&self, doubts: Receiver<Duration>) {
        while let Ok(left) = doubts.recv().await {
            Timer::after(left).await;
            self.look_at_links();
        }
    }
}

/// Calls `changed` whenever something about this interface may have changed. Our own leases do not count: they are
/// renewed each second.
async fn watch(ifindex: u32, vips: &[IpAddr], changed: impl Fn()) -> Result<(), Failure> {
    let socket = Netlink::events(LINKS | IPV4_ADDRESSES | IPV6_ADDRESSES, Some(ifindex))?;
    let socket = Async::new_nonblocking(socket).map_err(|error| failure(&error))?;
    let mut buffer = vec![0; netlink::BUFFER];
    loop {
        socket.readable().await.map_err(|error| failure(&error))?;
        let matters = match socket.get_ref().recv(&mut buffer)? {
            Received::Nothing => false,
            Received::Overrun => true,
            Received::Messages(len) => address::matters(&buffer[..len], vips),
        };
        if matters {
            changed();
        }
    }
}

fn failure(error: &std::io::Error) -> Failure {
    let errno = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(0));
    Failure { call: "waiting for link events", errno }
}
