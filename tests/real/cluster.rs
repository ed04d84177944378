//! One control plane of `tests/cluster`, from its start to its removal, and the program run against it once.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Clusters are started one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The users of `tests/cluster/users.yaml`.
#[derive(Clone, Copy, Debug)]
pub enum User {
    /// May do everything; only kubectl asks as this one.
    Admin,
    /// May read what the README's role allows.
    Viewer,
    /// As the viewer, but not nodes.
    NoNodes,
    /// As the viewer, but not pods.
    NoPods,
    /// May read nothing.
    Nobody,
}

impl User {
    const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
            Self::NoNodes => "no-nodes",
            Self::NoPods => "no-pods",
            Self::Nobody => "nobody",
        }
    }
}

/// A running control plane; removed when dropped, also by a test that fails.
pub struct Cluster {
    home: TempDir,
    port: u16,
    kubernetes: &'static str,
    _alone: MutexGuard<'static, ()>,
}

impl Cluster {
    /// Starts all of it, of the newest version, in a directory and on ports of its own.
    pub fn start() -> Self {
        Self::start_with("1.37", &[])
    }

    /// Starts etcd and an API server of `1.36` or `1.37` alone: nothing moves by itself.
    pub fn start_core(kubernetes: &'static str) -> Self {
        Self::start_with(kubernetes, &["core"])
    }

    fn start_with(kubernetes: &'static str, arguments: &[&str]) -> Self {
        // A test that failed while it held the lock has removed its cluster all the same.
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let home =
            tempfile::Builder::new().prefix("nodeglass-real-").tempdir().expect("a temporary directory can be made");
        let cluster = Self { home, port: nine_free_ports(), kubernetes, _alone: alone };
        cluster.run("up.sh", arguments);
        cluster
    }

    /// An empty directory for what else belongs to the test, such as the program's home.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("cluster")
    }

    /// A user's kubeconfig.
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        self.dir().join(format!("{}.kubeconfig", user.name()))
    }

    /// Runs a script of `tests/cluster` and fails with its output if it fails.
    pub fn run(&self, script: &str, arguments: &[&str]) {
        succeed(self.script(script).args(arguments));
    }

    fn script(&self, script: &str) -> Command {
        let mut command = Command::new(path("tests/cluster").join(script));
        command.env("CLUSTER_DIR", self.dir()).env("CLUSTER_PORT", self.port.to_string());
        command.env("CLUSTER_KUBERNETES", self.kubernetes);
        command
    }

    /// kubectl as the admin; what it prints.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        String::from_utf8(succeed(&mut self.kubectl_command(arguments)).stdout).expect("kubectl prints UTF-8")
    }

    /// The same where a failure is expected to pass.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.kubectl_command(arguments).output().expect("kubectl can be run");
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).expect("kubectl prints UTF-8"))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// `kubectl describe nodes`. It lists them, then reads each: one that goes in between is not found, and the others are
    /// described all the same.
    pub fn described_nodes(&self) -> String {
        let mut command = self.kubectl_command(&["describe", "nodes"]);
        let output = command.output().expect("kubectl can be run");
        let errors = String::from_utf8_lossy(&output.stderr);
        let only_gone = errors.lines().all(|line| line.is_empty() || line.contains("(NotFound)"));
        assert!(output.status.success() || only_gone, "kubectl describe nodes ended with {}:\n{errors}", output.status);
        String::from_utf8(output.stdout).expect("kubectl prints UTF-8")
    }

    fn kubectl_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs().join("kubectl"));
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig(User::Admin))
            .args(["--request-timeout", "30s"])
            .args(arguments);
        command
    }

    /// The objects of a kind, in all namespaces, as kubectl prints them.
    pub fn objects(&self, kind: &str) -> Vec<Value> {
        let printed = self.kubectl(&["get", kind, "--all-namespaces", "--output", "json"]);
        let list: Value = serde_json::from_str(&printed).expect("kubectl prints JSON");
        list["items"].as_array().expect("a list").clone()
    }

    /// The sums of each node's pods by kube-scheduler's code of a version. `pods` is what kubectl prints of them as JSON.
    pub fn oracle(&self, kubernetes: &str, pods: &str) -> Value {
        let file = self.home().join("pods.json");
        fs::write(&file, pods).expect("a file can be written");
        let pods = fs::File::open(&file).expect("the file is there");
        let output = succeed(Command::new(programs().join(format!("oracle-{kubernetes}"))).stdin(pods));
        serde_json::from_slice(&output.stdout).expect("the oracle prints JSON")
    }

    /// Applies a file of this repository.
    pub fn apply(&self, file: &str) {
        let file = path(file);
        self.kubectl(&["apply", "--filename", file.to_str().expect("a path in UTF-8")]);
    }

    /// `nodeglass snapshot --output json` as a user.
    pub fn snapshot(&self, user: User) -> Snapshot {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
        command.env_clear().envs(self.environment(user)).stdin(Stdio::null());
        let output = command.args(["snapshot", "--output", "json", "--timeout", "60s"]).output();
        let output = output.expect("the program can be run");
        let errors = String::from_utf8(output.stderr).expect("messages are UTF-8");
        let json = serde_json::from_slice(&output.stdout);
        Snapshot {
            json: json.unwrap_or_else(|error| panic!("the snapshot is not JSON: {error}; stderr: {errors}")),
            status: output.status.code().expect("the program ends by itself"),
            errors,
        }
    }

    /// The environment in which the program runs: this cluster, and nothing that could play a part.
    pub fn environment(&self, user: User) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("KUBECONFIG", self.kubeconfig(user)),
            ("HOME", self.home().to_owned()),
            ("LANG", "C.UTF-8".into()),
            // No test asks AWS.
            ("NODEGLASS_PRICING", "offline".into()),
        ]
    }

    /// The requests of a user, from the audit log of the API server.
    pub fn audit(&self, user: &str) -> Vec<Value> {
        let log = fs::read_to_string(self.dir().join("logs/audit.log")).expect("there is an audit log");
        let requests = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("the audit log is JSON"));
        requests.filter(|request| request["user"]["username"] == user).collect()
    }
}

/// What `snapshot` printed and how it ended.
pub struct Snapshot {
    /// Standard output.
    pub json: Value,
    /// The exit code.
    pub status: i32,
    /// Standard error.
    pub errors: String,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let output = self.script("down.sh").output();
        // A second panic while the first unwinds would hide what failed.
        if !thread::panicking() {
            assert!(output.expect("down.sh can be run").status.success(), "the cluster could not be removed");
        }
    }
}

/// Something of this repository.
pub fn path(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(inside)
}

/// Where build.sh has put the programs.
fn programs() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("CLUSTER_BIN").unwrap_or_else(|| {
        let cache = set("XDG_CACHE_HOME").unwrap_or_else(|| set("HOME").expect("HOME is set").join(".cache"));
        cache.join("nodeglass-cluster/bin")
    })
}

/// Runs a command and fails with its output if it fails.
fn succeed(command: &mut Command) -> Output {
    let output =
        command.output().unwrap_or_else(|error| panic!("failed to run {}: {error}", command.get_program().display()));
    let arguments: Vec<&OsStr> = command.get_args().collect();
    assert!(
        output.status.success(),
        "{} {arguments:?} ended with {}:\n{}{}",
        command.get_program().display(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// The first of nine free ports. Below those that the system gives to clients.
fn nine_free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    // Begin at a port that concurrent runs of this suite are unlikely to use.
    let begin = 20_000 + (std::process::id() % 1_000) as u16 * 10;
    let mut blocks = (begin..32_000).step_by(10).chain((20_000..begin).step_by(10));
    blocks.find(|&first| (first..first + 9).all(free)).expect("nine ports in a row are free")
}

/// The item of that name in a list of the snapshot.
pub fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let item = list.as_array().expect("a list").iter().find(|item| item["name"] == name);
    item.unwrap_or_else(|| panic!("{name} is not in {list}"))
}

/// Retries until it succeeds, and fails with the last reason at the timeout.
pub fn eventually<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let begin = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) if begin.elapsed() > patience => panic!("waited {patience:?} in vain for {what}: {why}"),
            Err(_) => thread::sleep(Duration::from_millis(250)),
        }
    }
}
