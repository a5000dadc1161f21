//! `check --dns` in a network namespace with its own resolv.conf and hosts: a real dnsmasq as the zone's server, another one
//! as the cache before it, and a server that answers what no server should.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// For a server to come up, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const CACHE: &str = "10.0.10.1";
const SOURCE: &str = "10.0.10.2";

/// A namespace with this node's address, the name servers', and files that `ip netns exec` puts over those in /etc.
struct House {
    netns: String,
    servers: Vec<Child>,
}

impl House {
    /// Nothing, said loudly, without root or dnsmasq.
    fn new(resolv_conf: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let has_dnsmasq = Command::new("dnsmasq").arg("--version").stdout(Stdio::null()).status().is_ok();
        if !nix::unistd::geteuid().is_root() || !has_dnsmasq {
            eprintln!("SKIPPED: needs root and dnsmasq-base (tests/setup)");
            assert!(std::env::var_os("CI").is_none(), "CI must have them");
            return None;
        }
        let netns = format!("unsinkable-dns-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let house = Self { netns, servers: Vec::new() };
        fs::create_dir_all(house.etc("")).expect("root may write /etc");
        house.write("resolv.conf", &format!("{resolv_conf}\noptions timeout:1 attempts:1\n"));
        house.write("hosts", "127.0.0.1 localhost\n");
        ip(&["netns", "add", &house.netns]);
        let own = |args: &str| {
            let words = ["-n", &house.netns].into_iter().chain(args.split(' '));
            ip(&words.collect::<Vec<_>>());
        };
        own("link add eth0 type veth peer name far0");
        for link in ["lo", "eth0", "far0"] {
            own(&format!("link set {link} up"));
        }
        for addr in ["10.0.10.31", CACHE, SOURCE, "10.0.10.66"] {
            own(&format!("addr add {addr}/24 dev eth0"));
        }
        Some(house)
    }

    fn etc(&self, file: &str) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.netns).join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.etc(file), text).expect("root may write /etc");
    }

    /// A dnsmasq at `addr`, up and answering.
    fn dnsmasq(&mut self, addr: &str, flags: &[&str]) {
        let log = format!("/tmp/{}-{addr}.log", self.netns);
        let mut command = Command::new("ip");
        command.args([
            "netns",
            "exec",
            &self.netns,
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
        ]);
        command.args(["--no-resolv", "--no-hosts", "--user=root", "--pid-file=", "--bind-interfaces"]);
        command.args([format!("--listen-address={addr}"), format!("--log-facility={log}")]).args(flags);
        self.servers.push(command.stdin(Stdio::null()).spawn().expect("ip is there"));
        let begun = Instant::now();
        while !fs::read_to_string(&log).unwrap_or_default().contains("started") {
            assert!(begun.elapsed() < PATIENCE, "dnsmasq at {addr}: {:?}", fs::read_to_string(&log));
            thread::sleep(Duration::from_millis(10));
        }
        let _ = fs::remove_file(log);
    }

    /// The server of the zone `lan`, with these records beside its own.
    fn source(&mut self, records: &[&str]) {
        let own = [
            "--auth-server=ns.lan,10.0.10.2",
            "--auth-zone=lan",
            "--auth-ttl=300",
            "--host-record=ns.lan,10.0.10.2",
        ];
        self.dnsmasq(SOURCE, &[&own, records].concat());
    }

    /// A cache before it.
    fn cache(&mut self) {
        self.dnsmasq(CACHE, &["--server=10.0.10.2"]);
    }

    /// Ends the servers begun last, and waits for their end.
    fn end(&mut self, count: usize) {
        for mut server in self.servers.drain(self.servers.len() - count..) {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// The lines on names, and the exit code.
    fn check(&self, names: &[&str]) -> (Vec<String>, i32) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.netns, env!("CARGO_BIN_EXE_unsinkable"), "check"]);
        command.args("--interface eth0 --vip 10.0.10.39/24 --node 10.0.10.31 --node 10.0.10.32".split(' '));
        command.args(["--docker", "/nonexistent/docker.sock"]);
        for name in names {
            command.args(["--dns", name]);
        }
        let output = command.output().expect("ip is there");
        let text = String::from_utf8(output.stdout).expect("text");
        let lines = text.lines().filter(|line| line.get(6..).is_some_and(|rest| rest.starts_with("DNS ")));
        // Mark and sentence, without what lines up the table.
        let told = lines.map(|line| format!("{} {}", line[..4].trim(), line[9..].trim())).collect();
        (told, output.status.code().expect("an exit code"))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.end(self.servers.len());
        ip(&["netns", "del", &self.netns]);
        let _ = fs::remove_dir_all(self.etc(""));
        // Only if it was made for this.
        let _ = fs::remove_dir("/etc/netns");
    }
}

fn ip(args: &[&str]) {
    let output = Command::new("ip").args(args).output().expect("ip is there");
    assert!(output.status.success(), "ip {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The line with its one number of seconds taken out, and that number.
fn seconds(line: &str) -> (String, u32) {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.windows(2).position(|pair| pair[1].trim_end_matches(';') == "s").expect("seconds");
    let number = words[at].parse().expect("a number");
    ([&words[..at], &["N"], &words[at + 1..]].concat().join(" "), number)
}

const RESOLV_CONF: &str = "nameserver 10.0.10.1";

#[test]
fn a_right_record_is_right_through_the_cache_and_at_its_source() {
    let Some(mut house) = House::new(&format!("{RESOLV_CONF}\nsearch lan")) else { return };
    house.source(&["--host-record=nas.lan,10.0.10.39", "--cname=www.lan,nas.lan"]);
    house.cache();
    for name in ["NAS.lan.", "nas", "www.lan"] {
        let (lines, _) = house.check(&[name]);
        let told = name.trim_end_matches('.').to_lowercase();
        assert_eq!(lines[0], format!("ok {told} is 10.0.10.39 (the VIP) here"));
        let (line, left) = seconds(&lines[1]);
        assert_eq!(line, "ok 10.0.10.1 says 10.0.10.39 (the VIP), for N s more");
        assert!((200..=300).contains(&left), "{left}");
        let source = "ok the authoritative server 10.0.10.2 says 10.0.10.39 (the VIP), TTL 300 s";
        assert_eq!((lines[2].as_str(), lines.len()), (source, 3));
    }
}

#[test]
fn a_stale_cache_is_told_from_a_wrong_record() {
    let Some(mut house) = House::new(RESOLV_CONF) else { return };
    house.cache();
    house.source(&["--host-record=nas.lan,10.0.10.31"]);
    let (lines, code) = house.check(&["nas.lan", "new.lan"]);
    assert_eq!(code, 69);
    assert_eq!(lines[0], "fail nas.lan is 10.0.10.31 (a node, not the VIP) here");
    assert_eq!(seconds(&lines[1]).0, "fail 10.0.10.1 says 10.0.10.31 (a node, not the VIP), for N s more");
    let source = "fail the authoritative server 10.0.10.2 says 10.0.10.31 (a node, not the VIP), TTL 300 s";
    assert_eq!(lines[2], source);
    assert!(lines[3].starts_with("fail new.lan has no address here: "), "{lines:?}");
    assert_eq!(lines[4], "fail 10.0.10.1 knows no new.lan (NXDOMAIN)");
    assert_eq!(lines[5], "fail the authoritative server 10.0.10.2 has no address for new.lan");
    // Both are put right at the source; the cache remembers.
    house.end(1);
    house.source(&["--host-record=nas.lan,10.0.10.39", "--host-record=new.lan,10.0.10.39"]);
    let (lines, _) = house.check(&["nas.lan", "new.lan"]);
    let (line, left) = seconds(&lines[1]);
    assert_eq!(
        line,
        "warn 10.0.10.1 still has the old address 10.0.10.31 (a node, not the VIP) for N s; the authoritative server \
         10.0.10.2 says 10.0.10.39 (the VIP)"
    );
    assert!((200..=300).contains(&left), "{left}");
    assert_eq!(lines[2], "ok the authoritative server 10.0.10.2 says 10.0.10.39 (the VIP), TTL 300 s");
    assert!(lines[4].starts_with("warn 10.0.10.1 still remembers"), "{lines:?}");
    assert!(
        lines[4].ends_with(
            "that there is no new.lan; the authoritative server 10.0.10.2 says 10.0.10.39 (the VIP)"
        )
    );
}

#[test]
fn a_hosts_file_a_second_address_and_a_dead_server_are_told() {
    let Some(mut house) = House::new("nameserver 10.0.10.66\nnameserver 10.0.10.2") else { return };
    house.source(&[
        "--host-record=nas.lan,10.0.10.39",
        "--host-record=two.lan,10.0.10.39",
        "--host-record=two.lan,10.0.10.99",
    ]);
    house.write("hosts", "127.0.0.1 localhost\n10.0.10.32 other nas.lan\n");
    let (lines, code) = house.check(&["nas.lan", "two.lan", "a..b"]);
    assert_eq!(code, 69);
    assert_eq!(
        lines,
        [
            "fail nas.lan is 10.0.10.32 (a node, not the VIP) here",
            "fail /etc/hosts has 10.0.10.32 (a node, not the VIP) for nas.lan, whatever DNS says",
            "warn 10.0.10.66 does not answer: Connection refused (os error 111)",
            "ok 10.0.10.2 says 10.0.10.39 (the VIP), from the zone itself, TTL 300 s",
            "ok the authoritative server 10.0.10.2 says 10.0.10.39 (the VIP), TTL 300 s",
            "fail two.lan is 10.0.10.39 (the VIP) and 10.0.10.99 here: who takes the other address does not follow the VIP",
            "warn 10.0.10.66 does not answer: Connection refused (os error 111)",
            "fail 10.0.10.2 says 10.0.10.39 (the VIP) and 10.0.10.99, from the zone itself, TTL 300 s",
            "fail the authoritative server 10.0.10.2 says 10.0.10.39 (the VIP) and 10.0.10.99, TTL 300 s",
            "fail a..b: a name is made of letters, digits, - and _, between dots at most 63 of them",
        ]
    );
}

/// 60 addresses have no room in 512 bytes: the rest comes over TCP.
#[test]
fn an_answer_that_was_cut_is_fetched_over_tcp() {
    let Some(mut house) = House::new("nameserver 10.0.10.2") else { return };
    let records: Vec<String> = (1..=60).map(|last| format!("--host-record=big.lan,10.0.11.{last}")).collect();
    house.source(&records.iter().map(String::as_str).collect::<Vec<_>>());
    let (lines, _) = house.check(&["big.lan"]);
    let server = lines.iter().find(|line| line.starts_with("fail 10.0.10.2 says")).expect("its line");
    assert!(
        (1..=60).all(|last| server.contains(&format!("10.0.11.{last} "))
            || server.contains(&format!("10.0.11.{last},"))),
        "{server}"
    );
}

/// Nobody there, whom no answer comes from, not even a refusal.
#[test]
fn a_server_that_is_not_there_costs_seconds_and_not_more() {
    let Some(house) = House::new("nameserver 10.0.10.99") else { return };
    let begun = Instant::now();
    let (lines, _) = house.check(&["nas.lan", "other.lan"]);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    assert!(lines[0].starts_with("fail nas.lan has no address here"), "{lines:?}");
    assert!(lines[1].starts_with("warn 10.0.10.99 does not answer: "), "{lines:?}");
    assert!(lines[3].starts_with("warn 10.0.10.99 does not answer: "), "{lines:?}");
}

/// The question as it came, with a header that answers it: flags, one answer.
fn reply(query: &[u8], flags: [u8; 2], record: &[u8]) -> Vec<u8> {
    [&query[..2], &flags, &[0, 1, 0, 1, 0, 0, 0, 0], &query[12..], record].concat()
}

/// 10.0.10.39 for 60 s.
const RECORD: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\x0a\x27";

/// What the server at 10.0.10.66 sends for a query whose name begins with this letter; what is asked for IPv6 finds
/// nothing.
fn hostile(query: &[u8]) -> Vec<Vec<u8>> {
    let right = reply(query, [0x81, 0x80], RECORD);
    let changed = |at: usize, to: u8| {
        let mut changed = right.clone();
        changed[at] = to;
        changed
    };
    let is_a = query[query.len() - 3] == 1;
    match query[13] {
        _ if !is_a => vec![[&query[..2], &[0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0], &query[12..]].concat()],
        // A name that points at itself.
        b'l' => {
            let at = u8::try_from(query.len()).expect("short");
            vec![reply(query, [0x81, 0x80], &[&[0xc0, at], &RECORD[2..]].concat())]
        }
        // Forged ones first: wrong ID, other question, no answer at all, then the right one.
        b'f' => vec![changed(1, query[1].wrapping_add(1)), changed(14, b'x'), b"?".to_vec(), right],
        // Only to another question.
        b'o' => vec![changed(14, b'x')],
        // Cut, and over TCP it hangs up.
        b't' => vec![reply(query, [0x83, 0x80], RECORD)],
        // Its own alias.
        b'c' => vec![reply(query, [0x81, 0x80], b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x02\xc0\x0c")],
        _ => vec![changed(3, 0x82)],
    }
}

#[test]
fn whatever_a_hostile_server_sends_is_told_in_a_line() {
    let Some(house) = House::new("nameserver 10.0.10.66") else { return };
    let netns = fs::File::open(format!("/run/netns/{}", house.netns)).expect("it was made");
    thread::spawn(move || {
        nix::sched::setns(netns, nix::sched::CloneFlags::CLONE_NEWNET).expect("root may");
        let tcp = TcpListener::bind("10.0.10.66:53").expect("its address");
        thread::spawn(move || {
            for mut stream in tcp.incoming().flatten() {
                let _ = std::io::Read::read(&mut stream, &mut [0; 512]);
            }
        });
        let socket = UdpSocket::bind("10.0.10.66:53").expect("its address");
        let mut query = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut query) {
            // getaddrinfo may add EDNS: all behind the question is left out.
            let end = query[12..len].iter().position(|byte| *byte == 0).expect("a name") + 12 + 5;
            for answer in hostile(&query[..end]) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    for (name, told) in [
        ("loop.lan", "warn 10.0.10.66 does not answer: nonsense: a name points forward or at itself"),
        ("forged.lan", "ok 10.0.10.66 says 10.0.10.39 (the VIP), for 60 s more"),
        ("other.lan", "warn 10.0.10.66 does not answer: nonsense: it answers another question"),
        ("tcp.lan", "warn 10.0.10.66 does not answer: unexpected end of file"),
        ("cname.lan", "warn 10.0.10.66 does not tell: its aliases lead nowhere (a loop of CNAMEs?)"),
        ("fail.lan", "ok 10.0.10.66 says 10.0.10.39 (the VIP), for 60 s more"),
        ("xfail.lan", "warn 10.0.10.66 does not tell: it fails to find out (SERVFAIL)"),
    ] {
        let begun = Instant::now();
        let (lines, _) = house.check(&[name]);
        assert_eq!(lines.get(1).map(String::as_str), Some(told), "{name}: {lines:?}");
        assert!(begun.elapsed() < PATIENCE, "{name}: {:?}", begun.elapsed());
    }
}
