//! One round of pruning: lists, plans, lists again, removes one by one.

use super::{Policy, Report};
use crate::docker::Client;
use crate::state::run::Session;
use crate::voice::Voice;

/// One round. Whatever fails is in the report; what was removed, too.
pub async fn round(
    docker: &Client,
    policy: &Policy,
    session: &mut Session,
    voice: &dyn Voice,
    dry_run: bool,
) -> Report {
    todo!()
}
