//! Image references as Docker reads them (distribution/reference grammar): `nginx` is `docker.io/library/nginx:latest`.

use core::fmt;

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
    /// [`ReferenceError`] for anything Docker would refuse.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        todo!()
    }

    /// The repository as Docker shows it: `nginx`, `portainer/portainer-ce`, `10.0.10.40:5000/app`.
    pub fn familiar_name(&self) -> String {
        todo!()
    }

    /// The tag, `latest` where neither tag nor digest was given; `None` for a digest alone.
    pub fn tag_or_latest(&self) -> Option<&str> {
        todo!()
    }

    /// `name:tag` in Docker's familiar form, the digest left out; `name` alone for a digest-only reference.
    pub fn familiar_tagged(&self) -> String {
        todo!()
    }

    /// `name:tag@digest` in familiar form: what Docker's own client writes into a service.
    pub fn pinned(&self, digest: &str) -> String {
        todo!()
    }
}
