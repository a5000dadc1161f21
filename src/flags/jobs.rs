//! What the housekeeper is to do: the values of its flags, read and held against each other.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::path::PathBuf;

use super::finding::Findings;
use super::housekeeping::HousekeepingArgs;
use crate::checks::Track;
use crate::duration;
use crate::http_url::HttpUrl;
use crate::prune::{self, Volumes};
use crate::syslog;
use crate::update::{self, Window};

/// The housekeeper's work, checked and complete.
#[derive(Clone, Debug)]
pub struct Housekeeping {
    /// Docker's socket (`--docker`).
    pub docker: PathBuf,
    /// Where state outlives a restart (`--state-dir`).
    pub state_dir: PathBuf,
    /// How much is logged (`-v`, `-q`).
    pub level: log::LevelFilter,
    /// Rounds of updates, and the pause between two of them.
    pub update: Option<(update::Policy, Duration)>,
    /// Rounds of pruning.
    pub prune: Option<prune::Policy>,
    /// Where it answers HTTP (`--listen`).
    pub listen: Option<SocketAddr>,
    /// Public names it answers to there (`--listen ADDR:PORT,NAME…`).
    pub listen_names: Vec<String>,
    /// Where container logs go (`--syslog`, `--syslog-relay`).
    pub syslog: Option<syslog::Settings>,
    /// ceph-mgr's Prometheus modules (`--ceph`).
    pub ceph: Vec<HttpUrl>,
    /// Program told of what the housekeeper did (`--on-change`).
    pub on_change: Option<PathBuf>,
    /// Where the VIP process answers (`--run-dir`).
    pub run_dir: PathBuf,
    /// The cluster's addresses, this node's among them (`--node`).
    pub nodes: Vec<IpAddr>,
    /// The checks that ask Docker, each with its place among all tracks.
    pub tracks: Vec<(u8, Track)>,
}

impl Housekeeping {
    /// Is there anything to do? Without it the daemon starts no housekeeper child.
    pub fn any(&self) -> bool {
        let rounds = self.update.is_some() || self.prune.is_some();
        let asked = !self.tracks.is_empty() || !self.ceph.is_empty();
        rounds || asked || self.listen.is_some() || self.syslog.is_some()
    }
}

/// The flags' values, or findings on why they are none.
pub struct Jobs {
    /// As `--update` says; Swarm services where it says nothing.
    pub update: update::Policy,
    /// `--update-every`.
    pub update_every: Duration,
    /// As the flags of pruning say.
    pub prune: prune::Policy,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// The names behind it.
    pub listen_names: Vec<String>,
    /// `--syslog` and `--syslog-relay`.
    pub syslog: Option<syslog::Settings>,
    /// `--ceph`.
    pub ceph: Vec<HttpUrl>,
}

/// More often would be load on Docker, not vigilance.
const MIN_EVERY: Duration = Duration::from_secs(1);
/// Where ceph-mgr's Prometheus module answers unless it is told otherwise.
const CEPH_PORT: u16 = 9283;

impl HousekeepingArgs {
    /// Reads all values. `nodes`: the cluster's addresses, managers among them.
    pub(super) fn read(&self, nodes: &[IpAddr], findings: &mut Findings) -> Jobs {
        let (place, names) = listen_parts(self.listen.as_deref());
        let listen = address("listen", place.as_ref(), findings);
        Jobs {
            update: self.update_policy(findings),
            update_every: every("update-every", &self.update_every, findings),
            prune: self.prune_policy(nodes, listen, findings),
            listen,
            listen_names: names,
            syslog: self.syslog(findings),
            ceph: self.ceph(findings),
        }
    }

    fn update_policy(&self, findings: &mut Findings) -> update::Policy {
        let what = self.update.as_deref().unwrap_or("swarm");
        let window = self.update_window.as_ref().and_then(|text| {
            let read = window(text).ok_or_else(|| "expected two times of day, as 02:00-05:00".to_string());
            findings.value("update-window", text, read)
        });
        update::Policy {
            swarm: what != "containers",
            containers: what != "swarm",
            only: globs("update-only", &self.update_only, findings),
            skip: globs("update-skip", &self.update_skip, findings),
            window,
            min_age: time("min-age", self.min_age.as_ref(), findings).unwrap_or_default(),
            bake: time("bake", self.bake.as_ref(), findings),
            deadline: time("rollout-deadline", self.rollout_deadline.as_ref(), findings),
            credentials: self.credentials(findings),
        }
    }

    fn credentials(&self, findings: &mut Findings) -> Option<PathBuf> {
        let text = self.registry_auth_file.as_ref()?;
        let path = text.starts_with('/').then(|| PathBuf::from(text));
        findings.value(
            "registry-auth-file",
            text,
            path.ok_or_else(|| "expected an absolute path".to_string()),
        )
    }

    fn prune_policy(
        &self,
        nodes: &[IpAddr],
        listen: Option<SocketAddr>,
        findings: &mut Findings,
    ) -> prune::Policy {
        let (high, low) = self.disk(findings);
        let per_repo =
            findings.value("keep-per-repo", &self.keep_per_repo, whole(&self.keep_per_repo, 0, 1000));
        // Read as patterns only to say what is wrong with one; `prune::keep` gives them their meaning.
        let _ = globs("keep-image", &self.keep_image, findings);
        let managers =
            |listen: SocketAddr| nodes.iter().map(move |node| SocketAddr::new(*node, listen.port()));
        prune::Policy {
            grace: time("grace", Some(&self.grace), findings).unwrap_or_default(),
            every: every("prune-every", &self.prune_every, findings),
            keep_images: self.keep_image.clone(),
            keep_containers: globs("keep-container", &self.keep_container, findings),
            keep_volumes: globs("keep-volume", &self.keep_volume, findings),
            per_repository: per_repo.map_or(usize::MAX, |count| count as usize),
            volumes: self.volumes(findings),
            disk_high: high,
            disk_low: low,
            managers: listen.into_iter().flat_map(managers).collect(),
        }
    }

    fn volumes(&self, findings: &mut Findings) -> Volumes {
        let given = |word: &str| self.prune_volumes.iter().any(|text| text == word);
        if given("none") && self.prune_volumes.len() > 1 {
            findings.config("--prune-volumes none: contradicts the other values of this flag");
        }
        let names: Vec<String> = self
            .prune_volumes
            .iter()
            .filter(|text| !["none", "anonymous"].contains(&text.as_str()))
            .cloned()
            .collect();
        Volumes { anonymous: given("anonymous"), named: globs("prune-volumes", &names, findings) }
    }

    fn disk(&self, findings: &mut Findings) -> (u8, u8) {
        let percent = |text: &str| whole(text, 1, 100).map(|number| u8::try_from(number).unwrap_or(100));
        let high = findings.value("disk-high", &self.disk_high, percent(&self.disk_high));
        let low = findings.value("disk-low", &self.disk_low, percent(&self.disk_low));
        if let (Some(high), Some(low)) = (high, low)
            && low >= high
        {
            findings.config(format!("--disk-low {low}: must lie below --disk-high {high}"));
        }
        (high.unwrap_or(100), low.unwrap_or(100))
    }

    fn syslog(&self, findings: &mut Findings) -> Option<syslog::Settings> {
        let target = self.syslog.as_ref().and_then(|text| {
            let read = syslog::Target::parse(text);
            findings.value("syslog", text, read)
        });
        let relay = address("syslog-relay", self.syslog_relay.as_ref(), findings);
        if let (Some(relay), None) = (relay, &self.syslog) {
            findings.config(format!(
                "--syslog-relay {relay}: where to? Add --syslog udp://HOST:514 or tcp://HOST:601"
            ));
        }
        target.map(|target| syslog::Settings { target, relay })
    }

    fn ceph(&self, findings: &mut Findings) -> Vec<HttpUrl> {
        let read = |text: &String| findings.value("ceph", text, HttpUrl::parse(text, CEPH_PORT, "/metrics"));
        self.ceph.iter().filter_map(read).collect()
    }
}

/// `0.0.0.0:9112,status.example.com`: where, and the names.
fn listen_parts(text: Option<&str>) -> (Option<String>, Vec<String>) {
    let mut parts = text.into_iter().flat_map(|text| text.split(',')).map(str::to_owned);
    (parts.next(), parts.collect())
}

fn address(flag: &str, text: Option<&String>, findings: &mut Findings) -> Option<SocketAddr> {
    let text = text?;
    let read = text.parse().map_err(|_| "expected ADDR:PORT, as 0.0.0.0:9112".to_string());
    findings.value(flag, text, read)
}

fn time(flag: &str, text: Option<&String>, findings: &mut Findings) -> Option<Duration> {
    let text = text?;
    findings.value(flag, text, duration::parse(text))
}

fn every(flag: &str, text: &str, findings: &mut Findings) -> Duration {
    let read = duration::parse(text).and_then(|every| {
        if every >= MIN_EVERY { Ok(every) } else { Err("expected 1s or more".to_string()) }
    });
    findings.value(flag, text, read).unwrap_or(MIN_EVERY)
}

fn globs(flag: &str, texts: &[String], findings: &mut Findings) -> Vec<glob::Pattern> {
    let read = |text: &String| match glob::Pattern::new(text) {
        _ if text.is_empty() => Err("expected a name or a pattern, as web-*".to_string()),
        Ok(pattern) => Ok(pattern),
        Err(error) => Err(format!("no pattern: {}", error.msg)),
    };
    texts.iter().filter_map(|text| findings.value(flag, text, read(text))).collect()
}

/// A whole number in these bounds. The error says what was expected.
pub(super) fn whole(text: &str, low: u32, high: u32) -> Result<u32, String> {
    let expected = || format!("expected a number, {low} to {high}");
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(expected());
    }
    text.parse().ok().filter(|number| (low..=high).contains(number)).ok_or_else(expected)
}

fn window(text: &str) -> Option<Window> {
    let minute = |time: &str| {
        let (hour, minute) = time.split_once(':')?;
        (hour.len() == 2 && minute.len() == 2).then_some(())?;
        u16::try_from(whole(hour, 0, 23).ok()? * 60 + whole(minute, 0, 59).ok()?).ok()
    };
    let (from, to) = text.split_once('-')?;
    Some(Window { from: minute(from)?, to: minute(to)? }).filter(|window| window.from != window.to)
}
