//! The VIP without a lease: an IPv4 address on an alias label (`eth0:0`), added and removed by ioctl.
//!
//! The kernel sets a classful mask first (SIOCSIFADDR) and ours after it; the broadcast address of the first stays.
//! Prefer the one netlink message of `vip::address`.

use super::Failure;
use super::interface::{MAX_NAME, any_socket, ioctl, ipv4, request};
use super::message::family;
use core::fmt::Write;
use core::net::Ipv4Addr;
use nix::errno::Errno;
use std::os::fd::OwnedFd;

/// Labels tried on one interface: our 16 addresses beside as many of others.
const MAX_LABELS: u8 = 32;

type Label = heapless::String<MAX_NAME>;

/// Adds `addr` to the interface on the first free label; false if it was there already.
///
/// # Errors
/// `ENAMETOOLONG` where the interface's name leaves no room for a label, `ENOSPC` where no label is free, or the
/// kernel's.
pub fn add(interface: &str, addr: Ipv4Addr, prefix: u8) -> Result<bool, Failure> {
    if find(interface, Some(addr))?.is_some() {
        return Ok(false);
    }
    let label = find(interface, None)?.ok_or(Failure { call: "ioctl SIOCSIFADDR", errno: Errno::ENOSPC })?;
    let socket = any_socket()?;
    let mask = Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0));
    set(&socket, &label, addr, libc::SIOCSIFADDR as libc::Ioctl, "ioctl SIOCSIFADDR")?;
    set(&socket, &label, mask, libc::SIOCSIFNETMASK as libc::Ioctl, "ioctl SIOCSIFNETMASK")
        .or_else(|failure| down(&socket, &label).and(Err(failure)))
        .map(|()| true)
}

/// Removes `addr` from whatever label of the interface has it; false if none has.
pub fn remove(interface: &str, addr: Ipv4Addr) -> Result<bool, Failure> {
    match find(interface, Some(addr))? {
        Some(label) => down(&any_socket()?, &label).map(|()| true),
        None => Ok(false),
    }
}

/// The label that has `addr`, or the first that has none.
fn find(interface: &str, addr: Option<Ipv4Addr>) -> Result<Option<Label>, Failure> {
    for number in 0..MAX_LABELS {
        let mut label = Label::new();
        if write!(label, "{interface}:{number}").is_err() {
            // A short name leaves room for few numbers; for none, it is an error.
            let too_long = Failure { call: "alias label", errno: Errno::ENAMETOOLONG };
            return if number == 0 { Err(too_long) } else { Ok(None) };
        }
        let found = match ipv4(&label) {
            Ok(found) => Some(found),
            Err(Failure { errno: Errno::EADDRNOTAVAIL, .. }) => None,
            Err(failure) => return Err(failure),
        };
        if found == addr {
            return Ok(Some(label));
        }
    }
    Ok(None)
}

fn set(
    socket: &OwnedFd,
    label: &str,
    value: Ipv4Addr,
    number: libc::Ioctl,
    call: &'static str,
) -> Result<(), Failure> {
    let mut request = request(label, call)?;
    // struct sockaddr_in: port in two bytes, then the address.
    let mut data = [0; 14];
    for (to, from) in data[2..6].iter_mut().zip(value.octets()) {
        #[allow(clippy::cast_possible_wrap, reason = "C's char is signed on some machines")]
        let byte = from as libc::c_char;
        *to = byte;
    }
    request.ifr_ifru.ifru_addr = libc::sockaddr { sa_family: family(libc::AF_INET), sa_data: data };
    ioctl(socket, number, &mut request, call)
}

/// Switching a label off deletes its address (SIOCDIFADDR is for IPv6 alone).
fn down(socket: &OwnedFd, label: &str) -> Result<(), Failure> {
    const CALL: &str = "ioctl SIOCSIFFLAGS";
    let mut request = request(label, CALL)?;
    request.ifr_ifru.ifru_flags = 0;
    ioctl(socket, libc::SIOCSIFFLAGS as libc::Ioctl, &mut request, CALL)
}
