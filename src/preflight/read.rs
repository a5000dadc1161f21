//! What the texts of /proc mean.

/// A capability this program can use, by its bit (linux/capability.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Addresses and interfaces.
    NetAdmin = 12,
    /// Raw and packet sockets.
    NetRaw = 13,
    /// Locked memory beyond the limit.
    IpcLock = 14,
    /// Real-time scheduling.
    SysNice = 23,
}

impl Capability {
    /// Those the VIP process wants for itself. Locked memory has a limit of its own.
    pub const ALL: [Self; 3] = [Self::NetAdmin, Self::NetRaw, Self::SysNice];

    /// Is it in this set?
    pub fn is_in(self, set: u64) -> bool {
        set >> (self as u32) & 1 == 1
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::IpcLock => "CAP_IPC_LOCK",
            Self::SysNice => "CAP_SYS_NICE",
        }
    }
}

/// The effective set in /proc/self/status.
pub fn capabilities(status: &str) -> Option<u64> {
    let hex = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(hex.trim(), 16).ok()
}

/// Is a packet filter among the modules of /proc/modules?
pub fn has_packet_filter(modules: &str) -> bool {
    let names = modules.lines().filter_map(|line| line.split(' ').next());
    names.into_iter().any(|name| ["nf_tables", "ip_tables", "iptable_filter", "ip6_tables"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_set_is_read() {
        let status = "Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t0000000000803000\n";
        // Bits 12 and 13 are 0x3000, bit 23 is 0x800000.
        let held = capabilities(status).unwrap();
        assert_eq!(held, 0x0080_3000);
        assert!(Capability::NEEDED.iter().all(|wanted| wanted.is_in(held)));
        assert!(!Capability::IpcLock.is_in(held));
        assert_eq!(capabilities("Name:\tx\n"), None);
        assert_eq!(capabilities("CapEff:\tzz\n"), None);
    }

    #[test]
    fn packet_filters_are_modules_of_these_names() {
        assert!(has_packet_filter("nf_tables 380928 1 - Live 0x0\n"));
        assert!(!has_packet_filter("nf_tables_not 1 0 - Live 0x0\nbridge 1 0 - Live 0x0\n"));
    }
}
