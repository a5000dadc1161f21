//! A made-up node, and what happens on it.

use crate::answers::digest;

const REPOSITORIES: [&str; 5] = [
    "nginx",
    "linuxserver/heimdall",
    "10.0.10.40:5000/app",
    "10.0.10.40:5000/app-extra",
    "ghcr.io/x/heimdall",
];
const TAGS: [&str; 3] = ["latest", "v1", "v2"];

/// xorshift64*: the same nodes everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    pub fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.roll(all.len() as u64)).unwrap()]
    }

    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.roll(len as u64)).unwrap()
    }
}

/// An image as it was made.
#[derive(Clone, Debug)]
pub struct Made {
    pub number: u64,
    /// Repository and tag; no tag for what Swarm pulled.
    pub names: Vec<(&'static str, Option<&'static str>)>,
    /// Came from a registry.
    pub pulled: bool,
    pub created: i64,
    pub parent: Option<u64>,
    pub size: u64,
}

#[derive(Clone, Debug)]
pub struct Ended {
    pub number: u64,
    pub name: String,
    pub state: &'static str,
    pub image: Made,
    /// How Docker's list names its image: the ID always, or also as asked for.
    pub by_name: Option<String>,
    pub task: bool,
    pub volume: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Kept {
    pub name: String,
    pub anonymous: bool,
    pub plain: bool,
}

/// One node, its services and the flags it runs with.
#[derive(Debug)]
pub struct Node {
    pub containerd: bool,
    pub complete: bool,
    pub images: Vec<Made>,
    pub containers: Vec<Ended>,
    pub volumes: Vec<Kept>,
    /// What services want: image number and whether by digest; else by this tag.
    pub wanted: Vec<(Made, bool)>,
    pub wanted_volumes: Vec<String>,
    pub keep_images: Vec<String>,
    pub keep_container: Option<&'static str>,
    pub keep_volume: Option<&'static str>,
    pub named: Option<&'static str>,
    pub anonymous: bool,
    pub per_repository: usize,
    next: u64,
}

impl Node {
    pub fn make(dice: &mut Dice) -> Self {
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

    pub fn add_image(&mut self, dice: &mut Dice) {
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
    pub fn change(&mut self, dice: &mut Dice) {
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

    pub fn add_container(&mut self, dice: &mut Dice) {
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
}
