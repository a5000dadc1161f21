//! What is there, and what of it is in use: by a container, or by what a service may want at any time.

use super::keep::references;
use super::keepset::Wanted;
use crate::docker::Reference;
use crate::docker::api::{Container, Image, Volume};
use crate::sorted::Set;
use glob::Pattern;

/// Hex digits of an ID as Docker shows it: what is as long may be meant as an ID, though it reads as a name, too.
const SHORT_ID: usize = 12;

/// One look at a node.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// All, whatever their state.
    pub containers: Vec<Container>,
    /// All but intermediate layers.
    pub images: Vec<Image>,
    /// Those that no container names.
    pub volumes: Vec<Volume>,
    /// What services want, here or elsewhere.
    pub wanted: Wanted,
    /// [`wanted`](Self::wanted) is all: there is no Swarm, or a manager has told within a day.
    pub complete: bool,
}

/// What of an [`Inventory`] is in use.
#[derive(Debug, Default)]
pub struct Usage<'a> {
    /// Of containers, and of images built on others.
    ids: Set<&'a str>,
    /// `sha256:…` of references with digest.
    digests: Set<String>,
    /// `name:tag` of references without.
    tags: Set<String>,
    /// References that do not read as one, to be compared as they are.
    odd: Set<&'a str>,
    /// Volumes that a container names.
    mounted: Set<&'a str>,
    /// Volumes that services name.
    wanted: Set<&'a str>,
    /// The same with a template in it: a name for each task.
    templates: Vec<Pattern>,
}

impl<'a> Usage<'a> {
    /// Of everything in `inventory`.
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut usage = Self::default();
        for container in &inventory.containers {
            usage.ids.insert(&container.image_id);
            usage.add_reference(&container.image);
            usage.mounted.extend(container.mounts.iter().map(|mount| mount.name.as_str()));
        }
        usage.ids.extend(inventory.images.iter().map(|image| image.parent_id.as_str()));
        // Containers and images without such an ID have an empty one.
        usage.ids.remove("");
        usage.mounted.remove("");
        for image in &inventory.wanted.images {
            usage.add_reference(image);
        }
        for volume in &inventory.wanted.volumes {
            match template(volume) {
                Some(pattern) => usage.templates.push(pattern),
                None => _ = usage.wanted.insert(volume),
            }
        }
        usage
    }

    fn add_reference(&mut self, text: &'a str) {
        if text.len() >= SHORT_ID && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.odd.insert(text);
        }
        match Reference::parse(text) {
            Ok(reference) => match reference.digest {
                Some(digest) => _ = self.digests.insert(digest),
                None => _ = self.tags.insert(reference.familiar_tagged()),
            },
            Err(_) => _ = self.odd.insert(text),
        }
    }

    /// Is it in use by a container in whatever state, by an image built on it, or wanted by a service?
    pub fn image(&self, image: &Image) -> bool {
        self.ids.contains(image.id.as_str())
            || self.digests.contains(&image.id)
            || self.odd.iter().any(|text| is_id(text, &image.id))
            || references(image).any(|name| self.reference(name))
    }

    fn reference(&self, name: &str) -> bool {
        let Ok(reference) = Reference::parse(name) else { return self.odd.contains(name) };
        let by_digest = reference.digest.as_ref().is_some_and(|digest| self.digests.contains(digest));
        by_digest || (reference.tag.is_some() && self.tags.contains(&reference.familiar_tagged()))
    }

    /// Does a container name this volume, whatever the list of dangling ones says?
    pub fn is_mounted(&self, volume: &Volume) -> bool {
        self.mounted.contains(volume.name.as_str())
    }

    /// Does a service name this volume, at whatever number of replicas?
    pub fn is_wanted(&self, volume: &Volume) -> bool {
        let name = volume.name.as_str();
        self.wanted.contains(name) || self.templates.iter().any(|pattern| pattern.matches(name))
    }
}

/// Is `text`, an ID or the beginning of one, of this image?
fn is_id(text: &str, id: &str) -> bool {
    let bare = |text| str::strip_prefix(text, "sha256:").unwrap_or(text);
    !bare(text).is_empty() && bare(id).starts_with(bare(text))
}

/// A name with Swarm's templates (`data-{{.Task.Slot}}`) as a pattern of all that it can become.
fn template(name: &str) -> Option<Pattern> {
    name.contains("{{").then(|| {
        let mut pattern = String::new();
        for (number, part) in name.split("{{").enumerate() {
            let fixed = if number == 0 { part } else { part.split_once("}}").map_or("", |(_, fixed)| fixed) };
            pattern.push_str(if number == 0 || pattern.ends_with('*') { "" } else { "*" });
            pattern.push_str(&Pattern::escape(fixed));
        }
        Pattern::new(&pattern).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::api::Mount;

    const V1: &str = "sha256:cdfa0bef65ea8e4302f7e72f8a3b2426bab9d6b789fcd15738459a8531f71028";
    const V2: &str = "sha256:46664f594c3bbb05a7bc47bc4369df294ea0f0bf90912b44701ddb269612a66f";

    /// As recorded on a node to which Swarm has pulled two versions, and as older API versions put it.
    fn swarm_pulled(tags: &str) -> Vec<Image> {
        let text = format!(
            r#"[{{"Containers":-1,"Created":1795368729,"Id":"sha256:f956d08d7f70","ParentId":"","RepoDigests":["10.0.10.40:5000/app@{V2}"],"RepoTags":{tags},"Size":1982265}},
                {{"Containers":-1,"Created":1795368728,"Id":"sha256:a567ab1c","ParentId":"","RepoDigests":["10.0.10.40:5000/app@{V1}"],"RepoTags":{tags},"Size":1982265}}]"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn used(inventory: &Inventory) -> Vec<bool> {
        let usage = Usage::of(inventory);
        inventory.images.iter().map(|image| usage.image(image)).collect()
    }

    fn wanting(images: Vec<Image>, wanted: &str) -> Inventory {
        let wanted = Wanted { images: vec![wanted.to_owned()], volumes: Vec::new() };
        Inventory { images, wanted, ..Inventory::default() }
    }

    fn made_of(images: Vec<Image>, image: &str, image_id: &str) -> Inventory {
        let container = Container { image: image.into(), image_id: image_id.into(), ..Container::default() };
        Inventory { images, containers: vec![container], ..Inventory::default() }
    }

    #[test]
    fn a_service_uses_the_digest_of_its_spec_whatever_the_tag_says() {
        for tags in ["null", r#"["<none>:<none>"]"#] {
            let previous = format!("10.0.10.40:5000/app:latest@{V1}");
            assert_eq!(used(&wanting(swarm_pulled(tags), &previous)), [false, true]);
        }
    }

    #[test]
    fn a_container_uses_its_image_by_id_and_by_name() {
        let images = || swarm_pulled("null");
        assert_eq!(used(&made_of(images(), "", "sha256:f956d08d7f70")), [true, false]);
        assert_eq!(used(&made_of(images(), &format!("app@{V1}"), "")), [false, true]);
        assert_eq!(used(&made_of(images(), "f956d08d7f70", "")), [true, false], "asked for by ID");
        assert_eq!(used(&made_of(images(), "", "")), [false, false]);
    }

    #[test]
    fn a_spec_without_digest_uses_what_has_its_tag() {
        let mut images = swarm_pulled("null");
        images[1].repo_tags = Some(vec!["nginx:latest".into()]);
        assert_eq!(used(&wanting(images.clone(), "docker.io/library/nginx")), [false, true]);
        assert_eq!(used(&wanting(images, "nginx:1.25")), [false, false]);
    }

    #[test]
    fn the_containerd_store_knows_an_image_by_its_index() {
        let mut images = swarm_pulled("null");
        images[0] = Image {
            id: V2.into(),
            repo_tags: Some(vec![format!("app:v2@{V2}")]),
            repo_digests: None,
            ..Image::default()
        };
        assert_eq!(used(&wanting(images.clone(), &format!("app:v2@{V2}"))), [true, false]);
        images[0].repo_tags = None;
        assert_eq!(used(&wanting(images.clone(), &format!("app:v2@{V2}"))), [true, false]);
        images[0].repo_tags = Some(vec![format!("app:v2@{V2}")]);
        assert_eq!(used(&wanting(images, "app:v2")), [true, false]);
    }

    #[test]
    fn an_image_on_which_another_is_built_is_in_use() {
        let mut images = swarm_pulled("null");
        images[0].parent_id = "sha256:a567ab1c".into();
        assert_eq!(used(&Inventory { images, ..Inventory::default() }), [false, true]);
    }

    #[test]
    fn volumes_are_used_by_containers_and_by_services_templates_included() {
        let wanted = Wanted {
            images: Vec::new(),
            volumes: vec!["data".into(), "db-{{.Task.Slot}}-[x]{{.Node.ID}}".into()],
        };
        let mount = Mount { kind: "volume".into(), name: "mounted".into() };
        let containers = vec![Container { mounts: vec![mount, Mount::default()], ..Container::default() }];
        let inventory = Inventory { containers, wanted, ..Inventory::default() };
        let usage = Usage::of(&inventory);
        let volume = |name: &str| Volume { name: name.into(), ..Volume::default() };
        assert!(usage.is_mounted(&volume("mounted")) && !usage.is_mounted(&volume("data")));
        assert!(usage.is_wanted(&volume("data")) && usage.is_wanted(&volume("db-1-[x]k5s5")));
        assert!(!usage.is_wanted(&volume("db-1-x")) && !usage.is_wanted(&volume("mounted")));
        assert!(!usage.is_mounted(&volume("")));
    }
}
