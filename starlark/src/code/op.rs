//! The instructions. See [`super`] for the registers they work on.

use crate::syntax::ast::BinaryOp;

/// A register of the current window.
pub type Reg = u8;

/// The number of registers in a window.
pub const WINDOW: usize = 256;

/// An instruction: eight bytes. `d` is where the result goes, `to` where a jump leads, `k` the link to a constant,
/// `global` that to a global.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // The operands are explained above, the instructions by their own comments.
pub enum Op {
    // ------------------------------------------------------------------ values and variables
    Const {
        d: Reg,
        k: u32,
    },
    Int {
        d: Reg,
        i: i32,
    },
    None {
        d: Reg,
    },
    /// No value: for variables without one, and mandatory parameters without a default.
    Unset {
        d: Reg,
    },
    Bool {
        d: Reg,
        b: bool,
    },
    Move {
        d: Reg,
        a: Reg,
    },
    Global {
        d: Reg,
        global: u32,
    },
    SetGlobal {
        a: Reg,
        global: u32,
    },
    /// A captured variable of an enclosing function; `at` is its place in the function object.
    Free {
        d: Reg,
        at: u32,
    },
    /// A captured variable of this function: the register holds its cell.
    Cell {
        d: Reg,
        cell: Reg,
    },
    SetCell {
        cell: Reg,
        a: Reg,
    },
    /// Puts the register's content in a new cell.
    NewCell {
        r: Reg,
    },
    /// Fails if the register, a variable, has no value.
    Check {
        r: Reg,
    },
    /// Makes the object for variables that have no register of their own.
    Spill {
        d: Reg,
        count: u32,
    },
    Spilled {
        d: Reg,
        from: Reg,
        slot: u32,
    },
    SetSpilled {
        a: Reg,
        to: Reg,
        slot: u32,
    },

    // ------------------------------------------------------------------ operators
    Add {
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Sub {
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Mul {
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Binary {
        op: BinaryOp,
        d: Reg,
        a: Reg,
        b: Reg,
    },
    AddInt {
        d: Reg,
        a: Reg,
        i: i32,
    },
    SubInt {
        d: Reg,
        a: Reg,
        i: i32,
    },
    BinaryInt {
        op: BinaryOp,
        d: Reg,
        a: Reg,
        i: i32,
    },
    /// `a += b`
    AddInPlace {
        d: Reg,
        a: Reg,
        b: Reg,
    },
    /// `a op= b`
    InPlace {
        op: BinaryOp,
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Not {
        d: Reg,
        a: Reg,
    },
    Plus {
        d: Reg,
        a: Reg,
    },
    Minus {
        d: Reg,
        a: Reg,
    },
    Invert {
        d: Reg,
        a: Reg,
    },

    // ------------------------------------------------------------------ control
    Jump {
        to: u32,
    },
    /// A jump backwards: a safepoint.
    Repeat {
        to: u32,
    },
    JumpIf {
        a: Reg,
        to: u32,
    },
    JumpUnless {
        a: Reg,
        to: u32,
    },
    /// Jumps if the comparison gives `when`.
    JumpCompare {
        op: BinaryOp,
        when: bool,
        a: Reg,
        b: Reg,
        to: Near,
    },
    /// The same with a small int.
    JumpCompareInt {
        op: BinaryOp,
        when: bool,
        a: Reg,
        i: i8,
        to: Near,
    },
    /// Begins a loop over `r`; from now on `r` and the register behind it are its state.
    For {
        r: Reg,
    },
    /// Begins a loop from `a` to below `b` with the same state.
    ForRange {
        r: Reg,
        a: Reg,
        b: Reg,
    },
    /// The next element, or the end of the loop and a jump. A safepoint.
    Next {
        d: Reg,
        r: Reg,
        to: u32,
    },
    /// At the bottom of a loop: the next element and a jump, or the end of the loop. A safepoint.
    Again {
        d: Reg,
        r: Reg,
        to: u32,
    },
    /// Ends a loop early.
    EndFor {
        r: Reg,
    },

    // ------------------------------------------------------------------ calls
    /// The callee is in `base`, `count` positional arguments behind it. A safepoint.
    Call {
        d: Reg,
        base: Reg,
        count: u8,
    },
    /// The same with named, `*` or `**` arguments.
    CallWith {
        d: Reg,
        base: Reg,
        site: u32,
    },
    /// Calls an attribute of the value in `base`.
    CallMethod {
        d: Reg,
        base: Reg,
        count: u8,
        attr: u32,
    },
    /// The same with named, `*` or `**` arguments; the site says which attribute.
    CallMethodWith {
        d: Reg,
        base: Reg,
        site: u32,
    },
    Return {
        a: Reg,
    },
    /// Makes a function; its defaults are in `base` and behind it, its code is that of the link.
    Function {
        d: Reg,
        base: Reg,
        link: u32,
    },
    /// A `load` statement.
    Load {
        load: u32,
    },
    /// From now on objects are born at this site. Only in code that is profiled.
    Site {
        site: u32,
    },

    // ------------------------------------------------------------------ data
    List {
        d: Reg,
        base: Reg,
        count: u8,
    },
    /// An empty list with room for what the loop with state `r` will give.
    ListFor {
        d: Reg,
        r: Reg,
    },
    Append {
        list: Reg,
        a: Reg,
    },
    /// Adds the elements of a constant tuple to a list display.
    AppendAll {
        list: Reg,
        k: u32,
    },
    Tuple {
        d: Reg,
        base: Reg,
        count: u8,
    },
    /// The elements of a list as a tuple.
    TupleOf {
        d: Reg,
        a: Reg,
    },
    Dict {
        d: Reg,
        capacity: u32,
    },
    /// A dict whose keys are a constant tuple; the values are in `base` and behind it.
    DictOf {
        d: Reg,
        base: Reg,
        count: u8,
        k: u32,
    },
    Insert {
        dict: Reg,
        key: Reg,
        a: Reg,
    },
    /// An entry of a dict display: its key must be new.
    InsertNew {
        dict: Reg,
        key: Reg,
        a: Reg,
    },
    Index {
        d: Reg,
        a: Reg,
        i: Reg,
    },
    SetIndex {
        a: Reg,
        i: Reg,
        value: Reg,
    },
    /// Start, stop and step are in `base` and behind it.
    Slice {
        d: Reg,
        a: Reg,
        base: Reg,
    },
    Attr {
        d: Reg,
        a: Reg,
        attr: u32,
    },
    SetAttr {
        a: Reg,
        attr: u32,
        value: Reg,
    },
    /// Takes `count` elements apart.
    Unpack {
        a: Reg,
        base: Reg,
        count: u8,
    },
}

const _: () = assert!(size_of::<Op>() == 8, "an instruction is eight bytes");

/// A jump target in three bytes, relative to the instruction behind the jump.
#[derive(Clone, Copy, Debug)]
pub struct Near([u8; 3]);

impl Near {
    /// How far such a jump can lead.
    pub const MAX: usize = (1 << 24) - 1;

    /// A distance forwards, at most [`Near::MAX`].
    pub fn new(distance: usize) -> Near {
        let [a, b, c, _] = (distance as u32).to_le_bytes();
        Near([a, b, c])
    }

    /// The distance.
    #[inline(always)]
    pub fn distance(self) -> usize {
        let [a, b, c] = self.0;
        u32::from_le_bytes([a, b, c, 0]) as usize
    }
}
