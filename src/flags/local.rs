//! The interfaces and addresses of this machine and its model, gathered once and handed to the resolver as a value.

use core::net::IpAddr;
use std::path::Path;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// The interfaces of a machine. In a test: those of a machine that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalAddresses {
    /// All of them but loopback, in the kernel's order.
    pub interfaces: Vec<LocalInterface>,
    /// What the device tree calls this machine: `Raspberry Pi 4 Model B Rev 1.4`; empty without one.
    pub model: String,
}

/// Where the kernel shows the device tree's name for the machine, ended by a zero.
const MODEL: &str = "/proc/device-tree/model";

/// One interface and its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalInterface {
    /// Its name.
    pub name: String,
    /// It is a device, not a bridge, a tunnel or one end of a pair.
    pub hardware: bool,
    /// Its addresses, in the kernel's order.
    pub addrs: Vec<IpAddr>,
}

impl LocalAddresses {
    /// What this machine has now.
    pub fn of_this_machine() -> std::io::Result<Self> {
        let mut found = Self::default();
        let model = std::fs::read(MODEL).unwrap_or_default();
        String::from_utf8_lossy(&model).trim_end_matches(['\0', '\n']).clone_into(&mut found.model);
        for entry in getifaddrs()? {
            if entry.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
                continue;
            }
            let at = found.interface_mut(entry.interface_name);
            at.addrs.extend(entry.address.and_then(|address| {
                let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
                v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
            }));
        }
        Ok(found)
    }

    fn interface_mut(&mut self, name: String) -> &mut LocalInterface {
        let at = self.interfaces.iter().position(|interface| interface.name == name).unwrap_or_else(|| {
            let hardware = Path::new("/sys/class/net").join(&name).join("device").exists();
            self.interfaces.push(LocalInterface { name, hardware, addrs: Vec::new() });
            self.interfaces.len() - 1
        });
        &mut self.interfaces[at]
    }

    /// The interface of this name.
    pub fn named(&self, name: &str) -> Option<&LocalInterface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// The interface that carries this address.
    pub fn carrying(&self, addr: IpAddr) -> Option<&LocalInterface> {
        self.interfaces.iter().find(|interface| interface.addrs.contains(&addr))
    }
}

impl LocalInterface {
    /// It has an address one could put into a node list: not a link-local one.
    pub fn is_addressed(&self) -> bool {
        self.addrs.iter().any(|addr| match addr {
            IpAddr::V4(v4) => !v4.is_link_local(),
            IpAddr::V6(v6) => !v6.is_unicast_link_local(),
        })
    }
}
