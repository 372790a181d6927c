//! Worlds: several heaps of a group, what happens to them, and one plain graph to judge them all.
//!
//! A world is a list of steps made up from a seed. All its heaps live on one thread, so that it can be stopped anywhere:
//! a heap that has collected may stand still between any two of the batches that it has to post, while the others go
//! on. After every step, everything that can be reached from the roots of every heap must be there and be what the
//! graph says, and every count must be exactly what is claimed. Heaps begin and end in between; what they leave is
//! adopted, or tended by whoever comes by.
//!
//! At the end all roots and handles go. If a heap's collection is one turn, and a turn of each heap is a *round*, then
//! **everything is freed within so many rounds as the longest path through the objects has changes of owner, and two
//! more**: one to give up what the roots retained, one to judge what that has brought.
//!
//! Reading order: [`steps`] (what can happen), [`shadow`] (the graph), [`play`] (both side by side), [`campaign`] (many
//! seeds, and shrinking).

pub mod campaign;
pub mod play;
pub mod shadow;
pub mod steps;
