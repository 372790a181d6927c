//! The faults that a deliberately broken collector commits, to prove that the tests would notice.

/// One thing done wrong. A real host commits none ([`crate::Host::commits`]); for it, all the questions
/// below are answered at compile time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A reference of a promoted counted object is not counted.
    SkippedCount,
    /// A reference of a traced object sets no retain bit.
    SkippedBit,
    /// Members of a component are freed one by one, as if each had a count of its own.
    FreedMember,
    /// The first write to a seen object does not put it on the touched list.
    MissedTouch,
    /// The flip clears the current bits without keeping them as the previous ones.
    BitLostAtFlip,
    /// A block flipped in the diff of a complete collection is left off the list of touched blocks.
    UnlistedBlock,
    /// A frozen object settles although something it refers to is traced.
    SettledTooEarly,
    /// A frozen object settles without counting what it refers to.
    UncountedSettle,
    /// References inside a component are counted.
    CountedInside,
    /// A slot keeps the old address of an object that was evacuated.
    StaleSlot,
    /// A count that leaves the byte arrives in the overflow table as one too few.
    LostOverflow,
    /// What an instalment leaves in the freed-object buffer is forgotten.
    ForgottenBuffer,
    /// A root handle is not looked at.
    SkippedRoot,
    /// A weak reference to a freed object is not cleared.
    KeptWeak,
    /// Weak references that are parked are not told of a death.
    UnheardDeath,
    /// A freed object's references are not counted down.
    SkippedDecrement,
    /// A reference to the inside of a cluster does not dissolve it.
    UndissolvedCluster,
    /// What a dead cluster refers to outside is not counted down.
    ForgottenOutside,
    /// Decrements are posted before increments.
    DecrementsFirst,
    /// A handle that is shared brings no count of its own.
    FlightForgotten,
    /// What the inbox counts down to zero dies at once, whatever refers to it.
    JudgedAtOnce,
    /// What was posted to an owner that has ended is lost.
    LostInbox,
    /// A reference of a promoted counted object to another heap's object is not counted.
    SkippedForeignCount,
    /// A root's or traced object's reference to another heap's object is not counted.
    SkippedForeignBit,
}

impl Fault {
    /// Those that a single heap can commit.
    pub const ALL: [Fault; 18] = [
        Fault::SkippedCount,
        Fault::SkippedBit,
        Fault::FreedMember,
        Fault::MissedTouch,
        Fault::BitLostAtFlip,
        Fault::UnlistedBlock,
        Fault::SettledTooEarly,
        Fault::UncountedSettle,
        Fault::CountedInside,
        Fault::StaleSlot,
        Fault::LostOverflow,
        Fault::ForgottenBuffer,
        Fault::SkippedRoot,
        Fault::KeptWeak,
        Fault::UnheardDeath,
        Fault::SkippedDecrement,
        Fault::UndissolvedCluster,
        Fault::ForgottenOutside,
    ];

    /// Those that only heaps of a group can commit.
    pub const BETWEEN_HEAPS: [Fault; 6] = [
        Fault::DecrementsFirst,
        Fault::FlightForgotten,
        Fault::JudgedAtOnce,
        Fault::LostInbox,
        Fault::SkippedForeignCount,
        Fault::SkippedForeignBit,
    ];
}
