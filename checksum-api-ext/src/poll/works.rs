//! The works that are polled, by number.

/// How many entries are allocated at once. One vector for all of them would be up to twice as large.
const CHUNK: usize = 64;

/// Values by number. A number is never used again: it is a serial number, and the place of the value.
pub(super) struct Works<T> {
    chunks: Vec<Vec<(u32, Option<T>)>>,
    /// The places without a value.
    free: Vec<u32>,
    inserted: u32,
    len: usize,
}

impl<T> Works<T> {
    pub(super) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            inserted: 0,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Inserts the value that is made for its number.
    pub(super) fn insert(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        let place = self.free.pop().unwrap_or_else(|| {
            if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
                self.chunks.push(Vec::with_capacity(CHUNK));
            }
            let full = (self.chunks.len() - 1) * CHUNK;
            let last = self.chunks.last_mut().expect("a chunk");
            last.push((0, None));
            u32::try_from(full + last.len() - 1).expect("fewer than 4 billion works")
        });
        self.inserted = self.inserted.wrapping_add(1);
        self.len += 1;
        let number = u64::from(self.inserted) << 32 | u64::from(place);
        let value = make(number);
        self.chunks[place as usize / CHUNK][place as usize % CHUNK] = (self.inserted, Some(value));
        number
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        let (place, serial) = split(number);
        let (of, value) = self.chunks.get(place / CHUNK)?.get(place % CHUNK)?;
        value.as_ref().filter(|_| *of == serial)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let (place, serial) = split(number);
        let (of, value) = self.chunks.get_mut(place / CHUNK)?.get_mut(place % CHUNK)?;
        value.as_mut().filter(|_| *of == serial)
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        self.get(number)?;
        let (place, _) = split(number);
        self.free.push(number as u32);
        self.len -= 1;
        self.chunks[place / CHUNK][place % CHUNK].1.take()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let values = self.chunks.iter().flatten();
        values.filter_map(|(_, value)| value.as_ref())
    }
}

/// Returns the place and the serial number.
fn split(number: u64) -> (usize, u32) {
    (number as u32 as usize, (number >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_and_a_number_is_not() {
        let mut works = Works::new();
        let numbers: Vec<u64> = (0..200).map(|one| works.insert(|_| one)).collect();
        assert_eq!(works.remove(numbers[70]), Some(70));
        assert_eq!(works.remove(numbers[70]), None);
        let again = works.insert(|number| {
            assert_eq!(number as u32, numbers[70] as u32);
            1_000
        });
        assert_eq!(works.get(numbers[70]), None);
        assert_eq!(works.get_mut(numbers[70]), None);
        assert_eq!(works.get(again), Some(&1_000));
        assert_eq!(works.get(numbers[199]), Some(&199));
        assert_eq!((works.len(), works.iter().count()), (200, 200));
        assert_eq!(works.get(u64::MAX), None);
    }
}
