//! No list from Docker and no manager's document may panic what prunes; nothing goes that is in use or wanted, and
//! nothing at the first look.
//!
//! One JSON a line: containers, images, volumes, `/keep.json`.

use core::time::Duration;
use serde::de::DeserializeOwned;
use unsinkable::docker::Reference;
use unsinkable::docker::api::{Container, Image, Volume};
use unsinkable::prune::candidates::{may_go, unused};
use unsinkable::prune::clock::count;
use unsinkable::prune::inventory::Inventory;
use unsinkable::prune::keepset::{MAX_DOCUMENT, Wanted};
use unsinkable::prune::planner::{Disk, plan};
use unsinkable::prune::{Policy, Verdict, Volumes};
use unsinkable::state::{Looked, State, Thing, file};

const EVERY: Duration = Duration::from_secs(3600);
/// Nearly full: as much goes as may.
const DISK: Disk = Disk { used: u64::MAX - 1, available: 1 };

/// Reads `data` as what dockerd and a manager tell.
pub fn run(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let (containers, images) = (list::<Container>(lines.next()), list::<Image>(lines.next()));
    let volumes = list::<Volume>(lines.next());
    let told = lines.next().map(Wanted::parse).and_then(Result::ok);
    let complete = told.is_some();
    let wanted = told.unwrap_or_default();
    if complete {
        written_again(&wanted);
    }
    let inventory = Inventory { containers, images, volumes, wanted, complete };
    let policy = all_goes();
    let mut state = State::default();
    let at = |seconds| Looked { boot: "b".into(), moment: Duration::from_secs(seconds) };
    for seconds in [0, 3600, 7200] {
        let candidates = unused(&policy, &inventory);
        for candidate in &candidates {
            let verdict = candidate.row.verdict;
            assert!(matches!(verdict, Verdict::Kept | Verdict::Waits), "{candidate:?}");
            left_alone(&inventory, &candidate.thing, verdict);
        }
        let clocks = count(&mut state, at(seconds), EVERY, may_go(&candidates));
        let planned = plan(&policy, candidates.clone(), &clocks, Some(DISK));
        assert_eq!(planned.len(), candidates.len());
        let due = planned.iter().filter(|candidate| candidate.row.verdict == Verdict::Due);
        assert!(seconds > 0 || due.count() == 0, "gone at the first look");
    }
    assert!(file::emit(&state).is_ok() || data.len() > file::MAX_FILE / 4);
}

fn list<T: DeserializeOwned>(line: Option<&[u8]>) -> Vec<T> {
    line.and_then(|line| serde_json::from_slice(line).ok()).unwrap_or_default()
}

fn all_goes() -> Policy {
    let any = || vec![glob::Pattern::new("*").expect("a pattern")];
    Policy {
        grace: EVERY,
        every: EVERY,
        keep_images: vec!["nginx".into(), "[a-c]*".into()],
        keep_containers: Vec::new(),
        keep_volumes: Vec::new(),
        per_repository: 1,
        volumes: Volumes { anonymous: true, named: any() },
        disk_high: 80,
        disk_low: 70,
        managers: Vec::new(),
    }
}

fn written_again(wanted: &Wanted) {
    let again = wanted.document();
    assert!(again.len() > MAX_DOCUMENT || Wanted::parse(again.as_bytes()).as_ref() == Ok(wanted), "{again}");
}

/// Worked out anew, and for the plainest cases only.
fn left_alone(inventory: &Inventory, thing: &Thing, verdict: Verdict) {
    match thing {
        Thing::Container(id) => {
            let ended = |one: &&Container| !["running", "paused", "restarting"].contains(&one.state.as_str());
            let mut same = inventory.containers.iter().filter(|one| one.id == *id);
            assert!(same.any(|one| ended(&one)), "container {id} runs");
        }
        Thing::Image(id) => {
            let in_use = inventory.containers.iter().any(|one| one.image_id == *id);
            assert!(id.is_empty() || !in_use, "image {id} is in use");
            let mut same = inventory.images.iter().filter(|image| image.id == *id);
            assert!(same.any(|image| !is_named(image, &inventory.wanted.images)), "image {id} is wanted");
        }
        Thing::Volume(name) => {
            let mut mounts = inventory.containers.iter().flat_map(|one| &one.mounts);
            assert!(name.is_empty() || mounts.all(|mount| mount.name != *name), "volume {name} is in use");
            let wanted = !name.contains("{{") && inventory.wanted.volumes.contains(name);
            assert!(!wanted || verdict == Verdict::Kept, "volume {name} is wanted");
        }
    }
}

fn is_named(image: &Image, wanted: &[String]) -> bool {
    let tags = image.repo_tags.iter().flatten().filter(|tag| !tag.starts_with("<none>"));
    let tagged = |tag: &&String| Reference::parse(tag).is_ok_and(|name| name.tag.is_some());
    tags.filter(tagged).any(|tag| wanted.contains(tag))
}
