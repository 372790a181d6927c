//! Small worlds of owners and claims, for a checker of schedules.

use super::kernel::{Adjustment, Exchange, Outgoing, Owner, OwnerWord};
use super::primitive::{Arc, AtomicBool, Mutex, Ordering, thread};

/// Objects of a model. Object `n` has the address `n`, and refers to object `n + 1` if that is below [`Model::chain`].
const OBJECTS: usize = 4;

/// What a model does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing.
    Nothing,
    /// Decrements are posted before increments.
    DecrementsFirst,
    /// A message brings no count of its own.
    FlightForgotten,
    /// What mail counts down to zero is freed at once, whatever its owner's roots lead to.
    JudgedAtOnce,
    /// What was posted to an owner that ends is lost.
    LostInbox,
    /// Whoever puts an orphan in place does not look whether there is mail for it already.
    NotWoken,
}

/// What the threads of a model share.
pub struct Model {
    exchange: Exchange,
    /// Whose each object is.
    owners: [OwnerWord; OBJECTS],
    /// Set as long as somebody has a claim on it.
    claimed: [AtomicBool; OBJECTS],
    wrong: Wrong,
}

/// What an owner knows of its objects, and nobody else.
pub struct Counts {
    counts: [i64; OBJECTS],
    freed: [bool; OBJECTS],
    /// What a trace of this owner's roots would reach. Nobody counts that.
    rooted: [bool; OBJECTS],
    /// Each object below this refers to the next one.
    chain: usize,
}

impl Counts {
    /// The first object is claimed once, each other one is referred to by the one before.
    fn chain(chain: usize) -> Counts {
        Counts { counts: [1; OBJECTS], freed: [false; OBJECTS], rooted: [false; OBJECTS], chain }
    }

    fn change(&mut self, object: usize, delta: i64) {
        assert!(!self.freed[object], "mail for object {object}, which is free");
        self.counts[object] += delta;
        assert!(self.counts[object] >= 0, "the count of object {object} went below zero");
    }

    /// A collection: applies everything that has come, and then frees what nobody counts and no root leads to.
    fn collect(&mut self, model: &Model, owner: Owner) {
        for batch in model.exchange.take(owner) {
            for &Adjustment { object, delta } in batch.adjustments() {
                self.change(object, delta);
                if model.wrong == Wrong::JudgedAtOnce && self.counts[object] == 0 {
                    self.free(model, object);
                }
            }
        }
        for object in 0..OBJECTS {
            if self.counts[object] == 0 && !self.freed[object] && !self.rooted[object] {
                self.free(model, object);
            }
        }
    }

    fn free(&mut self, model: &Model, object: usize) {
        let claimed = model.claimed[object].load(Ordering::SeqCst) || self.rooted[object];
        assert!(!claimed, "object {object} was freed, and is claimed");
        self.freed[object] = true;
        if object + 1 < self.chain {
            self.change(object + 1, -1);
        }
    }
}

impl Model {
    fn new(wrong: Wrong) -> Model {
        let owners: [OwnerWord; OBJECTS] = Default::default();
        Model { exchange: Exchange::default(), owners, claimed: Default::default(), wrong }
    }

    fn owner_of(&self, object: usize) -> Owner {
        self.owners[object].get()
    }

    fn own(&self, owner: Owner) {
        self.owners.iter().for_each(|word| word.set(owner));
    }

    fn claim(&self, object: usize, claimed: bool) {
        self.claimed[object].store(claimed, Ordering::SeqCst);
    }

    fn seal(&self, changes: &[(usize, i64)]) -> Outgoing {
        let changes = changes.iter().map(|&(object, delta)| Adjustment { object, delta });
        let mut outgoing = self.exchange.seal(changes, |object| self.owner_of(object));
        if self.wrong == Wrong::DecrementsFirst {
            outgoing.reverse();
        }
        outgoing
    }

    fn post(&self, changes: &[(usize, i64)]) {
        self.exchange.post(self.seal(changes), |object| self.owner_of(object));
    }
}

/// A heap that holds the head of a chain walks down and lets go of what is above, a link in each of its collections.
fn walk_down(model: &Arc<Model>, links: usize) -> thread::JoinHandle<()> {
    let model = Arc::clone(model);
    thread::spawn(move || {
        for link in 0..links - 1 {
            model.claim(link + 1, true);
            model.claim(link, false);
            model.post(&[(link, -1), (link + 1, 1)]);
        }
        model.claim(links - 1, false);
        model.post(&[(links - 1, -1)]);
    })
}

/// One heap owns a chain; another one, which holds its head, walks down. Its owner collects whenever it likes.
pub fn walking_down(links: usize, wrong: Wrong) {
    let model = Arc::new(Model::new(wrong));
    let owner = model.exchange.join();
    model.own(owner);
    model.claim(0, true);
    let walker = walk_down(&model, links);
    let mut counts = Counts::chain(links);
    for _ in 0..links {
        counts.collect(&model, owner);
    }
    walker.join().expect("the walker comes to its end");
    counts.collect(&model, owner);
    assert_eq!(counts.freed[..links], [true; OBJECTS][..links], "something is left");
    model.exchange.leave(owner);
}

/// Two heaps pass on a handle of an object that a third one owns: each has a claim, and what is on its way has one, too.
pub fn passing_on(wrong: Wrong) {
    let model = Arc::new(Model::new(wrong));
    let owner = model.exchange.join();
    model.own(owner);
    model.claim(0, true);
    let channel = Arc::new(Mutex::new(false));
    let sender = {
        let (model, channel) = (Arc::clone(&model), Arc::clone(&channel));
        thread::spawn(move || {
            if wrong != Wrong::FlightForgotten {
                model.post(&[(0, 1)]);
            }
            *channel.lock().expect("nobody panics") = true;
            // The claim of what is on its way keeps the object from here on.
            model.post(&[(0, -1)]);
        })
    };
    let receiver = {
        let (model, channel) = (Arc::clone(&model), Arc::clone(&channel));
        thread::spawn(move || {
            let received = std::mem::take(&mut *channel.lock().expect("nobody panics"));
            if received {
                model.claim(0, false);
                model.post(&[(0, -1)]);
            }
        })
    };
    let mut counts = Counts::chain(1);
    counts.collect(&model, owner);
    sender.join().expect("the sender comes to its end");
    receiver.join().expect("the receiver comes to its end");
    counts.collect(&model, owner);
    if std::mem::take(&mut *channel.lock().expect("nobody panics")) {
        // Nobody was there to receive it. It is dropped with the channel.
        model.claim(0, false);
        model.post(&[(0, -1)]);
        counts.collect(&model, owner);
    }
    assert!(counts.freed[0], "something is left");
}

/// Another heap, which has the only count of an object, sends it home and lets go of it. Its owner may come to refer to it
/// from a root before or after the mail says that the counts are gone.
pub fn coming_home(wrong: Wrong) {
    let model = Arc::new(Model::new(wrong));
    let owner = model.exchange.join();
    model.own(owner);
    model.claim(0, true);
    let channel = Arc::new(Mutex::new(false));
    let sender = {
        let (model, channel) = (Arc::clone(&model), Arc::clone(&channel));
        thread::spawn(move || {
            model.post(&[(0, 1)]);
            *channel.lock().expect("nobody panics") = true;
            model.post(&[(0, -1)]);
        })
    };
    let mut counts = Counts::chain(1);
    for collection in 0..3 {
        if std::mem::take(&mut *channel.lock().expect("nobody panics")) {
            // From here on the root keeps it, and the count of what was on its way goes back.
            counts.rooted[0] = true;
            model.claim(0, false);
            model.post(&[(0, -1)]);
        }
        if collection < 2 {
            counts.collect(&model, owner);
        }
    }
    sender.join().expect("the sender comes to its end");
    counts.collect(&model, owner);
    let arrived = std::mem::replace(&mut counts.rooted[0], false);
    if !arrived {
        // The owner has looked too early each time. What is on its way is dropped with the channel.
        model.claim(0, false);
        model.post(&[(0, -1)]);
    }
    counts.collect(&model, owner);
    assert!(counts.freed[0], "something is left");
}

/// An owner ends while another heap walks down its chain, and a third adopts what it leaves.
pub fn adopting(links: usize, wrong: Wrong) {
    let model = Arc::new(Model::new(wrong));
    let (owner, heir) = (model.exchange.join(), model.exchange.join());
    model.own(owner);
    model.claim(0, true);
    let walker = walk_down(&model, links);
    let mut counts = Counts::chain(links);
    counts.collect(&model, owner);
    if wrong == Wrong::LostInbox {
        model.exchange.take(owner);
    }
    model.exchange.hand_over(owner, heir, || model.own(heir));
    // The number of the one that has ended may be another's at once.
    let another = model.exchange.join();
    counts.collect(&model, heir);
    walker.join().expect("the walker comes to its end");
    counts.collect(&model, heir);
    assert_eq!(counts.freed[..links], [true; OBJECTS][..links], "something is left");
    model.exchange.leave(another);
    model.exchange.leave(heir);
}

/// An owner ends and nobody adopts what it leaves: two others come by, while a third gives up what it holds.
pub fn orphaned(wrong: Wrong) {
    let model = Arc::new(Model::new(wrong));
    let owner = model.exchange.join();
    model.own(owner);
    model.claim(0, true);
    let orphans = Arc::new(Mutex::new(Vec::new()));
    let holder = {
        let (model, orphans) = (Arc::clone(&model), Arc::clone(&orphans));
        thread::spawn(move || {
            model.claim(0, false);
            model.post(&[(0, -1)]);
            tend(&model, owner, &orphans);
        })
    };
    put(&model, owner, &orphans, Counts::chain(1));
    tend(&model, owner, &orphans);
    holder.join().expect("the holder comes to its end");
    assert!(orphans.lock().expect("nobody panics").is_empty(), "mail for an orphan that nobody has noticed");
}

fn put(model: &Model, owner: Owner, orphans: &Mutex<Vec<Counts>>, orphan: Counts) {
    if model.wrong == Wrong::NotWoken {
        // The one who takes it out has to look once more.
        model.exchange.orphan(owner);
        orphans.lock().expect("nobody panics").push(orphan);
        return;
    }
    let mut orphans = orphans.lock().expect("nobody panics");
    orphans.push(orphan);
    model.exchange.orphan(owner);
}

/// As `Orphans::tend` does it.
fn tend(model: &Model, owner: Owner, orphans: &Mutex<Vec<Counts>>) {
    while model.exchange.wake() {
        let taken = {
            let mut orphans = orphans.lock().expect("nobody panics");
            if model.exchange.has_mail(owner) { orphans.pop() } else { None }
        };
        if let Some(mut orphan) = taken {
            orphan.collect(model, owner);
            if !orphan.freed[0] {
                put(model, owner, orphans, orphan);
            }
        }
    }
}
