//! Configurations as they stand in the world, each with what is to come of it.

use super::{Folder, Seen, accepted};
use unsinkable::translate::run::translate;

/// A file, its command, where that is accepted, and what is not simply translated.
struct Case {
    file: &'static str,
    command: &'static str,
    interface: &'static str,
    addrs: &'static [&'static str],
    nothing: &'static [&'static str],
    different: &'static [&'static str],
    unknown: &'static [&'static str],
}

const CASES: [Case; 7] = [
    Case {
        file: "office-multicast.conf",
        command: "run --interface eth0 --vip 192.168.200.16 --vip 192.168.200.17 --vip 192.168.200.18 --vrid 51 \
            --advert 1s --auth-pass-file /etc/unsinkable.pass --priority 100 --multicast \
            --track interface:eth1,weight=-20",
        interface: "eth0",
        addrs: &["192.168.200.2"],
        nothing: &[
            "4 notification_email {…}",
            "7 notification_email_from gw1@example.org",
            "8 smtp_server 192.0.2.25",
            "9 smtp_connect_timeout 30",
        ],
        different: &["12 vrrp_garp_interval 0", "13 vrrp_gna_interval 0"],
        unknown: &[],
    },
    Case {
        file: "kube-api.conf",
        command: "run --interface ens192 --vip 172.16.0.100/24 --vrid 51 --auth-pass-file /etc/unsinkable.pass \
            --priority 101 --source 172.16.0.11 --peer 172.16.0.12 \
            --track exec:/etc/keepalived/check_apiserver.sh,interval=3s,weight=-2,fall=10,rise=2 \
            --track process:haproxy,interval=2s,weight=2",
        interface: "ens192",
        addrs: &["172.16.0.11"],
        nothing: &[
            "40 notify_master /etc/keepalived/notify.sh master",
            "41 notify /usr/local/bin/notify root",
        ],
        different: &[
            "3 script_user root",
            "4 enable_script_security",
            "31 auth_pass …",
            "34 virtual_ipaddress 172.16.0.100/24 dev ens192 label ens192:vip",
        ],
        unknown: &[],
    },
    Case {
        file: "fast-v3.conf",
        command: "run --interface eth0 --vip 10.1.0.53/16 --vrid 53 --advert 100ms --no-preempt --garp-refresh 1m \
            --priority 150 --source 10.1.0.2 --peer 10.1.0.3 \
            --track tcp:127.0.0.1:53,interval=500ms,timeout=1s \
            --track http:http://127.0.0.1:8080/ping,interval=10s,timeout=10s,fall=2 \
            --vrid 54 --interface eth0 --vip fd00:1::53/64 --advert 250ms --garp-refresh 1m \
            --priority 150 --source fd00:1::2 --peer fd00:1::3 \
            --track tcp:127.0.0.1:53,interval=500ms,timeout=1s --no-preempt=off",
        interface: "eth0",
        addrs: &["10.1.0.2", "fd00:1::2"],
        nothing: &["4 vrrp_strict"],
        different: &[],
        unknown: &[],
    },
    Case {
        file: "site/main.conf",
        command: "run --interface eth0 --vip 10.9.0.80/24 --vrid 80 --vrrp 2 --advert 2s --priority 120 \
            --source 10.9.0.1 --peer 10.9.0.2 --track process:nginx,weight=40",
        interface: "eth0",
        addrs: &["10.9.0.1"],
        nothing: &[],
        different: &["4 delay 1", "6 preempt_delay 300"],
        unknown: &[],
    },
    Case {
        file: "old-router.conf",
        command: "run --interface bond0 --vip 198.51.100.1/24 --vip 2001:db8::1/64 --vrid 255 --vrrp 2 --advert 2s \
            --garp-refresh 30s --priority 255 --multicast",
        interface: "bond0",
        addrs: &["198.51.100.2", "fe80::2"],
        nothing: &["12 auth_pass …", "23 lvs_sync_daemon_interface bond0", "24 smtp_alert", "25 debug"],
        different: &[
            "5 use_vmac vrrp.255",
            "6 vmac_xmit_base",
            "9 advert_int 1.5",
            "15 virtual_ipaddress 198.51.100.1/24 brd 198.51.100.255 scope global",
            "18 virtual_ipaddress_excluded 2001:db8::1/64",
            "20 nopreempt",
            "21 garp_master_delay 10",
        ],
        unknown: &[],
    },
    Case {
        file: "scripts.conf",
        command: "run --interface eth0 --vip 10.0.0.9/24 --vrid 9 --vrrp 2 --priority 100 --source 10.0.0.1 \
            --peer 10.0.0.2 --peer 10.0.0.3 \
            --track process:traefik,interval=2s --track process:dockerd,weight=30 \
            --track exec:/usr/local/bin/check,interval=15s,timeout=5s,rise=3,fall=3 \
            --track http:http://10.0.0.1/health --track tcp:localhost:6443 --track tcp:127.0.0.1:6443 \
            --track process:nginx,weight=5",
        interface: "eth0",
        addrs: &["10.0.0.1"],
        nothing: &[
            "4 script \"/usr/bin/mysqladmin …\"",
            "8 script \"pgrep …\"",
            "11 script \"pgrep nobody\"",
            "23 track_script d",
            "27 track_script h",
        ],
        different: &[
            "2 script \"systemctl is-active --quiet docker\"",
            "3 init_fail",
            "3 user nobody",
            "6 script \"curl -sk https://localhost:6443/healthz\"",
        ],
        unknown: &["29 track_script j weight -10 reverse", "30 track_script nowhere"],
    },
    Case {
        file: "conditional.conf",
        command: "run --interface eth0 --vip 10.0.0.33/24 --vrid 33 --auth-pass-file /etc/unsinkable.pass \
            --priority 100 --multicast",
        interface: "eth0",
        addrs: &["10.0.0.1"],
        nothing: &[],
        different: &["10 auth_pass …"],
        unknown: &[
            "12 frobnicate",
            "4 @main",
            "5 @spare",
            "6 prioritty",
            "7 advert_int fast",
            "8 virtual_ipaddress not-an-address",
            "9 auth_type",
        ],
    },
];

#[test]
fn each_statement_is_translated_or_named() {
    for case in CASES {
        let seen = Seen::of(&[&format!("keepalived/{}", case.file)]);
        assert_eq!(seen.command(), case.command, "{}", case.file);
        assert_eq!(seen.lines("no counterpart"), case.nothing, "{}", case.file);
        assert_eq!(seen.lines("different"), case.different, "{}", case.file);
        assert_eq!(seen.lines("not understood"), case.unknown, "{}", case.file);
        assert_eq!(seen.exit, if case.unknown.is_empty() { 0 } else { 65 }, "{}", case.file);
        accepted(&seen.commands()[0], case.interface, case.addrs);
        assert!(!seen.findings().iter().any(|line| line.contains("refused")), "{:?}", seen.findings());
    }
}

#[test]
fn no_secret_is_printed_wherever_it_stands() {
    let folder = Folder::new("secrets");
    let secrets = "\
vrrp_instance A {
    interface eth0
    virtual_router_id 1
    priority 100 hunter2
    authentication {
        auth_type PASS
        auth_pas hunter2
        auth_pass hunter2 hunter2
        auth_hmac { key hunter2 }
    }
    auth_pas hunter2
    virtual_ipaddress { 10.0.0.9 }
    track_script { a b c }
}
vrrp_script a { script \"mysqladmin -phunter2 ping\" }
vrrp_script b { script \"curl -u me:hunter2 http://10.0.0.1/\" }
vrrp_script c { script \"curl http://me:hunter2@10.0.0.1/\" }
auth_hmac hunter2
";
    let path = folder.file("secrets.conf", secrets);
    for json in [false, true] {
        let output = translate(std::slice::from_ref(&path), json);
        assert!(!output.text.contains("hunter2") && output.errors.is_empty(), "{output:?}");
        assert_eq!(output.exit, 65);
    }
}

#[test]
fn lvs_has_no_counterpart_and_is_one_line() {
    let seen = Seen::of(&["keepalived/lvs.conf"]);
    let expected = "run --interface eth0 --vip 203.0.113.10/24 --vrid 10 --vrrp 2 --priority 200 --multicast \
        --vrid 11 --interface eth1 --vip 10.0.0.254/24 --vrrp 2 --priority 200 --multicast";
    assert_eq!(seen.command(), expected);
    assert_eq!(
        seen.lines("no counterpart"),
        ["26 virtual_server 203.0.113.10 80 {…}", "22 virtual_routes {…}"]
    );
    assert_eq!(seen.lines("different"), ["1 vrrp_sync_group VG_1 {…}"]);
    assert_eq!(seen.exit, 0);
}

#[test]
fn two_vips_that_share_the_load_keep_their_opposite_priorities() {
    let seen = Seen::of(&["keepalived/sharing-a.conf", "keepalived/sharing-b.conf"]);
    let expected = "run --interface eth0 --vip 10.0.0.50/24 --vrid 50 --vrrp 2 \
        --node 10.0.0.1=200 --node 10.0.0.2=100 \
        --vrid 51 --interface eth0 --vip 10.0.0.51/24 --vrrp 2 --node 10.0.0.2=200 --node 10.0.0.1=100";
    assert_eq!(seen.command(), expected);
    accepted(&seen.commands()[0], "eth0", &["10.0.0.2"]);
    assert!(seen.findings().contains(&"--vrid 51: every single failure moves the VIP".to_owned()));
}

#[test]
fn a_node_that_does_not_say_its_address_is_the_one_the_others_list() {
    let seen =
        Seen::of(&["keepalived/nosource-a.conf", "keepalived/nosource-b.conf", "keepalived/nosource-c.conf"]);
    let expected = "run --interface eth0 --vip 10.7.0.7/24 --vrid 7 --vrrp 2 \
        --node 10.7.0.1=150 --node 10.7.0.2=140 --node 10.7.0.3=130";
    assert_eq!(seen.command(), expected);
    accepted(&seen.commands()[0], "eth0", &["10.7.0.3"]);
    // With two of the three it could be either of two: nothing is guessed.
    let two = Seen::of(&["keepalived/nosource-a.conf", "keepalived/nosource-b.conf"]);
    assert_eq!(two.commands().len(), 2);
    assert!(two.commands()[0].join(" ").ends_with("--priority 150 --peer 10.7.0.2 --peer 10.7.0.3"));
}

#[test]
fn ipv4_and_ipv6_of_one_vrid_are_one_virtual_router() {
    let seen = Seen::of(&["keepalived/dual-a.conf", "keepalived/dual-b.conf"]);
    let expected = "run --interface eth0 --vip 10.6.0.60/24 --vip fd00:6::60/64 --vrid 60 \
        --node 10.6.0.1=200 --node fd00:6::1=200 --node 10.6.0.2=150 --node fd00:6::2=150";
    assert_eq!(seen.command(), expected);
    accepted(&seen.commands()[0], "eth0", &["10.6.0.2", "fd00:6::2"]);
    let alone = Seen::of(&["keepalived/dual-a.conf"]);
    assert!(!alone.command().contains("fd00"), "{}", alone.command());
    assert!(alone.lines("no counterpart").contains(&"16 virtual_ipaddress fd00:6::60/64".to_owned()));
}

#[test]
fn nodes_that_differ_get_a_command_each_and_the_reason() {
    let folder = Folder::new("differ");
    let node = |own: u8, other: u8, more: &str| {
        format!(
            "vrrp_instance A {{ interface eth{own} virtual_router_id 5 priority {} unicast_src_ip 10.0.0.{own}\n\
             unicast_peer {{ 10.0.0.{other} }} virtual_ipaddress {{ 10.0.0.9 }} {more} }}\n",
            100 + own
        )
    };
    let [one, two, slow] = [(1, 2, ""), (2, 1, ""), (2, 1, "advert_int 3")]
        .map(|(own, other, more)| folder.file(&format!("{own}{}.conf", more.len()), node(own, other, more)));
    // Interfaces may differ: each node takes its own.
    let seen = Seen::from(&translate(&[one.clone(), two], true));
    assert_eq!(
        seen.command(),
        "run --vip 10.0.0.9 --vrid 5 --vrrp 2 --node 10.0.0.2=102 --node 10.0.0.1=101"
    );
    assert_eq!(
        seen.notes(),
        [
            "--interface is left out for --vrid 5, as the nodes differ in it: each node takes the one that carries its address"
        ]
    );
    let seen = Seen::from(&translate(&[one.clone(), slow.clone()], true));
    assert_eq!(seen.commands().len(), 2);
    assert_eq!(
        seen.notes(),
        [format!(
            "a command for each node, as one for all is not possible: {one} and {slow} differ in --advert"
        )]
    );
}

#[test]
fn one_list_of_peers_copied_to_all_nodes_names_each_to_itself() {
    let folder = Folder::new("copied");
    let node = |own: u8, priority: u8| {
        let text = format!(
            "vrrp_instance A {{\n interface eth0\n virtual_router_id 5\n priority {priority}\n unicast_src_ip 10.0.0.{own}\n \
             unicast_peer {{ 10.0.0.1 10.0.0.2 }}\n virtual_ipaddress {{ 10.0.0.9 }}\n}}\n"
        );
        folder.file(&format!("{own}.conf"), text)
    };
    let files = [node(1, 200), node(2, 100)];
    let alone = Seen::from(&translate(&files[..1], true));
    assert_eq!(
        alone.command(),
        "run --interface eth0 --vip 10.0.0.9 --vrid 5 --vrrp 2 --priority 200 --source 10.0.0.1 --peer 10.0.0.2"
    );
    assert_eq!(alone.why("unicast_peer 10.0.0.1"), "no flag: it is this node's own unicast_src_ip");
    accepted(&alone.commands()[0], "eth0", &["10.0.0.1"]);
    let both = Seen::from(&translate(&files, true));
    assert_eq!(
        both.command(),
        "run --interface eth0 --vip 10.0.0.9 --vrid 5 --vrrp 2 --node 10.0.0.1=200 --node 10.0.0.2=100"
    );
}

#[test]
fn what_keepalived_ignores_is_left_out_and_said() {
    let folder = Folder::new("ignored");
    let text = "\
global_defs { vrrp_version 3 }
vrrp_instance A {
    interface eth0
    virtual_router_id 5
    priority 90
    priority 110
    state BACKUP
    nopreempt
    authentication { auth_type PASS auth_pass abc }
    virtual_ipaddress { 10.0.0.9 }
}
";
    let seen = Seen::from(&translate(&[folder.file("a.conf", text)], true));
    // The last priority counts, version 3 has no password, and nopreempt counts where state is BACKUP.
    assert_eq!(
        seen.command(),
        "run --interface eth0 --vip 10.0.0.9 --vrid 5 --no-preempt --priority 110 --multicast"
    );
    assert_eq!(seen.exit, 0);
}
