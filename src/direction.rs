//! The two ways of a VM's traffic, and values that exist once for each.

use std::ops::{Index, IndexMut};

/// Which way traffic goes, seen from the VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the VM.
    In,
    /// From the VM.
    Out,
}

impl Direction {
    /// Incoming first, as everywhere.
    pub const BOTH: [Direction; 2] = [Direction::In, Direction::Out];

    /// BILLmanager's name of the statistic.
    pub fn name(self) -> &'static str {
        match self {
            Direction::In => "in",
            Direction::Out => "out",
        }
    }
}

/// One value for each direction, found by the [`Direction`] and never by a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerDirection<T> {
    /// To the VM.
    pub incoming: T,
    /// From the VM.
    pub outgoing: T,
}

impl<T> PerDirection<T> {
    /// The values that `value` has for the directions.
    pub fn of(mut value: impl FnMut(Direction) -> T) -> Self {
        PerDirection { incoming: value(Direction::In), outgoing: value(Direction::Out) }
    }

    /// Turns both values into others.
    pub fn map<U>(self, mut turn: impl FnMut(T) -> U) -> PerDirection<U> {
        PerDirection { incoming: turn(self.incoming), outgoing: turn(self.outgoing) }
    }
}

impl<T> Index<Direction> for PerDirection<T> {
    type Output = T;

    fn index(&self, direction: Direction) -> &T {
        match direction {
            Direction::In => &self.incoming,
            Direction::Out => &self.outgoing,
        }
    }
}

impl<T> IndexMut<Direction> for PerDirection<T> {
    fn index_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::In => &mut self.incoming,
            Direction::Out => &mut self.outgoing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_has_its_own_value() {
        let mut names = PerDirection::of(Direction::name);
        assert_eq!(names, PerDirection { incoming: "in", outgoing: "out" });
        names[Direction::Out] = "gone";
        assert_eq!(Direction::BOTH.map(|direction| names[direction]), ["in", "gone"]);
        assert_eq!(names.map(str::len), PerDirection { incoming: 2, outgoing: 4 });
    }
}
