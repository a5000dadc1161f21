//! The status for a program: `status --json`. Pure. The keys are a promise (see `report/mod.rs`), and `format` grows
//! when one changes its meaning or goes. All times are whole milliseconds, `*_ms`; moments are told as their age.

use super::rounds::{Job, Row};
use super::status::{Check, Event, Health, Housekeeper, Peer, Router, Share, State, Status};
use crate::time::Time;
use core::time::Duration;
use serde_json::{Value, json};

/// The whole document, indented, with a newline at its end.
pub fn write(status: &Status) -> String {
    format!("{:#}\n", value(status))
}

/// The whole document.
pub fn value(status: &Status) -> Value {
    let now = status.now;
    json!({
        "format": status.format,
        "node": status.node,
        "version": status.version,
        "pid": status.pid,
        "uptime_ms": ago(now, status.started),
        "routers": status.routers.iter().map(|router| router_value(now, router)).collect::<Vec<_>>(),
        "checks": status.checks.iter().map(|check| check_value(now, check)).collect::<Vec<_>>(),
        "events": status.events.iter().map(|event| event_value(now, event)).collect::<Vec<_>>(),
        "threads": {
            "realtime": status.threads.realtime,
            "locked": status.threads.locked,
            "queue_drops": status.threads.queue_drops,
            "log_drops": status.threads.log_drops,
        },
        "housekeeper": housekeeper(now, &status.housekeeper),
        "housekeeper_nonsense": status.nonsense,
        "updates": status.rounds.updates.as_ref().map(|job| job_value(now, job)),
        "pruning": status.rounds.pruning.as_ref().map(|job| job_value(now, job)),
    })
}

fn router_value(now: Time, router: &Router) -> Value {
    let master = router.master.map(|master| {
        json!({
            "addr": master.addr,
            "priority": master.priority,
            "interval_ms": ms(master.interval),
            "heard_ago_ms": ago(now, master.heard),
        })
    });
    json!({
        "vrid": router.vrid,
        "family": router.family,
        "protocol": router.protocol,
        "interface": router.interface,
        "vips": router.vips.iter().map(|vip| format!("{}/{}", vip.addr, vip.prefix)).collect::<Vec<_>>(),
        "state": router.state,
        "state_for_ms": ago(now, router.since),
        "reason": router.reason,
        "holds_vip": matches!(router.state, State::Master | State::Leaving),
        "address_present": router.present,
        "lease": router.lease,
        "priority": router.priority,
        "base": router.base,
        "tracks": router.tracks.iter().map(share).collect::<Vec<_>>(),
        "source": router.source,
        "multicast": router.multicast,
        "interval_ms": ms(router.interval),
        "master": master,
        "deadline_in_ms": router.deadline.map(|deadline| ago(deadline, now)),
        "adverts_sent": router.sent,
        "adverts_received": router.received,
        "rejects": router.rejects.iter().map(|r| json!({ "reason": r.name, "count": r.count })).collect::<Vec<_>>(),
        "peers": router.peers.iter().map(|peer| peer_value(now, peer)).collect::<Vec<_>>(),
    })
}

fn share(share: &Share) -> Value {
    json!({ "name": share.name, "weight": share.weight, "counts": share.counts })
}

fn peer_value(now: Time, peer: &Peer) -> Value {
    json!({
        "addr": peer.addr,
        "never_heard": peer.heard.is_none(),
        "heard_ago_ms": peer.heard.map(|heard| ago(now, heard)),
        "priority": peer.priority,
        "adverts": peer.adverts,
        "range": peer.range.map(|range| json!({ "floor": range.floor, "ceiling": range.ceiling })),
        "last_reject": peer.reject.as_ref().map(|r| json!({ "reason": r.name, "ago_ms": ago(now, r.at) })),
    })
}

fn check_value(now: Time, check: &Check) -> Value {
    json!({
        "name": check.name,
        "health": check.health,
        "well": check.health == Health::Well,
        "health_for_ms": ago(now, check.since),
        "detail": check.detail,
        "interval_ms": ms(check.interval),
        "weight": check.weight,
    })
}

fn event_value(now: Time, event: &Event) -> Value {
    json!({ "ago_ms": ago(now, event.at), "router": event.router, "text": event.text })
}

fn housekeeper(now: Time, housekeeper: &Housekeeper) -> Value {
    match housekeeper {
        Housekeeper::Off => json!({ "state": "off" }),
        Housekeeper::Running { pid, since } => {
            json!({ "state": "running", "pid": pid, "running_for_ms": ago(now, *since) })
        }
        Housekeeper::Restarting { at, reason } => {
            json!({ "state": "restarting", "restart_in_ms": ago(*at, now), "reason": reason })
        }
    }
}

fn job_value(now: Time, job: &Job) -> Value {
    let last = job.last.as_ref().map(|last| {
        json!({
            "ago_ms": ago(now, last.at),
            "took_ms": ms(last.took),
            "summary": last.summary,
            "note": last.note,
        })
    });
    let round_ago = job.last.as_ref().map_or(Duration::ZERO, |last| now.since(last.at));
    json!({
        "last": last,
        "next_in_ms": job.next.map(|next| ago(next, now)),
        "progress": job.progress,
        "rows": job.rows.iter().map(|row| row_value(now, round_ago, row)).collect::<Vec<_>>(),
        "left_out": job.left_out,
    })
}

fn row_value(now: Time, round_ago: Duration, row: &Row) -> Value {
    json!({
        "kind": row.kind,
        "name": row.name,
        "outcome": row.outcome,
        "reason": row.reason,
        "held_for_ms": row.held_for.map(|held_for| ms(held_for.saturating_add(round_ago))),
        "size": row.size,
        "goes_in_ms": row.goes.map(|goes| ago(goes, now)),
    })
}

/// Whole milliseconds from `then` to `now`.
fn ago(now: Time, then: Time) -> u64 {
    ms(now.since(then))
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_documented_keys_are_there_and_no_others() {
        let status = value(&sample::backup());
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(
            keys(&status),
            "checks events format housekeeper housekeeper_nonsense node pid pruning routers threads updates uptime_ms version"
        );
        let router = &status["routers"][0];
        assert_eq!(
            keys(router),
            "address_present adverts_received adverts_sent base deadline_in_ms family holds_vip interface interval_ms \
             lease master multicast peers priority protocol reason rejects source state state_for_ms tracks vips vrid"
        );
        assert_eq!(keys(&router["master"]), "addr heard_ago_ms interval_ms priority");
        assert_eq!(
            keys(&router["peers"][0]),
            "addr adverts heard_ago_ms last_reject never_heard priority range"
        );
        assert_eq!(keys(&router["tracks"][0]), "counts name weight");
        assert_eq!(keys(&status["checks"][0]), "detail health health_for_ms interval_ms name weight well");
        assert_eq!(keys(&status["events"][0]), "ago_ms router text");
        assert_eq!(keys(&status["threads"]), "locked log_drops queue_drops realtime");
        assert_eq!(status["pruning"], Value::Null);
        let updates = &value(&sample::busy())["updates"];
        assert_eq!(keys(updates), "last left_out next_in_ms progress rows");
        assert_eq!(keys(&updates["last"]), "ago_ms note summary took_ms");
        assert_eq!(keys(&updates["rows"][0]), "goes_in_ms held_for_ms kind name outcome reason size");
    }

    #[test]
    fn states_are_lower_case_and_times_are_milliseconds() {
        let status = value(&sample::backup());
        let router = &status["routers"][0];
        assert_eq!(router["state"], "backup");
        assert_eq!(router["family"], "ipv4");
        assert_eq!(router["vips"], json!(["10.0.10.39/24"]));
        assert_eq!(router["master"]["heard_ago_ms"], 412);
        assert_eq!(router["deadline_in_ms"], 3_080);
        assert_eq!(router["interval_ms"], 1_000);
        assert_eq!(router["peers"][1]["heard_ago_ms"], Value::Null);
        assert_eq!(router["peers"][1]["never_heard"], true);
        assert_eq!(status["checks"][1]["health"], "failed");
        assert_eq!(status["housekeeper"], json!({ "state": "off" }));
        let status = value(&sample::busy());
        assert_eq!(status["updates"]["last"]["took_ms"], 4_200);
        assert_eq!(status["updates"]["rows"][0]["outcome"], "rolled-back");
        // Held for an hour when the round ended, two minutes ago.
        assert_eq!(status["updates"]["rows"][1]["held_for_ms"], 3_720_000);
        assert_eq!(status["pruning"]["rows"][0]["goes_in_ms"], 1_080_000);
        assert_eq!(status["pruning"]["next_in_ms"], 1_200_000);
        assert!(write(&sample::backup()).ends_with("}\n"));
    }
}
