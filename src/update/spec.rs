//! A service's spec: read where a round must know, edited in two places only. Everything else goes back to Docker byte
//! for byte, as a field that is missing in an update is a field removed.

use crate::docker::Reference;
use crate::docker::api::Platform;
use crate::docker::json;
use crate::sorted::Map;
use core::fmt;
use core::time::Duration;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a round looks at in a spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Spec {
    /// Of the service.
    pub name: String,
    /// Of the service, not of its containers.
    pub labels: Option<Map<String, String>>,
    /// What a task is made of.
    pub task_template: TaskTemplate,
    /// How many tasks.
    pub mode: Mode,
    /// How an update goes; Docker's defaults where there is none.
    pub update_config: Option<UpdateConfig>,
}

/// [`Spec::task_template`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TaskTemplate {
    /// Nothing for a plugin.
    pub container_spec: Option<ContainerSpec>,
    /// Empty or `container`; `plugin`, `attachment`.
    pub runtime: String,
    /// What happens to a task that ends.
    pub restart_policy: Option<RestartPolicy>,
}

/// [`TaskTemplate::container_spec`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSpec {
    /// Reference, with digest where it was pinned.
    pub image: String,
    /// The one of the image counts where there is none.
    pub healthcheck: Option<Healthcheck>,
}

/// [`ContainerSpec::healthcheck`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// Nanoseconds; 0 for Docker's default.
    pub interval: i64,
}

/// [`TaskTemplate::restart_policy`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RestartPolicy {
    /// `any` (also where empty), `on-failure`, `none`.
    pub condition: String,
}

/// [`Spec::mode`]: one of them is there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mode {
    /// So many tasks.
    pub replicated: Option<Replicated>,
    /// One task a node.
    pub global: Option<serde::de::IgnoredAny>,
    /// Runs to its end: each update would run it again.
    pub replicated_job: Option<serde::de::IgnoredAny>,
    /// The same on each node.
    pub global_job: Option<serde::de::IgnoredAny>,
}

/// [`Mode::replicated`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Replicated {
    /// Docker means 1 where there is none.
    pub replicas: Option<u64>,
}

/// [`Spec::update_config`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateConfig {
    /// Tasks at once; 0 for all.
    pub parallelism: u64,
    /// Nanoseconds between two batches.
    pub delay: i64,
    /// Nanoseconds; 0 for Docker's default of 5 s.
    pub monitor: i64,
}

/// Docker's own time of watching a task that has started.
const DEFAULT_MONITOR: Duration = Duration::from_secs(5);

impl Spec {
    /// Reads a spec.
    ///
    /// # Errors
    /// In serde's words, when it is none.
    pub fn read(spec: &str) -> Result<Self, EditError> {
        json::parse(spec).map_err(|error| EditError(error.to_string()))
    }

    /// The image as it stands there; empty for a plugin.
    pub fn image(&self) -> &str {
        self.task_template.container_spec.as_ref().map_or("", |container| &container.image)
    }

    /// A label of the service.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.as_ref()?.get(name).map(String::as_str)
    }

    /// How many tasks are wanted; `None` for one a node.
    pub fn replicas(&self) -> Option<u64> {
        self.mode.replicated.as_ref().map(|replicated| replicated.replicas.unwrap_or(1))
    }

    /// How long Docker watches each new task.
    pub fn monitor(&self) -> Duration {
        let monitor = nanos(self.update_config.as_ref().map_or(0, |config| config.monitor));
        if monitor.is_zero() { DEFAULT_MONITOR } else { monitor }
    }

    /// Docker's pause between two batches.
    pub fn delay(&self) -> Duration {
        nanos(self.update_config.as_ref().map_or(0, |config| config.delay))
    }

    /// Tasks changed at once, of so many: 1 unless told otherwise, all for 0.
    pub fn parallelism(&self, tasks: u64) -> u64 {
        match self.update_config.as_ref().map(|config| config.parallelism) {
            None => 1,
            Some(0) => tasks.max(1),
            Some(at_once) => at_once,
        }
    }

    /// Between two looks of the service's own healthcheck; nothing where it has none or Docker's default.
    pub fn healthcheck_interval(&self) -> Duration {
        let container = self.task_template.container_spec.as_ref();
        nanos(
            container.and_then(|container| container.healthcheck.as_ref()).map_or(0, |check| check.interval),
        )
    }
}

fn nanos(count: i64) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(0))
}

/// Why a spec cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditError(pub String);

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a spec that cannot be read: {}", self.0)
    }
}

impl core::error::Error for EditError {}

/// The spec with another image, and the platforms of that image, as `docker service update --image` has it. Without
/// platforms (a registry tells none for a single OCI manifest) what stands there stays, as with Docker's own client.
///
/// # Errors
/// [`EditError`] when there is no image to replace.
pub fn with_image(spec: &str, image: &str, platforms: &[Platform]) -> Result<String, EditError> {
    let top = Object::read(spec)?;
    let template = Object::read(top.need("TaskTemplate")?)?;
    let container = Object::read(template.need("ContainerSpec")?)?;
    let mut edits = vec![Edit::replace(spec, container.need("Image")?, json_string(image))];
    let platforms = spec_platforms(platforms);
    if !platforms.is_empty() {
        edits.push(platforms_edit(spec, &template, &format!("[{}]", platforms.join(",")))?);
    }
    edits.sort_by_key(|edit| edit.start);
    Ok(splice(spec, &edits))
}

/// As [`Platform`] in a spec: `unknown` (attestations) left out, each once, no architecture for 32-bit arm, because the
/// scheduler would compare it with `armv7l` (swarmkit issue 2294).
fn spec_platforms(platforms: &[Platform]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for platform in platforms.iter().filter(|platform| !is_unknown(platform)) {
        let arm = platform.architecture.eq_ignore_ascii_case("arm");
        let architecture = if arm { "" } else { &platform.architecture };
        let named = [("Architecture", architecture), ("OS", platform.os.as_str())];
        let members = named.iter().filter(|(_, value)| !value.is_empty());
        let members = members.map(|(name, value)| format!("\"{name}\":{}", json_string(value)));
        let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// An attestation in an index: nothing that could run.
pub fn is_unknown(platform: &Platform) -> bool {
    platform.architecture == "unknown" || platform.os == "unknown"
}

fn platforms_edit(spec: &str, template: &Object, list: &str) -> Result<Edit, EditError> {
    let Some(placement) = template.get("Placement") else {
        return Ok(Edit::first_member(spec, template, &format!("\"Placement\":{{\"Platforms\":{list}}}")));
    };
    if placement == "null" {
        return Ok(Edit::replace(spec, placement, format!("{{\"Platforms\":{list}}}")));
    }
    let placement = Object::read(placement)?;
    Ok(match placement.get("Platforms") {
        Some(old) => Edit::replace(spec, old, list.to_owned()),
        None => Edit::first_member(spec, &placement, &format!("\"Platforms\":{list}")),
    })
}

fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be written as JSON")
}

/// Other text for a part of the spec.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Edit {
    /// `part` must lie within `spec`.
    fn replace(spec: &str, part: &str, text: String) -> Self {
        let start = part.as_ptr().addr() - spec.as_ptr().addr();
        Self { start, end: start + part.len(), text }
    }

    fn first_member(spec: &str, object: &Object, member: &str) -> Self {
        let start = object.text.as_ptr().addr() - spec.as_ptr().addr() + "{".len();
        let comma = if object.members.is_empty() { "" } else { "," };
        Self { start, end: start, text: format!("{member}{comma}") }
    }
}

/// `edits` in their order, none within another.
fn splice(spec: &str, edits: &[Edit]) -> String {
    let mut whole =
        String::with_capacity(spec.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut done = 0;
    for edit in edits {
        whole.push_str(&spec[done..edit.start]);
        whole.push_str(&edit.text);
        done = edit.end;
    }
    whole.push_str(&spec[done..]);
    whole
}

/// True if two specs differ in nothing but the digest of the same `name:tag`, and in the platforms: an update of ours.
pub fn same_but_image(spec: &str, previous: &str) -> bool {
    let (Ok(one), Ok(other)) = (rest(spec), rest(previous)) else { return false };
    let (Ok(image), Ok(before)) = (Reference::parse(&one.image), Reference::parse(&other.image)) else {
        return false;
    };
    one.members == other.members
        && (&image.registry, &image.repository, image.tag_or_latest())
            == (&before.registry, &before.repository, before.tag_or_latest())
        && image.digest.is_some()
        && before.digest.is_some()
        && image.digest != before.digest
}

/// True if two specs differ in nothing but image and platforms.
pub fn same_settings(spec: &str, other: &str) -> bool {
    matches!((rest(spec), rest(other)), (Ok(one), Ok(other)) if one.members == other.members)
}

/// A spec taken apart at the levels of the image and of the platforms.
struct Rest<'a> {
    image: String,
    members: Vec<(&'static str, String, &'a str)>,
}

fn rest(spec: &str) -> Result<Rest<'_>, EditError> {
    let top = Object::read(spec)?;
    let template = Object::read(top.need("TaskTemplate")?)?;
    let container = Object::read(template.need("ContainerSpec")?)?;
    let image = json::parse(container.need("Image")?).map_err(|error| EditError(error.to_string()))?;
    let placement = template.get("Placement").filter(|text| *text != "null").map(Object::read).transpose()?;
    let mut members = top.but("spec", &["TaskTemplate"]);
    members.extend(template.but("template", &["ContainerSpec", "Placement"]));
    members.extend(container.but("container", &["Image"]));
    members.extend(placement.iter().flat_map(|placement| placement.but("placement", &["Platforms"])));
    members.sort_unstable();
    Ok(Rest { image, members })
}

/// A JSON object whose members stay text, in their order.
struct Object<'a> {
    text: &'a str,
    members: Vec<(String, &'a str)>,
}

impl<'a> Object<'a> {
    fn read(text: &'a str) -> Result<Self, EditError> {
        let members: Members = json::parse(text).map_err(|error| EditError(error.to_string()))?;
        Ok(Self { text: text.trim_start(), members: members.0 })
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        // The last one, should there be two: so Docker reads it.
        self.members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    fn need(&self, name: &str) -> Result<&'a str, EditError> {
        self.get(name).ok_or_else(|| EditError(format!("there is no {name}")))
    }

    fn but(&self, level: &'static str, names: &[&str]) -> Vec<(&'static str, String, &'a str)> {
        let others = self.members.iter().filter(|(key, _)| !names.contains(&key.as_str()));
        others.map(|(key, value)| (level, key.clone(), *value)).collect()
    }
}

struct Members<'a>(Vec<(String, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key()? {
            members.push((key, map.next_value::<&RawValue>()?.get()));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests;
