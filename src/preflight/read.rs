//! What the texts of /proc mean.

/// Is a packet filter among the modules of /proc/modules?
pub fn has_packet_filter(modules: &str) -> bool {
    let names = modules.lines().filter_map(|line| line.split(' ').next());
    names.into_iter().any(|name| ["nf_tables", "ip_tables", "iptable_filter", "ip6_tables"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_filters_are_modules_of_these_names() {
        assert!(has_packet_filter("nf_tables 380928 1 - Live 0x0\n"));
        assert!(!has_packet_filter("nf_tables_not 1 0 - Live 0x0\nbridge 1 0 - Live 0x0\n"));
    }
}
