//! The seeds of the fuzzer, changed at random with a seed: what must hold, holds.
//!
//! `TRANSLATE_RUNS=100000` for more, `TRANSLATE_SEED=…` for others.

use std::fs;
use std::path::Path;

use super::property;

/// Pieces that files of the five kinds are made of.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "\"",
    "'",
    "\\",
    "\n",
    " ",
    "$X=",
    "${X}",
    "$$",
    "include part1",
    "\n%%\n",
    "@a",
    "vrrp_instance A {",
    "weight",
    "-",
    ": ",
    "&a ",
    "*a",
    "<<: ",
    "[",
    "|-\n",
    "docker run -e ",
    "\u{1F980}",
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound.max(1)
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_changed_file_panics_or_prints_what_a_shell_would_run() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/translate");
    let mut paths: Vec<_> =
        fs::read_dir(corpus).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("readable")).collect();
    let mut random = Random(number("TRANSLATE_SEED", 0x9E37_79B9_7F4A_7C15));
    for run in 0..number("TRANSLATE_RUNS", 600) {
        let mut data = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(data.len());
            let end = (at + random.below(12)).min(data.len());
            match random.below(5) {
                0 => drop(data.drain(at..end)),
                1 => data[at] = u8::try_from(random.below(256)).expect("a byte"),
                2 => {
                    let piece = PIECES[random.below(PIECES.len())];
                    data.splice(at..at, piece.bytes());
                }
                3 => {
                    let other = &seeds[random.below(seeds.len())];
                    let from = random.below(other.len());
                    data.splice(at..at, other[from..(from + 60).min(other.len())].iter().copied());
                }
                _ => data.truncate(data.len() - random.below(data.len() / 4)),
            }
        }
        println!("run {run}: {:?}", String::from_utf8_lossy(&data)); // shown where it panics
        property::run(&data);
    }
}
