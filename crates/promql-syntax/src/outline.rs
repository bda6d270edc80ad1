//! Trees drawn for people: a line for each node, with lines that lead from parents to children, and
//! columns that stand below each other.

/// Deeper than this a line shows its depth as a number instead of the lines of all its ancestors,
/// so that a drawing stays in proportion to its tree.
const DRAWN_DEPTH: usize = 40;

/// The widest first column that the others are lined up behind.
const ALIGNED_WIDTH: usize = 60;

/// One node of a drawing.
pub(crate) struct Entry<K> {
    /// What the node is.
    pub(crate) label: String,
    /// Its type.
    pub(crate) kind: &'static str,
    /// The text it stands for.
    pub(crate) excerpt: String,
    /// Its children, in the order in which they are drawn.
    pub(crate) children: Vec<K>,
}

/// Draws the tree below `root`. `describe` is called once for each node.
pub(crate) fn draw<K>(root: K, mut describe: impl FnMut(K) -> Entry<K>) -> String {
    let mut rows: Vec<(String, &'static str, String)> = Vec::new();
    // For each ancestor whether it is the last child of its parent.
    let mut is_last: Vec<bool> = Vec::new();
    let mut stack = vec![(root, 0, true)];
    while let Some((node, depth, last)) = stack.pop() {
        is_last.truncate(depth);
        is_last.push(last);
        let entry = describe(node);
        rows.push((branch(&is_last) + &entry.label, entry.kind, entry.excerpt));
        let children = entry.children.into_iter().enumerate().rev();
        for (behind, (_, child)) in children.enumerate() {
            stack.push((child, depth + 1, behind == 0));
        }
    }
    let width = |text: &str| text.chars().count();
    let widths = rows.iter().map(|(label, ..)| width(label)).filter(|w| *w <= ALIGNED_WIDTH);
    let label_width = widths.max().unwrap_or(0);
    let kind_width = rows.iter().map(|(_, kind, _)| width(kind)).max().unwrap_or(0);
    let mut out = String::new();
    for (label, kind, excerpt) in rows {
        let row = format!("{label:label_width$}  {kind:kind_width$}  {excerpt}");
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

/// The lines that lead to a node.
fn branch(is_last: &[bool]) -> String {
    let depth = is_last.len() - 1;
    if depth > DRAWN_DEPTH {
        return format!("… {depth} levels deep: ");
    }
    let mut out = String::new();
    for (at, last) in is_last.iter().enumerate().skip(1) {
        out.push_str(match (at == depth, last) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        });
    }
    out
}

/// The first characters of a text.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 72;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}
