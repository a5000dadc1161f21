//! Is a service looked at, and if not, why not? By its nature, by wish, by what goes on with it just now.

use super::Policy;
use super::spec::Spec;
use crate::docker::Reference;
use crate::docker::api::UpdateStatus;
use crate::duration;
use core::time::Duration;

/// Says `true` or `false` for one service, and wins over the flags.
const LABEL_UPDATE: &str = "unsinkable.update";
/// How long this service is watched after an update.
const LABEL_BAKE: &str = "unsinkable.bake";
/// Watching less than this tells nothing: Docker's own 5 s is blind to what fails at its first request.
const SHORTEST_BAKE: Duration = Duration::from_secs(60);

/// A service that is kept at the newest image of its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Of its image, with the tag that is followed.
    pub reference: Reference,
    /// What its spec is pinned to, `sha256:…`.
    pub digest: String,
}

/// Reads the image of a service that is to be kept up to date.
///
/// # Errors
/// Why the service is left alone, in words.
pub fn look(spec: &Spec, policy: &Policy) -> Result<Candidate, String> {
    by_nature(spec)?;
    by_wish(&spec.name, spec.label(LABEL_UPDATE), policy)?;
    let reference =
        Reference::parse(spec.image()).map_err(|error| format!("its image cannot be read: {error}"))?;
    if reference.tag_or_latest().is_none() {
        return Err("pinned to a digest without a tag: nothing newer can come".into());
    }
    let digest = reference.digest.clone().ok_or_else(|| {
        let tagged = reference.familiar_tagged();
        format!("which image it runs is unknown, as its spec has no digest: docker service update --image {tagged} {} pins it", spec.name)
    })?;
    if spec.replicas() == Some(0) {
        return Err("scaled to zero".into());
    }
    Ok(Candidate { reference, digest })
}

fn by_nature(spec: &Spec) -> Result<(), String> {
    if spec.mode.replicated_job.is_some() || spec.mode.global_job.is_some() {
        return Err("a job: an update would run it again".into());
    }
    if !["", "container"].contains(&spec.task_template.runtime.as_str())
        || spec.task_template.container_spec.is_none()
    {
        return Err(format!("not a container but a {}", spec.task_template.runtime));
    }
    let restart = spec.task_template.restart_policy.as_ref();
    if restart.is_some_and(|policy| policy.condition == "none") {
        return Err("its tasks are not restarted: an update would run it again".into());
    }
    Ok(())
}

/// Is this name to be updated, by label or flags? For services and containers alike.
///
/// # Errors
/// Why not, in words.
pub fn by_wish(name: &str, label: Option<&str>, policy: &Policy) -> Result<(), String> {
    match label.map(|value| value.trim().to_ascii_lowercase()).as_deref() {
        Some("true") => return Ok(()),
        Some("false") => return Err(format!("label {LABEL_UPDATE}=false")),
        Some(other) => return Err(format!("label {LABEL_UPDATE}={other} is neither true nor false")),
        None => {}
    }
    if let Some(glob) = policy.skip.iter().find(|glob| glob.matches(name)) {
        return Err(format!("--update-skip {glob}"));
    }
    if !policy.only.is_empty() && !policy.only.iter().any(|glob| glob.matches(name)) {
        return Err("none of --update-only".into());
    }
    Ok(())
}

/// What Docker does with the service just now, if that must end first.
pub fn busy(status: Option<&UpdateStatus>) -> Option<String> {
    let status = status?;
    let words = match status.state.as_str() {
        "updating" => "an update goes on",
        "rollback_started" => "a rollback goes on",
        "paused" => "its last update has failed and is paused: docker service rollback ends that",
        "rollback_paused" => "its rollback has failed and is paused: it needs a person",
        // Over, or a state of a later Docker that says nothing of failure.
        _ => return None,
    };
    let message = if status.message.is_empty() { String::new() } else { format!(" ({})", status.message) };
    Some(format!("{words}{message}"))
}

/// How long an update of this service is watched once all of it runs: label, flag, or longer than anything that Docker
/// itself looks at. A label that is no duration is passed over, and told.
pub fn bake(spec: &Spec, policy: &Policy) -> (Duration, Option<String>) {
    let by_default =
        policy.bake.unwrap_or_else(|| SHORTEST_BAKE.max(spec.monitor()).max(spec.healthcheck_interval() * 2));
    match spec.label(LABEL_BAKE).map(duration::parse) {
        None => (by_default, None),
        Some(Ok(bake)) => (bake, None),
        Some(Err(error)) => (by_default, Some(format!("label {LABEL_BAKE}: {error}"))),
    }
}

/// How long a rollout may take: pulls on SD cards are slow, and one task may wait for another.
pub fn deadline(spec: &Spec, tasks: u64, policy: &Policy) -> Duration {
    /// For the pulls.
    const FIRST: Duration = Duration::from_mins(15);
    /// For each task, its own pull included where the nodes pull one after the other.
    const EACH: Duration = Duration::from_mins(5);
    /// More than a Pi cluster has: keeps the sum from overflowing.
    const MOST: u64 = 1000;
    let tasks = u32::try_from(tasks.min(MOST)).unwrap_or(u32::MAX);
    let at_once = u32::try_from(spec.parallelism(u64::from(tasks))).unwrap_or(u32::MAX);
    let pauses = spec.delay().saturating_add(spec.monitor()).saturating_mul(tasks.div_ceil(at_once));
    policy.deadline.unwrap_or(FIRST.saturating_add(EACH * tasks).saturating_add(pauses))
}

/// The container this program runs in, from `/proc/self/mountinfo`: Docker mounts three files of the container's own
/// folder into it, `…/containers/ID/hosts /etc/hosts …`.
pub fn own_container(mountinfo: &str) -> Option<&str> {
    let mut mounts = mountinfo.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(3);
        Some((fields.next()?, fields.next()?))
    });
    let (root, _) =
        mounts.find(|(_, at)| ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"].contains(at))?;
    let (_, rest) = root.split_once("/containers/")?;
    let id = rest.split('/').next()?;
    (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

#[cfg(test)]
mod tests;
