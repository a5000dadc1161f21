//! keepalived's keywords: in which block, with how many words at least, and what becomes of them here. Data.

/// What pulls in another file.
pub const INCLUDES: [&str; 6] = ["include", "includer", "includem", "includew", "includeb", "includea"];

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Its value matters: code reads it.
    Read,
    /// It is so here anyway.
    Same(&'static str),
    /// It is otherwise here.
    Differs(&'static str),
    /// Nothing here does it.
    Nothing(&'static str),
}

/// Keywords of one block that share what becomes of them.
struct Row {
    block: &'static str,
    /// Apart by blanks; one that ends in `*` stands for all that begin so.
    words: &'static str,
    /// Words that belong to it at least.
    args: usize,
    act: Act,
}

const fn row(block: &'static str, words: &'static str, args: usize, act: Act) -> Row {
    Row { block, words, args, act }
}

const MAIL: Act = Act::Nothing("no mail is sent: --on-change PROGRAM can, it is run at each change of state");
const NOTIFY: Act = Act::Nothing(
    "--on-change PROGRAM is run at each change of state, without arguments: UNSINKABLE_STATE in its environment says \
     which; write one that looks at it",
);
const LVS: Act = Act::Nothing("no load balancing (LVS) here: Swarm's own ingress or a proxy does that");
const NETWORK: Act =
    Act::Nothing("addresses, routes and rules that do not move belong to the system's network configuration");
const SCHEDULED: Act = Act::Same("real-time scheduling and locked memory are the default (--realtime)");
const ANNOUNCED: Act = Act::Differs(
    "the VIP is announced at once, after whatever happened to it, and every --garp-refresh (60s)",
);
const STATUS: Act = Act::Nothing("`unsinkable status --json` tells programs");
const FIREWALL: Act = Act::Nothing("no firewall rules are made: the VIP accepts packets as any address does");
const PROCESSES: Act =
    Act::Nothing("belongs to how keepalived's processes are run; see systemd/unsinkable.service");
const LAST_ADVERT: Act =
    Act::Differs("a node that yields always sends a last advert, and answers a lower one at once");
const LINK: Act = Act::Same("the kernel tells of each change of a link");
const MAC: Act = Act::Differs("no virtual MAC: the VIP is on the interface's own MAC, and announced by ARP");
const SOURCES: Act = Act::Same("adverts of addresses that are not listed are always dropped");
const VIP_LIST: Act = Act::Same("another list of VIPs in an advert is accepted and shown");

const G: &str = "global_defs";
const I: &str = "vrrp_instance";
const S: &str = "vrrp_script";

const ROWS: &[Row] = &[
    row("", "global_defs", 0, Act::Read),
    row("", "vrrp_script vrrp_instance vrrp_track_process vrrp_track_file track_file", 1, Act::Read),
    row(
        "",
        "vrrp_sync_group",
        1,
        Act::Differs(
            "each virtual router moves for itself: give them the same checks and the same order of priorities, and they \
         move together",
        ),
    ),
    row("", "virtual_server virtual_server_group SSL", 0, LVS),
    row("", "static_*", 0, NETWORK),
    row("", "bfd_instance", 1, Act::Nothing("no BFD: shorten --advert (version 3 goes down to 10ms)")),
    row("", "garp_group", 0, ANNOUNCED),
    row("", "linkbeat_*", 0, LINK),
    row("", "track_group", 1, NETWORK),
    row(
        "",
        "net_namespace* instance use_pid_dir namespace_with_ipsets child_wait_time config_save_dir \
        interface_up_down_delays",
        0,
        PROCESSES,
    ),
    row(G, "vrrp_version vrrp_garp_master_refresh default_interface", 1, Act::Read),
    row(G, "notification_email* smtp_* email_faults no_email_faults", 0, MAIL),
    row(G, "router_id", 1, Act::Same("a node is told by its address")),
    row(
        G,
        "script_user enable_script_security",
        0,
        Act::Differs("no shell, no root: exec: programs run as the daemon's own user"),
    ),
    row(G, "vrrp_mcast_group*", 1, Act::Nothing("adverts by multicast go to 224.0.0.18 and ff02::12")),
    row(G, "vrrp_garp_* vrrp_gna_interval vrrp_min_garp vrrp_min_garp*", 0, ANNOUNCED),
    row(G, "vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert", 0, LAST_ADVERT),
    row(G, "vrrp_iptables vrrp_ipsets nftables*", 0, FIREWALL),
    row(G, "vrrp_strict", 0, Act::Nothing("what deviates from the RFC (unicast, a password) is accepted")),
    row(G, "vrrp_skip_check_adv_addr", 0, VIP_LIST),
    row(G, "vrrp_check_unicast_src", 0, SOURCES),
    row(
        G,
        "vrrp_rt_priority vrrp_priority vrrp_no_swap vrrp_cpu_affinity vrrp_rlimit_rt* checker_* bfd_* \
        max_auto_priority min_auto_priority_delay process_names",
        0,
        SCHEDULED,
    ),
    row(
        G,
        "vrrp_startup_delay",
        1,
        Act::Differs(
            "no delay at the start: it waits three adverts, as any backup, and listens before it acts",
        ),
    ),
    row(
        G,
        "notify_fifo* vrrp_notify_fifo* vrrp_notify_priority_changes lvs_notify_fifo* startup_script* \
        shutdown_script*",
        1,
        NOTIFY,
    ),
    row(
        G,
        "dynamic_interfaces allow_if_changes",
        0,
        Act::Differs(
            "an interface that is removed and made anew ends the daemon, and systemd starts it on the new one",
        ),
    ),
    row(G, "lvs_* lvs_sync_daemon ip_vs_*", 0, LVS),
    row(G, "snmp_* enable_snmp_* enable_traps enable_dbus dbus_* json_version", 0, STATUS),
    row(G, "log_unknown_vrids", 0, Act::Same("`unsinkable status` counts what was dropped, by reason")),
    row(
        G,
        "disable_local_igmp fifo_write_vrrp_states_on_reload reload_* umask use_symlink* \
        vrrp_process_name vrrp_netlink_* process_monitor_* random_seed tmp_config_directory state_dump_file \
        stats_file",
        0,
        PROCESSES,
    ),
    row(S, "script interval timeout weight rise fall", 1, Act::Read),
    row(
        S,
        "user",
        1,
        Act::Differs("no root: exec: programs run as the daemon's own user, and the other checks need none"),
    ),
    row(S, "init_fail", 0, Act::Differs("a check counts from its first result on, well or not")),
    row("vrrp_track_process", "process", 1, Act::Read),
    row("vrrp_track_process", "weight quorum quorum_max", 1, Act::Read),
    row(
        "vrrp_track_process",
        "delay fork_delay terminate_delay",
        0,
        Act::Differs("the end of a process counts at once; its start is seen within a second"),
    ),
    row("vrrp_track_process", "full_command param_match", 0, Act::Read),
    row(
        I,
        "interface virtual_router_id priority advert_int mcast_src_ip unicast_src_ip version \
        garp_master_refresh state preempt_delay",
        1,
        Act::Read,
    ),
    row(I, "nopreempt v3_checksum_as_v2 use_vmac use_ipvlan", 0, Act::Read),
    row(
        I,
        "authentication unicast_peer virtual_ipaddress virtual_ipaddress_excluded track_script track_process \
        track_interface",
        0,
        Act::Read,
    ),
    row(
        I,
        "track_file track_bfd",
        0,
        Act::Nothing("no priority out of a file, no BFD: file:PATH asks only whether a file exists"),
    ),
    row(I, "preempt", 0, Act::Same("the default")),
    row(
        I,
        "virtual_routes virtual_rules",
        0,
        Act::Nothing("only addresses move with the VIP: --on-change PROGRAM can set routes"),
    ),
    row(I, "vmac_* native_ipv6", 0, MAC),
    row(I, "dont_track_primary", 0, Act::Differs("the link of the VIP's own interface always counts")),
    row(I, "smtp_alert* no_smtp_alert", 0, MAIL),
    row(I, "notify notify_* ", 1, NOTIFY),
    row(I, "garp_* gna_*", 1, ANNOUNCED),
    row(I, "lower_prio_no_advert higher_prio_send_advert", 0, LAST_ADVERT),
    row(I, "accept no_accept", 0, FIREWALL),
    row(I, "strict_mode", 0, Act::Nothing("what deviates from the RFC (unicast, a password) is accepted")),
    row(I, "skip_check_adv_addr", 0, VIP_LIST),
    row(I, "check_unicast_src", 0, SOURCES),
    row(I, "unicast_ttl", 1, Act::Differs("adverts leave with TTL 255, and only such are accepted")),
    row(I, "unicast_fault_no_peer", 0, Act::Same("unicast needs a list of peers")),
    row(I, "old_unicast_checksum", 0, Act::Nothing("the checksum of keepalived before 1.3.7 is not sent")),
    row(I, "down_timer_adverts", 1, Act::Differs("three missed adverts, always: lengthen --advert instead")),
    row(I, "promote_secondaries", 0, Act::Same("an address that the kernel takes away is put back at once")),
    row(I, "linkbeat_use_polling", 0, LINK),
    row(I, "kernel_rx_buf_size debug garp_group track_group", 0, PROCESSES),
    row(I, "lvs_sync_daemon_interface", 1, LVS),
    row("authentication", "auth_type auth_pass", 1, Act::Read),
];

/// How many words belong to a keyword at least; `None` where it is none of this block's.
pub fn args(block: &str, word: &str) -> Option<usize> {
    find(block, word).map(|row| row.args)
}

/// What becomes of a keyword; `None` where nobody knows it.
pub fn act(block: &str, word: &str) -> Option<Act> {
    find(block, word).map(|row| row.act)
}

fn find(block: &str, word: &str) -> Option<&'static Row> {
    let is_it = |known: &str| match known.strip_suffix('*') {
        Some(begin) => word.starts_with(begin),
        None => known == word,
    };
    let mut rows = ROWS.iter().filter(|row| row.block == block);
    rows.find(|row| row.words.split_ascii_whitespace().any(is_it))
}
