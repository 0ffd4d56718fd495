//! How much is left of something, as far as VMmanager tells. It may sell more than there is, and does not say how much
//! more [api 4.2], so what is left is a range. What it does not tell is no zero.

/// What is left: at least this much, at most that much, where it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Nothing where VMmanager tells nothing.
    pub at_least: Option<u64>,
    /// Nothing where there may be more.
    pub at_most: Option<u64>,
}

impl Left {
    /// VMmanager tells nothing.
    pub const UNKNOWN: Left = Left { at_least: None, at_most: None };

    /// This much and no more.
    pub const fn exactly(amount: u64) -> Self {
        Left { at_least: Some(amount), at_most: Some(amount) }
    }

    /// This much, and perhaps more.
    pub const fn at_least(amount: u64) -> Self {
        Left { at_least: Some(amount), at_most: None }
    }

    /// The rest of a total, which may be sold more than once unless that `is_all`.
    pub(super) fn of(total: Option<u64>, used: Option<u64>, is_all: bool) -> Self {
        match total.zip(used).map(|(total, used)| total.checked_sub(used)) {
            Some(Some(free)) if is_all => Left::exactly(free),
            Some(Some(free)) => Left::at_least(free),
            Some(None) if is_all => Left::exactly(0),
            // More was sold than there is, so how much is sold is not seen here.
            Some(None) | None => Left::UNKNOWN,
        }
    }

    /// How many parts of this size it makes.
    #[must_use]
    pub fn parts(self, size: u64) -> Self {
        let parts = |amount: u64| amount / size.max(1);
        Left { at_least: self.at_least.map(parts), at_most: self.at_most.map(parts) }
    }

    /// The same where it may also be nothing.
    #[must_use]
    pub fn unsure(self) -> Self {
        Left { at_least: Some(0), ..self }
    }

    /// Of two things in one place that are both needed.
    #[must_use]
    pub fn and(self, other: Left) -> Self {
        let at_most = [self.at_most, other.at_most].into_iter().flatten().min();
        let at_least = self.at_least.zip(other.at_least).map(|(one, two)| one.min(two));
        Left { at_least: if at_most == Some(0) { at_most } else { at_least }, at_most }
    }

    /// Of one thing in two places.
    #[must_use]
    pub fn plus(self, other: Left) -> Self {
        let at_least = [self.at_least, other.at_least].into_iter().flatten().reduce(u64::saturating_add);
        let at_most = self.at_most.zip(other.at_most).map(|(one, two)| one.saturating_add(two));
        Left { at_least, at_most }
    }
}

#[cfg(test)]
mod tests {
    use super::Left;

    #[test]
    fn what_is_not_told_is_no_zero() {
        let (none, ten, more) = (Left::exactly(0), Left::exactly(10), Left::at_least(3));
        assert_eq!(Left::of(Some(8), Some(3), true), Left::exactly(5));
        assert_eq!(Left::of(Some(8), Some(3), false), Left::at_least(5));
        assert_eq!(Left::of(Some(8), Some(9), true), none);
        assert_eq!(Left::of(Some(8), Some(9), false), Left::UNKNOWN);
        assert_eq!(Left::of(Some(8), None, true), Left::UNKNOWN);
        assert_eq!(ten.parts(4), Left::exactly(2));
        assert_eq!(more.parts(4), Left::at_least(0));
        assert_eq!(ten.and(more), Left { at_least: Some(3), at_most: Some(10) });
        assert_eq!(ten.and(Left::UNKNOWN), Left { at_least: None, at_most: Some(10) });
        assert_eq!(none.and(Left::UNKNOWN), none, "what is not known cannot help");
        assert_eq!(ten.plus(ten), Left::exactly(20));
        assert_eq!(ten.plus(more), Left::at_least(13));
        assert_eq!(ten.plus(Left::UNKNOWN), Left::at_least(10));
        assert_eq!(none.plus(Left::UNKNOWN), Left::at_least(0));
        assert_eq!(Left::UNKNOWN.plus(Left::UNKNOWN), Left::UNKNOWN);
    }
}
