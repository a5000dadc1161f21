//! What the planner must never do, tried on thousands of made-up nodes: remove what is in use, wanted by a service, kept
//! by a flag, young, or seen but once. The rules are worked out here a second time, from what the node was made of
//! instead of from what Docker would answer.
//!
//! A failure names its seed: `PRUNE_SEED=<seed> cargo test --test prune` replays that node alone.

#![expect(clippy::unwrap_used, reason = "a made-up node that does not hold together is a broken test")]

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use unsinkable::docker::api::{Container, Image, Mount, Volume};
use unsinkable::prune::candidates::{Candidate, may_go, unused};
use unsinkable::prune::clock::count;
use unsinkable::prune::inventory::Inventory;
use unsinkable::prune::keepset::Wanted;
use unsinkable::prune::planner::{Disk, plan};
use unsinkable::prune::{Policy, Verdict, Volumes};
use unsinkable::state::{Looked, State, Thing};

const CASES: u64 = 4_000;
const LOOKS: usize = 8;
const REPOSITORIES: [&str; 5] = [
    "nginx",
    "linuxserver/heimdall",
    "10.0.10.40:5000/app",
    "10.0.10.40:5000/app-extra",
    "ghcr.io/x/heimdall",
];
const TAGS: [&str; 3] = ["latest", "v1", "v2"];

/// xorshift64*: the same nodes everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.roll(all.len() as u64)).unwrap()]
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.roll(len as u64)).unwrap()
    }
}

/// An image as it was made.
#[derive(Clone, Debug)]
struct Made {
    number: u64,
    /// Repository and tag; no tag for what Swarm pulled.
    names: Vec<(&'static str, Option<&'static str>)>,
    /// Came from a registry.
    pulled: bool,
    created: i64,
    parent: Option<u64>,
    size: u64,
}

#[derive(Clone, Debug)]
struct Ended {
    number: u64,
    name: String,
    state: &'static str,
    image: Made,
    /// How Docker's list names its image: the ID always, or also as asked for.
    by_name: Option<String>,
    task: bool,
    volume: Option<String>,
}

#[derive(Clone, Debug)]
struct Kept {
    name: String,
    anonymous: bool,
    plain: bool,
}

/// One node, its services and the flags it runs with.
#[derive(Debug)]
struct Node {
    containerd: bool,
    complete: bool,
    images: Vec<Made>,
    containers: Vec<Ended>,
    volumes: Vec<Kept>,
    /// What services want: image number and whether by digest; else by this tag.
    wanted: Vec<(Made, bool)>,
    wanted_volumes: Vec<String>,
    keep_images: Vec<String>,
    keep_container: Option<&'static str>,
    keep_volume: Option<&'static str>,
    named: Option<&'static str>,
    anonymous: bool,
    per_repository: usize,
    next: u64,
}

fn id(number: u64) -> String {
    format!("sha256:{:064x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn digest(number: u64) -> String {
    format!("sha256:{:064x}", number.wrapping_mul(0xD134_2543_DE82_EF95) ^ 0xabc)
}

impl Made {
    fn id(&self, containerd: bool) -> String {
        if containerd { digest(self.number) } else { id(self.number) }
    }

    fn listed(&self, node: &Node) -> Image {
        let digest = digest(self.number);
        let tag = |(repository, tag): &(&str, Option<&str>)| {
            let name = format!("{repository}:{}", (*tag)?);
            Some(if node.containerd && self.pulled { format!("{name}@{digest}") } else { name })
        };
        let tags: Vec<String> = self.names.iter().filter_map(tag).collect();
        let from: Vec<String> =
            self.names.iter().map(|(repository, _)| format!("{repository}@{digest}")).collect();
        let old = !node.containerd && self.number.is_multiple_of(2);
        let none = || old.then(|| vec!["<none>:<none>".to_owned()]);
        Image {
            id: self.id(node.containerd),
            repo_tags: if tags.is_empty() { none() } else { Some(tags) },
            repo_digests: if self.pulled {
                Some(from)
            } else {
                old.then(|| vec!["<none>@<none>".to_owned()])
            },
            parent_id: self.parent.map(id).unwrap_or_default(),
            created: self.created,
            size: i64::try_from(self.size).unwrap(),
        }
    }

    fn is_used(&self, node: &Node) -> bool {
        let parent = !node.containerd && node.images.iter().any(|image| image.parent == Some(self.number));
        let wanted = |(image, by_digest): &(Made, bool)| {
            if *by_digest { image.number == self.number } else { self.names.contains(&image.names[0]) }
        };
        parent
            || node.containers.iter().any(|container| container.image.number == self.number)
            || node.wanted.iter().any(wanted)
    }

    fn is_kept_by(&self, pattern: &str, containerd: bool) -> bool {
        let hex = self.id(containerd);
        hex["sha256:".len()..].starts_with(pattern)
            || self.names.iter().any(|(repository, tag)| {
                let last = repository.rsplit('/').next().unwrap();
                [*repository, last].iter().any(|name| match pattern.split_once(':') {
                    Some((wanted, wanted_tag)) => *name == wanted && *tag == Some(wanted_tag),
                    None => name.starts_with(pattern),
                })
            })
    }

    /// Fewer than `per_repository` others of a repository are as new: it is among the newest, however ties are broken.
    fn is_newest(&self, node: &Node) -> bool {
        self.repositories().into_iter().any(|own| {
            let as_new = |other: &&Made| {
                other.number != self.number
                    && other.created >= self.created
                    && other.repositories().contains(own)
            };
            node.images.iter().filter(as_new).count() < node.per_repository
        })
    }

    fn repositories(&self) -> BTreeSet<&'static str> {
        self.names.iter().map(|(repository, _)| *repository).collect()
    }
}

impl Node {
    fn make(dice: &mut Dice) -> Self {
        let patterns = ["heimdall", "nginx", "linuxserver/heimdall:v1", "app:latest", "portainer"];
        let mut node = Self {
            containerd: dice.one_in(2),
            complete: !dice.one_in(4),
            images: Vec::new(),
            containers: Vec::new(),
            volumes: Vec::new(),
            wanted: Vec::new(),
            wanted_volumes: Vec::new(),
            keep_images: (0..dice.roll(3)).map(|_| dice.of(&patterns).to_owned()).collect(),
            keep_container: dice.one_in(3).then_some("keep-*"),
            keep_volume: dice.one_in(3).then_some("data-1*"),
            named: dice.one_in(3).then_some("data-*"),
            anonymous: dice.one_in(2),
            per_repository: dice.index(3),
            next: 1,
        };
        for _ in 0..=dice.roll(10) {
            node.add_image(dice);
        }
        if dice.one_in(5) {
            let number = node.images[dice.index(node.images.len())].number;
            let image = node.images.iter().find(|image| image.number == number).unwrap();
            node.keep_images.push(image.id(node.containerd)["sha256:".len()..][..12].to_owned());
        }
        for _ in 0..dice.roll(12) {
            node.change(dice);
        }
        node
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn add_image(&mut self, dice: &mut Dice) {
        let number = self.number();
        let pulled = dice.one_in(2) || self.containerd;
        let count = if pulled { 1 + dice.roll(3) } else { dice.roll(3) };
        let name = |dice: &mut Dice| {
            let tag = (!pulled || dice.one_in(2)).then(|| dice.of(&TAGS));
            (dice.of(&REPOSITORIES), tag)
        };
        let mut names: Vec<_> = (0..count).map(|_| name(dice)).collect();
        // A name points at one image; the digests of others stay.
        for image in &mut self.images {
            for (_, tag) in image.names.iter_mut().filter(|name| names.contains(name)) {
                *tag = None;
            }
            if !image.pulled {
                image.names.retain(|(_, tag)| tag.is_some());
            }
        }
        names.sort_unstable();
        names.dedup();
        let parents: Vec<u64> = self.images.iter().map(|image| image.number).collect();
        let parent = (!pulled && dice.one_in(2) && !parents.is_empty()).then(|| dice.of(&parents));
        let (created, size) = (i64::try_from(dice.roll(6)).unwrap(), dice.roll(500));
        self.images.push(Made { number, names, pulled, created, parent, size });
    }

    /// Something that happens on a node.
    fn change(&mut self, dice: &mut Dice) {
        match dice.roll(9) {
            0 => self.add_image(dice),
            1 | 2 if !self.images.is_empty() => self.add_container(dice),
            3 if !self.containers.is_empty() => _ = self.containers.remove(dice.index(self.containers.len())),
            4 if !self.containers.is_empty() => {
                let at = dice.index(self.containers.len());
                self.containers[at].state =
                    dice.of(&["running", "paused", "restarting", "exited", "created", "dead"]);
            }
            5 if !self.images.is_empty() => {
                let image = self.images[dice.index(self.images.len())].clone();
                let by_digest = image.pulled || image.names.is_empty() || image.names[0].1.is_none();
                if image.pulled || !by_digest {
                    self.wanted.push((image, by_digest && !dice.one_in(9)));
                    let (image, by_digest) = self.wanted.last_mut().unwrap();
                    *by_digest |= image.names[0].1.is_none();
                }
            }
            6 if !self.wanted.is_empty() => _ = self.wanted.remove(dice.index(self.wanted.len())),
            7 => self.add_volume(dice),
            _other => {
                let name = format!("data-{}", dice.roll(30));
                if dice.one_in(2) { self.wanted_volumes.push(name) } else { _ = self.wanted_volumes.pop() }
            }
        }
    }

    fn add_container(&mut self, dice: &mut Dice) {
        let number = self.number();
        let image = self.images[dice.index(self.images.len())].clone();
        let name = dice.of(&["web", "keep-me", "web-unsinkable-old-1"]);
        let volume = (!self.volumes.is_empty() && dice.one_in(2))
            .then(|| self.volumes[dice.index(self.volumes.len())].name.clone());
        let by_name = image.names.first().filter(|_| dice.one_in(2) && image.pulled);
        let by_name = by_name.map(|(repository, _)| format!("{repository}@{}", digest(image.number)));
        let state = dice.of(&["exited", "exited", "dead", "created", "running"]);
        self.containers.push(Ended {
            number,
            name: format!("{name}{number}"),
            state,
            image,
            by_name,
            task: dice.one_in(4),
            volume,
        });
    }

    fn add_volume(&mut self, dice: &mut Dice) {
        let (number, anonymous) = (self.number(), dice.one_in(2));
        let name = if anonymous { format!("{number:064x}") } else { format!("data-{}", dice.roll(30)) };
        if self.volumes.iter().all(|volume| volume.name != name) {
            self.volumes.push(Kept { name, anonymous, plain: !dice.one_in(4) });
        }
    }

    fn policy(&self) -> Policy {
        let globs =
            |text: Option<&str>| text.map(|text| glob::Pattern::new(text).unwrap()).into_iter().collect();
        Policy {
            grace: Duration::from_mins(60),
            every: Duration::from_mins(30),
            keep_images: self.keep_images.clone(),
            keep_containers: globs(self.keep_container),
            keep_volumes: globs(self.keep_volume),
            per_repository: self.per_repository,
            volumes: Volumes { anonymous: self.anonymous, named: globs(self.named) },
            disk_high: 85,
            disk_low: 75,
            managers: Vec::new(),
        }
    }

    /// As Docker would answer.
    fn inventory(&self) -> Inventory {
        let mounted =
            |name: &str| self.containers.iter().any(|container| container.volume.as_deref() == Some(name));
        let container = |container: &Ended| {
            let task = ("com.docker.swarm.task.id".to_owned(), "t".to_owned());
            let mount =
                |name: &String| Mount { kind: "volume".into(), name: name.clone(), ..Mount::default() };
            let image_id = container.image.id(self.containerd);
            Container {
                id: container.number.to_string(),
                names: vec![format!("/{}", container.name)],
                image: container.by_name.clone().unwrap_or_else(|| image_id.clone()),
                image_id,
                state: container.state.into(),
                labels: container.task.then_some(task).into_iter().collect(),
                mounts: container.volume.iter().map(mount).collect(),
                ..Container::default()
            }
        };
        let volume = |volume: &Kept| Volume {
            name: volume.name.clone(),
            driver: if volume.plain { "local".into() } else { "nfs".into() },
            scope: "local".into(),
            ..Volume::default()
        };
        let wish = |(image, by_digest): &(Made, bool)| {
            let (repository, tag) = image.names[0];
            let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
            if *by_digest {
                format!("{repository}{tag}@{}", digest(image.number))
            } else {
                format!("{repository}{tag}")
            }
        };
        Inventory {
            containers: self.containers.iter().map(container).collect(),
            images: self.images.iter().map(|image| image.listed(self)).collect(),
            volumes: self.volumes.iter().filter(|volume| !mounted(&volume.name)).map(volume).collect(),
            wanted: Wanted {
                images: self.wanted.iter().map(wish).collect(),
                volumes: self.wanted_volumes.clone(),
            },
            complete: self.complete,
        }
    }

    /// Must this stay, whatever its clock says? The rules again, from what the node was made of.
    fn must_stay(&self, thing: &Thing) -> Option<&'static str> {
        match thing {
            Thing::Container(number) => {
                let container = self.containers.iter().find(|one| one.number.to_string() == *number).unwrap();
                let kept =
                    self.keep_images.iter().any(|keep| container.image.is_kept_by(keep, self.containerd));
                [
                    (matches!(container.state, "running" | "paused" | "restarting"), "it runs"),
                    (container.task, "a task"),
                    (container.name.contains("-unsinkable-old-"), "put aside"),
                    (self.keep_container.is_some() && container.name.starts_with("keep-"), "kept"),
                    (kept, "its image is kept"),
                ]
                .into_iter()
                .find_map(|(stays, why)| stays.then_some(why))
            }
            Thing::Image(id) => {
                let image = self.images.iter().find(|image| image.id(self.containerd) == *id).unwrap();
                let kept = self.keep_images.iter().any(|keep| image.is_kept_by(keep, self.containerd));
                let unsure = !self.complete && !image.names.is_empty();
                [
                    (image.is_used(self), "used"),
                    (kept, "kept"),
                    (image.is_newest(self), "newest"),
                    (unsure, "nobody has told"),
                ]
                .into_iter()
                .find_map(|(stays, why)| stays.then_some(why))
            }
            Thing::Volume(name) => {
                let volume = self.volumes.iter().find(|volume| volume.name == *name).unwrap();
                let named = self.named.is_some() && self.complete && name.starts_with("data-");
                let allowed = volume.plain && (named || (volume.anonymous && self.anonymous));
                let mounted =
                    self.containers.iter().any(|container| container.volume.as_deref() == Some(name));
                [
                    (!allowed, "no flag names it"),
                    (mounted, "mounted"),
                    (self.wanted_volumes.contains(name), "a service's"),
                    (self.keep_volume.is_some() && name.starts_with("data-1"), "kept"),
                ]
                .into_iter()
                .find_map(|(stays, why)| stays.then_some(why))
            }
        }
    }

    fn things(&self) -> Vec<Thing> {
        let containers =
            self.containers.iter().map(|container| Thing::Container(container.number.to_string()));
        let images = self.images.iter().map(|image| Thing::Image(image.id(self.containerd)));
        let volumes = self.volumes.iter().map(|volume| Thing::Volume(volume.name.clone()));
        containers.chain(images).chain(volumes).collect()
    }

    fn remove(&mut self, thing: &Thing) {
        let containerd = self.containerd;
        match thing {
            Thing::Container(number) => self.containers.retain(|one| one.number.to_string() != *number),
            Thing::Image(id) => self.images.retain(|image| image.id(containerd) != *id),
            Thing::Volume(name) => self.volumes.retain(|volume| volume.name != *name),
        }
    }
}

/// How long each thing may have been unused at most, and in how many looks of this boot: counted apart from the daemon.
#[derive(Default)]
struct Watch {
    seen: BTreeMap<Thing, (Duration, u32)>,
    moment: Duration,
    boot: u64,
}

impl Watch {
    fn now(&self) -> Looked {
        Looked { boot: self.boot.to_string(), moment: self.moment }
    }

    /// Time goes by; sometimes the machine or the daemon starts anew, sometimes the state is lost.
    fn go_on(&mut self, dice: &mut Dice, state: &mut State) {
        let gap = Duration::from_mins([0, 1, 20, 30, 30, 30, 45, 600][dice.index(8)]);
        self.moment += gap;
        if dice.one_in(10) {
            self.boot += 1;
            self.moment = Duration::from_mins(dice.roll(1_000));
            self.seen.values_mut().for_each(|(_, looks)| *looks = 0);
        } else {
            let counted = gap.min(Duration::from_mins(60));
            self.seen.values_mut().filter(|(_, looks)| *looks > 0).for_each(|(seen, _)| *seen += counted);
        }
        if dice.one_in(15) {
            *state = State::default();
            self.seen.clear();
        }
    }

    fn look(&mut self, node: &Node) {
        let things: BTreeSet<Thing> =
            node.things().into_iter().filter(|thing| node.must_stay(thing).is_none()).collect();
        self.seen.retain(|thing, _| things.contains(thing));
        for thing in things {
            self.seen.entry(thing).or_default().1 += 1;
        }
    }
}

fn look(node: &Node, state: &mut State, now: Looked, disk: Option<Disk>) -> Vec<Candidate> {
    let policy = node.policy();
    let candidates = unused(&policy, &node.inventory());
    let clocks = count(state, now, policy.every, may_go(&candidates));
    plan(&policy, candidates, &clocks, disk)
}

fn due(planned: &[Candidate]) -> Vec<&Candidate> {
    planned.iter().filter(|candidate| candidate.row.verdict == Verdict::Due).collect()
}

/// Nothing due that must stay or is young. Returns how much is due.
fn check(seed: u64, node: &Node, watch: &Watch, planned: &[Candidate], disk: Disk) -> usize {
    for candidate in due(planned) {
        let thing = &candidate.thing;
        assert_eq!(node.must_stay(thing), None, "PRUNE_SEED={seed}: {candidate:?}\n{node:#?}");
        let (seen, looks) = watch.seen.get(thing).copied().unwrap_or_default();
        assert!(looks >= 2, "PRUNE_SEED={seed}: seen once: {candidate:?}");
        let full = disk.percent() > 85 && matches!(thing, Thing::Image(_)) && candidate.replaceable;
        assert!(
            full || seen >= Duration::from_mins(60),
            "PRUNE_SEED={seed}: young ({seen:?}): {candidate:?}"
        );
    }
    due(planned).len()
}

fn live(seed: u64) -> [usize; 3] {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (mut node, mut state, mut watch) = (Node::make(&mut dice), State::default(), Watch::default());
    let mut removed = [0; 3];
    for _ in 0..LOOKS {
        watch.go_on(&mut dice, &mut state);
        for _ in 0..dice.roll(3) {
            node.change(&mut dice);
        }
        watch.look(&node);
        let mut disk = Disk { used: dice.roll(1_000) + 1, available: 300 };
        let planned = look(&node, &mut state, watch.now(), Some(disk));
        check(seed, &node, &watch, &planned, disk);
        for candidate in due(&planned) {
            let kind = ["container", "image", "volume"].iter().position(|kind| *kind == candidate.row.kind);
            removed[kind.unwrap()] += 1;
            node.remove(&candidate.thing);
            watch.seen.remove(&candidate.thing);
            disk.available += candidate.row.size.min(disk.used);
            disk.used = disk.used.saturating_sub(candidate.row.size);
        }
        watch.look(&node);
        let again = look(&node, &mut state, watch.now(), Some(disk));
        assert!(due(&again).is_empty(), "PRUNE_SEED={seed}: twice in a row: {:?}", due(&again));
        let lost = look(&node, &mut State::default(), watch.now(), Some(disk));
        assert!(due(&lost).is_empty(), "PRUNE_SEED={seed}: with lost clocks: {:?}", due(&lost));
    }
    removed
}

#[test]
fn nothing_used_wanted_kept_young_or_seen_once_is_ever_due() {
    if let Some(seed) = std::env::var("PRUNE_SEED").ok().and_then(|seed| seed.parse().ok()) {
        println!("{:?} removed", live(seed));
        return;
    }
    let mut removed = [0; 3];
    for seed in 0..CASES {
        for (all, one) in removed.iter_mut().zip(live(seed)) {
            *all += one;
        }
    }
    println!("{CASES} nodes, {LOOKS} looks each: {removed:?} containers, images, volumes removed");
    assert!(removed.iter().all(|count| *count > 300), "the dice leave something to remove: {removed:?}");
}

#[test]
fn a_thousand_images_are_planned_in_no_time() {
    let mut dice = Dice(7);
    let mut node = Node::make(&mut dice);
    node.keep_images = ["heimdall", "nginx:1.*", "portainer", "traefik"].map(str::to_owned).to_vec();
    while node.images.len() < 1_000 {
        node.add_image(&mut dice);
    }
    while node.containers.len() < 200 {
        node.add_container(&mut dice);
    }
    let (policy, inventory) = (node.policy(), node.inventory());
    let once = || {
        let started = Instant::now();
        let candidates = unused(&policy, &inventory);
        let now = Looked { boot: String::new(), moment: Duration::ZERO };
        let clocks = count(&mut State::default(), now, policy.every, may_go(&candidates));
        let planned = plan(&policy, candidates, &clocks, None);
        assert!(planned.len() > 500);
        started.elapsed()
    };
    let best = (0..10).map(|_| once()).min().unwrap();
    println!("1,000 images, 200 containers: {best:?}");
    // Some milliseconds; a plan that compares each with each takes far longer.
    assert!(best < Duration::from_millis(200), "{best:?}");
}
