//! Rollouts second by second, with what Docker shows at each.

use super::super::slots::testing::{digest, nodes, tasks};
use super::*;
use crate::docker::api::UpdateStatus;

const PIS: [&str; 3] = ["pi1 aarch64 ready active", "pi2 aarch64 ready active", "pi3 aarch64 ready active"];

/// From `a` to `b`.
fn spec(digit: char) -> String {
    let image = format!("10.0.10.40:5000/app:latest@{}", digest(digit));
    format!(
        r#"{{"Name":"web","Mode":{{"Replicated":{{"Replicas":2}}}},"TaskTemplate":{{"ContainerSpec":{{"Image":"{image}"}}}}}}"#
    )
}

fn plan() -> Plan {
    Plan {
        name: "web".into(),
        target: digest('b'),
        previous: digest('a'),
        before: spec('a'),
        bake: Duration::from_secs(60),
        deadline: Duration::from_mins(25),
    }
}

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(10_000 + seconds)
}

fn service(spec: &str, state: &str) -> Service {
    let text = format!(r#"{{"ID":"x","Version":{{"Index":1}},"Spec":{spec}}}"#);
    let mut service: Service = serde_json::from_str(&text).unwrap();
    let status = UpdateStatus { state: state.into(), message: "Docker's words".into(), ..Default::default() };
    service.update_status = (!state.is_empty()).then_some(status);
    service
}

struct Scene {
    rollout: Rollout,
    nodes: Vec<Node>,
}

impl Scene {
    fn new() -> Self {
        Self { rollout: Rollout::begin(plan(), at(0)), nodes: nodes(&PIS) }
    }

    fn see(&mut self, seconds: u64, spec: &str, state: &str, lines: &[&str]) -> Step {
        self.see_tasks(seconds, spec, state, &tasks(lines))
    }

    fn see_tasks(&mut self, seconds: u64, spec: &str, state: &str, tasks: &[Task]) -> Step {
        let service = service(spec, state);
        let look = Look { now: at(seconds), service: Some(&service), tasks, nodes: &self.nodes };
        self.rollout.look(look)
    }

    fn sees(&mut self, seconds: u64, state: &str, lines: &[&str]) -> Step {
        self.see(seconds, &spec('b'), state, lines)
    }

    fn progress(&self, seconds: u64, digit: char, lines: &[&str]) -> String {
        let (service, tasks) = (service(&spec(digit), ""), tasks(lines));
        let look = Look { now: at(seconds), service: Some(&service), tasks: &tasks, nodes: &self.nodes };
        let advance = self.rollout.progress(look).unwrap();
        format!("{:?} {advance}", advance.stage)
    }
}

const HALF: [&str; 2] = ["1 pi1 b running running", "2 pi2 a running running"];
const ALL: [&str; 3] = ["9 pi1 a shutdown shutdown", "1 pi1 b running running", "2 pi2 b running running"];
const FAILED: [&str; 4] = [
    "8 pi1 a shutdown shutdown",
    "9 pi2 a shutdown shutdown",
    "1 pi1 b running running",
    "2 pi2 b failed shutdown",
];
const BACK: [&str; 3] = ["1 pi1 a running running", "2 pi2 a running running", "2 pi2 b failed shutdown"];

fn soon() -> Step {
    Step::Wait(Duration::from_millis(500))
}

fn later() -> Step {
    Step::Wait(Duration::from_secs(2))
}

#[test]
fn a_good_image_is_watched_until_it_has_run_for_the_bake() {
    let mut scene = Scene::new();
    assert_eq!(
        scene.sees(0, "", &["1 pi1 a running running", "2 pi2 a running running"]),
        soon(),
        "not begun"
    );
    assert_eq!(scene.sees(1, "updating", &HALF), soon());
    assert_eq!(scene.progress(14, 'b', &HALF), "Converging web: 1/2 run bbbbbbbbbbbb, 14 s");
    assert_eq!(scene.sees(20, "updating", &ALL), later(), "Docker still watches");
    assert_eq!(scene.sees(25, "completed", &ALL), soon());
    assert_eq!(scene.progress(39, 'b', &ALL), "Baking web: 2/2 run bbbbbbbbbbbb, watched for 14 of 60 s");
    assert_eq!(scene.sees(84, "completed", &ALL), later());
    assert_eq!(scene.sees(85, "completed", &ALL), Step::End(End::Updated));
}

#[test]
fn no_status_at_all_is_as_good_as_completed() {
    let mut scene = Scene::new();
    scene.sees(5, "", &ALL);
    assert_eq!(scene.sees(64, "", &ALL), later());
    assert_eq!(scene.sees(65, "", &ALL), Step::End(End::Updated));
}

#[test]
fn paused_by_docker_means_back_at_once() {
    let mut scene = Scene::new();
    let why = "task 2 on pi2: failed, task: non-zero exit (1)";
    assert_eq!(scene.sees(3, "paused", &FAILED), Step::RollBack(why.into()));
    scene.rollout.rolling_back(at(3), why.into());
    assert_eq!(scene.see(4, &spec('a'), "rollback_started", &FAILED), soon());
    assert_eq!(scene.progress(9, 'a', &BACK), "RollingBack web: put back, 2/2 run aaaaaaaaaaaa, 6 s");
    assert_eq!(scene.see(5, &spec('a'), "rollback_started", &BACK), soon());
    let end = Step::End(End::RolledBack(why.into()));
    assert_eq!(scene.see(9, &spec('a'), "rollback_completed", &BACK), end);
}

#[test]
fn a_failure_within_the_bake_means_back() {
    let mut scene = Scene::new();
    scene.sees(5, "completed", &ALL);
    let why = "task 2 on pi2: failed, task: non-zero exit (1)";
    assert_eq!(scene.sees(50, "completed", &FAILED), Step::RollBack(why.into()));
    let mut scene = Scene::new();
    scene.sees(5, "completed", &ALL);
    let ended = [&ALL[..], &["2 pi2 b complete shutdown"]].concat();
    assert!(matches!(scene.sees(50, "completed", &ended), Step::RollBack(_)), "a service is there to run");
}

#[test]
fn a_failure_that_docker_has_judged_does_not_count_in_the_bake() {
    let mut scene = Scene::new();
    let again = ["1 pi1 b running running", "2 pi2 b running running", "2 pi2 b failed shutdown"];
    assert_eq!(scene.sees(5, "updating", &again), soon());
    assert_eq!(scene.sees(9, "completed", &again), soon());
    assert_eq!(scene.sees(69, "completed", &again), Step::End(End::Updated));
}

#[test]
fn docker_told_to_continue_does_not_go_on_for_ever() {
    let mut scene = Scene::new();
    let crash = "2 pi2 b failed shutdown";
    assert_eq!(scene.sees(5, "updating", &[crash; 4]), soon());
    let Step::RollBack(why) = scene.sees(9, "updating", &[crash; 5]) else { panic!("goes on") };
    assert_eq!(why, "5 tasks have failed, the last: task 2 on pi2: failed, task: non-zero exit (1)");
}

#[test]
fn a_node_that_was_away_says_nothing_of_the_image() {
    let mut scene = Scene::new();
    scene.sees(5, "completed", &ALL);
    scene.nodes = nodes(&[PIS[0], "pi2 aarch64 down active", PIS[2]]);
    scene.sees(10, "completed", &ALL);
    scene.nodes = nodes(&PIS);
    assert_eq!(scene.sees(30, "completed", &FAILED), later());
    let back = [&FAILED[..], &["2 pi3 b running running"]].concat();
    // A whole bake from the failure on: what fails again and again has nobody else to blame in the end.
    assert_eq!(scene.sees(89, "completed", &back), later());
    assert_eq!(scene.sees(90, "completed", &back), Step::End(End::Updated));

    let mut scene = Scene::new();
    scene.sees(5, "completed", &ALL);
    scene.rollout.blind(at(20), &nodes(&PIS));
    assert!(matches!(scene.sees(79, "completed", &FAILED), Step::Wait(_)));

    let mut scene = Scene::new();
    scene.sees(5, "completed", &ALL);
    scene.rollout.blind(at(20), &nodes(&PIS));
    assert!(matches!(scene.sees(80, "completed", &FAILED), Step::RollBack(_)));
}

#[test]
fn what_a_killed_dockerd_left_behind_says_nothing_of_the_image() {
    let mut scene = Scene::new();
    let look = |scene: &mut Scene, err: &str| {
        let mut tasks = tasks(&FAILED);
        for task in tasks.iter_mut().filter(|task| task.status.state == "failed") {
            task.status.err = err.to_owned();
        }
        scene.see_tasks(9, &spec('b'), "completed", &tasks)
    };
    let left = "starting container failed: failed to create task: task 3f2a81c0d4e5: already exists";
    assert!(matches!(look(&mut scene, left), Step::Wait(_)));
    let mut scene = Scene::new();
    assert!(matches!(look(&mut scene, "starting container failed: exec format error"), Step::RollBack(_)));
}

#[test]
fn what_never_gets_there_is_put_back_at_the_deadline() {
    let mut scene = Scene::new();
    assert_eq!(scene.sees(1499, "updating", &HALF), later());
    assert_eq!(
        scene.sees(1500, "updating", &HALF),
        Step::RollBack("1 of 2 tasks run it after 25 min".into())
    );
}

#[test]
fn tasks_gone_at_the_end_of_the_bake_are_waited_for_no_longer_than_the_deadline() {
    let mut scene = Scene::new();
    scene.sees(5, "completed", &ALL);
    let one = ["1 pi1 b running running", "2 pi2 b pending running"];
    assert_eq!(scene.sees(70, "completed", &one), later());
    assert_eq!(scene.sees(100, "completed", &ALL), Step::End(End::Updated));
    assert!(matches!(scene.sees(1560, "completed", &one), Step::RollBack(_)));
}

#[test]
fn docker_rolls_back_by_itself_and_the_end_is_verified() {
    let mut scene = Scene::new();
    scene.sees(1, "updating", &HALF);
    assert_eq!(scene.see(3, &spec('a'), "rollback_started", &BACK), soon());
    let why = "Docker rolled it back: task 2 on pi2: failed, task: non-zero exit (1)";
    let not_yet = ["1 pi1 a running running", "2 pi2 a starting running"];
    assert_eq!(scene.see(5, &spec('a'), "rollback_completed", &not_yet), soon());
    assert_eq!(scene.see(6, &spec('a'), "rollback_completed", &BACK), Step::End(End::RolledBack(why.into())));
}

#[test]
fn a_rollback_that_fails_needs_a_person() {
    let mut scene = Scene::new();
    scene.rollout.rolling_back(at(0), "bad".into());
    let end = scene.see(4, &spec('a'), "rollback_paused", &HALF);
    assert_eq!(end, Step::End(End::Failed("bad; and the rollback has failed: Docker's words".into())));

    let mut scene = Scene::new();
    scene.rollout.rolling_back(at(100), "bad".into());
    assert_eq!(scene.see(1599, &spec('a'), "rollback_started", &HALF), later());
    let end = scene.see(1600, &spec('a'), "rollback_started", &HALF);
    assert_eq!(
        end,
        Step::End(End::Failed("bad; and put back, only 1 of 2 tasks run it after 25 min".into()))
    );
}

#[test]
fn a_stack_deploy_in_between_makes_it_theirs() {
    let scaled = spec('b').replace("\"Replicas\":2", "\"Replicas\":5");
    let other = spec('c');
    for spec in [scaled, other] {
        let mut scene = Scene::new();
        assert!(matches!(scene.see(5, &spec, "updating", &HALF), Step::End(End::LetGo(_))), "{spec}");
        scene.rollout.rolling_back(at(6), "bad".into());
        assert!(matches!(scene.see(7, &spec, "updating", &HALF), Step::End(End::LetGo(_))), "{spec}");
    }
    let mut scene = Scene::new();
    assert!(
        matches!(scene.see(5, &spec('a'), "updating", &HALF), Step::End(End::LetGo(_))),
        "not a rollback"
    );
    let gone = scene.rollout.look(Look { now: at(6), service: None, tasks: &[], nodes: &[] });
    assert_eq!(gone, Step::End(End::LetGo("somebody has removed it".into())));
}

#[test]
fn another_ones_rollout_is_watched_from_where_it_stands() {
    let adopt = |age, completed: Option<u64>| Scene {
        rollout: Rollout::adopt(plan(), at(0), Duration::from_secs(age), completed.map(Duration::from_secs)),
        nodes: nodes(&PIS),
    };
    let mut scene = adopt(100, Some(50));
    assert!(matches!(scene.sees(0, "completed", &ALL), Step::Wait(_)));
    assert_eq!(scene.sees(10, "completed", &ALL), Step::End(End::Updated));
    let mut scene = adopt(100, Some(50));
    assert!(matches!(scene.sees(1, "completed", &FAILED), Step::RollBack(_)));
    let mut scene = adopt(100, Some(50));
    scene.rollout.excuse(["task3".to_owned()]);
    assert!(
        matches!(scene.sees(1, "completed", &FAILED), Step::Wait(_)),
        "failed before Docker called it completed"
    );
    let mut scene = adopt(1400, None);
    assert_eq!(scene.sees(99, "updating", &HALF), later());
    assert!(matches!(scene.sees(100, "updating", &HALF), Step::RollBack(_)));
    let mut scene = adopt(20, None);
    assert!(matches!(scene.sees(0, "paused", &FAILED), Step::RollBack(_)));
}
