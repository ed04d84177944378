//! The report of `doctor`, as text and as JSON. Findings keep their order, regardless of which check completes first.

use crate::units::text::clean;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// Works.
    Ok,
    /// Not checked; the text has the reason.
    Skipped,
    /// Nothing is missing; additional information.
    Note,
    /// Some data is missing; the rest works.
    Limited,
    /// The dashboard cannot work.
    Failed,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "-",
            Self::Note => "note",
            Self::Limited => "warn",
            Self::Failed => "FAIL",
        }
    }

    /// The colour of the word, as an SGR parameter.
    const fn sgr(self) -> &'static str {
        match self {
            Self::Ok => "32",
            Self::Skipped => "2",
            Self::Note => "36",
            Self::Limited => "33",
            Self::Failed => "1;31",
        }
    }
}

/// A check and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    check: String,
    verdict: Verdict,
    text: String,
    /// What the dashboard lacks without it.
    #[serde(rename = "lost")]
    impact: Option<String>,
    /// How to fix it.
    #[serde(rename = "mend")]
    fix: Option<String>,
    /// The data of the result, for programs.
    #[serde(skip_serializing_if = "Map::is_empty")]
    facts: Map<String, Value>,
}

impl Finding {
    pub(super) fn new(verdict: Verdict, check: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let text = text.lines().map(clean).collect::<Vec<_>>().join(" ");
        Self { check: check.into(), verdict, text, impact: None, fix: None, facts: Map::new() }
    }

    pub(super) fn ok(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, check, text)
    }

    pub(super) fn skipped(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, check, text)
    }

    pub(super) fn limited(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Verdict::Limited, check, text)
    }

    pub(super) fn failed(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Verdict::Failed, check, text)
    }

    pub(super) fn impact(mut self, what: impl Into<String>) -> Self {
        self.impact = Some(what.into());
        self
    }

    pub(super) fn fix(mut self, how: impl Into<String>) -> Self {
        self.fix = Some(how.into());
        self
    }

    pub(super) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    pub(super) const fn verdict(&self) -> Verdict {
        self.verdict
    }
}

/// Findings about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) findings: Vec<Finding>,
}

/// All findings, by section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    sections: Vec<Section>,
}

impl Report {
    pub(super) fn add(&mut self, name: &'static str, findings: Vec<Finding>) {
        if !findings.is_empty() {
            self.sections.push(Section { name, findings });
        }
    }

    fn with(&self, verdict: Verdict) -> Vec<&str> {
        let findings = self.sections.iter().flat_map(|section| &section.findings);
        findings.filter(|finding| finding.verdict == verdict).map(|finding| finding.check.as_str()).collect()
    }

    /// Whether the dashboard is usable.
    pub(super) fn works(&self) -> bool {
        self.with(Verdict::Failed).is_empty()
    }

    /// The last line: the overall verdict.
    fn conclusion(&self) -> String {
        match (self.with(Verdict::Failed).as_slice(), self.with(Verdict::Limited).as_slice()) {
            ([], []) => "OK: everything the dashboard uses is available.".to_owned(),
            ([], limits) => format!("OK with warnings: {}.", limits.join(", ")),
            (failed, _) => format!("Not usable: {}.", failed.join(", ")),
        }
    }

    /// The report as text.
    pub(super) fn text(&self, coloured: bool) -> String {
        let mut out = String::new();
        for Section { name, findings } in &self.sections {
            let title: String = name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect();
            let width = findings.iter().map(|finding| finding.check.chars().count()).max().unwrap_or(0);
            // Writing into a String cannot fail.
            let _ = writeln!(out, "{title}");
            for finding in findings {
                let Finding { check, verdict, text, impact, fix, .. } = finding;
                let word = format!("{:<5}", verdict.word());
                let word = if coloured { format!("\u{1b}[{}m{word}\u{1b}[0m", verdict.sgr()) } else { word };
                let _ = writeln!(out, "  {word}  {check:<width$}  {text}");
                for (label, more) in [("impact:", impact), ("fix:", fix)] {
                    if let Some(more) = more {
                        let _ = writeln!(out, "  {:<5}  {:<width$}  {label} {}", "", "", clean(more));
                    }
                }
            }
            out.push('\n');
        }
        out + &self.conclusion() + "\n"
    }

    /// The report as a JSON document.
    pub(super) fn json(&self) -> String {
        let works = match (self.works(), self.with(Verdict::Limited).is_empty()) {
            (false, _) => "no",
            (true, false) => "limited",
            (true, true) => "full",
        };
        let report = json!({
            "schema": "nodeglass-doctor/v1",
            "version": env!("CARGO_PKG_VERSION"),
            "works": works,
            "sections": self.sections,
        });
        format!("{report:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn report(findings: Vec<Finding>) -> Report {
        let mut report = Report::default();
        report.add("cluster", findings);
        report.add("empty", Vec::new());
        report
    }

    #[test]
    fn a_report_is_aligned_in_columns() {
        let text = report(vec![
            Finding::ok("server", "answers"),
            Finding::limited("pods", "may not\n\u{1b}[31mlist").impact("bars").fix("a rule"),
        ])
        .text(false);
        assert_eq!(
            text,
            "Cluster\n  ok     server  answers\n  warn   pods    may not [31mlist\n                 impact: bars\n                 \
             fix: a rule\n\nOK with warnings: pods.\n"
        );
    }

    #[test]
    fn colour_is_on_the_word_alone() {
        let text = report(vec![Finding::failed("server", "is silent")]).text(true);
        assert!(text.contains("  \u{1b}[1;31mFAIL \u{1b}[0m  server  is silent\n"), "{text:?}");
    }

    #[test_case(&[Verdict::Ok, Verdict::Note, Verdict::Skipped] => (true, "full".to_owned()))]
    #[test_case(&[Verdict::Ok, Verdict::Limited] => (true, "limited".to_owned()))]
    #[test_case(&[Verdict::Failed, Verdict::Limited] => (false, "no".to_owned()))]
    fn the_worst_verdict_decides(verdicts: &[Verdict]) -> (bool, String) {
        let report = report(verdicts.iter().map(|verdict| Finding::new(*verdict, "x", "y")).collect());
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        (report.works(), json["works"].as_str().unwrap().to_owned())
    }
}
