//! One `vrrp_instance` as flags. Pure.

use super::context::{Context, weight_of, weighted};
use super::judge::{judged, overlong};
use super::keywords;
use super::list::{self, Item, TRACKED};
use super::sheet::{Flag, Lines, Place, Text, Verdict, is_among, text};
use super::times::{millis, show};
use super::words::Statement;

/// Bytes of a password in an advert of version 2 (RFC 2338 section 5.3.6).
const PASSWORD: usize = 8;
/// Where the printed command expects the password.
pub const PASSWORD_FILE: &str = "/etc/unsinkable.pass";
/// What one node says about one virtual router.
pub struct Instance {
    /// Which of the given files it is from.
    pub node: usize,
    /// Where it begins.
    pub at: Place,
    /// All statements in it.
    pub lines: Lines,
    /// The password as it goes over the wire; never shown.
    pub secret: Option<&'static [u8]>,
}

impl Instance {
    /// The values of a flag.
    #[inline(never)]
    pub fn values(&self, name: &str) -> Vec<Text> {
        let mut values = Vec::new();
        for line in &self.lines.0 {
            for flag in line.flags {
                if flag.name == name {
                    values.extend(flag.value);
                }
            }
        }
        values
    }

    /// The last value of a flag: a later statement wins.
    #[inline(never)]
    pub fn value(&self, name: &str) -> Option<Text> {
        self.values(name).last().copied()
    }

    /// Is this flag there, with a value or without?
    #[inline(never)]
    pub fn has(&self, name: &str) -> bool {
        self.lines.0.iter().any(|line| line.has(name))
    }

    /// Is every VIP an IPv6 one, or none?
    #[inline(never)]
    pub fn is_ipv6(&self) -> bool {
        self.values("--vip").iter().all(|vip| vip.contains(':'))
    }
}

/// Reads one.
pub fn read(node: usize, block: &Statement, context: &mut Context) -> Instance {
    let mut instance = Instance { node, at: block.at, lines: Lines::default(), secret: None };
    instance.lines.same(&block.at, block.said());
    let mut facts = Facts::default();
    for statement in block.inside() {
        let value = Some(statement.word(1));
        match statement.keyword() {
            "interface" => facts.interface = value,
            "state" => facts.is_master = value == Some("MASTER"),
            "version" => facts.version = value,
            "unicast_src_ip" => facts.own = value,
            _ => {}
        }
    }
    facts.version = facts.version.or(context.version);
    for statement in block.inside() {
        match keywords::act("vrrp_instance", statement.keyword()) {
            Some(act) if act.verdict.is_none() => read_one(statement, &facts, &mut instance, context),
            Some(_) | None => judged(statement, "vrrp_instance", &mut instance.lines),
        }
    }
    complete(&mut instance, &facts, context);
    instance
}

/// What statements need to know of one another.
#[derive(Default)]
struct Facts {
    interface: Option<Text>,
    is_master: bool,
    version: Option<Text>,
    /// Its `unicast_src_ip`.
    own: Option<Text>,
}

impl Facts {
    /// Version 3 has no passwords.
    fn is_v3(&self) -> bool {
        self.version == Some("3")
    }
}

/// What is there although no statement says it.
fn complete(instance: &mut Instance, facts: &Facts, context: &Context) {
    let at = instance.at;
    if let Some(interface) = context.default_interface.filter(|_| facts.interface.is_none()) {
        instance.lines.flag(&at, "default_interface", "--interface", interface);
    }
    if let Some((said, value)) = context.garp_refresh {
        instance.lines.flag(&at, said, "--garp-refresh", value);
    }
    if !instance.has("--peer") {
        instance.lines.near(&at, "no unicast_peer", "", Flag::bare("--multicast"));
    }
    let speaks_v2 = !facts.is_v3() && !instance.is_ipv6();
    if speaks_v2 && !instance.has("--auth-pass-file") {
        let said = if facts.version.is_some() { "version 2" } else { "version 2, keepalived's default" };
        instance.lines.flag(&at, said, "--vrrp", "2");
    }
    if !instance.has("--vrid") {
        instance.lines.unknown(&at, "vrrp_instance", "has no virtual_router_id");
    }
    if !instance.has("--priority") {
        instance.lines.flag(&at, "keepalived's default priority", "--priority", "100");
    }
    if !instance.has("--vip") {
        instance.lines.unknown(&at, "vrrp_instance", "has no virtual_ipaddress");
    }
}

/// Keywords with exactly one value: what stands behind it is a keyword that nobody knows.
const ONE_VALUE: &str = "interface virtual_router_id priority advert_int mcast_src_ip unicast_src_ip version \
                         garp_master_refresh state preempt_delay nopreempt";

/// A flag whose value must be right.
enum Read {
    /// What becomes of it is told already.
    Done,
    /// This flag with the value as it stands.
    Value(Text),
    /// This flag.
    Flag(Flag),
    /// In no flag, or in another's.
    None(Text),
    /// Another than it was.
    Differs(Text, Option<Flag>),
    Wrong(Text),
}

fn read_one(statement: &Statement, facts: &Facts, instance: &mut Instance, context: &mut Context) {
    let lines = &mut instance.lines;
    let at = &statement.at;
    let keyword = statement.keyword();
    if statement.words.len() > 2 && is_among(ONE_VALUE, keyword) {
        return overlong(statement, lines);
    }
    let read = match keyword {
        "authentication" => {
            authentication(statement, facts, instance);
            Read::Done
        }
        "unicast_peer" => {
            list::peers(statement, facts.own, lines);
            Read::Done
        }
        "virtual_ipaddress" | "virtual_ipaddress_excluded" => {
            list::vips(statement, facts.interface, lines);
            Read::Done
        }
        "track_interface" => {
            for item in list::items(statement, TRACKED) {
                track_interface(&item, lines);
            }
            Read::Done
        }
        "track_script" | "track_process" => {
            context.tracked(statement, lines);
            Read::Done
        }
        _ => plain(statement, facts),
    };
    let lines = &mut instance.lines;
    let said = statement.said();
    match read {
        Read::Done => {}
        Read::Value(flag) => lines.flag(at, said, flag, statement.word(1)),
        Read::Flag(flag) => lines.near(at, said, "", flag),
        Read::None(why) => lines.add(at, said, Verdict::Same, why),
        Read::Differs(why, None) => lines.add(at, said, Verdict::Differs, why),
        Read::Differs(why, Some(flag)) => lines.near(at, said, why, flag),
        Read::Wrong(why) => lines.unknown(at, said, why),
    }
}

/// A statement with one value.
fn plain(statement: &Statement, facts: &Facts) -> Read {
    let value = statement.word(1);
    let is_number = value.parse::<u8>().is_ok_and(|number| number > 0);
    let is_address = value.parse::<core::net::IpAddr>().is_ok();
    let millis = millis(value);
    match (statement.keyword(), millis) {
        ("interface", _) => Read::Value("--interface"),
        ("virtual_router_id", _) if is_number => Read::Value("--vrid"),
        ("priority", _) if is_number => Read::Value("--priority"),
        ("virtual_router_id" | "priority", _) => Read::Wrong("expected a number, 1 to 255"),
        ("unicast_src_ip" | "mcast_src_ip", _) if is_address => Read::Value("--source"),
        ("unicast_src_ip" | "mcast_src_ip", _) => Read::Wrong("expected an address"),
        ("advert_int", Some(millis)) if millis > 0 => advert(millis, facts),
        ("garp_master_refresh", Some(millis)) => Read::Flag(Flag::new("--garp-refresh", show(millis))),
        ("preempt_delay", Some(millis)) if facts.is_master && millis > 0 => Read::Differs(
            "keepalived ignores it beside `state MASTER`, and so it is left out: give --preempt-delay if it is meant",
            None,
        ),
        ("preempt_delay", Some(millis)) => Read::Flag(Flag::new("--preempt-delay", show(millis))),
        ("advert_int" | "garp_master_refresh" | "preempt_delay", _) => Read::Wrong("expected seconds"),
        // Version 3 is the default here; version 2 is said where no password says it already.
        ("version", _) if value == "2" || value == "3" => Read::None(""),
        ("version", _) => Read::Wrong("expected 2 or 3"),
        ("state", _) => Read::None("no flag: the node with the highest priority becomes master"),
        ("nopreempt", _) if facts.is_master => Read::Differs(
            "keepalived ignores it beside `state MASTER`, and so it is left out: give --no-preempt if it is meant",
            None,
        ),
        ("nopreempt", _) => Read::Flag(Flag::bare("--no-preempt")),
        ("v3_checksum_as_v2", _) => Read::Flag(Flag::new("--checksum", "rfc9568")),
        _ => {
            Read::Differs("no virtual MAC: the VIP is on the interface's own MAC, and announced by ARP", None)
        }
    }
}

fn advert(exact: u64, facts: &Facts) -> Read {
    if facts.is_v3() || exact.is_multiple_of(1000) {
        return Read::Flag(Flag::new("--advert", show(exact)));
    }
    // keepalived says so in its log and goes on.
    let rounded = ((exact + 500) / 1000).max(1) * 1000;
    let why = "version 2 counts whole seconds: keepalived rounds it, too; version 3 on all nodes could do it";
    Read::Differs(why, Some(Flag::new("--advert", show(rounded))))
}

fn authentication(block: &Statement, facts: &Facts, instance: &mut Instance) {
    let lines = &mut instance.lines;
    lines.same(&block.at, "authentication {…}");
    let kind = block.inside().iter().find(|statement| statement.keyword() == "auth_type");
    let kind = kind.map_or("", |statement| statement.word(1));
    for statement in block.inside() {
        let at = &statement.at;
        let value = statement.word(1);
        match statement.keyword() {
            "auth_type" | "auth_pass" if statement.words.len() != 2 => overlong(statement, lines),
            "auth_type" | "auth_pass" if facts.is_v3() => {
                let why = "version 3 has no password: keepalived ignores it, too";
                lines.add(at, statement.keyword(), Verdict::Same, why);
            }
            "auth_type" if kind == "PASS" || kind == "AH" => lines.same(at, text(&["auth_type ", kind])),
            "auth_pass" if kind == "AH" => {
                let why = "auth_type AH is not spoken: change all nodes at once, and take PASS or none";
                lines.add(at, "auth_pass …", Verdict::Nothing, why);
            }
            "auth_pass" if !value.is_empty() => {
                instance.secret = value.as_bytes().get(..value.len().min(PASSWORD));
                let why = if value.len() <= PASSWORD {
                    ""
                } else {
                    "has more than 8 bytes: keepalived and unsinkable send the first 8 of them; write only these into \
                     the file"
                };
                lines.near(at, "auth_pass …", why, Flag::new("--auth-pass-file", PASSWORD_FILE));
            }
            // Whatever it is, it may be a secret.
            _ => lines.unknown(at, "a word in authentication {…}", "expected auth_type PASS and auth_pass"),
        }
    }
}

fn track_interface(item: &Item, lines: &mut Lines) {
    match weight_of(item) {
        Ok(weight) => {
            let what = text(&["interface:", item.name, weighted(weight.unwrap_or(0))]);
            lines.flag(&item.at, item.said, "--track", what);
        }
        Err(why) => lines.unknown(&item.at, item.said, why),
    }
}
