//! One service whose tag may have moved: decided on what Docker shows right now, changed, watched.

use super::swarm::{digest_of, tasks};
use super::{Ended, Round, Subject};
use crate::docker::api::{Node, Platform, Task};
use crate::docker::error::Cause;
use crate::docker::reference::short;
use crate::state::Held;
use crate::sys::clock;
use crate::update::Verdict;
use crate::update::candidate::{self, bake, busy, deadline};
use crate::update::decide::{Facts, decide, failed_before, missing_platform, unsettled};
use crate::update::rollout::{Plan, Rollout};
use crate::update::slots::{Slots, failures};
use crate::update::spec::{Spec, with_image};
use crate::voice;
use core::time::Duration;
use log::Level;

/// "update out of sequence" means that somebody else was faster; one who always is has the service.
const ATTEMPTS: u32 = 3;

/// Where a tag points.
#[derive(Clone, Copy)]
struct Newest<'a> {
    digest: &'a str,
    platforms: &'a [Platform],
    /// Unix seconds.
    since: u64,
}

/// What stands round a service at one moment.
struct Scene {
    tasks: Vec<Task>,
    nodes: Vec<Node>,
}

/// Why the service was not changed.
enum Refused {
    /// Somebody else was faster, or nobody knows: to be looked at again.
    Again,
    /// Docker does not take it, in words.
    No(String),
}

impl Round<'_> {
    /// Updates the service if its tag points elsewhere and nothing speaks against it. One row.
    pub(super) async fn compare(
        &mut self,
        mut subject: Subject,
        digest: &str,
        platforms: &[Platform],
        since: u64,
    ) -> Result<(), Ended> {
        if let Some(why) = busy(subject.service.update_status.as_ref()) {
            self.row(&subject, digest, Verdict::Deferred, why);
            return Ok(());
        }
        let newest = Newest { digest, platforms, since };
        for _ in 0..ATTEMPTS {
            if subject.candidate.digest == digest {
                self.row(&subject, digest, Verdict::Current, "the tag points at what it runs");
                return Ok(());
            }
            let scene = match self.look_again(&mut subject).await? {
                Ok(scene) => scene,
                Err(why) => {
                    self.row(&subject, digest, Verdict::Skipped, why);
                    return Ok(());
                }
            };
            let (verdict, reason) = self.verdict(&subject, newest, &scene);
            if verdict != Verdict::Due || self.dry_run {
                self.row(&subject, digest, verdict, reason);
                return Ok(());
            }
            match self.change(&subject, newest, &scene).await {
                Ok(mut rollout) => return self.conclude(&subject, digest, &mut rollout).await,
                Err(Refused::Again) => {}
                Err(Refused::No(why)) => {
                    self.say(Level::Warn, &format!("{}: cannot be updated: {why}", subject.name()));
                    self.row(&subject, digest, Verdict::Failed, why);
                    return Ok(());
                }
            }
        }
        self.row(&subject, digest, Verdict::Deferred, "somebody else keeps changing it");
        Ok(())
    }

    /// The service as it is now, with its tasks and the nodes. The inner error says why it is no longer looked at.
    async fn look_again(&mut self, subject: &mut Subject) -> Result<Result<Scene, String>, Ended> {
        let nodes = self.docker.nodes().await.map_err(|error| error.to_string())?;
        if let Some(leader) = self.other_leader(&nodes) {
            return Err(format!("no longer the leader: {leader} leads and updates"));
        }
        let service = match self.docker.service(&subject.service.id).await {
            Err(error) if error.status() == Some(404) => {
                return Ok(Err("somebody has just removed it".into()));
            }
            service => service.map_err(|error| error.to_string())?,
        };
        let tasks = self.docker.tasks(&service.id).await.map_err(|error| error.to_string())?;
        let spec = Spec::read(service.spec.get()).map_err(|error| error.to_string())?;
        let candidate = match candidate::look(&spec, self.policy) {
            Ok(candidate) => candidate,
            Err(why) => return Ok(Err(why)),
        };
        if candidate.reference.familiar_tagged() != subject.tagged() {
            return Ok(Err("somebody has just given it another image".into()));
        }
        *subject = Subject { service, spec, candidate };
        Ok(Ok(Scene { tasks, nodes }))
    }

    fn verdict(&mut self, subject: &Subject, newest: Newest, scene: &Scene) -> (Verdict, String) {
        let Subject { service, spec, candidate } = subject;
        let (tasks, nodes, status) = (&scene.tasks, &scene.nodes, service.update_status.as_ref());
        let previous = service.previous_spec.as_ref().and_then(|spec| digest_of(spec.get()));
        let before = failed_before(newest.digest, status, previous.as_deref(), tasks, nodes);
        let slots = Slots::count(spec, tasks, nodes, &candidate.digest);
        let facts = Facts {
            runs: &candidate.digest,
            newest: newest.digest,
            age: Duration::from_secs(clock::unix().saturating_sub(newest.since)),
            min_age: self.policy.min_age,
            held: self.session.state.held.get(subject.name()),
            failed_before: before.clone(),
            missing_platform: missing_platform(newest.platforms, tasks, nodes),
            closed: self.closed(),
            unsettled: unsettled(status, slots),
        };
        let unknown = facts.held.is_none_or(|held| held.digest != newest.digest);
        let decided = decide(&facts);
        if let Some(why) = before.filter(|_| unknown && decided.0 == Verdict::Held && !self.dry_run) {
            // Docker forgets: its history is short, and the next update of anything else clears the rest.
            self.hold(subject, newest.digest, &why);
        }
        decided
    }

    /// Remembers that this digest has failed here.
    pub(super) fn hold(&mut self, subject: &Subject, digest: &str, why: &str) {
        let (reference, digest, reason) = (subject.tagged(), digest.to_owned(), why.to_owned());
        let text = format!(
            "{}: {} is held until {reference} points elsewhere: {why}",
            subject.name(),
            short(&digest)
        );
        self.say(Level::Warn, &text);
        let held = Held { reference, digest, reason, since: clock::unix() };
        self.session.state.held.insert(subject.name().to_owned(), held);
        self.save();
    }

    /// The one place where an update is ordered: only the image and its platforms differ from what Docker has just shown.
    async fn change(
        &mut self,
        subject: &Subject,
        newest: Newest<'_>,
        scene: &Scene,
    ) -> Result<Rollout, Refused> {
        let Subject { service, spec, candidate } = subject;
        let before = service.spec.get();
        let image = candidate.reference.pinned(newest.digest);
        let text =
            with_image(before, &image, newest.platforms).map_err(|error| Refused::No(error.to_string()))?;
        let (name, from, to) = (subject.name(), short(&candidate.digest), short(newest.digest));
        let (bake, odd_label) = bake(spec, self.policy);
        if let Some(odd) = odd_label {
            self.say(Level::Warn, &format!("{name}: {odd}"));
        }
        self.say(
            Level::Info,
            &format!("{name}: {} has moved from {from} to {to}: updating", subject.tagged()),
        );
        self.order(subject, newest.digest, &text).await?;
        let plan = Plan {
            name: name.to_owned(),
            target: newest.digest.to_owned(),
            previous: candidate.digest.clone(),
            before: before.to_owned(),
            bake,
            deadline: deadline(spec, tasks(spec, &scene.nodes), self.policy),
        };
        let mut rollout = Rollout::begin(plan, clock::now());
        rollout.excuse(failures(&scene.tasks, newest.digest).map(|task| task.id.clone()));
        let (image, from, to) = (&*subject.tagged(), &*candidate.digest, newest.digest);
        self.voice.begins(voice::Rollout { what: "service", name, image, from, to });
        Ok(rollout)
    }

    /// Has Docker take the new spec of a service, made from the one that it has just shown.
    async fn order(&self, subject: &Subject, digest: &str, spec: &str) -> Result<(), Refused> {
        let Subject { service, candidate, .. } = subject;
        let auth = self.credentials.header(&candidate.reference.registry);
        let posted =
            self.docker.update_service(&service.id, service.version.index, spec, auth.as_deref()).await;
        match posted {
            Ok(()) => Ok(()),
            Err(error) if error.is_out_of_sequence() => Err(Refused::Again),
            Err(error) if matches!(error.cause, Cause::Io(_) | Cause::Deadline(_)) => {
                // Taken or not? The service tells.
                let now = self.docker.service(&service.id).await.map_err(|_| Refused::Again)?;
                let taken = digest_of(now.spec.get()).as_deref() == Some(digest);
                if taken { Ok(()) } else { Err(Refused::Again) }
            }
            Err(error) => Err(Refused::No(error.to_string())),
        }
    }
}
