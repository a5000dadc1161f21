//! The volumes of a container, the anonymous ones by the names that Docker gave them: the new container gets the very
//! same ones.

use super::config::Object;
use serde_json::{Value, json};

/// A path without the slash at its end.
fn path(text: &str) -> &str {
    if text.len() > 1 { text.trim_end_matches('/') } else { text }
}

/// Where an entry of `HostConfig.Binds` is mounted: `source:target[:mode]`, or the target alone.
fn target(bind: &str) -> &str {
    path(bind.split(':').nth(1).unwrap_or(bind))
}

/// Names in `host` (a `HostConfig`) each volume among `mounts` (of the inspected container) that has no name there.
pub fn keep(host: &mut Object, mounts: &[Value]) {
    for mount in mounts.iter().filter(|mount| mount["Type"] == "volume") {
        if let (Some(name), Some(at)) = (mount["Name"].as_str(), mount["Destination"].as_str())
            && !name.is_empty()
        {
            keep_one(host, name, path(at), mount["RW"] != false);
        }
    }
}

fn keep_one(host: &mut Object, name: &str, at: &str, writable: bool) {
    if let Some(Value::Array(mounts)) = host.get_mut("Mounts") {
        let same = |mount: &&mut Value| mount["Target"].as_str().is_some_and(|target| path(target) == at);
        if let Some(mount) = mounts.iter_mut().find(same) {
            // `--mount type=volume` without a source: a second entry for the same path would be refused.
            if mount["Source"].as_str().unwrap_or_default().is_empty() {
                mount["Source"] = name.into();
            }
            return;
        }
    }
    let bind = format!("{name}:{at}{}", if writable { "" } else { ":ro" });
    let binds = host.entry("Binds").or_insert_with(|| json!([]));
    if binds.is_null() {
        *binds = json!([]);
    }
    let Value::Array(binds) = binds else { return };
    match binds.iter_mut().find(|entry| entry.as_str().is_some_and(|entry| target(entry) == at)) {
        // The path alone stands for an anonymous volume there.
        Some(entry) if entry.as_str().is_some_and(|entry| !entry.contains(':')) => *entry = bind.into(),
        Some(_) => {}
        None => binds.push(bind.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(host: Value, mounts: Value) -> Value {
        let (Value::Object(mut host), Value::Array(mounts)) = (host, mounts) else { panic!("wrong types") };
        keep(&mut host, &mounts);
        Value::Object(host)
    }

    #[test]
    fn anonymous_volumes_get_their_names() {
        let mounts = json!([
            {"Type": "volume", "Name": "1f0c", "Destination": "/data", "RW": true},
            {"Type": "volume", "Name": "2e1d", "Destination": "/certs", "RW": false},
            {"Type": "bind", "Source": "/etc/app", "Destination": "/etc/app", "RW": true}
        ]);
        let host = json!({"Binds": ["/etc/app:/etc/app"], "Memory": 1});
        let binds = json!(["/etc/app:/etc/app", "1f0c:/data", "2e1d:/certs:ro"]);
        assert_eq!(kept(host, mounts.clone()), json!({"Binds": binds, "Memory": 1}));
        assert_eq!(kept(json!({"Binds": null}), mounts), json!({"Binds": ["1f0c:/data", "2e1d:/certs:ro"]}));
    }

    #[test]
    fn volumes_with_a_name_stay_as_they_were_asked_for() {
        let mounts = json!([
            {"Type": "volume", "Name": "db", "Destination": "/data", "RW": true},
            {"Type": "volume", "Name": "cfg", "Destination": "/config", "RW": false}
        ]);
        let host = json!({
            "Binds": ["db:/data/:rw,z"],
            "Mounts": [{"Type": "volume", "Source": "cfg", "Target": "/config", "ReadOnly": true}]
        });
        assert_eq!(kept(host.clone(), mounts), host);
    }

    #[test]
    fn a_mount_without_source_gets_it_where_it_stands() {
        let mounts = json!([{"Type": "volume", "Name": "3f", "Destination": "/cache", "RW": true}]);
        let host =
            json!({"Mounts": [{"Type": "volume", "Target": "/cache/", "VolumeOptions": {"NoCopy": true}}]});
        let mounted = json!([{"Type": "volume", "Source": "3f", "Target": "/cache/", "VolumeOptions": {"NoCopy": true}}]);
        assert_eq!(kept(host, mounts.clone()), json!({"Mounts": mounted}));
        assert_eq!(kept(json!({"Binds": ["/cache"]}), mounts), json!({"Binds": ["3f:/cache"]}));
    }
}
