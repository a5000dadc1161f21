//! Which containers are looked at, and why the others are not. Labels win over flags, ours over watchtower's.

use crate::docker::api::Container;
use crate::update::Policy;
use std::collections::BTreeMap;

/// On containers that are a Swarm task: those are the services' business.
pub const TASK: &str = "com.docker.swarm.task.id";
/// On the containers of `docker compose run`.
const ONE_OFF: &str = "com.docker.compose.oneoff";
const UPDATE: &str = "unsinkable.update";
const NO_PULL: &str = "unsinkable.no-pull";
const MONITOR: &str = "unsinkable.monitor-only";
const WATCHTOWER: &str = "com.centurylinklabs.watchtower.enable";
const WATCHTOWER_NO_PULL: &str = "com.centurylinklabs.watchtower.no-pull";
const WATCHTOWER_MONITOR: &str = "com.centurylinklabs.watchtower.monitor-only";

/// How a container is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Never pull: only what is here already counts.
    pub no_pull: bool,
    /// Tell what is new, change nothing.
    pub monitor_only: bool,
}

/// What becomes of a container in this round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It is none of ours, and is not even named: a task, or it does not run.
    Ignored,
    /// Left alone, and why.
    Skipped(&'static str),
    /// Its image is looked at.
    Looked(Wish),
}

/// The name without the slash; a container has one name, and more only through legacy links (`/other/alias`).
pub fn name(container: &Container) -> &str {
    let own = container.names.iter().find(|name| !name.trim_start_matches('/').contains('/'));
    own.map_or("", |name| name.trim_start_matches('/'))
}

fn flag(labels: &BTreeMap<String, String>, label: &str) -> Option<bool> {
    match labels.get(label)?.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Decides by what the list of containers tells. `own`: ID of the container this program runs in.
pub fn choose(container: &Container, policy: &Policy, own: Option<&str>) -> Choice {
    let labels = &container.labels;
    let running = matches!(container.state.as_str(), "running" | "paused" | "restarting");
    if labels.contains_key(TASK) || !running {
        return Choice::Ignored;
    }
    let on = |label: &str| flag(labels, label) == Some(true);
    if let Some(why) = unwanted(container, policy) {
        return Choice::Skipped(why);
    }
    match container.state.as_str() {
        "paused" => return Choice::Skipped("it is paused"),
        "restarting" => {
            return Choice::Skipped("it restarts again and again: there would be nothing to go back to");
        }
        _ => {}
    }
    if own == Some(container.id.as_str()) {
        return Choice::Skipped("this program runs in it, and would end in the middle: update it by hand");
    }
    if on(ONE_OFF) {
        return Choice::Skipped("a one-off command of docker compose run");
    }
    Choice::Looked(Wish {
        no_pull: on(NO_PULL) || on(WATCHTOWER_NO_PULL),
        monitor_only: on(MONITOR) || on(WATCHTOWER_MONITOR),
    })
}

fn unwanted(container: &Container, policy: &Policy) -> Option<&'static str> {
    match (flag(&container.labels, UPDATE), flag(&container.labels, WATCHTOWER)) {
        (Some(true), _) => return None,
        (Some(false), _) => return Some("label unsinkable.update=false"),
        (None, Some(false)) => return Some("label com.centurylinklabs.watchtower.enable=false"),
        (None, Some(true) | None) => {}
    }
    let name = name(container);
    if policy.skip.iter().any(|glob| glob.matches(name)) {
        return Some("--update-skip");
    }
    let listed = policy.only.is_empty() || policy.only.iter().any(|glob| glob.matches(name));
    (!listed).then_some("not in --update-only")
}

/// The ID of the container that a process is in, by its `/proc/self/mountinfo`: Docker mounts `/etc/hostname` and its kin
/// from the container's own folder. Nothing on the host itself.
pub fn own_id(mountinfo: &str) -> Option<&str> {
    mountinfo.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let (root, mounted_at) = (fields.next()?, fields.next()?);
        if !matches!(mounted_at, "/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf") {
            return None;
        }
        let id = root.split("/containers/").nth(1)?.split('/').next()?;
        (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn policy(only: &[&str], skip: &[&str]) -> Policy {
        let globs = |list: &[&str]| list.iter().map(|text| glob::Pattern::new(text).unwrap()).collect();
        Policy {
            swarm: false,
            containers: true,
            only: globs(only),
            skip: globs(skip),
            window: None,
            min_age: Duration::ZERO,
            bake: None,
            deadline: None,
            credentials: None,
        }
    }

    fn container(name: &str, state: &str, labels: &[(&str, &str)]) -> Container {
        Container {
            id: "abc".into(),
            names: vec!["/other/alias".into(), format!("/{name}")],
            state: state.into(),
            labels: labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            ..Container::default()
        }
    }

    fn chosen(labels: &[(&str, &str)], only: &[&str], skip: &[&str]) -> Choice {
        choose(&container("web", "running", labels), &policy(only, skip), None)
    }

    const LOOKED: Choice = Choice::Looked(Wish { no_pull: false, monitor_only: false });

    #[test]
    fn tasks_and_what_does_not_run_are_not_ours() {
        assert_eq!(chosen(&[(TASK, "x"), (UPDATE, "true")], &[], &[]), Choice::Ignored);
        for state in ["exited", "created", "dead", "removing"] {
            assert_eq!(
                choose(&container("web", state, &[]), &policy(&[], &[]), None),
                Choice::Ignored,
                "{state}"
            );
        }
        let paused = choose(&container("web", "paused", &[]), &policy(&[], &[]), None);
        assert_eq!(paused, Choice::Skipped("it is paused"));
        assert!(matches!(
            choose(&container("web", "restarting", &[]), &policy(&[], &[]), None),
            Choice::Skipped(why) if why.starts_with("it restarts again")
        ));
    }

    #[test]
    fn flags_choose_by_name_and_labels_win() {
        assert_eq!(chosen(&[], &[], &[]), LOOKED);
        assert_eq!(chosen(&[], &["w*"], &[]), LOOKED);
        assert_eq!(chosen(&[], &["db"], &[]), Choice::Skipped("not in --update-only"));
        assert_eq!(chosen(&[], &[], &["web"]), Choice::Skipped("--update-skip"));
        assert_eq!(chosen(&[], &["web"], &["w*"]), Choice::Skipped("--update-skip"));
        assert_eq!(chosen(&[(UPDATE, "true")], &["db"], &["web"]), LOOKED);
        assert_eq!(
            chosen(&[(UPDATE, "False")], &["web"], &[]),
            Choice::Skipped("label unsinkable.update=false")
        );
        let watchtower = "label com.centurylinklabs.watchtower.enable=false";
        assert_eq!(chosen(&[(WATCHTOWER, "false")], &[], &[]), Choice::Skipped(watchtower));
        assert_eq!(chosen(&[(WATCHTOWER, "false"), (UPDATE, "true")], &[], &[]), LOOKED);
        assert_eq!(chosen(&[(WATCHTOWER, "true")], &["db"], &[]), Choice::Skipped("not in --update-only"));
    }

    #[test]
    fn labels_say_what_may_be_done() {
        let wish = |no_pull, monitor_only| Choice::Looked(Wish { no_pull, monitor_only });
        assert_eq!(chosen(&[(NO_PULL, "true")], &[], &[]), wish(true, false));
        assert_eq!(chosen(&[(MONITOR, "true")], &[], &[]), wish(false, true));
        assert_eq!(chosen(&[(WATCHTOWER_MONITOR, "true")], &[], &[]), wish(false, true));
        assert_eq!(chosen(&[(MONITOR, "false")], &[], &[]), wish(false, false));
    }

    #[test]
    fn one_off_commands_and_ourselves_are_left_alone() {
        assert_eq!(
            chosen(&[(ONE_OFF, "True")], &[], &[]),
            Choice::Skipped("a one-off command of docker compose run")
        );
        assert_eq!(chosen(&[(ONE_OFF, "False")], &[], &[]), LOOKED);
        let own = choose(&container("web", "running", &[]), &policy(&[], &[]), Some("abc"));
        assert!(matches!(own, Choice::Skipped(why) if why.starts_with("this program runs in it")));
    }

    #[test]
    fn a_process_finds_the_container_it_is_in() {
        let id = "b8718842e887a1cfc784017eb1ebd8a3409e5898c3b768b203ffbf2182899f39";
        let inside = format!(
            "22 1 0:5 / /proc rw - proc proc rw\n\
             30 1 8:1 /var/lib/docker/containers/{id}/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw"
        );
        assert_eq!(own_id(&inside), Some(id));
        let host = format!("30 1 0:44 / /var/lib/docker/containers/{id}/mounts/shm rw - tmpfs shm rw");
        assert_eq!(own_id(&host), None);
        assert_eq!(own_id("30 1 8:1 /etc/hosts /etc/hosts rw - ext4 /dev/sda1 rw"), None);
    }
}
