//! Specs as Docker gives them, and made-up ones with everything in them that JSON allows.

use super::*;
use serde_json::{Value, json};

const OLD: &str =
    "10.0.10.40:5000/app:latest@sha256:02833638b7e8343c1664c1706ae8761a2ab1c8277594af57b3fef8ce356b862c";
const NEW: &str =
    "10.0.10.40:5000/app:latest@sha256:cd945098896f31cf4c9a75c13d9ad18faba4607cf15f31b05e05b5054a6ab7f6";

fn platform(architecture: &str, os: &str, variant: &str) -> Platform {
    Platform { architecture: architecture.into(), os: os.into(), variant: variant.into() }
}

fn pi() -> Vec<Platform> {
    vec![platform("arm64", "linux", "v8")]
}

#[test]
fn only_image_and_platforms_change_and_numbers_keep_their_text() {
    let spec = format!(
        r#"{{"Name":"web","Labels":{{"a":"b"}},"TaskTemplate":{{"ContainerSpec":{{"Image":"{OLD}","Env":["A=1"]}},"Placement":{{"Constraints":["node.role==worker"],"Platforms":[{{"Architecture":"amd64","OS":"linux"}}]}},"ForceUpdate":18446744073709551615}},"UpdateConfig":{{"MaxFailureRatio":0.10,"Monitor":5e9}},"Future":null}}"#
    );
    let wanted = format!(
        r#"{{"Name":"web","Labels":{{"a":"b"}},"TaskTemplate":{{"ContainerSpec":{{"Image":"{NEW}","Env":["A=1"]}},"Placement":{{"Constraints":["node.role==worker"],"Platforms":[{{"Architecture":"arm64","OS":"linux"}}]}},"ForceUpdate":18446744073709551615}},"UpdateConfig":{{"MaxFailureRatio":0.10,"Monitor":5e9}},"Future":null}}"#
    );
    assert_eq!(with_image(&spec, NEW, &pi()).unwrap(), wanted);
}

#[test]
fn platforms_are_added_where_there_are_none() {
    let added = r#""Platforms":[{"Architecture":"arm64","OS":"linux"}]"#;
    let cases = [
        (
            r#"{"ContainerSpec":{"Image":"a"}}"#,
            format!(r#"{{"Placement":{{{added}}},"ContainerSpec":{{"Image":"b"}}}}"#),
        ),
        (
            r#"{"ContainerSpec":{"Image":"a"},"Placement":{}}"#,
            format!(r#"{{"ContainerSpec":{{"Image":"b"}},"Placement":{{{added}}}}}"#),
        ),
        (
            r#"{"Placement":null,"ContainerSpec":{"Image":"a"}}"#,
            format!(r#"{{"Placement":{{{added}}},"ContainerSpec":{{"Image":"b"}}}}"#),
        ),
        (
            r#"{"ContainerSpec":{"Image":"a"},"Placement":{"MaxReplicas":1}}"#,
            format!(r#"{{"ContainerSpec":{{"Image":"b"}},"Placement":{{{added},"MaxReplicas":1}}}}"#),
        ),
    ];
    for (template, wanted) in cases {
        let spec = format!(r#" {{"TaskTemplate" : {template} }}"#);
        assert_eq!(with_image(&spec, "b", &pi()).unwrap(), format!(r#" {{"TaskTemplate" : {wanted} }}"#));
    }
}

#[test]
fn platforms_are_written_as_dockers_own_client_does() {
    let index = [
        platform("amd64", "linux", ""),
        platform("arm", "linux", "v6"),
        platform("arm", "linux", "v7"),
        platform("arm64", "linux", "v8"),
        platform("amd64", "linux", "v2"),
        platform("unknown", "unknown", ""),
    ];
    let edited = with_image(
        r#"{"TaskTemplate":{"ContainerSpec":{"Image":""},"Placement":{"Platforms":null}}}"#,
        "b",
        &index,
    );
    let list =
        r#"[{"Architecture":"amd64","OS":"linux"},{"OS":"linux"},{"Architecture":"arm64","OS":"linux"}]"#;
    let wanted = format!(
        r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"b"}},"Placement":{{"Platforms":{list}}}}}}}"#
    );
    assert_eq!(edited.unwrap(), wanted);
}

#[test]
fn without_platforms_those_of_the_spec_stay() {
    let spec =
        r#"{"TaskTemplate":{"ContainerSpec":{"Image":"a"},"Placement":{"Platforms":[{"OS":"linux"}]}}}"#;
    let wanted =
        r#"{"TaskTemplate":{"ContainerSpec":{"Image":"b"},"Placement":{"Platforms":[{"OS":"linux"}]}}}"#;
    assert_eq!(with_image(spec, "b", &[]).unwrap(), wanted);
    assert_eq!(with_image(spec, "b", &[platform("unknown", "unknown", "")]).unwrap(), wanted);
}

#[test]
fn what_has_no_image_is_refused() {
    for spec in
        ["", "[]", "{}", r#"{"TaskTemplate":{}}"#, r#"{"TaskTemplate":{"ContainerSpec":{}}}"#, "{\"a\":"]
    {
        assert!(with_image(spec, "b", &[]).is_err(), "{spec}");
    }
}

/// A small generator (Numerical Recipes' LCG): the same seed gives the same spec.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }

    fn space(&mut self) -> &'static str {
        self.pick(&["", "", "", " ", "\n\t"])
    }

    fn value(&mut self, depth: u64) -> String {
        if depth > 0 && self.roll(2) == 0 {
            let count = self.roll(4);
            let object = self.roll(2) == 0;
            let items: Vec<String> = (0..count)
                .map(|index| {
                    let key = if object { format!("\"k{index}\":") } else { String::new() };
                    format!("{key}{}", self.value(depth - 1))
                })
                .collect();
            let (open, close) = if object { ("{", "}") } else { ("[", "]") };
            return format!("{open}{}{}{close}", self.space(), items.join(", "));
        }
        let leaves = [
            "null",
            "true",
            "0",
            "-1",
            "18446744073709551615",
            "1e400",
            "0.10",
            "1E-7",
            "\"\"",
            r#""\u00e9\n\"\\""#,
            "\"Image\"",
            "\"{\"",
            "\"schöne Grüße 🥧\"",
        ];
        self.pick(&leaves).to_owned()
    }

    /// An object with `members` and some of its own among them, in any order.
    fn object(&mut self, members: &[(&str, &str)]) -> String {
        let mut all: Vec<(String, String)> =
            members.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        for index in 0..self.roll(4) {
            let at = usize::try_from(self.roll(all.len() as u64 + 1)).unwrap();
            let value = self.value(3);
            let key = self.pick(&["Extra", r"\u0045xtra", "image", "Größe"]);
            all.insert(at, (format!("{key}{index}"), value));
        }
        let text =
            all.iter().map(|(key, value)| format!("\"{key}\"{}:{}{value}", self.space(), self.space()));
        let text = text.collect::<Vec<_>>().join(",");
        format!("{{{}{text}{}}}", self.space(), self.space())
    }

    fn spec(&mut self, image: &str, platforms: &str) -> String {
        let container = self.object(&[("Image", &json!(image).to_string())]);
        let placement = self.object(&[("Platforms", platforms)]);
        let first = self.roll(2) == 0;
        let members = [("ContainerSpec", container.as_str()), ("Placement", placement.as_str())];
        let members = if first { members } else { [members[1], members[0]] };
        let template = self.object(&members);
        self.object(&[("Name", "\"web\""), ("TaskTemplate", &template), ("Labels", "{}")])
    }
}

#[test]
fn any_spec_comes_back_equal_but_for_the_two_fields() {
    let list = r#"[{"Architecture":"arm64","OS":"linux"}]"#;
    for seed in 0..5_000 {
        let before = Dice(seed).spec(OLD, "[{\"OS\":\"plan9\"}]");
        let wanted = Dice(seed).spec(NEW, list);
        let after = with_image(&before, NEW, &pi()).unwrap();
        assert_eq!(after, wanted, "seed {seed}");
        assert!(same_but_image(&after, &before), "seed {seed}: {before}");
        assert!(same_settings(&after, &before), "seed {seed}");
    }
}

fn fixture(text: &str) -> (String, Option<String>) {
    let answer: Value = serde_json::from_str(text).unwrap();
    let body = &answer["body"];
    (body["Spec"].to_string(), body.get("PreviousSpec").map(Value::to_string))
}

const UPDATED: &str = r#"{"body":{
  "PreviousSpec":{"Labels":{"lab.kind":"update"},"Mode":{"Replicated":{"Replicas":3}},"Name":"upd-pause","TaskTemplate":{
    "ContainerSpec":{"Image":"10.0.10.40:5000/app:latest@sha256:cd945098896f31cf4c9a75c13d9ad18faba4607cf15f31b05e05b5054a6ab7f6","Isolation":"default"},
    "ForceUpdate":0,"RestartPolicy":{"Condition":"any","Delay":1000000000,"MaxAttempts":2},"Runtime":"container"},
    "UpdateConfig":{"Delay":500000000,"FailureAction":"pause","MaxFailureRatio":0,"Monitor":2000000000,"Parallelism":1}},
  "Spec":{"Labels":{"lab.kind":"update"},"Mode":{"Replicated":{"Replicas":3}},"Name":"upd-pause","TaskTemplate":{
    "ContainerSpec":{"Image":"10.0.10.40:5000/app:latest@sha256:6c00f561d3e8352b329b0af0ad605619e2e7808148e0614efea8626f4c8b5b79","Isolation":"default"},
    "ForceUpdate":0,"Placement":{"Platforms":[{"Architecture":"amd64","OS":"linux"}]},"RestartPolicy":{"Condition":"any","Delay":1000000000,"MaxAttempts":2},"Runtime":"container"},
    "UpdateConfig":{"Delay":500000000,"FailureAction":"pause","MaxFailureRatio":0,"Monitor":2000000000,"Parallelism":1}}}}"#;

#[test]
fn an_update_of_ours_is_known_by_its_spec() {
    let (spec, previous) = fixture(UPDATED);
    let previous = previous.unwrap();
    assert!(same_but_image(&spec, &previous));
    assert!(!same_but_image(&spec, &spec), "no other digest");
    let others = [
        spec.replace("\"Replicas\":3", "\"Replicas\":4"),
        spec.replace("upd-pause", "other"),
        spec.replace("app:latest@", "app:v2@"),
        spec.replace("10.0.10.40", "10.0.10.41"),
        spec.replace("\"ForceUpdate\":0", "\"ForceUpdate\":1"),
        spec.replace("\"Isolation\":\"default\"", "\"Isolation\":\"default\",\"Env\":[\"A=1\"]"),
        spec.replace("{\"Platforms\"", "{\"Constraints\":[],\"Platforms\""),
        spec.replace("@sha256:6c00f561d3e8352b329b0af0ad605619e2e7808148e0614efea8626f4c8b5b79", ""),
    ];
    for other in others {
        assert!(!same_but_image(&other, &previous), "{other}");
    }
}

#[test]
fn the_view_tells_what_a_round_must_know() {
    let spec = Spec::read(&fixture(UPDATED).0).unwrap();
    assert_eq!(spec.name, "upd-pause");
    assert_eq!(spec.label("lab.kind"), Some("update"));
    assert_eq!(spec.replicas(), Some(3));
    assert_eq!(spec.monitor(), Duration::from_secs(2));
    assert_eq!(spec.delay(), Duration::from_millis(500));
    assert_eq!(spec.parallelism(3), 1);
    assert_eq!(spec.task_template.runtime, "container");
    assert!(spec.image().ends_with("4c8b5b79"));

    let bare = Spec::read(r#"{"Name":"a","Labels":null,"Mode":{"Global":{}},"TaskTemplate":{"ContainerSpec":{"Image":"a","Healthcheck":{"Interval":30000000000}}},"UpdateConfig":{"Parallelism":0}}"#).unwrap();
    assert_eq!(bare.replicas(), None);
    assert!(bare.mode.global.is_some());
    assert_eq!(bare.monitor(), Duration::from_secs(5));
    assert_eq!(bare.parallelism(7), 7);
    assert_eq!(bare.healthcheck_interval(), Duration::from_secs(30));
    let one = Spec::read(r#"{"Name":"a","Mode":{"Replicated":{}}}"#).unwrap();
    assert_eq!(one.replicas(), Some(1));
    assert_eq!(one.image(), "");
}
