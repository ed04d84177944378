//! Makes the price table in `assets/prices` from published prices. A tool for maintainers, described in
//! `assets/prices/README.md`, and never installed.

mod estimate;
mod inputs;
mod rows;
mod table;
#[path = "../pricing/table_files.rs"]
mod table_files;
mod tenancy;

use clap::Parser;
use inputs::{Inputs, List};
use nodeglass::pricing::Os;
use nodeglass::source::prices::read::ec2_list::{self, Listed};
use nodeglass::source::prices::read::price_page;
use nodeglass::source::prices::{Endpoints, location};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use table::{EC2_LIST, PRICE_PAGE, Update};
use table_files::CsvTable;

/// Makes the price table from published prices.
#[derive(Debug, Parser)]
#[command(name = "price-table")]
struct Arguments {
    /// The folder of the table, with its inputs in the folder `inputs`.
    #[arg(long, value_name = "DIR", default_value = "assets/prices", global = true)]
    prices: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the configuration with which curl fetches the price page of every region: `… urls DIR | curl --config -`
    Urls {
        /// Where curl saves the files.
        dir: PathBuf,
    },
    /// Take prices of AWS's files into the table; rows that the files do not have stay as they are
    Update {
        /// A folder of price pages, filled as `urls` describes.
        #[arg(long, value_name = "DIR")]
        pages: Option<PathBuf>,
        /// AmazonEC2 price lists (offers/v1.0/aws/AmazonEC2/current/REGION/index.json); `-` is the standard input.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        offers: Vec<PathBuf>,
        /// The month of the prices, instead of that in which AWS published the files.
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<String>,
        /// Print what would change, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Take publications of other projects into the inputs of the table
    Inputs {
        /// `libcloud/data/pricing.json` of releases of Apache Libcloud.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        libcloud: Vec<PathBuf>,
        /// `zz_generated.pricing_aws*.go` of Karpenter's AWS provider.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        karpenter: Vec<PathBuf>,
        /// `data/ec2_pricing.json` of rhpds/parsec.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        price_list: Vec<PathBuf>,
    },
    /// Derive the table again from its inputs and from the prices that `update` took in
    Rebuild,
    /// Leave the price list out of the inputs, and compare the table that the others make with it
    Measure,
}

fn main() -> ExitCode {
    let Arguments { prices, command } = Arguments::parse();
    let done = match command {
        Command::Urls { dir } => Ok(urls(&dir)),
        Command::Update { pages, offers, month, dry_run } => {
            update(&prices, pages.as_deref(), &offers, month.as_deref(), dry_run)
        }
        Command::Inputs { libcloud, karpenter, price_list } => take_inputs(&prices, &libcloud, &karpenter, &price_list),
        Command::Rebuild => rebuild_table(&prices),
        Command::Measure => measure(&prices),
    };
    match done.and_then(|text| io::stdout().lock().write_all(text.as_bytes()).map_err(|why| why.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // A failed write of the error itself cannot be reported anywhere.
            let _ = writeln!(io::stderr(), "failed to make the price table: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The message of an error in a file.
fn in_file(path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("{}: {why}", path.display())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|why| in_file(path, &why))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|why| in_file(path, &why))
}

/// A file of the table in a folder.
fn table_file(dir: &Path, path: &str) -> PathBuf {
    dir.join(Path::new(path).file_name().unwrap_or_default())
}

fn read_table(dir: &Path) -> Result<CsvTable, String> {
    CsvTable::read(|path| read(&table_file(dir, path)))
}

/// Writes a table that the build accepts, and returns the number of bytes that it takes in the program.
fn write_table(dir: &Path, table: &CsvTable, dry_run: bool) -> Result<usize, String> {
    let texts = table::write(table);
    let packed_bytes = table::packed_bytes(&texts)?;
    for (path, text) in texts.iter().filter(|_| !dry_run) {
        write(&table_file(dir, path), text)?;
    }
    Ok(packed_bytes)
}

/// The file of a kind of publication.
fn input_file(dir: &Path, kind: &str) -> PathBuf {
    dir.join("inputs").join(format!("{kind}.csv"))
}

/// Reads the publications of a kind; none if there is no file.
fn read_input(dir: &Path, kind: &str) -> Result<Vec<List>, String> {
    let path = input_file(dir, kind);
    if !path.exists() {
        return Ok(Vec::new());
    }
    inputs::read(kind, &read(&path)?).map_err(|why| format!("{}:{why}", path.display()))
}

fn read_inputs(dir: &Path) -> Result<Inputs, String> {
    let [karpenter, price_list, libcloud] = ["karpenter", "price-list", "libcloud"].map(|kind| read_input(dir, kind));
    Ok(Inputs { karpenter: karpenter?, price_list: price_list?, libcloud: libcloud? })
}

fn take_inputs(
    dir: &Path,
    libcloud: &[PathBuf],
    karpenter: &[PathBuf],
    price_list: &[PathBuf],
) -> Result<String, String> {
    type Reader = fn(&str) -> Result<List, String>;
    let kinds: [(&str, &[PathBuf], Reader); 3] = [
        ("libcloud", libcloud, inputs::libcloud),
        ("karpenter", karpenter, inputs::karpenter),
        ("price-list", price_list, inputs::price_list),
    ];
    let mut summary = String::new();
    for (kind, paths, reader) in kinds.into_iter().filter(|(_, paths, _)| !paths.is_empty()) {
        let mut lists = read_input(dir, kind)?;
        for path in paths {
            let list = reader(&read(path)?).map_err(|why| in_file(path, &why))?;
            summary.extend([&list.source, ": ", &list.prices.len().to_string(), " prices\n"]);
            inputs::merge(&mut lists, list).map_err(|why| in_file(path, &why))?;
        }
        write(&input_file(dir, kind), &inputs::write(&lists))?;
    }
    if summary.is_empty() {
        return Err("no files are given: see --libcloud, --karpenter and --price-list".to_owned());
    }
    Ok(summary)
}

fn rebuild_table(dir: &Path) -> Result<String, String> {
    let mut table = read_table(dir)?;
    let summary = table::rebuild(&mut table, &read_inputs(dir)?)?;
    let packed = write_table(dir, &table, false)?;
    Ok(format!("{summary}; {packed} bytes packed\n"))
}

fn measure(dir: &Path) -> Result<String, String> {
    let offered = read_table(dir)?.prices.into_keys().collect();
    Ok(rows::measure(&read_inputs(dir)?, &offered).text())
}

/// The names that a region's page may have in the folder: for its usual location, and for the other name of it.
fn page_names(dir: &Path, region: &str) -> [PathBuf; 2] {
    [format!("{region}.json"), format!("{region}.other.json")].map(|name| dir.join(name))
}

/// A configuration for curl with a file for each region, or two if its location has two names, of which AWS has one.
fn urls(dir: &Path) -> String {
    let base = Endpoints::default().price_page;
    let mut config = "compressed\ncreate-dirs\nfail\ngloboff\nretry = 2\nshow-error\nsilent\n".to_owned();
    for (region, usual) in location::LOCATIONS {
        let names = [Some((*usual).to_owned()), location::other_name(usual)];
        for (name, file) in names.iter().flatten().zip(page_names(dir, region)) {
            let url = base.join(&location::price_page(name, Os::Linux));
            let file = file.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
            config.extend(["url = \"", &url, "\"\noutput = \"", &file, "\"\n"]);
        }
    }
    config
}

fn update(
    dir: &Path,
    pages: Option<&Path>,
    offers: &[PathBuf],
    month: Option<&str>,
    dry_run: bool,
) -> Result<String, String> {
    if pages.is_none() && offers.is_empty() {
        return Err("no files are given: see --pages and --offers".to_owned());
    }
    let mut update = Update::new(read_table(dir)?, month)?;
    if let Some(pages) = pages {
        for (region, location) in location::LOCATIONS {
            match page_names(pages, region).into_iter().find(|path| path.exists()) {
                Some(path) => take_page(&mut update, region, location, &path).map_err(|why| in_file(&path, &why))?,
                None => update.regions_without_file.push(region),
            }
        }
    }
    for path in offers {
        take_offers(&mut update, path).map_err(|why| in_file(path, &why))?;
    }
    let packed_bytes = write_table(dir, &update.table, dry_run)?;
    Ok(update.summary(packed_bytes))
}

fn take_page(update: &mut Update, region: &str, location: &str, path: &Path) -> Result<(), String> {
    let body = fs::read(path).map_err(|why| why.to_string())?;
    let page = price_page::page(&body, Os::Linux).map_err(|why| why.to_string())?;
    let found = page.location.as_deref().unwrap_or("no place");
    if found != location && Some(found) != location::other_name(location).as_deref() {
        return Err(format!("it is about {found}, not about {location}"));
    }
    let listed = |offered| Listed { offered, estimated: false };
    let types = page.types.into_iter().map(|(name, offered)| (name, listed(offered))).collect();
    update.take(PRICE_PAGE, page.published, [(region.into(), types)].into())
}

fn take_offers(update: &mut Update, path: &Path) -> Result<(), String> {
    let stream: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|why| why.to_string())?)
    };
    let list = ec2_list::read(stream).map_err(|why| why.to_string())?;
    update.take(EC2_LIST, list.published, list.regions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use std::collections::HashSet;

    fn fixtures(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pricing").join(name)
    }

    fn assets() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/prices")
    }

    #[test]
    fn the_curl_configuration_has_every_regions_page() {
        let config = urls(Path::new("/tmp/a \"b\""));
        let seoul = "url = \"https://b0.p.awsstatic.com/pricing/2.0/meteredUnitMaps/ec2/USD/current/\
            ec2-ondemand-without-sec-sel/Asia%20Pacific%20(Seoul)/Linux/index.json\"\n\
            output = \"/tmp/a \\\"b\\\"/ap-northeast-2.json\"\n";
        assert!(config.contains(seoul), "{config}");
        assert!(
            config
                .contains("Europe%20(Ireland)/Linux/index.json\"\noutput = \"/tmp/a \\\"b\\\"/eu-west-1.other.json\"")
        );
        assert_eq!(config.matches("url = ").count(), 36 + 8);
        assert_eq!(config.matches("output = ").count(), 36 + 8);
    }

    /// The whole command, on a copy of the real table.
    #[test]
    fn a_page_renews_its_region_and_leaves_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let (pages, copy) = (dir.path().join("pages"), dir.path().join("table"));
        fs::create_dir_all(&pages).unwrap();
        fs::create_dir_all(&copy).unwrap();
        for name in ["ondemand.csv", "specs.csv"] {
            fs::copy(assets().join(name), copy.join(name)).unwrap();
        }
        fs::copy(fixtures("meteredunitmaps_ec2_seoul_linux.json"), pages.join("ap-northeast-2.json")).unwrap();

        let before = fs::read_to_string(copy.join("ondemand.csv")).unwrap();
        let planned = update(&copy, Some(&pages), &[], None, true).unwrap();
        assert_eq!(fs::read_to_string(copy.join("ondemand.csv")).unwrap(), before, "a dry run changes nothing");
        assert_eq!(update(&copy, Some(&pages), &[], None, false).unwrap(), planned);

        let after = fs::read_to_string(copy.join("ondemand.csv")).unwrap();
        let old: HashSet<&str> = before.lines().collect();
        let changed: Vec<&str> = after.lines().filter(|line| !old.contains(line)).collect();
        let expected = [
            "ap-northeast-2,c5a.2xlarge,0.344,price-page-2026-09",
            "ap-northeast-2,c5a.large,0.086,price-page-2026-09",
            "ap-northeast-2,c6g.large,0.077,price-page-2026-09",
            "ap-northeast-2,c6g.metal,2.464,price-page-2026-09",
            "ap-northeast-2,g6.xlarge,0.9896,price-page-2026-09",
            "ap-northeast-2,m7g.large,0.1003,price-page-2026-09",
            "ap-northeast-2,m7i.large,0.1239,price-page-2026-09",
            "ap-northeast-2,t4g.medium,0.0416,price-page-2026-09",
        ];
        assert_eq!(changed, expected);
        assert_eq!(after.lines().count(), before.lines().count(), "all other rows are kept");
        let expected_lines = [
            "ap-northeast-2: 740 rows; 0 added, 0 changed, 8 confirmed, 732 kept that the files do not have\n",
            "us-west-2-lax-1: 69 rows, all kept as they were\n",
            "no file of af-south-1, ap-east-1, ",
        ];
        assert!(expected_lines.iter().all(|line| planned.contains(line)), "{planned}");
    }

    #[test]
    fn a_page_of_another_region_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::copy(fixtures("meteredunitmaps_ec2_seoul_linux.json"), dir.path().join("us-east-1.json")).unwrap();
        let error = update(&assets(), Some(dir.path()), &[], None, true).unwrap_err();
        assert!(
            error.ends_with("us-east-1.json: it is about Asia Pacific (Seoul), not about US East (N. Virginia)"),
            "{error}"
        );
        assert_eq!(
            update(&assets(), None, &[], None, true).unwrap_err(),
            "no files are given: see --pages and --offers"
        );
        let error = update(&assets(), Some(dir.path()), &[], Some("2026-9"), true).unwrap_err();
        assert_eq!(error, "`2026-9` is not a month such as 2026-07");
    }
}
