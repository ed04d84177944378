//! From options and files to a configuration for one cluster. Nothing here uses the network or runs a program.

use super::aws_hints::AwsHints;
use super::entries::Entries;
use super::kubeconfig::{self, ClientSide, Entry, FieldFault, ServerSide};
use super::options::Options;
use super::proxy;
use super::transport::Way;
use crate::model::About;
use crate::units::text::clean;
use kube::Config;
use kube::config::ExecConfig;
use std::path::{Path, PathBuf};

/// Why no cluster can be connected to. Each text completes "failed to connect: ".
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no kubeconfig anywhere.
    #[error(
        "no kubeconfig: {} does not exist and KUBECONFIG is not set; create one (for EKS: aws eks update-kubeconfig \
         --name <cluster>), or name one with --kubeconfig",
        .looked.display()
    )]
    NoKubeconfig {
        /// Where it was looked for.
        looked: PathBuf,
    },
    /// A kubeconfig that was named cannot be read or understood.
    #[error("kubeconfig {}: {why}", .path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// `KUBECONFIG` names only files that do not exist.
    #[error("kubeconfig {}: no such file; correct KUBECONFIG", .path.display())]
    NoSuchFile {
        /// The first file it names.
        path: PathBuf,
    },
    /// No context is chosen.
    #[error("{files} chooses no context; name one with --context{}", contexts(.known))]
    NoContext {
        /// The files that were read.
        files: String,
        /// The contexts that exist.
        known: Vec<String>,
    },
    /// The context does not exist.
    #[error("context {context:?} is not in {files}{}", contexts(.known))]
    UnknownContext {
        /// The context asked for.
        context: String,
        /// The files that were read.
        files: String,
        /// The contexts that exist.
        known: Vec<String>,
    },
    /// The context's cluster is not there.
    #[error("context {context:?} in {files}: cluster {cluster:?} is not there")]
    NoCluster {
        /// The context.
        context: String,
        /// The files that were read.
        files: String,
        /// The cluster that the context names.
        cluster: String,
    },
    /// A field of the context's user or cluster cannot be used.
    #[error("context {context:?} in {files}: {fault}")]
    Field {
        /// The context.
        context: String,
        /// The files that were read.
        files: String,
        /// Which, and why.
        fault: Box<FieldFault>,
    },
    /// The pod's service account cannot be used.
    #[error("the pod's service account: {}", super::fault::in_words(.cause))]
    InCluster {
        /// What is wrong.
        cause: kube::config::InClusterError,
    },
}

impl ConnectError {
    /// What to do about it, where the message does not say it already.
    pub const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Field { fault, .. } => fault.remedy,
            Self::NoKubeconfig { .. }
            | Self::Kubeconfig { .. }
            | Self::NoSuchFile { .. }
            | Self::NoContext { .. }
            | Self::UnknownContext { .. }
            | Self::NoCluster { .. }
            | Self::InCluster { .. } => None,
        }
    }
}

/// "; known contexts: a, b", at most twelve of them.
fn contexts(known: &[String]) -> String {
    const SHOWN: usize = 12;
    if known.is_empty() {
        return "; it has no contexts".into();
    }
    let more = known.len().saturating_sub(SHOWN);
    let list = known.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { format!("; known contexts: {list}") } else { format!("; known contexts: {list} and {more} more") }
}

/// Where to connect to and as whom.
#[derive(Debug)]
pub(super) struct Target {
    /// The way to the server.
    pub(super) way: Way,
    /// Who we are there, but for what a plugin gives.
    pub(super) identity: ClientSide,
    /// The credential plugin, run by [`super::credentials`].
    pub(super) plugin: Option<ExecConfig>,
    /// The kubeconfig user, for messages.
    pub(super) user: String,
    /// What is known of the cluster before anything was asked.
    pub(super) about: About,
    /// What is said about AWS.
    pub(super) aws: AwsHints,
    /// The kubeconfig files it was chosen from, or the service account, for messages.
    pub(super) origin: String,
}

/// Reads the kubeconfig that the options and the environment point to, or the pod's service account.
pub(super) fn load(options: &Options) -> Result<Target, ConnectError> {
    match read(options)? {
        Source::Files(entries, files) => select(&entries, options, files),
        Source::InCluster => in_cluster(options),
    }
}

enum Source {
    Files(Entries, String),
    InCluster,
}

/// The order of kubectl: the flag, `KUBECONFIG`, `~/.kube/config`, the pod.
fn read(options: &Options) -> Result<Source, ConnectError> {
    let environment = &options.environment;
    let list: Vec<PathBuf> = match (&options.kubeconfig, &environment.kubeconfig) {
        (Some(path), _) => vec![path.clone()],
        // The platform's list separator; empty entries, and so an empty variable, count for nothing.
        (None, Some(value)) => std::env::split_paths(value).filter(|path| !path.as_os_str().is_empty()).collect(),
        (None, None) => Vec::new(),
    };
    if let Some(path) = &options.kubeconfig {
        return Ok(Source::Files(read_files(&[path])?, path.display().to_string()));
    }
    if let Some(first) = list.first() {
        // As in client-go, files that do not exist are passed over as long as one does.
        let there: Vec<&PathBuf> = list.iter().filter(|path| path.exists()).collect();
        if there.is_empty() {
            return Err(ConnectError::NoSuchFile { path: first.clone() });
        }
        let files = there.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        return Ok(Source::Files(read_files(&there)?, files));
    }
    let default = environment.home.clone().unwrap_or_default().join(".kube").join("config");
    if environment.home.is_some() && default.exists() {
        return Ok(Source::Files(read_files(&[&default])?, default.display().to_string()));
    }
    if environment.in_cluster {
        return Ok(Source::InCluster);
    }
    Err(ConnectError::NoKubeconfig { looked: default })
}

fn read_files(paths: &[&PathBuf]) -> Result<Entries, ConnectError> {
    let mut entries = Entries::default();
    for path in paths {
        entries.add(path).map_err(|why| ConnectError::Kubeconfig { path: (*path).clone(), why })?;
    }
    Ok(entries)
}

fn select(entries: &Entries, options: &Options, files: String) -> Result<Target, ConnectError> {
    let known = entries.contexts();
    let chosen = options.context.as_ref().or(entries.current_context.as_ref()).filter(|c| !c.is_empty()).cloned();
    let Some(context) = chosen else {
        return Err(ConnectError::NoContext { files, known });
    };
    let field = |fault| ConnectError::Field { context: context.clone(), files: files.clone(), fault: Box::new(fault) };
    let Some(found) = entries.context(&context) else {
        return Err(ConnectError::UnknownContext { context, files, known });
    };
    let found = found.map_err(field)?;
    let (cluster_name, user_name) = (found.cluster, found.user);
    let Some(cluster) = entries.cluster(&cluster_name) else {
        return Err(ConnectError::NoCluster { context, files, cluster: cluster_name });
    };
    let cluster = cluster.map_err(field)?;
    // A user that does not exist is an anonymous one, as in client-go.
    let user = entries.user(&user_name).transpose().map_err(field)?.unwrap_or_default();
    let (whose_user, whose_cluster) = (Entry::user(&user_name), Entry::cluster(&cluster_name));

    let identity = kubeconfig::client_side(&user, &whose_user).map_err(field)?;
    let server = kubeconfig::server_side(&cluster, &whose_cluster, identity.certificate.is_some()).map_err(field)?;
    let own = cluster.proxy_url.as_deref();
    let proxy = proxy::choose(own, &cluster_name, &options.environment.proxies, &server.address)
        .map_err(|(name, why)| field(whose_cluster.fault(name, why)))?;
    // A token or password of the kubeconfig goes before the plugin, which then is not run (client-go's exec plugin).
    let plugin = user.exec.filter(|_| identity.authorization.is_none()).map(|mut plugin| {
        if plugin.provide_cluster_info {
            // The authorities were read a moment ago.
            plugin.cluster = (&cluster).try_into().ok();
        }
        plugin
    });
    let host = server.address.host().unwrap_or_default().to_owned();
    let aws = AwsHints::from_kubeconfig(plugin.as_ref(), &[&context, &cluster_name], &host);
    let about = about(&context, &server);
    let way = Way::new(server, proxy, options.timing.connect, options.clock.clone())
        .map_err(|why| field(whose_cluster.fault("certificate-authority", why)))?;
    Ok(Target {
        way,
        identity,
        plugin,
        user: clean(&user_name).into_owned(),
        about,
        aws,
        origin: clean(&files).into_owned(),
    })
}

/// The server of the pod we run in, with the pod's service account.
fn in_cluster(options: &Options) -> Result<Target, ConnectError> {
    const CONTEXT: &str = "in-cluster";
    const ORIGIN: &str = "the service account";
    let config = Config::incluster().map_err(|cause| ConnectError::InCluster { cause })?;
    let field = |fault| ConnectError::Field { context: CONTEXT.into(), files: ORIGIN.into(), fault: Box::new(fault) };
    let certificates = config.root_cert.unwrap_or_default();
    let token = config.auth_info.token_file.unwrap_or_default();
    let (authorities, identity) =
        kubeconfig::service_account(&certificates, config.root_cert_file, Path::new(&token)).map_err(field)?;
    let server =
        ServerSide { address: config.cluster_url, authorities: Some(authorities), name: None, compression: true };
    let service_account = Entry::service_account();
    let proxy = proxy::choose(None, CONTEXT, &options.environment.proxies, &server.address)
        .map_err(|(name, why)| field(service_account.fault(name, why)))?;
    let aws = AwsHints::from_kubeconfig(None, &[CONTEXT], server.address.host().unwrap_or_default());
    let about = about(CONTEXT, &server);
    let way = Way::new(server, proxy, options.timing.connect, options.clock.clone())
        .map_err(|why| field(service_account.fault("ca.crt", why)))?;
    Ok(Target { way, identity, plugin: None, user: ORIGIN.into(), about, aws, origin: ORIGIN.into() })
}

fn about(context: &str, server: &ServerSide) -> About {
    About {
        context: clean(context).into_owned(),
        server: clean(&server.address.to_string()).trim_end_matches('/').to_owned(),
        ..About::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::live::Environment;
    use std::fs;

    fn kubeconfig(context: &str, server: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {context}\n\
             clusters: [{{name: c-{context}, cluster: {{server: \"{server}\"}}}}]\n\
             users: [{{name: u-{context}, user: {{token: secret}}}}]\n\
             contexts: [{{name: {context}, context: {{cluster: c-{context}, user: u-{context}}}}}]\n"
        )
    }

    fn in_environment(value: &std::ffi::OsStr) -> Options {
        let environment = Environment { kubeconfig: Some(value.to_owned()), ..Environment::default() };
        Options { environment, ..Options::default() }
    }

    #[test]
    fn kubeconfig_list_uses_platform_separator() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        fs::write(&one, kubeconfig("a", "http://127.0.0.1:1")).unwrap();
        fs::write(&two, kubeconfig("b", "http://127.0.0.1:2")).unwrap();
        let missing = dir.path().join("missing");
        let list = std::env::join_paths([missing.clone(), one, two]).unwrap();
        let mut options = in_environment(&list);
        assert_eq!(load(&options).unwrap().about.context, "a", "the first file that chooses wins");
        options.context = Some("b".into());
        let target = load(&options).unwrap();
        assert_eq!((target.about.server.as_str(), target.user.as_str()), ("http://127.0.0.1:2", "u-b"));
        let only_missing = load(&in_environment(missing.as_os_str())).unwrap_err();
        assert!(only_missing.to_string().contains("missing: no such file"), "{only_missing}");
    }

    #[test]
    fn empty_kubeconfig_variable_is_unset() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".kube")).unwrap();
        fs::write(home.path().join(".kube/config"), kubeconfig("home", "http://127.0.0.1:1")).unwrap();
        let mut options = in_environment(std::ffi::OsStr::new(""));
        options.environment.home = Some(home.path().to_owned());
        assert_eq!(load(&options).unwrap().about.context, "home");
    }

    #[test]
    fn a_wrong_context_lists_those_that_exist() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        fs::write(&file, kubeconfig("prod", "http://127.0.0.1:1")).unwrap();
        let options = Options { kubeconfig: Some(file.clone()), context: Some("prdo".into()), ..Options::default() };
        let error = load(&options).unwrap_err().to_string();
        assert_eq!(error, format!("context \"prdo\" is not in {}; known contexts: prod", file.display()));
    }

    #[test]
    fn without_any_kubeconfig_the_way_to_one_is_named() {
        let home = tempfile::tempdir().unwrap();
        let environment = Environment { home: Some(home.path().to_owned()), ..Environment::default() };
        let error = load(&Options { environment, ..Options::default() }).unwrap_err().to_string();
        assert!(error.contains("aws eks update-kubeconfig"), "{error}");
        let named = Options { kubeconfig: Some("/nonexistent/config".into()), ..Options::default() };
        let error = load(&named).unwrap_err().to_string();
        assert!(error.starts_with("kubeconfig /nonexistent/config: "), "{error}");
    }

    #[test]
    fn a_broken_file_or_certificate_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        let options = Options { kubeconfig: Some(file.clone()), ..Options::default() };
        for broken in [
            "clusters: {".to_owned(),
            "contexts: []".to_owned(),
            kubeconfig("a", "http://[bad"),
            kubeconfig("a", "https://127.0.0.1:1").replace("server:", "certificate-authority-data: aGVsbG8=, server:"),
            kubeconfig("a", "https://127.0.0.1:1").replace("server:", "proxy-url: 'socks4://127.0.0.1:1', server:"),
        ] {
            fs::write(&file, &broken).unwrap();
            let result = load(&options).map(|target| target.about);
            assert!(
                result.as_ref().is_err_and(|e| e.to_string().contains(&file.display().to_string())),
                "{broken}: {result:?}"
            );
        }
    }

    #[test]
    fn the_lines_of_a_broken_kubeconfig_are_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        fs::write(&path, "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: {token: hush-hush, : x\n").unwrap();
        let options = Options { kubeconfig: Some(path.clone()), ..Options::default() };
        let error = load(&options).err().unwrap().to_string();
        assert!(error.contains(&path.display().to_string()) && error.contains("line 5"), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
}
