//! The file behind AWS's spot instance advisor: average spot savings and interruption rates by region and instance type,
//! without credentials. AWS does not document it, and updates it every few months.

use super::{AskError, ValidEntries, from_json, garbled, name};
use crate::model::Name;
use crate::pricing::{Os, SpotSaving};
use crate::source::json::Text;
use serde::Deserialize;

const DOCUMENT: &str = "the spot advisor's file";

/// The spot savings of each region.
///
/// A saving of zero or less is left out: the file has 0 where nothing is known, and the spot price of such a type would
/// equal its on-demand price.
///
/// # Errors
///
/// If the bytes are not a complete file of the spot advisor.
pub fn read(body: &[u8]) -> Result<Vec<(Name, Vec<SpotSaving>)>, AskError> {
    let file: File = from_json(DOCUMENT, body)?;
    if file.spot_advisor.0.is_empty() {
        return Err(garbled(DOCUMENT, "it has no regions"));
    }
    let region = |(region, systems): (Name, ValidEntries<ValidEntries<Figures>>)| {
        let mut savings = Vec::new();
        for (system, types) in systems.0 {
            let os = match system.as_str() {
                "Linux" => Os::Linux,
                "Windows" => Os::Windows,
                _ => continue,
            };
            savings.extend(types.0.iter().filter_map(|(instance_type, figures)| figures.saving(instance_type, os)));
        }
        Some((name(&region)?, savings))
    };
    Ok(file.spot_advisor.0.into_iter().filter_map(region).collect())
}

#[derive(Deserialize)]
struct File {
    spot_advisor: ValidEntries<ValidEntries<ValidEntries<Figures>>>,
}

#[derive(Deserialize)]
struct Figures {
    /// The saving in percent.
    s: Text,
    /// The band of the interruption rate.
    r: Text,
}

impl Figures {
    fn saving(&self, instance_type: &str, os: Os) -> Option<SpotSaving> {
        let percent = self.s.parse().ok().filter(|percent| (1..=99).contains(percent))?;
        let interruption_band = self.r.parse().ok().filter(|band| *band <= 4)?;
        Some(SpotSaving { instance_type: name(instance_type)?, os, percent, interruption_band })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::tests::SPOT_ADVISOR;
    use test_case::test_case;

    fn texts(body: &[u8]) -> Vec<String> {
        let text = |(region, savings): (Name, Vec<SpotSaving>)| {
            let saving =
                |s: &SpotSaving| format!("{} {:?} {}% {}", s.instance_type, s.os, s.percent, s.interruption_band);
            format!("{region}: {}", savings.iter().map(saving).collect::<Vec<_>>().join(", "))
        };
        read(body).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn the_advisor_gives_savings_and_bands() {
        let expected = [
            "ap-northeast-2: c5a.large Linux 61% 1, g6.xlarge Linux 68% 4, c5a.large Windows 27% 0",
            "us-east-1: m5.large Linux 62% 2",
        ];
        assert_eq!(texts(SPOT_ADVISOR), expected);
    }

    #[test_case(r#"{"s": 70, "r": 1}"# => true)]
    #[test_case(r#"{"s": 0, "r": 1}"# => false ; "nothing is known")]
    #[test_case(r#"{"s": -62, "r": 1}"# => false ; "dearer than on-demand")]
    #[test_case(r#"{"s": 100, "r": 1}"# => false ; "for nothing")]
    #[test_case(r#"{"s": 70, "r": 5}"# => false ; "no band")]
    #[test_case(r#"{"s": 7.5, "r": 1}"# => false ; "a fraction")]
    #[test_case(r#"{"s": 70}"# => false ; "half")]
    #[test_case("70" => false)]
    fn a_saving_is_between_1_and_99_per_cent(figures: &str) -> bool {
        texts(format!(r#"{{"spot_advisor": {{"r": {{"Linux": {{"t": {figures}}}, "x": 1}}}}}}"#).as_bytes())[0] != "r: "
    }

    #[test]
    fn another_document_is_an_error() {
        let error = |body: &[u8]| read(body).unwrap_err().to_string();
        assert!(
            error(b"{}")
                .starts_with("read the spot advisor's file: its form is unexpected (missing field `spot_advisor`")
        );
        assert_eq!(error(br#"{"spot_advisor": {}}"#), "read the spot advisor's file: it has no regions");
    }
}
