//! Golden pages: what the person at the Pi sees.

use super::super::sample;
use super::*;
use crate::report::status::Range;

const NARROW: Look = Look { colour: false, unicode: false, width: 60 };

#[test]
fn a_backup_with_a_failed_check() {
    assert_eq!(
        draw(&sample::backup(), &Look::PLAIN),
        "\
\x20pi-2 · unsinkable 0.1.0 · pid 812 · up 2 h 3 min

 BACKUP    10.0.10.39/24 on ens160 · VRID 12 · VRRPv2
           for 2 h 0 min: 10.0.10.31 advertises a higher priority
           the VIP is not here · lease on · adverts from 10.0.10.32 every 1 s, 4 sent, 7200 heard
           master 10.0.10.31 with priority 230, heard 0.4 s ago · taken over in 3.0 s if it stays silent
           priority 120 = 100 + 20 process:dockerd (without +10 process:traefik)
           peer 10.0.10.31  heard 0.4 s ago  priority 230 of 200–230  7200 adverts
           peer 10.0.10.33  never heard, priority 50–80: a backup is silent
           dropped 3 × another password

 CHECKS
   ✔  process:dockerd  +20  every 1 s   for 2 h 3 min  1 process
   ✘  process:traefik  +10  every 30 s  for 2 h 3 min  no such process

 EVENTS
   42 s ago       priority 130 to 120
   2 h 3 min ago  started
"
    );
}

#[test]
fn a_master_on_a_narrow_old_terminal() {
    let page = draw(&sample::master(), &NARROW);
    assert_eq!(
        page,
        "\
\x20pi-1 - unsinkable 0.1.0 - pid 812 - up 2 h 3 min

 MASTER    10.0.10.39/24 on ens160 - VRID 12 - VRRPv2
           for 2 h 0 min: 10.0.10.32 fell silent
           the VIP is on the interface - lease on - adverts
           from 10.0.10.32 every 1 s, 4 sent, 7200 heard
           priority 230 = 200 + 20 process:dockerd + 10
             process:traefik
           peer 10.0.10.32  heard 0.4 s ago
             priority 130 of 100..130  7200 adverts

 CHECKS
   ok  process:dockerd  +20  every 1 s   for 2 h 3 min
     1 process
   ok  process:traefik  +10  every 30 s  for 2 h 3 min
     2 processes

 EVENTS
   42 s ago       priority 130 to 120
   2 h 3 min ago  started
"
    );
    assert!(page.is_ascii());
}

#[test]
fn rounds_tell_what_is_held_and_what_goes_when() {
    let page = draw(&sample::busy(), &Look::PLAIN);
    let (_, rounds) = page.split_once("\n\n UPDATES\n").unwrap();
    let (rounds, _) = rounds.split_once("\n\n EVENTS\n").unwrap();
    assert_eq!(
        rounds,
        "\
\x20  now: shop: 2 of 3 tasks run the new image
   2 min 0 s ago, took 4.2 s: 14 services, 1 put back, 1 held · stopped at the first failure
   service  blog  put back            task blog.1 exits with 1
   service  web   held for 1 h 2 min  unhealthy within the bake

 PRUNING
   10 min 0 s ago, took 0.3 s: 1 removed, 312.4 MB freed, 12 waiting · next in 20 min 0 s
   image   heimdall:2.1  goes in 18 min 0 s  312.4 MB  no container or service uses it
   volume  old           removed             3 B       anonymous, unused for 30 min
   and 11 more"
    );
}

#[test]
fn before_the_first_round_there_is_the_next() {
    let mut status = sample::busy();
    let job = status.rounds.pruning.as_mut().unwrap();
    (job.last, job.left_out) = (None, 0);
    job.rows.clear();
    let page = draw(&status, &Look::PLAIN);
    assert!(page.contains(" PRUNING\n   no round yet, next in 20 min 0 s\n\n EVENTS"), "{page}");
}

#[test]
fn a_fault_names_the_check_that_makes_it() {
    let mut status = sample::backup();
    let router = &mut status.routers[0];
    router.state = State::Fault;
    router.priority = None;
    router.master = None;
    router.tracks[1].weight = None;
    router.tracks[1].counts = true;
    let page = draw(&status, &Look::PLAIN);
    assert!(page.contains("\n FAULT     10.0.10.39/24 on"), "{page}");
    assert!(page.contains("no priority while in fault: process:traefik failed\n"), "{page}");
}

#[test]
fn colours_name_the_role_and_each_run_is_painted_once() {
    let look = Look { colour: true, ..Look::PLAIN };
    let page = draw(&sample::master(), &look);
    assert!(
        page.contains("\x1b[1;30;42mMASTER\x1b[0m    \x1b[1m10.0.10.39/24\x1b[0m \x1b[2mon ens160"),
        "{page}"
    );
    assert!(page.contains("\x1b[32mthe VIP is on the interface\x1b[0m \x1b[2m· lease on"), "{page}");
    assert!(draw(&sample::backup(), &look).contains("\x1b[1;34mBACKUP\x1b[0m"));
}

#[test]
fn the_text_is_the_same_with_and_without_colours() {
    let look = Look { colour: true, ..NARROW };
    for status in [sample::backup(), sample::busy(), sample::largest()] {
        let mut bare = String::new();
        for piece in draw(&status, &look).split("\x1b[") {
            // The first piece has no code in front of it.
            bare.push_str(if bare.is_empty() { piece } else { piece.split_once('m').unwrap().1 });
        }
        let trimmed: Vec<_> = bare.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n") + "\n", draw(&status, &NARROW));
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in 60..=110 {
        let look = Look { width, ..Look::PLAIN };
        for mut status in [sample::backup(), sample::busy(), sample::largest()] {
            status.cut_texts();
            for line in draw(&status, &look).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn a_stronger_peer_that_a_master_never_heard_is_blocked_or_down() {
    let mut status = sample::master();
    let peer = &mut status.routers[0].peers[0];
    (peer.heard, peer.priority, peer.range) = (None, None, Some(Range { floor: 240, ceiling: 254 }));
    let page = draw(&status, &Look::PLAIN);
    assert!(page.contains("never heard, priority 240–254: down, or is protocol 112 blocked?\n"), "{page}");
}

#[test]
fn a_vip_that_is_not_where_it_should_be_is_said() {
    let mut status = sample::master();
    status.routers[0].present = false;
    assert!(
        draw(&status, &Look::PLAIN).contains("the VIP is missing on the interface: it is being put back")
    );
    let mut status = sample::backup();
    status.routers[0].present = true;
    assert!(draw(&status, &Look::PLAIN).contains("the VIP is still on the interface: it is being removed"));
}

#[test]
fn what_the_process_lacks_stands_at_the_top() {
    let mut status = sample::master();
    status.threads.realtime = false;
    status.threads.log_drops = 7;
    status.housekeeper = Housekeeper::Restarting {
        at: status.now + Duration::from_secs(8),
        reason: "was killed by signal 9".to_owned(),
    };
    assert!(draw(&status, &Look::PLAIN).starts_with(
        " pi-1 · unsinkable 0.1.0 · pid 812 · up 2 h 3 min · housekeeper was killed by signal 9, starts again in \
         8.0 s\n no real-time scheduling: a busy machine can delay adverts (CAP_SYS_NICE?)\n 7 log lines lost: stderr \
         was full or closed\n\n MASTER"
    ));
}
