//! What Docker would answer on such a node, and the flags it runs with.

use crate::node::{Ended, Kept, Made, Node};
use core::time::Duration;
use unsinkable::docker::api::{Container, Image, Mount, Volume};
use unsinkable::prune::inventory::Inventory;
use unsinkable::prune::keepset::Wanted;
use unsinkable::prune::{Policy, Volumes};

fn id(number: u64) -> String {
    format!("sha256:{:064x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

pub fn digest(number: u64) -> String {
    format!("sha256:{:064x}", number.wrapping_mul(0xD134_2543_DE82_EF95) ^ 0xabc)
}

impl Made {
    pub fn id(&self, containerd: bool) -> String {
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
}

impl Node {
    pub fn policy(&self) -> Policy {
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
    pub fn inventory(&self) -> Inventory {
        let mounted =
            |name: &str| self.containers.iter().any(|container| container.volume.as_deref() == Some(name));
        let container = |container: &Ended| {
            let task = ("com.docker.swarm.task.id".to_owned(), "t".to_owned());
            let mount = |name: &String| Mount { kind: "volume".into(), name: name.clone() };
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
}
