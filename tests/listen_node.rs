//! What `--listen` serves on real nodes: daemons in network namespaces, a dockerd that answers or hangs, a load tool.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "others need more of it")]
mod dockerd;
mod lab;

use dockerd::{Dockerd, Reply};
use lab::daemon::Daemon;
use lab::netns::inside;
use lab::router::Router;
use lab::sniffer::Sniffer;
use lab::usage::usage;
use lab::{Lab, VIP, can_run, ms, say};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = ms(15_000);
const PORT: u16 = 9112;
/// What the brief of a page is: an answer within a second, whatever hangs; and some room for a busy machine.
const SOON: Duration = ms(1_500);

/// An answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
    took: Duration,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends these bytes from the client's namespace and takes what comes.
fn send(lab: &Lab, to: IpAddr, bytes: &str) -> Answer {
    inside(&lab.client(), || {
        let began = Instant::now();
        // The housekeeper is started beside the daemon: its port may come a moment later.
        let mut client = loop {
            match TcpStream::connect(SocketAddr::new(to, PORT)) {
                Ok(client) => break client,
                Err(error) => assert!(began.elapsed() < LIMIT, "{to}: {error}"),
            }
            std::thread::sleep(ms(20));
        };
        client.set_read_timeout(Some(LIMIT)).unwrap();
        client.write_all(bytes.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        client.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned(), took: began.elapsed() }
    })
}

fn get(lab: &Lab, to: IpAddr, path: &str) -> Answer {
    send(lab, to, &format!("GET {path} HTTP/1.1\r\nHost: pi-1:9112\r\n\r\n"))
}

/// Asks again until it holds.
fn until(lab: &Lab, to: IpAddr, path: &str, holds: impl Fn(&Answer) -> bool) -> Answer {
    let began = Instant::now();
    loop {
        let answer = get(lab, to, path);
        if holds(&answer) {
            return answer;
        }
        let Answer { status, body, .. } = answer;
        assert!(began.elapsed() < LIMIT, "{path} of {to} stays as it is: {status} {body}");
        std::thread::sleep(ms(100));
    }
}

/// A dockerd of a manager with one service.
fn docker() -> Dockerd {
    Dockerd::start("listen", |asked| {
        let path = asked.line.split(' ').nth(1).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default().trim_start_matches("/v1.41");
        Reply::json(
            200,
            match path {
                "/info" => INFO,
                "/nodes" => NODES,
                "/services" => SERVICES,
                _ => "[]",
            },
        )
    })
}

const INFO: &str = r#"{"Name":"pi-1","Architecture":"aarch64","ServerVersion":"20.10.24","DockerRootDir":"/var/lib/docker",
    "OperatingSystem":"Debian GNU/Linux 12","NCPU":4,"MemTotal":8000000000,"Containers":12,"ContainersRunning":10,
    "ContainersPaused":0,"ContainersStopped":2,"Images":31,"Driver":"overlay2",
    "Swarm":{"NodeID":"abc","LocalNodeState":"active","ControlAvailable":true,"Error":""}}"#;
const NODES: &str = r#"[{"ID":"abc","Spec":{"Role":"manager","Availability":"active"},"Description":{"Hostname":"pi-1",
    "Platform":{"Architecture":"aarch64","OS":"linux"},"Engine":{"EngineVersion":"20.10.24"}},
    "Status":{"State":"ready","Addr":"10.0.10.31"},"ManagerStatus":{"Leader":true,"Reachability":"reachable"}}]"#;
const SERVICES: &str = r#"[{"ID":"s1","Version":{"Index":7},"Spec":{"Name":"web_\"app\"","Labels":{},
    "Mode":{"Global":{}},"TaskTemplate":{"ContainerSpec":{"Image":"nginx:1@sha256:0000000000000000000000000000000000000000000000000000000000000000"}}},
    "UpdateStatus":{"State":"paused","Message":"update paused due to failure"},
    "ServiceStatus":{"RunningTasks":2,"DesiredTasks":3}},
    {"ID":"s2","Version":{"Index":9},"Spec":{"Name":"nightly","Labels":{},"Mode":{"ReplicatedJob":{"MaxConcurrent":1}},
    "TaskTemplate":{"ContainerSpec":{"Image":"backup:1"}}},"ServiceStatus":{"RunningTasks":0,"DesiredTasks":1}}]"#;

fn nodes(lab: &Lab, docker: &Dockerd, advert: Duration) -> Vec<Daemon> {
    let mut flags = Router::v3(&[200, 190], advert).flags();
    let listen = format!("[::]:{PORT},status.example.com");
    flags.extend(["--listen", &listen, "--docker", docker.path().to_str().unwrap()].map(str::to_owned));
    // Nobody answers there: told, and waited for by nobody.
    let elsewhere = ["--ceph", "http://10.0.10.100:9283", "--syslog", "tcp://10.0.10.100:601"];
    flags.extend(elsewhere.map(str::to_owned));
    lab.nodes.iter().map(|node| Daemon::unsinkable(node, &flags)).collect()
}

fn is_ok(answer: &Answer) -> bool {
    answer.status == 200
}

#[test]
fn every_path_is_answered_on_every_node() {
    if !can_run(&["promtool"]) {
        return;
    }
    let Some(lab) = Lab::new(2) else { return };
    let docker = docker();
    let daemons = nodes(&lab, &docker, ms(100));
    lab.settle(VIP, 0, LIMIT);
    let (one, two) = (lab.nodes[0].v4(), lab.nodes[1].v4());
    assert_eq!(until(&lab, one, "/healthz", is_ok).body, "VRID 12: ok, master\n");
    assert_eq!(until(&lab, two, "/healthz", is_ok).body, "VRID 12: ok, backup\n");

    let status = until(&lab, one, "/status.json", |answer| answer.json()["docker"]["name"] == "pi-1");
    assert!(status.head.contains("\r\nContent-Type: application/json\r\n"), "{}", status.head);
    let told = status.json();
    assert_eq!((&told["format"], &told["routers"][0]["state"]), (&1.into(), &"master".into()));
    assert_eq!(told["docker"]["containers_running"], 10);
    assert_eq!(told["swarm"]["leader"], "pi-1");
    assert_eq!(told["swarm"]["services"][0]["name"], "nightly");
    assert_eq!(told["swarm"]["services"][1]["name"], "web_\"app\"");
    assert_eq!(told["swarm"]["services"][1]["state"], "failed");
    assert_eq!(told["swarm"]["services"][1]["detail"], "update paused due to failure");
    assert_eq!(told["disks"][0]["path"], "/");
    assert_eq!(told["syslog"]["target"], "tcp://10.0.10.100:601");
    assert_eq!(told["syslog"]["connected"], false);
    assert!(told["ceph"]["error"].is_string(), "{told}");

    for (node, place) in [(one, 0), (two, 1), (VIP, 0)] {
        let whole = |answer: &Answer| answer.json()["nodes"][1 - place]["status"]["node"].is_string();
        let told = until(&lab, node, "/cluster.json", whole).json();
        assert_eq!(told["nodes"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&told["nodes"][0]["addr"], &told["nodes"][1]["addr"]),
            (&"10.0.10.31".into(), &"10.0.10.32".into())
        );
        assert_eq!(told["nodes"][place]["own"], true);
        assert_eq!(told["nodes"][1 - place]["own"], false);
        assert_eq!(told["nodes"][0]["status"]["routers"][0]["state"], "master");
        assert_eq!(told["nodes"][1]["status"]["routers"][0]["state"], "backup");
    }

    let metrics = get(&lab, one, "/metrics").body;
    for line in [
        "unsinkable_vrrp_state{vrid=\"12\",family=\"ipv4\",state=\"master\"} 1",
        "unsinkable_swarm_tasks_running{service=\"web_\\\"app\\\"\"} 2",
        "unsinkable_swarm_services{state=\"failed\"} 1",
        "unsinkable_docker_up 1",
        "unsinkable_ceph_up 0",
        "unsinkable_syslog_connected 0",
        "unsinkable_healthy 1",
    ] {
        assert!(metrics.lines().any(|there| there == line), "{line}\n{metrics}");
    }
    // A job that is done has no tasks, and nobody needs an alert of that.
    assert!(!metrics.contains("service=\"nightly\""), "{metrics}");
    promtool(&metrics);

    let page = get(&lab, one, "/");
    // tests/page has a browser unpack and read it.
    assert!(page.head.contains("Content-Encoding: gzip\r\n") && !page.body.is_empty(), "{}", page.head);
    assert!(page.head.contains("frame-ancestors 'none'"), "{}", page.head);
    assert_eq!(get(&lab, one, "/keep.json").status, 200);
    assert_eq!(get(&lab, lab.nodes[0].v6(), "/healthz").status, 200, "over IPv6");

    let refused = |request: &str| send(&lab, one, &format!("{request}\r\n\r\n")).status;
    assert_eq!(refused("GET /nothing HTTP/1.1\r\nHost: pi"), 404);
    assert_eq!(refused("GET /../etc/passwd HTTP/1.1\r\nHost: pi"), 404);
    assert_eq!(refused("POST /status.json HTTP/1.1\r\nHost: pi"), 405);
    assert_eq!(refused("GET /status.json HTTP/1.1\r\nHost: evil.example.com"), 421);
    assert_eq!(refused("GET /healthz HTTP/1.1\r\nHost: status.example.com"), 200);
    let head = send(&lab, one, "HEAD /status.json HTTP/1.1\r\nHost: pi\r\n\r\n");
    assert!(is_ok(&head) && head.body.is_empty() && head.head.contains("Content-Length: "), "{}", head.head);

    drop(daemons);
}

/// Prometheus's own judgement of the names, types and units.
fn promtool(metrics: &str) {
    let mut tool = Command::new("promtool");
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tool.spawn().unwrap();
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let said = [out.stdout, out.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(out.status.success() && said.is_empty(), "promtool: {said}\n{metrics}");
}

#[test]
fn whatever_hangs_there_is_an_answer() {
    let Some(lab) = Lab::new(2) else { return };
    let docker = docker();
    let daemons = nodes(&lab, &docker, ms(100));
    lab.settle(VIP, 0, LIMIT);
    let (one, two) = (lab.nodes[0].v4(), lab.nodes[1].v4());
    until(&lab, one, "/status.json", |answer| answer.json()["docker"]["reachable"] == true);
    until(&lab, one, "/cluster.json", |answer| answer.json()["nodes"][1]["status"]["node"].is_string());

    // dockerd takes each request and never answers.
    docker.script(|_| {
        std::thread::sleep(ms(60_000));
        Reply::json(500, "{}")
    });
    let late = until(&lab, one, "/status.json", |answer| {
        assert!(answer.took < SOON, "{:?}", answer.took);
        answer.json()["docker"]["reachable"] == false
    });
    assert_eq!(late.json()["docker"]["name"], "pi-1", "what it said before");
    assert_eq!(get(&lab, one, "/healthz").status, 200, "the VIP needs no Docker");

    // The other node's page hangs: an error, and what it said before, older and older.
    let other = Pid::from_raw(daemons[1].child_with("housekeeper").unwrap());
    kill(other, Signal::SIGSTOP).unwrap();
    let silent = until(&lab, one, "/cluster.json", |answer| {
        assert!(answer.took < SOON, "{:?}", answer.took);
        answer.json()["nodes"][1]["error"].is_string()
    });
    let told = silent.json();
    assert_eq!(told["nodes"][1]["status"]["routers"][0]["state"], "backup", "{told}");
    until(&lab, one, "/cluster.json", |answer| answer.json()["nodes"][1]["age_ms"].as_u64() > Some(3_000));
    kill(other, Signal::SIGCONT).unwrap();
    until(&lab, one, "/cluster.json", |answer| answer.json()["nodes"][1]["error"].is_null());

    // The process that holds the VIP stands still.
    daemons[0].signal(Signal::SIGSTOP);
    let ill = until(&lab, one, "/healthz", |answer| {
        assert!(answer.took < SOON, "{:?}", answer.took);
        answer.status == 503
    });
    assert!(ill.body.contains("does not answer"), "{}", ill.body);
    let told = until(&lab, one, "/status.json", |answer| answer.json()["daemon"]["error"].is_string());
    assert!(told.took < SOON && told.json()["daemon"]["age_ms"].as_u64() > Some(500), "{}", told.body);
    assert_eq!(until(&lab, two, "/healthz", |answer| answer.body.contains("master")).status, 200);
    daemons[0].signal(Signal::SIGCONT);
    until(&lab, one, "/healthz", is_ok);

    // Docker gone, and a housekeeper that is started again.
    drop(docker);
    let first = daemons[0].child_with("housekeeper").unwrap();
    kill(Pid::from_raw(first), Signal::SIGKILL).unwrap();
    let began = Instant::now();
    while daemons[0].child_with("housekeeper").is_none_or(|pid| pid == first) {
        assert!(began.elapsed() < LIMIT, "no other housekeeper");
        std::thread::sleep(ms(100));
    }
    until(&lab, one, "/status.json", |answer| answer.json()["docker"]["error"].is_string());
    let none = get(&lab, one, "/keep.json");
    assert_eq!(none.status, 503);
    assert!(none.body.contains("no list of what services want"), "{}", none.body);
}

#[test]
fn a_load_of_requests_disturbs_nobody() {
    if !can_run(&["wrk"]) {
        return;
    }
    let Some(lab) = Lab::new(2) else { return };
    let docker = docker();
    let daemons = nodes(&lab, &docker, ms(10));
    lab.settle(VIP, 0, LIMIT);
    let sniffer = Sniffer::start(&lab.bridge(), 2);
    let one = lab.nodes[0].v4();
    let housekeeper = daemons[0].child_with("housekeeper").unwrap();
    let rest = usage(housekeeper).pss;
    until(&lab, one, "/cluster.json", |answer| answer.json()["nodes"][1]["status"]["node"].is_string());
    let asked = usage(housekeeper).pss;
    // A flood beyond one address's share, with a hundred more that say a word now and then; and what a busy page would be,
    // with clients that would keep their connections, and with those that ask once.
    for (path, clients, flood, field) in [
        ("/status.json", "-c64", true, "Connection: keep-alive"),
        ("/cluster.json", "-c8", false, "Connection: keep-alive"),
        ("/metrics", "-c8", false, "Connection: close"),
    ] {
        let slow = std::thread::scope(|scope| {
            let slow = flood.then(|| scope.spawn(|| slow_clients(&lab, one)));
            let began = Instant::now();
            let mut wrk = Command::new("wrk");
            let last = if flood { "-d5s" } else { "-d3s" };
            // A connection each: IPv4's ports are all used by then, and free ones are a long search.
            let to = SocketAddr::new(if field.ends_with("close") { lab.nodes[0].v6() } else { one }, PORT);
            wrk.args(["-t2", clients, last, "--latency", "-H", field, &format!("http://{to}{path}")]);
            let child = inside(&lab.client(), || wrk.stdout(Stdio::piped()).spawn()).unwrap();
            std::thread::sleep(ms(1000));
            let good = inside(&lab.client(), || {
                // From another address than wrk's: a share of one's own.
                let began = Instant::now();
                let answer = get(&lab, lab.nodes[0].v6(), "/healthz");
                (answer.status, began.elapsed())
            });
            let busy = usage(housekeeper).pss;
            let out = child.wait_with_output().unwrap();
            let ended = Instant::now();
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            let of = |word: &str| {
                let line = text.lines().find(|line| line.trim_start().starts_with(word));
                line.unwrap_or_default().split_whitespace().last().unwrap_or_default().to_owned()
            };
            let errors =
                text.lines().find(|line| line.contains("Socket errors")).unwrap_or("no socket errors");
            assert!(!text.contains("Non-2xx"), "{text}");
            let gap = sniffer.gap(0, 12, began, ended);
            say(&format!(
                "    wrk {clients} {path}, {field}: {} requests/s, p99 {}, {}, PSS {busy} KiB; longest silence of 10 ms adverts {:.1} ms; another client's answer {:.1} ms",
                of("Requests/sec:"),
                of("99%"),
                errors.trim(),
                gap.as_secs_f64() * 1e3,
                good.1.as_secs_f64() * 1e3,
            ));
            assert_eq!(good.0, 200);
            assert!(good.1 < Duration::from_secs(1), "another client waits {:?}", good.1);
            assert!(of("Requests/sec:").parse::<f64>().unwrap() > 100.0, "{text}");
            let changes = lab.owners.changes(VIP, began, ended);
            assert!(changes.is_empty(), "the VIP moved: {changes:?}");
            // Three intervals and the skew are 32 ms; CI's two cores are shared.
            assert!(gap < ms(200), "{gap:?}");
            // Beyond one address's share somebody has to go; within it nobody loses an answer.
            assert!(flood || errors == "no socket errors", "{text}");
            slow.map(|slow| slow.join().unwrap())
        });
        assert!(slow != Some(0), "nobody slow was let go");
    }
    say(&format!(
        "    housekeeper: PSS {rest} KiB at rest, {asked} KiB asked once, {} KiB behind the load",
        usage(housekeeper).pss
    ));
    lab.settle(VIP, 0, ms(10));
}

/// A hundred clients that send a byte now and then for four seconds; how many were let go meanwhile.
fn slow_clients(lab: &Lab, to: IpAddr) -> usize {
    inside(&lab.client(), || {
        let connect = || TcpStream::connect(SocketAddr::new(to, PORT));
        let mut clients: Vec<_> = (0..100).filter_map(|_| connect().ok()).collect();
        let (began, mut gone) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(4) {
            for client in &mut clients {
                if client.write_all(b"G").is_err() {
                    gone += 1;
                    if let Ok(next) = connect() {
                        *client = next;
                    }
                }
            }
            std::thread::sleep(ms(50));
        }
        gone
    })
}
