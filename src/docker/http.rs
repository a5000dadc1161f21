//! HTTP/1.1 as dockerd speaks it, without I/O: bytes in, what they mean out.
