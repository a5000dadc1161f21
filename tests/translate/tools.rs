//! shepherd, gantry, watchtower, docker-cleanup and docker-gc: compose files, env files, command lines.

use unsinkable::translate::run::translate;

use super::{Folder, Seen, accepted};

fn of(name: &str, text: &str) -> Seen {
    let folder = Folder::new(name);
    Seen::from(&translate(&[folder.file(name, text)], true))
}

#[test]
fn shepherd_with_every_setting() {
    let text = "\
version: '3.8'
services:
  app:
    image: registry.local:5000/containrrr/shepherd:1.8.1@sha256:0123
    environment:
      SLEEP_TIME: 10m
      IGNORELIST_SERVICES: db mail_queue label=x
      FILTER_SERVICES: 'name=web label=shepherd.autodeploy=true'
      WITH_REGISTRY_AUTH: 'false'
      REGISTRY_USER: me
      REGISTRY_PASSWORD: hunter2
      ROLLBACK_ON_FAILURE: 'true'
      UPDATE_OPTIONS: --update-delay=30s
      TIMEOUT: 600
      IMAGE_AUTOCLEAN_LIMIT: '5'
      TZ: Europe/Berlin
      VERBOSE: 'true'
      SLEEP_TIEM: 3
    deploy:
      replicas: 1
      placement:
        constraints: [node.role==manager]
    logging: {driver: journald}
  web:
    image: nginx
";
    let seen = of("shepherd.yml", text);
    assert_eq!(
        seen.command(),
        "update --dry-run --update --update-every 10m --update-skip db --update-skip mail_queue --update-only web* \
         --rollout-deadline 10m --registry-auth-file /etc/unsinkable.registries.json --prune --keep-per-repo 5"
    );
    accepted(&seen.commands()[0], "eth0", &["10.0.0.1"]);
    assert!(!seen.json.to_string().contains("hunter2"));
    assert_eq!(seen.lines("not understood"), ["18 SLEEP_TIEM"]);
    assert_eq!(seen.exit, 65);
    assert_eq!(
        seen.lines("no counterpart"),
        [
            "1 version",
            "20 replicas",
            "23 logging",
            "25 image nginx",
            "7 IGNORELIST_SERVICES=db mail_queue label=x",
            "8 FILTER_SERVICES=name=web label=shepherd.autodeploy=true",
            "13 UPDATE_OPTIONS=--update-delay=30s",
        ]
    );
    let why = seen.why("WITH_REGISTRY_AUTH=false");
    assert!(why.starts_with("was on with any value, this one too; "), "{why}");
    let why = seen.why("FILTER_SERVICES=name=web label=shepherd.autodeploy=true");
    assert!(why.starts_with("no filter by label: ALL services are updated: "), "{why}");
}

#[test]
fn gantry_prunes_unless_told_otherwise() {
    let text = "\
services:
  gantry:
    image: shizunge/gantry
    environment:
      - GANTRY_SLEEP=1
      - SLEEP_SECONDS=3600
      - SERVICES_EXCLUDED=a,b
      - CLEANUP_IMAGES=false
      - ROLLBACK_ON_FAILURE=false
      - LOG_LEVEL=WARN
      - NOTIFICATION_APPRISE_URL=https://hunter2@example.org
";
    let seen = of("gantry.yml", text);
    assert_eq!(
        seen.command(),
        "update --dry-run --update --update-every 1h --update-skip a --update-skip b -q"
    );
    accepted(&seen.commands()[0], "eth0", &["10.0.0.1"]);
    assert_eq!(seen.lines("not understood"), ["5 GANTRY_SLEEP"]);
    assert_eq!(seen.lines("different"), ["3 image shizunge/gantry", "9 ROLLBACK_ON_FAILURE=false"]);
    assert!(!seen.json.to_string().contains("hunter2"));
    let seen = of(
        "gantry.yaml",
        "services:\n  g:\n    image: shizunge/gantry\n    environment: [SLEEP_SECONDS=0]\n",
    );
    assert_eq!(seen.command(), "update --dry-run --update --prune");
    assert_eq!(seen.why("SLEEP_SECONDS=0"), "`unsinkable update` does one round; run goes on");
}

#[test]
fn watchtower_by_environment_and_by_options() {
    let text = "\
services:
  w:
    image: ghcr.io/containrrr/watchtower:latest
    environment:
      WATCHTOWER_CLEANUP: 'true'
      WATCHTOWER_SCHEDULE: 0 30 4 * * *
      WATCHTOWER_LABEL_ENABLE: 'true'
      WATCHTOWER_ROLLING_RESTART: 'true'
      WATCHTOWER_INCLUDE_STOPPED: 'false'
      WATCHTOWER_NOTIFICATION_EMAIL_SERVER_PASSWORD: hunter2
    volumes:
      - type: bind
        source: /run/user/1000/docker.sock
        target: /var/run/docker.sock
      - /root/.docker/config.json:/config.json:ro
";
    let seen = of("watchtower.yml", text);
    assert_eq!(
        seen.command(),
        "update --dry-run --update=containers --update-window 04:30-05:30 --prune".to_owned()
    );
    assert!(!seen.json.to_string().contains("hunter2"));
    let why = seen.why("WATCHTOWER_LABEL_ENABLE=true");
    assert!(why.starts_with("ALL containers are updated"), "{why}");

    let run = "docker run -d --name watchtower -v /var/run/docker.sock:/var/run/docker.sock \\\n  \
        -e WATCHTOWER_DEBUG=true containrrr/watchtower --cleanup --interval 300 -s '0 0 4 * * 1' \\\n  \
        --stop-timeout=30s nginx redis\n";
    let seen = of("run.txt", run);
    assert_eq!(
        seen.command(),
        "update --dry-run --update=containers --update-every 5m --update-only nginx --update-only redis --prune -v"
    );
    accepted(&seen.commands()[0], "eth0", &["10.0.0.1"]);
    assert_eq!(
        seen.lines("no counterpart"),
        ["1 -d", "1 --name", "2 SCHEDULE=0 0 4 * * 1", "3 STOP_TIMEOUT=30s"]
    );
    let plain = of("plain.sh", "docker run -d containrrr/watchtower\n");
    assert_eq!(plain.command(), "update --dry-run --update=containers --update-every 1d");
    let told = of("told.sh", "docker run -d containrrr/watchtower --monitor-only --cleanup\n");
    assert_eq!(told.commands(), Vec::<Vec<String>>::new());
}

#[test]
fn docker_cleanup_with_every_setting() {
    let text = "\
# what stays
CLEAN_PERIOD=900
DELAY_TIME=3600
KEEP_IMAGES=\"heimdall, portainer/*:2\"
KEEP_CONTAINERS=**None**
KEEP_CONTAINERS_NAMED=/proxy,db-*
LOOP=false
DEBUG=0
DOCKER_API_VERSION=1.20
NOT A LINE
";
    let seen = of("settings.env", text);
    assert_eq!(
        seen.command(),
        "prune --dry-run --prune --prune-every 15m --grace 1h --keep-image heimdall --keep-image portainer/*:2 \
         --keep-container proxy --keep-container db-*"
    );
    accepted(&seen.commands()[0], "eth0", &["10.0.0.1"]);
    assert_eq!(seen.lines("not understood"), ["10 a line"]);
    assert_eq!(seen.lines("different"), ["1 is for docker-cleanup", "3 DELAY_TIME=3600", "7 LOOP=false"]);
}

#[test]
fn docker_gc_by_service_create() {
    let text = "docker service create --name gc --mode global -e GRACE_PERIOD_SECONDS=7200 \
        --env MINIMUM_IMAGES_TO_SAVE=3 -e REMOVE_VOLUMES=1 -e FORCE_IMAGE_REMOVAL=0 \
        --mount type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock spotify/docker-gc:latest\n";
    let seen = of("gc.sh", text);
    assert_eq!(seen.command(), "prune --dry-run --prune --grace 2h --keep-per-repo 3");
    accepted(&seen.commands()[0], "eth0", &["10.0.0.1"]);
    assert_eq!(
        seen.why("REMOVE_VOLUMES=1"),
        "volumes stay: --prune-volumes anonymous, or names, lets them go"
    );
    assert_eq!(
        of("plain.sh", "docker run --rm spotify/docker-gc").command(),
        "prune --dry-run --prune --grace 1h"
    );
}

#[test]
fn yaml_as_people_write_it() {
    let text = "\
x-env: &env
  SLEEP_TIME: ${SLEEP:-15m}
  TZ: ${TZ}
services:
  one:
    image: 'containrrr/shepherd'
    environment:
      <<: *env
      IGNORELIST_SERVICES: >-
        a
        b
";
    let seen = of("anchors.yml", text);
    assert_eq!(
        seen.command(),
        "update --dry-run --update --update-skip a --update-skip b --update-every 15m"
    );
    assert_eq!(seen.lines("not understood"), ["3 TZ"]);
    let first =
        of("v1.yml", "cleaner:\n  image: meltwater/docker-cleanup\n  environment:\n    - DEBUG=true\n");
    assert_eq!(first.command(), "prune --dry-run --prune -v");
}

#[test]
fn what_it_is_not_for_is_said() {
    let seen = of("env.env", "FOO=1\nBAR=2\n");
    assert_eq!(seen.lines("not understood"), ["1 FOO", "2 BAR"]);
    assert_eq!(seen.exit, 65);
    let seen =
        of("other.yml", "services:\n  web:\n    image: nginx\n  va:\n    image: osixia/keepalived:2.0.20\n");
    assert_eq!(seen.lines("no counterpart"), ["3 image nginx"]);
    assert_eq!(seen.lines("not understood"), ["5 image osixia/keepalived:2.0.20"]);
    assert_eq!(of("list.yml", "- a\n- b\n").exit, 65);
    assert_eq!(of("empty.yml", "").exit, 65);
}

#[test]
fn what_is_printed_is_one_safe_shell_script() {
    let folder = Folder::new("shell");
    let text = "\
services:
  s:
    image: containrrr/shepherd
    environment:
      IGNORELIST_SERVICES: \"a;touch$$IFS/tmp/x it's $$(id)\"
      HOSTNAME: \"x\\nrm -rf /\"
";
    let output = translate(&[folder.file("odd.yml", text)], false);
    let code: Vec<&str> =
        output.text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(
        code,
        [
            "unsinkable update --dry-run \\",
            "  --update \\",
            "  --update-skip 'a;touch$IFS/tmp/x' \\",
            r"  --update-skip 'it'\''s' \",
            "  --update-skip '$(id)'",
        ]
    );
}
