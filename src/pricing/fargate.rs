//! Fargate: a node of the size of its one pod, billed by vCPU and memory.
//!
//! The pod's annotation `CapacityProvisioned: 0.25vCPU 0.5GB` has the size, once Fargate has placed it. Until then it follows
//! from the pod's requests, by the rounding of Fargate (EKS user guide, "Fargate Pod configuration"): 256 MiB more for the
//! Kubernetes components, then up to the next size. Fargate's GB are 2^30 bytes. Ephemeral storage above the free 20 GiB is not
//! in the price.

/// What the pods of a Fargate node show of its size. `DaemonSet` and static pods do not run there and are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FargatePods {
    /// Pods with an annotation of their size.
    pub given: u64,
    /// Their size: thousandths of a vCPU.
    pub given_cpu_millicores: u64,
    /// Their size: bytes of memory.
    pub given_memory_bytes: u64,
    /// Pods with an invalid annotation.
    pub unread: u64,
    /// All pods, with or without an annotation.
    pub pods: u64,
    /// Their requests.
    pub requested_cpu_millicores: u64,
    /// Their requests.
    pub requested_memory_bytes: u64,
}

/// The size of a Fargate node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FargateSize {
    /// Thousandths of a vCPU.
    pub vcpu_milli: u64,
    /// MiB of memory.
    pub memory_mib: u64,
    /// Whether it is the annotation's.
    pub annotated: bool,
}

/// Sizes far above those that Fargate offers are invalid.
const MOST_VCPU_MILLI: u64 = 1_024_000;
const MOST_MEMORY_MIB: u64 = 16 << 20;
const MIB: u64 = 1 << 20;

impl FargatePods {
    /// The size that is billed. `None` without a pod, with several that have no annotation, and with an invalid annotation.
    pub(super) fn size(&self) -> Option<FargateSize> {
        let (vcpu_milli, memory_mib, annotated) = match (self.unread, self.given, self.pods) {
            (0, 1.., _) => (self.given_cpu_millicores, self.given_memory_bytes.div_ceil(MIB), true),
            (0, 0, 1) => {
                let (vcpu_milli, memory_mib) = rounded(self.requested_cpu_millicores, self.requested_memory_bytes)?;
                (vcpu_milli, memory_mib, false)
            }
            (..) => return None,
        };
        let is_valid = (1..=MOST_VCPU_MILLI).contains(&vcpu_milli) && (1..=MOST_MEMORY_MIB).contains(&memory_mib);
        is_valid.then_some(FargateSize { vcpu_milli, memory_mib, annotated })
    }
}

/// The sizes: thousandths of a vCPU, then minimum, maximum and step of its memory in MiB.
const LADDER: [(u64, u64, u64, u64); 7] = [
    (250, 512, 2_048, 512),
    (500, 1_024, 4_096, 1_024),
    (1_000, 2_048, 8_192, 1_024),
    (2_000, 4_096, 16_384, 1_024),
    (4_000, 8_192, 30_720, 1_024),
    (8_000, 16_384, 61_440, 4_096),
    (16_000, 32_768, 122_880, 8_192),
];

/// The memory of the Kubernetes components, which is added to that of the pod.
const COMPONENTS_MIB: u64 = 256;

/// The size for a pod with these requests: thousandths of a vCPU and MiB. `None` if no size is large enough.
fn rounded(cpu_millicores: u64, memory_bytes: u64) -> Option<(u64, u64)> {
    let needed = memory_bytes.div_ceil(MIB).saturating_add(COMPONENTS_MIB);
    let (vcpu, least, _, step) =
        LADDER.into_iter().find(|(vcpu, _, most, _)| cpu_millicores <= *vcpu && needed <= *most)?;
    let above = needed.saturating_sub(least).div_ceil(step) * step;
    // The smallest size has an extra step: 0.5, 1, 2 GB.
    let memory = least + above;
    Some((vcpu, if memory == 1_536 { 2_048 } else { memory }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{
        AsOf, Basis, ComputeType, EksPrices, Mark, Offer, PriceBook, PriceSheet, PriceSource, Prices, Quote, Unknown,
    };
    use crate::units::{Currency, Money};
    use proptest::prelude::*;
    use test_case::test_case;

    const GIB: u64 = 1 << 30;

    // The vectors of the rounding: vCPU in thousandths, memory in thousandths of a GiB.
    #[test_case(1_000, 8_000 => Some((2_000, 9_216)) ; "1 vcpu and 8 gb need the next vcpu")]
    #[test_case(0, 0 => Some((250, 512)) ; "nothing requested")]
    #[test_case(250, 1_750 => Some((250, 2_048)) ; "just fits with the components")]
    #[test_case(250, 2_000 => Some((500, 3_072)) ; "does not fit with them")]
    #[test_case(4_100, 4_000 => Some((8_000, 16_384)) ; "the least memory of eight vcpu")]
    #[test_case(100, 250 => Some((250, 512)) ; "half a gb")]
    #[test_case(100, 257 => Some((250, 1_024)) ; "one gb")]
    #[test_case(100, 751 => Some((250, 2_048)) ; "there is no gb and a half")]
    #[test_case(4_000, 29_750 => Some((4_000, 30_720)) ; "the most memory of four vcpu")]
    #[test_case(8_000, 17_000 => Some((8_000, 20_480)) ; "steps of four")]
    #[test_case(9_000, 33_000 => Some((16_000, 40_960)) ; "steps of eight")]
    #[test_case(16_000, 119_750 => Some((16_000, 122_880)) ; "the largest")]
    #[test_case(16_000, 120_000 => None ; "too much memory")]
    #[test_case(16_001, 0 => None ; "too many vcpu")]
    #[test_case(u64::MAX, 0 => None ; "absurd cpu")]
    fn requests_are_rounded_as_fargate_does(cpu_millicores: u64, milligib: u64) -> Option<(u64, u64)> {
        rounded(cpu_millicores, milligib * GIB / 1_000)
    }

    #[test]
    fn absurd_memory_has_no_size() {
        assert_eq!(rounded(0, u64::MAX), None);
        let huge = FargatePods {
            given: 1,
            pods: 1,
            given_cpu_millicores: 1 << 48,
            given_memory_bytes: 1 << 48,
            ..FargatePods::default()
        };
        assert_eq!(huge.size(), None);
    }

    const SEOUL: Option<&str> = Some("ap-northeast-2");

    fn given(cpu_millicores: u64, memory_mib: u64) -> FargatePods {
        FargatePods {
            given: 1,
            given_cpu_millicores: cpu_millicores,
            given_memory_bytes: memory_mib * MIB,
            pods: 1,
            ..FargatePods::default()
        }
    }

    fn requesting(cpu_millicores: u64, memory_mib: u64) -> FargatePods {
        FargatePods {
            pods: 1,
            requested_cpu_millicores: cpu_millicores,
            requested_memory_bytes: memory_mib * MIB,
            ..FargatePods::default()
        }
    }

    /// The quote of a Fargate node.
    fn quote(book: &PriceBook, region: Option<&str>, pods: &FargatePods) -> Quote {
        let region = region.map(Into::into);
        book.quote(&Offer { region, compute_type: ComputeType::Fargate, ..Offer::default() }, pods)
    }

    fn label(region: Option<&str>, pods: &FargatePods) -> (String, Option<Unknown>) {
        let quote = quote(&PriceBook::embedded(), region, pods);
        (quote.label(6), quote.unknown())
    }

    #[test]
    fn a_price_is_vcpu_and_memory() {
        // 0.25 × 0.04656 + 0.5 × 0.00511.
        assert_eq!(label(SEOUL, &given(250, 512)), ("0.014195".into(), None));
        assert_eq!(label(SEOUL, &requesting(0, 0)), ("~0.014195".into(), None), "a size by requests");
        assert_eq!(label(Some("eu-west-1"), &given(250, 512)), ("0.012343".into(), None), "a published price");
        assert_eq!(label(Some("eu-central-1"), &given(250, 512)), ("0.014195".into(), None), "a published price");
        assert_eq!(label(Some("eu-west-2"), &given(250, 512)), ("~0.014195".into(), None), "an unverified price");
        assert_eq!(label(Some("me-central-1"), &given(250, 512)), ("—".into(), Some(Unknown::Fargate)));
        assert_eq!(label(None, &given(250, 512)), ("—".into(), Some(Unknown::NoRegion)));
    }

    #[test_case("ap-northeast-2" => (PriceSource::Embedded, AsOf::Month("2026-09")))]
    #[test_case("eu-central-1" => (PriceSource::Embedded, AsOf::Month("2026-07")))]
    #[test_case("eu-west-2" => (PriceSource::EmbeddedEstimate, AsOf::Always) ; "without a date")]
    fn an_embedded_price_has_its_own_month(region: &str) -> (PriceSource, AsOf) {
        let origin = quote(&PriceBook::embedded(), Some(region), &given(250, 512)).instance.origin;
        (origin.source, origin.as_of)
    }

    #[test_case(&FargatePods::default() ; "no pod")]
    #[test_case(&FargatePods { pods: 2, ..FargatePods::default() } ; "two pods without an annotation")]
    #[test_case(&FargatePods { unread: 1, pods: 1, ..FargatePods::default() } ; "an annotation of another form")]
    #[test_case(&FargatePods { unread: 1, pods: 2, ..given(250, 512) } ; "one of two annotations is invalid")]
    #[test_case(&given(0, 512) ; "no vcpu")]
    #[test_case(&given(250, 0) ; "no memory")]
    #[test_case(&requesting(17_000, 0) ; "above the largest size")]
    fn a_size_without_annotation_or_requests_is_unknown(pods: &FargatePods) {
        assert_eq!(label(SEOUL, pods), ("—".into(), Some(Unknown::FargateSize)));
    }

    #[test]
    fn a_fetched_price_comes_before_the_embedded_one() {
        let mut book = PriceBook::embedded();
        let money = |text: &str| text.parse::<Money>().unwrap();
        let mut learn = |second, eks| {
            book.learn(&PriceSheet {
                source: PriceSource::EksList,
                region: "eu-west-1".into(),
                currency: Currency::Usd,
                fetched: crate::model::Timestamp::from_second(second).unwrap(),
                cached: false,
                prices: Prices::Eks(eks),
            })
        };
        assert!(learn(20, EksPrices { fargate_vcpu: Some(money("0.05")), ..EksPrices::default() }));
        assert!(learn(10, EksPrices { fargate_gb: Some(money("0.006")), ..EksPrices::default() }));
        let quote = quote(&book, Some("eu-west-1"), &given(1_000, 3_072));
        assert_eq!((quote.label(4).as_str(), quote.mark), ("0.0680", Mark::Exact));
        let origin = quote.instance.origin;
        assert_eq!((origin.source, origin.as_of.to_string().as_str()), (PriceSource::EksList, "1970-01-01T00:00:10Z"));
        assert_eq!(
            quote.basis,
            Some(Basis::Fargate {
                vcpu_milli: 1_000,
                memory_mib: 3_072,
                vcpu_price: money("0.05"),
                gb_price: money("0.006"),
                annotated: true
            })
        );
    }

    proptest! {
        /// A size is at least the requests, larger requests never have a smaller size, and every size is on AWS's list.
        #[test]
        fn a_size_holds_the_requests_and_grows_with_them(
            cpu in 0_u64..20_000, more_cpu in 0_u64..4_000, memory in 0_u64..130_000, more_memory in 0_u64..20_000,
        ) {
            let size = rounded(cpu, memory * MIB);
            let larger = rounded(cpu + more_cpu, (memory + more_memory) * MIB);
            if let Some((vcpu, mib)) = size {
                prop_assert!(vcpu >= cpu && mib >= memory + COMPONENTS_MIB);
                let (_, least, most, step) = LADDER.into_iter().find(|(v, ..)| *v == vcpu).unwrap();
                prop_assert!((least..=most).contains(&mib));
                prop_assert!((mib - least) % step == 0);
                let book = PriceBook::embedded();
                let price = |cpu, mib| quote(&book, SEOUL, &given(cpu, mib)).hourly().unwrap();
                if let Some((larger_vcpu, larger_mib)) = larger {
                    prop_assert!(larger_vcpu >= vcpu);
                    prop_assert!(larger_vcpu > vcpu || larger_mib >= mib);
                    prop_assert!(price(larger_vcpu, larger_mib) > Money::ZERO);
                }
            } else {
                prop_assert!(larger.is_none());
            }
        }
    }
}
