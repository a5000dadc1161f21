//! What Docker's own syslog driver sends, read. Pure.
