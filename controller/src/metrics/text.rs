//! The text form that Prometheus reads, version 0.0.4.
//!
//! In it a counter may have any name. OpenMetrics wants `_total` at the end of every counter, which
//! `rollout_reconcile_error`, a name that dashboards ask for, doesn't have.

use std::fmt::{Display, Write as _};

use super::buckets::Buckets;

/// What the page is sent as.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The type of a family of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Names of labels and their values.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// A page that grows family by family.
#[derive(Debug, Default)]
pub(super) struct Text {
    page: String,
}

/// One family on the page; its series follow.
#[derive(Debug)]
pub(super) struct Family<'a> {
    page: &'a mut String,
    name: &'static str,
}

impl Text {
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        put(&mut self.page, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { page: &mut self.page, name }
    }

    pub(super) fn into_page(self) -> String {
        self.page
    }
}

impl Family<'_> {
    pub(super) fn value(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    pub(super) fn buckets(&mut self, labels: Labels<'_>, buckets: &Buckets) {
        for (bound, count) in buckets.cumulative() {
            self.line("_bucket", labels, Some(&bound.to_string()), count);
        }
        self.line("_bucket", labels, Some("+Inf"), buckets.count());
        self.line("_sum", labels, None, buckets.sum());
        self.line("_count", labels, None, buckets.count());
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: impl Display) {
        put(self.page, format_args!("{}{suffix}", self.name));
        let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        let mut separator = '{';
        for (name, value) in all {
            put(self.page, format_args!("{separator}{name}=\"{}\"", Escaped(value)));
            separator = ',';
        }
        let end = if separator == '{' { "" } else { "}" };
        put(self.page, format_args!("{end} {value}\n"));
    }
}

/// A text is written to without fail.
fn put(page: &mut String, what: std::fmt::Arguments<'_>) {
    let _written = page.write_fmt(what);
}

struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let mut buckets = Buckets::new(&[0.5, 5.0]);
        for seconds in [0.25, 0.5, 2.0, 60.0] {
            buckets.observe(seconds);
        }
        let mut text = Text::default();
        text.family("runs_error", Kind::Counter, "Runs that failed").value(&[], 3);
        text.family("run_seconds", Kind::Histogram, "How long").buckets(&[("name", "web")], &buckets);
        text.family("odd", Kind::Gauge, "Odd").value(&[("a", "say \"hi\"\\\n"), ("b", "")], 1.5);
        let page = r#"# HELP runs_error Runs that failed
# TYPE runs_error counter
runs_error 3
# HELP run_seconds How long
# TYPE run_seconds histogram
run_seconds_bucket{name="web",le="0.5"} 2
run_seconds_bucket{name="web",le="5"} 3
run_seconds_bucket{name="web",le="+Inf"} 4
run_seconds_sum{name="web"} 62.75
run_seconds_count{name="web"} 4
# HELP odd Odd
# TYPE odd gauge
odd{a="say \"hi\"\\\n",b=""} 1.5
"#;
        assert_eq!(text.into_page(), page);
    }
}
