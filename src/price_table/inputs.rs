//! The publications that the table is made from, and the files under `assets/prices/inputs` that hold them.
//!
//! Each kind of publication has a file with a column for each month: `region,instance_type,2023-08,2025-03`, empty if the
//! publication of that month has no price. All prices are US dollars an hour for Linux. `assets/prices/README.md` describes
//! the publications.

use crate::table_files::{is_month, is_plain, is_type, month_of};
use nodeglass::model::Timestamp;
use nodeglass::units::Money;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Number;
use std::collections::{BTreeMap, BTreeSet};

/// A price region and an instance type.
pub type Pair = (String, String);

/// Dollars an hour by price region and instance type.
pub type Prices = BTreeMap<Pair, Money>;

/// The prices of a publication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The name of its source, `karpenter-2026-07`.
    pub source: String,
    /// Its prices.
    pub prices: Prices,
}

impl List {
    fn new(kind: &str, month: &str) -> Self {
        Self { source: format!("{kind}-{month}"), prices: Prices::new() }
    }

    /// The month of publication, `2026-07`.
    pub fn month(&self) -> &str {
        month_of(&self.source).unwrap_or_default()
    }

    /// Adds a price, unless it is 0 (not sold) or of something else than an instance type in a region.
    fn add(&mut self, region: &str, name: &str, amount: Option<Money>) {
        if let Some(amount) = amount.filter(|amount| *amount > Money::ZERO && is_plain(region) && is_type(name)) {
            self.prices.insert((region.to_owned(), name.to_owned()), amount);
        }
    }
}

/// All publications that the table is made from, the oldest of each kind first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The tables generated into Karpenter's AWS provider: us-east-1 and GovCloud.
    pub karpenter: Vec<List>,
    /// AWS's price list: all types of the regions that it has.
    pub price_list: Vec<List>,
    /// The releases of Apache Libcloud: many regions, tenancies mixed.
    pub libcloud: Vec<List>,
}

/// The columns before the months.
const KEYS: [&str; 2] = ["region", "instance_type"];

/// Reads the file of a kind of publication.
///
/// # Errors
/// The number of a malformed line, and the reason.
pub fn read(kind: &str, text: &str) -> Result<Vec<List>, String> {
    let mut lines = text.lines().zip(1..);
    let header: Vec<&str> = lines.next().map_or(Vec::new(), |(line, _)| line.split(',').collect());
    let months = header
        .split_first_chunk()
        .filter(|(keys, months)| **keys == KEYS && months.iter().all(|month| is_month(month)) && months.is_sorted());
    let Some((_, months)) = months else {
        return Err(format!("1: the header is not `{},` and months in order", KEYS.join(",")));
    };
    let mut lists: Vec<List> = months.iter().map(|month| List::new(kind, month)).collect();
    for (line, number) in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let row = fields
            .split_first_chunk()
            .filter(|([region, name], amounts)| is_plain(region) && is_type(name) && amounts.len() == lists.len());
        let Some(([region, name], amounts)) = row else {
            let months = lists.len();
            return Err(format!("{number}: `{line}` is not a region, an instance type and {months} prices"));
        };
        for (list, amount) in lists.iter_mut().zip(amounts).filter(|(_, amount)| !amount.is_empty()) {
            let money: Money = amount.parse().map_err(|why| format!("{number}: price `{amount}`: {why}"))?;
            if money <= Money::ZERO {
                return Err(format!("{number}: price `{amount}` is not above 0: leave it out"));
            }
            list.prices.insert(((*region).to_owned(), (*name).to_owned()), money);
        }
    }
    Ok(lists)
}

/// Adds a publication to those of its kind. Two publications of one month complete each other.
///
/// # Errors
/// Two publications of one month have different prices of a pair.
pub fn merge(lists: &mut Vec<List>, new: List) -> Result<(), String> {
    let Some(list) = lists.iter_mut().find(|list| list.source == new.source) else {
        lists.push(new);
        lists.sort_by(|a, b| a.source.cmp(&b.source));
        return Ok(());
    };
    for ((region, name), amount) in new.prices {
        let known = *list.prices.entry((region.clone(), name.clone())).or_insert(amount);
        if known != amount {
            let (month, known, amount) = (list.month(), decimal(known), decimal(amount));
            return Err(format!("{month} already has another price of {region},{name}: {known} instead of {amount}"));
        }
    }
    Ok(())
}

/// The text of the file of some publications, which are sorted by month.
pub fn write(lists: &[List]) -> String {
    let months = lists.iter().map(|list| list.month().to_owned());
    let header: Vec<String> = KEYS.into_iter().map(str::to_owned).chain(months).collect();
    let pairs: BTreeSet<&Pair> = lists.iter().flat_map(|list| list.prices.keys()).collect();
    let rows = pairs.into_iter().map(|pair| {
        let amount = |list: &List| list.prices.get(pair).map_or(String::new(), |amount| decimal(*amount));
        [pair.0.clone(), pair.1.clone()].into_iter().chain(lists.iter().map(amount)).collect()
    });
    let lines = std::iter::once(header).chain(rows);
    lines.map(|fields| fields.join(",") + "\n").collect()
}

/// The shortest text of an amount, rounded to millionths.
pub fn decimal(amount: Money) -> String {
    amount.decimal(6).trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn json<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|why| format!("not {name}: {why}"))
}

/// A price of a JSON file, in which it is a floating-point number.
fn money(number: &Number) -> Option<Money> {
    format!("{:.6}", number.as_f64()?).parse().ok()
}

/// Reads `libcloud/data/pricing.json` of an Apache Libcloud release.
///
/// # Errors
/// It is not such a file.
pub fn libcloud(text: &str) -> Result<List, String> {
    #[derive(Deserialize)]
    struct File {
        compute: Compute,
        updated: Number,
    }
    #[derive(Deserialize)]
    struct Compute {
        ec2_linux: BTreeMap<String, BTreeMap<String, Number>>,
    }
    let file: File = json(text, "Libcloud's pricing.json")?;
    let at = file.updated.as_i64().and_then(|second| Timestamp::from_second(second).ok());
    let month = at.ok_or("`updated` is not a time in seconds")?.strftime("%Y-%m").to_string();
    let mut list = List::new("libcloud", &month);
    for (name, regions) in &file.compute.ec2_linux {
        for (region, number) in regions {
            list.add(region, name, money(number));
        }
    }
    Ok(list)
}

/// Reads `data/ec2_pricing.json` of rhpds/parsec, which holds AWS's price list by operating system.
///
/// # Errors
/// It is not such a file.
pub fn price_list(text: &str) -> Result<List, String> {
    #[derive(Deserialize)]
    struct File {
        generated_at: String,
        instances: BTreeMap<String, Instance>,
    }
    #[derive(Deserialize)]
    struct Instance {
        pricing: BTreeMap<String, BTreeMap<String, Number>>,
    }
    let file: File = json(text, "parsec's ec2_pricing.json")?;
    let month = file.generated_at.get(..7).filter(|month| is_month(month)).ok_or("`generated_at` is not a date")?;
    let mut list = List::new("price-list", month);
    for (name, instance) in &file.instances {
        for (region, systems) in &instance.pricing {
            list.add(region, name, systems.get("Linux").and_then(money));
        }
    }
    Ok(list)
}

/// Reads a `zz_generated.pricing_aws*.go` of Karpenter's AWS provider.
///
/// # Errors
/// It is not such a file.
pub fn karpenter(text: &str) -> Result<List, String> {
    let date = text.lines().find_map(|line| line.strip_prefix("// generated at "));
    let month = date.and_then(|date| date.get(..7)).filter(|month| is_month(month));
    let month = month.ok_or("no line `// generated at` with a date: not one of Karpenter's price tables")?;
    let (mut list, mut region) = (List::new("karpenter", month), "");
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix("\": {").and_then(|line| line.strip_prefix('"')) {
            region = name;
        }
        for (key, number) in line.split_terminator(',').filter_map(|entry| entry.trim().split_once(": ")) {
            if let Some(name) = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
                list.add(region, name, number.parse().ok());
            }
        }
    }
    if list.prices.is_empty() { Err("there is no price in it".to_owned()) } else { Ok(list) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn rows(list: &List) -> Vec<String> {
        list.prices.iter().map(|((region, name), amount)| format!("{region} {name} {}", decimal(*amount))).collect()
    }

    #[test]
    fn a_file_is_written_as_it_is_read() {
        let text =
            "region,instance_type,2023-08,2025-03\nus-east-1,c5.large,0.085,0.085\nus-east-1,c7g.large,,0.0725\n";
        let lists = read("libcloud", text).unwrap();
        assert_eq!(
            lists.iter().map(|list| (list.source.as_str(), list.prices.len())).collect::<Vec<_>>(),
            [("libcloud-2023-08", 1), ("libcloud-2025-03", 2)]
        );
        assert_eq!(write(&lists), text);
    }

    #[test_case("region,type\n" => "1: the header is not `region,instance_type,` and months in order")]
    #[test_case("region,instance_type,2025-03,2023-08\n" => "1: the header is not `region,instance_type,` and months in order" ; "months out of order")]
    #[test_case("region,instance_type,2025-03\nus-east-1,c5.large\n" => "2: `us-east-1,c5.large` is not a region, an instance type and 1 prices")]
    #[test_case("region,instance_type,2025-03\nus-east-1,c5.large,0\n" => "2: price `0` is not above 0: leave it out")]
    #[test_case("region,instance_type,2025-03\nus-east-1,c5.large,x\n" => "2: price `x`: it is not a decimal number such as 0.0860")]
    fn a_malformed_file_names_the_line(text: &str) -> String {
        read("libcloud", text).unwrap_err()
    }

    /// Karpenter has a file for each partition, which may be of the same month.
    #[test]
    fn publications_of_one_month_complete_each_other() {
        let lists = |second: &str| {
            let mut lists = read("karpenter", "region,instance_type,2026-07\nus-east-1,c5.large,0.085\n").unwrap();
            let new = read("karpenter", &format!("region,instance_type,2026-07\n{second}\n")).unwrap().remove(0);
            merge(&mut lists, new).map(|()| write(&lists))
        };
        let both = "region,instance_type,2026-07\nus-east-1,c5.large,0.085\nus-gov-west-1,c5.large,0.102\n";
        assert_eq!(lists("us-gov-west-1,c5.large,0.102").as_deref(), Ok(both));
        let error = "2026-07 already has another price of us-east-1,c5.large: 0.085 instead of 0.09";
        assert_eq!(lists("us-east-1,c5.large,0.09").unwrap_err(), error);
    }

    #[test]
    fn publications_of_other_projects_are_read() {
        let list = libcloud(
            r#"{"compute": {"ec2_linux": {"a1.large": {"us-east-1": 0.051, "us-west-2": 0.0}, "odd": {"us-east-1": 1}}},
            "updated": 1740936978}"#,
        )
        .unwrap();
        assert_eq!((list.month(), rows(&list)), ("2025-03", vec!["us-east-1 a1.large 0.051".to_owned()]));
        let list = price_list(
            r#"{"generated_at": "2026-02-17T16:21:11", "instances":
            {"t3.nano": {"pricing": {"eu-west-1": {"RHEL": 0.1, "Linux": 0.0057}, "eu-west-2": {"RHEL": 0.1}}}}}"#,
        )
        .unwrap();
        assert_eq!((list.month(), rows(&list)), ("2026-02", vec!["eu-west-1 t3.nano 0.0057".to_owned()]));
        let list = karpenter(
            "// generated at 2026-08-24T13:29:56Z for us-east-1\nvar X = map[string]map[T]float64{\n\t\"us-gov-east-1\": {\n\
            \t\t// c5 family\n\t\t\"c5.large\": 0.102000, \"c5.metal\": 4.896000,\n\t},\n}\n",
        )
        .unwrap();
        let expected = vec!["us-gov-east-1 c5.large 0.102".to_owned(), "us-gov-east-1 c5.metal 4.896".to_owned()];
        assert_eq!((list.month(), rows(&list)), ("2026-08", expected));
        assert!(libcloud("{}").unwrap_err().starts_with("not Libcloud's pricing.json: "));
        assert!(price_list("[]").unwrap_err().starts_with("not parsec's ec2_pricing.json: "));
        assert!(karpenter("package pricing").unwrap_err().starts_with("no line `// generated at`"));
    }
}
