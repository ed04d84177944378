use super::*;
use crate::source::prices::aws::action::{LIMIT, MAX_PAGES};
use crate::source::prices::aws::tests::{aws, replay, signed_in, types};
use aws_smithy_http_client::test_util::{NeverClient, StaticReplayClient};
use serde_json::{Value, json};
use test_case::test_case;

const PAGE_1: &str = include_str!("../../../../../tests/fixtures/pricing/getproducts_seoul_page1.json");
const PAGE_2: &str = include_str!("../../../../../tests/fixtures/pricing/getproducts_seoul_page2.json");

fn key(region: &str) -> OnDemandKey {
    OnDemandKey { region: region.into(), os: Os::Linux, tenancy: Tenancy::Shared }
}

const SEOUL: &str = "ap-northeast-2";
const IN_USE: [&str; 3] = ["c5a.2xlarge", "c5a.large", "c6g.metal"];

async fn ask(client: &StaticReplayClient, key: &OnDemandKey, names: &[&str]) -> Result<PriceSheet, AskError> {
    aws(signed_in(&[]), client.clone()).on_demand(key, &types(names)).await
}

fn shown(sheet: &PriceSheet) -> Vec<String> {
    let Prices::OnDemand { prices, .. } = &sheet.prices else { panic!("{sheet:?}") };
    let mark = |estimated| if estimated { "~" } else { "" };
    prices.iter().map(|p| format!("{} {}{}", p.instance_type, mark(p.estimated), p.amount)).collect()
}

/// URI and body of each request.
fn requests(client: &StaticReplayClient) -> Vec<(String, Value)> {
    let read = |request: &aws_smithy_runtime_api::client::orchestrator::HttpRequest| {
        (request.uri().to_owned(), serde_json::from_slice(request.body().bytes().unwrap()).unwrap())
    };
    client.actual_requests().map(read).collect()
}

fn hosts(client: &StaticReplayClient) -> Vec<String> {
    let host = |(uri, _): &(String, Value)| uri.strip_prefix("https://api.pricing.").unwrap().to_owned();
    requests(client).iter().map(host).collect()
}

fn filter(body: &Value, field: &str) -> Option<(String, String)> {
    let filters = body["Filters"].as_array().unwrap();
    let found = filters.iter().find(|filter| filter["Field"] == field)?;
    Some((found["Type"].as_str().unwrap().to_owned(), found["Value"].as_str().unwrap().to_owned()))
}

fn error(code: &str) -> String {
    json!({"__type": code, "message": "Not now\u{1b}[2J."}).to_string()
}

/// A page with one product.
fn page(instance_type: &str, usage: &str, per_unit: &Value, next: Option<&str>) -> String {
    let item = json!({
        "product": {"attributes": {"instanceType": instance_type, "usagetype": format!("{usage}:{instance_type}")}},
        "terms": {"OnDemand": {"t": {"priceDimensions": {"r": {"unit": "Hrs", "pricePerUnit": per_unit}}}}},
    });
    json!({"FormatVersion": "aws_v1", "NextToken": next, "PriceList": [item.to_string()]}).to_string()
}

#[tokio::test]
async fn prices_arrive_in_pages() {
    let client = replay([(200, PAGE_1), (200, PAGE_2)]);
    let sheet = ask(&client, &key(SEOUL), &IN_USE).await.unwrap();
    assert_eq!(shown(&sheet), ["c5a.2xlarge 0.344", "c5a.large 0.086", "c6g.metal 2.464"]);
    assert_eq!((sheet.source, sheet.currency, sheet.cached), (PriceSource::GetProducts, Currency::Usd, false));
    let token = serde_json::from_str::<Value>(PAGE_1).unwrap()["NextToken"].clone();
    let asked = requests(&client);
    assert_eq!((asked.len(), &asked[0].1["NextToken"], &asked[1].1["NextToken"]), (2, &Value::Null, &token));
}

#[tokio::test]
async fn a_request_has_only_the_types_in_use() {
    let client = replay([(200, PAGE_2)]);
    ask(&client, &key(SEOUL), &["c5a.large", "c5a.2xlarge", "not a type", "a,b"]).await.unwrap();
    let term = |field: &str, value: &str| json!({"Type": "TERM_MATCH", "Field": field, "Value": value});
    let expected = json!({
        "ServiceCode": "AmazonEC2",
        "FormatVersion": "aws_v1",
        "MaxResults": 100,
        "Filters": [
            term("regionCode", SEOUL),
            term("operatingSystem", "Linux"),
            term("preInstalledSw", "NA"),
            term("capacitystatus", "Used"),
            term("marketoption", "OnDemand"),
            term("tenancy", "Shared"),
            {"Type": "ANY_OF", "Field": "instanceType", "Value": "c5a.2xlarge,c5a.large"},
        ],
    });
    assert_eq!(requests(&client), [("https://api.pricing.ap-south-1.amazonaws.com/".to_owned(), expected)]);
    let request = client.actual_requests().next().unwrap();
    assert_eq!(request.headers().get("x-amz-target"), Some("AWSPriceListService.GetProducts"));
    assert_eq!(request.headers().get("x-amz-security-token"), Some("a-session-token"));
    let authorization = request.headers().get("authorization").unwrap();
    assert!(authorization.contains("/ap-south-1/pricing/aws4_request"), "{authorization}");
}

#[tokio::test]
async fn without_types_nothing_is_requested() {
    let client = replay::<&str>([]);
    let sheet = ask(&client, &key(SEOUL), &[]).await.unwrap();
    assert_eq!(
        (shown(&sheet), requests(&client)),
        (vec![], vec![]),
        "a request without types would return all of them"
    );
}

#[tokio::test]
async fn windows_prices_include_the_licence() {
    let client = replay([(200, PAGE_2)]);
    let windows = OnDemandKey { os: Os::Windows, tenancy: Tenancy::Dedicated, ..key("eu-west-1") };
    ask(&client, &windows, &["m5.large"]).await.unwrap();
    let (uri, body) = requests(&client).remove(0);
    assert_eq!(uri, "https://api.pricing.eu-central-1.amazonaws.com/");
    let term = |value: &str| Some(("TERM_MATCH".to_owned(), value.to_owned()));
    assert_eq!(filter(&body, "operatingSystem"), term("Windows"));
    assert_eq!(filter(&body, "licenseModel"), term("No License required"));
    assert_eq!(filter(&body, "tenancy"), term("Dedicated"));
}

#[tokio::test]
async fn metal_uses_shared_tenancy_price() {
    let dollars = |amount: &str| json!({"USD": amount});
    let shared = page("m9x.large", "APN2-BoxUsage", &dollars("1"), None);
    let dedicated = page("m9x.metal", "APN2-DedicatedUsage", &dollars("50"), None);
    let client = replay([(200, shared.clone()), (200, dedicated)]);
    let sheet = ask(&client, &key(SEOUL), &["m9x.large", "m9x.metal"]).await.unwrap();
    assert_eq!(
        shown(&sheet),
        ["m9x.large 1.00", "m9x.metal ~50.00"],
        "without a Shared price, the Dedicated one is the estimate"
    );
    let asked = requests(&client);
    let second = |field| filter(&asked[1].1, field).map(|(_, value)| value);
    assert_eq!((second("tenancy"), second("instanceType")), (Some("Dedicated".into()), Some("m9x.metal".into())));

    let both = replay([(200, page("m9x.metal", "APN2-BoxUsage", &dollars("48"), None))]);
    let sheet = ask(&both, &key(SEOUL), &["m9x.metal"]).await.unwrap();
    assert_eq!((shown(&sheet), requests(&both).len()), (vec!["m9x.metal 48.00".to_owned()], 1));
    // A failure of the second request keeps the prices of the first.
    let half = replay([(200, shared), (400, error("AccessDeniedException"))]);
    let sheet = ask(&half, &key(SEOUL), &["m9x.large", "m9x.metal"]).await.unwrap();
    assert_eq!(shown(&sheet), ["m9x.large 1.00"]);
}

#[tokio::test]
async fn another_region_is_asked_if_a_policy_denies_one() {
    let denied = error("AccessDeniedException");
    let client = replay([(400, denied.as_str()), (400, denied.as_str()), (200, PAGE_2)]);
    ask(&client, &key("eu-west-1"), &["c5a.large"]).await.unwrap();
    assert_eq!(
        hosts(&client),
        ["eu-central-1.amazonaws.com/", "us-east-1.amazonaws.com/", "ap-south-1.amazonaws.com/"]
    );
    let client = replay([(400, denied.as_str()), (400, denied.as_str()), (400, denied.as_str())]);
    let refused = ask(&client, &key("sa-east-1"), &["c5a.large"]).await.unwrap_err();
    assert_eq!(refused, AskError::Denied { action: "pricing:GetProducts", why: "Not now[2J.".into() });
    assert_eq!(
        hosts(&client),
        ["us-east-1.amazonaws.com/", "eu-central-1.amazonaws.com/", "ap-south-1.amazonaws.com/"]
    );
}

#[tokio::test]
async fn regions_of_the_api_by_partition() {
    let client = replay([(200, page("m5.large", "CNW1-BoxUsage", &json!({"CNY": "4.5"}), None))]);
    let sheet = ask(&client, &key("cn-north-1"), &["m5.large"]).await.unwrap();
    assert_eq!((sheet.currency, shown(&sheet)), (Currency::Cny, vec!["m5.large 4.50".to_owned()]));
    assert_eq!(hosts(&client), ["cn-northwest-1.amazonaws.com.cn/"]);
    for region in ["us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"] {
        let client = replay::<&str>([]);
        let none = ask(&client, &key(region), &["m5.large"]).await;
        assert!(matches!(none, Err(AskError::Absent { .. })), "{region}: {none:?}");
        assert_eq!(requests(&client), []);
    }
}

#[tokio::test(start_paused = true)]
async fn prices_before_throttling_are_kept() {
    for code in ["ThrottlingException", "ExpiredNextTokenException", "InternalErrorException", "AccessDeniedException"]
    {
        let error = error(code);
        let client = replay([(200, PAGE_1), (400, error.as_str()), (400, error.as_str()), (400, error.as_str())]);
        let sheet = ask(&client, &key(SEOUL), &["c5a.large"]).await.unwrap();
        assert!(shown(&sheet).contains(&"c5a.large 0.086".to_owned()), "{code}: {sheet:?}");
        assert!(requests(&client).len() <= 3, "{code}: few attempts");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_alone_is_an_error_after_few_attempts() {
    let error = error("ThrottlingException");
    let client = replay([(400, error.as_str()); 9]);
    let refused = ask(&client, &key(SEOUL), &["c5a.large"]).await.unwrap_err();
    assert_eq!(refused.reason(), "Not now[2J. (ThrottlingException)");
    assert_eq!(requests(&client).len(), 2);
}

#[tokio::test]
async fn values_are_requested_one_by_one_if_lists_are_refused() {
    let refused = error("InvalidParameterException");
    let client = replay([(400, refused.as_str()), (200, PAGE_1), (200, PAGE_2), (200, PAGE_2)]);
    let sheet = ask(&client, &key(SEOUL), &["c5a.2xlarge", "c5a.large"]).await.unwrap();
    assert!(shown(&sheet).contains(&"c5a.large 0.086".to_owned()));
    let named = |(_, body): &(String, Value)| filter(body, "instanceType").unwrap();
    let one = |name: &str| ("TERM_MATCH".to_owned(), name.to_owned());
    // The first has two pages.
    let expected = [one("c5a.2xlarge"), one("c5a.2xlarge"), one("c5a.large")];
    assert_eq!(requests(&client).iter().skip(1).map(named).collect::<Vec<_>>(), expected);
}

#[test_case("{" ; "cut short")]
#[test_case("<html>" ; "a page")]
#[test_case("[]" ; "a list")]
#[tokio::test]
async fn an_answer_that_is_not_json_is_an_error(body: &str) {
    let refused = ask(&replay([(200, body)]), &key(SEOUL), &["c5a.large"]).await.unwrap_err();
    assert!(matches!(refused, AskError::Garbled { .. }), "{refused:?}");
}

#[tokio::test]
async fn unreadable_products_are_an_error() {
    let body = json!({"PriceList": ["{", "[]"]}).to_string();
    let refused = ask(&replay([(200, body)]), &key(SEOUL), &["c5a.large"]).await.unwrap_err();
    assert_eq!(refused.to_string(), "read prices of the Price List API: none of its products can be understood");
}

#[test_case(None => 1 ; "missing")]
#[test_case(Some("") => 1 ; "empty")]
#[test_case(Some("again") => 2 ; "repeated")]
#[tokio::test]
async fn pages_end(next: Option<&str>) -> usize {
    let page = page("m9x.large", "BoxUsage", &json!({"USD": "1"}), next);
    let client = replay([(200, page.as_str()); 5]);
    ask(&client, &key(SEOUL), &["m9x.large"]).await.unwrap();
    requests(&client).len()
}

#[tokio::test]
async fn endless_pages_are_cut_off() {
    let page = |i: usize| (200, page("m9x.large", "BoxUsage", &json!({"USD": "1"}), Some(&format!("page-{i}"))));
    let client = replay((0..60).map(page));
    ask(&client, &key(SEOUL), &["m9x.large"]).await.unwrap();
    assert_eq!(requests(&client).len(), MAX_PAGES);
}

#[tokio::test]
async fn a_region_that_never_answers_times_out() {
    let client = NeverClient::new();
    let aws = aws(signed_in(&[]), client.clone());
    // Credentials first, because reading files takes real time.
    aws.volumes(SEOUL, &types(&[])).await.unwrap();
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let refused = aws.on_demand(&key(SEOUL), &types(&["c5a.large"])).await.unwrap_err();
    assert_eq!(refused.reason(), "no whole answer within 15 s");
    assert_eq!(began.elapsed().as_secs(), LIMIT.as_secs());
    assert!((2..=4).contains(&client.num_calls()), "{} calls", client.num_calls());
}

#[tokio::test]
async fn refused_credentials_are_looked_for_again() {
    let client = replay([(400, error("UnrecognizedClientException").as_str()), (200, PAGE_2)]);
    let aws = aws(signed_in(&[]), client.clone());
    let refused = aws.on_demand(&key(SEOUL), &types(&["c5a.large"])).await.unwrap_err();
    let advice = "use the AWS credentials: Not now[2J; renew the credentials of the profile default";
    assert_eq!(refused.to_string(), advice);
    assert_eq!(requests(&client).len(), 1, "another region would not accept them either");
    aws.on_demand(&key(SEOUL), &types(&["c5a.large"])).await.unwrap();
}

#[test]
fn a_list_fits_a_filter() {
    let names: Vec<String> = (0..300).map(|i| format!("family{i:03}.{}xlarge", i % 9)).collect();
    let all = types(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let lists = lists(&all);
    assert!(lists.iter().all(|list| list.len() <= MAX_VALUE) && lists.len() == 6, "{} lists", lists.len());
    let again: BTreeSet<Name> = lists.iter().flat_map(|list| list.split(',')).map(Name::from).collect();
    assert_eq!(again, all);
}

#[tokio::test]
async fn volume_prices_are_requested_by_type() {
    let item = json!({
        "product": {"attributes": {"volumeApiName": "gp3", "usagetype": "APN2-EBS:VolumeUsage.gp3"}},
        "terms": {"OnDemand": {"t": {"priceDimensions": {"r": {"unit": "GB-Mo", "pricePerUnit": {"USD": "0.0912"}}}}}},
    });
    let client = replay([(200, json!({"PriceList": [item.to_string()]}).to_string())]);
    let sheet = aws(signed_in(&[]), client.clone()).volumes(SEOUL, &types(&["gp3", "io2"])).await.unwrap();
    let Prices::Volumes(prices) = &sheet.prices else { panic!("{sheet:?}") };
    assert_eq!((prices.len(), prices[0].gib_month.to_string().as_str()), (1, "0.0912"));
    let body = requests(&client).remove(0).1;
    assert_eq!(filter(&body, "volumeApiName"), Some(("ANY_OF".into(), "gp3,io2".into())));
    assert_eq!(filter(&body, "regionCode"), Some(("TERM_MATCH".into(), SEOUL.into())));
    assert_eq!(body["Filters"].as_array().unwrap().len(), 2);
}
