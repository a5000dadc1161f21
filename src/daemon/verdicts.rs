//! From the verdicts of single checks to what each virtual router is told.

use crate::checks::health::Verdict as Checked;
use crate::flags::RouterConfig;
use crate::time::Time;
use crate::vrrp::event::Verdict;
use crate::vrrp::priority::{Effective, effective};
use core::time::Duration;

/// How long a router believes a verdict that is not renewed. The checks thread renews it each second; one that is
/// silent for this long hangs.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Between two renewals.
pub const RENEW_EVERY: Duration = Duration::from_secs(1);

/// The last word of every check, in the order of [`Config::tracks`](crate::flags::Config::tracks).
pub type Latest = Vec<Option<Checked>>;

/// What to tell the router, or nothing while one of its checks has not had its first look. `places` are its checks'
/// places in `latest`.
pub fn verdict(router: &RouterConfig, places: &[usize], latest: &Latest, now: Time) -> Option<Verdict> {
    let base = router.settings.base;
    let well = places.iter().map(|&place| latest[place].map(|checked| checked.at(now).well));
    let well: Vec<bool> = well.collect::<Option<_>>()?;
    let weights = router.tracks.iter().map(|track| track.weight);
    let effective: Effective = effective(base, weights.zip(well));
    let until = (!places.is_empty()).then(|| now + PATIENCE);
    Some(Verdict { effective, until })
}
