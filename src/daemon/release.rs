//! `release`: what a dead daemon left behind is taken off, unless the daemon comes back before the lease ends.

use super::Fatal;
use super::open::assigned;
use crate::sys::interface::Assigned;
use crate::sys::netlink::Netlink;
use crate::sys::{Failure, alias, interface};
use crate::vip::address;
use crate::vrrp::Vip;
use core::fmt;
use core::net::IpAddr;

/// Seconds that a lease must have left for a crashed daemon to go on with it: systemd starts it again after one
/// (`RestartSec=` of our unit), and the kernel tells whole seconds.
const BACK_WITHIN: u32 = 2;

/// Does systemd call the end of a service by this name (`SERVICE_RESULT`, systemd.exec(5)) when the service was killed, and
/// not told to stop? Our unit starts it again then. Whether it comes back in time is for the lease to say.
pub fn is_crash(service_result: &str) -> bool {
    matches!(service_result, "core-dump" | "oom-kill" | "signal" | "watchdog")
}

/// What became of a VIP that was here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// It is gone.
    Removed(IpAddr),
    /// It stays for the daemon that comes back; seconds that its lease has left.
    Leased(IpAddr, u32),
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed(addr) => write!(f, "removed {addr}"),
            Self::Leased(addr, left) => write!(f, "{addr} stays for the restart: its lease lasts {left} s"),
        }
    }
}

/// Takes VIPs off that a dead daemon left behind; where no interface is named, off whichever carries them. After a `crash`
/// those stay whose lease lasts until the daemon is back: nobody notices then that it was gone.
///
/// # Errors
/// The kernel's, for an address that is there and cannot be removed.
pub fn release(vips: &[(Option<String>, Vip)], crash: bool) -> Result<Vec<Released>, Fatal> {
    let carried = interface::addresses().map_err(|failure| Fatal::of("reading addresses", failure))?;
    let mut released = Vec::new();
    for (name, vip) in vips {
        let here = carried.iter().filter(|at| at.addr == vip.addr);
        for at in here.filter(|at| name.as_ref().is_none_or(|name| *name == at.interface)) {
            released.push(leave_or_remove(at, crash)?);
        }
    }
    Ok(released)
}

fn leave_or_remove(at: &Assigned, crash: bool) -> Result<Released, Fatal> {
    match lease(at).filter(|left| crash && *left >= BACK_WITHIN) {
        Some(left) => Ok(Released::Leased(at.addr, left)),
        None => take_off(at)
            .map(|()| Released::Removed(at.addr))
            .map_err(|failure| Fatal::of(&format!("removing {}", at.addr), failure)),
    }
}

/// Seconds that the address has left to live; nothing for one without end, or where the kernel does not say.
fn lease(at: &Assigned) -> Option<u32> {
    let all = interface::index(&at.interface).and_then(assigned).unwrap_or_default();
    all.iter().find(|found| found.addr == at.addr)?.valid
}

fn take_off(at: &Assigned) -> Result<(), Failure> {
    let request = address::remove(1, interface::index(&at.interface)?, at.addr, at.prefix);
    let by_netlink = Netlink::open().and_then(|netlink| netlink.request(&request));
    match (by_netlink, at.addr) {
        (Err(_), IpAddr::V4(addr)) => alias::remove(&at.interface, addr).map(drop),
        (outcome, _) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::is_crash;

    #[test]
    fn only_who_was_killed_without_being_told_to_stop_has_crashed() {
        for result in ["signal", "core-dump", "oom-kill", "watchdog"] {
            assert!(is_crash(result), "{result}");
        }
        // As systemd.exec(5) lists them.
        for result in
            ["success", "protocol", "timeout", "exit-code", "exec-condition", "start-limit-hit", "resources"]
        {
            assert!(!is_crash(result), "{result}");
        }
    }
}
