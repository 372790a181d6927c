//! What a collector can be told to do wrong, with names and explanations for people.

use std::fmt::Debug;

use frazil::Fault;

use crate::orders::IllegalOrder;

/// One thing that is wrong with a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// It does something wrong.
    Fault(Fault),
    /// It does everything right, in the wrong order.
    Order(IllegalOrder),
}

impl Defect {
    /// Every defect of a single heap: the faults, then the illegal orders.
    pub fn all() -> impl Iterator<Item = Defect> {
        let orders = IllegalOrder::ALL.iter().copied().map(Defect::Order);
        Fault::ALL.into_iter().map(Defect::Fault).chain(orders)
    }

    /// What histories, options and lists call it: `skipped-count`.
    pub fn name(self) -> String {
        match self {
            Defect::Fault(fault) => name(fault),
            Defect::Order(order) => name(order),
        }
    }

    /// Those that only heaps of a group can have.
    pub fn of_groups() -> impl Iterator<Item = Defect> {
        Fault::BETWEEN_HEAPS.into_iter().map(Defect::Fault)
    }

    /// Can only heaps of a group have it?
    pub fn is_of_groups(self) -> bool {
        Defect::of_groups().any(|defect| defect == self)
    }

    /// The defect of this name.
    pub fn named(text: &str) -> Option<Defect> {
        Defect::all().chain(Defect::of_groups()).find(|defect| defect.name() == text)
    }

    /// What the collector does wrong.
    pub const fn deed(self) -> &'static str {
        match self {
            Defect::Fault(fault) => fault_deed(fault),
            Defect::Order(order) => order.deed(),
        }
    }
}

fn name(variant: impl Debug) -> String {
    let mut name = String::new();
    for letter in format!("{variant:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

const fn fault_deed(fault: Fault) -> &'static str {
    match fault {
        Fault::SkippedCount => "a reference of a promoted counted object is not counted",
        Fault::SkippedBit => "a reference of a traced object sets no retain bit",
        Fault::FreedMember => "members of a component are freed one by one, as if each had its own count",
        Fault::MissedTouch => "the first write to a seen object does not put it on the touched list",
        Fault::BitLostAtFlip => "the flip clears the current bits without keeping them as the previous ones",
        Fault::UnlistedBlock => {
            "a block flipped in a complete collection's diff is left off the touched list"
        }
        Fault::SettledTooEarly => "a frozen object settles although something it refers to is traced",
        Fault::UncountedSettle => "a frozen object settles without counting what it refers to",
        Fault::CountedInside => "references inside a component are counted",
        Fault::StaleSlot => "a slot keeps the old address of an object that was evacuated",
        Fault::LostOverflow => "a count that leaves its byte arrives in the overflow table as one too few",
        Fault::ForgottenBuffer => "what an instalment leaves in the freed-object buffer is forgotten",
        Fault::SkippedRoot => "a root handle is not looked at",
        Fault::KeptWeak => "a weak reference to a freed object is not cleared",
        Fault::UnheardDeath => "weak references that are parked are not told of a death",
        Fault::SkippedDecrement => "a freed object's references are not counted down",
        Fault::UndissolvedCluster => "a reference to the inside of a cluster does not dissolve it",
        Fault::ForgottenOutside => "what a dead cluster refers to outside is not counted down",
        Fault::DecrementsFirst => "a heap posts decrements before increments",
        Fault::FlightForgotten => "a handle that is shared brings no count of its own",
        Fault::JudgedAtOnce => "what mail counts down to zero dies at once, whatever refers to it",
        Fault::LostInbox => "what was posted to a heap that has ended is lost",
        Fault::SkippedForeignCount => {
            "a reference of a promoted counted object to another heap's object is not counted"
        }
        Fault::SkippedForeignBit => {
            "a root's or traced object's reference to another heap's object is not counted"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        assert_eq!(Defect::Fault(Fault::BitLostAtFlip).name(), "bit-lost-at-flip");
        assert_eq!(Defect::Order(IllegalOrder::DrainBeforeDiff).name(), "drain-before-diff");
        for defect in Defect::all().chain(Defect::of_groups()) {
            assert_eq!(Defect::named(&defect.name()), Some(defect));
        }
        assert_eq!(Defect::named("SkippedCount"), None);
    }
}
