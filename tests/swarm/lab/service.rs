//! What the Swarm says of a service: its spec as text, its tasks, its images on the nodes.

use super::{Lab, Node};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// `web` with a task on each node; the image goes behind it (`Node::docker_line`).
pub const EVERYWHERE: &str = "service create --detach --name web --mode global --update-monitor 1s";

/// A service, its specs byte for byte as dockerd gives them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    pub version: Version,
    pub spec: Box<RawValue>,
    pub previous_spec: Option<Box<RawValue>>,
    pub update_status: Option<Value>,
}

/// Raft index: rises with each write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    pub index: u64,
}

impl Service {
    /// `registry/app:latest@sha256:…`.
    pub fn image(&self) -> String {
        image_of(self.spec.get())
    }

    /// `sha256:…`, or nothing.
    pub fn digest(&self) -> String {
        digest_of(&self.image())
    }

    /// The digest a rollback goes back to, or nothing.
    pub fn previous_digest(&self) -> String {
        self.previous_spec.as_ref().map(|spec| digest_of(&image_of(spec.get()))).unwrap_or_default()
    }

    /// Of the last update: `completed`, `paused`, …; empty without one.
    pub fn state(&self) -> &str {
        self.update_status.as_ref().and_then(|s| s["State"].as_str()).unwrap_or_default()
    }

    /// The spec's text without the two fields that an update may change.
    pub fn rest_of_spec(&self) -> String {
        let spec = self.spec.get();
        let image = format!("\"Image\":\"{}\"", self.image());
        assert_eq!(spec.matches(&image).count(), 1, "{spec}");
        let spec = spec.replace(&image, "");
        let Some(from) = spec.find("\"Platforms\":[") else { return spec };
        let to = from + spec[from..].find(']').expect("the list ends");
        format!("{}{}", &spec[..from], &spec[to + 1..])
    }
}

fn image_of(spec: &str) -> String {
    let spec: Value = serde_json::from_str(spec).expect("a spec is JSON");
    spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default().to_owned()
}

/// `sha256:…` of an image reference, or nothing.
pub fn digest_of(image: &str) -> String {
    image.split_once('@').map(|(_, digest)| digest.to_owned()).unwrap_or_default()
}

impl Node {
    /// The service of that name, as this manager knows it.
    #[track_caller]
    pub fn service(&self, name: &str) -> Service {
        serde_json::from_str(&self.call("GET", &format!("/services/{name}"), "")).expect("a service")
    }

    /// Digests of the tasks of a service that run and ought to, one each, sorted; nothing while this manager does not answer.
    pub fn running(&self, service: &str) -> Vec<String> {
        // {"service":["NAME"],"desired-state":["running"]}
        let path = format!(
            "/tasks?filters=%7B%22service%22%3A%5B%22{service}%22%5D%2C%22desired-state%22%3A%5B%22running%22%5D%7D"
        );
        let Ok(reply) = self.try_call("GET", &path, "") else { return Vec::new() };
        let tasks: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let run = |task: &&Value| task["Status"]["State"] == "running";
        let image =
            |task: &Value| digest_of(task["Spec"]["ContainerSpec"]["Image"].as_str().unwrap_or_default());
        let mut digests: Vec<String> =
            tasks.as_array().map(|all| all.iter().filter(run).map(image).collect()).unwrap_or_default();
        digests.sort_unstable();
        digests
    }

    /// True if the node's store has the image of that digest.
    pub fn has_image(&self, digest: &str) -> bool {
        let images = self.get("/images/json");
        let with = |image: &Value| image["RepoDigests"].to_string().contains(digest);
        images.as_array().is_some_and(|all| all.iter().any(with))
    }

    /// What every running container of the service on this node has in `$VERSION`.
    pub fn versions(&self, service: &str) -> Vec<String> {
        let filter = format!("label=com.docker.swarm.service.name={service}");
        let ids = self.docker(&["ps", "-q", "--filter", &filter]);
        let version = |id: &str| {
            let environment = self.get(&format!("/containers/{id}/json"))["Config"]["Env"].clone();
            let entries = environment.as_array().cloned().unwrap_or_default();
            entries
                .iter()
                .find_map(|e| e.as_str()?.strip_prefix("VERSION=").map(str::to_owned))
                .unwrap_or_default()
        };
        ids.split_whitespace().map(version).collect()
    }
}

impl Lab {
    /// Waits until exactly `count` tasks of the service run, all of them with this digest.
    #[track_caller]
    pub fn wait_running(&self, node: usize, service: &str, count: usize, digest: &str) {
        self.wait(&format!("{count} tasks of {service} run {digest}"), || {
            self.node(node).running(service) == vec![digest.to_owned(); count]
        });
    }
}
