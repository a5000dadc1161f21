//! How the tasks of a service stand: how many are wanted, how many run this digest, which failed. Nodes that are down or
//! drained do not count, as with Docker's own client: their tasks hang until the node is back.

use super::spec::Spec;
use crate::docker::Reference;
use crate::docker::api::{Node, Task};
use crate::sorted::Set;

/// Tasks of one service against one digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Tasks that ought to run.
    pub wanted: u64,
    /// Those that do, with this digest.
    pub running: u64,
    /// Tasks of another digest that have not been told to end.
    pub others: u64,
}

impl Slots {
    /// Counts the tasks of a service against `digest`.
    pub fn count(spec: &Spec, tasks: &[Task], nodes: &[Node], digest: &str) -> Self {
        let gone: Set<&str> = nodes.iter().filter(|node| is_out(node)).map(|node| node.id.as_str()).collect();
        let here = |task: &&Task| is_wanted(task) && !gone.contains(task.node_id.as_str());
        let of_digest = |task: &&Task| digest_of(task).as_deref() == Some(digest);
        let running = |task: &&Task| task.status.state == "running" && task.desired_state == "running";
        let places = |tasks: &mut dyn Iterator<Item = &Task>| {
            let places: Set<(u64, &str)> = tasks.map(|task| place(task, spec.replicas().is_none())).collect();
            places.len() as u64
        };
        Self {
            wanted: spec.replicas().unwrap_or_else(|| places(&mut tasks.iter().filter(here))),
            running: places(&mut tasks.iter().filter(here).filter(of_digest).filter(running)),
            others: places(&mut tasks.iter().filter(here).filter(|task| !of_digest(task))),
        }
    }

    /// All that is wanted runs, and nothing else.
    pub fn settled(self) -> bool {
        self.wanted > 0 && self.running >= self.wanted && self.others == 0
    }
}

/// A slot, or for a global service its node.
fn place(task: &Task, global: bool) -> (u64, &str) {
    if global { (0, &task.node_id) } else { (task.slot, "") }
}

/// Out of the count: `unknown` is not, as a new leader shows that of every node for some seconds.
fn is_out(node: &Node) -> bool {
    node.status.state == "down" || node.spec.availability == "drain"
}

/// Running, or on its way to it.
fn is_wanted(task: &Task) -> bool {
    ["running", "ready", "accepted"].contains(&task.desired_state.as_str())
}

/// Digest in the image of a task.
pub fn digest_of(task: &Task) -> Option<String> {
    Reference::parse(&task.spec.container_spec.image).ok()?.digest
}

/// Tasks of this digest that ended by themselves. One that ended well counts, too: a service is there to run.
pub fn failures<'a>(tasks: &'a [Task], digest: &'a str) -> impl Iterator<Item = &'a Task> {
    let ended = |task: &&Task| ["failed", "rejected", "complete"].contains(&task.status.state.as_str());
    tasks.iter().filter(ended).filter(move |task| digest_of(task).as_deref() == Some(digest))
}

/// What befell a task, in one line: `task 3 on pi2 failed: task: non-zero exit (1)`.
pub fn describe(task: &Task, nodes: &[Node]) -> String {
    let node = nodes.iter().find(|node| node.id == task.node_id);
    let place = node.map_or("no node", |node| &node.description.hostname);
    let slot = if task.slot == 0 { String::new() } else { format!(" {}", task.slot) };
    let why = if task.status.err.is_empty() { &task.status.message } else { &task.status.err };
    let hint = if why.contains("No such image") { " (or no login to its registry)" } else { "" };
    format!("task{slot} on {place}: {}, {}{hint}", task.status.state, why.trim())
}

/// A task that could not start because containerd still had one of its name, after dockerd was killed: another one will.
pub fn is_a_leftover(task: &Task) -> bool {
    let why = &task.status.err;
    why.contains("starting container failed") && why.contains("already exists")
}

/// What only tests need: tasks and nodes in one line.
#[cfg(test)]
pub mod testing {
    use crate::docker::api::{Node, Task};

    /// A digest made of one digit.
    pub fn digest(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    /// `SLOT NODE DIGIT STATE DESIRED`, one a line: `1 pi1 a running running`.
    pub fn tasks(lines: &[&str]) -> Vec<Task> {
        lines.iter().enumerate().map(|(index, line)| task(index, line)).collect()
    }

    fn task(index: usize, line: &str) -> Task {
        let fields: Vec<&str> = line.split(' ').collect();
        let [slot, node, digit, state, desired] = fields[..] else { panic!("{line}") };
        let mut task = Task { id: format!("task{index}"), slot: slot.parse().unwrap(), ..Task::default() };
        task.node_id = node.trim_matches('-').to_owned();
        let digest = digest(digit.chars().next().unwrap());
        task.spec.container_spec.image = format!("10.0.10.40:5000/app:latest@{digest}");
        state.clone_into(&mut task.status.state);
        task.status.err = if state == "failed" { "task: non-zero exit (1)".into() } else { String::new() };
        desired.clone_into(&mut task.desired_state);
        task
    }

    /// `ID ARCHITECTURE STATE AVAILABILITY`, one a line: `pi1 aarch64 ready active`.
    pub fn nodes(lines: &[&str]) -> Vec<Node> {
        let node = |line: &&str| {
            let fields: Vec<&str> = line.split(' ').collect();
            let [id, architecture, state, availability] = fields[..] else { panic!("{line}") };
            let mut node = Node { id: id.to_owned(), ..Node::default() };
            id.clone_into(&mut node.description.hostname);
            architecture.clone_into(&mut node.description.platform.architecture);
            node.description.platform.os = "linux".into();
            state.clone_into(&mut node.status.state);
            availability.clone_into(&mut node.spec.availability);
            node
        };
        lines.iter().map(node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{digest, nodes, tasks};
    use super::*;

    const PIS: [&str; 3] =
        ["pi1 aarch64 ready active", "pi2 aarch64 ready active", "pi3 aarch64 ready active"];

    fn spec(mode: &str) -> Spec {
        Spec::read(&format!(r#"{{"Name":"web","Mode":{mode}}}"#)).unwrap()
    }

    fn count(mode: &str, lines: &[&str], pis: &[&str]) -> (u64, u64, u64) {
        let slots = Slots::count(&spec(mode), &tasks(lines), &nodes(pis), &digest('b'));
        (slots.wanted, slots.running, slots.others)
    }

    const THREE: &str = r#"{"Replicated":{"Replicas":3}}"#;
    const GLOBAL: &str = r#"{"Global":{}}"#;

    #[test]
    fn slots_of_a_replicated_service() {
        let lines = [
            "1 pi1 a shutdown shutdown",
            "1 pi1 b running running",
            "2 pi2 a running running",
            "3 pi3 b starting running",
            "3 pi3 b failed shutdown",
        ];
        assert_eq!(count(THREE, &lines, &PIS), (3, 1, 1));
        let lines = ["1 pi1 b running running", "2 pi2 b running running", "3 pi3 b running running"];
        assert_eq!(count(THREE, &lines, &PIS), (3, 3, 0));
    }

    #[test]
    fn a_node_that_is_down_or_drained_does_not_count() {
        let lines = ["1 pi1 b running running", "2 pi2 a running running", "3 pi3 b running running"];
        let pis = ["pi1 aarch64 ready active", "pi2 aarch64 down active", "pi3 aarch64 ready drain"];
        assert_eq!(count(THREE, &lines, &pis), (3, 1, 0));
        assert_eq!(count(GLOBAL, &lines, &pis), (1, 1, 0));
        let unknown = ["pi1 aarch64 unknown active", "pi2 aarch64 ready active", "pi3 aarch64 ready pause"];
        assert_eq!(count(THREE, &lines, &unknown), (3, 2, 1));
    }

    #[test]
    fn a_global_service_wants_a_task_a_node() {
        let lines = ["0 pi1 b running running", "0 pi2 a running running", "0 pi3 b preparing ready"];
        assert_eq!(count(GLOBAL, &lines, &PIS), (3, 1, 1));
    }

    #[test]
    fn settled_is_all_and_nothing_else() {
        let slots = |wanted, running, others| Slots { wanted, running, others };
        assert!(slots(3, 3, 0).settled());
        assert!(!slots(3, 2, 0).settled());
        assert!(!slots(3, 3, 1).settled());
        assert!(!slots(0, 0, 0).settled(), "no node for it");
    }

    #[test]
    fn a_task_that_ended_by_itself_is_told_with_its_place() {
        let tasks = tasks(&[
            "3 pi2 b failed shutdown",
            "1 pi1 a failed shutdown",
            "2 pi1 b shutdown shutdown",
            "1 pi1 b orphaned shutdown",
            "1 pi1 b complete shutdown",
        ]);
        let digest = digest('b');
        let failed: Vec<&Task> = failures(&tasks, &digest).collect();
        assert_eq!(failed.len(), 2);
        assert_eq!(describe(failed[0], &nodes(&PIS)), "task 3 on pi2: failed, task: non-zero exit (1)");
    }
}
