//! Do the names point at the VIP (`--dns`)? Asked are the system's resolver, each of its name servers, and the zone's own.
//!
//! The system's resolver is `getaddrinfo`. In the static binary it is musl's, which reads `/etc/hosts` and
//! `/etc/resolv.conf` and nothing else: no `nsswitch.conf`, no mDNS, no systemd-resolved but by its stub at 127.0.0.53.

use super::{Line, Mark};
use crate::dns::judge::{self, Cluster, Seen, judge};
use crate::dns::message::{Answer, Kind, Query, Wrong};
use crate::dns::resolv_conf::{self, Resolver};
use crate::dns::{Reply, name};
use crate::sorted::Map;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use core::time::Duration;
use nix::net::if_::if_nametoindex;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

const WHAT: &str = "DNS";
/// Where name servers answer (RFC 1035 section 4.2).
const PORT: u16 = 53;
/// For one datagram's answer, and for all over TCP: a name server on the same switch needs a millisecond, one that has to
/// ask around seldom a second.
const PATIENCE: Duration = Duration::from_secs(2);
/// Datagrams get lost.
const TRIES: u32 = 2;
/// For the system's resolver, which has patience of its own for each name server.
const SYSTEM_PATIENCE: Duration = Duration::from_secs(12);
/// Most bytes of an answer by datagram: 512 without EDNS (RFC 1035 section 4.2.1); some send more.
const MAX_DATAGRAM: usize = 4096;
/// Names from the asked one upwards that may be the zone's: `nas.home.example.org` has three.
const MAX_CUTS: usize = 6;
/// Name servers of a zone that are tried.
const MAX_SOURCES: usize = 2;

/// All lines on these names.
pub fn lines(names: &[String], cluster: &Cluster) -> Vec<Line> {
    if names.is_empty() {
        return Vec::new();
    }
    let resolver = Resolver::parse(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    let mut asker = Asker { servers: sockets(&resolver), dead: Map::new() };
    names.iter().flat_map(|text| about(text, &resolver, &mut asker, cluster)).collect()
}

fn about(text: &str, resolver: &Resolver, asker: &mut Asker, cluster: &Cluster) -> Vec<Line> {
    let name = match name(text) {
        Ok(name) => name,
        Err(why) => return vec![Line::bad(Mark::Fail, WHAT, format!("{text}: {why}"), "--dns NAME")],
    };
    let candidates = resolver.candidates(&name, text.ends_with('.'));
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let (full, servers) = asker.all(&candidates);
    let seen = Seen {
        system: system(text),
        hosts: resolv_conf::hosts(&hosts, &candidates),
        servers,
        authority: asker.authority(&full),
        name,
    };
    let line = |verdict: judge::Verdict| Line {
        mark: match verdict.mark {
            judge::Mark::Ok => Mark::Ok,
            judge::Mark::Warn => Mark::Warn,
            judge::Mark::Fail => Mark::Fail,
        },
        what: WHAT,
        seen: verdict.text,
        mend: verdict.mend,
    };
    judge(&seen, cluster).into_iter().map(line).collect()
}

/// `getaddrinfo`, on a thread that is left alone if it does not come back.
fn system(name: &str) -> Result<Vec<IpAddr>, String> {
    let (tell, told) = mpsc::channel();
    let place = (name.to_owned(), 0);
    thread::spawn(move || tell.send(place.to_socket_addrs().map(Iterator::collect::<Vec<_>>)));
    let found =
        told.recv_timeout(SYSTEM_PATIENCE).map_err(|_| "the resolver does not come back".to_owned())?;
    let found = found.map_err(|error| {
        let text = error.to_string();
        text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
    })?;
    let mut addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

fn sockets(resolver: &Resolver) -> Vec<SocketAddr> {
    let socket = |(addr, interface): &(IpAddr, Option<String>)| match addr {
        IpAddr::V4(_) => SocketAddr::new(*addr, PORT),
        IpAddr::V6(addr) => {
            let scope = interface.as_deref().and_then(|interface| if_nametoindex(interface).ok());
            SocketAddrV6::new(*addr, PORT, 0, scope.unwrap_or_default()).into()
        }
    };
    resolver.servers.iter().map(socket).collect()
}

/// Asks name servers, and no dead one twice.
struct Asker {
    servers: Vec<SocketAddr>,
    /// Why they are silent.
    dead: Map<IpAddr, String>,
}

impl Asker {
    /// What each server says of the first of these names that it knows; and which of them that was.
    fn all(&mut self, candidates: &[String]) -> (String, Vec<(IpAddr, Reply)>) {
        let mut full = None;
        let mut replies = Vec::new();
        for server in self.servers.clone() {
            let mut first = None;
            for name in candidates {
                let reply = self.addresses(server, name, true);
                if matches!(reply, Reply::Found(_)) {
                    full.get_or_insert_with(|| name.clone());
                    first = Some(reply);
                    break;
                }
                first.get_or_insert(reply);
            }
            replies.extend(first.map(|reply| (server.ip(), reply)));
        }
        (full.or(candidates.first().cloned()).unwrap_or_default(), replies)
    }

    /// Both families.
    fn addresses(&mut self, server: SocketAddr, name: &str, recurse: bool) -> Reply {
        let reply = |asker: &mut Self, kind| match asker.ask(server, name, kind, recurse) {
            Ok((query, answer)) => answer.reply(&query),
            Err(why) => Reply::Silent(why),
        };
        let four = reply(self, Kind::A);
        if matches!(four, Reply::Silent(_)) {
            return four;
        }
        unique(four.with(reply(self, Kind::Aaaa)))
    }

    /// The zone's own server, and what it says, where one is found that answers for the name.
    fn authority(&mut self, name: &str) -> Option<(IpAddr, Reply)> {
        let resolver = *self.servers.iter().find(|server| !self.dead.contains_key(&server.ip()))?;
        let mut zone = name;
        for _ in 0..MAX_CUTS {
            let (query, answer) = self.ask(resolver, zone, Kind::Ns, true).ok()?;
            let sources: Vec<&str> = answer.name_servers(&query).take(MAX_SOURCES).collect();
            if !sources.is_empty() {
                let mut sources = sources.into_iter();
                return sources.find_map(|source| self.source(resolver, &answer, source, name));
            }
            zone = zone.split_once('.')?.1;
        }
        None
    }

    /// What the name server called `source` says of `name`, if it speaks for its zone.
    fn source(
        &mut self,
        resolver: SocketAddr,
        told: &Answer,
        source: &str,
        name: &str,
    ) -> Option<(IpAddr, Reply)> {
        let added = told.added(source).next();
        let addr = match (added, crate::dns::name(source)) {
            (Some(addr), _) => addr,
            (None, Ok(source)) => match self.addresses(resolver, &source, true) {
                Reply::Found(found) => *found.addresses.first()?,
                Reply::NoName(_) | Reply::NoAddress | Reply::Unwilling(_) | Reply::Silent(_) => return None,
            },
            (None, Err(_)) => return None,
        };
        let socket = SocketAddr::new(addr, PORT);
        let (query, answer) =
            self.ask(socket, name, Kind::A, false).ok().filter(|(_, it)| it.authoritative)?;
        match answer.reply(&query).with(self.addresses(socket, name, false)) {
            // An alias that leads out of its zone: others know the end.
            Reply::NoAddress if !answer.answers.is_empty() => None,
            reply @ (Reply::Found(_) | Reply::NoName(_) | Reply::NoAddress) => Some((addr, unique(reply))),
            Reply::Unwilling(_) | Reply::Silent(_) => None,
        }
    }

    /// One question, by datagram, and over TCP where the answer was cut.
    fn ask(
        &mut self,
        server: SocketAddr,
        name: &str,
        kind: Kind,
        recurse: bool,
    ) -> Result<(Query, Answer), String> {
        if let Some(why) = self.dead.get(&server.ip()) {
            return Err(why.clone());
        }
        let query = Query { id: random(), name: name.to_owned(), kind, recurse };
        let answer = by_datagram(server, &query)
            .and_then(|answer| if answer.truncated { over_tcp(server, &query) } else { Ok(answer) });
        match answer {
            Ok(answer) => Ok((query, answer)),
            Err(error) => {
                let is_late = matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock);
                let why = if is_late { "no answer".to_owned() } else { error.to_string() };
                self.dead.insert(server.ip(), why.clone());
                Err(why)
            }
        }
    }
}

/// Each address once.
fn unique(mut reply: Reply) -> Reply {
    if let Reply::Found(found) = &mut reply {
        found.addresses.sort();
        found.addresses.dedup();
    }
    reply
}

/// Nobody who does not see the question should guess its answer (RFC 5452); the kernel draws the port.
fn random() -> u16 {
    (RandomState::new().hash_one(Instant::now()) & 0xffff) as u16
}

fn by_datagram(server: SocketAddr, query: &Query) -> io::Result<Answer> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // From now on nobody else's datagrams are received, and a port without a server is told.
    socket.connect(server)?;
    let mut last = io::Error::from(ErrorKind::TimedOut);
    for _ in 0..TRIES {
        socket.send(&query.bytes())?;
        match receive(&socket, query, Instant::now() + PATIENCE) {
            Ok(answer) => return Ok(answer),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidData) => last = error,
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// The first datagram that answers the query, until then. Nonsense may be forged, so that the right one is waited for.
fn receive(socket: &UdpSocket, query: &Query, until: Instant) -> io::Result<Answer> {
    let mut buffer = [0; MAX_DATAGRAM];
    let mut nonsense = None;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(nonsense.unwrap_or(ErrorKind::TimedOut.into()));
        }
        socket.set_read_timeout(Some(left))?;
        let len = match socket.recv(&mut buffer) {
            Ok(len) => len,
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => continue,
            Err(error) => return Err(error),
        };
        match Answer::parse(&buffer[..len], query) {
            Ok(answer) => return Ok(answer),
            Err(wrong) => nonsense = Some(invalid(wrong)),
        }
    }
}

fn invalid(wrong: Wrong) -> io::Error {
    let why = match wrong {
        Wrong::Foreign => "it answers another question",
        Wrong::Malformed(why) => why,
    };
    io::Error::new(ErrorKind::InvalidData, format!("nonsense: {why}"))
}

/// Two bytes of length before each message (RFC 1035 section 4.2.2).
fn over_tcp(server: SocketAddr, query: &Query) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let bytes = query.bytes();
    let len = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&len.to_be_bytes()[..], &bytes].concat())?;
    let until = Instant::now() + PATIENCE;
    let mut len = [0; 2];
    fill(&mut stream, &mut len, until)?;
    let mut answer = vec![0; u16::from_be_bytes(len).into()];
    fill(&mut stream, &mut answer, until)?;
    Answer::parse(&answer, query).map_err(invalid)
}

/// Fills the buffer by then, however slowly it drips.
fn fill(stream: &mut TcpStream, mut buffer: &mut [u8], until: Instant) -> io::Result<()> {
    while !buffer.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            len => buffer = &mut buffer[len..],
        }
    }
    Ok(())
}
