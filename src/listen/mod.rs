//! What `--listen` answers: the smallest HTTP/1.1 server, for reading only. One request a connection, no body taken.
//!
//! `request` reads a head, `response` writes one and knows the routes; both are pure. `run` is the server, in the
//! housekeeper: whoever floods it cannot reach the VIP.

pub mod request;
pub mod response;
pub mod run;

pub use request::Request;
pub use response::{Response, Route, route};
