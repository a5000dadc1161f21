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

/// So often a round is cut short, each time a little later; every fourth time it is dockerd that dies.
const TURNS: u32 = 8;

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
        bake: Some(Duration::from_millis(500)),
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

/// A name that Docker made.
fn is_anonymous(text: &str) -> bool {
    text.len() >= 64 && text.bytes().take(64).all(|byte| byte.is_ascii_hexdigit())
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
    // Anonymous volumes get their names there: `Mounts` says that they are the same.
    let binds = host["Binds"].as_array().cloned().unwrap_or_default();
    host["Binds"] = binds.into_iter().filter(|bind| !is_anonymous(bind.as_str().unwrap())).collect();
    for mount in host["Mounts"].as_array_mut().into_iter().flatten() {
        if mount["Source"].as_str().is_none_or(is_anonymous) {
            mount["Source"] = json!("anonymous");
        }
    }
    let mut networks = all["NetworkSettings"]["Networks"].clone();
    for network in networks.as_object_mut().unwrap().values_mut() {
        let aliases = network["Aliases"].as_array().cloned().unwrap_or_default();
        let aliases: Vec<Value> = aliases.into_iter().filter(|alias| alias != short).collect();
        // Without an address that was asked for, any will do.
        let wanted = !network["IPAMConfig"]["IPv4Address"].is_null();
        let address = wanted.then(|| (network["IPAddress"].clone(), network["MacAddress"].clone()));
        *network = json!({"IPAMConfig": network["IPAMConfig"], "Aliases": aliases, "Links": network["Links"],
            "DriverOpts": network["DriverOpts"], "Address": address});
    }
    let ports = &all["NetworkSettings"]["Ports"];
    json!({"Config": config, "HostConfig": host, "Networks": networks, "Mounts": mounts(node, name), "Ports": ports})
}

/// Type, name or path, target, and whether it may be written to.
fn mounts(node: &Node, name: &str) -> Value {
    let mut mounts = node.get(&format!("/containers/{name}/json"))["Mounts"].as_array().cloned().unwrap();
    for mount in &mut mounts {
        *mount = json!([mount["Type"], mount["Name"], mount["Source"], mount["Destination"], mount["RW"]]);
    }
    mounts.sort_by_key(Value::to_string);
    mounts.into()
}

#[track_caller]
fn assert_same(before: &Value, after: &Value, at: &str) {
    match (before.as_object(), after.as_object()) {
        (Some(old), Some(new)) => {
            for key in old.keys().chain(new.keys()) {
                assert_same(&before[key], &after[key], &format!("{at}.{key}"));
            }
        }
        (Some(_) | None, _) => assert_eq!(before, after, "{at}"),
    }
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

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// `docker run -d` with these flags, its image, and what it runs instead.
fn run(node: &Node, flags: &str, image: &str, command: &str) {
    node.docker(&[&words("run -d")[..], &words(flags), &[image], &words(command)].concat());
}

fn id(node: &Node, name: &str) -> String {
    node.docker(&["inspect", "-f", "{{.Id}}", name]).trim().to_owned()
}

fn clear(node: &Node) {
    let all = node.docker(&["ps", "-aq"]);
    node.docker(&[&words("rm -fv")[..], &words(&all)].concat());
}

/// One lab for all, as it takes seconds to come up.
#[test]
fn plain_containers_are_replaced_put_back_or_left_alone() {
    let Some(lab) = Lab::plain(1) else { return };
    let start = Instant::now();
    for (what, scenario) in [
        ("every setting is kept", every_setting_is_kept_and_nothing_is_done_twice as fn(&Lab)),
        ("put back and held", what_fails_is_put_back_and_held_until_the_tag_moves),
        ("cut short in the middle", whatever_dies_in_the_middle_nothing_is_lost),
        ("no registry", what_cannot_be_asked_is_left_alone),
    ] {
        crate::net::say(&format!("  {what}, after {:.0?}", start.elapsed()));
        scenario(&lab);
        clear(lab.node(0));
    }
    crate::net::say(&format!("  all after {:.0?}", start.elapsed()));
}

fn with_every_setting(node: &Node, image: &str) {
    node.docker(&words("network create --subnet 10.77.0.0/24 front"));
    node.docker(&words("network create --subnet 10.78.0.0/24 back"));
    let flags = "--name web --network front --ip 10.77.0.7 --network-alias www -p 8080:8080 -p 9000:9000/udp \
        -e MINE=1 -e VERSION_OF=mine --label mine=yes --cap-add NET_ADMIN --cap-drop MKNOD --restart always \
        -v named:/data -v /etc/hostname:/host:ro --tmpfs /scratch:size=1m --add-host db:10.1.2.3 --device /dev/null:/dev/mine \
        --log-opt max-size=1m --ulimit nofile=1000:2000 --stop-timeout 3 --health-cmd true --health-interval 1s \
        --dns 10.9.9.9 --sysctl net.ipv4.ip_forward=1 --shm-size 32m --group-add 7 --read-only \
        --mac-address 02:00:00:00:00:42 --oom-score-adj 5 --security-opt no-new-privileges --workdir /www --user 0:0 \
        --mount type=volume,target=/cache --hostname pages --domainname example.org --memory 64m --init";
    run(node, flags, image, "");
    node.docker(&words("network connect --ip 10.78.0.9 --alias inner back web"));
    node.docker(&[
        "exec",
        "web",
        "busybox",
        "sh",
        "-c",
        "echo precious >/config/file; echo kept >/data/file",
    ]);
}

/// The first digits of an ID.
fn digits(node: &Node) -> String {
    id(node, "linked")[..3].to_owned()
}

/// Those that need others: a link, volumes by ID and by name, volumes of one that is gone.
fn with_neighbours(node: &Node, image: &str) {
    run(node, "--name db", image, "");
    run(node, "--name linked --hostname fancy --link db:database", image, "");
    // Docker takes a name that nobody has for the first digits of an ID.
    run(node, &format!("--name {}", digits(node)), image, "");
    run(node, &format!("--name keeper --volumes-from {}:ro", id(node, "web")), image, "");
    node.docker(&["create", "--name", "store", "-v", "stored:/x", image]);
    run(node, "--name reader --volumes-from store", image, "");
    run(node, "--name orphan --volumes-from store:ro", image, "");
}

fn every_setting_is_kept_and_nothing_is_done_twice(lab: &Lab) {
    let node = lab.node(0);
    lab.push("app:v1", Image::WithVolume("1"));
    lab.push("app:v2", Image::WithVolume("2"));
    lab.move_tag("app:latest", "v1");
    let image = lab.image("app:latest");
    with_every_setting(node, &image);
    with_neighbours(node, &image);
    run(node, "--name gone --rm", &image, "");
    run(node, "--name pinned", &lab.image("app:v1"), "");
    run(node, "--name watched --label unsinkable.monitor-only=true", &image, "");
    run(node, "--name off --label com.centurylinklabs.watchtower.enable=false", &image, "");
    let digits = digits(node);
    let same = ["web", "db", "linked", &digits];
    let before = same.map(|name| settings(node, name));
    let borrowed = || [mounts(node, "keeper"), mounts(node, "reader")];
    let (kept, first) = (borrowed(), id(node, "web"));

    let rows = rows_of(lab, false);
    verdict(&rows, "web", Verdict::Current);
    assert_eq!(id(node, "web"), first, "nothing is new, nothing is done");

    lab.move_tag("app:latest", "v2");
    verdict(&rows_of(lab, true), "web", Verdict::Due);
    assert_eq!(id(node, "web"), first, "a dry run changes nothing");

    let rows = rows_of(lab, false);
    for name in ["web", "db", "linked", &digits, "keeper", "reader", "orphan"] {
        verdict(&rows, name, Verdict::Updated);
        assert_eq!(version(node, name), "2", "{name}");
    }
    verdict(&rows, "pinned", Verdict::Current);
    for name in ["gone", "watched", "off"] {
        verdict(&rows, name, Verdict::Skipped);
        assert_eq!(version(node, name), "1", "{name}");
    }
    for (name, before) in same.iter().zip(&before) {
        assert_same(before, &settings(node, name), name);
    }
    assert_eq!(borrowed(), kept);
    let of = node.docker(&["inspect", "-f", "{{.HostConfig.VolumesFrom}}", "keeper"]);
    assert_eq!(of.trim(), format!("[{}:ro]", id(node, "web")), "its ID went with it");
    let files = |name: &str| node.docker(&["exec", name, "busybox", "cat", "/config/file", "/data/file"]);
    assert_eq!((files("web"), files("keeper")), ("precious\nkept\n".into(), "precious\nkept\n".into()));
    let hosts = node.docker(&["exec", "linked", "busybox", "cat", "/etc/hosts"]);
    assert!(hosts.contains("database"), "the link works: {hosts}");

    node.docker(&["rm", "store"]);
    lab.move_tag("app:latest", "v1");
    let rows = rows_of(lab, false);
    verdict(&rows, "orphan", Verdict::Skipped);
    assert!(rows["orphan"].reason.contains("needs container store, which is gone"), "{:?}", rows["orphan"]);
    verdict(&rows, "web", Verdict::Updated);
    verdict(&rows_of(lab, false), "web", Verdict::Current);
    let mut all =
        ["db", "gone", "keeper", "linked", "off", "orphan", "pinned", "reader", "watched", "web", &digits];
    all.sort_unstable();
    assert_eq!(names(node), all);
}

fn what_fails_is_put_back_and_held_until_the_tag_moves(lab: &Lab) {
    let node = lab.node(0);
    lab.push("vpn:v1", Image::Good("1"));
    lab.push("vpn:v2", Image::Good("2"));
    lab.push("vpn:exits", Image::Exits);
    lab.push("vpn:unhealthy", Image::Unhealthy);
    lab.move_tag("vpn:latest", "v1");
    run(node, "--name vpn --restart always", &lab.image("vpn:latest"), "");
    let guest = "--name guest --network container:vpn --stop-timeout 1";
    run(node, guest, &lab.image("vpn:v2"), "/bin/busybox sleep 1000");
    let (vpn, guest) = (id(node, "vpn"), id(node, "guest"));
    let served = || node.docker(&["exec", "guest", "busybox", "netstat", "-ltn"]);
    for bad in ["exits", "unhealthy"] {
        lab.move_tag("vpn:latest", bad);
        verdict(&rows_of(lab, false), "vpn", Verdict::RolledBack);
        assert!(runs(node, "vpn") && runs(node, "guest"), "{bad}");
        assert_eq!(
            (id(node, "vpn"), id(node, "guest")),
            (vpn.clone(), guest.clone()),
            "{bad}: the very same ones"
        );
        let policy = node.docker(&["inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", "vpn"]);
        assert_eq!(policy.trim(), "always", "{bad}");
        assert_eq!(names(node), ["guest", "vpn"], "{bad}");
        assert!(served().contains(":8080"), "the guest shares the network that is in use: {}", served());
        verdict(&rows_of(lab, false), "vpn", Verdict::Held);
    }
    lab.move_tag("vpn:latest", "v2");
    verdict(&rows_of(lab, false), "vpn", Verdict::Updated);
    assert_ne!(id(node, "guest"), guest, "the guest was recreated with its host");
    let mode = node.docker(&["inspect", "-f", "{{.HostConfig.NetworkMode}}", "guest"]);
    assert_eq!(mode.trim(), format!("container:{}", id(node, "vpn")));
    assert!(served().contains(":8080"), "{}", served());
    assert_eq!(names(node), ["guest", "vpn"]);
}

/// A registry that is down, and an image that was built here.
fn what_cannot_be_asked_is_left_alone(lab: &Lab) {
    let node = lab.node(0);
    lab.push("app:v1", Image::Good("1"));
    run(node, "--name web", &lab.image("app:v1"), "");
    node.docker(&["commit", "web", "mine:latest"]);
    run(node, "--name built", "mine:latest", "");
    lab.registry_down();
    let rows = rows_of(lab, false);
    verdict(&rows, "web", Verdict::Deferred);
    verdict(&rows, "built", Verdict::Skipped);
    assert!(runs(node, "web") && runs(node, "built"));
}

/// dockerd starts `web` and `job` at once when it starts, and `job` fails where `web` is not there yet: without us, too.
fn start_what_docker_did_not(node: &Node, turn: u32) {
    let error = node.docker(&["inspect", "-f", "{{.State.Error}}", "job"]);
    if turn % 4 == 3 && !runs(node, "job") {
        assert!(error.contains("cannot join network of a non running container"), "turn {turn}: {error}");
        crate::net::say(&format!("    dockerd: {}", error.trim()));
        node.docker(&["start", "job"]);
    }
}

/// Rounds cut short at any moment, as by `kill -9`, and dockerd killed under them.
fn whatever_dies_in_the_middle_nothing_is_lost(lab: &Lab) {
    let node = lab.node(0);
    let (socket, state) = (node.socket(), lab.dir.join("containers"));
    lab.push("kill:v1", Image::WithVolume("1"));
    lab.push("kill:v2", Image::WithVolume("2"));
    lab.move_tag("kill:latest", "v1");
    let image = lab.image("kill:latest");
    run(node, "--name web --restart always", &image, "");
    run(node, "--name job --restart unless-stopped --network container:web", &image, "");
    node.docker(&["exec", "web", "busybox", "sh", "-c", "echo precious >/config/file"]);
    let mut done = Duration::from_secs(6);
    for turn in 0..TURNS {
        lab.move_tag("kill:latest", ["v2", "v1"][turn as usize % 2]);
        let cut = done * (turn + 1) / (TURNS + 1);
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
        let rows = rows_of(lab, false);
        assert_eq!(names(node), ["job", "web"], "turn {turn}: {rows:?}");
        start_what_docker_did_not(node, turn);
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
