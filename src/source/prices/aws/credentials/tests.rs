use super::*;
use crate::source::prices::aws::Aws;
use crate::source::prices::aws::tests::{EMPTY, KEYS};
use aws_smithy_http_client::test_util::NeverClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use test_case::test_case;

/// A home directory with an AWS configuration.
fn home(config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

/// An environment with this home directory.
fn at(home: &Path, variables: &[(&str, &str)]) -> AwsOptions {
    let home = home.to_str().unwrap();
    let own = [("HOME", home), ("AWS_EC2_METADATA_DISABLED", "true")];
    AwsOptions { environment: own.iter().chain(variables).copied().collect(), ..AwsOptions::default() }
}

fn with_profile(options: AwsOptions, profile: &str) -> AwsOptions {
    AwsOptions { profile: Some(profile.to_owned()), ..options }
}

/// Credentials without a network.
fn offline(options: AwsOptions) -> Credentials {
    Credentials::new(options, SharedHttpClient::new(NeverClient::new()))
}

async fn key_and_region(options: AwsOptions) -> (String, String) {
    let session = offline(options).session().await.unwrap();
    let region = session.config.region().unwrap().to_string();
    (session.keys.access_key_id().to_owned(), region)
}

async fn refused(options: AwsOptions) -> AskError {
    offline(options).session().await.unwrap_err()
}

const CONFIG: &str = "[default]\nregion = eu-west-1\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = secret\n\
                      [profile dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = secret\n";

#[tokio::test]
async fn keys_and_region_take_precedence_as_in_the_aws_cli() {
    let home = home(CONFIG);
    let own = |key: &str, region: &str| (key.to_owned(), region.to_owned());
    assert_eq!(key_and_region(at(home.path(), &[])).await, own("AKIADEFAULT", "eu-west-1"));
    let keys: Vec<_> = KEYS.iter().copied().chain([("AWS_REGION", "sa-east-1")]).collect();
    assert_eq!(key_and_region(at(home.path(), &keys)).await, own("AKIDEXAMPLE", "sa-east-1"));
    // An explicit profile takes precedence over keys in the environment; this one has no region.
    let dev = with_profile(at(home.path(), &KEYS), "dev");
    assert_eq!(key_and_region(dev.clone()).await, own("AKIADEV", "us-east-1"));
    let dev = AwsOptions { region: Some("ap-south-1".into()), ..dev };
    assert_eq!(key_and_region(dev).await, own("AKIADEV", "ap-south-1"));
    let named = at(home.path(), &[("AWS_PROFILE", "dev"), ("AWS_DEFAULT_REGION", "eu-north-1")]);
    assert_eq!(key_and_region(named).await, own("AKIADEV", "eu-north-1"));
}

#[tokio::test]
async fn no_credentials_are_an_error_of_their_own() {
    let options = AwsOptions { environment: EMPTY.into_iter().collect(), ..AwsOptions::default() };
    let none = refused(options).await;
    assert!(matches!(none, AskError::NoCredentials { .. }), "{none:?}");
    assert_eq!(none.to_string(), "find AWS credentials: none in the environment, none in the AWS configuration");
}

#[tokio::test]
async fn broken_aws_config_still_starts() {
    for (config, reason) in [
        ("[profile dev\nregion = x\n", "on line 1"),
        ("region = x\n", "on line 1"),
        ("[default]\n???\n", "on line 2"),
        ("[default]\nsource_profile = b\nrole_arn = r\n[profile b]\nsource_profile = default\nrole_arn = r\n", "loop"),
        ("[default]\ncredential_source = Moon\nrole_arn = arn:aws:iam::1:role/r\n", "Moon"),
    ] {
        let home = home(config);
        let error = refused(at(home.path(), &[])).await;
        assert!(matches!(error, AskError::Unavailable { .. }) && error.reason().contains(reason), "{config}: {error}");
    }
    let home = home(CONFIG);
    let ghost = "the AWS configuration has no profile \"ghost\"; known profiles: default, dev";
    assert_eq!(refused(with_profile(at(home.path(), &KEYS), "ghost")).await.reason(), ghost);
    assert_eq!(refused(at(home.path(), &[("AWS_PROFILE", "ghost")])).await.reason(), ghost);
    // Keys in the environment do not need a profile.
    let keys: Vec<_> = KEYS.iter().copied().chain([("AWS_PROFILE", "ghost")]).collect();
    assert_eq!(key_and_region(at(home.path(), &keys)).await.0, "AKIDEXAMPLE");
    let no_file =
        with_profile(AwsOptions { environment: EMPTY.into_iter().collect(), ..AwsOptions::default() }, "x\u{1b}");
    assert_eq!(refused(no_file).await.reason(), "the AWS configuration has no profile \"x\", nor any other");
}

#[tokio::test]
async fn new_credentials_are_found_without_a_restart() {
    let home = home("[default]\nregion = eu-west-1\n");
    let credentials = offline(at(home.path(), &[]));
    assert!(credentials.session().await.is_err());
    fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
    assert_eq!(credentials.session().await.unwrap().keys.access_key_id(), "AKIADEFAULT");
    // Credentials are kept until AWS refuses them.
    fs::write(home.path().join(".aws/config"), CONFIG.replace("AKIADEFAULT", "AKIANEW")).unwrap();
    assert_eq!(credentials.session().await.unwrap().keys.access_key_id(), "AKIADEFAULT");
    credentials.forget();
    assert_eq!(credentials.session().await.unwrap().keys.access_key_id(), "AKIANEW");
}

const SSO: &str = "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = viewer\n\
                   [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n\
                   [profile old]\nsso_account_id = 111122223333\nsso_role_name = viewer\nsso_region = eu-west-1\n\
                   sso_start_url = https://corp.awsapps.com/start\n\
                   [profile ops]\nrole_arn = arn:aws:iam::111122223333:role/ops\nsource_profile = dev\n";

#[test_case("dev" => "aws sso login --profile dev")]
#[test_case("old" => "aws sso login --profile old" ; "without a session's name")]
#[test_case("ops" => "aws sso login --profile dev" ; "a role that is assumed from it")]
#[tokio::test]
async fn an_expired_sso_session_names_the_command_to_sign_in(profile: &str) -> String {
    let home = home(SSO);
    let options = with_profile(at(home.path(), &[]), profile);
    // Never signed in, and signed in too long ago. The name of the file is the SHA-1 of the session's name or address.
    let never = refused(options.clone()).await;
    let cache = home.path().join(".aws/sso/cache");
    fs::create_dir_all(&cache).unwrap();
    let token = r#"{"accessToken": "secret-token", "expiresAt": "2020-01-01T00:00:00Z", "region": "eu-west-1"}"#;
    for file in ["ee0bfd2552fbd840c02cc48b6e823320543c450f", "a51746d4aa793ae07b25e90c3a5db96fc7832bd7"] {
        fs::write(cache.join(file).with_extension("json"), token).unwrap();
    }
    // Without the name of a session the SDK ignores the date and asks the server.
    let ended = if profile == "old" { never.clone() } else { refused(options).await };
    for error in [&never, &ended] {
        assert!(matches!(error, AskError::Expired { .. }), "{error:?}");
        assert!(!error.to_string().contains("secret-token"));
    }
    ended.to_string().rsplit("again: ").next().unwrap().to_owned()
}

#[cfg(unix)]
#[tokio::test]
async fn a_credential_process_runs_once_for_all_questions_and_its_error_is_shown() {
    let home = home("");
    let runs = home.path().join("runs");
    let write = |script: &str| {
        let config = format!("[default]\ncredential_process = sh {}\n", home.path().join("plugin").display());
        fs::write(home.path().join(".aws/config"), config).unwrap();
        fs::write(home.path().join("plugin"), script).unwrap();
    };
    let keys = r#"{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "secret"}"#;
    write(&format!("echo >> {}; echo '{keys}'", runs.display()));
    let credentials = offline(at(home.path(), &[]));
    let all = futures::future::join_all((0..5).map(|_| credentials.session())).await;
    assert!(all.iter().all(|session| session.as_ref().unwrap().keys.access_key_id() == "AKIAPROCESS"));
    assert_eq!(fs::read(&runs).unwrap().len(), 1, "one line for each run");
    write("printf 'vault is\\033[2J sealed\\n' >&2; exit 3");
    let error = refused(at(home.path(), &[])).await;
    assert!(matches!(error, AskError::Unavailable { .. }), "{error:?}");
    assert!(error.reason().ends_with("vault is[2J sealed"), "{error}");
}

#[cfg(unix)]
#[test_case("config")]
#[test_case("credentials")]
#[tokio::test]
async fn a_credential_process_may_be_in_either_file(file: &str) {
    let home = home("[default]\nregion = eu-west-1\n");
    let keys = r#"{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "secret"}"#;
    fs::write(home.path().join("keys"), keys).unwrap();
    let text = format!("[default]\nregion = eu-west-1\ncredential_process = cat {}/keys\n", home.path().display());
    fs::write(home.path().join(".aws").join(file), text).unwrap();
    assert_eq!(key_and_region(at(home.path(), &[])).await, ("AKIAPROCESS".to_owned(), "eu-west-1".to_owned()));
}

#[tokio::test]
async fn questions_do_not_wait_for_a_search_that_hangs() {
    // The endpoint of a container, which is on the network.
    let credentials = offline(container());
    tokio::time::pause();
    let began = Instant::now();
    let error = credentials.session().await.unwrap_err();
    assert_eq!(error.reason(), "nothing found within 2 s; the search goes on");
    assert_eq!(began.elapsed().as_secs(), 2);
    // Another question during the search does not wait at all.
    assert!(credentials.session().await.is_err());
    assert_eq!(began.elapsed().as_secs(), 2);
    // After the search ends, the next question waits as long, and has the error of the first search.
    tokio::time::sleep(SEARCH).await;
    let again = Instant::now();
    let error = credentials.session().await.unwrap_err();
    assert!(!error.reason().contains("goes on"), "{error}");
    assert_eq!(again.elapsed().as_secs(), 2);
}

/// The endpoint of a container, on loopback as the SDK requires.
fn container() -> AwsOptions {
    let endpoint = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/credentials");
    AwsOptions { environment: EMPTY.into_iter().chain([endpoint]).collect(), ..AwsOptions::default() }
}

/// Returns credentials that last for some time, after some time.
#[derive(Clone, Debug)]
struct Slow {
    after: Duration,
    lasting: Duration,
    calls: Arc<AtomicUsize>,
}

impl HttpConnector for Slow {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let (after, end) = (self.after, jiff::Timestamp::now() + self.lasting);
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(after).await;
            let body = format!(
                r#"{{"AccessKeyId": "AKIA{call}", "SecretAccessKey": "s", "Token": "t", "Expiration": "{end:.0}"}}"#
            );
            Ok(http::Response::new(SdkBody::from(body)).try_into().unwrap())
        })
    }
}

impl HttpClient for Slow {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn slow(after: Duration, lasting: Duration) -> Credentials {
    let client = Slow { after, lasting, calls: Arc::default() };
    Credentials::new(container(), SharedHttpClient::new(client))
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_slow_search_continues_for_the_next_question() {
    let credentials = slow(Duration::from_secs(3), HOUR);
    tokio::time::pause();
    let began = Instant::now();
    assert!(credentials.session().await.is_err());
    assert_eq!(began.elapsed().as_secs(), 2);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(credentials.session().await.unwrap().keys.access_key_id(), "AKIA0");
    assert_eq!(credentials.session().await.unwrap().keys.access_key_id(), "AKIA0");
}

#[tokio::test]
async fn credentials_are_replaced_before_they_expire() {
    let credentials = slow(Duration::ZERO, Duration::from_mins(4));
    for call in 0..3 {
        assert_eq!(credentials.session().await.unwrap().keys.access_key_id(), format!("AKIA{call}"));
    }
    let credentials = slow(Duration::ZERO, Duration::from_mins(6));
    for _ in 0..3 {
        assert_eq!(credentials.session().await.unwrap().keys.access_key_id(), "AKIA0");
    }
}

#[tokio::test]
async fn dropping_it_ends_the_search() {
    let calls = Arc::new(AtomicUsize::new(0));
    let client = Slow { after: Duration::from_secs(10), lasting: HOUR, calls: Arc::clone(&calls) };
    let credentials = Credentials::new(container(), SharedHttpClient::new(client));
    tokio::time::pause();
    assert!(credentials.session().await.is_err());
    drop(credentials);
    tokio::time::sleep(SEARCH).await;
    assert_eq!(Arc::strong_count(&calls), 1, "the client is dropped");
}

/// Off EC2 the address of the instance metadata service often drops every packet.
#[tokio::test]
async fn a_metadata_service_that_hangs_means_no_credentials() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let environment = [("HOME", "/nonexistent"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str())];
    let options = AwsOptions { environment: environment.into_iter().collect(), ..AwsOptions::default() };
    let began = Instant::now();
    let error = Aws::new(options).identity().await.unwrap_err();
    assert!(matches!(error, AskError::NoCredentials { .. }), "{error:?}");
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}
