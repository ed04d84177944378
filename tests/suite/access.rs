//! The way to a cluster as kubectl takes it: kubeconfigs as generators, editors and templates write them, certificates and
//! keys of every kind, proxies. What kubectl accepts works; what it refuses is refused in one line.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{ApiServer, NODES};
use crate::support::proxies::{Manner, ScriptedProxy};
use crate::support::tls::{self, Authority, Clients, Front, Pair};
use base64::prelude::{BASE64_STANDARD, Engine};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server behind TLS and what a good kubeconfig for it holds.
struct Place {
    api: ApiServer,
    front: Front,
    authority: Authority,
    client: Pair,
}

impl Place {
    async fn new() -> Self {
        let authority = Authority::new("cluster-ca");
        let server = authority.sign(&["127.0.0.1", "api.private.example"], |_| ());
        Self::of(authority, &server, Clients::Any).await
    }

    async fn of(authority: Authority, server: &Pair, clients: Clients) -> Self {
        let api = ApiServer::start().await;
        let front = Front::start(server, clients, &api.address).await;
        let client = authority.sign(&[], |_| ());
        Self { api, front, authority, client }
    }

    fn dir(&self) -> &Path {
        self.api.dir()
    }

    fn server(&self) -> String {
        format!("https://{}", self.front.address)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A kubeconfig that works, of a token and data.
    fn good(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod",
            "contexts": [{"name": "prod", "context": {"cluster": "main", "user": "ops"}}],
            "clusters": [{"name": "main", "cluster": {
                "server": self.server(),
                "certificate-authority-data": BASE64_STANDARD.encode(&self.authority.pair.certificate),
            }}],
            "users": [{"name": "ops", "user": {"token": "good-token"}}],
        })
    }

    /// A good one with other parts of its cluster and user.
    fn with(&self, cluster: &Value, user: &Value) -> Value {
        let mut config = self.good();
        let put = |target: &mut Value, parts: &Value| {
            for (key, value) in parts.as_object().unwrap() {
                match value {
                    Value::String(text) if text == "-" => drop(target.as_object_mut().unwrap().remove(key)),
                    value => target[key] = value.clone(),
                }
            }
        };
        put(&mut config["clusters"][0]["cluster"], cluster);
        put(&mut config["users"][0]["user"], user);
        config
    }

    async fn snapshot(&self, config: &Value) -> Outcome {
        let path = self.write("kubeconfig", &config.to_string());
        self.run(nodeglass(&path, "60s")).await
    }

    async fn run(&self, mut command: Command) -> Outcome {
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let dir = self.dir().to_string_lossy().into_owned();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace(&dir, "DIR");
        Outcome {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr).replace(&self.front.address, "SERVER"),
        }
    }
}

struct Outcome {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Outcome {
    fn works(&self, what: &str) {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{what}");
    }

    /// The one line that it was refused with.
    fn refused(&self, what: &str) -> &str {
        assert_eq!(self.code, Some(1), "{what}: {}", self.err);
        let lines: Vec<&str> = self.err.lines().collect();
        assert_eq!(lines.len(), 1, "{what}: one line: {}", self.err);
        let context = "context \"prod\" in DIR/kubeconfig: ";
        for word in ["OtherError", "InvalidCertificate", "os error", "header value", "feature", "BEGIN", "good-token"] {
            assert!(!self.err.contains(word), "{what}: {word} in {}", self.err);
        }
        let (_, why) = lines[0].split_once(context).unwrap_or_else(|| panic!("{what}: {}", self.err));
        why
    }
}

/// A snapshot, with nothing of ours in its environment.
fn nodeglass(kubeconfig: &Path, timeout: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
    command.args(["snapshot", "-o", "json", "--pricing", "off", "--timeout", timeout]);
    command.env_clear().env("HOME", "/nonexistent").env("KUBECONFIG", kubeconfig).stdin(Stdio::null());
    command
}

fn wrapped(text: &str, with: &str) -> String {
    let chunks: Vec<&str> = text.as_bytes().chunks(64).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
    chunks.join(with)
}

/// `certificate-authority-data`, `client-certificate-data` and `client-key-data` as Go's encoding/base64 reads them.
#[tokio::test(flavor = "multi_thread")]
async fn line_breaks_in_data_do_not_count() {
    let place = Place::new().await;
    let fields = [&place.authority.pair.certificate, &place.client.certificate, &place.client.key];
    let plain = fields.map(|text| BASE64_STANDARD.encode(text));
    for broken in 0..3 {
        for (with, end) in [("\n", ""), ("\r\n", ""), ("", "\n"), ("\n", "\n"), ("", "\r\n")] {
            let mut data = plain.clone();
            data[broken] = wrapped(&data[broken], with) + end;
            let [authority, certificate, key] = data;
            let config = place.with(
                &json!({"certificate-authority-data": authority}),
                &json!({"token": "-", "client-certificate-data": certificate, "client-key-data": key}),
            );
            place.snapshot(&config).await.works(&format!("field {broken}, {with:?} and {end:?}"));
        }
    }
    assert!(!place.front.seen().is_empty(), "the certificate was shown");
    // YAML's own forms, which JSON does not have.
    let block = |tag: &str, text: &str| format!("{tag}|\n      {}\n", wrapped(text, "\n      "));
    for tag in ["", "!!binary "] {
        // The tag is base64 of its own, around that of the field.
        let text = |plain: &str| match tag {
            "" => plain.to_owned(),
            _ => BASE64_STANDARD.encode(wrapped(plain, "\n")),
        };
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: prod\ncontexts:\n- name: prod\n  context: {{cluster: main, user: ops}}\n\
             clusters:\n- name: main\n  cluster:\n    server: {}\n    certificate-authority-data: {}users:\n- name: ops\n  user:\n    \
             client-certificate-data: {}    client-key-data: {}",
            place.server(),
            block(tag, &text(&plain[0])),
            block(tag, &text(&plain[1])),
            block(tag, &text(&plain[2])),
        );
        let path = place.write("kubeconfig", &text);
        place.run(nodeglass(&path, "60s")).await.works(tag);
    }
}

/// client-go's structs have `omitempty` texts (clientcmd/api/v1/types.go): an empty one is the same as absent.
#[tokio::test(flavor = "multi_thread")]
async fn empty_texts_are_absent() {
    let place = Place::new().await;
    let (client, nothing) = (&place.client, json!({}));
    let path = place.write("client.pem", &format!("{}{}", client.certificate, client.key));
    let data = |text: &str| BASE64_STANDARD.encode(text);
    let rows = [
        (json!({"certificate-authority": ""}), nothing.clone()),
        (json!({"tls-server-name": "", "proxy-url": ""}), nothing.clone()),
        (nothing.clone(), json!({"client-certificate-data": "", "client-key-data": ""})),
        (nothing.clone(), json!({"client-certificate": "", "client-key": ""})),
        (
            nothing.clone(),
            json!({"client-certificate-data": "", "client-certificate": path, "client-key-data": "", "client-key": path}),
        ),
        (
            nothing.clone(),
            json!({"client-certificate": "", "client-certificate-data": data(&client.certificate),
            "client-key": "", "client-key-data": data(&client.key), "token": ""}),
        ),
        (nothing.clone(), json!({"username": "", "password": ""})),
        (nothing.clone(), json!({"tokenFile": ""})),
        (nothing.clone(), json!({"token": "", "tokenFile": "", "as": "", "as-uid": ""})),
        (nothing.clone(), json!({"exec": null, "auth-provider": null})),
        (json!({"insecure-skip-tls-verify": null, "extensions": [{"name": "x"}]}), json!({"as-groups": null})),
        (
            nothing.clone(),
            json!({"token": "-", "exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "/bin/echo",
                "args": ["{\"status\": {\"token\": \"good-token\"}}"], "env": null, "installHint": "", "interactiveMode": "",
                "provideClusterInfo": null}}),
        ),
    ];
    for (cluster, user) in &rows {
        place.snapshot(&place.with(cluster, user)).await.works(&format!("{cluster} {user}"));
    }
    assert!(place.front.seen().len() >= 2, "both client certificates were shown");
    // The system's authorities are meant, and they do not know this server.
    let outcome = place.snapshot(&place.with(&json!({"certificate-authority-data": ""}), &nothing)).await;
    let why = outcome.refused("no authority");
    assert!(why.contains("unknown authority") || why.contains("system's certificate authorities"), "{why}");
}

/// `ConfirmUsable` of client-go's clientcmd looks at the chosen context, its cluster and its user alone; and
/// sigs.k8s.io/yaml takes the last one of a key that is given twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_other_contexts_hold_is_no_hindrance() {
    let place = Place::new().await;
    let mut config = place.good();
    let mut add = |list: &str, entry: Value| config[list].as_array_mut().unwrap().push(entry);
    add("contexts", json!({"name": "empty"}));
    add("contexts", json!({"name": "no cluster", "context": {"cluster": null}}));
    add("contexts", json!({"name": "no user", "context": {"user": "none", "extensions": [{"name": "x"}]}}));
    add("clusters", json!({"name": "null", "cluster": null}));
    add("clusters", json!({"name": "odd", "cluster": {"server": ["x"], "insecure-skip-tls-verify": "?"}}));
    add("users", json!({"name": "blank", "user": {"exec": {"command": "", "interactiveMode": ""}}}));
    add("users", json!({"name": "provider", "user": {"auth-provider": {"config": null}}}));
    add("users", json!({"name": "odd", "user": {"exec": {"interactiveMode": "Sometimes", "args": 1}}}));
    place.snapshot(&config).await.works("other entries");
    let twice = place.good().to_string().replacen("{\"token\":", "{\"token\":\"not-this\",\"token\":", 1);
    assert!(twice.contains("not-this"));
    let path = place.write("kubeconfig", &twice);
    place.run(nodeglass(&path, "60s")).await.works("a key given twice");
}

/// `transport/token_source.go` of client-go: the content is trimmed, and goes before `token`.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_is_trimmed_and_goes_first() {
    let place = Place::new().await;
    let path = place.write("token", "good-token\r\n");
    for user in [json!({"token": "-", "tokenFile": path}), json!({"token": "not-this", "tokenFile": "token"})] {
        place.snapshot(&place.with(&json!({}), &user)).await.works(&user.to_string());
    }
    let sent = place.api.asked_for(NODES);
    assert!(!sent.is_empty() && sent.iter().all(|asked| asked.headers["authorization"] == "Bearer good-token"));
    // As long as the file is not there, the text has to do.
    place.snapshot(&place.with(&json!({}), &json!({"tokenFile": "none"}))).await.works("a file that is not there");
}

/// Keys and certificates of a user that Go's crypto/tls takes.
#[tokio::test(flavor = "multi_thread")]
async fn client_certificates_of_every_kind_are_shown() {
    let place = Place::new().await;
    let authority = &place.authority;
    let plain = authority.sign(&[], |_| ());
    let old = Pair::fixed(include_str!("support/certificates/v1.crt"), include_str!("support/certificates/v1.key"));
    let mut rows = vec![
        (
            "text before, CRLF",
            Pair::fixed(
                &format!("Bag Attributes\n    friendlyName: x\n{}", plain.certificate).replace('\n', "\r\n"),
                &format!("subject=CN = x\n{}", plain.key).replace('\n', "\r\n"),
            ),
        ),
        (
            "parameters of the curve",
            Pair::fixed(
                &plain.certificate,
                &format!("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{}", plain.key),
            ),
        ),
        ("a chain", Pair::fixed(&format!("{}{}", plain.certificate, authority.pair.certificate), &plain.key)),
        ("version 1", old),
    ];
    for (name, algorithm) in [
        ("P-256", &rcgen::PKCS_ECDSA_P256_SHA256),
        ("P-384", &rcgen::PKCS_ECDSA_P384_SHA384),
        ("P-521", &rcgen::PKCS_ECDSA_P521_SHA512),
        ("Ed25519", &rcgen::PKCS_ED25519),
        ("RSA", &rcgen::PKCS_RSA_SHA256),
    ] {
        rows.push((name, authority.sign_with(algorithm, &[], |_| ())));
    }
    for (name, pair) in rows {
        let before = place.front.seen().len();
        let user = json!({"token": "-", "client-certificate-data": BASE64_STANDARD.encode(&pair.certificate),
            "client-key-data": BASE64_STANDARD.encode(&pair.key)});
        place.snapshot(&place.with(&json!({}), &user)).await.works(name);
        assert!(place.front.seen().len() > before, "{name} was shown");
        // The same from a plugin.
        let status = json!({"status": {"clientCertificateData": pair.certificate, "clientKeyData": pair.key}});
        let printed = place.write("credential.json", &status.to_string());
        let before = place.front.seen().len();
        let user = json!({"token": "-", "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/cat",
            "args": [printed], "interactiveMode": "Never"}});
        place.snapshot(&place.with(&json!({}), &user)).await.works(&format!("{name} of a plugin"));
        assert!(place.front.seen().len() > before, "{name} of a plugin was shown");
    }
}

/// What kubectl refuses as well is refused before anything is sent, with context, user or cluster, field and file.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_named() {
    let place = Place::new().await;
    let data = |text: &str| BASE64_STANDARD.encode(text);
    let (client, other) = (&place.client, place.authority.sign(&[], |_| ()));
    let short = [include_str!("support/certificates/rsa1024.crt"), include_str!("support/certificates/rsa1024.key")];
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let (key, certificate) = (place.write("other.key", &other.key), place.write("client.crt", &client.certificate));
    place.write("empty", " \n");
    place.write("two-lines", "good-token\nmore\n");
    let plugin = |status: Value| {
        let text = json!({"status": status}).to_string();
        json!({"token": "-", "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/echo", "args": [text],
            "interactiveMode": "Never"}})
    };
    let nothing = json!({});
    let mut blank = data(&client.certificate);
    blank.insert(10, ' ');
    let rows = [
        (json!({"certificate-authority-data": "-", "certificate-authority": "none.crt"}), nothing.clone()),
        (json!({"certificate-authority": "ca.crt"}), nothing.clone()),
        (json!({"certificate-authority-data": data("hello")}), nothing.clone()),
        (json!({"certificate-authority-data": "LS0t LS0t"}), nothing.clone()),
        (json!({"certificate-authority-data": "LS0"}), nothing.clone()),
        (json!({"insecure-skip-tls-verify": true}), nothing.clone()),
        (json!({"server": ""}), nothing.clone()),
        (json!({"server": "ftp://api"}), nothing.clone()),
        (json!({"tls-server-name": "not a name"}), nothing.clone()),
        (json!({"proxy-url": "socks4://u:secret@127.0.0.1:1"}), nothing.clone()),
        (nothing.clone(), json!({"client-certificate-data": blank, "client-key-data": data(&client.key)})),
        (nothing.clone(), json!({"client-certificate": "none.crt", "client-key": key})),
        (nothing.clone(), json!({"client-certificate": certificate, "client-key": "none.key"})),
        (nothing.clone(), json!({"client-certificate": certificate})),
        (nothing.clone(), json!({"client-certificate": certificate, "client-key": key})),
        (
            nothing.clone(),
            json!({"client-certificate": certificate, "client-certificate-data": data(&client.certificate)}),
        ),
        (
            nothing.clone(),
            json!({"client-certificate": certificate, "client-key": key, "client-key-data": data(&client.key)}),
        ),
        (
            nothing.clone(),
            json!({"client-certificate-data": data(&client.certificate), "client-key-data": data(&other.key)}),
        ),
        (nothing.clone(), json!({"client-certificate-data": data(short[0]), "client-key-data": data(short[1])})),
        (
            nothing.clone(),
            json!({"client-certificate-data": data(&client.certificate), "client-key-data": data(locked)}),
        ),
        (nothing.clone(), json!({"token": "good-token\n"})),
        (nothing.clone(), json!({"token": "-", "tokenFile": "none"})),
        (nothing.clone(), json!({"token": "-", "tokenFile": "empty"})),
        (nothing.clone(), json!({"token": "-", "tokenFile": "two-lines"})),
        (nothing.clone(), json!({"username": "u", "password": "p"})),
        (nothing.clone(), json!({"as": "x\ny"})),
        (nothing.clone(), json!({"token": "-", "auth-provider": {"name": "gcp"}})),
        (nothing.clone(), json!({"token": ["good-token"]})),
        (
            nothing.clone(),
            json!({"token": "-", "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": ""}}),
        ),
        (nothing.clone(), json!({"exec": {"command": "x", "interactiveMode": "Never"}})),
        (nothing.clone(), json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "x"}})),
        (
            nothing.clone(),
            json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "x", "interactiveMode": "Maybe"}}),
        ),
        (
            nothing.clone(),
            json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "x", "env": [{"value": "1"}]}}),
        ),
        (
            nothing.clone(),
            json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "x"},
                "auth-provider": {"name": "oidc"}}),
        ),
        (nothing.clone(), plugin(json!({"token": "good-token\nmore"}))),
        (nothing.clone(), plugin(json!({"clientCertificateData": client.certificate, "clientKeyData": other.key}))),
        (nothing.clone(), plugin(json!({"clientCertificateData": client.certificate}))),
    ];
    let mut lines = Vec::new();
    for (cluster, user) in &rows {
        let outcome = place.snapshot(&place.with(cluster, user)).await;
        lines.push(outcome.refused(&format!("{cluster} {user}")).to_owned());
    }
    insta::assert_snapshot!("refused_kubeconfigs", lines.join("\n"));
    assert_eq!(place.api.asked().len(), 0, "nothing was sent");
}

/// A kubeconfig that can be read once: `--kubeconfig <(sops -d config.enc)`.
#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_may_come_through_a_pipe() {
    let place = Place::new().await;
    let file = place.write("good", &place.good().to_string());
    for (feed, works) in
        [("cat \"$2\"", true), ("head -c 200 \"$2\"; sleep 0.3; tail -c +201 \"$2\"", true), ("true", false)]
    {
        for how in [
            "\"$1\" snapshot -o json --pricing off --kubeconfig",
            "KUBECONFIG=\"$0\" \"$1\" snapshot -o json --pricing off #",
        ] {
            let script = match how.strip_suffix(" #") {
                Some(how) => how.replace("\"$0\"", &format!("<({feed})")),
                None => format!("{how} <({feed})"),
            };
            let mut command = Command::new("bash");
            command.args(["-c", &script, "bash", env!("CARGO_BIN_EXE_nodeglass")]).arg(&file);
            command
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap())
                .env("HOME", "/nonexistent")
                .stdin(Stdio::null());
            let outcome = place.run(command).await;
            if works {
                outcome.works(&script);
            } else {
                assert_eq!(outcome.code, Some(1), "{script}");
                assert!(outcome.err.contains("/dev/fd/") && outcome.err.contains("no contexts"), "{}", outcome.err);
            }
        }
    }
}

/// Paths are relative to the file that they stand in, also when several files are merged.
#[tokio::test(flavor = "multi_thread")]
async fn paths_are_relative_to_their_own_file() {
    let place = Place::new().await;
    let dirs = ["one", "two"].map(|name| place.dir().join(name));
    for dir in &dirs {
        fs::create_dir(dir).unwrap();
    }
    fs::write(dirs[0].join("ca.crt"), &place.authority.pair.certificate).unwrap();
    fs::write(dirs[1].join("token"), "good-token\n").unwrap();
    let mut first =
        place.with(&json!({"certificate-authority-data": "-", "certificate-authority": "ca.crt"}), &json!({}));
    let mut second = place.with(&json!({}), &json!({"token": "-", "tokenFile": "token"}));
    first["users"] = json!([]);
    first["current-context"] = json!("");
    second["clusters"] = Value::Null;
    let files = [first, second].map(|config| config.to_string());
    let paths = [dirs[0].join("config"), dirs[1].join("config")];
    for (path, text) in paths.iter().zip(files) {
        fs::write(path, text).unwrap();
    }
    let list = std::env::join_paths(&paths).unwrap();
    place.run(nodeglass(Path::new(&list), "60s")).await.works("two files");
    assert_eq!(place.api.asked_for(NODES)[0].headers["authorization"], "Bearer good-token");
}

/// Certificates of servers that Go's x509.Verify trusts.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_kubectl_trusts_are_trusted() {
    let names = ["127.0.0.1"];
    let ours = || Authority::new("cluster-ca");
    let leaf = |pair: &Pair| json!({"certificate-authority-data": BASE64_STANDARD.encode(&pair.certificate)});
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let p521 = &rcgen::PKCS_ECDSA_P521_SHA512;
    let curve_authority = Authority::with("p521", p521);
    let rows = [
        ("its own certificate is the authority", ours().sign(&names, |_| ()), None),
        ("self-signed", tls::self_signed(&names, |_| ()), None),
        ("self-signed and an authority", tls::self_signed(&names, tls::authority), None),
        ("signed by another, and an authority", ours().sign(&names, tls::authority), None),
        ("by tls-server-name", ours().sign(&["kubernetes"], |_| ()), Some(json!({"tls-server-name": "kubernetes"}))),
        (
            "not verified at all",
            ours().sign(&["other"], |_| ()),
            Some(json!({"certificate-authority-data": "-", "insecure-skip-tls-verify": true})),
        ),
    ];
    for (what, pair, cluster) in rows {
        let place = Place::of(ours(), &pair, Clients::Any).await;
        let mut config = place.with(&leaf(&pair), &json!({}));
        if let Some(cluster) = cluster {
            config = place.with(&leaf(&pair), &json!({}));
            for (key, value) in cluster.as_object().unwrap() {
                let target = config["clusters"][0]["cluster"].as_object_mut().unwrap();
                if value == "-" { drop(target.remove(key)) } else { drop(target.insert(key.clone(), value.clone())) }
            }
        }
        place.snapshot(&config).await.works(what);
    }
    let place = Place::new().await;
    let bundle = format!("{broken}{}{broken}", place.authority.pair.certificate);
    let bundle = json!({"certificate-authority-data": BASE64_STANDARD.encode(bundle)});
    place.snapshot(&place.with(&bundle, &json!({}))).await.works("one unreadable certificate among good ones");
    let server = place.authority.sign_with(p521, &names, |_| ());
    let Place { authority, .. } = place;
    let place = Place::of(authority, &server, Clients::Any).await;
    place.snapshot(&place.good()).await.works("a server's key on P-521");
    let server = curve_authority.sign(&names, |_| ());
    let place = Place::of(curve_authority, &server, Clients::Any).await;
    place.snapshot(&place.good()).await.works("an authority's key on P-521");
}

/// A certificate that does not verify is no server that cannot be reached: the words name the cause, and the snapshot ends
/// at once, without one warning for each stream.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_trusted_is_refused_with_the_cause() {
    let names = ["127.0.0.1"];
    let ours = || Authority::new("cluster-ca");
    let past = |params: &mut rcgen::CertificateParams| params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let later = |params: &mut rcgen::CertificateParams| params.not_before = rcgen::date_time_ymd(2110, 1, 1);
    let old = Pair::fixed(include_str!("support/certificates/v1.crt"), include_str!("support/certificates/v1.key"));
    let mut lines = Vec::new();
    let with = |authority: Authority, change: &dyn Fn(&mut rcgen::CertificateParams), names: &[&str]| {
        let pair = authority.sign(names, change);
        (authority, pair, Clients::Any)
    };
    let rows = [
        (ours(), Authority::new("other-ca").sign(&names, |_| ()), Clients::Any),
        (ours(), ours().sign(&names, |_| ()), Clients::Any),
        (ours(), tls::self_signed(&names, |_| ()), Clients::Any),
        with(ours(), &past, &names),
        with(ours(), &later, &names),
        with(ours(), &|_| (), &["api.example", "10.0.0.1"]),
        with(ours(), &|_| (), &[]),
        with(ours(), &tls::for_clients, &names),
        with(ours(), &tls::authority, &names),
        (ours(), Authority::new("other-ca").sign(&names, tls::authority), Clients::Any),
        (ours(), tls::self_signed(&names, tls::authority), Clients::Any),
        (ours(), old, Clients::Any),
        with(Authority::made("old-ca", &rcgen::PKCS_ECDSA_P256_SHA256, past), &|_| (), &names),
        with(Authority::made("next-ca", &rcgen::PKCS_ECDSA_P256_SHA256, later), &|_| (), &names),
    ];
    for (authority, pair, clients) in rows {
        let place = Place::of(authority, &pair, clients).await;
        let outcome = place.snapshot(&place.good()).await;
        lines.push(outcome.refused("a server that is not trusted").to_owned());
        assert_eq!(outcome.out, "");
    }
    let short = Pair::fixed(
        include_str!("support/certificates/by-rsa1536.crt"),
        include_str!("support/certificates/by-rsa1536.key"),
    );
    let place = Place::of(ours(), &short, Clients::Any).await;
    let data = BASE64_STANDARD.encode(include_str!("support/certificates/rsa1536-ca.crt"));
    let outcome = place.snapshot(&place.with(&json!({"certificate-authority-data": data}), &json!({}))).await;
    lines.push(outcome.refused("an authority with a short key").to_owned());
    // Trusted by itself does not mean trusted for another name, for ever, or for everything.
    for pair in [ours().sign(&["other"], |_| ()), ours().sign(&names, past), ours().sign(&names, tls::for_clients)] {
        let place = Place::of(ours(), &pair, Clients::Any).await;
        let itself = json!({"certificate-authority-data": BASE64_STANDARD.encode(&pair.certificate)});
        let outcome = place.snapshot(&place.with(&itself, &json!({}))).await;
        lines.push(outcome.refused("a server that is its own authority").to_owned());
    }
    for clients in [Clients::Required, Clients::Expired] {
        let authority = ours();
        let pair = authority.sign(&names, |_| ());
        let place = Place::of(authority, &pair, clients).await;
        let user = match clients {
            Clients::Expired => json!({"client-certificate-data": BASE64_STANDARD.encode(&place.client.certificate),
                "client-key-data": BASE64_STANDARD.encode(&place.client.key)}),
            Clients::Any | Clients::Required => json!({}),
        };
        let outcome = place.snapshot(&place.with(&json!({}), &user)).await;
        lines.push(outcome.refused("a server that asks for more").to_owned());
    }
    // A server without TLS.
    let place = Place::new().await;
    let plain = place.api.address.replace("http://", "https://");
    let outcome = place.snapshot(&place.with(&json!({"server": plain}), &json!({}))).await;
    lines.push(outcome.refused("no TLS").replace(&plain, "https://PLAIN"));
    // How long ago depends on today.
    let lines: Vec<String> = lines.iter().map(|line| without_spans(line)).collect();
    insta::assert_snapshot!("servers_not_trusted", lines.join("\n"));
}

/// Replaces the numbers before `days`.
fn without_spans(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_span = |i: usize| words.get(i + 1).is_some_and(|next| next.starts_with("days"));
    let shown = |(i, word): (usize, &&str)| {
        if is_span(i) { word.replace(|c: char| c.is_ascii_digit(), "") + "N" } else { (*word).to_owned() }
    };
    words.iter().enumerate().map(shown).collect::<Vec<_>>().join(" ")
}

/// Every cause has its own advice in `nodeglass doctor`, which is never about the network.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_advises_on_certificates_tokens_and_proxies() {
    let authority = Authority::new("cluster-ca");
    let pair = authority.sign(&["other"], |_| ());
    let place = Place::of(authority, &pair, Clients::Any).await;
    let rows = [
        (json!({}), json!({}), "server", "tls-server-name"),
        (
            json!({"certificate-authority-data": BASE64_STANDARD.encode(&place.client.certificate)}),
            json!({}),
            "server",
            "certificate-authority-data",
        ),
        (json!({}), json!({"token": "x\ny"}), "kubeconfig", "in one line"),
        (json!({"proxy-url": "http://127.0.0.1:1"}), json!({}), "server", "the proxy runs"),
    ];
    for (cluster, user, check, advice) in rows {
        let path = place.write("kubeconfig", &place.with(&cluster, &user).to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
        command.args(["doctor", "-o", "json", "--pricing", "off", "--timeout", "5s"]);
        command.env_clear().env("HOME", "/nonexistent").env("KUBECONFIG", path).stdin(Stdio::null());
        let outcome = place.run(command).await;
        let report: Value = serde_json::from_str(&outcome.out).unwrap();
        let sections = report["sections"].as_array().unwrap();
        let mut findings = sections.iter().flat_map(|section| section["findings"].as_array().unwrap());
        let finding = findings.find(|finding| finding["check"] == check).unwrap();
        assert_eq!(finding["verdict"], "failed", "{finding}");
        let mend = finding["mend"].as_str().unwrap();
        assert!(mend.contains(advice) && !mend.contains("VPN"), "{finding}");
    }
}

/// kubernetes.io, "Use a SOCKS5 Proxy to Access the Kubernetes API": the proxy resolves the name of the server.
#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_used_as_kubectl_uses_them() {
    let place = Place::new().await;
    let name = "https://api.private.example:6443";
    for (scheme, manner) in [("socks5", Manner::Socks5), ("http", Manner::Http)] {
        let proxy = ScriptedProxy::start(manner, &place.front.address).await;
        let url = format!("{scheme}://{}", proxy.address);
        let cluster = json!({"server": name, "proxy-url": url});
        place.snapshot(&place.with(&cluster, &json!({}))).await.works(&url);
        // From the environment, for hosts that NO_PROXY does not name.
        let path = place.write("kubeconfig", &place.with(&json!({"server": name}), &json!({})).to_string());
        let mut command = nodeglass(&path, "60s");
        command.env("HTTPS_PROXY", &url).env("NO_PROXY", "127.0.0.1,other.example");
        place.run(command).await.works(&format!("{url} from the environment"));
        let asked = proxy.asked();
        assert!(!asked.is_empty() && asked.iter().all(|to| to == "api.private.example:6443"), "{asked:?}");
    }
    // This machine is reached without the proxy of the environment, as with Go.
    let path = place.write("kubeconfig", &place.good().to_string());
    let mut command = nodeglass(&path, "60s");
    command.env("HTTPS_PROXY", "http://127.0.0.1:1");
    place.run(command).await.works("loopback");
}

/// A fault behind a proxy names the proxy and where it is configured, without its password.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_behind_a_proxy_names_it() {
    let place = Place::new().await;
    let name = "https://api.private.example:6443";
    let mut lines = Vec::new();
    let manners = [
        ("socks5", None),
        ("http", None),
        ("socks5", Some(Manner::Socks5Unreachable)),
        ("http", Some(Manner::HttpStatus(407))),
        ("http", Some(Manner::HttpStatus(403))),
    ];
    for (scheme, manner) in manners {
        let proxy = match manner {
            Some(manner) => ScriptedProxy::start(manner, "127.0.0.1:1").await.address,
            None => "127.0.0.1:1".to_owned(),
        };
        // The scripted proxy of SOCKS wants no password.
        let user = if manner == Some(Manner::Socks5Unreachable) { "" } else { "user:secret@" };
        let url = format!("{scheme}://{user}{proxy}");
        let config = place.with(&json!({"server": name, "proxy-url": url}), &json!({})).to_string();
        let path = place.write("kubeconfig", &config);
        let outcome = place.run(nodeglass(&path, "1s")).await;
        assert_eq!(outcome.code, Some(1));
        let line = outcome.err.lines().next().unwrap().replace(&proxy, "PROXY");
        assert!(!outcome.err.contains("secret") && !outcome.err.contains("resolve"), "{}", outcome.err);
        lines.push(line);
    }
    let server = place.authority.sign(&["elsewhere"], |_| ());
    let front = Front::start(&server, Clients::Any, &place.api.address).await;
    let proxy = ScriptedProxy::start(Manner::Http, &front.address).await;
    let url = format!("http://{}", proxy.address);
    let outcome = place.snapshot(&place.with(&json!({"server": name, "proxy-url": url}), &json!({}))).await;
    lines.push(outcome.refused("a certificate behind a proxy").replace(&proxy.address, "PROXY"));
    insta::assert_snapshot!("faults_behind_a_proxy", lines.join("\n"));
}
