//! Several nodes' virtual routers become one command with a `--node` list where they are one cluster, and a command for
//! each node where they are not. Pure.

use super::instance::{Instance, PASSWORD_FILE};
use super::keepalived::Node;
use super::sheet::{Command, Flag, Line, Sheet, Text, Verdict, is_among, joined, text};

/// In which the flags of one virtual router are given; `--vrid` comes first from the second one on.
const ORDER: &str = "--interface --vip --vrid --vrrp --advert --auth-pass-file --checksum --no-preempt --preempt-delay \
                     --garp-refresh --node --priority --source --peer --multicast --track";
/// What says who a node is.
const OWN: &str = "--priority --source --peer";
/// What nodes of one cluster may say differently, and one command for all still holds.
const LOOSE: [&str; 3] = ["--interface", "--no-preempt", "--preempt-delay"];
/// Taken over from the first virtual router where a later one does not say it, and how to say the default.
const INHERITED: &str = "--advert=1s --no-preempt=off --preempt-delay=0s --garp-refresh=60s --checksum=pseudo \
                         --multicast=off";

/// The same virtual router on its nodes; two of one node are its IPv4 and its IPv6 half.
struct Group<'a> {
    vrid: Text,
    members: Vec<&'a Instance>,
}

impl Group<'_> {
    /// Does any of its nodes say this?
    #[inline(never)]
    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.has(name))
    }

    fn holds(&self, instance: &Instance) -> bool {
        self.members.iter().any(|member| core::ptr::eq(*member, instance))
    }

    fn is_on(&self, node: usize) -> bool {
        self.members.iter().any(|member| member.node == node)
    }
}

/// A node's address in a cluster, and what it is given as.
struct Member<'a> {
    priority: u8,
    addr: Text,
    flag: Flag,
    instance: &'a Instance,
}

/// Puts nodes into a sheet. `files`: their names.
pub fn put(nodes: &[Node], files: &[Text], sheet: &mut Sheet) {
    let mut all: Vec<&Instance> = Vec::new();
    let mut owners: Vec<usize> = Vec::new();
    for node in nodes {
        for instance in &node.instances {
            all.push(instance);
            if owners.last() != Some(&instance.node) {
                owners.push(instance.node);
            }
        }
    }
    let mut groups = group(&all);
    let several = owners.len() > 1;
    let obstacle = groups.iter().find_map(|group| obstacle(group, &owners, files));
    let mut members: Vec<Vec<Member>> = Vec::new();
    if several && obstacle.is_none() {
        let mut command = Command::default();
        for group in &groups {
            members.push(cluster(group, groups.first(), &mut command, &mut sheet.hints));
        }
        sheet.commands.push(command);
    } else if !all.is_empty() {
        sheet.hints.push(match obstacle {
            Some(why) if several => text(&["a command for each node, as one for all is not possible: ", why]),
            Some(_) | None => {
                "give the keepalived.conf of all nodes at once, and one command fits all of them"
            }
        });
        for node in owners {
            let command = alone(&mut groups, node, files, &mut sheet.hints);
            sheet.commands.push(command);
        }
    }
    passwords(&groups, &mut sheet.hints);
    for node in nodes {
        sheet.lines.0.extend_from_slice(&node.lines.0);
        for instance in &node.instances {
            let home = groups.iter().position(|group| group.holds(instance));
            let known = home.and_then(|home| members.get(home)).map_or(&[][..], Vec::as_slice);
            for line in &instance.lines.0 {
                let mut line = *line;
                renamed(&mut line, instance, home.is_some(), known);
                sheet.lines.0.push(line);
            }
        }
    }
}

fn group<'a>(all: &[&'a Instance]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for &instance in all {
        let Some(vrid) = instance.value("--vrid") else { continue };
        let Some(group) = groups.iter_mut().find(|group| group.vrid == vrid) else {
            groups.push(Group { vrid, members: vec![instance] });
            continue;
        };
        let mut members = group.members.iter();
        if !members.any(|other| other.node == instance.node && other.is_ipv6() == instance.is_ipv6()) {
            group.members.push(instance);
        }
    }
    // What is not said is taken over from the first: it must be one without checks, if there is one.
    let key = |group: &Group| 2 * u8::from(group.has("--track")) + u8::from(group.has("--auth-pass-file"));
    for end in 1..groups.len() {
        for at in (1..=end).rev() {
            if key(&groups[at - 1]) > key(&groups[at]) {
                groups.swap(at - 1, at);
            }
        }
    }
    groups
}

/// Its own address: what it says, or the one that the others list and it does not.
#[inline(never)]
fn own(instance: &Instance, group: &Group) -> Option<Text> {
    if let Some(source) = instance.value("--source") {
        return Some(source);
    }
    let mut taken = instance.values("--peer");
    let has_peers = !taken.is_empty();
    let mut left: Vec<Text> = Vec::new();
    for other in &group.members {
        if other.is_ipv6() == instance.is_ipv6() {
            taken.extend(other.value("--source"));
            left.extend(other.values("--peer"));
        }
    }
    left.retain(|addr| !taken.contains(addr));
    left.dedup();
    let first = left.first().copied()?;
    (has_peers && left.iter().all(|addr| *addr == first)).then_some(first)
}

/// Why a group does not fit into one command for all nodes.
fn obstacle(group: &Group, owners: &[usize], files: &[Text]) -> Option<Text> {
    let file = |node: usize| files.get(node).copied().unwrap_or_default();
    let vrid = group.vrid;
    for node in owners {
        if !group.is_on(*node) {
            return Some(text(&[file(*node), " has no virtual router ", vrid]));
        }
    }
    let mut addrs = Vec::new();
    for member in &group.members {
        let Some(addr) = own(member, group) else {
            return Some(text(&[file(member.node), " does not say its address (unicast_src_ip)"]));
        };
        if addrs.contains(&addr) {
            return Some(text(&[addr, " is the unicast_src_ip in two files of virtual router ", vrid]));
        }
        addrs.push(addr);
    }
    let mut missing: Vec<Text> = Vec::new();
    for member in &group.members {
        for peer in member.values("--peer") {
            if !addrs.contains(&peer) && !missing.contains(&peer) {
                missing.push(peer);
            }
        }
    }
    if !missing.is_empty() {
        let missing = joined(&missing, " and of ");
        return Some(text(&["the priority of ", missing, " is missing: give its keepalived.conf, too"]));
    }
    for member in &group.members {
        let kin = group.members.iter().find(|other| other.is_ipv6() == member.is_ipv6())?;
        let mut differing = (kin.secret != member.secret).then_some("password");
        for name in ORDER.split(' ').rev() {
            if !is_among(OWN, name) && !LOOSE.contains(&name) && !same(kin, member, name) {
                differing = Some(name);
            }
        }
        if let Some(name) = differing {
            return Some(text(&[file(kin.node), " and ", file(member.node), " differ in ", name]));
        }
    }
    None
}

/// Do both say the same of a flag, in whatever order?
#[inline(never)]
fn same(one: &Instance, other: &Instance, name: &str) -> bool {
    let (mine, theirs) = (one.values(name), other.values(name));
    let within = |some: &[Text], all: &[Text]| some.iter().all(|value| all.contains(value));
    one.has(name) == other.has(name) && within(&mine, &theirs) && within(&theirs, &mine)
}

/// One virtual router for all nodes. Gives back its nodes.
fn cluster<'a>(
    group: &Group<'a>,
    first: Option<&Group>,
    command: &mut Command,
    hints: &mut Vec<Text>,
) -> Vec<Member<'a>> {
    let mut members: Vec<Member> = Vec::new();
    for instance in &group.members {
        let addr = own(instance, group).unwrap_or_default();
        let said = instance.value("--priority").unwrap_or_default();
        let priority = said.parse().unwrap_or(0);
        let flag = Flag::new("--node", text(&[addr, "=", said]));
        let at = members.iter().position(|other| other.priority < priority).unwrap_or(members.len());
        members.insert(at, Member { priority, addr, flag, instance });
    }
    let mut own_command = Command::default();
    let dropped = loose(group, hints);
    for name in ORDER.split(' ') {
        if name == "--node" {
            for member in &members {
                for line in &member.instance.lines.0 {
                    if line.has("--priority") || line.has("--source") {
                        own_command.give(&member.flag, &line.at, line.said);
                    }
                }
            }
        } else if !is_among(OWN, name) && !dropped.contains(&name) {
            give(&mut own_command, name, &group.members);
        }
    }
    append(command, own_command, group, first, hints);
    members
}

/// What nodes say differently although one command is for all: told, and perhaps left out.
fn loose(group: &Group, hints: &mut Vec<Text>) -> Vec<Text> {
    let mut dropped = Vec::new();
    let vrid = group.vrid;
    for name in LOOSE {
        if group.members.iter().all(|member| same(group.members[0], member, name)) {
            continue;
        }
        if name == "--no-preempt" {
            let why = " here; not all of the files say it";
            hints.push(text(&["--no-preempt is for all nodes of --vrid ", vrid, why]));
            continue;
        }
        dropped.push(name);
        let instead =
            if name == "--interface" { ": each node takes the one that carries its address" } else { "" };
        let why = ", as the nodes differ in it";
        hints.push(text(&[name, " is left out for --vrid ", vrid, why, instead]));
    }
    dropped
}

/// All that these instances say of one flag.
#[inline(never)]
fn give(command: &mut Command, name: &str, members: &[&Instance]) {
    let is_list = is_among("--vip --peer --track", name);
    for member in members {
        let mut last = None;
        for line in &member.lines.0 {
            for flag in line.flags {
                if flag.name != name {
                    continue;
                }
                if is_list {
                    command.give(flag, &line.at, line.said);
                }
                last = Some((flag, line));
            }
        }
        // keepalived goes by the last statement of a kind.
        if let (Some((flag, line)), false) = (last, is_list) {
            command.give(flag, &line.at, line.said);
        }
    }
}

/// One virtual router's flags behind those of the ones before it.
#[inline(never)]
fn append(
    command: &mut Command,
    mut own: Command,
    group: &Group,
    first: Option<&Group>,
    hints: &mut Vec<Text>,
) {
    if let Some(before) = first.filter(|first| first.vrid != group.vrid) {
        // What follows a second --vrid belongs to it.
        own.order(&|name| usize::from(name != "--vrid"));
        let mut says: Vec<Flag> = Vec::new();
        for default in INHERITED.split(' ') {
            let (name, _) = default.split_once('=').unwrap_or((default, ""));
            if before.has(name) && !own.has(name) {
                says.push(Flag::bare(default));
            }
        }
        let has_password = before.has("--auth-pass-file");
        if own.has("--vrrp") {
            if has_password {
                let why = " takes the password of the first virtual router: it has none in its file";
                hints.push(text(&["--vrid ", group.vrid, why]));
            }
        } else if (has_password || before.has("--vrrp")) && !own.has("--auth-pass-file") {
            says.push(Flag::new("--vrrp", "3"));
        }
        if let Some(member) = group.members.first() {
            for flag in says {
                own.give(&flag, &member.at, "not as the first one");
            }
        }
    }
    command.flags.append(&mut own.flags);
}

/// One node's command.
fn alone(groups: &mut [Group], node: usize, files: &[Text], hints: &mut Vec<Text>) -> Command {
    let mut command = Command { whose: files.get(node).copied().unwrap_or_default(), flags: Vec::new() };
    for group in groups.iter_mut() {
        let halves = group.members.iter().filter(|member| member.node == node).count();
        let second = group.members.iter().position(|member| member.node == node && member.is_ipv6());
        if let (Some(at), true) = (second, halves > 1) {
            let half = group.members.remove(at);
            hints.push(text(&[
                half.at.said(),
                ": the IPv6 half of --vrid ",
                group.vrid,
                " is left out: it takes the files of all nodes to give both halves in one",
            ]));
        }
    }
    let first = groups.iter().find(|group| group.is_on(node));
    for group in groups.iter().filter(|group| group.is_on(node)) {
        let mut members = group.members.clone();
        members.retain(|member| member.node == node);
        let mut own = Command::default();
        for name in ORDER.split(' ') {
            give(&mut own, name, &members);
        }
        append(&mut command, own, group, first, hints);
    }
    command
}

/// Where passwords are to be written; they themselves are never shown.
fn passwords(groups: &[Group], hints: &mut Vec<Text>) {
    let mut known = None;
    for group in groups {
        for holder in &group.members {
            if holder.secret.is_none() || known == Some(holder.secret) {
                continue;
            }
            let line = holder.lines.0.iter().find(|line| line.has("--auth-pass-file"));
            let place = line.map_or(holder.at, |line| line.at).said();
            if known.is_some() {
                let why = " is another one: put it into a file of its own, and name that behind its --vrid";
                hints.push(text(&["the password at ", place, why]));
                return;
            }
            known = Some(holder.secret);
            let why = " on each node (chmod 600), nothing else";
            hints.push(text(&["write the auth_pass of ", place, " into ", PASSWORD_FILE, why]));
        }
    }
}

/// A line as the command has it: who a node is stands in the list of nodes there.
fn renamed(line: &mut Line, instance: &Instance, is_given: bool, members: &[Member]) {
    if !is_given && !line.flags.is_empty() {
        line.flags = &[];
        line.verdict = Verdict::Nothing;
        line.why = "a virtual router identifier can be given once: this one is left out";
    }
    if members.is_empty() {
        return;
    }
    let mut flags = line.flags.to_vec();
    for flag in &mut flags {
        let own = flag.name == "--priority";
        let addr = if flag.name == "--peer" || flag.name == "--source" { flag.value } else { None };
        for member in members {
            if Some(member.addr) == addr || (own && core::ptr::eq(member.instance, instance)) {
                *flag = member.flag;
                break;
            }
        }
    }
    line.flags = flags.leak();
}
