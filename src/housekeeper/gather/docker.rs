//! Asks dockerd what it is, and on a manager who is in the Swarm and what runs there.

use super::super::services::{self, Listed};
use crate::docker::api::{Info, Node};
use crate::docker::client::Limits;
use crate::docker::{Client, Error};
use crate::report::node::{Engine, Member, Swarm};
use core::cell::RefCell;
use core::time::Duration;
use std::path::Path;

/// A page has no use for what comes later; a round has more patience.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(2),
    answer: Duration::from_secs(10),
    pause: Duration::from_secs(5),
    body: Duration::from_secs(10),
    size: 8 * 1024 * 1024,
    restart: Duration::ZERO,
};

/// What it said last.
#[derive(Debug, Default)]
pub struct Told {
    /// Of itself.
    pub engine: Option<Engine>,
    /// Of the Swarm but for its services; nothing without one.
    pub swarm: Option<Swarm>,
    /// Nothing where this node lists none.
    pub services: Option<Vec<Listed>>,
}

/// Asks, over a connection that goes again.
///
/// # Errors
/// In words, when not even `/info` is answered; what is wrong with the Swarm stands in it.
pub async fn ask(socket: &Path, told: &RefCell<Told>) -> Result<(), String> {
    let docker = Client::with_limits(socket, LIMITS);
    let info = docker.info().await.map_err(|error| error.to_string())?;
    let mut services = None;
    let swarm = swarm(&docker, &info, &mut services).await;
    *told.borrow_mut() = Told { engine: Some(engine(info, &docker)), swarm, services };
    Ok(())
}

fn engine(info: Info, docker: &Client) -> Engine {
    Engine {
        name: info.name,
        version: info.server_version,
        api_version: docker.api_version().unwrap_or_default(),
        os: info.operating_system,
        architecture: info.architecture,
        cpus: info.cpus,
        memory: info.mem_total,
        containers: info.containers,
        running: info.containers_running,
        paused: info.containers_paused,
        stopped: info.containers_stopped,
        images: info.images,
        driver: info.driver,
        root_dir: info.docker_root_dir,
    }
}

async fn swarm(docker: &Client, info: &Info, services: &mut Option<Vec<Listed>>) -> Option<Swarm> {
    let told = &info.swarm;
    if matches!(told.local_node_state.as_str(), "" | "inactive") {
        return None;
    }
    let mut swarm = Swarm {
        state: told.local_node_state.clone(),
        node_id: told.node_id.clone(),
        manager: told.control_available,
        error: Some(told.error.clone()).filter(|error| !error.is_empty()),
        members: None,
        services: None,
    };
    if swarm.manager {
        let listed = list(docker, &mut swarm, services).await;
        swarm.error = swarm.error.or(listed.err().map(|error| error.to_string()));
    }
    Some(swarm)
}

async fn list(docker: &Client, swarm: &mut Swarm, services: &mut Option<Vec<Listed>>) -> Result<(), Error> {
    let nodes = docker.nodes().await?;
    swarm.members = Some(nodes.into_iter().map(member).collect());
    *services = Some(services::listed(&docker.services().await?));
    Ok(())
}

fn member(node: Node) -> Member {
    Member {
        id: node.id,
        name: node.description.hostname,
        addr: node.status.addr,
        role: node.spec.role,
        leader: node.manager_status.is_some_and(|status| status.leader),
        availability: node.spec.availability,
        state: node.status.state,
        version: node.description.engine.engine_version,
        architecture: node.description.platform.architecture,
    }
}
