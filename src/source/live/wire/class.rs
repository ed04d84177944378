//! Node classes: Karpenter's `EC2NodeClass` (aws/karpenter-provider-aws `pkg/apis/v1/ec2nodeclass.go`) and Auto Mode's
//! `NodeClass` (EKS user guide, "Create a Node Class for Amazon EKS").

use super::meta::Meta;
use crate::model::{Name, NodeClass, Provisioner, Volume};
use crate::source::json::{Flag, Int, Text, lenient};
use crate::units::Quantity;
use serde::Deserialize;

/// The part of an `EC2NodeClass` that costs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct Ec2ClassWire {
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) metadata: Meta,
    #[serde(deserialize_with = "lenient")]
    spec: Ec2ClassSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Ec2ClassSpec {
    ami_family: Text,
    #[serde(deserialize_with = "lenient")]
    ami_selector_terms: Vec<AmiSelectorTerm>,
    #[serde(deserialize_with = "lenient")]
    block_device_mappings: Vec<BlockDeviceMapping>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AmiSelectorTerm {
    alias: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BlockDeviceMapping {
    device_name: Text,
    #[serde(deserialize_with = "lenient")]
    ebs: BlockDevice,
    root_volume: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BlockDevice {
    volume_type: Text,
    volume_size: Text,
    iops: Int,
    throughput: Int,
}

/// The devices of a family's machine image: name, GiB that Karpenter gives it, whether it is the root.
type Devices = &'static [(&'static str, u64, bool)];

/// What Karpenter maps where a class maps nothing, by image family (aws/karpenter-provider-aws `pkg/providers/amifamily/`,
/// `DefaultBlockDeviceMappings` of each family and `DefaultEBS`: gp3). Of a custom image nothing is known.
fn devices(family: &str) -> Devices {
    match family.to_ascii_lowercase().as_str() {
        "al2" | "al2023" => &[("/dev/xvda", 20, true)],
        "bottlerocket" => &[("/dev/xvda", 4, true), ("/dev/xvdb", 20, false)],
        "windows2019" | "windows2022" | "windows2025" => &[("/dev/sda1", 50, true)],
        _ => &[],
    }
}

impl Ec2ClassSpec {
    /// `spec.amiFamily`, else the family of the alias (`al2023@latest`).
    fn family(&self) -> &str {
        let alias = || self.ami_selector_terms.iter().map(|term| &*term.alias).find(|alias| !alias.is_empty());
        let family = Some(&*self.ami_family).filter(|family| !family.is_empty()).or_else(alias).unwrap_or("");
        family.split('@').next().unwrap_or(family)
    }

    fn volumes(&self) -> Vec<Volume> {
        let devices = devices(self.family());
        if self.block_device_mappings.is_empty() {
            if devices.is_empty() {
                // EC2 takes the volumes that the image names.
                return vec![Volume { root: true, ..Volume::default() }];
            }
            let volume = |&(_, size, root): &(&str, u64, bool)| Volume {
                volume_type: Name::const_new("gp3"),
                size_gib: Some(size),
                root,
                ..Volume::default()
            };
            return devices.iter().map(volume).collect();
        }
        let mapped = self.block_device_mappings.iter().map(|mapping| Volume {
            volume_type: mapping.ebs.volume_type.0.clone(),
            size_gib: gib(&mapping.ebs.volume_size),
            iops: mapping.ebs.iops.count(),
            throughput: mapping.ebs.throughput.count(),
            root: mapping.root_volume.0
                || devices.iter().any(|(name, _, root)| *root && *name == &*mapping.device_name),
        });
        // A device of the image that no mapping names keeps what the image says.
        let named = |name: &str| self.block_device_mappings.iter().any(|mapping| &*mapping.device_name == name);
        let unmapped = devices.iter().filter(|(name, ..)| !named(name));
        mapped.chain(unmapped.map(|(_, _, root)| Volume { root: *root, ..Volume::default() })).collect()
    }
}

/// A quantity of bytes in GiB, rounded up as the launch template is (aws/karpenter-provider-aws
/// `pkg/providers/launchtemplate/launchtemplate.go`, `volumeSize`). None where nothing is given, or nothing that can be
/// read.
fn gib(text: &str) -> Option<u64> {
    text.parse::<Quantity>().ok().map(|bytes| bytes.units().div_ceil(1 << 30)).filter(|gib| *gib > 0)
}

/// What cannot be read of a size.
fn odd_size(field: &str, text: &str) -> Option<String> {
    let why = Some(text).filter(|text| !text.is_empty())?.parse::<Quantity>().err()?;
    Some(format!("{field}: failed to read quantity {text:?}: {why}"))
}

impl Ec2ClassWire {
    /// Sizes that could not be read.
    pub(in crate::source::live) fn odd(&self) -> Option<String> {
        let mut sizes = self.spec.block_device_mappings.iter().map(|mapping| &*mapping.ebs.volume_size);
        sizes.find_map(|size| odd_size("spec.blockDeviceMappings[].ebs.volumeSize", size))
    }
}

impl From<Ec2ClassWire> for NodeClass {
    fn from(wire: Ec2ClassWire) -> Self {
        let volumes = wire.spec.volumes();
        Self { name: wire.metadata.name.0, uid: wire.metadata.uid.0, provisioner: Provisioner::Karpenter, volumes }
    }
}

/// The part of an Auto Mode `NodeClass` that costs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct AutoClassWire {
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) metadata: Meta,
    #[serde(deserialize_with = "lenient")]
    spec: AutoClassSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AutoClassSpec {
    #[serde(deserialize_with = "lenient")]
    ephemeral_storage: EphemeralStorage,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EphemeralStorage {
    size: Text,
    iops: Int,
    throughput: Int,
}

/// `spec.ephemeralStorage.size` where it is not given (EKS user guide, "Create a Node Class for Amazon EKS").
const AUTO_GIB: u64 = 80;

impl AutoClassWire {
    /// A size that could not be read.
    pub(in crate::source::live) fn odd(&self) -> Option<String> {
        odd_size("spec.ephemeralStorage.size", &self.spec.ephemeral_storage.size)
    }
}

impl From<AutoClassWire> for NodeClass {
    /// Each machine has two volumes, of gp3: one with the operating system, whose size AWS does not publish, and one for
    /// images, logs and ephemeral data (Security Overview of Amazon EKS Auto Mode, "EBS volumes").
    fn from(wire: AutoClassWire) -> Self {
        let storage = wire.spec.ephemeral_storage;
        let gp3 = Name::const_new("gp3");
        let size_gib = if storage.size.is_empty() { Some(AUTO_GIB) } else { gib(&storage.size) };
        let data = Volume {
            volume_type: gp3.clone(),
            size_gib,
            iops: storage.iops.count(),
            throughput: storage.throughput.count(),
            root: false,
        };
        let system = Volume { volume_type: gp3, root: true, ..Volume::default() };
        Self {
            name: wire.metadata.name.0,
            uid: wire.metadata.uid.0,
            provisioner: Provisioner::AutoMode,
            volumes: vec![system, data],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    /// `type size iops throughput`, a star on the root, a dash for what is not told.
    fn written(class: &NodeClass) -> Vec<String> {
        let number = |n: Option<u64>| n.map_or_else(|| "-".into(), |n| n.to_string());
        let volume = |v: &Volume| {
            let kind = if v.volume_type.is_empty() { "-" } else { &v.volume_type };
            let root = if v.root { "*" } else { "" };
            format!("{kind}{root} {} {} {}", number(v.size_gib), number(v.iops), number(v.throughput))
        };
        class.volumes.iter().map(volume).collect()
    }

    fn ec2(spec: &str) -> Vec<String> {
        let wire: Ec2ClassWire = serde_json::from_str(&format!(r#"{{"spec": {spec}}}"#)).unwrap();
        written(&wire.into())
    }

    #[test_case(r#"{"amiFamily": "AL2023"}"# => vec!["gp3* 20 - -"])]
    #[test_case(r#"{"amiFamily": "AL2"}"# => vec!["gp3* 20 - -"] ; "al2")]
    #[test_case(r#"{"amiFamily": "Bottlerocket", "blockDeviceMappings": null}"#
        => vec!["gp3* 4 - -", "gp3 20 - -"] ; "bottlerocket has two")]
    #[test_case(r#"{"amiFamily": "Windows2025"}"# => vec!["gp3* 50 - -"])]
    #[test_case(r#"{"amiFamily": "Custom"}"# => vec!["-* - - -"] ; "the image tells")]
    #[test_case(r#"{"amiFamily": "SomethingNew"}"# => vec!["-* - - -"] ; "a family that is not known")]
    #[test_case("null" => vec!["-* - - -"] ; "nothing is known")]
    #[test_case(r#"{"amiSelectorTerms": [{"alias": "bottlerocket@v1.43.0"}]}"#
        => vec!["gp3* 4 - -", "gp3 20 - -"] ; "the family of an alias")]
    #[test_case(r#"{"amiFamily": "Custom", "amiSelectorTerms": [{"alias": "al2023@latest"}]}"#
        => vec!["-* - - -"] ; "a family that is named comes before that of an alias")]
    #[test_case(r#"{"amiFamily": null, "amiSelectorTerms": [{"id": "ami-1"}, {"alias": "windows2022@latest"}]}"#
        => vec!["gp3* 50 - -"] ; "an alias among other terms")]
    fn defaults_follow_the_image_family(spec: &str) -> Vec<String> {
        ec2(spec)
    }

    #[test_case(r#"[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": "100Gi", "volumeType": "gp3", "iops": 10000,
        "throughput": 250, "encrypted": true, "deleteOnTermination": true}}]"# => vec!["gp3* 100 10000 250"])]
    #[test_case(r#"[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": "100G", "volumeType": "io2", "iops": "4000"}}]"#
        => vec!["io2* 94 4000 -"] ; "decimal sizes are rounded up")]
    #[test_case(r#"[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": "1Ti", "volumeType": "gp3", "iops": null}}]"#
        => vec!["gp3* 1024 - -"] ; "tebibytes")]
    #[test_case(r#"[{"deviceName": "/dev/xvda", "ebs": {"snapshotID": "snap-0123456789", "volumeType": "gp3"}}]"#
        => vec!["gp3* - - -"] ; "the snapshot tells the size")]
    #[test_case(r#"[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": "30Gi"}}]"# => vec!["-* 30 - -"] ; "no type")]
    #[test_case(r#"[{"deviceName": "/dev/xvda", "ebs": null}]"# => vec!["-* - - -"] ; "nothing of it")]
    #[test_case(r#"[{"deviceName": "/dev/xvdb", "ebs": {"volumeSize": "200Gi", "volumeType": "gp3"}}]"#
        => vec!["gp3 200 - -", "-* - - -"] ; "the root that is not mapped is the image's")]
    #[test_case(r#"[{"deviceName": "/dev/xvda", "rootVolume": false, "ebs": {"volumeSize": "20Gi", "volumeType": "gp3"}},
        {"deviceName": "/dev/xvdb", "rootVolume": true, "ebs": {"volumeSize": "500Gi", "volumeType": "gp3"}}]"#
        => vec!["gp3* 20 - -", "gp3* 500 - -"] ; "kubelet's root on a volume of its own")]
    fn mappings_hold_as_they_are(mappings: &str) -> Vec<String> {
        ec2(&format!(r#"{{"amiFamily": "AL2023", "blockDeviceMappings": {mappings}}}"#))
    }

    #[test]
    fn a_mapping_of_one_of_two_devices_leaves_the_other_to_the_image() {
        let data = r#"[{"deviceName": "/dev/xvdb", "ebs": {"volumeSize": "100Gi", "volumeType": "gp3"}}]"#;
        let spec =
            format!(r#"{{"amiSelectorTerms": [{{"alias": "bottlerocket@latest"}}], "blockDeviceMappings": {data}}}"#);
        assert_eq!(ec2(&spec), ["gp3 100 - -", "-* - - -"]);
    }

    #[test_case("{}" => vec!["gp3* - - -", "gp3 80 - -"] ; "nothing given")]
    #[test_case(r#"{"ephemeralStorage": null}"# => vec!["gp3* - - -", "gp3 80 - -"] ; "null")]
    #[test_case(r#"{"ephemeralStorage": {"size": "160Gi"}}"# => vec!["gp3* - - -", "gp3 160 - -"])]
    #[test_case(r#"{"ephemeralStorage": {"size": "64T", "iops": 16000, "throughput": "1000"}}"#
        => vec!["gp3* - - -", "gp3 59605 16000 1000"] ; "performance")]
    #[test_case(r#"{"ephemeralStorage": {"size": "much"}}"# => vec!["gp3* - - -", "gp3 - - -"] ; "not a size")]
    fn auto_mode_has_a_volume_for_the_system_and_one_for_data(spec: &str) -> Vec<String> {
        let wire: AutoClassWire = serde_json::from_str(&format!(r#"{{"spec": {spec}}}"#)).unwrap();
        written(&wire.into())
    }

    #[test]
    fn a_size_that_cannot_be_read_is_told() {
        let wire: AutoClassWire = serde_json::from_str(r#"{"spec": {"ephemeralStorage": {"size": "much"}}}"#).unwrap();
        let want = "spec.ephemeralStorage.size: failed to read quantity \"much\": it does not start with a number";
        assert_eq!(wire.odd().unwrap(), want);
        let mapping = r#"{"spec": {"blockDeviceMappings": [{"ebs": {"volumeSize": "20GiB"}}]}}"#;
        let wire: Ec2ClassWire = serde_json::from_str(mapping).unwrap();
        assert!(wire.odd().unwrap().contains("\"20GiB\""));
        assert_eq!(serde_json::from_str::<Ec2ClassWire>("{}").unwrap().odd(), None);
    }
}
