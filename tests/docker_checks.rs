//! The checks `docker` and `swarm` against a fake dockerd that fails, hangs, dies and comes back.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "other tests need the rest")]
mod dockerd;

use dockerd::{Dockerd, Reply};
use smol::channel::{Receiver, Sender, unbounded};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use unsinkable::ceph::run::Known;
use unsinkable::checks::health::{Reason, Verdict};
use unsinkable::checks::{Kind, Track};
use unsinkable::housekeeper::checks::run;

/// No verdict may take longer, on a machine busy with builds.
const PATIENCE: Duration = Duration::from_secs(20);
const NODES: &str = r#"[{"ID":"a","ManagerStatus":{"Leader":true,"Reachability":"reachable"}},{"ID":"b"}]"#;
const NO_LEADER: &str = r#"{"message":"rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online."}"#;
const NO_MANAGER: &str = r#"{"message":"This node is not a swarm manager."}"#;

fn track(kind: Kind) -> Track {
    let (interval, timeout) = (Duration::from_millis(20), Duration::from_millis(400));
    Track { kind, interval, weight: None, rise: 1, fall: 1, timeout }
}

/// Checks at work until dropped.
struct Watch {
    told: Receiver<(u8, Verdict)>,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn new(kinds: Vec<Kind>, socket: &Path) -> Self {
        let tracks: Vec<_> = (3..).zip(kinds.into_iter().map(track)).collect();
        let (tell, told) = unbounded();
        let (stop, stopped) = smol::channel::bounded::<()>(1);
        let socket = socket.to_owned();
        let thread = thread::spawn(move || {
            let tell = |place, verdict| tell.send_blocking((place, verdict)).unwrap();
            smol::block_on(smol::future::or(run(&tracks, &socket, &Known::default(), tell), async {
                let _ = stopped.recv().await;
            }));
        });
        Self { told, stop, thread: Some(thread) }
    }

    /// Waits until the check at `place` finds this.
    fn finds(&self, place: u8, reason: Reason) -> Verdict {
        let (end, mut last) = (Instant::now() + PATIENCE, None);
        while Instant::now() < end {
            let (from, verdict) = self.told.recv_blocking().unwrap();
            if from == place && verdict.reason == reason {
                return verdict;
            }
            last = Some(verdict);
        }
        panic!("no {reason:?}, but {last:?}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.stop.send_blocking(());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn a_dockerd_that_dies_and_comes_back() {
    let mut dockerd = Dockerd::start("checks-dies", |_| Reply::json(500, "{}"));
    let watch = Watch::new(vec![Kind::File("/".into()), Kind::Docker], dockerd.path());
    assert!(watch.finds(4, Reason::Answered(200)).well);
    dockerd.kill();
    assert!(!watch.finds(4, Reason::Os(libc::ECONNREFUSED)).well);
    dockerd.boot();
    assert!(watch.finds(4, Reason::Answered(200)).well);
}

#[test]
fn a_socket_that_is_not_there() {
    let watch = Watch::new(vec![Kind::Docker, Kind::Swarm], Path::new("/nonexistent/docker.sock"));
    assert!(!watch.finds(3, Reason::Os(libc::ENOENT)).well);
    assert!(!watch.finds(4, Reason::Os(libc::ENOENT)).well);
}

#[test]
fn a_swarm_with_and_without_a_leader() {
    let dockerd = Dockerd::start("checks-swarm", |_| Reply::json(200, NODES));
    let watch = Watch::new(vec![Kind::Swarm, Kind::Docker], dockerd.path());
    assert!(watch.finds(3, Reason::Leader).well);
    dockerd.script(|_| Reply::json(500, NO_LEADER));
    assert!(!watch.finds(3, Reason::NoLeader).well);
    assert!(watch.finds(4, Reason::Answered(200)).well, "dockerd itself answers");
    for (state, reason) in [
        ("active", Reason::Worker),
        ("inactive", Reason::NoSwarm),
        ("locked", Reason::Locked),
        ("error", Reason::SwarmError),
    ] {
        dockerd.script(move |asked| {
            if asked.line.contains("/info") {
                Reply::json(200, &format!("{{\"Swarm\":{{\"LocalNodeState\":\"{state}\"}}}}"))
            } else {
                Reply::json(503, NO_MANAGER)
            }
        });
        assert_eq!(watch.finds(3, reason).well, reason == Reason::Worker, "{state}");
    }
    dockerd.script(|_| Reply::json(200, "nonsense"));
    assert!(!watch.finds(3, Reason::NotHttp).well);
}

#[test]
fn a_dockerd_that_hangs_costs_the_timeout_and_is_well_when_it_wakes() {
    let hour = Duration::from_hours(1);
    let dockerd = Dockerd::start("checks-hangs", |_| Reply::json(200, NODES));
    let watch = Watch::new(vec![Kind::Swarm], dockerd.path());
    assert!(watch.finds(3, Reason::Leader).well);
    dockerd.script(move |_| Reply::json(200, NODES).paced(30, hour));
    let failed = watch.finds(3, Reason::Timeout);
    assert!(!failed.well);
    dockerd.script(|_| Reply::json(200, NODES));
    let well = watch.finds(3, Reason::Leader);
    assert!(well.well && well.since > failed.since);
}
