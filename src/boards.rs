//! The files of `boards/`: which one fits a machine, and the flags in it. Data only, compiled in.

/// A kind of board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// As `--board` names it.
    pub name: &'static str,
    text: &'static str,
}

macro_rules! board {
    ($name:literal) => {
        Board { name: $name, text: include_str!(concat!("../boards/", $name, ".flags")) }
    };
}

/// Every board that has a file.
pub const ALL: [Board; 5] =
    [board!("zero2w"), board!("pi3"), board!("pi4"), board!("pi5"), board!("generic")];

/// The one for all that has no file.
const GENERIC: Board = ALL[4];

/// The board of this name.
pub fn named(name: &str) -> Option<Board> {
    ALL.into_iter().find(|board| board.name == name)
}

/// The board for what the device tree calls this machine; empty on a PC, which has none.
pub fn of_model(model: &str) -> Board {
    let fits = |board: &Board| board.lines("model ").any(|known| begins(model, known));
    ALL.into_iter().find(fits).unwrap_or(GENERIC)
}

/// `Raspberry Pi 4` is the beginning of `Raspberry Pi 4 Model B` and of `Raspberry Pi 400`.
fn begins(model: &str, known: &str) -> bool {
    !known.is_empty() && model.starts_with(known)
}

impl Board {
    /// Its flags with their values, without the dashes.
    pub fn flags(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.lines("--").map(|flag| flag.split_once(' ').unwrap_or((flag, "")))
    }

    /// What follows `start` in the lines that begin with it.
    fn lines(&self, start: &'static str) -> impl Iterator<Item = &'static str> {
        self.text.lines().filter_map(move |line| line.strip_prefix(start)).map(str::trim)
    }
}
