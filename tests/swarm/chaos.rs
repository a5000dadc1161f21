//! dockerd killed and started again at random moments of updates and pruning: nothing is lost.

use crate::lab::{Image, Lab};
use crate::net::{ms, say};
use crate::rounds::daemon;
use std::time::{Duration, Instant};

const KILLS: u32 = 50;

/// Numbers that look random and are the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn dockerd_killed_fifty_times() {
    let Some(lab) = Lab::new(1) else { return };
    let node = lab.node(0);
    let seed = std::env::var("SWARM_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(2_026_u64);
    say(&format!("    SWARM_SEED={seed}"));
    let mut dice = Dice(seed.max(1));
    let digests = [lab.push("app:v1", Image::Good("1")), lab.push("app:v2", Image::Good("2"))];
    let junk = lab.push("junk:v1", Image::Good("junk"));
    let kept = lab.push("heimdall:v1", Image::Good("kept"));
    lab.move_tag("app:latest", "v1");
    node.docker(&["pull", "-q", &lab.image("heimdall:v1")]);
    node.docker(&["create", "--name", "pet", "--volume", "pet-data:/data", &lab.image("app:v1")]);
    let image = lab.image("app:latest");
    let web = words(
        "service create --detach --name web --mount type=volume,source=data,target=/data --update-monitor 500ms \
        --restart-delay 100ms",
    );
    node.docker(&[&web[..], &[&image]].concat());
    lab.wait_running(0, "web", 1, &digests[0]);
    let asleep = words(
        "service create --detach --name asleep --replicas 0 --mount type=volume,source=asleep,target=/data",
    );
    node.docker(&[&asleep[..], &[&image]].concat());
    node.docker(&[
        "run",
        "--rm",
        "--volume",
        "data:/data",
        "--volume",
        "asleep:/more",
        &lab.image("app:v1"),
        "/bin/busybox",
        "sh",
        "-c",
        "echo precious >/data/file; echo precious >/more/file",
    ]);

    let mut ours = daemon(
        &lab,
        0,
        &words(
            "--update --update-every 1s --bake 500ms --rollout-deadline 20s --prune --prune-every 1s --grace 1s \
             --keep-per-repo 0 --keep-image *heimdall --keep-container pet",
        ),
    );
    let start = Instant::now();
    for kill in 0..KILLS {
        lab.move_tag("app:latest", if dice.below(2) == 0 { "v2" } else { "v1" });
        if kill % 10 == 0 {
            node.docker(&["pull", "-q", &lab.image("junk:v1")]);
        }
        std::thread::sleep(ms(dice.below(1500)));
        node.kill_dockerd();
        std::thread::sleep(ms(dice.below(300)));
        node.start_dockerd();
        assert!(ours.runs(), "our daemon lives");
    }
    say(&format!("    {KILLS} kills in {:.0?}", start.elapsed()));

    let last = lab.move_tag("app:latest", "v2");
    lab.wait_for(Duration::from_secs(180), "all is as it should be", || {
        node.try_call("GET", "/services/web", "").is_ok_and(|reply| reply.status == 200)
            && node.service("web").digest() == last
            && node.running("web") == [last.clone()]
    });
    assert_eq!(digests[1], last);
    let text = |volume: &str| {
        let mount = format!("{volume}:/data");
        let image = lab.image("app:v1");
        node.docker(&["run", "--rm", "--volume", &mount, &image, "/bin/busybox", "cat", "/data/file"])
    };
    assert_eq!(
        (text("data"), text("asleep")),
        ("precious\n".into(), "precious\n".into()),
        "volumes and what is in them"
    );
    node.docker(&["volume", "inspect", "pet-data"]);
    node.docker(&["container", "inspect", "pet"]);
    node.docker(&["service", "inspect", "asleep"]);
    assert!(node.has_image(&kept), "the keep list holds");
    lab.wait_for(Duration::from_secs(60), "what nobody uses is gone", || !node.has_image(&junk));
}
