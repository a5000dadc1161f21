//! Stays with one rollout: looks, tells how far it is, and does what the rollout asks for.

use super::{Ended, Round, Subject};
use crate::docker::api::{Node, Service, Task};
use crate::docker::reference::short;
use crate::docker::{Client, Error};
use crate::sys::clock;
use crate::time::Time;
use crate::update::Verdict;
use crate::update::rollout::{End, Look, Plan, Rollout, Step};
use crate::update::run::swarm::digest_of;
use core::time::Duration;
use log::Level;
use smol::Timer;

/// So long may dockerd or the Raft be silent: a restart takes seconds, a new leader up to half a minute. Whoever leads
/// then finds the rollout again.
const OUTAGE: Duration = Duration::from_mins(2);
/// Between two attempts meanwhile.
const AGAIN: Duration = Duration::from_secs(2);
/// Attempts at ordering a rollback that Docker refuses.
const ATTEMPTS: u32 = 5;

/// What Docker shows at a moment.
struct Shown {
    service: Option<Service>,
    tasks: Vec<Task>,
    nodes: Vec<Node>,
}

impl Round<'_> {
    /// Watches a rollout to its end, and adds its row.
    ///
    /// # Errors
    /// After a failure, which ends the round; when this node is no longer the leader, or Docker is silent for too long.
    pub(super) async fn conclude(
        &mut self,
        subject: &Subject,
        target: &str,
        rollout: &mut Rollout,
    ) -> Result<(), Ended> {
        let ended = self.watch(subject, target, rollout).await;
        self.voice.progress("");
        let name = subject.name();
        let Ending { level, verdict, reason, text } = ending(ended?, rollout.plan());
        let text = format!("{name}: {text}");
        self.say(level, &text);
        self.row(subject, target, verdict, reason);
        if let Some(row) = self.rows.last_mut() {
            // Of one that somebody else began, the spec names the new image already.
            row.from.clone_from(&rollout.plan().previous);
        }
        if matches!(verdict, Verdict::RolledBack | Verdict::Failed) {
            self.hold_once(subject, target, &text);
            return Err(format!("ended at the first failure: {name}"));
        }
        Ok(())
    }

    async fn watch(&mut self, subject: &Subject, target: &str, rollout: &mut Rollout) -> Result<End, Ended> {
        let mut seen = clock::now();
        let mut nodes = Vec::new();
        let mut refused = 0;
        let mut broke_at = None;
        loop {
            let shown = match show(self.docker, &subject.service.id).await {
                Ok(shown) => shown,
                Err(error) => {
                    self.wait_out(&error, seen, rollout, &nodes).await?;
                    continue;
                }
            };
            seen = clock::now();
            let broke = core::mem::replace(&mut broke_at, self.docker.broke_at());
            if let Some(at) = broke_at.filter(|_| broke != broke_at) {
                // Dockerd came back between two looks, or shortly before the first, and ended the tasks of its node.
                rollout.blind(at, &shown.nodes);
            }
            self.leads_still(subject, &shown.nodes)?;
            let look =
                Look { now: seen, service: shown.service.as_ref(), tasks: &shown.tasks, nodes: &shown.nodes };
            let step = rollout.look(look);
            if let Some(advance) = rollout.progress(look) {
                self.voice.goes_on(advance);
            }
            match step {
                Step::Wait(pause) => {
                    Timer::after(pause).await;
                }
                Step::RollBack(why) => {
                    self.hold_once(subject, target, &why);
                    let Some(service) = &shown.service else { continue };
                    match self.put_back(service, rollout).await {
                        Ok(()) => rollout.rolling_back(clock::now(), why),
                        Err(error) if refused >= ATTEMPTS => {
                            return Ok(End::Failed(format!("{why}; and it cannot be put back: {error}")));
                        }
                        Err(_) => {
                            refused += 1;
                            Timer::after(AGAIN).await;
                        }
                    }
                }
                Step::End(end) => return Ok(end),
            }
            nodes = shown.nodes;
        }
    }

    /// Whoever leads watches; a Raft without a leader is waited for.
    fn leads_still(&self, subject: &Subject, nodes: &[Node]) -> Result<(), Ended> {
        match self.other_leader(nodes).filter(|leader| *leader != "nobody") {
            Some(leader) => {
                Err(format!("no longer the leader: {leader} leads, and watches {} from here", subject.name()))
            }
            None => Ok(()),
        }
    }

    /// Docker is silent: what happens meanwhile says nothing of the image.
    async fn wait_out(
        &self,
        error: &Error,
        seen: Time,
        rollout: &mut Rollout,
        nodes: &[Node],
    ) -> Result<(), Ended> {
        let now = clock::now();
        rollout.blind(now, nodes);
        if now.since(seen) >= OUTAGE {
            let name = &rollout.plan().name;
            return Err(format!("Docker is silent; whoever leads then watches {name} from there: {error}"));
        }
        Timer::after(AGAIN).await;
        Ok(())
    }

    /// Also before a rollback is ordered: should this process end then, the digest is not tried again.
    fn hold_once(&mut self, subject: &Subject, target: &str, why: &str) {
        let held = self.session.state.held.get(subject.name());
        if held.is_none_or(|held| held.digest != target) {
            self.hold(subject, target, why);
        }
    }

    /// By Docker's own rollback where that leads to where it came from. After a `docker stack deploy` of the same image in
    /// between it would lead to itself: then by the spec it came from.
    async fn put_back(&self, service: &Service, rollout: &Rollout) -> Result<(), Error> {
        let plan = rollout.plan();
        self.say(Level::Warn, &format!("{}: putting {} back", plan.name, short(&plan.previous)));
        let (id, version) = (&service.id, service.version.index);
        let previous = service.previous_spec.as_ref().and_then(|spec| digest_of(spec.get()));
        if previous.as_deref() == Some(&plan.previous) {
            self.docker.roll_back_service(id, version, service.spec.get()).await
        } else {
            self.docker.update_service(id, version, &plan.before, None).await
        }
    }
}

/// How a rollout ended, for row and log.
struct Ending {
    level: Level,
    verdict: Verdict,
    /// In the row.
    reason: String,
    /// In the log, behind the service's name.
    text: String,
}

fn ending(end: End, plan: &Plan) -> Ending {
    let (level, verdict, reason, text) = match end {
        End::Updated => {
            let reason = format!("runs {} well for {} s", short(&plan.target), plan.bake.as_secs());
            (Level::Info, Verdict::Updated, reason.clone(), reason)
        }
        End::RolledBack(why) => {
            let text = format!("runs {} again: {why}", short(&plan.previous));
            (Level::Warn, Verdict::RolledBack, why, text)
        }
        End::Failed(why) => (Level::Error, Verdict::Failed, why.clone(), format!("needs a person: {why}")),
        End::LetGo(why) => {
            let reason = format!("no longer watched: {why}");
            (Level::Info, Verdict::Deferred, reason.clone(), reason)
        }
    };
    Ending { level, verdict, reason, text }
}

/// Asks for everything a look needs; the service may have been removed.
async fn show(docker: &Client, id: &str) -> Result<Shown, Error> {
    let service = match docker.service(id).await {
        Ok(service) => Some(service),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error),
    };
    let tasks = if service.is_some() { docker.tasks(id).await? } else { Vec::new() };
    let nodes = docker.nodes().await?;
    Ok(Shown { service, tasks, nodes })
}
