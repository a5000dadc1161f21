//! Made-up `/cluster.json` documents: the user's three Pis on a good day, and what can befall them.

use serde_json::{Value, json};

pub const OLD: &str = "sha256:3f2a1b4c5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80912a3b4c5d6e7f80";
pub const NEW: &str = "sha256:99aa88bb77cc66dd55ee44ff33aa22bb11cc00dd99ee88ff77aa66bb55cc44dd";
const HOUR: u64 = 3_600_000;

/// `10.0.10.31` and up.
fn addr(index: usize) -> String {
    format!("10.0.10.{}", 31 + index)
}

fn peer(index: usize, heard: Option<u64>, priority: Option<u64>) -> Value {
    json!({
        "addr": addr(index), "never_heard": heard.is_none(), "heard_ago_ms": heard, "priority": priority,
        "adverts": 7200, "range": { "floor": 50, "ceiling": 80 }, "last_reject": null,
    })
}

/// The virtual router on node `index` while node `master` holds the VIP.
pub fn router(index: usize, master: usize, since: u64, reason: &str) -> Value {
    let is_master = index == master;
    let base = [200, 100, 50][index];
    let priorities = [230, 130, 80];
    let others = (0..3).filter(|other| *other != index);
    let peers = others.map(|other| {
        if other == master {
            peer(other, Some(400), Some(priorities[other]))
        } else {
            peer(other, None, None)
        }
    });
    json!({
        "vrid": 12, "family": "ipv4", "protocol": 2, "interface": "ens160", "vips": ["10.0.10.39/24"],
        "state": if is_master { "master" } else { "backup" }, "state_for_ms": since, "reason": reason,
        "holds_vip": is_master, "address_present": is_master, "lease": true,
        "priority": priorities[index], "base": base,
        "tracks": [{ "name": "process:dockerd", "weight": 20, "counts": true },
                   { "name": "process:traefik", "weight": 10, "counts": true }],
        "source": addr(index), "multicast": false, "interval_ms": 1000,
        "master": if is_master { Value::Null } else {
            json!({ "addr": addr(master), "priority": priorities[master], "interval_ms": 1000, "heard_ago_ms": 400 })
        },
        "deadline_in_ms": null, "adverts_sent": 14400, "adverts_received": 7200, "rejects": [],
        "peers": peers.collect::<Vec<_>>(),
    })
}

fn check(name: &str, detail: &str) -> Value {
    json!({ "name": name, "health": "well", "well": true, "health_for_ms": 2 * HOUR, "detail": detail,
            "interval_ms": 1000, "weight": 20 })
}

pub fn event(ago: u64, router: Option<&str>, text: &str) -> Value {
    json!({ "ago_ms": ago, "router": router, "text": text })
}

fn pruning(index: usize) -> Value {
    let row = |name: &str, size: u64, goes: u64| {
        json!({ "kind": "image", "name": name, "outcome": "waits", "reason": "no container or service uses it",
                "held_for_ms": null, "size": size, "goes_in_ms": goes })
    };
    let rows = match index {
        0 => vec![row("heimdall:2.1", 312_400_000, 18 * 60_000), row("nginx:1.25", 142_000_000, 24 * 60_000)],
        1 => vec![row("nginx:1.25", 142_000_000, 29 * 60_000)],
        _ => vec![],
    };
    json!({
        "last": { "ago_ms": 600_000, "took_ms": 300, "summary": "1 removed, 312.4 MB freed, 2 waiting", "note": null },
        "next_in_ms": 1_200_000, "progress": "", "rows": rows, "left_out": 0,
    })
}

fn updates(summary: &str) -> Value {
    json!({ "last": { "ago_ms": 120_000, "took_ms": 4200, "summary": summary, "note": null },
            "next_in_ms": 180_000, "progress": "", "rows": [], "left_out": 0 })
}

/// A service that is up to date.
pub fn service(name: &str, image: &str, tasks: u64) -> Value {
    json!({
        "id": format!("id-{name}"), "name": name, "stack": null, "image": image, "digest": OLD, "newest_digest": OLD,
        "mode": "replicated", "running": tasks, "desired": tasks, "state": "current", "detail": null,
        "updated_ago_ms": 26 * HOUR,
    })
}

fn swarm(index: usize) -> Value {
    let node = |index: usize| {
        json!({ "id": format!("n{index}"), "name": format!("pi-{}", index + 1), "addr": addr(index), "role": "manager",
                "leader": index == 0, "availability": "active", "state": "ready", "version": "20.10.24",
                "architecture": "aarch64" })
    };
    json!({
        "state": "active", "node_id": format!("n{index}"), "manager": true, "leader": "pi-1", "error": null,
        "nodes": [node(0), node(1), node(2)],
        "services": [service("blog", "ghost:5", 1), service("traefik", "traefik:v2.11", 3),
                     service("web_app", "registry.example:5000/shop/app:stable", 3), service("web_db", "postgres:15", 1)],
    })
}

/// One Pi, all well, node `master` with the VIP for two hours.
pub fn status(index: usize, master: usize) -> Value {
    let reason =
        if index == master { "10.0.10.32 fell silent" } else { "10.0.10.31 advertises a higher priority" };
    json!({
        "format": 1, "now_unix_ms": 1_763_860_000_000_u64, "node": format!("pi-{}", index + 1), "version": "0.1.0",
        "pid": 812, "uptime_ms": 50 * HOUR,
        "routers": [router(index, master, 2 * HOUR, reason)],
        "checks": [check("process:dockerd", "1 process"), check("process:traefik", "2 processes")],
        "events": [event(50 * HOUR, None, "started"),
                   event(2 * HOUR, Some("12"), if index == master { "MASTER: 10.0.10.32 fell silent; 10.0.10.39/24 is here" }
                                               else { "BACKUP: 10.0.10.31 advertises a higher priority" })],
        "threads": { "realtime": true, "locked": true, "queue_drops": 0, "log_drops": 0 },
        "housekeeper": { "state": "running", "pid": 815, "running_for_ms": 50 * HOUR }, "housekeeper_nonsense": 0,
        "updates": if index == 0 { updates("4 services") } else { Value::Null }, "pruning": pruning(index),
        "docker": { "reachable": true, "error": null, "name": format!("pi-{}", index + 1), "version": "20.10.24",
            "api_version": "1.41", "os": "Debian GNU/Linux 12", "architecture": "aarch64", "cpus": 4,
            "memory_bytes": 8_000_000_000_u64, "containers": 12, "containers_running": 10, "containers_paused": 0,
            "containers_stopped": 2, "images": 31, "driver": "overlay2", "root_dir": "/var/lib/docker" },
        "swarm": swarm(index),
        "disks": [{ "path": "/", "what": "root", "size_bytes": 31_000_000_000_u64,
                    "free_bytes": 11_200_000_000_u64 + 3_000_000_000 * index as u64, "read_only": false }],
        "board": { "model": "Raspberry Pi 4 Model B Rev 1.4", "temperature_celsius": ([51.2, 52.4, 52.9][index]),
                   "under_voltage": false, "throttled": false },
        "ceph": if index == 0 { ceph() } else { Value::Null },
        "syslog": { "target": "tcp://10.0.10.5:601", "connected": true, "sent": 48_211, "dropped": 0, "queued": 0,
                    "error": null },
    })
}

fn ceph() -> Value {
    json!({
        "error": null, "asked_ago_ms": 9000, "health": "ok", "checks": [], "osds": { "total": 3, "up": 3, "in": 3 },
        "total_bytes": 3_000_000_000_000_u64, "used_bytes": 1_240_000_000_000_u64, "monitors": [3, 3],
        "version": "17.2.7", "manager": "http://10.0.10.31:9283/metrics",
    })
}

/// The whole cluster, as node `own` tells it.
pub fn cluster(own: usize, statuses: Vec<Value>) -> Value {
    let nodes = statuses.into_iter().enumerate().map(|(index, status)| {
        json!({ "addr": addr(index), "own": index == own, "age_ms": if index == own { 0 } else { 1200 },
                "error": null, "status": status })
    });
    json!({ "format": 1, "now_unix_ms": 1_763_860_000_000_u64, "nodes": nodes.collect::<Vec<_>>() })
}

/// A good day, as pi-2 tells it.
pub fn well() -> Value {
    cluster(1, (0..3).map(|index| status(index, 0)).collect())
}

/// pi-1 lost its dockerd and traefik; pi-2 took over.
pub fn failover() -> Value {
    let mut document = well();
    let nodes = &mut document["nodes"];
    for index in [0, 2] {
        nodes[index]["status"]["routers"][0] =
            router(index, 1, 4000, "10.0.10.32 advertises a higher priority");
    }
    nodes[1]["status"]["routers"][0] = router(1, 1, 4000, "10.0.10.31 resigned");
    let first = &mut nodes[0]["status"];
    first["routers"][0]["priority"] = json!(110);
    first["checks"][0] = json!({ "name": "process:dockerd", "health": "failed", "well": false, "health_for_ms": 4200,
                                 "detail": "no such process", "interval_ms": 1000, "weight": 20 });
    first["docker"]["reachable"] = json!(false);
    first["docker"]["error"] = json!("connection refused");
    let happened = |events: &mut Value, ago: u64, text: &str| {
        events.as_array_mut().expect("a list").push(event(ago, Some("12"), text));
    };
    happened(&mut nodes[0]["status"]["events"], 4200, "effective priority 230 -> 110");
    happened(&mut nodes[1]["status"]["events"], 4000, "MASTER: 10.0.10.31 resigned; 10.0.10.39/24 is here");
    document
}

/// pi-1 rolls out a new image of a service.
pub fn rollout() -> Value {
    let mut document = well();
    for index in 0..3 {
        let service = &mut document["nodes"][index]["status"]["swarm"]["services"][2];
        service["newest_digest"] = json!(NEW);
        service["state"] = json!("updating");
        service["detail"] = json!("2 of 3 tasks run the new image");
    }
    let updates = &mut document["nodes"][0]["status"]["updates"];
    updates["progress"] = json!("web_app: 2/3 run 99aa88bb77cc, 14 s");
    updates["next_in_ms"] = Value::Null;
    document
}

/// The new image was bad.
pub fn rolled_back() -> Value {
    let mut document = well();
    for index in 0..3 {
        let service = &mut document["nodes"][index]["status"]["swarm"]["services"][2];
        service["newest_digest"] = json!(NEW);
        service["state"] = json!("held");
        service["detail"] = json!("task web_app.2 exits with 1; waits for the tag to move");
    }
    let status = &mut document["nodes"][0]["status"];
    status["updates"] = updates("4 services, 1 put back");
    status["updates"]["rows"] = json!([{ "kind": "service", "name": "web_app", "outcome": "rolled-back",
        "reason": "task web_app.2 exits with 1", "held_for_ms": 60_000, "size": 0, "goes_in_ms": null }]);
    status["events"].as_array_mut().expect("a list").push(event(
        60_000,
        None,
        "web_app: put back: task web_app.2 exits with 1",
    ));
    document
}

/// pi-3 has not answered for 95 s.
pub fn silent_peer() -> Value {
    let mut document = well();
    document["nodes"][2]["error"] = json!("no answer: connection refused");
    document["nodes"][2]["age_ms"] = json!(95_000);
    document
}

/// pi-1 with the VIP fell silent too, nobody else took over, and pi-3 never answered.
pub fn adrift() -> Value {
    let mut document = well();
    document["nodes"][0]["error"] = json!("no answer: timed out");
    document["nodes"][0]["age_ms"] = json!(20_000);
    document["nodes"][1]["status"]["routers"][0]["master"] = Value::Null;
    document["nodes"][2] = json!({ "addr": "10.0.10.33", "own": false, "age_ms": null,
                                   "error": "no answer: no route to host", "status": null });
    document
}

/// Ceph lost an OSD; a hot Pi with a full disk and a weak supply; the syslog server is away.
pub fn troubled() -> Value {
    let mut document = well();
    let status = &mut document["nodes"][0]["status"];
    let ceph = &mut status["ceph"];
    ceph["health"] = json!("warn");
    ceph["osds"]["up"] = json!(2);
    ceph["checks"] = json!([
        { "name": "OSD_DOWN", "severity": "warn", "text": "1 osds down" },
        { "name": "PG_DEGRADED", "severity": "warn", "text": "Degraded data redundancy: 1021/3063 objects degraded" },
    ]);
    let third = &mut document["nodes"][2]["status"];
    third["board"] = json!({ "model": "Raspberry Pi 4 Model B Rev 1.4", "temperature_celsius": 83.5,
                             "under_voltage": true, "throttled": true });
    third["disks"][0]["free_bytes"] = json!(900_000_000);
    third["syslog"] = json!({ "target": "tcp://10.0.10.5:601", "connected": false, "sent": 811, "dropped": 17,
                              "queued": 4096, "error": "connection refused" });
    document
}

/// Sixty services.
pub fn many() -> Value {
    let mut document = well();
    let services = (0..60).map(|n| {
        service(&format!("stack{}_service-{n:02}", n / 6), "registry.example:5000/team/app:2024.11", 2)
    });
    let services: Value = services.collect();
    for index in 0..3 {
        document["nodes"][index]["status"]["swarm"]["services"] = services.clone();
    }
    document
}

/// Names of people who mean harm, or have no sense of measure.
pub fn hostile() -> Value {
    let mut document = well();
    let evil = "<img src=x onerror=\"window.broken=1\"><script>window.broken=1</script>";
    for index in 0..3 {
        let status = &mut document["nodes"][index]["status"];
        let services = status["swarm"]["services"].as_array_mut().expect("a list");
        services.push(service(evil, "javascript:window.broken=1", 1));
        services.push(service(&"x".repeat(300), &"y".repeat(300), 1));
        services.push(service("constructor", "__proto__", 1));
        services.push(service("constructor", "twin", 1));
        let mut odd = service("odd", "\u{202e}\"'`</td>&amp;", 1);
        odd["state"] = json!("toString");
        odd["detail"] = json!(evil);
        services.push(odd);
        status["events"].as_array_mut().expect("a list").push(event(1000, Some(evil), evil));
        status["checks"][0]["name"] = json!(evil);
        status["updates"] = updates(evil);
    }
    document["nodes"][0]["status"]["node"] = json!(evil);
    document["nodes"][2]["addr"] = json!("javascript:window.broken=1//");
    document
}

/// One node without Docker and without peers that answer: only a VIP.
pub fn bare() -> Value {
    let mut document = cluster(0, vec![status(0, 0)]);
    let status = &mut document["nodes"][0]["status"];
    for key in ["docker", "swarm", "board", "ceph", "syslog", "updates", "pruning"] {
        status[key] = Value::Null;
    }
    status["disks"] = json!([]);
    status["checks"] = json!([]);
    status["events"] = json!([]);
    status["housekeeper"] = json!({ "state": "off" });
    document
}
