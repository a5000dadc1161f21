//! Three real daemons in namespaces, and Chromium in the client's.
