//! The nearest right spelling of a misspelt word.

/// Farther than this and it is another word, not a slip.
const SLIP: usize = 2;
/// Letters of a misspelt word that are compared: no flag is that long, and the time grows with them.
const MAX_WORD: usize = 64;

/// The word of `known` that `word` most likely means.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|candidate| (distance(word, candidate), *candidate));
    near.filter(|(distance, candidate)| *distance <= SLIP && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove, replace or swap with their neighbour, to come from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().take(MAX_WORD).collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for row in 0..=from.len() {
        for column in 0..=to.len() {
            rows[row][column] = if row == 0 || column == 0 {
                row + column
            } else {
                let same = usize::from(from[row - 1] != to[column - 1]);
                let step = (rows[row - 1][column] + 1).min(rows[row][column - 1] + 1);
                let swapped = row > 1
                    && column > 1
                    && from[row - 1] == to[column - 2]
                    && from[row - 2] == to[column - 1];
                let swap = if swapped { rows[row - 2][column - 2] + 1 } else { usize::MAX };
                step.min(rows[row - 1][column - 1] + same).min(swap)
            };
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["interval", "weight", "rise", "fall", "timeout"];
        assert_eq!(nearest("wieght", &known), Some("weight"));
        assert_eq!(nearest("intervall", &known), Some("interval"));
        assert_eq!(nearest("raise", &known), Some("rise"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("", &known), None);
    }
}
