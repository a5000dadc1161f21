//! `check --dns NAME…`: does the name point at the VIP, and if not, is it the record or a cache?
