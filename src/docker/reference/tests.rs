//! What Docker accepts, in all its forms, and what it refuses.

use super::*;

const D: &str = "sha256:02833638b7e8343c1664c1706ae8761a2ab1c8277594af57b3fef8ce356b862c";

/// Text; registry, repository, tag and digest; familiar name, familiar tagged.
type Case = (&'static str, [&'static str; 4], [&'static str; 2]);

#[test]
fn what_docker_accepts_is_normalised() {
    let cases: [Case; 20] = [
        ("nginx", ["docker.io", "library/nginx", "-", "-"], ["nginx", "nginx:latest"]),
        ("nginx:1.25", ["docker.io", "library/nginx", "1.25", "-"], ["nginx", "nginx:1.25"]),
        ("library/nginx", ["docker.io", "library/nginx", "-", "-"], ["nginx", "nginx:latest"]),
        ("docker.io/nginx", ["docker.io", "library/nginx", "-", "-"], ["nginx", "nginx:latest"]),
        (
            "index.docker.io/library/nginx",
            ["docker.io", "library/nginx", "-", "-"],
            ["nginx", "nginx:latest"],
        ),
        ("a/b:v1", ["docker.io", "a/b", "v1", "-"], ["a/b", "a/b:v1"]),
        ("a/b/c", ["docker.io", "a/b/c", "-", "-"], ["a/b/c", "a/b/c:latest"]),
        ("library/a/b", ["docker.io", "library/a/b", "-", "-"], ["library/a/b", "library/a/b:latest"]),
        ("ghcr.io/a/b", ["ghcr.io", "a/b", "-", "-"], ["ghcr.io/a/b", "ghcr.io/a/b:latest"]),
        ("localhost/a", ["localhost", "a", "-", "-"], ["localhost/a", "localhost/a:latest"]),
        ("localhost:5000", ["docker.io", "library/localhost", "5000", "-"], ["localhost", "localhost:5000"]),
        ("Pi/app", ["Pi", "app", "-", "-"], ["Pi/app", "Pi/app:latest"]),
        ("reg:5000/a/b:v1", ["reg:5000", "a/b", "v1", "-"], ["reg:5000/a/b", "reg:5000/a/b:v1"]),
        (
            "10.0.10.40:5000/app",
            ["10.0.10.40:5000", "app", "-", "-"],
            ["10.0.10.40:5000/app", "10.0.10.40:5000/app:latest"],
        ),
        (
            "[fd00:10::40]:5000/a",
            ["[fd00:10::40]:5000", "a", "-", "-"],
            ["[fd00:10::40]:5000/a", "[fd00:10::40]:5000/a:latest"],
        ),
        ("[::1]/a", ["[::1]", "a", "-", "-"], ["[::1]/a", "[::1]/a:latest"]),
        (
            "a.b_c__d---e:_T.-9",
            ["docker.io", "library/a.b_c__d---e", "_T.-9", "-"],
            ["a.b_c__d---e", "a.b_c__d---e:_T.-9"],
        ),
        (
            "docker.io/docker.io/a",
            ["docker.io", "docker.io/a", "-", "-"],
            ["docker.io/docker.io/a", "docker.io/docker.io/a:latest"],
        ),
        (
            "docker.io/localhost/a",
            ["docker.io", "localhost/a", "-", "-"],
            ["docker.io/localhost/a", "docker.io/localhost/a:latest"],
        ),
        ("sha256:02833638", ["docker.io", "library/sha256", "02833638", "-"], ["sha256", "sha256:02833638"]),
    ];
    let given = |text: &str| (text != "-").then(|| text.to_owned());
    for (text, [registry, repository, tag, digest], [name, tagged]) in cases {
        let reference = Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let expected = Reference {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag: given(tag),
            digest: given(digest),
        };
        assert_eq!(reference, expected, "{text}");
        assert_eq!(reference.familiar_name(), name, "{text}");
        assert_eq!(reference.familiar_tagged(), tagged, "{text}");
    }
}

#[test]
fn digests_are_kept_apart_from_tags() {
    let pinned = Reference::parse(&format!("10.0.10.40:5000/app:v1@{D}")).unwrap();
    assert_eq!((pinned.tag.as_deref(), pinned.digest.as_deref()), (Some("v1"), Some(D)));
    assert_eq!(pinned.familiar_tagged(), "10.0.10.40:5000/app:v1");
    assert_eq!(pinned.pinned("sha256:00"), "10.0.10.40:5000/app:v1@sha256:00");
    assert_eq!(pinned.to_string(), format!("10.0.10.40:5000/app:v1@{D}"));
    let alone = Reference::parse(&format!("docker.io/library/app@{D}")).unwrap();
    assert_eq!((alone.tag.as_deref(), alone.tag_or_latest()), (None, None));
    assert_eq!(alone.familiar_tagged(), "app");
    assert_eq!(alone.pinned("sha256:00"), "app@sha256:00");
    assert_eq!(alone.to_string(), format!("app@{D}"));
    assert_eq!(Reference::parse("app").unwrap().pinned("sha256:00"), "app:latest@sha256:00");
    for (algorithm, digits) in [("sha384", 96), ("sha512", 128)] {
        assert!(Reference::parse(&format!("a@{algorithm}:{}", "0".repeat(digits))).is_ok());
    }
}

#[test]
fn what_docker_refuses_is_refused() {
    let hex = &D[7..];
    let long = |len: usize| "a".repeat(len);
    let refused = [
        String::new(),
        " nginx".into(),
        "nginx:".into(),
        "nginx@".into(),
        ":latest".into(),
        "/nginx".into(),
        "nginx/".into(),
        "a//b".into(),
        "http://a/b".into(),
        "Nginx".into(),
        "ghcr.io/A".into(),
        "<none>:<none>".into(),
        "<none>".into(),
        "a..b".into(),
        "a___b".into(),
        "a_.b".into(),
        "a-_b".into(),
        "-a".into(),
        "a-".into(),
        "_a/b".into(),
        "a:-tag".into(),
        "a:.tag".into(),
        "a:b:c".into(),
        "a:t/b".into(),
        "-a.b/c".into(),
        "a-.b/c".into(),
        "a..b/c".into(),
        "a.b:/c".into(),
        "a.b:5x/c".into(),
        "[::1/c".into(),
        "[]/c".into(),
        "[::1]5/c.d".into(),
        "ä".into(),
        "a\nb".into(),
        "a?b".into(),
        "../a".into(),
        hex.into(),
        D.into(),
        format!("docker.io/library/{D}"),
        format!("a:{}", long(129)),
        long(256),
        // 247 and `library/` are 255 characters, so one more is refused.
        long(248),
        format!("{}.de/a", long(270)),
        format!("a@{}", &D[..70]),
        format!("a@{D}0"),
        format!("a@{}", D.to_uppercase()),
        format!("a@sha256:{}", hex.to_uppercase()),
        format!("a@md5:{}", &hex[..32]),
        format!("a@{D}@{D}"),
        format!("@{D}"),
    ];
    for text in refused {
        assert!(Reference::parse(&text).is_err(), "{text:?} was accepted");
    }
    assert!(Reference::parse(&format!("{}:{}", long(247), long(128))).is_ok());
}

#[test]
fn short_digests() {
    assert_eq!(short("sha256:02833638b7e8343c1664"), "02833638b7e8");
    assert_eq!(short("odd"), "odd");
    assert_eq!(short(""), "");
}
