//! Each call of the Engine API that this program makes, once.

use super::api::{Container, Distribution, Image, Info, Node, Service, Task, Volume};
use super::client::Stream;
use super::{Client, Error, Reference};
use serde_json::value::RawValue;

impl Client {
    /// `GET /info`.
    pub async fn info(&self) -> Result<Info, Error> {
        todo!()
    }

    /// `GET /_ping`: dockerd answers at all.
    pub async fn ping(&self) -> Result<(), Error> {
        todo!()
    }

    /// `GET /nodes`. 503 on a worker.
    pub async fn nodes(&self) -> Result<Vec<Node>, Error> {
        todo!()
    }

    /// `GET /services?status=true`. 503 on a worker.
    pub async fn services(&self) -> Result<Vec<Service>, Error> {
        todo!()
    }

    /// `GET /services/{id}`.
    pub async fn service(&self, id: &str) -> Result<Service, Error> {
        todo!()
    }

    /// `GET /tasks` of one service, its history included.
    pub async fn tasks(&self, service: &str) -> Result<Vec<Task>, Error> {
        todo!()
    }

    /// `POST /services/{id}/update`, registry credentials kept (`registryAuthFrom=spec`) unless `auth` brings new ones.
    pub async fn update_service(
        &self,
        id: &str,
        version: u64,
        spec: &str,
        auth: Option<&str>,
    ) -> Result<(), Error> {
        todo!()
    }

    /// The same with `rollback=previous`. `spec` must be the current one: only its name and mode are looked at.
    pub async fn roll_back_service(&self, id: &str, version: u64, spec: &str) -> Result<(), Error> {
        todo!()
    }

    /// `GET /distribution/{name}/json`: what the tag points at in its registry. `auth`: the value of `X-Registry-Auth`.
    pub async fn distribution(
        &self,
        reference: &Reference,
        auth: Option<&str>,
    ) -> Result<Distribution, Error> {
        todo!()
    }

    /// `GET /containers/json?all=1`.
    pub async fn containers(&self) -> Result<Vec<Container>, Error> {
        todo!()
    }

    /// `GET /containers/{id}/json`, whole.
    pub async fn inspect_container(&self, id: &str) -> Result<Box<RawValue>, Error> {
        todo!()
    }

    /// `POST /containers/create?name=`; the new container's ID.
    pub async fn create_container(&self, name: &str, body: &str) -> Result<String, Error> {
        todo!()
    }

    /// `POST /containers/{id}/start`; one that runs is fine.
    pub async fn start_container(&self, id: &str) -> Result<(), Error> {
        todo!()
    }

    /// `POST /containers/{id}/stop`, with the container's own signal and timeout; one that is stopped is fine.
    pub async fn stop_container(&self, id: &str) -> Result<(), Error> {
        todo!()
    }

    /// `POST /containers/{id}/rename?name=`.
    pub async fn rename_container(&self, id: &str, name: &str) -> Result<(), Error> {
        todo!()
    }

    /// `DELETE /containers/{id}?v=`, never forced.
    pub async fn remove_container(&self, id: &str, anonymous_volumes: bool) -> Result<(), Error> {
        todo!()
    }

    /// `POST /networks/{id}/connect` with this `EndpointConfig` (JSON).
    pub async fn connect_network(&self, network: &str, container: &str, endpoint: &str) -> Result<(), Error> {
        todo!()
    }

    /// `POST /networks/{id}/disconnect`.
    pub async fn disconnect_network(&self, network: &str, container: &str) -> Result<(), Error> {
        todo!()
    }

    /// `GET /images/json`, intermediate layers left out.
    pub async fn images(&self) -> Result<Vec<Image>, Error> {
        todo!()
    }

    /// `GET /images/{name}/json`, whole.
    pub async fn inspect_image(&self, name: &str) -> Result<Box<RawValue>, Error> {
        todo!()
    }

    /// `POST /images/create`: pulls `reference`; an error that comes within the progress stream is an error here.
    pub async fn pull_image(&self, reference: &Reference, auth: Option<&str>) -> Result<(), Error> {
        todo!()
    }

    /// `DELETE /images/{name or ID}`, never forced.
    pub async fn remove_image(&self, name: &str) -> Result<(), Error> {
        todo!()
    }

    /// `GET /volumes?filters={"dangling":["true"]}`: those that no container names.
    pub async fn dangling_volumes(&self) -> Result<Vec<Volume>, Error> {
        todo!()
    }

    /// `DELETE /volumes/{name}`, never forced.
    pub async fn remove_volume(&self, name: &str) -> Result<(), Error> {
        todo!()
    }

    /// `POST /build/prune`: dangling build cache unused for `older_than`; bytes freed.
    pub async fn prune_build_cache(&self, older_than: core::time::Duration) -> Result<u64, Error> {
        todo!()
    }

    /// `GET /events?since=` (unix nanoseconds; nothing for from now on): one JSON object a line.
    pub async fn events(&self, since: Option<u64>) -> Result<Stream, Error> {
        todo!()
    }
}
