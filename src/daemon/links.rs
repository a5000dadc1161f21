//! Interface and source address of each router, watched by netlink; any change is told to the vrrp thread.

use crate::flags::{RouterConfig, Source};
use crate::sys::netlink::{self, IPV4_ADDRESSES, IPV6_ADDRESSES, LINKS, Netlink, Received};
use crate::sys::{Failure, interface};
use crate::vip::address;
use crate::vrrp::event::Link;
use core::net::IpAddr;
use smol::Async;

/// What `router` has of its interface now.
pub fn look(router: &RouterConfig) -> Link {
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

/// Calls `changed` whenever something about this interface may have changed. Our own leases do not count: they are
/// renewed each second.
pub async fn watch(ifindex: u32, vips: &[IpAddr], changed: impl Fn()) -> Result<(), Failure> {
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
