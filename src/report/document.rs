//! `/status.json` and `/cluster.json`: see the tables in `report/mod.rs`. Pure.

use super::json;
use super::node::Node;
use super::status::{FORMAT, Status};
use super::writer::Writer;
use core::net::IpAddr;
use core::time::Duration;
use serde::Deserialize;

/// How what is told of the VIP was learnt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Since the VIP process told it.
    pub age: Duration,
    /// Why it does not tell now.
    pub error: Option<String>,
}

/// One node as its own `/status.json` shows it.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// Its address in the flags.
    pub addr: IpAddr,
    /// It is this node.
    pub own: bool,
    /// How old `status` is.
    pub age: Option<Duration>,
    /// Why there is no newer one.
    pub error: Option<&'a str>,
    /// Its document, which is JSON.
    pub status: Option<&'a str>,
}

/// This node.
pub fn status(status: &Status, heard: &Heard, node: &Node, unix_ms: u64) -> String {
    let mut w = Writer::compact();
    w.open("", '{');
    json::members(status, &mut w);
    w.open("daemon", '{');
    w.number("age_ms", json::ms(heard.age));
    w.maybe_text("error", heard.error.as_deref());
    w.close('}');
    w.number("now_unix_ms", unix_ms);
    node.members(&mut w);
    w.close('}');
    w.finish()
}

/// All nodes, in the order of the flags.
pub fn cluster(nodes: &[Seen<'_>], unix_ms: u64) -> String {
    let mut w = Writer::compact();
    w.open("", '{');
    w.number("format", u64::from(FORMAT));
    w.number("now_unix_ms", unix_ms);
    w.objects("nodes", nodes, |node, w| {
        w.text("addr", &node.addr.to_string());
        w.flag("own", node.own);
        w.maybe_number("age_ms", node.age.map(json::ms));
        w.maybe_text("error", node.error);
        w.raw("status", node.status.unwrap_or("null"));
    });
    w.close('}');
    w.finish()
}

/// What makes a document a status.
#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "routers")]
    _routers: Vec<serde::de::IgnoredAny>,
}

/// What another node answers to `/status.json`, if it is that: JSON, whole, an object with what every status has. It is
/// shown to others as it is.
///
/// # Errors
/// What it is instead, in words.
pub fn of_peer(body: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(body).map_err(|_| "what answers there is no text".to_owned())?;
    let shaped = serde_json::from_str::<Shape>(&text);
    shaped.map_err(|error| format!("what answers there is no status: {error}"))?;
    // A list of just these two would do for serde.
    let is_object = text.trim_ascii_start().starts_with('{');
    is_object.then_some(text).ok_or_else(|| "what answers there is no status".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::node::*;
    use super::super::sample;
    use super::*;
    use serde_json::{Value, json};

    fn member() -> Member {
        let text = |text: &str| text.to_owned();
        Member {
            id: text("abc"),
            name: text("pi-1"),
            addr: text("10.0.10.31"),
            role: text("manager"),
            leader: true,
            availability: text("active"),
            state: text("ready"),
            version: text("20.10.24"),
            architecture: text("aarch64"),
        }
    }

    fn service() -> Service {
        Service {
            id: "s1".to_owned(),
            name: "web_app".to_owned(),
            stack: Some("web".to_owned()),
            image: "nginx:1".to_owned(),
            digest: Some("sha256:00".to_owned()),
            newest: None,
            mode: "replicated",
            running: 2,
            desired: 3,
            state: ImageState::RollingBack,
            detail: None,
            updated_ago: Some(120_000),
        }
    }

    fn full() -> Node {
        let swarm = Swarm {
            state: "active".to_owned(),
            manager: true,
            members: Some(vec![member()]),
            services: Some(vec![service()]),
            ..Swarm::default()
        };
        let disk = Disk { path: "/".to_owned(), what: "root", size: 2, free: 1, read_only: false };
        let ceph = Storage { json: Some("{\"health\":\"ok\",\"osds\":{}}".to_owned()), ..Storage::default() };
        Node {
            docker: Some(Docker { engine: Some(Engine::default()), ..Docker::default() }),
            swarm: Some(swarm),
            disks: vec![disk],
            board: Some(Board { heat: Some(51_200), under_voltage: Some(true), ..Board::default() }),
            ceph: Some(ceph),
            syslog: Some(Shipping { sent: 3, ..Shipping::default() }),
        }
    }

    fn read(node: &Node) -> Value {
        let heard = Heard { age: Duration::from_millis(70), error: None };
        serde_json::from_str(&status(&sample::busy(), &heard, node, 1_763_860_000_000)).unwrap()
    }

    fn keys(value: &Value) -> String {
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_documented_keys_are_there_and_no_others() {
        let told = read(&full());
        assert_eq!(
            keys(&told),
            "board ceph checks daemon disks docker events format housekeeper housekeeper_nonsense node now_unix_ms pid \
             pruning routers swarm syslog threads updates uptime_ms version"
        );
        assert_eq!(keys(&told["daemon"]), "age_ms error");
        assert_eq!(
            keys(&told["docker"]),
            "age_ms api_version architecture containers containers_paused containers_running containers_stopped cpus driver \
             error images memory_bytes name os reachable root_dir version"
        );
        assert_eq!(keys(&told["swarm"]), "error leader manager node_id nodes services state");
        assert_eq!(
            keys(&told["swarm"]["nodes"][0]),
            "addr architecture availability id leader name role state version"
        );
        assert_eq!(
            keys(&told["swarm"]["services"][0]),
            "desired detail digest id image mode name newest_digest running stack state updated_ago_ms"
        );
        assert_eq!(keys(&told["disks"][0]), "free_bytes path read_only size_bytes what");
        assert_eq!(keys(&told["board"]), "model temperature_celsius throttled under_voltage");
        assert_eq!(keys(&told["ceph"]), "asked_ago_ms error health osds");
        assert_eq!(keys(&told["syslog"]), "connected dropped error queued sent target");
        let nothing = read(&Node::default());
        assert_eq!(keys(&nothing), keys(&told));
        for part in ["docker", "swarm", "board", "ceph", "syslog"] {
            assert_eq!(nothing[part], Value::Null, "{part}");
        }
        let down = Docker { error: Some("no socket".to_owned()), ..Docker::default() };
        let down = read(&Node { docker: Some(down), ..Node::default() });
        assert_eq!(down["docker"], json!({ "reachable": false, "error": "no socket", "age_ms": null }));
    }

    #[test]
    fn values_stand_under_their_keys() {
        let told = read(&full());
        assert_eq!(told["daemon"], json!({ "age_ms": 70, "error": null }));
        assert_eq!(told["now_unix_ms"], 1_763_860_000_000_u64);
        assert_eq!(told["swarm"]["leader"], "pi-1");
        assert_eq!(told["swarm"]["services"][0]["state"], "rolling-back");
        assert_eq!(told["board"]["temperature_celsius"], 51.2);
        assert_eq!(
            (&told["board"]["under_voltage"], &told["board"]["throttled"]),
            (&json!(true), &Value::Null)
        );
    }

    #[test]
    fn the_cluster_shows_each_node_and_who_is_silent() {
        let seen = |last: u8| Seen {
            addr: IpAddr::from([10, 0, 10, last]),
            own: last == 31,
            age: Some(Duration::ZERO),
            error: None,
            status: Some("{\"format\":1}"),
        };
        let silent = Seen { age: None, error: Some("no answer"), status: None, ..seen(33) };
        let told: Value = serde_json::from_str(&cluster(&[seen(31), silent], 7)).unwrap();
        assert_eq!(
            told,
            json!({ "format": 1, "now_unix_ms": 7, "nodes": [
                { "addr": "10.0.10.31", "own": true, "age_ms": 0, "error": null, "status": { "format": 1 } },
                { "addr": "10.0.10.33", "own": false, "age_ms": null, "error": "no answer", "status": null },
            ] })
        );
    }

    #[test]
    fn only_a_status_is_passed_on() {
        let take = |text: &[u8]| of_peer(text.to_vec());
        let status = br#"{"format":1,"node":"pi-2","routers":[{"vrid":12}],"more":{"a":[1,2]}}"#;
        assert_eq!(take(status).unwrap().as_bytes(), status);
        for text in [
            &b""[..],
            b"{}",
            b"[]",
            b"[1,[]]",
            b"<html>",
            b"{\"format\":1}",
            b"{\"format\":1,\"routers\":[]},{",
            b"\xff",
        ] {
            assert!(take(text).is_err(), "{text:?}");
        }
        for end in 0..status.len() {
            assert!(take(&status[..end]).is_err(), "{end}");
        }
        let deep = format!("{{\"format\":1,\"routers\":[],\"x\":{}", "[".repeat(100_000));
        assert!(take(deep.as_bytes()).is_err());
    }
}
