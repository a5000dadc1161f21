//! Who speaks: from a container's name and labels to what stands in a message. Pure.

use crate::sorted::Map;

/// Characters of a short ID, as `docker ps` shows it.
pub const SHORT_ID: usize = 12;

/// Labels that dockerd sets on a Swarm task's container.
const SERVICE: &str = "com.docker.swarm.service.name";
const TASK_NAME: &str = "com.docker.swarm.task.name";
const TASK: &str = "com.docker.swarm.task.id";
const NODE: &str = "com.docker.swarm.node.id";
const STACK: &str = "com.docker.stack.namespace";
/// Labels that Compose sets.
const COMPOSE_PROJECT: &str = "com.docker.compose.project";
const COMPOSE_SERVICE: &str = "com.docker.compose.service";

/// Who a message is from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speaker {
    /// Service or container; `docker` and `vrrp` for what they do.
    pub app: String,
    /// Slot of the service, or short ID of the container; may be empty.
    pub proc_id: String,
    /// Structured data: names of parameters (RFC 5424: at most 32 printable characters, none of `="]`), and their
    /// values, which may hold anything.
    pub data: Vec<(&'static str, String)>,
}

impl Speaker {
    /// One of this machine's own parts.
    pub fn of_part(app: &str) -> Self {
        Self { app: app.to_owned(), ..Self::default() }
    }

    /// A container. `id`: its 64 digits; `name`: with or without Docker's `/` in front; `image`: as it was asked for.
    ///
    /// A Swarm service's task speaks as `service`, with its slot; where the service is global, and so without slots, with
    /// its short ID. Any other container speaks under its own name, with its short ID.
    pub fn of_container(id: &str, name: &str, image: &str, labels: &Map<String, String>) -> Self {
        let name = name.trim_start_matches('/');
        let label = |key: &str| labels.get(key).map_or("", String::as_str);
        let short = id.get(..SHORT_ID).unwrap_or(id);
        let (service, stack) = match (label(SERVICE), label(STACK)) {
            ("", _) => (label(COMPOSE_SERVICE), label(COMPOSE_PROJECT)),
            swarm => swarm,
        };
        let app = [label(SERVICE), name, short].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let data = [
            ("service", service),
            ("stack", stack),
            ("task", label(TASK)),
            ("node", label(NODE)),
            ("container_name", name),
            ("container_id", short),
            // What its digest adds is long, and the registry's business.
            ("image", image.split_once('@').map_or(image, |(image, _)| image)),
        ];
        let data = data.into_iter().filter(|(_, value)| !value.is_empty());
        Self {
            app: app.to_owned(),
            proc_id: slot(label(SERVICE), label(TASK_NAME)).unwrap_or(short).to_owned(),
            data: data.map(|(name, value)| (name, value.to_owned())).collect(),
        }
    }
}

/// The slot in a task's name, `service.slot.task`; a global service has its node's ID in that place.
fn slot<'a>(service: &str, task: &'a str) -> Option<&'a str> {
    // A service's name may hold dots.
    let (slot, _) = task.strip_prefix(service)?.strip_prefix('.')?.split_once('.')?;
    // A node's ID has 25 characters; it may be all digits, a slot never has ten.
    ((1..10).contains(&slot.len()) && slot.bytes().all(|byte| byte.is_ascii_digit())).then_some(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f2a9c1b7d4e8f60718293a4b5c6d7e8f9012a3b4c5d6e7f8091a2b3c4d5e6f7";

    fn of(name: &str, image: &str, labels: &[(&str, &str)]) -> Speaker {
        let labels = labels.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        Speaker::of_container(ID, name, image, &labels)
    }

    fn data(speaker: &Speaker) -> Vec<(&str, &str)> {
        speaker.data.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    #[test]
    fn a_task_speaks_as_its_service_with_its_slot() {
        let speaker = of(
            "/shop_web.2.k5yrm8w1l2q0v9x3c7n4b6z8a",
            "nginx:1.27@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            &[
                (SERVICE, "shop_web"),
                (TASK_NAME, "shop_web.2.k5yrm8w1l2q0v9x3c7n4b6z8a"),
                (TASK, "k5yrm8w1l2q0v9x3c7n4b6z8a"),
                (NODE, "q2w3e4r5t6y7u8i9o0p1a2s3d"),
                (STACK, "shop"),
            ],
        );
        assert_eq!((speaker.app.as_str(), speaker.proc_id.as_str()), ("shop_web", "2"));
        let expected = [
            ("service", "shop_web"),
            ("stack", "shop"),
            ("task", "k5yrm8w1l2q0v9x3c7n4b6z8a"),
            ("node", "q2w3e4r5t6y7u8i9o0p1a2s3d"),
            ("container_name", "shop_web.2.k5yrm8w1l2q0v9x3c7n4b6z8a"),
            ("container_id", "3f2a9c1b7d4e"),
            ("image", "nginx:1.27"),
        ];
        assert_eq!(data(&speaker), expected);
    }

    #[test]
    fn a_global_task_has_its_short_id_for_a_slot() {
        for (service, task) in [
            ("agent", "agent.q2w3e4r5t6y7u8i9o0p1a2s3d.k5yrm8w1l2q0v9x3c7n4b6z8a"),
            ("agent", "agent.1234567890123456789012345.k5yrm8w1l2q0v9x3c7n4b6z8a"),
            ("agent", "agent.1"),
            ("agent", "agent..k5"),
            ("agent", ""),
            ("agent", "another.1.k5"),
        ] {
            let speaker = of(task, "busybox", &[(SERVICE, service), (TASK_NAME, task)]);
            assert_eq!((speaker.app.as_str(), speaker.proc_id.as_str()), (service, "3f2a9c1b7d4e"), "{task}");
        }
        let dotted = of("", "", &[(SERVICE, "a.b"), (TASK_NAME, "a.b.17.k5")]);
        assert_eq!((dotted.app.as_str(), dotted.proc_id.as_str()), ("a.b", "17"));
    }

    #[test]
    fn any_other_container_speaks_under_its_name() {
        let plain = of("/heimdall", "lscr.io/linuxserver/heimdall", &[]);
        assert_eq!((plain.app.as_str(), plain.proc_id.as_str()), ("heimdall", "3f2a9c1b7d4e"));
        let expected = [
            ("container_name", "heimdall"),
            ("container_id", "3f2a9c1b7d4e"),
            ("image", "lscr.io/linuxserver/heimdall"),
        ];
        assert_eq!(data(&plain), expected);
        let compose = of(
            "/media-db-1",
            "postgres:16",
            &[(COMPOSE_PROJECT, "media"), (COMPOSE_SERVICE, "db"), ("maintainer", "x")],
        );
        assert_eq!(compose.app, "media-db-1");
        assert_eq!(data(&compose)[..2], [("service", "db"), ("stack", "media")]);
        assert_eq!(of("", "", &[]).app, "3f2a9c1b7d4e");
        assert_eq!(Speaker::of_container("", "", "", &Map::new()), Speaker::default());
        assert_eq!(Speaker::of_part("vrrp").app, "vrrp");
    }
}
