//! The proxy on the way to the server, chosen as client-go does: `proxy-url` of the context's cluster, else the environment.

use super::options::ProxyVariables;
use crate::units::text::clean;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use std::fmt;
use std::net::IpAddr;

/// A proxy that is to be used.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    /// Its address and credentials.
    pub(super) to: Intercept,
    pub(super) kind: Kind,
    /// Where it is configured: `proxy-url of cluster "c"`, `HTTPS_PROXY`.
    pub(super) origin: String,
}

impl Proxy {
    /// The address to connect to: SOCKS has a port of its own (RFC 1928), which a connector for HTTP does not know.
    pub(super) fn dialled(&self) -> Uri {
        let address = self.to.uri();
        match (self.kind, address.port(), address.host()) {
            (Kind::Socks5, None, Some(host)) => {
                let port =
                    Uri::builder().scheme("socks5").authority(format!("{host}:1080")).path_and_query("/").build();
                port.unwrap_or_else(|_| address.clone())
            }
            _ => address.clone(),
        }
    }
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `CONNECT`, in plain text or over TLS.
    Http,
    /// SOCKS version 5; the proxy resolves names.
    Socks5,
}

impl fmt::Display for Proxy {
    /// Without its credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.to.uri().to_string();
        write!(f, "the proxy {} ({})", clean(address.trim_end_matches('/')), self.origin)
    }
}

/// The proxy for a server; the error completes `FIELD: `.
///
/// By client-go's `rest/transport.go` and `clientcmd/validation.go`, and Go's `http.ProxyFromEnvironment`: the cluster's own
/// proxy is used whatever `NO_PROXY` says; that of the environment neither for the hosts in `NO_PROXY` nor for this machine.
pub(super) fn choose(
    own: Option<&str>,
    cluster: &str,
    environment: &ProxyVariables,
    server: &Uri,
) -> Result<Option<Proxy>, (&'static str, String)> {
    if let Some(url) = own {
        let origin = format!("proxy-url of cluster {:?}", clean(cluster));
        return read(url, origin, false).map(Some).map_err(|why| ("proxy-url", why));
    }
    let (name, url) = match server.scheme_str() {
        Some("https") => ("HTTPS_PROXY", &environment.https),
        _ => ("HTTP_PROXY", &environment.http),
    };
    if url.is_empty() || is_this_machine(server) || is_excepted(server, &environment.no) {
        return Ok(None);
    }
    read(url, name.to_owned(), true).map(Some).map_err(|why| (name, why))
}

fn read(url: &str, origin: String, in_environment: bool) -> Result<Proxy, String> {
    const SUPPORTED: &str = "supported are http://, https:// and socks5://";
    // Go takes an address without a scheme for that of an http proxy, in the environment alone.
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None if in_environment => ("http".to_owned(), url),
        None => return Err(format!("{:?} names no kind of proxy: {SUPPORTED}", without_credentials(url))),
    };
    let kind = match scheme.as_str() {
        "http" | "https" => Kind::Http,
        "socks5" => Kind::Socks5,
        "socks5h" if in_environment => Kind::Socks5,
        "socks5h" => {
            return Err(
                "socks5h:// is not supported (by kubectl neither); write socks5://, with which the proxy resolves names"
                    .into(),
            );
        }
        other => return Err(format!("proxies of the kind {:?} are not supported: {SUPPORTED}", clean(other))),
    };
    let whole = format!("{scheme}://{rest}");
    let to = Matcher::builder().all(whole.as_str()).build().intercept(&Uri::from_static("https://server.invalid"));
    let to = to.ok_or_else(|| format!("{:?} is no address", without_credentials(url)))?;
    Ok(Proxy { to, kind, origin })
}

/// An address as it may be shown.
fn without_credentials(url: &str) -> String {
    clean(url.rsplit('@').next().unwrap_or_default()).into_owned()
}

fn is_this_machine(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an entry of `NO_PROXY` names the server, by Go's `golang.org/x/net/http/httpproxy`: an address, a network
/// (`10.0.0.0/8`), a host with those below it (`example.com`), those below it alone (`.example.com`, `*.example.com`), each
/// but a network with a port if it is for this port alone, or `*` for every server.
fn is_excepted(server: &Uri, no_proxy: &str) -> bool {
    let host = server.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("https") { 443 } else { 80 }).to_string();
    let (bare, _zone) = host.split_once('%').unwrap_or((&host, ""));
    let address = bare.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    no_proxy.to_ascii_lowercase().split(',').map(str::trim).any(|entry| {
        let (name, only) = match entry.rsplit_once(':') {
            Some((name, only)) if !name.contains(':') => (name, only),
            Some((name, only)) if name.starts_with('[') && name.ends_with(']') => (name.trim_matches(['[', ']']), only),
            _ => (entry, ""),
        };
        let named = match address {
            Some(address) => name.parse::<IpAddr>().is_ok_and(|named| named.to_canonical() == address),
            None => match name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name) {
                "" => false,
                below if below.starts_with('.') => host.ends_with(below),
                name => host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            },
        };
        entry == "*" || named && (only.is_empty() || only == port) || address.is_some_and(|it| is_within(it, entry))
    })
}

/// Whether an address is of a network in the form `ADDRESS/BITS`.
fn is_within(address: IpAddr, network: &str) -> bool {
    let Some((first, bits)) = network.split_once('/') else { return false };
    let Ok(bits) = bits.parse::<u32>() else { return false };
    match (address, first.parse()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(first))) if bits <= 32 => {
            (address.to_bits() ^ first.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(first))) if bits <= 128 => {
            (address.to_bits() ^ first.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn chosen(own: &str, https: &str, no: &str, server: &str) -> String {
        let environment = ProxyVariables { https: https.into(), http: "http://plain:1".into(), no: no.into() };
        let own = (!own.is_empty()).then_some(own);
        match choose(own, "c", &environment, &server.parse().unwrap()) {
            Ok(None) => "direct".into(),
            Ok(Some(proxy)) => proxy.to_string(),
            Err((field, why)) => format!("{field}: {why}"),
        }
    }

    // client-go rest/transport.go and clientcmd/client_config.go; golang.org/x/net/http/httpproxy/proxy.go
    #[test_case("http://p:3128", "", "", "https://api:6443" => "the proxy http://p:3128 (proxy-url of cluster \"c\")")]
    #[test_case("http://u:secret@p:3128", "", "*", "https://api" => "the proxy http://p:3128 (proxy-url of cluster \"c\")" ; "the cluster's own is used whatever NO_PROXY says")]
    #[test_case("socks5://127.0.0.1:1080", "", "", "https://127.0.0.1" => "the proxy socks5://127.0.0.1:1080 (proxy-url of cluster \"c\")" ; "also for this machine")]
    #[test_case("", "p:3128", "", "https://api" => "the proxy http://p:3128 (HTTPS_PROXY)" ; "without a scheme")]
    #[test_case("", "socks5h://p:1", "", "https://api" => "the proxy socks5h://p:1 (HTTPS_PROXY)")]
    #[test_case("", "http://p:3128", "", "http://api" => "the proxy http://plain:1 (HTTP_PROXY)" ; "a server without TLS")]
    #[test_case("", "http://p:3128", "", "https://127.0.0.1:6443" => "direct" ; "this machine")]
    #[test_case("", "http://p:3128", "", "https://[::1]:6443" => "direct" ; "this machine by IPv6")]
    #[test_case("", "http://p:3128", "", "https://localhost:6443" => "direct" ; "this machine by name")]
    #[test_case("", "http://p:3128", "x.org,10.0.0.0/8", "https://10.1.2.3" => "direct" ; "an address in NO_PROXY")]
    #[test_case("", "http://p:3128", "p", "https://10.1.2.3" => "the proxy http://p:3128 (HTTPS_PROXY)" ; "the proxy itself in NO_PROXY")]
    #[test_case("", "http://p:3128", ".example", "https://api.private.example" => "direct" ; "a domain in NO_PROXY")]
    #[test_case("", "", "", "https://api" => "direct")]
    #[test_case("socks4://p:1", "", "", "https://api" => "proxy-url: proxies of the kind \"socks4\" are not supported: supported are http://, https:// and socks5://")]
    #[test_case("ftp://u:secret@p:1", "", "", "https://api" => "proxy-url: proxies of the kind \"ftp\" are not supported: supported are http://, https:// and socks5://")]
    #[test_case("socks5h://p:1", "", "", "https://api" => "proxy-url: socks5h:// is not supported (by kubectl neither); write socks5://, with which the proxy resolves names")]
    #[test_case("u:secret@p:3128", "", "", "https://api" => "proxy-url: \"p:3128\" names no kind of proxy: supported are http://, https:// and socks5://")]
    #[test_case("http://u:secret@", "", "", "https://api" => "proxy-url: \"\" is no address")]
    fn proxies_are_chosen_as_kubectl_does(own: &str, https: &str, no: &str, server: &str) -> String {
        chosen(own, https, no, server)
    }
    /// `TestUseProxy` of golang.org/x/net/http/httpproxy, and what a user may write besides.
    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        const LIST: &str = "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, \
                            10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, \
                            2002:db8:a::45/64, API.example:80";
        let excepted = |host: &str, list: &str| is_excepted(&format!("http://{host}").parse().unwrap(), list);
        for host in [
            "192.168.1.1",
            "192.168.1.3",
            "10.0.0.2",
            "[2001:db8::52:0:1]",
            "[2001:db8::52:0:3]",
            "[2002:db8:a::123]",
            "[::ffff:10.0.0.2]",
            "www.barbaz.net",
            "foobar.com",
            "FooBar.com",
            "www.foobar.com",
            "nested.wildcard.io",
            "api.example",
            "www.api.example:80",
        ] {
            assert!(excepted(host, LIST), "{host} goes without the proxy");
            assert!(excepted(host, "x, *"), "{host} goes without the proxy");
        }
        for host in [
            "[::2]",
            "192.168.1.2",
            "192.168.1.4",
            "[2001:db8::52:0:2]",
            "[fe80::424b:c8be:1643:a1b6]",
            "barbaz.net",
            "foofoobar.com",
            "baz.com",
            "localhost.net",
            "local.localhost",
            "barbarbaz.net",
            "wildcard.io",
            "awildcard.io",
            "api.example:81",
        ] {
            assert!(!excepted(host, LIST), "{host} goes by the proxy");
        }
        for odd in ["", ":1", ",", ":80", ".", "*.", "1/2/3", "1.2.3.4/99", "[::1]", "ample.com", "*ample.com"] {
            assert!(!excepted("example.com", odd) && !excepted("[::2]", odd), "{odd:?}");
        }
        assert!(excepted("1.2.3.4", "0.0.0.0/0") && excepted("[::2]", "::/0") && !excepted("[::2]", "0.0.0.0/0"));
        assert!(is_excepted(&"https://10.0.0.5:6443".parse().unwrap(), "10.0.0.5:6443"));
        assert!(is_excepted(&"https://api.example".parse().unwrap(), "api.example:443"));
    }
}
