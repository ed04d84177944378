//! The packed price table: what the build script embeds and what the program unpacks on first use.
//!
//! This file is compiled twice, into the build script and into the library, so that both mean the same format. It
//! therefore uses the standard library and the (de)compressor alone.
//!
//! A zlib stream of these columns, every number a LEB128 varint:
//!
//! ```text
//! types     count, then per type: bytes shared with the type before, bytes of its own, those bytes
//! sizes     per type: vCPU (0 = not known), then per type: MiB of memory (0 = not known)
//! regions   count, then per region: length, name
//! offered   per region: one bit per type, low bit first, padded to whole bytes
//! sources   count, then per source: length, name, length, month, 1 if it is an estimate, else 0
//! source    per price, region by region in type order: index into the sources, one byte
//! prices    per price, likewise: micro-dollars minus predict(), zigzag
//! ```
//!
//! Types are in [`size_order`]: within a family a price is almost always proportional to the size, so nearly every
//! difference is 0 and the 1.1 MB of text becomes some 20 KB. Only the order and the prediction hold that knowledge;
//! prices that follow no rule cost a few bytes and come back just as exactly.

/// Where a row of `assets/prices/ondemand.csv` comes from; one line of `assets/prices/sources.csv`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The text in the row's `source` column.
    pub name: String,
    /// Month (`2026-07`) the figure was published in; of estimates, of the figures they are made from.
    pub published: String,
    /// Whether the figure is an estimate, to be shown with `~`.
    pub estimated: bool,
}

/// What one instance type is made of; 0 where the table does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Virtual processors.
    pub vcpu: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
}

/// Many short names in one allocation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    /// Adds a name behind the others.
    pub fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(self.text.len() as u32);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The name at a position; empty past the end.
    pub fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let end = self.ends.get(at).map_or(start, |end| *end as usize);
        self.text.get(start..end).unwrap_or("")
    }
}

/// The table, some 180 KB of it: per region a run of (type, micro-dollars, source), types ascending.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Instance types in [`size_order`].
    pub types: Names,
    /// One per type.
    pub sizes: Vec<Size>,
    /// Price regions by name; a Local Zone group (`us-west-2-lax-1`) is one of its own.
    pub regions: Names,
    /// Where each region's run ends.
    pub ends: Vec<u32>,
    /// Per price: the position in [`Self::types`].
    pub type_of: Vec<u16>,
    /// Per price: millionths of a dollar an hour.
    pub micros: Vec<u32>,
    /// Per price: the position in [`Self::sources`].
    pub source_of: Vec<u8>,
    /// What a price's source may be.
    pub sources: Vec<Source>,
}

/// Sort key of an instance type: family, weight of its size, the size itself.
///
/// The weight is the size in 32nds of an `xlarge`; sizes without a number (`metal`) come last in their family.
pub fn size_order(instance_type: &str) -> (&str, u32, &str) {
    let (family, size) = instance_type.split_once('.').unwrap_or((instance_type, ""));
    let multiple = |n: &str| n.parse::<u16>().ok().map(|n| u32::from(n) * 32);
    let weight = match size {
        "nano" => Some(1),
        "micro" => Some(2),
        "small" => Some(4),
        "medium" => Some(8),
        "large" => Some(16),
        "xlarge" => Some(32),
        // `24xlarge`, `metal-24xl`.
        _ => size
            .strip_suffix("xlarge")
            .or_else(|| size.strip_prefix("metal-").and_then(|s| s.strip_suffix("xl")))
            .and_then(multiple),
    };
    (family, weight.unwrap_or(u32::MAX), size)
}

/// The price to expect after the row before it in the same region: the first of a family is a surprise, the others
/// scale with their size, bare metal without a number costs what the largest size does.
pub fn predict(before: Option<(&str, u32)>, instance_type: &str) -> u32 {
    let Some((type_before, micros_before)) = before else { return 0 };
    let (family_before, weight_before, _) = size_order(type_before);
    let (family, weight, _) = size_order(instance_type);
    if family_before != family {
        return 0;
    }
    if weight == u32::MAX || weight_before == u32::MAX {
        return micros_before;
    }
    let scaled = u64::from(micros_before) * u64::from(weight) / u64::from(weight_before.max(1));
    u32::try_from(scaled).unwrap_or(micros_before)
}

impl Table {
    /// Reads what the build script wrote. None means the bytes are not of this format.
    pub fn unpack(packed: &[u8]) -> Option<Self> {
        let plain = miniz_oxide::inflate::decompress_to_vec_zlib(packed).ok()?;
        let mut rest = Reader(&plain);
        let mut table = Self::default();

        let types = rest.number()? as usize;
        let mut name = Vec::new();
        for _ in 0..types {
            name.truncate(rest.number()? as usize);
            let own = rest.number()? as usize;
            name.extend_from_slice(rest.bytes(own)?);
            table.types.push(std::str::from_utf8(&name).ok()?);
        }
        for _ in 0..types {
            table.sizes.push(Size { vcpu: rest.number()?, memory_mib: 0 });
        }
        for size in &mut table.sizes {
            size.memory_mib = rest.number()?;
        }

        let regions = rest.number()? as usize;
        for _ in 0..regions {
            table.regions.push(rest.text()?);
        }
        for _ in 0..regions {
            let offered = rest.bytes(types.div_ceil(8))?;
            for at in 0..types {
                if offered.get(at / 8)? >> (at % 8) & 1 == 1 {
                    table.type_of.push(u16::try_from(at).ok()?);
                }
            }
            table.ends.push(u32::try_from(table.type_of.len()).ok()?);
        }

        let sources = rest.number()?;
        for _ in 0..sources {
            let (name, published) = (rest.text()?.to_owned(), rest.text()?.to_owned());
            table.sources.push(Source { name, published, estimated: rest.number()? == 1 });
        }
        table.source_of = rest.bytes(table.type_of.len())?.to_vec();
        table.micros.reserve_exact(table.type_of.len());
        let mut start = 0;
        for end in &table.ends {
            let mut before = None;
            for at in table.type_of.get(start..*end as usize)? {
                let name = table.types.get(usize::from(*at));
                let micros = predict(before, name).wrapping_add_signed(rest.difference()?);
                table.micros.push(micros);
                before = Some((name, micros));
            }
            start = *end as usize;
        }
        table.type_of.shrink_to_fit();
        let known = table.source_of.iter().all(|source| usize::from(*source) < table.sources.len());
        (rest.0.is_empty() && known).then_some(table)
    }
}

/// What is still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()? as usize;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    fn number(&mut self) -> Option<u32> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return u32::try_from(value).ok();
            }
        }
        None
    }

    fn difference(&mut self) -> Option<i32> {
        let zigzag = self.number()?;
        Some((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32))
    }
}
