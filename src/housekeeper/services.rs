//! The Swarm's services as the page shows them: what Docker says of each, and what the rounds know of its image. Pure
//! but for the time of day.

use super::memory::{Judged, Memory};
use crate::docker::Reference;
use crate::docker::api::{self, UpdateStatus};
use crate::report::node::{ImageState, Service};
use crate::sys::clock;
use crate::update::Verdict;
use crate::update::adopt::unix;
use crate::update::spec::{Mode, Spec};
use crate::voice::Stage;

/// What `docker stack deploy` writes on each service.
const STACK: &str = "com.docker.stack.namespace";

/// A service as Docker listed it, some seconds ago.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What can be said of it without the rounds.
    service: Service,
    update: Option<UpdateStatus>,
}

/// What is kept of Docker's list, by name; one whose spec cannot be read is left out.
pub fn listed(services: &[api::Service]) -> Vec<Listed> {
    let mut listed: Vec<Listed> = services.iter().filter_map(one).collect();
    listed.sort_by(|one, other| one.service.name.cmp(&other.service.name));
    listed
}

fn one(service: &api::Service) -> Option<Listed> {
    let spec = Spec::read(service.spec.get()).ok()?;
    let reference = Reference::parse(spec.image()).ok();
    let digest = reference.as_ref().and_then(|reference| reference.digest.clone());
    let tasks = service.service_status.unwrap_or_default();
    let known = Service {
        id: service.id.clone(),
        stack: spec.label(STACK).map(str::to_owned),
        image: reference.map_or_else(|| spec.image().to_owned(), |reference| reference.familiar_tagged()),
        digest,
        newest: None,
        mode: mode(&spec.mode),
        running: tasks.running_tasks,
        desired: tasks.desired_tasks,
        state: ImageState::Unknown,
        detail: None,
        updated_ago: None,
        name: spec.name,
    };
    Some(Listed { service: known, update: service.update_status.clone() })
}

/// All of them as they fare now: a rollout of ours is told as its round tells it, however old the list is.
pub fn describe(listed: &[Listed], memory: &Memory) -> Vec<Service> {
    let now = clock::unix();
    listed.iter().map(|listed| described(listed, memory, now)).collect()
}

/// `now`: unix seconds.
fn described(listed: &Listed, memory: &Memory, now: u64) -> Service {
    let mut service = listed.service.clone();
    let judged = memory.judged.get(&service.name);
    let begun = memory.begun.get(&service.name);
    service.newest = begun.or(judged.and_then(|judged| judged.newest.as_ref())).cloned();
    let update = listed.update.as_ref();
    if let Some(rollout) = memory.rollout.as_ref().filter(|rollout| rollout.service == service.name) {
        (service.state, service.detail) = (state_of(rollout.stage), Some(rollout.how.clone()));
        return service;
    }
    let ended = update.and_then(|update| unix(&update.completed_at));
    service.updated_ago = ended.map(|ended| now.saturating_sub(ended) * 1000);
    let (state, detail) = fares(&service, update, judged);
    (service.state, service.detail) = (state, detail.filter(|detail| !detail.is_empty()));
    service
}

fn mode(mode: &Mode) -> &'static str {
    match mode {
        Mode { replicated_job: Some(_), .. } => "replicated-job",
        Mode { global_job: Some(_), .. } => "global-job",
        Mode { global: Some(_), .. } => "global",
        Mode { .. } => "replicated",
    }
}

/// What a rollout of ours does with an image.
fn state_of(stage: Stage) -> ImageState {
    match stage {
        Stage::Converging => ImageState::Updating,
        Stage::Baking => ImageState::Baking,
        Stage::RollingBack => ImageState::RollingBack,
    }
}

/// How the image of one fares that no round watches, and why: what Docker does now, else what the last round found.
fn fares(
    service: &Service,
    update: Option<&UpdateStatus>,
    judged: Option<&Judged>,
) -> (ImageState, Option<String>) {
    let message = update.map(|update| update.message.clone());
    match update.map_or("", |update| update.state.as_str()) {
        "updating" => return (ImageState::Updating, message),
        "rollback_started" => return (ImageState::RollingBack, message),
        "paused" | "rollback_paused" => return (ImageState::Failed, message),
        // Over, never begun, or a state of a later Docker.
        _ => {}
    }
    let Service { newest, digest, .. } = service;
    let Some(judged) = judged else { return (ImageState::Unknown, None) };
    let reason = Some(judged.reason.clone());
    match judged.verdict {
        Verdict::Skipped => (ImageState::Skipped, reason),
        _ if newest.is_none() => (ImageState::Unknown, reason),
        _ if newest == digest => (ImageState::Current, None),
        Verdict::Held | Verdict::RolledBack => (ImageState::Held, reason),
        Verdict::Failed => (ImageState::Failed, reason),
        Verdict::Deferred | Verdict::Due => (ImageState::Outdated, reason),
        // It was changed since.
        Verdict::Current | Verdict::Updated => (ImageState::Outdated, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Advance;

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

    fn one_of(service: &api::Service, memory: &Memory, now: u64) -> Service {
        described(&one(service).unwrap(), memory, now)
    }

    #[test]
    fn a_service_is_described_in_dockers_and_our_words() {
        let update = r#"{"State":"completed","StartedAt":"","CompletedAt":"1970-01-01T00:16:40.5Z"}"#;
        let told = one_of(&service("web_app", update), &memory(Verdict::Current, Some(A)), 1_120);
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
        // By the clock of a manager that is an hour ahead.
        let ahead = one_of(&service("web_app", update), &memory(Verdict::Current, Some(A)), 400);
        assert_eq!(ahead.updated_ago, Some(0));
        let names: Vec<_> =
            describe(&listed(&[service("b", "null"), service("a", "null")]), &Memory::default())
                .into_iter()
                .map(|service| (service.name, service.state, service.updated_ago))
                .collect();
        let unknown = |name: &str| (name.to_owned(), ImageState::Unknown, None);
        assert_eq!(names, [unknown("a"), unknown("b")]);
    }

    fn rollout(service: &str, stage: Stage, how: &str) -> Advance {
        Advance { service: service.to_owned(), stage, how: how.to_owned() }
    }

    fn said(state: ImageState, text: &str) -> (ImageState, String) {
        (state, text.to_owned())
    }

    /// With this state in Docker's list.
    fn told(state: &str, memory: &Memory) -> (ImageState, String) {
        let update = format!(r#"{{"State":"{state}","Message":"docker's","CompletedAt":""}}"#);
        let told = one_of(&service("web_app", &update), memory, 0);
        (told.state, told.detail.unwrap_or_default())
    }

    #[test]
    fn the_state_of_an_image_is_what_docker_does_else_what_was_found() {
        use ImageState::{Current, Failed, Held, Outdated, RollingBack, Skipped, Unknown, Updating};
        let case = |state: &str, verdict, newest| told(state, &memory(verdict, newest));
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
    }

    /// Docker's list is some seconds old, and shows what was or what comes.
    #[test]
    fn a_rollout_of_ours_is_told_as_its_round_tells_it_whatever_the_list_shows() {
        use ImageState::{Baking, Current, RollingBack, Updating};
        for listed in ["", "completed", "updating", "paused", "rollback_started", "rollback_completed"] {
            for (stage, how, state) in [
                (Stage::Converging, "1/3 run bb, 4 s", Updating),
                (Stage::Baking, "3/3 run bb, watched for 4 of 60 s", Baking),
                (Stage::RollingBack, "put back, 3/3 run aa, 9 s", RollingBack),
            ] {
                let mut memory = memory(Verdict::Current, Some(A));
                memory.rollout = Some(rollout("web_app", stage, how));
                assert_eq!(told(listed, &memory), said(state, how), "{listed:?}");
            }
        }
        let mut other = memory(Verdict::Current, Some(A));
        other.rollout = Some(rollout("web_app2", Stage::Converging, "1/3 run bb, 4 s"));
        assert_eq!(told("", &other), said(Current, ""));
    }

    #[test]
    fn what_a_round_has_moved_has_a_newest_image_before_the_round_is_over() {
        let mut memory = memory(Verdict::Current, Some(B));
        memory.begun = [("web_app".to_owned(), A.to_owned())].into();
        memory.rollout = Some(rollout("web_app", Stage::Converging, "begins to run aaaaaaaaaaaa"));
        let long_ago = r#"{"State":"completed","CompletedAt":"1970-01-01T00:00:01Z"}"#;
        let during = one_of(&service("web_app", long_ago), &memory, 100);
        assert_eq!((during.newest.as_deref(), during.updated_ago), (Some(A), None));
        // Others are looked at still.
        memory.rollout = Some(rollout("shop_app", Stage::Converging, "1/3 run cc, 4 s"));
        let behind = one_of(&service("web_app", long_ago), &memory, 100);
        assert_eq!((behind.state, behind.newest.as_deref()), (ImageState::Current, Some(A)));
        assert_eq!(behind.updated_ago, Some(99_000));
    }
}
