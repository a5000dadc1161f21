//! The daemon's memory of what happened: notes of the vrrp and vip threads become log lines, events and views.

use crate::duration;
use crate::flags::RouterConfig;
use crate::report::events::Events;
use crate::report::status::Event as Told;
use crate::shared::{self, Note};
use crate::time::Time;
use crate::vip;
use crate::vrrp::Version;
use crate::vrrp::advert::Reject;
use crate::vrrp::event::{Event, Reason, StateName};
use crate::vrrp::router::View;
use core::fmt::Write as _;
use core::net::IpAddr;
use log::{Level, log};

/// Views, events and the sources first heard while running.
#[derive(Debug)]
pub struct Journal {
    labels: Vec<String>,
    vips: Vec<String>,
    /// What each router is, as last told.
    pub views: Vec<Option<View>>,
    /// Sources heard by multicast, by router and slot.
    pub heard: Vec<Vec<IpAddr>>,
    events: Events,
}

impl Journal {
    /// For these routers, in their order.
    pub fn new(routers: &[RouterConfig]) -> Self {
        let addrs = |router: &RouterConfig| {
            let addrs: Vec<String> = router.settings.vips.iter().map(|vip| vip.addr.to_string()).collect();
            addrs.join(", ")
        };
        Self {
            labels: routers.iter().map(label).collect(),
            vips: routers.iter().map(addrs).collect(),
            views: vec![None; routers.len()],
            heard: routers.iter().map(|r| r.settings.peers.iter().map(|peer| peer.addr).collect()).collect(),
            events: Events::default(),
        }
    }

    /// The next event behind the first `seen`; see [`Events::after`].
    pub fn event_after(&self, seen: u64) -> Option<(u64, Told)> {
        self.events.after(seen).map(|(seen, event)| (seen, event.clone()))
    }

    /// The last events, oldest first.
    pub fn events(&self) -> Vec<Told> {
        self.events.to_vec()
    }

    /// What this node is now, in a line: `VRID 12: MASTER, 10.0.10.39 is here`.
    pub fn roles(&self) -> String {
        let role = |((label, vips), view): ((&String, &String), &Option<View>)| {
            let state = view.map_or(StateName::Init, |view| view.state);
            let word = if state == StateName::Master { "is here" } else { "is not here" };
            format!("VRID {label}: {state}, {vips} {word}")
        };
        self.labels.iter().zip(&self.vips).zip(&self.views).map(role).collect::<Vec<_>>().join("; ")
    }

    /// Logs a line and keeps it as event. `router`: which one it is about, if any.
    pub fn tell(&mut self, at: Time, router: Option<u8>, level: Level, text: &str) {
        let label = router.and_then(|index| self.labels.get(usize::from(index)));
        match label {
            Some(label) => log!(level, "VRID {label}: {text}"),
            None => log!(level, "{text}"),
        }
        self.events.push(at, label.cloned(), text);
    }

    /// A note of the vrrp thread. Returns the new state, if it changed.
    pub fn note(&mut self, note: &Note) -> Option<(StateName, Reason)> {
        let index = usize::from(note.router);
        if let Some(view) = self.views.get_mut(index) {
            *view = Some(note.view);
        }
        let (level, text) = match note.what {
            shared::What::Event(event) => self.event(index, event),
            shared::What::Rejected(src, reject) => (Level::Warn, rejected(src, reject)),
            shared::What::Heard(_, src) => {
                self.heard.get_mut(index)?.push(src);
                (Level::Info, format!("hears {src}"))
            }
            shared::What::OtherVips(src) => (
                Level::Warn,
                format!("{src} lists other virtual addresses: are the flags the same on all nodes?"),
            ),
            shared::What::SendFailed(dest, errno) => {
                (Level::Warn, format!("adverts to {dest} fail: {}", std::io::Error::from_raw_os_error(errno)))
            }
            shared::What::Lost => {
                (Level::Warn, "some events were lost: the log could not keep up".to_owned())
            }
        };
        self.tell(note.at, Some(note.router), level, &text);
        if let shared::What::Event(Event::Became(state, reason)) = note.what {
            return Some((state, reason));
        }
        None
    }

    fn event(&self, index: usize, event: Event) -> (Level, String) {
        match event {
            Event::Became(state, reason) => (Level::Info, self.became(index, state, reason)),
            Event::Priority { from, to } => (Level::Info, format!("effective priority {from} -> {to}")),
            Event::WokeLate(late) => (
                Level::Warn,
                format!(
                    "this process woke {} ms late: the machine is overloaded or was stopped",
                    late.as_millis()
                ),
            ),
            Event::Contested { by, priority } => (
                Level::Warn,
                format!("{by} claims the VIP too, with priority {priority}: answered and announced"),
            ),
        }
    }

    fn became(&self, index: usize, state: StateName, reason: Reason) -> String {
        let mut text = format!("{state}: {reason}");
        let vips = self.vips.get(index).map_or("", String::as_str);
        let written = match state {
            StateName::Master => write!(text, "; {vips} is here"),
            StateName::Leaving => write!(text, "; {vips} stays until the successor is heard"),
            StateName::Init | StateName::Fault | StateName::Backup | StateName::Stopped => Ok(()),
        };
        debug_assert!(written.is_ok(), "a String takes all that is written");
        text
    }

    /// A note of the vip thread.
    pub fn vip_note(&mut self, note: &vip::Note) {
        let (level, text) = match note.what {
            vip::What::Added => (Level::Debug, "addresses added".to_owned()),
            vip::What::Removed => (Level::Debug, "addresses removed".to_owned()),
            vip::What::PutBack(addr) => {
                (Level::Warn, format!("somebody removed {addr}: put back and announced"))
            }
            vip::What::Failed(addr, errno) => {
                (Level::Error, format!("cannot change {addr}: {}", std::io::Error::from_raw_os_error(errno)))
            }
            vip::What::AnsweredBy(addr, mac) => match self.answered(note.router, addr, mac) {
                Some(text) => (Level::Warn, text),
                None => return,
            },
        };
        self.tell(note.at, Some(note.router), level, &text);
    }

    /// Nothing where it is as it should be: a successor announces itself.
    fn answered(&self, router: u8, addr: IpAddr, mac: [u8; 6]) -> Option<String> {
        let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
        let state =
            self.views.get(usize::from(router)).copied().flatten().map_or(StateName::Init, |view| view.state);
        match state {
            StateName::Master => Some(format!("{addr} is claimed by MAC {mac} too: two owners")),
            StateName::Backup => Some(format!(
                "{addr} answers from MAC {mac}, but I hear no adverts: is protocol 112 blocked, or its daemon dead?"
            )),
            StateName::Init | StateName::Fault | StateName::Leaving | StateName::Stopped => None,
        }
    }
}

/// What a router is going to do.
pub fn introduction(router: &RouterConfig) -> String {
    let settings = &router.settings;
    let vips: Vec<String> = settings.vips.iter().map(|vip| format!("{}/{}", vip.addr, vip.prefix)).collect();
    let version = match settings.version {
        Version::V2 => 2,
        Version::V3 => 3,
    };
    let way = if settings.multicast { "multicast" } else { "unicast" };
    let lease = if router.lease { "leased" } else { "without lease" };
    format!(
        "{} on {}, VRRPv{version} {way} every {}, {lease}",
        vips.join(", "),
        router.interface,
        duration::show(settings.interval)
    )
}

/// The line on the first packet of its kind and source that was dropped.
pub fn rejected(src: IpAddr, reject: Reject) -> String {
    format!("dropped a packet from {src}: {reject} (told once, then counted)")
}

/// How a router is called in the log: its VRID, and the family where it is not IPv4.
fn label(router: &RouterConfig) -> String {
    if router.settings.is_ipv6() {
        format!("{}/ipv6", router.settings.vrid)
    } else {
        router.settings.vrid.to_string()
    }
}
