#!/usr/bin/env bash
# Which host NO_PROXY is about, for a client that reaches a Kubernetes API server through the proxy of the environment.
#
# Guess:  kube-rs reads HTTPS_PROXY and NO_PROXY as Go's net/http does, and so kubectl: a server named in NO_PROXY, and one
#         on this machine (kind, a tunnel), is reached without the proxy.
# Truth:  kube-client compares NO_PROXY with the address of the proxy itself. A server that NO_PROXY names still goes
#         through the proxy, a proxy that NO_PROXY names is not used for any server, and loopback is no exception.
# Seen:   2026-11-29, kube-client 5.0.0 (src/config/file_loader.rs, proxy_url); Go's http.ProxyFromEnvironment beside it.
#
# Needs Rust and Go; compiles some 150 small crates.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOTOOLCHAIN=auto CGO_ENABLED=0 GO111MODULE=on

cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.1.0"
edition = "2024"

[dependencies]
kube-client = { version = "=5.0.0", default-features = false, features = ["client", "http-proxy"] }
k8s-openapi = { version = "0.29", features = ["latest"] }
tokio = { version = "1", features = ["rt", "macros"] }
TOML
mkdir src
cat >src/main.rs <<'RUST'
use kube_client::config::{Config, KubeConfigOptions, Kubeconfig};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = std::env::args().nth(1).expect("a server");
    let text = format!(
        "{{contexts: [{{name: c, context: {{cluster: c}}}}], clusters: [{{name: c, cluster: {{server: '{server}'}}}}], \
         current-context: c}}"
    );
    let kubeconfig = Kubeconfig::from_yaml(&text).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
    println!("{}", config.proxy_url.map_or_else(|| "direct".into(), |_| "proxy".to_owned()));
}
RUST
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	request, _ := http.NewRequest("GET", os.Args[1], nil)
	proxy, err := http.ProxyFromEnvironment(request)
	if err != nil {
		panic(err)
	}
	if proxy == nil {
		fmt.Println("direct")
	} else {
		fmt.Println("proxy")
	}
}
GO
cargo build --quiet
go build -o go-finding main.go
cargo tree --quiet --depth 1 --prefix none | grep '^kube-client'
go version | cut -d ' ' -f 3

export HTTPS_PROXY=http://proxy.example:3128
ask() { # NO_PROXY, server
  export NO_PROXY=$1
  printf 'NO_PROXY=%s, server %s: Go %s, kube-rs %s\n' "$1" "$2" "$(./go-finding "$2")" "$(target/debug/finding "$2")"
}
{
  ask other.example https://api.example:6443
  ask api.example https://api.example:6443
  ask proxy.example https://api.example:6443
  ask other.example https://127.0.0.1:6443
} | tee seen

cat >expected <<'TEXT'
NO_PROXY=other.example, server https://api.example:6443: Go proxy, kube-rs proxy
NO_PROXY=api.example, server https://api.example:6443: Go direct, kube-rs proxy
NO_PROXY=proxy.example, server https://api.example:6443: Go proxy, kube-rs direct
NO_PROXY=other.example, server https://127.0.0.1:6443: Go direct, kube-rs proxy
TEXT
diff expected seen || {
  echo "the behaviour changed" >&2
  exit 1
}
