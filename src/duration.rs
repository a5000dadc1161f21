//! Durations as people write them, in flags and labels: `250ms`, `1s`, `30m`, `2h`, `1d`.

use core::time::Duration;

/// Longest duration that is taken: a year is beyond every use, and far below what overflows.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// Units, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a whole number with its unit. Zero needs none.
///
/// # Errors
/// What was expected.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let expected = || "expected a duration like 250ms, 1s, 30m or 2h".to_string();
    let number: u64 = number.parse().map_err(|_| expected())?;
    if unit.is_empty() {
        return if number == 0 {
            Ok(Duration::ZERO)
        } else {
            Err(format!("has no unit: is it {number}s or {number}ms?"))
        };
    }
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?;
    let duration = number.checked_mul(*millis).map(Duration::from_millis);
    duration.filter(|duration| *duration <= LONGEST).ok_or_else(|| "is longer than a year".to_string())
}

/// Writes it in the largest unit that leaves no remainder.
pub fn show(duration: Duration) -> String {
    let total = duration.as_millis();
    let (unit, millis) = UNITS
        .iter()
        .find(|(_, millis)| total != 0 && total.is_multiple_of(u128::from(*millis)))
        .unwrap_or(&("s", 1000));
    format!("{}{unit}", total / u128::from(*millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(parse("30m"), Ok(Duration::from_mins(30)));
        assert_eq!(parse("2h"), Ok(Duration::from_hours(2)));
        assert_eq!(parse("1d"), Ok(Duration::from_hours(24)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn a_bare_number_gets_a_hint() {
        assert_eq!(parse("5"), Err("has no unit: is it 5s or 5ms?".into()));
    }

    #[test]
    fn anything_else_is_told_what_a_duration_is() {
        for text in ["", "s", "1.5s", "-1s", "1 s", "1S", "1x", "+1s", "１s"] {
            assert_eq!(parse(text), Err("expected a duration like 250ms, 1s, 30m or 2h".into()), "{text}");
        }
    }

    #[test]
    fn too_long_is_not_an_overflow() {
        assert_eq!(parse("367d"), Err("is longer than a year".into()));
        assert_eq!(parse("18446744073709551615h"), Err("is longer than a year".into()));
    }

    #[test]
    fn shown_in_the_largest_whole_unit() {
        assert_eq!(show(Duration::from_millis(1500)), "1500ms");
        assert_eq!(show(Duration::from_secs(90)), "90s");
        assert_eq!(show(Duration::from_hours(2)), "2h");
        assert_eq!(show(Duration::ZERO), "0s");
    }
}
