//! From a manager's samples to [`Ceph`].
//!
//! What the releases differ in: `ceph_health_detail` is there from 16.2.8 and 17.2 on, before it only the state in all;
//! types are `untyped` or `gauge`; who is active is told by `ceph_mgr_status`. No release tells a check's own words here:
//! names that people meet often have some of ours. Nor does one tell that a check is muted: it is listed, and not counted in
//! the state.

use super::exposition::Sample;
use super::{Ceph, Check, Health, Osds};
use crate::sorted::Set;

/// Most checks that are kept: Ceph knows some hundred, a cluster in trouble shows ten.
const MAX_CHECKS: usize = 32;
/// Most releases told apart: an upgrade has two or three.
const MAX_VERSIONS: usize = 8;
/// Most managers that are looked at: Ceph recommends one for each monitor, and five of these.
const MAX_MANAGERS: usize = 16;

/// What has been read of one answer.
#[derive(Debug, Default)]
pub struct Gathering {
    health: Option<Health>,
    checks: Vec<Check>,
    osds: Osds,
    total_bytes: u64,
    used_bytes: Option<u64>,
    raw_bytes: Option<u64>,
    monitors: (u32, u32),
    /// Names and releases.
    mgrs: Vec<(String, String)>,
    /// The active one's name.
    active: Option<String>,
    versions: Set<String>,
}

impl Gathering {
    /// Takes what matters of a sample.
    pub fn take(&mut self, sample: &Sample<'_>) {
        let is_on = sample.value >= 1.0;
        match sample.name {
            "ceph_health_status" => self.health = health(sample.value),
            "ceph_health_detail" if is_on => self.check(sample),
            "ceph_osd_up" => {
                self.osds.total = self.osds.total.saturating_add(1);
                self.osds.up = self.osds.up.saturating_add(is_on.into());
            }
            "ceph_osd_in" => self.osds.inside = self.osds.inside.saturating_add(is_on.into()),
            "ceph_cluster_total_bytes" => self.total_bytes = bytes(sample.value),
            "ceph_cluster_total_used_bytes" => self.used_bytes = Some(bytes(sample.value)),
            "ceph_cluster_total_used_raw_bytes" => self.raw_bytes = Some(bytes(sample.value)),
            "ceph_mon_quorum_status" => {
                self.monitors.0 = self.monitors.0.saturating_add(is_on.into());
                self.monitors.1 = self.monitors.1.saturating_add(1);
            }
            "ceph_mgr_status" if is_on => self.active = sample.label("ceph_daemon"),
            "ceph_mgr_metadata" | "ceph_mon_metadata" | "ceph_osd_metadata" => self.daemon(sample),
            _ => {}
        }
    }

    fn check(&mut self, sample: &Sample<'_>) {
        let Some(name) = sample.label("name").filter(|_| self.checks.len() < MAX_CHECKS) else { return };
        let severity = match sample.label("severity").as_deref() {
            Some("HEALTH_ERR") => Health::Error,
            Some(_) | None => Health::Warn,
        };
        let text = words(&name);
        self.checks.push(Check { name, severity, text });
    }

    fn daemon(&mut self, sample: &Sample<'_>) {
        let version = sample.label("ceph_version").and_then(|text| release(&text));
        let Some(version) = version else { return };
        if let Some(name) = sample.label("ceph_daemon")
            && sample.name == "ceph_mgr_metadata"
            && self.mgrs.len() < MAX_MANAGERS
        {
            self.mgrs.push((name, version.clone()));
        }
        if self.versions.len() < MAX_VERSIONS {
            self.versions.insert(version);
        }
    }

    /// The cluster, told by the manager at this URL; nothing if this was no active manager's answer: a standby's is empty.
    pub fn done(self, manager: &str) -> Option<Ceph> {
        let mut checks = self.checks;
        checks.sort_by(|one, other| (other.severity, &one.name).cmp(&(one.severity, &other.name)));
        let is_active = |name: &str| self.active.as_deref() == Some(name);
        let mgr = self.mgrs.iter().find(|(name, _)| is_active(name)).or(self.mgrs.first());
        Some(Ceph {
            health: self.health?,
            checks,
            osds: self.osds,
            total_bytes: self.total_bytes,
            // What fills the disks, as `ceph status` counts it; releases that do not tell it tell the other.
            used_bytes: self.raw_bytes.or(self.used_bytes).unwrap_or_default(),
            monitors: self.monitors,
            version: mgr.map(|(_, version)| version.clone()),
            versions: self.versions.into_iter().collect(),
            manager: manager.to_owned(),
        })
    }
}

/// 0, 1 or 2.
fn health(value: f64) -> Option<Health> {
    if value < 0.0 {
        return None;
    }
    [(0.5, Health::Ok), (1.5, Health::Warn), (2.5, Health::Error)]
        .into_iter()
        .find(|(limit, _)| value < *limit)
        .map(|(_, health)| health)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn bytes(value: f64) -> u64 {
    value as u64
}

/// `ceph version 17.2.7 (b12…) quincy (stable)` → `17.2.7`.
fn release(text: &str) -> Option<String> {
    let number = text.strip_prefix("ceph version ")?.split(' ').next()?;
    Some(number.to_owned()).filter(|number| !number.is_empty())
}

/// A check in words: ours where Ceph's name says too little, else the name itself.
fn words(name: &str) -> String {
    let known = match name {
        "OSD_DOWN" => "an OSD is down",
        "OSD_HOST_DOWN" => "all OSDs of a host are down",
        "OSD_NEARFULL" => "an OSD is nearly full",
        "OSD_FULL" => "an OSD is full: nothing can be written",
        "POOL_FULL" => "a pool is full",
        "POOL_NO_REDUNDANCY" => "a pool keeps a single copy",
        "MON_DOWN" => "a monitor is out of quorum",
        "MON_CLOCK_SKEW" => "the monitors' clocks differ",
        "MON_DISK_LOW" => "a monitor's disk is nearly full",
        "MON_DISK_CRIT" => "a monitor's disk is full",
        "MGR_DOWN" => "no manager is active",
        "PG_AVAILABILITY" => "some data cannot be read or written",
        "PG_DEGRADED" => "some data lacks copies",
        "PG_DAMAGED" => "some data is damaged",
        "OBJECT_UNFOUND" => "some data cannot be found",
        "SLOW_OPS" => "requests wait for long",
        "OSDMAP_FLAGS" => "a flag is set, as noout",
        "RECENT_CRASH" => "a daemon has crashed lately",
        _ => return name.to_ascii_lowercase().replace('_', " "),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    fn gathered(text: &str) -> Option<Ceph> {
        let mut gathering = Gathering::default();
        for sample in text.lines().filter_map(Sample::parse) {
            gathering.take(&sample);
        }
        gathering.done("http://pi-1:9283/metrics")
    }

    #[test]
    fn an_answer_without_health_is_none() {
        assert_eq!(gathered(""), None);
        assert_eq!(gathered("ceph_osd_up{ceph_daemon=\"osd.0\"} 1.0"), None);
        for odd in ["-1", "3", "NaN", "+Inf"] {
            assert_eq!(gathered(&format!("ceph_health_status {odd}")), None, "{odd}");
        }
    }

    #[test]
    fn the_least_a_manager_can_say() {
        let ceph = gathered("ceph_health_status 0.0\nceph_cluster_total_used_bytes 7.0").unwrap();
        assert_eq!((ceph.health, ceph.used_bytes, ceph.version), (Health::Ok, 7, None));
    }

    #[test]
    fn errors_come_first_and_what_is_over_is_not_told() {
        let ceph = gathered(
            "ceph_health_detail{name=\"PG_DEGRADED\",severity=\"HEALTH_WARN\"} 1.0\n\
             ceph_health_detail{name=\"MON_DOWN\",severity=\"HEALTH_WARN\"} 0.0\n\
             ceph_health_detail{name=\"OSD_FULL\",severity=\"HEALTH_ERR\"} 1.0\n\
             ceph_health_detail{name=\"BLUEFS_SPILLOVER\",severity=\"HEALTH_WARN\"} 1.0\n\
             ceph_health_status 2.0\n",
        );
        let checks = ceph.unwrap().checks;
        let told: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.text.as_str())).collect();
        assert_eq!(
            told,
            [
                ("OSD_FULL", "an OSD is full: nothing can be written"),
                ("BLUEFS_SPILLOVER", "bluefs spillover"),
                ("PG_DEGRADED", "some data lacks copies"),
            ]
        );
        assert_eq!((checks[0].severity, checks[1].severity), (Health::Error, Health::Warn));
    }

    #[test]
    fn an_answer_gone_mad_is_bounded() {
        let mut text = String::from("ceph_health_status 1\nceph_cluster_total_bytes 1e300\n");
        for number in 0..1000 {
            let _ = writeln!(text, "ceph_health_detail{{name=\"C{number}\",severity=\"HEALTH_WARN\"}} 1");
            let _ = writeln!(
                text,
                "ceph_mgr_metadata{{ceph_daemon=\"m{number}\",ceph_version=\"ceph version {number}\"}} 1"
            );
        }
        let ceph = gathered(&text).unwrap();
        assert_eq!((ceph.checks.len(), ceph.versions.len(), ceph.total_bytes), (32, 8, u64::MAX));
    }
}
