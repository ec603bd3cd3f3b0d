//! Where numbered values lie in a file that was mostly filled in the order of their numbers: guessed from those that
//! were seen, by interpolation. A guess is worth a look and proves nothing.

use std::collections::BTreeMap;

/// Guesses after which they must have been right more often than not to go on.
const GUESSES_ON_TRIAL: usize = 32;

/// Rounding of an interpolated position must not turn the first place of a page into the last of the page before.
const ROUNDING: f64 = 1e-6;

/// What is known of a file.
#[derive(Debug, Default)]
pub struct Positions {
    /// By number: the page, and as fraction how far into it.
    seen: BTreeMap<u32, f64>,
    guesses: usize,
    right: usize,
}

impl Positions {
    /// Takes note of where a value lies: its page, and how far into it, from 0 to below 1.
    pub fn saw(&mut self, number: u32, page: u32, fraction: f64) {
        self.seen.insert(number, f64::from(page) + fraction);
    }

    /// Takes note of how guesses turned out.
    pub fn judge(&mut self, right: usize, guesses: usize) {
        self.right += right;
        self.guesses += guesses;
    }

    /// The page that `number` should be on: on the line through its neighbours on both sides, or through the
    /// last two on one side. `None` where too little is known, or guesses have mostly been wrong.
    pub fn guess(&self, number: u32) -> Option<u32> {
        let is_hopeless = self.guesses >= GUESSES_ON_TRIAL && 2 * self.right < self.guesses;
        let ((from, start), slope) = self.line(number).filter(|_| !is_hopeless)?;
        page(start + slope * (f64::from(number) - f64::from(from)))
    }

    /// The next page to look at for `number`, which is not on page `at`: that has the numbers `lowest` to `highest`.
    /// `None` where the value should be between these.
    pub fn next_guess(&self, number: u32, at: u32, lowest: u32, highest: u32) -> Option<u32> {
        let (_, slope) = self.line(number)?;
        let (at, pages) = (f64::from(at), |numbers: u32| slope.abs() * f64::from(numbers));
        match number {
            _ if number < lowest => page(at - pages(lowest - number).max(1.0)),
            _ if number > highest => page(at + 1.0 + pages(number - highest - 1)),
            _ => None,
        }
    }

    /// A point near `number` and the pages per number there.
    fn line(&self, number: u32) -> Option<((u32, f64), f64)> {
        let (mut below, mut above) = (self.seen.range(..=number).rev(), self.seen.range(number..));
        let (a, b) = match (below.next(), above.next()) {
            (Some(a), Some(b)) if a.0 != b.0 => (a, b),
            (Some(a), None) => (below.next()?, a),
            (None, Some(b)) => (b, above.next()?),
            (Some(a), Some(_)) => return Some(((*a.0, *a.1), 0.0)),
            (None, None) => return None,
        };
        Some(((*a.0, *a.1), (b.1 - a.1) / f64::from(b.0 - a.0)))
    }
}

fn page(position: f64) -> Option<u32> {
    let page = (position + ROUNDING).floor();
    (0.0..f64::from(u32::MAX)).contains(&page).then_some(page as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three values a page, numbered from 100, of which every 30th was seen.
    fn filled_in_order() -> Positions {
        let mut positions = Positions::default();
        for i in (0..3000).step_by(30) {
            positions.saw(100 + i, i / 3, f64::from(i % 3) / 3.0);
        }
        positions
    }

    #[test]
    fn values_stored_in_order_are_found_at_the_first_guess() {
        let positions = filled_in_order();
        for i in 0..3100 {
            assert_eq!(positions.guess(100 + i), Some(i / 3));
        }
        assert_eq!(positions.guess(99), None, "before the first page");
    }

    #[test]
    fn nothing_is_guessed_from_less_than_two_values() {
        let mut positions = Positions::default();
        assert_eq!(positions.guess(5), None);
        positions.saw(5, 7, 0.5);
        assert_eq!((positions.guess(4), positions.guess(5), positions.guess(6)), (None, Some(7), None));
    }

    #[test]
    fn a_page_says_where_to_look_next() {
        let positions = filled_in_order();
        assert_eq!(positions.next_guess(401, 90, 370, 372), Some(100));
        assert_eq!(positions.next_guess(401, 110, 430, 432), Some(100));
        assert_eq!(positions.next_guess(401, 101, 403, 405), Some(100));
        assert_eq!(positions.next_guess(401, 99, 397, 399), Some(100));
        assert_eq!(positions.next_guess(401, 100, 397, 403), None);
        assert_eq!(positions.next_guess(98, 0, 100, 102), None, "before the first page");
    }

    #[test]
    fn guesses_end_when_they_are_mostly_wrong() {
        let mut positions = filled_in_order();
        positions.judge(GUESSES_ON_TRIAL / 2, GUESSES_ON_TRIAL);
        assert_eq!(positions.guess(400), Some(100));
        positions.judge(0, 1);
        assert_eq!(positions.guess(400), None);
    }
}
