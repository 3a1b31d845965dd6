//! Addresses that a template must not make us contact.
//!
//! Whoever writes a template chooses the host. On a machine of a cloud some addresses answer
//! everybody who can reach them, and hand out the machine's own credentials; what listens on
//! loopback trusts this machine. Private networks are allowed: registries live there.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::settings::{RegistryHost, Settings, split_port};

/// What an address is that is not contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forbidden {
    /// This machine.
    Loopback,
    /// The link, and with it the metadata services of clouds.
    LinkLocal,
    /// A metadata service at another address.
    Metadata,
    /// No single machine.
    Multicast,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the address of a cloud's metadata service",
            Self::Multicast => "a multicast address",
        })
    }
}

/// A host that is not contacted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) host: String,
    pub(super) address: String,
    pub(super) forbidden: Forbidden,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            address,
            forbidden,
        } = self;
        if split_port(host).0 == address {
            write!(f, "`{host}` is {forbidden}")
        } else {
            write!(f, "`{host}` is `{address}`, {forbidden}")
        }
    }
}

impl std::error::Error for Refusal {}

/// Azure's, Alibaba's and Oracle's.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// Google's, which has no other address in IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

/// What an address is, if it is none that may be contacted.
fn forbidden(address: IpAddr) -> Option<Forbidden> {
    match address {
        IpAddr::V4(address) => forbidden_v4(address),
        IpAddr::V6(address) => forbidden_v6(address),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<Forbidden> {
    let [first, ..] = address.octets();
    // A connection to 0.0.0.0 is made to this machine.
    if address.is_loopback() || first == 0 {
        Some(Forbidden::Loopback)
    } else if address.is_link_local() {
        Some(Forbidden::LinkLocal)
    } else if METADATA_V4.contains(&address) {
        Some(Forbidden::Metadata)
    } else if address.is_multicast() || address.is_broadcast() {
        Some(Forbidden::Multicast)
    } else {
        None
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<Forbidden> {
    if address.is_loopback() || address.is_unspecified() {
        return Some(Forbidden::Loopback);
    }
    if let Some(inner) = embedded_v4(address) {
        return forbidden_v4(inner);
    }
    let [first, second, ..] = address.segments();
    if first & 0xffc0 == 0xfe80 {
        Some(Forbidden::LinkLocal)
    // The range in which AWS keeps its link-local services: metadata, task roles, DNS.
    } else if (first, second) == (0xfd00, 0x0ec2) || address == METADATA_V6 {
        Some(Forbidden::Metadata)
    } else if address.is_multicast() {
        Some(Forbidden::Multicast)
    } else {
        None
    }
}

/// The IPv4 address to which a packet for this address goes, mapped, compatible, translated
/// (NAT64) or in a tunnel (6to4).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, a, b]
        | [0, 0, 0, 0, 0xffff, 0, a, b]
        | [0x64, 0xff9b, 0, 0, 0, 0, a, b]
        | [0x2002, a, b, ..] => Some(low(a, b)),
        _ => None,
    }
}

/// Checks hosts before a connection, as they are written and as they are resolved.
///
/// reqwest resolves names only: an address in a URL goes past its resolver, so that
/// [`Guard::check_url`] has to see every URL. Behind a proxy it is the proxy that resolves.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    insecure: Vec<RegistryHost>,
    hosts: Arc<BTreeMap<String, Vec<SocketAddr>>>,
    proxies: Vec<String>,
}

impl Guard {
    /// Lets `proxies`, hosts that the user named, be anywhere.
    pub(super) fn new(settings: &Settings, proxies: Vec<String>) -> Self {
        Self {
            insecure: settings.insecure.clone(),
            hosts: Arc::new(settings.hosts.clone()),
            proxies,
        }
    }

    /// Whether the user said that this registry may be spoken to without TLS.
    pub(super) fn is_insecure(&self, host: &str) -> bool {
        self.insecure.iter().any(|insecure| insecure.covers(host))
    }

    /// The same for the host of a URL, whether its port is written or not.
    pub(super) fn is_insecure_url(&self, url: &Url) -> bool {
        let host = host_of(url);
        let with_port = url
            .port_or_known_default()
            .map(|port| format!("{}:{port}", split_port(&host).0));
        self.is_insecure(&host) || with_port.is_some_and(|host| self.is_insecure(&host))
    }

    /// Refuses a URL whose host is, as written, no host to contact.
    pub(super) fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        let host = host_of(url);
        let (name, _) = split_port(&host);
        let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        let found = match address {
            Some(address) => forbidden(address),
            None => forbidden_name(name),
        };
        match found {
            None => Ok(()),
            Some(Forbidden::Loopback) if self.is_insecure_url(url) => Ok(()),
            Some(forbidden) => Err(Refusal {
                address: name.to_owned(),
                host,
                forbidden,
            }),
        }
    }

    /// The addresses of a name that may be contacted.
    fn allowed(&self, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refusal> {
        if self.proxies.iter().any(|proxy| proxy == name) {
            return Ok(found);
        }
        let local = self.insecure.iter().any(|host| host.name() == name);
        let refused = |address: &SocketAddr| match forbidden(address.ip()) {
            Some(Forbidden::Loopback) if local => None,
            found => found,
        };
        let first_refused = found
            .iter()
            .find_map(|address| refused(address).map(|forbidden| (address.ip(), forbidden)));
        let allowed: Vec<SocketAddr> = found
            .into_iter()
            .filter(|address| refused(address).is_none())
            .collect();
        match first_refused {
            Some((address, forbidden)) if allowed.is_empty() => Err(Refusal {
                host: name.to_owned(),
                address: address.to_string(),
                forbidden,
            }),
            _ => Ok(allowed),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let name = name.as_str().trim_end_matches('.').to_ascii_lowercase();
            let found = match guard.hosts.get(&name) {
                Some(found) => found.clone(),
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            let addresses: Addrs = Box::new(guard.allowed(&name, found)?.into_iter());
            Ok(addresses)
        })
    }
}

/// Names that mean such an address wherever they are resolved, even behind a proxy.
fn forbidden_name(name: &str) -> Option<Forbidden> {
    let name = name.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        Some(Forbidden::Loopback)
    } else if matches!(name, "metadata.google.internal" | "instance-data") {
        Some(Forbidden::Metadata)
    } else {
        None
    }
}

/// Host of a URL, with its port unless it is the scheme's own: the form of a reference.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(insecure: &[&str]) -> Guard {
        let insecure = insecure.iter().map(|host| host.parse().unwrap()).collect();
        let settings = Settings {
            insecure,
            ..Settings::default()
        };
        Guard::new(&settings, vec!["proxy.example".to_owned()])
    }

    fn checked(insecure: &[&str], url: &str) -> String {
        match guard(insecure).check_url(&url.parse().unwrap()) {
            Ok(()) => "allowed".to_owned(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn hosts_that_a_url_can_name() {
        let urls = [
            "https://registry.example/",
            "https://10.0.0.1/",
            "https://[fd12::1]:5000/",
            "https://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0/",
            "http://localhost:5000/",
            "http://a.localhost/",
            "http://localhost./",
            "http://169.254.169.254/latest",
            "http://0251.0376.0251.0376/",
            "http://[::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::a9fe:a9fe]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:7f00:1::]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://[fd20:ce::254]/",
            "http://[ff02::1]/",
            "http://224.0.0.1/",
            "http://168.63.129.16/",
            "http://metadata.google.internal/",
        ];
        let table: Vec<String> = urls
            .iter()
            .map(|url| format!("{url} -> {}", checked(&[], url)))
            .collect();
        insta::assert_snapshot!(table.join("\n"), @"
    https://registry.example/ -> allowed
    https://10.0.0.1/ -> allowed
    https://[fd12::1]:5000/ -> allowed
    https://127.0.0.1/ -> `127.0.0.1` is a loopback address
    http://2130706433/ -> `127.0.0.1` is a loopback address
    http://0x7f.1/ -> `127.0.0.1` is a loopback address
    http://0/ -> `0.0.0.0` is a loopback address
    http://localhost:5000/ -> `localhost:5000` is a loopback address
    http://a.localhost/ -> `a.localhost` is a loopback address
    http://localhost./ -> `localhost.` is a loopback address
    http://169.254.169.254/latest -> `169.254.169.254` is a link-local address
    http://0251.0376.0251.0376/ -> `169.254.169.254` is a link-local address
    http://[::1]/ -> `[::1]` is a loopback address
    http://[::ffff:169.254.169.254]/ -> `[::ffff:a9fe:a9fe]` is a link-local address
    http://[::a9fe:a9fe]/ -> `[::a9fe:a9fe]` is a link-local address
    http://[64:ff9b::a9fe:a9fe]/ -> `[64:ff9b::a9fe:a9fe]` is a link-local address
    http://[2002:7f00:1::]/ -> `[2002:7f00:1::]` is a loopback address
    http://[fe80::1]/ -> `[fe80::1]` is a link-local address
    http://[fd00:ec2::254]/ -> `[fd00:ec2::254]` is the address of a cloud's metadata service
    http://[fd20:ce::254]/ -> `[fd20:ce::254]` is the address of a cloud's metadata service
    http://[ff02::1]/ -> `[ff02::1]` is a multicast address
    http://224.0.0.1/ -> `224.0.0.1` is a multicast address
    http://168.63.129.16/ -> `168.63.129.16` is the address of a cloud's metadata service
    http://metadata.google.internal/ -> `metadata.google.internal` is the address of a cloud's metadata service
    ");
    }

    #[test]
    fn loopback_is_for_those_who_ask_for_it_and_the_rest_for_nobody() {
        let insecure = ["localhost:5000", "127.0.0.1", "169.254.169.254"];
        let urls = [
            "http://localhost:5000/",
            "http://localhost:5001/",
            "http://127.0.0.1:9/",
            "http://169.254.169.254/",
        ];
        let table: Vec<String> = urls
            .iter()
            .map(|url| format!("{url} -> {}", checked(&insecure, url)))
            .collect();
        insta::assert_snapshot!(table.join("\n"), @"
    http://localhost:5000/ -> allowed
    http://localhost:5001/ -> `localhost:5001` is a loopback address
    http://127.0.0.1:9/ -> allowed
    http://169.254.169.254/ -> `169.254.169.254` is a link-local address
    ");
    }

    #[test]
    fn a_name_is_what_it_resolves_to() {
        let address = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let (public, local) = (address("192.0.2.1:0"), address("127.0.0.1:0"));
        let guard = guard(&["here.example:5000"]);
        let both = vec![local, public];
        assert_eq!(
            guard.allowed("evil.example", both.clone()),
            Ok(vec![public])
        );
        assert_eq!(
            guard.allowed("here.example", both.clone()),
            Ok(both.clone())
        );
        assert_eq!(guard.allowed("proxy.example", vec![local]), Ok(vec![local]));
        let refusal = guard.allowed("evil.example", vec![local]).unwrap_err();
        assert_eq!(refusal.forbidden, Forbidden::Loopback);
        let metadata = vec![address("169.254.169.254:0")];
        assert!(guard.allowed("here.example", metadata).is_err());
    }
}
