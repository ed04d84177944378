use super::*;
use crate::source::prices::aws::action::LIMIT;
use crate::source::prices::aws::credentials::Credentials;
use crate::source::prices::aws::tests::{Server, answer, signed_in, types};
use crate::source::prices::{Aws, AwsOptions, Proxies};
use aws_smithy_http_client::test_util::NeverClient;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;
use test_case::test_case;

const PAGE_1: &str = include_str!("../../../../../tests/fixtures/pricing/spot_history_page1.xml");
const PAGE_2: &str = include_str!("../../../../../tests/fixtures/pricing/spot_history_page2.xml");
const UNAUTHORIZED: &str = include_str!("../../../../../tests/fixtures/pricing/spot_history_unauthorized.xml");

fn keys(token: Option<&str>) -> Keys {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    Keys::new("AKIDEXAMPLE", secret, token.map(str::to_owned), None, "test")
}

/// The time of AWS's test suite.
fn test_suite_time() -> SystemTime {
    SystemTime::from("2015-08-30T12:36:00Z".parse::<Timestamp>().unwrap())
}

fn signature(request: Request<String>, token: Option<&str>) -> (String, String) {
    let signed = sign(request, &keys(token), "us-east-1", "service", test_suite_time()).unwrap();
    let header = |name: &str| signed.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    (header("authorization"), header("x-amz-security-token"))
}

/// From AWS's Signature Version 4 test suite: `get-vanilla`, `post-sts-header-before`, `post-x-www-form-urlencoded`.
#[test]
fn signatures_are_those_of_aws_test_suite() {
    let get = Request::get("https://example.amazonaws.com/").body(String::new()).unwrap();
    let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                    SignedHeaders=host;x-amz-date, \
                    Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    assert_eq!(signature(get, None), (expected.to_owned(), String::new()));

    let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8Y\
                 UuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQc\
                 HNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLx\
                 BA==";
    let post = Request::post("https://example.amazonaws.com/").body(String::new()).unwrap();
    let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                    SignedHeaders=host;x-amz-date;x-amz-security-token, \
                    Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";
    assert_eq!(signature(post, Some(token)), (expected.to_owned(), token.to_owned()));

    let form =
        Request::post("https://example.amazonaws.com/").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let form = form.body("Param1=value1".to_owned()).unwrap();
    let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                    SignedHeaders=content-type;host;x-amz-date, \
                    Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
    assert_eq!(signature(form, None).0, expected);
}

#[test_case("us-east-1" => "https://ec2.us-east-1.amazonaws.com" ; "commercial")]
#[test_case("us-gov-west-1" => "https://ec2.us-gov-west-1.amazonaws.com" ; "gov cloud")]
#[test_case("cn-north-1" => "https://ec2.cn-north-1.amazonaws.com.cn" ; "china")]
#[test_case("us-isob-east-1" => "https://ec2.us-isob-east-1.sc2s.sgov.gov" ; "isolated")]
#[test_case("eusc-de-east-1" => "https://ec2.eusc-de-east-1.amazonaws.eu" ; "sovereign")]
#[test_case("" => "find the region \"\"")]
#[test_case("evil.example/#" => "find the region \"evil.example/#\"" ; "a label with a host")]
#[test_case("us-east-1@evil" => "find the region \"us-east-1@evil\"" ; "a label with a user")]
fn each_partition_has_its_endpoint(region: &str) -> String {
    let endpoint = EC2.endpoint(&AwsEnvironment::default(), region);
    endpoint.unwrap_or_else(|error| error.to_string())
}

#[test]
fn the_environment_configures_endpoints() {
    let environment: AwsEnvironment =
        [("AWS_ENDPOINT_URL", "http://127.0.0.1:1/"), ("AWS_ENDPOINT_URL_EKS", "http://127.0.0.1:2")]
            .into_iter()
            .collect();
    let endpoint = |service: Service| service.endpoint(&environment, "eu-west-1").unwrap();
    assert_eq!(endpoint(EKS), "http://127.0.0.1:2");
    assert_eq!(endpoint(EC2), "http://127.0.0.1:1");
    let ignored: AwsEnvironment =
        [("AWS_ENDPOINT_URL", "http://127.0.0.1:1/"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]
            .into_iter()
            .collect();
    assert_eq!(EKS.endpoint(&ignored, "eu-west-1").unwrap(), "https://eks.eu-west-1.amazonaws.com");
}

fn ec2(server: &Server) -> AwsOptions {
    signed_in(&[("AWS_ENDPOINT_URL_EC2", server.address.as_str())])
}

async fn spot(server: &Server, os: Os) -> Result<PriceSheet, AskError> {
    Aws::new(ec2(server)).spot("ap-northeast-2", os, &types(&["c5a.large", "c5a.2xlarge"])).await
}

fn shown(sheet: &PriceSheet) -> Vec<String> {
    let Prices::Spot(prices) = &sheet.prices else { panic!("{sheet:?}") };
    prices.iter().map(|p| format!("{} {} {}", p.instance_type, p.zone.as_deref().unwrap_or("-"), p.amount)).collect()
}

#[tokio::test]
async fn spot_prices_arrive_in_pages() {
    let server = Server::start(vec![answer("200 OK", PAGE_1), answer("200 OK", PAGE_2)]).await;
    let sheet = spot(&server, Os::Linux).await.unwrap();
    let (a, b) = ("ap-northeast-2a", "ap-northeast-2b");
    let expected = [
        format!("c5a.2xlarge {a} 0.1298"),
        format!("c5a.2xlarge {b} 0.1412"),
        format!("c5a.large {a} 0.0341"),
        format!("c5a.large {b} 0.0369"),
    ];
    assert_eq!(shown(&sheet), expected);
    assert_eq!(
        (sheet.source, sheet.region.as_str(), sheet.cached),
        (PriceSource::SpotHistory, "ap-northeast-2", false)
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].contains("&NextToken="), "{}", requests[1]);
}

#[tokio::test]
async fn all_pages_have_one_start_time() {
    /// A clock that advances a minute at each call.
    fn later() -> Timestamp {
        static MINUTES: AtomicI64 = AtomicI64::new(0);
        Timestamp::from_second(1_790_000_000 + 60 * MINUTES.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
    let server = Server::start(vec![answer("200 OK", PAGE_1), answer("200 OK", PAGE_2)]).await;
    let (options, http) = (ec2(&server), Http::new(&Proxies::default()));
    let environment = options.environment.clone();
    let session = Credentials::new(options, SharedHttpClient::new(NeverClient::new())).session().await.unwrap();
    let signer = Signer { http: &http, environment: &environment, session: &session, now: later };
    signer.spot("ap-northeast-2", Os::Linux, &types(&["c5a.large"])).await.unwrap();
    let starts: Vec<String> = server
        .requests()
        .iter()
        .filter_map(|request| Some(request.split('&').find(|field| field.starts_with("StartTime="))?.to_owned()))
        .collect();
    assert_eq!(starts, vec![starts[0].clone(); 2]);
}

#[tokio::test]
async fn a_spot_request_is_signed_and_has_only_the_types_in_use() {
    let server = Server::start(vec![answer("200 OK", PAGE_2)]).await;
    spot(&server, Os::Linux).await.unwrap();
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
    for header in
        ["x-amz-security-token: a-session-token", "content-type: application/x-www-form-urlencoded; charset=utf-8"]
    {
        assert!(head.contains(header), "{head}");
    }
    let scope = "/ap-northeast-2/ec2/aws4_request, SignedHeaders=";
    assert!(head.contains("authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") && head.contains(scope), "{head}");
    let fields: Vec<&str> = body.split('&').filter(|field| !field.starts_with("StartTime=")).collect();
    let expected = [
        "Action=DescribeSpotPriceHistory",
        "Version=2016-11-15",
        "MaxResults=1000",
        "ProductDescription.1=Linux%2FUNIX",
        "ProductDescription.2=Linux%2FUNIX%20%28Amazon%20VPC%29",
        "InstanceType.1=c5a.2xlarge",
        "InstanceType.2=c5a.large",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn without_types_nothing_is_requested() {
    let server = Server::start(vec![]).await;
    let sheet = Aws::new(ec2(&server)).spot("eu-west-1", Os::Linux, &types(&[])).await.unwrap();
    assert_eq!(
        (shown(&sheet), server.requests()),
        (vec![], vec![]),
        "a request without types would return all of them"
    );
}

#[tokio::test]
async fn windows_spot_prices_are_separate() {
    let server = Server::start(vec![answer("200 OK", PAGE_1), answer("200 OK", PAGE_2)]).await;
    let sheet = spot(&server, Os::Windows).await.unwrap();
    assert_eq!(shown(&sheet), ["c5a.large ap-northeast-2a 0.1263"]);
    assert!(server.requests()[0].contains("ProductDescription.1=Windows&"));
}

fn xml_error(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>Not\u{1b}[2J now.</Message></Error></Errors></Response>"
    )
}

#[test_case("403 Forbidden", UNAUTHORIZED => matches AskError::Denied { action: "ec2:DescribeSpotPriceHistory", .. })]
#[test_case("503 Service Unavailable", &xml_error("RequestLimitExceeded") => matches AskError::Unavailable { .. })]
#[test_case("401 Unauthorized", &xml_error("AuthFailure") => matches AskError::Expired { .. })]
#[test_case("400 Bad Request", &xml_error("ExpiredToken") => matches AskError::Expired { .. } ; "expired token")]
#[test_case("502 Bad Gateway", "<html>" => matches AskError::Unavailable { .. } ; "a proxy's page")]
#[test_case("200 OK", "garbage" => matches AskError::Garbled { .. })]
#[test_case("200 OK", "<Other/>" => matches AskError::Garbled { .. } ; "another answer")]
#[test_case("200 OK", "" => matches AskError::Garbled { .. } ; "an empty answer")]
fn errors_by_status_and_code(status: &str, body: &str) -> AskError {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let server = Server::start(vec![answer(status, body)]).await;
        let error = spot(&server, Os::Linux).await.unwrap_err();
        let text = error.to_string();
        assert!(!text.contains('\u{1b}') && !text.contains("a-session-token"), "{text}");
        error
    })
}

#[tokio::test]
async fn prices_before_a_failure_are_kept() {
    let server =
        Server::start(vec![answer("200 OK", PAGE_1), answer("400 Bad Request", &xml_error("InvalidNextToken"))]).await;
    let sheet = spot(&server, Os::Linux).await.unwrap();
    assert!(!shown(&sheet).is_empty());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_repeated_token_ends_the_pages() {
    let server = Server::start(vec![answer("200 OK", PAGE_1); 5]).await;
    spot(&server, Os::Linux).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_hangs_times_out() {
    let server = Server::start(vec![]).await;
    let aws = Aws::new(ec2(&server));
    // Credentials first, because reading files takes real time.
    aws.spot("ap-northeast-2", Os::Linux, &types(&[])).await.unwrap();
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let error = aws.spot("ap-northeast-2", Os::Linux, &types(&["c5a.large"])).await.unwrap_err();
    assert_eq!(error.to_string(), "get EC2's spot prices: no whole answer within 15 s");
    assert_eq!(began.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn a_refused_connection_fails_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let began = Instant::now();
    let aws = Aws::new(signed_in(&[("AWS_ENDPOINT_URL_EC2", &address)]));
    let error = aws.spot("eu-west-1", Os::Linux, &types(&["c5a.large"])).await.unwrap_err();
    assert_eq!(error.to_string(), "get EC2's spot prices: Connection refused");
    assert!(began.elapsed() < LIMIT);
}

fn eks_error(code: &str) -> String {
    let body = r#"{"message": "Not now."}"#;
    let length = body.len();
    format!(
        "HTTP/1.1 403 Forbidden\r\nx-amzn-errortype: {code}:http://internal/\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
}

async fn eks(answers: Vec<String>) -> (Result<ClusterSupport, AskError>, Vec<String>) {
    let server = Server::start(answers).await;
    let aws = Aws::new(signed_in(&[("AWS_ENDPOINT_URL_EKS", &server.address)]));
    (aws.cluster_support("eu-west-1", "shop/1").await, server.requests())
}

const CLUSTER: &str =
    r#"{"cluster": {"name": "shop", "version": "1.31", "upgradePolicy": {"supportType": "EXTENDED"}}}"#;
const VERSIONS: &str = r#"{"clusterVersions": [{"clusterVersion": "1.31", "versionStatus": "EXTENDED_SUPPORT"}]}"#;

#[tokio::test]
async fn support_of_a_cluster() {
    let (support, requests) = eks(vec![answer("200 OK", CLUSTER), answer("200 OK", VERSIONS)]).await;
    let phase =
        |phase| ClusterSupport { version: "1.31".into(), tier: None, support: Some(SupportType::Extended), phase };
    assert_eq!(support, Ok(phase(Some(SupportPhase::Extended))));
    assert!(requests[0].starts_with("GET /clusters/shop%2F1 HTTP/1.1"), "{}", requests[0]);
    assert!(requests[0].contains("/eu-west-1/eks/aws4_request"), "{}", requests[0]);
    assert!(requests[1].starts_with("GET /cluster-versions?clusterVersions=1.31 HTTP/1.1"), "{}", requests[1]);
    // The second request may be denied where the first is not.
    let (support, _) = eks(vec![answer("200 OK", CLUSTER), eks_error("AccessDeniedException")]).await;
    assert_eq!(support, Ok(phase(None)));
    // A cluster with standard support needs no second request.
    let upgraded = CLUSTER.replace("EXTENDED", "STANDARD");
    let (support, requests) = eks(vec![answer("200 OK", &upgraded)]).await;
    assert_eq!((support.map(|support| support.support), requests.len()), (Ok(Some(SupportType::Standard)), 1));
}

#[test_case("AccessDeniedException" => "call eks:DescribeCluster: the AWS identity may not: Not now." ; "denied")]
#[test_case("ResourceNotFoundException" => "find the cluster \"shop/1\" in eu-west-1" ; "no such cluster")]
#[test_case("ExpiredTokenException" => "use the AWS credentials: Not now; renew the credentials of the profile default" ;
    "expired")]
#[test_case("ServerException" => "get the cluster \"shop/1\" in eu-west-1: Not now. (ServerException)" ; "anything else")]
#[tokio::test]
async fn errors_of_eks(code: &str) -> String {
    eks(vec![eks_error(code)]).await.0.unwrap_err().to_string()
}
