//! Which hosts are registries of Amazon ECR, and where their region's API is.

/// A registry of Amazon ECR, told by its host alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Registry {
    /// An account's registry in a region. Which account does not matter: a token is good for
    /// every registry of the region that its owner may read.
    Private {
        region: Region,
        fips: bool,
        dual_stack: bool,
    },
    /// The public gallery.
    Public { dual_stack: bool },
}

/// A region, and the domains of its partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Region {
    pub(super) name: String,
    partition: Partition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Partition {
    Standard,
    China,
    EuropeanSovereign,
}

impl Region {
    /// A region by its name: `eu-central-1`. Whatever could be more than one label of a host
    /// name is none.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let area = parts.next()?;
        let number = parts.next_back()?;
        let words: Vec<_> = parts.collect();
        let lower = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        let known = lower(area)
            && !words.is_empty()
            && words.into_iter().all(lower)
            && (1..=2).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit());
        let partition = match area {
            "cn" => Partition::China,
            "eusc" => Partition::EuropeanSovereign,
            _ => Partition::Standard,
        };
        known.then(|| Self {
            name: name.to_owned(),
            partition,
        })
    }

    /// What ends the names of its hosts.
    pub(super) fn domain(&self) -> &'static str {
        match self.partition {
            Partition::Standard => "amazonaws.com",
            Partition::China => "amazonaws.com.cn",
            Partition::EuropeanSovereign => "amazonaws.eu",
        }
    }

    /// What ends the names of those of its hosts that have IPv6 addresses as well.
    pub(super) fn dual_stack_domain(&self) -> &'static str {
        match self.partition {
            Partition::Standard => "api.aws",
            Partition::China => "api.amazonwebservices.com.cn",
            Partition::EuropeanSovereign => "api.amazonwebservices.eu",
        }
    }

    /// The same, for the registries themselves.
    fn dual_stack_registries(&self) -> &'static str {
        match self.partition {
            Partition::Standard => "on.aws",
            Partition::China => "on.amazonwebservices.com.cn",
            Partition::EuropeanSovereign => "on.amazonwebservices.eu",
        }
    }
}

impl Registry {
    /// Reads `<account>.dkr.ecr[-fips].<region>.amazonaws.com[.cn]`, the dual-stack form
    /// `<account>.dkr-ecr[-fips].<region>.on.aws`, and the two names of the public gallery, as
    /// [AWS documents them](https://docs.aws.amazon.com/general/latest/gr/ecr.html); any other
    /// host is none, however much it looks like one.
    pub(super) fn parse(host: &str) -> Option<Self> {
        match host {
            "public.ecr.aws" => return Some(Self::Public { dual_stack: false }),
            "ecr-public.aws.com" => return Some(Self::Public { dual_stack: true }),
            _ => {}
        }
        let (account, rest) = host.split_once('.')?;
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (service, region) = match rest.strip_prefix("dkr.") {
            Some(rest) => rest.split_once('.')?,
            None => rest.split_once('.')?,
        };
        let dual_stack = !rest.starts_with("dkr.");
        let fips = match (dual_stack, service) {
            (false, "ecr") | (true, "dkr-ecr") => false,
            (false, "ecr-fips") | (true, "dkr-ecr-fips") => true,
            _ => return None,
        };
        let (name, domain) = region.split_once('.')?;
        let region = Region::parse(name)?;
        let expected = match dual_stack {
            true => region.dual_stack_registries(),
            false => region.domain(),
        };
        (domain == expected).then_some(Self::Private {
            region,
            fips,
            dual_stack,
        })
    }

    pub(super) fn is_public(&self) -> bool {
        matches!(self, Self::Public { .. })
    }
}
