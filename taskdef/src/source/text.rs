//! Looking around in a text by byte offset.

/// A text that answers for any offset: what lies outside of it is empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'t>(&'t str);

impl<'t> Text<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Text(text)
    }

    pub(super) fn as_str(self) -> &'t str {
        self.0
    }

    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    pub(super) fn byte(self, offset: usize) -> Option<u8> {
        self.0.as_bytes().get(offset).copied()
    }

    fn byte_before(self, offset: usize) -> Option<u8> {
        self.byte(offset.checked_sub(1)?)
    }

    pub(super) fn slice(self, start: usize, end: usize) -> &'t str {
        self.0.get(start..end).unwrap_or_default()
    }

    /// The first offset that holds neither a space, a tab nor a line break.
    pub(super) fn skip_space(self, mut offset: usize) -> usize {
        while matches!(self.byte(offset), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            offset += 1;
        }
        offset
    }

    /// The first offset of the same line that holds neither a space nor a tab.
    pub(super) fn skip_spaces_in_line(self, mut offset: usize) -> usize {
        while matches!(self.byte(offset), Some(b' ' | b'\t')) {
            offset += 1;
        }
        offset
    }

    /// Like [`Self::skip_space`], and over YAML's comments.
    pub(super) fn skip_blank(self, mut offset: usize) -> usize {
        loop {
            offset = self.skip_space(offset);
            let after_space = matches!(
                self.byte_before(offset),
                None | Some(b' ' | b'\t' | b'\n' | b'\r')
            );
            if self.byte(offset) != Some(b'#') || !after_space {
                return offset;
            }
            offset = self.line_end(offset);
        }
    }

    /// Where the line ends, before its line break.
    pub(super) fn line_end(self, offset: usize) -> usize {
        let rest = self.0.as_bytes().get(offset..).unwrap_or_default();
        rest.iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(self.len(), |length| offset + length)
    }

    /// Where the line starts.
    pub(super) fn line_start(self, offset: usize) -> usize {
        let before = self.0.as_bytes().get(..offset).unwrap_or_default();
        before
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(0, |last| last + 1)
    }

    /// Where the line before ends (before its line break), for the start of a line.
    pub(super) fn end_of_line_before(self, line_start: usize) -> Option<usize> {
        let end = line_start.checked_sub(1)?;
        if self.byte(end) == Some(b'\n') && self.byte_before(end) == Some(b'\r') {
            return Some(end - 1);
        }
        Some(end)
    }

    /// Whether a line break lies between two offsets.
    pub(super) fn breaks_between(self, start: usize, end: usize) -> bool {
        self.slice(start, end)
            .bytes()
            .any(|byte| matches!(byte, b'\n' | b'\r'))
    }

    /// The spaces and tabs at the start of the line that holds the offset.
    pub(super) fn line_indent(self, offset: usize) -> &'t str {
        let start = self.line_start(offset);
        self.slice(start, self.skip_spaces_in_line(start).min(offset))
    }

    /// How many characters of its line stand before the offset.
    pub(super) fn column(self, offset: usize) -> usize {
        self.slice(self.line_start(offset), offset).chars().count()
    }

    /// Line and column in characters, both from 1.
    pub(super) fn position(self, offset: usize) -> (usize, usize) {
        let before = Text(self.slice(0, offset));
        (before.line_starts().len(), self.column(offset) + 1)
    }

    /// Where each line starts.
    pub(super) fn line_starts(self) -> Vec<u32> {
        let mut starts = vec![0];
        let mut bytes = self.0.bytes().zip(1_u32..).peekable();
        while let Some((byte, next)) = bytes.next() {
            let breaks = match byte {
                b'\n' => true,
                b'\r' => !matches!(bytes.peek(), Some((b'\n', _))),
                _ => false,
            };
            if breaks {
                starts.push(next);
            }
        }
        starts
    }
}
