//! Image references as Docker reads them (distribution/reference grammar): `nginx` is `docker.io/library/nginx:latest`.

use core::fmt;

/// The registry of a reference that names none.
const DEFAULT_REGISTRY: &str = "docker.io";
/// What old clients wrote for [`DEFAULT_REGISTRY`].
const LEGACY_REGISTRY: &str = "index.docker.io";
/// Where a Docker Hub repository of one word lies.
const OFFICIAL: &str = "library/";
/// The tag that is meant where none is given.
const DEFAULT_TAG: &str = "latest";
/// Longest path of a repository, as the grammar has it.
const MAX_REPOSITORY: usize = 255;
/// Longest tag, as the grammar has it.
const MAX_TAG: usize = 128;
/// Longest host name (RFC 1035) with a bracket pair and a port; the grammar itself names no bound.
const MAX_REGISTRY: usize = 262;
/// Hex digits of an image or container ID, which is never a name.
const ID_LEN: usize = 64;

/// A reference taken apart and normalised. At least a repository; a tag, a digest, both or none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// Registry host, with port where given: `docker.io`, `10.0.10.40:5000`.
    pub registry: String,
    /// Path in the registry: `library/nginx`.
    pub repository: String,
    /// As given; `None` where there was none (Docker means `latest` then, unless there is a digest).
    pub tag: Option<String>,
    /// `sha256:…`.
    pub digest: Option<String>,
}

/// Why a text is no image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError(pub &'static str);

const AN_ID: ReferenceError = ReferenceError("an ID, not a name");

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for ReferenceError {}

impl Reference {
    /// Reads `name`, `name:tag`, `host:5000/a/b:tag@sha256:…`, `name@sha256:…`.
    ///
    /// # Errors
    /// [`ReferenceError`] for anything Docker would refuse, and for an ID (`sha256:` and 64 hex digits), which Docker
    /// shows where a name is gone.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        if let Some(digest) = digest {
            check_digest(digest)?;
        }
        if digest.is_none() && is_id(named) {
            return Err(AN_ID);
        }
        let (registry, rest) = split_registry(named);
        check_registry(registry)?;
        // A colon before the last slash would be a port: none is left in `rest`.
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if let Some(tag) = tag {
            check_tag(tag)?;
        }
        check_repository(path)?;
        let registry = if registry == LEGACY_REGISTRY { DEFAULT_REGISTRY } else { registry };
        let official = registry == DEFAULT_REGISTRY && !path.contains('/');
        let repository_is_sha256 =
            registry == DEFAULT_REGISTRY && matches!(path, "sha256" | "library/sha256");
        if repository_is_sha256 && tag.is_some_and(is_id) {
            return Err(AN_ID);
        }
        let repository = if official { format!("{OFFICIAL}{path}") } else { path.to_owned() };
        if repository.len() > MAX_REPOSITORY {
            return Err(ReferenceError("the repository's name is longer than 255 characters"));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The repository as Docker shows it: `nginx`, `portainer/portainer-ce`, `10.0.10.40:5000/app`.
    pub fn familiar_name(&self) -> String {
        if self.registry == DEFAULT_REGISTRY {
            let official = self.repository.strip_prefix(OFFICIAL).filter(|name| !name.contains('/'));
            let short = official.unwrap_or(&self.repository);
            // `docker.io/localhost/a` without its registry would be another image.
            if split_registry(short) == (DEFAULT_REGISTRY, short) && !is_id(short) {
                return short.to_owned();
            }
        }
        format!("{}/{}", self.registry, self.repository)
    }

    /// The tag, `latest` where neither tag nor digest was given; `None` for a digest alone.
    pub fn tag_or_latest(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some(DEFAULT_TAG),
            (None, Some(_)) => None,
        }
    }

    /// `name:tag` in Docker's familiar form, the digest left out; `name` alone for a digest-only reference.
    pub fn familiar_tagged(&self) -> String {
        let mut name = self.familiar_name();
        if let Some(tag) = self.tag_or_latest() {
            name.push(':');
            name.push_str(tag);
        }
        name
    }

    /// `name:tag@digest` in familiar form: what Docker's own client writes into a service.
    pub fn pinned(&self, digest: &str) -> String {
        let mut name = self.familiar_tagged();
        name.push('@');
        name.push_str(digest);
        name
    }
}

impl fmt::Display for Reference {
    /// Familiar form with the digest, if there is one; can be parsed again as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.familiar_name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Enough of a digest to tell it from another: `3f2a81c0d4e5`, as many digits as Docker shows of an ID.
pub fn short(digest: &str) -> &str {
    const ENOUGH: usize = 12;
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..ENOUGH).unwrap_or(hex)
}

/// Registry and the rest. The first word is a host if it looks like one: a dot, a port, an upper-case letter or
/// `localhost`.
fn split_registry(named: &str) -> (&str, &str) {
    match named.split_once('/') {
        Some((host, rest))
            if host.contains(['.', ':'])
                || host == "localhost"
                || host.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            (host, rest)
        }
        Some(_) | None => (DEFAULT_REGISTRY, named),
    }
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LEN && text.bytes().all(is_lower_hex)
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn check_registry(host: &str) -> Result<(), ReferenceError> {
    const BAD: ReferenceError = ReferenceError("the registry is not a host name with, perhaps, a port");
    if host.len() > MAX_REGISTRY {
        return Err(BAD);
    }
    let (good, port) = if let Some(rest) = host.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(BAD)?;
        let hex = !address.is_empty() && address.bytes().all(|byte| byte == b':' || byte.is_ascii_hexdigit());
        (hex, port)
    } else {
        let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
        (name.split('.').all(is_domain_component), port)
    };
    let port_is_good = match port.strip_prefix(':') {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    if good && port_is_good { Ok(()) } else { Err(BAD) }
}

fn is_domain_component(text: &str) -> bool {
    let inner = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric());
    inner && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

fn check_repository(path: &str) -> Result<(), ReferenceError> {
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(ReferenceError("a repository's name has no upper-case letters"));
    }
    if path.split('/').all(is_path_component) {
        return Ok(());
    }
    Err(ReferenceError("a repository's name is words of a-z and 0-9, joined by one of . _ __ - or /"))
}

/// Letters and digits, joined by a dot, one or two underscores, or any number of dashes.
fn is_path_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.as_bytes();
    let (Some(&first), Some(&last)) = (ends.first(), ends.last()) else { return false };
    let joins = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let joined = |join: &str| matches!(join, "" | "." | "_" | "__") || join.bytes().all(|byte| byte == b'-');
    is_word(first) && is_word(last) && joins.into_iter().all(joined)
}

fn check_tag(tag: &str) -> Result<(), ReferenceError> {
    let word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let first = tag.bytes().next().is_some_and(word);
    if first && tag.len() <= MAX_TAG && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-')) {
        return Ok(());
    }
    Err(ReferenceError("a tag is 1 to 128 letters, digits and _ . - and begins with none of the last two"))
}

fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, hex) = digest.split_once(':').unwrap_or((digest, ""));
    let len = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(ReferenceError("the digest's algorithm is none of sha256, sha384, sha512")),
    };
    if hex.len() == len && hex.bytes().all(is_lower_hex) {
        return Ok(());
    }
    Err(ReferenceError("the digest has not as many lower-case hex digits as its algorithm makes"))
}

#[cfg(test)]
mod tests;
