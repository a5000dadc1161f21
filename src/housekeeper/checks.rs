//! The checks `docker`, `swarm` and `ceph`: looked at here, where Docker may hang without harm, told to the VIP process.
//!
//! `ceph` has failed at `HEALTH_ERR`, which every node sees alike, and when no manager has answered from here for
//! [`CEPH_SILENCE`], which is this node's own trouble and what a weight is for. `HEALTH_WARN` is well: a cluster that mends
//! itself after a disk has died works.

use crate::ceph::run::Known;
use crate::ceph::{self, Health};
use crate::checks::health::{Reason, Verdict};
use crate::checks::run::watch_with;
use crate::checks::{Kind, Track};
use crate::docker::error::Cause;
use crate::docker::{Client, Error};
use crate::sys::clock;
use crate::tasks::spawn;
use crate::time::Time;
use core::future::pending;
use core::time::Duration;
use smol::{LocalExecutor, Timer};
use std::io::{self, ErrorKind};
use std::path::Path;

/// How long Ceph's last answer counts while no manager answers: a standby takes over after 30 s
/// (`mon_mgr_beacon_grace`), and then has to gather.
const CEPH_SILENCE: Duration = Duration::from_secs(60);
/// Between two looks for the first answer.
const SOON: Duration = Duration::from_millis(100);

/// Watches these tracks, each with its place among the daemon's, until dropped. Each has a connection of its own: a
/// check must not wait in line behind a round.
pub async fn run(tracks: &[(u8, Track)], socket: &Path, ceph: &Known, tell: impl Fn(u8, Verdict)) {
    let tell = &tell;
    let tasks = LocalExecutor::new();
    for (place, track) in tracks.iter().filter(|(_, track)| track.kind.is_the_housekeepers()) {
        let docker = Client::new(socket);
        let look = async move || look(&track.kind, &docker, ceph).await;
        spawn(&tasks, watch_with(track, look, move |verdict| tell(*place, verdict)));
    }
    tasks.run(pending::<()>()).await;
}

async fn look(kind: &Kind, docker: &Client, ceph: &Known) -> Reason {
    match kind {
        Kind::Docker => docker.ping().await.map_or_else(|error| reason(&error), |()| Reason::Answered(200)),
        Kind::Swarm => swarm(docker).await,
        Kind::Ceph => storage(ceph).await,
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

/// Waits for the first round of asking, no longer than the look may take.
async fn storage(ceph: &Known) -> Reason {
    while ceph.with(|look| look.asked.is_none()) {
        Timer::after(SOON).await;
    }
    ceph.with(|look| state(look, clock::now()))
}

fn state(look: &ceph::run::Look, now: Time) -> Reason {
    match &look.answer {
        Some((ceph, at)) if look.error.is_none() || now.since(*at) < CEPH_SILENCE => match ceph.health {
            Health::Ok => Reason::CephOk,
            Health::Warn => Reason::CephWarn,
            Health::Error => Reason::CephError,
        },
        Some(_) | None => Reason::NoManager,
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
        // A worker, or in no Swarm.
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
    fn ceph_has_failed_at_an_error_and_after_a_minute_of_silence() {
        let at = |seconds: u64| Time::from_micros(seconds * 1_000_000);
        let ceph = |health| ceph::Ceph {
            health,
            checks: Vec::new(),
            osds: ceph::Osds::default(),
            total_bytes: 0,
            used_bytes: 0,
            monitors: (1, 1),
            version: None,
            versions: Vec::new(),
            manager: String::new(),
        };
        let look = |health, error: Option<&str>| ceph::run::Look {
            asked: Some(at(200)),
            answer: Some((ceph(health), at(100))),
            error: error.map(str::to_owned),
        };
        assert_eq!(state(&look(Health::Ok, None), at(101)), Reason::CephOk);
        assert_eq!(state(&look(Health::Warn, None), at(101)), Reason::CephWarn);
        assert_eq!(state(&look(Health::Error, None), at(101)), Reason::CephError);
        assert_eq!(state(&look(Health::Ok, Some("refused")), at(159)), Reason::CephOk);
        assert_eq!(state(&look(Health::Ok, Some("refused")), at(160)), Reason::NoManager);
        let never = ceph::run::Look { asked: Some(at(1)), answer: None, error: Some("refused".into()) };
        assert_eq!(state(&never, at(1)), Reason::NoManager);
        assert!(Reason::CephWarn.is_well() && !Reason::NoManager.is_well());
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
