//! `--track KIND:WHAT[,interval=D][,weight=±N][,rise=N][,fall=N][,timeout=D]`.

use core::net::{IpAddr, SocketAddr};
use core::str::FromStr;
use core::time::Duration;

use super::nearest::nearest;
use crate::checks::process::COMM_LEN;
use crate::checks::{Endpoint, Kind, Track};
use crate::duration;

const KINDS: [&str; 11] =
    ["process", "tcp", "http", "exec", "file", "interface", "disk", "docker", "swarm", "ceph", "board"];
/// Kinds that need to know no more.
const ALONE: [&str; 4] = ["docker", "swarm", "ceph", "board"];
const OPTIONS: [&str; 5] = ["interval", "weight", "rise", "fall", "timeout"];

/// Between two looks, unless said otherwise.
const INTERVAL: Duration = Duration::from_secs(1);
/// More than a hundred looks a second is load, not vigilance; less than one an hour is no check.
const INTERVALS: core::ops::RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_hours(1);
/// Between two looks at Ceph where the flag does not say: as often as its managers gather.
const CEPH_INTERVAL: Duration = Duration::from_secs(15);
/// A look's time limit is its interval, but no longer than this: a 30 s check should not need 30 s to fail.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Where no file of `boards/` says otherwise: a PC's everyday heat lies below.
const TOO_HOT: u8 = 95;
/// Longest interface name (IFNAMSIZ less its zero).
const IFNAME: usize = 15;

/// Reads one `--track`. The error says what was expected.
pub fn parse(text: &str) -> Result<Track, String> {
    let mut parts = text.split(',');
    let kind = kind(parts.next().unwrap_or_default())?;
    let interval = if kind == Kind::Ceph { CEPH_INTERVAL } else { INTERVAL };
    let mut track = Track { kind, interval, weight: None, rise: 1, fall: 1, timeout: Duration::ZERO };
    for part in parts {
        option(&mut track, part)?;
    }
    if track.timeout.is_zero() {
        track.timeout = track.interval.min(TIMEOUT);
    }
    Ok(track)
}

fn option(track: &mut Track, part: &str) -> Result<(), String> {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let wrong = |why: &str| format!("{name}={value}: {why}");
    let time = || duration::parse(value).map_err(|why| wrong(&why));
    let in_range = |time: Duration| {
        if INTERVALS.contains(&time) { Ok(time) } else { Err(wrong("expected 10ms to 1h")) }
    };
    let times = || match value.parse() {
        Ok(0) | Err(_) => Err(wrong("expected a count, 1 to 255")),
        Ok(count) => Ok(count),
    };
    match name {
        "interval" => track.interval = in_range(time()?)?,
        "timeout" => track.timeout = in_range(time()?)?,
        "weight" => track.weight = Some(weight(value).map_err(|why| wrong(&why))?),
        "rise" => track.rise = times()?,
        "fall" => track.fall = times()?,
        _ => return Err(unknown("option", name, &OPTIONS)),
    }
    Ok(())
}

fn weight(value: &str) -> Result<i16, String> {
    match value.parse::<i16>() {
        Ok(0) => Err("leave weight out: a failed check then means FAULT, the VIP leaves at once".into()),
        Ok(weight @ -253..=253) => Ok(weight),
        Ok(_) | Err(_) => Err("expected -253 to 253, not 0".into()),
    }
}

fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let meant = nearest(word, known).map_or(String::new(), |near| format!(": did you mean {near}?"));
    format!("no {what} `{word}`{meant} (known: {})", known.join(", "))
}

fn kind(text: &str) -> Result<Kind, String> {
    let (kind, what) = text.split_once(':').unwrap_or((text, ""));
    if KINDS.contains(&kind) && what.is_empty() != ALONE.contains(&kind) {
        return Err(format!("expected {}", example(kind)));
    }
    match kind {
        "process" => process(what),
        "tcp" => endpoint(what, None).map(Kind::Tcp).ok_or_else(|| format!("expected {}", example(kind))),
        "http" => http(if what.starts_with("//") { text } else { what }),
        "exec" => path(what).map(Kind::Exec).ok_or_else(|| format!("expected {}", example(kind))),
        "file" => path(what).map(Kind::File).ok_or_else(|| format!("expected {}", example(kind))),
        "disk" => path(what).map(Kind::Disk).ok_or_else(|| format!("expected {}", example(kind))),
        "interface" if is_interface(what) => Ok(Kind::Interface(what.into())),
        "docker" => Ok(Kind::Docker),
        "swarm" => Ok(Kind::Swarm),
        "ceph" => Ok(Kind::Ceph),
        "board" => Ok(Kind::Board { too_hot: TOO_HOT }),
        "interface" => Err(format!("expected {}", example(kind))),
        _ => Err(unknown("check", kind, &KINDS)),
    }
}

fn example(kind: &str) -> &'static str {
    match kind {
        "process" => "process:NAME, as process:dockerd",
        "tcp" => "tcp:HOST:PORT, as tcp:127.0.0.1:80",
        "http" => "http:URL, as http:http://127.0.0.1:8080/ping",
        "exec" => "exec:PATH, an absolute path to a program without arguments",
        "file" => "file:PATH, an absolute path",
        "disk" => "disk:PATH, an absolute path",
        "docker" => "docker alone: its socket is --docker",
        "swarm" => "swarm alone: its manager is asked at --docker",
        "ceph" => "ceph alone: its managers are --ceph",
        "board" => "board alone: its temperature is --too-hot",
        _ => "interface:NAME, as interface:eth0",
    }
}

/// A longer name than the kernel keeps is cut like the kernel's, so it is found. Where that would be inside a character,
/// it stays whole here and is cut as bytes (`Comm`).
fn process(name: &str) -> Result<Kind, String> {
    if name.contains('/') {
        return Err("expected a process name as `ps -e` shows it, not a path".into());
    }
    Ok(Kind::Process(name[..name.ceil_char_boundary(COMM_LEN)].into()))
}

fn path(text: &str) -> Option<std::path::PathBuf> {
    (text.starts_with('/') && !text.contains('\0')).then(|| text.into())
}

/// Could the kernel have an interface of this name?
pub fn is_interface(name: &str) -> bool {
    let fits = (1..=IFNAME).contains(&name.len()) && name != "." && name != "..";
    fits && !name.contains(['/', ':', '\0']) && !name.contains(char::is_whitespace)
}

fn endpoint(text: &str, default_port: Option<u16>) -> Option<Endpoint> {
    if let Ok(addr) = SocketAddr::from_str(text) {
        return (addr.port() != 0).then_some(Endpoint::Addr(addr));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let (Ok(addr), Some(port)) = (IpAddr::from_str(bare), default_port) {
        return Some(Endpoint::Addr(SocketAddr::new(addr, port)));
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok()?),
        None => (text, default_port?),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let fits = (1..=253).contains(&name.len()) && name.bytes().all(is_name) && port != 0;
    fits.then(|| Endpoint::Name(name.into(), port))
}

fn http(url: &str) -> Result<Kind, String> {
    let expected = || format!("expected {}", example("http"));
    if url.starts_with("https:") {
        return Err("https is not checked: use http:, or tcp:HOST:443".into());
    }
    let rest = url.strip_prefix("http://").ok_or_else(expected)?;
    let (host, path) = match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('?') => (&rest[..at], format!("/{}", &rest[at..])),
        Some(at) => (&rest[..at], rest[at..].to_string()),
        None => (rest, "/".to_string()),
    };
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("expected a URL in ASCII, without spaces (%20)".into());
    }
    let path = path.split('#').next().unwrap_or("/").to_string();
    let endpoint = endpoint(host, Some(80)).ok_or_else(expected)?;
    Ok(Kind::Http { endpoint, host: host.into(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        parse(text).expect_err(text)
    }

    #[test]
    fn the_users_two_tracks() {
        let dockerd = Track {
            kind: Kind::Process("dockerd".into()),
            interval: Duration::from_secs(1),
            weight: Some(20),
            rise: 1,
            fall: 1,
            timeout: Duration::from_secs(1),
        };
        assert_eq!(parse("process:dockerd,interval=1s,weight=20"), Ok(dockerd));
        let traefik = parse("process:traefik,interval=30s,weight=+10").unwrap();
        assert_eq!((traefik.weight, traefik.timeout), (Some(10), Duration::from_secs(5)));
    }

    #[test]
    fn options_are_read() {
        let track = parse("exec:/bin/true,rise=2,fall=3,timeout=250ms,weight=-253").unwrap();
        assert_eq!((track.rise, track.fall, track.weight), (2, 3, Some(-253)));
        assert_eq!(track.timeout, Duration::from_millis(250));
    }

    #[test]
    fn endpoints() {
        let tcp = |text| parse(text).map(|track| track.kind);
        let addr = |text: &str| Endpoint::Addr(text.parse().unwrap());
        assert_eq!(tcp("tcp:127.0.0.1:80"), Ok(Kind::Tcp(addr("127.0.0.1:80"))));
        assert_eq!(tcp("tcp:[::1]:80"), Ok(Kind::Tcp(addr("[::1]:80"))));
        assert_eq!(tcp("tcp:db.local:5432"), Ok(Kind::Tcp(Endpoint::Name("db.local".into(), 5432))));
        let get = |endpoint, host: &str, path: &str| {
            Ok(Kind::Http { endpoint, host: host.into(), path: path.into() })
        };
        assert_eq!(
            tcp("http:http://127.0.0.1:8080/ping"),
            get(addr("127.0.0.1:8080"), "127.0.0.1:8080", "/ping")
        );
        assert_eq!(tcp("http://10.0.0.1"), get(addr("10.0.0.1:80"), "10.0.0.1", "/"));
        assert_eq!(tcp("http:http://[::1]?a"), get(addr("[::1]:80"), "[::1]", "/?a"));
    }

    #[test]
    fn slips_get_the_right_spelling() {
        assert_eq!(
            why("proces:dockerd"),
            "no check `proces`: did you mean process? (known: process, tcp, http, exec, file, interface, disk, docker, swarm, ceph, board)"
        );
        assert_eq!(
            why("process:dockerd,wieght=20"),
            "no option `wieght`: did you mean weight? (known: interval, weight, rise, fall, timeout)"
        );
    }

    #[test]
    fn bad_values_say_what_was_expected() {
        assert_eq!(
            why("process:a,weight=0"),
            "weight=0: leave weight out: a failed check then means FAULT, the VIP leaves at once"
        );
        assert_eq!(why("process:a,weight=254"), "weight=254: expected -253 to 253, not 0");
        assert_eq!(why("process:a,interval=5"), "interval=5: has no unit: is it 5s or 5ms?");
        assert_eq!(why("process:a,interval=0"), "interval=0: expected 10ms to 1h");
        assert_eq!(why("process:a,fall=0"), "fall=0: expected a count, 1 to 255");
        assert_eq!(why("process"), "expected process:NAME, as process:dockerd");
        assert_eq!(why("tcp:80"), "expected tcp:HOST:PORT, as tcp:127.0.0.1:80");
        assert_eq!(why("exec:true"), "expected exec:PATH, an absolute path to a program without arguments");
        assert_eq!(why("interface:a/b"), "expected interface:NAME, as interface:eth0");
        assert_eq!(why("board:80"), "expected board alone: its temperature is --too-hot");
        assert_eq!(why("http:https://a/"), "https is not checked: use http:, or tcp:HOST:443");
    }

    #[test]
    fn a_long_process_name_is_cut_as_the_kernel_cuts_it() {
        assert_eq!(
            parse("process:a-very-long-process").unwrap().kind,
            Kind::Process("a-very-long-pro".into())
        );
        // The 15th byte is the first of two: the kernel keeps one of them, and so must what is compared with it.
        assert_eq!(parse("process:fourteen-bytesé").unwrap().kind, Kind::Process("fourteen-bytesé".into()));
    }

    #[test]
    fn a_check_is_shown_as_it_was_written() {
        for text in ["process:dockerd", "tcp:[::1]:80", "http:http://h:1/x?y", "disk:/", "interface:eth0"] {
            assert_eq!(parse(text).unwrap().kind.as_flag(), text);
        }
    }
}
