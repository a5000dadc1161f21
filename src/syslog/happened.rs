//! What happened in Docker and to the VIP, in the words and with the severity of a message. Pure.

use super::message::{INFORMATIONAL, NOTICE, WARNING};
use super::names::{SHORT_ID, Speaker};
use crate::docker::api::Event;

/// The actions that Docker is asked for. Not among them: what health checks and `docker exec` and `top` do all the time,
/// and what only repeats another one (`kill`, `stop` before `die`).
pub const ACTIONS: [&str; 11] = [
    "create",
    "delete",
    "destroy",
    "die",
    "health_status",
    "oom",
    "pull",
    "remove",
    "start",
    "unpause",
    "update",
];

/// What is said of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// RFC 5424 table 2.
    pub severity: u8,
    /// Who says it, and of what.
    pub speaker: Speaker,
    /// In words.
    pub text: String,
}

/// Docker's own event; nothing where it is not worth a line.
pub fn docker(event: &Event) -> Option<Happened> {
    let attribute = |key: &str| event.actor.attributes.get(key).map_or("", String::as_str);
    let action = event.action.as_str();
    let id = event.actor.id.as_str();
    let name = [attribute("name"), id].into_iter().find(|name| !name.is_empty())?;
    let mut severity = INFORMATIONAL;
    let text = match (event.kind.as_str(), action) {
        ("container", "start") => format!("container {name} started"),
        ("container", "die") => {
            let code = attribute("exitCode");
            severity = if code == "0" { INFORMATIONAL } else { WARNING };
            format!("container {name} ended with exit code {code}")
        }
        ("container", "oom") => {
            severity = WARNING;
            format!("container {name} ran out of memory")
        }
        ("container", _) => {
            let health = action.strip_prefix("health_status:")?.trim();
            severity = if health == "unhealthy" { WARNING } else { INFORMATIONAL };
            format!("container {name} is {health}")
        }
        ("image", "pull") => format!("image {id} pulled"),
        ("image", "delete") => format!("image {id} deleted"),
        ("service", "create" | "remove") => {
            severity = NOTICE;
            format!("service {name} {action}d")
        }
        ("service" | "node", "update") => {
            severity = NOTICE;
            changed(event, name)?
        }
        ("node", "create" | "remove") => {
            severity = NOTICE;
            format!("node {name} {action}d")
        }
        _ => return None,
    };
    let mut speaker = match event.kind.as_str() {
        "container" => {
            Speaker::of_container(id, attribute("name"), attribute("image"), &event.actor.attributes)
        }
        _ => Speaker::default(),
    };
    "docker".clone_into(&mut speaker.app);
    speaker.proc_id.clear();
    Some(Happened { severity, speaker, text })
}

/// What of a service or a node is another than before: `state ready -> down`.
fn changed(event: &Event, name: &str) -> Option<String> {
    let attributes = &event.actor.attributes;
    let mut text = format!("{} {name}:", event.kind);
    let start = text.len();
    for (key, new) in attributes {
        let Some(what) = key.strip_suffix(".new") else { continue };
        let old = attributes.get(&format!("{what}.old")).map(String::as_str);
        let separator = if text.len() == start { " " } else { ", " };
        text.extend([separator, what, " "]);
        if let Some(old) = old {
            text.extend([digest_cut(old), " -> "]);
        }
        text.push_str(digest_cut(new));
    }
    (text.len() > start).then_some(text)
}

/// `app:latest@sha256:0123456789ab`: enough to tell one from another.
fn digest_cut(value: &str) -> &str {
    let Some((_, digest)) = value.split_once("@sha256:") else { return value };
    // What is no digest may have characters of several bytes there.
    value.get(..value.len() - digest.len().saturating_sub(SHORT_ID)).unwrap_or(value)
}

/// What the VIP process tells of a virtual router (its VRID in front, `12/ipv6`), or of itself.
pub fn vip(router: Option<&str>, text: &str) -> Happened {
    let begins = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
    let severity = if begins(&["FAULT"]) || text.contains(" failed: ") {
        WARNING
    } else if begins(&["MASTER", "BACKUP", "LEAVING", "INIT", "STOPPED"]) {
        NOTICE
    } else {
        INFORMATIONAL
    };
    let mut speaker = Speaker::of_part(if router.is_some() { "vrrp" } else { "unsinkable" });
    speaker.data.extend(router.map(|router| ("vrid", router.to_owned())));
    Happened { severity, speaker, text: text.to_owned() }
}

/// The ID of the container that this process runs in, from its `/proc/self/mountinfo`: Docker mounts the container's
/// own `/etc/hostname` from a directory of that name.
pub fn own_container(mounts: &str) -> Option<&str> {
    let file = mounts.lines().find(|line| line.contains(" /etc/hostname "))?;
    let (_, id) = file.split_once("/containers/")?;
    let id = id.get(..64)?;
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> Option<(u8, String)> {
        let event = serde_json::from_str(json).unwrap();
        docker(&event).map(|happened| (happened.severity, happened.text))
    }

    fn container(action: &str, more: &str) -> Option<(u8, String)> {
        said(&format!(
            r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"3f2a","Attributes":{{"name":"web"{more}}}}}}}"#
        ))
    }

    #[test]
    fn docker_says_what_matters_and_no_more() {
        let is = |severity, text: &str| Some((severity, text.to_owned()));
        assert_eq!(container("start", ""), is(6, "container web started"));
        assert_eq!(container("die", r#","exitCode":"0""#), is(6, "container web ended with exit code 0"));
        assert_eq!(container("die", r#","exitCode":"137""#), is(4, "container web ended with exit code 137"));
        assert_eq!(container("oom", ""), is(4, "container web ran out of memory"));
        assert_eq!(container("health_status: unhealthy", ""), is(4, "container web is unhealthy"));
        assert_eq!(container("health_status: healthy", ""), is(6, "container web is healthy"));
        for action in [
            "exec_create: curl -f localhost",
            "exec_start: x",
            "exec_die",
            "top",
            "create",
            "destroy",
            "kill",
        ] {
            assert_eq!(container(action, ""), None, "{action}");
        }
        let pull =
            r#"{"Type":"image","Action":"pull","Actor":{"ID":"nginx:1.27","Attributes":{"name":"nginx"}}}"#;
        assert_eq!(said(pull), is(6, "image nginx:1.27 pulled"));
        let volume = r#"{"Type":"volume","Action":"create","Actor":{"ID":"v"}}"#;
        assert_eq!(said(volume), None);
        let nobody = r#"{"Type":"container","Action":"start","Actor":{}}"#;
        assert_eq!(said(nobody), None);
    }

    #[test]
    fn what_changed_in_the_swarm_is_told() {
        let recorded = include_str!("../../tests/data/docker/events-service-update.jsonl");
        let told: Vec<_> =
            recorded.lines().filter_map(said).map(|(severity, text)| format!("{severity} {text}")).collect();
        assert_eq!(
            told[..2],
            [
                "5 service upd-continue: image 10.0.10.40:5000/app:latest@sha256:02833638b7e8 -> \
                 10.0.10.40:5000/app:latest@sha256:cd945098896f",
                "5 service upd-continue: updatestate updating",
            ]
        );
        let recorded = include_str!("../../tests/data/docker/events-node-down.jsonl");
        let first = recorded.lines().find_map(said);
        assert_eq!(first, Some((5, "node pi2: state ready -> down".to_owned())));
        // No digest: the cut would fall into its last character.
        let odd = r#"{"Type":"service","Action":"update","Actor":{"ID":"a","Attributes":{"image.new":"b@sha256:01234567890ü"}}}"#;
        assert_eq!(said(odd), Some((5, "service a: image b@sha256:01234567890ü".to_owned())));
    }

    #[test]
    fn events_name_the_container() {
        let json = r#"{"Type":"container","Action":"die","Actor":{"ID":"3f2a9c1b7d4e8f60718293a4","Attributes":
            {"name":"shop_web.2.k5yr","image":"nginx:1.27@sha256:00","exitCode":"1","com.docker.swarm.service.name":"shop_web"}}}"#;
        let happened = docker(&serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!((happened.speaker.app.as_str(), happened.speaker.proc_id.as_str()), ("docker", ""));
        let data: Vec<_> =
            happened.speaker.data.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(
            data,
            [
                ("service", "shop_web"),
                ("container_name", "shop_web.2.k5yr"),
                ("container_id", "3f2a9c1b7d4e"),
                ("image", "nginx:1.27")
            ]
        );
    }

    #[test]
    fn roles_are_noticed_and_failures_are_warnings() {
        let master = vip(Some("12"), "MASTER: 10.0.10.31 fell silent; 10.0.10.39/24 is here");
        assert_eq!((master.severity, master.speaker.app.as_str()), (5, "vrrp"));
        assert_eq!(master.speaker.data, [("vrid", "12".to_owned())]);
        assert_eq!(vip(Some("12"), "FAULT: link down").severity, 4);
        assert_eq!(vip(Some("12"), "effective priority 230 -> 210").severity, 6);
        let check = vip(None, "check process:dockerd failed: 0 processes");
        assert_eq!((check.severity, check.speaker.app.as_str()), (4, "unsinkable"));
    }

    #[test]
    fn a_container_knows_itself() {
        let id = "0123456789abcdef".repeat(4);
        let line = format!(
            "1 2 0:3 / /proc rw - proc proc rw\n\
             512 500 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"
        );
        assert_eq!(own_container(&line), Some(id.as_str()));
        assert_eq!(own_container("512 500 8:1 /etc/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"), None);
        assert_eq!(own_container(&line.replace("0123", "xyzx")), None);
        assert_eq!(own_container(""), None);
    }
}
