//! Asks the registries what the tags point at, through dockerd: each reference once a round, within each registry's
//! budget, who has waited longest first.

use super::{Ended, Round, Subject};
use crate::docker::api::{Distribution, Platform};
use crate::docker::error::Cause;
use crate::docker::{Error, Reference};
use crate::sorted::{Map, Set};
use crate::state::Known;
use crate::sys::clock;
use crate::update::budget::{BACK_OFF, Rate, back_off, is_too_many};
use log::Level;

/// What became of a question.
pub(super) enum Answer {
    /// The tag points at this digest.
    Points {
        newest: String,
        platforms: Vec<Platform>,
        /// Unix seconds; when it was first seen to.
        since: u64,
    },
    /// The budget is spent; since when, in words.
    NotNow(String),
    /// The registry, or dockerd, said no.
    Failed(String),
}

/// A reference that no service has any more is forgotten after this time: it may be scaled down, or skipped for a while.
const FORGET: u64 = 30 * 24 * 3600;
/// How exact the time of the last question is kept where nothing hangs on it: each change is a write to the card.
const COARSE: u64 = 24 * 3600;

impl Round<'_> {
    /// By `name:tag`.
    pub(super) async fn ask(&mut self, subjects: &[Subject]) -> Result<Map<String, Answer>, Ended> {
        let mut answers = Map::new();
        let mut silent = Set::new();
        for (tagged, reference) in self.in_turn(subjects) {
            let answer = if silent.contains(&reference.registry) {
                Answer::Failed(format!("{} does not answer", reference.registry))
            } else {
                self.ask_for(&tagged, &reference, &mut silent).await?
            };
            answers.insert(tagged, answer);
        }
        let now = clock::unix();
        let digests = &mut self.session.state.digests;
        digests
            .retain(|tagged, known| answers.contains_key(tagged) || now.saturating_sub(known.asked) < FORGET);
        self.save();
        Ok(answers)
    }

    /// Distinct references without their digests, who was asked longest ago first.
    fn in_turn(&self, subjects: &[Subject]) -> Vec<(String, Reference)> {
        let distinct: Map<String, Reference> = subjects
            .iter()
            .map(|subject| {
                (subject.tagged(), Reference { digest: None, ..subject.candidate.reference.clone() })
            })
            .collect();
        let mut turn: Vec<(String, Reference)> = distinct.into_iter().collect();
        turn.sort_by_key(|(tagged, _)| self.session.state.digests.get(tagged).map_or(0, |known| known.asked));
        turn
    }

    /// # Errors
    /// When dockerd itself cannot be reached: nothing else can be asked then.
    async fn ask_for(
        &mut self,
        tagged: &str,
        reference: &Reference,
        silent: &mut Set<String>,
    ) -> Result<Answer, Ended> {
        let (registry, now) = (&reference.registry, clock::unix());
        let auth = self.credentials.header(registry);
        let rate = Rate::of(registry, auth.is_some());
        if let Err(until) = rate.take(&mut self.session.state.registries, registry, now) {
            return Ok(Answer::NotNow(spent(registry, until - now)));
        }
        match self.docker.distribution(reference, auth.as_deref()).await {
            Ok(found) if found.descriptor.digest.is_empty() => {
                Ok(Answer::Failed(format!("{registry} tells no digest")))
            }
            Ok(found) => Ok(self.found(tagged, found, now, rate.is_limited())),
            Err(error) if is_too_many(error.status(), &error.to_string()) => {
                back_off(&mut self.session.state.registries, registry, now);
                let hours = BACK_OFF.as_secs() / 3600;
                self.say(
                    Level::Warn,
                    &format!("{registry} has had enough requests, is left alone for {hours} h: {error}"),
                );
                Ok(Answer::NotNow(spent(registry, BACK_OFF.as_secs())))
            }
            Err(error) if matches!(error.cause, Cause::Io(_) | Cause::Version(_)) => Err(error.to_string()),
            Err(error) => {
                if is_silence(&error) {
                    silent.insert(registry.clone());
                }
                let login =
                    error.status() == Some(401) || error.to_string().contains("no basic auth credentials");
                let hint = if login { "; a login comes with --registry-auth-file" } else { "" };
                Ok(Answer::Failed(format!("{error}{hint}")))
            }
        }
    }

    fn found(&mut self, tagged: &str, found: Distribution, now: u64, exact: bool) -> Answer {
        let digest = found.descriptor.digest;
        let first = || Known { digest: digest.clone(), since: now, asked: now };
        let known = self.session.state.digests.get_or_insert_with(tagged.to_owned(), first);
        if known.digest != digest {
            *known = first();
        }
        if exact || now.saturating_sub(known.asked) > COARSE {
            known.asked = now;
        }
        Answer::Points { newest: digest, platforms: found.platforms, since: known.since }
    }
}

fn spent(registry: &str, seconds: u64) -> String {
    format!("{registry} is asked again in {} min, to stay within its limits", seconds.div_ceil(60))
}

/// True if nobody answered at all: the next question would wait as long.
fn is_silence(error: &Error) -> bool {
    const SIGNS: [&str; 5] =
        ["dial tcp", "no such host", "Client.Timeout", "deadline exceeded", "i/o timeout"];
    match &error.cause {
        Cause::Deadline(_) => true,
        Cause::Status { message, .. } => SIGNS.iter().any(|sign| message.contains(sign)),
        Cause::Io(_) | Cause::Malformed(_) | Cause::Failed(_) | Cause::Version(_) => false,
    }
}
