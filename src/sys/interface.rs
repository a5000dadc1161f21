//! What the kernel knows of an interface: index, MAC, flags, addresses.

use super::Failure;
use core::mem::MaybeUninit;
use core::net::{IpAddr, Ipv4Addr};
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nameindex;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, socket};
use std::os::fd::{AsRawFd, OwnedFd};

/// Longest interface name or alias label (`IFNAMSIZ` less the closing zero).
pub const MAX_NAME: usize = libc::IFNAMSIZ - 1;

/// State of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// Switched on.
    pub up: bool,
    /// Carrier is there (`IFF_RUNNING`).
    pub running: bool,
}

/// An address and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The interface, without an alias label.
    pub interface: String,
    /// The address.
    pub addr: IpAddr,
    /// Prefix length.
    pub prefix: u8,
}

/// The index of an interface.
pub fn index(name: &str) -> Result<u32, Failure> {
    let request = ask(name, libc::SIOCGIFINDEX as libc::Ioctl, "ioctl SIOCGIFINDEX")?;
    // SAFETY: SIOCGIFINDEX wrote this member.
    let index = unsafe { request.ifr_ifru.ifru_ifindex };
    u32::try_from(index).map_err(|_| Failure { call: "ioctl SIOCGIFINDEX", errno: Errno::ENODEV })
}

/// All interfaces by name.
pub fn names() -> Result<Vec<String>, Failure> {
    let all = if_nameindex().map_err(Failure::of("if_nameindex"))?;
    Ok(all.iter().map(|interface| interface.name().to_string_lossy().into_owned()).collect())
}

/// The MAC address.
///
/// # Errors
/// `EAFNOSUPPORT` where the interface is not Ethernet (nor speaks as one).
pub fn mac(name: &str) -> Result<[u8; 6], Failure> {
    const CALL: &str = "ioctl SIOCGIFHWADDR";
    let request = ask(name, libc::SIOCGIFHWADDR as libc::Ioctl, CALL)?;
    // SAFETY: SIOCGIFHWADDR wrote this member.
    let hardware = unsafe { request.ifr_ifru.ifru_hwaddr };
    if hardware.sa_family != libc::ARPHRD_ETHER {
        return Err(Failure { call: CALL, errno: Errno::EAFNOSUPPORT });
    }
    Ok(octets(&hardware.sa_data, 0))
}

/// Is it up, is there carrier?
pub fn flags(name: &str) -> Result<Flags, Failure> {
    let request = ask(name, libc::SIOCGIFFLAGS as libc::Ioctl, "ioctl SIOCGIFFLAGS")?;
    // SAFETY: SIOCGIFFLAGS wrote this member.
    let flags = i32::from(unsafe { request.ifr_ifru.ifru_flags });
    Ok(Flags { up: flags & libc::IFF_UP != 0, running: flags & libc::IFF_RUNNING != 0 })
}

/// The first IPv4 address of an interface or alias label.
///
/// # Errors
/// `EADDRNOTAVAIL` where it has none, `ENODEV` where there is no such interface.
pub fn ipv4(name: &str) -> Result<Ipv4Addr, Failure> {
    let request = ask(name, libc::SIOCGIFADDR as libc::Ioctl, "ioctl SIOCGIFADDR")?;
    // SAFETY: SIOCGIFADDR wrote this member: a `sockaddr_in`, port in two bytes, then the address.
    let addr = unsafe { request.ifr_ifru.ifru_addr };
    Ok(Ipv4Addr::from(octets::<4>(&addr.sa_data, 2)))
}

/// All addresses of all interfaces.
pub fn addresses() -> Result<Vec<Assigned>, Failure> {
    let all = getifaddrs().map_err(Failure::of("getifaddrs"))?;
    Ok(all
        .filter_map(|entry| {
            let addr = ip(entry.address.as_ref()?)?;
            let prefix = entry.netmask.as_ref().and_then(ip).map_or(0, prefix_length);
            let interface = entry.interface_name.split(':').next().unwrap_or_default().to_owned();
            Some(Assigned { interface, addr, prefix })
        })
        .collect())
}

/// `N` of C's characters as bytes.
#[allow(
    clippy::cast_sign_loss,
    clippy::unnecessary_cast,
    reason = "signed on some machines, unsigned on others"
)]
fn octets<const N: usize>(data: &[libc::c_char; 14], from: usize) -> [u8; N] {
    core::array::from_fn(|at| data[from + at] as u8)
}

fn ip(addr: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = addr.as_sockaddr_in().map(|addr| IpAddr::V4(addr.ip()));
    v4.or_else(|| addr.as_sockaddr_in6().map(|addr| IpAddr::V6(addr.ip())))
}

fn prefix_length(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(mask) => mask.to_bits().leading_ones(),
        IpAddr::V6(mask) => mask.to_bits().leading_ones(),
    };
    u8::try_from(ones).expect("at most 128")
}

/// A request about `name`.
pub(super) fn request(name: &str, call: &'static str) -> Result<libc::ifreq, Failure> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(Failure { call, errno: Errno::ENODEV });
    }
    // SAFETY: a C structure of integers, a pointer and a union of such, for which zeros are valid.
    let mut request: libc::ifreq = unsafe { MaybeUninit::zeroed().assume_init() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        #[allow(clippy::cast_possible_wrap, reason = "C's char is signed on some machines")]
        let byte = from as libc::c_char;
        *to = byte;
    }
    Ok(request)
}

/// A socket to ask through.
pub(super) fn any_socket() -> Result<OwnedFd, Failure> {
    socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)
        .map_err(Failure::of("socket (inet)"))
}

/// Performs one of the SIOC… requests on an `ifreq`.
pub(super) fn ioctl(
    fd: &OwnedFd,
    number: libc::Ioctl,
    request: &mut libc::ifreq,
    call: &'static str,
) -> Result<(), Failure> {
    // SAFETY: all numbers used in `sys` are requests that read or write one `ifreq`, which is what they get. None of
    // them follows the pointers an `ifreq` may hold.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), number, core::ptr::from_mut(request)) };
    Errno::result(result).map(drop).map_err(Failure::of(call))
}

fn ask(name: &str, number: libc::Ioctl, call: &'static str) -> Result<libc::ifreq, Failure> {
    let mut request = request(name, call)?;
    ioctl(&any_socket()?, number, &mut request, call)?;
    Ok(request)
}
