//! What a reference names now: each is pulled once a round, within what its registry takes.

use super::Round;
use crate::docker::credentials::Credentials;
use crate::docker::{Client, Error, Reference, auth_file};
use crate::sorted::Map;
use crate::update::{Policy, Verdict, budget};
use serde_json::Value;

/// What became of a look at a reference.
#[derive(Clone)]
pub enum Tagged {
    /// It names this image (inspected).
    Here(Value),
    /// A dry run pulls nothing: the registry has this digest, which is not here.
    Newer(String),
    /// It could not be asked, and what that means for the container.
    Unknown(Verdict, String),
}

/// The looks of one round.
pub struct Images {
    seen: Map<(Reference, bool), Tagged>,
    credentials: Option<Credentials>,
    /// Why there are none, though a file was given.
    unread: Option<String>,
}

impl Images {
    /// None asked for yet.
    pub fn new(policy: &Policy) -> Self {
        let (credentials, unread) = match policy.credentials.as_deref().map(auth_file::load) {
            Some(Ok(credentials)) => (Some(credentials), None),
            Some(Err(why)) => (None, Some(why)),
            None => (None, None),
        };
        Self { seen: Map::new(), credentials, unread }
    }
}

/// True if updates may begin now.
pub fn in_window(policy: &Policy) -> bool {
    policy.window.is_none_or(|window| window.holds(crate::sys::clock::minute_of_day()))
}

/// An image; nothing if it is not there.
pub async fn inspect(docker: &Client, name: &str) -> Result<Option<Value>, Error> {
    match docker.inspect_image(name).await {
        Ok(raw) => Ok(Some(super::parsed(&raw))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Round<'_> {
    /// What `reference` names now, pulled unless `no_pull` or in a dry run.
    pub async fn tagged(&mut self, reference: &Reference, no_pull: bool) -> Result<Tagged, Error> {
        let key = (reference.clone(), no_pull);
        if let Some(seen) = self.images.seen.get(&key) {
            return Ok(seen.clone());
        }
        let tagged = self.ask(reference, no_pull).await?;
        self.images.seen.insert(key, tagged.clone());
        Ok(tagged)
    }

    async fn ask(&mut self, reference: &Reference, no_pull: bool) -> Result<Tagged, Error> {
        let registry = reference.registry.as_str();
        let mut digest = None;
        if !no_pull {
            let until = self.session.state.registries.get(registry).copied().unwrap_or(0);
            if until > self.now {
                let minutes = (until - self.now).div_ceil(60);
                let why = format!("{registry} is not asked for {minutes} min: its budget is spent");
                return Ok(Tagged::Unknown(Verdict::Deferred, why));
            }
            self.voice.progress(&format!("{}: asking {registry}", reference.familiar_tagged()));
            match self.fetch(reference).await {
                Ok(found) => digest = found,
                Err(error) => return Ok(self.refused(reference, &error)),
            }
        }
        let Some(here) = inspect(self.docker, &reference.familiar_tagged()).await? else {
            let why = "no image has its name here any more".to_owned();
            return Ok(Tagged::Unknown(Verdict::Skipped, why));
        };
        Ok(match digest.filter(|digest| !has_digest(&here, digest)) {
            Some(newer) => Tagged::Newer(newer),
            None => Tagged::Here(here),
        })
    }

    /// Pulls; in a dry run asks only, for the digest.
    async fn fetch(&self, reference: &Reference) -> Result<Option<String>, Error> {
        let auth = self.images.credentials.as_ref().and_then(|all| all.header(&reference.registry));
        if self.dry_run {
            let found = self.docker.distribution(reference, auth.as_deref()).await?;
            return Ok(Some(found.descriptor.digest));
        }
        // Docker pulls all tags of a repository where none is named.
        let mut tagged = reference.clone();
        tagged.tag = reference.tag_or_latest().map(str::to_owned);
        self.docker.pull_image(&tagged, auth.as_deref()).await?;
        Ok(None)
    }

    fn refused(&mut self, reference: &Reference, error: &Error) -> Tagged {
        let text = error.to_string();
        if budget::is_too_many(error.status(), &text) {
            budget::back_off(&mut self.session.state.registries, &reference.registry, self.now);
            let why = format!("{} had enough of us: {text}", reference.registry);
            return Tagged::Unknown(Verdict::Deferred, why);
        }
        let text = match &self.images.unread {
            Some(why) => format!("{text} (asked without login: {why})"),
            None => text,
        };
        if error.is_not_found() {
            let why = format!("its registry does not have it, or not for us: {text}");
            return Tagged::Unknown(Verdict::Skipped, why);
        }
        Tagged::Unknown(Verdict::Deferred, format!("its registry could not be asked: {text}"))
    }
}

fn has_digest(image: &Value, digest: &str) -> bool {
    let digests = image["RepoDigests"].as_array().map_or(&[][..], Vec::as_slice);
    digests.iter().filter_map(Value::as_str).any(|one| one.split('@').nth(1) == Some(digest))
}
