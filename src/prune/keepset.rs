//! What services may want on any node: read from their specs on a manager, told to workers as `/keep.json`.
//!
//! A worker is not told of services by its own dockerd. Without this it could not know that an image with no container
//! is the one a rollback goes back to, nor that a volume belongs to a service that runs elsewhere for now.

use crate::docker::api::Service;
use crate::docker::json;
use crate::state::{KeepSet, Looked};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Number of the format, counted up when its meaning changes.
const FORMAT: u32 = 1;
/// Largest document: 10,000 names of 100 bytes.
pub const MAX_DOCUMENT: usize = 1 << 20;
/// Most names of a kind: a cluster of Pis has some dozens; the rest of the state file must find room, too.
const MAX_NAMES: usize = 10_000;
/// Longest name: Docker's repository (255), tag (128) and digest, with room.
const MAX_NAME: usize = 512;
/// How long a keep-set is complete: services change, and a manager that is silent for a day cannot say how.
const COMPLETE_FOR: Duration = Duration::from_hours(24);

/// What services want, without the moment at which it was learnt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// As [`KeepSet::images`].
    pub images: Vec<String>,
    /// As [`KeepSet::volumes`].
    pub volumes: Vec<String>,
}

/// `/keep.json`.
#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    images: Vec<String>,
    volumes: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Spec {
    task_template: Option<Template>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Template {
    /// Nothing for a plugin.
    container_spec: Option<Container>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Container {
    image: String,
    mounts: Option<Vec<Mount>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Mount {
    #[serde(rename = "Type")]
    kind: String,
    source: String,
}

impl Wanted {
    /// Of each service's spec and previous spec, whatever its replicas: one at zero still owns its image and its data.
    ///
    /// # Errors
    /// For a spec that does not read as one: what it wants is not known then.
    pub fn of_services(services: &[Service]) -> Result<Self, String> {
        let mut wanted = Self::default();
        for service in services {
            for raw in core::iter::once(&service.spec).chain(&service.previous_spec) {
                let spec: Spec = json::parse(raw.get())
                    .map_err(|error| format!("the spec of service {}: {error}", service.id))?;
                wanted.add_spec(spec);
            }
        }
        Ok(wanted.tidy())
    }

    fn add_spec(&mut self, spec: Spec) {
        let Some(container) = spec.task_template.and_then(|template| template.container_spec) else { return };
        self.images.push(container.image);
        let volumes = container.mounts.unwrap_or_default().into_iter();
        self.volumes.extend(volumes.filter(|mount| mount.kind != "bind").map(|mount| mount.source));
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.images.extend(other.images);
        self.volumes.extend(other.volumes);
        self.tidy()
    }

    fn tidy(mut self) -> Self {
        for names in [&mut self.images, &mut self.volumes] {
            names.retain(|name| !name.is_empty());
            names.sort_unstable();
            names.dedup();
        }
        self
    }

    /// The text of `/keep.json`. To be served only while services can be listed: a manager without quorum knows nothing.
    pub fn document(&self) -> String {
        let document =
            Document { format: FORMAT, images: self.images.clone(), volumes: self.volumes.clone() };
        serde_json::to_string(&document).expect("numbers and strings are always JSON")
    }

    /// Reads `/keep.json` of another node.
    ///
    /// # Errors
    /// For what is too large, is not this format, or holds names that no image or volume can have.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_DOCUMENT {
            return Err(format!("larger than {MAX_DOCUMENT} bytes"));
        }
        let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if document.format != FORMAT {
            return Err(format!("format {}, this version reads format {FORMAT}", document.format));
        }
        let (images, volumes) = (document.images, document.volumes);
        if images.len() > MAX_NAMES || volumes.len() > MAX_NAMES {
            return Err(format!("more than {MAX_NAMES} names"));
        }
        let strange =
            |name: &&String| name.len() > MAX_NAME || !name.bytes().all(|byte| byte.is_ascii_graphic());
        match images.iter().find(strange) {
            Some(name) => Err(format!("{} is no image", name.escape_debug().take(80).collect::<String>())),
            None => Ok(Self { images, volumes }.tidy()),
        }
    }

    /// As learnt at `at`.
    #[must_use]
    pub fn learnt(self, at: Looked) -> KeepSet {
        KeepSet { images: self.images, volumes: self.volumes, at }
    }

    /// What a kept one holds.
    pub fn of(kept: &KeepSet) -> Self {
        Self { images: kept.images.clone(), volumes: kept.volumes.clone() }
    }
}

/// Does `kept` tell all that services want, at `now`? Its time is comparable only within one boot.
pub fn is_complete(kept: &KeepSet, now: &Looked) -> bool {
    let age = now.moment.checked_sub(kept.at.moment);
    kept.at.boot == now.boot && age.is_some_and(|age| age < COMPLETE_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> Vec<Service> {
        let spec = |image: &str, source: &str| {
            format!(
                r#"{{"Name":"s","TaskTemplate":{{"ContainerSpec":{{"Image":"{image}","Mounts":[
                {{"Type":"volume","Source":"{source}","Target":"/d"}},{{"Type":"bind","Source":"/etc","Target":"/e"}},
                {{"Type":"volume","Target":"/anonymous"}}]}}}},"Mode":{{"Replicated":{{"Replicas":0}}}}}}"#
            )
        };
        let text = format!(
            r#"[{{"ID":"a","Version":{{"Index":7}},"Spec":{},"PreviousSpec":{}}},
                {{"ID":"b","Version":{{"Index":8}},"Spec":{{"Name":"p","TaskTemplate":{{"PluginSpec":{{}},"Runtime":"plugin"}}}}}}]"#,
            spec("app:v2@sha256:22", "data"),
            spec("app:v1@sha256:11", "old-{{.Task.Slot}}")
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_service_at_zero_wants_both_images_and_its_named_volumes() {
        let wanted = Wanted::of_services(&services()).unwrap();
        assert_eq!(wanted.images, ["app:v1@sha256:11", "app:v2@sha256:22"]);
        assert_eq!(wanted.volumes, ["data", "old-{{.Task.Slot}}"]);
    }

    #[test]
    fn a_spec_that_does_not_read_is_an_error_not_an_empty_wish() {
        let text =
            r#"[{"ID":"a","Version":{"Index":7},"Spec":{"TaskTemplate":{"ContainerSpec":{"Image":5}}}}]"#;
        let services: Vec<Service> = serde_json::from_str(text).unwrap();
        assert!(Wanted::of_services(&services).is_err());
    }

    #[test]
    fn the_document_comes_back_as_it_was() {
        let wanted = Wanted::of_services(&services()).unwrap();
        assert_eq!(
            wanted.document(),
            r#"{"format":1,"images":["app:v1@sha256:11","app:v2@sha256:22"],"volumes":["data","old-{{.Task.Slot}}"]}"#
        );
        assert_eq!(Wanted::parse(wanted.document().as_bytes()), Ok(wanted));
    }

    #[test]
    fn another_format_too_much_or_nonsense_is_refused() {
        for bad in [
            r#"{"format":2,"images":[],"volumes":[]}"#,
            r#"{"format":1,"images":["a b"],"volumes":[]}"#,
            r#"{"format":1,"volumes":[]}"#,
            "",
            "[]",
        ] {
            assert!(Wanted::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let many =
            Wanted { images: (0..10_001).map(|number| number.to_string()).collect(), volumes: Vec::new() };
        assert!(Wanted::parse(many.document().as_bytes()).is_err());
        assert!(Wanted::parse(&vec![b' '; MAX_DOCUMENT + 1]).is_err());
    }

    #[test]
    fn it_is_complete_for_a_day_of_one_boot() {
        let at = |boot: &str, hours| Looked { boot: boot.into(), moment: Duration::from_hours(hours) };
        let kept = Wanted::default().learnt(at("a", 10));
        assert!(is_complete(&kept, &at("a", 33)));
        assert!(!is_complete(&kept, &at("a", 34)), "a day old");
        assert!(!is_complete(&kept, &at("b", 11)), "after a reboot nobody knows how old it is");
        assert!(!is_complete(&kept, &at("a", 9)), "a moment ahead is no moment of this boot");
    }
}
