//! The checks `docker` and `swarm`: looked at here, where Docker may hang without harm, told to the VIP process.

use crate::checks::health::{Reason, Verdict};
use crate::checks::run::watch_with;
use crate::checks::{Kind, Track};
use crate::docker::error::Cause;
use crate::docker::{Client, Error};
use crate::tasks::spawn;
use core::future::pending;
use smol::LocalExecutor;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Watches these tracks, each with its place among the daemon's, until dropped. Each has a connection of its own: a
/// check must not wait in line behind a round.
pub async fn run(tracks: &[(u8, Track)], socket: &Path, tell: impl Fn(u8, Verdict)) {
    let tell = &tell;
    let tasks = LocalExecutor::new();
    for (place, track) in tracks.iter().filter(|(_, track)| track.kind.is_the_housekeepers()) {
        let docker = Client::new(socket);
        let look = async move || look(&track.kind, &docker).await;
        spawn(&tasks, watch_with(track, look, move |verdict| tell(*place, verdict)));
    }
    tasks.run(pending::<()>()).await;
}

async fn look(kind: &Kind, docker: &Client) -> Reason {
    match kind {
        Kind::Docker => docker.ping().await.map_or_else(|error| reason(&error), |()| Reason::Answered(200)),
        Kind::Swarm => swarm(docker).await,
        Kind::Ceph => Reason::Stale,
        // Filtered above: the VIP process looks at these.
        Kind::Process(_)
        | Kind::Tcp(_)
        | Kind::Http { .. }
        | Kind::Exec(_)
        | Kind::File(_)
        | Kind::Interface(_)
        | Kind::Disk(_)
        | Kind::Board { .. } => Reason::Stale,
    }
}

/// A manager with a leader, or a worker. Only managers list the nodes; without a quorum they answer 500 "The swarm does
/// not have a leader".
async fn swarm(docker: &Client) -> Reason {
    match docker.nodes().await {
        Ok(nodes) => {
            let leads =
                nodes.iter().filter_map(|node| node.manager_status.as_ref()).any(|status| status.leader);
            if leads { Reason::Leader } else { Reason::NoLeader }
        }
        Err(error) if error.status() == Some(503) => match docker.info().await {
            Ok(info) => membership(&info.swarm.local_node_state, info.swarm.control_available),
            Err(error) => reason(&error),
        },
        Err(error) if error.status() == Some(500) && error.to_string().contains("does not have a leader") => {
            Reason::NoLeader
        }
        Err(error) => reason(&error),
    }
}

/// What a node that does not list nodes says of itself.
fn membership(state: &str, manager: bool) -> Reason {
    match (state, manager) {
        ("active", false) => Reason::Worker,
        // It lists nothing although it should.
        ("active", true) => Reason::NoLeader,
        ("inactive", _) => Reason::NoSwarm,
        ("locked", _) => Reason::Locked,
        (_, _) => Reason::SwarmError,
    }
}

fn reason(error: &Error) -> Reason {
    match &error.cause {
        Cause::Status { status, .. } => Reason::Status(*status),
        Cause::Io(error) => Reason::Os(errno(error)),
        Cause::Deadline(_) => Reason::Timeout,
        Cause::Malformed(_) | Cause::Failed(_) | Cause::Version(_) => Reason::NotHttp,
    }
}

/// The client's errors name the socket and what to do, and have no number any more.
fn errno(error: &io::Error) -> i32 {
    let known = [
        (ErrorKind::NotFound, libc::ENOENT),
        (ErrorKind::ConnectionRefused, libc::ECONNREFUSED),
        (ErrorKind::PermissionDenied, libc::EACCES),
        (ErrorKind::ConnectionReset, libc::ECONNRESET),
        (ErrorKind::BrokenPipe, libc::EPIPE),
    ];
    let by_kind = known.iter().find(|(kind, _)| *kind == error.kind()).map(|(_, errno)| *errno);
    error.raw_os_error().or(by_kind).unwrap_or(libc::EIO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_well_and_a_node_outside_is_not() {
        for (state, manager, expected) in [
            ("active", false, Reason::Worker),
            ("active", true, Reason::NoLeader),
            ("inactive", false, Reason::NoSwarm),
            ("locked", false, Reason::Locked),
            ("error", false, Reason::SwarmError),
            ("pending", false, Reason::SwarmError),
            ("", false, Reason::SwarmError),
        ] {
            assert_eq!(membership(state, manager), expected, "{state}");
        }
    }

    #[test]
    fn a_docker_that_is_not_there_is_named_by_its_errno() {
        let call = String::new();
        let gone = std::io::Error::from_raw_os_error(libc::ECONNREFUSED);
        assert_eq!(
            reason(&Error { call: call.clone(), cause: Cause::Io(gone) }),
            Reason::Os(libc::ECONNREFUSED)
        );
        let status = Cause::Status { status: 500, message: String::new() };
        assert_eq!(reason(&Error { call, cause: status }), Reason::Status(500));
    }
}
