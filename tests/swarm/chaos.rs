//! dockerd killed and started again at random moments of updates and pruning: nothing is lost.

use crate::lab::{Image, Lab, Node};
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

/// Our daemon, at it all the time; what nobody keeps goes after a second.
const BUSY: &str = "--update --update-every 1s --bake 500ms --rollout-deadline 20s --prune --prune-every 1s \
    --grace 1s --keep-per-repo 0 --keep-image *heimdall --keep-container pet";

#[test]
fn dockerd_killed_fifty_times() {
    let Some(lab) = Lab::new(1) else { return };
    let node = lab.node(0);
    let junk = lab.push("junk:v1", Image::Good("junk"));
    let kept = lab.push("heimdall:v1", Image::Good("kept"));
    settle(&lab);
    let mut ours = daemon(&lab, 0, &BUSY.split_whitespace().collect::<Vec<_>>());
    kill_again_and_again(&lab, || assert!(ours.runs(), "our daemon lives"));

    // New ones: one that an update was rolled back from meanwhile is held. Whatever a dockerd that was killed has left
    // behind may cost the first of them a task, too ("starting container failed: task …: already exists").
    let taken = ["3", "4", "5"].into_iter().any(|version| {
        let tag = format!("v{version}");
        lab.push(&format!("app:{tag}"), Image::Good(version));
        let digest = lab.move_tag("app:latest", &tag);
        let end = Instant::now() + Duration::from_secs(100);
        while !runs(node, &digest) && Instant::now() < end {
            std::thread::sleep(ms(500));
        }
        runs(node, &digest)
    });
    assert!(taken, "a new image is taken: {}", ours.log());
    for volume in ["data", "asleep"] {
        let line =
            format!("run --rm --volume {volume}:/data {} /bin/busybox cat /data/file", lab.image("app:v1"));
        assert_eq!(node.docker_line(&line), "precious\n", "{volume} and what is in it");
    }
    node.docker_line("volume inspect pet-data");
    node.docker_line("container inspect pet");
    node.docker_line("service inspect asleep");
    assert!(node.has_image(&kept), "the keep list holds");
    lab.wait_for(Duration::from_secs(60), "what nobody uses is gone", || !node.has_image(&junk));
}

fn runs(node: &Node, digest: &str) -> bool {
    node.try_call("GET", "/services/web", "").is_ok_and(|reply| reply.status == 200)
        && node.service("web").digest() == digest
        && node.running("web") == [digest.to_owned()]
}

/// A service at work, one that sleeps, a container that is kept: each with data in a volume.
fn settle(lab: &Lab) {
    let node = lab.node(0);
    let one = lab.push("app:v1", Image::Good("1"));
    lab.push("app:v2", Image::Good("2"));
    lab.move_tag("app:latest", "v1");
    let (image, latest) = (lab.image("app:v1"), lab.image("app:latest"));
    node.docker_line(&format!("pull -q {}", lab.image("heimdall:v1")));
    node.docker_line(&format!("create --name pet --volume pet-data:/data {image}"));
    node.docker_line(&format!(
        "service create --detach --name web --mount type=volume,source=data,target=/data --update-monitor 500ms \
         --restart-delay 100ms {latest}"
    ));
    lab.wait_running(0, "web", 1, &one);
    node.docker_line(&format!(
        "service create --detach --name asleep --replicas 0 --mount type=volume,source=asleep,target=/data {latest}"
    ));
    let write = "echo precious >/data/file; echo precious >/more/file";
    let run = format!("run --rm --volume data:/data --volume asleep:/more {image} /bin/busybox sh -c");
    node.docker(&run.split_whitespace().chain([write]).collect::<Vec<_>>());
}

fn kill_again_and_again(lab: &Lab, mut look: impl FnMut()) {
    let seed = std::env::var("SWARM_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(2_026_u64);
    say(&format!("    SWARM_SEED={seed}"));
    let (mut dice, node, start) = (Dice(seed.max(1)), lab.node(0), Instant::now());
    for kill in 0..KILLS {
        lab.move_tag("app:latest", if dice.below(2) == 0 { "v2" } else { "v1" });
        if kill % 10 == 0 {
            node.docker_line(&format!("pull -q {}", lab.image("junk:v1")));
        }
        std::thread::sleep(ms(dice.below(1500)));
        node.kill_dockerd();
        std::thread::sleep(ms(dice.below(300)));
        node.start_dockerd();
        look();
    }
    say(&format!("    {KILLS} kills in {:.0?}", start.elapsed()));
}
