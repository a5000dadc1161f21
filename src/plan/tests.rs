//! The arithmetic by hand: 200 + 20 + 10 = 230, and so on.

use super::*;
use crate::checks::Kind;

fn track(name: &str, weight: Option<i16>) -> Track {
    Track {
        kind: Kind::Process(name.into()),
        interval: Duration::from_secs(1),
        weight,
        rise: 1,
        fall: 1,
        timeout: Duration::from_secs(1),
    }
}

/// Nodes 10.0.10.31 and up, with base, floor and ceiling.
fn cluster(version: Version, interval: u64, nodes: &[(u8, u8, u8)], tracks: Vec<Track>) -> Cluster {
    let node = |(at, (base, floor, ceiling)): (u8, &(u8, u8, u8))| Node {
        addr: IpAddr::from([10, 0, 10, 31 + at]),
        base: *base,
        range: PriorityRange { floor: *floor, ceiling: *ceiling },
        here: false,
    };
    Cluster {
        vrid: 12,
        vips: vec!["10.0.10.39".into()],
        version,
        interval: Duration::from_millis(interval),
        nodes: (0..).zip(nodes).map(node).collect(),
        unknown_peers: Vec::new(),
        tracks,
        preempt: true,
    }
}

fn users() -> Cluster {
    let tracks = vec![track("dockerd", Some(20)), track("traefik", Some(10))];
    cluster(Version::V2, 1000, &[(200, 200, 230), (100, 100, 130), (50, 50, 80)], tracks)
}

/// Before, after, outcome, taker, milliseconds.
type Brief<'a> = (u8, Option<u8>, Outcome, Option<&'a str>, Option<u64>);

fn brief(row: &Row) -> Brief<'_> {
    (row.before, row.after, row.vip, row.taker.as_deref(), row.within_ms)
}

#[test]
fn the_users_flags_move_nothing_when_dockerd_dies() {
    let table = plan(&users());
    let first: Vec<_> = table.rows[..4].iter().map(brief).collect();
    // Crash: 3 s + (256 - 130) / 256 s = 3.492 s.
    let two = Some("10.0.10.32");
    assert_eq!(
        first,
        [
            (230, Some(210), Outcome::Stays, None, None),
            (230, Some(220), Outcome::Stays, None, None),
            (230, None, Outcome::Moves, two, Some(3492)),
            (230, None, Outcome::Moves, two, Some(3492)),
        ]
    );
    assert_eq!(
        table.rows[0].sentence(),
        "process:dockerd lost on 10.0.10.31 drops 230 to 210, no other node can exceed 130, the VIP stays"
    );
    assert!(table.has_gap());
    assert_eq!(table.rows.iter().filter(|row| row.gap).count(), 4);
    assert_eq!(
        table.advice,
        [
            "to move the VIP, leave weight out of process:dockerd and process:traefik: a failed check then means \
             FAULT, and the VIP leaves at once",
            "or keep the weights and bring the priorities closer together than the weights: \
             --node 10.0.10.31=200 --node 10.0.10.32=195 --node 10.0.10.33=190",
        ]
    );
}

#[test]
fn the_advice_closes_the_gap() {
    let tracks = users().tracks;
    let table =
        plan(&cluster(Version::V2, 1000, &[(200, 200, 230), (195, 195, 225), (190, 190, 220)], tracks));
    assert!(!table.has_gap());
    // dockerd: 230 - 20 = 210 < 225, resigned at once: (256 - 225) / 256 s = 121 ms.
    let to = Some("10.0.10.32");
    assert_eq!(brief(&table.rows[0]), (230, Some(210), Outcome::Moves, to, Some(121)));
    assert_eq!(table.advice, Vec::<String>::new());
}

#[test]
fn equal_priorities_do_not_move_it() {
    // 254 - 10 = 244 = the next one's.
    let table =
        plan(&cluster(Version::V3, 1000, &[(244, 244, 254), (234, 234, 244)], vec![track("a", Some(10))]));
    assert_eq!(brief(&table.rows[0]), (254, Some(244), Outcome::Ties, None, None));
    assert!(table.has_gap());
}

#[test]
fn without_weight_it_leaves_at_once_and_version_3_scales_the_skew() {
    let table = plan(&cluster(Version::V3, 100, &[(254, 254, 254), (244, 244, 244)], vec![track("a", None)]));
    let two = Some("10.0.10.32");
    // (256 - 244) / 256 of 100 ms = 4.7 ms; 300 ms more where the adverts just stop.
    assert_eq!(brief(&table.rows[0]), (254, None, Outcome::Moves, two, Some(5)));
    assert_eq!(brief(&table.rows[1]), (254, None, Outcome::Moves, two, Some(305)));
    assert!(!table.has_gap());
}

#[test]
fn the_last_node_has_nobody_to_give_it_to_and_that_is_no_gap() {
    let table =
        plan(&cluster(Version::V3, 1000, &[(254, 254, 254), (244, 244, 244)], vec![track("a", None)]));
    let last = table.rows.iter().find(|row| row.master == "10.0.10.32").unwrap();
    assert_eq!(last.down, ["10.0.10.31"]);
    assert_eq!((last.vip, last.why.as_str()), (Outcome::Gone, "no other node is left"));
}

#[test]
fn with_peers_it_says_what_it_cannot_know() {
    let mut alone = cluster(Version::V2, 1000, &[(100, 100, 120)], vec![track("a", Some(20))]);
    alone.unknown_peers = vec![IpAddr::from([10, 0, 10, 32])];
    let table = plan(&alone);
    assert_eq!(table.rows[0].vip, Outcome::Unknown);
    assert_eq!(table.rows[0].why, "moves only if another node has more than 100");
    assert!(!table.has_gap());
    assert_eq!(table.advice.len(), 1);
}

#[test]
fn a_slow_check_counts_its_looking() {
    let mut slow = track("a", None);
    slow.kind = Kind::File("/x".into());
    slow.fall = 3;
    let table = plan(&cluster(Version::V2, 1000, &[(254, 254, 254), (254, 254, 254)], vec![slow]));
    // 3 x 1 s + 1 s for the last look + (256 - 254) / 256 s.
    assert_eq!(table.rows[0].within_ms, Some(4008));
}

#[test]
fn the_summary_has_facts_and_warnings() {
    let summary = plan(&users()).summary();
    assert_eq!(
        summary.facts,
        ["priorities while all is well: 10.0.10.31 230, 10.0.10.32 130, 10.0.10.33 80"]
    );
    assert_eq!(summary.warnings.len(), 6);
}
