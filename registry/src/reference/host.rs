//! The canonical form of a registry's host.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{ReferenceError, shown};

/// The longest DNS name.
const HOST_MAX: usize = 253;

/// Brings `host[:port]` into its only spelling: lower case, ports without leading zeros,
/// IP addresses as they are usually written.
///
/// A check of the host is worth nothing when the connection is made to something else, so
/// disguised addresses are read as the HTTP client would read them, by the rules of the
/// [URL standard](https://url.spec.whatwg.org/#concept-ipv4-parser): a host whose last part is
/// a number is an IPv4 address of one to four parts, each decimal, octal (`0177`) or
/// hexadecimal (`0x7f`), the last one filling the bytes that are left. `127.1`, `2130706433`
/// and `0x7f.1` are all `127.0.0.1`. An IPv6 address that maps an IPv4 address is that IPv4
/// address.
pub(super) fn canonical(text: &str) -> Result<String, ReferenceError> {
    check_bare(text)?;
    let (host, port) = split_port(text)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => canonical_ipv6(host, rest)?,
        None => canonical_name(&host.to_ascii_lowercase())?,
    };
    match port {
        Some(port) => Ok(format!("{host}:{}", parse_port(&host, port)?)),
        None => Ok(host),
    }
}

/// Refuses a URL, and does not repeat it: a password may stand in it.
pub(crate) fn check_bare(text: &str) -> Result<(), ReferenceError> {
    if text.contains('@') {
        return Err(ReferenceError::HostCredentials);
    }
    if text.contains("://") {
        return Err(ReferenceError::HostScheme);
    }
    Ok(())
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), ReferenceError> {
    let after_brackets = text.rsplit_once(']').map_or(text, |(_, after)| after);
    match after_brackets.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains(':') => {
            Err(ReferenceError::HostColons { host: shown(text) })
        }
        Some((_, port)) => {
            let host = text
                .strip_suffix(port)
                .and_then(|host| host.strip_suffix(':'));
            Ok((host.unwrap_or(text), Some(port)))
        }
    }
}

fn parse_port(host: &str, text: &str) -> Result<u16, ReferenceError> {
    let invalid = || ReferenceError::Port {
        host: shown(host),
        port: shown(text),
    };
    // `parse` alone would take a sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    text.parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(invalid)
}

fn canonical_ipv6(host: &str, rest: &str) -> Result<String, ReferenceError> {
    let address: Ipv6Addr = rest
        .strip_suffix(']')
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| ReferenceError::HostNotIpv6 { host: shown(host) })?;
    Ok(match address.to_ipv4_mapped() {
        Some(mapped) => mapped.to_string(),
        None => format!("[{address}]"),
    })
}

/// A DNS name or an IPv4 address, in lower case.
fn canonical_name(host: &str) -> Result<String, ReferenceError> {
    if host.is_empty() {
        return Err(ReferenceError::HostMissing);
    }
    let length = host.chars().count();
    if length > HOST_MAX {
        return Err(ReferenceError::HostTooLong { length });
    }
    host.split('.')
        .try_for_each(|part| check_part(host, part))?;
    if !ends_in_number(host) {
        return Ok(host.to_owned());
    }
    let address =
        parse_ipv4(host).ok_or_else(|| ReferenceError::HostNotIpv4 { host: shown(host) })?;
    Ok(address.to_string())
}

/// `[a-z0-9]([a-z0-9-]*[a-z0-9])?`
fn check_part(host: &str, part: &str) -> Result<(), ReferenceError> {
    if part.is_empty() {
        return Err(ReferenceError::HostPartEmpty { host: shown(host) });
    }
    if let Some(character) = part
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && *c != '-')
    {
        return Err(ReferenceError::HostCharacter {
            host: shown(host),
            character: shown(&character.to_string()),
        });
    }
    if part.starts_with('-') || part.ends_with('-') {
        return Err(ReferenceError::HostPartEnds {
            host: shown(host),
            part: shown(part),
        });
    }
    Ok(())
}

fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit_once('.').map_or(host, |(_, last)| last);
    last.bytes().all(|byte| byte.is_ascii_digit()) || ipv4_number(last).is_some()
}

fn parse_ipv4(host: &str) -> Option<Ipv4Addr> {
    let numbers = host
        .split('.')
        .map(ipv4_number)
        .collect::<Option<Vec<u64>>>()?;
    let (last, leading) = numbers.split_last()?;
    let bytes_left = 4_usize
        .checked_sub(leading.len())
        .filter(|left| *left > 0)?;
    if *last >= 1_u64 << (8 * bytes_left) {
        return None;
    }
    let mut address = *last;
    for (position, number) in leading.iter().enumerate() {
        if *number > 255 {
            return None;
        }
        address |= number << (8 * (3 - position));
    }
    u32::try_from(address).ok().map(Ipv4Addr::from)
}

/// One part of an IPv4 address, as the URL standard reads it.
fn ipv4_number(part: &str) -> Option<u64> {
    let (digits, radix) = match (part.strip_prefix("0x"), part.strip_prefix('0')) {
        (Some(""), _) | (None, Some("")) => return Some(0),
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) => (digits, 8),
        (None, None) => (part, 10),
    };
    // `from_str_radix` alone would take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}
