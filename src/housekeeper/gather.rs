//! What the page shows, looked up while somebody looks: the VIP process over its socket (`vip`), dockerd (`docker`), this
//! machine (`machine`), the other nodes (`peers`). Each has a task of its own that sleeps while nobody asks (`source`):
//! however many requests come, each is asked at most so often, and no request waits for one that hangs.

mod ceph;
mod docker;
mod machine;
mod peers;
mod source;
mod vip;

use super::desk::Desk;
use super::services;
use crate::ceph::run::Known;
use crate::flags::Housekeeping;
use crate::report::document::{self, Heard, Seen};
use crate::report::health::{self, Sent};
use crate::report::metrics;
use crate::report::node::{Board, Disk, Docker, Node, Shipping};
use crate::report::status::Status;
use crate::sys::clock;
use crate::syslog::run::Shipped;
use crate::tasks::spawn;
use crate::time::Time;
use core::cell::RefCell;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use peers::Peer;
use smol::{LocalExecutor, Timer, future};
use source::{Look, Source};
use std::rc::Rc;

/// The VIP process is asked so often at most, however many ask here.
const VIP_GOOD_FOR: Duration = Duration::from_millis(500);
/// dockerd, too: listing services is work on a manager.
const DOCKER_GOOD_FOR: Duration = Duration::from_secs(3);
/// Disks and board.
const MACHINE_GOOD_FOR: Duration = Duration::from_secs(2);
/// A request waits so long for something new to be known, then takes what is: with the rest of its way it is answered
/// within a second, whatever hangs.
const PATIENCE: Duration = Duration::from_millis(700);
/// The same where peers are asked, which wait so long themselves.
const PEERS_PATIENCE: Duration = Duration::from_millis(850);
/// A document that was made is given to all who ask for so long: a thousand requests a second are two documents.
const KEPT_FOR: Duration = Duration::from_millis(500);
/// What the VIP process said says nothing of now when it is older: it has been asked since, and is silent.
const STALE: Duration = Duration::from_secs(3);
/// Where Docker's data is until dockerd says so.
const DOCKER_ROOT: &str = "/var/lib/docker";

/// Why there is nothing before the first answer.
const SILENT: &str = "the process that holds the VIP has not answered yet";

/// A document, and when it was made.
type Kept = RefCell<Option<(Time, Rc<str>)>>;

/// A look at this machine.
#[derive(Clone)]
struct Machine {
    at: Time,
    disks: Vec<Disk>,
    board: Option<Board>,
}

/// All of it.
pub struct Gathered<'a> {
    jobs: &'a Housekeeping,
    desk: &'a Desk<'a>,
    ceph: &'a Known,
    outbox: &'a Shipped,
    vip: Source,
    status: RefCell<Option<Box<Status>>>,
    docker: Source,
    told: RefCell<docker::Told>,
    machine: RefCell<Option<Machine>>,
    peers: Vec<Peer>,
    sent: RefCell<Sent>,
    kept_status: Kept,
    kept_cluster: Kept,
    kept_metrics: Kept,
}

impl<'a> Gathered<'a> {
    /// Nothing is known yet, and nothing looked up before somebody asks.
    pub fn new(jobs: &'a Housekeeping, desk: &'a Desk<'a>, ceph: &'a Known, outbox: &'a Shipped) -> Self {
        let port = jobs.listen.map_or(0, |listen| listen.port());
        let place = |node| Peer::new(SocketAddr::new(node, port));
        Self {
            jobs,
            desk,
            ceph,
            outbox,
            vip: Source::new(VIP_GOOD_FOR),
            status: RefCell::default(),
            docker: Source::new(DOCKER_GOOD_FOR),
            told: RefCell::default(),
            machine: RefCell::default(),
            peers: peers::asked(&jobs.nodes).map(place).collect(),
            sent: RefCell::default(),
            kept_status: Kept::default(),
            kept_cluster: Kept::default(),
            kept_metrics: Kept::default(),
        }
    }

    /// Looks things up as they are asked for, until dropped.
    pub async fn run(&self) {
        let vip = || -> Look<'_> { Box::pin(self.ask_vip()) };
        let docker = || -> Look<'_> { Box::pin(docker::ask(&self.jobs.docker, &self.told)) };
        let asked: Vec<_> =
            self.peers.iter().map(|peer| move || -> Look<'_> { Box::pin(peer.ask()) }).collect();
        let tasks = LocalExecutor::new();
        spawn(&tasks, self.vip.run(&vip));
        spawn(&tasks, self.docker.run(&docker));
        for (peer, ask) in self.peers.iter().zip(&asked) {
            spawn(&tasks, peer.source.run(ask));
        }
        tasks.run(future::pending::<()>()).await;
    }

    async fn ask_vip(&self) -> Result<(), String> {
        let status = vip::ask(&self.jobs.run_dir).await?;
        self.sent.borrow_mut().note(&status);
        *self.status.borrow_mut() = Some(status);
        Ok(())
    }

    /// `/status.json`.
    ///
    /// # Errors
    /// In words, while the VIP process has never answered.
    pub async fn status(&self) -> Result<Rc<str>, String> {
        if let Some(kept) = young(&self.kept_status) {
            return Ok(kept);
        }
        self.wait_for_own().await;
        self.own()
    }

    /// `/metrics`.
    ///
    /// # Errors
    /// As for [`status`](Self::status).
    pub async fn metrics(&self) -> Result<Rc<str>, String> {
        if let Some(kept) = young(&self.kept_metrics) {
            return Ok(kept);
        }
        self.wait_for_own().await;
        let status = self.complete()?;
        let sums = self.desk.memory.borrow().sums;
        let text = metrics::write(&status, &self.node(), &sums, self.judge().is_ok());
        Ok(keep(&self.kept_metrics, text))
    }

    /// `/healthz`: a line for each router.
    ///
    /// # Errors
    /// The same, or why nothing is known, where adverts do not flow.
    pub async fn health(&self) -> Result<String, String> {
        within(PATIENCE, self.vip.fresh()).await;
        self.judge()
    }

    fn judge(&self) -> Result<String, String> {
        let now = clock::now();
        let silent = || self.vip.trouble(now).unwrap_or_else(|| SILENT.to_owned());
        if self.vip.failed() || self.vip.age(now).is_none_or(|age| age >= STALE) {
            return Err(silent() + "\n");
        }
        self.status
            .borrow()
            .as_ref()
            .map_or_else(|| Err(silent() + "\n"), |status| health::judge(status, &self.sent.borrow()))
    }

    /// `/cluster.json`.
    pub async fn cluster(&self) -> Rc<str> {
        if let Some(kept) = young(&self.kept_cluster) {
            return kept;
        }
        let asked = async {
            self.docker.not_before(self.desk.memory.borrow().turned);
            // Who this node is, is known then: it does not ask itself.
            self.vip.fresh().await;
            let own = self.own_addrs();
            let others = self.peers.iter().filter(|peer| !own.contains(&peer.addr.ip()));
            let sources: Vec<&Source> = others.map(|peer| &peer.source).chain([&self.docker]).collect();
            // All of them at once.
            for source in &sources {
                source.wake();
            }
            // One that failed last time is not waited for: a page would be late as long as a node is down.
            for source in sources.into_iter().filter(|source| !source.failed()) {
                source.fresh().await;
            }
        };
        within(PEERS_PATIENCE, asked).await;
        let (own, own_error) = match self.own() {
            Ok(own) => (Some(own), None),
            Err(error) => (None, Some(error)),
        };
        let now = clock::now();
        let own_addrs = self.own_addrs();
        let this = |addr| Seen {
            addr,
            own: true,
            age: own.is_some().then_some(Duration::ZERO),
            error: own_error.as_deref(),
            status: own.as_deref(),
        };
        let told: Vec<_> =
            self.peers.iter().map(|peer| (peer.source.trouble(now), peer.status.borrow())).collect();
        let mut seen: Vec<Seen> = self
            .peers
            .iter()
            .zip(&told)
            .map(|(peer, (error, status))| {
                let addr = peer.addr.ip();
                if own_addrs.contains(&addr) {
                    return this(addr);
                }
                let age = peer.source.age(now);
                let error = error.as_deref().or(age.is_none().then_some("no answer yet"));
                Seen { addr, own: false, age, error, status: status.as_deref() }
            })
            .collect();
        if !seen.iter().any(|node| node.own) {
            let listen = self.jobs.listen.map_or(IpAddr::from([0, 0, 0, 0]), |listen| listen.ip());
            seen.insert(0, this(own_addrs.first().copied().unwrap_or(listen)));
        }
        keep(&self.kept_cluster, document::cluster(&seen, clock::unix_micros() / 1000))
    }

    async fn wait_for_own(&self) {
        self.docker.not_before(self.desk.memory.borrow().turned);
        within(PATIENCE, future::zip(self.vip.fresh(), self.docker.fresh())).await;
    }

    fn own(&self) -> Result<Rc<str>, String> {
        if let Some(kept) = young(&self.kept_status) {
            return Ok(kept);
        }
        let status = self.complete()?;
        let now = clock::now();
        let heard = Heard { age: self.vip.age(now).unwrap_or_default(), error: self.vip.trouble(now) };
        let text = document::status(&status, &heard, &self.node(), clock::unix_micros() / 1000);
        Ok(keep(&self.kept_status, text))
    }

    /// What the VIP process said last, as of now, with what this process knows better.
    fn complete(&self) -> Result<Box<Status>, String> {
        let now = clock::now();
        let silent = || self.vip.trouble(now).unwrap_or_else(|| SILENT.to_owned());
        let mut status = self.status.borrow().clone().ok_or_else(silent)?;
        status.now = now;
        status.rounds = self.desk.rounds();
        status.events.extend(self.desk.memory.borrow().events.to_vec());
        status.events.sort_by_key(|event| event.at);
        Ok(status)
    }

    /// The addresses this node's adverts come from.
    fn own_addrs(&self) -> Vec<IpAddr> {
        let status = self.status.borrow();
        status.iter().flat_map(|status| &status.routers).filter_map(|router| router.source).collect()
    }

    /// What is known beside the VIP.
    fn node(&self) -> Node {
        let now = clock::now();
        let told = self.told.borrow();
        let root = told.engine.as_ref().map_or(DOCKER_ROOT, |engine| &engine.root_dir);
        let Machine { at: _, disks, board } = self.machine(root, now);
        let error = self.docker.trouble(now);
        let age = self.docker.age(now).map(crate::report::json::ms);
        let docker = Docker { error, age, engine: told.engine.clone() };
        let mut swarm = told.swarm.clone();
        if let (Some(swarm), Some(listed)) = (&mut swarm, &told.services) {
            swarm.services = Some(services::describe(listed, &self.desk.memory.borrow()));
        }
        Node {
            docker: (docker != Docker::default()).then_some(docker),
            swarm,
            disks,
            board,
            ceph: (!self.jobs.ceph.is_empty()).then(|| self.ceph.with(|look| ceph::storage(look, now))),
            syslog: self.shipping(),
        }
    }

    fn shipping(&self) -> Option<Shipping> {
        let target = &self.jobs.syslog.as_ref()?.target;
        let Some(stats) = self.outbox.borrow().as_ref().map(|outbox| outbox.stats()) else {
            let error = Some("not begun yet".to_owned());
            return Some(Shipping { target: target.to_string(), error, ..Shipping::default() });
        };
        Some(Shipping {
            target: stats.target,
            connected: stats.connected,
            sent: stats.sent,
            dropped: stats.dropped,
            queued: stats.queued as u64,
            error: stats.error,
        })
    }

    fn machine(&self, docker_root: &str, now: Time) -> Machine {
        let mut kept = self.machine.borrow_mut();
        if let Some(machine) = kept.as_ref().filter(|machine| now.since(machine.at) < MACHINE_GOOD_FOR) {
            return machine.clone();
        }
        let disks = machine::disks(docker_root, &self.jobs.state_dir);
        let machine = Machine { at: now, disks, board: machine::board() };
        *kept = Some(machine.clone());
        machine
    }
}

/// The document, if it was made a moment ago.
fn young(kept: &Kept) -> Option<Rc<str>> {
    let kept = kept.borrow();
    let (at, text) = kept.as_ref()?;
    (clock::now().since(*at) < KEPT_FOR).then(|| Rc::clone(text))
}

fn keep(kept: &Kept, text: String) -> Rc<str> {
    let text: Rc<str> = text.into();
    *kept.borrow_mut() = Some((clock::now(), Rc::clone(&text)));
    text
}

/// `work`, or what there is of it by then.
async fn within<T>(limit: Duration, work: impl Future<Output = T>) {
    let work = async {
        work.await;
    };
    let late = async {
        Timer::after(limit).await;
    };
    future::or(work, late).await;
}
