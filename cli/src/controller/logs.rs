//! Log lines: for people or, one JSON object a line, for machines.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) use super::flags::{LogFormat, LogLevel};

/// From now on log lines are printed.
pub(crate) fn begin(level: LogLevel, format: LogFormat, client_level: u8) {
    let filter = Targets::new()
        .with_default(client_filter(client_level))
        .with_target("sluice", filter(level))
        .with_target("sluice_controller", filter(level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

const fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    }
}

/// The client's numbers: 0 for problems, then more and more, as Kubernetes' own logs count.
const fn client_filter(level: u8) -> LevelFilter {
    match level {
        0 => LevelFilter::WARN,
        1..=3 => LevelFilter::INFO,
        4..=7 => LevelFilter::DEBUG,
        8.. => LevelFilter::TRACE,
    }
}
