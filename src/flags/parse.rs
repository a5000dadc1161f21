//! From the command line to a `Command`, or to lines that say what is wrong with it.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory, FromArgMatches};

use super::args::{Cli, RouterArgs, RunArgs, Verb};
use super::board::Taken;
use super::finding::{Finding, Findings};
use super::local::LocalAddresses;
use super::refusal::{refuse, refuse_all, usage};
use super::wanted::{Wanted, parse_vip};
use super::{Command, Config, Housekeeping, Refusal, Resolved, router};
use crate::checks::{Kind, MAX_TRACKS, Track};
use crate::duration;
use crate::plan::Cluster;
use crate::shared::MAX_ROUTERS;

/// Reads a command line (program name first) on a machine with these addresses. Never panics.
///
/// # Errors
/// All that is wrong, a line each; or help, with exit code 0.
pub fn parse_from(args: &[OsString], local: &LocalAddresses) -> Result<Command, Refusal> {
    let matches = Cli::command().try_get_matches_from(args).map_err(|error| refuse(&error))?;
    let taken = Taken::choose(matches.subcommand().map(|(_, given)| given), &local.model);
    let args = taken.with(args);
    let matches = Cli::command().try_get_matches_from(args).map_err(|error| refuse(&error))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| refuse(&error))?;
    let given = matches.subcommand().map_or(&matches, |(_, given)| given);
    match cli.command {
        Verb::Run(run) => {
            let resolved = resolved(&run, given, local, &taken).map_err(|found| refuse_all(&found))?;
            Ok(Command::Run(resolved))
        }
        Verb::Check { dns, run } => {
            let resolved = resolved(&run, given, local, &taken);
            Ok(Command::Check { docker: run.docker.into(), resolved, board: taken, dns })
        }
        Verb::Plan { json, run } => plan(json, &run, given),
        Verb::Status { dirs, json, watch } => {
            Ok(Command::Status { run_dir: dirs.run_dir.into(), json, watch })
        }
        Verb::Resign { dirs, pause } => match duration::parse(&pause) {
            Ok(pause) => Ok(Command::Resign { run_dir: dirs.run_dir.into(), pause }),
            Err(why) => Err(usage(&format!("--for {pause}: {why}"))),
        },
        Verb::Release(run) => release(&run, given),
        Verb::Realtime(run) => Ok(Command::Realtime { wanted: run.realtime == "on" }),
        Verb::Update { dry_run, json, run } => {
            let jobs = round(&run, given)?;
            Ok(Command::Update { dry_run, json, jobs })
        }
        Verb::Prune { dry_run, json, run } => {
            let jobs = round(&run, given)?;
            Ok(Command::Prune { dry_run, json, jobs })
        }
        Verb::Translate { json, files } => Ok(Command::Translate { files, json }),
        Verb::Man => Ok(Command::Man),
        Verb::Completions { shell } => Ok(Command::Completions(shell)),
        Verb::Housekeeper(run) => {
            // The daemon has looked at them all; what is left out here (the password) is none of the child's business.
            let wanted = wanted(given, &mut Findings::default());
            let housekeeping = housekeeping(&run, &wanted, Asked::ByFlags, &mut Findings::default());
            Ok(Command::Housekeeper(Box::new(housekeeping)))
        }
    }
}

fn wanted(given: &ArgMatches, findings: &mut Findings) -> Vec<Wanted> {
    let groups = RouterArgs::split(given);
    let first = groups.first().cloned().unwrap_or_default();
    let wanted: Vec<Wanted> =
        groups.iter().map(|group| Wanted::read(&group.inherit(&first), findings)).collect();
    check_together(&wanted, findings);
    wanted
}

fn check_together(all: &[Wanted], findings: &mut Findings) {
    for (at, wanted) in all.iter().enumerate() {
        for other in &all[..at] {
            if other.vrid == wanted.vrid {
                findings.config(format!(
                    "--vrid {}: is given twice: each virtual router has its own",
                    wanted.vrid
                ));
            }
            for vip in &wanted.vips {
                if other.vips.iter().any(|taken| taken.addr == vip.addr) {
                    findings.config(format!(
                        "--vip {}: belongs to --vrid {} already, not to --vrid {} too",
                        vip.addr, other.vrid, wanted.vrid
                    ));
                }
            }
        }
    }
    let tracks = distinct_tracks(all).len();
    if tracks > MAX_TRACKS {
        findings.config(format!("--track: {tracks} are too many: at most {MAX_TRACKS}"));
    }
    let routers: usize = all.iter().map(|wanted| wanted.families().len()).sum();
    if routers > MAX_ROUTERS {
        findings.config(format!("--vrid: {routers} virtual routers are too many: at most {MAX_ROUTERS}"));
    }
}

fn resolved(
    run: &RunArgs,
    given: &ArgMatches,
    local: &LocalAddresses,
    taken: &Taken,
) -> Result<Resolved, Vec<Finding>> {
    let mut findings = Findings::default();
    let wanted = wanted(given, &mut findings);
    let housekeeping = housekeeping(run, &wanted, Asked::ByFlags, &mut findings);
    check_paths(run, &mut findings);
    let mut routers = Vec::new();
    let mut not_yet = None;
    for (wanted, family) in
        wanted.iter().flat_map(|each| each.families().into_iter().map(move |family| (each, family)))
    {
        match router::resolve(wanted, family, local, &mut findings) {
            Ok(router) => routers.extend(router),
            Err(waiting) => not_yet = not_yet.or(Some(waiting)),
        }
    }
    match not_yet {
        _ if !findings.is_usable() => Err(findings.into_vec()),
        Some(not_yet) => Ok(Resolved::NotYet(not_yet)),
        None => Ok(Resolved::Ready(Box::new(Config {
            routers,
            realtime: run.realtime == "on",
            run_dir: (&run.dirs.run_dir).into(),
            state_dir: (&run.state_dir).into(),
            docker: (&run.docker).into(),
            board: taken.clone(),
            level: level(run),
            housekeeping,
            warnings: findings.into_vec(),
        }))),
    }
}

/// In the order in which they are first named.
fn distinct_tracks(all: &[Wanted]) -> Vec<&Track> {
    let mut distinct = Vec::new();
    for track in all.iter().flat_map(|wanted| &wanted.tracks) {
        if !distinct.contains(&track) {
            distinct.push(track);
        }
    }
    distinct
}

/// The checks that the housekeeper looks at, numbered as `Config::tracks` numbers all of them.
fn asking_the_housekeeper(wanted: &[Wanted]) -> Vec<(u8, Track)> {
    let numbered = (0_u8..).zip(distinct_tracks(wanted));
    numbered
        .filter(|(_, track)| track.kind.is_the_housekeepers())
        .map(|(number, track)| (number, track.clone()))
        .collect()
}

/// Who asks for rounds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The daemon: those whose flag is given.
    ByFlags,
    /// A person: all of them.
    ByHand,
}

/// The housekeeper's work.
fn housekeeping(run: &RunArgs, wanted: &[Wanted], asked: Asked, findings: &mut Findings) -> Housekeeping {
    let by_hand = asked == Asked::ByHand;
    let nodes = wanted.first().map(Wanted::nodes).unwrap_or_default();
    let jobs = run.housekeeping.read(&nodes, findings);
    let tracks = asking_the_housekeeper(wanted);
    if jobs.ceph.is_empty() && tracks.iter().any(|(_, track)| track.kind == Kind::Ceph) {
        findings.config("--track ceph: which managers? Add --ceph http://ADDR:9283/metrics for each");
    }
    Housekeeping {
        docker: (&run.docker).into(),
        state_dir: (&run.state_dir).into(),
        level: level(run),
        update: (by_hand || run.housekeeping.update.is_some()).then_some((jobs.update, jobs.update_every)),
        prune: (by_hand || run.housekeeping.prune).then_some(jobs.prune),
        listen: jobs.listen,
        listen_names: jobs.listen_names,
        syslog: jobs.syslog,
        ceph: jobs.ceph,
        on_change: wanted.iter().find_map(|each| each.on_change.clone()),
        run_dir: (&run.dirs.run_dir).into(),
        nodes,
        tracks,
    }
}

/// The work of one round by hand: no VIP is needed for it, and neither `--update` nor `--prune`.
fn round(run: &RunArgs, given: &ArgMatches) -> Result<Box<Housekeeping>, Refusal> {
    let mut findings = Findings::default();
    check_paths(run, &mut findings);
    let wanted = wanted(given, &mut Findings::default());
    let housekeeping = housekeeping(run, &wanted, Asked::ByHand, &mut findings);
    if findings.is_usable() { Ok(Box::new(housekeeping)) } else { Err(refuse_all(&findings.into_vec())) }
}

fn check_paths(run: &RunArgs, findings: &mut Findings) {
    for (flag, path) in
        [("run-dir", &run.dirs.run_dir), ("state-dir", &run.state_dir), ("docker", &run.docker)]
    {
        if !path.starts_with('/') {
            findings.usage(format!("--{flag} {path}: expected an absolute path"));
        }
    }
}

fn level(run: &RunArgs) -> log::LevelFilter {
    match (run.verbose, run.quiet) {
        (0, 0) => log::LevelFilter::Info,
        (0, 1) => log::LevelFilter::Warn,
        (0, _) => log::LevelFilter::Error,
        (1, _) => log::LevelFilter::Debug,
        (_, _) => log::LevelFilter::Trace,
    }
}

fn plan(json: bool, run: &RunArgs, given: &ArgMatches) -> Result<Command, Refusal> {
    let mut findings = Findings::default();
    let wanted = wanted(given, &mut findings);
    housekeeping(run, &wanted, Asked::ByFlags, &mut findings);
    check_paths(run, &mut findings);
    let clusters: Vec<Cluster> = wanted
        .iter()
        .flat_map(|each| each.families().into_iter().map(move |family| (each, family)))
        .map(|(wanted, family)| router::cluster(wanted, family, &mut findings))
        .collect();
    let usable = findings.is_usable();
    let findings = findings.into_vec();
    if usable { Ok(Command::Plan { clusters, json, warnings: findings }) } else { Err(refuse_all(&findings)) }
}

/// Cleaning up must work with flags that otherwise would not: it looks at VIPs and interfaces only.
fn release(run: &RunArgs, given: &ArgMatches) -> Result<Command, Refusal> {
    let groups = RouterArgs::split(given);
    let first = groups.first().cloned().unwrap_or_default();
    let mut vips = Vec::new();
    for group in groups.iter().map(|group| group.inherit(&first)) {
        for text in &group.vip {
            let vip = parse_vip(text).map_err(|why| usage(&format!("--vip {text}: {why}")))?;
            vips.push((group.interface.last().cloned(), vip));
        }
    }
    Ok(Command::Release { run_dir: (&run.dirs.run_dir).into(), vips })
}
