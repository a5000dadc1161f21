//! Time of day: is it within `--update-window`?

use super::Window;
use core::fmt;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

impl Window {
    /// True if `minute` (since midnight, local time) is within. A window that ends where it begins is the whole day.
    pub fn holds(self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// Minutes from `minute` until it opens; 0 while it is open.
    pub fn opens_in(self, minute: u16) -> u16 {
        if self.holds(minute) { 0 } else { (self.from + DAY - minute % DAY) % DAY }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.from, self.to].map(|minute| (minute / 60, minute % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHT: Window = Window { from: 2 * 60, to: 5 * 60 };
    const OVER_MIDNIGHT: Window = Window { from: 22 * 60 + 30, to: 4 * 60 };

    #[test]
    fn the_first_minute_is_within_and_the_last_is_not() {
        for (minute, within) in
            [(119, false), (120, true), (299, true), (300, false), (0, false), (1439, false)]
        {
            assert_eq!(NIGHT.holds(minute), within, "{minute}");
        }
    }

    #[test]
    fn over_midnight() {
        for (minute, within) in
            [(1349, false), (1350, true), (1439, true), (0, true), (239, true), (240, false)]
        {
            assert_eq!(OVER_MIDNIGHT.holds(minute), within, "{minute}");
        }
    }

    #[test]
    fn an_empty_span_is_the_whole_day() {
        let day = Window { from: 60, to: 60 };
        assert!([0, 59, 60, 61, 1439].iter().all(|minute| day.holds(*minute)));
    }

    #[test]
    fn it_tells_when_it_opens_and_how_it_was_written() {
        assert_eq!(NIGHT.opens_in(100), 20);
        assert_eq!(NIGHT.opens_in(300), 21 * 60);
        assert_eq!(NIGHT.opens_in(130), 0);
        assert_eq!(OVER_MIDNIGHT.to_string(), "22:30-04:00");
    }
}
