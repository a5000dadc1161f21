//! What a `vrrp_instance` needs of the rest of its file: defaults, and the scripts and processes it may track. Pure.

use super::judge::{judged, overlong};
use super::list::{self, Item, TRACKED};
use super::script::{self, Check};
use super::sheet::{Lines, Place, Text, Verdict, digits, joined, text};
use super::times::{millis, show};
use super::words::Statement;

/// What instances need of the rest of their file.
#[derive(Default)]
pub struct Context {
    /// `vrrp_version`.
    pub version: Option<Text>,
    /// `vrrp_garp_master_refresh`: the statement, and the time.
    pub garp_refresh: Option<(Text, Text)>,
    /// `default_interface`.
    pub default_interface: Option<Text>,
    tracked: Vec<Tracked>,
}

/// A `vrrp_script` or a `vrrp_track_process`.
#[derive(Clone, Copy)]
struct Tracked {
    is_script: bool,
    name: Text,
    at: Place,
    /// For comments: `script "pgrep dockerd"`.
    said: Text,
    /// The kind of `--track`; empty where there is none.
    what: Text,
    /// Zero: not said.
    interval: u64,
    timeout: u64,
    /// `,rise=2,fall=3`.
    counts: Text,
    weight: i16,
    used: bool,
}

/// Timeouts that our default would be shorter than.
const DEFAULT_TIMEOUT: u64 = 5000;
/// What keepalived takes as a weight.
const WEIGHTS: core::ops::RangeInclusive<i16> = -253..=253;
const NO_VALUE: Text = "this value has no counterpart";

impl Tracked {
    /// With options, as the value of `--track`.
    fn flag(&self, weight: i16) -> Text {
        let waits = !self.what.starts_with("process:") && !self.what.starts_with("file:");
        let longer = if self.interval > DEFAULT_TIMEOUT { self.interval } else { 0 };
        let timeout = if self.timeout > 0 { self.timeout } else { longer };
        let time = |name: &str, time: u64| if time == 0 { "" } else { text(&[name, show(time)]) };
        let interval = time(",interval=", self.interval);
        let timeout = time(",timeout=", if waits { timeout } else { 0 });
        text(&[self.what, interval, timeout, weighted(weight), self.counts])
    }
}

fn tracked_block(block: &Statement, lines: &mut Lines) -> Tracked {
    let is_script = block.keyword() == "vrrp_script";
    let mut tracked = Tracked {
        is_script,
        name: block.word(1),
        at: block.at,
        said: block.said(),
        what: "",
        interval: 0,
        timeout: 0,
        counts: "",
        weight: 0,
        used: false,
    };
    lines.same(&block.at, block.said());
    for statement in block.inside() {
        if is_script {
            in_script(statement, &mut tracked, lines);
        } else {
            in_process(statement, &mut tracked, lines);
        }
    }
    tracked
}

fn in_script(statement: &Statement, tracked: &mut Tracked, lines: &mut Lines) {
    let value = statement.word(1);
    let keyword = statement.keyword();
    let time = millis(value).filter(|millis| (10..=3_600_000).contains(millis));
    let understood = match keyword {
        "script" => return read_command(statement, tracked, lines),
        "interval" | "timeout" | "rise" | "fall" if statement.words.len() > 2 => {
            return overlong(statement, lines);
        }
        "interval" => {
            tracked.interval = time.unwrap_or(tracked.interval);
            time.is_some()
        }
        "timeout" => {
            tracked.timeout = time.unwrap_or(tracked.timeout);
            time.is_some()
        }
        "weight" => {
            let weight = weight(value).filter(|_| statement.words.len() == 2);
            tracked.weight = weight.unwrap_or(tracked.weight);
            weight.is_some()
        }
        "rise" | "fall" => {
            let counts = value.parse::<u8>().is_ok_and(|count| count > 0);
            if counts {
                tracked.counts = text(&[tracked.counts, ",", keyword, "=", value]);
            }
            counts
        }
        _ => return judged(statement, "vrrp_script", lines),
    };
    if understood {
        lines.same(&statement.at, statement.said());
    } else {
        lines.unknown(&statement.at, statement.said(), NO_VALUE);
    }
}

fn read_command(statement: &Statement, tracked: &mut Tracked, lines: &mut Lines) {
    let command = joined(statement.words.get(1..).unwrap_or_default(), " ");
    tracked.at = statement.at;
    match script::check(command) {
        Check::Track { what, differs } => {
            tracked.what = what;
            tracked.said = text(&["script \"", command, "\""]);
            let verdict = if differs.is_empty() { Verdict::Same } else { Verdict::Differs };
            lines.add(&statement.at, tracked.said, verdict, differs);
        }
        Check::None(why) => {
            tracked.what = "";
            // Its arguments may hold a secret.
            let program = command.split_ascii_whitespace().next().unwrap_or_default();
            tracked.said = text(&["script \"", program, " …\""]);
            lines.add(&statement.at, tracked.said, Verdict::Nothing, why);
        }
    }
}

fn in_process(statement: &Statement, tracked: &mut Tracked, lines: &mut Lines) {
    let value = statement.word(1);
    let keyword = statement.keyword();
    match keyword {
        "process" if statement.words.len() == 2 && !value.is_empty() => {
            let name = value.rsplit('/').next().unwrap_or_default();
            tracked.what = if name.contains(',') { "" } else { text(&["process:", name]) };
            tracked.said = statement.said();
            tracked.at = statement.at;
            lines.same(&statement.at, tracked.said);
        }
        "weight" if weight(value).is_some() => {
            tracked.weight = weight(value).unwrap_or_default();
            lines.same(&statement.at, statement.said());
        }
        "quorum" if value == "1" => lines.same(&statement.at, statement.said()),
        "process" | "full_command" | "param_match" => {
            let why = "process: compares the name of a process, not its arguments";
            lines.add(&statement.at, keyword, Verdict::Differs, why);
            if keyword == "process" && !value.is_empty() {
                tracked.what = text(&["process:", value]);
            }
        }
        "quorum" | "quorum_max" => {
            let why = "one process of the name is enough, and there cannot be too many";
            lines.add(&statement.at, statement.said(), Verdict::Differs, why);
        }
        _ => judged(statement, "vrrp_track_process", lines),
    }
}

/// A weight of keepalived's.
#[inline(never)]
fn weight(text: &str) -> Option<i16> {
    text.parse().ok().filter(|weight| WEIGHTS.contains(weight))
}

impl Context {
    /// Takes in a `vrrp_script` or a `vrrp_track_process`.
    pub fn define(&mut self, block: &Statement, lines: &mut Lines) {
        let tracked = tracked_block(block, lines);
        self.tracked.push(tracked);
    }

    /// Tells which of them nobody tracks: to be called when all instances are read.
    pub fn tell_idle(&self, lines: &mut Lines) {
        for idle in self.tracked.iter().filter(|tracked| !tracked.used) {
            for line in &mut lines.0 {
                if line.at == idle.at && line.said == idle.said {
                    line.verdict = Verdict::Nothing;
                    line.why = "no vrrp_instance tracks it";
                }
            }
        }
    }

    /// `track_script` or `track_process` of an instance.
    pub fn tracked(&mut self, block: &Statement, lines: &mut Lines) {
        let is_script = block.keyword() == "track_script";
        for item in list::items(block, TRACKED) {
            // The last of a name counts.
            let mut all = self.tracked.iter_mut();
            match all.rfind(|tracked| tracked.is_script == is_script && tracked.name == item.name) {
                Some(tracked) => track(tracked, &item, lines),
                None => {
                    lines.unknown(&item.at, item.said, "nothing of this name is defined in these files");
                }
            }
        }
    }
}

fn track(tracked: &mut Tracked, item: &Item, lines: &mut Lines) {
    tracked.used = true;
    let weight = match weight_of(item) {
        Ok(weight) => weight.unwrap_or(tracked.weight),
        Err(why) => return lines.unknown(&item.at, item.said, why),
    };
    let line = digits(tracked.at.line);
    if tracked.what.is_empty() {
        let why = text(&["is not checked: line ", line, " has no counterpart"]);
        return lines.add(&item.at, item.said, Verdict::Nothing, why);
    }
    let said = text(&[item.said, " (", tracked.said, ", line ", line, ")"]);
    lines.flag(&item.at, said, "--track", tracked.flag(weight));
}

/// `,weight=N`, or nothing for a weight of zero: FAULT, here as there.
#[inline(never)]
pub fn weighted(weight: i16) -> Text {
    if weight == 0 { "" } else { text(&[",weight=", &weight.to_string()]) }
}

/// The weight behind a tracked thing, if there is one; or why it cannot be read.
#[inline(never)]
pub fn weight_of(item: &Item) -> Result<Option<i16>, Text> {
    match item.options.as_slice() {
        [] => Ok(None),
        [word, value] if *word == "weight" => weight(value).map(Some).ok_or("expected a weight, -253 to 253"),
        _ => Err("only `weight N` is understood here (a reversed check has no counterpart)"),
    }
}
