//! Values that repeat are stored once: namespaces, owners, waiting reasons, request shapes.

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::{BuildHasher, Hash};

/// The hash of a key by the table's one hasher.
pub(super) fn hash_of(key: impl Hash) -> u64 {
    FxBuildHasher.hash_one(key)
}

/// A table of shared values with counted users. An id stays valid while it is in use; when the last user lets go, the
/// value is dropped and its place is used again.
#[derive(Debug)]
pub(super) struct Interner<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
    index: HashTable<u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), index: HashTable::new() }
    }
}

impl<T: Hash + Eq> Interner<T> {
    /// The id of `value`, counting one more user.
    pub(super) fn take(&mut self, value: T) -> u32 {
        let hash = hash_of(&value);
        let slots = &self.slots;
        if let Some(id) = self.index.find(hash, |id| slots[*id as usize].1.as_ref() == Some(&value)).copied() {
            self.slots[id as usize].0 += 1;
            return id;
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            self.slots.len() as u32 - 1
        });
        self.slots[id as usize] = (1, Some(value));
        let slots = &self.slots;
        self.index.insert_unique(hash, id, |id| slots[*id as usize].1.as_ref().map_or(0, hash_of));
        id
    }

    /// One user fewer.
    pub(super) fn release(&mut self, id: u32) {
        let slot = &mut self.slots[id as usize];
        slot.0 -= 1;
        if slot.0 > 0 {
            return;
        }
        if let Some(value) = slot.1.take() {
            let hash = hash_of(&value);
            if let Ok(entry) = self.index.find_entry(hash, |other| *other == id) {
                entry.remove();
            }
        }
        self.free.push(id);
    }

    /// The value of an id in use.
    pub(super) fn get(&self, id: u32) -> &T {
        self.slots[id as usize].1.as_ref().expect("an interned id is asked for only while it is in use")
    }

    /// The id of a value in use, without counting a user.
    pub(super) fn find(&self, value: &T) -> Option<u32> {
        let hash = hash_of(value);
        self.index.find(hash, |id| self.slots[*id as usize].1.as_ref() == Some(value)).copied()
    }

    /// How many different values are in use.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_an_id_until_the_last_user_goes() {
        let mut names = Interner::<String>::default();
        let a = names.take("kube-system".into());
        let b = names.take("default".into());
        assert_eq!(names.take("kube-system".into()), a);
        assert_ne!(a, b);
        names.release(a);
        assert_eq!(names.get(a), "kube-system");
        names.release(a);
        assert_eq!(names.len(), 1);
        assert_eq!(names.take("web".into()), a, "the place is used again");
        assert_eq!(names.take("default".into()), b);
    }

    proptest::proptest! {
        #[test]
        fn any_order_of_use_keeps_values_apart(steps in proptest::collection::vec((0_u8..12, proptest::bool::ANY), 0..200)) {
            let mut table = Interner::<u8>::default();
            let mut held: Vec<(u8, u32)> = Vec::new();
            for (value, take) in steps {
                if take || held.is_empty() {
                    held.push((value, table.take(value)));
                } else {
                    let (_, id) = held.swap_remove(usize::from(value) % held.len());
                    table.release(id);
                }
                for (value, id) in &held {
                    proptest::prop_assert_eq!(table.get(*id), value);
                }
            }
        }
    }
}
