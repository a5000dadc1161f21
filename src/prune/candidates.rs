//! What is unused, and which of it stays all the same: by wish, by rule, or because too little is known.

use super::inventory::{Inventory, Usage};
use super::keep::{KeepImages, references};
use super::{Policy, Row, Verdict};
use crate::docker::Reference;
use crate::docker::api::{Container, Image, Volume};
use crate::sorted::{Map, Set};
use crate::state::Thing;
use glob::Pattern;

/// Marks the container of a Swarm task.
const TASK: &str = "com.docker.swarm.task.id";
/// Marks a volume made without a name (dockerd 23.0 and later).
const ANONYMOUS: &str = "com.docker.volume.anonymous";
/// Within the name of a container that an update has put aside, to be put back should the new one fail.
const PUT_ASIDE: &str = "-unsinkable-old-";
/// Digits of an ID in the name of an anonymous volume.
const ID_LEN: usize = 64;
/// Digits of an ID that people are shown.
const SHORT_ID: usize = 12;
/// Why a node without a manager's word leaves alone what a service may want.
const NOT_TOLD: &str = "no manager has told within a day what services want";

/// Something unused.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What its clock goes by.
    pub thing: Thing,
    /// What Docker is asked to remove, in turn.
    pub targets: Vec<String>,
    /// It can be had again from where it came, or is nothing that anyone named: may go early when the disk is full.
    pub replaceable: bool,
    /// What is told of it: [`Verdict::Kept`] and why, or [`Verdict::Waits`] without a reason yet.
    pub row: Row,
}

/// All that is unused in `inventory`: containers, images, volumes. What is in use is not named at all.
pub fn unused(policy: &Policy, inventory: &Inventory) -> Vec<Candidate> {
    let usage = Usage::of(inventory);
    let rules = Rules { policy, keep: KeepImages::new(&policy.keep_images), complete: inventory.complete };
    let newest = newest(&inventory.images, &usage, policy.per_repository);
    let by_id = inventory.images.iter().map(|image| (image.id.as_str(), image)).collect();
    let containers = inventory.containers.iter().filter(|container| has_ended(container));
    let images = inventory.images.iter().filter(|image| !usage.image(image));
    let volumes = inventory.volumes.iter().filter(|volume| !usage.is_mounted(volume));
    let containers = containers.map(|container| rules.candidate_container(container, &by_id));
    let images = images.map(|image| rules.candidate_image(image, newest.get(image.id.as_str())));
    let volumes = volumes.map(|volume| rules.candidate_volume(volume, usage.is_wanted(volume)));
    containers.chain(images).chain(volumes).collect()
}

/// Those whose clocks run: unused, and nothing keeps them.
pub fn may_go(candidates: &[Candidate]) -> Set<Thing> {
    let open = candidates.iter().filter(|candidate| candidate.row.verdict == Verdict::Waits);
    open.map(|candidate| candidate.thing.clone()).collect()
}

fn has_ended(container: &Container) -> bool {
    matches!(container.state.as_str(), "exited" | "dead" | "created")
}

struct Rules<'a> {
    policy: &'a Policy,
    keep: KeepImages,
    complete: bool,
}

impl Rules<'_> {
    fn candidate_container(&self, container: &Container, images: &Map<&str, &Image>) -> Candidate {
        let image = images.get(container.image_id.as_str()).copied();
        Candidate {
            thing: Thing::Container(container.id.clone()),
            targets: vec![container.id.clone()],
            replaceable: false,
            row: row(
                "container",
                container_name(container),
                &container.id,
                0,
                self.keeps_container(container, image),
            ),
        }
    }

    fn keeps_container(&self, container: &Container, image: Option<&Image>) -> Option<String> {
        if container.labels.contains_key(TASK) {
            return Some("a Swarm task: left to Swarm's history".into());
        }
        if container.names.iter().any(|name| name.contains(PUT_ASIDE)) {
            return Some("put aside by an update, which removes it".into());
        }
        // docker-cleanup's KEEP_CONTAINERS meant the image, KEEP_CONTAINERS_NAMED the name: either may be meant.
        let names = container.names.iter().map(|name| name.trim_start_matches('/'));
        if let Some(pattern) = matching(&self.policy.keep_containers, names.chain([container.image.as_str()]))
        {
            return Some(format!("--keep-container {pattern}"));
        }
        let pattern = self.keep.container(container).or_else(|| self.keep.image(image?));
        pattern.map(|pattern| format!("its image: --keep-image {pattern}"))
    }

    fn candidate_image(&self, image: &Image, newest_of: Option<&String>) -> Candidate {
        let names: Vec<&str> = references(image).collect();
        let kept = self.keeps_image(image, &names, newest_of);
        let size = u64::try_from(image.size).unwrap_or(0);
        let pulled = image.repo_digests.iter().flatten().any(|name| !name.starts_with('<'));
        Candidate {
            thing: Thing::Image(image.id.clone()),
            targets: targets(image, &names),
            replaceable: pulled || names.is_empty(),
            row: row("image", image_name(image, &names), &image.id, size, kept),
        }
    }

    fn keeps_image(&self, image: &Image, names: &[&str], newest_of: Option<&String>) -> Option<String> {
        if let Some(pattern) = self.keep.image(image) {
            return Some(format!("--keep-image {pattern}"));
        }
        if let Some(repository) = newest_of {
            return Some(format!("one of the newest {} of {repository}", self.policy.per_repository));
        }
        if names.iter().any(|name| Reference::parse(name).is_err()) {
            return Some("its name does not read as one".into());
        }
        (!self.complete && !names.is_empty()).then(|| NOT_TOLD.into())
    }

    fn candidate_volume(&self, volume: &Volume, wanted: bool) -> Candidate {
        Candidate {
            thing: Thing::Volume(volume.name.clone()),
            targets: vec![volume.name.clone()],
            replaceable: false,
            row: row("volume", shortened(&volume.name), &volume.name, 0, self.keeps_volume(volume, wanted)),
        }
    }

    fn keeps_volume(&self, volume: &Volume, wanted: bool) -> Option<String> {
        if wanted {
            return Some("a service mounts it".into());
        }
        if let Some(pattern) = matching(&self.policy.keep_volumes, [volume.name.as_str()]) {
            return Some(format!("--keep-volume {pattern}"));
        }
        if !is_plain(volume) {
            return Some(format!("not a plain local volume (driver {})", volume.driver));
        }
        if matching(&self.policy.volumes.named, [volume.name.as_str()]).is_some() {
            return (!self.complete).then(|| NOT_TOLD.into());
        }
        match (is_anonymous(volume), self.policy.volumes.anonymous) {
            (true, true) => None,
            (true, false) => Some("goes only with --prune-volumes anonymous".into()),
            (false, true | false) => Some("named: goes only with a --prune-volumes that names it".into()),
        }
    }
}

fn row(kind: &'static str, name: String, id: &str, size: u64, kept: Option<String>) -> Row {
    let verdict = if kept.is_some() { Verdict::Kept } else { Verdict::Waits };
    Row { kind, name, id: id.to_owned(), size, verdict, seconds_left: None, reason: kept.unwrap_or_default() }
}

fn matching<'a>(patterns: &[Pattern], names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut names = names.into_iter();
    names.find_map(|name| patterns.iter().find(|pattern| pattern.matches(name)).map(ToString::to_string))
}

/// The images that are among the newest `count` of a repository, and of which. Of equal age, one in use counts as newer.
fn newest<'a>(images: &'a [Image], usage: &Usage, count: usize) -> Map<&'a str, String> {
    let mut repositories: Map<String, Vec<(i64, bool, &str)>> = Map::new();
    for image in images {
        let names = references(image).filter_map(|name| Reference::parse(name).ok());
        let mut own: Vec<String> = names.map(|name| name.familiar_name()).collect();
        own.sort_unstable();
        own.dedup();
        let used = usage.image(image);
        for repository in own {
            repositories.get_or_insert_with(repository, Vec::new).push((image.created, used, &image.id));
        }
    }
    let mut newest = Map::new();
    for (repository, mut ages) in repositories {
        ages.sort_unstable_by(|one, other| other.cmp(one));
        for (_, _, id) in ages.into_iter().take(count) {
            newest.insert(id, repository.clone());
        }
    }
    newest
}

/// Docker removes an image by ID only while all its names are of one repository and at most one is a tag; any other
/// goes name by name, the last of which takes the image along. Never forced: a container made meanwhile is in time.
fn targets(image: &Image, names: &[&str]) -> Vec<String> {
    let repository = |name: &str| Reference::parse(name).map(|name| name.familiar_name()).ok();
    let tags = names.iter().filter(|name| is_tag(image, name));
    let tagged: Set<_> = tags.clone().map(|name| repository(name)).collect();
    let repositories: Set<_> = names.iter().map(|name| repository(name)).collect();
    if tags.clone().count() <= 1 && repositories.len() <= 1 {
        return vec![image.id.clone()];
    }
    // A digest goes with the last tag of its repository.
    let bare = names.iter().filter(|name| !is_tag(image, name) && !tagged.contains(&repository(name)));
    tags.chain(bare).map(|name| (*name).to_owned()).collect()
}

fn is_tag(image: &Image, name: &str) -> bool {
    image.repo_tags.iter().flatten().any(|tag| tag == name)
}

/// A directory of Docker's own on this node: no plugin's, no network share, no cluster volume.
fn is_plain(volume: &Volume) -> bool {
    let options = volume.options.as_ref().is_some_and(|options| !options.is_empty());
    volume.driver == "local" && volume.scope != "global" && volume.cluster_volume.is_none() && !options
}

/// Made without a name. Before 23.0 no label says so, only the name: an ID, on which nobody has put a label.
fn is_anonymous(volume: &Volume) -> bool {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_id = volume.name.len() == ID_LEN && volume.name.bytes().all(hex);
    let labels = volume.labels.as_ref();
    is_id && labels.is_none_or(|labels| labels.is_empty() || labels.contains_key(ANONYMOUS))
}

fn container_name(container: &Container) -> String {
    let name = container.names.first().map(|name| name.trim_start_matches('/'));
    name.map_or_else(|| shortened(&container.id), str::to_owned)
}

fn image_name(image: &Image, names: &[&str]) -> String {
    let Some(name) = names.first() else { return shortened(&image.id) };
    match Reference::parse(name) {
        Ok(reference) => match &reference.digest {
            Some(digest) => format!("{}@{}", reference.familiar_tagged(), shortened(digest)),
            None => reference.familiar_tagged(),
        },
        Err(_) => (*name).to_owned(),
    }
}

/// An ID as Docker shows it; any other name as it is.
fn shortened(id: &str) -> String {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    let is_id = hex.len() == ID_LEN && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { hex.chars().take(SHORT_ID).collect() } else { id.to_owned() }
}
