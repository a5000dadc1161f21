//! How often a registry may be asked. Each `/distribution` costs one pull, and Docker Hub counts pulls: 100 in six hours
//! for an address without login, 200 with one (docs.docker.com/docker-hub/usage/pulls). Half of them is for the pulls
//! of the nodes themselves.
//!
//! The budget is a token bucket written as one moment, "not before": it goes up by the price with every question, and a
//! bucket that is full lies [`Rate::burst`] behind the present. So it fits the state file, and a back-off is the same
//! moment moved further.

use crate::sorted::Map;
use core::time::Duration;

/// Docker Hub's host, as references have it.
const HUB: &str = "docker.io";
/// Price of a question to Docker Hub without login: 50 in six hours.
const HUB_ANONYMOUS: u64 = 6 * 3600 / 50;
/// The same with a login: 100 in six hours.
const HUB_LOGIN: u64 = 6 * 3600 / 100;
/// Questions at once to Docker Hub: a first round of a common cluster, and still within Hub's own limit.
const HUB_BURST: u64 = 25;
/// After "too many requests": Hub's own six hours are a window, half of it has freed half of the pulls.
pub const BACK_OFF: Duration = Duration::from_hours(3);
/// A moment further ahead was written by a clock that was wrong.
const FURTHEST: u64 = 6 * 3600;

/// What a registry may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Seconds that one question costs.
    price: u64,
    /// Seconds that may be spent at once.
    burst: u64,
}

impl Rate {
    /// Of this registry host, with or without a login there. Of others than Docker Hub no limits are known: each
    /// reference may be asked once a round, until they say that it is too much.
    pub fn of(registry: &str, login: bool) -> Self {
        let price = match (registry, login) {
            (HUB, true) => HUB_LOGIN,
            (HUB, false) => HUB_ANONYMOUS,
            _ => 0,
        };
        Self { price, burst: price * HUB_BURST }
    }

    /// True if questions are counted here.
    pub fn is_limited(self) -> bool {
        self.price > 0
    }

    /// Takes the price out of the bucket of `registry`, at `now` in unix seconds.
    ///
    /// # Errors
    /// The moment from which on there is enough again.
    pub fn take(self, buckets: &mut Map<String, u64>, registry: &str, now: u64) -> Result<(), u64> {
        let not_before =
            buckets.get(registry).copied().filter(|moment| *moment <= now + FURTHEST).unwrap_or(0);
        if not_before > now {
            return Err(not_before);
        }
        // Nothing is written for nothing: each change of the state is a write to the card.
        if self.is_limited() {
            let spent = not_before.max(now.saturating_sub(self.burst)) + self.price;
            buckets.insert(registry.to_owned(), spent);
        }
        Ok(())
    }
}

/// The registry has said that it was too much.
pub fn back_off(buckets: &mut Map<String, u64>, registry: &str, now: u64) {
    buckets.insert(registry.to_owned(), now + BACK_OFF.as_secs());
}

/// True if an answer of this status and text means a spent budget: Docker passes the registry's own words on, not
/// always its status.
pub fn is_too_many(status: Option<u16>, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let signs = ["toomanyrequests", "too many requests", "pull rate limit"];
    status == Some(429) || signs.iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000;

    /// Asks each reference in turn, who waited longest first, in rounds of five minutes.
    fn six_hours(references: usize, login: bool, from: u64, buckets: &mut Map<String, u64>) -> Vec<u32> {
        let mut asked = vec![(0, 0); references];
        for round in 0..72 {
            let now = from + round * 300;
            let mut order: Vec<usize> = (0..references).collect();
            order.sort_by_key(|index| asked[*index].0);
            for index in order {
                if Rate::of("docker.io", login).take(buckets, "docker.io", now).is_ok() {
                    asked[index] = (now, asked[index].1 + 1);
                }
            }
        }
        asked.into_iter().map(|(_, count)| count).collect()
    }

    #[test]
    fn docker_hub_stays_within_half_its_limit_and_everybody_gets_a_turn() {
        let mut buckets = Map::new();
        let first = six_hours(10, false, NOON, &mut buckets);
        assert!((70..=76).contains(&first.iter().sum::<u32>()), "a full bucket and six hours: {first:?}");
        let next = six_hours(10, false, NOON + 6 * 3600, &mut buckets);
        assert!((48..=52).contains(&next.iter().sum::<u32>()), "{next:?}");
        assert!(next.iter().all(|count| (4..=6).contains(count)), "{next:?}");
    }

    #[test]
    fn a_login_doubles_it() {
        let mut buckets = Map::new();
        six_hours(10, true, NOON, &mut buckets);
        let next = six_hours(10, true, NOON + 6 * 3600, &mut buckets);
        assert!((97..=103).contains(&next.iter().sum::<u32>()), "{next:?}");
    }

    #[test]
    fn one_image_is_asked_every_five_minutes_at_first_and_in_the_end_every_seven() {
        let mut buckets = Map::new();
        assert_eq!(six_hours(1, false, NOON, &mut buckets), [72]);
        let later = six_hours(1, false, NOON + 6 * 3600, &mut buckets);
        assert!((48..=56).contains(&later[0]), "{later:?}");
    }

    #[test]
    fn too_many_requests_silence_for_hours() {
        let mut buckets = Map::new();
        back_off(&mut buckets, "docker.io", NOON);
        let hub = Rate::of("docker.io", false);
        assert_eq!(hub.take(&mut buckets, "docker.io", NOON + 10_799), Err(NOON + 10_800));
        assert_eq!(hub.take(&mut buckets, "docker.io", NOON + 10_800), Ok(()));
        assert_eq!(Rate::of("ghcr.io", false).take(&mut buckets, "ghcr.io", NOON), Ok(()));
    }

    #[test]
    fn other_registries_are_asked_as_often_as_the_user_says_and_leave_no_trace() {
        let mut buckets = Map::new();
        let rate = Rate::of("10.0.10.40:5000", false);
        assert!((0..1000).all(|_| rate.take(&mut buckets, "10.0.10.40:5000", NOON).is_ok()));
        assert!(buckets.is_empty());
        back_off(&mut buckets, "10.0.10.40:5000", NOON);
        assert!(rate.take(&mut buckets, "10.0.10.40:5000", NOON + 1).is_err());
    }

    #[test]
    fn a_clock_that_was_wrong_does_not_silence_for_years() {
        let mut buckets = Map::from([("docker.io".to_owned(), NOON + 1_000_000_000)]);
        let hub = Rate::of("docker.io", false);
        assert_eq!(hub.take(&mut buckets, "docker.io", NOON), Ok(()));
        assert!(buckets["docker.io"] < NOON);
    }

    #[test]
    fn a_spent_budget_has_many_words() {
        assert!(is_too_many(Some(429), ""));
        assert!(is_too_many(Some(500), "toomanyrequests: You have reached your pull rate limit."));
        assert!(is_too_many(Some(500), "Too Many Requests (HAP429)"));
        assert!(!is_too_many(Some(500), "no basic auth credentials"));
        assert!(!is_too_many(None, "connection refused"));
    }
}
