//! Times as the files write them, and as our flags do. Pure.

use super::sheet::{Text, text};
use crate::duration;
use core::time::Duration;

/// What keepalived's numbers of seconds are cut to: a year and more is a slip of the pen.
const LONGEST: u64 = 366 * 24 * 3600;

/// Seconds with a fraction, as milliseconds.
#[inline(never)]
pub fn millis(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let mut millis = whole.parse().ok().filter(|seconds| *seconds <= LONGEST)?;
    let mut digits = fraction.bytes();
    for _ in 0..3 {
        millis = millis * 10 + u64::from(digits.next().unwrap_or(b'0') - b'0');
    }
    Some(millis)
}

/// Milliseconds as a flag takes them.
#[inline(never)]
pub fn show(millis: u64) -> Text {
    text(&[&duration::show(Duration::from_millis(millis))])
}
