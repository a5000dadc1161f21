//! The status for a program: `status --json`. Pure. The keys are a promise (see `report/mod.rs`), and `format` grows
//! when one changes its meaning or goes. All times are whole milliseconds, `*_ms`; moments are told as their age.

use super::rounds::{Job, Row};
use super::status::{Check, Health, Housekeeper, Master, Peer, Router, Share, State, Status};
use super::writer::Writer;
use crate::time::Time;
use core::time::Duration;

/// The whole document, indented, with a newline at its end.
pub fn write(status: &Status) -> String {
    document(status, Writer::indented())
}

/// The whole document on one line, with a newline at its end.
pub fn line(status: &Status) -> String {
    document(status, Writer::compact())
}

fn document(status: &Status, mut w: Writer) -> String {
    w.open("", '{');
    members(status, &mut w);
    w.close('}');
    w.finish() + "\n"
}

/// Its members: `/status.json` has more of them.
pub fn members(status: &Status, w: &mut Writer) {
    let now = status.now;
    w.number("format", u64::from(status.format));
    w.text("node", &status.node);
    w.text("version", &status.version);
    w.number("pid", u64::from(status.pid));
    w.number("uptime_ms", ago(now, status.started));
    w.objects("routers", &status.routers, |one, w| router(now, one, w));
    w.objects("checks", &status.checks, |one, w| check(now, one, w));
    w.objects("events", &status.events, |event, w| {
        w.number("ago_ms", ago(now, event.at));
        w.maybe_text("router", event.router.as_deref());
        w.text("text", &event.text);
    });
    w.open("threads", '{');
    w.flag("realtime", status.threads.realtime);
    w.flag("locked", status.threads.locked);
    w.number("queue_drops", status.threads.queue_drops);
    w.number("log_drops", status.threads.log_drops);
    w.close('}');
    housekeeper(now, &status.housekeeper, w);
    w.number("housekeeper_nonsense", status.nonsense);
    w.maybe_object("updates", status.rounds.updates.as_ref(), |one, w| job(now, one, w));
    w.maybe_object("pruning", status.rounds.pruning.as_ref(), |one, w| job(now, one, w));
}

fn router(now: Time, router: &Router, w: &mut Writer) {
    w.number("vrid", u64::from(router.vrid));
    w.text("family", router.family.name());
    w.number("protocol", u64::from(router.protocol));
    w.text("interface", &router.interface);
    w.open("vips", '[');
    for vip in &router.vips {
        w.text("", &format!("{}/{}", vip.addr, vip.prefix));
    }
    w.close(']');
    w.text("state", router.state.name());
    w.number("state_for_ms", ago(now, router.since));
    w.text("reason", &router.reason);
    w.flag("holds_vip", matches!(router.state, State::Master | State::Leaving));
    w.flag("address_present", router.present);
    w.flag("lease", router.lease);
    w.maybe_number("priority", router.priority.map(u64::from));
    w.number("base", u64::from(router.base));
    w.objects("tracks", &router.tracks, share);
    w.maybe_text("source", router.source.map(|source| source.to_string()).as_deref());
    w.flag("multicast", router.multicast);
    w.number("interval_ms", ms(router.interval));
    w.maybe_object("master", router.master.as_ref(), |one, w| master(now, one, w));
    w.maybe_number("deadline_in_ms", router.deadline.map(|deadline| ago(deadline, now)));
    w.number("adverts_sent", router.sent);
    w.number("adverts_received", router.received);
    w.objects("rejects", &router.rejects, |reject, w| {
        w.text("reason", &reject.name);
        w.number("count", reject.count);
    });
    w.objects("peers", &router.peers, |one, w| peer(now, one, w));
}

fn master(now: Time, master: &Master, w: &mut Writer) {
    w.text("addr", &master.addr.to_string());
    w.number("priority", u64::from(master.priority));
    w.number("interval_ms", ms(master.interval));
    w.number("heard_ago_ms", ago(now, master.heard));
}

fn share(share: &Share, w: &mut Writer) {
    w.text("name", &share.name);
    weight(share.weight, w);
    w.flag("counts", share.counts);
}

fn weight(weight: Option<i16>, w: &mut Writer) {
    match weight {
        Some(weight) => w.shown("weight", &weight),
        None => w.raw("weight", "null"),
    }
}

fn peer(now: Time, peer: &Peer, w: &mut Writer) {
    w.text("addr", &peer.addr.to_string());
    w.flag("never_heard", peer.heard.is_none());
    w.maybe_number("heard_ago_ms", peer.heard.map(|heard| ago(now, heard)));
    w.maybe_number("priority", peer.priority.map(u64::from));
    w.number("adverts", peer.adverts);
    w.maybe_object("range", peer.range, |range, w| {
        w.number("floor", u64::from(range.floor));
        w.number("ceiling", u64::from(range.ceiling));
    });
    w.maybe_object("last_reject", peer.reject.as_ref(), |reject, w| {
        w.text("reason", &reject.name);
        w.number("ago_ms", ago(now, reject.at));
    });
}

fn check(now: Time, check: &Check, w: &mut Writer) {
    w.text("name", &check.name);
    w.text("health", check.health.name());
    w.flag("well", check.health == Health::Well);
    w.number("health_for_ms", ago(now, check.since));
    w.text("detail", &check.detail);
    w.number("interval_ms", ms(check.interval));
    weight(check.weight, w);
}

fn housekeeper(now: Time, housekeeper: &Housekeeper, w: &mut Writer) {
    w.open("housekeeper", '{');
    match housekeeper {
        Housekeeper::Off => w.text("state", "off"),
        Housekeeper::Running { pid, since } => {
            w.text("state", "running");
            w.number("pid", u64::from(*pid));
            w.number("running_for_ms", ago(now, *since));
        }
        Housekeeper::Restarting { at, reason } => {
            w.text("state", "restarting");
            w.number("restart_in_ms", ago(*at, now));
            w.text("reason", reason);
        }
    }
    w.close('}');
}

fn job(now: Time, job: &Job, w: &mut Writer) {
    w.maybe_object("last", job.last.as_ref(), |last, w| {
        w.number("ago_ms", ago(now, last.at));
        w.number("took_ms", ms(last.took));
        w.text("summary", &last.summary);
        w.maybe_text("note", last.note.as_deref());
    });
    w.maybe_number("next_in_ms", job.next.map(|next| ago(next, now)));
    w.text("progress", &job.progress);
    let round_ago = job.last.as_ref().map_or(Duration::ZERO, |last| now.since(last.at));
    w.objects("rows", &job.rows, |one, w| row(now, round_ago, one, w));
    w.number("left_out", u64::from(job.left_out));
}

fn row(now: Time, round_ago: Duration, row: &Row, w: &mut Writer) {
    w.text("kind", &row.kind);
    w.text("name", &row.name);
    w.text("outcome", row.outcome.name());
    w.text("reason", &row.reason);
    let held_for = row.held_for.map(|held_for| ms(held_for.saturating_add(round_ago)));
    w.maybe_number("held_for_ms", held_for);
    w.number("size", row.size);
    w.maybe_number("goes_in_ms", row.goes.map(|goes| ago(goes, now)));
}

/// Whole milliseconds from `then` to `now`.
pub fn ago(now: Time, then: Time) -> u64 {
    ms(now.since(then))
}

/// Whole milliseconds.
pub fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use serde_json::{Value, json};

    fn value(status: &Status) -> Value {
        serde_json::from_str(&line(status)).unwrap()
    }

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
        let text = write(&sample::backup());
        assert!(
            text.starts_with("{\n  \"format\": 1,\n  \"node\": \"pi-2\",\n") && text.ends_with("\n}\n"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value(&sample::backup()));
    }
}
