//! What an earlier round, or a dockerd that died, left in the middle: gone on with, or put back.

use super::group::{Broken, group};
use super::place::{Failure, by_hand, named, new_of};
use super::{Plain, Round, image, parsed};
use crate::docker::Error;
use crate::update::Verdict;
use crate::update::containers::choice::{self, TASK};
use crate::update::containers::order::{self, Ties};
use crate::update::containers::swap::{self, Leftover};
use serde_json::Value;

impl Round<'_> {
    /// Looks for marked containers, and settles each with those that hang on it.
    pub async fn leftovers(&mut self) -> Result<(), Error> {
        let list = self.docker.containers().await?;
        let marked =
            |name: &str, id: &str| swap::unmarked(name, id).map(|(name, always)| (name.to_owned(), always));
        if list.iter().all(|one| marked(choice::name(one), &one.id).is_none()) {
            return Ok(());
        }
        let mut all = Vec::new();
        for container in &list {
            let mark = marked(choice::name(container), &container.id);
            if container.labels.contains_key(TASK) || (mark.is_none() && container.state != "running") {
                continue;
            }
            let inspect = parsed(&self.docker.inspect_container(&container.id).await?);
            let mut ties = order::ties(&inspect);
            let (name, always) =
                mark.map_or((ties.name.clone(), None), |(name, always)| (name, Some(always)));
            ties.name.clone_from(&name);
            let own = self.own.as_deref() == Some(container.id.as_str());
            let mut one = Plain {
                name,
                inspect,
                ties,
                wish: None,
                image: Value::Null,
                due: None,
                row: None,
                marked: always,
                own,
            };
            if one.marked.is_some() {
                // What the name has now is what the old one was to be replaced by.
                one.due = image::inspect(self.docker, one.reference())
                    .await?
                    .and_then(|image| Some(image["Id"].as_str()?.to_owned()));
            }
            all.push(one);
        }
        self.settle(&mut all).await
    }

    async fn settle(&mut self, all: &mut [Plain]) -> Result<(), Error> {
        let ties: Vec<Ties> = all.iter().map(|one| one.ties.clone()).collect();
        let mut settled = Vec::new();
        for first in order::sorted(&ties) {
            if all[first].marked.is_none() || settled.contains(&first) {
                continue;
            }
            let group = group(all, first);
            settled.extend(group.iter().copied());
            let mut what = Leftover::Watch;
            for index in &group {
                what = worse(what, self.leftover(&all[*index]).await?);
            }
            self.settle_one(all, &group, what).await;
        }
        Ok(())
    }

    async fn leftover(&self, old: &Plain) -> Result<Leftover, Error> {
        if old.marked.is_none() {
            return Ok(Leftover::Watch);
        }
        let new = named(self.docker, &old.name).await?;
        let ours = new["Config"]["Image"] == old.reference();
        Ok(swap::leftover(new_of(&new), ours))
    }

    async fn settle_one(&mut self, all: &mut [Plain], group: &[usize], what: Leftover) {
        let first = group[0];
        if self.dry_run {
            let reason = "an earlier round ended while it was replaced; the next one goes on".to_owned();
            return self.tell(&mut all[first], Verdict::Deferred, reason);
        }
        match what {
            Leftover::Foreign => {
                let one = &mut all[first];
                let commands = by_hand(&one.name, one.id(), one.marked == Some(true));
                let reason = format!(
                    "its old container was put aside by an earlier round, and another one has its name: if that is not yours, {commands}"
                );
                self.tell(one, Verdict::Failed, reason);
            }
            Leftover::PutBack => {
                let reason = "an earlier round ended in the middle".to_owned();
                self.put_back(all, group, reason).await;
            }
            Leftover::Watch => {
                for index in group {
                    if let Err(why) = self.may_follow(&mut all[*index]).await {
                        let reason = format!("{} hangs on it and {why}", all[*index].name);
                        return self.put_back(all, group, reason).await;
                    }
                }
                self.carry_out(all, group).await;
            }
        }
    }

    async fn put_back(&mut self, all: &mut [Plain], group: &[usize], reason: String) {
        let marked = group.iter().copied().filter(|index| all[*index].marked.is_some());
        let begun: Vec<_> = marked.map(|index| self.begun(all, index)).collect();
        let broken = Broken { index: group[0], failure: Failure { reason, hold: false } };
        self.back(all, group, &begun, &broken).await;
    }
}

/// One of a group that has to go back takes all along; one that is somebody else's leaves all as they are.
fn worse(one: Leftover, other: Leftover) -> Leftover {
    match (one, other) {
        (Leftover::Foreign, _) | (_, Leftover::Foreign) => Leftover::Foreign,
        (Leftover::PutBack, _) | (_, Leftover::PutBack) => Leftover::PutBack,
        (Leftover::Watch, Leftover::Watch) => Leftover::Watch,
    }
}
