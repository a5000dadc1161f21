//! What the page shows, looked up while somebody looks: the VIP process over its socket (`vip`), dockerd (`docker`), this
//! machine (`machine`), the other nodes (`peers`). Each has a task of its own that sleeps while nobody asks (`source`):
//! however many requests come, each is asked at most so often, and no request waits for one that hangs.

mod docker;
mod machine;
mod peers;
mod source;
mod vip;

use super::desk::Desk;
use crate::ceph;
use crate::flags::Housekeeping;
use crate::report::document::{self, Heard, Seen};
use crate::report::node::{Board, Disk, Docker, Node};
use crate::report::status::Status;
use crate::sys::clock;
use crate::time::Time;
use core::cell::RefCell;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use peers::{MAX_PEERS, Peer};
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
/// Where Docker's data is until dockerd says so.
const DOCKER_ROOT: &str = "/var/lib/docker";

/// All of it.
pub struct Gathered<'a> {
    jobs: &'a Housekeeping,
    desk: &'a Desk<'a>,
    ceph: &'a ceph::run::Known,
    vip: Source,
    status: RefCell<Option<Box<Status>>>,
    docker: Source,
    told: RefCell<docker::Told>,
    machine: RefCell<Option<(Time, Vec<Disk>, Option<Board>)>>,
    peers: Vec<Peer>,
}

impl<'a> Gathered<'a> {
    /// Nothing is known yet, and nothing looked up before somebody asks.
    pub fn new(jobs: &'a Housekeeping, desk: &'a Desk<'a>, ceph: &'a ceph::run::Known) -> Self {
        let port = jobs.listen.map_or(0, |listen| listen.port());
        let place = |node: &IpAddr| Peer::new(SocketAddr::new(*node, port));
        Self {
            jobs,
            desk,
            ceph,
            vip: Source::new(VIP_GOOD_FOR),
            status: RefCell::default(),
            docker: Source::new(DOCKER_GOOD_FOR),
            told: RefCell::default(),
            machine: RefCell::default(),
            peers: jobs.nodes.iter().take(MAX_PEERS).map(place).collect(),
        }
    }

    /// Looks things up as they are asked for, until dropped.
    pub async fn run(&self) {
        let vip = || -> Look<'_> { Box::pin(self.ask_vip()) };
        let docker =
            || -> Look<'_> { Box::pin(docker::ask(&self.jobs.docker, &self.desk.memory, &self.told)) };
        let asked: Vec<_> =
            self.peers.iter().map(|peer| move || -> Look<'_> { Box::pin(peer.ask()) }).collect();
        let tasks = LocalExecutor::new();
        tasks.spawn(self.vip.run(&vip)).detach();
        tasks.spawn(self.docker.run(&docker)).detach();
        for (peer, ask) in self.peers.iter().zip(&asked) {
            tasks.spawn(peer.source.run(ask)).detach();
        }
        tasks.run(future::pending::<()>()).await;
    }

    async fn ask_vip(&self) -> Result<(), String> {
        let status = vip::ask(&self.jobs.run_dir).await?;
        *self.status.borrow_mut() = Some(status);
        Ok(())
    }

    /// `/status.json`.
    ///
    /// # Errors
    /// In words, while the VIP process has never answered.
    pub async fn status(&self) -> Result<Rc<str>, String> {
        self.wait_for_own().await;
        self.own().map(Rc::from)
    }

    /// `/cluster.json`.
    pub async fn cluster(&self) -> Rc<str> {
        let asked = async {
            // Who this node is, is known then: it does not ask itself.
            self.vip.fresh().await;
            let own = self.own_addrs();
            let others = self.peers.iter().filter(|peer| !own.contains(&peer.addr.ip()));
            let sources: Vec<&Source> = others.map(|peer| &peer.source).chain([&self.docker]).collect();
            // All of them at once.
            sources.iter().for_each(|source| _ = source.wake());
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
        document::cluster(&seen, clock::unix_micros() / 1000).into()
    }

    /// What the VIP process said last, and how that was learnt.
    pub async fn heard(&self) -> (Option<Box<Status>>, Heard) {
        within(PATIENCE, self.vip.fresh()).await;
        (self.status.borrow().clone(), self.how_heard())
    }

    async fn wait_for_own(&self) {
        within(PATIENCE, future::zip(self.vip.fresh(), self.docker.fresh())).await;
    }

    fn own(&self) -> Result<String, String> {
        let heard = self.how_heard();
        let Some(mut status) = self.status.borrow().clone() else {
            return Err(heard
                .error
                .unwrap_or_else(|| "the process that holds the VIP has not answered yet".to_owned()));
        };
        self.complete(&mut status);
        Ok(document::status(&status, &heard, &self.node(), clock::unix_micros() / 1000))
    }

    fn how_heard(&self) -> Heard {
        let now = clock::now();
        Heard { age: self.vip.age(now).unwrap_or_default(), error: self.vip.trouble(now) }
    }

    /// As of now, with what this process knows better.
    fn complete(&self, status: &mut Status) {
        status.now = clock::now();
        status.rounds = self.desk.rounds();
        status.events.extend(self.desk.memory.borrow().events.to_vec());
        status.events.sort_by_key(|event| event.at);
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
        let (disks, board) = self.machine(root, now);
        let error = self.docker.trouble(now);
        let age = self.docker.age(now).map(crate::report::json::ms);
        let docker = Docker { error, age, engine: told.engine.clone() };
        Node {
            docker: (docker != Docker::default()).then_some(docker),
            swarm: told.swarm.clone(),
            disks,
            board,
            ceph: None,
            syslog: None,
        }
    }

    fn machine(&self, docker_root: &str, now: Time) -> (Vec<Disk>, Option<Board>) {
        let mut kept = self.machine.borrow_mut();
        if let Some((at, disks, board)) = &*kept
            && now.since(*at) < MACHINE_GOOD_FOR
        {
            return (disks.clone(), board.clone());
        }
        let (disks, board) = (machine::disks(docker_root, &self.jobs.state_dir), machine::board());
        *kept = Some((now, disks.clone(), board.clone()));
        (disks, board)
    }
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
