//! A text cut into its documents before any of them is parsed, so that one that can't be read hides none behind it.

/// A piece of the text and the number of lines before it.
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    pub(super) lines_before: usize,
}

/// Cuts at each line that begins with `---`; YAML lets such a line be nothing else, wherever it stands.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut lines_before = 0;
    let mut only_prologue = true;
    let mut offset = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if is_separator(line) {
            // Directives and comments belong to the document behind the separator.
            if !only_prologue {
                pieces.push(Piece { text: &text[start..offset], lines_before });
                start = offset;
                lines_before = number;
            }
            only_prologue = line.trim_end() == "---" && only_prologue;
        } else {
            let line = line.trim();
            only_prologue &= line.is_empty() || line.starts_with(['#', '%']);
        }
        offset += line.len();
    }
    pieces.push(Piece { text: &text[start..], lines_before });
    pieces
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}
