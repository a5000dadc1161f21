//! The page on a real Swarm: a rollout as it goes on, then an image that is bad, seen from a node that is not the leader.

use crate::browser::{Browser, can_run, url};
use crate::lab::service::EVERYWHERE;
use crate::lab::{Image, Lab};
use crate::net::ip;
use crate::net::netns::inside;
use crate::rounds::{daemons, leader};

const PORT: u16 = 9112;
/// Notes whenever the table of services tells another story than the rollout's progress beside it.
const WATCH: &str = "
    window.lies = [];
    const look = () => {
      const text = selector => document.querySelector(selector)?.innerText.replace(/\\s+/g, ' ') || '';
      const card = text('section[aria-labelledby=updates] .card'), row = text('#services ~ table tbody tr');
      if (card.includes('web:') && !/rolling out|new image, watched|being put back/.test(row)) window.lies.push([card, row]);
    };
    new MutationObserver(look).observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });";

#[test]
fn a_rollout_and_a_bad_image_show() {
    if !can_run() {
        return;
    }
    let Some(lab) = Lab::new(3) else { return };
    let one = lab.push("app:v1", Image::Good("1"));
    let two = lab.push("app:v2", Image::Good("2"));
    let bad = lab.push("app:exits", Image::Exits);
    lab.move_tag("app:latest", "v1");
    lab.node(0).docker_line(&format!("{EVERYWHERE} --stop-grace-period 1s {}", lab.image("app:latest")));
    lab.wait_running(0, "web", 3, &one);
    let listen = format!("[::]:{PORT}");
    let flags = ["--vrrp", "3", "--advert", "1s", "--listen", &listen];
    let rounds = ["--update", "--update-every", "2s", "--bake", "6s", "--rollout-deadline", "60s"];
    let _daemons = daemons(&lab, &[&flags[..], &rounds].concat());
    let follower = lab.node((leader(&lab) + 1) % 3);
    let here = follower.address().parse().expect("an address");
    ip(&format!("-n {} link set lo up", lab.bridge()));
    inside(&lab.bridge(), || {
        let browser = Browser::start();
        browser.open(&url(here, PORT));
        let services = "section[aria-labelledby=services]";
        browser.wait(services, "3 of 3");
        browser.wait(services, &short(&one));
        browser.wait(services, "up to date");

        browser.script(WATCH);
        lab.move_tag("app:latest", "v2");
        browser.wait("section[aria-labelledby=updates] .card", "web");
        browser.wait("section[aria-labelledby=updates] .card", "/3 run");
        assert_eq!(browser.script("return document.querySelectorAll('[role=progressbar]').length"), 1);
        browser.picture("swarm-rollout");
        lab.wait_running(0, "web", 3, &two);
        browser.wait(services, &format!("{} newest: the same", short(&two)));
        browser.wait(services, "up to date");

        lab.move_tag("app:latest", "exits");
        browser.wait(services, "held back");
        browser.wait(services, &format!("{} newest: {}", short(&two), short(&bad)));
        browser.wait("#look + ul", "web held back");
        browser.wait("section[aria-labelledby=updates]", "held back");
        browser.picture("swarm-held");
        assert_eq!(browser.script("return window.lies"), serde_json::json!([]));
        assert_eq!(browser.complaints(), Vec::<String>::new());
    });
}

/// As the page and `docker` write a digest.
fn short(digest: &str) -> String {
    digest.trim_start_matches("sha256:").chars().take(12).collect()
}
