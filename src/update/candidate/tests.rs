//! Services as people have them.

use super::*;

const DIGEST: &str = "sha256:02833638b7e8343c1664c1706ae8761a2ab1c8277594af57b3fef8ce356b862c";

fn policy(only: &[&str], skip: &[&str]) -> Policy {
    let globs = |list: &[&str]| list.iter().map(|glob| glob::Pattern::new(glob).unwrap()).collect();
    Policy {
        swarm: true,
        containers: false,
        only: globs(only),
        skip: globs(skip),
        window: None,
        min_age: Duration::ZERO,
        bake: None,
        deadline: None,
        credentials: None,
    }
}

fn service(image: &str, labels: &str, mode: &str, template: &str) -> Spec {
    let text = format!(
        r#"{{"Name":"web","Labels":{{{labels}}},"Mode":{mode},"TaskTemplate":{{"ContainerSpec":{{"Image":"{image}"}}{template}}}}}"#
    );
    Spec::read(&text).unwrap()
}

fn plain(labels: &str) -> Spec {
    service(&format!("nginx:1.27@{DIGEST}"), labels, r#"{"Replicated":{"Replicas":2}}"#, "")
}

fn reason(spec: &Spec, policy: &Policy) -> String {
    look(spec, policy).unwrap_err()
}

#[test]
fn a_pinned_service_is_a_candidate() {
    let candidate = look(&plain(""), &policy(&[], &[])).unwrap();
    assert_eq!(candidate.digest, DIGEST);
    assert_eq!(candidate.reference.familiar_tagged(), "nginx:1.27");
    assert_eq!(candidate.reference.registry, "docker.io");
    let global = service(&format!("ghcr.io/a/b@{DIGEST}"), "", r#"{"Global":{}}"#, "");
    assert!(reason(&global, &policy(&[], &[])).contains("pinned to a digest without a tag"));
    let global =
        service(&format!("ghcr.io/a/b:v1@{DIGEST}"), "", r#"{"Global":{}}"#, r#","Runtime":"container""#);
    assert!(look(&global, &policy(&[], &[])).is_ok());
}

#[test]
fn what_is_left_alone_by_nature_is_told() {
    let image = format!("nginx:1.27@{DIGEST}");
    let once = r#"{"Replicated":{"Replicas":1}}"#;
    let cases = [
        (service(&image, "", r#"{"ReplicatedJob":{"MaxConcurrent":1}}"#, ""), "a job"),
        (service(&image, "", r#"{"GlobalJob":{}}"#, ""), "a job"),
        (service(&image, "", once, r#","Runtime":"plugin""#), "plugin"),
        (service(&image, "", once, r#","RestartPolicy":{"Condition":"none"}"#), "not restarted"),
        (service(&image, "", r#"{"Replicated":{"Replicas":0}}"#, ""), "scaled to zero"),
        (service("nginx:1.27", "", once, ""), "docker service update --image nginx:1.27 web"),
        (service("NGINX", "", once, ""), "cannot be read"),
    ];
    for (spec, words) in cases {
        let why = reason(&spec, &policy(&[], &[]));
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn labels_win_over_flags() {
    let (yes, no) = (r#""unsinkable.update":"true""#, r#""unsinkable.update":"false""#);
    assert_eq!(reason(&plain(no), &policy(&["web"], &[])), "label unsinkable.update=false");
    assert!(look(&plain(yes), &policy(&["other"], &["w*"])).is_ok());
    assert_eq!(reason(&plain(""), &policy(&[], &["w*"])), "--update-skip w*");
    assert_eq!(reason(&plain(""), &policy(&["w*"], &["web"])), "--update-skip web");
    assert_eq!(reason(&plain(""), &policy(&["db", "web?"], &[])), "none of --update-only");
    assert!(look(&plain(""), &policy(&["db", "w*"], &[])).is_ok());
    assert!(
        reason(&plain(r#""unsinkable.update":"fals""#), &policy(&[], &[])).contains("neither true nor false")
    );
}

#[test]
fn what_docker_is_busy_with_must_end_first() {
    let status =
        |state: &str| UpdateStatus { state: state.into(), message: "why".into(), ..Default::default() };
    for state in ["updating", "paused", "rollback_started", "rollback_paused"] {
        assert!(busy(Some(&status(state))).unwrap().ends_with("(why)"), "{state}");
    }
    for state in ["", "completed", "rollback_completed"] {
        assert_eq!(busy(Some(&status(state))), None, "{state}");
    }
    assert_eq!(busy(None), None);
}

#[test]
fn the_bake_is_longer_than_what_docker_looks_at() {
    let spec = |labels: &str, config: &str| {
        let text = format!(
            r#"{{"Name":"web","Labels":{{{labels}}},"TaskTemplate":{{"ContainerSpec":{{"Image":"a","Healthcheck":{{"Interval":45000000000}}}}}},"UpdateConfig":{config}}}"#
        );
        Spec::read(&text).unwrap()
    };
    let given = Policy { bake: Some(Duration::from_secs(7)), ..policy(&[], &[]) };
    let seconds = |spec: &Spec, policy: &Policy| bake(spec, policy).0.as_secs();
    assert_eq!(seconds(&plain(""), &policy(&[], &[])), 60);
    assert_eq!(seconds(&spec("", "{}"), &policy(&[], &[])), 90);
    assert_eq!(seconds(&spec("", r#"{"Monitor":120000000000}"#), &policy(&[], &[])), 120);
    assert_eq!(seconds(&spec("", "{}"), &given), 7);
    assert_eq!(seconds(&spec(r#""unsinkable.bake":"5m""#, "{}"), &given), 300);
    let (bake, told) = bake(&spec(r#""unsinkable.bake":"5""#, "{}"), &given);
    assert_eq!(bake.as_secs(), 7);
    assert_eq!(told.unwrap(), "label unsinkable.bake: has no unit: is it 5s or 5ms?");
}

#[test]
fn the_deadline_grows_with_the_tasks_and_their_pauses() {
    let minutes = |spec: &Spec, tasks| deadline(spec, tasks, &policy(&[], &[])).as_secs() / 60;
    assert_eq!(minutes(&plain(""), 1), 20);
    assert_eq!(minutes(&plain(""), 3), 30);
    let slow = Spec::read(r#"{"UpdateConfig":{"Parallelism":2,"Delay":3600000000000}}"#).unwrap();
    assert_eq!(minutes(&slow, 4), 35 + 120);
    let given = Policy { deadline: Some(Duration::from_secs(9)), ..policy(&[], &[]) };
    assert_eq!(deadline(&slow, 4, &given).as_secs(), 9);
    assert!(deadline(&slow, u64::MAX, &policy(&[], &[])) > Duration::from_hours(24), "and no overflow");
}

#[test]
fn the_own_container_is_found_in_the_mounts() {
    let id = "b8718842e887a1cfc784017eb1ebd8a3409e5898c3b768b203ffbf2182899f39";
    let inside = format!(
        "618 608 0:52 / /dev rw,nosuid - tmpfs tmpfs rw\n\
         640 611 8:2 /var/lib/docker/containers/{id}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/root rw\n\
         641 611 8:2 /var/lib/docker/containers/{id}/hostname /etc/hostname rw,relatime - ext4 /dev/root rw\n"
    );
    assert_eq!(own_container(&inside), Some(id));
    let host = format!(
        "25 1 8:2 / / rw,relatime - ext4 /dev/root rw\n\
         99 25 0:48 / /var/lib/docker/containers/{id}/mounts/shm rw - tmpfs shm rw\n"
    );
    assert_eq!(own_container(&host), None);
    assert_eq!(own_container(""), None);
    assert_eq!(own_container("1 2 3"), None);
    assert_eq!(own_container("1 2 3 /a/containers/short/hosts /etc/hosts rw"), None);
}
