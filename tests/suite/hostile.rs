//! Hostile text: control characters in objects or a kubeconfig must not reach a terminal, report, log or clipboard.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{Answer, ApiServer, CLAIMS, EVENTS, NODES, PODS, POOLS};
use crate::support::pty::{Terminal, until};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Everything that must not come out: each is marked, so that it cannot be taken for the program's own.
const EVIL: [&str; 14] = [
    "\u{1b}]0;OWNED\u{7}",           // sets the window's title
    "\u{1b}]52;c;T1dORUQ=\u{7}",     // writes the clipboard
    "\u{1b}[31;41mOWNED",            // colours
    "\u{1b}[99;99HOWNED",            // moves the cursor
    "\u{1b}[?1049lOWNED",            // leaves the alternate screen
    "\u{1b}P1$rOWNED\u{1b}\\",       // device control
    "\u{9b}31mOWNED",                // the eight-bit form
    "\u{9d}0;OWNED\u{9c}",           // likewise
    "OWN\rED\u{8}\u{7f}",            // overwrites what stands before
    "OWN\u{0}\u{c}\u{b}\u{e}ED",     // other controls
    "OWN\u{202e}DE\u{202c}",         // right to left
    "OWN\u{2066}ED\u{2069}",         // isolates
    "OWN\u{200b}\u{200d}\u{feff}ED", // zero width
    "OWN\u{e0041}\u{ad}\u{2028}ED",  // tags, soft hyphen, line separator
];

/// Whether a character of this list may come out of the program.
fn is_evil(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// All of it at once, after a word that can be waited for.
fn evil(word: &str) -> String {
    format!("{word}{}", EVIL.concat())
}

async fn cluster() -> (ApiServer, PathBuf) {
    let server = ApiServer::start().await;
    server.refuses_streaming_lists();
    let list = |path, items: &[Value]| server.on_list(path, [Answer::page("7", "", items)]);
    let labels = json!({
        "karpenter.sh/nodepool": evil("pool"), "node.kubernetes.io/instance-type": evil("type"),
        "topology.kubernetes.io/zone": evil("zone"), "topology.kubernetes.io/region": evil("region"),
        "karpenter.sh/capacity-type": evil("buy"), "kubernetes.io/arch": evil("arch"), evil("key"): evil("value"),
        "eks-node-viewer/instance-price": evil("price"),
    });
    list(
        NODES,
        &[json!({
            "metadata": {"name": evil("i-evil"), "uid": evil("uid"), "resourceVersion": "1", "labels": labels,
                "creationTimestamp": "2026-01-02T03:04:05Z"},
            "spec": {"providerID": format!("aws:///zone/{}", evil("i-id")),
                "taints": [{"key": evil("taint"), "value": evil("value"), "effect": evil("NoSchedule")}]},
            "status": {
                "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "58", evil("example.com/gpu"): "2"},
                "nodeInfo": {"kubeletVersion": evil("v1"), "osImage": evil("os")},
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": evil("Reason"), "message": evil("condition")},
                    {"type": evil("Odd"), "status": "True", "reason": evil("Reason"), "message": evil("condition")},
                ],
            },
        })],
    );
    list(
        PODS,
        &[
            json!({"metadata": {"namespace": evil("ns"), "name": evil("pod"), "uid": "u1", "resourceVersion": "1",
            "ownerReferences": [{"kind": evil("Kind"), "name": evil("owner"), "controller": true, "uid": "o", "apiVersion": "v1"}]},
            "spec": {"nodeName": evil("i-evil"), "containers": [{"name": "a", "resources": {"requests": {"cpu": evil("1")}}}]},
            "status": {"phase": "Pending",
                "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": evil("Waiting")}}}]}}),
            json!({"metadata": {"namespace": "ns", "name": evil("lonely"), "uid": "u2", "resourceVersion": "1"},
            "spec": {"containers": [{"name": "a"}]},
            "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
                "reason": "Unschedulable", "message": evil("0/1 nodes are available: 1 Insufficient")}]}}),
        ],
    );
    list(
        CLAIMS,
        &[json!({"metadata": {"name": evil("claim"), "uid": "c", "resourceVersion": "1"},
        "status": {"conditions": [{"type": "Launched", "status": "False", "reason": evil("Failed"), "message": evil("launch")}]}})],
    );
    list(
        POOLS,
        &[json!({"metadata": {"name": evil("pool"), "uid": "p", "resourceVersion": "1"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "reason": evil("NotReady"), "message": evil("why")}]}})],
    );
    list(
        EVENTS,
        &[json!({"metadata": {"namespace": "ns", "name": "e", "uid": "e", "resourceVersion": "1"},
        "type": "Warning", "reason": evil("Reason"), "message": evil("message"), "count": 1,
        "source": {"component": evil("component")}, "lastTimestamp": "2026-01-02T03:04:05Z",
        "involvedObject": {"kind": evil("Node"), "name": evil("i-evil")}})],
    );
    server.on_all("/apis/policy/v1/poddisruptionbudgets", &Answer::status(403, &evil("pdb is forbidden")));
    server.on_all("/version", &Answer::json(&json!({"major": "1", "minor": evil("36"), "gitVersion": evil("v")})));
    let context = quoted(&evil("context"));
    let path = server.dir().join("evil");
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {context}\n\
         clusters: [{{name: c, cluster: {{server: \"{}\"}}}}]\nusers: [{{name: {context}, user: {{token: t}}}}]\n\
         contexts: [{{name: {context}, context: {{cluster: c, user: {context}}}}}]\n",
        server.address
    );
    std::fs::write(&path, kubeconfig).unwrap();
    (server, path)
}

/// A text in YAML's double quotes.
fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if is_evil(c) => format!("\\U{:08x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// Nothing hostile, line ends aside.
#[track_caller]
fn harmless(text: &str, what: &str) {
    for (number, line) in text.split('\n').enumerate() {
        let bad: Vec<char> = line.chars().filter(|c| is_evil(*c)).collect();
        assert!(bad.is_empty(), "{what}, line {number} holds {bad:?}: {line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_messages_and_logs_hold_no_control_character() {
    let (server, kubeconfig) = cluster().await;
    server.on_all(EVENTS, &Answer::status(403, &evil("events is forbidden")));
    for format in ["table", "json", "csv"] {
        let log = server.dir().join(format!("log-{format}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
        command
            .args(["snapshot", "--timeout", "60s", "-o", format, "--log-filter", "nodeglass=trace,kube_client=debug"])
            .arg("--log-file")
            .arg(&log)
            .env_clear()
            .env("HOME", server.dir())
            .env("NODEGLASS_PRICING", "offline")
            .env("KUBECONFIG", &kubeconfig)
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let (out, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(1), "a kind is denied: {stderr}");
        assert!(out.contains("i-evil") && stderr.contains("events is forbidden"), "{out}\n{stderr}");
        harmless(&out, format);
        harmless(&stderr, "stderr");
        harmless(&std::fs::read_to_string(&log).unwrap(), "the log");
        if format == "json" {
            // Neither written out as an escape.
            let report: Value = serde_json::from_str(&out).unwrap();
            let mut values = vec![report];
            while let Some(value) = values.pop() {
                match value {
                    Value::String(text) => harmless(&text.replace('\n', "\u{0}"), "a field of the JSON"),
                    Value::Array(more) => values.extend(more),
                    Value::Object(fields) => values.extend(fields.into_iter().flat_map(|(k, v)| [Value::String(k), v])),
                    Value::Null | Value::Bool(_) | Value::Number(_) => {}
                }
            }
        }
    }
}

#[test]
fn an_error_that_quotes_a_file_holds_no_control_character() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    for (text, flag) in [
        (format!("apiVersion: v1\nkind: Config\ncurrent-context: \"{}\"\n", evil("context")), "--kubeconfig"),
        (format!("cluster = {{ region = \"{}\" }}\n", evil("word")), "--scenario"),
        (format!("sort = \"{}\"\n{} = 1\n", evil("sort"), evil("key")), "--config"),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
        command.args(["snapshot", flag]).arg(&file).env_clear().env("HOME", dir.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(!output.status.success(), "{flag}");
        harmless(&String::from_utf8(output.stderr).unwrap(), flag);
    }
}

/// What a terminal got apart from the program's own sequences: no operating system command but its own copy, no device
/// control, no control character.
#[track_caller]
fn terminal_is_safe(bytes: &[u8], copied: usize) {
    let text = std::str::from_utf8(bytes).unwrap();
    for (at, evil) in EVIL.iter().enumerate() {
        assert!(!text.contains(evil), "sequence {at} of the list reached the terminal");
    }
    let mut commands = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match rest.next() {
                // A control sequence: parameters, then one letter.
                Some('[') => while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                Some(']') => {
                    let mut command = String::new();
                    while let Some(c) = rest.next().filter(|c| *c != '\u{7}' && *c != '\u{1b}') {
                        command.push(c);
                    }
                    if rest.peek() == Some(&'\\') {
                        rest.next();
                    }
                    assert!(command.starts_with("52;c;"), "{command}");
                    commands += 1;
                }
                other => panic!("escape {other:?}"),
            },
            '\r' | '\n' => {}
            c => assert!(!is_evil(c), "{c:?} reached the terminal"),
        }
    }
    assert_eq!(commands, copied, "commands to the terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_screen_lets_a_control_character_through() {
    let (server, kubeconfig) = cluster().await;
    let log = server.dir().join("log");
    let log_file = log.to_str().unwrap();
    let mut terminal = Terminal::on_cluster(&kubeconfig, &["--log-file", log_file, "--log-filter", "nodeglass=trace"]);
    terminal.resize(200, 60);
    terminal.shows("i-evil");
    terminal.shows("message");
    // The node's detail, the nodepools, each lane of events, groups, the nodes by every column.
    terminal.press("\r");
    terminal.shows("taint");
    terminal.press("\x1b");
    // An escape is a key of its own only if nothing follows it at once.
    terminal.shows("── nodes");
    terminal.press("p");
    terminal.shows("why");
    terminal.press("\x1b");
    terminal.shows("── nodes");
    for keys in ["g", "g", "g", "g", "g", "v", "c", "w", "w", "w", "w", "f"] {
        terminal.press(keys);
    }
    // The clipboard.
    terminal.press("y");
    terminal.shows("copied i-evil");
    terminal.press("Y");
    terminal.shows("copied i-id");
    terminal.press("q");
    terminal.ends_whole(0);
    let bytes = terminal.bytes();
    terminal_is_safe(&bytes, 2);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    for copy in text.split("\u{1b}]52;c;").skip(1) {
        let payload = copy.split(['\u{7}', '\u{1b}']).next().unwrap_or_default();
        let copied = String::from_utf8(base64(payload)).unwrap();
        assert!(copied.starts_with("i-evil") || copied.starts_with("i-id"), "{copied:?}");
        harmless(&copied.replace('\n', "\u{0}"), "the clipboard");
    }
    harmless(&until("a log", || std::fs::read_to_string(&log).ok(), String::new), "the log");
}

/// Decodes base64.
fn base64(text: &str) -> Vec<u8> {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = text.bytes().filter_map(|b| SIGNS.iter().position(|s| *s == b)).map(|v| v as u8).collect();
    bits.chunks(4)
        .flat_map(|four| {
            let joined = four.iter().fold(0_u32, |sum, v| (sum << 6) | u32::from(*v)) << (6 * (4 - four.len()));
            joined.to_be_bytes()[1..four.len()].to_vec()
        })
        .collect()
}
