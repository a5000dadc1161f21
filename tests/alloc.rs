//! The vrrp thread takes no memory once it runs: a counting allocator, and what that thread does.

#![allow(clippy::unwrap_used, reason = "a test may die")]

use heapless::spsc::Queue;
use nix::sched::{CloneFlags, unshare};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::IpAddr;
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use unsinkable::shared::{COMMANDS, Command as Order, NOTES, Note, Shared};
use unsinkable::sys::vrrp_socket::VrrpSocket;
use unsinkable::sys::{Family, interface};
use unsinkable::time::Time;
use unsinkable::vrrp::event::{Heard, Input, Link, Stale, Verdict};
use unsinkable::vrrp::priority::Effective;
use unsinkable::vrrp::router::Router;
use unsinkable::vrrp::run::{Port, run};
use unsinkable::vrrp::{Auth, Checksum, Peer, Preempt, PriorityRange, Settings, Version, Vip, filter};

/// Counts what the thread that asks takes, and nobody else.
struct Counting;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: hands every call on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
        // SAFETY: the caller keeps `GlobalAlloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread while `work` runs.
fn taken_by(work: impl FnOnce()) -> u64 {
    let before = TAKEN.get();
    work();
    TAKEN.get() - before
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 10, last])
}

fn settings() -> Settings {
    let range = Some(PriorityRange { floor: 20, ceiling: 200 });
    Settings {
        vrid: 51,
        version: Version::V3,
        vips: [Vip { addr: address(39), prefix: 24 }].into_iter().collect(),
        base: 100,
        interval: Duration::from_millis(100),
        auth: Auth::None,
        checksum: Checksum::Pseudo,
        preempt: Preempt::After(Duration::ZERO),
        peers: [31, 33].into_iter().map(|last| Peer { addr: address(last), range }).collect(),
        multicast: false,
        blind: Effective::Priority(50),
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(taken_by(|| drop(std::hint::black_box(Box::new(1)))), 1);
    assert_eq!(taken_by(|| ()), 0);
}

#[test]
fn ten_thousand_steps_of_a_router_take_no_memory() {
    let mut router = Router::new(settings());
    let mut now = Time::from_micros(1_000_000_000);
    let advert = |last, priority| {
        Input::Advert(Heard { src: address(last), priority, interval: Duration::from_millis(100) })
    };
    let verdict =
        |priority| Input::Verdict(Verdict { effective: Effective::Priority(priority), until: None });
    let mut acted = 0;
    let taken = taken_by(|| {
        router.step(now, Input::Start(Stale::None));
        router.step(now, Input::Link(Link::Up(address(32))));
        for turn in 0..10_000_u32 {
            let input = match turn % 50 {
                0 => verdict(100),
                10 => advert(31, 0),
                20 => verdict(60),
                30 => advert(33, 50),
                35 => Input::Resign(now + Duration::from_millis(300)),
                40 => advert(31, 200),
                45 => Input::Link(Link::Down),
                46 => Input::Link(Link::Up(address(32))),
                _ => Input::Timer,
            };
            now = router.deadline().map_or(now, |at| at.max(now));
            acted += router.step(now, input).len();
        }
    });
    assert!(acted > 5_000, "the router was busy: {acted} actions");
    assert_eq!(taken, 0, "allocations");
}

/// A network namespace for this thread alone, with one end of a cable in it. False where that is not permitted.
fn in_namespace() -> bool {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        println!("SKIPPED: a network namespace needs root");
        assert!(std::env::var_os("CI").is_none(), "CI runs as root");
        return false;
    }
    for words in [
        "link add eth0 type veth peer name far0",
        "addr add 10.0.10.32/24 dev eth0",
        "link set eth0 up",
        "link set far0 up",
    ] {
        assert!(
            Command::new("ip").args(words.split(' ')).status().expect("iproute2 is installed").success(),
            "ip {words}"
        );
    }
    true
}

/// Turns asked for; adverts each 10 ms come on top.
const TURNS: u32 = 10_000;

#[test]
fn ten_thousand_turns_of_the_vrrp_thread_take_no_memory() {
    if !in_namespace() {
        return;
    }
    let settings = Settings { interval: Duration::from_millis(10), ..settings() };
    let ifindex = interface::index("eth0").unwrap();
    let filter = filter::wanted(&settings);
    let socket = VrrpSocket::open("eth0", ifindex, Family::V4, false, &filter).unwrap();
    let mut ports = [Port::new(0, Router::new(settings), socket, Stale::None)];
    let shared = Shared::new().unwrap();
    let mut commands = Queue::<Order, COMMANDS>::new();
    let mut notes = Queue::<Note, NOTES>::new();
    let ((mut commands, mut orders), (notes_in, mut notes)) = (commands.split(), notes.split());
    let taken = thread::scope(|scope| {
        let shared = &shared;
        let vrrp = scope.spawn(move || taken_by(|| run(&mut ports, &mut orders, notes_in, shared).unwrap()));
        let mut send = |command| {
            commands.enqueue(command).unwrap();
            shared.wake_vrrp.signal();
        };
        let priority = |turn: u32| Effective::Priority(if turn.is_multiple_of(2) { 220 } else { 210 });
        send(Order::Link(0, Link::Up(address(32))));
        for turn in 0..TURNS {
            let beat = shared.beat.load(Relaxed);
            send(Order::Verdict(0, Verdict { effective: priority(turn), until: None }));
            while shared.beat.load(Relaxed) == beat {
                thread::yield_now();
            }
            while notes.dequeue().is_some() {}
        }
        send(Order::Stop);
        vrrp.join().unwrap()
    });
    let sent = shared.lanes[0].sent.load(Relaxed);
    assert!(sent > u64::from(TURNS) / 2, "it was master and busy: {sent} adverts");
    assert_eq!(taken, 0, "allocations");
}
