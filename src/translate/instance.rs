//! One `vrrp_instance` as flags. Pure.

use core::time::Duration;

use super::keepalived::Context;
use super::keywords::{self, Act};
use super::list::{self, Item, TRACKED};
use super::sheet::{Flag, Line, Place, Verdict};
use super::words::Statement;
use crate::flags::show_duration;

/// Bytes of a password in an advert of version 2 (RFC 2338 section 5.3.6).
const PASSWORD: usize = 8;
/// Where the printed command expects the password.
pub const PASSWORD_FILE: &str = "/etc/unsinkable.pass";
/// What keepalived's numbers of seconds are cut to: a year and more is a slip of the pen.
const LONGEST: u64 = 366 * 24 * 3600;

/// What one node says about one virtual router.
pub struct Instance {
    /// Which of the given files it is from.
    pub node: usize,
    /// Where it begins.
    pub at: Place,
    /// All statements in it.
    pub lines: Vec<Line>,
    /// The password as it goes over the wire; never shown.
    pub secret: Option<Vec<u8>>,
}

impl Instance {
    /// The values of a flag.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let flags = self.lines.iter().flat_map(|line| &line.flags);
        flags.filter(|flag| flag.name == name).filter_map(|flag| flag.value.as_deref()).collect()
    }

    /// The last value of a flag: a later statement wins.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).last().copied()
    }

    /// Is this flag there, with a value or without?
    pub fn has(&self, name: &str) -> bool {
        self.lines.iter().flat_map(|line| &line.flags).any(|flag| flag.name == name)
    }

    /// Is every VIP an IPv6 one, or none?
    pub fn is_ipv6(&self) -> bool {
        self.values("--vip").iter().all(|vip| vip.contains(':'))
    }
}

/// Seconds with a fraction, as milliseconds.
pub fn millis(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let seconds: u64 = whole.parse().ok().filter(|seconds| *seconds <= LONGEST)?;
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(seconds * 1000 + padded.parse::<u64>().ok()?)
}

/// Milliseconds as a flag takes them.
pub fn show(millis: u64) -> String {
    show_duration(Duration::from_millis(millis))
}

/// Reads one.
pub fn read(node: usize, block: &Statement, context: &mut Context) -> Instance {
    let mut instance = Instance { node, at: block.at.clone(), lines: Vec::new(), secret: None };
    instance.lines.push(Line::new(&block.at, block.said(), Verdict::Same, ""));
    let find = |keyword: &str| block.inside().iter().rfind(|statement| statement.keyword() == keyword);
    let word = |keyword: &str| find(keyword).map(|statement| statement.word(1).to_owned());
    let facts = Facts {
        interface: word("interface"),
        is_master: word("state").is_some_and(|state| state == "MASTER"),
        version: word("version").or_else(|| context.version.clone()),
        has_pass: find("authentication").is_some(),
    };
    for statement in block.inside() {
        let lines = match keywords::act("vrrp_instance", statement.keyword()) {
            Some(Act::Read) => read_one(statement, &facts, &mut instance.secret, context),
            Some(act) => judged(statement, act),
            None => vec![unknown(statement)],
        };
        instance.lines.extend(lines);
    }
    complete(&mut instance, &facts, context);
    instance
}

/// What statements need to know of one another.
struct Facts {
    interface: Option<String>,
    is_master: bool,
    version: Option<String>,
    has_pass: bool,
}

impl Facts {
    /// Version 3 has no passwords.
    fn is_v3(&self) -> bool {
        self.version.as_deref() == Some("3")
    }
}

/// A statement whose keyword alone says what becomes of it, and of all in its braces.
pub fn judged(statement: &Statement, act: Act) -> Vec<Line> {
    let (verdict, why) = match act {
        Act::Read => return vec![unknown(statement)],
        Act::Same(why) => (Verdict::Same, why),
        Act::Differs(why) => (Verdict::Differs, why),
        Act::Nothing(why) => (Verdict::Nothing, why),
    };
    vec![Line::new(&statement.at, statement.said(), verdict, why)]
}

/// Only its first word is shown: the rest may be a secret behind a slip of the pen.
pub fn unknown(statement: &Statement) -> Line {
    let why = if statement.keyword().starts_with('@') {
        "which nodes this line is for is told by their configuration identity: write a file for each node without @"
    } else {
        "no keyword that is known here"
    };
    Line::unknown(&statement.at, statement.keyword(), why)
}

/// What is there although no statement says it.
fn complete(instance: &mut Instance, facts: &Facts, context: &Context) {
    let at = instance.at.clone();
    let mut add = |said: &str, flag: Flag| instance.lines.push(Line::flag(&at, said, flag));
    if let Some(interface) = context.default_interface.as_ref().filter(|_| facts.interface.is_none()) {
        add("default_interface", Flag::new("--interface", interface));
    }
    if let Some((said, value)) = &context.garp_refresh {
        add(said, Flag::new("--garp-refresh", value));
    }
    if !instance.has("--peer") {
        instance.lines.push(Line::flag(&at, "no unicast_peer", Flag::bare("--multicast")));
    }
    let speaks_v2 = !facts.is_v3() && !instance.is_ipv6();
    if speaks_v2 && !instance.has("--auth-pass-file") {
        let said = if facts.version.is_some() { "version 2" } else { "version 2, keepalived's default" };
        instance.lines.push(Line::flag(&at, said, Flag::new("--vrrp", "2")));
    }
    if !instance.has("--vrid") {
        instance.lines.push(Line::unknown(&at, "vrrp_instance", "has no virtual_router_id"));
    }
    if !instance.has("--priority") {
        instance.lines.push(Line::flag(&at, "keepalived's default priority", Flag::new("--priority", "100")));
    }
    if !instance.has("--vip") {
        instance.lines.push(Line::unknown(&at, "vrrp_instance", "has no virtual_ipaddress"));
    }
}

/// Keywords with exactly one value: what stands behind it is a keyword that nobody knows.
const ONE_VALUE: [&str; 11] = [
    "interface",
    "virtual_router_id",
    "priority",
    "advert_int",
    "mcast_src_ip",
    "unicast_src_ip",
    "version",
    "garp_master_refresh",
    "state",
    "preempt_delay",
    "nopreempt",
];

/// Nothing of what is too much is shown: it may be a secret.
pub fn overlong(statement: &Statement) -> Line {
    Line::unknown(&statement.at, statement.keyword(), "more words follow it than are known here")
}

fn read_one(
    statement: &Statement,
    facts: &Facts,
    secret: &mut Option<Vec<u8>>,
    context: &mut Context,
) -> Vec<Line> {
    let value = statement.word(1);
    let said = statement.said();
    let at = &statement.at;
    let number = |low: u16| value.parse::<u16>().is_ok_and(|number| (low..=255).contains(&number));
    let flag = |name| vec![Line::flag(at, said.as_str(), Flag::new(name, value))];
    let wrong = |why: &str| vec![Line::unknown(at, said.as_str(), why)];
    match statement.keyword() {
        keyword if ONE_VALUE.contains(&keyword) && statement.words.len() > 2 => vec![overlong(statement)],
        "interface" => flag("--interface"),
        "virtual_router_id" if number(1) => flag("--vrid"),
        "priority" if number(1) => flag("--priority"),
        "virtual_router_id" | "priority" => wrong("expected a number, 1 to 255"),
        "unicast_src_ip" | "mcast_src_ip" if value.parse::<core::net::IpAddr>().is_ok() => flag("--source"),
        "unicast_src_ip" | "mcast_src_ip" => wrong("expected an address"),
        "advert_int" => vec![advert(statement, facts)],
        "garp_master_refresh" => vec![refresh(statement)],
        "version" => vec![version(statement)],
        "state" => {
            let why = "no flag: the node with the highest priority becomes master";
            vec![Line::new(at, said, Verdict::Same, why)]
        }
        "nopreempt" => vec![no_preempt(statement, facts)],
        "preempt_delay" => vec![delay(statement, facts)],
        "v3_checksum_as_v2" => vec![Line::flag(at, said, Flag::new("--checksum", "rfc9568"))],
        "authentication" => authentication(statement, facts, secret),
        "unicast_peer" => list::peers(statement),
        "virtual_ipaddress" | "virtual_ipaddress_excluded" => {
            list::vips(statement, facts.interface.as_deref())
        }
        "track_interface" => list::items(statement, &TRACKED).iter().map(track_interface).collect(),
        "track_script" => context.tracked_scripts(statement),
        "track_process" => context.tracked_processes(statement),
        "use_vmac" | "use_ipvlan" => {
            let why = "no virtual MAC: the VIP is on the interface's own MAC, and announced by ARP";
            vec![Line::new(at, said, Verdict::Differs, why)]
        }
        _ => vec![unknown(statement)],
    }
}

fn advert(statement: &Statement, facts: &Facts) -> Line {
    let said = statement.said();
    let Some(exact) = millis(statement.word(1)).filter(|millis| *millis > 0) else {
        return Line::unknown(&statement.at, said, "expected seconds");
    };
    if facts.is_v3() || exact.is_multiple_of(1000) {
        return Line::flag(&statement.at, said, Flag::new("--advert", show(exact)));
    }
    // keepalived says so in its log and goes on.
    let rounded = ((exact + 500) / 1000).max(1) * 1000;
    let why = "version 2 counts whole seconds: keepalived rounds it, too; version 3 on all nodes could do it";
    Line::new(&statement.at, said, Verdict::Differs, why).with(Flag::new("--advert", show(rounded)))
}

fn refresh(statement: &Statement) -> Line {
    match millis(statement.word(1)) {
        Some(millis) => {
            Line::flag(&statement.at, statement.said(), Flag::new("--garp-refresh", show(millis)))
        }
        None => Line::unknown(&statement.at, statement.said(), "expected seconds"),
    }
}

/// Version 3 is the default here; version 2 is said where no password says it already.
fn version(statement: &Statement) -> Line {
    match statement.word(1) {
        "2" | "3" => Line::new(&statement.at, statement.said(), Verdict::Same, ""),
        _ => Line::unknown(&statement.at, statement.said(), "expected 2 or 3"),
    }
}

fn no_preempt(statement: &Statement, facts: &Facts) -> Line {
    if facts.is_master {
        let why = "keepalived ignores it beside `state MASTER`, and so it is left out: give --no-preempt if it is meant";
        return Line::new(&statement.at, statement.said(), Verdict::Differs, why);
    }
    Line::flag(&statement.at, statement.said(), Flag::bare("--no-preempt"))
}

fn delay(statement: &Statement, facts: &Facts) -> Line {
    let Some(millis) = millis(statement.word(1)) else {
        return Line::unknown(&statement.at, statement.said(), "expected seconds");
    };
    if facts.is_master && millis > 0 {
        let why = "keepalived ignores it beside `state MASTER`, and so it is left out: give --preempt-delay if it is meant";
        return Line::new(&statement.at, statement.said(), Verdict::Differs, why);
    }
    Line::flag(&statement.at, statement.said(), Flag::new("--preempt-delay", show(millis)))
}

fn authentication(block: &Statement, facts: &Facts, secret: &mut Option<Vec<u8>>) -> Vec<Line> {
    let mut lines = vec![Line::new(&block.at, "authentication {…}", Verdict::Same, "")];
    let kind = block.inside().iter().find(|statement| statement.keyword() == "auth_type");
    let kind = kind.map_or("", |statement| statement.word(1));
    for statement in block.inside() {
        let at = &statement.at;
        let line = match statement.keyword() {
            "auth_type" | "auth_pass" if statement.words.len() != 2 => overlong(statement),
            "auth_type" | "auth_pass" if facts.is_v3() => {
                let why = "version 3 has no password: keepalived ignores it, too";
                Line::new(at, statement.keyword(), Verdict::Same, why)
            }
            "auth_type" if ["PASS", "AH"].contains(&kind) => {
                Line::new(at, ["auth_type ", kind].concat(), Verdict::Same, "")
            }
            "auth_pass" if kind == "AH" => {
                let why = "auth_type AH is not spoken: change all nodes at once, and take PASS or none";
                Line::new(at, "auth_pass …", Verdict::Nothing, why)
            }
            "auth_pass" if !statement.word(1).is_empty() => password(statement, secret),
            // Whatever it is, it may be a secret.
            _ => Line::unknown(at, "a word in authentication {…}", "expected auth_type PASS and auth_pass"),
        };
        lines.push(line);
    }
    if !facts.has_pass {
        *secret = None;
    }
    lines
}

fn password(statement: &Statement, secret: &mut Option<Vec<u8>>) -> Line {
    let given = statement.word(1).as_bytes();
    *secret = Some(given.iter().copied().take(PASSWORD).collect());
    let flag = Flag::new("--auth-pass-file", PASSWORD_FILE);
    if given.len() <= PASSWORD {
        return Line::flag(&statement.at, "auth_pass …", flag);
    }
    let why = "has more than 8 bytes: keepalived and unsinkable send the first 8 of them; write only these into the file";
    Line::new(&statement.at, "auth_pass …", Verdict::Differs, why).with(flag)
}

fn track_interface(item: &Item) -> Line {
    let said = item.said("track_interface");
    match weight_of(item) {
        Ok(weight) => {
            let what = ["interface:", item.name(), &weighted(weight.unwrap_or(0))].concat();
            Line::flag(&item.at, said, Flag::new("--track", what))
        }
        Err(why) => Line::unknown(&item.at, said, why),
    }
}

/// `,weight=N`, or nothing for a weight of zero: FAULT, here as there.
pub fn weighted(weight: i16) -> String {
    if weight == 0 { String::new() } else { format!(",weight={weight}") }
}

/// The weight behind a tracked thing.
pub fn weight_of(item: &Item) -> Result<Option<i16>, &'static str> {
    match item.options() {
        [] => Ok(None),
        [word, weight] if word == "weight" => {
            let weight: Option<i16> = weight.parse().ok();
            weight
                .filter(|weight| (-253..=253).contains(weight))
                .map(Some)
                .ok_or("expected a weight, -253 to 253")
        }
        _ => Err("only `weight N` is understood here (a reversed check has no counterpart)"),
    }
}
