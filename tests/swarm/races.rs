//! Several at work on the same services: a leader that dies in the middle, managers that race, a stack deployed meanwhile.

use crate::lab::{Image, Lab};
use crate::rounds::{QUICK, daemon, daemons, leader, round, update};
use std::fs;
use std::time::Duration;

/// Two tasks a node at most, one after the other: a rollout that takes long enough to be disturbed.
const SLOW: &str = "service create --detach --name web --replicas 3 --update-delay 2s --update-monitor 1s \
    --update-parallelism 1 --rollback-monitor 1s --restart-delay 500ms";

#[test]
fn whoever_else_is_at_work() {
    let Some(lab) = Lab::new(3) else { return };
    let one = lab.push("app:v1", Image::Good("1"));
    lab.push("app:v2", Image::Good("2"));
    lab.push("app:v3", Image::Good("3"));
    lab.push("app:v4", Image::Good("4"));
    lab.push("app:sickens", Image::Sickens(4));
    lab.move_tag("app:latest", "v1");
    lab.node(0).docker_line(&format!("{SLOW} {}", lab.image("app:latest")));
    lab.wait_running(0, "web", 3, &one);
    managers_that_race(&lab);
    a_stack_deployed_meanwhile(&lab);
    a_second_daemon_is_refused(&lab);
    a_leader_killed_in_mid_rollout(&lab);
    a_leader_killed_while_a_bad_image_bakes(&lab);
}

/// The same round on all nodes at once, again and again: one of them leads, the service is written once.
fn managers_that_race(lab: &Lab) {
    let two = lab.move_tag("app:latest", "v2");
    std::thread::scope(|scope| {
        for node in &lab.nodes {
            scope.spawn(|| {
                for _ in 0..4 {
                    round(node, "update", &QUICK);
                }
            });
        }
    });
    lab.wait_running(0, "web", 3, &two);
    let service = lab.node(0).service("web");
    let other = service.previous_digest();
    assert!(
        !other.is_empty() && other != two,
        "written once: the old image is still what a rollback finds: {other}"
    );
}

/// `docker stack deploy` writes the same service while a round does: both have their way.
fn a_stack_deployed_meanwhile(lab: &Lab) {
    let file = lab.dir.join("stack.yml");
    let image = lab.image("app:latest");
    let deploy = |greeting: &str| {
        let text = format!(
            "version: '3.8'\nservices:\n  api:\n    image: {image}\n    environment: {{ GREETING: {greeting} }}\n    \
             deploy: {{ replicas: 2, update_config: {{ monitor: 1s }} }}\n"
        );
        fs::write(&file, text).expect("the lab's directory is ours");
        let file = file.to_str().expect("a plain name");
        // The CLI does not try again by itself when a round of ours was quicker.
        lab.wait("the stack is deployed", || {
            let done = lab.node(leader(lab)).try_docker(&[
                "stack",
                "deploy",
                "--resolve-image",
                "never",
                "-c",
                file,
                "shop",
            ]);
            assert!(done.as_ref().err().is_none_or(|e| e.contains("out of sequence")), "{done:?}");
            done.is_ok()
        });
    };
    deploy("hello");
    lab.node(0).docker(&["service", "update", "--detach=false", "-q", "--image", &image, "shop_api"]);
    let three = lab.move_tag("app:latest", "v3");
    std::thread::scope(|scope| {
        let rounds = scope.spawn(|| {
            for _ in 0..3 {
                update(lab, &[]);
            }
        });
        for n in 0..6 {
            deploy(&format!("hello-{n}"));
            std::thread::sleep(Duration::from_millis(700));
        }
        rounds.join().expect("the rounds have ended");
    });
    // The last deploy asked for the tag without a digest; the next round of ours says what that is, or leaves it.
    update(lab, &[]);
    let service = lab.node(0).service("shop_api");
    assert!(
        service.spec.get().contains("GREETING=hello-5"),
        "nobody's change is lost: {}",
        service.spec.get()
    );
    lab.wait("shop_api runs", || lab.node(0).running("shop_api").len() == 2);
    assert!(lab.node(0).versions("shop_api").iter().all(|v| v == "3"), "{three}");
    lab.node(0).docker(&["stack", "rm", "shop"]);
    lab.wait_running(0, "web", 3, &three);
}

fn a_second_daemon_is_refused(lab: &Lab) {
    let flags = ["--update", "--update-every", "2s"];
    let mut first = daemon(lab, 0, &flags);
    let up = || lab.node(0).unsinkable_command(&["status", "--json"]).code == Some(0);
    lab.wait_for(Duration::from_secs(20), "the first daemon answers", up);
    let mut second = daemon(lab, 0, &flags);
    let status = second.wait(Duration::from_secs(20)).expect("the second daemon ends");
    assert!(!status.success(), "a second daemon is told off: {status}");
    assert!(first.runs(), "and the first goes on");
    assert!(up());
}

/// The leader's dockerd and our daemon beside it die together; whoever leads then brings it to its end.
fn a_leader_killed_in_mid_rollout(lab: &Lab) {
    let flags = ["--update", "--update-every", "2s", "--bake", "3s", "--rollout-deadline", "90s"];
    let mut all = daemons(lab, &flags);
    let four = lab.move_tag("app:latest", "v4");
    lab.wait("the rollout to begin", || lab.node(0).service("web").digest() == four);
    let dead = leader(lab);
    lab.node(dead).kill_dockerd();
    drop(all.remove(dead));
    let other = (dead + 1) % 3;
    lab.wait("the rollout to end well", || {
        lab.leader(other).is_some()
            && lab.node(other).running("web").iter().filter(|d| **d == four).count() >= 3
    });
    lab.node(dead).start_dockerd();
    all.insert(dead, daemon(lab, dead, &flags));
    lab.wait_running(dead, "web", 3, &four);
}

/// The same with an image that fails after all of it ran: no leader may leave it there.
fn a_leader_killed_while_a_bad_image_bakes(lab: &Lab) {
    let good = lab.node(0).service("web").digest();
    let flags = ["--update", "--update-every", "2s", "--bake", "20s", "--rollout-deadline", "90s"];
    let mut all = daemons(lab, &flags);
    let bad = lab.move_tag("app:latest", "sickens");
    lab.wait("the rollout to begin", || lab.node(0).service("web").digest() == bad);
    let dead = leader(lab);
    lab.node(dead).kill_dockerd();
    drop(all.remove(dead));
    lab.node(dead).start_dockerd();
    all.insert(dead, daemon(lab, dead, &flags));
    lab.wait("the old image is back", || lab.node(dead).service("web").digest() == good);
    lab.wait_running(dead, "web", 3, &good);
}
