//! The VIP does not notice: adverts at 10 ms go on through whatever Docker does and our housekeeper does with it.

use crate::lab::{Image, Lab};
use crate::net::owners::Owners;
use crate::net::sniffer::Sniffer;
use crate::net::{VIP, ms, say};
use crate::rounds::{daemons, update};
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
    let image = lab.image("app:latest");
    lab.node(0).docker(&[
        "service",
        "create",
        "--detach",
        "--name",
        "web",
        "--mode",
        "global",
        "--update-monitor",
        "1s",
        &image,
    ]);
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
    update(&lab, &["--dry-run"]);
}
