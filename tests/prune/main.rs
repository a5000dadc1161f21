//! What the planner must never do, tried on thousands of made-up nodes: remove what is in use, wanted by a service, kept
//! by a flag, young, or seen but once. `node` makes them, `answers` is what Docker would say, `rules` says what must stay.
//!
//! A failure names its seed: `PRUNE_SEED=<seed> cargo test --test prune` replays that node alone.

#![expect(clippy::unwrap_used, reason = "a made-up node that does not hold together is a broken test")]

mod answers;
mod node;
mod rules;

use core::time::Duration;
use node::{Dice, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use unsinkable::prune::Verdict;
use unsinkable::prune::candidates::{Candidate, may_go, unused};
use unsinkable::prune::clock::count;
use unsinkable::prune::planner::{Disk, plan};
use unsinkable::state::{Looked, State, Thing};

const CASES: u64 = 4_000;
const LOOKS: usize = 8;

/// How long each thing may have been unused at most, and in how many looks of this boot: counted apart from the daemon.
#[derive(Default)]
struct Watch {
    seen: BTreeMap<Thing, (Duration, u32)>,
    moment: Duration,
    boot: u64,
}

impl Watch {
    fn now(&self) -> Looked {
        Looked { boot: self.boot.to_string(), moment: self.moment }
    }

    /// Time goes by; sometimes the machine or the daemon starts anew, sometimes the state is lost.
    fn go_on(&mut self, dice: &mut Dice, state: &mut State) {
        let gap = Duration::from_mins([0, 1, 20, 30, 30, 30, 45, 600][dice.index(8)]);
        self.moment += gap;
        if dice.one_in(10) {
            self.boot += 1;
            self.moment = Duration::from_mins(dice.roll(1_000));
            self.seen.values_mut().for_each(|(_, looks)| *looks = 0);
        } else {
            let counted = gap.min(Duration::from_mins(60));
            self.seen.values_mut().filter(|(_, looks)| *looks > 0).for_each(|(seen, _)| *seen += counted);
        }
        if dice.one_in(15) {
            *state = State::default();
            self.seen.clear();
        }
    }

    fn look(&mut self, node: &Node) {
        let things: BTreeSet<Thing> =
            node.things().into_iter().filter(|thing| node.must_stay(thing).is_none()).collect();
        self.seen.retain(|thing, _| things.contains(thing));
        for thing in things {
            self.seen.entry(thing).or_default().1 += 1;
        }
    }
}

fn look(node: &Node, state: &mut State, now: Looked, disk: Option<Disk>) -> Vec<Candidate> {
    let policy = node.policy();
    let candidates = unused(&policy, &node.inventory());
    let clocks = count(state, now, policy.every, may_go(&candidates));
    plan(&policy, candidates, &clocks, disk)
}

fn due(planned: &[Candidate]) -> Vec<&Candidate> {
    planned.iter().filter(|candidate| candidate.row.verdict == Verdict::Due).collect()
}

/// Nothing due that must stay or is young. Returns how much is due.
fn check(seed: u64, node: &Node, watch: &Watch, planned: &[Candidate], disk: Disk) -> usize {
    for candidate in due(planned) {
        let thing = &candidate.thing;
        assert_eq!(node.must_stay(thing), None, "PRUNE_SEED={seed}: {candidate:?}\n{node:#?}");
        let (seen, looks) = watch.seen.get(thing).copied().unwrap_or_default();
        assert!(looks >= 2, "PRUNE_SEED={seed}: seen once: {candidate:?}");
        let full = disk.percent() > 85 && matches!(thing, Thing::Image(_)) && candidate.replaceable;
        assert!(
            full || seen >= Duration::from_mins(60),
            "PRUNE_SEED={seed}: young ({seen:?}): {candidate:?}"
        );
    }
    due(planned).len()
}

fn live(seed: u64) -> [usize; 3] {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (mut node, mut state, mut watch) = (Node::make(&mut dice), State::default(), Watch::default());
    let mut removed = [0; 3];
    for _ in 0..LOOKS {
        watch.go_on(&mut dice, &mut state);
        for _ in 0..dice.roll(3) {
            node.change(&mut dice);
        }
        watch.look(&node);
        let mut disk = Disk { used: dice.roll(1_000) + 1, available: 300 };
        let planned = look(&node, &mut state, watch.now(), Some(disk));
        check(seed, &node, &watch, &planned, disk);
        for candidate in due(&planned) {
            let kind = ["container", "image", "volume"].iter().position(|kind| *kind == candidate.row.kind);
            removed[kind.unwrap()] += 1;
            node.remove(&candidate.thing);
            watch.seen.remove(&candidate.thing);
            disk.available += candidate.row.size.min(disk.used);
            disk.used = disk.used.saturating_sub(candidate.row.size);
        }
        watch.look(&node);
        let again = look(&node, &mut state, watch.now(), Some(disk));
        assert!(due(&again).is_empty(), "PRUNE_SEED={seed}: twice in a row: {:?}", due(&again));
        let lost = look(&node, &mut State::default(), watch.now(), Some(disk));
        assert!(due(&lost).is_empty(), "PRUNE_SEED={seed}: with lost clocks: {:?}", due(&lost));
    }
    removed
}

#[test]
fn nothing_used_wanted_kept_young_or_seen_once_is_ever_due() {
    if let Some(seed) = std::env::var("PRUNE_SEED").ok().and_then(|seed| seed.parse().ok()) {
        println!("{:?} removed", live(seed));
        return;
    }
    let mut removed = [0; 3];
    for seed in 0..CASES {
        for (all, one) in removed.iter_mut().zip(live(seed)) {
            *all += one;
        }
    }
    println!("{CASES} nodes, {LOOKS} looks each: {removed:?} containers, images, volumes removed");
    assert!(removed.iter().all(|count| *count > 300), "the dice leave something to remove: {removed:?}");
}

#[test]
fn a_thousand_images_are_planned_in_no_time() {
    let mut dice = Dice(7);
    let mut node = Node::make(&mut dice);
    node.keep_images = ["heimdall", "nginx:1.*", "portainer", "traefik"].map(str::to_owned).to_vec();
    while node.images.len() < 1_000 {
        node.add_image(&mut dice);
    }
    while node.containers.len() < 200 {
        node.add_container(&mut dice);
    }
    let (policy, inventory) = (node.policy(), node.inventory());
    let once = || {
        let started = Instant::now();
        let candidates = unused(&policy, &inventory);
        let now = Looked { boot: String::new(), moment: Duration::ZERO };
        let clocks = count(&mut State::default(), now, policy.every, may_go(&candidates));
        let planned = plan(&policy, candidates, &clocks, None);
        assert!(planned.len() > 500);
        started.elapsed()
    };
    let best = (0..10).map(|_| once()).min().unwrap();
    println!("1,000 images, 200 containers: {best:?}");
    // Some milliseconds; a plan that compares each with each takes far longer.
    assert!(best < Duration::from_millis(200), "{best:?}");
}
