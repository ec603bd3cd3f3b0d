//! Ranking quality.

/// Average precision of one ranking, fed in rank order:
///
/// ```text
/// AP = 1/R sum over relevant ranks k of (relevant rows among the first k) / k
/// ```
///
/// with R the number of relevant rows fed, as trec_eval's `map` has it for one query.
///
/// # Source
/// Buckley and Voorhees: Retrieval System Evaluation, in TREC: Experiment and Evaluation, 2005.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AveragePrecision {
    rank: u64,
    hits: u64,
    precision_sum: f64,
}

impl AveragePrecision {
    /// Feeds the row of the next rank.
    pub fn push(&mut self, relevant: bool) {
        self.rank += 1;
        if relevant {
            self.hits += 1;
            self.precision_sum += self.hits as f64 / self.rank as f64;
        }
    }

    /// The average precision so far: in [0, 1], 0 where no row was relevant, `None` without rows.
    pub fn value(&self) -> Option<f64> {
        match (self.rank, self.hits) {
            (0, _) => None,
            (_, 0) => Some(0.0),
            (_, hits) => Some(self.precision_sum / hits as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AveragePrecision;

    fn ap(ranking: &[bool]) -> Option<f64> {
        let mut ap = AveragePrecision::default();
        ranking.iter().for_each(|&relevant| ap.push(relevant));
        ap.value()
    }

    #[test]
    fn precision_is_averaged_over_the_relevant_ranks() {
        assert_eq!(ap(&[true, false, true, false]), Some((1.0 + 2.0 / 3.0) / 2.0));
        assert_eq!(ap(&[false, false, true]), Some(1.0 / 3.0));
    }

    #[test]
    fn a_perfect_ranking_scores_one_and_an_irrelevant_one_zero() {
        assert_eq!(ap(&[true, true, false]), Some(1.0));
        assert_eq!(ap(&[false, false]), Some(0.0));
    }

    #[test]
    fn no_rows_have_no_average_precision() {
        assert_eq!(ap(&[]), None);
    }
}
