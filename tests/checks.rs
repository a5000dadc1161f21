//! Checks against real processes, sockets, mounts and programs of this machine, one test at a time: some count this
//! process's descriptors and CPU time.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::geteuid;
use smol::channel::{Sender, bounded};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use unsinkable::checks::health::{Reason, Verdict};
use unsinkable::checks::process::{Comm, Pass, Process, Scanner};
use unsinkable::checks::{Endpoint, Kind, Track, run};

/// No verdict may take longer, on a machine busy with builds.
const PATIENCE: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_hours(1);

fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says loudly that a test cannot run without root, and fails in CI.
fn is_root() -> bool {
    let root = geteuid().is_root();
    if !root {
        eprintln!("\n*** SKIPPED: needs root ***");
        assert!(std::env::var_os("CI").is_none(), "this test needs root");
    }
    root
}

/// Waits until a file of /proc tells what is expected of a process.
fn wait_for(path: &str, expected: impl Fn(&[u8]) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !expected(fs::read(path).unwrap_or_default().trim_ascii_end()) {
        assert!(Instant::now() < deadline, "{path} is still {:?}", fs::read_to_string(path));
        thread::sleep(millis(1));
    }
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn track(kind: Kind, interval: Duration) -> Track {
    Track { kind, interval, weight: None, rise: 1, fall: 1, timeout: Duration::from_secs(2) }
}

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("unsinkable-checks-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A program that runs `script`. Written by a child, so that no fork of ours holds it open (`ETXTBSY`).
    fn script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.0.join(name);
        let sh = "printf '#!/bin/sh\n%s\n' \"$2\" > \"$1\" && chmod +x \"$1\"";
        let status = Command::new("sh").args(["-c", sh, "sh"]).arg(&path).arg(script).status().unwrap();
        assert!(status.success());
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// `sleep` under another name, no other process on this machine has.
struct Sleeper {
    scratch: Scratch,
    name: String,
}

impl Sleeper {
    fn new(tag: &str) -> Self {
        let scratch = Scratch::new(tag);
        let name = format!("{}{tag}", std::process::id());
        std::os::unix::fs::symlink("/bin/sleep", scratch.0.join(&name)).unwrap();
        Self { scratch, name }
    }

    fn path(&self) -> PathBuf {
        self.scratch.0.join(&self.name)
    }

    fn start(&self) -> Guard {
        let child = Guard(Command::new(self.path()).arg("1000").spawn().unwrap());
        // exec lets the parent go on a moment before it changes the name.
        child.wait_for_name(&self.name);
        child
    }

    fn track(&self, interval: Duration) -> Track {
        track(Kind::Process(self.name.clone()), interval)
    }
}

/// A child that ends with the test.
struct Guard(Child);

impl Guard {
    /// As the kernel keeps it.
    fn wait_for_name(&self, name: &str) {
        let comm = Comm::new(name);
        wait_for(&format!("/proc/{}/comm", self.0.id()), |found| found == comm.as_bytes());
    }

    /// Kills without reaping: a zombie is left.
    fn kill(&mut self) -> Instant {
        let at = Instant::now();
        self.0.kill().unwrap();
        at
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// The checks on a thread of their own.
struct Watch {
    verdicts: Receiver<(usize, Verdict, Instant)>,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn new(tracks: Vec<Track>) -> Self {
        let (tell, verdicts) = mpsc::channel();
        let (stop, stopped) = bounded::<()>(1);
        let thread = thread::spawn(move || {
            let tell = |index, verdict| tell.send((index, verdict, Instant::now())).unwrap_or_default();
            smol::block_on(smol::future::or(run::run(&tracks, tell), async {
                stopped.recv().await.unwrap_or_default();
            }));
        });
        Self { verdicts, stop, thread: Some(thread) }
    }

    fn next(&self) -> (usize, Verdict, Instant) {
        self.verdicts.recv_timeout(PATIENCE).expect("a verdict")
    }

    /// The first verdict that is `well` or not, and when it was told.
    fn until(&self, well: bool) -> (Verdict, Instant) {
        loop {
            let (_, verdict, at) = self.next();
            if verdict.well == well {
                return (verdict, at);
            }
        }
    }

    /// All verdicts told within `time`.
    fn during(&self, time: Duration) -> Vec<Verdict> {
        thread::sleep(time);
        self.verdicts.try_iter().map(|(_, verdict, _)| verdict).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.close();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The first verdict of one check.
fn first(kind: Kind) -> Reason {
    let mut track = track(kind, HOUR);
    track.timeout = millis(300);
    Watch::new(vec![track]).next().1.reason
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap().into()
}

#[test]
fn death_is_known_at_once_and_not_at_the_interval() {
    let _alone = alone();
    let sleeper = Sleeper::new("death");
    let mut delays: Vec<Duration> = (0..20)
        .map(|_| {
            let mut child = sleeper.start();
            let started = Instant::now();
            let watch = Watch::new(vec![sleeper.track(HOUR)]);
            let (_, verdict, told) = watch.next();
            assert_eq!(verdict.reason, Reason::Running(child.0.id()));
            assert!(told - started < Duration::from_secs(1), "first verdict after {:?}", told - started);
            thread::sleep(millis(5));
            let killed = child.kill();
            let (verdict, told) = watch.until(false);
            assert_eq!(verdict.reason, Reason::Died(child.0.id()));
            told - killed
        })
        .collect();
    delays.sort_unstable();
    println!("death to verdict: median {:?}, worst of 20 {:?}", delays[10], delays[19]);
    assert!(delays[10] < millis(50), "{delays:?}");
}

#[test]
fn start_is_seen_at_the_interval() {
    let _alone = alone();
    let sleeper = Sleeper::new("start");
    let watch = Watch::new(vec![sleeper.track(millis(20))]);
    assert_eq!(watch.next().1.reason, Reason::Absent);
    let child = sleeper.start();
    let started = Instant::now();
    let (verdict, told) = watch.until(true);
    assert_eq!(verdict.reason, Reason::Running(child.0.id()));
    println!("start to verdict at 20 ms: {:?}", told - started);
    assert!(told - started < Duration::from_secs(1), "{:?}", told - started);
}

#[test]
fn another_one_of_the_name_keeps_it_well() {
    let _alone = alone();
    let sleeper = Sleeper::new("twins");
    let mut old = sleeper.start();
    let watch = Watch::new(vec![sleeper.track(HOUR)]);
    assert!(watch.next().1.well);
    // Not held: it started after the scan, and the next one is far away.
    let mut new = sleeper.start();
    thread::sleep(millis(50));
    old.kill();
    assert_eq!(watch.next().1.reason, Reason::Running(new.0.id()));
    new.kill();
    assert_eq!(watch.next().1.reason, Reason::Died(new.0.id()));
}

#[test]
fn a_process_that_takes_another_name_is_lost_when_its_twin_ends() {
    let _alone = alone();
    let sleeper = Sleeper::new("rename");
    let mut real = sleeper.start();
    // A shell under the tracked name that will turn into plain sleep.
    let shell = sleeper.scratch.0.join("shell");
    fs::create_dir(&shell).unwrap();
    let shell = shell.join(&sleeper.name);
    std::os::unix::fs::symlink("/bin/sh", &shell).unwrap();
    let mut turning = Command::new(&shell);
    turning.args(["-c", "read line; exec sleep 1000"]).stdin(Stdio::piped());
    let mut turning = Guard(turning.spawn().unwrap());
    turning.wait_for_name(&sleeper.name);
    let watch = Watch::new(vec![sleeper.track(HOUR)]);
    assert!(watch.next().1.well);
    turning.0.stdin.take().unwrap().write_all(b"\n").unwrap();
    turning.wait_for_name("sleep");
    real.kill();
    assert_eq!(watch.next().1.reason, Reason::Died(real.0.id()));
}

#[test]
fn a_process_in_another_pid_namespace_counts() {
    let _alone = alone();
    if !is_root() {
        return;
    }
    let sleeper = Sleeper::new("container");
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--kill-child"]).arg(sleeper.path()).arg("1000");
    let mut unshare = Guard(unshare.spawn().unwrap());
    let watch = Watch::new(vec![sleeper.track(millis(20))]);
    let (verdict, _) = watch.until(true);
    assert_ne!(verdict.reason, Reason::Running(unshare.0.id()), "the one inside");
    unshare.kill();
    watch.until(false);
}

#[test]
fn a_zombie_does_not_count() {
    let _alone = alone();
    let sleeper = Sleeper::new("zombie");
    let mut zombie = sleeper.start();
    zombie.kill();
    wait_for(&format!("/proc/{}/stat", zombie.0.id()), |stat| stat.windows(4).any(|part| part == b") Z "));
    assert_eq!(first(sleeper.track(HOUR).kind), Reason::Absent);
}

#[test]
fn a_name_longer_than_fifteen_bytes_is_found() {
    let _alone = alone();
    let sleeper = Sleeper::new("-with-a-very-long-name");
    assert!(sleeper.name.len() > 20);
    let child = sleeper.start();
    assert_eq!(first(sleeper.track(HOUR).kind), Reason::Running(child.0.id()));
}

#[test]
fn two_hundred_starts_and_stops_leak_nothing() {
    let _alone = alone();
    let sleeper = Sleeper::new("leak");
    let watch = Watch::new(vec![sleeper.track(millis(10))]);
    let mut before = 0;
    for round in 0..200 {
        let mut child = sleeper.start();
        watch.until(true);
        child.kill();
        watch.until(false);
        if round == 10 {
            before = descriptors();
        }
    }
    assert_eq!(descriptors(), before);
}

#[test]
fn starting_and_dropping_all_kinds_leaks_nothing() {
    let _alone = alone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = || Endpoint::Name("localhost".into(), listener.local_addr().unwrap().port());
    let kinds = [
        Kind::Process("sh".into()),
        Kind::Tcp(endpoint()),
        Kind::Exec("/bin/true".into()),
        Kind::File("/".into()),
        Kind::Disk("/".into()),
        Kind::Interface("lo".into()),
    ];
    let mut before = 0;
    for round in 0..30 {
        let watch = Watch::new(kinds.iter().map(|kind| track(kind.clone(), HOUR)).collect());
        let mut told: Vec<_> = kinds.iter().map(|_| watch.next().0).collect();
        told.sort_unstable();
        assert_eq!(told, [0, 1, 2, 3, 4, 5], "each tells at once");
        while let Ok((mut stream, _)) = nonblocking(&listener) {
            let _end = stream.read(&mut [0; 8]);
        }
        drop(watch);
        if round == 3 {
            before = descriptors();
        }
    }
    assert_eq!(descriptors(), before);
}

fn nonblocking(listener: &TcpListener) -> std::io::Result<(std::net::TcpStream, SocketAddr)> {
    listener.set_nonblocking(true)?;
    listener.accept()
}

#[test]
fn programs() {
    let _alone = alone();
    let scratch = Scratch::new("programs");
    assert_eq!(first(Kind::Exec("/bin/true".into())), Reason::Succeeded);
    assert_eq!(first(Kind::Exec(scratch.script("three", "exit 3"))), Reason::ExitCode(3));
    assert_eq!(first(Kind::Exec(scratch.script("signal", "kill -TERM $$"))), Reason::Signal(15));
    assert_eq!(first(Kind::Exec(scratch.0.join("none"))), Reason::Os(libc::ENOENT));
}

#[test]
fn a_program_too_slow_is_killed_with_its_whole_group() {
    let _alone = alone();
    let scratch = Scratch::new("slow");
    let pids = scratch.0.join("pids");
    let script = format!("sleep 1000 & echo $$ $! > {}; wait", pids.display());
    let program = scratch.script("slow", &script);
    let tracks = || vec![Track { timeout: millis(200), ..track(Kind::Exec(program.clone()), HOUR) }];

    let watch = Watch::new(tracks());
    assert_eq!(watch.next().1.reason, Reason::Timeout);
    assert_all_gone(&pids);

    // The same when the checks are dropped while it runs.
    let watch = Watch::new(tracks());
    while !fs::read_to_string(&pids).is_ok_and(|text| text.ends_with('\n')) {
        thread::sleep(millis(5));
    }
    drop(watch);
    assert_all_gone(&pids);
}

/// No process listed in `pids` runs any more. Takes the list away.
fn assert_all_gone(pids: &Path) {
    let list = fs::read_to_string(pids).unwrap();
    assert_eq!(list.split_whitespace().count(), 2);
    for pid in list.split_whitespace() {
        let deadline = Instant::now() + PATIENCE;
        while fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(Instant::now() < deadline, "process {pid} still runs");
            thread::sleep(millis(5));
        }
    }
    fs::remove_file(pids).unwrap();
}

#[test]
fn a_program_still_running_is_never_started_twice() {
    let _alone = alone();
    let scratch = Scratch::new("twice");
    let (lock, log) = (scratch.0.join("lock"), scratch.0.join("log"));
    let script =
        format!("mkdir {0} || exit 9; echo run >> {1}; sleep 0.2; rmdir {0}", lock.display(), log.display());
    let watch = Watch::new(vec![track(Kind::Exec(scratch.script("twice", &script)), millis(20))]);
    let verdicts = watch.during(millis(1_100));
    drop(watch);
    let runs = fs::read_to_string(log).unwrap().lines().count();
    assert!((2..=6).contains(&runs), "{runs} runs of 200 ms in 1.1 s");
    assert!(
        !verdicts.is_empty() && verdicts.iter().all(|verdict| verdict.reason == Reason::Succeeded),
        "{verdicts:?}"
    );
}

#[test]
fn ports() {
    let _alone = alone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    assert_eq!(first(Kind::Tcp(Endpoint::Addr(addr))), Reason::Connected);
    assert_eq!(first(Kind::Tcp(Endpoint::Name("localhost".into(), addr.port()))), Reason::Connected);
    drop(listener);
    assert_eq!(first(Kind::Tcp(Endpoint::Addr(addr))), Reason::Os(libc::ECONNREFUSED));
    assert_eq!(first(Kind::Tcp(Endpoint::Name("no-such-host.invalid".into(), 1))), Reason::Unresolved);
}

/// What a check says of a server that reads the request and answers with `pieces`, or with none keeps silent.
fn http(pieces: Option<&'static [&'static [u8]]>) -> Reason {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::Addr(listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 512];
        let len = stream.read(&mut request).unwrap();
        assert!(request[..len].starts_with(b"GET /ping HTTP/1.1\r\nHost: pi\r\n"));
        match pieces {
            Some(pieces) => pieces.iter().for_each(|piece| {
                stream.set_nodelay(true).unwrap();
                let _closed = stream.write_all(piece);
                thread::sleep(millis(10));
            }),
            None => drop(stream.read(&mut request)), // until the check gives up
        }
    });
    let reason = first(Kind::Http { endpoint, host: "pi".into(), path: "/ping".into() });
    server.join().unwrap();
    reason
}

#[test]
fn http_servers() {
    let _alone = alone();
    assert_eq!(http(Some(&[b"HTTP/1.1 200 OK\r\n\r\n"])), Reason::Answered(200));
    assert_eq!(http(Some(&[b"HT", b"TP/1.1 3", b"07", b" x\r\n"])), Reason::Answered(307));
    assert_eq!(http(Some(&[b"HTTP/1.1 503 Service Unavailable\r\n\r\n"])), Reason::Status(503));
    assert_eq!(http(Some(&[b"220 smtp ready\r\n"])), Reason::NotHttp);
    assert_eq!(http(Some(&[b"HTTP/1.1 2"])), Reason::Closed);
    assert_eq!(http(None), Reason::Timeout);
}

#[test]
fn a_server_that_accepts_and_never_answers_is_a_timeout_each_time() {
    let _alone = alone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap(); // the kernel accepts for it
    let endpoint = Endpoint::Addr(listener.local_addr().unwrap());
    let kind = Kind::Http { endpoint, host: "pi".into(), path: "/".into() };
    let watch = Watch::new(vec![Track { timeout: millis(50), ..track(kind, millis(60)) }]);
    let verdicts = watch.during(millis(600));
    assert!(verdicts.len() >= 3, "{verdicts:?}");
    assert!(verdicts.iter().all(|verdict| verdict.reason == Reason::Timeout), "{verdicts:?}");
}

#[test]
fn files_and_interfaces() {
    let _alone = alone();
    let scratch = Scratch::new("files");
    let file = scratch.0.join("here");
    let watch = Watch::new(vec![track(Kind::File(file.clone()), millis(10))]);
    assert_eq!(watch.next().1.reason, Reason::Missing);
    fs::write(&file, "").unwrap();
    assert_eq!(watch.until(true).0.reason, Reason::Exists);
    fs::remove_file(&file).unwrap();
    assert_eq!(watch.until(false).0.reason, Reason::Missing);
    assert_eq!(first(Kind::Interface("nosuchif0".into())), Reason::NoInterface);
}

/// In a network namespace of its own, with the /sys that belongs to it.
#[test]
fn interfaces_with_and_without_carrier() {
    let _alone = alone();
    if !is_root() {
        return;
    }
    let ip = |args: &str| {
        let status = Command::new("ip").args(args.split(' ')).status().unwrap();
        assert!(status.success(), "ip {args}");
    };
    let inside = move || {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).unwrap();
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), none).unwrap();
        let state = |name: &str| first(Kind::Interface(name.into()));
        assert_eq!(state("lo"), Reason::LinkDown);
        ip("link set lo up");
        assert_eq!(state("lo"), Reason::LinkUp);
        ip("link add v0 type veth peer name v1");
        ip("link set v0 up");
        assert_eq!(state("v0"), Reason::NoCarrier);
        ip("link set v1 up");
        let watch = Watch::new(vec![track(Kind::Interface("v0".into()), millis(10))]);
        assert_eq!(watch.until(true).0.reason, Reason::LinkUp);
        ip("link set v1 down");
        assert_eq!(watch.until(false).0.reason, Reason::NoCarrier);
        ip("link del v0");
        assert_eq!(state("v0"), Reason::NoInterface);
    };
    thread::spawn(inside).join().unwrap();
}

/// Needs a mount namespace of its own: the thread and those it starts have it, nobody else.
#[test]
fn a_disk_filled_up_and_one_turned_read_only() {
    let _alone = alone();
    if !is_root() {
        return;
    }
    let scratch = Scratch::new("disk");
    let dir = scratch.0.clone();
    let inside = move || {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        mount(Some("tmpfs"), &dir, Some("tmpfs"), MsFlags::empty(), Some("size=4m")).unwrap();
        assert_eq!(first(Kind::Disk(dir.clone())), Reason::Room(100));
        fs::write(dir.join("half"), vec![1; 2 << 20]).unwrap();
        assert_eq!(first(Kind::Disk(dir.clone())), Reason::Room(50));
        let _full = fs::write(dir.join("rest"), vec![1; 4 << 20]);
        assert_eq!(first(Kind::Disk(dir.clone())), Reason::Full(0));
        fs::remove_file(dir.join("rest")).unwrap();
        mount(none, &dir, none, MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none).unwrap();
        assert_eq!(first(Kind::Disk(dir.clone())), Reason::ReadOnly);
        assert_eq!(first(Kind::Disk(dir.join("none"))), Reason::Os(libc::ENOENT));
    };
    thread::spawn(inside).join().unwrap();
}

/// Passes over `root` for two names: the first, the best whole one, the best over the new; and what was found last.
fn time_scan(root: &Path) -> ([Duration; 3], Vec<Process>) {
    let names = vec![Comm::new("dockerd"), Comm::new("traefik")];
    let mut scanner = Scanner::open(root, names).unwrap();
    let mut found = Vec::new();
    let mut scan = |pass| {
        found.clear();
        let start = Instant::now();
        scanner.scan(pass, |_, process| found.push(process)).unwrap();
        start.elapsed()
    };
    let first = scan(Pass::Whole);
    let whole = (0..20).map(|_| scan(Pass::Whole)).min().unwrap();
    let new = (0..20).map(|_| scan(Pass::New)).min().unwrap();
    ([first, whole, new], found)
}

#[test]
fn a_scan_of_a_thousand_is_fast() {
    let _alone = alone();
    let scratch = Scratch::new("thousand");
    for pid in 1..=1000 {
        let dir = scratch.0.join(pid.to_string());
        fs::create_dir(&dir).unwrap();
        let comm = if pid == 500 { "dockerd" } else { "kworker/0:1" };
        fs::write(dir.join("comm"), format!("{comm}\n")).unwrap();
        fs::write(dir.join("stat"), format!("{pid} ({comm}) S {}9 0\n", "0 ".repeat(18))).unwrap();
    }
    let (fake, found) = time_scan(&scratch.0);
    assert_eq!(found, [Process { pid: 500, start: 9 }]);
    let (real, _) = time_scan(Path::new("/proc"));
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let processes =
        processes.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok()).count();
    println!("first pass, whole pass, over the new: 1,000 made-up {fake:?}; the {processes} here {real:?}");
    assert!(fake[2] < millis(3), "{fake:?}");
    assert!(fake[1] < millis(30), "{fake:?}: three system calls each, in a debug build on a busy machine");
}

#[test]
#[ignore = "starts 1,000 processes"]
fn a_scan_of_a_thousand_real_processes() {
    let _alone = alone();
    let sleeper = Sleeper::new("many");
    let many: Vec<Guard> = (0..1000).map(|_| sleeper.start()).collect();
    let (times, _) = time_scan(Path::new("/proc"));
    println!("passes over {} processes and more: first, whole, new: {times:?}", many.len());
    let mut one = Guard(Command::new("sleep").arg("1000").spawn().unwrap());
    let watch = Watch::new(vec![track(Kind::Process("sleep".into()), HOUR)]);
    assert!(watch.next().1.well);
    one.kill();
    drop(many);
}

#[test]
fn watching_costs_next_to_nothing() {
    let _alone = alone();
    let sleeper = Sleeper::new("idle");
    let _child = sleeper.start();
    let mut tracks = vec![sleeper.track(Duration::from_secs(1)), sleeper.track(Duration::from_secs(30))];
    tracks[1].weight = Some(10);
    let watch = Watch::new(tracks);
    watch.until(true);
    let before = cpu();
    let verdicts = watch.during(Duration::from_secs(3));
    let used = cpu().saturating_sub(before);
    println!("two processes tracked at 1 s and 30 s: {used:?} of CPU in 3 s, {} verdicts", verdicts.len());
    assert!((2..=5).contains(&verdicts.len()), "{} verdicts", verdicts.len());
    assert!(used < millis(30), "{used:?} is more than 1 % of a core");
}
