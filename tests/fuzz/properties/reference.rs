//! No text may panic the reader of image references; what it accepts is said again in ways that mean the same.

use unsinkable::docker::Reference;

/// Reads `data` as a reference.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(first) = Reference::parse(text) else { return };
    assert!(text.is_ascii() && first.repository.len() <= 255);
    assert!(!first.registry.is_empty() && !first.repository.is_empty());
    assert!(first.registry != "docker.io" || first.repository.contains('/'));
    assert_eq!(Reference::parse(&first.to_string()).as_ref(), Ok(&first));
    let full = format!("{}/{}", first.registry, first.repository);
    let tag = first.tag_or_latest().map(|tag| format!(":{tag}")).unwrap_or_default();
    let bare = Reference { tag: tag.strip_prefix(':').map(str::to_owned), digest: None, ..first.clone() };
    assert_eq!(Reference::parse(&(full + &tag)).as_ref(), Ok(&bare));
    assert_eq!(Reference::parse(&first.familiar_tagged()), Ok(bare.clone()));
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let pinned = Reference::parse(&first.pinned(&digest)).expect("what is written into a service");
    assert_eq!(pinned, Reference { digest: Some(digest), ..bare });
    assert_eq!(pinned.familiar_name(), first.familiar_name());
}
