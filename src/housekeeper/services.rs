//! The Swarm's services as the page shows them: what Docker says of each, and what the rounds know of its image. Pure
//! but for the time of day.

use super::memory::Memory;
use crate::docker::Reference;
use crate::docker::api;
use crate::report::node::{ImageState, Service};
use crate::sys::clock;
use crate::update::Verdict;
use crate::update::adopt::unix;
use crate::update::spec::{Mode, Spec};

/// What `docker stack deploy` writes on each service.
const STACK: &str = "com.docker.stack.namespace";

/// All services by name; one whose spec cannot be read is left out.
pub fn describe(services: &[api::Service], memory: &Memory) -> Vec<Service> {
    let now = clock::unix();
    let mut described: Vec<Service> =
        services.iter().filter_map(|service| one(service, memory, now)).collect();
    described.sort_by(|one, other| one.name.cmp(&other.name));
    described
}

/// `now`: unix seconds.
fn one(service: &api::Service, memory: &Memory, now: u64) -> Option<Service> {
    let spec = Spec::read(service.spec.get()).ok()?;
    let reference = Reference::parse(spec.image()).ok();
    let digest = reference.as_ref().and_then(|reference| reference.digest.clone());
    let update = service.update_status.as_ref();
    let (state, detail) = fares(&spec.name, digest.as_deref(), update, memory);
    let tasks = service.service_status.unwrap_or_default();
    let ended = update.and_then(|update| unix(&update.completed_at));
    Some(Service {
        id: service.id.clone(),
        stack: spec.label(STACK).map(str::to_owned),
        image: reference.map_or_else(|| spec.image().to_owned(), |reference| reference.familiar_tagged()),
        digest,
        newest: memory.judged.get(&spec.name).and_then(|judged| judged.newest.clone()),
        mode: mode(&spec.mode),
        running: tasks.running_tasks,
        desired: tasks.desired_tasks,
        state,
        detail: detail.filter(|detail| !detail.is_empty()),
        updated_ago: ended.map(|ended| now.saturating_sub(ended) * 1000),
        name: spec.name,
    })
}

fn mode(mode: &Mode) -> &'static str {
    match mode {
        Mode { replicated_job: Some(_), .. } => "replicated-job",
        Mode { global_job: Some(_), .. } => "global-job",
        Mode { global: Some(_), .. } => "global",
        Mode { .. } => "replicated",
    }
}

/// How its image fares, and why or how far. What Docker does now comes first, then what a round of ours does, then what
/// the last round found.
fn fares(
    name: &str,
    digest: Option<&str>,
    update: Option<&api::UpdateStatus>,
    memory: &Memory,
) -> (ImageState, Option<String>) {
    let watched = memory.progress.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
    let message = update.map(|update| update.message.clone());
    let words = || watched.map(str::to_owned).or(message.clone());
    match update.map_or("", |update| update.state.as_str()) {
        "updating" => return (ImageState::Updating, words()),
        "rollback_started" => return (ImageState::RollingBack, words()),
        "paused" | "rollback_paused" => return (ImageState::Failed, message),
        // Over, never begun, or a state of a later Docker.
        _ => {}
    }
    if let Some(watched) = watched {
        let state =
            if watched.starts_with("put back") { ImageState::RollingBack } else { ImageState::Baking };
        return (state, Some(watched.to_owned()));
    }
    let Some(judged) = memory.judged.get(name) else { return (ImageState::Unknown, None) };
    let reason = Some(judged.reason.clone());
    match judged.verdict {
        Verdict::Skipped => (ImageState::Skipped, reason),
        _ if judged.newest.is_none() => (ImageState::Unknown, reason),
        _ if judged.newest.as_deref() == digest => (ImageState::Current, None),
        Verdict::Held | Verdict::RolledBack => (ImageState::Held, reason),
        Verdict::Failed => (ImageState::Failed, reason),
        Verdict::Deferred | Verdict::Due => (ImageState::Outdated, reason),
        // It was changed since.
        Verdict::Current | Verdict::Updated => (ImageState::Outdated, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Judged;
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn service(name: &str, update: &str) -> api::Service {
        let text = format!(
            r#"{{"ID":"id-{name}","Version":{{"Index":7}},"Spec":{{"Name":"{name}",
            "Labels":{{"com.docker.stack.namespace":"web"}},"Mode":{{"Replicated":{{"Replicas":3}}}},
            "TaskTemplate":{{"ContainerSpec":{{"Image":"nginx:1@{A}"}}}}}},
            "ServiceStatus":{{"RunningTasks":2,"DesiredTasks":3}},"UpdateStatus":{update}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn memory(verdict: Verdict, newest: Option<&str>) -> Memory {
        let judged = Judged { newest: newest.map(str::to_owned), verdict, reason: "why".to_owned() };
        Memory { judged: [("web_app".to_owned(), judged)].into(), ..Memory::default() }
    }

    #[test]
    fn a_service_is_described_in_dockers_and_our_words() {
        let update = r#"{"State":"completed","StartedAt":"","CompletedAt":"1970-01-01T00:16:40.5Z"}"#;
        let told = one(&service("web_app", update), &memory(Verdict::Current, Some(A)), 1_120).unwrap();
        let expected = Service {
            id: "id-web_app".to_owned(),
            name: "web_app".to_owned(),
            stack: Some("web".to_owned()),
            image: "nginx:1".to_owned(),
            digest: Some(A.to_owned()),
            newest: Some(A.to_owned()),
            mode: "replicated",
            running: 2,
            desired: 3,
            state: ImageState::Current,
            detail: None,
            updated_ago: Some(120_000),
        };
        assert_eq!(told, expected);
        let names: Vec<_> = describe(&[service("b", "null"), service("a", "null")], &Memory::default())
            .into_iter()
            .map(|service| (service.name, service.state, service.updated_ago))
            .collect();
        let unknown = |name: &str| (name.to_owned(), ImageState::Unknown, None);
        assert_eq!(names, [unknown("a"), unknown("b")]);
    }

    #[test]
    fn the_state_of_an_image_is_what_goes_on_now_else_what_was_found() {
        use ImageState::{Baking, Current, Failed, Held, Outdated, RollingBack, Skipped, Unknown, Updating};
        let fares = |state: &str, memory: &Memory| {
            let status = api::UpdateStatus {
                state: state.to_owned(),
                message: "docker's".to_owned(),
                ..Default::default()
            };
            let (state, detail) = fares("web_app", Some(A), Some(&status), memory);
            (state, detail.unwrap_or_default())
        };
        let case = |state: &str, verdict, newest| fares(state, &memory(verdict, newest));
        let said = |state, text: &str| (state, text.to_owned());
        assert_eq!(case("", Verdict::Current, Some(A)), said(Current, ""));
        assert_eq!(case("completed", Verdict::Current, Some(B)), said(Outdated, ""));
        assert_eq!(case("", Verdict::Deferred, Some(B)), said(Outdated, "why"));
        assert_eq!(case("", Verdict::Deferred, None), said(Unknown, "why"));
        assert_eq!(case("", Verdict::Held, Some(B)), said(Held, "why"));
        assert_eq!(case("rollback_completed", Verdict::RolledBack, Some(B)), said(Held, "why"));
        assert_eq!(case("", Verdict::Failed, Some(B)), said(Failed, "why"));
        assert_eq!(case("", Verdict::Skipped, None), said(Skipped, "why"));
        assert_eq!(case("updating", Verdict::Current, Some(A)), said(Updating, "docker's"));
        assert_eq!(case("rollback_started", Verdict::Current, Some(A)), said(RollingBack, "docker's"));
        assert_eq!(case("paused", Verdict::Current, Some(A)), said(Failed, "docker's"));
        let at_work =
            |progress: &str| Memory { progress: progress.to_owned(), ..memory(Verdict::Current, Some(A)) };
        let (run, bake) = ("web_app: 1/3 run bb, 4 s", "web_app: 3/3 run bb, watched for 4 of 60 s");
        assert_eq!(fares("updating", &at_work(run)), said(Updating, "1/3 run bb, 4 s"));
        assert_eq!(fares("completed", &at_work(bake)), said(Baking, "3/3 run bb, watched for 4 of 60 s"));
        assert_eq!(fares("", &at_work("web_app: put back, 3/3 run")), said(RollingBack, "put back, 3/3 run"));
        assert_eq!(fares("", &at_work("web_app2: 1/3 run bb, 4 s")), said(Current, ""));
    }
}
