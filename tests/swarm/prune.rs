//! The loss that this program was asked for, replayed: services that are away for a while, an update that leaves data
//! without a container, and prune rounds all the while. No named volume goes, whatever happens.

use crate::lab::{Image, Lab};
use crate::rounds::{Round, round};
use std::thread::sleep;
use std::time::Duration;

/// The user's flags, the grace cut to what a test can wait for.
const USUAL: [&str; 6] = ["--grace", "3s", "--keep-per-repo", "0", "--keep-image", "heimdall"];
/// Longer than the grace.
const LONGER: Duration = Duration::from_secs(4);

/// Two looks, the grace between them, on each node; what the last ones said.
fn prune(lab: &Lab, flags: &[&str]) -> Vec<Round> {
    let flags = [&USUAL, flags].concat();
    let look = || lab.nodes.iter().map(|node| round(node, "prune", &flags)).collect();
    let _first: Vec<Round> = look();
    sleep(LONGER);
    look()
}

#[test]
fn no_named_volume_goes_and_an_anonymous_one_only_when_asked_for() {
    let Some(lab) = Lab::new(2) else { return };
    let kept = lab.push("heimdall:v1", Image::Good("kept"));
    let app = lab.push("app:v1", Image::Good("1"));
    let junk = lab.push("junk:v1", Image::Good("junk"));
    let first = lab.node(0);
    for (name, volume) in [("zero", "zero-config"), ("moved", "moved-config")] {
        let mount = format!("type=volume,source={volume},target=/config");
        let here = format!("node.hostname=={}", first.name);
        let create =
            ["service", "create", "--detach", "--name", name, "--mount", &mount, "--constraint", &here];
        first.docker(&[&create[..], &[&lab.image("app:v1")]].concat());
        lab.wait_running(0, name, 1, &app);
    }
    first.docker(&["service", "scale", "--detach", "zero=0"]);
    let (here, there) =
        (format!("node.hostname=={}", first.name), format!("node.hostname=={}", lab.node(1).name));
    first.docker(&[
        "service",
        "update",
        "--detach",
        "--constraint-rm",
        &here,
        "--constraint-add",
        &there,
        "moved",
    ]);
    first.docker(&["volume", "create", "loose"]);
    for image in ["heimdall:v1", "junk:v1"] {
        first.docker(&["pull", "-q", &lab.image(image)]);
    }
    first.docker(&["create", "--name", "anonymous", "-v", "/data", &lab.image("app:v1")]);
    let volumes = || first.docker(&["volume", "ls", "-q"]).lines().map(str::to_owned).collect::<Vec<_>>();
    lab.wait("the moved task has left its volume", || {
        !first.docker(&["ps", "--format", "{{.Names}}"]).contains("moved.")
    });
    // Swarm removes old task containers at some time: with them goes the last that names the volumes.
    let tasks = first.docker(&[
        "ps",
        "-aq",
        "--filter",
        "label=com.docker.swarm.task.id",
        "--filter",
        "status=exited",
    ]);
    for task in tasks.lines() {
        first.docker(&["rm", task]);
    }
    assert_eq!(volumes().len(), 4, "three named ones and an anonymous one");

    prune(&lab, &[])[0].expect("anonymous", "removed");
    assert!(!first.has_image(&junk), "nobody wants it");
    assert!(first.has_image(&kept) && first.has_image(&app), "kept by name; wanted by services");
    assert_eq!(volumes().len(), 4, "no flag names any");

    let last = prune(&lab, &["--prune-volumes", "anonymous", "--prune-volumes", "*-config"]);
    last[0].expect("zero-config", "kept");
    assert_eq!(last[0].reason("moved-config"), "a service mounts it");
    assert_eq!(volumes(), ["loose", "moved-config", "zero-config"]);
}
