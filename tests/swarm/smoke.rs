//! The lab itself.

use crate::lab::{Image, Lab};
use std::time::Instant;

#[test]
fn the_lab_comes_up_and_goes() {
    let start = Instant::now();
    let Some(lab) = Lab::new(2) else { return };
    crate::net::say(&format!("    up after {:.1?}", start.elapsed()));
    let digest = lab.push("app:v1", Image::Good("1"));
    lab.push("app:v2", Image::Healthy("2"));
    lab.move_tag("app:latest", "v1");
    let image = lab.image("app:latest");
    lab.node(0).docker(&["service", "create", "--name", "web", "--replicas", "2", &image]);
    let service = lab.node(1).get("/services/web");
    let pinned = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap();
    assert_eq!(pinned, format!("{image}@{digest}"));
    crate::net::say(&format!("    service after {:.1?}", start.elapsed()));
    lab.node(0).kill_dockerd();
    lab.node(0).start_dockerd();
    lab.registry_down();
    lab.registry_up();
    drop(lab);
    crate::net::say(&format!("    gone after {:.1?}", start.elapsed()));
}
