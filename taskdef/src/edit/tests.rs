use super::*;
use serde_json::json;

fn applied(target: Value, edits: &[Edit]) -> Result<(Value, Vec<String>), CannotMerge> {
    let Value::Object(mut map) = target else {
        panic!("an object");
    };
    let place = Where {
        dialect: Dialect::CloudFormation,
        given: &Assignment::new(),
    };
    let edits: Vec<&Edit> = edits.iter().collect();
    let said = apply(&mut map, &edits, place)?;
    Ok((Value::Object(map), said))
}

fn variable(name: &str, value: &str) -> Edit {
    let Value::Object(entry) = json!({"Name": name, "Value": value}) else {
        panic!("an object");
    };
    Edit::Upsert {
        list: vec!["environment".to_owned()],
        key: "name".to_owned(),
        entry,
    }
}

fn ptrace() -> Edit {
    let path = ["linuxParameters", "capabilities", "add"].map(str::to_owned);
    Edit::Include(path.to_vec(), vec![json!("SYS_PTRACE")])
}

#[test]
fn an_entry_is_appended_merged_or_left_alone() {
    let of = |environment: Value| {
        applied(json!({"Environment": environment}), &[variable("A", "1")])
            .map(|(value, said)| (value["Environment"].clone(), said))
    };
    let added = vec!["environment A added".to_owned()];
    let changed = vec!["environment A changed".to_owned()];
    let ours = json!({"Name": "A", "Value": "1"});
    let other = json!({"Name": "B", "Value": {"Ref": "X"}});
    assert_eq!(of(json!([])), Ok((json!([ours]), added.clone())));
    assert_eq!(
        of(json!([other])),
        Ok((json!([other, ours]), added.clone()))
    );
    assert_eq!(of(json!([ours, other])), Ok((json!([ours, other]), vec![])));
    assert_eq!(
        of(json!([{"Name": "A", "Value": "2"}, other])),
        Ok((json!([ours, other]), changed.clone()))
    );
    assert_eq!(
        of(json!({"Fn::If": ["C", [ours], {"Ref": "AWS::NoValue"}]})),
        Ok((json!({"Fn::If": ["C", [ours], [ours]]}), added))
    );
    assert_eq!(
        of(json!([{"Fn::If": ["C", {"Name": "A", "Value": "2"}, other]}])),
        Ok((
            json!([{"Fn::If": ["C", {"Ref": "AWS::NoValue"}, other]}, ours]),
            changed
        ))
    );
    let function = json!({"Fn::FindInMap": ["A", "B", "C"]});
    let place = || "environment".to_owned();
    assert_eq!(of(function.clone()), Err(CannotMerge::Intrinsic(place())));
    assert_eq!(of(json!([function])), Err(CannotMerge::Intrinsic(place())));
    assert_eq!(of(json!("A=1")), Err(CannotMerge::WrongType(place())));
}

#[test]
fn a_capability_goes_into_every_branch_once() {
    let of = |linux: Value| {
        applied(json!({"LinuxParameters": linux}), &[ptrace()])
            .map(|(value, _)| value["LinuxParameters"].clone())
    };
    let ours = json!({"Capabilities": {"Add": ["SYS_PTRACE"]}});
    assert_eq!(of(Value::Null), Ok(ours.clone()));
    assert_eq!(of(ours.clone()), Ok(ours.clone()));
    assert_eq!(
        of(json!({"InitProcessEnabled": true, "Capabilities": {"Drop": ["ALL"]}})),
        Ok(
            json!({"InitProcessEnabled": true, "Capabilities": {"Drop": ["ALL"], "Add": ["SYS_PTRACE"]}})
        )
    );
    assert_eq!(
        of(json!({"Fn::If": ["C", {"Ref": "AWS::NoValue"}, ours]})),
        Ok(json!({"Fn::If": ["C", ours, ours]}))
    );
    assert_eq!(
        of(
            json!({"Capabilities": {"Add": [{"Fn::If": ["C", "SYS_PTRACE", {"Ref": "AWS::NoValue"}]}]}})
        ),
        Ok(ours)
    );
}

#[test]
fn a_variable_that_goes_leaves_no_empty_list() {
    let edit = Edit::RemoveEntry {
        list: vec!["secrets".to_owned()],
        key: "name".to_owned(),
        name: "A".to_owned(),
    };
    let secret = json!({"Name": "A", "ValueFrom": "x"});
    let of = |value: Value| applied(value, std::slice::from_ref(&edit)).unwrap().0;
    assert_eq!(of(json!({"Secrets": [secret]})), json!({}));
    assert_eq!(of(json!({"Secrets": []})), json!({"Secrets": []}));
    assert_eq!(of(json!({})), json!({}));
}
