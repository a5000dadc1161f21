//! The lists in keepalived's blocks: addresses, peers, what is tracked; several on one line or one on each. Pure.

use core::net::IpAddr;

use super::sheet::{Flag, Lines, Place, Text, Verdict, is_among, joined, text};
use super::words::Statement;

/// One entry, and the options behind it.
pub struct Item {
    /// Where it stands.
    pub at: Place,
    /// As it was written, behind the name of its block.
    pub said: Text,
    /// What it names.
    pub name: Text,
    /// Its options.
    pub options: Vec<Text>,
}

/// Options behind a tracked thing.
pub const TRACKED: &str = "weight * reverse no_reverse";
/// Those of an address; behind the `*` those that have no value.
const ADDRESS: &str = "dev scope brd broadcast via peer preferred_lft track_group label * home -nodad nodad mngtmpaddr \
                       noprefixroute";
const PEER: &str = "min_ttl max_ttl *";

/// The entries of a block: a word begins one unless it is an option or an option's value.
#[inline(never)]
pub fn items(block: &Statement, options: &str) -> Vec<Item> {
    let (valued, bare) = options.split_once('*').unwrap_or((options, ""));
    let is_among =
        |word: Text, options: &str| options.split(' ').any(|option| option == word && !word.is_empty());
    let mut items: Vec<Item> = Vec::new();
    for statement in block.inside() {
        let mut takes_value = false;
        let mut first = true;
        for word in &statement.words {
            let is_valued = is_among(word, valued);
            let goes_on = !first && (takes_value || is_valued || is_among(word, bare));
            takes_value = !takes_value && is_valued;
            first = false;
            match items.last_mut() {
                Some(item) if goes_on => item.options.push(word),
                Some(_) | None => items.push(Item {
                    at: statement.at,
                    said: text(&[block.keyword(), " ", word]),
                    name: word,
                    options: Vec::new(),
                }),
            }
        }
    }
    for item in &mut items {
        if !item.options.is_empty() {
            item.said = text(&[item.said, " ", joined(&item.options, " ")]);
        }
    }
    items
}

/// An address, with a prefix length or without.
fn is_address(text: &str) -> bool {
    let (addr, prefix) = text.split_once('/').unwrap_or((text, "1"));
    addr.parse::<IpAddr>().is_ok() && prefix.parse::<u8>().is_ok()
}

/// `virtual_ipaddress` and `virtual_ipaddress_excluded`. `interface`: of the adverts.
pub fn vips(block: &Statement, interface: Option<Text>, lines: &mut Lines) {
    let excluded = block.keyword().ends_with("excluded");
    for item in items(block, ADDRESS) {
        if !is_address(item.name) {
            lines.unknown(&item.at, item.said, "expected an address");
            continue;
        }
        let mut why = Vec::new();
        if excluded {
            why.push(
                "is in the adverts here; keepalived 2.2.7 and older drop adverts of another list: in a cluster mixed \
                 with them leave it out until all nodes have changed",
            );
        }
        let mut rest = Vec::new();
        let mut before = "";
        for option in item.options {
            if before == "dev" && Some(option) != interface {
                why.push(text(&["goes to the interface of the adverts, not to ", option]));
            }
            if option != "dev" && is_among(ADDRESS, option) {
                rest.push(option);
            }
            before = option;
        }
        if !rest.is_empty() {
            why.push(text(&["the address gets no ", joined(&rest, ", no ")]));
        }
        lines.near(&item.at, item.said, joined(&why, "; "), Flag::new("--vip", item.name));
    }
}

/// `unicast_peer` of the node with the address `own`.
pub fn peers(block: &Statement, own: Option<Text>, lines: &mut Lines) {
    for item in items(block, PEER) {
        if item.name.parse::<IpAddr>().is_err() {
            lines.unknown(&item.at, item.said, "expected an address");
            continue;
        }
        if own == Some(item.name) {
            lines.add(&item.at, item.said, Verdict::Same, "no flag: it is this node's own unicast_src_ip");
            continue;
        }
        let why = if item.options.is_empty() {
            ""
        } else {
            "adverts leave with TTL 255, and only such are accepted"
        };
        lines.near(&item.at, item.said, why, Flag::new("--peer", item.name));
    }
}
