//! The publications that the table is made from, and the files under `assets/prices/inputs` that hold them.
//!
//! One file for each kind of publication, one column for each of its months: `region,instance_type,2023-08,2025-03`, empty
//! where that month has no price. All are US dollars an hour for Linux. What a column means is in `assets/prices/README.md`.

use crate::table_files::{is_month, is_plain, is_type};
use nodeglass::model::Timestamp;
use nodeglass::units::Money;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A price region and an instance type.
pub type Pair = (String, String);

/// Dollars an hour by region and type.
pub type Prices = BTreeMap<Pair, Money>;

/// What one publication says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The month it was published in, `2026-07`.
    pub month: String,
    /// Its prices.
    pub prices: Prices,
}

/// Everything the table is made from, the oldest publication of each kind first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The tables generated into Karpenter's AWS provider: us-east-1 and GovCloud.
    pub karpenter: Vec<List>,
    /// AWS's price list: every type of the regions it names.
    pub price_list: Vec<List>,
    /// The releases of Apache Libcloud: many regions, tenancies mixed.
    pub libcloud: Vec<List>,
}

/// The columns before the months.
const KEYS: [&str; 2] = ["region", "instance_type"];

/// Reads one file.
///
/// # Errors
/// A line that is not of the form above, by its number.
pub fn read(text: &str) -> Result<Vec<List>, String> {
    let mut lines = text.lines().zip(1..);
    let header: Vec<&str> = lines.next().map_or(Vec::new(), |(line, _)| line.split(',').collect());
    let months = match header.split_first_chunk() {
        Some((keys, months)) if *keys == KEYS && months.iter().all(|month| is_month(month)) && months.is_sorted() => {
            months
        }
        _ => return Err(format!("1: the header is not `{},` and months in order", KEYS.join(","))),
    };
    let mut lists: Vec<List> =
        months.iter().map(|month| List { month: (*month).to_owned(), prices: Prices::new() }).collect();
    for (line, number) in lines {
        let bad = |why: String| format!("{number}: {why}");
        let fields: Vec<&str> = line.split(',').collect();
        let Some(([region, instance_type], amounts)) = fields.split_first_chunk() else {
            return Err(bad(format!("`{line}` is not a row")));
        };
        if !is_plain(region) || !is_type(instance_type) || amounts.len() != lists.len() {
            return Err(bad(format!("`{line}` is not a region, an instance type and {} prices", lists.len())));
        }
        for (list, amount) in lists.iter_mut().zip(amounts).filter(|(_, amount)| !amount.is_empty()) {
            let money: Money = amount.parse().map_err(|why| bad(format!("price `{amount}`: {why}")))?;
            if money <= Money::ZERO {
                return Err(bad(format!("price `{amount}` is not above 0: leave it out")));
            }
            list.prices.insert(((*region).to_owned(), (*instance_type).to_owned()), money);
        }
    }
    Ok(lists)
}

/// Writes one file. A later list of the same month replaces the earlier.
pub fn write(lists: &[List]) -> String {
    let by_month: BTreeMap<&str, &Prices> = lists.iter().map(|list| (list.month.as_str(), &list.prices)).collect();
    let mut text = KEYS.join(",");
    for month in by_month.keys() {
        text.extend([",", month]);
    }
    text.push('\n');
    let pairs: BTreeSet<&Pair> = by_month.values().flat_map(|prices| prices.keys()).collect();
    for pair in pairs {
        text.extend([&pair.0, ",", &pair.1]);
        for prices in by_month.values() {
            text.push(',');
            text.extend(prices.get(pair).map(|amount| decimal(*amount)));
        }
        text.push('\n');
    }
    text
}

/// The shortest text of an amount, of millionths at most.
pub fn decimal(amount: Money) -> String {
    amount.decimal(6).trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A price of a JSON file, which has it as a floating-point number. None of what is not sold: 0, or no number.
fn amount(number: &serde_json::Number) -> Option<Money> {
    let money: Money = format!("{:.6}", number.as_f64()?).parse().ok()?;
    (money > Money::ZERO).then_some(money)
}

/// Adds a price, unless its region or type is none of EC2's.
fn keep(prices: &mut Prices, region: &str, instance_type: &str, amount: Money) {
    if is_plain(region) && is_type(instance_type) {
        prices.insert((region.to_owned(), instance_type.to_owned()), amount);
    }
}

/// Reads `libcloud/data/pricing.json` of an Apache Libcloud release.
///
/// # Errors
/// It is not such a file.
pub fn libcloud(text: &str) -> Result<List, String> {
    #[derive(Deserialize)]
    struct File {
        compute: Compute,
        updated: serde_json::Number,
    }
    #[derive(Deserialize)]
    struct Compute {
        ec2_linux: BTreeMap<String, BTreeMap<String, serde_json::Number>>,
    }
    let file: File = serde_json::from_str(text).map_err(|why| format!("not Libcloud's pricing.json: {why}"))?;
    let at = file.updated.as_i64().and_then(|second| Timestamp::from_second(second).ok());
    let month = at.ok_or("`updated` is not a time in seconds")?.strftime("%Y-%m").to_string();
    let mut prices = Prices::new();
    for (instance_type, regions) in &file.compute.ec2_linux {
        for (region, number) in regions {
            if let Some(amount) = amount(number) {
                keep(&mut prices, region, instance_type, amount);
            }
        }
    }
    Ok(List { month, prices })
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
        pricing: BTreeMap<String, BTreeMap<String, serde_json::Number>>,
    }
    let file: File = serde_json::from_str(text).map_err(|why| format!("not parsec's ec2_pricing.json: {why}"))?;
    let month = file.generated_at.get(..7).filter(|month| is_month(month));
    let month = month.ok_or("`generated_at` is not a date")?.to_owned();
    let mut prices = Prices::new();
    for (instance_type, instance) in &file.instances {
        for (region, systems) in &instance.pricing {
            if let Some(amount) = systems.get("Linux").and_then(amount) {
                keep(&mut prices, region, instance_type, amount);
            }
        }
    }
    Ok(List { month, prices })
}

/// Reads a `zz_generated.pricing_aws*.go` of Karpenter's AWS provider.
///
/// # Errors
/// It is not such a file.
pub fn karpenter(text: &str) -> Result<List, String> {
    let date = text.lines().find_map(|line| line.strip_prefix("// generated at "));
    let month = date.and_then(|date| date.get(..7)).filter(|month| is_month(month));
    let month = month.ok_or("no line `// generated at` with a date: not one of Karpenter's price tables")?.to_owned();
    let (mut prices, mut region) = (Prices::new(), "");
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix("\": {").and_then(|line| line.strip_prefix('"')) {
            region = name;
        }
        for entry in line.split_terminator(',') {
            let Some((name, number)) = entry.trim().split_once(": ") else { continue };
            if let (Some(name), Ok(amount)) = (name.strip_prefix('"').and_then(|n| n.strip_suffix('"')), number.parse())
            {
                keep(&mut prices, region, name, amount);
            }
        }
    }
    if prices.is_empty() {
        return Err("there is no price in it".to_owned());
    }
    Ok(List { month, prices })
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
        let lists = read(text).unwrap();
        assert_eq!(
            lists.iter().map(|list| (list.month.as_str(), list.prices.len())).collect::<Vec<_>>(),
            [("2023-08", 1), ("2025-03", 2)]
        );
        assert_eq!(write(&lists), text);
    }

    #[test_case("region,type\n" => "1: the header is not `region,instance_type,` and months in order")]
    #[test_case("region,instance_type,2025-03,2023-08\n" => "1: the header is not `region,instance_type,` and months in order" ; "months out of order")]
    #[test_case("region,instance_type,2025-03\nus-east-1,c5.large\n" => "2: `us-east-1,c5.large` is not a region, an instance type and 1 prices")]
    #[test_case("region,instance_type,2025-03\nus-east-1,c5.large,0\n" => "2: price `0` is not above 0: leave it out")]
    #[test_case("region,instance_type,2025-03\nus-east-1,c5.large,x\n" => "2: price `x`: it is not a decimal number such as 0.0860")]
    fn a_malformed_file_names_the_line(text: &str) -> String {
        read(text).unwrap_err()
    }

    #[test]
    fn the_files_of_others_are_read() {
        let list = libcloud(
            r#"{"compute": {"ec2_linux": {"a1.large": {"us-east-1": 0.051, "us-west-2": 0.0}, "odd": {"us-east-1": 1}}},
            "updated": 1740936978}"#,
        )
        .unwrap();
        assert_eq!((list.month.as_str(), rows(&list)), ("2025-03", vec!["us-east-1 a1.large 0.051".to_owned()]));
        let list = price_list(
            r#"{"generated_at": "2026-02-17T16:21:11", "instances":
            {"t3.nano": {"pricing": {"eu-west-1": {"RHEL": 0.1, "Linux": 0.0057}, "eu-west-2": {"RHEL": 0.1}}}}}"#,
        )
        .unwrap();
        assert_eq!((list.month.as_str(), rows(&list)), ("2026-02", vec!["eu-west-1 t3.nano 0.0057".to_owned()]));
        let list = karpenter(
            "// generated at 2026-08-24T13:29:56Z for us-east-1\nvar X = map[string]map[T]float64{\n\t\"us-gov-east-1\": {\n\
            \t\t// c5 family\n\t\t\"c5.large\": 0.102000, \"c5.metal\": 4.896000,\n\t},\n}\n",
        )
        .unwrap();
        let expected = vec!["us-gov-east-1 c5.large 0.102".to_owned(), "us-gov-east-1 c5.metal 4.896".to_owned()];
        assert_eq!((list.month.as_str(), rows(&list)), ("2026-08", expected));
        assert!(libcloud("{}").unwrap_err().starts_with("not Libcloud's pricing.json: "));
        assert!(price_list("[]").unwrap_err().starts_with("not parsec's ec2_pricing.json: "));
        assert!(karpenter("package pricing").unwrap_err().starts_with("no line `// generated at`"));
    }
}
