//! The rules a second time, from what the node was made of instead of from what Docker would answer.

use crate::node::{Made, Node};
use std::collections::BTreeSet;
use unsinkable::state::Thing;

impl Made {
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
    /// Must this stay, whatever its clock says? The rules again, from what the node was made of.
    pub fn must_stay(&self, thing: &Thing) -> Option<&'static str> {
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

    pub fn things(&self) -> Vec<Thing> {
        let containers =
            self.containers.iter().map(|container| Thing::Container(container.number.to_string()));
        let images = self.images.iter().map(|image| Thing::Image(image.id(self.containerd)));
        let volumes = self.volumes.iter().map(|volume| Thing::Volume(volume.name.clone()));
        containers.chain(images).chain(volumes).collect()
    }

    pub fn remove(&mut self, thing: &Thing) {
        let containerd = self.containerd;
        match thing {
            Thing::Container(number) => self.containers.retain(|one| one.number.to_string() != *number),
            Thing::Image(id) => self.images.retain(|image| image.id(containerd) != *id),
            Thing::Volume(name) => self.volumes.retain(|volume| volume.name != *name),
        }
    }
}
