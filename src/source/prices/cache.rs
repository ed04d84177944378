//! Answers kept on the disk for the next start.
//!
//! A public file is kept as it came (`<name>.body`) beside what is known of it (`<name>.json`); an answer that AWS gave
//! to credentials is kept as its figures (`<name>.sheets.json`). Always true here: what is written is complete or not
//! there (a temporary file, renamed); what cannot be read, is cut short, or does not fit together is absent; several
//! programs may write at once, and the worst that follows is an answer fetched again.

use super::http::{Body, Validators};
use crate::model::{Name, Timestamp};
use crate::pricing::{OnDemandPrice, Os, PriceSheet, PriceSource, Prices, SpotPrice, Tenancy, VolumePrice};
use crate::units::{Currency, Money};
use flate2::Crc;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Another number is another format: what was written under it is absent.
const FORMAT: u32 = 1;
/// What nobody has confirmed for this long is removed.
const KEEP: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A temporary file this old was left by a program that ended in the middle.
const LEFT_OVER: SignedDuration = SignedDuration::from_hours(1);
/// The largest file that is read back: a body may not be larger, and figures are far smaller.
const FILE_LIMIT: u64 = 16 << 20;

/// A public file, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Where it came from.
    pub(super) url: String,
    /// When its server last confirmed it.
    pub(super) fetched: Timestamp,
    /// As it came.
    pub(super) body: Body,
}

/// A directory of answers; without one, nothing is kept and nothing found.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    dir: Option<PathBuf>,
}

/// What is known of a body.
#[derive(Serialize, Deserialize)]
struct Meta {
    format: u32,
    url: String,
    fetched: Timestamp,
    etag: Option<String>,
    last_modified: Option<String>,
    gzip: bool,
    bytes: u64,
    /// Of the body: tells whether the two files belong together, and whether the body is whole.
    crc32: u32,
}

/// Figures of one question.
#[derive(Serialize, Deserialize)]
struct SheetsWire {
    format: u32,
    sheets: Vec<SheetWire>,
}

#[derive(Serialize, Deserialize)]
struct SheetWire {
    region: Name,
    currency: Currency,
    fetched: Timestamp,
    #[serde(flatten)]
    prices: PricesWire,
}

/// The kinds of figures that answers to credentials hold.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PricesWire {
    OnDemand { windows: bool, dedicated: bool, prices: Vec<(Name, Money, bool)> },
    Spot(Vec<(Name, Option<Name>, bool, Money)>),
    Volumes(Vec<(Name, Money, Option<Money>, Option<Money>)>),
}

impl Cache {
    pub(super) const fn new(dir: Option<PathBuf>) -> Self {
        Self { dir }
    }

    /// The public file kept under a name.
    pub(super) fn body(&self, name: &str) -> Option<Kept> {
        let dir = self.dir.as_deref()?;
        let meta: Meta = read_json(&meta_path(dir, name))?;
        if meta.format != FORMAT {
            return None;
        }
        let bytes = read(&body_path(dir, name))?;
        if (bytes.len() as u64, crc32(&bytes)) != (meta.bytes, meta.crc32) {
            return None;
        }
        let validators = Validators { etag: meta.etag, last_modified: meta.last_modified };
        Some(Kept { url: meta.url, fetched: meta.fetched, body: Body { gzip: meta.gzip, bytes, validators } })
    }

    /// Keeps a public file.
    pub(super) fn keep_body(&self, name: &str, kept: &Kept) {
        self.tell(name, self.try_keep_body(name, kept, true));
    }

    /// Keeps the moment at which the file's server confirmed it.
    pub(super) fn confirm_body(&self, name: &str, kept: &Kept) {
        self.tell(name, self.try_keep_body(name, kept, false));
    }

    fn try_keep_body(&self, name: &str, kept: &Kept, with_body: bool) -> io::Result<()> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let Body { gzip, bytes, validators } = &kept.body;
        let meta = Meta {
            format: FORMAT,
            url: kept.url.clone(),
            fetched: kept.fetched,
            etag: validators.etag.clone(),
            last_modified: validators.last_modified.clone(),
            gzip: *gzip,
            bytes: bytes.len() as u64,
            crc32: crc32(bytes),
        };
        if with_body {
            write(&body_path(dir, name), bytes)?;
        }
        write(&meta_path(dir, name), &serde_json::to_vec(&meta)?)
    }

    /// The figures kept under a name, as `source` gave them.
    pub(super) fn sheets(&self, name: &str, source: PriceSource) -> Vec<PriceSheet> {
        let kept = self.dir.as_deref().and_then(|dir| read_json::<SheetsWire>(&sheets_path(dir, name)));
        let kept = kept.filter(|kept| kept.format == FORMAT);
        kept.map_or_else(Vec::new, |kept| kept.sheets.into_iter().map(|sheet| sheet.read(source)).collect())
    }

    /// Keeps the figures of `new` under a name, beside those of earlier answers that are still younger than `limit`.
    pub(super) fn keep_sheet(&self, name: &str, new: &PriceSheet, limit: SignedDuration) {
        let Some(dir) = &self.dir else { return };
        let Some(wire) = SheetWire::of(new) else { return };
        let mut sheets: Vec<SheetWire> = self.sheets(name, new.source).iter().filter_map(SheetWire::of).collect();
        sheets.retain(|old| new.fetched.duration_since(old.fetched) < limit && !wire.prices.covers(&old.prices));
        sheets.push(wire);
        let written = serde_json::to_vec(&SheetsWire { format: FORMAT, sheets }).map_err(io::Error::from);
        self.tell(name, written.and_then(|text| write(&sheets_path(dir, name), &text)));
    }

    /// A cache that cannot be written costs a few requests more, and is nobody's concern.
    fn tell(&self, name: &str, written: io::Result<()>) {
        if let (Err(error), Some(dir)) = (written, &self.dir) {
            tracing::debug!(%name, dir = %dir.display(), %error, "an answer is not kept");
        }
    }

    /// Removes what nobody has confirmed for a month, and what a program that ended in the middle left behind.
    pub(super) fn prune(&self, now: Timestamp) {
        let Some(files) = self.dir.as_deref().and_then(|dir| fs::read_dir(dir).ok()) else { return };
        for path in files.flatten().map(|file| file.path()) {
            let written = path.metadata().and_then(|metadata| metadata.modified()).ok();
            let Some(written) = written.and_then(|at| Timestamp::try_from(at).ok()) else { continue };
            let age = now.duration_since(written);
            let limit = match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => KEEP,
                // A body is as old as its description, which each confirmation writes anew.
                Some("body") if path.with_extension("json").exists() => continue,
                Some("body" | "tmp") => LEFT_OVER,
                _ => continue,
            };
            if age > limit {
                let _ = fs::remove_file(&path);
                let _ = fs::remove_file(path.with_extension("body"));
            }
        }
    }
}

impl SheetWire {
    /// None for figures that public files hold: those are kept as they came.
    fn of(sheet: &PriceSheet) -> Option<Self> {
        let prices = match &sheet.prices {
            Prices::OnDemand { os, tenancy, prices } => PricesWire::OnDemand {
                windows: *os == Os::Windows,
                dedicated: *tenancy == Tenancy::Dedicated,
                prices: prices.iter().map(|p| (p.instance_type.clone(), p.amount, p.estimated)).collect(),
            },
            Prices::Spot(prices) => {
                let spot = |p: &SpotPrice| (p.instance_type.clone(), p.zone.clone(), p.os == Os::Windows, p.amount);
                PricesWire::Spot(prices.iter().map(spot).collect())
            }
            Prices::Volumes(prices) => {
                let volume = |p: &VolumePrice| (p.volume_type.clone(), p.gib_month, p.iops_month, p.mibps_month);
                PricesWire::Volumes(prices.iter().map(volume).collect())
            }
            Prices::Eks(_) | Prices::SpotSavings(_) => return None,
        };
        Some(Self { region: sheet.region.clone(), currency: sheet.currency, fetched: sheet.fetched, prices })
    }

    fn read(self, source: PriceSource) -> PriceSheet {
        let os = |windows| if windows { Os::Windows } else { Os::Linux };
        let prices = match self.prices {
            PricesWire::OnDemand { windows, dedicated, prices } => Prices::OnDemand {
                os: os(windows),
                tenancy: if dedicated { Tenancy::Dedicated } else { Tenancy::Shared },
                prices: prices
                    .into_iter()
                    .map(|(instance_type, amount, estimated)| OnDemandPrice { instance_type, amount, estimated })
                    .collect(),
            },
            PricesWire::Spot(prices) => {
                let spot =
                    |(instance_type, zone, windows, amount)| SpotPrice { instance_type, zone, os: os(windows), amount };
                Prices::Spot(prices.into_iter().map(spot).collect())
            }
            PricesWire::Volumes(prices) => {
                let volume = |(volume_type, gib_month, iops_month, mibps_month)| VolumePrice {
                    volume_type,
                    gib_month,
                    iops_month,
                    mibps_month,
                };
                Prices::Volumes(prices.into_iter().map(volume).collect())
            }
        };
        let Self { region, currency, fetched, .. } = self;
        PriceSheet { source, region, currency, fetched, cached: true, prices }
    }
}

impl PricesWire {
    /// Whether every figure of an older answer is here as well.
    fn covers(&self, old: &Self) -> bool {
        match (self, old) {
            (Self::OnDemand { prices: new, .. }, Self::OnDemand { prices: old, .. }) => {
                old.iter().all(|(old, ..)| new.iter().any(|(new, ..)| new == old))
            }
            (Self::Spot(new), Self::Spot(old)) => {
                old.iter().all(|old| new.iter().any(|new| (&new.0, &new.1, new.2) == (&old.0, &old.1, old.2)))
            }
            (Self::Volumes(new), Self::Volumes(old)) => {
                old.iter().all(|(old, ..)| new.iter().any(|(new, ..)| new == old))
            }
            (Self::OnDemand { .. } | Self::Spot(_) | Self::Volumes(_), _) => true,
        }
    }
}

fn meta_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.json"))
}

fn body_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.body"))
}

fn sheets_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.sheets.json"))
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let fits = fs::metadata(path).ok()?.len() <= FILE_LIMIT;
    fits.then(|| fs::read(path).ok()).flatten()
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&read(path)?).ok()
}

/// Writes the whole file or nothing: readers see the old one until the new one is complete.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    fs::create_dir_all(dir)?;
    // Two programs, or two tasks of one, never write the same temporary file.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = dir.join(format!(".{name}.{}-{count}.tmp", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use test_case::test_case;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + hours * 3600).unwrap()
    }

    fn page() -> Kept {
        let validators = Validators { etag: Some("\"a\"".into()), last_modified: Some("Tue, 24 Nov 2026".into()) };
        let body = Body { gzip: true, bytes: b"any bytes".to_vec(), validators };
        Kept { url: "https://example.com/page".into(), fetched: at(0), body }
    }

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(dir.path().join("nodeglass").join("prices")));
        (dir, cache)
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let (_dir, cache) = cache();
        assert_eq!(cache.body("page"), None);
        cache.keep_body("page", &page());
        assert_eq!(cache.body("page"), Some(page()));
        assert_eq!(cache.body("other"), None);
        let confirmed = Kept { fetched: at(1), ..page() };
        cache.confirm_body("page", &confirmed);
        assert_eq!(cache.body("page"), Some(confirmed));
    }

    #[test]
    fn without_a_directory_nothing_is_kept() {
        let cache = Cache::new(None);
        cache.keep_body("page", &page());
        assert_eq!(cache.body("page"), None);
        cache.prune(at(0));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let cache = Cache::new(Some(file.join("below")));
        cache.keep_body("page", &page());
        assert_eq!(cache.body("page"), None);
    }

    /// Damages one of the two files.
    type Damage = fn(&Path);

    #[test_case(|dir| fs::write(dir.join("page.body"), "any byte").unwrap() ; "a body cut short")]
    #[test_case(|dir| fs::write(dir.join("page.body"), "any bytez").unwrap() ; "a body of another file")]
    #[test_case(|dir| fs::remove_file(dir.join("page.body")).unwrap() ; "no body")]
    #[test_case(|dir| fs::remove_file(dir.join("page.json")).unwrap() ; "no description")]
    #[test_case(|dir| fs::write(dir.join("page.json"), "{\"format\": 1, \"url\": \"htt").unwrap() ; "a description cut short")]
    #[test_case(|dir| fs::write(dir.join("page.json"), "").unwrap() ; "an empty description")]
    #[test_case(|dir| {
        let text = fs::read_to_string(dir.join("page.json")).unwrap();
        fs::write(dir.join("page.json"), text.replace("\"format\":1", "\"format\":2")).unwrap();
    } ; "another format")]
    fn half_written_is_absent(damage: Damage) {
        let (_dir, cache) = cache();
        cache.keep_body("page", &page());
        damage(cache.dir.as_deref().unwrap());
        assert_eq!(cache.body("page"), None);
        cache.keep_body("page", &page());
        assert_eq!(cache.body("page"), Some(page()), "and is written over");
    }

    fn spot(hours: i64, zone: &str, nanos: i64) -> PriceSheet {
        let price = SpotPrice {
            instance_type: "c5a.large".into(),
            zone: Some(zone.into()),
            os: Os::Linux,
            amount: Money::from_nanos(nanos),
        };
        PriceSheet {
            source: PriceSource::SpotHistory,
            region: "ap-northeast-2".into(),
            currency: Currency::Usd,
            fetched: at(hours),
            cached: false,
            prices: Prices::Spot(vec![price]),
        }
    }

    #[test]
    fn figures_are_kept_beside_younger_ones_until_they_are_covered_or_old() {
        let (_dir, cache) = cache();
        let keep = |sheet: &PriceSheet| cache.keep_sheet("spot", sheet, SignedDuration::from_hours(12));
        let found = || cache.sheets("spot", PriceSource::SpotHistory);
        let cached = |sheet| PriceSheet { cached: true, ..sheet };
        keep(&spot(0, "ap-northeast-2a", 1));
        keep(&spot(1, "ap-northeast-2b", 2));
        assert_eq!(found(), [cached(spot(0, "ap-northeast-2a", 1)), cached(spot(1, "ap-northeast-2b", 2))]);
        keep(&spot(2, "ap-northeast-2a", 3));
        assert_eq!(found(), [cached(spot(1, "ap-northeast-2b", 2)), cached(spot(2, "ap-northeast-2a", 3))]);
        keep(&spot(14, "ap-northeast-2c", 4));
        assert_eq!(found(), [cached(spot(14, "ap-northeast-2c", 4))]);
    }

    #[test]
    fn figures_of_every_kind_come_back() {
        let (_dir, cache) = cache();
        let windows = Prices::OnDemand {
            os: Os::Windows,
            tenancy: Tenancy::Dedicated,
            prices: vec![OnDemandPrice {
                instance_type: "m5.large".into(),
                amount: Money::from_nanos(5),
                estimated: true,
            }],
        };
        let volumes = Prices::Volumes(vec![VolumePrice {
            volume_type: "gp3".into(),
            gib_month: Money::from_nanos(7),
            iops_month: Some(Money::from_nanos(5)),
            mibps_month: None,
        }]);
        for (name, prices) in [("products", windows), ("volumes", volumes)] {
            let sheet = PriceSheet { source: PriceSource::GetProducts, prices, ..spot(0, "", 0) };
            cache.keep_sheet(name, &sheet, SignedDuration::from_hours(1));
            let cached = PriceSheet { cached: true, ..sheet };
            assert_eq!(cache.sheets(name, PriceSource::GetProducts), [cached]);
        }
    }

    #[test]
    fn several_writers_never_show_each_other_half_a_file() {
        let (_dir, cache) = cache();
        let bodies: Vec<Kept> = (0..4_u8)
            .map(|n| Kept { body: Body { bytes: vec![n; 50_000 + usize::from(n)], ..page().body }, ..page() })
            .collect();
        std::thread::scope(|scope| {
            let (cache, bodies) = (&cache, &bodies);
            for kept in bodies {
                scope.spawn(move || {
                    for _ in 0..50 {
                        cache.keep_body("page", kept);
                        let found = cache.body("page");
                        assert!(found.is_none_or(|found| bodies.contains(&found)), "a mixture was read");
                    }
                });
            }
        });
        cache.keep_body("page", &bodies[0]);
        assert_eq!(cache.body("page").as_ref(), bodies.first());
        let left = fs::read_dir(cache.dir.as_deref().unwrap()).unwrap().count();
        assert_eq!(left, 2, "no temporary file is left");
    }

    #[test]
    fn what_is_older_than_a_month_is_removed() {
        let (_dir, cache) = cache();
        let dir = cache.dir.as_deref().unwrap();
        cache.keep_body("page", &page());
        cache.keep_sheet("spot", &spot(0, "a", 1), SignedDuration::from_hours(1));
        for left in [".page.body.7-0.tmp", "lost.body", "of another program"] {
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
        assert_eq!(names(), ["of another program", "page.body", "page.json", "spot.sheets.json"]);
        cache.prune(now + SignedDuration::from_hours(31 * 24));
        assert_eq!(names(), ["of another program"]);
    }
}
