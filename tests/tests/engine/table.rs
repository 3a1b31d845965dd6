//! What was combined, refused and run, as a table.

use std::collections::BTreeMap;

use outrigger_tests::servers::Ended;

/// One recipe in one arrangement.
pub(crate) struct Row {
    name: String,
    pub(crate) combinations: usize,
    /// How many were refused, by code.
    refused: BTreeMap<String, usize>,
    ran: usize,
    equal: usize,
    /// How many of those that ran have no program that could be started.
    without_program: usize,
}

impl Row {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            combinations: 0,
            refused: BTreeMap::new(),
            ran: 0,
            equal: 0,
            without_program: 0,
        }
    }

    pub(crate) fn refuse(&mut self, code: &str) {
        *self.refused.entry(code.to_owned()).or_default() += 1;
    }

    pub(crate) fn count(&mut self, before: &Ended, equal: bool) {
        self.ran += 1;
        self.equal += usize::from(equal);
        self.without_program += usize::from(!matches!(before, Ended::Exited { .. }));
    }
}

pub(crate) fn print_table<'r>(rows: impl Iterator<Item = &'r Row>) {
    println!(
        "| recipe, inputs | combinations | rewritten | refused | run | equal | of these, nothing that starts |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut sums = [0; 5];
    for row in rows {
        let refused = row
            .refused
            .iter()
            .map(|(code, count)| format!("`{code}` {count}"));
        let refused = refused.collect::<Vec<_>>().join(", ");
        let rewritten = row.combinations - row.refused.values().sum::<usize>();
        let numbers = [
            row.combinations,
            rewritten,
            row.ran,
            row.equal,
            row.without_program,
        ];
        let [combinations, rewritten, ran, equal, without] = numbers;
        println!(
            "| {} | {combinations} | {rewritten} | {refused} | {ran} | {equal} | {without} |",
            row.name
        );
        sums = std::array::from_fn(|index| sums[index] + numbers[index]);
    }
    let [combinations, rewritten, ran, equal, without] = sums;
    let refused = combinations - rewritten;
    println!("| all | {combinations} | {rewritten} | {refused} | {ran} | {equal} | {without} |");
}
