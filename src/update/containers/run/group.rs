//! A container and those that cannot be without it (its network, its processes, its links) are replaced together: all of
//! them, or none.

use super::place::{Failure, Place, by_hand};
use super::{Plain, Round, image, parsed};
use crate::docker::Error;
use crate::sorted::Map;
use crate::update::Row;
use crate::update::Verdict;
use crate::update::containers::choice;
use crate::update::containers::create::{self, Replaced, Request};
use crate::update::containers::order;
use crate::voice;
use log::Level;

/// A container of a group that was begun.
pub struct Begun<'a> {
    index: usize,
    place: Place<'a>,
}

/// Why a group was not replaced.
pub struct Broken {
    /// Which of them failed.
    pub index: usize,
    /// Why.
    pub failure: Failure,
}

/// `all[first]` and those that hang on it, and on those, in an order that works.
pub fn group(all: &[Plain], first: usize) -> Vec<usize> {
    let mut group = vec![first];
    let mut next = 0;
    while let Some(on) = group.get(next).map(|index| &all[*index]) {
        let hangs = |index: &usize| !group.contains(index) && all[*index].ties.hangs_on(on.id(), &on.name);
        let more: Vec<usize> = (0..all.len()).filter(hangs).collect();
        group.extend(more);
        next += 1;
    }
    group
}

impl<'a> Round<'a> {
    /// Replaces `all[first]`, with those that hang on it. False if this round has to end here.
    pub async fn replace(&mut self, all: &mut [Plain], first: usize) -> bool {
        let group = group(all, first);
        for index in &group {
            if let Err(why) = self.fit(&mut all[*index]).await {
                let which = if *index == first {
                    String::new()
                } else {
                    format!("{} hangs on it and ", all[*index].name)
                };
                self.tell(&mut all[first], Verdict::Skipped, format!("left alone: {which}{why}"));
                all[first].due = None;
                return true;
            }
        }
        if self.dry_run {
            return true;
        }
        let (name, reference) = (all[first].name.clone(), all[first].reference().to_owned());
        self.voice
            .say(Level::Info, &format!("container {name}: {reference} names a newer image, it is recreated"));
        if let Some(row) = all[first].row.map(|row| &self.rows[row]) {
            let Row { name, kind: what, image, from, to, .. } = row;
            self.voice.begins(voice::Rollout { what, name, image, from, to });
        }
        self.carry_out(all, &group).await
    }

    /// Forward with `group`, or back. False if it went back.
    pub async fn carry_out(&mut self, all: &mut [Plain], group: &[usize]) -> bool {
        let mut begun = Vec::new();
        match self.forward(all, group, &mut begun).await {
            Ok(()) => {
                self.finish(all, &begun).await;
                true
            }
            Err(broken) => {
                self.back(all, group, &begun, &broken).await;
                false
            }
        }
    }

    /// It can be made anew, as far as one can tell before.
    async fn fit(&self, one: &mut Plain) -> Result<(), String> {
        self.refresh(one).await?;
        self.may_follow(one).await?;
        self.lenders(one).await
    }

    /// What it was made with has to be there, or Docker would not make it again.
    async fn lenders(&self, one: &Plain) -> Result<(), String> {
        let hangs_on = one.ties.hangs_on.iter().map(String::as_str);
        let list = self.docker.containers().await.map_err(|error| error.to_string())?;
        let is_there = |of: &str| {
            list.iter().any(|one| choice::name(one) == of || (of.len() >= 12 && one.id.starts_with(of)))
        };
        match hangs_on.chain(order::volumes_from(&one.inspect)).find(|of| !is_there(of)) {
            Some(of) => Err(format!("needs container {of}, which is gone: recreate it by hand")),
            None => Ok(()),
        }
    }

    /// As it is now: minutes may have gone by with other containers.
    async fn refresh(&self, one: &mut Plain) -> Result<(), String> {
        let raw = self.docker.inspect_container(one.id()).await.map_err(|error| error.to_string())?;
        one.inspect = parsed(&raw);
        let running = one.inspect["State"]["Running"] == true;
        if running { Ok(()) } else { Err("does not run any more".into()) }
    }

    /// One that hangs on another is made anew from the image it has, unless it is due itself. Or why it cannot be.
    pub async fn may_follow(&self, one: &mut Plain) -> Result<(), String> {
        if one.due.is_some() || one.marked.is_some() {
            return Ok(());
        }
        if one.own {
            return Err("is what this program runs in".into());
        }
        if one.inspect["HostConfig"]["AutoRemove"] == true {
            return Err("was started with --rm: stopping it would remove it".into());
        }
        let text = |error: Error| error.to_string();
        let here = image::inspect(self.docker, one.reference()).await.map_err(text)?.unwrap_or_default();
        if here["Id"] != one.text("/Image") {
            return Err("cannot be recreated: its tag names another image than the one it runs".into());
        }
        one.image = here;
        Ok(())
    }

    /// Where `one` is replaced. An earlier round may have begun it.
    fn place(&self, one: &Plain, request: Option<Request>) -> Place<'a> {
        let labels = one.inspect["Config"]["Labels"].as_object();
        let pairs = labels
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        let (bake, told) = choice::bake(&pairs.collect::<Map<String, String>>(), self.policy);
        if let Some(told) = told {
            self.voice.say(Level::Warn, &format!("container {}: {told}", one.name));
        }
        let always = one.text("/HostConfig/RestartPolicy/Name") == "always";
        Place {
            docker: self.docker,
            voice: self.voice,
            name: one.name.clone(),
            old: one.id().to_owned(),
            always: one.marked.unwrap_or(always),
            request,
            bake,
            deadline: self.policy.deadline,
        }
    }

    /// One that was begun by an earlier round.
    pub fn begun(&self, all: &[Plain], index: usize) -> Begun<'a> {
        Begun { index, place: self.place(&all[index], None) }
    }

    async fn forward(
        &self,
        all: &[Plain],
        group: &[usize],
        begun: &mut Vec<Begun<'a>>,
    ) -> Result<(), Broken> {
        let mut replaced = Vec::new();
        for &index in group {
            let one = &all[index];
            let image = one.due.as_deref().unwrap_or(one.text("/Image"));
            let request = match one.marked {
                Some(_) => None,
                None => Some(
                    create::request(&one.inspect, &one.image, image, &replaced)
                        .map_err(|reason| Broken { index, failure: Failure { reason, hold: false } })?,
                ),
            };
            let place = self.place(one, request);
            let done = place.forward().await;
            begun.push(Begun { index, place });
            let new = done.map_err(|failure| Broken { index, failure })?;
            replaced.push(Replaced { old: one.id().to_owned(), new });
        }
        Ok(())
    }

    /// Those that were lent something first keep their way back longest.
    async fn finish(&mut self, all: &mut [Plain], begun: &[Begun<'a>]) {
        for Begun { index, place } in begun.iter().rev() {
            let one = &mut all[*index];
            let due = one.due.take().is_some() || one.marked.is_some();
            let (verdict, mut reason) = if due {
                (Verdict::Updated, "recreated from the newer image, and runs well".to_owned())
            } else {
                (Verdict::Current, "recreated with the container it hangs on".to_owned())
            };
            if let Err(error) = place.finish().await {
                reason = format!("{reason}; the old one is removed in the next round: {error}");
            }
            self.tell(one, verdict, reason);
        }
    }

    /// Back with those that were begun; the others of the group are restarted.
    pub async fn back(&mut self, all: &mut [Plain], group: &[usize], begun: &[Begun<'a>], broken: &Broken) {
        let Broken { index, failure } = broken;
        let name = all[*index].name.clone();
        self.voice.say(
            Level::Warn,
            &format!("container {name}: put back, as the new one failed: {}", failure.reason),
        );
        if failure.hold {
            // One that was not due itself has failed because of the first.
            let blamed = if all[*index].due.is_some() { *index } else { group[0] };
            let reason =
                if blamed == *index { failure.reason.clone() } else { format!("{name}: {}", failure.reason) };
            if let Some(digest) = all[blamed].due.clone() {
                self.hold(&all[blamed], &digest, &reason);
            }
        }
        for Begun { index: at, place } in begun {
            let one = &mut all[*at];
            let reason = if at == index { failure.reason.clone() } else { format!("put back with {name}") };
            match place.back().await {
                Ok(()) => self.tell(one, Verdict::RolledBack, format!("the old one runs again: {reason}")),
                Err(why) => {
                    let commands = by_hand(&place.name, &place.old, place.always);
                    let reason = format!(
                        "{reason}; could not be put back: {why}; the next round tries again, by hand: {commands}"
                    );
                    self.tell(one, Verdict::Failed, reason);
                }
            }
        }
        let rest = group.iter().filter(|index| begun.iter().all(|begun| begun.index != **index));
        for index in rest.copied().collect::<Vec<_>>() {
            self.restart(&mut all[index]).await;
        }
    }

    /// What was lent to it went when its lender was stopped.
    async fn restart(&mut self, one: &mut Plain) {
        let id = one.id().to_owned();
        match self.docker.restart_container(&id).await {
            Ok(()) => self.tell(one, Verdict::Current, "restarted with the container it hangs on".into()),
            Err(error) => {
                let reason = format!(
                    "hangs on one that was put back, and could not be restarted: {error}; by hand: docker restart {}",
                    one.name
                );
                self.tell(one, Verdict::Failed, reason);
            }
        }
    }
}
