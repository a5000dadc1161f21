//! A message and its bytes: RFC 5424, RFC 3164. Pure.

/// What is told, before it is put into a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When, in microseconds since 1970 (UTC).
    pub at: u64,
    /// RFC 5424 table 2: 3 error, 4 warning, 5 notice, 6 informational.
    pub severity: u8,
    /// Name of the node.
    pub host: String,
    /// Service or container; `docker` and `vrrp` for what they do.
    pub app: String,
    /// Slot or short ID.
    pub proc_id: String,
    /// `stdout`, `stderr`, `event`.
    pub msg_id: &'static str,
    /// Structured data: names of parameters, and their values.
    pub data: Vec<(&'static str, String)>,
    /// The line, without its end. UTF-8 is not promised.
    pub text: Vec<u8>,
}
