//! The flags of updates, pruning, log shipping and the status page: read and checked here, acted on by the housekeeper.
#![expect(clippy::doc_markdown, reason = "these comments are the help text, read in a terminal")]

use core::net::SocketAddr;

use clap::Args;

use super::duration;
use super::finding::Findings;

/// Flags of the housekeeper as given: checked, not yet converted.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Updates (not in this version yet)")]
pub struct Housekeeping {
    /// Update Swarm services, plain containers or both to their newest image [default: swarm]
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "swarm")]
    #[arg(value_parser = ["swarm", "containers", "all"])]
    pub update: Option<String>,
    /// Between two rounds of updates
    #[arg(long, value_name = "D", default_value = "5m")]
    pub update_every: String,
    /// Update only services of these names
    #[arg(long, value_name = "GLOB")]
    pub update_only: Vec<String>,
    /// Never update services of these names
    #[arg(long, value_name = "GLOB")]
    pub update_skip: Vec<String>,
    /// Update only at this time of day, as 02:00-05:00
    #[arg(long, value_name = "FROM-TO")]
    pub update_window: Option<String>,
    /// Leave a new image alone until it is this old
    #[arg(long, value_name = "D")]
    pub min_age: Option<String>,
    /// Watch an updated service this long before the next
    #[arg(long, value_name = "D")]
    pub bake: Option<String>,
    /// Roll back what does not run after this long
    #[arg(long, value_name = "D")]
    pub rollout_deadline: Option<String>,
    /// Docker's config.json with registry passwords
    #[arg(long, value_name = "PATH")]
    pub registry_auth_file: Option<String>,

    /// Remove unused containers, images and build cache
    #[arg(long, help_heading = PRUNING)]
    pub prune: bool,
    /// Between two rounds of pruning
    #[arg(long, value_name = "D", default_value = "30m", help_heading = PRUNING)]
    pub prune_every: String,
    /// How long something must be unused before it goes
    #[arg(long, value_name = "D", default_value = "30m", help_heading = PRUNING)]
    pub grace: String,
    /// Never remove images of these names
    #[arg(long, value_name = "GLOB", help_heading = PRUNING)]
    pub keep_image: Vec<String>,
    /// Never remove containers of these names
    #[arg(long, value_name = "GLOB", help_heading = PRUNING)]
    pub keep_container: Vec<String>,
    /// Never remove volumes of these names
    #[arg(long, value_name = "GLOB", help_heading = PRUNING)]
    pub keep_volume: Vec<String>,
    /// Newest images kept of each repository
    #[arg(long, value_name = "N", default_value = "2", help_heading = PRUNING)]
    pub keep_per_repo: String,
    /// Volumes that may go: none, anonymous, or names
    #[arg(long, value_name = "none|anonymous|GLOB", default_value = "none", help_heading = PRUNING)]
    pub prune_volumes: Vec<String>,
    /// Percent of disk in use above which pruning does not wait for its round
    #[arg(long, value_name = "PERCENT", default_value = "85", help_heading = PRUNING)]
    pub disk_high: String,
    /// Percent of disk in use below which it stops
    #[arg(long, value_name = "PERCENT", default_value = "75", help_heading = PRUNING)]
    pub disk_low: String,

    /// Ship container logs, with names, to udp://HOST:514 or tcp://HOST:601[?format=rfc5424|rfc3164&framing=lf|octet]
    #[arg(long, value_name = "URL", help_heading = LOGS)]
    pub syslog: Option<String>,
    /// Take syslog from Docker here, and put names for IDs
    #[arg(long, value_name = "ADDR:PORT", help_heading = LOGS)]
    pub syslog_relay: Option<String>,
    /// Serve page, /metrics, /status.json, /keep.json and /healthz here
    #[arg(long, value_name = "ADDR:PORT", help_heading = LOGS)]
    pub listen: Option<String>,
    /// ceph-mgr's Prometheus module, for the page
    #[arg(long, value_name = "URL", help_heading = LOGS)]
    pub ceph: Vec<String>,
}

const PRUNING: &str = "Pruning (not in this version yet)";
const LOGS: &str = "Logs and page (not in this version yet)";

impl Housekeeping {
    /// Is there anything to do? Without it the daemon starts no housekeeper child.
    pub fn any(&self) -> bool {
        self.update.is_some()
            || self.prune
            || self.syslog.is_some()
            || self.syslog_relay.is_some()
            || self.listen.is_some()
            || !self.ceph.is_empty()
    }

    /// Every value must read as what it is, though nothing acts on it yet.
    pub(super) fn check(&self, findings: &mut Findings) {
        let durations = [
            ("update-every", Some(&self.update_every)),
            ("min-age", self.min_age.as_ref()),
            ("bake", self.bake.as_ref()),
            ("rollout-deadline", self.rollout_deadline.as_ref()),
            ("prune-every", Some(&self.prune_every)),
            ("grace", Some(&self.grace)),
        ];
        for (flag, text) in durations.into_iter().filter_map(|(flag, text)| Some((flag, text?))) {
            findings.value(flag, text, duration::parse(text));
        }
        if let Some(text) = &self.update_window {
            let read = window(text).ok_or_else(|| "expected two times of day, as 02:00-05:00".to_string());
            findings.value("update-window", text, read);
        }
        findings.value("keep-per-repo", &self.keep_per_repo, whole(&self.keep_per_repo, 0, 1000));
        self.check_disk(findings);
        self.check_addresses(findings);
    }

    fn check_disk(&self, findings: &mut Findings) {
        let high = findings.value("disk-high", &self.disk_high, whole(&self.disk_high, 1, 100));
        let low = findings.value("disk-low", &self.disk_low, whole(&self.disk_low, 1, 100));
        if let (Some(high), Some(low)) = (high, low)
            && low >= high
        {
            findings.config(format!("--disk-low {low}: must lie below --disk-high {high}"));
        }
    }

    fn check_addresses(&self, findings: &mut Findings) {
        for (flag, text) in [("syslog-relay", &self.syslog_relay), ("listen", &self.listen)] {
            if let Some(text) = text {
                let read = text.parse::<SocketAddr>();
                findings.value(
                    flag,
                    text,
                    read.map_err(|_| "expected ADDR:PORT, as 127.0.0.1:5514".to_string()),
                );
            }
        }
        if let Some(text) = &self.syslog {
            let read = syslog(text).ok_or_else(|| "expected udp://HOST:PORT or tcp://HOST:PORT".to_string());
            findings.value("syslog", text, read);
        }
        for text in &self.ceph {
            let known = text.starts_with("http://") || text.starts_with("https://");
            let read = if known { Ok(()) } else { Err("expected http://HOST:PORT/metrics".to_string()) };
            findings.value("ceph", text, read);
        }
    }
}

/// A whole number in these bounds.
pub(super) fn whole(text: &str, low: u32, high: u32) -> Result<u32, String> {
    let expected = || format!("expected a number, {low} to {high}");
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(expected());
    }
    text.parse().ok().filter(|number| (low..=high).contains(number)).ok_or_else(expected)
}

fn window(text: &str) -> Option<()> {
    let (from, to) = text.split_once('-')?;
    for time in [from, to] {
        let (hour, minute) = time.split_once(':')?;
        (hour.len() == 2 && minute.len() == 2).then_some(())?;
        whole(hour, 0, 23).and(whole(minute, 0, 59)).ok()?;
    }
    Some(())
}

fn syslog(text: &str) -> Option<()> {
    let rest = text.strip_prefix("udp://").or_else(|| text.strip_prefix("tcp://"))?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, port) = place.rsplit_once(':')?;
    (!host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)).then_some(())?;
    let known = ["format=rfc5424", "format=rfc3164", "framing=lf", "framing=octet"];
    query.split('&').all(|part| part.is_empty() || known.contains(&part)).then_some(())
}
