//! What was used between two looks, as Docker's events tell: the image of a `docker run --rm` that no look ever saw.

use super::clock;
use super::keep::references;
use crate::docker::Reference;
use crate::docker::api::{Event, Image};
use crate::sorted::{Map, Set};
use crate::state::{State, Thing};

/// Distinct things remembered from one round to the next. More than this, and all clocks start anew.
const MAX_THINGS: usize = 4096;

/// Things used since the last round.
#[derive(Clone, Debug, Default)]
pub struct Used {
    containers: Set<String>,
    /// As a container or a pull named them: references or IDs.
    images: Set<String>,
    volumes: Set<String>,
    /// There were too many to remember.
    lost: bool,
}

impl Used {
    /// Takes in an event. Removals, looks and health checks are no use.
    pub fn note(&mut self, event: &Event) {
        let actor = &event.actor;
        match (event.kind.as_str(), event.action.as_str()) {
            ("container", "create" | "start" | "stop" | "die") => {
                self.containers.insert(actor.id.clone());
                self.images.extend(actor.attributes.get("image").cloned());
            }
            ("image", "pull" | "tag" | "load" | "import") => _ = self.images.insert(actor.id.clone()),
            ("volume", "create" | "mount" | "unmount") => _ = self.volumes.insert(actor.id.clone()),
            _other => {}
        }
        if self.containers.len() + self.images.len() + self.volumes.len() > MAX_THINGS {
            *self = Self { lost: true, ..Self::default() };
        }
    }

    /// Starts the clocks of what was used anew. `images`: those that are there.
    pub fn apply(&self, state: &mut State, images: &[Image]) {
        if self.lost {
            state.unused = Map::new();
            return;
        }
        let containers = self.containers.iter().cloned().map(Thing::Container);
        let volumes = self.volumes.iter().cloned().map(Thing::Volume);
        let named =
            images.iter().filter(|image| self.names(image)).map(|image| Thing::Image(image.id.clone()));
        for thing in containers.chain(volumes).chain(named) {
            clock::used(state, &thing);
        }
    }

    fn names(&self, image: &Image) -> bool {
        let familiar = |text: &str| Reference::parse(text).map(|reference| reference.familiar_tagged());
        let is = |used: &String| {
            let bare = used.strip_prefix("sha256:").unwrap_or(used);
            let by_id = image.id.strip_prefix("sha256:").unwrap_or(&image.id).starts_with(bare);
            by_id
                || references(image)
                    .any(|name| name == used || (familiar(name).is_ok() && familiar(name) == familiar(used)))
        };
        self.images.iter().any(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::api::Actor;
    use crate::state::Unused;

    fn event(kind: &str, action: &str, id: &str, image: &str) -> Event {
        let attributes = [("image".to_owned(), image.to_owned())].into();
        Event {
            kind: kind.into(),
            action: action.into(),
            actor: Actor { id: id.into(), attributes },
            time_nano: 1,
        }
    }

    fn image(id: &str, tag: &str) -> Image {
        Image { id: id.into(), repo_tags: Some(vec![tag.into()]), ..Image::default() }
    }

    /// Which of three images, a container and a volume still have their clocks after these events.
    fn left(events: &[Event]) -> Vec<&'static str> {
        let things = [
            ("backup", Thing::Image("sha256:aa11".into())),
            ("web", Thing::Image("sha256:bb22".into())),
            ("container", Thing::Container("c1".into())),
            ("volume", Thing::Volume("data".into())),
        ];
        let mut state = State::default();
        state.unused.extend(things.iter().map(|(_, thing)| (thing.clone(), Unused::default())));
        let mut used = Used::default();
        for event in events {
            used.note(event);
        }
        used.apply(&mut state, &[image("sha256:aa11", "backup:latest"), image("sha256:bb22", "web:2")]);
        things.iter().filter(|(_, thing)| state.unused.contains_key(thing)).map(|(name, _)| *name).collect()
    }

    #[test]
    fn what_ran_in_between_was_used() {
        let all = vec!["backup", "web", "container", "volume"];
        assert_eq!(left(&[]), all);
        assert_eq!(left(&[event("container", "create", "gone", "backup")]), ["web", "container", "volume"]);
        assert_eq!(left(&[event("container", "die", "c1", "sha256:bb22")]), ["backup", "volume"]);
        assert_eq!(left(&[event("volume", "mount", "data", "")]), ["backup", "web", "container"]);
        assert_eq!(left(&[event("image", "pull", "web:2", "")]), ["backup", "container", "volume"]);
        // A web of another tag is another image; a removal is no use; nor is a health check.
        let others = [("create", "web:3"), ("destroy", "web:2"), ("exec_start: sh", "web:2")];
        for (action, image) in others {
            assert_eq!(left(&[event("container", action, "x", image)]), all, "{action} {image}");
        }
    }

    #[test]
    fn where_too_much_was_used_everything_was() {
        let mut used = Used::default();
        (0..5000).for_each(|number| used.note(&event("container", "create", &number.to_string(), "web:2")));
        let mut state = State::default();
        state.unused.insert(Thing::Volume("data".into()), Unused::default());
        used.apply(&mut state, &[]);
        assert!(state.unused.is_empty());
    }
}
