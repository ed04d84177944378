//! The file behind AWS's spot instance advisor: what spot saves on average, and how often it is taken back, by region and
//! type, without credentials. AWS does not document it, and renews it every few months.

use super::slim::{Show, Slim, Text, of, show, skip};
use super::{ReadError, name};
use crate::model::Name;
use crate::pricing::{Os, SpotSaving};
use serde::de::MapAccess;

const DOCUMENT: &str = "the spot advisor's file";

/// What spot saves in each region.
///
/// A saving of nothing, or less, is left out: the file gives 0 where it knows nothing, and such a type's spot price would
/// read as its on-demand price.
///
/// # Errors
///
/// If the bytes are no whole JSON, or of another shape.
pub fn read(body: &[u8]) -> Result<Vec<(Name, Vec<SpotSaving>)>, ReadError> {
    let mut file = File::default();
    show(body, &mut file).map_err(|why| ReadError::garbled(DOCUMENT, "JSON", &why))?;
    if !file.regions.found {
        return Err(ReadError::Shape { document: DOCUMENT, expected: "an object `spot_advisor` of regions" });
    }
    Ok(file.regions.regions)
}

#[derive(Default)]
struct File {
    regions: Regions,
}

impl<'de> Slim<'de> for File {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "spot_advisor" => map.next_value_seed(Show(&mut self.regions)),
            _ => skip(map),
        }
    }
}

#[derive(Default)]
struct Regions {
    regions: Vec<(Name, Vec<SpotSaving>)>,
    found: bool,
}

impl<'de> Slim<'de> for Regions {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.found = true;
        let systems: Systems = of(map)?;
        self.regions.extend(name(key).map(|region| (region, systems.0)));
        Ok(())
    }
}

#[derive(Default)]
struct Systems(Vec<SpotSaving>);

impl<'de> Slim<'de> for Systems {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let os = match key {
            "Linux" => Os::Linux,
            "Windows" => Os::Windows,
            _ => return skip(map),
        };
        map.next_value_seed(Show(&mut Types { os, savings: &mut self.0 }))
    }
}

struct Types<'a> {
    os: Os,
    savings: &'a mut Vec<SpotSaving>,
}

impl<'de> Slim<'de> for Types<'_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let Figures { percent: Some(percent), band: Some(interruption_band) } = of(map)? else { return Ok(()) };
        let saving = |instance_type| SpotSaving { instance_type, os: self.os, percent, interruption_band };
        self.savings.extend(name(key).map(saving));
        Ok(())
    }
}

#[derive(Default)]
struct Figures {
    percent: Option<u8>,
    band: Option<u8>,
}

impl<'de> Slim<'de> for Figures {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let (slot, range) = match key {
            "s" => (&mut self.percent, 1..=99),
            "r" => (&mut self.band, 0..=4),
            _ => return skip(map),
        };
        *slot = map.next_value::<Text>()?.get().and_then(|n| n.parse().ok()).filter(|n| range.contains(n));
        Ok(())
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
    #[test_case("[70, 1]" => false)]
    fn a_saving_is_between_1_and_99_per_cent(figures: &str) -> bool {
        texts(format!(r#"{{"spot_advisor": {{"r": {{"Linux": {{"t": {figures}}}, "x": 1}}}}}}"#).as_bytes())[0] != "r: "
    }

    #[test]
    fn another_document_is_refused() {
        let expected =
            "read the spot advisor's file: it is of another shape (expected an object `spot_advisor` of regions)";
        assert_eq!(read(b"{}").unwrap_err().to_string(), expected);
        assert_eq!(read(br#"{"spot_advisor": {}}"#).unwrap_err().to_string(), expected);
    }
}
