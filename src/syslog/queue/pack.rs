//! Packs bytes that repeat themselves, as messages do: all but the time, the number and the text is the same again and
//! again. Pure.
//!
//! In turn: how many bytes stand as they are, these bytes, how many are repeated, from how far back. One place is looked
//! at for each byte, and nothing is counted: it costs little, and is enough for that.

/// What is shorter is not looked for: its numbers would take as much.
const WORD: usize = 8;
/// Places that are remembered while it packs, four bytes each; a power of two.
const PLACES: usize = 4096;
/// After so many bytes in vain every second place is looked at, and so on: what repeats nothing costs less.
const VAIN: usize = 64;

/// Appends `raw`, packed.
pub fn pack(raw: &[u8], out: &mut Vec<u8>) {
    let mut places = [u32::MAX; PLACES];
    // `told`: up to there all is in `out`.
    let (mut at, mut told) = (0, 0);
    while let Some(word) = word(raw, at) {
        let place = &mut places[slot(word)];
        let before = core::mem::replace(place, u32::try_from(at).unwrap_or(u32::MAX)) as usize;
        if before >= at || self::word(raw, before) != Some(word) {
            at += 1 + (at - told) / VAIN;
            continue;
        }
        let equal = raw[at..].iter().zip(&raw[before..]).take_while(|(one, other)| one == other).count();
        plain(out, &raw[told..at]);
        put(out, equal as u64);
        put(out, (at - before) as u64);
        at += equal;
        told = at;
    }
    plain(out, &raw[told..]);
}

/// Appends to `out` what was packed. Of what [`pack`] did not write, as much as makes sense.
pub fn unpack(mut packed: &[u8], out: &mut Vec<u8>) {
    let begun = out.len();
    while let Some(len) = take(&mut packed) {
        let (plain, rest) = packed.split_at(len.min(packed.len()));
        out.extend(plain);
        packed = rest;
        let (Some(equal), Some(back)) = (take(&mut packed), take(&mut packed)) else { return };
        if back == 0 || back > out.len() - begun {
            return;
        }
        // What is repeated may be part of the repetition: at most `back` bytes are there at a time.
        let mut left = equal;
        while left > 0 {
            let from = out.len() - back;
            let some = left.min(back);
            out.extend_from_within(from..from + some);
            left -= some;
        }
    }
}

/// Appends a number: seven bits a byte, the lowest first, the eighth if there are more.
pub fn put(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Takes a number off the front, if one is there.
pub fn take(packed: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *packed.split_off_first()?;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn plain(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend(bytes);
}

fn word(raw: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*raw.get(at..)?.first_chunk::<WORD>()?))
}

/// Where a word's last place is remembered: its upper bits, well mixed (Knuth's multiplicative hashing).
fn slot(word: u64) -> usize {
    let mixed = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    usize::try_from(mixed).unwrap_or_default() % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(raw: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        pack(raw, &mut packed);
        packed
    }

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut raw = b"before".to_vec();
        unpack(packed, &mut raw);
        raw.split_off(6)
    }

    #[test]
    fn what_is_equal_is_told_once() {
        assert_eq!(packed(b""), [0]);
        assert_eq!(packed(b"abcdefghabcdefg"), b"\x0fabcdefghabcdefg");
        assert_eq!(packed(b"abcdefgh-abcdefgh!"), b"\x09abcdefgh-\x08\x09\x01!");
        // 1 + 299: repeated from the byte before.
        assert_eq!(packed(&[b'x'; 300]), b"\x01x\xab\x02\x01\x00");
    }

    #[test]
    fn all_comes_back() {
        let mut seed = 1_u64;
        let mut random = move |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for case in 0..300 {
            let len = random(if case < 250 { 300 } else { 200_000 });
            // From noise to hardly any difference.
            let kinds = [1, 2, 3, 17, 256][usize::try_from(random(5)).unwrap()];
            let mut raw: Vec<u8> = Vec::new();
            while (raw.len() as u64) < len {
                if raw.len() > 20 && random(3) == 0 {
                    let from = usize::try_from(random(raw.len() as u64)).unwrap();
                    let to = raw.len().min(from + usize::try_from(random(400)).unwrap());
                    raw.extend_from_within(from..to);
                }
                raw.push(u8::try_from(random(kinds)).unwrap());
            }
            assert!(unpacked(&packed(&raw)) == raw, "case {case}, {} bytes", raw.len());
        }
    }

    #[test]
    fn messages_of_a_task_take_a_fifth() {
        let line = |number: u32| {
            let (second, micro, page) = (number / 50 % 60, number * 7_919 % 1_000_000, number * 31 % 977);
            format!(
                "<30>1 2025-11-23T00:39:{second:02}.{micro:06}Z pi-1 shop_web 2 stdout [meta sequenceId=\"{number}\"]\
                 [docker@32473 service=\"shop_web\" stack=\"shop\" task=\"k5yrm8w1l2q0v9x3c7n4b6z8a\" \
                 node=\"q2w3e4r5t6y7u8i9o0p1a2s3d\" container_name=\"shop_web.2.k5yrm8w1l2q0v9x3c7n4b6z8a\" \
                 container_id=\"3f2a9c1b7d4e\" image=\"nginx:1.27\"] 10.0.10.7 - - \"GET /page/{page}.html HTTP/1.1\" 200 \
                 {micro} \"-\" \"curl/7.88.1\"\n"
            )
        };
        let raw: String = (1..=160).map(line).collect();
        let len = packed(raw.as_bytes()).len();
        assert!(len * 5 < raw.len(), "{len} of {}", raw.len());
    }

    #[test]
    fn numbers_have_as_many_bytes_as_they_need() {
        for (number, bytes) in [(0, &[0][..]), (0x7f, &[0x7f]), (0x80, &[0x80, 1]), (300, &[0xac, 2])] {
            let mut out = Vec::new();
            put(&mut out, number);
            assert_eq!(out, bytes);
            assert_eq!(take(&mut &out[..]).map(|back| back as u64), Some(number));
        }
        assert_eq!(take(&mut &[0x80, 0x80][..]), None);
    }

    #[test]
    fn what_was_never_packed_is_no_trouble() {
        for packed in
            [&[][..], &[5, 1], &[1, b'x', 9], &[0, 9, 1], &[1, b'x', 4, 2], &[1, b'x', 4, 0], &[0xff; 20]]
        {
            assert!(unpacked(packed).len() <= 1, "{packed:?}");
        }
    }
}
