//! When to look at the heap of a running program: a sample of what is alive now and then, and one picture.
//!
//! A sample needs a complete collection and a walk through the heap, so they are taken at intervals that double
//! whenever there are too many: in the end there are about fifty, evenly spread, however long the program ran. A
//! picture is taken when a sample shows a good part more than the last picture had, so all pictures together cost a
//! few times the last one.

use std::cell::RefCell;
use std::rc::Rc;

use frazil::SiteUse;
use starlark::{Picture, View, Watch};

use crate::options::heap::Moment;

/// Samples that are kept.
const SAMPLES_MAX: usize = 64;
/// Another picture is taken when so many percent of what the last one showed are alive.
const PICTURE_PERCENT: u64 = 125;

/// What was alive when so much had been allocated.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Bytes allocated so far.
    pub allocated: u64,
    /// What was alive, by site.
    pub by_site: Vec<SiteUse>,
}

impl Sample {
    /// Bytes of all that was alive.
    pub fn live(&self) -> u64 {
        self.by_site.iter().map(|used| used.bytes as u64).sum()
    }
}

/// Why a picture was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Most was alive.
    Peak,
    /// So much had been allocated.
    Allocated,
    /// The program was over.
    End,
    /// The program ended with an error.
    Failed,
    /// Memory ran out.
    Exhausted,
}

/// A picture, and when it was taken.
#[derive(Debug)]
pub struct Shot {
    /// The heap.
    pub picture: Picture,
    /// Why it was taken.
    pub why: Why,
    /// Bytes allocated before.
    pub allocated: u64,
    /// Bytes alive.
    live: u64,
}

/// Everything that was seen of a program.
#[derive(Debug)]
pub struct Seen {
    moment: Moment,
    /// The samples, in order.
    pub samples: Vec<Sample>,
    /// The picture; there is one at the end.
    pub shot: Option<Shot>,
    /// Bytes to be allocated between two samples, and when it is time for the next one.
    interval: u64,
    next: u64,
    /// Bytes of old objects at which it is time for a sample, too.
    high: u64,
}

impl Seen {
    /// Nothing yet.
    pub fn new(moment: Moment) -> Seen {
        Seen { moment, samples: Vec::new(), shot: None, interval: 0, next: 0, high: 0 }
    }

    /// Is it time for a sample, when so much has been allocated and so much is old?
    fn is_due(&self, allocated: u64, old: u64) -> bool {
        let waits = matches!(self.moment, Moment::After(bytes) if self.shot.is_none() && allocated >= bytes);
        allocated >= self.next || (self.moment == Moment::Peak && old > self.high) || waits
    }

    fn sample(&mut self, view: &mut View<'_>) -> u64 {
        view.collect();
        let (allocated, live) = (view.allocated_bytes(), view.stats().last.old_bytes as u64);
        self.samples.push(Sample { allocated, by_site: view.old_by_site() });
        if self.samples.len() > SAMPLES_MAX {
            // Every second one goes; the last one stays.
            let mut keep = self.samples.len().is_multiple_of(2);
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
            self.interval = allocated / (SAMPLES_MAX as u64 / 2);
        }
        self.next = allocated + self.interval;
        self.high = self.high.max(live / 100 * PICTURE_PERCENT);
        live
    }

    fn shoot(&mut self, view: &mut View<'_>, why: Why, live: u64) {
        // The old picture goes first: two at once would be too much.
        self.shot = None;
        self.shot = Some(Shot { picture: view.picture(), why, allocated: view.allocated_bytes(), live });
    }

    /// The program is over.
    pub fn end(&mut self, view: &mut View<'_>, failed: bool) {
        if matches!(self.shot, Some(Shot { why: Why::Exhausted, .. })) {
            return;
        }
        let live = self.sample(view);
        let most = self.shot.as_ref().is_none_or(|shot| live >= shot.live);
        if self.moment == Moment::End || (most && self.moment == Moment::Peak) || self.shot.is_none() {
            self.shoot(view, if failed { Why::Failed } else { Why::End }, live);
        }
    }
}

/// What a running program tells [`Seen`] through.
pub struct Eye(pub Rc<RefCell<Seen>>);

impl Watch for Eye {
    fn collected(&mut self, view: &mut View<'_>) {
        let mut seen = self.0.borrow_mut();
        let allocated = view.allocated_bytes();
        if !seen.is_due(allocated, view.stats().last.old_bytes as u64) {
            return;
        }
        let live = seen.sample(view);
        let before = seen.shot.as_ref().map(|shot| shot.live);
        match seen.moment {
            Moment::Peak if before.is_none_or(|before| live > before / 100 * PICTURE_PERCENT) => {
                seen.shoot(view, Why::Peak, live);
            }
            Moment::After(bytes) if before.is_none() && allocated >= bytes => {
                seen.shoot(view, Why::Allocated, live);
            }
            _ => {}
        }
    }

    fn exhausted(&mut self, view: &mut View<'_>) {
        let mut seen = self.0.borrow_mut();
        let live = seen.sample(view);
        seen.shoot(view, Why::Exhausted, live);
    }
}

#[cfg(test)]
mod tests {
    use starlark::Engine;

    use super::*;

    /// Lives through a mountain: much is alive in the middle, little at the end.
    const MOUNTAIN: &str = "\
def f():
    xs = []
    for i in range(60000):
        xs.append((i, str(i)))
    xs.clear()
    for i in range(200000):
        xs.append(str(i))
        xs.pop()
    return 1
y = f()
";

    fn seen(moment: Moment, text: &str) -> Seen {
        let config = frazil::Config { nursery_bytes: 64 << 10, ..starlark::CONFIG };
        let mut engine = Engine::new(config, Default::default()).expect("an engine");
        engine.profile();
        let seen = Rc::new(RefCell::new(Seen::new(moment)));
        engine.watch(Eye(Rc::clone(&seen)));
        engine.run("app.star", text).expect("a good program");
        seen.borrow_mut().end(&mut engine.view(), false);
        seen.replace(Seen::new(moment))
    }

    #[test]
    fn the_peak_is_found_and_samples_are_spread() {
        let seen = seen(Moment::Peak, MOUNTAIN);
        let shot = seen.shot.expect("a picture");
        let peak = seen.samples.iter().map(Sample::live).max().expect("a sample");
        let last = seen.samples.last().expect("a sample").live();
        assert_eq!(shot.why, Why::Peak);
        assert!(shot.live * PICTURE_PERCENT / 100 >= peak && shot.live > 8 * last, "{} of {peak}", shot.live);
        assert!((20..=SAMPLES_MAX).contains(&seen.samples.len()), "{}", seen.samples.len());
        assert!(seen.samples.is_sorted_by_key(|sample| sample.allocated));
    }

    #[test]
    fn other_moments_are_kept() {
        let end = seen(Moment::End, MOUNTAIN).shot.expect("a picture");
        assert!(end.why == Why::End && end.live < 1 << 20);
        let early = seen(Moment::After(2 << 20), MOUNTAIN).shot.expect("a picture");
        assert!(
            early.why == Why::Allocated && (2 << 20..3 << 20).contains(&early.allocated),
            "{}",
            early.allocated
        );
        let short = seen(Moment::After(1 << 40), "x = [1]").shot.expect("a picture");
        assert_eq!(short.why, Why::End);
    }
}
