//! keepalived.conf: its top level, its scripts and tracked processes. Pure.

use super::instance::{self, Instance, judged, millis, overlong, show, unknown, weight_of, weighted};
use super::keywords::{self, Act};
use super::list::{self, Item, TRACKED};
use super::script::{self, Check};
use super::sheet::{Flag, Line, Place, Verdict};
use super::words::Statement;

/// One node's file: its instances, and all statements outside of them.
pub struct Node {
    /// Its virtual routers.
    pub instances: Vec<Instance>,
    /// The rest.
    pub lines: Vec<Line>,
}

/// What instances need of the rest of their file.
#[derive(Default)]
pub struct Context {
    /// `vrrp_version`.
    pub version: Option<String>,
    /// `vrrp_garp_master_refresh`: the statement, and the time.
    pub garp_refresh: Option<(String, String)>,
    /// `default_interface`.
    pub default_interface: Option<String>,
    scripts: Vec<(String, Tracked)>,
    processes: Vec<(String, Tracked)>,
}

/// A `vrrp_script` or a `vrrp_track_process`.
struct Tracked {
    at: Place,
    /// For comments: `script "pgrep dockerd"`.
    said: String,
    /// The kind of `--track`, or why there is none.
    what: Result<String, &'static str>,
    interval: Option<u64>,
    timeout: Option<u64>,
    /// `,rise=2,fall=3`.
    counts: String,
    weight: i16,
    used: bool,
}

/// Timeouts that our default would be shorter than.
const DEFAULT_TIMEOUT: u64 = 5000;

/// Reads the statements of one node.
pub fn read(node: usize, statements: &[Statement]) -> Node {
    let mut context = Context::default();
    let mut lines = Vec::new();
    for statement in statements {
        lines.extend(outside(statement, &mut context));
    }
    let blocks = statements.iter().filter(|statement| statement.keyword() == "vrrp_instance");
    let instances = blocks.map(|block| instance::read(node, block, &mut context)).collect();
    let tracked = context.scripts.iter().chain(&context.processes).map(|(_, tracked)| tracked);
    for idle in tracked.filter(|tracked| !tracked.used) {
        for line in lines.iter_mut().filter(|line| line.at == idle.at && line.said == idle.said) {
            line.verdict = Verdict::Nothing;
            "no vrrp_instance tracks it".clone_into(&mut line.why);
        }
    }
    Node { instances, lines }
}

/// All but the instances.
fn outside(statement: &Statement, context: &mut Context) -> Vec<Line> {
    let name = statement.word(1).to_owned();
    match statement.keyword() {
        "vrrp_instance" => Vec::new(),
        "global_defs" => globals(statement, context),
        "vrrp_script" => {
            let (tracked, lines) = read_script(statement);
            context.scripts.push((name, tracked));
            lines
        }
        "vrrp_track_process" => {
            let (tracked, lines) = read_process(statement);
            context.processes.push((name, tracked));
            lines
        }
        "vrrp_track_file" | "track_file" => {
            let why = "no priority out of a file: file:PATH asks only whether a file exists";
            judged(statement, Act::Nothing(why))
        }
        keyword => match keywords::act("", keyword) {
            Some(act) => judged(statement, act),
            None => vec![unknown(statement)],
        },
    }
}

fn globals(block: &Statement, context: &mut Context) -> Vec<Line> {
    let mut lines = vec![Line::new(&block.at, block.said(), Verdict::Same, "")];
    for statement in block.inside() {
        let value = statement.word(1).to_owned();
        match (statement.keyword(), keywords::act("global_defs", statement.keyword())) {
            (_, None) => lines.push(unknown(statement)),
            ("vrrp_version" | "vrrp_garp_master_refresh" | "default_interface", _)
                if statement.words.len() > 2 =>
            {
                lines.push(overlong(statement));
            }
            ("vrrp_version", _) if ["2", "3"].contains(&value.as_str()) => {
                context.version = Some(value);
                lines.push(part(statement));
            }
            ("vrrp_garp_master_refresh", _) if millis(&value).is_some() => {
                let time = show(millis(&value).unwrap_or_default());
                context.garp_refresh = Some((statement.said(), time));
                lines.push(part(statement));
            }
            ("default_interface", _) => {
                context.default_interface = Some(value);
                lines.push(part(statement));
            }
            (_, Some(act)) => lines.extend(judged(statement, act)),
        }
    }
    lines
}

/// A statement that is in the flag of another.
fn part(statement: &Statement) -> Line {
    Line::new(&statement.at, statement.said(), Verdict::Same, "")
}

impl Tracked {
    fn new(block: &Statement, why: &'static str) -> Self {
        Self {
            at: block.at.clone(),
            said: block.said(),
            what: Err(why),
            interval: None,
            timeout: None,
            counts: String::new(),
            weight: 0,
            used: false,
        }
    }

    /// With options, as the value of `--track`.
    fn flag(&self, weight: Option<i16>) -> Option<Flag> {
        let mut value = self.what.as_ref().ok()?.clone();
        let mut time = |name: &str, time: Option<u64>| {
            if let Some(time) = time {
                value.push_str(name);
                value.push_str(&show(time));
            }
        };
        time(",interval=", self.interval);
        let waits =
            self.what.as_ref().is_ok_and(|what| !what.starts_with("process:") && !what.starts_with("file:"));
        let longer = self.interval.filter(|interval| *interval > DEFAULT_TIMEOUT);
        time(",timeout=", self.timeout.or(longer).filter(|_| waits));
        value.push_str(&weighted(weight.unwrap_or(self.weight)));
        value.push_str(&self.counts);
        Some(Flag::new("--track", value))
    }
}

fn read_script(block: &Statement) -> (Tracked, Vec<Line>) {
    let mut tracked = Tracked::new(block, "has no script");
    let mut lines = vec![part(block)];
    for statement in block.inside() {
        let value = statement.word(1);
        let time = || millis(value).filter(|millis| (10..=3_600_000).contains(millis));
        let understood = match statement.keyword() {
            "script" => {
                lines.push(read_command(statement, &mut tracked));
                continue;
            }
            "interval" | "timeout" | "rise" | "fall" if statement.words.len() > 2 => {
                lines.push(overlong(statement));
                continue;
            }
            "interval" => time().map(|time| tracked.interval = Some(time)).is_some(),
            "timeout" => time().map(|time| tracked.timeout = Some(time)).is_some(),
            "weight" if statement.words.len() == 2 => {
                let weight = value.parse().ok().filter(|weight| (-253..=253).contains(weight));
                weight.map(|weight| tracked.weight = weight).is_some()
            }
            "rise" | "fall" if value.parse::<u8>().is_ok_and(|count| count > 0) => {
                tracked.counts = [&tracked.counts, ",", statement.keyword(), "=", value].concat();
                true
            }
            keyword => {
                let act = keywords::act("vrrp_script", keyword).filter(|act| *act != Act::Read);
                match act {
                    Some(act) => lines.extend(judged(statement, act)),
                    None if keyword == "rise" || keyword == "fall" || keyword == "weight" => {
                        lines.push(Line::unknown(
                            &statement.at,
                            statement.said(),
                            "this value has no counterpart",
                        ));
                    }
                    None => lines.push(unknown(statement)),
                }
                continue;
            }
        };
        lines.push(if understood {
            part(statement)
        } else {
            Line::unknown(&statement.at, statement.said(), "this value has no counterpart")
        });
    }
    (tracked, lines)
}

fn read_command(statement: &Statement, tracked: &mut Tracked) -> Line {
    let command = statement.words.get(1..).unwrap_or_default().join(" ");
    let said = ["script \"", &command, "\""].concat();
    tracked.at = statement.at.clone();
    match script::check(&command) {
        Check::Track { what, differs } => {
            tracked.what = Ok(what);
            tracked.said.clone_from(&said);
            let verdict = if differs.is_empty() { Verdict::Same } else { Verdict::Differs };
            Line::new(&statement.at, said, verdict, differs)
        }
        Check::None(why) => {
            tracked.what = Err(why);
            // Its arguments may hold a secret.
            let program = command.split_ascii_whitespace().next().unwrap_or_default();
            tracked.said = ["script \"", program, " …\""].concat();
            Line::new(&statement.at, tracked.said.as_str(), Verdict::Nothing, why)
        }
    }
}

fn read_process(block: &Statement) -> (Tracked, Vec<Line>) {
    let mut tracked = Tracked::new(block, "has no process");
    let mut lines = vec![part(block)];
    for statement in block.inside() {
        let value = statement.word(1);
        match statement.keyword() {
            "process" if statement.words.len() == 2 && !value.is_empty() => {
                let name = value.rsplit('/').next().unwrap_or_default();
                tracked.what =
                    if name.contains(',') { Err("has a comma") } else { Ok(["process:", name].concat()) };
                tracked.said = statement.said();
                tracked.at = statement.at.clone();
                lines.push(part(statement));
            }
            "weight" if value.parse::<i16>().is_ok_and(|weight| (-253..=253).contains(&weight)) => {
                tracked.weight = value.parse().unwrap_or_default();
                lines.push(part(statement));
            }
            "quorum" if value == "1" => lines.push(part(statement)),
            "process" | "full_command" | "param_match" => {
                let why = "process: compares the name of a process, not its arguments";
                lines.push(Line::new(&statement.at, statement.keyword(), Verdict::Differs, why));
                if let Some(name) = statement.words.get(1).filter(|_| statement.keyword() == "process") {
                    tracked.what = Ok(["process:", name].concat());
                }
            }
            "quorum" | "quorum_max" => {
                let why = "one process of the name is enough, and there cannot be too many";
                lines.push(Line::new(&statement.at, statement.said(), Verdict::Differs, why));
            }
            keyword => match keywords::act("vrrp_track_process", keyword).filter(|act| *act != Act::Read) {
                Some(act) => lines.extend(judged(statement, act)),
                None => lines.push(unknown(statement)),
            },
        }
    }
    (tracked, lines)
}

impl Context {
    /// `track_script` of an instance.
    pub fn tracked_scripts(&mut self, block: &Statement) -> Vec<Line> {
        let items = list::items(block, &TRACKED);
        items.iter().map(|item| tracked(&mut self.scripts, block, item)).collect()
    }

    /// `track_process` of an instance.
    pub fn tracked_processes(&mut self, block: &Statement) -> Vec<Line> {
        let items = list::items(block, &TRACKED);
        items.iter().map(|item| tracked(&mut self.processes, block, item)).collect()
    }
}

fn tracked(known: &mut [(String, Tracked)], block: &Statement, item: &Item) -> Line {
    let said = item.said(block.keyword());
    // The last of a name counts.
    let Some((_, tracked)) = known.iter_mut().rfind(|(name, _)| name == item.name()) else {
        return Line::unknown(&item.at, said, "nothing of this name is defined in these files");
    };
    tracked.used = true;
    let weight = match weight_of(item) {
        Ok(weight) => weight,
        Err(why) => return Line::unknown(&item.at, said, why),
    };
    match tracked.flag(weight) {
        Some(flag) => {
            let said = format!("{said} ({}, line {})", tracked.said, tracked.at.line);
            Line::flag(&item.at, said, flag)
        }
        None => {
            let why = format!("is not checked: line {} has no counterpart", tracked.at.line);
            Line::new(&item.at, said, Verdict::Nothing, why)
        }
    }
}
