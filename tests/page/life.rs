//! A cluster's life on the page, read back through the DOM.

use super::document::{self, router};
use super::{Scheme, Stage};
use serde_json::json;
use std::thread;
use std::time::Duration;

/// Marks what must outlive every update, opens what a reader opens, and scrolls.
const PROBE: &str = "
    window.marked = [...document.querySelectorAll('.node, .node h3, .node dl, tbody tr, .events li, section')];
    document.querySelector('details').open = true;
    document.querySelector('.node a').focus();
    window.focused = document.activeElement;
    scrollTo(0, 200);
    window.height = window.focused.getBoundingClientRect().top;";

/// What of it is gone.
const LOST: &str = "
    const lost = window.marked.filter(element => !element.isConnected).map(element => element.outerHTML.slice(0, 200));
    if (!document.querySelector('details').open) lost.push('what was opened');
    if (document.activeElement !== window.focused) lost.push('the focus');
    return lost";

/// By how many pixels what one looked at has moved.
const MOVED: &str = "return Math.round(window.focused.getBoundingClientRect().top - window.height)";

#[test]
fn a_clusters_life() {
    let Some(stage) = Stage::showing(document::well()) else { return };
    well(&stage);
    stage.browser.script(PROBE);
    stage.poll();
    failover(&stage);
    rollout(&stage);
    rolled_back(&stage);
    silent_peer(&stage);
    stage.say(document::well());
    assert_eq!(stage.browser.script(LOST), json!([]), "what is shown again is the same element as before");
    stage.shows("#look", &["All well"]);
    troubled(&stage);
    stage.was_clean();
}

fn well(stage: &Stage) {
    stage.shows(".where", &["10.0.10.39 is on pi-1"]);
    stage.shows("main", &["for 2 h: 10.0.10.32 fell silent", "All well", "3 nodes", "master for 2 h"]);
    assert_eq!(stage.text(".holder h3"), "pi-1");
    assert_eq!(stage.text(".holder .port"), "10.0.10.39");
    assert_eq!(stage.text(".node h3"), "pi-1 | pi-2 | pi-3");
    stage.shows(
        ".node:first-child",
        &["priority 230, base 200", "✓process:dockerd well 1 process", "/ 64 % full, 11.2 GB free"],
    );
    stage.shows(
        ".node:first-child",
        &["51 °C", "10 of 12 containers running", "manager leader", "tcp://10.0.10.5:601"],
    );
    stage.shows(
        "section[aria-labelledby=services]",
        &["4 services, 3 nodes, led by pi-1", "web_app", "3 of 3", "3f2a1b4c5d6e", "newest: the same"],
    );
    stage.shows(
        "section[aria-labelledby=pruning]",
        &["596 MB will be freed", "heimdall:2.1", "image on pi-1, 312 MB", "goes in 17 min"],
    );
    stage
        .shows("section[aria-labelledby=ceph]", &["well", "3 of 3 up 3 in", "1.2 TB of 3.0 TB", "41 % used"]);
    stage.shows(".events", &["MASTER: 10.0.10.32 fell silent; 10.0.10.39/24 is here", "2 h ago", "2 d ago"]);
    let title = stage.browser.script("return document.title");
    assert_eq!(title, "10.0.10.39 is on pi-1");
    stage.pictures("well");
}

fn failover(stage: &Stage) {
    stage.say(document::failover());
    stage.shows(".where", &["10.0.10.39 is on pi-2"]);
    assert_eq!(stage.text(".holder h3"), "pi-2");
    stage.shows("#live", &["10.0.10.39 is on pi-2"]);
    stage.shows(
        "section[aria-labelledby=look]",
        &[
            "2 things to look at",
            "pi-1, checks: process:dockerd failed, no such process, for",
            "pi-1, docker: does not answer, connection refused",
        ],
    );
    stage.shows(".events li:first-child", &["pi-2", "MASTER: 10.0.10.31 resigned"]);
    assert_eq!(stage.browser.script(LOST), json!([]));
    let moved = stage.browser.script(MOVED).as_i64().expect("pixels");
    assert!(moved.abs() <= 3, "two lines more above push nothing away: {moved} px");
    stage.pictures("failover");
}

fn rollout(stage: &Stage) {
    stage.say(document::rollout());
    stage.shows("section[aria-labelledby=updates]", &["web_app: 2/3 run 99aa88bb77cc, 14 s"]);
    let bar = stage.browser.script("return document.querySelector('[role=progressbar]').ariaValueNow");
    assert_eq!(bar, "67");
    stage.shows(
        "section[aria-labelledby=services]",
        &["rolling out 2 of 3 tasks run the new image", "newest: 99aa88bb77cc"],
    );
    stage.pictures("rollout");
}

fn rolled_back(stage: &Stage) {
    stage.say(document::rolled_back());
    stage.shows(
        "section[aria-labelledby=look]",
        &["1 thing to look at", "web_app held back: task web_app.2 exits with 1"],
    );
    stage.shows(
        "section[aria-labelledby=updates]",
        &["web_app", "put back for", "task web_app.2 exits with 1", "4 services, 1 put back"],
    );
    stage.shows("section[aria-labelledby=services]", &["held back", "waits for the tag to move"]);
    assert_eq!(stage.text("[role=progressbar]"), "");
    stage.pictures("held");
}

fn silent_peer(stage: &Stage) {
    stage.say(document::silent_peer());
    stage.shows(
        ".silent",
        &["pi-3", "silent", ": connection refused. This was known then:", "process:dockerd well"],
    );
    stage.shows("section[aria-labelledby=look]", &["pi-3 has not answered for 9"]);
    stage.shows(".where", &["10.0.10.39 is on pi-1"]);
    stage.pictures("silent");
}

fn troubled(stage: &Stage) {
    stage.say(document::troubled());
    stage.shows(
        "section[aria-labelledby=look]",
        &[
            "pi-3, disks: /, 97 % full, 900 MB free",
            "under-voltage",
            "84 °C",
            "connection refused",
            "Ceph, checks: OSD_DOWN, 1 osds down",
            "Ceph, osds: 2 of 3 up, 3 in",
        ],
    );
    let worst = stage.text("#look + ul li:first-child");
    assert!(worst.contains("Serious: ") && worst.contains("pi-3"), "the worst comes first: {worst}");
    stage.pictures("troubled");
}

/// Nobody holds the VIP, two do, or only adverts tell who.
#[test]
fn where_the_vip_is_when_that_is_not_plain() {
    let Some(stage) = Stage::showing(document::adrift()) else { return };
    stage.shows(".where.bad", &["10.0.10.39 is nowhere"]);
    stage.shows(
        ".silent",
        &[
            "It has not answered for 2",
            "s: timed out. This was known then:",
            "10.0.10.33",
            "It has never answered: no route to host",
        ],
    );
    stage.pictures("adrift");

    let mut heard = document::adrift();
    heard["nodes"][1]["status"]["routers"][0] = router(1, 0, 9000, "10.0.10.31 advertises a higher priority");
    stage.say(heard);
    stage.shows("main", &["10.0.10.39 is on pi-1", "pi-2 hears its adverts"]);
    assert_eq!(stage.text(".where.bad"), "");

    let mut both = document::well();
    both["nodes"][2]["status"]["routers"][0] = router(2, 2, 3000, "10.0.10.31 fell silent");
    stage.say(both);
    stage.shows(".where.bad", &["10.0.10.39 is on pi-1 and pi-3"]);
    assert_eq!(stage.text(".holder h3"), "pi-1 | pi-3");

    let mut fault = document::failover();
    let router = &mut fault["nodes"][0]["status"]["routers"][0];
    router["state"] = json!("fault");
    router["priority"] = json!(null);
    router["reason"] = json!("ens160 has no carrier");
    stage.say(fault);
    stage.shows("section[aria-labelledby=look]", &["pi-1 is in fault: ens160 has no carrier"]);
    stage.shows(".node:first-child", &["▲fault", "no priority"]);
    stage.was_clean();
}

/// The node that serves the page goes away, and comes back.
#[test]
fn a_page_whose_node_died_says_so() {
    let Some(stage) = Stage::showing(document::well()) else { return };
    assert_eq!(stage.text("#stale"), "");
    stage.server.die(true);
    stage.browser.wait("#stale", "showing what was known.");
    thread::sleep(Duration::from_secs(2));
    let told = stage.text("#stale");
    let seconds = told.strip_prefix("No answer from this node for ").and_then(|rest| rest.split(' ').next());
    let seconds: u32 = seconds.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{told}"));
    assert!(seconds >= 2, "counted from the last answer: {told}");
    stage.shows("#live", &["This node no longer answers."]);
    stage.shows("#look", &["All was well"]);
    stage.shows("main", &["10.0.10.39 is on pi-1", "web_app"]);
    stage.browser.look(360, Scheme::Light);
    stage.browser.picture("dead-360-light");
    stage.server.die(false);
    // The page asks by itself, every 2 s.
    let polls = stage.server.polls();
    stage.browser.wait("body:not(.stale) .where", "10.0.10.39 is on pi-1");
    assert!(stage.server.polls() > polls);
    assert_eq!(stage.text("#stale"), "");
}

/// A tab that nobody looks at asks less, and at once when it is looked at again.
#[test]
fn a_hidden_tab_asks_seldom() {
    let Some(stage) = Stage::showing(document::well()) else { return };
    let hide = "Object.defineProperty(document, 'hidden', { get: () => HIDDEN, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))";
    stage.browser.script(&hide.replace("HIDDEN", "true"));
    stage.poll();
    let polls = stage.server.polls();
    thread::sleep(Duration::from_secs(5));
    assert_eq!(stage.server.polls(), polls, "in 5 s it would have asked twice");
    stage.browser.script(&hide.replace("HIDDEN", "false"));
    stage.poll();
    assert!(stage.server.polls() > polls);
}
