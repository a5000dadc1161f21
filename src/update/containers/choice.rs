//! Which containers are looked at, and why the others are not. Labels win over flags, ours over watchtower's.

use crate::docker::api::Container;
use crate::duration;
use crate::sorted::Map;
use crate::update::Policy;
use crate::update::candidate::by_wish;
use core::time::Duration;

/// On containers that are a Swarm task: those are the services' business.
pub const TASK: &str = "com.docker.swarm.task.id";
/// On the containers of `docker compose run`.
const ONE_OFF: &str = "com.docker.compose.oneoff";
const UPDATE: &str = "unsinkable.update";
const BAKE: &str = "unsinkable.bake";
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
    Skipped(String),
    /// Its image is looked at.
    Looked(Wish),
}

/// The name without the slash; a container has one name, and more only through legacy links (`/other/alias`).
pub fn name(container: &Container) -> &str {
    let own = container.names.iter().find(|name| !name.trim_start_matches('/').contains('/'));
    own.map_or("", |name| name.trim_start_matches('/'))
}

fn flag(labels: &Map<String, String>, label: &str) -> Option<bool> {
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
    let left_alone = match container.state.as_str() {
        "paused" => Some("it is paused"),
        "restarting" => Some("it restarts again and again: there would be nothing to go back to"),
        _ if own == Some(container.id.as_str()) => {
            Some("this program runs in it, and would end in the middle: update it by hand")
        }
        _ if on(ONE_OFF) => Some("a one-off command of docker compose run"),
        _ => None,
    };
    let wanted = wanted(container, policy);
    if let Err(why) = wanted.and_then(|()| left_alone.map_or(Ok(()), |why| Err(why.to_owned()))) {
        return Choice::Skipped(why);
    }
    Choice::Looked(Wish {
        no_pull: on(NO_PULL) || on(WATCHTOWER_NO_PULL),
        monitor_only: on(MONITOR) || on(WATCHTOWER_MONITOR),
    })
}

fn wanted(container: &Container, policy: &Policy) -> Result<(), String> {
    let ours = container.labels.get(UPDATE).map(String::as_str);
    if ours.is_none() && flag(&container.labels, WATCHTOWER) == Some(false) {
        return Err(format!("label {WATCHTOWER}=false"));
    }
    by_wish(name(container), ours, policy)
}

/// How long this container is watched after an update, by its label, or by `policy`. A label that is no duration is
/// passed over, and told.
pub fn bake(labels: &Map<String, String>, policy: &Policy) -> (Option<Duration>, Option<String>) {
    match labels.get(BAKE).map(|text| duration::parse(text)) {
        None => (policy.bake, None),
        Some(Ok(bake)) => (Some(bake), None),
        Some(Err(error)) => (policy.bake, Some(format!("label {BAKE}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn skipped(why: &str) -> Choice {
        Choice::Skipped(why.into())
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
        assert_eq!(paused, skipped("it is paused"));
        assert!(matches!(
            choose(&container("web", "restarting", &[]), &policy(&[], &[]), None),
            Choice::Skipped(why) if why.starts_with("it restarts again")
        ));
    }

    #[test]
    fn flags_choose_by_name_and_labels_win() {
        assert_eq!(chosen(&[], &[], &[]), LOOKED);
        assert_eq!(chosen(&[], &["w*"], &[]), LOOKED);
        assert_eq!(chosen(&[], &["db"], &[]), skipped("none of --update-only"));
        assert_eq!(chosen(&[], &[], &["web"]), skipped("--update-skip web"));
        assert_eq!(chosen(&[], &["web"], &["w*"]), skipped("--update-skip w*"));
        assert_eq!(chosen(&[(UPDATE, "true")], &["db"], &["web"]), LOOKED);
        assert_eq!(chosen(&[(UPDATE, "False")], &["web"], &[]), skipped("label unsinkable.update=false"));
        let watchtower = "label com.centurylinklabs.watchtower.enable=false";
        assert_eq!(chosen(&[(WATCHTOWER, "false")], &[], &[]), skipped(watchtower));
        assert_eq!(chosen(&[(WATCHTOWER, "false"), (UPDATE, "true")], &[], &[]), LOOKED);
        assert_eq!(chosen(&[(WATCHTOWER, "true")], &["db"], &[]), skipped("none of --update-only"));
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
            skipped("a one-off command of docker compose run")
        );
        assert_eq!(chosen(&[(ONE_OFF, "False")], &[], &[]), LOOKED);
        let own = choose(&container("web", "running", &[]), &policy(&[], &[]), Some("abc"));
        assert!(matches!(own, Choice::Skipped(why) if why.starts_with("this program runs in it")));
    }

    #[test]
    fn the_label_says_how_long_it_is_watched() {
        let labels = |text: &str| Map::from([(BAKE.to_owned(), text.to_owned())]);
        let asked = Policy { bake: Some(Duration::from_secs(9)), ..policy(&[], &[]) };
        assert_eq!(bake(&Map::new(), &asked), (Some(Duration::from_secs(9)), None));
        assert_eq!(bake(&labels("3m"), &asked), (Some(Duration::from_secs(180)), None));
        let (kept, told) = bake(&labels("soon"), &asked);
        assert_eq!(kept, Some(Duration::from_secs(9)));
        assert!(told.unwrap().starts_with("label unsinkable.bake: "));
    }
}
