//! The parts of Docker's JSON that are looked at (Engine API 1.41 and later). Unknown fields are passed over; what has
//! to come back verbatim (a service's spec) stays raw text.

use crate::sorted::Map;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Go writes an empty list, map or struct as `null`, too.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// `GET /info`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// Host name of the node.
    pub name: String,
    /// As `uname -m`: `aarch64`.
    pub architecture: String,
    /// Version of dockerd.
    pub server_version: String,
    /// The file system whose space is watched.
    pub docker_root_dir: String,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// Processors.
    #[serde(rename = "NCPU")]
    pub cpus: u64,
    /// Bytes of memory.
    pub mem_total: u64,
    /// Containers in all.
    pub containers: u64,
    /// Of them.
    pub containers_running: u64,
    /// Of them.
    pub containers_paused: u64,
    /// Of them.
    pub containers_stopped: u64,
    /// Images.
    pub images: u64,
    /// `overlay2`.
    pub driver: String,
    /// This node's place in a Swarm.
    pub swarm: Swarm,
}

/// [`Info::swarm`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Swarm {
    /// Empty without a Swarm.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// `inactive`, `pending`, `active`, `error`, `locked`.
    pub local_node_state: String,
    /// True on a manager.
    pub control_available: bool,
    /// Why the state is `error`.
    pub error: String,
}

/// `GET /nodes`, `GET /nodes/{id}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Node {
    /// Node ID.
    #[serde(rename = "ID")]
    pub id: String,
    /// What the operator set.
    pub spec: NodeSpec,
    /// What the node said of itself.
    pub description: NodeDescription,
    /// What its managers see.
    pub status: NodeStatus,
    /// Nothing on a worker.
    pub manager_status: Option<ManagerStatus>,
}

/// [`Node::spec`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeSpec {
    /// `manager`, `worker`.
    pub role: String,
    /// `active`, `pause`, `drain`.
    pub availability: String,
}

/// [`Node::description`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeDescription {
    /// Host name.
    pub hostname: String,
    /// As the node runs: `aarch64`, `linux`.
    pub platform: Platform,
    /// Its dockerd.
    pub engine: NodeEngine,
}

/// [`NodeDescription::engine`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeEngine {
    /// `20.10.24`.
    pub engine_version: String,
}

/// [`Node::status`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeStatus {
    /// `unknown`, `down`, `ready`, `disconnected`.
    pub state: String,
    /// As the managers see it.
    pub addr: String,
}

/// [`Node::manager_status`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ManagerStatus {
    /// Of the Raft.
    pub leader: bool,
}

/// Architecture and system. Upper case in specs and nodes, lower case in `/distribution`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// `arm64`, `amd64`, `arm`; of a node `aarch64`, `x86_64`, `armv7l`.
    #[serde(alias = "Architecture")]
    pub architecture: String,
    /// `linux`; `unknown` for an attestation.
    #[serde(alias = "OS", alias = "Os")]
    pub os: String,
    /// `v7`, `v8`; only in `/distribution`.
    #[serde(alias = "Variant")]
    pub variant: String,
}

/// `GET /services`, `GET /services/{id}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    /// Service ID.
    #[serde(rename = "ID")]
    pub id: String,
    /// Given back with an update: the guard against two writers.
    pub version: Version,
    /// The spec, byte for byte: what is posted back must lack nothing.
    pub spec: Box<RawValue>,
    /// What a rollback goes back to.
    pub previous_spec: Option<Box<RawValue>>,
    /// Of the last update; nothing if there was none, or it changed nothing.
    pub update_status: Option<UpdateStatus>,
    /// Only in a list, with `status=true`.
    pub service_status: Option<ServiceStatus>,
}

/// [`Service::version`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Version {
    /// Raft index.
    pub index: u64,
}

/// [`Service::update_status`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateStatus {
    /// `updating`, `paused`, `completed`, `rollback_started`, `rollback_paused`, `rollback_completed`.
    pub state: String,
    /// RFC 3339; may be empty.
    pub started_at: String,
    /// RFC 3339; may be empty.
    pub completed_at: String,
    /// Docker's own words.
    pub message: String,
}

/// [`Service::service_status`]. Counts tasks on nodes that are down, too: no measure of health.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceStatus {
    /// Tasks that run.
    pub running_tasks: u64,
    /// Tasks wanted.
    pub desired_tasks: u64,
}

/// `GET /tasks`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Task {
    /// Task ID.
    #[serde(rename = "ID")]
    pub id: String,
    /// From 1; 0 for a global service.
    pub slot: u64,
    /// Empty until assigned.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// What it runs.
    #[serde(deserialize_with = "or_default")]
    pub spec: TaskSpec,
    /// How it fares.
    pub status: TaskStatus,
    /// `running`, `shutdown`, `accepted`, …
    pub desired_state: String,
}

/// [`Task::spec`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TaskSpec {
    /// Nothing for a plugin.
    #[serde(deserialize_with = "or_default")]
    pub container_spec: TaskContainer,
}

/// [`TaskSpec::container_spec`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TaskContainer {
    /// Reference, with digest where it was pinned.
    pub image: String,
}

/// [`Task::status`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TaskStatus {
    /// RFC 3339, of the last change.
    pub timestamp: String,
    /// `new` … `running`, `complete`, `shutdown`, `failed`, `rejected`, `remove`, `orphaned`.
    pub state: String,
    /// Docker's own words.
    pub message: String,
    /// Why it failed.
    pub err: String,
}

/// `GET /distribution/{name}/json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Distribution {
    /// Of the index, or of the one manifest.
    #[serde(rename = "Descriptor")]
    pub descriptor: Descriptor,
    /// Empty for a single OCI manifest.
    #[serde(rename = "Platforms", deserialize_with = "or_default")]
    pub platforms: Vec<Platform>,
}

/// [`Distribution::descriptor`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Descriptor {
    /// `sha256:…`.
    pub digest: String,
}

/// `GET /containers/json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Container {
    /// 64 hex digits.
    pub id: String,
    /// Each with a `/` in front.
    #[serde(deserialize_with = "or_default")]
    pub names: Vec<String>,
    /// As it was asked for; an ID once the tag has moved.
    pub image: String,
    /// What it really runs.
    #[serde(rename = "ImageID")]
    pub image_id: String,
    /// Unix seconds.
    pub created: i64,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    pub state: String,
    /// `com.docker.swarm.task.id` marks a Swarm task.
    #[serde(deserialize_with = "or_default")]
    pub labels: Map<String, String>,
    /// Volumes and binds.
    #[serde(deserialize_with = "or_default")]
    pub mounts: Vec<Mount>,
}

/// [`Container::mounts`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mount {
    /// `volume`, `bind`, `tmpfs`, `npipe`, `cluster`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Of a volume.
    pub name: String,
}

/// `GET /images/json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Image {
    /// Of the configuration (graph drivers) or of the index (containerd).
    pub id: String,
    /// `repo:tag`; in the containerd store also `repo:tag@sha256:…`. Older dockerds say `<none>:<none>` for none.
    pub repo_tags: Option<Vec<String>>,
    /// `repo@sha256:…`.
    pub repo_digests: Option<Vec<String>>,
    /// The image this was built on, in the same store.
    pub parent_id: String,
    /// Unix seconds; of the build, not of the pull. May be missing.
    pub created: i64,
    /// Bytes, shared layers included.
    pub size: i64,
}

/// `GET /volumes`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volumes {
    /// Null when there are none.
    pub volumes: Option<Vec<Volume>>,
}

/// One of [`Volumes`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Volume {
    /// 64 hex digits for an anonymous one.
    pub name: String,
    /// `local`, or a plugin's.
    pub driver: String,
    /// `local`, `global`.
    pub scope: String,
    /// `com.docker.volume.anonymous` marks an anonymous one (23.0 and later).
    pub labels: Option<Map<String, String>>,
    /// Mount options (NFS, CIFS); null or empty for a plain one.
    pub options: Option<Map<String, String>>,
    /// Only of a Swarm's cluster volume.
    pub cluster_volume: Option<serde::de::IgnoredAny>,
}

/// One line of `GET /events`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    /// `container`, `image`, `service`, `node`, `volume`, …
    #[serde(rename = "Type")]
    pub kind: String,
    /// `create`, `start`, `die`, `update`, …
    #[serde(rename = "Action")]
    pub action: String,
    /// What it happened to.
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// Unix nanoseconds.
    #[serde(rename = "timeNano")]
    pub time_nano: u64,
}

/// [`Event::actor`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// Of the container, image, service …
    #[serde(rename = "ID")]
    pub id: String,
    /// `image`, `name`, `updatestate.new`, …
    #[serde(rename = "Attributes", deserialize_with = "or_default")]
    pub attributes: Map<String, String>,
}
