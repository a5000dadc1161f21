//! The networks of a container: the first is given with the create request (Docker before API 1.44 takes no more),
//! the others are connected before it starts.

use super::config::Object;
use serde_json::{Map, Value, json};

/// What Docker filled in when it connected the container: the rest is what was asked for.
const FOUND: [&str; 9] = [
    "NetworkID",
    "EndpointID",
    "Gateway",
    "IPAddress",
    "IPPrefixLen",
    "IPv6Gateway",
    "GlobalIPv6Address",
    "GlobalIPv6PrefixLen",
    "DNSNames",
];

/// How a new container gets the networks of an old one.
#[derive(Clone, Debug, PartialEq)]
pub struct Networks {
    /// `NetworkingConfig` of the create request.
    pub create: Value,
    /// To be connected then: network ID (or name) and its `EndpointConfig`.
    pub connect: Vec<(String, Value)>,
    /// The network of its mode, which the old one had left.
    pub disconnect: Option<String>,
}

/// True for modes that have no network of their own: the host's, another container's, none.
fn has_none(mode: &str) -> bool {
    mode == "host" || mode == "none" || mode.starts_with("container:")
}

/// Reads it from the old container's `NetworkSettings.Networks`, `HostConfig.NetworkMode` and ID.
pub fn of(networks: &Object, mode: &str, id: &str) -> Networks {
    let mut plan = Networks { create: json!({}), connect: Vec::new(), disconnect: None };
    if has_none(mode) {
        return plan;
    }
    let mode = if mode.is_empty() || mode == "default" { "bridge" } else { mode };
    let is_main = |(name, found): &(&String, &Value)| *name == mode || found["NetworkID"] == mode;
    let main = networks.iter().find(is_main).map(|(name, _)| name.clone());
    for (name, found) in networks {
        let endpoint = asked_for(found, id);
        if Some(name) == main.as_ref() {
            let mut first = Map::new();
            first.insert(name.clone(), Value::Object(endpoint));
            plan.create = json!({ "EndpointsConfig": first });
        } else {
            let network = found["NetworkID"].as_str().filter(|id| !id.is_empty()).unwrap_or(name);
            plan.connect.push((network.to_owned(), Value::Object(endpoint)));
        }
    }
    plan.disconnect = main.is_none().then(|| mode.to_owned());
    plan
}

/// An endpoint as it was asked for: Docker's findings and the alias it makes of the container's ID left out.
fn asked_for(found: &Value, id: &str) -> Object {
    let mut endpoint = found.as_object().cloned().unwrap_or_default();
    endpoint.retain(|key, value| !FOUND.contains(&key.as_str()) && !value.is_null());
    if found["MacAddress"] == "" || found["MacAddress"].as_str() == generated(found).as_deref() {
        endpoint.remove("MacAddress");
    }
    let short = id.get(..12).unwrap_or(id);
    if let Some(Value::Array(aliases)) = endpoint.get_mut("Aliases") {
        aliases.retain(|alias| alias != short);
        if aliases.is_empty() {
            endpoint.remove("Aliases");
        }
    }
    endpoint
}

/// The MAC address that Docker before 28 makes of the IPv4 address. Any other was asked for, or is random and may stay.
fn generated(found: &Value) -> Option<String> {
    let ip: core::net::Ipv4Addr = found["IPAddress"].as_str()?.parse().ok()?;
    let [a, b, c, d] = ip.octets();
    Some(format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "b8718842e887a1cfc784017eb1ebd8a3409e5898c3b768b203ffbf2182899f39";

    fn networks(value: &Value) -> Object {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_first_comes_with_the_create_and_the_others_after_it() {
        let networks = networks(&json!({
            "front": {"IPAMConfig": {"IPv4Address": "10.9.0.7"}, "Aliases": ["web", "b8718842e887"], "Links": null,
                "DriverOpts": {"x": "y"}, "NetworkID": "aa11", "EndpointID": "ee", "Gateway": "10.9.0.1",
                "IPAddress": "10.9.0.7", "IPPrefixLen": 24, "MacAddress": "02:42:0a:09:00:07", "GwPriority": 5,
                "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": ["web"]},
            "back": {"IPAMConfig": null, "Aliases": ["b8718842e887"], "Links": ["db:database"], "NetworkID": "bb22",
                "IPAddress": "10.8.0.2", "MacAddress": "02:00:00:00:00:99"}
        }));
        let front = json!({"IPAMConfig": {"IPv4Address": "10.9.0.7"}, "Aliases": ["web"], "DriverOpts": {"x": "y"}, "GwPriority": 5});
        let plan = of(&networks, "front", ID);
        assert_eq!(plan.create, json!({"EndpointsConfig": {"front": front}}));
        let back = json!({"Links": ["db:database"], "MacAddress": "02:00:00:00:00:99"});
        assert_eq!(plan.connect, [("bb22".to_owned(), back.clone())]);
        assert_eq!(plan.disconnect, None);
        // The mode may name the network by its ID.
        let plan = of(&networks, "bb22", ID);
        assert_eq!(plan.create, json!({"EndpointsConfig": {"back": back}}));
        assert_eq!(plan.connect, [("aa11".to_owned(), front)]);
    }

    #[test]
    fn the_default_network_is_the_bridge() {
        let bridge = networks(&json!({"bridge": {"Aliases": null, "IPAMConfig": null, "NetworkID": "cc33"}}));
        let plan = of(&bridge, "default", ID);
        assert_eq!(plan.create, json!({"EndpointsConfig": {"bridge": {}}}));
        assert_eq!((plan.connect.len(), plan.disconnect), (0, None));
    }

    #[test]
    fn a_network_that_was_left_is_left_again() {
        let only = networks(&json!({"back": {"NetworkID": "bb22"}}));
        let plan = of(&only, "bridge", ID);
        assert_eq!(plan.create, json!({}));
        assert_eq!(plan.connect, [("bb22".to_owned(), json!({}))]);
        assert_eq!(plan.disconnect.as_deref(), Some("bridge"));
    }

    #[test]
    fn modes_without_a_network_have_no_endpoints() {
        for (mode, name) in [("host", "host"), ("none", "none"), ("container:abc", "x")] {
            let plan = of(&networks(&json!({name: {"NetworkID": "dd44"}})), mode, ID);
            assert_eq!(plan, Networks { create: json!({}), connect: Vec::new(), disconnect: None }, "{mode}");
        }
    }
}
