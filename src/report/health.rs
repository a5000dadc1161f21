//! `/healthz`: do the adverts flow? Pure. It judges this program, not the node: a node in FAULT because a check failed is
//! as it should be (it keeps away from the VIP, and says so), and starting this program again would not bring the tracked one
//! back.
//!
//! Well is each router that is master and whose adverts go out, that is backup and hears its master in time, that hands
//! over just now, or that is in FAULT by a check. Not well: a link or an address that is missing, a master whose
//! adverts stay, a backup that hears nobody, a router that was stopped; and a VIP process that does not answer.

use super::status::{Router, State, Status};
use crate::time::Time;
use core::time::Duration;

/// Beyond its adverts' own time: a machine under load is late.
const MARGIN: Duration = Duration::from_secs(1);

/// When each router was last seen to have sent an advert.
#[derive(Clone, Debug, Default)]
pub struct Sent(Vec<(u64, Time)>);

impl Sent {
    /// Another look at the routers, of which there are always as many.
    pub fn note(&mut self, status: &Status) {
        let routers = &status.routers;
        self.0.resize(routers.len(), (u64::MAX, status.now));
        for ((sent, at), router) in self.0.iter_mut().zip(routers) {
            // One that was no master a moment ago had nothing to send.
            if router.sent != *sent || router.state != State::Master {
                (*sent, *at) = (router.sent, status.now);
            }
        }
    }
}

/// One line for each router.
///
/// # Errors
/// The same, where one of them is not well.
pub fn judge(status: &Status, sent: &Sent) -> Result<String, String> {
    let (mut text, mut well) = (String::new(), true);
    for (index, router) in status.routers.iter().enumerate() {
        let (label, state) = (router.label(), router.state.name());
        match trouble(router, sent.0.get(index).map(|(_, at)| *at), status.now) {
            None => text.extend(["VRID ", &label, ": ok, ", state, "\n"]),
            Some(why) => {
                well = false;
                text.extend(["VRID ", &label, ": ", state, ": ", why, "\n"]);
            }
        }
    }
    if well { Ok(text) } else { Err(text) }
}

fn trouble(router: &Router, sent: Option<Time>, now: Time) -> Option<&'static str> {
    match router.state {
        State::Init => Some("the interface has no link or no address yet"),
        State::Fault => {
            let by_check = router.tracks.iter().any(|track| track.weight.is_none() && track.counts);
            (!by_check).then_some("no adverts go out: link or address is lost")
        }
        State::Backup => {
            let heard = router
                .master
                .filter(|master| now.since(master.heard) <= patience(router.interval.max(master.interval)));
            heard.is_none().then_some("no master is heard")
        }
        State::Master => {
            let nobody = !router.multicast && router.peers.is_empty();
            let goes_out = sent.is_none_or(|at| now.since(at) <= patience(router.interval));
            (!nobody && !goes_out).then_some("its adverts do not go out")
        }
        State::Leaving => None,
        State::Stopped => Some("it was stopped"),
    }
}

/// Three intervals and the skew, and the margin.
fn patience(interval: Duration) -> Duration {
    interval.saturating_mul(4).saturating_add(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn judged(status: &Status) -> Result<String, String> {
        judge(status, &Sent::default())
    }

    fn with(state: State) -> Status {
        let mut status = sample::backup();
        status.routers[0].state = state;
        status
    }

    #[test]
    fn a_backup_hears_its_master_in_time() {
        assert_eq!(judged(&sample::backup()).unwrap(), "VRID 12: ok, backup\n");
        let mut late = sample::backup();
        // Heard 412 ms ago; 4 s and a margin of 1 s are allowed.
        late.now += Duration::from_millis(4_588);
        assert!(judged(&late).is_ok());
        late.now += Duration::from_millis(1);
        assert_eq!(judged(&late).unwrap_err(), "VRID 12: backup: no master is heard\n");
        let mut alone = sample::backup();
        alone.routers[0].master = None;
        assert!(judged(&alone).is_err());
    }

    #[test]
    fn a_masters_adverts_go_out() {
        let (mut status, mut sent) = (sample::master(), Sent::default());
        sent.note(&status);
        assert_eq!(judge(&status, &sent).unwrap(), "VRID 12: ok, master\n");
        for (wait, grows, well) in [(30_000, 30, true), (5_000, 0, true), (1, 0, false), (1, 1, true)] {
            status.now += Duration::from_millis(wait);
            status.routers[0].sent += grows;
            sent.note(&status);
            assert_eq!(judge(&status, &sent).is_ok(), well, "{wait} ms, {grows} more");
        }
        // Asked as backup a minute ago, master for a moment: its first advert may be on the way.
        status.routers[0].state = State::Backup;
        status.now += Duration::from_secs(60);
        sent.note(&status);
        status.routers[0].state = State::Master;
        sent.note(&status);
        assert!(judge(&status, &sent).is_ok());
        status.routers[0].peers.clear();
        status.now += Duration::from_secs(60);
        assert!(judge(&status, &sent).is_ok(), "alone, with nobody to send to");
        status.routers[0].multicast = true;
        assert_eq!(judge(&status, &sent).unwrap_err(), "VRID 12: master: its adverts do not go out\n");
    }

    #[test]
    fn a_failed_check_is_no_fault_of_ours() {
        let mut status = with(State::Fault);
        assert!(judged(&status).unwrap_err().contains("link or address is lost"));
        status.routers[0].tracks[0].weight = None;
        assert_eq!(judged(&status).unwrap(), "VRID 12: ok, fault\n");
        for (state, well) in [(State::Init, false), (State::Leaving, true), (State::Stopped, false)] {
            assert_eq!(judged(&with(state)).is_ok(), well, "{state:?}");
        }
        let mut two = with(State::Leaving);
        two.routers.push(with(State::Stopped).routers.remove(0));
        assert_eq!(judged(&two).unwrap_err(), "VRID 12: ok, leaving\nVRID 12: stopped: it was stopped\n");
    }
}
