//! The kernel's face against the kernel: two network namespaces, a cable between them. Needs root.

#![allow(unsafe_code, reason = "a global allocator that counts")]
#![allow(clippy::unwrap_used, reason = "a test may die")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test picks one")]

use core::cell::Cell;
use core::time::Duration;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use unsinkable::sys::netlink::{self, Netlink, Received};
use unsinkable::sys::packet_socket::PacketSocket;
use unsinkable::sys::single::Single;
use unsinkable::sys::vrrp_socket::{Datagram, VrrpSocket};
use unsinkable::sys::wake::{Wake, wait};
use unsinkable::sys::{Family, alias, caps, clock, interface, sched};
use unsinkable::vip::address::{self, Message};
use unsinkable::vip::announce;
use unsinkable::vrrp::advert::{self, MAX_DATAGRAM, MAX_MESSAGE};
use unsinkable::vrrp::priority::Effective;
use unsinkable::vrrp::{Auth, Checksum, Peer, Preempt, Settings, Version, Vip, filter};

/// Counts what this thread takes from the heap.
struct Counting;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn run(command: &str) {
    let mut words = command.split_whitespace();
    let status = Command::new(words.next().unwrap()).args(words).status().expect("iproute2 is installed");
    assert!(status.success(), "{command}");
}

/// Runs `job` in a network namespace of its own, which goes with its thread.
fn in_namespace(job: impl FnOnce() + Send) {
    if !nix::unistd::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "the tests of sys need root");
        eprintln!("SKIPPED: needs root, for network namespaces");
        return;
    }
    let done = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a new network namespace");
            run("ip link set lo up");
            job();
        });
        thread.join()
    });
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// Node .31 on interface `near`, in this namespace; node .32 on `far`, in another, where `peer` runs beside `job`.
fn with_peer(job: impl FnOnce() + Send, peer: impl FnOnce() + Send) {
    in_namespace(|| {
        let (tell_tid, tid) = mpsc::channel();
        let (plugged_in, cable) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                unshare(CloneFlags::CLONE_NEWNET).expect("a new network namespace");
                tell_tid.send(nix::unistd::gettid()).unwrap();
                cable.recv().unwrap();
                configure("far", 32);
                peer();
            });
            run("ip link add near type veth peer name far");
            run(&format!("ip link set far netns {}", tid.recv().unwrap()));
            configure("near", 31);
            plugged_in.send(()).unwrap();
            job();
        });
    });
}

/// Node .31 alone: `near` with the other end of its cable in the same namespace.
fn plug_in_here() {
    run("ip link add near type veth peer name loose");
    run("ip link set loose up");
    configure("near", 31);
}

fn configure(name: &str, last: u8) {
    run(&format!("ip address add 10.0.10.{last}/24 dev {name}"));
    run(&format!("ip address add fd00:10::{last}/64 dev {name} nodad"));
    run(&format!("ip link set {name} up"));
}

fn settings(version: Version, vip: &str, peers: &[&str]) -> Settings {
    Settings {
        vrid: 12,
        version,
        vips: heapless::Vec::from_slice(&[Vip { addr: ip(vip), prefix: 24 }]).unwrap(),
        base: 100,
        interval: Duration::from_secs(1),
        auth: if version == Version::V2 { Auth::Pass(*b"pass1234") } else { Auth::None },
        checksum: Checksum::Pseudo,
        preempt: Preempt::Never,
        peers: peers.iter().map(|peer| Peer { addr: ip(peer), range: None }).collect(),
        multicast: peers.is_empty(),
        blind: Effective::Fault,
    }
}

fn open(name: &str, settings: &Settings, filter: &filter::Program) -> VrrpSocket {
    let family = if settings.is_ipv6() { Family::V6 } else { Family::V4 };
    let ifindex = interface::index(name).unwrap();
    VrrpSocket::open(name, ifindex, family, settings.multicast, filter).unwrap()
}

/// The next datagram, within two seconds.
fn next(socket: &VrrpSocket, buffer: &mut [u8]) -> Datagram {
    for _ in 0..20 {
        if let Some(datagram) = socket.recv(buffer).unwrap() {
            return datagram;
        }
        wait(&[socket.as_fd()], Some(Duration::from_millis(100))).unwrap();
    }
    panic!("nothing came");
}

/// Does `turn` again and again, so that it does not matter when the other side begins to listen.
fn repeat(until: &mpsc::Receiver<()>, mut turn: impl FnMut()) {
    while until.recv_timeout(Duration::from_millis(50)) == Err(mpsc::RecvTimeoutError::Timeout) {
        turn();
    }
}

/// Adverts pass from near to far by the filter; those of another VRID, or from an address that is no peer, go to the
/// inverse.
fn adverts_pass(version: Version, multicast: bool, [vip, near, stranger, far]: [&'static str; 4]) {
    let (done, until) = mpsc::channel();
    let peers = |peer| if multicast { vec![] } else { vec![peer] };
    let (theirs, ours) = (settings(version, vip, &peers(far)), settings(version, vip, &peers(near)));
    let dest = match (multicast, ours.is_ipv6()) {
        (true, true) => IpAddr::V6(advert::GROUP_V6),
        (true, false) => IpAddr::V4(advert::GROUP_V4),
        (false, _) => ip(far),
    };
    let message = |settings: &Settings, source| {
        let mut out = [0; MAX_MESSAGE];
        let len = advert::emit(settings, 230, ip(source), dest, &mut out);
        (out[..len].to_vec(), ip(source))
    };
    let good = message(&theirs, near);
    let mut sent = vec![good.clone(), message(&Settings { vrid: 13, ..theirs.clone() }, near)];
    if !multicast {
        sent.push(message(&theirs, stranger));
    }
    let sender = move || {
        let prefix = if theirs.is_ipv6() { "64 dev near nodad" } else { "24 dev near" };
        run(&format!("ip address add {stranger}/{prefix}"));
        let socket = open("near", &theirs, &filter::wanted(&theirs));
        repeat(&until, || {
            for (message, source) in &sent {
                // The first may meet a neighbour not yet known.
                let _ = socket.send(message, *source, dest);
            }
        });
    };
    let receiver = move || {
        let wanted = open("far", &ours, &filter::wanted(&ours));
        let unwanted = open("far", &ours, &filter::unwanted(&ours));
        let mut buffer = [0; MAX_DATAGRAM];
        for _ in 0..5 {
            let Datagram { src, dst, ttl, message } = next(&wanted, &mut buffer);
            assert_eq!((src, dst, ttl), (ip(near), dest, 255));
            assert_eq!(buffer[message.clone()], good.0);
            let received = advert::Received { src, dst, ttl, message: &buffer[message] };
            assert_eq!(advert::accept(&ours, ip(far), &received).unwrap().priority, 230);
        }
        let (mut foreign, mut strangers) = (0, 0);
        for _ in 0..8 {
            let got = next(&unwanted, &mut buffer);
            match (got.src == ip(near), buffer[got.message][1]) {
                (true, 13) => foreign += 1,
                (false, 12) => strangers += 1,
                other => panic!("should not be here: {other:?}"),
            }
        }
        assert!(foreign > 2 && (multicast || strangers > 2), "{foreign} {strangers}");
        assert_eq!(wanted.dropped(), Ok(0));
        done.send(()).unwrap();
    };
    with_peer(sender, receiver);
}

const V4: [&str; 4] = ["10.0.10.39", "10.0.10.31", "10.0.10.35", "10.0.10.32"];
const V6: [&str; 4] = ["fd00:10::39", "fd00:10::31", "fd00:10::35", "fd00:10::32"];

#[test]
fn adverts_by_ipv4_unicast() {
    adverts_pass(Version::V2, false, V4);
}

#[test]
fn adverts_by_ipv4_multicast() {
    adverts_pass(Version::V3, true, V4);
}

#[test]
fn adverts_by_ipv6_unicast() {
    adverts_pass(Version::V3, false, V6);
}

#[test]
fn adverts_by_ipv6_multicast() {
    adverts_pass(Version::V3, true, V6);
}

#[test]
fn a_full_buffer_drops_and_counts() {
    in_namespace(|| {
        let (ours, own) = (settings(Version::V2, "10.0.10.39", &["127.0.0.1"]), ip("127.0.0.1"));
        let socket = open("lo", &ours, &filter::wanted(&ours));
        let (mut out, mut buffer) = ([0; MAX_MESSAGE], [0; MAX_DATAGRAM]);
        let len = advert::emit(&ours, 1, own, own, &mut out);
        for _ in 0..2000 {
            socket.send(&out[..len], own, own).unwrap();
        }
        let dropped = socket.dropped().unwrap();
        let mut queued = 0;
        while socket.recv(&mut buffer).unwrap().is_some() {
            queued += 1;
        }
        assert!(queued > 100, "some hundred fit: {queued}");
        assert_eq!(dropped + queued, 2000);
    });
}

/// The next event that `wanted` picks, within three seconds.
fn event<T>(events: &Netlink, mut wanted: impl FnMut(Message) -> Option<T>) -> T {
    let mut buffer = [0; netlink::BUFFER];
    let deadline = clock::now() + Duration::from_secs(3);
    while clock::now() < deadline {
        wait(&[events.as_fd()], Some(Duration::from_millis(100))).unwrap();
        if let Received::Messages(len) = events.recv(&mut buffer).unwrap()
            && let Some(found) = address::messages(&buffer[..len]).find_map(&mut wanted)
        {
            return found;
        }
    }
    panic!("no such event");
}

fn told(netlink: &Netlink, addr: IpAddr) -> Option<address::Address> {
    let mut found = None;
    let request = address::dump_addresses(99);
    let dumped = netlink.dump(&request, |part| {
        for message in address::messages(part) {
            match message {
                Message::Added(address) if address.addr == addr => found = Some(address),
                _ => {}
            }
        }
    });
    dumped.unwrap();
    found
}

fn a_lease_is_kept_and_lost(vip: &str, prefix: u8) {
    let vip = ip(vip);
    in_namespace(|| {
        plug_in_here();
        run("ip link add other type veth peer name end");
        let ifindex = interface::index("near").unwrap();
        let netlink = Netlink::open().unwrap();
        let groups = netlink::IPV4_ADDRESSES | netlink::IPV6_ADDRESSES;
        let events = Netlink::events(groups, Some(ifindex)).unwrap();
        run("ip address add 10.9.9.9/24 dev other");

        netlink.request(&address::add(1, ifindex, vip, prefix, Some(1))).unwrap();
        let added = event(&events, |message| match message {
            // The link-local address may come in between.
            Message::Added(address) if address.addr != vip && address.ifindex == ifindex => None,
            Message::Added(address) => Some(address),
            _ => None,
        });
        assert_eq!(
            (added.ifindex, added.addr, added.prefix),
            (ifindex, vip, prefix),
            "not the one on `other`"
        );
        assert_eq!(added.valid, Some(1));
        // Renewed, it outlives its first lease.
        for sequence in 2..6 {
            thread::sleep(Duration::from_millis(400));
            netlink.request(&address::add(sequence, ifindex, vip, prefix, Some(1))).unwrap();
        }
        assert!(told(&netlink, vip).is_some(), "after 1.6 s");
        // Abandoned, it goes by itself.
        let abandoned = clock::now();
        event(&events, |message| match message {
            Message::Removed(address) if address.addr == vip => Some(()),
            _ => None,
        });
        let lived = clock::now().since(abandoned);
        assert!((900..2000).contains(&lived.as_millis()), "{lived:?}");
        assert_eq!(told(&netlink, vip), None);

        netlink.request(&address::add(7, ifindex, vip, prefix, None)).unwrap();
        assert_eq!(told(&netlink, vip).unwrap().valid, None);
        netlink.request(&address::remove(8, ifindex, vip, prefix)).unwrap();
        let gone = netlink.request(&address::remove(9, ifindex, vip, prefix)).unwrap_err();
        assert_eq!(gone.errno, Errno::EADDRNOTAVAIL);
        let nowhere = netlink.request(&address::add(10, 9999, vip, prefix, None)).unwrap_err();
        assert_eq!(nowhere.errno, Errno::ENODEV);
    });
}

#[test]
fn an_ipv4_lease_is_kept_and_lost() {
    a_lease_is_kept_and_lost("10.0.10.39", 24);
}

#[test]
fn an_ipv6_lease_is_kept_and_lost() {
    a_lease_is_kept_and_lost("fd00:10::39", 64);
}

#[test]
fn the_vip_is_never_the_source() {
    in_namespace(|| {
        plug_in_here();
        let ifindex = interface::index("near").unwrap();
        let netlink = Netlink::open().unwrap();
        for (sequence, vip, prefix) in [(1, "10.0.10.39", 24), (2, "10.0.10.38", 32), (3, "fd00:10::39", 64)]
        {
            netlink.request(&address::add(sequence, ifindex, ip(vip), prefix, Some(60))).unwrap();
        }
        for (any, dest, own) in
            [("0.0.0.0:0", "10.0.10.77:9", "10.0.10.31"), ("[::]:0", "[fd00:10::77]:9", "fd00:10::31")]
        {
            let socket = std::net::UdpSocket::bind(any).unwrap();
            socket.connect(dest).unwrap();
            assert_eq!(socket.local_addr().unwrap().ip(), ip(own));
        }
    });
}

#[test]
fn lost_events_are_told() {
    in_namespace(|| {
        plug_in_here();
        let ifindex = interface::index("near").unwrap();
        let events = Netlink::events(netlink::IPV4_ADDRESSES, Some(ifindex)).unwrap();
        let netlink = Netlink::open().unwrap();
        for sequence in 0..1000 {
            netlink.request(&address::add(sequence, ifindex, ip("10.0.10.39"), 24, Some(60))).unwrap();
        }
        let mut buffer = [0; netlink::BUFFER];
        let mut overruns = 0;
        loop {
            match events.recv(&mut buffer).unwrap() {
                Received::Messages(_) => {}
                Received::Overrun => overruns += 1,
                Received::Nothing => break,
            }
        }
        assert_eq!(overruns, 1);
        // And it goes on hearing.
        netlink.request(&address::remove(1, ifindex, ip("10.0.10.39"), 24)).unwrap();
        event(&events, |message| matches!(message, Message::Removed(_)).then_some(()));
    });
}

#[test]
fn an_alias_comes_with_our_prefix_and_goes() {
    in_namespace(|| {
        plug_in_here();
        let (vip, second) = (Ipv4Addr::new(10, 0, 10, 39), Ipv4Addr::new(10, 0, 10, 40));
        let assigned = || {
            let all = interface::addresses().unwrap();
            all.into_iter().find(|assigned| assigned.addr == IpAddr::V4(vip))
        };
        alias::add("near", vip, 24).unwrap();
        alias::add("near", vip, 24).unwrap();
        alias::add("near", second, 32).unwrap();
        let found = assigned().unwrap();
        assert_eq!((found.interface.as_str(), found.prefix), ("near", 24));
        assert_eq!(interface::ipv4("near:1"), Ok(second));
        assert_eq!(alias::remove("near", vip), Ok(true));
        assert_eq!(alias::remove("near", vip), Ok(false));
        assert_eq!(assigned(), None);
        assert_eq!(interface::ipv4("near:1"), Ok(second), "the other stays");
        assert_eq!(interface::ipv4("near"), Ok(Ipv4Addr::new(10, 0, 10, 31)), "and the node's own");

        run("ip link add interface123456 type veth peer name end");
        assert_eq!(alias::add("interface123456", vip, 24).unwrap_err().errno, Errno::ENAMETOOLONG);
        assert_eq!(alias::add("nowhere", vip, 24).unwrap_err().errno, Errno::ENODEV);
    });
}

#[test]
fn links_are_watched() {
    let watcher = || {
        let ifindex = interface::index("near").unwrap();
        let events = Netlink::events(netlink::LINKS, Some(ifindex)).unwrap();
        let link = |message| match message {
            Message::Link(link) => Some(link),
            _ => None,
        };
        let usable = |wanted: bool| {
            event(&events, |message| link(message).filter(|link| link.is_usable() == wanted));
        };
        run("ip link set near down");
        usable(false);
        assert_eq!(interface::flags("near"), Ok(interface::Flags { up: false, running: false }));
        run("ip link set near up");
        usable(true);
        let mut all = Vec::new();
        let request = address::dump_links(1);
        let dumped = Netlink::open().unwrap().dump(&request, |part| {
            all.extend(address::messages(part).filter_map(link));
        });
        dumped.unwrap();
        assert!(all.len() >= 2, "lo and near, and the tunnels some kernels add");
        assert!(all.iter().any(|link| link.ifindex == ifindex && link.is_usable()));
        run("ip link del near");
        event(&events, |message| link(message).filter(|link| link.gone));
    };
    let (done, until) = mpsc::channel();
    with_peer(
        move || {
            watcher();
            done.send(()).unwrap();
        },
        move || until.recv().unwrap(),
    );
}

#[test]
fn announcements_are_heard_and_probes_are_not_claims() {
    let (done, until) = mpsc::channel();
    let (vip, other) = (Ipv4Addr::new(10, 0, 10, 39), Ipv4Addr::new(10, 0, 10, 40));
    let announcer = move || {
        let mac = interface::mac("near").unwrap();
        let socket = PacketSocket::open(interface::index("near").unwrap(), &announce::claims_of([])).unwrap();
        repeat(&until, || {
            socket.send(&announce::arp_probe(mac, vip)).unwrap();
            socket.send(&announce::gratuitous_arp(mac, other)).unwrap();
            socket.send(&announce::gratuitous_arp(mac, vip)).unwrap();
            let vip = "fd00:10::39".parse().unwrap();
            socket.send(&announce::unsolicited_advertisement(mac, vip, false)).unwrap();
        });
    };
    let listener = move || {
        let ifindex = interface::index("far").unwrap();
        let socket = PacketSocket::open(ifindex, &announce::claims_of([vip])).unwrap();
        let own = interface::mac("far").unwrap();
        socket.send(&announce::gratuitous_arp(own, vip)).unwrap();
        let (mut heard, mut buffer) = (0, [0; 64]);
        while heard < 5 {
            assert_ne!(wait(&[socket.as_fd()], Some(Duration::from_secs(2))).unwrap(), 0, "nothing came");
            while let Some(len) = socket.recv(&mut buffer).unwrap() {
                let claim = announce::claim(&buffer[..len]).unwrap();
                assert_eq!(claim.addr, vip);
                assert_ne!(claim.mac, own, "we do not hear ourselves");
                heard += 1;
            }
        }
        done.send(()).unwrap();
    };
    with_peer(announcer, listener);
}

#[test]
fn one_daemon_a_virtual_router() {
    in_namespace(|| {
        let first = Single::take(2, Family::V4, 12).unwrap();
        assert_eq!(Single::take(2, Family::V4, 12).unwrap_err().errno, Errno::EADDRINUSE);
        let _others = [(2, Family::V6, 12), (2, Family::V4, 13), (3, Family::V4, 12)]
            .map(|(ifindex, family, vrid)| Single::take(ifindex, family, vrid).unwrap());
        drop(first);
        Single::take(2, Family::V4, 12).unwrap();
    });
}

#[test]
fn a_wake_ends_a_wait() {
    let (silent, wake) = (Wake::open().unwrap(), Wake::open().unwrap());
    let fds = [silent.as_fd(), wake.as_fd()];
    assert_eq!(wait(&fds, Some(Duration::from_millis(20))), Ok(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            wake.signal();
            wake.signal();
        });
        assert_eq!(wait(&fds, Some(Duration::from_secs(5))), Ok(0b10));
    });
    assert!(wake.drain());
    assert_eq!(wait(&[silent.as_fd()], Some(Duration::ZERO)), Ok(0));
}

#[test]
fn capabilities_are_given_up_for_good() {
    use caps::Capability::{NetAdmin, NetRaw, SysNice};
    in_namespace(|| {
        assert!(caps::effective().unwrap().has(NetAdmin));
        assert!(!sched::is_realtime(sched::THIS));
        sched::realtime(sched::THIS).unwrap();
        assert!(sched::is_realtime(sched::THIS));
        assert!(!thread::spawn(|| sched::is_realtime(sched::THIS)).join().unwrap());
        sched::exact_timers().unwrap();
        caps::keep(&[NetAdmin, NetRaw]).unwrap();
        let left = caps::effective().unwrap();
        assert!(left.has(NetAdmin) && left.has(NetRaw) && !left.has(SysNice));
        // A program executed as root has no more.
        let arguments = ["-q", "^CapEff:.0000000000003000$", "/proc/self/status"];
        assert!(Command::new("grep").args(arguments).status().unwrap().success());
        caps::drop_all().unwrap();
        assert!(caps::effective().unwrap().is_empty());
        let netlink = Netlink::open().unwrap();
        let refused = netlink.request(&address::remove(1, 1, ip("127.0.0.1"), 8)).unwrap_err();
        assert_eq!(refused.errno, Errno::EPERM);
    });
}

#[test]
fn what_the_threads_do_all_day_touches_no_heap() {
    in_namespace(|| {
        let (source, own) = (ip("127.0.0.1"), ip("127.0.0.2"));
        let ours = settings(Version::V2, "127.0.0.39", &["127.0.0.1"]);
        let socket = open("lo", &ours, &filter::wanted(&ours));
        let (wake, netlink) = (Wake::open().unwrap(), Netlink::open().unwrap());
        plug_in_here();
        let ifindex = interface::index("near").unwrap();
        let (mut out, mut buffer) = ([0; MAX_MESSAGE], [0; MAX_DATAGRAM]);
        let before = TAKEN.with(Cell::get);
        for sequence in 0..200 {
            let len = advert::emit(&ours, 100, source, own, &mut out);
            socket.send(&out[..len], source, own).unwrap();
            wake.signal();
            assert_eq!(wait(&[socket.as_fd(), wake.as_fd()], Some(Duration::from_secs(1))), Ok(0b11));
            assert!(wake.drain());
            let Datagram { src, dst, ttl, message } = socket.recv(&mut buffer).unwrap().unwrap();
            let received = advert::Received { src, dst, ttl, message: &buffer[message] };
            advert::accept(&ours, own, &received).unwrap();
            netlink.request(&address::add(sequence, ifindex, ip("10.0.10.39"), 24, Some(3))).unwrap();
        }
        assert_eq!(TAKEN.with(Cell::get) - before, 0, "allocations in 200 turns");
    });
}
