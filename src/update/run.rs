//! One round of updates: asks Docker, lets the pure files decide, does it, watches.

use super::{Policy, Report};
use crate::docker::Client;
use crate::state::run::Session;
use crate::voice::Voice;

/// One round, Swarm services first, then plain containers. Whatever fails is in the report; a hold is saved at once.
pub async fn round(
    docker: &Client,
    policy: &Policy,
    session: &mut Session,
    voice: &dyn Voice,
    dry_run: bool,
) -> Report {
    todo!()
}
