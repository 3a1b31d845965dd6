use super::*;
use crate::dialect::Dialect;
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
fn an_entry_without_its_key_is_added_once() {
    let Value::Object(entry) = json!({"ContainerPortRange": "80-90"}) else {
        panic!("an object");
    };
    let range = Edit::Upsert {
        list: vec!["portMappings".to_owned()],
        key: "containerPort".to_owned(),
        entry: entry.clone(),
    };
    let other = json!({"ContainerPortRange": "100-110"});
    let of = |mappings: Value| {
        applied(
            json!({"PortMappings": mappings}),
            std::slice::from_ref(&range),
        )
        .map(|(value, said)| (value["PortMappings"].clone(), said))
    };
    let added = vec!["portMappings added".to_owned()];
    assert_eq!(of(json!([other])), Ok((json!([other, entry]), added)));
    assert_eq!(
        of(json!([entry, other])),
        Ok((json!([entry, other]), vec![]))
    );
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

/// `target` edited where these conditions hold.
fn applied_given(target: Value, edit: &Edit, given: &[(&str, bool)]) -> (Value, Vec<String>) {
    let Value::Object(mut map) = target else {
        panic!("an object");
    };
    let given = given
        .iter()
        .map(|(name, truth)| ((*name).to_owned(), *truth));
    let place = Where {
        dialect: Dialect::CloudFormation,
        given: &given.collect(),
    };
    let said = apply(&mut map, &[edit], place).unwrap();
    (Value::Object(map), said)
}

#[test]
fn a_setting_is_added_changed_or_left_alone() {
    let user = Edit::Set(vec!["user".to_owned()], json!("root"));
    let said = |target| applied(target, std::slice::from_ref(&user)).unwrap().1;
    assert_eq!(said(json!({})), ["user added"]);
    assert_eq!(said(json!({"User": null})), ["user added"]);
    assert_eq!(
        said(json!({"User": {"Ref": "AWS::NoValue"}})),
        ["user added"]
    );
    assert_eq!(said(json!({"User": "app"})), ["user changed"]);
    assert_eq!(said(json!({"User": "root"})), [""; 0]);
}

#[test]
fn only_the_members_that_change_are_told() {
    let object = json!({"Image": "i", "User": "app", "Cpu": 1});
    let object = object.as_object().unwrap();
    let given = Assignment::new();
    let place = Where {
        dialect: Dialect::CloudFormation,
        given: &given,
    };
    let of = |edit: Edit| changed(object, &[&edit], place).unwrap().0;
    let user = vec!["user".to_owned()];
    let members = vec![("User".to_owned(), json!("root"))];
    assert_eq!(
        of(Edit::Set(user.clone(), json!("root"))),
        Some(New::Members(members))
    );
    assert_eq!(of(Edit::Set(user.clone(), json!("app"))), None);
    assert_eq!(
        of(Edit::Remove(user.clone())),
        Some(New::Value(json!({"Image": "i", "Cpu": 1})))
    );
    let cpu = Edit::Set(vec!["cpu".to_owned()], json!(2));
    let memory = Edit::Set(vec!["memory".to_owned()], json!(3));
    let edits = [&Edit::Remove(user), &cpu, &memory];
    assert_eq!(
        changed(object, &edits, place).unwrap().0,
        Some(New::Value(json!({"Image": "i", "Cpu": 2, "Memory": 3})))
    );
}

#[test]
fn an_object_with_content_from_elsewhere_is_not_merged_into() {
    let generated =
        json!({"LinuxParameters": {"Fn::Transform": {"Name": "X"}, "InitProcessEnabled": true}});
    let place = "linuxParameters.capabilities.add".to_owned();
    assert_eq!(
        applied(generated, &[ptrace()]),
        Err(CannotMerge::Intrinsic(place))
    );
}

#[test]
fn a_branch_that_is_never_taken_stays_as_it_is() {
    let both = |yes: Value, no: Value| json!({"Fn::If": ["C", yes, no]});
    let ours = json!({"Name": "A", "Value": "1"});
    let target = json!({"Environment": both(json!([]), json!([]))});
    let (yes, said) = applied_given(target.clone(), &variable("A", "1"), &[("C", true)]);
    assert_eq!(yes, json!({"Environment": both(json!([ours]), json!([]))}));
    assert_eq!(said, ["environment A added"]);
    let (no, _) = applied_given(target, &variable("A", "1"), &[("C", false)]);
    assert_eq!(no, json!({"Environment": both(json!([]), json!([ours]))}));
    let inner = |added: Value| both(added, json!({"Add": ["NET_RAW"]}));
    let nested = |added: Value| json!({"LinuxParameters": both(json!({"Capabilities": inner(added)}), json!({}))});
    let (once, _) = applied_given(nested(json!({})), &ptrace(), &[]);
    let expected = json!({"LinuxParameters": both(
        json!({"Capabilities": inner(json!({"Add": ["SYS_PTRACE"]}))}),
        json!({"Capabilities": {"Add": ["SYS_PTRACE"]}}),
    )});
    assert_eq!(once, expected);
}

#[test]
fn an_entry_that_is_nowhere_leaves_nothing_of_an_absent_list() {
    let absent = json!({"Fn::If": ["C", {"Ref": "AWS::NoValue"}, {"Ref": "AWS::NoValue"}]});
    let target = json!({ "Environment": absent });
    let gone = Edit::RemoveEntry {
        list: vec!["environment".to_owned()],
        key: "name".to_owned(),
        name: "A".to_owned(),
    };
    // Whether one of its branches can be taken or both.
    for given in [&[][..], &[("C", true)], &[("C", false)]] {
        assert_eq!(applied_given(target.clone(), &gone, given).0, json!({}));
    }
}

#[test]
fn a_branch_inside_of_a_branch_keeps_what_cannot_be() {
    let both = |yes: Value, no: Value| json!({"Fn::If": ["C", yes, no]});
    let list = |yes: Value| json!({"Capabilities": {"Add": both(yes, json!(["NET_RAW"]))}});
    let of = |yes: Value| json!({"LinuxParameters": both(list(yes), json!({"Capabilities": {"Add": ["SYS_PTRACE"]}}))});
    let (value, said) = applied_given(of(json!([])), &ptrace(), &[]);
    assert_eq!(value, of(json!(["SYS_PTRACE"])));
    assert_eq!(said, ["linuxParameters.capabilities.add SYS_PTRACE added"]);
}

#[test]
fn of_several_entries_with_one_name_one_stays() {
    let ours = json!({"Name": "A", "Value": "1"});
    let twice = json!({"Environment": [ours, {"Name": "A", "Value": "2"}]});
    assert_eq!(
        applied(twice, &[variable("A", "1")]),
        Ok((
            json!({"Environment": [ours]}),
            vec!["environment A changed".to_owned()]
        ))
    );
    let conditional = json!({"Environment": [{"Fn::If": ["C", {"Name": "A", "Value": "2"}, {"Ref": "AWS::NoValue"}]}, ours]});
    let (value, said) = applied(conditional, &[variable("A", "1")]).unwrap();
    assert_eq!(value, json!({"Environment": [ours]}));
    assert_eq!(said, ["environment A changed"]);
}

#[test]
fn null_is_absent_in_a_task_definition_by_itself() {
    let Value::Object(mut map) = json!({"environment": null}) else {
        panic!("an object");
    };
    let place = Where {
        dialect: Dialect::Ecs,
        given: &Assignment::new(),
    };
    let entry = json!({"name": "A", "value": "1"});
    let edit = Edit::Upsert {
        list: vec!["environment".to_owned()],
        key: "name".to_owned(),
        entry: entry.as_object().unwrap().clone(),
    };
    let said = apply(&mut map, &[&edit], place).unwrap();
    assert_eq!(Value::Object(map), json!({"environment": [entry]}));
    assert_eq!(said, ["environment A added"]);

    let Value::Object(mut map) = json!({"linuxParameters": null}) else {
        panic!("an object");
    };
    apply(&mut map, &[&ptrace()], place).unwrap();
    let added = json!({"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}}});
    assert_eq!(Value::Object(map), added);
}

#[test]
fn what_is_left_of_a_conditional_element_keeps_its_branch() {
    let no_value = json!({"Ref": "AWS::NoValue"});
    let ours = json!({"Name": "A", "Value": "2"});
    let other = json!({"Name": "B", "Value": "x"});
    let added = json!({"Name": "A", "Value": "1"});
    for (yes, no) in [(&ours, &other), (&other, &ours)] {
        let target = json!({"Environment": [{"Fn::If": ["C", yes, no]}]});
        let rest = |item: &Value| match item == &ours {
            true => no_value.clone(),
            false => item.clone(),
        };
        let expected = json!({"Environment": [{"Fn::If": ["C", rest(yes), rest(no)]}, added]});
        assert_eq!(applied(target, &[variable("A", "1")]).unwrap().0, expected);
    }
}

#[test]
fn words_in_front_are_taken_away() {
    let strip = || Edit::Strip(vec!["command".to_owned()], vec![json!("w"), json!("--")]);
    let of = |target: Value| {
        let (value, said) = applied(target, &[strip()]).unwrap();
        format!("{value} {said:?}")
    };
    let table = [
        of(json!({"Command": ["w", "--", "a"]})),
        of(json!({"Command": ["w", "--"]})),
        of(json!({"Command": ["a", "w", "--"]})),
        of(json!({"Command": {"Fn::If": ["C", ["w", "--", "a"], ["b"]]}})),
        of(json!({"Command": {"Ref": "Words"}})),
        of(json!({})),
    ];
    insta::assert_snapshot!(table.join("\n"), @r#"
    {"Command":["a"]} ["command changed"]
    {"Command":["w","--"]} []
    {"Command":["a","w","--"]} []
    {"Command":{"Fn::If":["C",["a"],["b"]]}} ["command changed"]
    {"Command":{"Ref":"Words"}} []
    {} []
    "#);
}

#[test]
fn words_of_a_branch_that_is_never_taken_stay() {
    let command = json!({"Fn::If": ["C", ["w", "a"], {"Fn::If": ["D", ["w", "b"], ["w", "c"]]}]});
    let given = |pairs: &[(&str, bool)]| {
        let pairs = pairs
            .iter()
            .map(|(name, truth)| ((*name).to_owned(), *truth));
        let given: Assignment = pairs.collect();
        restore::stripped(&command, &[json!("w")], &given).to_string()
    };
    let table = [
        given(&[]),
        given(&[("C", true)]),
        given(&[("C", false)]),
        given(&[("D", true)]),
    ];
    insta::assert_snapshot!(table.join("\n"), @r#"
    {"Fn::If":["C",["a"],{"Fn::If":["D",["b"],["c"]]}]}
    {"Fn::If":["C",["a"],{"Fn::If":["D",["w","b"],["w","c"]]}]}
    {"Fn::If":["C",["w","a"],{"Fn::If":["D",["b"],["c"]]}]}
    {"Fn::If":["C",["a"],{"Fn::If":["D",["b"],["w","c"]]}]}
    "#);
}

#[test]
fn a_label_may_be_called_as_a_function() {
    let mut task = Map::new();
    task.insert("dockerLabels".to_owned(), json!({"Ref": "mine"}));
    let path = ["dockerLabels", "team"].map(str::to_owned).to_vec();
    let edit = Edit::Set(path, json!("a"));
    let place = Where {
        dialect: Dialect::Ecs,
        given: &Assignment::new(),
    };
    let said = apply(&mut task, &[&edit], place);
    assert_eq!(said, Ok(vec!["dockerLabels.team added".to_owned()]));
    assert_eq!(task["dockerLabels"], json!({"Ref": "mine", "team": "a"}));
}

fn restored(target: Value, path: &[&str], restored: Restored) -> (Value, Vec<String>) {
    let path = path.iter().map(|step| (*step).to_owned()).collect();
    applied(target, &[Edit::Restore(path, restored)]).unwrap()
}

#[test]
fn a_set_is_given_back_without_what_was_added() {
    let of = |add: Value, empty: bool| {
        let back = Restored {
            key: None,
            names: vec!["SYS_PTRACE".to_owned()],
            back: Vec::new(),
            empty,
        };
        let target = json!({"LinuxParameters": {"Capabilities": {"Add": add}}});
        let (value, said) = restored(target, &["linuxParameters", "capabilities", "add"], back);
        format!("{value} {said:?}")
    };
    let table = [
        of(json!(["KILL", "SYS_PTRACE"]), false),
        of(json!(["SYS_PTRACE"]), false),
        of(json!(["SYS_PTRACE"]), true),
        of(json!(["KILL"]), false),
        of(json!([{"Fn::If": ["C", "SYS_PTRACE", "KILL"]}]), false),
        of(
            json!({"Fn::If": ["C", ["SYS_PTRACE"], ["SYS_PTRACE", "KILL"]]}),
            false,
        ),
    ];
    insta::assert_snapshot!(table.join("\n"), @r#"
    {"LinuxParameters":{"Capabilities":{"Add":["KILL"]}}} ["linuxParameters.capabilities.add SYS_PTRACE removed"]
    {} ["linuxParameters.capabilities.add SYS_PTRACE removed"]
    {"LinuxParameters":{"Capabilities":{"Add":[]}}} ["linuxParameters.capabilities.add SYS_PTRACE removed"]
    {"LinuxParameters":{"Capabilities":{"Add":["KILL"]}}} []
    {"LinuxParameters":{"Capabilities":{"Add":[{"Fn::If":["C",{"Ref":"AWS::NoValue"},"KILL"]}]}}} ["linuxParameters.capabilities.add SYS_PTRACE removed"]
    {"LinuxParameters":{"Capabilities":{"Add":{"Fn::If":["C",{"Ref":"AWS::NoValue"},["KILL"]]}}}} ["linuxParameters.capabilities.add SYS_PTRACE removed"]
    "#);
}

#[test]
fn a_branch_that_is_never_taken_is_not_given_back() {
    let back = Restored {
        key: None,
        names: vec!["KILL".to_owned()],
        back: Vec::new(),
        empty: false,
    };
    let inner = json!({"Capabilities": {"Add": {"Fn::If": ["C", ["KILL", "A"], ["KILL", "B"]]}}});
    let target = json!({"LinuxParameters": {"Fn::If": ["C", inner, {"Ref": "AWS::NoValue"}]}});
    let (value, _) = restored(target, &["linuxParameters", "capabilities", "add"], back);
    assert_eq!(
        value.pointer("/LinuxParameters/Fn::If/1/Capabilities/Add"),
        Some(&json!({"Fn::If": ["C", ["A"], ["KILL", "B"]]}))
    );
}

#[test]
fn conditions_that_exclude_each_other_leave_a_branch_alone() {
    let document = json!({"Conditions": {
        "C": {"Fn::Equals": [{"Ref": "P"}, "b"]}, "NotC": {"Fn::Not": [{"Condition": "C"}]},
    }});
    let settings = crate::settings::Settings::default();
    let template = crate::cloudformation::template::Template::new(&document, &settings);
    let assignment = Assignment::from([("C".to_owned(), true)]);
    let place = Where {
        dialect: Dialect::CloudFormation,
        given: &assignment,
    };
    let of = |place: Place<'_>| {
        let mut map = Map::new();
        let environment = json!({"Fn::If": ["NotC", [{"Name": "B", "Value": "2"}], []]});
        map.insert("Environment".to_owned(), environment);
        apply(&mut map, &[&variable("A", "1")], place).unwrap();
        map["Environment"]["Fn::If"][1].as_array().unwrap().len()
    };
    assert_eq!((of(place.of(&template)), of(place.into())), (1, 2));
}

#[test]
fn what_stands_behind_words_is_a_list() {
    let join = |list: Value| json!({"Fn::Join": ["|outrigger|", list]});
    let parts = json!(["w", "--", join(json!({"Ref": "L"}))]);
    let composed = json!({"Fn::Split": ["|outrigger|", join(parts)]});
    let words = [json!("w"), json!("--")];
    assert_eq!(
        restore::behind(&composed, &words),
        Some(json!({"Ref": "L"}))
    );
    assert_eq!(restore::behind(&composed, &[json!("w")]), None);
    assert_eq!(
        restore::behind(&json!(["w", "--", "a"]), &words),
        Some(json!(["a"]))
    );
    assert_eq!(restore::behind(&json!(["w", "--"]), &words), None);
    assert_eq!(restore::behind(&json!("w"), &words), None);
}
