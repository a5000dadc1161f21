//! A rollout that nobody has watched to its end: the leader died, or this program was restarted. Known by what Docker
//! shows of it, watched by whoever leads now.

use super::spec::same_but_image;
use crate::docker::api::{Service, Task, UpdateStatus};
use core::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How old a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// Since it began.
    pub began: Duration,
    /// Since Docker called it completed, if it did.
    pub completed: Option<Duration>,
}

/// The age of a rollout that is to be watched on: an update of nothing but the image, still going on or just failed
/// within its deadline, or completed less than a bake ago. `now` in unix seconds; the nodes' clocks may differ a bit, and
/// what lies ahead of ours has just happened.
pub fn orphan(service: &Service, bake: Duration, deadline: Duration, now: u64) -> Option<Age> {
    let previous = service.previous_spec.as_ref()?;
    if !same_but_image(service.spec.get(), previous.get()) {
        return None;
    }
    let status = service.update_status.as_ref()?;
    let since = |text: &str| unix(text).map(|then| Duration::from_secs(now.saturating_sub(then)));
    let began = since(&status.started_at)?;
    match status.state.as_str() {
        "updating" | "paused" => (began < deadline).then_some(Age { began, completed: None }),
        "completed" => {
            let completed = since(&status.completed_at).filter(|ago| *ago < bake)?;
            Some(Age { began, completed: Some(completed) })
        }
        // Rolled back already, or by Docker just now.
        _ => None,
    }
}

/// The failed tasks (IDs) that Docker knew of when it called the update completed: it let them pass.
pub fn failed_before_completion(tasks: &[Task], status: Option<&UpdateStatus>) -> Vec<String> {
    let Some(completed) = status.and_then(|status| moment(&status.completed_at)) else { return Vec::new() };
    let before = |task: &&Task| moment(&task.status.timestamp).is_some_and(|failed| failed < completed);
    let ended = |task: &&Task| ["failed", "rejected", "complete"].contains(&task.status.state.as_str());
    tasks.iter().filter(ended).filter(before).map(|task| task.id.clone()).collect()
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Unix seconds of one of Docker's RFC 3339 times.
pub fn unix(text: &str) -> Option<u64> {
    u64::try_from(moment(text)?.unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T16:34:44Z.
    const BEGAN: u64 = 1_795_365_284;
    const BAKE: Duration = Duration::from_secs(60);
    const DEADLINE: Duration = Duration::from_mins(20);

    fn service(previous: &str, state: &str) -> Service {
        let spec = |digit: &str, extra: &str| {
            let digest = digit.repeat(64);
            format!(
                r#"{{"Name":"web"{extra},"TaskTemplate":{{"ContainerSpec":{{"Image":"app:1@sha256:{digest}"}}}}}}"#
            )
        };
        let text = format!(
            r#"{{"ID":"x","Version":{{"Index":9}},"Spec":{},"PreviousSpec":{},"UpdateStatus":{{"State":"{state}","StartedAt":"2026-11-22T16:34:44.234783181Z","CompletedAt":"2026-11-22T16:35:04.1Z"}}}}"#,
            spec("b", ""),
            spec("a", previous)
        );
        serde_json::from_str(&text).unwrap()
    }

    fn age(state: &str, after: u64) -> Option<(u64, Option<u64>)> {
        let age = orphan(&service("", state), BAKE, DEADLINE, BEGAN + after)?;
        Some((age.began.as_secs(), age.completed.map(|ago| ago.as_secs())))
    }

    #[test]
    fn what_goes_on_or_has_failed_within_its_deadline() {
        for state in ["updating", "paused"] {
            assert_eq!(age(state, 30), Some((30, None)));
            assert_eq!(age(state, 1199), Some((1199, None)));
            assert_eq!(age(state, 1200), None, "somebody else's trouble");
        }
    }

    #[test]
    fn what_was_completed_less_than_a_bake_ago() {
        assert_eq!(age("completed", 30), Some((30, Some(10))));
        assert_eq!(age("completed", 79), Some((79, Some(59))));
        assert_eq!(age("completed", 80), None);
    }

    #[test]
    fn a_clock_behind_the_old_leaders_means_just_now() {
        assert_eq!(age("completed", 10), Some((10, Some(0))));
        let early = orphan(&service("", "updating"), BAKE, DEADLINE, BEGAN - 100).unwrap();
        assert_eq!(early.began, Duration::ZERO);
    }

    #[test]
    fn everything_else_is_not_ours() {
        for state in ["rollback_started", "rollback_completed", "rollback_paused", ""] {
            assert_eq!(age(state, 1), None, "{state}");
        }
        assert_eq!(orphan(&service(r#","Labels":{"a":"b"}"#, "updating"), BAKE, DEADLINE, BEGAN), None);
        let mut first = service("", "updating");
        first.previous_spec = None;
        assert_eq!(orphan(&first, BAKE, DEADLINE, BEGAN), None);
        let mut quiet = service("", "updating");
        quiet.update_status = None;
        assert_eq!(orphan(&quiet, BAKE, DEADLINE, BEGAN), None);
    }

    #[test]
    fn failures_that_docker_let_pass() {
        let task = |id: &str, state: &str, at: &str| {
            let mut task = Task { id: id.into(), ..Task::default() };
            task.status.state = state.into();
            task.status.timestamp = at.into();
            task
        };
        let tasks = [
            task("early", "failed", "2026-11-22T16:35:00Z"),
            task("late", "failed", "2026-11-22T16:35:05Z"),
            task("running", "running", "2026-11-22T16:35:00Z"),
            task("odd", "failed", "yesterday"),
        ];
        let service = service("", "completed");
        assert_eq!(failed_before_completion(&tasks, service.update_status.as_ref()), ["early"]);
        assert!(failed_before_completion(&tasks, None).is_empty());
    }
}
