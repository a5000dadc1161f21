//! One round over the plain containers: looks, pulls, decides; `group` replaces, `leftover` goes on where an earlier
//! round ended, `image` asks for images.

mod group;
mod image;
mod leftover;
mod place;

use super::choice::{self, Choice, Wish};
use super::order::{self, Ties};
use super::stale::{self, Case};
use super::swap;
use crate::docker::api::Container;
use crate::docker::{Client, Error, Reference, json};
use crate::state::run::Session;
use crate::state::{Held, Known};
use crate::sys::clock;
use crate::update::candidate::own_container;
use crate::update::{Policy, Row, Verdict};
use crate::voice::Voice;
use core::time::Duration;
use image::{Images, Tagged};
use log::Level;
use serde_json::Value;

/// What a round works with.
struct Round<'a> {
    docker: &'a Client,
    policy: &'a Policy,
    session: &'a mut Session,
    voice: &'a dyn Voice,
    rows: &'a mut Vec<Row>,
    dry_run: bool,
    /// Unix seconds, at its start.
    now: u64,
    images: Images,
    /// The container this program runs in.
    own: Option<String>,
}

/// A plain container that runs.
struct Plain {
    name: String,
    inspect: Value,
    ties: Ties,
    wish: Option<Wish>,
    /// What it was made from, where that is known.
    image: Value,
    /// What its reference names now, if it is to be made anew from that.
    due: Option<String>,
    /// Its place in the rows, for those that have one.
    row: Option<usize>,
    /// An earlier round put it aside; and whether its restart policy was `always`.
    marked: Option<bool>,
    /// This program runs in it.
    own: bool,
}

impl Plain {
    fn text(&self, path: &str) -> &str {
        self.inspect.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }

    fn id(&self) -> &str {
        &self.ties.id
    }

    fn reference(&self) -> &str {
        self.text("/Config/Image")
    }
}

/// Looks at every plain container, and updates what is due. One row for each is added to `rows`; a hold is saved at once.
pub async fn round(
    docker: &Client,
    policy: &Policy,
    session: &mut Session,
    voice: &dyn Voice,
    dry_run: bool,
    rows: &mut Vec<Row>,
) {
    let now = clock::unix();
    let images = Images::new(policy);
    let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = own_container(&mountinfo).map(str::to_owned);
    let mut round = Round { docker, policy, session, voice, rows, dry_run, now, images, own };
    if let Err(error) = round.all().await {
        voice.say(Level::Warn, &format!("containers are not looked at, the next round will: {error}"));
    }
    voice.progress("");
}

/// The key of a container in what services have keys in, too.
fn held_key(name: &str) -> String {
    format!("container {name}")
}

impl Round<'_> {
    async fn all(&mut self) -> Result<(), Error> {
        self.leftovers().await?;
        let mut plain = Vec::new();
        for container in self.docker.containers().await? {
            if let Some(one) = self.look(&container).await? {
                plain.push(one);
            }
        }
        for one in &mut plain {
            if let Some(wish) = one.wish {
                self.decide(one, wish).await?;
            }
        }
        self.save();
        let ties: Vec<Ties> = plain.iter().map(|one| one.ties.clone()).collect();
        for index in order::sorted(&ties) {
            if plain[index].due.is_some() && !self.replace(&mut plain, index).await {
                break;
            }
        }
        Ok(())
    }

    /// Chooses and inspects one of the list; nothing for what is none of ours.
    async fn look(&mut self, container: &Container) -> Result<Option<Plain>, Error> {
        let choice = choice::choose(container, self.policy, self.own.as_deref());
        // What was put aside and could not be settled has its row already.
        let aside = swap::unmarked(choice::name(container), &container.id).is_some();
        if choice == Choice::Ignored || aside {
            return Ok(None);
        }
        let inspect = match self.docker.inspect_container(&container.id).await {
            Ok(raw) => parsed(&raw),
            // It has just gone.
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let (name, ties) = (choice::name(container).to_owned(), order::ties(&inspect));
        let own = self.own.as_deref() == Some(container.id.as_str());
        let (image, marked) = (Value::Null, None);
        let mut one = Plain { name, inspect, ties, wish: None, image, due: None, row: None, marked, own };
        match choice {
            Choice::Ignored => {}
            Choice::Skipped(why) => self.row(&mut one, "", Verdict::Skipped, why),
            Choice::Looked(_) if one.inspect["HostConfig"]["AutoRemove"] == true => {
                let why = "started with --rm: stopping it would remove it and its volumes";
                self.row(&mut one, "", Verdict::Skipped, why.into());
            }
            Choice::Looked(wish) => one.wish = Some(wish),
        }
        Ok(Some(one))
    }

    /// Finds out what is newer, and writes its row.
    async fn decide(&mut self, one: &mut Plain, wish: Wish) -> Result<(), Error> {
        let Some(image) = image::inspect(self.docker, one.text("/Image")).await? else {
            let why = "its image was removed: what it was asked for cannot be told from what the image said";
            self.row(one, "", Verdict::Skipped, why.into());
            return Ok(());
        };
        one.image = image;
        if let Some(why) = stale::untraceable(one.reference(), &one.image) {
            self.row(one, "", Verdict::Skipped, why.into());
            return Ok(());
        }
        // `untraceable` has read it.
        let Ok(reference) = Reference::parse(one.reference()) else { return Ok(()) };
        let no_pull = wish.no_pull;
        match self.tagged(&reference, no_pull).await? {
            Tagged::Unknown(verdict, why) => self.row(one, "", verdict, why),
            Tagged::Newer(digest) => {
                let why = "a newer image is in the registry".to_owned();
                self.row(one, &digest, Verdict::Due, why);
            }
            Tagged::Here(new) => self.judge(one, wish, &reference, &new),
        }
        Ok(())
    }

    /// Writes the row of a container whose reference names `new` now.
    fn judge(&mut self, one: &mut Plain, wish: Wish, reference: &Reference, new: &Value) {
        let id = new["Id"].as_str().unwrap_or_default().to_owned();
        let key = held_key(&one.name);
        if self.session.state.held.get(&key).is_some_and(|held| held.digest != id) {
            self.session.state.held.remove(&key);
        }
        let case = Case {
            old: &one.image,
            new,
            wish,
            held: self.session.state.held.get(&key),
            known_for: Duration::ZERO,
            min_age: self.policy.min_age,
            in_window: image::in_window(self.policy),
        };
        let known_for = known_for(&mut self.session.state.digests, reference, &id, self.now);
        let (verdict, why) = stale::decide(Case { known_for, ..case });
        one.due = (verdict == Verdict::Due).then(|| id.clone());
        self.row(one, &id, verdict, why);
    }

    fn row(&mut self, one: &mut Plain, to: &str, verdict: Verdict, reason: String) {
        let image = Reference::parse(one.reference())
            .map_or_else(|_| one.reference().to_owned(), |reference| reference.familiar_tagged());
        one.row = Some(self.rows.len());
        self.rows.push(Row {
            name: one.name.clone(),
            kind: "container",
            image,
            from: one.text("/Image").to_owned(),
            to: to.to_owned(),
            verdict,
            reason,
        });
    }

    /// Writes what became of a container, into its row and to whoever listens.
    fn tell(&mut self, one: &mut Plain, verdict: Verdict, reason: String) {
        let level = match verdict {
            // The same each round: its row says it.
            Verdict::Skipped => Level::Debug,
            Verdict::Updated | Verdict::Due | Verdict::Current => Level::Info,
            Verdict::Deferred | Verdict::Held | Verdict::RolledBack => Level::Warn,
            Verdict::Failed => Level::Error,
        };
        self.voice.say(level, &format!("container {}: {reason}", one.name));
        match one.row {
            Some(row) => {
                self.rows[row].verdict = verdict;
                self.rows[row].reason = reason;
            }
            None => self.row(one, "", verdict, reason),
        }
    }

    /// Keeps `digest` from being tried again.
    fn hold(&mut self, one: &Plain, digest: &str, reason: &str) {
        let held = Held {
            reference: one.reference().to_owned(),
            digest: digest.to_owned(),
            reason: reason.to_owned(),
            since: self.now,
        };
        self.session.state.held.insert(held_key(&one.name), held);
        self.save();
    }

    fn save(&self) {
        if let Err(error) = self.session.save() {
            self.voice.say(Level::Warn, &format!("what failed here may be tried again: {error}"));
        }
    }
}

/// Docker's answer as a value; null where it cannot be read, in which nothing will be found.
fn parsed(raw: &serde_json::value::RawValue) -> Value {
    json::parse(raw.get()).unwrap_or_default()
}

/// Since when the reference names this image.
fn known_for(
    digests: &mut crate::sorted::Map<String, Known>,
    reference: &Reference,
    id: &str,
    now: u64,
) -> Duration {
    // Services keep the digests of indices there; these are images.
    let key = format!("image of {}", reference.familiar_tagged());
    let first = || Known { digest: id.to_owned(), since: now, asked: now };
    let known = digests.get_or_insert_with(key, first);
    if known.digest != id {
        *known = first();
    }
    known.asked = now;
    Duration::from_secs(now.saturating_sub(known.since))
}
