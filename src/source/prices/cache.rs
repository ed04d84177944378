//! Answers of price sources on disk, for the next start of the program.
//!
//! An answer is a file: its prices and its version, as compressed JSON. A file is complete or absent, because it is renamed
//! after it was written; a file that cannot be read, or is of another format, is absent. Several programs may write at once:
//! the last one wins.

use super::query::{Answer, MONTH};
use crate::model::Timestamp;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of the format; files of others are ignored.
const FORMAT: u32 = 2;
/// The extension of an answer.
const EXTENSION: &str = "gz";
/// A temporary file of this age was left by a program that was killed.
const LEFT_OVER: SignedDuration = SignedDuration::from_hours(1);
/// The most bytes of JSON that are read: several times the largest answer.
const MAX_BYTES: u64 = 64 << 20;

/// A directory of answers; without one, nothing is stored.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    dir: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    format: u32,
    answer: Cow<'a, Answer>,
}

impl Cache {
    pub(super) const fn new(dir: Option<PathBuf>) -> Self {
        Self { dir }
    }

    /// The answer of this name; empty if there is none. Blocks.
    pub(super) fn load(&self, name: &str) -> Answer {
        let read = || {
            let mut json = Vec::new();
            GzDecoder::new(File::open(self.path(name)?).ok()?).take(MAX_BYTES).read_to_end(&mut json).ok()?;
            let stored: Stored<'_> = serde_json::from_slice(&json).ok()?;
            (stored.format == FORMAT).then(|| stored.answer.into_owned())
        };
        let mut answer = read().unwrap_or_default();
        for sheet in &mut answer.sheets {
            sheet.cached = true;
        }
        answer
    }

    /// Stores an answer. Blocks. A failure costs requests at the next start, and is only logged.
    pub(super) fn store(&self, name: &str, answer: &Answer) {
        let Some(path) = self.path(name) else { return };
        if let Err(error) = write(&path, &Stored { format: FORMAT, answer: Cow::Borrowed(answer) }) {
            tracing::debug!(path = %path.display(), %error, "an answer is not cached");
        }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join(name).with_added_extension(EXTENSION))
    }

    /// Removes answers that were not confirmed for a month, temporary files, and files of earlier formats. Blocks.
    pub(super) fn prune(&self, now: Timestamp) {
        let Some(files) = self.dir.as_deref().and_then(|dir| fs::read_dir(dir).ok()) else { return };
        for path in files.flatten().map(|file| file.path()) {
            let limit = match path.extension().and_then(|extension| extension.to_str()) {
                Some(EXTENSION | "body" | "json") => MONTH,
                Some("tmp") => LEFT_OVER,
                _ => continue,
            };
            let written = path.metadata().and_then(|metadata| metadata.modified()).ok();
            let written = written.and_then(|at| Timestamp::try_from(at).ok());
            if written.is_some_and(|at| now.duration_since(at) > limit) {
                let _ = fs::remove_file(&path);
            }
        }
    }
}

/// Writes a whole file or nothing.
fn write(path: &std::path::Path, stored: &Stored<'_>) -> io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    // Two programs, or two tasks of one, never write the same temporary file.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{count}.tmp", std::process::id()));
    let written = File::create(&temporary).and_then(|file| {
        let mut packed = GzEncoder::new(file, Compression::fast());
        serde_json::to_writer(io::BufWriter::new(&mut packed), stored)?;
        packed.finish()?.flush()?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{
        EksPrices, OnDemandPrice, Os, PriceSheet, PriceSource, Prices, SpotPrice, SpotSaving, Tenancy, VolumePrice,
    };
    use crate::source::prices::http::Validators;
    use crate::units::{Currency, Money};
    use pretty_assertions::assert_eq;
    use std::path::Path;
    use test_case::test_case;

    fn sheet(prices: Prices) -> PriceSheet {
        PriceSheet {
            source: PriceSource::GetProducts,
            region: "ap-northeast-2".into(),
            currency: Currency::Usd,
            fetched: Timestamp::from_second(1_790_000_000).unwrap(),
            cached: true,
            prices,
        }
    }

    fn page() -> Answer {
        Answer {
            sheets: vec![sheet(Prices::Eks(EksPrices::default()))],
            url: "https://example.com/page".into(),
            validators: Validators { etag: Some("\"a\"".into()), last_modified: Some("Tue, 24 Nov 2026".into()) },
            support: None,
        }
    }

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(dir.path().join("nodeglass").join("prices")));
        (dir, cache)
    }

    #[test]
    fn a_stored_answer_is_loaded() {
        let (_dir, cache) = cache();
        assert_eq!(cache.load("page"), Answer::default());
        cache.store("page", &page());
        assert_eq!(cache.load("page"), page());
        assert_eq!(cache.load("other"), Answer::default());
    }

    #[test]
    fn without_a_directory_nothing_is_stored() {
        let cache = Cache::new(None);
        cache.store("page", &page());
        assert_eq!(cache.load("page"), Answer::default());
        cache.prune(Timestamp::now());
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let cache = Cache::new(Some(file.join("below")));
        cache.store("page", &page());
        assert_eq!(cache.load("page"), Answer::default());
    }

    #[test_case(|path| fs::write(path, "").unwrap() ; "empty")]
    #[test_case(|path| fs::write(path, "{\"format\": 2}").unwrap() ; "not compressed")]
    #[test_case(|path| fs::remove_file(path).unwrap() ; "removed")]
    #[test_case(|path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() - 9]).unwrap();
    } ; "cut short")]
    #[test_case(|path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[40] ^= 1;
        fs::write(path, bytes).unwrap();
    } ; "changed")]
    #[test_case(|path| write(path, &Stored { format: 1, answer: Cow::Owned(page()) }).unwrap() ; "another format")]
    fn a_damaged_file_is_absent(damage: fn(&Path)) {
        let (_dir, cache) = cache();
        cache.store("page", &page());
        damage(&cache.path("page").unwrap());
        assert_eq!(cache.load("page"), Answer::default());
        cache.store("page", &page());
        assert_eq!(cache.load("page"), page(), "it is replaced");
    }

    #[test]
    fn prices_of_every_kind_are_loaded_as_stored() {
        let (_dir, cache) = cache();
        let amount = Money::from_nanos(5);
        let kinds = [
            Prices::OnDemand {
                os: Os::Windows,
                tenancy: Tenancy::Dedicated,
                prices: vec![OnDemandPrice { instance_type: "m5.large".into(), amount, estimated: true }],
            },
            Prices::Spot(vec![SpotPrice { instance_type: "a".into(), zone: Some("z".into()), os: Os::Linux, amount }]),
            Prices::SpotSavings(vec![SpotSaving {
                instance_type: "a".into(),
                os: Os::Linux,
                percent: 60,
                interruption_band: 1,
            }]),
            Prices::Eks(EksPrices { tiers: vec![("XL".into(), amount)], ..EksPrices::default() }),
            Prices::Volumes(vec![VolumePrice {
                volume_type: "gp3".into(),
                gib_month: amount,
                iops_month: Some(amount),
                mibps_month: None,
            }]),
        ];
        let answer = Answer::from(kinds.map(sheet).to_vec());
        cache.store("all", &answer);
        assert_eq!(cache.load("all"), answer);
    }

    #[test]
    fn concurrent_writers_leave_a_complete_file() {
        let (_dir, cache) = cache();
        let answers: Vec<Answer> =
            (0..4).map(|number| Answer { url: number.to_string().repeat(50_000), ..page() }).collect();
        std::thread::scope(|scope| {
            let (cache, answers) = (&cache, &answers);
            for answer in answers {
                scope.spawn(move || {
                    for _ in 0..50 {
                        cache.store("page", answer);
                        assert!(answers.contains(&cache.load("page")), "a mixture was read");
                    }
                });
            }
        });
        let left = fs::read_dir(cache.dir.as_deref().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no temporary file is left");
    }

    #[test]
    fn answers_older_than_a_month_are_removed() {
        let (_dir, cache) = cache();
        let dir = cache.dir.as_deref().unwrap();
        cache.store("page", &page());
        for left in ["page.7-0.tmp", "page.body", "of another program"] {
            fs::write(dir.join(left), "").unwrap();
        }
        let names = || {
            let mut names: Vec<String> =
                fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let now = Timestamp::now();
        cache.prune(now + SignedDuration::from_hours(2));
        assert_eq!(names(), ["of another program", "page.body", "page.gz"]);
        cache.prune(now + SignedDuration::from_hours(31 * 24));
        assert_eq!(names(), ["of another program"]);
    }
}
