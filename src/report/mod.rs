//! What the daemon tells of itself: the status frame, its socket, and its faces (terminal, JSON).

pub mod status;
