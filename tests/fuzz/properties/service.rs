//! No service, task or node as Docker tells it may panic what reads it; an edit of a spec changes image and platforms and
//! nothing else, and is no change of anything to those who compare.
//!
//! One JSON a line: a service, its tasks, the nodes.

use core::time::Duration;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use unsinkable::docker::api::{Node, Platform, Service, Task};
use unsinkable::prune::keepset::Wanted;
use unsinkable::time::Time;
use unsinkable::update::rollout::{End, Look, Plan, Rollout, Step};
use unsinkable::update::spec::{Spec, same_but_image, same_settings, with_image};
use unsinkable::update::{Policy, adopt, candidate};

const IMAGE: &str = "nginx:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// 2025-11-23 00:39:08 UTC.
const NOW: u64 = 1_763_858_348;
const DEADLINE: Duration = Duration::from_secs(900);
const BAKE: Duration = Duration::from_secs(60);
/// Between two looks; fewer than a daemon takes.
const EVERY: Duration = Duration::from_secs(30);
/// No flag and no label takes longer than a year.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// Reads `data` as what a manager tells.
pub fn run(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let Some(Ok(service)) = lines.next().map(serde_json::from_slice::<Service>) else { return };
    let (tasks, nodes) = (list::<Task>(lines.next()), list::<Node>(lines.next()));
    edited(service.spec.get());
    adopt::orphan(&service, BAKE, DEADLINE, NOW);
    adopt::failed_before_completion(&tasks, service.update_status.as_ref());
    candidate::busy(service.update_status.as_ref());
    if let Ok(spec) = Spec::read(service.spec.get()) {
        looked_at(&spec, tasks.len() as u64);
    }
    if let Ok(wanted) = Wanted::of_services(core::slice::from_ref(&service)) {
        let told = Wanted::parse(wanted.document().as_bytes());
        assert!(told.is_err() || told == Ok(wanted), "a worker takes it for something else");
    }
    rolled_out(&service, &tasks, &nodes);
}

fn list<T: DeserializeOwned>(line: Option<&[u8]>) -> Vec<T> {
    line.and_then(|line| serde_json::from_slice(line).ok()).unwrap_or_default()
}

fn looked_at(spec: &Spec, tasks: u64) {
    let (only, skip) = (Vec::new(), Vec::new());
    let min_age = Duration::ZERO;
    let policy = Policy {
        swarm: true,
        containers: false,
        only,
        skip,
        window: None,
        min_age,
        bake: None,
        deadline: None,
        credentials: None,
    };
    if let Ok(found) = candidate::look(spec, &policy) {
        assert!(found.digest.starts_with("sha") && found.reference.tag_or_latest().is_some(), "{found:?}");
    }
    let (bake, complaint) = candidate::bake(spec, &policy);
    if spec.label("unsinkable.bake").is_some() && complaint.is_none() {
        assert!(bake <= LONGEST, "{bake:?}");
    } else {
        assert!(bake >= Duration::from_secs(60), "{bake:?}");
    }
    assert!(candidate::deadline(spec, tasks, &policy) >= Duration::from_secs(900));
}

/// With the image and the platforms of another one.
fn edited(spec: &str) {
    let platform = Platform { architecture: "arm64".into(), os: "linux".into(), ..Platform::default() };
    let Ok(edited) = with_image(spec, IMAGE, core::slice::from_ref(&platform)) else { return };
    assert_eq!(with_image(&edited, IMAGE, &[platform]).as_ref(), Ok(&edited), "once more changes nothing");
    assert!(!same_settings(spec, spec) || same_settings(spec, &edited), "{spec}\n{edited}");
    assert!(!same_but_image(spec, &edited) || same_settings(spec, &edited));
    // What is beyond numbers or depth is passed on, and not looked at by this reader.
    let Ok(mut expected) = serde_json::from_str::<Value>(spec) else { return };
    let template = &mut expected["TaskTemplate"];
    template["ContainerSpec"]["Image"] = IMAGE.into();
    template["Placement"]["Platforms"] = json!([{ "Architecture": "arm64", "OS": "linux" }]);
    assert_eq!(serde_json::from_str::<Value>(&edited).expect("JSON"), expected);
}

/// Watched from the change to its end, with nothing new to see: that ends, and before long.
fn rolled_out(service: &Service, tasks: &[Task], nodes: &[Node]) {
    let plan = Plan {
        name: "web".into(),
        target: DIGEST.into(),
        previous: DIGEST.replace("0123", "3210"),
        before: service.spec.get().to_owned(),
        bake: BAKE,
        deadline: DEADLINE,
    };
    let mut now = Time::from_micros(1_000_000_000);
    let mut rollout = Rollout::begin(plan, now);
    for _ in 0..200 {
        let look = Look { now, service: Some(service), tasks, nodes };
        rollout.progress(look);
        match rollout.look(look) {
            Step::Wait(pause) => {
                assert!(!pause.is_zero() && pause <= EVERY);
                now += EVERY;
            }
            Step::RollBack(why) => rollout.rolling_back(now, why),
            Step::End(End::Updated | End::RolledBack(_) | End::Failed(_) | End::LetGo(_)) => return,
        }
    }
    panic!("still watched after {now}");
}
