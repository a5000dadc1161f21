//! Container logs of a container without a terminal: frames of 8 bytes of head (stream, three zeros, length) and text.
