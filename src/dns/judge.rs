//! What the answers mean: is the name right, is a record wrong, is a cache stale, does a hosts file stand in between?

use super::{Found, Reply};
use core::net::IpAddr;

/// What was seen of one name.
#[derive(Clone, Debug)]
pub struct Seen {
    /// As it was asked for.
    pub name: String,
    /// What the system's resolver says; why it says nothing.
    pub system: Result<Vec<IpAddr>, String>,
    /// What `/etc/hosts` has for it.
    pub hosts: Vec<IpAddr>,
    /// What each name server says.
    pub servers: Vec<(IpAddr, Reply)>,
    /// The zone's own server, and what it says of the name, where it was found and tells.
    pub authority: Option<(IpAddr, Reply)>,
}

/// What it should be.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// The virtual addresses; empty where the flags name none.
    pub vips: Vec<IpAddr>,
    /// The nodes' own.
    pub nodes: Vec<IpAddr>,
}

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Ok,
    /// It mends itself, or somebody else's answer is as good.
    Warn,
    /// Whoever asks is led astray.
    Fail,
}

/// One sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How bad.
    pub mark: Mark,
    /// What was seen.
    pub text: String,
    /// What mends it.
    pub mend: Option<String>,
}

/// A name with these addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// At VIPs only.
    Right,
    /// At VIPs, and at something else.
    Mixed,
    /// At something else.
    Wrong,
}

impl Cluster {
    fn aim(&self, addresses: &[IpAddr]) -> Aim {
        let right = addresses.iter().filter(|addr| self.vips.contains(addr)).count();
        match right {
            0 => Aim::Wrong,
            _ if right == addresses.len() => Aim::Right,
            _ => Aim::Mixed,
        }
    }

    /// The addresses, those of nodes and VIPs called so.
    fn called(&self, addresses: &[IpAddr]) -> String {
        let call = |addr: &IpAddr| {
            let what = if self.vips.contains(addr) {
                " (the VIP)"
            } else if self.nodes.contains(addr) {
                " (a node, not the VIP)"
            } else {
                ""
            };
            format!("{addr}{what}")
        };
        addresses.iter().map(call).collect::<Vec<_>>().join(" and ")
    }

    fn wanted(&self) -> String {
        if self.vips.is_empty() {
            return "the VIP".to_owned();
        }
        self.vips.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" or ")
    }
}

/// All sentences on one name: the system first, then each name server, then the zone's own.
pub fn judge(seen: &Seen, cluster: &Cluster) -> Vec<Verdict> {
    let mut verdicts = vec![system(seen, cluster)];
    if !seen.hosts.is_empty() {
        verdicts.push(hosts(seen, cluster));
    }
    verdicts.extend(seen.servers.iter().map(|(server, reply)| asked(seen, cluster, *server, reply)));
    verdicts.extend(seen.authority.as_ref().map(|(server, reply)| authority(seen, cluster, *server, reply)));
    verdicts
}

fn ok(text: String) -> Verdict {
    Verdict { mark: Mark::Ok, text, mend: None }
}

fn bad(mark: Mark, text: String, mend: impl Into<String>) -> Verdict {
    Verdict { mark, text, mend: Some(mend.into()) }
}

/// What whoever uses the name on this machine gets.
fn system(seen: &Seen, cluster: &Cluster) -> Verdict {
    let name = &seen.name;
    let addresses = match &seen.system {
        Ok(addresses) => addresses,
        Err(why) => {
            let mend = format!("a record {name} → {}, or: getent hosts {name}", cluster.wanted());
            return bad(Mark::Fail, format!("{name} has no address here: {why}"), mend);
        }
    };
    let text = format!("{name} is {} here", cluster.called(addresses));
    if cluster.vips.is_empty() {
        return bad(Mark::Warn, format!("{text}; the flags name no VIP to compare with"), "--vip ADDR");
    }
    match cluster.aim(addresses) {
        Aim::Right => ok(text),
        Aim::Mixed => bad(
            Mark::Fail,
            format!("{text}: who takes the other address does not follow the VIP"),
            format!("let {name} have {} alone", cluster.wanted()),
        ),
        Aim::Wrong => bad(Mark::Fail, text, format!("let {name} be {}", cluster.wanted())),
    }
}

fn hosts(seen: &Seen, cluster: &Cluster) -> Verdict {
    let text = format!("/etc/hosts has {} for {}, whatever DNS says", cluster.called(&seen.hosts), seen.name);
    let mend = || format!("grep -n {} /etc/hosts   and take the line out", seen.name);
    aimed(cluster, &seen.hosts, text, mend)
}

/// Well if the addresses are the VIP's alone, or where there is no VIP to compare with.
fn aimed(cluster: &Cluster, addresses: &[IpAddr], text: String, mend: impl FnOnce() -> String) -> Verdict {
    match cluster.aim(addresses) {
        Aim::Mixed | Aim::Wrong if !cluster.vips.is_empty() => bad(Mark::Fail, text, mend()),
        Aim::Right | Aim::Mixed | Aim::Wrong => ok(text),
    }
}

/// One name server, against what the zone's own says.
fn asked(seen: &Seen, cluster: &Cluster, server: IpAddr, reply: &Reply) -> Verdict {
    let truth = match &seen.authority {
        Some((source, Reply::Found(truth))) if *source != server => Some((source, truth)),
        Some(_) | None => None,
    };
    let name = &seen.name;
    match (reply, truth) {
        (Reply::Found(found), Some((source, truth))) if !same(found, truth) => {
            let (old, new) = (cluster.called(&found.addresses), cluster.called(&truth.addresses));
            let text = format!(
                "{server} still has the old address {old} for {} s; the authoritative server {source} says {new}",
                found.ttl
            );
            bad(Mark::Warn, text, flush(found.ttl))
        }
        (Reply::Found(found), _) => {
            let addresses = cluster.called(&found.addresses);
            // A forwarder may pass on that an answer is from the zone: who the zone's own server is, counts.
            let text = if found.authoritative && truth.is_none() {
                format!("{server} says {addresses}, from the zone itself, TTL {} s", found.ttl)
            } else {
                format!("{server} says {addresses}, for {} s more", found.ttl)
            };
            aimed(cluster, &found.addresses, text, || {
                format!("let the record {name} be {}", cluster.wanted())
            })
        }
        (Reply::NoName(left), Some((source, truth))) => {
            let left = left.map_or(String::new(), |left| format!(" for up to {left} s"));
            let new = cluster.called(&truth.addresses);
            let text = format!(
                "{server} still remembers{left} that there is no {name}; the authoritative server {source} says {new}"
            );
            bad(Mark::Warn, text, flush(0))
        }
        (Reply::NoName(_), None) => {
            bad(Mark::Fail, format!("{server} knows no {name} (NXDOMAIN)"), record(seen, cluster))
        }
        (Reply::NoAddress, _) => {
            bad(Mark::Fail, format!("{server} has {name}, without an address"), record(seen, cluster))
        }
        (Reply::Unwilling(why), _) => {
            bad(Mark::Warn, format!("{server} does not tell: {why}"), format!("dig {name} @{server}"))
        }
        (Reply::Silent(why), _) => bad(
            Mark::Warn,
            format!("{server} does not answer: {why}"),
            "ping it, or take it out of /etc/resolv.conf",
        ),
    }
}

fn authority(seen: &Seen, cluster: &Cluster, server: IpAddr, reply: &Reply) -> Verdict {
    match reply {
        Reply::Found(found) => {
            let addresses = cluster.called(&found.addresses);
            let text = format!("the authoritative server {server} says {addresses}, TTL {} s", found.ttl);
            aimed(cluster, &found.addresses, text, || record(seen, cluster))
        }
        Reply::NoName(_) | Reply::NoAddress => {
            let text = format!("the authoritative server {server} has no address for {}", seen.name);
            bad(Mark::Fail, text, record(seen, cluster))
        }
        Reply::Unwilling(_) | Reply::Silent(_) => {
            let text = format!("the authoritative server {server} does not tell");
            bad(Mark::Warn, text, format!("dig {} @{server}", seen.name))
        }
    }
}

fn record(seen: &Seen, cluster: &Cluster) -> String {
    format!("in the zone: a record {} → {}", seen.name, cluster.wanted())
}

/// A cache forgets by itself, or is told to.
fn flush(left: u32) -> String {
    let wait = if left > 0 { format!("wait {left} s, or ") } else { String::new() };
    format!("{wait}empty that cache (resolvectl flush-caches, or restart dnsmasq, unbound …)")
}

/// The same addresses in any order.
fn same(one: &Found, other: &Found) -> bool {
    one.addresses.len() == other.addresses.len()
        && one.addresses.iter().all(|addr| other.addresses.contains(addr))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn cluster() -> Cluster {
        Cluster { vips: vec![addr("10.0.10.39")], nodes: vec![addr("10.0.10.31"), addr("10.0.10.32")] }
    }

    fn found(text: &str, ttl: u32, authoritative: bool) -> Reply {
        let addresses = text.split(' ').map(addr).collect();
        Reply::Found(Found { addresses, ttl, authoritative })
    }

    /// Mark and sentence of each verdict.
    fn told(seen: &Seen) -> Vec<(Mark, String)> {
        judge(seen, &cluster()).into_iter().map(|verdict| (verdict.mark, verdict.text)).collect()
    }

    fn seen(system: &str, server: Reply, authority: Option<Reply>) -> Seen {
        Seen {
            name: "nas.lan".into(),
            system: Ok(system.split(' ').map(addr).collect()),
            hosts: Vec::new(),
            servers: vec![(addr("10.0.10.1"), server)],
            authority: authority.map(|reply| (addr("10.0.10.2"), reply)),
        }
    }

    #[test]
    fn a_right_record_is_told_with_its_life() {
        let seen = seen("10.0.10.39", found("10.0.10.39", 240, false), Some(found("10.0.10.39", 300, true)));
        assert_eq!(
            told(&seen),
            [
                (Mark::Ok, "nas.lan is 10.0.10.39 (the VIP) here".into()),
                (Mark::Ok, "10.0.10.1 says 10.0.10.39 (the VIP), for 240 s more".into()),
                (Mark::Ok, "the authoritative server 10.0.10.2 says 10.0.10.39 (the VIP), TTL 300 s".into()),
            ]
        );
    }

    #[test]
    fn a_cache_that_is_stale_is_told_from_a_record_that_is_wrong() {
        let stale = seen("10.0.10.31", found("10.0.10.31", 240, false), Some(found("10.0.10.39", 300, true)));
        let verdicts = judge(&stale, &cluster());
        assert_eq!(verdicts[1].mark, Mark::Warn);
        assert_eq!(
            verdicts[1].text,
            "10.0.10.1 still has the old address 10.0.10.31 (a node, not the VIP) for 240 s; the authoritative server \
             10.0.10.2 says 10.0.10.39 (the VIP)"
        );
        assert!(verdicts[1].mend.as_ref().unwrap().starts_with("wait 240 s, or empty that cache"));
        let wrong = seen("10.0.10.31", found("10.0.10.31", 240, false), Some(found("10.0.10.31", 300, true)));
        let marks: Vec<Mark> = told(&wrong).into_iter().map(|(mark, _)| mark).collect();
        assert_eq!(marks, [Mark::Fail, Mark::Fail, Mark::Fail]);
        let remembered = seen("10.0.10.39", Reply::NoName(Some(60)), Some(found("10.0.10.39", 300, true)));
        assert_eq!(
            told(&remembered)[1],
            (
                Mark::Warn,
                "10.0.10.1 still remembers for up to 60 s that there is no nas.lan; the authoritative server 10.0.10.2 \
                 says 10.0.10.39 (the VIP)"
                    .into()
            )
        );
    }

    #[test]
    fn several_addresses_and_none_are_failures() {
        let mixed = seen("10.0.10.39 fd00::31", found("10.0.10.39", 9, true), None);
        assert_eq!(
            told(&mixed),
            [
                (
                    Mark::Fail,
                    "nas.lan is 10.0.10.39 (the VIP) and fd00::31 here: who takes the other address does not follow the VIP"
                        .into()
                ),
                (Mark::Ok, "10.0.10.1 says 10.0.10.39 (the VIP), from the zone itself, TTL 9 s".into()),
            ]
        );
        let none = Seen { system: Err("no such name".into()), ..seen("::", Reply::NoName(None), None) };
        assert_eq!(
            told(&none),
            [
                (Mark::Fail, "nas.lan has no address here: no such name".into()),
                (Mark::Fail, "10.0.10.1 knows no nas.lan (NXDOMAIN)".into()),
            ]
        );
        for (reply, mark, text) in [
            (Reply::NoAddress, Mark::Fail, "10.0.10.1 has nas.lan, without an address"),
            (
                Reply::Unwilling("it refuses (REFUSED)"),
                Mark::Warn,
                "10.0.10.1 does not tell: it refuses (REFUSED)",
            ),
            (Reply::Silent("no answer".into()), Mark::Warn, "10.0.10.1 does not answer: no answer"),
        ] {
            assert_eq!(told(&seen("10.0.10.39", reply, None))[1], (mark, text.into()));
        }
    }

    #[test]
    fn a_hosts_file_in_between_is_told() {
        let hidden = Seen {
            hosts: vec![addr("10.0.10.31")],
            ..seen("10.0.10.31", found("10.0.10.39", 9, false), None)
        };
        let verdicts = judge(&hidden, &cluster());
        assert_eq!(
            (verdicts[1].mark, verdicts[1].text.as_str()),
            (Mark::Fail, "/etc/hosts has 10.0.10.31 (a node, not the VIP) for nas.lan, whatever DNS says")
        );
        assert_eq!(verdicts[2].mark, Mark::Ok);
    }

    #[test]
    fn without_a_vip_nothing_is_compared() {
        let seen = seen("10.0.10.31", found("10.0.10.31", 9, false), None);
        let marks: Vec<Mark> = judge(&seen, &Cluster::default()).iter().map(|verdict| verdict.mark).collect();
        assert_eq!(marks, [Mark::Warn, Mark::Ok]);
    }
}
