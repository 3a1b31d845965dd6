//! What of a comment fits into it.

use crate::text;

/// GitHub takes 65,536 characters in a comment; a pipeline may add some.
const LIMIT: usize = 65_000;
/// What the note about the cut takes at most.
const NOTE: usize = 400;

/// What is left out last has the least rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The table.
    First,
    /// Why a task definition was refused.
    Refused,
    /// What concerns the document.
    Document,
    /// What a person has to arrange.
    Needs,
    /// What was done.
    Done,
}

struct Part {
    rank: Rank,
    text: String,
    is_task: bool,
}

/// The parts of a comment, in order.
pub(super) struct Page {
    head: String,
    parts: Vec<Part>,
}

impl Page {
    pub(super) fn new(head: String) -> Page {
        Page {
            head,
            parts: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, rank: Rank, text: String) {
        let is_task = false;
        self.parts.push(Part {
            rank,
            text,
            is_task,
        });
    }

    /// The section of a task definition.
    pub(super) fn push_task(&mut self, rank: Rank, text: String) {
        let is_task = true;
        self.parts.push(Part {
            rank,
            text,
            is_task,
        });
    }

    /// The whole, or as many parts as fit and a note about the others. Bytes are counted, of which there are never
    /// fewer than characters.
    pub(super) fn into_text(self) -> String {
        let Page { mut head, parts } = self;
        let whole: usize = parts.iter().map(|part| part.text.len()).sum();
        if head.len() + whole <= LIMIT {
            head.extend(parts.into_iter().map(|part| part.text));
            return head;
        }
        // Only problems make a head long, and they come without parts.
        if head.len() > LIMIT - NOTE {
            head = head.lines().fold(String::new(), |shown, line| {
                match shown.len() + line.len() < LIMIT - NOTE {
                    true => shown + line + "\n",
                    false => shown,
                }
            });
        }
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|index| parts.get(*index).map(|part| part.rank));
        let mut room = LIMIT.saturating_sub(head.len() + NOTE);
        let mut fitting = vec![false; parts.len()];
        for index in order {
            if let (Some(part), Some(fits)) = (parts.get(index), fitting.get_mut(index))
                && part.text.len() <= room
            {
                room -= part.text.len();
                *fits = true;
            }
        }
        head.push_str(&note(&parts, &fitting));
        let shown = parts.into_iter().zip(fitting).filter(|(_, fits)| *fits);
        head.extend(shown.map(|(part, _)| part.text));
        head
    }
}

fn note(parts: &[Part], fitting: &[bool]) -> String {
    let tasks = parts.iter().zip(fitting).filter(|(part, _)| part.is_task);
    let (shown, all) = tasks.fold((0, 0), |(shown, all), (_, fits)| {
        (shown + usize::from(*fits), all + 1)
    });
    let what = match all {
        0 => String::new(),
        _ => {
            let all = text::count(all, "task definition", "task definitions");
            format!(": what became of {shown} of {all} is told below")
        }
    };
    format!(
        "\n> **This report is cut**{what}. A comment on GitHub has at most 65,536 characters; `--report json` tells everything.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, Page, Rank};

    #[test]
    fn what_matters_most_is_kept_and_the_order_stays() {
        let mut page = Page::new("head\n".to_owned());
        page.push(Rank::First, "table\n".to_owned());
        page.push_task(Rank::Done, format!("done {}\n", "ä".repeat(20_000)));
        page.push_task(Rank::Done, format!("also {}\n", "x".repeat(20_000)));
        page.push_task(Rank::Refused, format!("refused {}\n", "x".repeat(20_000)));
        page.push(Rank::Needs, "needs\n".to_owned());
        let text = page.into_text();
        assert!(text.len() <= LIMIT);
        let starts: Vec<&str> = text
            .lines()
            .map(|line| line.get(..4).unwrap_or(line))
            .collect();
        assert_eq!(starts, ["head", "", "> **", "tabl", "done", "refu", "need"]);
        assert!(text.contains("what became of 2 of 3 task definitions is told below"));
    }

    #[test]
    fn a_short_page_is_whole_and_a_long_head_is_cut() {
        let mut page = Page::new("head\n".to_owned());
        page.push(Rank::First, "table\n".to_owned());
        assert_eq!(page.into_text(), "head\ntable\n");
        let page = Page::new("- problem\n".repeat(10_000));
        let text = page.into_text();
        assert!(text.len() <= LIMIT && text.contains("This report is cut"));
    }
}
