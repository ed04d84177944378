//! Formats amounts of resources and shares of them: cores, Gi, percent.

use crate::model::Resource;

const KI: u64 = 1 << 10;
const MI: u64 = 1 << 20;
const GI: u64 = 1 << 30;
const TI: u64 = 1 << 40;

/// The unit of a resource's amounts, chosen for the largest of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scale {
    per: u64,
    unit: &'static str,
    whole: bool,
}

impl Scale {
    /// The scale for amounts up to `largest`.
    const fn new(resource: &Resource, largest: u64) -> Self {
        match resource {
            // From a thousand cores on, no decimals.
            Resource::Cpu => Self { per: 1000, unit: "", whole: largest >= 1_000_000 },
            Resource::Memory | Resource::EphemeralStorage => {
                if largest >= 10 * TI {
                    Self { per: TI, unit: " Ti", whole: false }
                } else if largest >= GI {
                    Self { per: GI, unit: " Gi", whole: false }
                } else if largest >= MI {
                    Self { per: MI, unit: " Mi", whole: false }
                } else if largest >= KI {
                    Self { per: KI, unit: " Ki", whole: false }
                } else {
                    Self { per: 1, unit: " B", whole: false }
                }
            }
            Resource::Pods | Resource::Extended(_) => Self { per: 1, unit: "", whole: false },
        }
    }

    /// An amount without its unit, with one decimal in scaled units; more than zero is never written as 0.0.
    fn number(self, amount: u64) -> String {
        if self.per == 1 {
            return amount.to_string();
        }
        if self.whole {
            return ((amount.saturating_add(self.per / 2)) / self.per).to_string();
        }
        let tenths = (u128::from(amount) * 10 + u128::from(self.per) / 2) / u128::from(self.per);
        if tenths == 0 && amount > 0 {
            return "<0.1".into();
        }
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// An amount with its unit: `7.9`, `14.6 Gi`, `1`.
pub fn amount_text(resource: &Resource, value: u64) -> String {
    if value == 0 {
        return "0".into();
    }
    let scale = Scale::new(resource, value);
    format!("{}{}", scale.number(value), scale.unit)
}

/// `part / whole` in one unit.
pub fn ratio_text(resource: &Resource, part: u64, whole: u64) -> String {
    let scale = Scale::new(resource, part.max(whole));
    format!("{} / {}{}", scale.number(part), scale.number(whole), scale.unit)
}

/// `part / whole` in whole percent: `88%`; more than zero is never `0%`. Rounded once, from the amounts: 7000 / 7910 is
/// 88.495 %, which rounds to 88. `None` if `whole` is zero.
pub fn percent_text(part: u64, whole: u64) -> Option<String> {
    if whole == 0 {
        return None;
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    let percent = (part * 100 + whole / 2) / whole;
    Some(if percent == 0 && part > 0 { "<1%".into() } else { format!("{percent}%") })
}

/// `part / whole` of a resource in percent, as in [`percent_text`]; `4/0`, `1.5/0`, `16Gi/0` for a part of nothing.
/// `None` if both are zero.
pub fn share_text(resource: &Resource, part: u64, whole: u64) -> Option<String> {
    let part_of_nothing =
        || (part > 0).then(|| format!("{}/0", amount_text(resource, part).replace(".0", "").replace(' ', "")));
    percent_text(part, whole).or_else(part_of_nothing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("cpu", 8000, 9840 => "8.0 / 9.8")]
    #[test_case("memory", 154_354_581_504, 388_177_985_536 => "143.8 / 361.5 Gi" ; "thread 341 of eks-node-viewer")]
    #[test_case("memory", 100 << 20, 18 << 30 => "0.1 / 18.0 Gi")]
    #[test_case("memory", 1 << 20, 18 << 30 => "<0.1 / 18.0 Gi")]
    #[test_case("memory", 0, 18 << 30 => "0.0 / 18.0 Gi")]
    #[test_case("memory", 30 << 40, 40 << 40 => "30.0 / 40.0 Ti")]
    #[test_case("nvidia.com/gpu", 3, 8 => "3 / 8")]
    #[test_case("pods", 9, 85 => "9 / 85")]
    fn header_ratio_uses_one_unit(resource: &str, part: u64, whole: u64) -> String {
        ratio_text(&Resource::from_name(resource), part, whole)
    }

    #[test_case(0, 10 => Some("0%".into()))]
    #[test_case(4, 1000 => Some("<1%".into()))]
    #[test_case(5, 1000 => Some("1%".into()))]
    #[test_case(7000, 7910 => Some("88%".into()) ; "rounded once")]
    #[test_case(1000, 1930 => Some("52%".into()))]
    #[test_case(151, 100 => Some("151%".into()) ; "not clamped")]
    #[test_case(1, 0 => None)]
    fn shares_in_a_row(part: u64, whole: u64) -> Option<String> {
        percent_text(part, whole)
    }

    #[test_case("cpu", 500, 4000 => Some("13%".into()))]
    #[test_case("nvidia.com/gpu", 4, 0 => Some("4/0".into()))]
    #[test_case("cpu", 1500, 0 => Some("1.5/0".into()))]
    #[test_case("memory", 16 << 30, 0 => Some("16Gi/0".into()))]
    #[test_case("cpu", 0, 0 => None)]
    fn a_part_of_nothing_is_an_amount(resource: &str, part: u64, whole: u64) -> Option<String> {
        share_text(&Resource::from_name(resource), part, whole)
    }
}
