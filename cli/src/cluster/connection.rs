//! The connection flags of kubectl, before or behind the verb.

use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use jiff::SignedDuration;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use sluice_crds::values::GoDuration;

use super::Problem;

#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster (as with kubectl)")]
pub(crate) struct Connection {
    /// The namespace that is meant [default: that of the kubeconfig's context]
    #[arg(short, long, global = true)]
    namespace: Option<String>,
    /// The kubeconfig to use [default: $KUBECONFIG or ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(long, global = true, hide_short_help = true)]
    context: Option<String>,
    /// The cluster of the kubeconfig
    #[arg(long, global = true, hide_short_help = true)]
    cluster: Option<String>,
    /// The user of the kubeconfig
    #[arg(long, global = true, hide_short_help = true)]
    user: Option<String>,
    /// The API server's address
    #[arg(short, long, global = true, value_name = "URL", hide_short_help = true)]
    server: Option<String>,
    /// A bearer token
    #[arg(long, global = true, hide_short_help = true)]
    token: Option<String>,
    /// Act as this user
    #[arg(long = "as", global = true, value_name = "USER", hide_short_help = true)]
    as_user: Option<String>,
    /// Act as a member of this group; can be repeated
    #[arg(long, global = true, value_name = "GROUP", hide_short_help = true)]
    as_group: Vec<String>,
    /// Act as the user with this uid
    #[arg(long, global = true, value_name = "UID", hide_short_help = true)]
    as_uid: Option<String>,
    /// The certificate of the authority that vouches for the server
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    certificate_authority: Option<PathBuf>,
    /// A client certificate
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    client_certificate: Option<String>,
    /// The key of the client certificate
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    client_key: Option<String>,
    /// Believe any certificate of the server
    #[arg(long, global = true, hide_short_help = true)]
    insecure_skip_tls_verify: bool,
    /// The name that the server's certificate must have
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    tls_server_name: Option<String>,
    /// How long to wait for an answer, for example 10s; 0 waits for ever
    #[arg(long, global = true, value_name = "DURATION", value_parser = patience, hide_short_help = true)]
    request_timeout: Option<Duration>,
}

/// Only what says which cluster.
#[derive(clap::Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Only {
    #[command(flatten)]
    connection: Connection,
}

impl Connection {
    /// The flags of a connection among the words of a command line that is not whole yet.
    pub(crate) fn of_words(words: &[String]) -> Self {
        let command = Only::command();
        let of_connection = |word: &str| {
            let name = word.trim_start_matches('-').split('=').next().unwrap_or_default();
            command.get_arguments().find(|arg| match word.strip_prefix("--") {
                Some(_) => arg.get_long() == Some(name),
                None => word.starts_with('-') && arg.get_short().map(String::from).as_deref() == Some(name),
            })
        };
        let mut flags: Vec<&String> = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if let Some(arg) = of_connection(word) {
                flags.push(word);
                let has_value = arg.get_action().takes_values() && !word.contains('=');
                flags.extend(has_value.then(|| rest.next()).flatten());
            }
        }
        Only::try_parse_from(flags).map(|only| only.connection).unwrap_or_default()
    }

    /// How to get to the cluster, and the namespace that is meant.
    pub(super) async fn config(&self) -> Result<(Config, String), Problem> {
        let mut config = match self.read().await? {
            Some(config) => config,
            None => self.without_kubeconfig()?,
        };
        if let Some(server) = &self.server {
            config.cluster_url = url(server)?;
        }
        if let Some(token) = &self.token {
            config.auth_info.token = Some(token.clone().into());
            config.auth_info.token_file = None;
        }
        let auth = &mut config.auth_info;
        auth.impersonate = self.as_user.clone().or(auth.impersonate.take());
        auth.impersonate_uid = self.as_uid.clone().or(auth.impersonate_uid.take());
        if !self.as_group.is_empty() {
            auth.impersonate_groups = Some(self.as_group.clone());
        }
        if let Some(certificate) = &self.client_certificate {
            (auth.client_certificate, auth.client_certificate_data) = (Some(certificate.clone()), None);
        }
        if let Some(key) = &self.client_key {
            (auth.client_key, auth.client_key_data) = (Some(key.clone()), None);
        }
        if let Some(authority) = &self.certificate_authority {
            config.root_cert_file = Some(authority.clone());
        }
        config.accept_invalid_certs |= self.insecure_skip_tls_verify;
        config.tls_server_name = self.tls_server_name.clone().or(config.tls_server_name);
        if let Some(patience) = self.request_timeout {
            let limit = (!patience.is_zero()).then_some(patience);
            (config.connect_timeout, config.read_timeout, config.write_timeout) = (limit, limit, limit);
            config.reset_reader_on_write = true;
        }
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        Ok((config, namespace))
    }

    /// By the kubeconfig; nothing where there is none and none was asked for.
    async fn read(&self) -> Result<Option<Config>, Problem> {
        let kubeconfig = match &self.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let kubeconfig = match kubeconfig {
            Ok(kubeconfig) => kubeconfig,
            Err(KubeconfigError::ReadConfig(_, _) | KubeconfigError::FindPath) if self.kubeconfig.is_none() => {
                return Ok(None);
            }
            Err(error) => return Err(Problem::new(format!("the kubeconfig can't be read: {error}"))),
        };
        let options =
            KubeConfigOptions { context: self.context.clone(), cluster: self.cluster.clone(), user: self.user.clone() };
        let is_empty = kubeconfig.contexts.is_empty() && kubeconfig.clusters.is_empty();
        if is_empty && self.context.is_none() {
            return Ok(None);
        }
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        config.map(Some).map_err(|error| {
            Problem::new(format!("the kubeconfig names no cluster: {error}; --context, --cluster and --user choose"))
        })
    }

    /// A server that is named needs no kubeconfig; in a pod there is the pod's own account.
    fn without_kubeconfig(&self) -> Result<Config, Problem> {
        if let Some(server) = &self.server {
            return Ok(Config::new(url(server)?));
        }
        Config::incluster().map_err(|_| {
            Problem::new(
                "there is no cluster to ask: no kubeconfig was found; name one with --kubeconfig or KUBECONFIG, \
                 or start one in memory with: sluice playground",
            )
        })
    }
}

fn url(text: &str) -> Result<http::Uri, Problem> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    whole.parse().map_err(|error| Problem::usage(format!("--server {text}: {error}; write https://host:port")))
}

/// As kubectl reads it: a duration, or a number of seconds.
pub(crate) fn patience(text: &str) -> Result<Duration, String> {
    // Nobody waits longer, and clocks end somewhere.
    const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds).min(LONGEST));
    }
    let duration: GoDuration = text.parse().map_err(|problem| format!("{problem}"))?;
    let duration = Duration::try_from(SignedDuration::from(duration));
    duration.map(|long| long.min(LONGEST)).map_err(|_| "must not be negative; write 30s or 5m".to_owned())
}
