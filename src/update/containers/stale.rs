//! Is there something newer, and may it be taken now?

use super::choice::Wish;
use crate::docker::Reference;
use crate::state::Held;
use crate::update::Verdict;
use core::time::Duration;
use serde_json::Value;

/// What a decision is made of.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What the container was made from, inspected.
    pub old: &'a Value,
    /// What the reference names now, inspected.
    pub new: &'a Value,
    /// What the container's labels say.
    pub wish: Wish,
    /// What failed in this container before.
    pub held: Option<&'a Held>,
    /// Since when the new image is known.
    pub known_for: Duration,
    /// `--min-age`.
    pub min_age: Duration,
    /// Now is within `--update-window`.
    pub in_window: bool,
}

fn id(image: &Value) -> &str {
    image["Id"].as_str().unwrap_or_default()
}

/// The same layers and settings: in the containerd store an index may move without them (another platform, an attestation).
fn same_content(old: &Value, new: &Value) -> bool {
    let layers = &old["RootFS"]["Layers"];
    layers.is_array() && *layers == new["RootFS"]["Layers"] && old["Config"] == new["Config"]
}

/// Why an image cannot follow its tag, by its reference and its `RepoDigests`; nothing where it can.
pub fn untraceable(reference: &str, image: &Value) -> Option<&'static str> {
    let is_id =
        reference.starts_with("sha256:") || image["Id"].as_str().is_some_and(|id| is_short_id(reference, id));
    if is_id {
        return Some("its image is given by ID");
    }
    match Reference::parse(reference) {
        Err(_) => Some("its image has no name that can be looked up"),
        Ok(parsed) if parsed.digest.is_some() => Some("its image is pinned by digest"),
        Ok(_) => {
            image["RepoDigests"].as_array().is_none_or(Vec::is_empty).then_some("its image was built here")
        }
    }
}

/// `docker run 07958e48da95`: such a text is a valid name, too.
fn is_short_id(reference: &str, id: &str) -> bool {
    reference.len() >= 12 && id.strip_prefix("sha256:").is_some_and(|hex| hex.starts_with(reference))
}

/// What to do, and why: [`Verdict::Due`] for an update that may begin.
pub fn decide(case: Case) -> (Verdict, String) {
    let Case { old, new, wish, held, known_for, min_age, in_window } = case;
    if id(old) == id(new) || same_content(old, new) {
        return (Verdict::Current, String::new());
    }
    for key in ["Os", "Architecture"] {
        if old[key] != new[key] {
            let text = |image: &Value| image[key].as_str().unwrap_or("unknown").to_owned();
            return (
                Verdict::Skipped,
                format!("the new image is for {}, this one for {}", text(new), text(old)),
            );
        }
    }
    if let Some(held) = held.filter(|held| held.digest == id(new)) {
        return (Verdict::Held, format!("failed before: {}; waits for a newer image", held.reason));
    }
    if wish.monitor_only {
        return (Verdict::Skipped, "a newer image is there; its label says monitor-only".into());
    }
    let left = min_age.saturating_sub(known_for);
    if !left.is_zero() {
        let left = left.as_secs().div_ceil(60);
        return (Verdict::Deferred, format!("too new: --min-age is over in {left} min"));
    }
    if !in_window {
        return (Verdict::Deferred, "outside of --update-window".into());
    }
    (Verdict::Due, "a newer image is there".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn image(id: &str, layer: &str) -> Value {
        json!({"Id": id, "Os": "linux", "Architecture": "arm64", "Config": {"Cmd": ["x"]}, "RootFS": {"Layers": [layer]}})
    }

    fn case<'a>(old: &'a Value, new: &'a Value) -> Case<'a> {
        Case {
            old,
            new,
            wish: Wish { no_pull: false, monitor_only: false },
            held: None,
            known_for: Duration::ZERO,
            min_age: Duration::ZERO,
            in_window: true,
        }
    }

    fn held(digest: &str) -> Held {
        Held {
            reference: "app:latest".into(),
            digest: digest.into(),
            reason: "exited with code 1".into(),
            since: 7,
        }
    }

    #[test]
    fn only_another_image_is_newer() {
        let (old, new) = (image("sha256:a", "l1"), image("sha256:b", "l2"));
        assert_eq!(decide(case(&old, &old)), (Verdict::Current, String::new()));
        assert_eq!(decide(case(&old, &new)), (Verdict::Due, "a newer image is there".into()));
        // Another index, the same image for this machine.
        assert_eq!(decide(case(&old, &image("sha256:b", "l1"))).0, Verdict::Current);
        let mut other = image("sha256:b", "l1");
        other["Config"]["Cmd"] = json!(["y"]);
        assert_eq!(decide(case(&old, &other)).0, Verdict::Due);
    }

    #[test]
    fn an_image_for_another_machine_is_not_taken() {
        let (old, mut new) = (image("sha256:a", "l1"), image("sha256:b", "l2"));
        new["Architecture"] = json!("amd64");
        let why = "the new image is for amd64, this one for arm64";
        assert_eq!(decide(case(&old, &new)), (Verdict::Skipped, why.into()));
    }

    #[test]
    fn what_failed_waits_until_the_tag_moves() {
        let (old, new) = (image("sha256:a", "l1"), image("sha256:b", "l2"));
        let (bad, older) = (held("sha256:b"), held("sha256:0"));
        let (verdict, why) = decide(Case { held: Some(&bad), ..case(&old, &new) });
        assert_eq!(
            (verdict, why.as_str()),
            (Verdict::Held, "failed before: exited with code 1; waits for a newer image")
        );
        assert_eq!(decide(Case { held: Some(&older), ..case(&old, &new) }).0, Verdict::Due);
    }

    #[test]
    fn age_window_and_label_hold_it_back() {
        let (old, new) = (image("sha256:a", "l1"), image("sha256:b", "l2"));
        let young = Case {
            known_for: Duration::from_secs(601),
            min_age: Duration::from_secs(3600),
            ..case(&old, &new)
        };
        assert_eq!(decide(young), (Verdict::Deferred, "too new: --min-age is over in 50 min".into()));
        assert_eq!(decide(Case { known_for: Duration::from_secs(3600), ..young }).0, Verdict::Due);
        let closed = Case { in_window: false, ..case(&old, &new) };
        assert_eq!(decide(closed), (Verdict::Deferred, "outside of --update-window".into()));
        let watched = Case { wish: Wish { no_pull: false, monitor_only: true }, ..case(&old, &new) };
        assert_eq!(decide(watched).0, Verdict::Skipped);
    }

    #[test]
    fn some_images_have_nothing_to_follow() {
        let pulled = json!({"Id": "sha256:07958e48da95af5c", "RepoDigests": ["app@sha256:1"]});
        let built = json!({"Id": "sha256:07958e48da95af5c", "RepoDigests": []});
        assert_eq!(untraceable("10.0.10.40:5000/app:latest", &pulled), None);
        assert_eq!(untraceable("app", &built), Some("its image was built here"));
        assert_eq!(untraceable("sha256:07958e48da95af5c", &pulled), Some("its image is given by ID"));
        assert_eq!(untraceable("07958e48da95", &pulled), Some("its image is given by ID"));
        let pinned = "app@sha256:f359676fbac8e66bd255f19b4d4f6e38a736445186242746c177cacc2c05e28b";
        assert_eq!(untraceable(pinned, &pulled), Some("its image is pinned by digest"));
        assert_eq!(untraceable("UPPER", &pulled), Some("its image has no name that can be looked up"));
    }
}
