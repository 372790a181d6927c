//! Structures that are counted as one.
//!
//! A **cluster** is a set of counted objects that were promoted by one walk from one of them, its *head*. While nothing
//! outside refers to any of the others, all of them live exactly as long as the head: each is reachable from it, and
//! from nowhere else. So the head's count and bit are enough. References inside a cluster are not counted, and when the
//! head dies, the cells of all are free at once, without a look at one of them. What the cluster refers to outside is
//! counted as ever, and written down, for it is counted down then.
//!
//! The first reference from outside that leads to the inside (of a root, of a traced object, of a promoted object, of
//! another heap, or a handle) **dissolves** the cluster: its inner references are counted now, which is what promotion
//! would have done, and from then on its objects are like any others. So nothing lives longer for having been part of one.
//!
//! Members have the byte [`MEMBER`] where others have their count: whoever would count or retain one finds that out
//! without another look. A cluster has no cycles, no frozen objects and no finalizable ones; those are found out about
//! while it is made (`collect/cluster.rs`), or dissolve it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use blocks::counts::MEMBER;
use rustc_hash::FxHashMap;

use crate::Fault;
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::{Old, targets};
use crate::patience::Patience;
use crate::shape::COMPONENT;
use crate::space::Run;
use crate::tuning::Config;

/// Clusters are worth their while if of so many objects in them, one at most is counted by itself in the end because no cluster
/// came of it: the walk was for nothing then, and took up to three times as long as another. (Where all came of it, and none is
/// dissolved, collections take half the time or less.)
const KEPT_TO_LOST: usize = 4;

/// As many objects of a cluster that is dissolved later are as bad as one of those: that takes between two thirds and four
/// thirds of the time that it would have taken to count them when they were promoted.
const DISSOLVED_TO_LOST: usize = 2;

/// When they are not, so many collections pass before they are tried again.
const PATIENCE: RangeInclusive<u32> = 1..=64;

/// Who asks for clusters as small as that, wants to see them.
const ALWAYS_OBJECTS: u32 = 8;

/// So many objects of a cluster at least lie in one run, on average: a run has to be found by its address.
const RUN_OBJECTS: usize = 8;

/// Objects that are counted as one. **Invariant**: nothing but its own objects refers to a member that is not the head,
/// and all of them can be reached from there.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Where the objects are, in the order of their addresses, the head among them.
    runs: Box<[Run]>,
    /// What they refer to outside, once for each reference.
    outside: Box<[ObjRef]>,
    objects: usize,
}

impl Cluster {
    /// What its objects refer to outside, once for each reference, in no particular order.
    pub fn outside(&self) -> &[ObjRef] {
        &self.outside
    }

    /// How many objects it has.
    pub fn objects(&self) -> usize {
        self.objects
    }
}

/// All clusters of a heap, and whether to make more.
#[derive(Debug)]
pub(crate) struct Clusters {
    /// From a head to its cluster.
    clusters: FxHashMap<ObjRef, Cluster>,
    /// From the beginning of each run to its end, and the head.
    runs: BTreeMap<usize, (usize, ObjRef)>,
    habit: Habit,
    /// [`Config::cluster_objects`] and [`Config::cluster_bytes`].
    pub objects_min: usize,
    pub bytes_max: usize,
    /// Immutable objects may refer to each other in circles, so only trees become clusters.
    pub trees_only: bool,
}

/// What has come of it lately, so that a host whose structures share their insides does not pay for it.
#[derive(Debug)]
struct Habit {
    /// Clusters are tried whatever comes of it.
    always: bool,
    /// Objects that became part of a cluster, and those that were counted one by one after all, by their weight; less by an
    /// eighth after each collection.
    kept: usize,
    lost: usize,
    /// Collections to come that don't try.
    patience: Patience,
}

/// What one collection has to say of clusters, in objects.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// They became part of one.
    pub clustered: usize,
    /// A walk tried, and no cluster came of it.
    pub failed: usize,
    /// They were part of one.
    pub dissolved: usize,
}

impl Habit {
    /// What a collection makes is judged by later ones: clusters may all be dissolved one collection, or five, after they
    /// were made. So a collection that sees nothing amiss only halves the next patience, and one that sees what was made in
    /// vain doubles it, also when the heap has become patient meanwhile. If all is dissolved after any number of
    /// collections, those that see it are one more than those that saw nothing amiss before, and patience grows.
    fn learn(&mut self, outcome: Outcome) {
        let tried = self.patience.is_over();
        self.patience.pass();
        let Outcome { clustered, failed, dissolved } = outcome;
        if clustered + failed + dissolved == 0 {
            return;
        }
        self.kept = self.kept - self.kept.div_ceil(8) + clustered;
        self.lost = self.lost - self.lost.div_ceil(8) + failed + dissolved / DISSOLVED_TO_LOST;
        if self.lost * KEPT_TO_LOST > self.kept {
            match tried {
                true => self.patience.renew(PATIENCE),
                // It is not begun anew: what was made long ago may be dissolved little by little, for as long as you like.
                false => self.patience.lengthen(PATIENCE),
            }
            (self.kept, self.lost) = (0, 0);
        } else if failed + dissolved == 0 {
            self.patience.shorten();
        }
    }
}

impl Clusters {
    pub fn new(config: &Config) -> Clusters {
        Clusters {
            clusters: FxHashMap::default(),
            runs: BTreeMap::new(),
            habit: Habit {
                always: config.cluster_objects <= ALWAYS_OBJECTS,
                kept: 0,
                lost: 0,
                patience: Patience::default(),
            },
            objects_min: config.cluster_objects as usize,
            bytes_max: config.cluster_bytes,
            trees_only: false,
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    /// Should this collection make clusters?
    pub fn are_worth_while(&self) -> bool {
        self.objects_min != u32::MAX as usize && (self.habit.always || self.habit.patience.is_over())
    }

    /// Should it be tried even where nothing has come of it?
    pub fn are_always_made(&self) -> bool {
        self.habit.always
    }

    /// Learns from what a collection has made of them.
    pub fn learn(&mut self, outcome: Outcome) {
        self.habit.learn(outcome);
    }

    /// The head of the cluster that `object` belongs to.
    pub fn head_of(&self, object: ObjRef) -> Option<ObjRef> {
        let (_, &(end, head)) = self.runs.range(..=object.address()).next_back()?;
        (object.address() < end).then_some(head)
    }

    /// The heads and their clusters.
    pub fn iter(&self) -> impl Iterator<Item = (ObjRef, &Cluster)> {
        self.clusters.iter().map(|(&head, cluster)| (head, cluster))
    }

    /// Is every run found by its address, and nothing else? For checking.
    pub fn agree(&self) -> bool {
        let runs = || self.iter().flat_map(|(head, cluster)| cluster.runs.iter().map(move |run| (run, head)));
        runs().count() == self.runs.len()
            && runs().all(|(run, head)| self.runs.get(&run.start) == Some(&(run.end, head)))
    }

    /// Takes over all clusters of another heap.
    pub fn absorb(&mut self, other: Clusters) {
        self.clusters.extend(other.clusters);
        // One by one: to append a map takes time in proportion to both.
        self.runs.extend(other.runs);
    }

    fn insert(&mut self, head: ObjRef, cluster: Cluster) {
        self.runs.extend(cluster.runs.iter().map(|run| (run.start, (run.end, head))));
        self.clusters.insert(head, cluster);
    }

    fn remove(&mut self, head: ObjRef) -> Option<Cluster> {
        let cluster = self.clusters.remove(&head)?;
        for run in &cluster.runs {
            self.runs.remove(&run.start);
        }
        Some(cluster)
    }
}

/// Does `object` lie in one of these runs? They are in the order of their addresses.
pub(crate) fn is_in_runs(runs: &[Run], object: ObjRef) -> bool {
    let before = runs.partition_point(|run| run.start <= object.address());
    before.checked_sub(1).is_some_and(|at| object.address() < runs[at].end)
}

impl Old {
    /// Makes a cluster of the objects in `runs`, which are counted, refer to each other and to `outside`, and have no
    /// counts yet; or counts them one by one, if there are too few. (What is outside, the caller counts in either case.)
    /// Says how many objects these are, and whether they are a cluster.
    pub fn make_cluster<H: Host>(&mut self, head: ObjRef, runs: &[Run], outside: &[ObjRef]) -> (usize, bool) {
        let objects = runs.iter().map(|run| self.space.objects_in_run(run).len()).sum();
        if objects < self.clusters.objects_min
            || objects < RUN_OBJECTS.min(self.clusters.objects_min) * runs.len()
        {
            self.count_inside::<H>(runs);
            return (objects, false);
        }
        for run in runs {
            self.space.fill_counts(run, MEMBER);
        }
        head.chunk().counts.set(head.granule(), 0);
        head.set_flags(COMPONENT);
        self.clusters.insert(head, Cluster { runs: runs.into(), outside: outside.into(), objects });
        (objects, true)
    }

    /// Counts the references between the objects in `runs`.
    fn count_inside<H: Host>(&mut self, runs: &[Run]) {
        for run in runs {
            for object in self.space.objects_in_run(run) {
                for target in targets::<H>(object, object.header()) {
                    if is_in_runs(runs, target) {
                        self.increment::<H>(target);
                    }
                }
            }
        }
    }

    /// Something outside is about to refer to `object`, or to wait for its death: if it belongs to a cluster, that is
    /// dissolved.
    #[cold]
    pub fn dissolve_around<H: Host>(&mut self, object: ObjRef) {
        if H::commits(Fault::UndissolvedCluster) {
            return;
        }
        let Some(head) = self.clusters.head_of(object) else { return };
        let cluster = self.clusters.remove(head).expect("a run belongs to a cluster");
        self.unpark(head);
        let count = head.chunk().counts.byte(head.granule());
        for run in &cluster.runs {
            self.space.fill_counts(run, 0);
        }
        head.chunk().counts.set(head.granule(), count);
        self.count_inside::<H>(&cluster.runs);
        self.dissolved += cluster.objects;
    }

    /// Releases the cluster of a dead object, if it is the head of one. Says how many objects these were.
    pub fn release_cluster<H: Host>(&mut self, head: ObjRef) -> Option<usize> {
        let cluster = self.clusters.remove(head)?;
        if !H::commits(Fault::ForgottenOutside) {
            // A heap that knows objects of others makes no clusters.
            for &target in &cluster.outside {
                self.decrement(target);
            }
        }
        for run in &cluster.runs {
            self.space.free_run(run);
        }
        Some(cluster.objects)
    }

    /// What the counts of all members would be if they were kept, heads excepted, to which no member refers. For checking
    /// and for pictures: it looks at all clusters.
    pub fn implied_counts<H: Host>(&self) -> FxHashMap<ObjRef, u64> {
        let mut counts = FxHashMap::default();
        for (_, cluster) in self.clusters.iter() {
            for object in cluster.runs.iter().flat_map(|run| self.space.objects_in_run(run)) {
                for target in targets::<H>(object, object.header()) {
                    if is_in_runs(&cluster.runs, target) {
                        *counts.entry(target).or_default() += 1;
                    }
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> Habit {
        Habit { always: false, kept: 0, lost: 0, patience: Patience::default() }
    }

    /// Of so many collections, how many make clusters, of 1000 objects each? Of these, `dissolved` says how many are
    /// dissolved `delay` collections later.
    fn tries(habit: &mut Habit, collections: usize, delay: usize, dissolved: usize) -> usize {
        let mut made = vec![];
        for now in 0..collections {
            let tried = habit.patience.is_over();
            made.push(tried);
            let late = now.checked_sub(delay).is_some_and(|before| made[before]);
            habit.learn(Outcome {
                clustered: if tried { 1000 } else { 0 },
                failed: 0,
                dissolved: if late { dissolved } else { 0 },
            });
        }
        made.into_iter().filter(|&tried| tried).count()
    }

    #[test]
    fn what_does_not_pay_is_tried_less_and_less_often() {
        let mut habit = new();
        habit.learn(Outcome { failed: 1, ..Outcome::default() });
        assert_eq!(habit.patience.left, 1);
        let mut tries = 0;
        for _ in 0..1000 {
            let tried = habit.patience.is_over();
            tries += u32::from(tried);
            let (clustered, failed) = if tried { (1000, 900) } else { (0, 0) };
            habit.learn(Outcome { clustered, failed, dissolved: 0 });
        }
        assert!((15..30).contains(&tries), "{tries}");
        habit.patience.left = 0;
        for _ in 0..100 {
            habit.learn(Outcome { clustered: 1000, failed: 10, dissolved: 0 });
            assert_eq!(habit.patience.left, 0);
        }
    }

    #[test]
    fn nor_is_what_is_always_dissolved_later() {
        for (delay, most) in [(1, 50), (2, 80), (3, 110), (5, 150), (10, 250)] {
            let mut habit = new();
            tries(&mut habit, 300, delay, 1000);
            let tried = tries(&mut habit, 1000, delay, 1000);
            assert!((10..most).contains(&tried), "{delay}: {tried}");
            // And when it is over, all is forgotten soon.
            assert!(tries(&mut habit, 1000, 1, 0) > 900);
            assert_eq!(habit.patience.last, 0);
        }
    }

    #[test]
    fn what_is_dissolved_by_half_later_pays() {
        assert_eq!(tries(&mut new(), 1000, 1, 400), 1000);
        assert!(tries(&mut new(), 1000, 1, 700) < 100);
    }

    /// However long that takes, it is no reason not to try.
    #[test]
    fn what_was_made_long_ago_may_be_dissolved_little_by_little() {
        let mut habit = new();
        for _ in 0..1000 {
            habit.learn(Outcome { dissolved: 200, ..Outcome::default() });
        }
        let mut tries = 0;
        for _ in 0..1000 {
            let clustered = if habit.patience.is_over() { 1000 } else { 0 };
            tries += clustered / 1000;
            habit.learn(Outcome { clustered, failed: 0, dissolved: 200 });
        }
        assert!(tries > 900, "{tries}");
    }
}
