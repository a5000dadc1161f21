//! A simulated LAN: routers, a wire that loses, delays, repeats and cuts, the kernel's address leases, one virtual clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use unsinkable::time::Time;
use unsinkable::vrrp::event::{Action, Event, Heard, Input, Link, Reason, Stale, StateName, Verdict};
use unsinkable::vrrp::priority::Effective;
use unsinkable::vrrp::router::Router;
use unsinkable::vrrp::{Preempt, Settings, Version};

/// xorshift64*: small, seeded, the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    /// 0 to `below` - 1.
    pub fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn duration(&mut self, up_to: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(up_to.as_micros()).unwrap() + 1))
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// What the wire does to a packet.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub loss_percent: u64,
    pub repeat_percent: u64,
    /// Drawn for each packet anew, so packets overtake each other.
    pub jitter: Duration,
}

pub const FAIR: Weather = Weather { loss_percent: 0, repeat_percent: 0, jitter: Duration::ZERO };
/// What a packet takes at least.
pub const LATENCY: Duration = Duration::from_micros(150);

/// What the protocol lets a backup do, kept apart from the machine: when it last had to wait anew, and why it may hurry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    pub accepted: Option<(Time, Duration)>,
    pub hurry: Option<Time>,
    last: Option<Heard>,
}

pub struct Node {
    pub settings: Settings,
    pub addr: IpAddr,
    /// `None`: not running.
    pub router: Option<Router>,
    pub link_up: bool,
    /// What the checks say now.
    pub effective: Effective,
    pub resigned: bool,
    /// Stopped by SIGSTOP until then.
    pub stalled: Option<Time>,
    inbox: VecDeque<Input>,
    /// The daemon wants the address on the interface.
    wanted: bool,
    /// The kernel's address: when its lease was last renewed.
    pub held: Option<Time>,
    pub patience: Patience,
    pub state: StateName,
}

impl Node {
    /// The kernel's lease (DESIGN section 4): three adverts in whole seconds, one at least.
    pub fn lease(&self) -> Duration {
        let seconds = (self.settings.interval * 3).as_micros().div_ceil(1_000_000);
        Duration::from_secs(u64::try_from(seconds).unwrap().max(1))
    }

    pub fn lease_end(&self) -> Option<Time> {
        self.held.map(|at| at + self.lease())
    }

    /// The priority it knows of: what the checks said while it was stopped is still queued.
    fn own(&self) -> u8 {
        self.router.as_ref().map_or(0, |router| router.view().priority)
    }

    /// The priority it should have, 0 if it cannot be master.
    pub fn priority(&self) -> u8 {
        match (self.effective, self.link_up && self.router.is_some()) {
            (_, false) | (Effective::Fault, true) => 0,
            (Effective::Priority(_), true) if self.resigned => 1,
            (Effective::Priority(priority), true) => priority,
        }
    }
}

/// A packet: when it arrives, its number (to keep the order of equals), where, from whom.
type Flight = Reverse<(Time, u64, usize, usize, u8, Duration)>;

pub struct Lan {
    pub now: Time,
    pub nodes: Vec<Node>,
    pub random: Random,
    pub weather: Weather,
    /// `cut[from][to]`: nothing arrives.
    pub cut: [[bool; 8]; 8],
    /// Goodbyes to lose, whatever the weather.
    pub lose_goodbyes: u32,
    flights: BinaryHeap<Flight>,
    sent: u64,
    /// State changes since last cleared.
    pub log: Vec<(Time, usize, StateName, Reason)>,
    pub contested: u32,
    /// Longest time since last cleared that nobody, or two and more, had the address.
    pub nobody: Duration,
    pub several: Duration,
    pub steps: u64,
    pub trace: bool,
}

pub fn address(index: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 10, 31 + u8::try_from(index).unwrap()))
}

impl Lan {
    pub fn new(settings: Vec<Settings>, random: Random, trace: bool) -> Self {
        let node = |(index, settings): (usize, Settings)| Node {
            addr: address(index),
            router: None,
            link_up: true,
            effective: Effective::Priority(settings.base),
            settings,
            resigned: false,
            stalled: None,
            inbox: VecDeque::new(),
            wanted: false,
            held: None,
            patience: Patience::default(),
            state: StateName::Init,
        };
        Self {
            now: Time::from_micros(1_000_000_000),
            nodes: settings.into_iter().enumerate().map(node).collect(),
            random,
            weather: FAIR,
            cut: [[false; 8]; 8],
            lose_goodbyes: 0,
            flights: BinaryHeap::new(),
            sent: 0,
            log: Vec::new(),
            contested: 0,
            nobody: Duration::ZERO,
            several: Duration::ZERO,
            steps: 0,
            trace,
        }
    }

    pub fn clear(&mut self) {
        self.log.clear();
        (self.contested, self.nobody, self.several) = (0, Duration::ZERO, Duration::ZERO);
    }

    /// Starts a daemon, which finds the address if the kernel still has it; its checks have not spoken.
    pub fn start_unchecked(&mut self, index: usize) {
        let now = self.now;
        let node = &mut self.nodes[index];
        let stale = match node.held {
            None => Stale::None,
            Some(at) if now.since(at) < node.settings.interval * 3 => Stale::Fresh,
            Some(_) => Stale::Old,
        };
        node.router = Some(Router::new(node.settings.clone()));
        node.wanted = false;
        (node.resigned, node.stalled, node.state) = (false, None, StateName::Init);
        node.inbox.clear();
        self.give(index, Input::Start(stale));
        self.tell_link(index);
    }

    /// Starts a daemon whose checks speak at once.
    pub fn start(&mut self, index: usize) {
        self.start_unchecked(index);
        self.tell_verdict(index);
    }

    /// kill -9: the kernel's lease is all that is left.
    pub fn kill(&mut self, index: usize) {
        self.nodes[index].router = None;
        self.nodes[index].state = StateName::Stopped;
    }

    pub fn set_link(&mut self, index: usize, up: bool) {
        self.nodes[index].link_up = up;
        self.tell_link(index);
    }

    fn tell_link(&mut self, index: usize) {
        let node = &self.nodes[index];
        let link = if node.link_up { Link::Up(node.addr) } else { Link::Down };
        self.give(index, Input::Link(link));
    }

    pub fn set_effective(&mut self, index: usize, effective: Effective) {
        self.nodes[index].effective = effective;
        self.tell_verdict(index);
    }

    /// The checks speak once more and never again: all of them count as failed then.
    pub fn silence_checks(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let verdict = Verdict { effective: node.effective, until: Some(self.now + node.settings.interval) };
        node.effective = node.settings.blind;
        self.give(index, Input::Verdict(verdict));
    }

    pub fn tell_verdict(&mut self, index: usize) {
        let effective = self.nodes[index].effective;
        self.give(index, Input::Verdict(Verdict { effective, until: None }));
    }

    pub fn resign(&mut self, index: usize, on: bool) {
        let until = if on { self.now + Duration::from_secs(1_000_000) } else { self.now };
        self.nodes[index].resigned = on;
        self.give(index, Input::Resign(until));
    }

    /// SIGTERM.
    pub fn stop(&mut self, index: usize) {
        self.give(index, Input::Stop);
    }

    /// An input to a node: at once, or when it wakes.
    pub fn give(&mut self, index: usize, input: Input) {
        if self.nodes[index].router.is_none() {
            return;
        }
        if self.nodes[index].stalled.is_some() {
            // As a socket buffer of 256 packets.
            if self.nodes[index].inbox.len() < 256 {
                self.nodes[index].inbox.push_back(input);
            }
            return;
        }
        self.step(index, input);
    }

    fn step(&mut self, index: usize, input: Input) {
        let now = self.now;
        self.steps += 1;
        if let Input::Advert(heard) = input {
            self.judge(index, heard);
        }
        let node = &mut self.nodes[index];
        let Some(router) = &mut node.router else { return };
        let actions = router.step(now, input);
        if self.trace && (input != Input::Timer || !actions.is_empty()) {
            println!("{now} {index} {input:?} -> {actions:?}");
        }
        let stopped = router.is_stopped();
        for action in actions {
            match action {
                Action::Advertise(priority) => self.send(index, priority),
                Action::Hold => (self.nodes[index].wanted, self.nodes[index].held) = (true, Some(now)),
                Action::Release => (self.nodes[index].wanted, self.nodes[index].held) = (false, None),
                Action::Tell(Event::Became(state, reason)) => self.became(index, state, reason),
                Action::Tell(Event::Contested { .. }) => self.contested += 1,
                Action::Announce
                | Action::Probe
                | Action::Tell(Event::Priority { .. } | Event::WokeLate(_)) => {}
            }
        }
        self.agree(index);
        if stopped {
            self.kill(index);
        }
    }

    /// Who is master, or leaves, has the address; nobody else has.
    fn agree(&self, index: usize) {
        let node = &self.nodes[index];
        let should = match node.state {
            StateName::Master | StateName::Leaving => true,
            StateName::Fault | StateName::Backup | StateName::Stopped => false,
            StateName::Init => return,
        };
        assert_eq!(node.wanted, should, "node {index} is {}: wants the address {}", node.state, node.wanted);
        assert!(should || node.held.is_none(), "node {index} is {} and has the address", node.state);
    }

    fn became(&mut self, index: usize, state: StateName, reason: Reason) {
        let now = self.now;
        if state == StateName::Master && self.nodes[index].state == StateName::Backup {
            let earliest = self.earliest(index);
            assert!(now >= earliest, "node {index} took over at {now} ({reason:?}), before {earliest}");
        }
        if state == StateName::Backup && self.nodes[index].state != StateName::Leaving {
            let interval = self.nodes[index].settings.interval;
            self.nodes[index].patience = Patience { accepted: Some((now, interval)), ..Patience::default() };
        }
        if state == StateName::Backup && self.nodes[index].state == StateName::Leaving {
            // It counts from its successor's advert, a lower one's too, and with that one's interval.
            let shortest = self.nodes.iter().map(|node| node.settings.interval).min().unwrap();
            if let Some((_, interval)) = &mut self.nodes[index].patience.accepted {
                *interval = shortest.min(*interval);
            }
        }
        self.nodes[index].state = state;
        self.log.push((now, index, state, reason));
    }

    /// The first moment at which the RFCs let this backup become master.
    pub fn earliest(&self, index: usize) -> Time {
        let node = &self.nodes[index];
        let (at, interval) = node.patience.accepted.unwrap_or((Time::ZERO, Duration::ZERO));
        let unit = match node.settings.version {
            Version::V2 => 1_000_000,
            Version::V3 => u64::try_from(interval.as_micros()).unwrap(),
        };
        let skew = Duration::from_micros(unit * (256 - u64::from(node.own())) / 256);
        match node.patience.hurry {
            Some(hurry) => (hurry + skew).min(at + interval * 3 + skew),
            None => at + interval * 3 + skew,
        }
    }

    /// Keeps the oracle of [`Lan::earliest`].
    fn judge(&mut self, index: usize, heard: Heard) {
        let now = self.now;
        let own = self.nodes[index].own();
        let passive = self.nodes[index].settings.preempt == Preempt::Never;
        let delayed = matches!(self.nodes[index].settings.preempt, Preempt::After(delay) if !delay.is_zero());
        let patience = &mut self.nodes[index].patience;
        if delayed && let Some((_, interval)) = &mut patience.accepted {
            // While the preemption delay runs a lower master is obeyed, its interval adopted.
            *interval = heard.interval.min(*interval);
        }
        if heard.priority == 0 {
            patience.hurry = patience.hurry.or(Some(now));
        } else if heard.priority >= own || passive {
            *patience = Patience { accepted: Some((now, heard.interval)), hurry: None, last: Some(heard) };
        } else {
            // It was no worse than this node, and now it is.
            let fell = patience.last.is_some_and(|last| last.src == heard.src && last.priority >= own);
            patience.hurry = patience.hurry.or(fell.then_some(now));
            patience.last = Some(heard);
        }
    }

    fn send(&mut self, from: usize, priority: u8) {
        if !self.nodes[from].link_up {
            return;
        }
        if priority == 0 && self.lose_goodbyes > 0 {
            self.lose_goodbyes -= 1;
            return;
        }
        let interval = self.nodes[from].settings.interval;
        for to in (0..self.nodes.len()).filter(|&to| to != from) {
            let copies = 1 + u64::from(self.random.chance(self.weather.repeat_percent));
            for _ in 0..copies {
                if self.cut[from][to] || self.random.chance(self.weather.loss_percent) {
                    continue;
                }
                let at = self.now + LATENCY + self.random.duration(self.weather.jitter);
                self.sent += 1;
                self.flights.push(Reverse((at, self.sent, to, from, priority, interval)));
            }
        }
    }

    fn next_moment(&self, end: Time) -> Time {
        let mut next = self.flights.peek().map_or(end, |Reverse(flight)| flight.0).min(end);
        for node in &self.nodes {
            let deadline = node.router.as_ref().and_then(Router::deadline);
            let wake = node.stalled.or(deadline).filter(|_| node.router.is_some());
            next = [wake, node.lease_end()].into_iter().flatten().fold(next, Time::min);
        }
        next.max(self.now)
    }

    /// Lets time pass until `end`, jumping from one due thing to the next.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let (mut idle, mut holders, mut since) = (0, self.holders(), self.now);
        loop {
            let next = self.next_moment(end);
            idle = if next > self.now { 0 } else { idle + 1 };
            assert!(idle < 10_000, "time stands still at {}", self.now);
            self.now = next;
            self.turn();
            let count = self.holders();
            if count != holders || next == end {
                self.account(holders, next.since(since));
                (holders, since) = (count, next);
            }
            if next == end && !self.due() {
                return;
            }
        }
    }

    fn due(&self) -> bool {
        self.next_moment(self.now + Duration::from_secs(1)) <= self.now
    }

    fn account(&mut self, holders: usize, time: Duration) {
        match holders {
            0 => self.nobody = self.nobody.max(time),
            1 => {}
            _ => self.several = self.several.max(time),
        }
    }

    pub fn in_flight(&self) -> bool {
        !self.flights.is_empty()
    }

    pub fn holders(&self) -> usize {
        self.nodes.iter().filter(|node| node.held.is_some()).count()
    }

    pub fn masters(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|&index| self.nodes[index].state == StateName::Master).collect()
    }

    /// All that is due now: leases, then what was queued, and only then the timers.
    fn turn(&mut self) {
        let now = self.now;
        for (index, node) in self.nodes.iter_mut().enumerate() {
            if node.lease_end().is_some_and(|end| end <= now) {
                let running =
                    node.router.is_some() && node.stalled.is_none() && node.state == StateName::Master;
                assert!(!running, "node {index} is {} and let its lease run out", node.state);
                node.held = None;
            }
        }
        while let Some(&Reverse((at, _, to, from, priority, interval))) = self.flights.peek()
            && at <= now
        {
            self.flights.pop();
            if self.nodes[to].link_up {
                let src = self.nodes[from].addr;
                self.give(to, Input::Advert(Heard { src, priority, interval }));
            }
        }
        for index in 0..self.nodes.len() {
            if self.nodes[index].stalled.is_some_and(|until| until <= now) {
                self.wake(index);
            }
            let node = &self.nodes[index];
            let due = node.router.as_ref().and_then(Router::deadline).is_some_and(|at| at <= now);
            if due && node.stalled.is_none() {
                self.step(index, Input::Timer);
            }
        }
    }

    /// SIGCONT: what was queued is read before any timer is looked at.
    pub fn wake(&mut self, index: usize) {
        self.nodes[index].stalled = None;
        while let Some(input) = self.nodes[index].inbox.pop_front() {
            self.step(index, input);
        }
    }
}
