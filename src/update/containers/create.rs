//! The request that makes a container again from another image: `POST /containers/create`, and what has to be
//! connected after it. Built on the JSON of `GET /containers/{id}/json`; what is not known here goes along as it is.

use super::config::{self, Object};
use super::{networks, swap, volumes};
use serde_json::Value;

/// How to make the new container.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Of `POST /containers/create`.
    pub body: String,
    /// To be left before the first start.
    pub disconnect: Option<String>,
    /// To be connected before the first start: network and `EndpointConfig`.
    pub connect: Vec<(String, String)>,
}

/// A container that has been replaced: whoever shares its network shares that of the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// ID of the old one.
    pub old: String,
    /// ID of the new one.
    pub new: String,
}

/// Settings of `HostConfig` that may name another container, as `container:ID`.
pub const SHARED: [&str; 3] = ["NetworkMode", "IpcMode", "PidMode"];

/// The request for `container` (inspected), made from `old` (its image, inspected), to be made from the image that its
/// reference names now, with ID `new`.
///
/// # Errors
/// In words, if this is not what Docker's API gives.
pub fn request(container: &Value, old: &Value, new: &str, replaced: &[Replaced]) -> Result<Request, String> {
    let part = |path: &str| container.pointer(path).and_then(Value::as_object).cloned();
    let missing = |what: &str| format!("Docker tells no {what} of it");
    let id = container["Id"].as_str().ok_or_else(|| missing("Id"))?;
    let settings = part("/Config").ok_or_else(|| missing("Config"))?;
    let mut host = part("/HostConfig").ok_or_else(|| missing("HostConfig"))?;
    let image = old["Config"].as_object().cloned().unwrap_or_default();

    let mut body = config::asked_for(&settings, &image);
    config::tell_compose(&mut body, container["Image"].as_str().unwrap_or_default(), new);
    name(&mut body, &host, id);
    ports(&mut body, &settings, &host);
    volumes::keep(&mut host, container["Mounts"].as_array().map_or(&[][..], Vec::as_slice));
    follow(&mut host, replaced);

    let mode = host.get("NetworkMode").and_then(Value::as_str).unwrap_or_default();
    let plan = networks::of(&part("/NetworkSettings/Networks").unwrap_or_default(), mode, id);
    body.insert("NetworkingConfig".into(), plan.create);
    body.insert("HostConfig".into(), Value::Object(host));
    let connect =
        plan.connect.into_iter().map(|(network, endpoint)| (network, endpoint.to_string())).collect();
    Ok(Request { body: Value::Object(body).to_string(), disconnect: plan.disconnect, connect })
}

fn shares_network(host: &Object) -> bool {
    host.get("NetworkMode").and_then(Value::as_str).is_some_and(|mode| mode.starts_with("container:"))
}

/// A host name that Docker made of the ID is made anew; one that belongs to another container or to the host must not
/// be asked for.
fn name(body: &mut Object, host: &Object, id: &str) {
    let borrowed = shares_network(host) || host.get("UTSMode").is_some_and(|mode| mode == "host");
    let default = body.get("Hostname").and_then(Value::as_str) == id.get(..12);
    if borrowed || default {
        body.remove("Hostname");
    }
    if borrowed {
        body.remove("Domainname");
    }
    if shares_network(host) {
        body.remove("MacAddress");
    }
}

/// A published port has to be exposed, too, whoever exposed it first. A borrowed network exposes nothing.
fn ports(body: &mut Object, settings: &Object, host: &Object) {
    if shares_network(host) {
        body.remove("ExposedPorts");
        return;
    }
    let Some(Value::Object(published)) = host.get("PortBindings") else { return };
    let Some(Value::Object(exposed)) = settings.get("ExposedPorts") else { return };
    let Some(Value::Object(asked)) = body.get_mut("ExposedPorts") else { return };
    for (port, value) in exposed.iter().filter(|(port, _)| published.contains_key(*port)) {
        asked.insert(port.clone(), value.clone());
    }
}

/// Lets what named a replaced container by ID, or by the name it has only until it is removed, name the new one.
fn follow(host: &mut Object, replaced: &[Replaced]) {
    // An ID may be given by its first digits; 12 are what Docker shows.
    let new = |of: &str| {
        let one = replaced.iter().find(|one| of.len() >= 12 && one.old.starts_with(of));
        one.map(|one| one.new.as_str())
    };
    for key in SHARED {
        let Some(mode) = host.get(key).and_then(Value::as_str) else { continue };
        if let Some(new) = mode.strip_prefix("container:").and_then(new) {
            host.insert(key.into(), format!("container:{new}").into());
        }
    }
    if let Some(Value::Array(from)) = host.get_mut("VolumesFrom") {
        for one in from {
            let of = one.as_str().map(|text| text.split_once(':').unwrap_or((text, "")));
            if let Some((new, mode)) = of.and_then(|(of, mode)| Some((new(of)?, mode))) {
                *one = if mode.is_empty() { new.into() } else { format!("{new}:{mode}").into() };
            }
        }
    }
    if let Some(Value::Array(links)) = host.get_mut("Links") {
        for link in links {
            let Some((source, alias)) = link.as_str().and_then(|link| link.split_once(':')) else { continue };
            *link = format!("{}:{alias}", swap::without_mark(source)).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "b8718842e887a1cfc784017eb1ebd8a3409e5898c3b768b203ffbf2182899f39";
    const OTHER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn image() -> Value {
        json!({"Id": "sha256:old", "Config": {
            "Env": ["PATH=/bin", "VERSION=1"], "Cmd": ["serve"], "Labels": {"version": "1"},
            "ExposedPorts": {"80/tcp": {}, "443/tcp": {}}, "Volumes": {"/data": {}}
        }})
    }

    fn container() -> Value {
        json!({
            "Id": ID, "Image": "sha256:old", "Name": "/web",
            "Config": {
                "Hostname": "b8718842e887", "Domainname": "", "Env": ["TZ=Europe/Berlin", "PATH=/bin", "VERSION=1"],
                "Cmd": ["serve"], "Entrypoint": null, "Image": "app:latest", "StopTimeout": 7,
                "ExposedPorts": {"80/tcp": {}, "443/tcp": {}}, "Volumes": {"/data": {}},
                "Labels": {"version": "1", "com.docker.compose.image": "sha256:old"}
            },
            "HostConfig": {
                "NetworkMode": "front", "Binds": null, "Memory": 9_007_199_254_740_993_u64, "NewSetting": {"a": [1.5]},
                "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, "Links": null
            },
            "Mounts": [{"Type": "volume", "Name": "77aa", "Destination": "/data", "RW": true}],
            "NetworkSettings": {"Networks": {
                "front": {"NetworkID": "aa11", "Aliases": ["www", "b8718842e887"], "IPAddress": "10.9.0.7",
                    "IPAMConfig": {"IPv4Address": "10.9.0.7"}, "MacAddress": "02:42:0a:09:00:07"},
                "back": {"NetworkID": "bb22", "Aliases": null, "IPAMConfig": null}
            }}
        })
    }

    fn made(container: &Value, replaced: &[Replaced]) -> (Value, Request) {
        let request = request(container, &image(), "sha256:new", replaced).unwrap();
        (serde_json::from_str(&request.body).unwrap(), request)
    }

    #[test]
    fn every_setting_is_in_the_request() {
        let (body, request) = made(&container(), &[]);
        assert_eq!(
            body,
            json!({
                "Domainname": "", "Env": ["TZ=Europe/Berlin"], "Image": "app:latest", "StopTimeout": 7,
                "ExposedPorts": {"80/tcp": {}}, "Volumes": {},
                "Labels": {"com.docker.compose.image": "sha256:new"},
                "HostConfig": {
                    "NetworkMode": "front", "Binds": ["77aa:/data"], "Memory": 9_007_199_254_740_993_u64,
                    "NewSetting": {"a": [1.5]}, "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
                    "Links": null
                },
                "NetworkingConfig": {"EndpointsConfig": {
                    "front": {"Aliases": ["www"], "IPAMConfig": {"IPv4Address": "10.9.0.7"}}
                }}
            })
        );
        assert_eq!(request.connect, [("bb22".to_owned(), "{}".to_owned())]);
        assert_eq!(request.disconnect, None);
    }

    #[test]
    fn a_host_name_of_its_own_stays() {
        let mut web = container();
        web["Config"]["Hostname"] = json!("web");
        assert_eq!(made(&web, &[]).0["Hostname"], "web");
        web["HostConfig"]["UTSMode"] = json!("host");
        assert_eq!(made(&web, &[]).0.get("Hostname"), None);
    }

    #[test]
    fn a_borrowed_network_follows_the_container_that_lends_it() {
        let mut web = container();
        web["HostConfig"]["NetworkMode"] = json!(format!("container:{OTHER}"));
        web["HostConfig"]["PidMode"] = json!("container:gluetun");
        web["HostConfig"]["Links"] = json!(["/db-unsinkable-old-b8718842e887:/web/db", "/mq:/web/mq"]);
        web["HostConfig"]["VolumesFrom"] = json!([format!("{OTHER}:ro"), &OTHER[..12], "data"]);
        web["Config"]["Hostname"] = json!("gluetun");
        let (body, request) = made(&web, &[Replaced { old: OTHER.into(), new: "new1".into() }]);
        assert_eq!(body["HostConfig"]["NetworkMode"], "container:new1");
        assert_eq!(body["HostConfig"]["PidMode"], "container:gluetun");
        assert_eq!(body["HostConfig"]["Links"], json!(["/db:/web/db", "/mq:/web/mq"]));
        assert_eq!(body["HostConfig"]["VolumesFrom"], json!(["new1:ro", "new1", "data"]));
        for gone in ["Hostname", "Domainname", "ExposedPorts", "MacAddress"] {
            assert_eq!(body.get(gone), None, "{gone}");
        }
        assert_eq!((body["NetworkingConfig"].clone(), request.connect.len()), (json!({}), 0));
    }

    #[test]
    fn what_is_no_container_is_told() {
        let missing = request(&json!({"Id": ID, "Config": {}}), &image(), "sha256:new", &[]);
        assert_eq!(missing, Err("Docker tells no HostConfig of it".to_owned()));
    }
}
