//! Several nodes' virtual routers become one command with a `--node` list where they are one cluster, and a command for
//! each node where they are not. Pure.

use super::instance::{Instance, PASSWORD_FILE};
use super::keepalived::Node;
use super::sheet::{Command, Flag, Line, Sheet, Verdict, ordered};

/// In which the flags of one virtual router are given; `--vrid` comes first from the second one on.
const ORDER: [&str; 16] = [
    "--interface",
    "--vip",
    "--vrid",
    "--vrrp",
    "--advert",
    "--auth-pass-file",
    "--checksum",
    "--no-preempt",
    "--preempt-delay",
    "--garp-refresh",
    "--node",
    "--priority",
    "--source",
    "--peer",
    "--multicast",
    "--track",
];
/// What says who a node is.
const OWN: [&str; 3] = ["--priority", "--source", "--peer"];
/// What nodes of one cluster may say differently, and one command for all still holds.
const LOOSE: [&str; 3] = ["--interface", "--no-preempt", "--preempt-delay"];
/// Taken over from the first virtual router where a later one does not say it, and how to say the default.
const INHERITED: [(&str, Flag); 6] = [
    ("--advert", Flag { name: "--advert=1s", value: None }),
    ("--no-preempt", Flag { name: "--no-preempt=off", value: None }),
    ("--preempt-delay", Flag { name: "--preempt-delay=0s", value: None }),
    ("--garp-refresh", Flag { name: "--garp-refresh=60s", value: None }),
    ("--checksum", Flag { name: "--checksum=pseudo", value: None }),
    ("--multicast", Flag { name: "--multicast=off", value: None }),
];

/// The same virtual router on its nodes; two of one node are its IPv4 and its IPv6 half.
struct Group<'a> {
    vrid: &'a str,
    members: Vec<&'a Instance>,
    /// It does not fit into a command beside its other half.
    left_out: Vec<&'a Instance>,
}

/// Puts nodes into a sheet. `files`: their names.
pub fn put(nodes: Vec<Node>, files: &[String], sheet: &mut Sheet) {
    let all: Vec<&Instance> = nodes.iter().flat_map(|node| &node.instances).collect();
    let mut groups = group(&all);
    let mut owners: Vec<usize> = all.iter().map(|instance| instance.node).collect();
    owners.dedup();
    let several = owners.len() > 1;
    let obstacle = groups.iter().find_map(|group| obstacle(group, &owners, files));
    let mut nodes_of = Vec::new();
    match obstacle {
        _ if all.is_empty() => {}
        None if several => {
            let mut command = Command::default();
            for (at, group) in groups.iter().enumerate() {
                nodes_of.push(cluster(group, at, groups.first(), &mut command, &mut sheet.hints));
            }
            sheet.commands.push(command);
        }
        obstacle => {
            if let Some(why) = obstacle.filter(|_| several) {
                sheet.hints.push(format!("a command for each node, as one for all is not possible: {why}"));
            } else {
                sheet.hints.push(
                    "give the keepalived.conf of all nodes at once, and one command fits all of them".into(),
                );
            }
            for node in owners {
                sheet.commands.push(alone(&mut groups, node, files, &mut sheet.hints));
            }
        }
    }
    passwords(&groups, &mut sheet.hints);
    let renamed = |line: &Line, instance: &Instance| renamed(line, instance, &nodes_of, &groups);
    let lines = nodes.iter().flat_map(|node| {
        let inside = node.instances.iter();
        let inside =
            inside.flat_map(|instance| instance.lines.iter().map(move |line| renamed(line, instance)));
        node.lines.iter().cloned().chain(inside).collect::<Vec<_>>()
    });
    sheet.lines.extend(lines);
}

fn group<'a>(all: &[&'a Instance]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for instance in all {
        let Some(vrid) = instance.value("--vrid") else { continue };
        let Some(group) = groups.iter_mut().find(|group| group.vrid == vrid) else {
            groups.push(Group { vrid, members: vec![instance], left_out: Vec::new() });
            continue;
        };
        let mut same = group.members.iter().filter(|other| other.node == instance.node);
        if same.any(|other| other.is_ipv6() == instance.is_ipv6()) {
            group.left_out.push(instance);
        } else {
            group.members.push(instance);
        }
    }
    // What is not said is taken over from the first: it must be one without checks, if there is one.
    let any = |group: &Group, name: &str| group.members.iter().any(|member| member.has(name));
    ordered(&mut groups, &|group| {
        2 * usize::from(any(group, "--track")) + usize::from(any(group, "--auth-pass-file"))
    });
    groups
}

/// Its own address: what it says, or the one that the others list and it does not.
fn own<'a>(instance: &'a Instance, group: &Group<'a>) -> Option<&'a str> {
    if let Some(source) = instance.value("--source") {
        return Some(source);
    }
    let kin = group.members.iter().filter(|other| other.is_ipv6() == instance.is_ipv6());
    let others: Vec<&str> = kin.clone().filter_map(|other| other.value("--source")).collect();
    let peers = instance.values("--peer");
    let mut left: Vec<&str> = Vec::new();
    for addr in kin.flat_map(|other| other.values("--peer")) {
        if !peers.contains(&addr) && !others.contains(&addr) && !left.contains(&addr) {
            left.push(addr);
        }
    }
    left.first().copied().filter(|_| !peers.is_empty() && left.len() == 1)
}

/// Why a group does not fit into one command for all nodes.
fn obstacle(group: &Group, owners: &[usize], files: &[String]) -> Option<String> {
    let file = |node: usize| files.get(node).map_or("", String::as_str);
    let vrid = group.vrid;
    if let Some(absent) = owners.iter().find(|node| group.members.iter().all(|member| member.node != **node))
    {
        return Some(format!("{} has no virtual router {vrid}", file(*absent)));
    }
    let mut addrs = Vec::new();
    for member in &group.members {
        match own(member, group) {
            Some(addr) if addrs.contains(&addr) => {
                return Some(format!("{addr} is the unicast_src_ip in two files of virtual router {vrid}"));
            }
            Some(addr) => addrs.push(addr),
            None => return Some(format!("{} does not say its address (unicast_src_ip)", file(member.node))),
        }
    }
    let mut missing: Vec<&str> = Vec::new();
    for peer in group.members.iter().flat_map(|member| member.values("--peer")) {
        if !addrs.contains(&peer) && !missing.contains(&peer) {
            missing.push(peer);
        }
    }
    if !missing.is_empty() {
        return Some(format!(
            "the priority of {} is missing: give its keepalived.conf, too",
            missing.join(" and of ")
        ));
    }
    for member in &group.members {
        let kin = group.members.iter().find(|other| other.is_ipv6() == member.is_ipv6())?;
        let names = ORDER.iter().filter(|name| !OWN.contains(name) && !LOOSE.contains(name));
        let differing = names.copied().find(|name| !same(kin, member, name));
        let differing = differing.or_else(|| (kin.secret != member.secret).then_some("password"));
        if let Some(name) = differing {
            return Some(format!("{} and {} differ in {name}", file(kin.node), file(member.node)));
        }
    }
    None
}

/// Do both say the same of a flag, in whatever order?
fn same(one: &Instance, other: &Instance, name: &str) -> bool {
    let (mine, theirs) = (one.values(name), other.values(name));
    let within = |some: &[&str], all: &[&str]| some.iter().all(|value| all.contains(value));
    one.has(name) == other.has(name) && within(&mine, &theirs) && within(&theirs, &mine)
}

/// One virtual router for all nodes. Gives back each node's address and priority.
fn cluster(
    group: &Group,
    at: usize,
    first: Option<&Group>,
    command: &mut Command,
    hints: &mut Vec<String>,
) -> Vec<(String, Flag)> {
    let mut nodes: Vec<(u8, String, Flag, &Instance)> = Vec::new();
    for member in &group.members {
        let addr = own(member, group).unwrap_or_default();
        let priority = member.value("--priority").unwrap_or_default();
        let flag = Flag::new("--node", [addr, "=", priority].concat());
        nodes.push((priority.parse().unwrap_or(0), addr.to_owned(), flag, member));
    }
    ordered(&mut nodes, &|(priority, ..)| usize::from(u8::MAX - *priority));
    let mut own_command = Command::default();
    let dropped = loose(group, hints);
    for name in ORDER {
        if name == "--node" {
            for (_, _, flag, member) in &nodes {
                let said = member.lines.iter().filter(|line| {
                    line.flags.iter().any(|flag| ["--priority", "--source"].contains(&flag.name))
                });
                said.for_each(|line| own_command.give(flag.clone(), &line.at, &line.said));
            }
        } else if !OWN.contains(&name) && !dropped.contains(&name) {
            give(&mut own_command, name, &group.members);
        }
    }
    append(command, own_command, at, group, first, hints);
    nodes.into_iter().map(|(_, addr, flag, _)| (addr, flag)).collect()
}

/// What nodes say differently although one command is for all: told, and perhaps left out.
fn loose(group: &Group, hints: &mut Vec<String>) -> Vec<&'static str> {
    let mut dropped = Vec::new();
    let vrid = group.vrid;
    for name in LOOSE {
        let first = group.members.first();
        if group.members.iter().all(|member| first.is_some_and(|first| same(first, member, name))) {
            continue;
        }
        if name == "--no-preempt" {
            hints.push(format!(
                "--no-preempt is for all nodes of --vrid {vrid} here; not all of the files say it"
            ));
        } else {
            dropped.push(name);
            let instead =
                if name == "--interface" { ": each node takes the one that carries its address" } else { "" };
            hints.push(format!("{name} is left out for --vrid {vrid}, as the nodes differ in it{instead}"));
        }
    }
    dropped
}

/// All that these instances say of one flag.
fn give(command: &mut Command, name: &str, members: &[&Instance]) {
    let is_list = ["--vip", "--peer", "--track"].contains(&name);
    for member in members {
        let flags = member.lines.iter().flat_map(|line| line.flags.iter().map(move |flag| (flag, line)));
        let mut flags: Vec<(&Flag, &Line)> = flags.filter(|(flag, _)| flag.name == name).collect();
        // keepalived goes by the last statement of a kind.
        let last = flags.len().saturating_sub(1);
        for (flag, line) in flags.drain(if is_list { 0 } else { last }..) {
            command.give(flag.clone(), &line.at, &line.said);
        }
    }
}

/// One virtual router's flags behind those of the ones before it.
fn append(
    command: &mut Command,
    mut own: Command,
    at: usize,
    group: &Group,
    first: Option<&Group>,
    hints: &mut Vec<String>,
) {
    let is_first = at == 0;
    if !is_first {
        // What follows a second --vrid belongs to it.
        ordered(&mut own.flags, &|given| usize::from(given.flag.name != "--vrid"));
        let before =
            |name: &str| first.is_some_and(|first| first.members.iter().any(|member| member.has(name)));
        let mut says: Vec<Flag> = INHERITED
            .iter()
            .filter(|(name, _)| before(name) && !own.has(name))
            .map(|(_, default)| default.clone())
            .collect();
        let password_before = before("--auth-pass-file") || before("--vrrp");
        if password_before && !own.has("--auth-pass-file") && !own.has("--vrrp") {
            says.push(Flag::new("--vrrp", "3"));
        }
        if before("--auth-pass-file") && own.has("--vrrp") {
            hints.push(format!(
                "--vrid {} takes the password of the first virtual router: it has none in its file",
                group.vrid
            ));
        }
        if let Some(member) = group.members.first() {
            for flag in says {
                own.give(flag, &member.at, "not as the first one");
            }
        }
    }
    command.flags.append(&mut own.flags);
}

/// One node's command.
fn alone(groups: &mut [Group], node: usize, files: &[String], hints: &mut Vec<String>) -> Command {
    let mut command = Command { whose: files.get(node).cloned().unwrap_or_default(), flags: Vec::new() };
    for group in groups.iter_mut() {
        let is_second = |member: &&Instance| member.node == node && member.is_ipv6();
        let halves = group.members.iter().filter(|member| member.node == node).count();
        if halves > 1
            && let Some(at) = group.members.iter().position(is_second)
        {
            let half = group.members.remove(at);
            hints.push(format!(
                "{}: the IPv6 half of --vrid {} is left out: it takes the files of all nodes to give both halves in one",
                half.at, group.vrid
            ));
            group.left_out.push(half);
        }
    }
    let mine = |group: &Group| group.members.iter().any(|member| member.node == node);
    let first = groups.iter().find(|group| mine(group));
    for (at, group) in groups.iter().filter(|group| mine(group)).enumerate() {
        let members: Vec<&Instance> =
            group.members.iter().filter(|member| member.node == node).copied().collect();
        let mut own = Command::default();
        for name in ORDER {
            give(&mut own, name, &members);
        }
        append(&mut command, own, at, group, first, hints);
    }
    command
}

/// Where passwords are to be written; they themselves are never shown.
fn passwords(groups: &[Group], hints: &mut Vec<String>) {
    let holders: Vec<&Instance> = groups
        .iter()
        .flat_map(|group| &group.members)
        .copied()
        .filter(|member| member.secret.is_some())
        .collect();
    let Some(first) = holders.first() else { return };
    let line = |holder: &Instance| {
        let line =
            holder.lines.iter().find(|line| line.flags.iter().any(|flag| flag.name == "--auth-pass-file"));
        line.map_or_else(|| holder.at.to_string(), |line| line.at.to_string())
    };
    hints.push(format!(
        "write the auth_pass of {} into {PASSWORD_FILE} on each node (chmod 600), nothing else",
        line(first)
    ));
    if let Some(other) = holders.iter().find(|other| other.secret != first.secret) {
        hints.push(format!(
            "the password at {} is another one: put it into a file of its own, and name that behind its --vrid",
            line(other)
        ));
    }
}

/// A line as the command has it: who a node is stands in the list of nodes there.
fn renamed(line: &Line, instance: &Instance, nodes_of: &[Vec<(String, Flag)>], groups: &[Group]) -> Line {
    let mut line = line.clone();
    let home =
        groups.iter().position(|group| group.members.iter().any(|member| core::ptr::eq(*member, instance)));
    if home.is_none() && !line.flags.is_empty() {
        line.flags.clear();
        line.verdict = Verdict::Nothing;
        "a virtual router identifier can be given once: this one is left out".clone_into(&mut line.why);
    }
    let Some((group, nodes)) = home.and_then(|at| groups.get(at).zip(nodes_of.get(at))) else { return line };
    for flag in &mut line.flags {
        let addr = match flag.name {
            "--peer" | "--source" => flag.value.as_deref(),
            "--priority" => own(instance, group),
            _ => None,
        };
        if let Some((_, node)) = addr.and_then(|addr| nodes.iter().find(|(known, _)| known == addr)) {
            *flag = node.clone();
        }
    }
    line
}
