//! One round over the plain containers.

use crate::docker::Client;
use crate::state::run::Session;
use crate::update::{Policy, Row};
use crate::voice::Voice;

/// Looks at every plain container, and updates what is due. One row for each is added to `rows`.
pub async fn round(
    docker: &Client,
    policy: &Policy,
    session: &mut Session,
    voice: &dyn Voice,
    dry_run: bool,
    rows: &mut Vec<Row>,
) {
    todo!()
}
