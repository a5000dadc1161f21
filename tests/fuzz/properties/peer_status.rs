//! Whatever another node calls its status is refused or an object; put into `/cluster.json` as it came, that stays JSON and
//! says of the node no more than it said.

use core::net::{IpAddr, Ipv4Addr};
use serde::Deserialize;
use serde_json::value::RawValue;
use unsinkable::report::document::{Seen, cluster, of_peer};

#[derive(Deserialize)]
struct Cluster<'a> {
    now_unix_ms: u64,
    #[serde(borrow)]
    nodes: Vec<Node<'a>>,
}

#[derive(Deserialize)]
struct Node<'a> {
    addr: String,
    own: bool,
    #[serde(borrow)]
    status: &'a RawValue,
}

/// Reads `data` as the answer to `/status.json`.
pub fn run(data: &[u8]) {
    let Ok(text) = of_peer(data.to_vec()) else { return };
    assert_eq!(text.as_bytes(), data);
    let addr = IpAddr::V4(Ipv4Addr::new(10, 0, 10, 31));
    let seen = Seen { addr, own: false, age: None, error: None, status: Some(&text) };
    let own = Seen { own: true, status: None, ..seen.clone() };
    let document = cluster(&[seen, own], 42);
    let read: Cluster = serde_json::from_str(&document).expect("JSON");
    assert_eq!(read.now_unix_ms, 42);
    let [peer, own] = &read.nodes[..] else { panic!("{document}") };
    assert!(peer.addr == "10.0.10.31" && !peer.own && own.own && own.status.get() == "null");
    assert_eq!(peer.status.get(), text.trim_ascii());
    assert!(peer.status.get().starts_with('{'), "a status is an object");
}
