//! A small dockerd of two containers, crashes between any two steps.

use super::*;

const ID: &str = "b8718842e887a1cfc784017eb1ebd8a3409e5898c3b768b203ffbf2182899f39";

/// How the new container fares once it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Well,
    Exits,
    Unhealthy,
}

struct World {
    facts: Facts,
    fate: Fate,
    always: bool,
    removed_old: bool,
    removed_well: bool,
}

impl World {
    fn new(fate: Fate, always: bool) -> Self {
        let restarts = if always { Restarts::Always } else { Restarts::No };
        let old = Old { renamed: false, running: true, restarts };
        Self {
            facts: Facts { old: Some(old), new: None },
            fate,
            always,
            removed_old: false,
            removed_well: false,
        }
    }

    fn apply(&mut self, act: Act) {
        // Two of one name, or two at work on the same data at once, are what must never be.
        let old = self.facts.old.as_mut();
        match act {
            Act::RenameOld => old.unwrap().renamed = true,
            Act::CalmOld => old.unwrap().restarts = Restarts::Calmed,
            Act::CreateNew => {
                assert!(self.facts.old.unwrap().renamed && self.facts.new.is_none(), "the name is free");
                self.facts.new = Some(New { started: false, running: false });
            }
            Act::StopOld => old.unwrap().running = false,
            Act::StartNew => {
                assert!(!self.facts.old.unwrap().running, "one at a time");
                self.facts.new = Some(New { started: true, running: self.fate != Fate::Exits });
            }
            Act::RemoveOld => {
                assert!(!self.facts.old.unwrap().running, "only what is stopped is removed");
                self.facts.old = None;
                self.removed_old = true;
            }
            Act::StopNew => self.facts.new.as_mut().unwrap().running = false,
            Act::RemoveNew => {
                assert!(!self.facts.new.unwrap().running, "only what is stopped is removed");
                self.removed_well |= self.facts.new.unwrap().started && self.fate == Fate::Well;
                self.facts.new = None;
            }
            Act::RestoreOld => old.unwrap().restarts = Restarts::Always,
            Act::NameOld => {
                assert!(self.facts.new.is_none(), "the name is free");
                assert_ne!(
                    self.facts.old.unwrap().restarts,
                    Restarts::Calmed,
                    "the mark is what tells its policy"
                );
                self.facts.old.as_mut().unwrap().renamed = false;
            }
            Act::StartOld => {
                assert!(self.facts.new.is_none(), "one at a time");
                old.unwrap().running = true;
            }
        }
    }

    fn runs_well(&self) -> bool {
        self.fate == Fate::Well && self.facts.new.is_some_and(|new| new.running)
    }

    /// dockerd is killed, and starts what it always starts.
    fn reboot(&mut self) {
        if let Some(old) = self.facts.old.as_mut().filter(|old| old.restarts == Restarts::Always) {
            old.running = true;
        }
    }

    /// A round: forward, back when it fails; up to `steps` of them.
    fn replace(&mut self, steps: &mut usize) {
        let mut good = false;
        loop {
            match forward(self.facts, good) {
                Step::Watch if self.runs_well() => good = true,
                Step::Watch => return self.put_back(steps),
                Step::Act(act) if spend(steps) => self.apply(act),
                Step::Act(_) | Step::Done | Step::Gone => return,
            }
        }
    }

    fn put_back(&mut self, steps: &mut usize) {
        while let Step::Act(act) = back(self.facts)
            && spend(steps)
        {
            self.apply(act);
        }
    }

    fn next_round(&mut self, steps: &mut usize) {
        if !self.facts.old.is_some_and(|old| old.renamed) {
            // Not marked: as if nothing had been.
            return;
        }
        match leftover(self.facts.new, true) {
            Leftover::Watch => self.replace(steps),
            Leftover::PutBack => self.put_back(steps),
            Leftover::Foreign => panic!("nobody else is here"),
        }
    }

    fn check(&self) {
        let mark = format!("{:?} {:?}", self.fate, self.facts);
        match self.facts {
            Facts { old: Some(old), new: None } => {
                assert!(old.running && !old.renamed, "{mark}");
                assert_eq!(old.restarts == Restarts::Always, self.always, "{mark}");
            }
            Facts { old: None, new: Some(new) } => assert!(new.running && self.fate == Fate::Well, "{mark}"),
            Facts { old: Some(_), new: Some(_) } | Facts { old: None, new: None } => panic!("{mark}"),
        }
    }
}

#[test]
fn a_good_one_takes_over_and_a_bad_one_leaves() {
    for always in [false, true] {
        for (fate, taken) in [(Fate::Well, true), (Fate::Exits, false), (Fate::Unhealthy, false)] {
            let mut world = World::new(fate, always);
            world.replace(&mut 100);
            world.check();
            assert_eq!(world.removed_old, taken, "{fate:?}");
        }
    }
}

#[test]
fn the_new_one_is_created_while_the_old_one_runs() {
    use Act::{CalmOld, CreateNew, RenameOld, StartNew, StopOld};
    let mut world = World::new(Fate::Well, true);
    let mut acts = Vec::new();
    while let Step::Act(act) = forward(world.facts, false) {
        acts.push(act);
        world.apply(act);
    }
    assert_eq!(acts, [RenameOld, CalmOld, CreateNew, StopOld, StartNew]);
    assert_eq!(forward(world.facts, false), Step::Watch);
}

#[test]
fn after_a_crash_anywhere_the_next_rounds_lose_nothing() {
    for fate in [Fate::Well, Fate::Exits, Fate::Unhealthy] {
        for always in [false, true] {
            for (first, second, reboots) in crashes() {
                let mut world = World::new(fate, always);
                let (mut steps, mut more) = (first, second);
                world.replace(&mut steps);
                if reboots {
                    world.reboot();
                }
                // A crash in the round that cleans up, then one that is left alone.
                world.next_round(&mut more);
                if reboots {
                    world.reboot();
                }
                world.next_round(&mut 100);
                // An unmarked one that was stopped would be lost.
                world.check();
                assert!(!world.removed_well || !world.removed_old, "one of the two stays");
            }
        }
    }
}

/// False when this program has just died.
fn spend(steps: &mut usize) -> bool {
    let left = *steps > 0;
    *steps = steps.saturating_sub(1);
    left
}

fn crashes() -> impl Iterator<Item = (usize, usize, bool)> {
    (0..12).flat_map(|first| {
        (0..12).flat_map(move |second| [false, true].map(|reboots| (first, second, reboots)))
    })
}

#[test]
fn what_somebody_else_made_is_left_alone() {
    let new = New { started: true, running: false };
    assert_eq!(leftover(Some(new), false), Leftover::Foreign);
    assert_eq!(leftover(Some(New { running: true, ..new }), false), Leftover::Foreign);
    assert_eq!(leftover(None, false), Leftover::PutBack);
}

#[test]
fn the_name_tells_what_it_was() {
    for always in [false, true] {
        let name = marked("my.web-1", ID, always);
        assert_eq!(unmarked(&name, ID), Some(("my.web-1", always)));
        assert_eq!(unmarked(&name, &ID.replace('b', "c")), None, "another container's mark");
        assert_eq!(without_mark(&name), "my.web-1");
    }
    assert_eq!(marked("web", ID, false), "web-unsinkable-old-b8718842e887");
    assert_eq!(unmarked("web", ID), None);
    assert_eq!(unmarked("-unsinkable-old-b8718842e887", ID), None);
    assert_eq!(unmarked("web-b8718842e887", ID), None);
}
