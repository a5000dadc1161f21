//! Three Pis, the README's flags, and what happens when things break: who holds the VIP, after how long, what a client
//! notices. `tests/demo` builds and runs it.

mod lab;

use lab::daemon::{Daemon, Kind, binary, run_dir};
use lab::pings::Pings;
use lab::router::Router;
use lab::{Lab, VIP, ms};
use nix::sys::signal::Signal;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Nothing more is expected to change after this much silence.
const QUIET: Duration = ms(1300);
/// What should happen gets this long to happen.
const PATIENCE: Duration = ms(6000);

/// One line of the closing table.
struct Line {
    what: String,
    owners: String,
    after: Option<Duration>,
    unanswered: usize,
    two: Duration,
}

struct Demo {
    daemons: Vec<Daemon>,
    pings: Pings,
    kind: Kind,
    router: Router,
    lines: Vec<Line>,
    lab: Lab,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|a| a == flag);
    let kind = if has("--keepalived") { Kind::Keepalived } else { Kind::Unsinkable };
    let mut demo = Demo::start(kind);
    demo.play();
    demo.table();
    if has("--keep") {
        demo.explain();
        demo.lab.keep();
    }
}

fn paint(code: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
}

fn bold(text: &str) -> String {
    paint("1", text)
}

fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

impl Demo {
    /// Weights that decide: losing either process drops the best node below the next (235 to 215 or 220, against 225).
    fn start(kind: Kind) -> Self {
        let router = Router::v2(&[200, 190, 180]).tracking(20, 15);
        println!("{}", bold("Three Pis on one switch, a client pinging the VIP 1,000 times a second."));
        println!("On each of 10.0.10.31, .32 and .33 run dockerd, traefik and:\n");
        match kind {
            Kind::Unsinkable => println!(
                "  unsinkable run {}\n",
                router
                    .flags()
                    .join(" ")
                    .replace(" --node", " \\\n    --node")
                    .replace(" --track", " \\\n    --track")
            ),
            Kind::Keepalived => println!("  keepalived, configured alike\n"),
        }
        let lab = Lab::build("undemo", 3);
        for node in &lab.nodes {
            node.start_fake("dockerd");
            node.start_fake("traefik");
        }
        let daemons = lab.nodes.iter().map(|node| Daemon::start(kind, node, &router)).collect();
        let pings = Pings::start(&lab.client(), VIP);
        Self { daemons, pings, kind, router, lines: Vec::new(), lab }
    }

    fn play(&mut self) {
        self.step("all three start", 0, |_| Instant::now());
        self.step("dockerd is killed on the master", 1, |d| d.lab.nodes[0].stop_fake("dockerd"));
        self.step("dockerd runs again", 0, |d| {
            let at = Instant::now();
            d.lab.nodes[0].start_fake("dockerd");
            at
        });
        self.step("the master's cable is cut, silently: its carrier stays", 1, |d| d.lab.cut(0));
        self.step("the cable is mended", 0, |d| d.lab.heal(0));
        self.step("SIGTERM to the master's daemon", 1, |d| d.daemons[0].signal(Signal::SIGTERM));
        self.step("it is started again", 0, Self::restart);
        self.step("kill -9", 1, |d| d.daemons[0].signal(Signal::SIGKILL));
        self.step("it is started again", 0, Self::restart);
        self.step("SIGSTOP: the daemon hangs", 1, |d| d.daemons[0].signal(Signal::SIGSTOP));
        self.step("SIGCONT: it runs on", 0, |d| d.daemons[0].signal(Signal::SIGCONT));
    }

    fn restart(&mut self) -> Instant {
        self.daemons[0].wait(ms(2000));
        let at = Instant::now();
        self.daemons[0] = Daemon::start(self.kind, &self.lab.nodes[0], &self.router);
        at
    }

    /// Does it, shows who takes and who loses the VIP as it happens (`next` should have it in the end), then sums up.
    fn step(&mut self, what: &str, next: usize, act: impl FnOnce(&mut Self) -> Instant) {
        println!("{} {}", bold("▸"), bold(what));
        let event = act(self);
        let end = self.follow(event, next);
        let answers = self.pings.answers(event, end);
        let changes = self.lab.owners.changes(VIP, event, end);
        let taken = changes.iter().filter(|c| c.owns).map(|c| c.at - event).next_back();
        let line = Line {
            what: what.into(),
            owners: self.owners(),
            after: taken,
            unanswered: answers.unanswered,
            two: self.lab.owners.spans(VIP, event, end).two,
        };
        let after = line.after.map_or(String::new(), |t| format!(" after {}", millis(t)));
        let hold = if line.owners.contains(" and ") { "hold" } else { "holds" };
        println!(
            "  {} {hold} the VIP{after}; pings unanswered for {}; two owners for {}\n",
            paint("1;32", &line.owners),
            paint("1", &format!("{} ms", line.unanswered)),
            millis(line.two),
        );
        self.lines.push(line);
    }

    /// Prints the changes as they come; returns when `next` owns the VIP and all has been quiet for a while.
    fn follow(&self, event: Instant, next: usize) -> Instant {
        let mut shown = 0;
        let mut last = event;
        loop {
            std::thread::sleep(ms(5));
            let now = Instant::now();
            let changes = self.lab.owners.changes(VIP, event, now);
            for change in &changes[shown..] {
                let (verb, colour) = if change.owns { ("MASTER", "32") } else { ("released", "33") };
                let node = self.lab.nodes[change.node].v4();
                println!(
                    "  {:>7} {node} {}",
                    format!("+{}", (change.at - event).as_millis()),
                    paint(colour, verb)
                );
                last = change.at;
            }
            shown = changes.len();
            let settled = self.lab.owners.now(VIP).contains(&next) && shown > 0;
            if now - last > if settled { QUIET } else { PATIENCE } {
                return now;
            }
        }
    }

    fn owners(&self) -> String {
        let nodes = self.lab.owners.now(VIP);
        let names: Vec<String> = nodes.iter().map(|n| self.lab.nodes[*n].v4().to_string()).collect();
        if names.is_empty() { "nobody".into() } else { names.join(" and ") }
    }

    fn table(&self) {
        println!("{}\n", bold(&format!("In short ({})", self.kind.name())));
        println!("| what happened | VIP on | after | pings unanswered | two owners |");
        println!("| --- | --- | ---: | ---: | ---: |");
        for line in &self.lines {
            let after = line.after.map_or("stays".into(), millis);
            println!(
                "| {} | {} | {after} | {} ms | {} |",
                line.what,
                line.owners,
                line.unanswered,
                millis(line.two)
            );
        }
        println!();
    }

    fn explain(&self) {
        println!("{}", bold("The lab stays up (all of this as root):"));
        for node in &self.lab.nodes {
            println!("  a shell on {}     nsenter -t {} -m -p -n", node.v4(), node.init());
        }
        if self.kind == Kind::Unsinkable {
            let dir = run_dir(&self.lab.nodes[0]);
            println!("  its status, in there      {} status --run-dir {}", binary().display(), dir.display());
        }
        println!("  ping the VIP              ip netns exec {} ping {VIP}", self.lab.client());
        println!(
            "  cut, mend a cable         ip -n {0} link set p1 nomaster ; ip -n {0} link set p1 master br0",
            self.lab.bridge()
        );
        println!("  end it                    tests/demo --end");
    }
}
