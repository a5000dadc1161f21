//! The housekeeper's part of a command line.

use super::*;

#[test]
fn housekeeping_is_what_its_flags_say() {
    let flags = "--update=all --update-every 1m --update-only web-* --update-window 22:30-05:00 --min-age 1d --bake 90s \
        --registry-auth-file /etc/auth.json --prune --prune-every 10m --keep-image heimdall,portainer/* --keep-per-repo 3 \
        --prune-volumes anonymous --prune-volumes cache-* --disk-high 90 --disk-low 80 --listen 0.0.0.0:9112,pi.example.com";
    let jobs = ready(&format!("{VIP} {NODES} {flags}")).housekeeping;
    let (update, every) = jobs.update.unwrap();
    assert!(update.swarm && update.containers && every == Duration::from_mins(1));
    assert!(update.only[0].matches("web-shop") && !update.only[0].matches("db"));
    assert_eq!(update.window.map(|window| (window.from, window.to)), Some((1350, 300)));
    assert_eq!((update.min_age, update.bake), (Duration::from_hours(24), Some(Duration::from_secs(90))));
    let prune = jobs.prune.unwrap();
    assert_eq!(prune.keep_images, ["heimdall", "portainer/*"]);
    assert!(prune.volumes.anonymous && prune.volumes.named[0].matches("cache-web"));
    assert_eq!((prune.per_repository, prune.disk_high, prune.disk_low), (3, 90, 80));
    let managers: Vec<String> = prune.managers.iter().map(ToString::to_string).collect();
    assert_eq!(managers, ["10.0.0.1:9112", "10.0.0.2:9112", "10.0.0.3:9112"]);
    assert_eq!(jobs.listen_names, ["pi.example.com"]);
}

#[test]
fn what_housekeeping_cannot_do_is_refused() {
    let with = |flags: &str| bad(&format!("{VIP} {NODES} {flags}"));
    assert_eq!(
        with("--prune --grace soon"),
        (64, "--grace soon: expected a duration like 250ms, 1s, 30m or 2h".into())
    );
    assert_eq!(with("--update-every 10ms"), (64, "--update-every 10ms: expected 1s or more".into()));
    assert_eq!(
        with("--update-window 2-5"),
        (64, "--update-window 2-5: expected two times of day, as 02:00-05:00".into())
    );
    assert_eq!(with("--disk-high 50"), (78, "--disk-low 75: must lie below --disk-high 50".into()));
    assert_eq!(
        with("--prune-volumes none,anonymous"),
        (78, "--prune-volumes none: contradicts the other values of this flag".into())
    );
    assert!(with("--keep-image [a").1.starts_with("--keep-image [a: no pattern: "));
}

#[test]
fn a_round_by_hand_needs_no_vip() {
    let command = parse_from(&words("unsinkable prune --dry-run --grace 1h"), &second()).unwrap();
    let Command::Prune { dry_run: true, json: false, jobs } = command else { panic!("{command:?}") };
    assert_eq!(jobs.prune.unwrap().grace, Duration::from_hours(1));
    let command = parse_from(&words("unsinkable update --update=containers --json"), &second()).unwrap();
    let Command::Update { dry_run: false, json: true, jobs } = command else { panic!("{command:?}") };
    let (update, _) = jobs.update.unwrap();
    assert!(!update.swarm && update.containers);
}
