//! One round of pruning: lists, plans, lists again, removes one by one.

mod ask;
pub mod watch;

use super::candidates::{Candidate, may_go, unused};
use super::clock::{self, Clocks};
use super::inventory::Inventory;
use super::keepset::{self, Wanted};
use super::planner::{Disk, plan, span};
use super::used::Used;
use super::{Policy, Report, Row, Verdict};
use crate::docker::api::Info;
use crate::docker::{Client, Error};
use crate::sorted::Set;
use crate::state::run::Session;
use crate::state::{Looked, Thing};
use crate::voice::Voice;
use core::time::Duration;
use log::Level;
use nix::sys::statvfs::statvfs;
use nix::time::{ClockId, clock_gettime};
use std::time::Instant;
use std::{fs, io};

/// A list is good for so long: then everything is listed anew before more is removed. Removing takes seconds on a card.
const LISTED_FOR: Duration = Duration::from_secs(5);
/// After so many removals that fail for no reason of their own, dockerd is in trouble: the next round tries again.
const MAX_FAILURES: usize = 3;

/// One round. `used`: what events told since the last one. Whatever fails is in the report; what was removed, too.
pub async fn round(
    docker: &Client,
    policy: &Policy,
    session: &mut Session,
    voice: &dyn Voice,
    used: &Used,
    dry_run: bool,
) -> Report {
    let mut round =
        Round { docker, policy, session, voice, used, notes: Vec::new(), report: Report::default() };
    if let Err(why) = round.run(dry_run).await {
        voice.say(Level::Warn, &format!("pruning: {why}"));
        round.notes.push(why);
    }
    let Round { notes, mut report, .. } = round;
    report.note = (!notes.is_empty()).then(|| notes.join("; "));
    report
}

struct Round<'a> {
    docker: &'a Client,
    policy: &'a Policy,
    session: &'a mut Session,
    voice: &'a dyn Voice,
    used: &'a Used,
    notes: Vec<String>,
    report: Report,
}

/// What a round knows besides what is there.
struct Known {
    /// Ask Docker for services each time: this node is a manager.
    manager: bool,
    wanted: Wanted,
    complete: bool,
}

impl Round<'_> {
    async fn run(&mut self, dry_run: bool) -> Result<(), String> {
        let info = self.docker.info().await.map_err(untouched)?;
        let now = moment().map_err(|error| format!("nothing was removed: no clock: {error}"))?;
        let known = self.learn(&info, &now).await;
        let inventory = self.list(&known).await?;
        self.used.apply(&mut self.session.state, &inventory.images);
        let disk = self.disk(&info.docker_root_dir);
        let candidates = unused(self.policy, &inventory);
        let open = may_go(&candidates);
        let clocks = clock::count(&mut self.session.state, now, self.policy.every, open);
        let planned = plan(self.policy, candidates, &clocks, disk);
        self.announce(&planned, &clocks);
        if dry_run {
            self.report_dry(planned);
            return Ok(());
        }
        self.save();
        self.remove_all(planned, &known, &clocks, disk).await;
        self.prune_build_cache().await;
        self.save();
        self.summarise();
        Ok(())
    }

    /// What services want. On a node without a Swarm, nothing; on a manager its services say; a worker asks managers.
    async fn learn(&mut self, info: &Info, now: &Looked) -> Known {
        if matches!(info.swarm.local_node_state.as_str(), "" | "inactive") {
            return Known { manager: false, wanted: Wanted::default(), complete: true };
        }
        let told =
            if info.swarm.control_available { self.services().await } else { self.ask_managers().await };
        match told {
            Ok(wanted) => self.session.state.keep = Some(wanted.learnt(now.clone())),
            Err(why) => self.notes.push(why),
        }
        let keep = self.session.state.keep.as_ref();
        let complete = keep.is_some_and(|keep| keepset::is_complete(keep, now));
        if !complete {
            let why = "no word within a day of what services want: images with a name and named volumes stay";
            self.notes.push(why.to_owned());
        }
        let wanted = keep.map(Wanted::of).unwrap_or_default();
        Known { manager: info.swarm.control_available, wanted, complete }
    }

    async fn services(&self) -> Result<Wanted, String> {
        let services = self.docker.services().await.map_err(|error| error.to_string())?;
        Wanted::of_services(&services)
    }

    async fn ask_managers(&self) -> Result<Wanted, String> {
        if self.policy.managers.is_empty() {
            return Err(
                "this worker knows no manager to ask: give --node and --listen on all nodes".to_owned()
            );
        }
        ask::managers(&self.policy.managers).await
    }

    /// Everything that is there. Containers come first: what one of them uses is there when images are listed.
    async fn list(&self, known: &Known) -> Result<Inventory, String> {
        let containers = self.docker.containers().await.map_err(untouched)?;
        let images = self.docker.images().await.map_err(untouched)?;
        let volumes = self.docker.dangling_volumes().await.map_err(untouched)?;
        let (wanted, complete) = (known.wanted.clone(), known.complete);
        Ok(Inventory { containers, images, volumes, wanted, complete })
    }

    /// The same once more, with what services want by now: a rollback may have begun.
    async fn list_again(&self, known: &Known) -> Result<Inventory, String> {
        let mut inventory = self.list(known).await?;
        if known.manager && known.complete {
            match self.services().await {
                Ok(wanted) => inventory.wanted = inventory.wanted.and(wanted),
                Err(_) => inventory.complete = false,
            }
        }
        Ok(inventory)
    }

    fn disk(&mut self, root: &str) -> Option<Disk> {
        match statvfs(root) {
            Ok(fs) => {
                #[expect(clippy::useless_conversion, reason = "32 bits wide on some targets")]
                let bytes = |blocks| u64::from(blocks).saturating_mul(u64::from(fs.fragment_size()));
                let used = bytes(fs.blocks().saturating_sub(fs.blocks_free()));
                let disk = Disk { used, available: bytes(fs.blocks_available()) };
                self.report.disk = Some(disk.percent());
                Some(disk)
            }
            Err(error) => {
                self.notes.push(format!("{root}: {error}: its disk is not watched"));
                None
            }
        }
    }

    /// Says what will go, at the moment its clock starts.
    fn announce(&self, planned: &[Candidate], clocks: &Clocks) {
        let new = |candidate: &&Candidate| {
            candidate.row.verdict == Verdict::Waits
                && clocks.seen_for(&candidate.thing) == Some(Duration::ZERO)
        };
        let new: Vec<&Candidate> = planned.iter().filter(new).collect();
        for candidate in &new {
            let Row { kind, name, reason, .. } = &candidate.row;
            self.voice.say(Level::Debug, &format!("{kind} {name}: {reason}"));
        }
        if !new.is_empty() {
            let (count, grace) = (new.len(), span(self.policy.grace));
            let line = format!("pruning: {count} unused since this round; what stays so for {grace} goes");
            self.voice.say(Level::Info, &line);
        }
    }

    fn report_dry(&mut self, planned: Vec<Candidate>) {
        self.report.rows = planned.into_iter().map(|candidate| candidate.row).collect();
        let due = self.report.rows.iter().filter(|row| row.verdict == Verdict::Due);
        self.report.freed = due.map(|row| row.size).sum();
    }

    /// A state that cannot be saved stops nothing: a full disk is when pruning is needed, and the old file stays good.
    fn save(&mut self) {
        if let Err(error) = self.session.save() {
            self.voice
                .say(Level::Warn, &format!("pruning: {error}: how long things were unused is not noted"));
            self.notes.push(error.to_string());
        }
    }

    /// What is due in `planned` and still is by a fresh list, one by one.
    async fn remove_all(
        &mut self,
        planned: Vec<Candidate>,
        known: &Known,
        clocks: &Clocks,
        disk: Option<Disk>,
    ) {
        let count = planned.iter().filter(|candidate| candidate.row.verdict == Verdict::Due).count();
        let mut fresh: Option<(Instant, Set<Thing>)> = None;
        let mut failures = 0;
        for (number, mut candidate) in planned.into_iter().enumerate() {
            if candidate.row.verdict == Verdict::Due && failures < MAX_FAILURES {
                if fresh.as_ref().is_none_or(|(at, _)| at.elapsed() > LISTED_FOR) {
                    fresh = Some((Instant::now(), self.still_due(known, clocks, disk).await));
                }
                self.voice.progress(&format!("removing {} of {count}: {}", number + 1, candidate.row.name));
                let due = fresh.as_ref().is_some_and(|(_, due)| due.contains(&candidate.thing));
                self.remove_one(&mut candidate, due).await;
                failures += usize::from(candidate.row.verdict == Verdict::Failed);
            }
            if candidate.row.verdict == Verdict::Due {
                candidate.row.verdict = Verdict::Waits;
                candidate.row.reason = String::from("not tried after other failures");
            }
            self.report.rows.push(candidate.row);
        }
        self.voice.progress("");
    }

    /// What a fresh list leaves due: nothing, if there is none.
    async fn still_due(&mut self, known: &Known, clocks: &Clocks, disk: Option<Disk>) -> Set<Thing> {
        match self.list_again(known).await {
            Ok(inventory) => {
                let planned = plan(self.policy, unused(self.policy, &inventory), clocks, disk);
                let due = planned.into_iter().filter(|candidate| candidate.row.verdict == Verdict::Due);
                due.map(|candidate| candidate.thing).collect()
            }
            Err(why) => {
                self.notes.push(why);
                Set::new()
            }
        }
    }

    async fn remove_one(&mut self, candidate: &mut Candidate, due: bool) {
        if !due {
            clock::used(&mut self.session.state, &candidate.thing);
            candidate.row.verdict = Verdict::Waits;
            candidate.row.reason = String::from("no longer unused when it was looked at once more");
            return;
        }
        let result = self.remove(candidate).await;
        let Row { kind, name, size, verdict, reason, .. } = &mut candidate.row;
        let what = format!("{kind} {name}");
        match result {
            Ok(()) => {
                *verdict = Verdict::Removed;
                self.report.freed += *size;
                let size = if *size > 0 { format!(" ({} MB)", *size / 1_000_000) } else { String::new() };
                self.voice.say(Level::Info, &format!("removed {what}{size}: {reason}"));
            }
            Err(error) if error.is_conflict() => {
                *verdict = Verdict::Refused;
                *reason = error.to_string();
                self.voice.say(Level::Info, &format!("{what} stays, its grace starts anew: {reason}"));
            }
            Err(error) => {
                *verdict = Verdict::Failed;
                *reason = error.to_string();
                self.voice.say(Level::Warn, &format!("{what} could not be removed: {reason}"));
            }
        }
        if matches!(candidate.row.verdict, Verdict::Removed | Verdict::Refused) {
            clock::used(&mut self.session.state, &candidate.thing);
        }
    }

    /// What is gone already is removed. A container's anonymous volumes stay: they have a clock of their own then.
    async fn remove(&self, candidate: &Candidate) -> Result<(), Error> {
        for target in &candidate.targets {
            let removed = match candidate.thing {
                Thing::Container(_) => self.docker.remove_container(target, false).await,
                Thing::Image(_) => self.docker.remove_image(target).await,
                Thing::Volume(_) => self.docker.remove_volume(target).await,
            };
            match removed {
                Err(error) if !error.is_not_found() => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    async fn prune_build_cache(&mut self) {
        match self.docker.prune_build_cache(self.policy.grace).await {
            Ok(0) => {}
            Ok(size) => {
                self.report.freed += size;
                let reason = format!("dangling, unused for {}", span(self.policy.grace));
                self.voice
                    .say(Level::Info, &format!("removed build cache ({} MB): {reason}", size / 1_000_000));
                let (name, id) = ("build cache".to_owned(), String::new());
                let (kind, verdict) = ("build-cache", Verdict::Removed);
                self.report.rows.push(Row { kind, name, id, size, verdict, seconds_left: None, reason });
            }
            // 409: somebody else prunes just now. 404, 501: a Docker without a builder.
            Err(error) if matches!(error.status(), Some(404 | 409 | 501)) => {}
            Err(error) => self.notes.push(format!("build cache: {error}")),
        }
    }

    fn summarise(&self) {
        let count = |verdict| self.report.rows.iter().filter(|row| row.verdict == verdict).count();
        let (removed, refused, failed) =
            (count(Verdict::Removed), count(Verdict::Refused), count(Verdict::Failed));
        if removed + refused + failed > 0 {
            let freed = self.report.freed / 1_000_000;
            let line = format!("pruned: {removed} removed ({freed} MB), {refused} refused, {failed} failed");
            self.voice.say(Level::Info, &line);
        }
    }
}

fn untouched(error: impl core::fmt::Display) -> String {
    format!("nothing was removed: {error}")
}

/// Now, comparable within this boot, whatever the time of day does. Counts while the machine is suspended.
fn moment() -> io::Result<Looked> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    let moment = clock_gettime(ClockId::CLOCK_BOOTTIME)?.into();
    Ok(Looked { boot, moment })
}
