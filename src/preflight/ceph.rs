//! Does a manager of Ceph answer (`--ceph`)? Each is asked as the housekeeper will ask it.

use super::{Line, Mark};
use crate::ceph::run::{PATIENCE, ask};
use crate::ceph::{Ceph, Health};
use crate::http_url::HttpUrl;

const WHAT: &str = "Ceph";

/// One line for each manager; the standbys are well if one of them is active.
pub fn lines(urls: &[HttpUrl]) -> Vec<Line> {
    let answers: Vec<_> = urls.iter().map(|url| (url, smol::block_on(ask(url, PATIENCE)))).collect();
    judge(&answers)
}

fn judge(answers: &[(&HttpUrl, Result<Ceph, String>)]) -> Vec<Line> {
    let has_active = answers.iter().any(|(_, answer)| answer.is_ok());
    let line = |(url, answer): &(&HttpUrl, Result<Ceph, String>)| match answer {
        Ok(ceph) => match ceph.health {
            Health::Ok => Line::ok(WHAT, ceph.to_string()),
            Health::Warn | Health::Error => {
                Line::bad(Mark::Warn, WHAT, ceph.to_string(), "ceph health detail")
            }
        },
        Err(error) if has_active => Line::ok(WHAT, format!("{url}: {error}")),
        Err(error) => {
            let mend =
                "ceph mgr module enable prometheus && ceph mgr services   (and --ceph for every manager)";
            Line::bad(Mark::Warn, WHAT, format!("{url}: {error}"), mend)
        }
    };
    answers.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_is_well_beside_an_active_manager_only() {
        let url = |text| HttpUrl::parse(text, 9283, "/metrics").unwrap();
        let (one, other) = (url("http://pi-1"), url("http://pi-2"));
        let ceph = Ceph {
            health: Health::Ok,
            checks: Vec::new(),
            osds: crate::ceph::Osds { total: 3, up: 2, inside: 3 },
            total_bytes: 0,
            used_bytes: 0,
            monitors: (3, 3),
            version: None,
            versions: Vec::new(),
            manager: other.to_string(),
        };
        let standby = || (&one, Err("stands by".to_owned()));
        let lines = judge(&[standby(), (&other, Ok(ceph.clone()))]);
        assert_eq!(lines[0], Line::ok("Ceph", "http://pi-1:9283/metrics: stands by"));
        let told = "HEALTH_OK, 2 of 3 OSDs up, told by http://pi-2:9283/metrics";
        assert_eq!(lines[1], Line::ok("Ceph", told));
        assert_eq!(judge(&[standby()])[0].mark, Mark::Warn);
        let sick = Ceph { health: Health::Error, ..ceph };
        assert_eq!(judge(&[(&other, Ok(sick))])[0].mend.as_deref(), Some("ceph health detail"));
    }
}
