//! What cannot be carried out: exit code and words.

use super::*;

#[test]
fn what_does_not_fit_is_named() {
    let base = format!("{VIP} {NODES}");
    let with = |more: &str| bad(&format!("{base} {more}"));
    let config = |text: &str| (78, text.to_string());
    assert_eq!(
        with("--interface eth1"),
        config("--interface eth1: no such interface: did you mean eth0? (here: docker0, eth0)")
    );
    assert_eq!(
        with("--interface docker0"),
        config("--interface docker0: 10.0.0.2 is on eth0: say --interface eth0, or leave it out")
    );
    assert_eq!(with("--vip 10.0.0.50"), config("--vip 10.0.0.50: is given twice"));
    assert_eq!(
        with("--vip 10.0.0.1"),
        config(
            "--vip 10.0.0.1: is a node's own address: a VIP is one more address, which no node has for itself"
        )
    );
    assert_eq!(
        with("--vrrp 2 --advert 500ms"),
        config(
            "--advert 500ms: version 2 (--vrrp 2) counts whole seconds, 1s to 255s: say 1s, or use version 3"
        )
    );
    assert_eq!(
        with("--advert 15ms"),
        config("--advert 15ms: version 3 counts steps of 10ms, 10ms to 40950ms")
    );
    assert_eq!(
        with("--vrrp 3 --auth-pass x"),
        config("--vrrp 3: has no password: leave out --auth-pass, or use --vrrp 2")
    );
    assert_eq!(
        with("--priority 5"),
        config("--priority: --node says it already: use either --node, or --priority, --peer, --source")
    );
    let own = config(
        "--peer 10.0.0.2: is this node itself: leave it out here (or name all nodes by --node, the same list on each)",
    );
    assert_eq!(bad(&format!("{VIP} --peer 10.0.0.1 --peer 10.0.0.2 --source 10.0.0.2")), own);
    let (exit, lines) = refused(&format!("{VIP} --peer 10.0.0.2 --interface eth0"), &second());
    assert_eq!((exit, lines.contains(&own.1)), (78, true), "{lines:?}");
    assert_eq!(
        with("--vrid 5 --vrid 6"),
        config("--vrid 6: has no --vip (the flags of a second virtual router come after its --vrid)")
    );
    assert_eq!(
        with("--vrid 5 --vrid 5 --vip 10.0.0.51"),
        config("--vrid 5: is given twice: each virtual router has its own")
    );
    assert_eq!(
        with("--vrid 5 --vrid 6 --vip 10.0.0.50"),
        config("--vip 10.0.0.50: belongs to --vrid 5 already, not to --vrid 6 too")
    );
    assert_eq!(
        with("--auth-pass-file /nonexistent/p"),
        config("--auth-pass-file /nonexistent/p: No such file or directory (os error 2)")
    );
    assert_eq!(with("--disk-low 90"), config("--disk-low 90: must lie below --disk-high 85"));
    assert_eq!(
        bad(VIP),
        config(
            "no --node: list every node of the cluster (--node 10.0.0.1 --node 10.0.0.2 …), or give --multicast"
        )
    );
}

#[test]
fn what_cannot_be_read_is_named_with_what_was_expected() {
    let with = |more: &str| bad(&format!("{VIP} {NODES} {more}"));
    let usage = |text: &str| (64, text.to_string());
    assert_eq!(with("--vrid 0"), usage("--vrid 0: expected a number, 1 to 255"));
    assert_eq!(with("--advert 1"), usage("--advert 1: has no unit: is it 1s or 1ms?"));
    assert_eq!(
        with("--vip 10.0.0.300"),
        usage("--vip 10.0.0.300: expected ADDR or ADDR/LEN, as 10.0.0.50/24")
    );
    assert_eq!(with("--vip 10.0.0.60/33"), usage("--vip 10.0.0.60/33: expected a prefix length, 1 to 32"));
    assert_eq!(
        with("--node 10.0.0.4=0"),
        usage("--node 10.0.0.4=0: expected a priority, 1 to 254, or 255 for the owner")
    );
    assert_eq!(with("--on-change hook"), usage("--on-change hook: expected an absolute path to a program"));
    assert_eq!(
        with("--advert 1s --advert 2s"),
        usage("--advert: is given 2 times (1s, 2s): once for each --vrid")
    );
    assert_eq!(with("--run-dir x"), usage("--run-dir x: expected an absolute path"));
    assert_eq!(with("--grace soon"), usage("--grace soon: expected a duration like 250ms, 1s, 30m or 2h"));
    assert_eq!(
        with("--update-window 2-5"),
        usage("--update-window 2-5: expected two times of day, as 02:00-05:00")
    );
    assert_eq!(
        with("--syslog tcp://"),
        usage(
            "--syslog tcp://: expected udp://HOST:514 or tcp://HOST:601, then ?format=rfc5424|rfc3164&framing=lf|octet"
        )
    );
    assert_eq!(with("--keep-per-repo x"), usage("--keep-per-repo x: expected a number, 0 to 1000"));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let (exit, lines) =
        refused(&format!("{VIP} {NODES} --vrid x --advert 1 --track proces:a --lease on"), &second());
    assert_eq!((exit, lines.len()), (64, 3));
    let (_, lines) =
        refused("--vip 10.0.0.1 --node 10.0.0.1=9 --node 10.0.0.2=9 --interface eth7", &second());
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_password_is_never_in_an_error_or_a_debug_print() {
    let (_, text) = bad(&format!("{VIP} {NODES} --auth-pass hushhush --auth-pass hushhush --vrid 0"));
    assert!(!text.contains("hushhush"), "{text}");
    assert!(!format!("{:?}", ready(&format!("{VIP} {NODES} --auth-pass hushhush"))).contains("hush"));
}

#[test]
fn nonsense_never_panics() {
    // A short xorshift over words that mean something here, so that it gets past the first check.
    let words: Vec<&str> = "run plan check release --vip --vrid --node --priority --peer --source --track --advert \
        --auth-pass --multicast --no-preempt --vrrp --update= --prune --lease on 2 10.0.0.2 10.0.0.2=255 ::1 fd00::2=1 \
        fd00::9/64 process:é,weight=-253 http://[::1 tcp:: , = / 255 0 99999999999999999999 1s 1ms 5 -v -q -- \
        process:ééééééééé http:http://ü/ exec: --interface eth0 a:b"
        .split_whitespace()
        .collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..600 {
        let mut line = vec![OsString::from("unsinkable")];
        for _ in 0..(round % 14) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            line.push(words[usize::try_from(state % words.len() as u64).unwrap()].into());
        }
        if let Err(refusal) = parse_from(&line, &second()) {
            assert!(refusal.exit == 0 || refusal.exit == 64 || refusal.exit == 78, "{line:?}");
            assert!(!refusal.text.is_empty(), "{line:?}");
        }
    }
}
