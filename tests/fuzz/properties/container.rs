//! No container and no image as Docker tells them may panic what makes the container again; what a person asked for
//! stays asked for, and every container has its turn once.
//!
//! One JSON a line: a container, its image, the newer image, other containers.

use core::time::Duration;
use serde_json::Value;
use unsinkable::update::containers::choice::Wish;
use unsinkable::update::containers::create::{Replaced, request};
use unsinkable::update::containers::order::{Ties, sorted, ties};
use unsinkable::update::containers::stale::{Case, decide, untraceable};

/// Written by compose from the image, and so told anew.
const COMPOSE_IMAGE: &str = "com.docker.compose.image";

/// Reads `data` as what dockerd tells.
pub fn run(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n').map(serde_json::from_slice::<Value>);
    let Some(Ok(container)) = lines.next() else { return };
    let mut image = || lines.next().and_then(Result::ok).unwrap_or_default();
    let (old, new) = (image(), image());
    let all: Vec<Ties> =
        core::iter::once(ties(&container)).chain(lines.flatten().map(|one| ties(&one))).collect();
    let mut turns = sorted(&all);
    turns.sort_unstable();
    assert!(turns.iter().copied().eq(0..all.len()), "{turns:?} of {all:?}");

    untraceable(container["Config"]["Image"].as_str().unwrap_or_default(), &old);
    let wish = Wish { no_pull: false, monitor_only: false };
    let (known_for, min_age) = (Duration::from_secs(60), Duration::from_secs(3600));
    decide(Case { old: &old, new: &new, wish, held: None, known_for, min_age, in_window: true });

    let replaced = Replaced { old: "0123456789abcdef".repeat(4), new: "fedcba9876543210".repeat(4) };
    let Ok(made) = request(&container, &old, "nginx:1", &[replaced]) else { return };
    let body: Value = serde_json::from_str(&made.body).expect("JSON");
    assert!(body["HostConfig"].is_object() && body["NetworkingConfig"].is_object());
    for (_, endpoint) in &made.connect {
        assert!(serde_json::from_str::<Value>(endpoint).expect("JSON").is_object());
    }
    asked_for_stays(&container["Config"], &old["Config"], &body);
    volumes_stay(&container, &body["HostConfig"]);
}

fn asked_for_stays(config: &Value, image: &Value, body: &Value) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (theirs, asked) = (list(&image["Env"]), list(&body["Env"]));
    for entry in list(&config["Env"]) {
        assert!(theirs.contains(&entry) || asked.contains(&entry), "{entry} is lost");
    }
    for (label, value) in config["Labels"].as_object().into_iter().flatten() {
        let from_image = image["Labels"].get(label) == Some(value);
        let kept = body["Labels"].get(label) == Some(value);
        assert!(from_image || kept || label == COMPOSE_IMAGE, "{label} is lost");
    }
}

/// Data in a volume is the last that may be lost: whatever is mounted there now will be mounted there then.
fn volumes_stay(container: &Value, host: &Value) {
    let before = &container["HostConfig"];
    let is_list = |value: &Value| value.is_null() || value.is_array();
    if !is_list(&before["Binds"]) || !is_list(&before["Mounts"]) {
        return;
    }
    let bare =
        |path: &str| if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path.to_owned() };
    let targets = |list: &Value, target: &dyn Fn(&Value) -> Option<String>| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(target).collect()
    };
    let mut there = targets(&host["Mounts"], &|mount| mount["Target"].as_str().map(bare));
    there.extend(targets(&host["Binds"], &|bind| {
        let bind = bind.as_str()?;
        Some(bare(bind.split(':').nth(1).unwrap_or(bind)))
    }));
    for mount in container["Mounts"].as_array().into_iter().flatten() {
        let (name, at) = (mount["Name"].as_str(), mount["Destination"].as_str());
        if let (true, Some(1..), Some(at)) = (mount["Type"] == "volume", name.map(str::len), at)
            // A colon cannot be said in a bind, nor is there a name with one.
            && !name.is_some_and(|name| name.contains(':')) && !at.contains(':')
        {
            assert!(there.contains(&bare(at)), "nothing would be mounted at {at}: {host}");
        }
    }
}
