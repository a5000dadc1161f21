//! The backup's patience: what it waits for, what an advert does to it (RFC 3768, RFC 9568 section 6.4.2).

use super::event::{Heard, Reason};
use super::timers::{master_down, skew};
use super::{Preempt, Version};
use crate::time::Time;
use core::net::IpAddr;
use core::time::Duration;

/// Who answers for the VIP is asked this long before it is taken over, so the answer is there in time.
const PROBE_AHEAD: Duration = Duration::from_millis(200);

/// The master as last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its address.
    pub addr: IpAddr,
    /// Its priority.
    pub priority: u8,
    /// When.
    pub at: Time,
}

/// What a backup waits for, counted from `Backup::since`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Three intervals and the skew: the master may be dead.
    MasterDown,
    /// The skew alone: the master said goodbye, or fell below us.
    Skew(Reason),
    /// One interval and the skew: this process woke too late to know.
    OnceMore,
}

/// A backup and its timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Since when it waits.
    pub since: Time,
    /// What for.
    pub wait: Wait,
    /// The master's interval, adopted from its adverts (version 3).
    pub interval: Duration,
    /// The master, once heard.
    pub master: Option<Seen>,
    /// Since when a lower master is heard, for `--preempt-delay`.
    lower_since: Option<Time>,
    /// The probe before takeover is done.
    probed: bool,
}

impl Backup {
    /// A backup that has heard nothing yet and waits for a whole master-down time.
    pub fn new(now: Time, interval: Duration) -> Self {
        Self { since: now, wait: Wait::MasterDown, interval, master: None, lower_since: None, probed: false }
    }

    /// After `heard`, as a backup of priority `own`.
    #[must_use]
    pub fn hear(self, now: Time, heard: Heard, own: u8, preempt: Preempt) -> Self {
        if heard.priority == 0 {
            return self.hear_goodbye(now, heard.src);
        }
        let lower_since = if heard.priority < own { self.lower_since.or(Some(now)) } else { None };
        let accepted = match (lower_since, preempt) {
            (None, _) | (Some(_), Preempt::Never) => true,
            (Some(since), Preempt::After(delay)) => now < since + delay,
        };
        let fell = self.master.is_some_and(|master| master.addr == heard.src && master.priority >= own)
            && heard.priority < own;
        let seen = Seen { addr: heard.src, priority: heard.priority, at: now };
        let heard_it = Self { master: Some(seen), lower_since, ..self };
        if accepted {
            heard_it.wait_anew(now, Wait::MasterDown, heard.interval)
        } else if fell {
            heard_it.wait_anew(now, Wait::Skew(Reason::MasterFell), heard.interval)
        } else {
            heard_it
        }
    }

    /// Priority 0 hurries only if the master sends it: a third node's goodbye says nothing of the master.
    fn hear_goodbye(self, now: Time, src: IpAddr) -> Self {
        if let Wait::Skew(_) = self.wait {
            // Said twice, in case the first was lost: the skew runs already.
            self
        } else if self.master.is_none_or(|master| master.addr == src) {
            self.wait_anew(now, Wait::Skew(Reason::MasterLeft), self.interval)
        } else {
            self
        }
    }

    /// This process woke too late to know whether the master is dead: listens on for an interval.
    #[must_use]
    pub fn wait_once_more(self, now: Time) -> Self {
        Self { since: now, wait: Wait::OnceMore, ..self }
    }

    /// The network has been asked who answers for the VIP.
    #[must_use]
    pub fn probed(self) -> Self {
        Self { probed: true, ..self }
    }

    fn wait_anew(self, now: Time, wait: Wait, interval: Duration) -> Self {
        Self { since: now, wait, interval, probed: false, ..self }
    }

    /// When it takes over, with the effective priority it has now.
    pub fn down_at(&self, version: Version, own: u8) -> Time {
        self.since
            + match self.wait {
                Wait::MasterDown => master_down(version, own, self.interval),
                Wait::Skew(_) => skew(version, own, self.interval),
                Wait::OnceMore => self.interval + skew(version, own, self.interval),
            }
    }

    /// When to ask who answers for the VIP, if that is still to do and an answer can be there in time.
    pub fn probe_at(&self, down_at: Time) -> Option<Time> {
        let at = down_at - PROBE_AHEAD;
        (self.wait == Wait::MasterDown && !self.probed && at > self.since).then_some(at)
    }

    /// The next moment at which something is due.
    pub fn deadline(&self, version: Version, own: u8) -> Time {
        let down_at = self.down_at(version, own);
        self.probe_at(down_at).unwrap_or(down_at)
    }
}
