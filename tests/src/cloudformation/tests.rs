use super::*;

/// A macro that writes down what it is asked, and marks the fragment.
fn processed(template: &str, deployment: &Deployment) -> (Result<Value, String>, Vec<Value>) {
    let mut requests = Vec::new();
    let mut outrigger = |request: &Value| {
        requests.push(request.clone());
        let mut fragment = request["fragment"].clone();
        fragment["Seen"] = json!(requests.len());
        let response = json!({
            "requestId": request["requestId"], "status": "success", "fragment": fragment,
        });
        Ok(response.to_string().into_bytes())
    };
    let result = deployment.process(template.as_bytes(), &mut outrigger);
    (result, requests)
}

#[test]
fn snippets_go_first_and_the_deepest_of_them() {
    let template = "
Transform: [Outrigger, AWS::Serverless-2016-10-31]
Resources:
  Fn::Transform: {Name: Outrigger, Parameters: {Mode: opt-in}}
  A:
    Type: T
    Properties: {Fn::Transform: {Name: Outrigger}, P: 1}
  B:
    Fn::Transform: {Name: AWS::Include, Parameters: {Location: x}}
    Type: T
";
    let (result, requests) = processed(template, &Deployment::default());
    let fragments: Vec<String> = requests
        .iter()
        .map(|request| format!("{} {}", request["params"], request["fragment"]))
        .collect();
    insta::assert_snapshot!(fragments.join("\n"), @r#"
    {} {"P":1}
    {"Mode":"opt-in"} {"A":{"Type":"T","Properties":{"P":1,"Seen":1}},"B":{"Fn::Transform":{"Name":"AWS::Include","Parameters":{"Location":"x"}},"Type":"T"}}
    {} {"Resources":{"A":{"Type":"T","Properties":{"P":1,"Seen":1}},"B":{"Fn::Transform":{"Name":"AWS::Include","Parameters":{"Location":"x"}},"Type":"T"},"Seen":2}}
    "#);
    insta::assert_snapshot!(result.unwrap(), @r#"{"Resources":{"A":{"Type":"T","Properties":{"P":1,"Seen":1}},"B":{"Fn::Transform":{"Name":"AWS::Include","Parameters":{"Location":"x"}},"Type":"T"},"Seen":2},"Seen":3,"Transform":["AWS::Serverless-2016-10-31"]}"#);
}

#[test]
fn loops_are_expanded_for_a_macro_that_stands_behind() {
    let template = |list: &str| {
        format!(
            "
Transform: {list}
Parameters: {{Names: {{Type: CommaDelimitedList, Default: 'C, D'}}}}
Resources:
  Fn::ForEach::Tasks:
    - Name
    - [A, B]
    - Task${{Name}}: {{Type: T, Properties: {{Family: !Ref Name, Image: !Sub '${{Name}}:${{Tag}}'}}}}
  Fn::ForEach::More: [X, !Ref Names, {{'Queue&{{X}}': {{Type: Q}}}}]
"
        )
    };
    let shown = |list: &str| {
        let (result, requests) = processed(&template(list), &Deployment::default());
        let result = result.unwrap();
        format!(
            "{}\n{}",
            requests[0]["fragment"]["Resources"], result["Transform"]
        )
    };
    insta::assert_snapshot!(shown("[AWS::LanguageExtensions, Outrigger]"), @r#"
    {"TaskA":{"Type":"T","Properties":{"Family":"A","Image":{"Fn::Sub":"A:${Tag}"}}},"TaskB":{"Type":"T","Properties":{"Family":"B","Image":{"Fn::Sub":"B:${Tag}"}}},"QueueC":{"Type":"Q"},"QueueD":{"Type":"Q"}}
    null
    "#);
    insta::assert_snapshot!(shown("[Outrigger, AWS::LanguageExtensions]"), @r#"
    {"Fn::ForEach::Tasks":["Name",["A","B"],{"Task${Name}":{"Type":"T","Properties":{"Family":{"Ref":"Name"},"Image":{"Fn::Sub":"${Name}:${Tag}"}}}}],"Fn::ForEach::More":["X",{"Ref":"Names"},{"Queue&{X}":{"Type":"Q"}}]}
    ["AWS::LanguageExtensions"]
    "#);
}

#[test]
fn parameters_come_with_their_values() {
    let template = "
Transform: Outrigger
Parameters:
  Tag: {Type: String}
  Count: {Type: Number, Default: 2}
  Zones: {Type: 'List<AWS::EC2::AvailabilityZone::Name>', Default: 'a, b'}
  Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /images/api}
  Password: {Type: String, NoEcho: true, Default: hunter2}
Resources: {}
";
    let (result, requests) = processed(template, &Deployment::with(&[("Tag", "1")]));
    result.unwrap();
    insta::assert_snapshot!(requests[0]["templateParameterValues"], @r#"{"Tag":"1","Count":"2","Zones":["a","b"],"Image":"/images/api","Password":"hunter2"}"#);
    let wrong = |given: &[(&str, &str)]| {
        let (result, requests) = processed(template, &Deployment::with(given));
        assert_eq!(requests.len(), 0);
        result.unwrap_err()
    };
    insta::assert_snapshot!(wrong(&[]), @"Parameters: [Tag] must have values");
    insta::assert_snapshot!(wrong(&[("Tag", "1"), ("Tags", "1")]), @"Parameters: [Tags] do not exist in the template");
}

#[test]
fn whatever_is_no_success_stops_the_processing() {
    let template = b"{\"Transform\": \"Outrigger\", \"Resources\": {}}";
    let mut told = Vec::new();
    for response in [
        r#"{"requestId": "request-1", "status": "failure", "errorMessage": "no"}"#,
        r#"{"requestId": "request-1", "status": "SUCCESS", "fragment": {}}"#,
        r#"{"requestId": "request-2", "status": "success", "fragment": {}}"#,
        r#"{"requestId": "request-1", "status": "success"}"#,
        r#"{"requestId""#,
    ] {
        let mut outrigger = |_: &Value| Ok(response.as_bytes().to_vec());
        let result = Deployment::default().process(template, &mut outrigger);
        told.push(result.unwrap_err());
    }
    let other = template.map(|byte| if byte == b'O' { b'X' } else { byte });
    let (result, _) = processed(&String::from_utf8_lossy(&other), &Deployment::default());
    told.push(result.unwrap_err());
    insta::assert_snapshot!(told.join("\n"), @"
    Transform 123456789012::Outrigger failed with: no
    Transform 123456789012::Outrigger failed with: no message
    Transform 123456789012::Outrigger failed with: the response is to another request
    Transform 123456789012::Outrigger failed with: the response has no fragment
    Transform 123456789012::Outrigger failed with: no JSON: EOF while parsing an object at line 1 column 12
    No transform named 123456789012::Xutrigger found.
    ");
}

#[test]
fn templates_have_a_greatest_length() {
    let template = |length: usize| {
        let text = "x".repeat(length);
        format!(r#"{{"Transform":"Outrigger","Description":"{text}","Resources":{{}}}}"#)
    };
    let in_s3 = Deployment {
        passed: Passed::InS3,
        ..Deployment::default()
    };
    let fails = |length: usize, deployment: &Deployment| {
        let (result, requests) = processed(&template(length), deployment);
        (result.err(), requests.len())
    };
    assert_eq!(fails(51_000, &Deployment::default()), (None, 1));
    assert_eq!(fails(51_200, &in_s3), (None, 1));
    let (told, requests) = fails(51_200, &Deployment::default());
    insta::assert_snapshot!(told.unwrap(), @"the template has 51257 bytes, and 51200 are allowed");
    assert_eq!(requests, 0);
    let (told, _) = fails(1_000_000, &in_s3);
    insta::assert_snapshot!(told.unwrap(), @"the template has 1000057 bytes, and 1000000 are allowed");
}
