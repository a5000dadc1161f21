//! In which order containers are recreated: after what they depend on (compose's `depends_on`), after whose network,
//! processes, volumes or links they share. Who shares them has to be recreated as well.

use super::create::SHARED;
use super::swap;
use serde_json::Value;

/// Label of compose: `db:service_started:false,cache:service_healthy:true`.
const DEPENDS_ON: &str = "com.docker.compose.depends_on";
const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";

/// What a container says of its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    /// Container ID.
    pub id: String,
    /// Container name.
    pub name: String,
    /// Compose project and service; empty without compose.
    pub service: (String, String),
    /// Services of its project that it depends on.
    pub depends_on: Vec<String>,
    /// Containers (ID or name) without which it cannot be: they lend it a namespace or volumes, or are linked.
    pub hangs_on: Vec<String>,
}

/// The containers (ID or name) whose volumes a container (inspected) has, too.
pub fn volumes_from(container: &Value) -> impl Iterator<Item = &str> {
    let list = container["HostConfig"]["VolumesFrom"].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|one| one.as_str()?.split(':').next())
}

/// One that is named by its ID cannot be named any more when it was replaced; a name is the new one's then.
fn is_id(text: &str) -> bool {
    text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the ties of a container (inspected).
pub fn ties(container: &Value) -> Ties {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = &container["Config"]["Labels"];
    let depends_on = labels[DEPENDS_ON].as_str().unwrap_or_default().split(',');
    let depends_on = depends_on.filter_map(|one| one.split(':').next()).map(str::trim);
    let host = &container["HostConfig"];
    let shared = SHARED.iter().filter_map(|key| host[*key].as_str()?.strip_prefix("container:"));
    let volumes = volumes_from(container).filter(|of| is_id(of));
    let links = host["Links"].as_array().map_or(&[][..], Vec::as_slice);
    let linked = links.iter().filter_map(|link| link.as_str()?.split(':').next());
    let linked = linked.map(|name| swap::without_mark(name.trim_start_matches('/')));
    Ties {
        id: text(&container["Id"]),
        name: text(&container["Name"]).trim_start_matches('/').to_owned(),
        service: (text(&labels[PROJECT]), text(&labels[SERVICE])),
        depends_on: depends_on.filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        hangs_on: shared.chain(volumes).chain(linked).map(str::to_owned).collect(),
    }
}

impl Ties {
    /// It cannot be without `other`, of this ID and name.
    pub fn hangs_on(&self, id: &str, name: &str) -> bool {
        self.hangs_on.iter().any(|on| on == name || (on.len() >= 12 && id.starts_with(on.as_str())))
    }

    fn comes_after(&self, other: &Ties) -> bool {
        let depends = self.service.0 == other.service.0 && self.depends_on.contains(&other.service.1);
        depends || self.hangs_on(&other.id, &other.name)
    }
}

/// The order as indices into `all`; by name where nothing else decides. A circle is cut where it is met.
pub fn sorted(all: &[Ties]) -> Vec<usize> {
    let mut by_name: Vec<usize> = (0..all.len()).collect();
    by_name.sort_by(|a, b| all[*a].name.cmp(&all[*b].name));
    let mut visit = Visit { all, by_name: &by_name, met: vec![false; all.len()], order: Vec::new() };
    for index in &by_name {
        visit.one(*index);
    }
    visit.order
}

struct Visit<'a> {
    all: &'a [Ties],
    by_name: &'a [usize],
    met: Vec<bool>,
    order: Vec<usize>,
}

impl Visit<'_> {
    fn one(&mut self, index: usize) {
        if core::mem::replace(&mut self.met[index], true) {
            return;
        }
        for before in self.by_name {
            if *before != index && self.all[index].comes_after(&self.all[*before]) {
                self.one(*before);
            }
        }
        self.order.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn service(name: &str, depends_on: &str) -> Value {
        json!({"Id": format!("{name}-id-0123456789"), "Name": format!("/{name}"), "HostConfig": {"NetworkMode": "p_default"},
            "Config": {"Labels": {DEPENDS_ON: depends_on, PROJECT: "p", SERVICE: name}}})
    }

    fn plain(name: &str, host: &Value) -> Value {
        json!({"Id": format!("{name}-id-0123456789"), "Name": format!("/{name}"), "HostConfig": host, "Config": {"Labels": null}})
    }

    fn names(all: &[Value]) -> Vec<String> {
        let all: Vec<Ties> = all.iter().map(ties).collect();
        sorted(&all).into_iter().map(|index| all[index].name.clone()).collect()
    }

    #[test]
    fn dependencies_come_first() {
        let all = [
            service("app", "db:service_started:false,cache:service_healthy:true"),
            service("cache", "db:service_healthy:false"),
            service("db", ""),
            service("admin", "app:service_started:true"),
        ];
        assert_eq!(names(&all), ["db", "cache", "app", "admin"]);
    }

    #[test]
    fn another_project_has_its_own_services() {
        let mut other = service("db", "");
        other["Config"]["Labels"][PROJECT] = json!("q");
        other["Name"] = json!("/z-db");
        assert_eq!(names(&[service("app", "db:service_started:false"), other]), ["app", "z-db"]);
    }

    #[test]
    fn who_shares_a_network_comes_after_it() {
        let all = [
            plain("a-torrent", &json!({"NetworkMode": "container:vpn-id-0123456789"})),
            plain("b-links", &json!({"NetworkMode": "default", "Links": ["/vpn:/b-links/v"]})),
            plain("c-looks", &json!({"NetworkMode": "host", "PidMode": "container:vpn"})),
            plain("vpn", &json!({"NetworkMode": "default", "Links": null})),
        ];
        assert_eq!(names(&all), ["vpn", "a-torrent", "b-links", "c-looks"]);
        assert!(ties(&all[0]).hangs_on("vpn-id-0123456789", "x"));
        assert!(ties(&all[2]).hangs_on("y", "vpn"));
        assert!(!ties(&all[3]).hangs_on("vpn-id-0123456789", "vpn"));
    }

    #[test]
    fn a_link_to_a_marked_container_is_one_to_its_name() {
        let linked = plain("web", &json!({"Links": ["/db-unsinkable-old-0123456789ab:/web/db"]}));
        assert_eq!(ties(&linked).hangs_on, ["db"]);
    }

    #[test]
    fn who_names_volumes_by_id_hangs_on_their_container() {
        let of = json!({"VolumesFrom": ["0123456789ab:ro", "data:rw"]});
        assert_eq!(ties(&plain("web", &of)).hangs_on, ["0123456789ab"]);
        assert_eq!(volumes_from(&plain("web", &of)).collect::<Vec<_>>(), ["0123456789ab", "data"]);
    }

    #[test]
    fn a_circle_ends() {
        let all = [
            service("a", "b:service_started:false"),
            service("b", "a:service_started:false"),
            service("c", "c:x:y"),
        ];
        assert_eq!(names(&all), ["b", "a", "c"]);
    }
}
