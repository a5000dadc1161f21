//! Registry credentials from a file in the form of Docker's own `config.json`.

/// The `auths` of the file. Never shown: its `Debug` tells hosts only.
#[derive(Clone, Default)]
pub struct Credentials {}

impl core::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// Reads the JSON of a `config.json`.
    ///
    /// # Errors
    /// In words, without any of the file's content.
    pub fn parse(text: &str) -> Result<Self, String> {
        todo!()
    }

    /// The value of `X-Registry-Auth` for this registry host (`docker.io` for Docker Hub).
    pub fn header(&self, registry: &str) -> Option<String> {
        todo!()
    }
}
