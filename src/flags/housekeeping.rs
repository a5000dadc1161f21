//! The flags of updates, pruning, log shipping and the status page: read and checked here, acted on by the housekeeper.

use clap::Args;

/// Flags of the housekeeper, as given. Durations and sizes in them are checked, not yet converted.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Housekeeping {
    /// Update services, plain containers, or both to their newest image (not in this version yet)
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "swarm")]
    #[arg(value_parser = ["swarm", "containers", "all"], help_heading = "Updates")]
    pub update: Option<String>,
}

impl Housekeeping {
    /// Is there anything to do? Without it the daemon starts no housekeeper child.
    pub fn any(&self) -> bool {
        self.update.is_some()
    }
}
