//! What waits while the server is away: bounded in bytes, the oldest go first, with a count. Pure.

/// The queue.
#[derive(Debug, Default)]
pub struct Queue;
