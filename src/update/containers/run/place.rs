//! One container's place: does the steps of `swap`, each after a look at what is there.

use super::parsed;
use crate::docker::client::Stream;
use crate::docker::{Client, Error};
use crate::update::containers::choice;
use crate::update::containers::create::Request;
use crate::update::containers::swap::{self, Act, Facts, New, Old, Restarts, Step};
use crate::update::containers::watch::{self, Judgement};
use crate::voice::Voice;
use core::time::Duration;
use log::Level;
use serde_json::Value;
use smol::Timer;
use std::time::Instant;

/// Between two looks at a new container: Docker's own health checks are not faster.
const LOOK: Duration = Duration::from_secs(1);
/// Looks in a row that dockerd may leave unanswered while a container is watched: it restarts, which on a Pi takes a
/// minute. The client waits by itself, too.
const UNANSWERED: u32 = 30;
/// Going back is tried this often, and so long between …
const TRIES: u32 = 15;
/// … as dockerd may be restarting.
const PAUSE: Duration = Duration::from_secs(2);
/// When Docker says that something was never started.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Where one container is to take another's place.
pub struct Place<'a> {
    pub docker: &'a Client,
    pub voice: &'a dyn Voice,
    /// The name both want.
    pub name: String,
    /// ID of the old one.
    pub old: String,
    /// The old one's policy was `always`.
    pub always: bool,
    /// How to make the new one; nothing if there is one already.
    pub request: Option<Request>,
    /// `--bake`, or the label's.
    pub bake: Option<Duration>,
    /// `--rollout-deadline`.
    pub deadline: Option<Duration>,
}

/// Why there is no new container that runs well.
pub struct Failure {
    pub reason: String,
    /// It is the image's own fault: the next round would fail as well.
    pub hold: bool,
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self { reason: error.to_string(), hold: error.status().is_some() }
    }
}

/// The container of that very name; null if there is none. Docker itself, asked for `db`, would give one whose ID begins
/// with those digits.
pub async fn named(docker: &Client, name: &str) -> Result<Value, Error> {
    let list = docker.containers().await?;
    match list.iter().find(|one| choice::name(one) == name) {
        Some(one) => inspect(docker, &one.id).await,
        None => Ok(Value::Null),
    }
}

/// By ID; null if there is none.
async fn inspect(docker: &Client, id: &str) -> Result<Value, Error> {
    match docker.inspect_container(id).await {
        Ok(raw) => Ok(parsed(&raw)),
        Err(error) if error.is_not_found() => Ok(Value::Null),
        Err(error) => Err(error),
    }
}

fn running(container: &Value) -> bool {
    container["State"]["Running"] == true
}

/// Reads the new container.
pub fn new_of(container: &Value) -> Option<New> {
    let started = container["State"]["StartedAt"].as_str().is_some_and(|at| at != NEVER);
    (!container.is_null()).then(|| New { started, running: running(container) })
}

impl Place<'_> {
    fn old_of(&self, container: &Value) -> Option<Old> {
        let name = container["Name"].as_str()?.trim_start_matches('/');
        let policy = &container["HostConfig"]["RestartPolicy"]["Name"];
        let restarts = match (policy == "always", self.always) {
            (true, _) => Restarts::Always,
            (false, true) => Restarts::Calmed,
            (false, false) => Restarts::No,
        };
        let renamed = swap::unmarked(name, &self.old).is_some();
        Some(Old { renamed, running: running(container), restarts })
    }

    /// What is there, and the ID of the new one.
    async fn facts(&self) -> Result<(Facts, String), Error> {
        let old = inspect(self.docker, &self.old).await?;
        let mut new = named(self.docker, &self.name).await?;
        if new["Id"] == self.old.as_str() {
            new = Value::Null;
        }
        let id = new["Id"].as_str().unwrap_or_default().to_owned();
        Ok((Facts { old: self.old_of(&old), new: new_of(&new) }, id))
    }

    /// Goes forward until the new one runs well, and gives its ID; the old one is stopped then, and still there.
    ///
    /// # Errors
    /// The new one does not run well, or Docker does not do what is asked: to be put back.
    pub async fn forward(&self) -> Result<String, Failure> {
        loop {
            let (facts, new) = self.facts().await.map_err(|error| Failure::of(&error))?;
            match swap::forward(facts, false) {
                Step::Act(act) => self.act(act, &new).await.map_err(|error| Failure::of(&error))?,
                Step::Watch => {
                    self.watch(&new).await?;
                    return Ok(new);
                }
                Step::Done => return Ok(new),
                Step::Gone => {
                    let reason = "somebody removed it meanwhile".to_owned();
                    return Err(Failure { reason, hold: false });
                }
            }
        }
    }

    /// Removes the old one. What fails here is gone on with in the next round.
    pub async fn finish(&self) -> Result<(), Error> {
        loop {
            let (facts, new) = self.facts().await?;
            match swap::forward(facts, true) {
                // Somebody removed the new one in the meantime: it is not for the end of the swap to judge that.
                Step::Done | Step::Gone | Step::Watch | Step::Act(Act::CreateNew) => return Ok(()),
                Step::Act(act) => self.act(act, &new).await?,
            }
        }
    }

    /// Goes back until the old one runs under its name.
    ///
    /// # Errors
    /// What Docker said last.
    pub async fn back(&self) -> Result<(), String> {
        let mut tries = 0;
        loop {
            let why = match self.step_back().await {
                Ok(Step::Done) => return Ok(()),
                Ok(Step::Gone) => return Err("somebody removed it".into()),
                Ok(Step::Act(_) | Step::Watch) => continue,
                Err(error) => error.to_string(),
            };
            tries += 1;
            if tries == TRIES {
                return Err(why);
            }
            Timer::after(PAUSE).await;
        }
    }

    async fn step_back(&self) -> Result<Step, Error> {
        let (facts, new) = self.facts().await?;
        let step = swap::back(facts);
        if let Step::Act(act) = step {
            self.act(act, &new).await?;
        }
        Ok(step)
    }

    async fn act(&self, act: Act, new: &str) -> Result<(), Error> {
        let (docker, old) = (self.docker, self.old.as_str());
        self.voice.progress(&format!("{}: {}", self.name, words(act)));
        self.voice.say(Level::Debug, &format!("container {}: {}", self.name, words(act)));
        match act {
            Act::RenameOld => docker.rename_container(old, &swap::marked(&self.name, old, self.always)).await,
            Act::CalmOld => docker.set_restart_policy(old, "no").await,
            Act::CreateNew => self.create().await,
            Act::StopOld => docker.stop_container(old).await,
            Act::StartNew => docker.start_container(new).await,
            Act::RemoveOld => gone(docker.remove_container(old, false).await),
            Act::StopNew => docker.stop_container(new).await,
            Act::RemoveNew => gone(docker.remove_container(new, false).await),
            Act::StartOld => docker.start_container(old).await,
            Act::RestoreOld => docker.set_restart_policy(old, "always").await,
            Act::NameOld => docker.rename_container(old, &self.name).await,
        }
    }

    async fn create(&self) -> Result<(), Error> {
        let Some(request) = &self.request else { return Ok(()) };
        let id = self.docker.create_container(&self.name, &request.body).await?;
        if let Some(network) = &request.disconnect {
            self.docker.disconnect_network(network, &id).await?;
        }
        for (network, endpoint) in &request.connect {
            self.docker.connect_network(network, &id, endpoint).await?;
        }
        Ok(())
    }

    async fn watch(&self, new: &str) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut unanswered = 0;
        let mut restarts = Disturbed::new(self.docker).await;
        loop {
            let look = inspect(self.docker, new).await;
            restarts.look().await;
            match look {
                Ok(container) => {
                    unanswered = 0;
                    match self.judge(&container, begun.elapsed()) {
                        Judgement::Good => return Ok(()),
                        Judgement::Bad(reason) => return Err(restarts.blame(reason)),
                        Judgement::NotYet => {}
                    }
                }
                Err(error) => {
                    unanswered += 1;
                    if unanswered == UNANSWERED {
                        return Err(Failure { hold: false, ..Failure::of(&error) });
                    }
                }
            }
            Timer::after(LOOK).await;
        }
    }

    fn judge(&self, container: &Value, since: Duration) -> Judgement {
        if container.is_null() {
            return Judgement::Bad("somebody removed it".into());
        }
        let patience = watch::patience(container, self.bake, self.deadline);
        let (gone, of) = (since.as_secs(), patience.bake.as_secs());
        self.voice.progress(&format!("{}: watched for {gone} of {of} s", self.name));
        watch::judge(&watch::look(container), since, patience)
    }
}

/// Has dockerd restarted? It ends containers then, and no image is to be blamed for that. Its stream of events ends as well.
struct Disturbed {
    events: Option<Stream>,
}

impl Disturbed {
    async fn new(docker: &Client) -> Self {
        Self { events: docker.events(None).await.ok() }
    }

    /// Reads what has come; the events themselves do not matter.
    async fn look(&mut self) {
        while let Some(stream) = &mut self.events {
            match smol::future::poll_once(stream.next()).await {
                None => return,
                Some(Ok(Some(_))) => {}
                Some(Ok(None) | Err(_)) => self.events = None,
            }
        }
    }

    fn blame(&self, reason: String) -> Failure {
        match self.events {
            Some(_) => Failure { reason, hold: true },
            None => Failure { reason: format!("{reason}, as Docker restarted"), hold: false },
        }
    }
}

/// Removed is removed: dockerd may have died after it did so and before it said so.
fn gone(removed: Result<(), Error>) -> Result<(), Error> {
    match removed {
        Err(error) if error.is_not_found() => Ok(()),
        Ok(()) | Err(_) => removed,
    }
}

fn words(act: Act) -> &'static str {
    match act {
        Act::RenameOld => "the old one steps aside",
        Act::CalmOld => "the old one must not restart by itself",
        Act::CreateNew => "the new one is created",
        Act::StopOld => "the old one is stopped",
        Act::StartNew => "the new one is started",
        Act::RemoveOld => "the old one is removed",
        Act::StopNew => "the new one is stopped",
        Act::RemoveNew => "the new one is removed",
        Act::StartOld => "the old one is started again",
        Act::RestoreOld => "the old one gets its restart policy back",
        Act::NameOld => "the old one gets its name back",
    }
}

/// What a person does to put a container back by hand.
pub fn by_hand(name: &str, old: &str, always: bool) -> String {
    let marked = swap::marked(name, old, always);
    let restart = if always { format!(" && docker update --restart=always {name}") } else { String::new() };
    format!(
        "docker stop {name}; docker rm {name}; docker rename {marked} {name} && docker start {name}{restart}"
    )
}
