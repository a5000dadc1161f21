//! Through the services of the Swarm, on its leader only.

use super::ask::Answer;
use super::{Ended, Round, Subject};
use crate::docker::api::{Info, Node, Service};
use crate::docker::auth_file;
use crate::docker::reference::short;
use crate::sys::clock;
use crate::update::candidate::{self, bake, deadline, own_container};
use crate::update::rollout::{Plan, Rollout};
use crate::update::spec::Spec;
use crate::update::{Row, Verdict, adopt};
use log::Level;

impl Round<'_> {
    /// Each service once, one rollout at a time, to the first failure. What is wrong though the round went on, comes back.
    pub(super) async fn services(mut self) -> Result<Option<String>, Ended> {
        let nodes = self.lead().await?;
        let mut note = None;
        match self.policy.credentials.as_deref().map(auth_file::load) {
            Some(Ok(credentials)) => self.credentials = credentials,
            Some(Err(why)) => note = Some(format!("registries were asked without login: {why}")),
            None => {}
        }
        let services = self.docker.services().await.map_err(|error| error.to_string())?;
        let mut subjects = self.subjects(services).await?;
        if !self.dry_run {
            subjects = self.adopt_orphans(subjects, &nodes).await?;
        }
        if let Some(closed) = self.closed().filter(|_| !self.dry_run) {
            return Err(closed);
        }
        let answers = self.ask(&subjects).await?;
        for subject in subjects {
            match answers.get(&subject.tagged()) {
                Some(Answer::Points { newest, platforms, since }) => {
                    self.release(&subject, newest);
                    self.compare(subject, newest, platforms, *since).await?;
                }
                Some(Answer::NotNow(why)) => self.not_asked(&subject, why),
                Some(Answer::Failed(why)) => self.row(&subject, "", Verdict::Deferred, why.as_str()),
                None => self.row(&subject, "", Verdict::Deferred, "its registry was not asked"),
            }
        }
        Ok(note)
    }

    /// The nodes, if this one leads them.
    async fn lead(&mut self) -> Result<Vec<Node>, Ended> {
        let info = self.docker.info().await.map_err(|error| error.to_string())?;
        if let Some(why) = no_manager(&info) {
            return Err(why);
        }
        self.me = info.swarm.node_id;
        let nodes = self.docker.nodes().await.map_err(|error| error.to_string())?;
        match self.other_leader(&nodes) {
            Some(leader) => Err(format!("not the leader: {leader} leads and updates")),
            None => Ok(nodes),
        }
    }

    /// Those that are kept up to date, by name, this program's own service last: updating that ends this process.
    async fn subjects(&mut self, services: Vec<Service>) -> Result<Vec<Subject>, Ended> {
        let own = self.own_service().await;
        let mut subjects = Vec::new();
        for service in services {
            let spec = Spec::read(service.spec.get()).map_err(|error| error.to_string())?;
            match candidate::look(&spec, self.policy) {
                Ok(candidate) => subjects.push(Subject { service, spec, candidate }),
                Err(why) => self.rows.push(left_alone(&spec, why)),
            }
        }
        let is_own = |subject: &Subject| own.as_ref() == Some(&subject.service.id);
        subjects.sort_by(|one, other| (is_own(one), one.name()).cmp(&(is_own(other), other.name())));
        Ok(subjects)
    }

    /// The service whose task this process runs in, if it does.
    async fn own_service(&self) -> Option<String> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        let id = own_container(&mounts)?;
        let containers = self.docker.containers().await.ok()?;
        let own = containers.into_iter().find(|container| container.id == id)?;
        own.labels.get("com.docker.swarm.service.id").cloned()
    }

    /// Watches what nobody watches, and leaves alone what is busy; the rest comes back.
    async fn adopt_orphans(&mut self, subjects: Vec<Subject>, nodes: &[Node]) -> Result<Vec<Subject>, Ended> {
        let mut rest = Vec::new();
        for subject in subjects {
            let bake = bake(&subject.spec, self.policy).0;
            let deadline = deadline(&subject.spec, tasks(&subject.spec, nodes), self.policy);
            let given_up = self.session.state.held.get(subject.name());
            let age = adopt::orphan(&subject.service, bake, deadline, clock::unix())
                .filter(|_| given_up.is_none_or(|held| held.digest != subject.candidate.digest));
            let (Some(age), Some(before)) = (age, &subject.service.previous_spec) else {
                rest.push(subject);
                continue;
            };
            let before = before.get().to_owned();
            let name = subject.name().to_owned();
            let target = subject.candidate.digest.clone();
            let Some(previous) = digest_of(&before) else { continue };
            self.say(
                Level::Info,
                &format!(
                    "{name}: watching an update to {} that began {} s ago",
                    short(&target),
                    age.began.as_secs()
                ),
            );
            let plan = Plan { name, target: target.clone(), previous, before, bake, deadline };
            let mut rollout = Rollout::adopt(plan, clock::now(), age.began, age.completed);
            let tasks = self.docker.tasks(&subject.service.id).await.map_err(|error| error.to_string())?;
            rollout.excuse(adopt::failed_before_completion(&tasks, subject.service.update_status.as_ref()));
            self.conclude(&subject, &target, &mut rollout).await?;
        }
        Ok(rest)
    }

    /// When the window opens, while it is closed.
    pub(super) fn closed(&self) -> Option<String> {
        let window = self.policy.window?;
        let minute = clock::minute_of_day();
        let rest = window.opens_in(minute);
        (!window.holds(minute))
            .then(|| format!("outside of {window}: opens in {} h {} min", rest / 60, rest % 60))
    }

    /// A held digest is let go when the tag points elsewhere.
    fn release(&mut self, subject: &Subject, newest: &str) {
        let held = self.session.state.held.get(subject.name());
        let moved = held.is_some_and(|held| held.digest != newest || held.reference != subject.tagged());
        if moved && !self.dry_run {
            self.session.state.held.remove(subject.name());
            self.save();
            let text = format!(
                "{}: no longer held, {} points at {} now",
                subject.name(),
                subject.tagged(),
                short(newest)
            );
            self.say(Level::Info, &text);
        }
    }

    /// The registry may not be asked now: what it said last is told.
    fn not_asked(&mut self, subject: &Subject, why: &str) {
        let known = self.session.state.digests.get(&subject.tagged());
        let current = known.filter(|known| known.digest == subject.candidate.digest);
        match current.map(|known| clock::unix().saturating_sub(known.asked) / 60) {
            Some(minutes) => {
                let digest = subject.candidate.digest.clone();
                self.row(subject, &digest, Verdict::Current, format!("as of {minutes} min ago; {why}"));
            }
            None => self.row(subject, "", Verdict::Deferred, why),
        }
    }
}

/// Why there is nothing to update from here.
fn no_manager(info: &Info) -> Option<String> {
    let swarm = &info.swarm;
    if swarm.node_id.is_empty() || swarm.local_node_state == "inactive" {
        return Some("in no Swarm: there are no services to update".into());
    }
    if !swarm.error.is_empty() {
        return Some(format!("the Swarm is not well: {}", swarm.error));
    }
    (!swarm.control_available).then(|| "not the leader: a worker, the managers update".into())
}

/// Tasks of a service, for its deadline.
pub(super) fn tasks(spec: &Spec, nodes: &[Node]) -> u64 {
    spec.replicas().unwrap_or(nodes.len() as u64)
}

/// Digest in the image of a spec.
pub(super) fn digest_of(spec: &str) -> Option<String> {
    let spec = Spec::read(spec).ok()?;
    crate::docker::Reference::parse(spec.image()).ok()?.digest
}

fn left_alone(spec: &Spec, reason: String) -> Row {
    let image = crate::docker::Reference::parse(spec.image());
    let from = image.as_ref().ok().and_then(|image| image.digest.clone()).unwrap_or_default();
    let image = image.map_or_else(|_| spec.image().to_owned(), |image| image.familiar_tagged());
    let (name, kind, to) = (spec.name.clone(), "service", String::new());
    Row { name, kind, image, from, to, verdict: Verdict::Skipped, reason }
}
