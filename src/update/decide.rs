//! Where a tag points elsewhere than the service: is it updated now, and if not, why not?

use super::slots::{describe, digest_of};
use super::spec::is_unknown;
use super::{Verdict, candidate};
use crate::docker::api::{Node, Platform, Task, UpdateStatus};
use crate::state::Held;
use core::time::Duration;

/// All that is known of one service and its tag.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Digest its spec is pinned to.
    pub runs: &'a str,
    /// Digest the tag points at.
    pub newest: &'a str,
    /// For how long that digest has been known.
    pub age: Duration,
    /// `--min-age`.
    pub min_age: Duration,
    /// What failed here before, by this program's own memory.
    pub held: Option<&'a Held>,
    /// The same by what Docker remembers ([`failed_before`]).
    pub failed_before: Option<String>,
    /// Nodes that the new image has no platform for ([`missing_platform`]).
    pub missing_platform: Option<String>,
    /// Set outside of `--update-window`: when it opens.
    pub closed: Option<String>,
    /// Set while not all of its tasks run, or Docker is at work on it.
    pub unsettled: Option<String>,
}

/// What is done, and why.
pub fn decide(facts: &Facts) -> (Verdict, String) {
    if facts.runs == facts.newest {
        return (Verdict::Current, "the tag points at what it runs".into());
    }
    if let Some(held) = facts.held.filter(|held| held.digest == facts.newest) {
        return (
            Verdict::Held,
            format!("this image has failed here ({}); waits for the tag to move", held.reason),
        );
    }
    if let Some(why) = &facts.failed_before {
        return (Verdict::Held, format!("this image has failed here ({why}); waits for the tag to move"));
    }
    if let Some(nodes) = &facts.missing_platform {
        return (
            Verdict::Held,
            format!("the new image has no platform for {nodes}; waits for the tag to move"),
        );
    }
    if facts.age < facts.min_age {
        let rest = facts.min_age.saturating_sub(facts.age).as_secs().div_ceil(60);
        return (Verdict::Deferred, format!("not known for --min-age yet: {rest} min to go"));
    }
    if let Some(when) = &facts.closed {
        return (Verdict::Deferred, when.clone());
    }
    if let Some(why) = &facts.unsettled {
        return (Verdict::Deferred, format!("not touched while it is not well: {why}"));
    }
    (Verdict::Due, "the tag has moved".into())
}

/// What Docker itself remembers of `digest`, for a leader without memory: the spec it was rolled back from, or tasks of
/// it that failed (a history of five a slot).
pub fn failed_before(
    digest: &str,
    status: Option<&UpdateStatus>,
    previous: Option<&str>,
    tasks: &[Task],
    nodes: &[Node],
) -> Option<String> {
    let rolled_back = status.is_some_and(|status| status.state.starts_with("rollback_"));
    if rolled_back && previous == Some(digest) {
        return Some("the service was rolled back from it".into());
    }
    let failed = |task: &&Task| ["failed", "rejected"].contains(&task.status.state.as_str());
    let of_digest = |task: &&Task| digest_of(task).as_deref() == Some(digest);
    tasks.iter().filter(failed).find(of_digest).map(|task| describe(task, nodes))
}

/// The platforms of the nodes this service runs on, or may run on, that an image lacks. Nothing for an image that tells no
/// platforms.
pub fn missing_platform(platforms: &[Platform], tasks: &[Task], nodes: &[Node]) -> Option<String> {
    let mut known = platforms.iter().filter(|platform| !is_unknown(platform)).peekable();
    known.peek()?;
    let known: Vec<&Platform> = known.collect();
    let fits = |node: &&&Node| {
        let of = &node.description.platform;
        let (architecture, os) = (architecture(&of.architecture), of.os.to_ascii_lowercase());
        known.iter().any(|platform| platform.architecture == architecture && platform.os == os)
    };
    let runs_it =
        |node: &&Node| tasks.iter().any(|task| task.node_id == node.id && task.status.state == "running");
    let mut concerned: Vec<&Node> = nodes.iter().filter(runs_it).collect();
    if concerned.is_empty() {
        let ready = |node: &&Node| node.status.state == "ready" && node.spec.availability == "active";
        concerned = nodes.iter().filter(ready).collect();
    }
    let lacking = concerned.iter().filter(|node| !fits(node));
    let lacking: Vec<String> = lacking
        .map(|node| format!("{} ({})", node.description.hostname, node.description.platform.architecture))
        .collect();
    (!lacking.is_empty()).then(|| lacking.join(", "))
}

/// As an image has it, of what a node says of itself (`uname -m`).
fn architecture(machine: &str) -> &str {
    match machine {
        "aarch64" => "arm64",
        "x86_64" => "amd64",
        "i386" | "i686" => "386",
        "armv6l" | "armv7l" | "armhf" | "armel" => "arm",
        other => other,
    }
}

/// Why the service cannot be touched just now, from what Docker does with it and from its tasks.
pub fn unsettled(status: Option<&UpdateStatus>, slots: super::slots::Slots) -> Option<String> {
    let tasks = || match slots {
        slots if slots.settled() => None,
        slots if slots.wanted == 0 => Some("no node runs it".to_owned()),
        slots => Some(format!("{} of {} tasks run", slots.running.min(slots.wanted), slots.wanted)),
    };
    candidate::busy(status).or_else(tasks)
}

#[cfg(test)]
mod tests {
    use super::super::slots::testing::{digest, nodes, tasks};
    use super::*;

    fn facts<'a>(runs: &'a str, newest: &'a str) -> Facts<'a> {
        Facts {
            runs,
            newest,
            age: Duration::from_secs(90),
            min_age: Duration::ZERO,
            held: None,
            failed_before: None,
            missing_platform: None,
            closed: None,
            unsettled: None,
        }
    }

    fn held(digest: &str) -> Held {
        Held { reference: "app:latest".into(), digest: digest.into(), reason: "exit 1".into(), since: 0 }
    }

    #[test]
    fn equal_digests_are_current_whatever_else_is_true() {
        let held = held("b");
        let facts = Facts { held: Some(&held), unsettled: Some("x".into()), ..facts("b", "b") };
        assert_eq!(decide(&facts).0, Verdict::Current);
    }

    #[test]
    fn a_moved_tag_is_due() {
        assert_eq!(decide(&facts("a", "b")).0, Verdict::Due);
    }

    #[test]
    fn each_hindrance_is_told() {
        let (bad, older) = (held("b"), held("c"));
        let day = Duration::from_hours(24);
        let cases = [
            (Facts { held: Some(&bad), ..facts("a", "b") }, Verdict::Held, "exit 1"),
            (Facts { held: Some(&older), ..facts("a", "b") }, Verdict::Due, "moved"),
            (
                Facts { failed_before: Some("rolled back".into()), ..facts("a", "b") },
                Verdict::Held,
                "rolled back",
            ),
            (
                Facts { missing_platform: Some("pi1".into()), ..facts("a", "b") },
                Verdict::Held,
                "platform for pi1",
            ),
            (Facts { min_age: day, ..facts("a", "b") }, Verdict::Deferred, "1439 min to go"),
            (Facts { min_age: Duration::from_secs(90), ..facts("a", "b") }, Verdict::Due, "moved"),
            (Facts { closed: Some("opens at 2".into()), ..facts("a", "b") }, Verdict::Deferred, "opens at 2"),
            (Facts { unsettled: Some("1 of 2".into()), ..facts("a", "b") }, Verdict::Deferred, "1 of 2"),
        ];
        for (facts, verdict, words) in cases {
            let (decided, why) = decide(&facts);
            assert_eq!(decided, verdict, "{why}");
            assert!(why.contains(words), "{why}");
        }
    }

    #[test]
    fn docker_remembers_for_a_leader_that_does_not() {
        let (bad, pis) = (digest('b'), nodes(&["pi1 aarch64 ready active"]));
        let status = |state: &str| UpdateStatus { state: state.into(), ..Default::default() };
        let ask = |state: &str, previous: &str, lines: &[&str]| {
            failed_before(
                &bad,
                Some(&status(state)),
                Some(&digest(previous.chars().next().unwrap())),
                &tasks(lines),
                &pis,
            )
        };
        assert!(ask("rollback_completed", "b", &[]).unwrap().contains("rolled back"));
        assert!(ask("rollback_started", "b", &[]).is_some());
        assert_eq!(ask("completed", "b", &[]), None, "went on from it");
        assert_eq!(ask("rollback_completed", "a", &[]), None);
        let failed = ask("", "a", &["1 pi1 b failed shutdown"]).unwrap();
        assert_eq!(failed, "task 1 on pi1: failed, task: non-zero exit (1)");
        assert!(ask("", "a", &["1 pi1 b rejected shutdown"]).is_some());
        assert_eq!(ask("", "a", &["1 pi1 a failed shutdown", "1 pi1 b shutdown shutdown"]), None);
    }

    fn platforms(list: &[(&str, &str)]) -> Vec<Platform> {
        let platform = |(architecture, os): &(&str, &str)| Platform {
            architecture: (*architecture).into(),
            os: (*os).into(),
            variant: String::new(),
        };
        list.iter().map(platform).collect()
    }

    #[test]
    fn an_image_without_the_nodes_architecture_is_not_taken() {
        let pis = nodes(&["pi1 aarch64 ready active", "pi2 armv7l ready active", "pc x86_64 ready active"]);
        let index = platforms(&[("amd64", "linux"), ("arm64", "linux"), ("unknown", "unknown")]);
        let missing = |index: &[Platform], lines: &[&str]| missing_platform(index, &tasks(lines), &pis);
        assert_eq!(missing(&index, &["1 pi1 a running running", "2 pc a running running"]), None);
        assert_eq!(missing(&index, &["1 pi2 a running running"]).unwrap(), "pi2 (armv7l)");
        assert_eq!(missing(&index, &[]).unwrap(), "pi2 (armv7l)", "it may come to any node");
        assert_eq!(missing(&platforms(&[("arm", "linux")]), &["1 pi2 a running running"]), None);
        assert_eq!(
            missing(&platforms(&[("arm64", "windows")]), &["1 pi1 a running running"]).unwrap(),
            "pi1 (aarch64)"
        );
        assert_eq!(missing(&platforms(&[("unknown", "unknown")]), &["1 pi1 a running running"]), None);
        assert_eq!(missing(&[], &["1 pi1 a running running"]), None);
    }

    #[test]
    fn a_service_that_is_not_well_is_not_touched() {
        let slots = |wanted, running| super::super::slots::Slots { wanted, running, others: 0 };
        assert_eq!(unsettled(None, slots(3, 3)), None);
        assert_eq!(unsettled(None, slots(3, 2)).unwrap(), "2 of 3 tasks run");
        assert_eq!(unsettled(None, slots(0, 0)).unwrap(), "no node runs it");
        let updating = UpdateStatus { state: "updating".into(), ..Default::default() };
        assert!(unsettled(Some(&updating), slots(3, 3)).is_some());
    }
}
