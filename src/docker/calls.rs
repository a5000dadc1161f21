//! Each call of the Engine API that this program makes, once. Each fails with an [`Error`]: what was asked, and the
//! answer's status and words, or why there is no answer.

use super::api::{Container, Distribution, Image, Info, Node, Service, Task, Volume, Volumes};
use super::client::Stream;
use super::error::{Cause, one_line};
use super::request::Request;
use super::{Client, Error, Reference};
use core::time::Duration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// For the daemon to ask a registry: its own tries and time-outs take up to a minute.
const REGISTRY: Duration = Duration::from_secs(90);
/// For work that ends before dockerd answers: a container's own stop time, an image's removal from an SD card.
const WORK: Duration = Duration::from_secs(5 * 60);
/// For a pull to show progress: dockerd tries a layer again for about as long, and tells only when it gives up.
const PULL_PAUSE: Duration = Duration::from_secs(5 * 60);

impl Client {
    /// `GET /info`.
    pub async fn info(&self) -> Result<Info, Error> {
        self.read(&Request::get("/info")).await
    }

    /// `GET /_ping`: dockerd answers at all, at once.
    pub async fn ping(&self) -> Result<(), Error> {
        self.once(&Request::get("/_ping").unversioned()).await.map(drop)
    }

    /// `GET /nodes`. 503 on a worker.
    pub async fn nodes(&self) -> Result<Vec<Node>, Error> {
        self.list(&Request::get("/nodes")).await
    }

    /// `GET /services?status=true`. 503 on a worker.
    pub async fn services(&self) -> Result<Vec<Service>, Error> {
        self.list(&Request::get("/services").query("status", "true")).await
    }

    /// `GET /services/{id}`.
    pub async fn service(&self, id: &str) -> Result<Service, Error> {
        self.read(&Request::get(format!("/services/{id}"))).await
    }

    /// `GET /tasks` of one service, its history included.
    pub async fn tasks(&self, service: &str) -> Result<Vec<Task>, Error> {
        self.list(&Request::get("/tasks").filter("service", service)).await
    }

    /// `POST /services/{id}/update`, registry credentials kept (`registryAuthFrom=spec`) unless `auth` brings new ones.
    pub async fn update_service(
        &self,
        id: &str,
        version: u64,
        spec: &str,
        auth: Option<&str>,
    ) -> Result<(), Error> {
        let request = Request::post(format!("/services/{id}/update"))
            .query("version", &version.to_string())
            .query("registryAuthFrom", "spec");
        self.call(&request.auth(auth).json(spec)).await.map(drop)
    }

    /// The same with `rollback=previous`. `spec` must be the current one: only its name and mode are looked at.
    pub async fn roll_back_service(&self, id: &str, version: u64, spec: &str) -> Result<(), Error> {
        let request = Request::post(format!("/services/{id}/update"))
            .query("version", &version.to_string())
            .query("registryAuthFrom", "previous-spec")
            .query("rollback", "previous");
        self.call(&request.json(spec)).await.map(drop)
    }

    /// `GET /distribution/{name}/json`: what the tag points at in its registry. `auth`: the value of `X-Registry-Auth`.
    pub async fn distribution(
        &self,
        reference: &Reference,
        auth: Option<&str>,
    ) -> Result<Distribution, Error> {
        let name = tagged(reference);
        self.read(&Request::get(format!("/distribution/{name}/json")).auth(auth).within(REGISTRY)).await
    }

    /// `GET /containers/json?all=1`.
    pub async fn containers(&self) -> Result<Vec<Container>, Error> {
        self.list(&Request::get("/containers/json").query("all", "1")).await
    }

    /// `GET /containers/{id}/json`, whole.
    pub async fn inspect_container(&self, id: &str) -> Result<Box<RawValue>, Error> {
        self.read(&Request::get(format!("/containers/{id}/json"))).await
    }

    /// `POST /containers/create?name=`; the new container's ID.
    pub async fn create_container(&self, name: &str, body: &str) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Created {
            #[serde(rename = "Id")]
            id: String,
        }
        let request = Request::post("/containers/create").query("name", name).json(body).within(WORK);
        self.read(&request).await.map(|Created { id }| id)
    }

    /// `POST /containers/{id}/start`; one that runs is fine.
    pub async fn start_container(&self, id: &str) -> Result<(), Error> {
        self.call(&Request::post(format!("/containers/{id}/start")).within(WORK)).await.map(drop)
    }

    /// `POST /containers/{id}/stop`, with the container's own signal and timeout; one that is stopped is fine.
    pub async fn stop_container(&self, id: &str) -> Result<(), Error> {
        self.call(&Request::post(format!("/containers/{id}/stop")).within(WORK)).await.map(drop)
    }

    /// `POST /containers/{id}/restart`: in one, so that nobody is left stopped if this program dies in between.
    pub async fn restart_container(&self, id: &str) -> Result<(), Error> {
        self.call(&Request::post(format!("/containers/{id}/restart")).within(WORK)).await.map(drop)
    }

    /// `POST /containers/{id}/rename?name=`.
    pub async fn rename_container(&self, id: &str, name: &str) -> Result<(), Error> {
        self.call(&Request::post(format!("/containers/{id}/rename")).query("name", name)).await.map(drop)
    }

    /// `POST /containers/{id}/update`: another restart policy (`no`, `always`); its other settings stay.
    pub async fn set_restart_policy(&self, id: &str, name: &str) -> Result<(), Error> {
        let body = serde_json::json!({ "RestartPolicy": { "Name": name } }).to_string();
        self.call(&Request::post(format!("/containers/{id}/update")).json(&body)).await.map(drop)
    }

    /// `DELETE /containers/{id}?v=`, never forced.
    pub async fn remove_container(&self, id: &str, anonymous_volumes: bool) -> Result<(), Error> {
        let v = if anonymous_volumes { "1" } else { "0" };
        self.call(&Request::delete(format!("/containers/{id}")).query("v", v).within(WORK)).await.map(drop)
    }

    /// `POST /networks/{id}/connect` with this `EndpointConfig` (JSON).
    pub async fn connect_network(&self, network: &str, container: &str, endpoint: &str) -> Result<(), Error> {
        let container = serde_json::Value::from(container);
        let body = format!("{{\"Container\":{container},\"EndpointConfig\":{endpoint}}}");
        self.call(&Request::post(format!("/networks/{network}/connect")).json(&body)).await.map(drop)
    }

    /// `POST /networks/{id}/disconnect`.
    pub async fn disconnect_network(&self, network: &str, container: &str) -> Result<(), Error> {
        let body = serde_json::json!({ "Container": container }).to_string();
        self.call(&Request::post(format!("/networks/{network}/disconnect")).json(&body)).await.map(drop)
    }

    /// `GET /images/json`, intermediate layers left out.
    pub async fn images(&self) -> Result<Vec<Image>, Error> {
        self.list(&Request::get("/images/json")).await
    }

    /// `GET /images/{name}/json`, whole.
    pub async fn inspect_image(&self, name: &str) -> Result<Box<RawValue>, Error> {
        self.read(&Request::get(format!("/images/{name}/json"))).await
    }

    /// `POST /images/create`: pulls `reference`; an error that comes within the progress stream is an error here.
    pub async fn pull_image(&self, reference: &Reference, auth: Option<&str>) -> Result<(), Error> {
        let repository = reference.familiar_name();
        // Docker takes a digest in the place of the tag; without any it would pull all tags.
        let version = reference.digest.as_deref().or(reference.tag_or_latest()).unwrap_or("latest");
        let request = Request::post("/images/create").query("fromImage", &repository).query("tag", version);
        let request = request.auth(auth).within(REGISTRY);
        let mut progress = self.stream(&request, Some(PULL_PAUSE)).await?;
        while let Some(line) = progress.line().await? {
            if let Some(cause) = failure(line) {
                return Err(Error { call: request.call(), cause });
            }
        }
        Ok(())
    }

    /// `DELETE /images/{name or ID}`, never forced.
    pub async fn remove_image(&self, name: &str) -> Result<(), Error> {
        self.call(&Request::delete(format!("/images/{name}")).within(WORK)).await.map(drop)
    }

    /// `GET /volumes?filters={"dangling":["true"]}`: those that no container names.
    pub async fn dangling_volumes(&self) -> Result<Vec<Volume>, Error> {
        let volumes: Volumes = self.read(&Request::get("/volumes").filter("dangling", "true")).await?;
        Ok(volumes.volumes.unwrap_or_default())
    }

    /// `DELETE /volumes/{name}`, never forced.
    pub async fn remove_volume(&self, name: &str) -> Result<(), Error> {
        self.call(&Request::delete(format!("/volumes/{name}")).within(WORK)).await.map(drop)
    }

    /// `POST /build/prune`: dangling build cache unused for `older_than`; bytes freed.
    pub async fn prune_build_cache(&self, older_than: Duration) -> Result<u64, Error> {
        #[derive(Deserialize)]
        struct Pruned {
            #[serde(rename = "SpaceReclaimed", default)]
            space_reclaimed: u64,
        }
        let until = format!("{}s", older_than.as_secs());
        let request = Request::post("/build/prune").filter("until", &until).within(WORK);
        self.read(&request).await.map(|Pruned { space_reclaimed }| space_reclaimed)
    }

    /// `GET /events?since=` (unix nanoseconds; nothing for from now on): one JSON object a line.
    pub async fn events(&self, since: Option<u64>) -> Result<Stream, Error> {
        self.stream(&since_moment(Request::get("/events"), since), None).await
    }

    /// The same of these actions only (of some, beginnings are enough: `health_status`).
    pub async fn events_of(&self, since: u64, actions: &[&str]) -> Result<Stream, Error> {
        let filters = serde_json::json!({ "event": actions }).to_string();
        let request = Request::get("/events").query("filters", &filters);
        self.stream(&since_moment(request, Some(since)), None).await
    }

    /// `GET /containers/{id}/logs` from `since` (unix nanoseconds) on, as long as it runs: raw for a container with a
    /// terminal, [`log_frames`](super::log_frames) else; the moment stands in front of each line. 501 where its log driver
    /// keeps nothing.
    pub async fn follow_logs(&self, id: &str, since: u64) -> Result<Stream, Error> {
        let mut request = Request::get(format!("/containers/{id}/logs"));
        for flag in ["follow", "stdout", "stderr", "timestamps"] {
            request = request.query(flag, "1");
        }
        self.stream(&since_moment(request, Some(since)), None).await
    }

    /// The list in the answer; Go may write an empty one as `null`.
    async fn list<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<Vec<T>, Error> {
        self.read::<Option<Vec<T>>>(request).await.map(Option::unwrap_or_default)
    }

    /// The JSON of the answer.
    async fn read<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<T, Error> {
        let body = self.call(request).await?;
        serde_json::from_slice(&body).map_err(|error| {
            let what = format!("not the JSON that was expected: {error}");
            Error { call: request.call(), cause: Cause::Malformed(what) }
        })
    }
}

/// With `since=`, as Docker reads a moment: seconds and nine digits of a fraction.
fn since_moment(request: Request<'_>, since: Option<u64>) -> Request<'_> {
    const SECOND: u64 = 1_000_000_000;
    match since {
        Some(nanos) => request.query("since", &format!("{}.{:09}", nanos / SECOND, nanos % SECOND)),
        None => request,
    }
}

/// What `/distribution` looks up: the tag where there is one, the digest else.
fn tagged(reference: &Reference) -> String {
    match (reference.tag_or_latest(), &reference.digest) {
        (None, Some(digest)) => format!("{}@{digest}", reference.familiar_name()),
        (Some(_), _) | (None, None) => reference.familiar_tagged(),
    }
}

/// The error that a line of a pull's progress tells of.
fn failure(line: &[u8]) -> Option<Cause> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Progress {
        error: Option<String>,
        #[serde(rename = "errorDetail")]
        detail: Option<Detail>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Detail {
        message: String,
    }
    match serde_json::from_slice(line) {
        Ok(Progress { error, detail }) => {
            let message = error.or(detail.map(|detail| detail.message))?;
            Some(Cause::Failed(one_line(&message)))
        }
        Err(error) => Some(Cause::Malformed(format!("not the progress of a pull: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_that_failed_says_so_in_its_progress() {
        let words = |line: &[u8]| failure(line).map(|cause| format!("{cause:?}"));
        assert_eq!(words(br#"{"status":"Pulling from library/app","id":"latest"}"#), None);
        assert_eq!(words(br#"{"status":"","progressDetail":{"current":1,"total":2},"error":null}"#), None);
        let both = br#"{"errorDetail":{"code":1,"message":"long"},"error":"manifest\nunknown"}"#;
        assert_eq!(words(both).unwrap(), "Failed(\"manifest unknown\")");
        assert_eq!(words(br#"{"errorDetail":{"message":"long"}}"#).unwrap(), "Failed(\"long\")");
        assert!(words(b"<html>").unwrap().starts_with("Malformed"));
    }

    #[test]
    fn a_tag_is_looked_up_before_a_digest() {
        let d = format!("sha256:{}", "0".repeat(64));
        for (text, name) in [
            ("nginx".to_owned(), "nginx:latest".to_owned()),
            (format!("nginx:1.25@{d}"), "nginx:1.25".to_owned()),
            (format!("10.0.10.40:5000/app@{d}"), format!("10.0.10.40:5000/app@{d}")),
        ] {
            assert_eq!(tagged(&Reference::parse(&text).unwrap()), name);
        }
    }
}
