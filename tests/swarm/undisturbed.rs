//! The VIP does not notice: adverts at 10 ms go on through whatever Docker does and our housekeeper does with it.

use crate::dockerd::{Asked, Dockerd, Reply};
use crate::lab::service::EVERYWHERE;
use crate::lab::{Image, Lab};
use crate::net::owners::Owners;
use crate::net::sniffer::Sniffer;
use crate::net::{VIP, ms, say};
use crate::rounds::{daemons, vip};
use std::time::{Duration, Instant};

const VRID: u8 = 12;
/// The other node would take over after three intervals and a skew; machines are shared.
const SILENCE: Duration = ms(30);

#[test]
fn adverts_go_on() {
    let Some(lab) = Lab::new(2) else { return };
    let one = lab.push("app:v1", Image::Good("1"));
    lab.push("app:v2", Image::Good("2"));
    lab.move_tag("app:latest", "v1");
    lab.node(0).docker_line(&format!("{EVERYWHERE} {}", lab.image("app:latest")));
    lab.wait_running(0, "web", 2, &one);
    let sniffer = Sniffer::start(&lab.bridge(), 2);
    let owners = Owners::watch(lab.nodes.iter().map(|node| node.pi.netns.clone()));
    let housekeeping = [
        "--update",
        "--update-every",
        "1s",
        "--bake",
        "2s",
        "--prune",
        "--prune-every",
        "1s",
        "--grace",
        "1s",
    ];
    let vip = ["--vrrp", "3", "--advert", "10ms"];
    let _daemons = daemons(&lab, &[&vip[..], &housekeeping].concat());
    lab.wait_for(Duration::from_secs(30), "the first node owns the VIP", || owners.now(VIP) == [0]);
    std::thread::sleep(ms(1000));

    let undisturbed = |what: &str, work: &dyn Fn()| {
        let from = Instant::now();
        work();
        let to = Instant::now();
        let gap = sniffer.gap(0, VRID, from, to);
        say(&format!("    {what}: longest silence {:.1} ms in {:.1?}", gap.as_secs_f64() * 1e3, to - from));
        assert_eq!(owners.changes(VIP, from, to), [], "{what}: the VIP stays");
        assert!(gap < SILENCE, "{what}: {gap:?} without an advert");
    };
    undisturbed("nothing happens", &|| std::thread::sleep(ms(3000)));
    undisturbed("an update and pruning", &|| {
        for node in &lab.nodes {
            node.docker(&["pull", "-q", &lab.image("app:v2")]);
        }
        let two = lab.move_tag("app:latest", "v2");
        lab.wait_running(0, "web", 2, &two);
        std::thread::sleep(ms(4000));
    });
    undisturbed("dockerd hangs", &|| {
        lab.node(0).hang_dockerd();
        std::thread::sleep(ms(8000));
        lab.node(0).resume_dockerd();
        std::thread::sleep(ms(2000));
    });
    undisturbed("dockerd is killed", &|| {
        lab.node(0).kill_dockerd();
        std::thread::sleep(ms(1000));
        lab.node(0).start_dockerd();
        std::thread::sleep(ms(2000));
    });
}

/// 10 MB for each list, again and again: what no real dockerd of this lab has to say.
#[test]
fn adverts_go_on_while_docker_talks_a_lot() {
    let Some(lab) = Lab::plain(2) else { return };
    let image = |n: u32| {
        format!(r#"{{"Id":"sha256:{n:064x}","RepoTags":["app{n}:v1"],"Created":1700000000,"Size":1}}"#)
    };
    let images = format!("[{}]", (0..90_000).map(image).collect::<Vec<_>>().join(","));
    assert!(images.len() > 10_000_000, "{}", images.len());
    let dockerd = Dockerd::start("talks", move |asked: &Asked| {
        let info = r#"{"Name":"n1","ServerVersion":"20.10.24","DockerRootDir":"/","Swarm":{"LocalNodeState":"inactive"}}"#;
        match asked.line.split_once("/v1.41").map_or("", |(_, path)| path) {
            path if path.starts_with("/images/json") => Reply::chunks(images.as_bytes(), 32 << 10),
            path if path.starts_with("/info") => Reply::json(200, info),
            path if path.starts_with("/volumes") => Reply::json(200, r#"{"Volumes":[]}"#),
            _ => Reply::json(200, "[]"),
        }
    });
    let sniffer = Sniffer::start(&lab.bridge(), 2);
    let owners = Owners::watch(lab.nodes.iter().map(|node| node.pi.netns.clone()));
    let socket = dockerd.path().to_str().expect("a plain name");
    let housekeeping = ["--docker", socket, "--prune", "--prune-every", "1s", "--grace", "1h"];
    let vip: Vec<String> =
        vip(&lab).into_iter().filter(|w| w != "--docker" && w != "/run/docker.sock").collect();
    let vip: Vec<&str> = vip.iter().map(String::as_str).collect();
    let flags = [&vip[..], &["--vrrp", "3", "--advert", "10ms"], &housekeeping].concat();
    let _daemons: Vec<_> = lab.nodes.iter().map(|node| node.unsinkable(&flags)).collect();
    lab.wait_for(Duration::from_secs(30), "the first node owns the VIP", || owners.now(VIP) == [0]);
    std::thread::sleep(ms(1000));
    dockerd.asked();
    let from = Instant::now();
    std::thread::sleep(ms(8000));
    let to = Instant::now();
    let asked = dockerd.asked().iter().filter(|line| line.contains("/images/json")).count();
    let gap = sniffer.gap(0, VRID, from, to);
    say(&format!("    {asked} lists of 10 MB: longest silence {:.1} ms", gap.as_secs_f64() * 1e3));
    assert!(asked >= 2, "both nodes asked: {asked}");
    assert_eq!(owners.changes(VIP, from, to), [], "the VIP stays");
    assert!(gap < SILENCE, "{gap:?} without an advert");
}
