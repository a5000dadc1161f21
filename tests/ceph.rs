//! `--ceph`: what managers of several releases tell, those that tell nothing or something odd, and a real ceph-mon with
//! two real managers from Debian.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "ceph/cluster.rs"]
mod cluster;

use cluster::Cluster;
use core::time::Duration;
use smol::future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Instant;
use unsinkable::ceph::exposition::{Lines, Sample};
use unsinkable::ceph::health::Gathering;
use unsinkable::ceph::run::{Known, ask, run};
use unsinkable::ceph::{Ceph, Check, Health, Osds};
use unsinkable::checks::health::Reason;
use unsinkable::checks::{Kind, Track};
use unsinkable::housekeeper::checks;
use unsinkable::http_url::HttpUrl;

const LIMIT: Duration = Duration::from_secs(60);

fn recorded(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/data/ceph/{name}.metrics", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn gathered(name: &str) -> Ceph {
    let (mut lines, mut gathering) = (Lines::default(), Gathering::default());
    let mut take = |line: &str| {
        if let Some(sample) = Sample::parse(line) {
            gathering.take(&sample);
        }
    };
    for piece in recorded(name).chunks(1000) {
        lines.push(piece, &mut take);
    }
    lines.end(take);
    gathering.done("http://pi").expect("an active manager's")
}

fn check(name: &str, severity: Health, text: &str) -> Check {
    Check { name: name.into(), severity, text: text.into() }
}

/// As reef-18.2.7-ok.metrics tells it.
fn reef() -> Ceph {
    Ceph {
        health: Health::Ok,
        checks: Vec::new(),
        osds: Osds { total: 3, up: 3, inside: 3 },
        total_bytes: 32_212_254_720,
        used_bytes: 100_378,
        monitors: (3, 3),
        version: Some("18.2.7".into()),
        versions: vec!["18.2.7".into()],
        manager: "http://pi".into(),
    }
}

#[test]
fn each_release_is_understood() {
    let base = reef();
    let octopus = Ceph {
        health: Health::Warn,
        osds: Osds { total: 3, up: 2, inside: 3 },
        total_bytes: 96_636_764_160,
        used_bytes: 6_442_450_944,
        version: Some("15.2.17".into()),
        versions: vec!["15.2.17".into()],
        ..base.clone()
    };
    let quincy = Ceph {
        health: Health::Warn,
        checks: vec![
            check("OSD_DOWN", Health::Warn, "an OSD is down"),
            check("PG_DEGRADED", Health::Warn, "some data lacks copies"),
        ],
        osds: Osds { total: 4, up: 2, inside: 3 },
        total_bytes: 128_849_018_880,
        used_bytes: 10_737_418_240,
        monitors: (2, 3),
        version: Some("17.2.7".into()),
        versions: vec!["17.2.7".into()],
        ..base.clone()
    };
    let squid = Ceph {
        health: Health::Error,
        checks: vec![
            check("OSD_FULL", Health::Error, "an OSD is full: nothing can be written"),
            check("OSD_UPGRADE_FINISHED", Health::Warn, "osd upgrade finished"),
            check("POOL_FULL", Health::Warn, "a pool is full"),
        ],
        total_bytes: 96_636_764_160,
        used_bytes: 91_804_925_952,
        version: Some("19.2.0".into()),
        versions: vec!["18.2.1".into(), "19.2.0".into()],
        ..base.clone()
    };
    let first = Ceph {
        osds: Osds::default(),
        total_bytes: 0,
        used_bytes: 0,
        monitors: (1, 1),
        version: Some("16.2.15".into()),
        versions: vec!["16.2.15".into()],
        ..base.clone()
    };
    let error = Ceph {
        health: Health::Error,
        checks: vec![
            check("OSD_OUT_OF_ORDER_FULL", Health::Error, "osd out of order full"),
            check(
                "AUTH_INSECURE_GLOBAL_ID_RECLAIM_ALLOWED",
                Health::Warn,
                "auth insecure global id reclaim allowed",
            ),
        ],
        ..first.clone()
    };
    for (name, expected) in [
        ("reef-18.2.7-ok", base),
        ("octopus-15.2.17-warn", octopus),
        ("quincy-17.2.7-warn", quincy),
        ("squid-19.2.0-upgrade-error", squid),
        ("pacific-16.2.15-first", first),
        ("pacific-16.2.15-error", error),
    ] {
        assert_eq!(gathered(name), expected, "{name}");
    }
}

#[test]
fn a_muted_check_is_told_as_any_other() {
    let warn = Ceph {
        health: Health::Warn,
        checks: vec![
            check("MON_DOWN", Health::Warn, "a monitor is out of quorum"),
            check("OSDMAP_FLAGS", Health::Warn, "a flag is set, as noout"),
            check("OSD_DOWN", Health::Warn, "an OSD is down"),
        ],
        osds: Osds { total: 3, up: 2, inside: 3 },
        used_bytes: 118_060,
        monitors: (2, 3),
        ..reef()
    };
    // OSD_DOWN is muted there.
    let tentacle = Ceph {
        health: Health::Error,
        checks: vec![
            check("OSD_OUT_OF_ORDER_FULL", Health::Error, "osd out of order full"),
            check("OSD_DOWN", Health::Warn, "an OSD is down"),
            check("PG_DEGRADED", Health::Warn, "some data lacks copies"),
        ],
        used_bytes: 131_549,
        version: Some("20.2.4".into()),
        versions: vec!["20.2.4".into()],
        ..warn.clone()
    };
    assert_eq!(gathered("reef-18.2.7-warn"), warn);
    assert_eq!(gathered("tentacle-20.2.4-error"), tentacle);
}

/// A server on loopback that gives each caller to `answer`, for as long as the test process lives.
fn server(answer: impl Fn(TcpStream, SocketAddr) + Send + 'static) -> HttpUrl {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            answer(stream, addr);
        }
    });
    HttpUrl::parse(&format!("http://{addr}"), 9283, "/metrics").unwrap()
}

/// One that always says the same.
fn saying(answer: impl Into<Vec<u8>>) -> HttpUrl {
    let answer = answer.into();
    server(move |mut stream, _| drop(stream.write_all(&answer)))
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn asked(url: &HttpUrl) -> Result<Ceph, String> {
    smol::block_on(ask(url, Duration::from_secs(20)))
}

#[test]
fn an_active_manager_is_heard_however_it_frames_its_answer() {
    let body = recorded("quincy-17.2.7-warn");
    let close = [&b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"[..], &body].concat();
    let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in body.chunks(777) {
        chunked.extend(format!("{:x}\r\n", piece.len()).bytes().chain(piece.iter().copied()).chain(*b"\r\n"));
    }
    chunked.extend(b"0\r\n\r\n");
    for answer in [ok(&body), close, chunked] {
        let url = saying(answer);
        let ceph = asked(&url).unwrap();
        assert_eq!(ceph, Ceph { manager: url.to_string(), ..gathered("quincy-17.2.7-warn") });
    }
}

#[test]
fn whoever_is_no_active_manager_is_named_for_what_it_is() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = HttpUrl::parse(&format!("http://{gone}"), 9283, "/metrics").unwrap();
    let busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nwait".to_vec();
    let away = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".to_vec();
    let tls = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
    let https = b"HTTP/1.1 301 Moved\r\nLocation: https://pi-2:8443/\r\nContent-Length: 0\r\n\r\n".to_vec();
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nceph_health_status 0.0\n".to_vec();
    for (url, told) in [
        (saying(ok(b"")), "stands by"),
        (saying(busy), "answers 503: has just become active, or gathers for longer than it may"),
        (saying(away), "answers 502: stands by"),
        (saying(tls), "answers 400: it may want https, and only plain http:// is asked"),
        (
            saying(ok(b"<!DOCTYPE html>\n<a href='http://pi:9283/metrics'>")),
            "answers, but not with Ceph's metrics (a manager tells them at /metrics)",
        ),
        (saying(https), "redirects to https://pi-2:8443/: only plain http:// is asked"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "is no web server: not HTTP/1"),
        (saying(Vec::new()), "closed the connection without an answer"),
        (saying(cut), "the answer broke off"),
        (gone, "Connection refused (os error 111)"),
        (
            HttpUrl::parse("http://no-such-host.invalid", 9283, "/metrics").unwrap(),
            "its name is not known here",
        ),
    ] {
        let error = asked(&url).unwrap_err();
        // Those that close at once may have reset the connection while the request was under way.
        let reset = error.contains("reset") && told.starts_with("closed");
        assert!(error == told || reset, "{error:?}, not {told:?}");
    }
}

#[test]
fn a_redirect_is_followed_once() {
    let active = saying(ok(&recorded("reef-18.2.7-ok")));
    let found = |location: &str| {
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    };
    let standby = saying(found(&active.to_string()));
    let ceph = asked(&standby).unwrap();
    assert_eq!((ceph.health, ceph.manager), (Health::Ok, active.to_string()));
    let twice = saying(found(&standby.to_string()));
    assert!(asked(&twice).unwrap_err().ends_with("which redirects again"));
    let relative = server(|mut stream, _| drop(stream.write_all(b"HTTP/1.1 302 F\r\nLocation: /m\r\n\r\n")));
    let error = asked(&relative).unwrap_err();
    assert!(error.ends_with("/m, which redirects again"), "{error}");
}

#[test]
fn one_that_hangs_or_never_ends_costs_a_bounded_time_and_nothing_else() {
    let silent = server(|stream, _| {
        thread::spawn(move || {
            thread::sleep(LIMIT);
            drop(stream);
        });
    });
    let begun = Instant::now();
    let error = smol::block_on(ask(&silent, Duration::from_secs(1))).unwrap_err();
    assert_eq!(error, "no answer within 1 s");
    assert!(begun.elapsed() < Duration::from_secs(20));
    let endless = server(|mut stream, _| {
        thread::spawn(move || {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nceph_health_status 0.0\n");
            let noise = vec![b'x'; 65536];
            while stream.write_all(&noise).is_ok() {}
        });
    });
    let error = smol::block_on(ask(&endless, LIMIT)).unwrap_err();
    assert_eq!(error, "answers more than 32 MB");
}

/// Runs until `wanted`.
fn until(known: &Known, urls: &[HttpUrl], wanted: impl Fn(&Known) -> bool) {
    let begun = Instant::now();
    let look = async {
        while !wanted(known) {
            assert!(begun.elapsed() < LIMIT, "{:?}", known.look());
            smol::Timer::after(Duration::from_millis(50)).await;
        }
    };
    smol::block_on(future::or(look, run(urls, known)));
}

#[test]
fn the_active_one_is_found_and_its_answer_outlives_it() {
    let standby = saying(ok(b""));
    let active = saying(ok(&recorded("reef-18.2.7-ok")));
    let known = Known::default();
    assert_eq!(known.look().asked, None);
    until(&known, &[standby.clone(), active.clone()], |known| known.look().answer.is_some());
    let look = known.look();
    let (ceph, at) = look.answer.clone().unwrap();
    assert_eq!((ceph.manager, look.error), (active.to_string(), None));
    until(&known, core::slice::from_ref(&standby), |known| known.look().error.is_some());
    let look = known.look();
    assert_eq!(look.error, Some(format!("{standby}: stands by")));
    assert_eq!(look.answer.unwrap().1, at);
    assert!(look.asked.unwrap() >= at);
}

/// `--track ceph` as the housekeeper watches it: nothing is said before the managers were asked.
#[test]
fn a_track_says_what_the_managers_say() {
    let slow = server(|mut stream, _| {
        thread::sleep(Duration::from_millis(300));
        let _ = stream.write_all(&ok(&recorded("quincy-17.2.7-warn")));
    });
    for (url, reason) in [
        (saying(ok(&recorded("reef-18.2.7-ok"))), Reason::CephOk),
        (slow, Reason::CephWarn),
        (saying(ok(&recorded("squid-19.2.0-upgrade-error"))), Reason::CephError),
        (saying(ok(b"")), Reason::NoManager),
    ] {
        let (known, urls) = (Known::default(), [url]);
        let (interval, timeout) = (Duration::from_secs(15), LIMIT);
        let track = Track { kind: Kind::Ceph, interval, weight: None, rise: 1, fall: 1, timeout };
        let tracks = [(3, track)];
        let (tell, told) = smol::channel::unbounded();
        let tell = |place, verdict| tell.try_send((place, verdict)).unwrap();
        let looks = checks::run(&tracks, Path::new("/nonexistent"), &known, tell);
        let work = async {
            future::zip(run(&urls, &known), looks).await;
            unreachable!("neither ends");
        };
        let (place, verdict) = smol::block_on(future::or(async { told.recv().await.unwrap() }, work));
        assert_eq!((place, verdict.reason, verdict.well), (3, reason, reason.is_well()));
    }
}

/// Without `--ceph` nothing is asked and nothing waits.
#[test]
fn nobody_to_ask_is_over_at_once() {
    let known = Known::default();
    smol::block_on(run(&[], &known));
    assert_eq!(known.look().asked, None);
}

/// A monitor and two managers of Debian's: the standby is passed over, an error is seen, and when the active one is told
/// to go, the other one is found.
#[test]
fn a_real_cluster_is_followed_through_a_change_of_managers() {
    let Some(cluster) = Cluster::start() else { return };
    let known = Known::default();
    // The standby first.
    let urls = [Cluster::url("b"), Cluster::url("a")];
    assert_eq!(asked(&urls[0]), Err("stands by".to_owned()));
    until(&known, &urls, |known| known.look().answer.is_some());
    let ceph = known.look().answer.unwrap().0;
    assert_eq!((ceph.manager, ceph.monitors), (urls[1].to_string(), (1, 1)));
    assert!(ceph.version.is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit())));
    cluster.ceph(&["osd", "set-full-ratio", "0.5"]);
    let error = until_told(&urls[1], |ceph| ceph.health == Health::Error);
    assert_eq!(error.checks[0].name, "OSD_OUT_OF_ORDER_FULL", "{error}");
    cluster.ceph(&["mgr", "fail", "a"]);
    until_told(&urls[0], |ceph| ceph.health == Health::Error);
    // The one that was active first is asked first, and is passed over.
    let known = Known::default();
    until(&known, &[urls[1].clone(), urls[0].clone()], |known| known.look().answer.is_some());
    let ceph = known.look().answer.unwrap().0;
    assert_eq!((ceph.manager, ceph.health), (urls[0].to_string(), Health::Error));
}

/// Asks until the manager tells what is wanted.
fn until_told(url: &HttpUrl, wanted: impl Fn(&Ceph) -> bool) -> Ceph {
    let begun = Instant::now();
    loop {
        let answer = asked(url);
        match answer {
            Ok(ceph) if wanted(&ceph) => return ceph,
            Ok(_) | Err(_) => assert!(begun.elapsed() < LIMIT, "{answer:?}"),
        }
        thread::sleep(Duration::from_millis(200));
    }
}
