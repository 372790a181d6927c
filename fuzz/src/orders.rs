//! Orders of the collector's steps: legal ones, made up from a number, and illegal ones, by name.
//!
//! A legal order takes the stages of each collection in any sequence that `Stage::before` allows, and has a *habit*
//! for each kind of choice: the first, the last, or any. So one order scans depth first and drains breadth first,
//! another counts everything as late as it may and begins with the last block.

use std::borrow::Cow;

use frazil::{Choice, Stage};

use crate::random::Random;

/// How one kind of choice is made throughout a history.
#[derive(Clone, Copy, Debug)]
enum Habit {
    First,
    Last,
    Any,
}

/// Choices of each kind have a habit of their own.
const CHOICES: usize = Choice::Instalment as usize + 1;

/// What a collector is told when it asks for directions.
#[derive(Clone, Debug)]
pub struct Directions {
    random: Random,
    habits: [Habit; CHOICES],
    /// The stages of every collection, if they are not made up.
    stages: Option<&'static [Stage]>,
}

impl Directions {
    /// The legal order with this number. That of 0 is the natural one.
    pub fn legal(number: u32) -> Directions {
        if number == 0 {
            return Directions::natural(&Stage::NATURAL);
        }
        let mut random = Random::new(u64::from(number));
        let habits =
            [(); CHOICES].map(|()| random.pick(&[Habit::First, Habit::Last, Habit::Any, Habit::Any]));
        Directions { random, habits, stages: None }
    }

    /// An illegal order, natural in everything else.
    pub fn illegal(order: IllegalOrder) -> Directions {
        let mut directions = Directions::natural(order.stages());
        if matches!(order, IllegalOrder::CountAfterDiff | IllegalOrder::CountAfterDrain) {
            // What is not put off cannot come too late.
            directions.habits[Choice::PutOff as usize] = Habit::Last;
        }
        directions
    }

    fn natural(stages: &'static [Stage]) -> Directions {
        let mut habits = [Habit::First; CHOICES];
        for choice in [Choice::Gray, Choice::Count, Choice::Block, Choice::Buffer] {
            habits[choice as usize] = Habit::Last;
        }
        Directions { random: Random::new(0), habits, stages: Some(stages) }
    }

    /// The stages of the collection that begins.
    pub fn stages(&mut self) -> Cow<'static, [Stage]> {
        match self.stages {
            Some(stages) => Cow::Borrowed(stages),
            None => Cow::Owned(self.make_up()),
        }
    }

    /// Any of the orders that the rules allow.
    fn make_up(&mut self) -> Vec<Stage> {
        let mut order: Vec<Stage> = Vec::new();
        while order.len() < Stage::NATURAL.len() {
            let ready = |stage: &Stage| {
                !order.contains(stage) && stage.before().iter().all(|before| order.contains(before))
            };
            let ready: Vec<Stage> = Stage::NATURAL.into_iter().filter(ready).collect();
            order.push(self.random.pick(&ready));
        }
        order
    }

    /// Which of `count` steps comes next.
    pub fn choose(&mut self, choice: Choice, count: usize) -> usize {
        match self.habits[choice as usize] {
            Habit::First => 0,
            Habit::Last => count - 1,
            Habit::Any => self.random.below(u32::try_from(count).unwrap_or(u32::MAX)) as usize,
        }
    }
}

macro_rules! illegal_orders {
    ($($order:ident $deed:literal = [$($stage:ident)*];)*) => {
        /// An order of the stages that the theory forbids.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum IllegalOrder { $(#[doc = $deed] $order,)* }

        impl IllegalOrder {
            /// Every one that can be switched on.
            pub const ALL: &[IllegalOrder] = &[$(IllegalOrder::$order),*];

            /// What is done too early or too late.
            pub const fn deed(self) -> &'static str {
                match self { $(IllegalOrder::$order => $deed,)* }
            }

            /// The stages as they are taken.
            pub const fn stages(self) -> &'static [Stage] {
                match self { $(IllegalOrder::$order => &[$(Stage::$stage),*],)* }
            }
        }
    };
}

illegal_orders! {
    FlipAfterReach "the epoch begins when everything has been reached: all bits are taken for those of the last one" =
        [Receive ReachStack ReachHandles ReachTouched Flip Revive Count Diff Drain Enqueue Post ClearWeak];
    DiffBeforeLastReach "the blocks are compared before the handles are followed" =
        [Receive Flip ReachStack Diff ReachHandles ReachTouched Revive Count Drain Enqueue Post ClearWeak];
    DrainBeforeLastReach "counts go down before the handles are followed" =
        [Receive Flip ReachStack Diff Drain ReachHandles ReachTouched Revive Count Drain Enqueue Post ClearWeak];
    DrainBeforeReach "what the last collection left in the buffer is drained when the new epoch has begun and nothing \
        is reached yet" =
        [Receive Flip Drain ReachStack ReachHandles ReachTouched Revive Count Diff Drain Enqueue Post ClearWeak];
    DrainBeforeDiff "counts go down before the blocks are compared" =
        [Receive Flip ReachStack ReachHandles ReachTouched Revive Count Drain Diff Enqueue Post ClearWeak];
    ReuseWithinCollection "cells are freed before the trace, and used again by it" =
        [Receive Drain Flip ReachStack ReachHandles ReachTouched Revive Count Diff Drain Enqueue Post ClearWeak];
    CountAfterDiff "counts of what was promoted go up when the blocks have been compared" =
        [Receive Flip ReachStack ReachHandles ReachTouched Revive Diff Count Drain Enqueue Post ClearWeak];
    CountAfterDrain "counts of what was promoted go up when the buffer has been drained" =
        [Receive Flip ReachStack ReachHandles ReachTouched Revive Diff Drain Count Enqueue Post ClearWeak];
    ReviveBeforeReach "finalizable objects are declared dead before the roots are followed" =
        [Receive Flip Revive ReachStack ReachHandles ReachTouched Count Diff Drain Enqueue Post ClearWeak];
    EnqueueBeforeDrain "what the drain revives waits for the next collection" =
        [Receive Flip ReachStack ReachHandles ReachTouched Revive Count Diff Enqueue Drain Post ClearWeak];
    ClearWeakBeforeDrain "weak references are cleared before the drain has found all that is dead" =
        [Receive Flip ReachStack ReachHandles ReachTouched Revive Count Diff ClearWeak Drain Enqueue Post];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_orders_are_legal_and_differ_and_the_named_ones_are_not() {
        let mut seen = std::collections::HashSet::new();
        for number in 0..1000 {
            let stages = Directions::legal(number).stages();
            assert!(Stage::is_legal(&stages), "{number}: {stages:?}");
            seen.insert(stages.into_owned());
        }
        // Three kinds of roots in any sequence, and three ends.
        assert_eq!(seen.len(), 36);
        for order in IllegalOrder::ALL {
            assert!(!Stage::is_legal(order.stages()), "{order:?}");
        }
    }
}
