//! Which recipe an input is for.

use super::*;

#[test]
fn an_input_goes_to_its_recipe() {
    let named = |name: &str, inputs: &str| {
        let text = with_head(&format!("inputs: {{{inputs}}}\n"));
        Recipe::parse("x.yaml", &text.replace("name: x", &format!("name: {name}"))).unwrap()
    };
    let recipes = [
        named("first", "a: {description: d}, both: {description: d}"),
        named("second", "b: {description: d}, both: {description: d}"),
    ];
    let told = |keys: &[&str], recipes: &[Recipe]| {
        let each =
            |(key, text): (&&str, &str)| ((*key).to_owned(), InputValue::parse(text).unwrap());
        let given = keys.iter().zip(["1", "2", "3"]).map(each);
        match assign(given, recipes) {
            Ok(inputs) => {
                let one = |inputs: &Inputs| {
                    let pairs = inputs.iter().map(|(name, value)| match value {
                        InputValue::Plain(value) => format!("{name}={value}"),
                        InputValue::ValueFrom(_) => String::new(),
                    });
                    pairs.collect::<Vec<_>>().join(" ")
                };
                inputs.iter().map(one).collect::<Vec<_>>().join(" | ")
            }
            Err(errors) => {
                let one = |error: &AssignError| format!("{error} ({})", error.hint());
                errors.iter().map(one).collect::<Vec<_>>().join("; ")
            }
        }
    };
    let one = recipes.get(..1).unwrap();
    let table = [
        told(&["a", "b"], &recipes),
        told(&["second.both", "first.both", "second.a"], &recipes),
        told(&["both"], &recipes),
        told(&["bth", "zzzz"], &recipes),
        told(&["secnd.b", "zzzz.b"], &recipes),
        told(&["zzzz", "first.a"], one),
        told(&["second.a"], one),
        told(&["a.b"], one),
    ];
    insta::assert_snapshot!(table.join("\n"), @r#"
    a="1" | b="2"
    both="2" | a="3" both="1"
    several of the recipes take an input `both` (say for which it is: `first.both` or `second.both`)
    none of the recipes takes an input `bth` (did you mean `both`?); none of the recipes takes an input `zzzz` (see the inputs of `first` and `second`)
    the input `secnd.b` is for the recipe `secnd`, which is not in use (did you mean `second`?); the input `zzzz.b` is for the recipe `zzzz`, which is not in use (in use: `first`, `second`)
    a="2" zzzz="1"
    the input `second.a` is for the recipe `second`, which is not in use (in use: `first`)
    the input `a.b` is for the recipe `a`, which is not in use (in use: `first`)
    "#);
}
