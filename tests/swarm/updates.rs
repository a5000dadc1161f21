//! Updates of services: rolled out, held back, put back.

use crate::lab::{AUTH, Image, Lab, PASSWORD};
use crate::rounds::{QUICK, leader, round, update};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

/// A service with something in every corner of its spec, one task a node.
const CORNERS: &str = "service create --detach --name web --mode global --label team=a --label unsinkable.bake=6s \
    --container-label inner=b --env GREETING=hello --hostname web-{{.Node.Hostname}} --user 0:0 --workdir / \
    --mount type=volume,source=data,target=/data,volume-label=x=y --mount type=tmpfs,target=/scratch \
    --config source=page,target=/page,mode=0444 --secret source=key,target=key --limit-memory 64M --reserve-cpu 0.01 \
    --limit-pids 50 --publish mode=host,target=8080,published=18080 --host extra:10.0.10.99 --dns 10.0.10.98 \
    --stop-signal SIGTERM --stop-grace-period 3s --restart-condition any --restart-delay 1s --update-monitor 1s \
    --update-parallelism 0 --update-order stop-first --rollback-parallelism 0 --rollback-monitor 1s \
    --constraint node.platform.os==linux --ulimit nofile=1024:2048 --cap-add CAP_NET_ADMIN --log-driver json-file";

#[test]
fn services_follow_their_tag() {
    let Some(lab) = Lab::new(3) else { return };
    let one = lab.push("app:v1", Image::Good("1"));
    lab.push("app:v2", Image::Healthy("2"));
    lab.push("app:exits", Image::Exits);
    lab.push("app:sickens", Image::Sickens(2));
    lab.push("app:v3", Image::Good("3"));
    lab.move_tag("app:latest", "v1");
    for (kind, name) in [("config", "page"), ("secret", "key")] {
        lab.node(0).exec(&[
            "sh",
            "-c",
            &format!("echo text | DOCKER_HOST=unix:///run/docker.sock docker {kind} create {name} -"),
        ]);
    }
    lab.node(0).docker_line(&format!("{CORNERS} {}", lab.image("app:latest")));
    lab.wait_running(0, "web", 3, &one);
    only_the_image_changes(&lab, &one);
    nothing_new_writes_nothing(&lab);
    what_ends_is_put_back_and_held(&lab);
    what_sickens_while_it_bakes_is_put_back(&lab);
    a_moved_tag_ends_the_hold(&lab);
}

fn only_the_image_changes(lab: &Lab, one: &str) {
    let before = lab.node(0).service("web");
    let two = lab.move_tag("app:latest", "v2");
    let plan = update(lab, &["--dry-run"]);
    plan.expect("web", "due");
    assert_eq!(
        (plan.row("web")["from"].as_str(), plan.row("web")["to"].as_str()),
        (Some(one), Some(two.as_str()))
    );
    assert_eq!(lab.node(0).service("web").version, before.version, "a dry run writes nothing");
    let follower = (leader(lab) + 1) % 3;
    let idle = round(lab.node(follower), "update", &QUICK);
    assert_eq!(idle.report["rows"].as_array().map(Vec::len), Some(0), "only the leader updates: {idle:?}");
    assert_eq!(lab.node(0).service("web").version, before.version);

    let done = update(lab, &[]);
    done.expect("web", "updated");
    assert_eq!(done.code, Some(0));
    let after = lab.node(0).service("web");
    assert_eq!(after.image(), format!("{}@{two}", lab.image("app:latest")));
    assert_eq!(after.rest_of_spec(), before.rest_of_spec(), "nothing else in the spec has changed");
    assert_eq!(
        after.previous_spec.as_ref().map(|s| s.get()),
        Some(before.spec.get()),
        "a rollback finds the old spec"
    );
    assert_eq!(lab.node(0).running("web"), vec![two; 3]);
    for node in &lab.nodes {
        assert_eq!(node.versions("web"), ["2"], "{}", node.name);
    }
}

fn nothing_new_writes_nothing(lab: &Lab) {
    let before = lab.node(0).service("web");
    for _ in 0..20 {
        update(lab, &[]).expect("web", "current");
    }
    let after = lab.node(0).service("web");
    assert_eq!(after.version, before.version, "20 rounds without a write");
    assert_eq!(after.previous_digest(), before.previous_digest(), "and a rollback still finds the old image");
}

fn what_ends_is_put_back_and_held(lab: &Lab) {
    let good = lab.node(0).service("web");
    let bad = lab.move_tag("app:latest", "exits");
    let round = update(lab, &[]);
    round.expect("web", "rolled-back");
    assert_eq!(round.code, Some(1), "somebody should look");
    is_back(lab, &good.digest());
    assert_eq!(lab.node(0).service("web").rest_of_spec(), good.rest_of_spec());
    let version = lab.node(0).service("web").version;
    for _ in 0..20 {
        update(lab, &[]).expect("web", "held");
    }
    assert_eq!(lab.node(0).service("web").version, version, "{bad} is not tried again");
    for node in &lab.nodes {
        fs::remove_dir_all(node.state_dir()).ok();
    }
    update(lab, &[]).expect("web", "held");
    assert_eq!(
        lab.node(0).service("web").version,
        version,
        "{bad} is not tried again without memory, either"
    );
}

fn what_sickens_while_it_bakes_is_put_back(lab: &Lab) {
    let good = lab.node(0).service("web").digest();
    lab.move_tag("app:latest", "sickens");
    let round = update(lab, &[]);
    round.expect("web", "rolled-back");
    is_back(lab, &good);
    update(lab, &[]).expect("web", "held");
}

fn a_moved_tag_ends_the_hold(lab: &Lab) {
    let three = lab.move_tag("app:latest", "v3");
    update(lab, &[]).expect("web", "updated");
    lab.wait_running(0, "web", 3, &three);
    update(lab, &[]).expect("web", "current");
}

/// Put back as it was; a monitor of a second may end after the round.
fn is_back(lab: &Lab, digest: &str) {
    assert_eq!(lab.node(0).service("web").digest(), digest);
    lab.wait_running(0, "web", 3, digest);
}

#[test]
fn a_registry_that_asks_for_a_login_and_one_that_is_down() {
    let Some(lab) = Lab::with_workers(1, 1) else { return };
    let one = lab.push("app:v1", Image::Good("1"));
    lab.push("app:v2", Image::Good("2"));
    lab.move_tag("app:latest", "v1");
    let image = lab.private_image("app:latest");
    let line = "service create --detach --name shop --mode global --with-registry-auth --update-monitor 1s";
    lab.node(0).docker_line(&format!("{line} {image}"));
    lab.wait_running(0, "shop", 2, &one);
    let two = lab.move_tag("app:latest", "v2");

    let before = lab.node(0).service("shop").version;
    let without = update(&lab, &[]);
    assert!(
        !["updated", "current", "due"].contains(&without.row("shop")["verdict"].as_str().unwrap()),
        "{without:?}"
    );
    assert_eq!(
        lab.node(0).service("shop").version,
        before,
        "without a login nothing is known, so nothing is done"
    );

    let file = lab.dir.join("login.json");
    fs::copy(lab.credentials(), &file).expect("the lab's directory is ours");
    let flags = ["--registry-auth-file", file.to_str().expect("a plain name"), "-vv"];
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    let open = update(&lab, &flags);
    assert!(
        open.said.contains("login.json") || open.report.to_string().contains("login.json"),
        "passwords for all to read: {open:?}"
    );
    assert_eq!(lab.node(0).service("shop").version, before);

    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    let with = update(&lab, &flags);
    with.expect("shop", "updated");
    lab.wait_running(0, "shop", 2, &two);
    for round in [&without, &open, &with] {
        let all = format!("{round:?}");
        assert!(!all.contains(PASSWORD) && !all.contains(AUTH), "the secret was printed: {all}");
    }
    a_registry_that_is_down(&lab);
}

fn a_registry_that_is_down(lab: &Lab) {
    let plain = lab.image("app:v1");
    lab.node(0).docker_line(&format!("service create --detach --name plain --update-monitor 1s {plain}"));
    lab.wait("plain runs", || lab.node(0).running("plain").len() == 1);
    let before = lab.node(0).service("plain").version;
    lab.registry_down();
    let start = Instant::now();
    let down = update(lab, &[]);
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "a registry that is down holds nobody up: {:?}",
        start.elapsed()
    );
    assert!(
        !["updated", "current", "due"].contains(&down.row("plain")["verdict"].as_str().unwrap_or("current")),
        "{down:?}"
    );
    assert!(!down.reason("plain").is_empty());
    assert_eq!(lab.node(0).service("plain").version, before);
    lab.registry_up();
    update(lab, &[]).expect("plain", "current");
}
