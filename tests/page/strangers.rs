//! What a page is told by nodes of other versions, with other clocks, of other kinds, or with malice; and how it is used
//! without a mouse, on a small screen or a large one.

use super::document::{self, NEW, router};
use super::{Scheme, Stage};
use serde_json::{Value, json};

/// No text of what was not there.
#[track_caller]
fn makes_sense(stage: &Stage) {
    let text = stage.text("body");
    for odd in ["undefined", "NaN", "Infinity", "null", "[object", "Invalid Date", " -", "for 0 s: 0"] {
        assert!(!text.contains(odd), "{odd:?} in {text}");
    }
}

/// Nothing is cut off or scrolls sideways on the smallest phone, nor at twice the size on a desktop.
#[track_caller]
fn fits(stage: &Stage, name: &str) {
    for width in [320, 720] {
        stage.browser.look(width, Scheme::Light);
        let wide = stage.browser.script("return document.documentElement.scrollWidth");
        assert_eq!(wide, width, "{name}");
    }
    stage.browser.look(320, Scheme::Dark);
    stage.browser.picture(&format!("{name}-320-dark"));
    stage.browser.look(1440, Scheme::Light);
}

/// Where a text belongs somebody sends an object that looks like one of the page's own.
#[test]
fn objects_in_place_of_texts_are_neither_elements_nor_attributes() {
    let image = json!({ "tag": "img", "attrs": { "src": "x", "onerror": "window.broken = 1" }, "kids": [] });
    let attributes = json!({ "onmouseover": "window.broken = 1", "style": "position: fixed" });
    let Some(stage) = Stage::showing(document::well()) else { return };
    let paths = [
        "node",
        "version",
        "routers/0/reason",
        "routers/0/state",
        "routers/0/vrid",
        "routers/0/vips/0",
        "checks/0/name",
        "checks/0/detail",
        "events/0/text",
        "events/0/router",
        "disks/0/path",
        "docker/version",
        "swarm/state",
        "swarm/leader",
        "swarm/nodes/0/name",
        "swarm/services/0/id",
        "swarm/services/0/name",
        "swarm/services/0/image",
        "swarm/services/0/detail",
        "swarm/services/0/running",
        "updates/last/summary",
        "pruning/rows/0/name",
        "pruning/rows/0/reason",
        "syslog/target",
        "ceph/version",
        "ceph/monitors/0",
    ];
    let odd = [attributes, json!([image]), json!({ "constructor": 1, "tag": "img" })];
    for (path, odd) in paths.into_iter().zip(odd.iter().cycle()) {
        for evil in [&image, odd] {
            let mut document = document::well();
            let place = format!("/nodes/0/status/{path}");
            *document.pointer_mut(&place).unwrap_or_else(|| panic!("{place}")) = evil.clone();
            stage.say(document);
            let found = stage.browser.script(
                "return [window.broken ?? null, document.querySelectorAll('main :is(img, [onmouseover], [style*=fixed])').length,
                    document.querySelectorAll('.node').length, document.querySelectorAll('.stale').length]",
            );
            assert_eq!(found, json!([null, 0, 3, 0]), "{path}: {evil}");
            stage.shows(".node:last-child", &["pi-3", "process:dockerd well"]);
        }
    }
    stage.was_clean();
}

#[test]
fn a_node_of_another_version_is_told_and_hides_nobody() {
    let mut document = document::well();
    // A later one, whose words have other meanings.
    let later = &mut document["nodes"][0]["status"];
    later["format"] = json!(2);
    later["routers"] = json!([{ "where": "here" }]);
    // An earlier one, before Docker, disks and the housekeeper were told of.
    let third = document["nodes"][2]["status"].clone();
    document["nodes"][2]["status"] = json!({ "format": 1, "node": "pi-3", "version": "0.0.9", "uptime_ms": 5000, "routers": third["routers"] });
    let Some(stage) = Stage::showing(document.clone()) else { return };
    stage.shows(
        ".node:first-child",
        &["unreadable", "It cannot be shown: what it says has format 2", "another version?"],
    );
    stage.shows("#look + ul", &["10.0.10.31 cannot be shown"]);
    stage.shows(".where", &["10.0.10.39 is on 10.0.10.31"]);
    stage.shows(".node:nth-child(2)", &["pi-2", "process:dockerd well"]);
    stage.shows(".node:last-child", &["pi-3", "backup for 2 h", "priority 80"]);
    stage.shows("section[aria-labelledby=services]", &["web_app"]);
    makes_sense(&stage);
    stage.pictures("versions");

    // Parts that lack what is asked of them.
    document["nodes"][0]["status"] = json!({ "format": 1, "routers": [], "swarm": {}, "docker": {}, "board": {}, "ceph": {},
        "syslog": {}, "updates": { "rows": [], "progress": "" }, "disks": [{ "path": "/" }], "checks": [{ "name": "c" }] });
    stage.say(document);
    stage.shows(".node:nth-child(2)", &["pi-2", "process:dockerd well"]);
    stage.was_clean();
}

/// Ages are told as ages, so whose clock is wrong does not matter; one that is told as less than nothing is none.
#[test]
fn nobody_is_an_hour_younger_than_now() {
    let mut document = document::well();
    document["now_unix_ms"] = json!(0);
    let hour = -3_600_000;
    let status = &mut document["nodes"][0]["status"];
    status["now_unix_ms"] = json!(1_763_863_600_000_u64);
    for path in [
        "/uptime_ms",
        "/routers/0/state_for_ms",
        "/checks/0/health_for_ms",
        "/events/0/ago_ms",
        "/updates/last/ago_ms",
        "/updates/next_in_ms",
        "/pruning/rows/0/goes_in_ms",
        "/swarm/services/0/updated_ago_ms",
        "/ceph/asked_ago_ms",
    ] {
        *status.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = json!(hour);
    }
    document["nodes"][2]["age_ms"] = json!(hour);
    document["nodes"][2]["error"] = json!("no answer: timed out");
    let Some(stage) = Stage::showing(document) else { return };
    makes_sense(&stage);
    stage.shows(".node:first-child", &["master for 0 s"]);
    stage.shows(".events li:first-child", &["just now"]);
    stage.was_clean();
}

/// Both families, two virtual routers, and nodes whose addresses have colons.
fn dual() -> Value {
    let mut document = document::well();
    for index in 0..3 {
        let node = &mut document["nodes"][index];
        node["addr"] = json!(format!("fd00:10::3{}", index + 1));
        let routers = node["status"]["routers"].as_array_mut().expect("a list");
        let mut six = routers[0].clone();
        six["family"] = json!("ipv6");
        six["vips"] = json!(["fd00:10:20:30:40:50:60:39/64", "fd00:10:20:30:40:50:60:40/64"]);
        let mut second = router(index, 2, 60_000, "advert of 10.0.10.33");
        second["vrid"] = json!(13);
        second["vips"] = json!(["10.0.10.40/24"]);
        routers.extend([six, second]);
    }
    document
}

#[test]
fn several_addresses_of_both_families_have_each_their_place() {
    let Some(stage) = Stage::showing(dual()) else { return };
    stage.shows(
        ".where",
        &[
            "10.0.10.39 is on pi-1",
            "fd00:10:20:30:40:50:60:39, fd00:10:20:30:40:50:60:40 is on pi-1",
            "10.0.10.40 is on pi-3",
        ],
    );
    assert_eq!(stage.text(".holder h3"), "pi-1 | pi-3");
    stage.shows(
        ".node:first-child",
        &["●master for 2 h: 10.0.10.32 fell silent", "○backup for 6", "10.0.10.40, ens160"],
    );
    let links =
        stage.browser.script("return [...document.querySelectorAll('h3 a')].map(link => link.hostname)");
    assert_eq!(links, json!(["[fd00:10::31]", "[fd00:10::33]"]));
    let over = "const [pill, card] = ['.port', '.card'].map(part => document.querySelector('.holder ' + part).getBoundingClientRect());
        return pill.bottom <= card.top && pill.right <= card.right";
    assert_eq!(stage.browser.script(over), true, "a long address covers nothing");
    makes_sense(&stage);
    stage.pictures("dual");
    fits(&stage, "dual");
    stage.was_clean();
}

#[test]
fn workers_and_empty_clusters_are_no_trouble() {
    let mut document = document::well();
    for node in document["nodes"].as_array_mut().expect("nodes") {
        let swarm = &mut node["status"]["swarm"];
        (swarm["manager"], swarm["leader"], swarm["nodes"], swarm["services"]) =
            (json!(false), Value::Null, Value::Null, Value::Null);
        node["status"]["docker"]["reachable"] = json!(true);
    }
    let Some(stage) = Stage::showing(document) else { return };
    stage.shows("main", &["All well", "Swarm worker"]);
    makes_sense(&stage);

    let mut jobs = document::well();
    for node in jobs["nodes"].as_array_mut().expect("nodes") {
        let service = &mut node["status"]["swarm"]["services"][0];
        (service["mode"], service["running"]) = (json!("replicated-job"), json!(0));
        // Moved a moment ago: Docker has no end of it yet.
        let moved = &mut node["status"]["swarm"]["services"][1];
        (moved["state"], moved["newest_digest"]) = (json!("updating"), json!(NEW));
        (moved["detail"], moved["updated_ago_ms"]) = (json!("begins to run 99aa88bb77cc"), Value::Null);
        node["status"]["disks"][0]["size_bytes"] = json!(0);
        node["status"]["disks"][0]["free_bytes"] = json!(0);
    }
    stage.say(jobs);
    stage.shows("main", &["All well", "0 of 1", "rolling out begins to run 99aa88bb77cc 3f2a1b4c5d6e"]);
    makes_sense(&stage);

    let mut starting = document::bare();
    starting["nodes"][0]["status"] = Value::Null;
    starting["nodes"][0]["age_ms"] = Value::Null;
    starting["nodes"][0]["error"] = json!("the process that holds the VIP has not answered yet");
    stage.say(starting);
    stage.shows(
        ".node",
        &["10.0.10.31", "has never answered: the process that holds the VIP has not answered yet"],
    );
    makes_sense(&stage);
    stage.say(json!({ "format": 1, "now_unix_ms": 0, "nodes": [] }));
    assert_eq!(stage.text("h2"), "All well | 0 nodes | What happened");
    stage.was_clean();
}

#[test]
fn a_phone_and_twice_the_size_show_all_of_it() {
    let Some(stage) = Stage::showing(document::hostile()) else { return };
    fits(&stage, "hostile");
    for (document, name) in [(document::troubled(), "troubled"), (document::many(), "many")] {
        stage.say(document);
        fits(&stage, name);
    }
    // A wall screen is read from afar.
    let size = "return parseFloat(getComputedStyle(document.body).fontSize)";
    let size = |width| {
        stage.browser.look(width, Scheme::Dark);
        stage.browser.script(size).as_f64().expect("pixels")
    };
    assert!((size(360) - 15.0).abs() < 0.1 && (size(1440) - 15.0).abs() < 0.1);
    assert!(size(1920) > 17.0 && size(3840) > 26.0);
    stage.browser.look(1920, Scheme::Dark);
    stage.browser.picture("wall-1920-dark");
    stage.was_clean();
}

/// What Tab reaches, and how one sees it.
const FOCUSED: &str =
    "const { activeElement: it } = document, { outlineStyle, outlineWidth } = getComputedStyle(it);
    return [it.localName, it.innerText || '', outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2]";

#[test]
fn a_keyboard_is_enough() {
    let Some(stage) = Stage::showing(document::many()) else { return };
    let press = |key: &str, code: u32, text: &str| {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text });
            stage.browser.tool("Input.dispatchKeyEvent", &event);
        }
    };
    let mut reached = Vec::new();
    for _ in 0..6 {
        press("Tab", 9, "");
        let focused = stage.browser.script(FOCUSED);
        assert_eq!(focused[2], true, "one sees where one is: {focused}");
        reached.push(format!("{} {}", focused[0], focused[1]).replace('"', "").trim().to_owned());
    }
    assert_eq!(
        reached,
        [
            "a pi-1",
            "summary Peers and adverts",
            "summary Peers and adverts",
            "a pi-3",
            "summary Peers and adverts",
            "input"
        ]
    );
    for letter in ["7", "-"] {
        press(letter, 0, letter);
    }
    assert_eq!(stage.text("caption"), "0 of 60 services, 3 nodes, led by pi-1 | 596 MB will be freed");
    stage.browser.script("document.querySelector('summary').focus()");
    press("Enter", 13, "\r");
    assert_eq!(stage.browser.script("return document.querySelector('details').open"), true);
    stage.was_clean();
}

/// What a tab shows of it from beside.
#[test]
fn the_icon_has_the_colour_of_the_worst() {
    let Some(stage) = Stage::showing(document::well()) else { return };
    let icon =
        || stage.browser.script("return decodeURIComponent(document.querySelector('link').href)").to_string();
    assert!(icon().contains("#2a9d5c"), "{}", icon());
    stage.say(document::silent_peer());
    assert!(icon().contains("#d63a30"), "{}", icon());
    stage.server.die(true);
    stage.poll();
    assert!(icon().contains("#888"), "{}", icon());
}
