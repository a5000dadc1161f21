//! What the storage's manager said, as `/status.json` and `/metrics` have it. Pure.

use crate::ceph::Ceph;
use crate::ceph::Health;
use crate::ceph::run::Look;
use crate::report::json::ms;
use crate::report::node::{Figures, Storage};
use crate::report::writer::Writer;
use crate::time::Time;

/// Of the last look.
pub fn storage(look: &Look, now: Time) -> Storage {
    let answer = look.answer.as_ref();
    // Before the first look there is nothing to be wrong.
    let error = look.error.clone().or(look.asked.is_none().then(|| "not asked yet".to_owned()));
    Storage {
        error,
        asked_ago: answer.map(|(_, at)| ms(now.since(*at))),
        json: answer.map(|(ceph, _)| json(ceph)),
        figures: answer.map(|(ceph, _)| figures(ceph)),
    }
}

fn figures(ceph: &Ceph) -> Figures {
    Figures {
        health: match ceph.health {
            Health::Ok => 0,
            Health::Warn => 1,
            Health::Error => 2,
        },
        osds: (ceph.osds.total, ceph.osds.up, ceph.osds.inside),
        total: ceph.total_bytes,
        used: ceph.used_bytes,
    }
}

fn json(ceph: &Ceph) -> String {
    let mut w = Writer::compact();
    w.open("", '{');
    w.text("health", name(ceph.health));
    w.open("checks", '[');
    for check in &ceph.checks {
        w.open("", '{');
        w.text("name", &check.name);
        w.text("severity", name(check.severity));
        w.text("text", &check.text);
        w.close('}');
    }
    w.close(']');
    w.open("osds", '{');
    w.number("total", u64::from(ceph.osds.total));
    w.number("up", u64::from(ceph.osds.up));
    w.number("in", u64::from(ceph.osds.inside));
    w.close('}');
    w.number("total_bytes", ceph.total_bytes);
    w.number("used_bytes", ceph.used_bytes);
    w.open("monitors", '[');
    w.number("", u64::from(ceph.monitors.0));
    w.number("", u64::from(ceph.monitors.1));
    w.close(']');
    w.maybe_text("version", ceph.version.as_deref());
    w.open("versions", '[');
    ceph.versions.iter().for_each(|version| w.text("", version));
    w.close(']');
    w.text("manager", &ceph.manager);
    w.close('}');
    w.finish()
}

fn name(health: Health) -> &'static str {
    match health {
        Health::Ok => "ok",
        Health::Warn => "warn",
        Health::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceph::{Check, Osds};

    #[test]
    fn a_storage_is_told_as_it_serializes_itself() {
        let text = str::to_owned;
        let check = Check { name: text("OSD_DOWN"), severity: Health::Error, text: text("1 osd \"down\"") };
        let ceph = Ceph {
            health: Health::Warn,
            checks: vec![check],
            osds: Osds { total: 3, up: 2, inside: 1 },
            total_bytes: 30,
            used_bytes: 10,
            monitors: (2, 3),
            version: Some(text("17.2.7")),
            versions: vec![text("16.2.15"), text("17.2.7")],
            manager: text("http://10.0.10.31:9283/metrics"),
        };
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&json(&ceph)), serde_json::to_value(&ceph).unwrap());
        let look =
            Look { asked: Some(Time::ZERO), answer: Some((ceph, Time::ZERO)), error: Some(text("silent")) };
        let told = storage(&look, Time::from_micros(70_000));
        assert_eq!((told.asked_ago, told.error.as_deref()), (Some(70), Some("silent")));
        assert_eq!(told.figures, Some(Figures { health: 1, osds: (3, 2, 1), total: 30, used: 10 }));
        let nothing = storage(&Look::default(), Time::ZERO);
        assert_eq!((nothing.json, nothing.error.as_deref()), (None, Some("not asked yet")));
    }
}
