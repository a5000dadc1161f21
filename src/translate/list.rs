//! The lists in keepalived's blocks: addresses, peers, what is tracked; several on one line or one on each. Pure.

use core::net::IpAddr;

use super::sheet::{Flag, Line, Place, Verdict};
use super::words::Statement;

/// One entry, and the options behind it.
pub struct Item {
    /// Where it stands.
    pub at: Place,
    /// Its name, then its options. Never empty.
    pub words: Vec<String>,
}

impl Item {
    /// What it names.
    pub fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Its options.
    pub fn options(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// As it was written, behind the name of its block.
    pub fn said(&self, block: &str) -> String {
        [block, " ", &self.words.join(" ")].concat()
    }
}

/// Options behind a tracked thing.
pub const TRACKED: [&str; 3] = ["weight", "reverse", "no_reverse"];
/// Those of an address that have a value, and after `label` those that have none.
const ADDRESS: [&str; 14] = [
    "dev",
    "scope",
    "brd",
    "broadcast",
    "via",
    "peer",
    "preferred_lft",
    "track_group",
    "label",
    "home",
    "-nodad",
    "nodad",
    "mngtmpaddr",
    "noprefixroute",
];
const PEER: [&str; 2] = ["min_ttl", "max_ttl"];

/// The entries of a block: a word begins one unless it is an option or an option's value.
pub fn items(block: &Statement, options: &[&str]) -> Vec<Item> {
    let valued = |word: &str| {
        options.contains(&word)
            && !["reverse", "no_reverse", "home", "-nodad", "nodad", "mngtmpaddr", "noprefixroute"]
                .contains(&word)
    };
    let mut items: Vec<Item> = Vec::new();
    for statement in block.inside() {
        let mut takes_value = false;
        let mut first = true;
        for word in &statement.words {
            let goes_on = !first && (takes_value || options.contains(&word.as_str()));
            takes_value = !takes_value && valued(word);
            first = false;
            match items.last_mut() {
                Some(item) if goes_on => item.words.push(word.clone()),
                Some(_) | None => items.push(Item { at: statement.at.clone(), words: vec![word.clone()] }),
            }
        }
    }
    items
}

/// An address, with a prefix length or without.
pub fn is_address(text: &str) -> bool {
    let (addr, prefix) = text.split_once('/').unwrap_or((text, "1"));
    addr.parse::<IpAddr>().is_ok() && prefix.parse::<u8>().is_ok()
}

/// `virtual_ipaddress` and `virtual_ipaddress_excluded`. `interface`: of the adverts.
pub fn vips(block: &Statement, interface: Option<&str>) -> Vec<Line> {
    let excluded = block.keyword().ends_with("excluded");
    let line = |item: &Item| {
        let said = item.said(block.keyword());
        if !is_address(item.name()) {
            return Line::unknown(&item.at, said, "expected an address");
        }
        let mut why = Vec::new();
        if excluded {
            why.push("is in the adverts here; keepalived 2.2.7 and older drop adverts of another list: in a cluster mixed \
                 with them leave it out until all nodes have changed".to_owned());
        }
        let dev =
            item.options().iter().position(|word| word == "dev").and_then(|at| item.options().get(at + 1));
        if let Some(dev) = dev.filter(|dev| Some(dev.as_str()) != interface) {
            why.push(format!("goes to the interface of the adverts, not to {dev}"));
        }
        let rest = item.options().iter().filter(|word| ADDRESS.contains(&word.as_str()) && *word != "dev");
        let rest: Vec<&str> = rest.map(String::as_str).collect();
        if !rest.is_empty() {
            why.push(format!("the address gets no {}", rest.join(", no ")));
        }
        let verdict = if why.is_empty() { Verdict::Same } else { Verdict::Differs };
        Line::new(&item.at, said, verdict, why.join("; ")).with(Flag::new("--vip", item.name()))
    };
    items(block, &ADDRESS).iter().map(line).collect()
}

/// `unicast_peer`.
pub fn peers(block: &Statement) -> Vec<Line> {
    let line = |item: &Item| {
        let said = item.said("unicast_peer");
        if item.name().parse::<IpAddr>().is_err() {
            return Line::unknown(&item.at, said, "expected an address");
        }
        let flag = Flag::new("--peer", item.name());
        if item.options().is_empty() {
            return Line::flag(&item.at, said, flag);
        }
        let why = "adverts leave with TTL 255, and only such are accepted";
        Line::new(&item.at, said, Verdict::Differs, why).with(flag)
    };
    items(block, &PEER).iter().map(line).collect()
}
