//! Sizes of tasks: how ECS spells them, and which Fargate offers.

/// What a size is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// In CPU units, 1024 of which are a vCPU.
    Cpu,
    /// In MiB.
    Memory,
}

impl Kind {
    pub(super) fn key(self) -> &'static str {
        match self {
            Kind::Cpu => "cpu",
            Kind::Memory => "memory",
        }
    }

    pub(super) fn unit(self) -> &'static str {
        match self {
            Kind::Cpu => "CPU units",
            Kind::Memory => "MiB",
        }
    }

    /// The unit, in lower case, that stands for 1024 of the smallest one.
    fn large_unit(self) -> &'static str {
        match self {
            Kind::Cpu => "vcpu",
            Kind::Memory => "gb",
        }
    }
}

/// A size as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size<'t> {
    /// In CPU units or MiB.
    pub(super) amount: u64,
    /// What follows the number: nothing, or a unit with the blank before it.
    unit: &'t str,
}

/// CPU units of a vCPU, and MiB of a GB, as ECS counts.
const LARGE: u64 = 1024;

/// More decimals than any size has.
const MAX_DECIMALS: usize = 6;

impl<'t> Size<'t> {
    /// Reads `256`, `.25 vCPU`, `0.25vcpu`, `512`, `0.5GB`, `1 GB`; what is not a whole number of units is not a size.
    pub(super) fn parse(kind: Kind, text: &'t str) -> Option<Size<'t>> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = text.split_at_checked(end.unwrap_or(text.len()))?;
        let amount = match unit.trim_start() {
            "" => number.parse().ok()?,
            large if large.eq_ignore_ascii_case(kind.large_unit()) => large_amount(number)?,
            _ => return None,
        };
        Some(Size { amount, unit })
    }

    /// Another amount, written in the same way.
    pub(super) fn rewritten(self, amount: u64) -> String {
        if self.unit.is_empty() {
            return amount.to_string();
        }
        let mut text = (amount / LARGE).to_string();
        let mut rest = amount % LARGE;
        if rest > 0 {
            text.push('.');
        }
        while rest > 0 {
            rest *= 10;
            text.push_str(&(rest / LARGE).to_string());
            rest %= LARGE;
        }
        text + self.unit
    }
}

/// A decimal number of vCPUs or GBs in the smallest unit.
fn large_amount(number: &str) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && decimals.is_empty() || decimals.len() > MAX_DECIMALS {
        return None;
    }
    let read = |digits: &str| match digits {
        "" => Some(0),
        digits => digits.parse::<u64>().ok(),
    };
    let parts = 10_u64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let fraction = read(decimals)?.checked_mul(LARGE)?;
    let whole = read(whole)?.checked_mul(LARGE)?;
    fraction
        .is_multiple_of(parts)
        .then(|| whole.checked_add(fraction / parts))
        .flatten()
}

/// Memory that Fargate offers with a CPU size, as `(cpu, first, last, step)`; see
/// [task CPU and memory](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size).
const FARGATE: &[(u64, u64, u64, u64)] = &[
    (256, 512, 512, 512),
    (256, 1024, 2048, 1024),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// Whether Fargate offers this combination.
pub(super) fn is_offered(cpu: u64, memory: u64) -> bool {
    FARGATE.iter().any(|(with, first, last, step)| {
        *with == cpu && (*first..=*last).contains(&memory) && (memory - first).is_multiple_of(*step)
    })
}

/// The memory that Fargate offers with a CPU size, as text; none if it does not offer that size.
pub(super) fn memory_with(cpu: u64) -> Option<String> {
    let rows = FARGATE.iter().filter(|(with, ..)| *with == cpu);
    let texts: Vec<String> = rows
        .map(|(_, first, last, step)| match first == last {
            true => format!("{first}"),
            false => format!("{first} to {last} in steps of {step}"),
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// The smallest size that Fargate offers and that holds this much: least CPU first, then least memory.
pub(super) fn smallest(cpu: u64, memory: u64) -> Option<(u64, u64)> {
    FARGATE
        .iter()
        .filter(|(with, _, last, _)| *with >= cpu && *last >= memory)
        .map(|(with, first, _, step)| {
            let over = memory.saturating_sub(*first);
            (*with, first + over.div_ceil(*step) * step)
        })
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_in_every_spelling() {
        let cpu = [
            ("256", Some(256)),
            (" 256 ", Some(256)),
            (".25 vCPU", Some(256)),
            ("0.25 vcpu", Some(256)),
            ("0.25VCPU", Some(256)),
            ("1 vCPU", Some(1024)),
            ("4vCPU", Some(4096)),
            ("1. vCPU", Some(1024)),
            ("0.1 vCPU", None),
            ("0.25", None),
            ("1 GB", None),
            (". vCPU", None),
            ("1.2.3 vCPU", None),
            ("", None),
            ("-256", None),
            ("99999999999999999999", None),
            ("99999999999999999 vCPU", None),
            ("0.99999999999999999999 vCPU", None),
        ];
        for (text, amount) in cpu {
            let read = Size::parse(Kind::Cpu, text).map(|size| size.amount);
            assert_eq!(read, amount, "{text}");
        }
        let memory = [
            ("512", Some(512)),
            ("1 GB", Some(1024)),
            ("1GB", Some(1024)),
            ("0.5 gb", Some(512)),
            ("1 vCPU", None),
            ("512 MB", None),
        ];
        for (text, amount) in memory {
            let read = Size::parse(Kind::Memory, text).map(|size| size.amount);
            assert_eq!(read, amount, "{text}");
        }
    }

    #[test]
    fn a_size_keeps_its_spelling() {
        let written = |kind, text, amount| {
            let size = Size::parse(kind, text).expect("a size");
            size.rewritten(amount)
        };
        assert_eq!(written(Kind::Cpu, "256", 512), "512");
        assert_eq!(written(Kind::Cpu, ".25 vCPU", 512), "0.5 vCPU");
        assert_eq!(written(Kind::Cpu, "1vCPU", 2048), "2vCPU");
        assert_eq!(written(Kind::Memory, "0.5GB", 1024), "1GB");
        assert_eq!(written(Kind::Memory, "1 gb", 1536), "1.5 gb");
    }

    #[test]
    fn the_smallest_size_is_the_first_that_holds() {
        let table = [
            ((0, 0), Some((256, 512))),
            ((256, 513), Some((256, 1024))),
            ((256, 2049), Some((512, 3072))),
            ((257, 512), Some((512, 1024))),
            ((4097, 1), Some((8192, 16384))),
            ((256, 61440), Some((8192, 61440))),
            ((256, 61441), Some((16384, 65536))),
            ((16384, 122_880), Some((16384, 122_880))),
            ((16385, 1), None),
            ((1, 122_881), None),
        ];
        for ((cpu, memory), size) in table {
            assert_eq!(smallest(cpu, memory), size, "{cpu}, {memory}");
        }
        assert_eq!(
            memory_with(256).as_deref(),
            Some("512, 1024 to 2048 in steps of 1024")
        );
        assert_eq!(memory_with(300), None);
    }

    proptest! {
        #[test]
        fn the_smallest_size_is_offered_and_holds(cpu in 0_u64..17_000, memory in 0_u64..130_000) {
            if let Some((with, of)) = smallest(cpu, memory) {
                prop_assert!(with >= cpu && of >= memory && is_offered(with, of));
            }
        }

        #[test]
        fn what_is_written_is_read_back(amount in 1_u64..200_000, unit in "|[ ]?(vcpu|vCPU)") {
            let size = Size { amount: 1, unit: &unit };
            let read = Size::parse(Kind::Cpu, &size.rewritten(amount)).map(|size| size.amount);
            // Decimals are bounded, so only the sizes that are a few binary digits come back.
            prop_assert!(read == Some(amount) || read.is_none() && !amount.is_multiple_of(16));
        }
    }
}
