//! A master that leaves: for a better one, for a failed check, for a person, for good.

use super::*;

#[test]
fn a_better_master_is_yielded_to_with_a_last_advert_30_ms_later() {
    let mut router = lingering();
    assert_eq!(due(&router), 30_000);
    assert_eq!(acts(&mut router, 29_999, Input::Timer), []);
    assert_eq!(acts(&mut router, 30_000, Input::Timer), [Release, Advertise(100)]);
    assert_eq!((state(&router), router.view().reason), (B, Reason::HandedTo(ip(31))));
    assert_eq!(due(&router), 3_409_375, "counted from the master's advert");
}

#[test]
fn a_fall_that_decides_is_a_hand_over() {
    // 200 to 160: .31 can have 170 to 190, so it can win and could not before.
    let mut own = settings();
    own.peers[0].range = Some(PriorityRange { floor: 170, ceiling: 190 });
    let mut router = master_of(own.clone(), 200);
    assert_eq!(acts(&mut router, 0, priority(195)), [Advertise(195), Hold], "still above all");
    assert_eq!(acts(&mut router, 0, priority(160)), [Advertise(0), Hold]);
    // Slowest peer's skew (256 - 20) / 256 = 0.921875 s and 0.1 s.
    assert_eq!(due(&router), 1_021_875);
    assert_eq!(acts(&mut router, 1_021_875, Input::Timer), [Advertise(160), Hold, Announce]);
    assert_eq!(router.view().reason, Reason::NobodyTookOver);
    acts(&mut router, 1_100_000, priority(200));
    // Not again for 30 s: 1.021875 + 30 s.
    assert_eq!(acts(&mut router, 31_021_874, priority(160)), [Advertise(160), Hold]);
    acts(&mut router, 31_021_874, priority(200));
    assert_eq!(acts(&mut router, 31_021_875, priority(160)), [Advertise(0), Hold]);
    // A rise is none, without preemption either.
    own.preempt = Preempt::Never;
    let mut router = master_of(own, 100);
    assert_eq!(acts(&mut router, 0, priority(120)), [Advertise(120), Hold]);
    assert_eq!(acts(&mut router, 0, priority(110)), [Advertise(0), Hold]);
}

#[test]
fn a_worse_successor_is_relieved_at_once() {
    let mut own = settings();
    own.peers[0].range = Some(PriorityRange { floor: 100, ceiling: 190 });
    let mut router = master_of(own, 200);
    acts(&mut router, 0, priority(160));
    assert_eq!(acts(&mut router, 10, advert(33, 50)), [Advertise(160), Hold, Announce]);
    assert_eq!(state(&router), M);
}

#[test]
fn a_hand_over_keeps_the_address_until_the_successor_is_heard() {
    for (input, then) in [(resign(), B), (says(Effective::Fault), F), (Input::Stop, S)] {
        let mut router = waiting(input);
        assert_eq!(acts(&mut router, 200_000, advert(31, 200)), []);
        assert_eq!(due(&router), 230_000);
        assert_eq!(acts(&mut router, 230_000, Input::Timer), [Release]);
        assert_eq!(state(&router), then);
    }
}

#[test]
fn nobody_came_once_more_and_off() {
    for (input, then) in [(says(Effective::Fault), F), (Input::Stop, S)] {
        let mut router = waiting(input);
        assert_eq!(due(&router), 1_021_875);
        assert_eq!(acts(&mut router, 1_021_875, Input::Timer), [Advertise(0), Hold]);
        // Now one that has resigned may come, too: 255 / 256 = 0.99609375 s and 0.1 s.
        assert_eq!(due(&router), 1_021_875 + 1_096_093);
        assert_eq!(acts(&mut router, 2_117_968, Input::Timer), [Release]);
        assert_eq!(state(&router), then);
    }
}

#[test]
fn a_resigned_router_is_below_all_until_the_time_is_over() {
    let mut router = waiting(resign());
    assert_eq!(acts(&mut router, 1_021_875, Input::Timer), [Advertise(1), Hold, Announce]);
    acts(&mut router, 1_100_000, advert(33, 20));
    acts(&mut router, 1_130_000, Input::Timer);
    assert_eq!((state(&router), router.view().priority), (B, 1));
    for second in 2..600 {
        acts(&mut router, second * SECOND, advert(33, 20));
    }
    acts(&mut router, 600 * SECOND, Input::Timer);
    assert_eq!(router.view().priority, 100);
    // 100 again, with 20 heard last at 599 s: 599 + 3.609375 s.
    assert_eq!(router.deadline(), Some(at(602_409_375)));
}

#[test]
fn stop_is_final_while_leaving_and_a_recovery_is_not_lost() {
    let mut router = waiting(says(Effective::Fault));
    acts(&mut router, 1, priority(100));
    assert_eq!(acts(&mut router, 1_021_875, Input::Timer), [Advertise(100), Hold, Announce]);
    let mut router = waiting(Input::Stop);
    acts(&mut router, 1, says(Effective::Fault));
    acts(&mut router, 2, advert(31, 200));
    acts(&mut router, 30_002, Input::Timer);
    assert!(router.is_stopped());
    assert_eq!(router.deadline(), None);
}
