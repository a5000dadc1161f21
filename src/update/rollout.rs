//! What a rollout becomes, from the moment the service was changed: watched until all of it runs, watched on until it is
//! known to be well, or put back. Told the time and what Docker shows; says what to do.

use super::slots::{Slots, describe, failures, is_a_leftover};
use super::spec::{Spec, same_settings};
use crate::docker::Reference;
use crate::docker::api::{Node, Service, Task};
use crate::docker::reference::short;
use crate::sorted::{Map, Set};
use crate::time::Time;
use crate::voice::{Advance, Stage};
use core::time::Duration;

/// At first things move fast, and a person may be looking.
const FIRST_LOOKS: Duration = Duration::from_secs(10);
/// Between two looks at first.
const SOON: Duration = Duration::from_millis(500);
/// Between two looks later: as good as Docker's own polling for what takes minutes.
const LATER: Duration = Duration::from_secs(2);
/// A task that fails on a node which has just been away (dockerd restarted, cable out) says nothing of the image. A Pi's
/// dockerd takes half of this to start all its tasks anew.
const AWAY: Duration = Duration::from_secs(60);
/// Failures beyond one a task while Docker goes on with the update (its failure action is `continue`, or its ratio
/// allows some): it would go on until the deadline.
const PATIENCE: u64 = 2;

/// A rollback gets this long at least: given up too early, somebody is woken for what puts itself right.
const ROLLBACK: Duration = Duration::from_mins(5);

/// What is rolled out, and how long it is watched.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Of the service.
    pub name: String,
    /// Digest it goes to.
    pub target: String,
    /// Digest it comes from.
    pub previous: String,
    /// The spec it comes from.
    pub before: String,
    /// How long it must run well once all of it runs.
    pub bake: Duration,
    /// How long it may take until all of it runs; the same again for a rollback, or a little longer.
    pub deadline: Duration,
}

/// A rollout on its way.
#[derive(Clone, Debug)]
pub struct Rollout {
    plan: Plan,
    phase: Phase,
    began: Time,
    /// From when on it is known to run, for a rollout that somebody else began.
    baked_from: Option<Time>,
    /// Failed tasks that do not count (any more), by ID.
    excused: Set<String>,
    /// Those of them that Docker has seen and gone on.
    tolerated: u64,
    /// Nodes that were away, and when they were last.
    away: Map<String, Time>,
    /// When a failure was last put down to its node. Was it? The bake begins anew.
    doubted: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Converging,
    Baking { since: Time },
    RollingBack { since: Time, why: String },
}

/// What Docker shows at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The moment.
    pub now: Time,
    /// Nothing once it has been removed.
    pub service: Option<&'a Service>,
    /// Of this service.
    pub tasks: &'a [Task],
    /// Of the Swarm.
    pub nodes: &'a [Node],
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Look again after this time.
    Wait(Duration),
    /// Put the previous image back, for this reason; then say [`Rollout::rolling_back`].
    RollBack(String),
    /// It is over.
    End(End),
}

/// How a rollout ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The new image runs well.
    Updated,
    /// The previous image runs again; why.
    RolledBack(String),
    /// Neither runs as it should: needs a person; why.
    Failed(String),
    /// Somebody else has changed or removed the service: theirs now; why.
    LetGo(String),
}

/// What one look tells of the service.
struct View<'a> {
    look: Look<'a>,
    spec: Spec,
    digest: String,
    state: &'a str,
    message: &'a str,
}

impl Rollout {
    /// One that has begun at `now`.
    pub fn begin(plan: Plan, now: Time) -> Self {
        Self {
            plan,
            phase: Phase::Converging,
            began: now,
            baked_from: None,
            excused: Set::new(),
            tolerated: 0,
            away: Map::new(),
            doubted: None,
        }
    }

    /// One that somebody else began: `age` ago, and if Docker has called it completed, so long ago.
    pub fn adopt(plan: Plan, now: Time, age: Duration, completed: Option<Duration>) -> Self {
        let baked_from = completed.map(|ago| now - ago);
        Self { began: now - age, baked_from, ..Self::begin(plan, now) }
    }

    /// Failed tasks (IDs) that are older than this rollout, or that Docker has seen and gone on.
    pub fn excuse(&mut self, tasks: impl IntoIterator<Item = String>) {
        self.excused.extend(tasks);
    }

    /// What this is about.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Docker could not be asked for a while: what failed meanwhile says nothing of the image.
    pub fn blind(&mut self, now: Time, nodes: &[Node]) {
        self.away.extend(nodes.iter().map(|node| (node.id.clone(), now)));
    }

    /// The previous image has been ordered back.
    pub fn rolling_back(&mut self, now: Time, why: String) {
        self.phase = Phase::RollingBack { since: now, why };
    }

    /// Takes in what Docker shows; says what to do.
    pub fn look(&mut self, look: Look) -> Step {
        let view = match self.view(look) {
            Ok(view) => view,
            Err(why) => return Step::End(End::LetGo(why)),
        };
        let by_docker = view.state.starts_with("rollback_") && view.digest == self.plan.previous;
        if by_docker && !matches!(self.phase, Phase::RollingBack { .. }) {
            let why = self.failure_in(&view).unwrap_or_else(|| view.message.to_owned());
            self.rolling_back(look.now, format!("Docker rolled it back: {why}"));
        }
        match self.phase.clone() {
            Phase::RollingBack { since, why } => self.look_at_rollback(&view, since, &why),
            Phase::Converging | Phase::Baking { .. } if view.digest == self.plan.target => {
                self.look_forward(&view)
            }
            Phase::Converging | Phase::Baking { .. } => {
                Step::End(End::LetGo("somebody else has put the previous image back".into()))
            }
        }
    }

    /// The service as far as it is still what was rolled out, or put back.
    fn view<'a>(&self, look: Look<'a>) -> Result<View<'a>, String> {
        let service = look.service.ok_or("somebody has removed it")?;
        let text = service.spec.get();
        if !same_settings(text, &self.plan.before) {
            return Err("somebody else has changed it meanwhile".into());
        }
        let spec = Spec::read(text).map_err(|error| error.to_string())?;
        let digest = Reference::parse(spec.image()).ok().and_then(|image| image.digest).unwrap_or_default();
        if digest != self.plan.target && digest != self.plan.previous {
            return Err("somebody else has given it another image meanwhile".into());
        }
        let status = service.update_status.as_ref();
        let (state, message) = status.map_or(("", ""), |status| (&status.state, &status.message));
        Ok(View { look, spec, digest, state, message })
    }

    /// The new image: is it all there, and well?
    fn look_forward(&mut self, view: &View) -> Step {
        self.note_away(view);
        if view.state == "paused" {
            let why = self.failure_in(view).unwrap_or_else(|| view.message.to_owned());
            return Step::RollBack(why);
        }
        if let Some(why) = self.new_failure(view) {
            return Step::RollBack(why);
        }
        let now = view.look.now;
        let slots = self.slots(view);
        let all_there = slots.settled() && view.state != "updating";
        let well_since = |since: Time| self.doubted.map_or(since, |doubted| doubted.max(since));
        match self.phase {
            Phase::Baking { since } if all_there && now.since(well_since(since)) >= self.plan.bake => {
                return Step::End(End::Updated);
            }
            Phase::Converging if all_there => {
                let since = well_since(self.baked_from.unwrap_or(now));
                self.phase = Phase::Baking { since };
                if now.since(since) >= self.plan.bake {
                    return Step::End(End::Updated);
                }
            }
            Phase::Converging | Phase::Baking { .. } | Phase::RollingBack { .. } => {}
        }
        if !all_there && now.since(self.began) >= self.limit() {
            return Step::RollBack(self.late(slots));
        }
        self.wait(now)
    }

    /// From the beginning to when all of it must run. Tasks that are gone at the end of the bake get no more time.
    fn limit(&self) -> Duration {
        match self.phase {
            Phase::Converging => self.plan.deadline,
            Phase::RollingBack { .. } => self.plan.deadline.max(ROLLBACK),
            Phase::Baking { .. } => self.plan.deadline + self.plan.bake,
        }
    }

    fn late(&self, slots: Slots) -> String {
        let seconds = self.limit().as_secs();
        let limit = if seconds < 60 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
        format!("{} of {} tasks run it after {limit}", slots.running, slots.wanted)
    }

    /// The previous image: does it run again?
    fn look_at_rollback(&self, view: &View, since: Time, why: &str) -> Step {
        let now = view.look.now;
        let slots = self.slots(view);
        if ["rollback_paused", "paused"].contains(&view.state) && view.digest == self.plan.previous {
            let text = format!("{why}; and the rollback has failed: {}", view.message);
            return Step::End(End::Failed(text));
        }
        let going_on = ["updating", "rollback_started"].contains(&view.state);
        if view.digest == self.plan.previous && slots.settled() && !going_on {
            return Step::End(End::RolledBack(why.to_owned()));
        }
        if now.since(since) >= self.limit() {
            return Step::End(End::Failed(format!("{why}; and put back, only {}", self.late(slots))));
        }
        self.wait(now)
    }

    /// Against the digest that is wanted in this phase.
    fn slots(&self, view: &View) -> Slots {
        let digest = match self.phase {
            Phase::Converging | Phase::Baking { .. } => &self.plan.target,
            Phase::RollingBack { .. } => &self.plan.previous,
        };
        Slots::count(&view.spec, view.look.tasks, view.look.nodes, digest)
    }

    fn note_away(&mut self, view: &View) {
        let away = view.look.nodes.iter().filter(|node| node.status.state != "ready");
        self.away.extend(away.map(|node| (node.id.clone(), view.look.now)));
    }

    /// A failure that counts, if there is one. While Docker updates, Docker judges.
    fn new_failure(&mut self, view: &View) -> Option<String> {
        let new: Vec<&Task> = failures(view.look.tasks, &self.plan.target)
            .filter(|task| !self.excused.contains(&task.id))
            .collect();
        for task in new {
            let was_away = self.away.get(&task.node_id).is_some_and(|last| view.look.now.since(*last) < AWAY);
            let judged = view.state == "updating";
            let excused = was_away || is_a_leftover(task);
            if !excused && !judged {
                return Some(describe(task, view.look.nodes));
            }
            self.excused.insert(task.id.clone());
            self.tolerated += u64::from(judged && !excused);
            if excused {
                self.doubted = Some(view.look.now);
            }
            if self.tolerated > self.slots(view).wanted.saturating_add(PATIENCE) {
                return Some(format!(
                    "{} tasks have failed, the last: {}",
                    self.tolerated,
                    describe(task, view.look.nodes)
                ));
            }
        }
        None
    }

    /// The task that tells most about why Docker gave up.
    fn failure_in(&self, view: &View) -> Option<String> {
        let failed = failures(view.look.tasks, &self.plan.target);
        let last = failed.max_by(|one, other| one.status.timestamp.cmp(&other.status.timestamp))?;
        Some(describe(last, view.look.nodes))
    }

    fn wait(&self, now: Time) -> Step {
        let since = match self.phase {
            Phase::Converging => self.began,
            Phase::Baking { since } | Phase::RollingBack { since, .. } => since,
        };
        Step::Wait(if now.since(since) < FIRST_LOOKS { SOON } else { LATER })
    }

    /// How far it has come; nothing where Docker shows what cannot be read.
    pub fn progress(&self, look: Look) -> Option<Advance> {
        let view = self.view(look).ok()?;
        let slots = self.slots(&view);
        let seconds = |since: Time| look.now.since(since).as_secs();
        let (stage, before, digest, behind) = match &self.phase {
            Phase::Converging => {
                (Stage::Converging, "", &self.plan.target, format!("{} s", seconds(self.began)))
            }
            Phase::Baking { since } => {
                let watched = format!("watched for {} of {} s", seconds(*since), self.plan.bake.as_secs());
                (Stage::Baking, "", &self.plan.target, watched)
            }
            Phase::RollingBack { since, .. } => {
                (Stage::RollingBack, "put back, ", &self.plan.previous, format!("{} s", seconds(*since)))
            }
        };
        let how = format!("{before}{}/{} run {}, {behind}", slots.running, slots.wanted, short(digest));
        Some(Advance { service: self.plan.name.clone(), stage, how })
    }
}

#[cfg(test)]
mod tests;
