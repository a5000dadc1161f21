//! Ours alone, in real network namespaces: the address, the lease, hand-overs, and what must not disturb any of it.
#![allow(clippy::unchecked_time_subtraction, reason = "moments of this test, minus less than their age")]

mod lab;

use lab::daemon::{Daemon, Kind, binary, command, run_dir};
use lab::faults::Hogs;
use lab::pings::Pings;
use lab::router::{Router, Track};
use lab::sniffer::Sniffer;
use lab::{Lab, VIP, VIP2, VIP6, flood, ip, ms, say, within};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = ms(8000);

/// Ours on each of the lab's nodes, all told the same.
fn cluster(lab: &Lab, router: &Router) -> Vec<Daemon> {
    lab.nodes.iter().map(|node| Daemon::start(Kind::Unsinkable, node, router)).collect()
}

fn quick(priorities: &[u8]) -> Router {
    Router::v3(priorities, ms(100))
}

/// What `ip` says of an address on a node.
fn shown(lab: &Lab, node: usize, address: IpAddr) -> String {
    ip(&format!("-n {} -o addr show dev eth0 to {address}", lab.nodes[node].netns))
}

#[test]
fn the_address_comes_leased_and_goes_at_the_end() {
    let Some(lab) = Lab::new(1) else { return };
    let router = Router { vips: vec!["10.0.10.39/24", "10.0.10.40"], ..quick(&[200]) };
    let sniffer = Sniffer::start(&lab.bridge(), 1);
    let start = Instant::now();
    let mut daemon = Daemon::unsinkable(&lab.nodes[0], &router.flags());
    lab.owners.gained(VIP2, 0, start, LIMIT);
    let taken = lab.owners.gained(VIP, 0, start, LIMIT);
    std::thread::sleep(ms(300));
    let announced = sniffer.announcements(0, VIP, start + taken - ms(5), Instant::now());
    assert_eq!(announced, 5, "five gratuitous ARPs at once");
    let (long, short) = (shown(&lab, 0, VIP), shown(&lab, 0, VIP2));
    assert!(
        long.contains("10.0.10.39/24") && short.contains("10.0.10.40/32"),
        "prefix as given, else /32: {long}{short}"
    );
    assert!(long.contains("valid_lft 1sec"), "a lease of one second at 100 ms adverts: {long}");
    lab.steady(VIP, 0, ms(3500));
    daemon.signal(Signal::SIGTERM);
    let status = daemon.wait(LIMIT).expect("it ends on SIGTERM");
    assert_eq!(status.code(), Some(0));
    lab.nobody(VIP, LIMIT);
}

#[test]
fn without_a_lease_the_address_is_permanent() {
    let Some(lab) = Lab::new(1) else { return };
    let mut flags = quick(&[200]).flags();
    flags.extend(["--lease", "off"].map(str::to_owned));
    let mut daemon = Daemon::unsinkable(&lab.nodes[0], &flags);
    lab.settle(VIP, 0, LIMIT);
    assert!(shown(&lab, 0, VIP).contains("10.0.10.39/24"), "{}", shown(&lab, 0, VIP));
    assert!(shown(&lab, 0, VIP).contains("valid_lft forever"), "{}", shown(&lab, 0, VIP));
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.wait(LIMIT).and_then(|s| s.code()), Some(0), "SIGINT is SIGTERM");
    lab.nobody(VIP, LIMIT);
}

#[test]
fn a_removed_address_is_put_back_at_once() {
    let Some(lab) = Lab::new(2) else { return };
    let daemons = cluster(&lab, &Router::v2(&[200, 190]));
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(6000)); // past the second burst of announcements
    let sniffer = Sniffer::start(&lab.bridge(), 2);
    let gone = lab.nodes[0].remove(VIP);
    within("put back after removal", lab.owners.gained(VIP, 0, gone, LIMIT), 0, 300);
    std::thread::sleep(ms(200));
    assert!(sniffer.announcements(0, VIP, gone, Instant::now()) > 0, "and announced again");

    let gone = lab.nodes[0].flush();
    lab.nodes[0].add_own();
    within("put back after a flush", lab.owners.gained(VIP, 0, gone, LIMIT), 0, 300);
    std::thread::sleep(ms(1500));
    assert_eq!(lab.owners.now(VIP), [0], "the other node noticed nothing");
    assert_eq!(lab.owners.changes(VIP, gone, Instant::now()).iter().filter(|c| c.node == 1).count(), 0);
    drop(daemons);
}

#[test]
fn a_link_that_goes_and_comes_back() {
    let Some(lab) = Lab::new(2) else { return };
    let daemons = cluster(&lab, &quick(&[200, 190]));
    lab.settle(VIP, 0, LIMIT);
    let event = lab.nodes[0].link_down();
    within("link down", lab.owners.gained(VIP, 1, event, LIMIT), 0, 700);
    lab.settle(VIP, 1, ms(300));
    let event = lab.nodes[0].link_up();
    within("link up again", lab.owners.gained(VIP, 0, event, LIMIT), 0, 2500);
    lab.settle(VIP, 0, ms(500));

    let event = lab.unplug(0);
    within("carrier lost", lab.owners.gained(VIP, 1, event, LIMIT), 0, 700);
    lab.settle(VIP, 1, ms(300));
    for _ in 0..3 {
        lab.plug(0);
        std::thread::sleep(ms(150));
        lab.unplug(0);
        std::thread::sleep(ms(150));
    }
    lab.plug(0);
    lab.settle(VIP, 0, ms(4000));
    lab.steady(VIP, 0, ms(1000));
    drop(daemons);
}

#[test]
fn a_silent_cut_splits_and_the_heal_joins() {
    let Some(lab) = Lab::new(3) else { return };
    let daemons = cluster(&lab, &quick(&[200, 190, 180]));
    lab.settle(VIP, 0, LIMIT);
    let pings = Pings::start(&lab.client(), VIP);
    std::thread::sleep(ms(500));
    let cut = lab.cut(0);
    within("cable cut silently", lab.owners.gained(VIP, 1, cut, LIMIT), 200, 700);
    let answers = pings.answers(cut, cut + ms(1000));
    within("the client's hole", answers.hole, 100, 900);
    std::thread::sleep(ms(500));
    let healed = lab.heal(0);
    within("the weaker yields", lab.owners.lost(VIP, 1, healed, LIMIT), 0, 400);
    lab.steady(VIP, 0, ms(1000));
    let answers = pings.answers(healed + ms(300), Instant::now());
    assert_eq!(answers.unanswered, 0, "the client reaches the winner: {answers:?}");
    drop(daemons);
}

/// At one advert a second the loser of a split mostly hears the winner before it is due to speak itself. Unless it sends
/// a last advert, the winner never learns that the client's ARP entry points elsewhere, and the client reaches nobody.
#[test]
fn after_a_split_the_client_finds_the_winner() {
    let Some(lab) = Lab::new(3) else { return };
    let daemons = cluster(&lab, &Router::v2(&[200, 190, 180]));
    lab.settle(VIP, 0, LIMIT);
    let (pings, sniffer) = (Pings::start(&lab.client(), VIP), Sniffer::start(&lab.bridge(), 3));
    std::thread::sleep(ms(6000)); // past the second burst of announcements, which would hide it
    let cut = lab.cut(0);
    lab.owners.gained(VIP, 1, cut, LIMIT);
    // Node 1 speaks a skew (258 ms) after the phase of node 0. Heal right after it spoke: node 0 is the next to speak.
    std::thread::sleep(ms(1300));
    let healed = lab.heal(0);
    let yielded = lab.owners.lost(VIP, 1, healed, LIMIT);
    within("the weaker yields", yielded, 0, 1100);
    std::thread::sleep(ms(1000));
    let said = sniffer.adverts(1, 12, healed, Instant::now()).len();
    let announced = sniffer.announcements(0, VIP, healed, Instant::now());
    say(&format!("    the loser sent {said} adverts, the winner {announced} announcements"));
    let answers = pings.answers(healed + yielded + ms(50), healed + yielded + ms(950));
    assert!(answers.unanswered <= 15, "the client does not find the winner: {answers:?}");
    drop(daemons);
}

#[test]
fn an_address_that_comes_late_to_boot() {
    let Some(lab) = Lab::new(2) else { return };
    lab.nodes[0].flush();
    let mut daemons = cluster(&lab, &quick(&[200, 190]));
    lab.settle(VIP, 1, LIMIT);
    std::thread::sleep(ms(1500));
    assert!(daemons[0].runs(), "it waits for its address: {}", daemons[0].log());
    let event = lab.nodes[0].add_own();
    within("address arrived", lab.owners.gained(VIP, 0, event, LIMIT), 0, 2500);
    lab.settle(VIP, 0, ms(500));
}

/// (signal, router, master down in ms)
fn crash(signal: Signal, router: &Router, down: u64) {
    let Some(lab) = Lab::new(2) else { return };
    let daemons = cluster(&lab, router);
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(700));
    let event = daemons[0].signal(signal);
    within(&format!("{signal}, the other owns it"), lab.owners.gained(VIP, 1, event, LIMIT), 0, down + 300);
    lab.two_owners_end(VIP, 1, event);
    if signal == Signal::SIGSTOP {
        let woken = daemons[0].signal(Signal::SIGCONT);
        within("takes it back when it runs again", lab.owners.gained(VIP, 0, woken, LIMIT), 0, down + 1000);
        lab.settle(VIP, 0, ms(500));
        within("two owners then", lab.owners.spans(VIP, woken, Instant::now()).two, 0, 200);
    }
}

#[test]
fn the_lease_ends_a_killed_master() {
    crash(Signal::SIGKILL, &Router::v2(&[200, 190]), 3258);
    crash(Signal::SIGKILL, &quick(&[200, 190]), 326);
}

#[test]
fn the_lease_ends_a_stopped_master() {
    crash(Signal::SIGSTOP, &Router::v2(&[200, 190]), 3258);
    crash(Signal::SIGSTOP, &quick(&[200, 190]), 326);
}

#[test]
fn a_restart_after_a_crash_adopts_the_address() {
    let Some(lab) = Lab::new(2) else { return };
    let router = Router::v2(&[200, 190]);
    let mut daemons = cluster(&lab, &router);
    lab.settle(VIP, 0, LIMIT);
    let pings = Pings::start(&lab.client(), VIP);
    std::thread::sleep(ms(1500));
    let event = daemons[0].signal(Signal::SIGKILL);
    daemons[0].wait(LIMIT);
    daemons[0] = Daemon::unsinkable(&lab.nodes[0], &router.flags());
    std::thread::sleep(ms(4500));
    let nobody = lab.owners.spans(VIP, event, Instant::now()).nobody;
    within("nobody owned it", nobody, 0, 100);
    let answers = pings.answers(event, Instant::now());
    within("the client's hole", answers.hole, 0, 100);
    lab.settle(VIP, 0, ms(4000));
}

#[test]
fn three_nodes_of_ipv6() {
    let Some(lab) = Lab::new(3) else { return };
    let mut daemons = cluster(&lab, &Router::ipv6(&[200, 190, 180], ms(100)));
    lab.settle(VIP6, 0, LIMIT);
    let pings = Pings::start(&lab.client(), VIP6);
    std::thread::sleep(ms(300));
    let event = daemons[0].signal(Signal::SIGTERM);
    within("SIGTERM", lab.owners.gained(VIP6, 1, event, LIMIT), 0, 26 + 150);
    let answers = pings.answers(event - ms(100), event + ms(500));
    assert!(answers.unanswered <= 15, "a planned hand-over lost packets: {answers:?}");
    assert!(daemons[0].wait(LIMIT).is_some());
    let event = daemons[1].signal(Signal::SIGKILL);
    within("kill -9", lab.owners.gained(VIP6, 2, event, LIMIT), 0, 330 + 300);
    lab.two_owners_end(VIP6, 2, event);
}

#[test]
fn both_families_in_one_daemon() {
    let Some(lab) = Lab::new(3) else { return };
    let mut router = quick(&[200, 190, 180]);
    router.vips.push("fd00:10::39/64");
    router.nodes.extend(Router::ipv6(&[200, 190, 180], ms(100)).nodes);
    let daemons = cluster(&lab, &router);
    lab.settle(VIP, 0, LIMIT);
    lab.settle(VIP6, 0, LIMIT);
    let event = daemons[0].signal(Signal::SIGTERM);
    within("SIGTERM, IPv4", lab.owners.gained(VIP, 1, event, LIMIT), 0, 26 + 150);
    within("SIGTERM, IPv6", lab.owners.gained(VIP6, 1, event, LIMIT), 0, 26 + 150);
    std::thread::sleep(ms(500));
    assert_eq!((lab.owners.now(VIP), lab.owners.now(VIP6)), (vec![1], vec![1]));
}

#[test]
fn two_virtual_routers_share_the_load() {
    let Some(lab) = Lab::new(2) else { return };
    let one = Router { vrid: 51, vips: vec!["10.0.10.39/24"], ..quick(&[200, 190]) };
    let two = Router { vrid: 52, vips: vec!["10.0.10.40/24"], ..quick(&[190, 200]) };
    let flags = [one.flags(), two.flags()].concat();
    let mut daemons: Vec<Daemon> = lab.nodes.iter().map(|n| Daemon::unsinkable(n, &flags)).collect();
    lab.settle(VIP, 0, LIMIT);
    lab.settle(VIP2, 1, LIMIT);
    std::thread::sleep(ms(300));
    let event = daemons[0].signal(Signal::SIGTERM);
    within("SIGTERM", lab.owners.gained(VIP, 1, event, LIMIT), 0, 26 + 150);
    assert!(daemons[0].wait(LIMIT).is_some());
    assert_eq!((lab.owners.now(VIP), lab.owners.now(VIP2)), (vec![1], vec![1]), "one node carries both");
    daemons[0] = Daemon::unsinkable(&lab.nodes[0], &flags);
    lab.settle(VIP, 0, LIMIT);
    lab.settle(VIP2, 1, ms(500));
}

#[test]
fn a_second_daemon_of_the_same_router_refuses() {
    let Some(lab) = Lab::new(1) else { return };
    let daemon = Daemon::unsinkable(&lab.nodes[0], &quick(&[200]).flags());
    lab.settle(VIP, 0, LIMIT);
    let mut second = Command::new(binary());
    let dir = lab.nodes[0].dir.join("second"); // not the run directory may stop it, but the router it names
    second.arg("run").args(quick(&[200]).flags()).arg("--run-dir").arg(&dir).arg("--state-dir").arg(&dir);
    let mut child =
        lab.nodes[0].spawn(second.stdout(Stdio::piped()).stderr(Stdio::piped())).expect("it starts");
    let start = Instant::now();
    while child.try_wait().expect("it is our child").is_none() {
        if start.elapsed() > ms(3000) {
            child.kill().ok();
            panic!("a second daemon runs on: two masters on one machine");
        }
        std::thread::sleep(ms(10));
    }
    let out = child.wait_with_output().expect("it is our child");
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success(), "it refuses: {text}");
    assert!(text.contains("12") && text.contains("eth0"), "it names the router and the interface: {text}");
    lab.steady(VIP, 0, ms(1500));
    drop(daemon);
}

#[test]
fn planned_hand_overs_lose_no_ping() {
    let Some(lab) = Lab::new(3) else { return };
    let track = Track { process: "dockerd", interval: 1, weight: 20 };
    let router = Router { tracks: vec![track], ..Router::v2(&[200, 190, 180]) };
    lab.nodes.iter().for_each(|n| n.start_fake("dockerd"));
    let mut daemons = cluster(&lab, &router);
    lab.settle(VIP, 0, LIMIT);
    let pings = Pings::start(&lab.client(), VIP);
    std::thread::sleep(ms(1500));
    let unharmed = |what: &str, event: Instant| {
        let answers = pings.answers(event - ms(100), event + ms(1000));
        say(&format!("    pings, {what}: {} of {} unanswered", answers.unanswered, answers.sent));
        assert!(answers.unanswered <= 10, "{what} lost packets: {answers:?}");
    };

    let event = lab.nodes[0].stop_fake("dockerd"); // 200 against 210: skew 180 ms
    within("dockerd killed", lab.owners.gained(VIP, 1, event, LIMIT), 0, 180 + 150);
    unharmed("a failed check", event);
    lab.settle(VIP, 1, ms(100));
    lab.nodes[0].start_fake("dockerd");
    let back = Instant::now();
    lab.owners.gained(VIP, 0, back, LIMIT);
    unharmed("preemption", back);
    lab.settle(VIP, 0, ms(500));

    let event = Instant::now();
    let (status, _, error) = command(&lab.nodes[0], &["resign", "--for", "3s"]);
    assert!(status.success(), "resign: {error}");
    within("resign", lab.owners.gained(VIP, 1, event, LIMIT), 0, 180 + 50 + 150); // and the command's own start
    unharmed("resign", event);
    lab.settle(VIP, 1, ms(100));
    lab.settle(VIP, 0, ms(3000) + ms(4000));
    std::thread::sleep(ms(500));

    let event = daemons[0].signal(Signal::SIGTERM);
    within("SIGTERM", lab.owners.gained(VIP, 1, event, LIMIT), 0, 180 + 150);
    unharmed("SIGTERM", event);
    assert_eq!(daemons[0].wait(LIMIT).and_then(|s| s.code()), Some(0));
}

/// Unweighted, a failed check is a fault: the VIP leaves whatever the others' priorities are.
#[test]
fn a_fault_moves_the_vip_whatever_the_gap() {
    let Some(lab) = Lab::new(2) else { return };
    let track = Track { process: "dockerd", interval: 1, weight: 0 };
    let router = Router { tracks: vec![track], ..quick(&[250, 50]) };
    lab.nodes.iter().for_each(|n| n.start_fake("dockerd"));
    let daemons = cluster(&lab, &router);
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(500));
    let event = lab.nodes[0].stop_fake("dockerd");
    within("dockerd killed", lab.owners.gained(VIP, 1, event, LIMIT), 0, 80 + 150); // 206 / 2560 s
    lab.settle(VIP, 1, ms(300));
    lab.nodes[0].start_fake("dockerd");
    lab.settle(VIP, 0, LIMIT);
    drop(daemons);
}

#[test]
fn the_housekeepers_fate_does_not_touch_the_vip() {
    let Some(lab) = Lab::new(2) else { return };
    let mut flags = Router::v3(&[200, 190], ms(10)).flags();
    flags.push("--prune".into());
    let daemons: Vec<Daemon> = lab.nodes.iter().map(|n| Daemon::unsinkable(n, &flags)).collect();
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(500));
    let sniffer = Sniffer::start(&lab.bridge(), 2);
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        let child = daemons[0].child_with("housekeeper").expect("--prune makes a housekeeper");
        let event = Instant::now();
        kill(Pid::from_raw(child), signal).expect("it lives");
        lab.steady(VIP, 0, ms(3000));
        let gap = sniffer.gap(0, 12, event, Instant::now() - ms(30));
        within(&format!("longest gap between adverts, {signal}"), gap, 5, 60);
    }
    std::thread::sleep(ms(2000));
    let child = daemons[0].child_with("housekeeper").expect("it is started again");

    let event = Instant::now();
    take_memory(child, 2 << 30);
    lab.steady(VIP, 0, ms(1000));
    let gap = sniffer.gap(0, 12, event, Instant::now() - ms(30));
    within("longest gap between adverts, 2 GB taken", gap, 5, 60);
}

/// Lets a process map memory and fill it, from a debugger: a leak of its own making.
fn take_memory(process: i32, bytes: u64) {
    // mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
    let call = format!("call (long)mmap(0, {bytes}, 3, 0x8022, -1, 0)");
    let gdb = Command::new("gdb")
        .args(["-nx", "-batch", "-p", &process.to_string(), "-ex", "set language c", "-ex", &call])
        .stdin(Stdio::null())
        .output()
        .expect("tests/setup installs gdb");
    let resident = std::fs::read_to_string(format!("/proc/{process}/statm")).expect("it lives");
    let pages: u64 = resident.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("statm(5)");
    assert!(pages * 4096 >= bytes, "{}", String::from_utf8_lossy(&gdb.stdout));
}

#[test]
fn adverts_every_10_ms_with_all_cores_busy() {
    let Some(lab) = Lab::new(2) else { return };
    let daemons = cluster(&lab, &Router::v3(&[200, 190], ms(10)));
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(500));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let sniffer = Sniffer::start(&lab.bridge(), 2);
    let hogs = Hogs::start(cores + 1, ms(15_000));
    let from = Instant::now();
    lab.steady(VIP, 0, ms(10_000));
    let to = Instant::now() - ms(30);
    let adverts = sniffer.adverts(0, 12, from, to).len();
    drop(hogs);
    say(&format!("    {adverts} adverts in {:?}", to - from));
    within("longest gap between adverts", sniffer.gap(0, 12, from, to), 5, 60);
    assert!(adverts >= 950, "about 1,000 adverts are due in 10 s, {adverts} were sent");
    assert!(daemons[0].log().contains("eth0"), "it says what it does: {}", daemons[0].log());
}

#[test]
fn hostile_floods_move_nothing() {
    let Some(lab) = Lab::new(2) else { return };
    let daemons = cluster(&lab, &Router::v2(&[200, 190]));
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(500));
    let sniffer = Sniffer::start(&lab.bridge(), 2);
    let (target, vip) = (Ipv4Addr::new(10, 0, 10, 31), Ipv4Addr::new(10, 0, 10, 39));
    let stranger = ("from a stranger", Ipv4Addr::new(10, 0, 10, 66), *b"pass1234");
    let forger = ("from a peer's address, wrong password", Ipv4Addr::new(10, 0, 10, 32), *b"wrong!!!");
    for (what, source, password) in [stranger, forger] {
        for priority in [255, 0] {
            let from = Instant::now();
            let message = flood::advert_v2(12, priority, vip, password);
            let sent = flood::flood(&lab.client(), source, target, &message, 100_000, ms(3000));
            let to = Instant::now();
            say(&format!("    {what}, priority {priority}: {sent} adverts in {:?}", to - from));
            assert!(sent > 60_000, "no flood at all: {sent} in 3 s");
            assert_eq!(lab.owners.changes(VIP, from, to), [], "the VIP moved");
            within("longest gap between adverts", sniffer.gap(0, 12, from, to), 500, 1500);
        }
    }
    lab.steady(VIP, 0, ms(500));
    let (status, text, error) = command(&lab.nodes[0], &["status", "--json"]);
    assert!(status.success() && text.contains("password"), "rejects are counted and named: {text}{error}");
    assert!(run_dir(&lab.nodes[0]).exists());
    drop(daemons);
}

/// What waits for the MAC address of a dead peer must not take the room of adverts to a living one.
#[test]
fn peers_that_are_dead_do_not_stop_adverts_to_the_living() {
    let Some(lab) = Lab::new(2) else { return };
    // Only the first two nodes exist.
    let router = Router::v3(&[200, 190, 180, 170, 160], ms(10));
    let daemons = cluster(&lab, &router);
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(300));
    lab.steady(VIP, 0, ms(8000));
    assert!(!daemons[0].log().contains("10.0.10.32 fail"), "{}", daemons[0].log());
}

/// Longer than a verdict is believed: the checks were stopped with the rest, and must not be taken for failed.
#[test]
fn a_stopped_master_with_checks_takes_the_vip_back_at_once() {
    let Some(lab) = Lab::new(2) else { return };
    for node in &lab.nodes {
        node.start_fake("dockerd");
        node.start_fake("traefik");
    }
    let daemons = cluster(&lab, &Router::v2(&[200, 190]).tracking(20, 15));
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(1500));
    for stopped in [5200, 5700, 6300] {
        daemons[0].signal(Signal::SIGSTOP);
        std::thread::sleep(ms(stopped));
        daemons[0].signal(Signal::SIGCONT);
        lab.settle(VIP, 0, ms(500));
        lab.steady(VIP, 0, ms(1500));
    }
}
