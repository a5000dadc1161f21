//! One round of updates: asks Docker, lets the pure files decide, does it, watches. `swarm` goes through the services,
//! `ask` through the registries, `change` changes one service, `watch` stays with it.

mod ask;
mod change;
mod swarm;
mod watch;

use super::{Policy, Report, Row, Verdict, containers};
use crate::docker::Client;
use crate::docker::api::{Node, Service};
use crate::docker::credentials::Credentials;
use crate::state::run::Session;
use crate::update::candidate::Candidate;
use crate::update::spec::Spec;
use crate::voice::Voice;
use log::Level;

/// One round, Swarm services first, then plain containers. Whatever fails is in the report; a hold is saved at once.
pub async fn round(
    docker: &Client,
    policy: &Policy,
    session: &mut Session,
    voice: &dyn Voice,
    dry_run: bool,
) -> Report {
    let mut report = Report::default();
    if policy.swarm {
        let rows = &mut report.rows;
        let credentials = Credentials::default();
        let round = Round { docker, policy, session, voice, dry_run, credentials, rows, me: String::new() };
        report.note = round.services().await.unwrap_or_else(Some);
        voice.progress("");
    }
    let failed = |row: &Row| matches!(row.verdict, Verdict::RolledBack | Verdict::Failed);
    if policy.containers && !report.rows.iter().any(failed) {
        containers::run::round(docker, policy, session, voice, dry_run, &mut report.rows).await;
    }
    report
}

/// What a round over the services works with.
struct Round<'a> {
    docker: &'a Client,
    policy: &'a Policy,
    session: &'a mut Session,
    voice: &'a dyn Voice,
    dry_run: bool,
    credentials: Credentials,
    rows: &'a mut Vec<Row>,
    /// This node's ID.
    me: String,
}

/// A service that is kept up to date.
struct Subject {
    service: Service,
    spec: Spec,
    candidate: Candidate,
}

impl Subject {
    fn name(&self) -> &str {
        &self.spec.name
    }

    /// `name:tag`, under which its digest is remembered.
    fn tagged(&self) -> String {
        self.candidate.reference.familiar_tagged()
    }
}

/// Why a round over the services ends early, in words.
type Ended = String;

impl Round<'_> {
    fn say(&self, level: Level, line: &str) {
        self.voice.say(level, line);
    }

    /// Adds the row of a service. `to` is empty where its tag was not asked for.
    fn row(&mut self, subject: &Subject, to: &str, verdict: Verdict, reason: impl Into<String>) {
        self.rows.push(Row {
            name: subject.name().to_owned(),
            kind: "service",
            image: subject.tagged(),
            from: subject.candidate.digest.clone(),
            to: to.to_owned(),
            verdict,
            reason: reason.into(),
        });
    }

    /// Saves what was learnt. A round goes on without: the worst is that something is learnt twice.
    fn save(&self) {
        if let Err(error) = self.session.save() {
            self.say(Level::Warn, &format!("what failed or was asked is not remembered: {error}"));
        }
    }

    /// The leader's name, if it is another node than this.
    fn other_leader<'n>(&self, nodes: &'n [Node]) -> Option<&'n str> {
        let leads = |node: &&Node| node.manager_status.as_ref().is_some_and(|manager| manager.leader);
        match nodes.iter().find(leads) {
            Some(leader) if leader.id == self.me => None,
            Some(leader) => Some(&leader.description.hostname),
            None => Some("nobody"),
        }
    }
}
