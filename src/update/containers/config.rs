//! What a person asked for of a container: its `Config` without what came from its image. What is left out here, the
//! new image fills in with its own (moby merges the image's `Config` into every create request).

use serde_json::{Map, Value, json};

/// A JSON object.
pub type Object = Map<String, Value>;

/// Which compose project's tool compares with the local image, to tell whether a container is out of date.
const COMPOSE_IMAGE: &str = "com.docker.compose.image";

/// Both of these may be missing, null or empty, and mean the same.
fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => false,
    }
}

/// The same, where missing, null and empty are the same.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    one == other || (is_empty(one) && is_empty(other))
}

/// `config` without what `image` (the `Config` of the image it was made from) gave it.
pub fn asked_for(config: &Object, image: &Object) -> Object {
    let mut own = config.clone();
    command(&mut own, image);
    health(&mut own, image);
    for key in ["User", "WorkingDir", "StopSignal", "Shell", "OnBuild", "ArgsEscaped"] {
        if same(config.get(key), image.get(key)) {
            own.remove(key);
        }
    }
    if let (Some(Value::Array(env)), Some(Value::Array(theirs))) = (own.get_mut("Env"), image.get("Env")) {
        env.retain(|entry| !theirs.contains(entry));
    }
    for key in ["Labels", "ExposedPorts", "Volumes"] {
        if let (Some(Value::Object(ours)), Some(Value::Object(theirs))) = (own.get_mut(key), image.get(key)) {
            ours.retain(|name, value| theirs.get(name) != Some(value));
        }
    }
    own
}

/// `Entrypoint` and `Cmd` go together: an entrypoint that is asked for keeps the image's command out, and `[""]` is
/// how one asks for none at all.
fn command(own: &mut Object, image: &Object) {
    let cmd_is_theirs = same(own.get("Cmd"), image.get("Cmd"));
    if same(own.get("Entrypoint"), image.get("Entrypoint")) {
        if cmd_is_theirs {
            own.remove("Cmd");
        }
        // With no command of its own, it is the entrypoint that keeps the image's command out.
        if cmd_is_theirs || !is_empty(own.get("Cmd")) {
            own.remove("Entrypoint");
        }
    } else if is_empty(own.get("Entrypoint")) {
        own.insert("Entrypoint".into(), json!([""]));
    }
}

/// Docker fills in a health check field by field.
fn health(own: &mut Object, image: &Object) {
    let Some(Value::Object(check)) = own.get_mut("Healthcheck") else { return };
    if let Some(Value::Object(theirs)) = image.get("Healthcheck") {
        check.retain(|field, value| theirs.get(field) != Some(value));
    }
    if check.is_empty() {
        own.remove("Healthcheck");
    }
}

/// Tells compose that this container runs the newest image, so that `docker compose up` does not recreate it again.
pub fn tell_compose(own: &mut Object, old_image: &str, new_image: &str) {
    if let Some(Value::Object(labels)) = own.get_mut("Labels")
        && labels.get(COMPOSE_IMAGE).and_then(Value::as_str) == Some(old_image)
    {
        labels.insert(COMPOSE_IMAGE.into(), new_image.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(fields) = value else { panic!("{value} is no object") };
        fields
    }

    fn own(config: Value, image: Value) -> Value {
        Value::Object(asked_for(&object(config), &object(image)))
    }

    #[test]
    fn what_the_image_gave_is_left_to_the_new_image() {
        let config = json!({
            "Env": ["MINE=1", "PATH=/bin", "VERSION=1", "LANG=de"], "User": "app", "WorkingDir": "/srv",
            "Labels": {"version": "1", "mine": "yes", "shared": "changed"}, "StopSignal": "SIGQUIT",
            "ExposedPorts": {"80/tcp": {}, "9000/udp": {}}, "Volumes": {"/data": {}, "/mine": {}},
            "Image": "app:latest", "Tty": true, "StopTimeout": 30, "Unknown": {"kept": 1}, "OnBuild": null
        });
        let image = json!({
            "Env": ["PATH=/bin", "VERSION=1", "LANG=C"], "User": "app", "WorkingDir": "/srv",
            "Labels": {"version": "1", "shared": "first"}, "StopSignal": "SIGQUIT",
            "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "OnBuild": []
        });
        assert_eq!(
            own(config, image),
            json!({
                "Env": ["MINE=1", "LANG=de"], "Labels": {"mine": "yes", "shared": "changed"},
                "ExposedPorts": {"9000/udp": {}}, "Volumes": {"/mine": {}},
                "Image": "app:latest", "Tty": true, "StopTimeout": 30, "Unknown": {"kept": 1}
            })
        );
    }

    #[test]
    fn what_was_asked_for_against_the_image_stays() {
        let config = json!({"User": "root", "WorkingDir": "/", "StopSignal": "SIGINT", "Env": ["A=1"], "Labels": null});
        let image = json!({"User": "app", "WorkingDir": "/srv", "StopSignal": "SIGTERM", "Env": null, "Labels": {"a": "b"}});
        assert_eq!(own(config.clone(), image), config);
    }

    #[test]
    fn entrypoint_and_command_go_together() {
        let image = || json!({"Entrypoint": ["/start"], "Cmd": ["serve"]});
        // Nothing was asked for.
        assert_eq!(own(json!({"Entrypoint": ["/start"], "Cmd": ["serve"]}), image()), json!({}));
        // Another command: the new image's entrypoint runs it.
        assert_eq!(
            own(json!({"Entrypoint": ["/start"], "Cmd": ["check"]}), image()),
            json!({"Cmd": ["check"]})
        );
        // Another entrypoint: the command, though it looks like the image's, was asked for, too.
        let both = json!({"Entrypoint": ["/mine"], "Cmd": ["serve"]});
        assert_eq!(own(both.clone(), image()), both);
        // The image's own entrypoint was asked for, which drops the image's command.
        let bare = json!({"Entrypoint": ["/start"], "Cmd": null});
        assert_eq!(own(bare.clone(), image()), bare);
        // `--entrypoint ""` with a command of its own.
        let none = json!({"Entrypoint": null, "Cmd": ["sh"]});
        assert_eq!(own(none, image()), json!({"Entrypoint": [""], "Cmd": ["sh"]}));
        // An image without entrypoint.
        let plain = json!({"Entrypoint": null, "Cmd": ["sh"]});
        assert_eq!(own(plain, json!({"Cmd": ["sh"]})), json!({}));
    }

    #[test]
    fn a_health_check_is_compared_field_by_field() {
        let image = json!({"Healthcheck": {"Test": ["CMD", "ok"], "Interval": 5, "Retries": 3}});
        let same = json!({"Healthcheck": {"Test": ["CMD", "ok"], "Interval": 5, "Retries": 3}});
        assert_eq!(own(same, image.clone()), json!({}));
        let slower = json!({"Healthcheck": {"Test": ["CMD", "ok"], "Interval": 9, "Retries": 3}});
        assert_eq!(own(slower, image.clone()), json!({"Healthcheck": {"Interval": 9}}));
        let off = json!({"Healthcheck": {"Test": ["NONE"]}});
        assert_eq!(own(off.clone(), image), off);
        let mine = json!({"Healthcheck": {"Test": ["CMD", "mine"], "Interval": 5}});
        assert_eq!(own(mine.clone(), json!({})), mine);
    }

    #[test]
    fn compose_is_told_of_the_new_image() {
        let mut own = object(json!({"Labels": {"com.docker.compose.image": "sha256:old", "a": "b"}}));
        tell_compose(&mut own, "sha256:old", "sha256:new");
        assert_eq!(
            Value::Object(own),
            json!({"Labels": {"com.docker.compose.image": "sha256:new", "a": "b"}})
        );
        let mut other = object(json!({"Labels": {"com.docker.compose.image": "sha256:older"}}));
        tell_compose(&mut other, "sha256:old", "sha256:new");
        assert_eq!(Value::Object(other), json!({"Labels": {"com.docker.compose.image": "sha256:older"}}));
    }
}
