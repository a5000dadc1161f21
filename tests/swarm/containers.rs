//! Plain containers on a real dockerd: every setting is kept, what fails is put back, and what is cut short in the middle
//! loses nothing.

#![expect(clippy::unwrap_used, reason = "what Docker says of a container of ours has these fields")]

use crate::lab::{Image, Lab, Node};
use core::time::Duration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;
use unsinkable::docker::Client;
use unsinkable::state::run::Session;
use unsinkable::update::containers::run::round;
use unsinkable::update::{Policy, Row, Verdict};
use unsinkable::voice::Voice;

/// Tells it to whoever reads the test's output.
struct Aloud;

impl Voice for Aloud {
    fn say(&self, level: log::Level, line: &str) {
        crate::net::say(&format!("    {level} {line}"));
    }

    fn progress(&self, _: &str) {}
}

fn policy() -> Policy {
    Policy {
        swarm: false,
        containers: true,
        only: Vec::new(),
        skip: Vec::new(),
        window: None,
        min_age: Duration::ZERO,
        bake: Some(Duration::from_secs(1)),
        deadline: None,
        credentials: None,
    }
}

async fn one_round(socket: &Path, state: &Path, dry_run: bool) -> BTreeMap<String, Row> {
    let docker = Client::new(socket);
    let mut session = Session::open(state).expect("one round at a time");
    let mut rows = Vec::new();
    round(&docker, &policy(), &mut session, &Aloud, dry_run, &mut rows).await;
    rows.into_iter().map(|row| (row.name.clone(), row)).collect()
}

fn rows_of(lab: &Lab, dry_run: bool) -> BTreeMap<String, Row> {
    smol::block_on(one_round(&lab.node(0).socket(), &lab.dir.join("containers"), dry_run))
}

#[track_caller]
fn verdict(rows: &BTreeMap<String, Row>, name: &str, verdict: Verdict) {
    let row = rows.get(name).unwrap_or_else(|| panic!("no row for {name} in {rows:?}"));
    assert_eq!(row.verdict, verdict, "{row:?}");
}

/// What a container was asked for, as far as it can be compared: without IDs, times, findings, and what the image says.
fn settings(node: &Node, name: &str) -> Value {
    let all = node.get(&format!("/containers/{name}/json"));
    let short = &all["Id"].as_str().unwrap()[..12];
    let mut config = all["Config"].clone();
    config["Env"].as_array_mut().unwrap().retain(|one| !one.as_str().unwrap().starts_with("VERSION="));
    config["Labels"].as_object_mut().unwrap().remove("version");
    if config["Hostname"] == short {
        config["Hostname"] = json!("its ID");
    }
    let mut host = all["HostConfig"].clone();
    // The anonymous volume gets its name there: `Mounts` says that it is the same.
    host.as_object_mut().unwrap().remove("Binds");
    for mount in host["Mounts"].as_array_mut().into_iter().flatten() {
        mount.as_object_mut().unwrap().remove("Source");
    }
    let mut networks = all["NetworkSettings"]["Networks"].clone();
    for network in networks.as_object_mut().unwrap().values_mut() {
        let aliases = network["Aliases"].as_array().cloned().unwrap_or_default();
        let aliases: Vec<Value> = aliases.into_iter().filter(|alias| alias != short).collect();
        *network = json!({"IPAMConfig": network["IPAMConfig"], "Aliases": aliases, "Links": network["Links"],
            "DriverOpts": network["DriverOpts"], "IPAddress": network["IPAddress"], "MacAddress": network["MacAddress"]});
    }
    let mut mounts = all["Mounts"].as_array().cloned().unwrap();
    for mount in &mut mounts {
        *mount = json!([mount["Type"], mount["Name"], mount["Destination"], mount["RW"]]);
    }
    mounts.sort_by_key(Value::to_string);
    json!({"Config": config, "HostConfig": host, "Networks": networks, "Mounts": mounts})
}

fn runs(node: &Node, name: &str) -> bool {
    let reply = node.try_call("GET", &format!("/containers/{name}/json"), "");
    let text = reply.map(|reply| reply.text()).unwrap_or_default();
    serde_json::from_str::<Value>(&text).is_ok_and(|one| one["State"]["Running"] == true)
}

fn version(node: &Node, name: &str) -> String {
    let label = "{{index .Config.Labels \"version\"}}";
    node.docker(&["inspect", "-f", label, name]).trim().to_owned()
}

fn names(node: &Node) -> Vec<String> {
    let list = node.docker(&["ps", "-a", "--format", "{{.Names}}"]);
    let mut names: Vec<String> = list.lines().map(str::to_owned).collect();
    names.sort();
    names
}

fn with_every_setting(node: &Node, image: &str) {
    node.docker(&["network", "create", "--subnet", "10.77.0.0/24", "front"]);
    node.docker(&["network", "create", "--subnet", "10.78.0.0/24", "back"]);
    let flags = "run -d --name web --network front --ip 10.77.0.7 --network-alias www -p 8080:8080 -p 9000:9000/udp \
        -e MINE=1 -e VERSION_OF=mine --label mine=yes --cap-add NET_ADMIN --cap-drop MKNOD --restart always \
        -v named:/data -v /etc/hostname:/host:ro --tmpfs /scratch:size=1m --add-host db:10.1.2.3 --device /dev/null:/dev/mine \
        --log-opt max-size=1m --ulimit nofile=1000:2000 --stop-timeout 3 --health-cmd true --health-interval 1s \
        --dns 10.9.9.9 --sysctl net.ipv4.ip_forward=1 --shm-size 32m --group-add 7 --read-only \
        --mac-address 02:00:00:00:00:42 --oom-score-adj 5 --security-opt no-new-privileges --workdir /www --user 0:0 \
        --mount type=volume,target=/cache";
    let mut arguments: Vec<&str> = flags.split_whitespace().collect();
    arguments.push(image);
    node.docker(&arguments);
    node.docker(&["network", "connect", "--ip", "10.78.0.9", "--alias", "inner", "back", "web"]);
    node.docker(&[
        "exec",
        "web",
        "busybox",
        "sh",
        "-c",
        "echo precious >/config/file; echo kept >/data/file",
    ]);
}

#[test]
fn every_setting_is_kept_and_nothing_is_done_twice() {
    let Some(lab) = Lab::plain(1) else { return };
    let node = lab.node(0);
    lab.push("app:v1", Image::WithVolume("1"));
    lab.push("app:v2", Image::WithVolume("2"));
    lab.move_tag("app:latest", "v1");
    let image = lab.image("app:latest");
    with_every_setting(node, &image);
    node.docker(&["run", "-d", "--name", "plain", &image]);
    node.docker(&["run", "-d", "--name", "gone", "--rm", &image]);
    node.docker(&["run", "-d", "--name", "pinned", &lab.image("app:v1")]);
    node.docker(&["run", "-d", "--name", "watched", "--label", "unsinkable.monitor-only=true", &image]);
    node.docker(&[
        "run",
        "-d",
        "--name",
        "off",
        "--label",
        "com.centurylinklabs.watchtower.enable=false",
        &image,
    ]);
    let before = settings(node, "web");
    let id = |name: &str| node.docker(&["inspect", "-f", "{{.Id}}", name]);
    let first = id("web");

    let rows = rows_of(&lab, false);
    verdict(&rows, "web", Verdict::Current);
    assert_eq!(id("web"), first, "nothing is new, nothing is done");

    lab.move_tag("app:latest", "v2");
    verdict(&rows_of(&lab, true), "web", Verdict::Due);
    assert_eq!(id("web"), first, "a dry run changes nothing");

    let rows = rows_of(&lab, false);
    verdict(&rows, "web", Verdict::Updated);
    verdict(&rows, "plain", Verdict::Updated);
    verdict(&rows, "gone", Verdict::Skipped);
    verdict(&rows, "pinned", Verdict::Current);
    verdict(&rows, "watched", Verdict::Skipped);
    verdict(&rows, "off", Verdict::Skipped);
    let after = settings(node, "web");
    for part in ["Config", "HostConfig", "Networks", "Mounts"] {
        let (Some(old), Some(new)) = (before[part].as_object(), after[part].as_object()) else {
            assert_eq!(before[part], after[part], "{part}");
            continue;
        };
        for (key, value) in old {
            assert_eq!(Some(value), new.get(key), "{part}.{key}");
        }
    }
    assert_eq!(version(node, "web"), "2");
    assert_eq!(version(node, "watched"), "1");
    assert_eq!(
        node.docker(&["exec", "web", "busybox", "cat", "/config/file", "/data/file"]),
        "precious\nkept\n"
    );
    assert_eq!(names(node), ["gone", "off", "pinned", "plain", "watched", "web"]);
    verdict(&rows_of(&lab, false), "web", Verdict::Current);
}

#[test]
fn what_fails_is_put_back_and_held_until_the_tag_moves() {
    let Some(lab) = Lab::plain(1) else { return };
    let node = lab.node(0);
    lab.push("app:v1", Image::Good("1"));
    lab.push("app:v2", Image::Good("2"));
    lab.push("app:exits", Image::Exits);
    lab.push("app:unhealthy", Image::Unhealthy);
    lab.move_tag("app:latest", "v1");
    let image = lab.image("app:latest");
    node.docker(&["run", "-d", "--name", "vpn", "--restart", "always", &image]);
    node.docker(&[
        "run",
        "-d",
        "--name",
        "guest",
        "--network",
        "container:vpn",
        &lab.image("app:v2"),
        "/bin/busybox",
        "sleep",
        "1000",
    ]);
    let id = |name: &str| node.docker(&["inspect", "-f", "{{.Id}}", name]).trim().to_owned();
    let (vpn, guest) = (id("vpn"), id("guest"));
    for bad in ["exits", "unhealthy"] {
        lab.move_tag("app:latest", bad);
        let rows = rows_of(&lab, false);
        verdict(&rows, "vpn", Verdict::RolledBack);
        assert!(runs(node, "vpn") && runs(node, "guest"), "{bad}");
        assert_eq!((id("vpn"), id("guest")), (vpn.clone(), guest.clone()), "{bad}: the very same ones");
        let policy = node.docker(&["inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", "vpn"]);
        assert_eq!(policy.trim(), "always", "{bad}");
        assert_eq!(names(node), ["guest", "vpn"], "{bad}");
        let served = node.docker(&["exec", "guest", "busybox", "netstat", "-ltn"]);
        assert!(served.contains(":8080"), "the guest shares the network that is in use: {served}");
        verdict(&rows_of(&lab, false), "vpn", Verdict::Held);
    }
    lab.move_tag("app:latest", "v2");
    let rows = rows_of(&lab, false);
    verdict(&rows, "vpn", Verdict::Updated);
    assert_ne!(id("guest"), guest, "the guest was recreated with its host");
    let mode = node.docker(&["inspect", "-f", "{{.HostConfig.NetworkMode}}", "guest"]);
    assert_eq!(mode.trim(), format!("container:{}", id("vpn")));
    let served = node.docker(&["exec", "guest", "busybox", "netstat", "-ltn"]);
    assert!(served.contains(":8080"), "{served}");
    assert_eq!(names(node), ["guest", "vpn"]);
}

/// A registry that is down, and an image that was built here.
#[test]
fn what_cannot_be_asked_is_left_alone() {
    let Some(lab) = Lab::plain(1) else { return };
    let node = lab.node(0);
    lab.push("app:v1", Image::Good("1"));
    node.docker(&["run", "-d", "--name", "web", &lab.image("app:v1")]);
    node.docker(&["commit", "web", "mine:latest"]);
    node.docker(&["run", "-d", "--name", "built", "mine:latest"]);
    lab.registry_down();
    let rows = rows_of(&lab, false);
    verdict(&rows, "web", Verdict::Deferred);
    verdict(&rows, "built", Verdict::Skipped);
    assert!(runs(node, "web") && runs(node, "built"));
}

/// A dockerd that was killed starts containers again in any order, and gives up one whose network is that of a container
/// still to come: no doing of ours.
fn started_by_dockerd(lab: &Lab) {
    let node = lab.node(0);
    lab.wait_for(Duration::from_secs(30), "dockerd has started what it had", || {
        if runs(node, "web") && !runs(node, "job") {
            node.try_docker(&["start", "job"]).ok();
        }
        runs(node, "web") && runs(node, "job")
    });
}

/// Rounds cut short at any moment, as by `kill -9`, and dockerd killed under them.
#[test]
fn whatever_dies_in_the_middle_nothing_is_lost() {
    let Some(lab) = Lab::plain(1) else { return };
    let node = lab.node(0);
    let (socket, state) = (node.socket(), lab.dir.join("containers"));
    lab.push("app:v1", Image::WithVolume("1"));
    lab.push("app:v2", Image::WithVolume("2"));
    lab.move_tag("app:latest", "v1");
    let image = lab.image("app:latest");
    node.docker(&["run", "-d", "--name", "web", "--restart", "always", &image]);
    node.docker(&[
        "run",
        "-d",
        "--name",
        "job",
        "--restart",
        "unless-stopped",
        "--network",
        "container:web",
        &image,
    ]);
    node.docker(&["exec", "web", "busybox", "sh", "-c", "echo precious >/config/file"]);
    let mut done = Duration::from_secs(6);
    for turn in 0..16_u32 {
        lab.move_tag("app:latest", ["v2", "v1"][turn as usize % 2]);
        let cut = done * (turn + 1) / 17;
        let begun = Instant::now();
        if turn % 4 == 3 {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(cut);
                    node.kill_dockerd();
                    node.start_dockerd();
                });
                smol::block_on(one_round(&socket, &state, false));
            });
        } else {
            let finished = smol::block_on(smol::future::or(
                async {
                    one_round(&socket, &state, false).await;
                    true
                },
                async {
                    smol::Timer::after(cut).await;
                    false
                },
            ));
            if finished {
                done = begun.elapsed();
            }
        }
        crate::net::say(&format!("    turn {turn}, cut after {cut:.1?}: {:?}", names(node)));
        node.wait_for_dockerd();
        let rows = rows_of(&lab, false);
        assert_eq!(names(node), ["job", "web"], "turn {turn}: {rows:?}");
        if turn % 4 == 3 {
            started_by_dockerd(&lab);
        }
        assert!(runs(node, "web") && runs(node, "job"), "turn {turn}: {rows:?}");
        let policies = node.docker(&["inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", "web", "job"]);
        assert_eq!(policies, "always\nunless-stopped\n", "turn {turn}");
        assert_eq!(
            node.docker(&["exec", "web", "busybox", "cat", "/config/file"]),
            "precious\n",
            "turn {turn}"
        );
    }
}
