//! keepalived's keywords: in which block, with how many words at least, and what becomes of them here. Data.

use super::sheet::Verdict;
use super::table;

/// What pulls in another file.
pub const INCLUDES: [&str; 6] = ["include", "includer", "includem", "includew", "includeb", "includea"];

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// `None`: its value matters, and code reads it.
    pub verdict: Option<Verdict>,
    /// For the person.
    pub why: &'static str,
}

/// Block (`-`: the top level), words that belong to it at least, and what becomes of it: `?` code reads it, `=` it is so
/// here anyway, `~` it is otherwise here, `-` nothing here does it.
const ROWS: &str = "\
    - 0 ? global_defs\n\
    - 1 ? vrrp_script vrrp_instance vrrp_track_process vrrp_track_file track_file\n\
    - 1 ~ vrrp_sync_group | each virtual router moves for itself: give them the same checks and the same \
     order of priorities, and they move together\n\
    - 0 - virtual_server virtual_server_group SSL | @LVS\n\
    - 0 - static_* | @NETWORK\n\
    - 1 - bfd_instance | no BFD: shorten --advert (version 3 goes down to 10ms)\n\
    - 0 ~ garp_group | @ANNOUNCED\n\
    - 0 = linkbeat_* | @LINK\n\
    - 1 - track_group | @NETWORK\n\
    - 0 - net_namespace* instance use_pid_dir namespace_with_ipsets child_wait_time config_save_dir \
     interface_up_down_delays | @PROCESSES\n\
    global_defs 1 ? vrrp_version vrrp_garp_master_refresh default_interface\n\
    global_defs 0 - notification_email* smtp_* email_faults no_email_faults | @MAIL\n\
    global_defs 1 = router_id | a node is told by its address\n\
    global_defs 0 ~ script_user enable_script_security | no shell, no root: exec: programs run as the \
     daemon's own user\n\
    global_defs 1 - vrrp_mcast_group* | adverts by multicast go to 224.0.0.18 and ff02::12\n\
    global_defs 0 ~ vrrp_garp_* vrrp_gna_interval vrrp_min_garp vrrp_min_garp* | @ANNOUNCED\n\
    global_defs 0 ~ vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert | @LAST_ADVERT\n\
    global_defs 0 - vrrp_iptables vrrp_ipsets nftables* | @FIREWALL\n\
    global_defs 0 - vrrp_strict | what deviates from the RFC (unicast, a password) is accepted\n\
    global_defs 0 = vrrp_skip_check_adv_addr | @VIP_LIST\n\
    global_defs 0 = vrrp_check_unicast_src | @SOURCES\n\
    global_defs 0 = vrrp_rt_priority vrrp_priority vrrp_no_swap vrrp_cpu_affinity vrrp_rlimit_rt* checker_* \
     bfd_* max_auto_priority min_auto_priority_delay process_names | @SCHEDULED\n\
    global_defs 1 ~ vrrp_startup_delay | no delay at the start: it waits three adverts, as any backup, and \
     listens before it acts\n\
    global_defs 1 - notify_fifo* vrrp_notify_fifo* vrrp_notify_priority_changes lvs_notify_fifo* \
     startup_script* shutdown_script* | @NOTIFY\n\
    global_defs 0 ~ dynamic_interfaces allow_if_changes | an interface that is removed and made anew ends \
     the daemon, and systemd starts it on the new one\n\
    global_defs 0 - lvs_* lvs_sync_daemon ip_vs_* | @LVS\n\
    global_defs 0 - snmp_* enable_snmp_* enable_traps enable_dbus dbus_* json_version | @STATUS\n\
    global_defs 0 = log_unknown_vrids | `unsinkable status` counts what was dropped, by reason\n\
    global_defs 0 - disable_local_igmp fifo_write_vrrp_states_on_reload reload_* umask use_symlink* \
     vrrp_process_name vrrp_netlink_* process_monitor_* random_seed tmp_config_directory state_dump_file \
     stats_file | @PROCESSES\n\
    vrrp_script 1 ? script interval timeout weight rise fall\n\
    vrrp_script 1 ~ user | no root: exec: programs run as the daemon's own user, and the other checks need \
     none\n\
    vrrp_script 0 ~ init_fail | a check counts from its first result on, well or not\n\
    vrrp_track_process 1 ? process\n\
    vrrp_track_process 1 ? weight quorum quorum_max\n\
    vrrp_track_process 0 ~ delay fork_delay terminate_delay | the end of a process counts at once; its start \
     is seen within a second\n\
    vrrp_track_process 0 ? full_command param_match\n\
    vrrp_instance 1 ? interface virtual_router_id priority advert_int mcast_src_ip unicast_src_ip version \
     garp_master_refresh state preempt_delay\n\
    vrrp_instance 0 ? nopreempt v3_checksum_as_v2 use_vmac use_ipvlan\n\
    vrrp_instance 0 ? authentication unicast_peer virtual_ipaddress virtual_ipaddress_excluded track_script \
     track_process track_interface\n\
    vrrp_instance 0 - track_file track_bfd | no priority out of a file, no BFD: file:PATH asks only whether \
     a file exists\n\
    vrrp_instance 0 = preempt | the default\n\
    vrrp_instance 0 - virtual_routes virtual_rules | only addresses move with the VIP: --on-change PROGRAM \
     can set routes\n\
    vrrp_instance 0 ~ vmac_* native_ipv6 | @MAC\n\
    vrrp_instance 0 ~ dont_track_primary | the link of the VIP's own interface always counts\n\
    vrrp_instance 0 - smtp_alert* no_smtp_alert | @MAIL\n\
    vrrp_instance 1 - notify notify_* | @NOTIFY\n\
    vrrp_instance 1 ~ garp_* gna_* | @ANNOUNCED\n\
    vrrp_instance 0 ~ lower_prio_no_advert higher_prio_send_advert | @LAST_ADVERT\n\
    vrrp_instance 0 - accept no_accept | @FIREWALL\n\
    vrrp_instance 0 - strict_mode | what deviates from the RFC (unicast, a password) is accepted\n\
    vrrp_instance 0 = skip_check_adv_addr | @VIP_LIST\n\
    vrrp_instance 0 = check_unicast_src | @SOURCES\n\
    vrrp_instance 1 ~ unicast_ttl | adverts leave with TTL 255, and only such are accepted\n\
    vrrp_instance 0 = unicast_fault_no_peer | unicast needs a list of peers\n\
    vrrp_instance 0 - old_unicast_checksum | the checksum of keepalived before 1.3.7 is not sent\n\
    vrrp_instance 1 ~ down_timer_adverts | three missed adverts, always: lengthen --advert instead\n\
    vrrp_instance 0 = promote_secondaries | an address that the kernel takes away is put back at once\n\
    vrrp_instance 0 = linkbeat_use_polling | @LINK\n\
    vrrp_instance 0 - kernel_rx_buf_size debug garp_group track_group | @PROCESSES\n\
    vrrp_instance 1 - lvs_sync_daemon_interface | @LVS\n\
    authentication 1 ? auth_type auth_pass\n\
    @MAIL | no mail is sent: --on-change PROGRAM can, it is run at each change of state\n\
    @NOTIFY | --on-change PROGRAM is run at each change of state, without arguments: UNSINKABLE_STATE in its \
     environment says which; write one that looks at it\n\
    @LVS | no load balancing (LVS) here: Swarm's own ingress or a proxy does that\n\
    @NETWORK | addresses, routes and rules that do not move belong to the system's network configuration\n\
    @SCHEDULED | real-time scheduling and locked memory are the default (--realtime)\n\
    @ANNOUNCED | the VIP is announced at once, after whatever happened to it, and every --garp-refresh (60s)\n\
    @STATUS | `unsinkable status --json` tells programs\n\
    @FIREWALL | no firewall rules are made: the VIP accepts packets as any address does\n\
    @PROCESSES | belongs to how keepalived's processes are run; see systemd/unsinkable.service\n\
    @LAST_ADVERT | a node that yields always sends a last advert, and answers a lower one at once\n\
    @LINK | the kernel tells of each change of a link\n\
    @MAC | no virtual MAC: the VIP is on the interface's own MAC, and announced by ARP\n\
    @SOURCES | adverts of addresses that are not listed are always dropped\n\
    @VIP_LIST | another list of VIPs in an advert is accepted and shown\n\
    ";

/// How many words belong to a keyword at least; `None` where it is none of this block's.
pub fn args(block: &str, word: &str) -> Option<usize> {
    Some(usize::from(find(block, word)?.first == "1"))
}

/// What becomes of a keyword; `None` where nobody knows it.
#[inline(never)]
pub fn act(block: &str, word: &str) -> Option<Act> {
    let row = find(block, word)?;
    let verdict = match row.second {
        "=" => Some(Verdict::Same),
        "~" => Some(Verdict::Differs),
        "-" => Some(Verdict::Nothing),
        _ => None,
    };
    Some(Act { verdict, why: row.why })
}

fn find(block: &str, word: &str) -> Option<table::Row> {
    table::row(ROWS, if block.is_empty() { "-" } else { block }, word)
}
