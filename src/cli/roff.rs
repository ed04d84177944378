//! Text and the manual's Markdown as roff, for the manual page.

use std::fmt::Write;

/// Text for roff: dashes are dashes, paragraphs stay apart, and no line begins with a control character.
pub(super) fn escaped(text: &str) -> String {
    let lines = text.replace('\\', "\\\\").replace('-', "\\-");
    let lines = lines.lines().map(|line| match line {
        "" => ".PP".to_owned(),
        line if line.starts_with(['.', '\'']) => format!("\\&{line}"),
        line => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One line of Markdown: code and strong text are bold, a link is its text.
fn inline(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((before, (name, after))) =
        rest.split_once('[').and_then(|(before, link)| Some((before, link.split_once("](")?)))
    {
        let Some((_, behind)) = after.split_once(')') else { break };
        plain.push_str(before);
        plain.push_str(name);
        rest = behind;
    }
    plain.push_str(rest);
    let mut out = String::new();
    for (index, part) in plain.replace("**", "`").split('`').enumerate() {
        match (index % 2, part) {
            (0, part) => out.push_str(&part.replace('\\', "\\\\").replace('-', "\\-")),
            (_, part) => _ = write!(out, "\\fB{}\\fR", part.replace('\\', "\\\\").replace('-', "\\-")),
        }
    }
    if out.starts_with(['.', '\'']) { format!("\\&{out}") } else { out }
}

/// A row of a table: what its first cell names, and what the others state.
fn row(line: &str) -> Option<(String, String)> {
    let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim);
    let name = inline(cells.next()?);
    Some((name, cells.filter(|cell| !cell.is_empty()).map(inline).collect::<Vec<_>>().join("; ")))
}

/// A file of the manual: headings, paragraphs, lists, tables and code, each in the one form that the manual uses.
pub(super) fn from_markdown(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    let mut is_code = false;
    while let Some(line) = lines.next() {
        let written = if line.starts_with("```") {
            is_code = !is_code;
            if is_code { ".PP\n.EX".to_owned() } else { ".EE".to_owned() }
        } else if is_code {
            // An empty line stays one inside code.
            if line.is_empty() { String::new() } else { escaped(line) }
        } else if let Some(title) = line.strip_prefix("# ") {
            format!(".SH \"{}\"", title.to_uppercase())
        } else if let Some(title) = line.strip_prefix("## ") {
            format!(".SS \"{title}\"")
        } else if line.starts_with('|') {
            // The line above the rule heads the columns.
            let is_rule = |line: &str| line.starts_with("|--");
            match row(line).filter(|_| !is_rule(line) && !lines.peek().is_some_and(|next| is_rule(next))) {
                Some((name, text)) => format!(".TP\n{name}\n{text}"),
                None => continue,
            }
        } else if let Some(item) = line.strip_prefix("* ") {
            format!(".IP \\(bu 2\n{}", inline(item))
        } else if line.starts_with("<!--") || (line.is_empty() && !lines.peek().is_some_and(|next| is_text(next))) {
            continue;
        } else if line.is_empty() {
            ".PP".to_owned()
        } else {
            inline(line.trim_start())
        };
        out.push_str(&written);
        out.push('\n');
    }
    out
}

/// Whether a line begins a paragraph.
fn is_text(line: &str) -> bool {
    !line.is_empty() && !line.starts_with(['#', '|', '*', '<']) && !line.starts_with("```")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_roff() {
        let manual = "# Keys\n\nSee [the list](keys.md) of `x-y`.\n.dot\n\n<!-- checked -->\n\n| key | where | use |\n|---|---|---|\n\
                      | `a` | all | **b** |\n| `c` | | d |\n\n## More\n\n* one\n  two\n\n```sh\ncd ..\n\n.hidden\n```\n\nEnd.\n";
        let roff = ".SH \"KEYS\"\n.PP\nSee the list of \\fBx\\-y\\fR.\n\\&.dot\n.TP\n\\fBa\\fR\nall; \\fBb\\fR\n.TP\n\\fBc\\fR\nd\n\
                    .SS \"More\"\n.IP \\(bu 2\none\ntwo\n.PP\n.EX\ncd ..\n\n\\&.hidden\n.EE\n.PP\nEnd.\n";
        assert_eq!(from_markdown(manual), roff);
    }
}
