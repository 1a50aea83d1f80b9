//! What metrics are measured with: from the flags and from the environment.

use sluice_analysis::address::AddressPolicy;
use sluice_analysis::provider::sigv4::Credentials;
use sluice_controller::Measuring;

use super::Args;

/// Reads both; a flag counts before a variable.
pub(super) fn of(args: &Args, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Measuring> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let addresses = AddressPolicy::new(&args.analysis_allow_host, &args.analysis_deny_host).map_err(|mistakes| {
        let sentences: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("--analysis-allow-host, --analysis-deny-host: {}", sentences.join("; "))
    })?;
    let address = args.prometheus_address.clone().or_else(|| variable("ARGO_ROLLOUTS_PROMETHEUS_ADDRESS"));
    let keys = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
    let aws = keys.map(|(access_key, secret_key)| Credentials {
        access_key,
        secret_key,
        session_token: variable("AWS_SESSION_TOKEN").unwrap_or_default(),
        region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).unwrap_or_default(),
    });
    Ok(Measuring { prometheus_address: address.unwrap_or_default(), addresses, aws })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: Args,
    }

    fn args(flags: &[&str]) -> Args {
        Only::parse_from(std::iter::once("controller").chain(flags.iter().copied())).args
    }

    #[test]
    fn the_address_of_prometheus_is_that_of_the_flag_or_else_of_the_environment() {
        let environment = |name: &str| (name == "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS").then(|| "http://there".to_owned());
        let address = |flags: &[&str]| of(&args(flags), environment).expect("good flags").prometheus_address;
        assert_eq!(address(&[]), "http://there");
        assert_eq!(address(&["--prometheus-address", "http://here"]), "http://here");
    }

    #[test]
    fn hosts_that_are_none_are_told_all_at_once() {
        let flags = ["--analysis-allow-host", "http://x", "--analysis-deny-host=10.0.0.0/40"];
        let problem = of(&args(&flags), |_| None).expect_err("two mistakes").to_string();
        assert!(problem.contains("http://x") && problem.contains("10.0.0.0/40"), "{problem}");
    }
}
