//! Ours and keepalived side by side, as one Markdown table: `tests/bench` builds and runs it.
//!
//! Every figure is the median of its rounds, with the worst in brackets. Both daemons run the same virtual router: two
//! nodes, VRRPv2 with a password, 1 s adverts, priorities 200 and 190, dockerd and traefik tracked with weights that decide.
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod lab;

use lab::daemon::{Daemon, Kind};
use lab::faults::Hogs;
use lab::pings::Pings;
use lab::router::{Router, Track};
use lab::{Lab, VIP, ms};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::Command;
use std::time::{Duration, Instant};

const LIMIT: Duration = ms(9000);
/// How long two owners are watched for; more is "no end".
const WATCH: Duration = ms(5000);

/// What is measured, its unit, and DESIGN's budget for it.
const ROWS: [(&str, &str, &str); 19] = [
    ("first master after start", "s", ""),
    ("SIGTERM → VIP on the next node", "s", "skew (0.121) + 0.05"),
    ("SIGTERM: VIP unreachable", "s", "≤ 0.005"),
    ("kill -9 → VIP on the next node", "s", "≤ 3 + skew"),
    ("kill -9: VIP unreachable", "s", ""),
    ("kill -9: two owners", "s", "≤ 0.3"),
    ("kill -9 of the child only: nobody owns the VIP", "s", "0"),
    ("SIGSTOP → VIP on the next node", "s", "≤ 3 + skew"),
    ("SIGSTOP: two owners", "s", "≤ 0.3"),
    ("carrier lost → VIP on the next node", "s", "≤ 3 + skew"),
    ("dockerd dies → VIP on the next node", "s", "skew (0.121) + 0.05"),
    ("dockerd dies: VIP unreachable", "s", "≤ 0.005"),
    ("kill -9 → next node, v3 at 100 ms", "s", ""),
    ("kill -9: two owners, v3 at 100 ms", "s", "≤ 1.1"),
    ("false failovers, 10 ms adverts, CPU hogs on all cores", "", "0"),
    ("CPU idle, two processes tracked", "%", "≤ 0.1"),
    ("memory, PSS", "MB", "≤ 2"),
    ("memory, RSS", "MB", ""),
    ("CPU of a second that looks once among 1,000 processes", "ms", "≤ 3"),
];

/// Values of one daemon, row by row.
struct Figures(Vec<Vec<f64>>);

impl Figures {
    fn note(&mut self, row: &str, value: f64) {
        let at = ROWS.iter().position(|r| r.0 == row).unwrap_or_else(|| panic!("no row {row}"));
        self.0[at].push(value);
        eprintln!("  {row}: {value:.3}");
    }

    fn time(&mut self, row: &str, value: Duration) {
        self.note(row, value.as_secs_f64());
    }

    /// Median and worst of a row.
    fn cell(&self, row: usize) -> String {
        let mut values = self.0[row].clone();
        values.sort_by(f64::total_cmp);
        let (Some(worst), unit) = (values.last(), ROWS[row].1) else { return "–".into() };
        let show = |v: f64| match unit {
            "s" if v >= WATCH.as_secs_f64() => "no end".to_owned(),
            "s" => format!("{v:.3}"),
            "" => format!("{v:.0}"),
            _ => format!("{v:.2}"),
        };
        let median = show(values[values.len() / 2]);
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        if median == "no end" {
            median
        } else if values.len() == 1 {
            format!("{median}{unit}")
        } else {
            format!("{median} ({}){unit}", show(*worst))
        }
    }
}

fn main() {
    let mut rounds = 10;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            rounds = arguments.next().and_then(|n| n.parse().ok()).expect("--rounds takes a number");
        }
    }
    let only = std::env::var("BENCH_ONLY").ok();
    let measured = |kind: Kind| {
        let mut figures = Figures(vec![Vec::new(); ROWS.len()]);
        if only.as_deref().is_none_or(|o| o == kind.name()) {
            measure(kind, rounds, &mut figures);
        }
        figures
    };
    let (theirs, ours) = (measured(Kind::Keepalived), measured(Kind::Unsinkable));
    println!("| median (worst) of {rounds} | keepalived 2.2.7 | unsinkable | budget |");
    println!("| --- | --- | --- | --- |");
    for (row, (what, _, budget)) in ROWS.iter().enumerate() {
        println!("| {what} | {} | {} | {budget} |", theirs.cell(row), ours.cell(row));
    }
}

fn measure(kind: Kind, rounds: u32, figures: &mut Figures) {
    eprintln!("{}", kind.name());
    for round in 0..rounds {
        eprintln!(" round {} of {rounds}", round + 1);
        Stage::new(kind, Router::v2(&[200, 190]).tracking(20, 15)).round(round, figures);
        Stage::new(kind, Router::v3(&[200, 190], ms(100))).quick(round, figures);
    }
    Stage::new(kind, Router::v3(&[200, 190], ms(10))).hogged(ms(6000) * rounds, figures);
    Stage::new(kind, Router::v2(&[200, 190]).tracking(20, 15)).idle(figures);
    let missing = Track { process: "nosuchd", interval: 1, weight: 20 };
    Stage::new(kind, Router { tracks: vec![missing], ..Router::v2(&[200, 190]) }).scan(figures);
}

/// Two nodes with the same daemon, a client pinging, and what was just done to the first.
struct Stage {
    daemons: Vec<Daemon>,
    pings: Pings,
    kind: Kind,
    router: Router,
    started: Instant,
    lab: Lab,
}

impl Stage {
    fn new(kind: Kind, router: Router) -> Self {
        let lab = Lab::build("unbench", 2);
        for node in &lab.nodes {
            node.start_fake("dockerd");
            node.start_fake("traefik");
        }
        let started = Instant::now();
        let daemons = lab.nodes.iter().map(|node| Daemon::start(kind, node, &router)).collect();
        let pings = Pings::start(&lab.client(), VIP);
        Self { daemons, pings, kind, router, started, lab }
    }

    /// Waits for the normal state, then a while more so that rounds hit different phases of the advert interval.
    fn settle(&self, round: u32) {
        self.lab.settle(VIP, 0, LIMIT);
        std::thread::sleep(ms(1200) + ms(97) * (round % 10));
    }

    fn gained(&self, event: Instant) -> Duration {
        self.lab.owners.gained(VIP, 1, event, LIMIT)
    }

    fn unreachable(&self, event: Instant, time: Duration) -> Duration {
        ms(self.pings.answers(event, event + time).unanswered as u64)
    }

    /// Two owners from `event` until the watch ends; all of it means no end.
    fn two(&self, event: Instant) -> Duration {
        std::thread::sleep((event + WATCH).saturating_duration_since(Instant::now()));
        let end = event + WATCH;
        let two = self.lab.owners.spans(VIP, event, end).two;
        if self.lab.owners.at(VIP, end).len() > 1 { WATCH } else { two }
    }

    fn restart(&mut self) {
        for pid in self.daemons[0].pids() {
            kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
        }
        self.daemons[0].wait(LIMIT);
        self.daemons[0] = Daemon::start(self.kind, &self.lab.nodes[0], &self.router);
    }

    fn round(mut self, round: u32, figures: &mut Figures) {
        let first = self.lab.owners.gained(VIP, 0, self.started, LIMIT);
        figures.time("first master after start", first);
        self.settle(round);
        let event = self.lab.nodes[0].stop_fake("dockerd");
        figures.time("dockerd dies → VIP on the next node", self.gained(event));
        figures.time("dockerd dies: VIP unreachable", self.unreachable(event, ms(5000)));
        self.lab.nodes[0].start_fake("dockerd");

        self.settle(round);
        let event = self.daemons[0].signal(Signal::SIGTERM);
        figures.time("SIGTERM → VIP on the next node", self.gained(event));
        figures.time("SIGTERM: VIP unreachable", self.unreachable(event, ms(1500)));
        self.daemons[0].wait(LIMIT);
        self.restart();

        self.settle(round);
        let event = self.daemons[0].signal(Signal::SIGKILL);
        figures.time("kill -9 → VIP on the next node", self.gained(event));
        figures.time("kill -9: two owners", self.two(event));
        figures.time("kill -9: VIP unreachable", self.unreachable(event, WATCH));
        self.restart();

        self.settle(round);
        let event = self.daemons[0].signal(Signal::SIGSTOP);
        figures.time("SIGSTOP → VIP on the next node", self.gained(event));
        figures.time("SIGSTOP: two owners", self.two(event));
        self.daemons[0].signal(Signal::SIGCONT);

        self.settle(round);
        let event = self.lab.unplug(0);
        figures.time("carrier lost → VIP on the next node", self.gained(event));
        self.lab.plug(0);

        self.settle(round);
        self.kill_child(figures);
    }

    /// keepalived's VRRP process; of ours the housekeeper, where there is one.
    fn kill_child(&self, figures: &mut Figures) {
        let Some(child) = self.daemons[0].pids().get(1).copied() else { return };
        let event = Instant::now();
        kill(Pid::from_raw(child), Signal::SIGKILL).ok();
        std::thread::sleep(ms(4500));
        let nobody = self.lab.owners.spans(VIP, event, Instant::now()).nobody;
        figures.time("kill -9 of the child only: nobody owns the VIP", nobody);
    }

    fn quick(self, round: u32, figures: &mut Figures) {
        self.settle(round);
        let event = self.daemons[0].signal(Signal::SIGKILL);
        figures.time("kill -9 → next node, v3 at 100 ms", self.gained(event));
        figures.time("kill -9: two owners, v3 at 100 ms", self.two(event));
    }

    fn hogged(self, time: Duration, figures: &mut Figures) {
        self.settle(0);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let hogs = Hogs::start(cores * 2, time + ms(2000));
        let from = Instant::now();
        std::thread::sleep(time);
        let moves = self.lab.owners.changes(VIP, from, Instant::now()).iter().filter(|c| c.owns).count();
        drop(hogs);
        figures.note("false failovers, 10 ms adverts, CPU hogs on all cores", moves as f64);
    }

    fn idle(self, figures: &mut Figures) {
        self.settle(0);
        std::thread::sleep(ms(6000)); // past the second burst of announcements
        let (before, from) = (self.daemons[0].usage(), Instant::now());
        std::thread::sleep(ms(20_000));
        let (after, time) = (self.daemons[0].usage(), from.elapsed());
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        figures.note("CPU idle, two processes tracked", cpu / time.as_secs_f64() * 100.0);
        figures.note("memory, PSS", after.pss as f64 / 1024.0);
        figures.note("memory, RSS", after.rss as f64 / 1024.0);
    }

    /// While a process is missing it is looked for each second: CPU with 1,000 other processes around.
    fn scan(self, figures: &mut Figures) {
        let crowd = "for i in $(seq 1000); do sleep 1000 & done; wait";
        let mut crowd = self.lab.nodes[0].spawn(Command::new("sh").args(["-c", crowd])).expect("sh runs");
        self.settle(0);
        std::thread::sleep(ms(6000));
        let before = self.daemons[0].usage();
        std::thread::sleep(ms(10_000));
        let after = self.daemons[0].usage();
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e3;
        figures.note("CPU of a second that looks once among 1,000 processes", cpu / 10.0);
        crowd.kill().ok();
        crowd.wait().ok();
    }
}
