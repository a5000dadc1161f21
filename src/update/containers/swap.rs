//! One container takes the place of another: the next step, from what is there. Nothing is remembered between steps, so
//! after a crash of this program or of dockerd, at any point, one looks again and goes on; the old container's name tells
//! that it was being replaced.
//!
//! Forward: rename the old, keep dockerd from starting it, create the new (the old still runs), stop the old, start the
//! new, watch it, remove the old. Back: stop and remove the new, start the old, undo the rest, the name last.

/// What the old container's name ends with, before its ID's first digits.
const MARK: &str = "-unsinkable-old-";
/// The same for one that dockerd starts by itself at its own start, even after `docker stop` (restart policy `always`).
const MARK_ALWAYS: &str = "-unsinkable-old-always-";
/// As many digits of an ID as Docker shows.
const SHORT: usize = 12;

/// Will dockerd start a container that was stopped by hand, when it starts itself?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarts {
    /// No: any policy but `always`.
    No,
    /// Yes: policy `always`.
    Always,
    /// It would, but was told not to for now.
    Calmed,
}

/// The old container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    /// It has the marked name.
    pub renamed: bool,
    /// It runs (restarting counts).
    pub running: bool,
    /// Its restart policy.
    pub restarts: Restarts,
}

/// The container that has the name now, if it is not the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct New {
    /// It was started at least once.
    pub started: bool,
    /// It runs (restarting counts).
    pub running: bool,
}

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// By ID.
    pub old: Option<Old>,
    /// By name.
    pub new: Option<New>,
}

/// What is asked of Docker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Give the old one its marked name.
    RenameOld,
    /// Restart policy `no` for the old one.
    CalmOld,
    /// Create the new one and connect its networks.
    CreateNew,
    /// Stop the old one.
    StopOld,
    /// Start the new one.
    StartNew,
    /// Remove the old one, its volumes left.
    RemoveOld,
    /// Stop the new one.
    StopNew,
    /// Remove the new one, its volumes left.
    RemoveNew,
    /// Start the old one.
    StartOld,
    /// Give the old one its restart policy back.
    RestoreOld,
    /// Give the old one its name back.
    NameOld,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask Docker for this, then look again.
    Act(Act),
    /// See whether the new one runs well.
    Watch,
    /// Nothing is left to be done.
    Done,
    /// The old one is gone: somebody else removed it.
    Gone,
}

/// The next step towards the new container; `good` once it was watched and runs well.
pub fn forward(facts: Facts, good: bool) -> Step {
    match (facts.old, facts.new) {
        (None, None) => Step::Gone,
        (None, Some(_)) => Step::Done,
        (Some(old), _) if !old.renamed => Step::Act(Act::RenameOld),
        (Some(old), _) if old.restarts == Restarts::Always => Step::Act(Act::CalmOld),
        (Some(_), None) => Step::Act(Act::CreateNew),
        (Some(old), Some(_)) if old.running => Step::Act(Act::StopOld),
        (Some(_), Some(new)) if !new.started => Step::Act(Act::StartNew),
        (Some(_), Some(_)) if good => Step::Act(Act::RemoveOld),
        (Some(_), Some(_)) => Step::Watch,
    }
}

/// The next step back to the old container.
pub fn back(facts: Facts) -> Step {
    match (facts.old, facts.new) {
        (None, _) => Step::Gone,
        (Some(_), Some(new)) if new.running => Step::Act(Act::StopNew),
        (Some(_), Some(_)) => Step::Act(Act::RemoveNew),
        // Its name, last: as long as it is marked, the next round knows that there is something to be done.
        (Some(old), None) if !old.running => Step::Act(Act::StartOld),
        (Some(old), None) if old.restarts == Restarts::Calmed => Step::Act(Act::RestoreOld),
        (Some(old), None) if old.renamed => Step::Act(Act::NameOld),
        (Some(_), None) => Step::Done,
    }
}

/// What to do about a marked container that an earlier round left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// The new one was started: watch it, then remove the old one or go back.
    Watch,
    /// Go back.
    PutBack,
    /// Somebody else took the name: nothing is touched.
    Foreign,
}

/// Decides it. `ours`: what has the name was made of the same reference as the old one.
pub fn leftover(new: Option<New>, ours: bool) -> Leftover {
    match new {
        Some(_) if !ours => Leftover::Foreign,
        Some(new) if new.running => Leftover::Watch,
        None | Some(_) => Leftover::PutBack,
    }
}

/// The name of the old container `id` of `name`, while it is being replaced.
pub fn marked(name: &str, id: &str, always: bool) -> String {
    let mark = if always { MARK_ALWAYS } else { MARK };
    format!("{name}{mark}{}", id.get(..SHORT).unwrap_or(id))
}

/// The name that container `id` had, if `marked` is a name given by [`marked`]; and whether its policy was `always`.
pub fn unmarked<'a>(marked: &'a str, id: &str) -> Option<(&'a str, bool)> {
    let rest = marked.strip_suffix(id.get(..SHORT)?)?;
    let always = rest.strip_suffix(MARK_ALWAYS).map(|name| (name, true));
    let found = always.or_else(|| rest.strip_suffix(MARK).map(|name| (name, false)))?;
    (!found.0.is_empty()).then_some(found)
}

/// A name without its mark, whatever ID is in it.
pub fn without_mark(name: &str) -> &str {
    name.split(MARK).next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
