//! What must hold of the page whatever it is told.

use super::document::{self, event};
use super::{Scheme, Stage};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

/// The most that the page may be in the source; packed it is less than half.
const MAX_BYTES: u64 = 30_000;
/// The most that it may add to the binary.
const MAX_PACKED: usize = 12_000;
/// The contrast of every text with what is behind it, as WCAG 2.2 computes it: those below 4.5 (3 for large text).
const POOR: &str = "
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const rgb = color => {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = color => {
      const [r, g, b] = color.map(part => part / 255).map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
      return .2126 * r + .7152 * g + .0722 * b;
    };
    const behind = element => {
      for (; element; element = element.parentElement) {
        const color = rgb(getComputedStyle(element).backgroundColor);
        if (color[3] === 255) return color;
      }
      return [255, 255, 255];
    };
    const poor = [];
    for (const element of document.querySelectorAll('body *')) {
      const text = [...element.childNodes].filter(node => node.nodeType === 3 && node.data.trim());
      if (!text.length || !element.checkVisibility() || element.closest('.hidden, script, noscript')) continue;
      const style = getComputedStyle(element), [a, b] = [light(rgb(style.color)), light(behind(element))].sort((a, b) => b - a);
      const ratio = (a + .05) / (b + .05), size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
      if (ratio < (isLarge ? 3 : 4.5)) poor.push(element.tagName + ' ' + element.innerText.slice(0, 40) + ' ' + ratio.toFixed(2));
      poor.checked = (poor.checked || 0) + 1;
    }
    return [poor.checked, [...new Set(poor)]]";

#[test]
fn it_is_small() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/listen/page.html");
    let size = fs::metadata(page).expect("the page is there").len();
    assert!(size < MAX_BYTES, "{size} bytes: more than {MAX_BYTES}");
    let packed = unsinkable::listen::PAGE.len();
    assert!(packed < MAX_PACKED, "{packed} bytes; the binary has no room for more than {MAX_PACKED}");
}

#[test]
fn names_of_others_stay_text() {
    let Some(stage) = Stage::showing(document::hostile()) else { return };
    stage.shows(
        "section[aria-labelledby=services]",
        &["<img src=x onerror=\"window.broken=1\"><script>window.broken=1</script>"],
    );
    stage.shows(
        "section[aria-labelledby=services]",
        &["constructor __proto__", "constructor twin", "toString", "</td>&amp;"],
    );
    stage.shows(".holder h3", &["<img src=x"]);
    let found = stage.browser.script(
        "return [window.broken ?? null, document.querySelectorAll('main :is(img, script, iframe)').length]",
    );
    assert_eq!(found, json!([null, 0]));
    let schemes = stage.browser.script("return [...document.links].map(link => link.protocol).filter(name => name !== 'http:' && name !== ':')");
    assert_eq!(schemes, json!([]));
    stage.pictures("hostile");
    stage.was_clean();
}

#[test]
fn a_node_without_docker_shows_what_there_is() {
    let Some(stage) = Stage::showing(document::bare()) else { return };
    stage.shows("main", &["10.0.10.39 is on pi-1", "All well", "1 node", "Nothing yet."]);
    assert_eq!(stage.text("h2"), "All well | 1 node | What happened");
    stage.pictures("bare");
    // Docker is no trouble where nothing asks for it and it never answered; on a node that updates it is.
    let mut docker = document::bare();
    docker["nodes"][0]["status"]["docker"] =
        json!({ "reachable": false, "error": "no such file", "age_ms": null });
    stage.say(docker.clone());
    stage.shows("main", &["All well", "Docker does not answer no such file"]);
    docker["nodes"][0]["status"]["updates"] =
        json!({ "last": null, "next_in_ms": 5000, "progress": "", "rows": [], "left_out": 0 });
    stage.say(docker);
    stage.shows("main", &["pi-1, docker: does not answer, no such file", "pi-1: no round yet; next in"]);
    let mut none = document::bare();
    none["nodes"][0]["status"]["routers"] = json!([]);
    stage.say(none);
    assert_eq!(stage.text("h2"), "All well | 1 node | What happened");
    stage.was_clean();
}

/// What one reads or types stays under one's eyes while the page updates itself.
#[test]
fn sixty_services_can_be_searched_while_it_updates() {
    let Some(stage) = Stage::showing(document::many()) else { return };
    stage.shows("caption", &["60 services"]);
    assert_eq!(
        stage.browser.script("return document.querySelectorAll('#services ~ table tbody tr').length"),
        60
    );
    stage.pictures("many");
    let typed = "const box = document.getElementById('filter'); box.focus(); box.value = 'service-4';
        box.setSelectionRange(3, 5); box.dispatchEvent(new InputEvent('input', { bubbles: true })); window.box = box;
        window.changes = []; new MutationObserver(list => window.changes.push(...list)).observe(
            document.querySelector('#services ~ table'), { childList: true, subtree: true });";
    stage.browser.script(typed);
    assert_eq!(
        stage.browser.script("return document.querySelectorAll('#services ~ table tbody tr').length"),
        10
    );
    stage.shows("caption", &["10 of 60 services"]);
    let polls = stage.server.polls();
    stage.browser.script("window.changes.length = 0");
    while stage.server.polls() < polls + 2 {
        thread::sleep(Duration::from_millis(50));
    }
    let kept = "return [document.activeElement === window.box, window.box.value, window.box.selectionStart, window.changes.length]";
    assert_eq!(
        stage.browser.script(kept),
        json!([true, "service-4", 3, 0]),
        "two polls later nothing was made anew"
    );
    stage.was_clean();
}

/// Ages are told anew with every poll, but an event is one element, in its place, as long as it is told.
#[test]
fn events_keep_their_element_and_order() {
    let Some(stage) = Stage::showing(document::well()) else { return };
    stage.browser.script("window.first = document.querySelector('.events li')");
    let mut later = document::well();
    for index in 0..3 {
        later["nodes"][index]["age_ms"] = json!(index * 700);
        let events = later["nodes"][index]["status"]["events"].as_array_mut().expect("a list");
        events.push(event(500 * index as u64, Some("12"), "effective priority 230 -> 220"));
    }
    stage.say(later);
    assert_eq!(stage.browser.script("return document.querySelectorAll('.events li').length"), 9);
    let place = "return [...document.querySelectorAll('.events li')].indexOf(window.first)";
    assert_eq!(stage.browser.script(place), 3);
    stage.shows(".events li:first-child", &["pi-1"]);
    let mut renamed = document::well();
    renamed["nodes"][0]["status"]["node"] = json!("raspberry");
    stage.say(renamed);
    assert!(
        !stage.text(".events").contains("pi-1"),
        "told by the name it has now: {}",
        stage.text(".events")
    );
}

#[test]
fn everybody_can_read_and_use_it() {
    let Some(stage) = Stage::showing(document::troubled()) else { return };
    let axe = axe();
    for (document, name) in [
        (document::troubled(), "troubled"),
        (document::silent_peer(), "silent"),
        (document::rollout(), "rollout"),
    ] {
        stage.say(document);
        stage
            .browser
            .script("for (const details of document.querySelectorAll('details')) details.open = true");
        for (width, scheme) in [(1440, Scheme::Light), (360, Scheme::Dark)] {
            stage.browser.look(width, scheme);
            let found = stage.browser.script(POOR);
            assert!(found[0].as_u64() > Some(80), "texts were looked at: {found}");
            assert_eq!(found[1], json!([]), "{name}, {width}, {scheme:?}: texts with too little contrast");
            if let Some(axe) = &axe {
                assert_eq!(violations(&stage, axe), Vec::<Value>::new(), "{name}, {width}, {scheme:?}");
            }
        }
    }
    let outline =
        "return [...document.querySelectorAll('h1, h2, h3, h4')].map(heading => +heading.tagName[1])";
    let levels: Vec<u64> = serde_json::from_value(stage.browser.script(outline)).expect("numbers");
    assert_eq!(levels[..4], [1, 2, 2, 3]);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "no level is left out: {levels:?}");
    let roles = "return ['main', 'header', '[role=status]', 'h1', 'caption', 'th[scope=col]', 'th[scope=row]', '[role=progressbar][aria-label]',
        '[role=meter][aria-label]'].filter(selector => !document.querySelector(selector))";
    assert_eq!(stage.browser.script(roles), json!([]));
    still_without_motion(&stage);
    stage.was_clean();
}

/// What axe finds wrong: rule and elements.
fn violations(stage: &Stage, axe: &str) -> Vec<Value> {
    stage.browser.script(&format!("if (!window.axe) {{ {axe} }}"));
    let run = "const { violations } = await axe.run(document); return violations.map(({ id, nodes }) => [id, nodes[0].html, nodes[0].failureSummary])";
    let found = stage.browser.promise(run);
    found.as_array().unwrap_or_else(|| panic!("{found}")).clone()
}

/// axe-core, where tests/setup has installed it.
fn axe() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/node_modules/axe-core/axe.min.js");
    let text = fs::read_to_string(path).ok();
    if text.is_none() {
        eprintln!("\n*** SKIPPED axe-core: it is not installed (run tests/setup) ***");
        assert!(std::env::var_os("CI").is_none(), "axe-core is not installed");
    }
    text
}

/// Nothing moves, so nobody needs to ask for it.
fn still_without_motion(stage: &Stage) {
    let moving = "return document.getAnimations().length + [...document.querySelectorAll('*')]
        .filter(element => getComputedStyle(element).transitionDuration !== '0s').length";
    assert_eq!(stage.browser.script(moving), 0);
}
