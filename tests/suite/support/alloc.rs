//! Memory as a number: what one thread allocates, so that tests beside it do not disturb.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

/// Bytes that are held after something was made that were not held before, and what was made.
pub fn bytes_held<T>(make: impl FnOnce() -> T) -> (u64, T) {
    let mut value = None;
    let info = allocation_counter::measure(|| value = Some(make()));
    (u64::try_from(info.bytes_current).unwrap_or(0), value.unwrap())
}

/// How many allocations something takes.
#[allow(dead_code, reason = "each area of tests uses its own part")]
pub fn allocations(run: impl FnOnce()) -> u64 {
    allocation_counter::measure(run).count_total
}
