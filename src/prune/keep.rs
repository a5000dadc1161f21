//! Images that stay by wish: `--keep-image`, read so that nothing goes that docker-cleanup's `KEEP_IMAGES` kept.
//!
//! That was a glob from the left with a `*` added at the end, on `repo:tag`; an image that Swarm pulled shows the tag
//! `<none>` there. So `nginx` keeps every tag of nginx, its images without tag, and `nginx-proxy` as well. Here a pattern
//! is held against the name with and without registry and leading path, too, against IDs and digests: what might be meant
//! is kept.

use crate::docker::Reference;
use crate::docker::api::{Container, Image};
use glob::Pattern;

/// Fewest hex digits taken as the beginning of an ID: one or two would keep a good part of everything.
const MIN_ID: usize = 4;
/// What docker-cleanup's image has where nothing is set.
const NOTHING: &str = "**None**";
/// What its manual offers to keep everything.
const EVERYTHING: &str = "**All**";
/// The tag of an image without one, as `docker images` shows it.
const NO_TAG: &str = "<none>";

/// The patterns of `--keep-image`.
#[derive(Clone, Debug, Default)]
pub struct KeepImages(Vec<Keep>);

#[derive(Clone, Debug)]
struct Keep {
    /// As written.
    text: String,
    /// For names; nothing where the text is no pattern, but the beginning of a name as it stands: most are.
    glob: Option<Pattern>,
    /// For IDs, where the text can be the beginning of one.
    hex: Option<String>,
}

impl KeepImages {
    /// Reads patterns as written; several in one, apart by commas or blanks, as `KEEP_IMAGES` had them, are several.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Self {
        let words = patterns.iter().flat_map(|text| text.as_ref().split([',', ' ', '\t', '\n']));
        let words = words.filter(|word| !word.is_empty() && *word != NOTHING);
        Self(words.map(|word| Keep::new(if word == EVERYTHING { "*" } else { word })).collect())
    }

    /// The pattern that keeps this image, if one does.
    pub fn image(&self, image: &Image) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let names: Vec<String> = references(image).flat_map(names).collect();
        self.find(|keep| keep.is_id(&image.id) || names.iter().any(|name| keep.is_name(name)))
    }

    /// The pattern that keeps what this container was made of, as it was asked for.
    pub fn container(&self, container: &Container) -> Option<&str> {
        let names = names(&container.image);
        self.find(|keep| keep.is_id(&container.image_id) || names.iter().any(|name| keep.is_name(name)))
    }

    fn find(&self, is_it: impl Fn(&Keep) -> bool) -> Option<&str> {
        self.0.iter().find(|keep| is_it(keep)).map(|keep| keep.text.as_str())
    }
}

impl Keep {
    fn new(word: &str) -> Self {
        let hex = word.strip_prefix("sha256:").unwrap_or(word).trim_end_matches('*');
        let is_hex = hex.len() >= MIN_ID && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let glob = word.contains(['*', '?', '[']).then(|| open_ended(word)).flatten();
        Self { text: word.to_owned(), glob, hex: is_hex.then(|| hex.to_ascii_lowercase()) }
    }

    fn is_name(&self, name: &str) -> bool {
        self.glob.as_ref().map_or_else(|| name.starts_with(&self.text), |glob| glob.matches(name))
    }

    fn is_id(&self, id: &str) -> bool {
        let id = id.strip_prefix("sha256:").unwrap_or(id);
        self.hex.as_deref().is_some_and(|hex| id.starts_with(hex))
    }
}

/// A shell's glob with `*` at its end; nothing for what does not read as one.
fn open_ended(word: &str) -> Option<Pattern> {
    // The shell takes `[^a]` for `[!a]`, and `**` for `*`.
    let mut text = format!("{word}*").replace("[^", "[!");
    while text.contains("**") {
        text = text.replace("**", "*");
    }
    Pattern::new(&text).ok()
}

/// Every name of an image, tags before digests. Old dockerds say `<none>` for none.
pub fn references(image: &Image) -> impl Iterator<Item = &str> {
    let all = image.repo_tags.iter().chain(&image.repo_digests).flatten();
    all.map(String::as_str).filter(|name| !name.starts_with(NO_TAG))
}

/// What a pattern may mean by `text`: with registry and without, each shorter end of the path, and the digest alone.
fn names(text: &str) -> Vec<String> {
    let Ok(reference) = Reference::parse(text) else { return vec![text.to_owned()] };
    let tag = reference.tag_or_latest().unwrap_or(NO_TAG);
    let path = reference.repository.as_str();
    let shorter = path.match_indices('/').map(|(slash, _)| path[slash + 1..].to_owned());
    let full = format!("{}/{path}", reference.registry);
    let repositories = [full, path.to_owned()].into_iter().chain(shorter);
    let with = |repository: String| {
        let digest = reference.digest.as_ref().map(|digest| format!("{repository}@{digest}"));
        [Some(format!("{repository}:{tag}")), digest].into_iter().flatten()
    };
    let mut names: Vec<String> = repositories.flat_map(with).collect();
    names.extend(reference.digest);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "sha256:f956d08d7f704e282746f1a056b3b3515f0231ab302fe7327840c60a882dadcd";
    const DIGEST: &str = "sha256:46664f594c3bbb05a7bc47bc4369df294ea0f0bf90912b44701ddb269612a66f";

    fn image(tags: &[&str], digests: &[&str]) -> Image {
        let own = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        Image { id: ID.into(), repo_tags: own(tags), repo_digests: own(digests), ..Image::default() }
    }

    fn digest_only(repository: &str) -> Image {
        image(&[], &[&format!("{repository}@{DIGEST}")])
    }

    fn keeps(pattern: &str, image: &Image) -> bool {
        KeepImages::new(&[pattern]).image(image).is_some()
    }

    #[test]
    fn a_bare_name_keeps_every_tag_and_what_swarm_pulled() {
        for tag in [
            "heimdall:latest",
            "heimdall:2.4",
            "linuxserver/heimdall:latest",
            "ghcr.io/linuxserver/heimdall:x",
        ] {
            assert!(keeps("heimdall", &image(&[tag], &[])), "{tag}");
        }
        for name in ["heimdall", "linuxserver/heimdall", "10.0.10.40:5000/heimdall"] {
            assert!(keeps("heimdall", &digest_only(name)), "{name}");
            let old = Image { repo_tags: Some(vec!["<none>:<none>".into()]), ..digest_only(name) };
            assert!(keeps("heimdall", &old), "{name} of an old dockerd");
        }
        assert!(!keeps("heimdall", &image(&["asgard:latest"], &[])));
        assert!(!keeps("heimdall", &image(&["myheimdall:latest"], &[])), "from the left");
    }

    #[test]
    fn what_docker_cleanup_kept_by_its_open_end_stays_kept() {
        assert!(keeps("foo/bar", &image(&["foo/barista:1"], &[])));
        assert!(keeps("heimdall", &image(&["heimdall/other:latest"], &[])));
        assert!(keeps("nginx:1.2", &image(&["nginx:1.25"], &[])));
        assert!(keeps("nginx:*", &digest_only("nginx")), "its tag was shown as <none>");
        assert!(keeps("*:*", &digest_only("nginx")));
        assert!(keeps("ngin[wx]", &image(&["nginx:1"], &[])));
        assert!(!keeps("ngin[^wx]", &image(&["nginx:1"], &[])));
        assert!(keeps("**", &image(&["nginx:1"], &[])));
    }

    #[test]
    fn a_pattern_with_a_tag_keeps_that_tag_where_it_is_known() {
        assert!(keeps("nginx:1.25", &image(&["nginx:1.25"], &[])));
        assert!(!keeps("nginx:1.25", &image(&["nginx:1.26"], &[])));
        assert!(!keeps("nginx:1.25", &digest_only("nginx")));
        assert!(keeps("nginx:1.25", &image(&[&format!("nginx:1.25@{DIGEST}")], &[])), "containerd");
        assert!(keeps("heimdall:2*", &image(&["linuxserver/heimdall:2.4"], &[])));
    }

    #[test]
    fn registries_may_be_written_or_left_out() {
        let hub = image(&["nginx:1"], &[]);
        assert!(keeps("docker.io/library/nginx", &hub));
        assert!(keeps("library/nginx:1", &hub));
        let own = image(&["10.0.10.40:5000/app:v1"], &[]);
        assert!(keeps("10.0.10.40:5000/app", &own));
        assert!(keeps("app:v1", &own));
        assert!(keeps("10.0.10.40*", &own));
        assert!(!keeps("10.0.10.41", &own));
    }

    #[test]
    fn an_id_or_digest_may_be_cut() {
        let image = digest_only("app");
        for pattern in
            ["f956d08d7f70", "F956", "sha256:f956d08d", ID, DIGEST, "sha256:46664f59", "app@sha256:46664"]
        {
            assert!(keeps(pattern, &image), "{pattern}");
        }
        assert!(!keeps("f95", &image), "too short for an ID");
        assert!(!keeps("e956d08d", &image));
    }

    #[test]
    fn lists_as_in_the_old_environment_are_read_and_the_keeper_is_named() {
        let keep = KeepImages::new(&["traefik, heimdall", "**None**"]);
        assert_eq!(keep.image(&digest_only("linuxserver/heimdall")), Some("heimdall"));
        assert_eq!(keep.image(&digest_only("portainer/portainer")), None);
        assert_eq!(KeepImages::new(&["**None**"]).image(&digest_only("a")), None);
        assert!(keeps("**All**", &digest_only("a")));
    }

    #[test]
    fn what_is_no_glob_is_taken_as_it_stands() {
        assert!(!keeps("a[", &image(&["nginx:1"], &[])));
        assert!(Keep::new("a[").is_name("a[b"));
    }

    #[test]
    fn a_container_is_kept_by_what_it_was_made_of() {
        let keep = KeepImages::new(&["heimdall"]);
        let container =
            |image: &str| Container { image: image.into(), image_id: ID.into(), ..Container::default() };
        assert!(keep.container(&container("linuxserver/heimdall:latest")).is_some());
        assert!(keep.container(&container("nginx")).is_none());
        assert!(KeepImages::new(&["f956d08d"]).container(&container("nginx")).is_some());
    }
}
