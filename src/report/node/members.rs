//! A node's members of `/status.json`. Pure.

use super::{Board, Docker, Member, Node, Service, Shipping, Storage, Swarm};
use crate::report::writer::Writer;

impl Node {
    /// Its members of `/status.json`.
    pub fn members(&self, w: &mut Writer) {
        w.maybe_object("docker", self.docker.as_ref(), docker);
        w.maybe_object("swarm", self.swarm.as_ref(), swarm);
        w.objects("disks", &self.disks, |disk, w| {
            w.text("path", &disk.path);
            w.text("what", disk.what);
            w.number("size_bytes", disk.size);
            w.number("free_bytes", disk.free);
            w.flag("read_only", disk.read_only);
        });
        w.maybe_object("board", self.board.as_ref(), board);
        w.maybe_object("ceph", self.ceph.as_ref(), storage);
        w.maybe_object("syslog", self.syslog.as_ref(), shipping);
    }
}

fn docker(docker: &Docker, w: &mut Writer) {
    w.flag("reachable", docker.error.is_none());
    w.maybe_text("error", docker.error.as_deref());
    w.maybe_number("age_ms", docker.age);
    if let Some(engine) = &docker.engine {
        w.text("name", &engine.name);
        w.text("version", &engine.version);
        w.text("api_version", &engine.api_version);
        w.text("os", &engine.os);
        w.text("architecture", &engine.architecture);
        w.number("cpus", engine.cpus);
        w.number("memory_bytes", engine.memory);
        w.number("containers", engine.containers);
        w.number("containers_running", engine.running);
        w.number("containers_paused", engine.paused);
        w.number("containers_stopped", engine.stopped);
        w.number("images", engine.images);
        w.text("driver", &engine.driver);
        w.text("root_dir", &engine.root_dir);
    }
}

fn swarm(swarm: &Swarm, w: &mut Writer) {
    w.text("state", &swarm.state);
    w.text("node_id", &swarm.node_id);
    w.flag("manager", swarm.manager);
    w.maybe_text("leader", swarm.leader());
    w.maybe_text("error", swarm.error.as_deref());
    maybe_list("nodes", swarm.members.as_deref(), member, w);
    maybe_list("services", swarm.services.as_deref(), service, w);
}

/// A list, or null where nothing is known.
fn maybe_list<T>(key: &str, all: Option<&[T]>, members: impl Fn(&T, &mut Writer), w: &mut Writer) {
    match all {
        Some(all) => w.objects(key, all, members),
        None => w.raw(key, "null"),
    }
}

fn member(member: &Member, w: &mut Writer) {
    w.text("id", &member.id);
    w.text("name", &member.name);
    w.text("addr", &member.addr);
    w.text("role", &member.role);
    w.flag("leader", member.leader);
    w.text("availability", &member.availability);
    w.text("state", &member.state);
    w.text("version", &member.version);
    w.text("architecture", &member.architecture);
}

fn service(service: &Service, w: &mut Writer) {
    w.text("id", &service.id);
    w.text("name", &service.name);
    w.maybe_text("stack", service.stack.as_deref());
    w.text("image", &service.image);
    w.maybe_text("digest", service.digest.as_deref());
    w.maybe_text("newest_digest", service.newest.as_deref());
    w.text("mode", service.mode);
    w.number("running", service.running);
    w.number("desired", service.desired);
    w.text("state", service.state.name());
    w.maybe_text("detail", service.detail.as_deref());
    w.maybe_number("updated_ago_ms", service.updated_ago);
}

fn board(board: &Board, w: &mut Writer) {
    let flag = |flag: Option<bool>| flag.map_or("null", |flag| if flag { "true" } else { "false" });
    w.maybe_text("model", board.model.as_deref());
    match board.heat {
        Some(heat) => w.shown("temperature_celsius", &(f64::from(heat) / 1000.0)),
        None => w.raw("temperature_celsius", "null"),
    }
    w.raw("under_voltage", flag(board.under_voltage));
    w.raw("throttled", flag(board.throttled));
}

/// The keys of the answer stand beside those that tell of the asking.
fn storage(storage: &Storage, w: &mut Writer) {
    w.maybe_text("error", storage.error.as_deref());
    w.maybe_number("asked_ago_ms", storage.asked_ago);
    let answer = storage.json.as_deref().and_then(|json| json.strip_prefix('{')?.strip_suffix('}'));
    if let Some(members) = answer.filter(|members| !members.is_empty()) {
        w.raw("", members);
    }
}

fn shipping(shipping: &Shipping, w: &mut Writer) {
    w.text("target", &shipping.target);
    w.flag("connected", shipping.connected);
    w.number("sent", shipping.sent);
    w.number("dropped", shipping.dropped);
    w.number("queued", shipping.queued);
    w.maybe_text("error", shipping.error.as_deref());
}
