//! The names of the faults that a collector can be told to commit, and what each does, for people.

use frazil::Fault;

/// What histories, options and lists call `fault`: `skipped-count`.
pub fn name(fault: Fault) -> String {
    let mut name = String::new();
    for letter in format!("{fault:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The fault of this name.
pub fn named(text: &str) -> Option<Fault> {
    Fault::ALL.into_iter().find(|&fault| name(fault) == text)
}

/// What the collector does wrong.
pub const fn deed(fault: Fault) -> &'static str {
    match fault {
        Fault::SkippedCount => "a reference of a promoted counted object is not counted",
        Fault::SkippedBit => "a reference of a traced object sets no retain bit",
        Fault::EarlyDecrement => "a dropped object's references are counted down before the trace is over",
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
        Fault::SkippedDecrement => "a freed object's references are not counted down",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        assert_eq!(name(Fault::BitLostAtFlip), "bit-lost-at-flip");
        for fault in Fault::ALL {
            assert_eq!(named(&name(fault)), Some(fault));
        }
        assert_eq!(named("SkippedCount"), None);
    }
}
