//! Three real daemons in namespaces, and Chromium in the client's, pointed at one of them.

use super::browser::{Browser, can_run, url};
use super::lab::daemon::{Daemon, Kind};
use super::lab::netns::inside;
use super::lab::router::Router;
use super::lab::{Lab, VIP, ms, run, say};
use nix::sys::signal::Signal;
use std::process::Command;
use std::time::Duration;

const PORT: u16 = 9112;
const LIMIT: Duration = ms(15_000);
/// From the death of the master to the page of a survivor: VRRP's own time, what nodes keep of each other, a poll.
const SEEN_WITHIN: Duration = ms(10_000);

fn start(lab: &Lab, index: usize) -> Daemon {
    let mut flags = Router::v3(&[200, 190, 180], ms(250)).flags();
    flags.extend(["--listen".to_owned(), format!("[::]:{PORT}")]);
    Daemon::unsinkable(&lab.nodes[index], &flags)
}

#[test]
fn a_survivors_page_shows_the_failover() {
    if !can_run() {
        return;
    }
    let Some(lab) = Lab::new(3) else { return };
    for (index, node) in lab.nodes.iter().enumerate() {
        let init = node.init().to_string();
        run(Command::new("nsenter").args(["-t", &init, "-u", "hostname", &format!("pi-{}", index + 1)]));
    }
    let mut daemons: Vec<Daemon> = (0..3).map(|index| start(&lab, index)).collect();
    lab.settle(VIP, 0, LIMIT);
    inside(&lab.client(), || {
        let browser = Browser::start();
        browser.open(&url(lab.nodes[1].v4(), PORT));
        browser.wait(".where", "10.0.10.39 is on pi-1");
        browser.wait(".node h3", "pi-1 | pi-2 | pi-3");
        browser.wait_without(".silent");
        browser.wait(".events", "MASTER");
        browser.script("window.card = document.querySelector('.node')");

        let died = daemons[0].signal(Signal::SIGKILL);
        browser.wait(".where", "10.0.10.39 is on pi-2");
        let seen = died.elapsed();
        say(&format!("    from the master's death to the page of a survivor: {seen:?}"));
        assert!(seen < SEEN_WITHIN, "{seen:?}");
        browser.wait("#live", "10.0.10.39 is on pi-2");
        browser.wait(".silent", "pi-1");
        browser.wait("#look + ul", "pi-1 has not answered for");
        assert_eq!(browser.text(".holder .port"), "10.0.10.39");
        browser.picture("real-failover");

        daemons[0] = start(&lab, 0);
        assert_eq!(daemons[0].kind, Kind::Unsinkable);
        browser.wait(".where", "10.0.10.39 is on pi-1");
        browser.wait_without(".silent");
        assert_eq!(browser.script("return window.card.isConnected"), true, "a card outlives all of it");
        assert_eq!(browser.complaints(), Vec::<String>::new());
    });
}
