//! The image a rollback needs survives pruning on every node, workers included, and a rollback works without the registry.

use crate::lab::service::EVERYWHERE;
use crate::lab::{Image, Lab, Node};
use crate::rounds::{daemons, update};
use std::time::Duration;

/// Nothing is kept but by what services want: no newest of a repository, a grace of seconds, no old task containers.
const GREEDY: [&str; 9] =
    ["--prune", "--prune-every", "1s", "--grace", "2s", "--keep-per-repo", "0", "--listen", "0.0.0.0:9112"];

#[test]
fn a_rollback_without_registry_after_pruning() {
    let Some(lab) = Lab::with_workers(1, 1) else { return };
    lab.node(0).docker(&["swarm", "update", "--task-history-limit", "0"]);
    let one = lab.push("app:v1", Image::Good("1"));
    let two = lab.push("app:v2", Image::Good("2"));
    let three = lab.push("app:v3", Image::Good("3"));
    let junk = lab.push("junk:v1", Image::Good("junk"));
    lab.move_tag("app:latest", "v1");
    lab.node(0).docker_line(&format!("{EVERYWHERE} {}", lab.image("app:latest")));
    lab.wait_running(0, "web", 2, &one);
    for (tag, digest) in [("v2", &two), ("v3", &three)] {
        lab.move_tag("app:latest", tag);
        update(&lab, &[]).expect("web", "updated");
        lab.wait_running(0, "web", 2, digest);
    }
    for node in &lab.nodes {
        node.docker(&["pull", "-q", &lab.image("junk:v1")]);
        for digest in [&one, &two, &three, &junk] {
            assert!(node.has_image(digest), "{}: {digest} is there before", node.name);
        }
    }
    let _daemons = daemons(&lab, &GREEDY);
    lab.wait_for(Duration::from_secs(60), "junk and the oldest image are gone everywhere", || {
        lab.nodes.iter().all(|node| !node.has_image(&junk) && !node.has_image(&one))
    });
    std::thread::sleep(Duration::from_secs(8)); // more rounds than the grace is long
    for node in &lab.nodes {
        assert!(node.has_image(&three), "{}: what runs is kept", node.name);
        assert!(node.has_image(&two), "{}: what a rollback needs is kept", node.name);
    }
    lab.registry_down();
    lab.node(0).docker(&["service", "rollback", "--detach", "web"]);
    lab.wait_running(0, "web", 2, &two);
    for node in &lab.nodes {
        assert_eq!(node.versions("web"), ["2"], "{}", node.name);
    }
}

#[test]
fn a_worker_without_managers_removes_nothing_a_service_could_want() {
    let Some(lab) = Lab::with_workers(1, 1) else { return };
    let one = lab.push("app:v1", Image::Good("1"));
    for node in &lab.nodes {
        node.docker(&["create", "--name", "old", &lab.image("app:v1")]);
    }
    let _daemons = daemons(&lab, &GREEDY[..7]); // no --listen: the worker has nobody to ask
    let gone = |node: &Node| node.try_docker(&["container", "inspect", "old"]).is_err();
    lab.wait_for(
        Duration::from_secs(60),
        "unused containers are gone everywhere, and the manager's image",
        || lab.nodes.iter().all(gone) && !lab.node(0).has_image(&one),
    );
    std::thread::sleep(Duration::from_secs(6)); // more rounds than the grace is long
    assert!(lab.node(1).has_image(&one), "without word from a manager an image with a digest stays");
}
