//! The loss of a row, a function of its margin `m = y (w.x + b)`.

use std::str::FromStr;

/// How a row's margin is punished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Loss {
    /// `max(0, 1 - m)^2 / 2`: rows beyond the margin cost nothing.
    #[default]
    SquaredHinge,
    /// `log(1 + exp(-m))`: every row counts a little.
    Logistic,
}

impl Loss {
    /// Names that [`Loss::from_str`] knows.
    pub const NAMES: &str = "'squared_hinge' or 'logistic'";

    /// The loss and its first two derivatives at margin `m`.
    #[inline]
    pub fn at(self, m: f64) -> (f64, f64, f64) {
        match self {
            Loss::SquaredHinge => {
                let slack = 1.0 - m;
                if slack > 0.0 { (0.5 * slack * slack, -slack, 1.0) } else { (0.0, 0.0, 0.0) }
            }
            Loss::Logistic => {
                // Of exp(m) and exp(-m), the one that cannot overflow.
                let small = (-m.abs()).exp();
                let (value, sigma) = if m > 0.0 {
                    (small.ln_1p(), small / (1.0 + small))
                } else {
                    (small.ln_1p() - m, 1.0 / (1.0 + small))
                };
                (value, -sigma, sigma * (1.0 - sigma))
            }
        }
    }
}

impl FromStr for Loss {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "squared_hinge" => Ok(Loss::SquaredHinge),
            "logistic" => Ok(Loss::Logistic),
            _ => Err(()),
        }
    }
}
